"""What a claim is worth as things stand: the calculation of channel.rebates.claiming, one claim at a time. Pure, exact, rounded once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from canonical.rounding import exact_rounded
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
    protected: Fraction = ZERO
    """Units of the cut that the dealer has claimed before."""


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
    left = max(ZERO, whole.quantity - standing.protected)
    asked = Fraction(fact.quantity)
    units = min(asked, left)
    each = whole.per_unit or ZERO
    why = "" if units == asked else "no_drop" if whole.why == "no_drop" else "stock"
    payable = exact_rounded(each * units, programme.rounding.places, programme.rounding.mode)
    return replace(whole, fact=fact.id, quantity=units, asked=each * asked, payable=payable, why=why)
