"""What stands in a pricing file: items, dealers, price books, access, adjustments, authority. One definition of each field.

Days are business days (Asia/Shanghai); a validity is half-open: `valid_from` is the first day, `valid_to` the day after the last.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, Self

from pydantic import model_validator

from channel.pricing.adjustments import Adjustment, Exclusion
from channel.pricing.parts import ONE, ZERO, Rounding, Scale, Side, Strict
from channel.pricing.words import (
    Count,
    Currency,
    Day,
    Kind,
    Kinds,
    Moment,
    Money,
    Num,
    Percent,
    Places,
    Positive,
    Rate,
    Rung,
    Share,
    Text,
    Texts,
    Whole,
    described,
)  # fmt: skip

KEY_FIELDS = ("project", "dealer", "customer", "grade", "channel", "region", "company", "item", "line", "category", "brand", "all")
"""What a price may be kept under. `region` finds the longest prefix of the ship-to region."""
ENDS = ("base", "net", "tax")
"""Rungs that every waterfall has, before and after those that the rules name."""


class LeadTime(Strict):
    """交期: how long, who says so, and when."""

    days: Whole = described("Days from order to dispatch.")
    source: Text = described("Who says so, e.g. factory plan.")
    as_of: Day | None = described("When it was said.", default=None)


class Item(Strict):
    """What is sold."""

    id: Text = described("Item number.")
    name: str = described("Name.", default="")
    brand: str = described("品牌.", default="")
    model: str = described("型号.", default="")
    line: str = described("产品线: product line.", default="")
    category: str = described("Category.", default="")
    unit: str = described("Base unit.", default="pcs")
    units: dict[str, Positive] = described("Other units: how many base units one is, e.g. {箱: 12}.", default_factory=dict)
    tax_rate: Rate | None = described("VAT rate, a fraction; else `settings.tax_rate`.", default=None)
    cost: Money | None = described("Cost of a base unit without tax; only roles of `settings.cost_roles` see it.", default=None)
    cost_currency: Currency | None = described("Currency of the cost; else `settings.currency`.", default=None)
    weight: Money | None = described("Weight of a base unit, kg; for scales and freight by weight.", default=None)
    volume: Money | None = described("Volume of a base unit, m³; for scales and freight by volume.", default=None)
    moq: Positive | None = described("最小起订量 in base units.", default=None)
    multiple: Positive | None = described("Pack multiple in base units.", default=None)
    small_order: Literal["refuse", "surcharge"] = described("What becomes of less than the minimum.", default="refuse")
    small_order_fee: Money = described(
        "With `surcharge`: the fee for the line, in `settings.currency`, on the side of the price.", default=ZERO
    )
    lead_time: LeadTime | None = described("交期.", default=None)

    def factor(self, unit: str) -> Decimal:
        """How many base units one of a unit is. Raises: KeyError for a unit that it is not sold in."""
        return ONE if unit == self.unit else self.units[unit]


class Dealer(Strict):
    """Who buys."""

    id: Text = described("Dealer number.")
    name: str = described("Name.", default="")
    grade: str = described("代理等级: grade.", default="")
    channel: str = described("Channel type, e.g. 省代.", default="")
    territory: Texts = described("Regions (GB/T 2260 prefixes) it may sell in; none: everywhere.", default=())
    expected_rebate: Percent | None = described("Rebate expected on the net price, percent; for the approver's margin.", default=None)


class Registration(Strict):
    """项目报备: a registered project."""

    id: Text = described("Number of the project.")
    dealer: Text = described("Who registered it.")
    customer: str = described("End customer.", default="")
    status: Literal["live", "expired", "rejected", "released"] = described("Only a live one opens 工程价 and 特批价.", default="live")
    lines: Texts = described("Only for these product lines.", default=())
    valid_from: Day | None = described("First day.", default=None)
    valid_to: Day | None = described("Day after the last.", default=None)


class Formula(Strict):
    """A price made from another: convert the currency, take the percent off, round, add the surcharge, keep within the margins."""

    base: Text = described("A price kind (e.g. standard), `cost`, or `book:ID`.")
    percent: Percent = described("Percent off the base; below zero adds.", default=ZERO)
    factor: Money | None = described("Times this, instead of a percent.", default=None)
    round: Rounding | None = described("Rounding before the surcharge.", default=None)
    surcharge: Num = described("Added after rounding, in the book's currency.", default=ZERO)
    min_margin: Money | None = described("At least base + this.", default=None)
    max_margin: Money | None = described("At most base + this.", default=None)

    @model_validator(mode="after")
    def _margins(self) -> Self:
        if self.min_margin is not None and self.max_margin is not None and self.max_margin < self.min_margin:
            raise ValueError("the highest margin is below the lowest | write max_margin above min_margin")
        return self


class PriceRecord(Strict):
    """One price. The names of its keys (item, dealer, …) say where it is kept; exactly one of price, scale, formula."""

    id: str = described("Its own number; else book and place.", default="")
    version: Text = described("Version of the rule, shown in the trace.", default="1")
    item: str = described("Item.", default="")
    line: str = described("Product line.", default="")
    category: str = described("Category.", default="")
    brand: str = described("Brand.", default="")
    all: bool = described("Every item.", default=False)
    dealer: str = described("Dealer.", default="")
    customer: str = described("End customer.", default="")
    grade: str = described("Dealer grade.", default="")
    channel: str = described("Channel type.", default="")
    region: str = described("Ship-to region, a GB/T 2260 prefix.", default="")
    project: str = described("Registered project.", default="")
    company: str = described("Selling company.", default="")
    price: Money | None = described("Price per `per` units. 0 is a price; leave it out where there is none.", default=None)
    scale: Scale | None = described("阶梯.", default=None)
    formula: Formula | None = described("From another price.", default=None)
    unit: str = described("Unit of the price; else the item's base unit.", default="")
    per: Positive = described("The price is for so many units.", default=ONE)
    begun: bool = described("With `per`: every pack that is begun counts whole.", default=False)
    round: Rounding | None = described("Rounding of this price.", default=None)
    final: bool | None = described("Only manual and freight rungs may follow; else as its kind says.", default=None)
    floor_price: Money | None = described("Lowest price allowed; seen by cost roles only.", default=None)
    valid_from: Day | None = described("First day.", default=None)
    valid_to: Day | None = described("Day after the last.", default=None)
    recorded_at: Moment | None = described("When it became known; a question with an earlier `known_at` does not see it.", default=None)

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in ("price", "scale", "formula") if getattr(self, name) is not None]
        if len(given) != 1:
            told = "says no price" if not given else f"says {' and '.join(given)}"
            raise ValueError(f"the record {told} | write exactly one of price, scale, formula")
        return self


class Book(Strict):
    """价格表: a version of a price list, of one kind, currency and tax side."""

    id: Text = described("Name of the list; its versions share it.")
    version: Whole = described("The highest version valid on the day replaces the others whole.", default=1)
    kind: Kind = described(
        "standard 标准价, grade 代理价, project 工程价, contract 合同价, line 产品线价, deal 特批价, or one of your own."
    )
    currency: Currency | None = described("Currency; else `settings.currency`.", default=None)
    tax: Side | None = described("included 含税 or excluded 未税; else `settings.tax`.", default=None)
    companies: Texts = described("Only for these selling companies.", default=())
    dealers: Texts = described("Only for these dealers, or those whom `grades` or `channels` name.", default=())
    grades: Texts = described("Only for dealers of these grades.", default=())
    channels: Texts = described("Only for these channel types.", default=())
    valid_from: Day | None = described("First day.", default=None)
    valid_to: Day | None = described("Day after the last.", default=None)
    recorded_at: Moment | None = described("When it was published.", default=None)
    prices: tuple[PriceRecord, ...] = described("The prices.", default=())


class DealPriceItem(Strict):
    """An item of a special price."""

    item: Text = described("Item.")
    price: Money = described("特批价 of a unit.")
    ceiling: Money | None = described("Highest quantity, in base units.", default=None)
    consumed: Money = described("Used up so far.", default=ZERO)


class DealPrice(Strict):
    """特批价: an approved price for one registered project of one dealer. It ends by day or by quantity."""

    id: Text = described("Number.")
    version: Text = described("Version.", default="1")
    project: Text = described("Registered project.")
    dealer: Text = described("Dealer.")
    items: tuple[DealPriceItem, ...] = described("Items and prices.")
    currency: Currency | None = described("Currency.", default=None)
    tax: Side | None = described("含税 or 未税.", default=None)
    approver: str = described("Who approved it; without one it is not approved and not used.", default="")
    ceiling_amount: Money | None = described(
        "Highest amount of all its items together, at its prices, in its currency and on its tax side.", default=None
    )
    consumed_amount: Money = described("Used up of that so far.", default=ZERO)
    over_ceiling: Literal["next_kind", "refuse"] = described("When the cart asks for more than is left.", default="next_kind")
    valid_from: Day | None = described("First day.", default=None)
    valid_to: Day | None = described("Day after the last.", default=None)
    recorded_at: Moment | None = described("When it was approved.", default=None)

    @model_validator(mode="after")
    def _items(self) -> Self:
        if not self.items:
            raise ValueError("the special price names no item | write at least one under items")
        return self


class AccessStep(Strict):
    """One kind of the search: under which keys it is looked for, and what a find means."""

    kind: Kind = described("Price kind.")
    keys: tuple[Texts, ...] = described("Keys from special to general, e.g. [[dealer, item], [dealer, line]].", default=())
    exclusive: bool = described("A find ends the search; false: its price is added and the search goes on.", default=True)
    needs_registration: bool = described("Only with a live registration of the project by this dealer.", default=False)
    final: bool = described("Only manual and freight rungs may follow.", default=False)


class Access(Strict):
    """Which price kind goes before which: data with a version."""

    version: Text = described("Version of the order.", default="1")
    order: tuple[AccessStep, ...] = described("The search from first to last.")
    companies: Texts = described("Only for these selling companies; the entry without is for all others.", default=())


class Fence(Strict):
    """防窜货: where a price kind may be shipped to."""

    id: Text = described("Number.")
    price_kinds: Kinds = described("Price kinds it guards; none: all.", default=())
    dealers: Texts = described("Only these dealers.", default=())
    grades: Texts = described("Only these grades.", default=())
    regions: Texts = described("Allowed ship-to regions, prefixes; none: the dealer's territory.", default=())
    outside: Literal["refuse_kind", "refuse"] = described("Outside: look for the next kind, or refuse the line.", default="refuse_kind")


class Band(Strict):
    """授权折扣区间: what a level may grant. Level 0 is the asker's own; a higher one is asked for approval."""

    id: Text = described("Number.")
    level: Count = described("0: automatic for the role; 1 and up: needs an approval of this level.")
    role: str = described("Level 0: role of the asker; else who approves.", default="")
    lines: Texts = described("Product lines.", default=())
    brands: Texts = described("Brands.", default=())
    price_kinds: Kinds = described("Price kinds.", default=())
    deal_from: Money | None = described("Size of the deal at list prices, at least.", default=None)
    deal_to: Money | None = described("Below this.", default=None)
    max_discount: Share = described("Highest total discount from list, percent.")
    min_margin: Percent | None = described("Lowest margin on the net price, percent.", default=None)

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        if self.deal_from is not None and self.deal_to is not None and self.deal_to <= self.deal_from:
            raise ValueError(f"no deal is from {self.deal_from} and below {self.deal_to} | deal_to is above deal_from")
        return self


