"""Questions about prices as the API takes them, and their answers as it documents them. Decimals are text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from canonical.values import business_day
from channel.pricing.asking import Ask, AskLine, Manual
from channel.pricing.ordering import Ordered
from channel.pricing.special_service import SpecialItem, Wanted
from hub_api.deals_shapes import Words
from hub_api.shapes import TEXT, DayText, RowNumber

Name = Annotated[str, Field(max_length=100, pattern=TEXT)]
Named = Annotated[str, Field(min_length=1, max_length=100, pattern=TEXT)]
Number = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,8})?$", description="A number as text; never a JSON float.")]
Signed = Annotated[str, Field(pattern=r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,8})?$")]
SNAPSHOT = r"^(0|[1-9][0-9]{0,17})\.[0-9a-f]{32}$"
Moment = Annotated[datetime, Field(description="A time with its zone.")]
CART: dict[str, Any] = {
    "dealer": "CUST00001", "company": "100", "date": "2026-03-15", "ship_to": "310115",
    "lines": [{"item": "P-100", "quantity": "20", "price": "855.54"}],
}  # fmt: skip


_ASKED = ("dealer", "customer", "company", "project", "deal", "ship_to", "known_at", "currency", "terms", "coupons", "alternatives")


class ManualIn(BaseModel):
    """手工折扣: exactly one of percent, amount, price; with a reason code, words, and in the name of the key."""

    model_config = ConfigDict(extra="forbid")

    percent: Signed | SkipJsonSchema[None] = Field(default=None, description="Percent off what is left; below zero adds.")
    amount: Number | SkipJsonSchema[None] = Field(
        default=None, description="Amount off a unit; of the whole order when it stands on the cart."
    )
    price: Number | SkipJsonSchema[None] = Field(default=None, description="Price of a unit instead.")
    reason: Named = Field(description="Reason code, as the published settings list them.")
    text: Named = Field(description="Why, in words.")


class LineIn(BaseModel):
    """One line of a cart."""

    model_config = ConfigDict(extra="forbid")

    id: Name = Field(default="", description="Its number; else 1, 2, 3 …")
    item: Named = Field(description="Product: number, hub key or id.")
    quantity: Number = Field(description="How many `unit`s.")
    unit: Name = Field(default="", description="Unit; else the item's base unit.")
    manual: ManualIn | SkipJsonSchema[None] = Field(default=None, description="手工折扣.")
    price: Number | SkipJsonSchema[None] = Field(
        default=None, description="For `check-order`: the unit price that the order names, on the price list's side; else it names none."
    )


class PriceIn(BaseModel):
    """A cart to price: who buys what, for whom, when."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": CART})

    dealer: Name = Field(default="", description="Dealer: number, hub key or id. A dealer's key asks for itself.")
    customer: Name = Field(default="", description="End customer.")
    company: Name = Field(default="", description="Number of our selling company; may be left out where there is only one.")
    project: Name = Field(default="", description="Registered project: id of the registration, or its deal.")
    deal: Name = Field(default="", description="Deal: number, hub key or id.")
    ship_to: Annotated[str, Field(pattern=r"^([0-9]{2}|[0-9]{4}|[0-9]{6})?$")] = Field(default="", description="GB/T 2260 code.")
    date: DayText | SkipJsonSchema[None] = Field(default=None, description="Price date; today in Shanghai when not said.")
    known_at: Moment | SkipJsonSchema[None] = Field(default=None, description="Only what was known then.")
    version: RowNumber | SkipJsonSchema[None] = Field(default=None, description="Version of prices to use; else the newest.")
    snapshot: Annotated[str, Field(pattern=SNAPSHOT)] | SkipJsonSchema[None] = Field(
        default=None, description="As an answer named it: the same question, with the day of that answer, gets the same answer again."
    )
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | SkipJsonSchema[None] = Field(default=None, description="ISO 4217 code.")
    terms: Annotated[list[Named], Field(max_length=20)] = Field(default_factory=list, description="工程条款 and payment terms.")
    coupons: Annotated[list[Named], Field(max_length=20)] = Field(default_factory=list)
    manual: ManualIn | SkipJsonSchema[None] = Field(default=None, description="手工折扣 on the whole order.")
    alternatives: bool = Field(default=True, description="Tell at which quantity the price falls.")
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=500)]
    approved_hash: Name = Field(default="", description="For `check-order`: hash of the price result that was approved.")

    def ask(self, by: str) -> Ask:
        """The question. Raises: ValidationError for values that the rules cannot read."""
        said = {name: getattr(self, name) for name in _ASKED}
        lines = tuple(
            AskLine(id=line.id, item=line.item, quantity=Decimal(line.quantity), unit=line.unit, manual=_manual(line.manual, by))
            for line in self.lines
        )
        day = date.fromisoformat(self.date) if self.date else business_day(datetime.now(UTC))
        return Ask(**said, date=day, manual=_manual(self.manual, by), lines=lines)

    def ordered(self) -> list[Ordered]:
        """The prices that an order names."""
        return [Ordered(line.id or str(at), None if line.price is None else Decimal(line.price)) for at, line in enumerate(self.lines, 1)]


