"""The values that every aggregate is made of: money and quantities as exact text, times with a zone, references, codes.

A canonical record exists in two forms with the same field names. The *document form* holds JSON values only (amounts as plain
decimal text, times as ISO 8601 text in UTC, references as UUID text); mapping, merging and storage work on it, because equal values
are equal texts there. The *model form* (pydantic) holds `Decimal`, `datetime` and `UUID`; rules and the API work on it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

SHANGHAI = ZoneInfo("Asia/Shanghai")
"""The zone of business days."""

MAX_DIGITS = 24
"""More digits than this in a number is a mistake of the sender: the record is set aside, not rounded."""


class BadValue(ValueError):
    """A value that cannot be what it should be. The text says what came and what was expected."""


def decimal_text(value: Decimal | int | str, places: int | None = None) -> str:
    """A decimal number as plain text: no exponent, no sign on zero, exactly `places` decimals or no trailing zeros.

    Rounds: half-up to `places` where given.
    Raises: BadValue for something that is no finite number, or has more than 24 digits.

    >>> decimal_text("100.0000000000"), decimal_text(Decimal("2.675"), 2), decimal_text("-0.00")
    ('100', '2.68', '0')
    """
    try:
        number = value if isinstance(value, Decimal) else Decimal(value)
        if not number.is_finite() or number.adjusted() >= MAX_DIGITS or len(number.as_tuple().digits) > 2 * MAX_DIGITS:
            raise BadValue(f"{str(value)[:40]!r} is not a number of at most {MAX_DIGITS} digits")
        if places is not None:
            number = number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    except InvalidOperation as wrong:
        raise BadValue(f"{str(value)[:40]!r} is not a number of at most {MAX_DIGITS} digits") from wrong
    text = format(number, "f")
    if places is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    if number == 0:
        return text.lstrip("-")
    return text


def utc_text(moment: datetime) -> str:
    """A moment as canonical text: UTC, microseconds only where there are some, `Z`.

    Raises: BadValue for a time without zone.

    >>> utc_text(datetime(2026, 11, 21, 8, 0, tzinfo=SHANGHAI))
    '2026-11-21T00:00:00Z'
    """
    if moment.tzinfo is None:
        raise BadValue(f"{moment.isoformat()} has no time zone")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def business_day(moment: datetime) -> date:
    """The business day (Asia/Shanghai) that a moment falls on."""
    if moment.tzinfo is None:
        raise BadValue(f"{moment.isoformat()} has no time zone")
    return moment.astimezone(SHANGHAI).date()


def _plain_decimal(value: Decimal) -> Decimal:
    decimal_text(value)
    return value


def _no_float(value: Any) -> Any:
    if isinstance(value, float):
        raise BadValue("a float is not exact; give decimal text")
    return value


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise BadValue("a time needs a zone")
    return value


def _in_full(value: Decimal) -> str:
    return decimal_text(value)  # a second parameter would get pydantic's own


Exact = Annotated[Decimal, BeforeValidator(_no_float), AfterValidator(_plain_decimal), PlainSerializer(_in_full, return_type=str)]
"""An exact decimal number; text in documents."""

Amount = Annotated[Exact, Field(json_schema_extra={"unit": "the record's currency"})]
"""Money in the record's `currency`."""

Price = Annotated[Exact, Field(json_schema_extra={"unit": "the record's currency per unit"})]
Quantity = Annotated[Exact, Field(json_schema_extra={"unit": "the line's unit"})]
Rate = Annotated[Exact, Field(json_schema_extra={"unit": "a fraction: 0.13 is 13 %"})]
Moment = Annotated[datetime, AfterValidator(_aware)]
Day = date


class Ref:
    """Marks a field as a reference to another aggregate: `Annotated[UUID, Ref("party")]`."""

    def __init__(self, entity: str) -> None:
        self.entity = entity


class Personal:
    """Marks a field as data about a natural person: kept by reference in history, erasable, masked by permission."""


class DerivedByHub:
    """Marks a field that the hub computes from documents; no system's value counts."""


PartyRef = Annotated[UUID, Ref("party")]
ProductRef = Annotated[UUID, Ref("product")]
CompanyRef = Annotated[UUID, Ref("company")]
OrderRef = Annotated[UUID, Ref("order")]
ContactRef = Annotated[UUID, Ref("contact")]
DealRef = Annotated[UUID, Ref("deal")]
QuoteRef = Annotated[UUID, Ref("quote")]
ShipmentRef = Annotated[UUID, Ref("shipment")]
ReceivableRef = Annotated[UUID, Ref("receivable")]
DepartmentRef = Annotated[UUID, Ref("department")]
EmployeeRef = Annotated[UUID, Ref("employee")]
PriceListRef = Annotated[UUID, Ref("price_list")]