class Fx(Strict):
    """A rate of exchange: 1 `from` is `rate` `to`."""

    from_: Currency = described("From.", alias="from")
    to: Currency = described("To.")
    rate: Positive = described("Rate, up to 8 places.")
    valid_from: Day | None = described("First day.", default=None)
    valid_to: Day | None = described("Day after the last.", default=None)
    source: str = described("Who says so.", default="")

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if self.from_ == self.to:
            raise ValueError(f"a rate from {self.to} to itself | name two currencies")
        return self


class Settings(Strict):
    """What holds for the whole file."""

    version: Text = described("Version of the rules, part of every hash.", default="1")
    currency: Currency = described("Currency where none is said.", default="CNY")
    tax: Side = described("Side of prices where none is said.", default="excluded")
    tax_rate: Rate = described("VAT rate where the item says none, a fraction.", default=ZERO)
    unit_places: Places = described("Decimals of a unit price.", default=4)
    amount_places: Places | None = described("Decimals of an amount; else the currency's.", default=None)
    rounding: Literal["line", "total"] = described(
        "line: each line rounds, totals are sums. total: the total rounds, lines share it.", default="line"
    )
    round_each_rung: bool = described("Round the unit price after every rung, not only at the end.", default=False)
    waterfall: tuple[Rung, ...] = described(
        "The rungs between base and net, in their order.", default=("agreement", "volume", "promotion", "project", "manual", "freight")
    )
    cost_roles: Texts = described("Roles that see cost and margin.", default=("management", "finance", "pricing"))
    dealer_roles: Texts = described("Roles of dealers: they see no rule that is about others.", default=("dealer", "portal"))
    reasons: dict[str, str] = described("Reason codes for manual discounts; none: any code.", default_factory=dict)
    split_days: Count = described("Quotes of the same deal in so many days count together for authority.", default=30)

    @model_validator(mode="after")
    def _rungs(self) -> Self:
        taken = next((name for at, name in enumerate(self.waterfall) if name in (*ENDS, *self.waterfall[:at])), None)
        if taken is not None:
            raise ValueError(
                f"the rung {taken} stands twice: every ladder begins with base and ends with net and tax | name each rung once"
            )
        return self


