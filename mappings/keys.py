"""What makes two records one, or perhaps one: normal forms of sure keys and of weak ones.

A sure key that is not valid is no key: the record keeps the text, and is matched by something else. Weak keys only raise a question
for a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from mappings.regions import REGIONS

_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_VALUE = {char: value for value, char in enumerate(_USCC)}


def uscc(text: str) -> str | None:
    """A 统一社会信用代码 in capitals, or None where it has not 18 characters, a forbidden letter, or a wrong check character.

    Source: GB 32100-2015 (weights are powers of 3 modulo 31; I, O, S, V and Z are not used).

    >>> uscc(" 91350100m000100y43 "), uscc("91350100M000100Y44")
    ('91350100M000100Y43', None)
    """
    code = unicodedata.normalize("NFKC", text).strip().upper()
    values = [_VALUE.get(char, -1) for char in code]
    if len(values) != 18 or min(values) < 0:
        return None
    total = sum(value * weight for value, weight in zip(values, _WEIGHTS, strict=False))
    return code if (31 - total % 31) % 31 == values[17] else None


def code(text: str) -> str | None:
    """A number that one system copied from another: capitals, no blanks around it."""
    return unicodedata.normalize("NFKC", text).strip().upper() or None


_BRACKETS = re.compile(r"[()\[\]{}<>〈〉《》【】〔〕「」『』]")
_OTHER = re.compile(r"[^\w]|_")
_FORMS = re.compile(
    r"(股份有限责任公司|有限责任公司|股份有限公司|集团有限公司|集团股份有限公司|有限公司|总公司|分公司|子公司|公司|股份合作社|合作社|企业集团|集团|"
    r"companylimited|incorporated|corporation|company|limited|gmbh|corp|inc|ltd|llc|plc|co)$"
)
_TWO = 2


@lru_cache(maxsize=65_536)
def core_name(text: str) -> str | None:
    """What is left of a company's name without legal form, leading region, brackets, blanks and width.

    >>> core_name("浙江 东方智控（上海）科技有限公司"), core_name("东方智控科技"), core_name("ACME Co., Ltd.")
    ('东方智控上海科技', '东方智控科技', 'acme')
    """
    name = _OTHER.sub("", _BRACKETS.sub("", unicodedata.normalize("NFKC", text).casefold()))
    name = _without_form(name)
    for region in REGIONS.get(name[:_TWO], ()):
        rest = name.removeprefix(region)
        if rest != name and len(rest) >= _TWO:
            name = rest[1:] if rest[0] in "省市县区" and len(rest) > _TWO else rest
            break
    return name or None


def _without_form(name: str) -> str:
    while True:
        shorter = _FORMS.sub("", name)
        if shorter == name or len(shorter) < _TWO:
            return name
        name = shorter


_PHONE_LENGTH = 7


def phone_digits(text: str) -> str | None:
    """The digits of a telephone number without country code and leading zero; None for fewer than seven.

    >>> phone_digits("+86 (0571) 8888-6666"), phone_digits("0571-88886666"), phone_digits("110")
    ('57188886666', '57188886666', None)
    """
    digits = "".join(char for char in unicodedata.normalize("NFKC", text) if char in "0123456789+")
    for prefix in ("+86", "0086"):
        digits = digits.removeprefix(prefix)
    digits = digits.replace("+", "").lstrip("0")
    return digits if len(digits) >= _PHONE_LENGTH else None


def email(text: str) -> str | None:
    """An address in small letters."""
    address = text.strip().casefold()
    return address if "@" in address else None


NORMALISERS: dict[str, Callable[[str], str | None]] = {
    "uscc": uscc,
    "code": code,
    "core_name": core_name,
    "phone_digits": phone_digits,
    "email": email,
}
"""By the name that files use under `identity` and `likeness`."""