def _manual(given: ManualIn | None, by: str) -> Manual | None:
    if given is None:
        return None
    said = {name: value for name in ("percent", "amount", "price") if (value := getattr(given, name)) is not None}
    return Manual(**said, reason=given.reason, text=given.text, by=by)


class PriceOut(BaseModel):
    """A priced cart: every rung of each line with the rule that made it, and the rules that were looked at and not used.

    `profit` (cost and margin) is there for keys with `prices:cost`, and absent for others. `as_of_now`, with `known_at`, names what of the
    dealer is that of now, because nothing tells of then.
    """

    model_config = ConfigDict(extra="allow")

    hash: str = Field(description="Pins the result: of rules, question and amounts, and of no cost.")
    version: int = Field(description="Version of prices that it was made with.")
    snapshot: str = Field(description="That version, and what was known of who asks: asked with it, the same question gets this answer.")
    status: Literal["priced", "refused"] = Field(description="refused: the cart or a line has no price; see each `refusal`.")
    currency: str
    net: str
    tax: str
    gross: str
    lines: list[dict[str, Any]]
    charges: list[dict[str, Any]]
    free_goods: list[dict[str, Any]]
    approval: dict[str, Any]


PINNED = {"snapshot": "12.3f0a6c1b9d2e8f4a8b7c6d5e4f3a2b1c"}
PRICED: dict[str, Any] = {
    "hash": "9f2c1a", "version": 12, **PINNED, "status": "priced", "currency": "CNY", "date": "2026-03-15",
    "rules": "1", "dealer": "CUST00001",
    "net": "17110.80", "tax": "2224.40", "gross": "19335.20",
    "lines": [
        {
            "id": "1", "item": "P-100", "quantity": "20", "unit": "pcs", "price_kind": "grade", "list_price": "1000", "base_price": "900",
            "unit_price": "855.5400", "tax_rate": "0.13", "net": "17110.80", "tax": "2224.40", "gross": "19335.20",
            "waterfall": [{"rung": "base", "rule": "XSJMB0002/P-100", "version": "7", "operation": "base", "value": "900", "after": "900"}],
            "not_used": [{"rung": "base", "rule": "contract", "version": "", "reason": "not_found"}],
        }
    ],
    "charges": [], "free_goods": [], "approval": {"result": "auto"},
}  # fmt: skip


class OrderProblem(BaseModel):
    """Why an order does not pass."""

    kind: Literal["price", "approval", "fence", "credit", "stock"]
    code: str
    line: str | SkipJsonSchema[None] = Field(default=None, description="Its line; absent when it is about the whole order.")
    facts: dict[str, str]


class OrderChecked(BaseModel):
    """An order's problems; it may go when there are none."""

    ok: bool
    hash: str
    version: int
    snapshot: str = Field(description="With it `/v1/price` gives these prices again.")
    net: str
    tax: str
    gross: str
    problems: list[OrderProblem]


