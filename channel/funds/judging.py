"""What a claim is worth as things stand: the calculation of channel.rebates.claiming, one claim at a time. Pure, exact, rounded once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from canonical.rounding import exact_rounded
from canonical.values import decimal_text
from channel.rebates.claiming import Claim, contract_for, debit, from_fund, protection
from channel.rebates.claims import Claimed, Contract, Fund, PriceProtection, ShipAndDebit
from channel.rebates.facts import COLUMNS, Fact, Table
from channel.rebates.values import ZERO


@dataclass(frozen=True, slots=True)
class Standing:
    """What was claimed before, and what is left."""

    room: Decimal = Decimal(0)
    """Of the dealer's fund in the period."""
    budget: Decimal | None = None
    """Of what all dealers may take in the period; None: no budget."""
    used: Mapping[str, Fraction] = field(default_factory=dict)
    """Units of each contract, by `contract_key`, that live claims of any dealer use."""
    cut: Fact | None = None
    moves: Sequence[Fact] = ()
    """The dealer's own facts about the product: stock, sale, return, sell_out."""
    claimed: Mapping[Fact, Fraction] = field(default_factory=dict)
    """Units that the dealer has claimed before, by the cut: of this one, and of others that announce the same fall."""


def contract_key(contract: Contract) -> str:
    """What makes two prices one contract across versions of a programme: a ceiling that is raised goes on counting."""
    return "|".join(
        (contract.product, contract.dealer or "", contract.customer or "", contract.from_.isoformat() if contract.from_ else "")
    )


def judge(programme: Claimed, fact: Fact, standing: Standing) -> Claim:
    """What the claim is worth, and why not all of it. Raises: BadFacts for a price that the formula needs and the claim does not say."""
    match programme:
        case Fund():
            return from_fund(programme, fact, standing.room, standing.budget)
        case ShipAndDebit():
            contract = contract_for(programme, fact)
            used = {} if contract is None else {contract: standing.used.get(contract_key(contract), ZERO)}
            return debit(programme, Table((fact,), COLUMNS), fact, used)
        case PriceProtection():
            return _protected(programme, fact, standing)
    raise TypeError(type(programme).__name__)


def _protected(programme: PriceProtection, fact: Fact, standing: Standing) -> Claim:
    """Units that were on hand and not claimed yet, at the drop of the price."""
    if standing.cut is None:
        raise ValueError("a claim for price protection names its price cut")
    whole = protection(programme, standing.cut, fact.dealer, standing.moves)
    here = {cut: min(units, _still(programme, standing, cut, units)) for cut, units in standing.claimed.items()}
    left = max(ZERO, whole.quantity - sum(here.values(), ZERO))
    asked = Fraction(fact.quantity)
    units = min(asked, left)
    each = whole.per_unit or ZERO
    why = "" if units == asked else "no_drop" if whole.why == "no_drop" else "stock"
    payable = exact_rounded(each * units, programme.rounding.places, programme.rounding.mode)
    gone = sum(standing.claimed.values(), ZERO) - sum(here.values(), ZERO)
    said = {**whole.facts, "stock": decimal_text(_decimal(whole.quantity)), "gone": decimal_text(_decimal(gone))}
    return replace(whole, fact=fact.id, quantity=units, asked=each * asked, payable=payable, why=why, facts=said)


def _still(programme: PriceProtection, standing: Standing, other: Fact, units: Fraction) -> Fraction:
    """How much of what was claimed for another announcement is stock of this one: what was there on both days, first in first out."""
    assert standing.cut is not None  # noqa: S101  the caller has it
    if other.id == standing.cut.id:
        return units
    first, last = sorted((standing.cut, other), key=lambda cut: (cut.date, cut.id))
    between = [move for move in standing.moves if first.date <= move.date < last.date]
    sold = sum((Fraction(move.quantity) for move in between if move.kind == "sell_out"), ZERO)
    bought = sum((Fraction(move.quantity) for move in between if move.kind in ("sale", "return")), ZERO)
    on_hand = Fraction(protection(programme, last, "", standing.moves).facts["stock"])
    return max(ZERO, min(units - sold, on_hand - max(ZERO, bought)))


def _decimal(value: Fraction) -> Decimal:
    """Units exactly: stock is counted in decimals."""
    return Decimal(value.numerator) / Decimal(value.denominator)
