"""Quotes as the API takes and tells them. Decimals are text. A dealer reads what he wrote and what was sent to him, and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from channel.pricing.quote_queries import Kept, Offer, Row
from channel.pricing.quote_states import OPEN
from channel.pricing.wanted import Wanted
from hub_api.deals_shapes import Words
from hub_api.prices_shapes import ManualIn, Name, Named, Number
from hub_api.shapes import TEXT, DayText

State = Literal["draft", "submitted", "refused", "approved", "sent", "accepted", "lost", "expired", "voided", "revising"]
STATE = (
    "draft, submitted (waits for an approval), refused, approved, sent, accepted, lost, expired, voided (its order is void); to a dealer "
)
STATE += "also revising: a newer version is being made."
_Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
_Version = Annotated[int, Field(ge=1, lt=2**31)]


class QuoteLineIn(BaseModel):
    """One line."""

    model_config = ConfigDict(extra="forbid")

    item: Named = Field(description="Product: number, hub key or id.")
    quantity: Number = Field(description="How many `unit`s.")
    unit: Name = Field(default="", description="Unit; else the item's base unit.")
    manual: ManualIn | SkipJsonSchema[None] = Field(default=None, description="手工折扣, with its reason.")


class QuoteIn(BaseModel):
    """A quote to be made. What the deal knows (dealer, customer, company, currency, salesperson) need not be said."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "dealer": "CUST00001",
                "lines": [
                    {
                        "item": "P-100", "quantity": "20",
                        "manual": {"percent": "4", "reason": "competitor", "text": "对手报价低 5 个点"},
                    }
                ],
                "valid_to": "2099-12-31",
            }
        },
    )  # fmt: skip

    dealer: Name = Field(default="", description="Dealer: number, hub key or id. A dealer's key quotes for itself.")
    customer: Name = Field(default="", description="End customer. Not for dealers: they name the deal.")
    deal: Name = Field(default="", description="Deal: number, hub key or id.")
    project: Name = Field(default="", description="Registered project whose prices are asked for; else the deal's.")
    company: Name = Field(default="", description="Number of our selling company.")
    currency: _Currency | SkipJsonSchema[None] = Field(default=None, description="ISO 4217 code.")
    ship_to: Annotated[str, Field(pattern=r"^([0-9]{2}|[0-9]{4}|[0-9]{6})?$")] = Field(default="", description="GB/T 2260 code.")
    terms: Annotated[list[Named], Field(max_length=20)] = Field(default_factory=list, description="工程条款 and payment terms.")
    coupons: Annotated[list[Named], Field(max_length=20)] = Field(default_factory=list)
    salesperson: Name = Field(default="", description="Code of the salesperson; else the deal's, else the one of dealer and company.")
    delivery_date: DayText | SkipJsonSchema[None] = Field(default=None, description="Wished delivery; else after the items' lead time.")
    valid_to: DayText | SkipJsonSchema[None] = Field(default=None, description="Last day; else as many days as hub.yaml says.")
    manual: ManualIn | SkipJsonSchema[None] = Field(default=None, description="手工折扣 on the whole order.")
    lines: Annotated[list[QuoteLineIn], Field(min_length=1, max_length=500)]

    def wanted(self) -> Wanted:
        """What is wanted. Raises: ValidationError for values that the rules cannot read."""
        return Wanted.model_validate(self.model_dump(exclude_none=True))


class QuoteCopy(BaseModel):
    """What differs in the copy."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"valid_to": "2099-12-31"}})

    dealer: Named | SkipJsonSchema[None] = Field(default=None, description="Another dealer; not for dealers.")
    customer: Named | SkipJsonSchema[None] = Field(default=None, description="Another end customer; not for dealers.")
    deal: Named | SkipJsonSchema[None] = Field(default=None, description="Another deal.")
    valid_to: DayText | SkipJsonSchema[None] = None


class QuoteAccept(BaseModel):
    """Which version the customer accepts."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"version": 1}})

    version: _Version | SkipJsonSchema[None] = Field(default=None, description="Refused when there is a newer one by now.")


