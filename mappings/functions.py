"""Named pure functions that a mapping file may use, each with its inverse where it has one.

`read` takes the vendor's values in the order the file names their keys (None for an absent one) and then what the file gives under `with`;
it returns the canonical value. `write` takes the canonical value and returns one vendor value per key. Either may raise ValueError to
refuse a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from canonical.values import decimal_text


@dataclass(frozen=True, slots=True)
class Function:
    """A way of mapping that is not a table, under a name."""

    read: Callable[..., Any]
    write: Callable[[Any], Any] | None = None
    """None: the way back is not known; rules that use it are `read_only`."""
    few: bool = False
    """True when a file has few different values for it, so that its answers are remembered."""
    version: int = 1
    """Raised when the meaning changes, which changes the version of every mapping that uses it."""


_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")


def person_name(last: str | None, first: str | None) -> str | None:
    """Family and given name as one: 王小明, Tom Smith.

    >>> person_name("王", "小明"), person_name("Smith", "Tom"), person_name("李雷", None)
    ('王小明', 'Tom Smith', '李雷')
    """
    parts = [_text(part) for part in (last, first)]
    if not parts[1]:
        return parts[0] or None
    return f"{parts[0]}{parts[1]}" if _HAN.search(parts[0] + parts[1]) else f"{parts[1]} {parts[0]}".strip()


def split_name(name: str | None) -> tuple[str | None, str | None]:
    """Family and given name. A Chinese name stays whole in the family name, because surnames of two characters exist.

    >>> split_name("王小明"), split_name("Tom Smith")
    (('王小明', None), ('Smith', 'Tom'))
    """
    whole = _text(name)
    if _HAN.search(whole) or " " not in whole:
        return whole or None, None
    first, last = whole.rsplit(" ", 1)
    return last, first.strip()


_COUNTRIES = {
    "AU": ("Australia", "澳大利亚"),
    "BR": ("Brazil", "巴西"),
    "CA": ("Canada", "加拿大"),
    "CN": ("China", "中国", "中华人民共和国", "PRC"),
    "DE": ("Germany", "德国"),
    "FR": ("France", "法国"),
    "GB": ("United Kingdom", "英国", "UK"),
    "HK": ("Hong Kong", "中国香港", "香港"),
    "ID": ("Indonesia", "印度尼西亚"),
    "IN": ("India", "印度"),
    "JP": ("Japan", "日本"),
    "KR": ("South Korea", "韩国"),
    "MO": ("Macao", "中国澳门", "澳门"),
    "MY": ("Malaysia", "马来西亚"),
    "RU": ("Russia", "俄罗斯"),
    "SG": ("Singapore", "新加坡"),
    "TH": ("Thailand", "泰国"),
    "TW": ("Taiwan", "中国台湾", "台湾"),
    "US": ("United States", "美国", "USA"),
    "VN": ("Vietnam", "越南"),
}
_CODE = {name.casefold(): code for code, names in _COUNTRIES.items() for name in (code, *names)}


def country_code(name: str | None) -> str | None:
    """ISO 3166 alpha-2 of a country's usual Chinese or English name; a name not known here stays as it is.

    >>> country_code("中国"), country_code("china"), country_code("Wakanda")
    ('CN', 'CN', 'Wakanda')
    """
    text = _text(name)
    return _CODE.get(text.casefold(), text) or None


def country_name(code: str | None) -> str | None:
    """The English name, the one both vendors show by default."""
    text = _text(code)
    return _COUNTRIES[text][0] if text in _COUNTRIES else text or None


def closed_or_void(close: str | None, cancel: str | None) -> str | None:
    """Business status of a document that has a close flag and a cancel flag, A for no and B for yes each."""
    if cancel == "B":
        return "void"
    return "closed" if close == "B" else "open"


_LEAD_STATUS = {
    "Not Contacted": "new", "Contacted": "working", "Attempted to Contact": "working", "Contact in Future": "working",
    "Pre-Qualified": "working", "Lost Lead": "lost", "Junk Lead": "lost", "Not Qualified": "lost", "Converted": "converted",
}  # fmt: skip
_LEAD_SOURCE = {
    "Trade Show": "fair", "Seminar Partner": "fair", "Web Research": "web", "Web Download": "web", "Online Store": "web", "Chat": "web",
    "Cold Call": "phone", "External Referral": "referral", "Employee Referral": "referral", "Partner": "dealer",
}  # fmt: skip


def lead_status(word: str | None) -> str | None:
    """What a lead is, from a CRM's usual English word; a word not known here is work going on.

    >>> lead_status("Junk Lead"), lead_status("Waiting"), lead_status(None), lead_status_word("converted")
    ('lost', 'working', None, 'Converted')
    """
    text = _text(word)
    return _LEAD_STATUS.get(text, "working") if text else None


def lead_status_word(status: str | None) -> str | None:
    """The word that is written for a lead's status: the first one that means it."""
    return _first_word(_LEAD_STATUS, status)


def lead_source(word: str | None) -> str | None:
    """Where a lead came from, from a CRM's usual English word; a word not known here is something else.

    >>> lead_source("Cold Call"), lead_source("Advertisement"), lead_source_word("dealer")
    ('phone', 'other', 'Partner')
    """
    text = _text(word)
    return _LEAD_SOURCE.get(text, "other") if text else None


def lead_source_word(source: str | None) -> str | None:
    """The word that is written for a lead's source."""
    return _first_word(_LEAD_SOURCE, source)


def _first_word(table: dict[str, str], meaning: str | None) -> str | None:
    text = _text(meaning)
    return next((word for word, means in table.items() if means == text), text.title() or None)


_QUOTE_STAGE = {
    "Draft": "draft", "Negotiation": "draft", "On Hold": "draft", "Delivered": "delivered", "Confirmed": "accepted",
    "Closed Won": "closed", "Closed Lost": "rejected",
}  # fmt: skip


def quote_stage(word: str | None) -> str | None:
    """Where a quote stands, from a CRM's usual English word; a word not known here is a draft.

    >>> quote_stage("Confirmed"), quote_stage("Waiting"), quote_stage_word("draft"), quote_stage_word("rejected")
    ('accepted', 'draft', 'Draft', 'Closed Lost')
    """
    text = _text(word)
    return _QUOTE_STAGE.get(text, "draft") if text else None


def quote_stage_word(stage: str | None) -> str | None:
    """The word that is written for a quote's stage: the first one that means it."""
    return _first_word(_QUOTE_STAGE, stage)


_EXACT = Context(prec=80)


def sum_rows(rows: list[dict[str, Any]] | None, key: str) -> str | None:
    """The exact sum of one vendor key over the rows of a list; None where no row has it."""
    total = Decimal(0)
    found = False
    for row in rows or ():
        value = row.get(key)
        if value is not None:
            total, found = _EXACT.add(total, Decimal(value)), True
    return decimal_text(total) if found else None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError("expected a text")  # noqa: TRY004  # functions refuse values by ValueError alone
    return value.strip()


FUNCTIONS: dict[str, Function] = {
    "person_name": Function(person_name, split_name),
    "country": Function(country_code, country_name, few=True),
    "closed_or_void": Function(closed_or_void, few=True),
    "lead_status": Function(lead_status, lead_status_word, few=True),
    "lead_source": Function(lead_source, lead_source_word, few=True),
    "quote_stage": Function(quote_stage, quote_stage_word, few=True),
    "sum_rows": Function(sum_rows),
}
"""By the name that files use. A connector outside the tree may add its own before it loads its mappings."""
