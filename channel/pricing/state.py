"""A cart's question and its lines while they are being priced, and the small arithmetic that they share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from canonical.rounding import allocate, half_up, rounded
from channel.pricing.asking import Ask, AskLine
from channel.pricing.compiled import Prices
from channel.pricing.model import Dealer, Item, Registration
from channel.pricing.parts import Rounding
from channel.pricing.records import Record
from channel.pricing.result import Refusal, Step, Tried

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)


class Question:
    """The part of the question that all lines share."""

    __slots__ = (
        "_active", "ask", "channel", "currency", "day", "dealer", "grade", "known_at", "lists", "prices", "project", "registration",
        "spent", "taken",
    )  # fmt: skip

    def __init__(self, prices: Prices, ask: Ask) -> None:
        self.prices, self.ask = prices, ask
        self.day, self.known_at = ask.date, ask.known_at
        self.currency = ask.currency or prices.settings.currency
        self.dealer: Dealer | None = prices.dealers.get(ask.dealer)
        self.grade = self.dealer.grade if self.dealer else ""
        self.channel = ask.channel or (self.dealer.channel if self.dealer else "")
        self.registration: Registration | None = prices.registrations.get(ask.project)
        own = self.registration is None or self.registration.dealer == ask.dealer
        self.project = ask.project if own else ""
        """Another dealer's project opens nothing."""
        self.lists = prices.lists_of(ask.dealer, self.grade, self.channel)
        """Lists that are only for some, and for this dealer."""
        self._active: dict[str, int] = {}
        self.taken: dict[tuple[str, str], Decimal] = {}
        """By special price and item, the base units that lines of this cart have had."""
        self.spent: dict[str, Decimal] = {}
        """By special price, the amount that they have had of it, whatever the item."""

    def left(self, record: Record, item: Item) -> Decimal | None:
        """What a special price has left for the next line of this cart, in base units; None: it has no ceiling."""
        left = None if record.remaining is None else record.remaining - self.taken.get((record.id, item.id), ZERO)
        if record.left_amount is None or not record.price:
            return left
        covered = covers(record.left_amount - self.spent.get(record.id, ZERO), record.price)
        return covered if left is None else min(left, covered)

    def take(self, record: Record, item: Item, quantity: Decimal) -> None:
        """A line of this cart has so many base units of a special price."""
        name = (record.id, item.id)
        self.taken[name] = self.taken.get(name, ZERO) + quantity
        if record.left_amount is not None:
            worth = half_up((record.price or ZERO) * quantity, self.prices.places(record.currency))
            self.spent[record.id] = self.spent.get(record.id, ZERO) + worth

    def facts(self, state: State) -> dict[str, str]:
        """What keys of prices and conditions of rules look at, for one line; its price kind once that is found."""
        facts = state.facts
        if not facts:
            ask, item = self.ask, state.item
            facts = state.facts = {
                "item": item.id, "line": item.line, "category": item.category, "brand": item.brand, "all": "all", "dealer": ask.dealer,
                "customer": ask.customer, "grade": self.grade, "channel": self.channel, "project": self.project, "company": ask.company,
                "region": ask.ship_to, "currency": self.currency, "price_kind": "",
            }  # fmt: skip
        facts["price_kind"] = state.kind
        return facts

    def registered(self, item: Item) -> str:
        """Empty when the project has a live registration of this dealer for the item; else what is missing."""
        one = self.registration
        if one is None:
            return "no registered project"
        if one.dealer != self.ask.dealer:
            return "registered by another dealer"
        if one.status != "live" or not (one.valid_from or date.min) <= self.day < (one.valid_to or date.max):
            return "the registration is not live"
        if one.customer and self.ask.customer and one.customer != self.ask.customer:
            return "registered for another customer"
        if one.lines and item.line not in one.lines:
            return "registered for other product lines"
        return ""

    def active(self, book: str) -> int:
        """The version of a book that counts on the day, as far as it was known; 0 for none."""
        lasting = self.prices.lasting.get(book)
        if lasting is not None:
            return lasting
        if book not in self._active:
            self._active[book] = max(
                (
                    one.version
                    for one in self.prices.books.get(book, ())
                    if (one.valid_from or date.min) <= self.day < (one.valid_to or date.max) and known(one.recorded_at, self.known_at)
                ),
                default=0,
            )
        return self._active[book]