class Rules(Strict):
    """Everything that decides prices."""

    settings: Settings = described("What holds for the whole file.", default_factory=Settings)
    items: tuple[Item, ...] = described("What is sold.", default=())
    dealers: tuple[Dealer, ...] = described("Who buys.", default=())
    registrations: tuple[Registration, ...] = described("项目报备.", default=())
    books: tuple[Book, ...] = described("价格表.", default=())
    deal_prices: tuple[DealPrice, ...] = described("特批价.", default=())
    access: tuple[Access, ...] = described("Order of price kinds.", default=())
    adjustments: tuple[Adjustment, ...] = described("Discounts, surcharges, gifts.", default=())
    exclusions: tuple[Exclusion, ...] = described("What excludes what.", default=())
    fences: tuple[Fence, ...] = described("防窜货.", default=())
    authority: tuple[Band, ...] = described("授权折扣区间.", default=())
    fx: tuple[Fx, ...] = described("Rates of exchange.", default=())


DEFAULT_ACCESS = Access(
    version="default",
    order=(
        AccessStep(kind="deal", keys=(("project", "dealer", "item"),), needs_registration=True, final=True),
        AccessStep(kind="contract", keys=(("dealer", "customer", "item"), ("dealer", "item"), ("customer", "item"))),
        AccessStep(kind="line", keys=(("dealer", "line"), ("dealer", "category"), ("dealer", "brand"), ("dealer", "all"))),
        AccessStep(
            kind="grade",
            keys=(
                ("grade", "region", "item"),
                ("grade", "item"),
                ("grade", "line"),
                ("grade", "category"),
                ("grade", "brand"),
                ("grade", "all"),
                ("channel", "item"),
            ),
        ),
        AccessStep(kind="project", keys=(("project", "item"), ("item",), ("line",), ("all",)), needs_registration=True),
        AccessStep(
            kind="standard",
            keys=(("company", "item"), ("region", "item"), ("channel", "item"), ("item",), ("line",), ("category",), ("brand",), ("all",)),
        ),
    ),
)
"""特批价 > dealer and item > dealer and product line > 代理价 > 工程价 > 标准价, when the file does not say otherwise."""