class Publish(BaseModel):
    """Price rules as their file says them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"document": "main", "text": "adjustments: []\n", "reason": "2026 价格政策"}},
    )

    document: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] = Field(description="Name of the document.")
    text: Annotated[str, Field(min_length=1, max_length=5_000_000, pattern=TEXT)] = Field(description="YAML or JSON.")
    version: Annotated[int, Field(ge=1, lt=2**31)] | SkipJsonSchema[None] = Field(
        default=None, description="The number it shall have; else the next."
    )
    reason: Words = ""
    check: bool = Field(default=False, description="Only check it; nothing is published.")


class Published(BaseModel):
    """What was published, or would be."""

    document: str
    version: int
    hash: str
    price_version: int = Field(description="Version of prices from which on it counts.")


class RulesOut(BaseModel):
    """A version of a document of price rules."""

    document: str
    version: int
    hash: str
    price_version: int
    published_at: datetime
    published_by: str
    reason: str
    text: str | SkipJsonSchema[None] = Field(default=None, description="Word for word; absent in lists.")


class RulesPage(BaseModel):
    """Versions of documents."""

    items: list[RulesOut]
    next: str | None


class SpecialItemIn(BaseModel):
    """An item of a special price."""

    model_config = ConfigDict(extra="forbid")

    item: Named
    price: Number
    ceiling: Number | SkipJsonSchema[None] = Field(default=None, description="Highest quantity, in base units.")


class SpecialIn(BaseModel):
    """A special price to ask for."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "dealer": "CUST00001",
                "project": "DEAL-2026-0007",
                "items": [{"item": "P-100", "price": "760", "ceiling": "100"}],
                "valid_to": "2026-12-31",
                "reason": "竞争对手报价 770",
            }
        },
    )

    dealer: Named
    project: Named = Field(description="Registration id, or its deal.")
    items: Annotated[list[SpecialItemIn], Field(min_length=1, max_length=200)]
    company: Name = ""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "CNY"
    tax_included: bool = False
    valid_from: DayText | SkipJsonSchema[None] = None
    valid_to: DayText | SkipJsonSchema[None] = Field(default=None, description="The day after the last.")
    over_ceiling: Literal["next_kind", "refuse"] = "next_kind"
    ceiling_amount: Number | SkipJsonSchema[None] = Field(default=None, description="Of all its items together.")
    reason: Words = ""

    def wanted(self) -> Wanted:
        """What is asked for."""
        items = tuple(
            SpecialItem(one.item, Decimal(one.price), None if one.ceiling is None else Decimal(one.ceiling)) for one in self.items
        )
        return Wanted(
            self.dealer, self.project, items, self.company, self.currency, self.tax_included,
            date.fromisoformat(self.valid_from) if self.valid_from else None, date.fromisoformat(self.valid_to) if self.valid_to else None,
            self.over_ceiling, None if self.ceiling_amount is None else Decimal(self.ceiling_amount), self.reason,
        )  # fmt: skip


class SpecialOut(BaseModel):
    """A special price, with what is used of it."""

    model_config = ConfigDict(extra="allow")

    id: str
    dealer: str
    project: str
    currency: str
    tax_included: bool
    valid_from: date | None
    valid_to: date | None
    state: Literal["asked", "approved", "rejected", "ended"]
    ceiling_amount: str | None
    consumed_amount: str
    items: list[dict[str, Any]] = Field(description="Item, price, ceiling, consumed and rest.")


class SpecialPage(BaseModel):
    """A page of special prices."""

    items: list[dict[str, Any]]
    next: str | None


SPECIAL: dict[str, Any] = {
    "id": "SP-2026-000001", "dealer": "CUST00001", "dealer_id": "01931f5e-7c00-7000-8000-00000000000a", "dealer_name": "东海机电",
    "project": "DEAL-2026-0007", "company": "", "currency": "CNY", "tax_included": False, "valid_from": None, "valid_to": "2026-12-31",
    "over_ceiling": "next_kind", "ceiling_amount": None, "consumed_amount": "7600", "state": "approved",
    "items": [{"item": "P-100", "name": "离心泵", "price": "760", "ceiling": "100", "consumed": "10", "rest": "90"}],
}  # fmt: skip


class Ended(BaseModel):
    """Why a special price ends."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reason": "项目已丢单"}})

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=TEXT)]


class PricesState(BaseModel):
    """What prices are made of now, and what of the lists makes none."""

    version: int
    prices: int = Field(description="How many prices there are.")
    items: int
    lists: int
    documents: list[str] = Field(description="Published documents, with their versions.")
    troubles: list[dict[str, str]] = Field(description="List, item, what is wrong, what to do; at most 500.")


STATE: dict[str, Any] = {
    "version": 12, "prices": 100_000, "items": 5000, "lists": 8, "documents": ["main@3"],
    "troubles": [{"list": "XSJMB0004", "item": "", "what": "nothing says its price kind", "next_step": "name its kind under `lists`"}],
}  # fmt: skip