def known(recorded_at: datetime | None, known_at: datetime | None) -> bool:
    """True when what was recorded then may be used by a question that knows what was known at `known_at`."""
    return recorded_at is None or known_at is None or recorded_at <= known_at


class State:
    """A line on its way through the waterfall."""

    __slots__ = (
        "ask",
        "base_total",
        "by_unit",
        "factor",
        "facts",
        "final",
        "id",
        "item",
        "kind",
        "list_total",
        "per",
        "price_unit_quantity",
        "quantity",
        "record",
        "refusal",
        "rung_total",
        "side",
        "steps",
        "tax_rate",
        "total",
        "tried",
    )  # fmt: skip

    def __init__(self, ask: AskLine, item: Item, factor: Decimal, tax_rate: Decimal) -> None:
        self.ask, self.item, self.factor, self.tax_rate = ask, item, factor, tax_rate
        self.id = ask.id
        self.quantity = ask.quantity * factor
        """In base units."""
        self.total = self.base_total = self.list_total = self.rung_total = ZERO
        self.by_unit, self.final = True, False
        self.side, self.kind = "excluded", ""
        self.per, self.price_unit_quantity = ONE, ask.quantity
        self.record: Record | None = None
        self.facts: dict[str, str] = {}
        self.refusal: Refusal | None = None
        self.steps: list[Step] = []
        self.tried: list[Tried] = []

    def unit_of(self, total: Decimal) -> Decimal:
        """A line amount as the price of the unit that the line is priced in."""
        return total * self.per / self.price_unit_quantity

    def unit_price(self, places: int) -> Decimal:
        """What a unit costs by now, rounded to its places."""
        return half_up(self.unit_of(self.total), places)

    def amount_at(self, unit_price: Decimal) -> Decimal:
        """The amount of the line at a unit price, not rounded again; one that is no unit price x quantity stays as it is."""
        return unit_price * self.price_unit_quantity / self.per if self.by_unit else self.total


def said(states: Sequence[State], unit_places: int, places: int, *, total_first: bool) -> list[Decimal]:
    """What lines say, to so many places: each rounds by itself, or the total of those with one tax rate does, and they share it."""
    exact = [state.amount_at(state.unit_price(unit_places)) for state in states]
    if not total_first:
        return [half_up(amount, places) for amount in exact]
    found = [ZERO for _ in states]
    for rate in {state.tax_rate: None for state in states}:
        group = [at for at, state in enumerate(states) if state.tax_rate == rate]
        whole = sum((exact[at] for at in group), ZERO)
        if whole:
            shares = allocate(half_up(whole, places), [exact[at] for at in group], places)
            for at, share in zip(group, shares, strict=True):
                found[at] = share
    return found


def covers(amount: Decimal, price: Decimal) -> Decimal:
    """So many base units at a price are bought for an amount, to six decimals."""
    return Decimal(format(rounded(max(amount, ZERO) / price, 6, "floor").normalize(), "f"))


def size_of(item: Item, by: str) -> Decimal:
    """`weight` (kg) or `volume` (m³) of a base unit; nothing where the item does not say it."""
    return (item.weight if by == "weight" else item.volume) or ZERO


def other_side(amount: Decimal, side: str, rate: Decimal) -> Decimal:
    """An amount that stands on `side`, on the other one; exact as far as a division can be."""
    return amount / (ONE + rate) if side == "included" else amount * (ONE + rate)


def round_by(price: Decimal, rounding: Rounding) -> Decimal:
    """A unit price as its own rule rounds it."""
    if rounding.step is not None:
        price = rounded(price / rounding.step, 0, rounding.mode) * rounding.step
    if rounding.places is not None:
        price = rounded(price, rounding.places, rounding.mode)
    return price + rounding.plus


def told(rounding: Rounding) -> str:
    """A rounding in words, for the trace."""
    how = f"to {rounding.step}" if rounding.step is not None else f"{rounding.places} places"
    return f"{rounding.mode} {how}" + (f" {rounding.plus:+}" if rounding.plus else "")