class QuoteLose(BaseModel):
    """Why the quote is lost."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reason": "competitor", "text": "对手报价低 8 %"}})

    reason: Annotated[str, Field(min_length=1, max_length=100, pattern=TEXT)] = Field(description="A code of `quotes.reasons` of hub.yaml.")
    text: Words = ""


class QuoteLineOut(BaseModel):
    """A line as it was offered; amounts as an order of it has them."""

    kind: Literal["item", "charge", "gift"]
    item: str
    name: str
    quantity: str
    unit: str
    tax_rate: str
    list_price: str = Field(description="With tax, before the discount.")
    price: str = Field(description="With tax, after the discount, rounded.")
    discount: str
    net: str
    tax: str
    gross: str


class QuoteDiscount(BaseModel):
    """A discount by hand, with its reason."""

    line: str
    item: str
    reason: str
    text: str
    by: str
    amount: str


class QuoteVersionOut(BaseModel):
    """A version, word for word. It never changes."""

    number: int
    made_at: datetime
    hash: str = Field(description="Pins the result; an approval holds for it alone.")
    valid_to: date
    currency: str
    net: str
    tax: str
    gross: str
    lines: list[QuoteLineOut]
    made_by: str | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")
    price_version: int | SkipJsonSchema[None] = Field(default=None, description="Version of prices that it pins. Absent for dealers.")
    discounts: list[QuoteDiscount] | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")


class QuoteEvent(BaseModel):
    """What was done to a quote."""

    at: datetime
    action: str
    version: int
    after: str = Field(description="State after it.")
    actor: str | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")
    cause: str | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")
    facts: dict[str, Any] | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")


class QuoteHead(BaseModel):
    """Where a quote stands."""

    id: UUID = Field(description="Of the record under /v1/quotes too, which there is from the first sending on.")
    number: str
    state: State = Field(description=STATE)
    version: int
    total: str = Field(description="With tax.")
    currency: str
    valid_to: date = Field(description="Last day.")
    dealer: UUID | None
    dealer_name: str
    customer: UUID | None
    customer_name: str
    deal: UUID | None
    sent_version: int | None
    sent_on: date | None
    closed_on: date | None
    order: UUID | None
    made_at: datetime
    lost_reason: str | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")
    lost_text: str | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")
    salesperson: str | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")
    made_by: str | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")
    by_dealer: bool | SkipJsonSchema[None] = Field(default=None, description="The dealer began it. Absent for dealers.")
    copied_from: UUID | SkipJsonSchema[None] = Field(default=None, description="Absent for dealers.")


class QuoteOut(QuoteHead):
    """A quote with its versions and what was done to it."""

    versions: list[QuoteVersionOut]
    events: list[QuoteEvent]
    approval: Literal["auto", "approval", "refused"] | SkipJsonSchema[None] = Field(
        default=None, description="After `submit`: what authority said."
    )
    waits: str | SkipJsonSchema[None] = Field(default=None, description="After `accept`: why there is no order yet.")


class QuotePage(BaseModel):
    """A page of quotes."""

    items: list[QuoteHead]
    next: str | None


class QuoteTrace(BaseModel):
    """The waterfall of a version as it was priced, for this reader: rungs, rules not used and why, approval; profit for `prices:cost`."""

    model_config = ConfigDict(extra="allow")

    number: str
    version: int
    hash: str
    lines: list[dict[str, Any]]


class QuoteProfit(BaseModel):
    """利润测算 for the approver: cost and margin before and after the rebate expected, the last prices, and what authority said."""

    model_config = ConfigDict(extra="allow")

    number: str
    version: int
    profit: dict[str, Any]
    authority: dict[str, Any] = Field(description="Level, role, needs and the quotes counted with it, as submitted; empty before.")


HEAD: Final[dict[str, Any]] = {
    "id": "01931f5e-7c00-7000-8000-000000000000", "number": "QT-2026-000001", "state": "sent", "version": 1, "total": "18567.36",
    "currency": "CNY", "valid_to": "2026-04-14", "dealer": "01931f5e-7c00-7000-8000-00000000000a",
    "dealer_name": "上海东方工业设备有限公司", "customer": None, "customer_name": "", "deal": None, "sent_version": 1,
    "sent_on": "2026-03-15", "closed_on": None, "order": None, "made_at": "2026-03-15T02:11:12Z",
}  # fmt: skip
LINE: Final[dict[str, Any]] = {
    "kind": "item", "item": "P-100", "name": "离心泵", "quantity": "20", "unit": "台", "tax_rate": "0.13", "list_price": "966.7876",
    "price": "928.368", "discount": "768.39", "net": "16431.29", "tax": "2136.07", "gross": "18567.36",
}  # fmt: skip
WHOLE: Final[dict[str, Any]] = HEAD | {
    "versions": [
        {
            "number": 1, "made_at": "2026-03-15T02:11:12Z", "hash": "9f2c1a", "valid_to": "2026-04-14", "currency": "CNY",
            "net": "16431.29", "tax": "2136.07", "gross": "18567.36", "lines": [LINE],
        }
    ],
    "events": [{"at": "2026-03-15T02:11:12Z", "action": "send", "version": 1, "after": "sent"}],
}  # fmt: skip
TRACE: Final[dict[str, Any]] = {
    "number": "QT-2026-000001", "version": 1, "hash": "9f2c1a", "net": "16431.29",
    "lines": [{"id": "1", "item": "P-100", "waterfall": [{"rung": "base", "rule": "标准价2026#1", "version": "1", "after": "855.5644"}]}],
}  # fmt: skip
PROFIT: Final[dict[str, Any]] = {
    "number": "QT-2026-000001", "version": 1, "profit": {"cost": "12000.00", "margin": "4431.29", "margin_percent": "26.97"},
    "authority": {"level": 1, "role": "区域经理"},
}  # fmt: skip

_OURS: Final = ("lost_reason", "lost_text", "salesperson", "made_by", "by_dealer", "copied_from")
_LINE: Final = tuple(QuoteLineOut.model_fields)
_DEALERS_EVENTS: Final = frozenset({"draft", "submit", "approve", "refuse", "send", "accept", "lose", "expire", "order", "void"})


def head(offer: Offer, names: Mapping[UUID, str], *, shown: Row | None = None, dealer: bool = False) -> dict[str, Any]:
    """Where a quote stands. `shown`: for a dealer, the newest version that he may read."""
    made = {
        "id": str(offer.id), "number": offer.number, "state": offer.state, "version": offer.version, "total": format(offer.total, "f"),
        "currency": offer.currency, "valid_to": offer.valid_to, "dealer": _id(offer.dealer_id),
        "dealer_name": names.get(offer.dealer_id, "") if offer.dealer_id else "", "customer": _id(offer.customer_id),
        "customer_name": names.get(offer.customer_id, "") if offer.customer_id else "", "deal": _id(offer.deal_id),
        "sent_version": offer.sent_version, "sent_on": offer.sent_on, "closed_on": offer.closed_on, "order": _id(offer.order_id),
        "made_at": offer.made_at,
    }  # fmt: skip
    if not dealer:
        return made | {name: _id(value) if isinstance(value := getattr(offer, name), UUID) else value for name in _OURS}
    if shown is not None and shown["version"] != offer.version:
        made |= {**shown, "total": format(shown["total"], "f"), "state": "revising" if offer.state in OPEN else offer.state}
    return made


def version(kept: Kept, *, dealer: bool) -> dict[str, Any]:
    """A version as the reader may see it."""
    made: dict[str, Any] = {name: getattr(kept, name) for name in ("number", "made_at", "hash", "valid_to", "currency")}
    made |= {name: format(getattr(kept, name), "f") for name in ("net", "tax", "gross")}
    made["lines"] = [{name: line[name] for name in _LINE} for line in kept.lines]
    if dealer:
        return made
    return made | {"made_by": kept.made_by, "price_version": kept.price_version, "discounts": list(kept.discounts)}


def events(found: Sequence[Row], seen: set[int], *, dealer: bool) -> list[dict[str, Any]]:
    """What was done; to a dealer, with the versions that he may read."""
    if not dealer:
        return [{name: row[name] for name in ("at", "action", "version", "after", "actor", "cause", "facts")} for row in found]
    return [
        {name: row[name] for name in ("at", "action", "version", "after")}
        for row in found
        if row["version"] in seen and row["action"] in _DEALERS_EVENTS
    ]


def _id(value: UUID | None) -> str | None:
    return None if value is None else str(value)
