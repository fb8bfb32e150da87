"""The values that a programme is written in: exact numbers, rates, names in two languages, half-open spans of days."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from canonical.currencies import CODES, instead
from canonical.values import BadValue, decimal_text

ZERO: Final = Fraction(0)
FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2100, 1, 1)
"""A day outside these is a slip of the pen (0203 for 2023), not a business day."""

_DAY_LENGTH: Final = len("2026-01-31")
_PLAIN: Final = re.compile(r"[+-]?\d{1,24}(\.\d{1,18})?", re.ASCII)
_PERCENT: Final = re.compile(r"([+-]?\d{1,9}(?:\.\d{1,12})?)\s*[%％]", re.ASCII)


def exact(value: Any) -> Decimal:
    """A number as it was written. Raises: BadValue for a float, an exponent, NaN or anything else that is no plain decimal number."""
    if isinstance(value, bool | float) or not isinstance(value, int | str | Decimal):
        raise BadValue(f"{str(value)[:40]!r} is no exact number; write it in plain digits")
    text = format(value, "f") if isinstance(value, Decimal) and value.is_finite() else str(value).strip()
    if not _PLAIN.fullmatch(text):
        raise BadValue(f"{text[:40]!r} is no plain decimal number (digits, one point, no exponent, no separators)")
    return Decimal(text)


def rate(value: Any) -> Decimal:
    """A rate as a fraction: `2 %` and `0.02` are the same.

    >>> rate("2 %"), rate("0.02")
    (Decimal('0.02'), Decimal('0.02'))
    """
    if isinstance(value, str) and (found := _PERCENT.fullmatch(value.strip())):
        return Decimal(found[1]).scaleb(-2)
    return exact(value)


def day(value: Any) -> date:
    """A business day. Raises: BadValue for a day before 2000 or from 2100 on, which is a slip of the pen."""
    if isinstance(value, str):
        text = value.strip()
        try:
            value = date.fromisoformat(text) if len(text) <= _DAY_LENGTH else datetime.fromisoformat(text)
        except ValueError as wrong:
            raise BadValue(f"{text[:40]!r} is no day; write YYYY-MM-DD") from wrong
        if "W" in text:  # ISO 8601 has days of weeks, business has not
            raise BadValue(f"{text[:40]!r} is a day of a week; write YYYY-MM-DD")
    if isinstance(value, datetime):
        if value.time() != time.min or value.tzinfo is not None:
            raise BadValue(
                f"{str(value)[:40]!r} is no day but a moment; write the business day (Asia/Shanghai) that it counts on, YYYY-MM-DD"
            )
        value = value.date()  # a table that has no days, only times
    if type(value) is not date:
        raise BadValue(f"{str(value)[:40]!r} is no day; write YYYY-MM-DD")
    if not FIRST_DAY <= value < LAST_DAY:
        raise BadValue(f"{value.isoformat()} is not between {FIRST_DAY.isoformat()} and {LAST_DAY.isoformat()}: is the year right?")
    return value


def _code(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise BadValue(f"{str(value)[:40]!r} is no code")
    return value.strip()


def _currency(value: str) -> str:
    if value not in CODES:
        raise BadValue(f"{value!r} is no code of ISO 4217; write {instead(value)}")
    return value


def _text(value: Decimal) -> str:
    return decimal_text(value)


Number = Annotated[Decimal, BeforeValidator(exact), PlainSerializer(_text, return_type=str)]
Rate = Annotated[Decimal, BeforeValidator(rate), PlainSerializer(_text, return_type=str)]
Share = Annotated[Rate, Field(ge=0, le=1)]
Day = Annotated[date, BeforeValidator(day)]
Code = Annotated[str, BeforeValidator(_code), Field(max_length=200)]
Currency = Annotated[str, AfterValidator(_currency)]


class Strict(BaseModel):
    """A part of a programme: an unknown field is refused, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Name(Strict):
    """What people call it, in Chinese and English. A plain text is both."""

    zh: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=200)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return {"zh": value, "en": value} if isinstance(value, str) else value


class Span(Strict):
    """Days from the first on, up to but without the last: `[from, to)`. An absent side is open."""

    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.from_ and self.to and self.from_ >= self.to:
            raise BadValue(f"from {self.from_} is not before to {self.to}; the last day is not included")
        return self

    def holds(self, on: date) -> bool:
        """True for a day inside."""
        return (self.from_ is None or self.from_ <= on) and (self.to is None or on < self.to)
