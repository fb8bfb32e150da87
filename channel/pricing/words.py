"""The values that a pricing file is written in: exact numbers, days, percents, and the trade's words in Chinese or English.

A validator's text is `what | what to write instead`; the loader puts file and line before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from canonical.currencies import CODES, instead
from canonical.values import MAX_DIGITS

_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
FIRST_YEAR, LAST_YEAR = 1990, 2200


def number(value: Any) -> Decimal:
    """An exact number from text, a whole number or a decimal. Raises: ValueError for a float, a thousands comma, an exponent."""
    if isinstance(value, bool | float) or value is None:
        raise ValueError("it is no exact number | write it as text, such as '10.50'")
    text = format(value, "f") if isinstance(value, Decimal) and value.is_finite() else str(value).strip()
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no number | write digits with a point, such as 1234.50")
    if len(text) > MAX_DIGITS + 2:
        raise ValueError(f"{text[:40]}… has too many digits | at most {MAX_DIGITS}")
    return Decimal(text)


def _percent(value: Any) -> Decimal:
    return number(value.strip().removesuffix("%").strip() if isinstance(value, str) else value)


def _rate(value: Any) -> Decimal:
    text = value.strip() if isinstance(value, str) else ""
    rate = number(text.removesuffix("%").strip()).scaleb(-2) if text.endswith("%") else number(value)
    if not 0 <= rate < 1:
        raise ValueError(f"{str(value)[:20]} is no rate between 0 and 1 | write a fraction or a percent, such as 0.13 or 13%")
    return rate


def _not_negative(value: Decimal) -> Decimal:
    if value < 0:
        raise ValueError(f"{value} is negative | write 0 or more")
    return value


def _positive(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError(f"{value} is not above zero | write how many; a return is not priced here")
    return value


def _day(value: Any) -> date:
    made: date
    if isinstance(value, datetime):
        raise ValueError("a time stands where a day is meant | write the day, such as 2026-01-31")  # noqa: TRY004  pydantic wants ValueError
    if isinstance(value, date):
        made = value
    else:
        found = _DAY.fullmatch(str(value).strip())
        if not found:
            raise ValueError(f"{str(value)[:40]!r} is no day | write it as 2026-01-31")
        try:
            made = date(*map(int, found.groups()))
        except ValueError as wrong:
            raise ValueError(f"{found[0]} is in no calendar | write it as 2026-01-31") from wrong
    if not FIRST_YEAR <= made.year <= LAST_YEAR:
        raise ValueError(f"{made.isoformat()} lies in the year {made.year:04} | write a year between {FIRST_YEAR} and {LAST_YEAR}")
    return made


def _moment(value: Any) -> datetime:
    try:
        made = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError as wrong:
        raise ValueError(f"{str(value)[:40]!r} is no time | write it as 2026-01-31T09:00:00+08:00") from wrong
    if made.tzinfo is None:
        raise ValueError(f"{str(value)[:40]} has no zone | write it as 2026-01-31T09:00:00+08:00")
    _day(made.date())
    return made


def _currency(value: Any) -> str:
    if not isinstance(value, str) or value not in CODES:
        raise ValueError(f"{str(value)[:20]!r} is no code of ISO 4217 | write {instead(str(value))}")
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None or not str(value).strip():
        raise ValueError("it is empty | write a text")
    if isinstance(value, dict | list):
        raise ValueError("it is no text | write one text")  # noqa: TRY004  pydantic wants ValueError
    return str(value).strip()


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"[-+]?\d{1,9}", str(value).strip()):
        raise ValueError(f"{str(value)[:20]!r} is no whole number | write one, such as 10")
    return int(value)


def _count(value: int) -> int:
    if value < 0:
        raise ValueError(f"{value} is negative | write 0 or more")
    return value


def _of_hundred(value: Decimal) -> Decimal:
    if not 0 <= value <= 100:
        raise ValueError(f"{value} % is no part of a price | write a percent from 0 to 100")
    return value


def _places(value: int) -> int:
    if not -6 <= value <= 12:
        raise ValueError(f"{value} decimals are not kept | write a number between -6 and 12")
    return value


def _list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def words(table: Mapping[str, str]) -> Callable[[Any], Any]:
    """A validator that reads a Chinese or another usual word as ours."""
    return lambda value: table.get(value.strip(), value.strip()) if isinstance(value, str) else value


Num = Annotated[Decimal, BeforeValidator(number)]
Money = Annotated[Decimal, BeforeValidator(number), AfterValidator(_not_negative)]
Positive = Annotated[Decimal, BeforeValidator(number), AfterValidator(_positive)]
Percent = Annotated[Decimal, BeforeValidator(_percent)]
"""A percentage: `10` or `10%` is ten percent."""
Share = Annotated[Decimal, BeforeValidator(_percent), AfterValidator(_of_hundred)]
"""A percentage from 0 to 100."""
Rate = Annotated[Decimal, BeforeValidator(_rate)]
"""A fraction: 0.13 is 13 %, and may be written `13%`."""
Day = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Currency = Annotated[str, BeforeValidator(_currency)]
Text = Annotated[str, BeforeValidator(_text)]
Whole = Annotated[int, BeforeValidator(_whole)]
Count = Annotated[int, BeforeValidator(_whole), AfterValidator(_count)]
Places = Annotated[int, BeforeValidator(_whole), AfterValidator(_places)]
"""A number of decimals; below zero rounds to tens and hundreds."""

Texts = Annotated[tuple[Text, ...], BeforeValidator(_list)]
"""One text or a list of them."""

KINDS = {
    "特批价": "deal", "大项目特批价": "deal", "special": "deal", "合同价": "contract", "协议价": "contract", "产品线价": "line",
    "代理价": "grade", "dealer_grade": "grade", "工程价": "project", "标准价": "standard", "list": "standard",
}  # fmt: skip
"""Usual words for the price kinds that the hub knows; any other word is a kind of your own."""

Kind = Annotated[Text, BeforeValidator(words(KINDS))]
Kinds = Annotated[tuple[Kind, ...], BeforeValidator(_list)]

SIDES = {"含税": "included", "未税": "excluded", "不含税": "excluded", "inclusive": "included", "exclusive": "excluded"}
METHODS = {
    "volume": "point", "all_units": "point", "全量": "point", "graduated": "range", "interval": "range", "slab": "range",
    "marginal": "range", "分段": "range", "一口价": "block",
}  # fmt: skip
MODES = {"独占": "exclusive", "取优": "best", "best_price": "best", "连乘": "compound", "compounded": "compound",
         "叠加": "original", "add_on_original": "original", "必用": "always", "always_apply": "always"}  # fmt: skip
BYS = {"数量": "quantity", "金额": "value", "amount": "value", "重量": "weight", "体积": "volume"}
RUNGS = {"协议": "agreement", "数量折扣": "volume", "促销": "promotion", "工程": "project", "手工": "manual", "运费": "freight"}

Rung = Annotated[Text, BeforeValidator(words(RUNGS))]


def described(what: str, **more: Any) -> Any:
    """A field with its one definition."""
    return Field(description=what, **more)
