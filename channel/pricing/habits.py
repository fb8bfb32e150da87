"""折扣习惯: who gives which discounts, to whom, on what, why, and whether it was won."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Final, Literal

from canonical.rounding import half_up
from channel.pricing.discounts import Discount
from channel.pricing.pricing import WIDE

By = Literal["seller", "dealer", "item", "reason"]
State = Literal["open", "accepted", "lost"]
ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quote as habits look at it: of its version that counts. Amounts in `currency`."""

    id: str
    dealer: str
    currency: str
    state: State
    discounts: tuple[Discount, ...]
    listed: Mapping[str, Decimal]
    """Its lines at list price, without tax."""


@dataclass(frozen=True, slots=True)
class Habit:
    """Discounts by hand under one name. Amounts in `currency`, of the last version of each quote."""

    name: str
    currency: str
    quotes: int
    won: int
    lost: int
    open: int
    discount: Decimal
    """What hands took off."""
    listed: Decimal
    """The same lines at list price, without tax."""
    percent: Decimal | None
    """Discount by list, percent; none without a list price. For reading, never for deciding."""
    win_rate: Decimal | None
    """Won by closed; none while nothing is closed."""


_NAME: dict[By, Callable[[Quoted, Discount], str]] = {
    "seller": lambda _, discount: discount.by,
    "dealer": lambda quote, _: quote.dealer,
    "item": lambda _, discount: discount.item,
    "reason": lambda _, discount: discount.reason,
}


def habits(quotes: Iterable[Quoted], by: By) -> list[Habit]:
    """One row for each name and currency, the largest discount first. A quote without a discount by hand counts nowhere."""
    rows: dict[tuple[str, str], list[tuple[Quoted, Discount]]] = {}
    for quote in quotes:
        for discount in quote.discounts:
            rows.setdefault((_NAME[by](quote, discount), quote.currency), []).append((quote, discount))
    with localcontext(WIDE):
        made = [_habit(name, currency, found) for (name, currency), found in rows.items()]
    return sorted(made, key=lambda one: (-one.discount, one.name, one.currency))


def _habit(name: str, currency: str, found: list[tuple[Quoted, Discount]]) -> Habit:
    quotes = {quote.id: quote for quote, _ in found}
    states = [quote.state for quote in quotes.values()]
    listed = {(quote.id, discount.line): quote.listed.get(discount.line, ZERO) for quote, discount in found}
    discount_sum = sum((discount.amount for _, discount in found), ZERO)
    whole = sum(listed.values(), ZERO)
    won, lost = states.count("accepted"), states.count("lost")
    return Habit(
        name, currency, len(quotes), won, lost, states.count("open"), discount_sum, half_up(whole, 2),
        half_up(discount_sum * 100 / whole, 2) if whole else None,
        half_up(Decimal(won) / (won + lost), 4) if won + lost else None,
    )  # fmt: skip
