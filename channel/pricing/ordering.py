"""Order validation: price, approval, territory, credit, stock. Each problem is typed; none stops the search for the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal

from channel.pricing.authority import Verdict
from channel.pricing.pricing import Priced

ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Ordered:
    """A line as it was ordered. `unit_price` stands on the side of the price list; None: the dealer named none."""

    id: str
    unit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Credit:
    """What a dealer may still owe, in `currency`, tax included. The ERP's own figure counts where it is known."""

    currency: str
    limit: Decimal | None = None
    used: Decimal = ZERO
    erp_available: Decimal | None = None

    @property
    def available(self) -> Decimal | None:
        """What is left; None when nobody knows."""
        if self.erp_available is not None:
            return self.erp_available
        return None if self.limit is None else self.limit - self.used


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an order does not pass."""

    kind: Literal["price", "approval", "fence", "credit", "stock"]
    code: str
    line: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


def validate(
    priced: Priced,
    verdict: Verdict,
    ordered: Sequence[Ordered],
    *,
    approved_hash: str = "",
    credit: Credit | None = None,
    stock: Mapping[str, Decimal] | None = None,
    dealer: bool = False,
) -> list[Problem]:
    """Everything that keeps an order from being taken; an empty list when it may go.

    `stock`: free base units by item; an item that is not named is not held against the order. `approved_hash`: of the price result
    that was approved; any change since voids it. `dealer`: a dealer reads them, and what nobody may grant looks like what is not
    approved: the price at which the one becomes the other would tell what the goods cost.
    """
    approval = _approval(priced, verdict, approved_hash, dealer=dealer)
    return [*_prices(priced, ordered), *approval, *_credit(priced, credit), *_stock(priced, stock or {})]


def _prices(priced: Priced, ordered: Sequence[Ordered]) -> list[Problem]:
    asked = {one.id: one.unit_price for one in ordered}
    found = []
    if priced.refusal is not None:
        found.append(Problem("price", f"pricing/{priced.refusal.code}", "", priced.refusal.facts))
    for line in priced.lines:
        if line.refusal is not None:
            kind: Literal["fence", "price"] = "fence" if line.refusal.code == "outside-territory" else "price"
            found.append(Problem(kind, f"pricing/{line.refusal.code}", line.id, line.refusal.facts))
            continue
        wanted = asked.get(line.id)
        if wanted is not None and wanted != line.unit_price:
            facts = {"ordered": str(wanted), "price": str(line.unit_price), "side": line.side}
            found.append(Problem("price", "pricing/price-differs", line.id, facts))
    return found


def _approval(priced: Priced, verdict: Verdict, approved_hash: str, *, dealer: bool) -> list[Problem]:
    if priced.refused or verdict.result == "auto" or (verdict.result == "approval" and approved_hash == priced.hash):
        return []
    refused = verdict.result == "refused" and not dealer
    code = "refused-discount" if refused else "approval-missing" if not approved_hash else "approval-outdated"
    return [Problem("approval", f"pricing/{code}", "", {"level": str(verdict.level)} if verdict.level else {})]


def _credit(priced: Priced, credit: Credit | None) -> list[Problem]:
    available = credit.available if credit is not None else None
    if credit is None or available is None:
        return []
    if credit.currency != priced.currency:
        return [Problem("credit", "pricing/credit-currency", "", {"credit": credit.currency, "order": priced.currency})]
    if priced.gross <= available:
        return []
    source = "erp" if credit.erp_available is not None else "hub"
    return [Problem("credit", "pricing/over-credit", "", {"available": str(available), "order": str(priced.gross), "source": source})]


def _stock(priced: Priced, stock: Mapping[str, Decimal]) -> list[Problem]:
    """All lines of an item together draw on its stock."""
    wanted: dict[str, Decimal] = {}
    last: dict[str, str] = {}
    for line in priced.lines:
        item = priced.prices.items[line.item]
        factor = item.units.get(line.unit, Decimal(1)) if line.unit != item.unit else Decimal(1)
        wanted[line.item] = wanted.get(line.item, ZERO) + line.quantity * factor
        last[line.item] = line.id
    for gift in priced.gifts:
        if not gift.within:
            wanted[gift.item] = wanted.get(gift.item, ZERO) + gift.quantity
    return [
        Problem(
            "stock", "pricing/short-of-stock", last.get(item, ""), {"item": item, "available": str(stock[item]), "wanted": str(quantity)}
        )
        for item, quantity in wanted.items()
        if item in stock and quantity > stock[item]
    ]
