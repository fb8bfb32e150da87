"""Caps, floors, guaranteed minimum and the budget over all dealers: applied after stacking and gates, before rounding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from canonical.rounding import allocate, rounded
from channel.rebates.counting import Key
from channel.rebates.gates import Outcome
from channel.rebates.payment import Budget, Cap
from channel.rebates.periods import add_months
from channel.rebates.programme import Programme
from channel.rebates.rating import Cell, last_day
from channel.rebates.rounding import together
from channel.rebates.values import ZERO


@dataclass(slots=True)
class Due:
    """What becomes of a cell's earned amount; exact until `settle` rounds it."""

    cell: Cell
    gates: Outcome
    earned: Fraction
    """Rated, with what was brought forward, topped up to a floor or a guarantee."""
    pays: Fraction
    held: Fraction
    brought: Fraction = ZERO
    """A negative rebate of an earlier period."""
    topped_up: Fraction = ZERO
    lost: list[tuple[str, Fraction]] = field(default_factory=list)
    """Why less is paid: cap, budget, beaten, negative, and how much."""

    @property
    def key(self) -> Key:
        """Whose, what, when."""
        return self.cell.key


def bound(programme: Programme, cells: Sequence[Cell], outcomes: Sequence[Outcome], as_of: date) -> list[Due]:
    """What each cell pays within the programme's bounds; cells of one dealer are taken in the order of their periods."""
    dues = {}
    order = sorted(range(len(cells)), key=lambda at: (cells[at].key[2], cells[at].key[0], cells[at].key[1]))
    carried: dict[tuple[str, tuple[str, ...]], Fraction] = {}
    above: dict[tuple[str, tuple[str, ...]], Fraction] = {}
    used: dict[tuple[str, tuple[str, ...], int], Fraction] = {}
    for at in order:
        cell = cells[at]
        who = cell.key[:2]
        due = _gated(cell, outcomes[at], carried.pop(who, ZERO))
        if due.earned < 0:
            _negative(programme, due, carried)
        _floor(programme, due)
        _cap(programme, due, used)
        if programme.limits.guarantee is not None and as_of >= last_day(cell.key[2]):
            above[who] = _guarantee(programme, due, above.get(who, ZERO))
        dues[at] = due
    found = [dues[at] for at in range(len(cells))]
    if programme.limits.budget is not None:
        _budget(programme, programme.limits.budget, found)
    return found


def _gated(cell: Cell, outcome: Outcome, brought: Fraction) -> Due:
    earned = cell.rated + brought
    if cell.beaten_by:
        return Due(cell, outcome, earned, ZERO, ZERO, brought, lost=[("beaten", earned)])
    due = Due(cell, outcome, earned, earned * outcome.share, earned * outcome.held, brought)
    gone = earned - due.pays - due.held
    if gone:
        due.lost.append(("gate", gone))
    return due


def _negative(programme: Programme, due: Due, carried: dict[tuple[str, tuple[str, ...]], Fraction]) -> None:
    match programme.settlement.negative:
        case "carried":
            carried[due.key[:2]] = due.earned
            due.lost = [("carried", due.earned)]
        case "zero":
            due.lost = [("negative", due.earned)]
        case "allowed":
            return
    due.earned = due.pays = due.held = ZERO


def _floor(programme: Programme, due: Due) -> None:
    floor = None if programme.limits.floor is None else Fraction(programme.limits.floor)
    qualified = due.cell.earned.tier is not None and due.gates.passed and not due.cell.beaten_by and due.earned > 0
    if floor is not None and qualified and due.pays < floor:
        due.topped_up += floor - due.pays
        due.earned += floor - due.pays
        due.pays = floor


def _cap(programme: Programme, due: Due, used: dict[tuple[str, tuple[str, ...], int], Fraction]) -> None:
    cap = programme.limits.cap
    if cap is None:
        return
    who, others, span = due.key
    place = (who, others, _year(programme, span.start) if cap.per == "year" else 0 if cap.per == "life" else span.start.toordinal())
    room = max(ZERO, _most(cap, due) - used.get(place, ZERO))
    cut = max(ZERO, due.pays + due.held - room)
    if cut:
        pays = min(due.pays, room)
        due.held = min(due.held, room - pays)
        due.pays = pays
        due.lost.append(("cap", cut))
    used[place] = used.get(place, ZERO) + max(ZERO, due.pays + due.held)


def _most(cap: Cap, due: Due) -> Fraction:
    bounds = [Fraction(cap.amount)] if cap.amount is not None else []
    if cap.rate is not None:
        bounds.append(Fraction(cap.rate) * max(ZERO, due.cell.own.pay_amount))
    return min(bounds)


def _year(programme: Programme, on: date) -> int:
    return add_months(on, 1 - programme.calendar.fiscal_start).year


def _guarantee(programme: Programme, due: Due, above: Fraction) -> Fraction:
    """Tops up to the guarantee; the result is what was earned above it so far (counts for later periods if it is cumulative)."""
    guarantee = programme.limits.guarantee
    assert guarantee is not None  # noqa: S101 - the caller asked
    amount = Fraction(guarantee.amount)
    needed = max(ZERO, amount - above) if guarantee.cumulative else amount
    left = max(ZERO, above + due.pays - amount)
    if due.pays < needed:
        due.topped_up += needed - due.pays
        due.earned += needed - due.pays
        due.pays = needed
    return left


def _budget(programme: Programme, budget: Budget, dues: Sequence[Due]) -> None:
    """Cuts what all dealers together get beyond the budget; compared as it will be paid, that is rounded."""
    groups: dict[object, list[Due]] = {}
    for due in dues:
        groups.setdefault(due.key[2] if budget.per == "period" else "life", []).append(due)
    for group in groups.values():
        wanting = [due for due in group if due.pays > 0]
        wanted = _as_paid(programme, wanting)
        if sum(wanted, Decimal(0)) > budget.amount:
            _cut(programme, budget, wanting, wanted)


def rounded_as_one(programme: Programme, dues: Sequence[Due]) -> Iterable[list[Due]]:
    """The results that are rounded together: each by itself, or all of a dealer's period."""
    groups: dict[object, list[Due]] = {}
    for due in dues:
        groups.setdefault((due.key[0], due.key[2]) if programme.rounds_together else due.key, []).append(due)
    return groups.values()


def _as_paid(programme: Programme, dues: Sequence[Due]) -> list[Decimal]:
    """What each comes to in money."""
    found: dict[Key, Decimal] = {}
    for group in rounded_as_one(programme, dues):
        found |= zip((due.key for due in group), together([due.pays for due in group], programme.rounding), strict=True)
    return [found[due.key] for due in dues]


def _cut(programme: Programme, budget: Budget, wanting: Sequence[Due], wanted: Sequence[Decimal]) -> None:
    """Gives each its part in whole smallest units, so that rounding can take nobody over the budget."""
    left = rounded(budget.amount, programme.rounding.places, "down")
    if budget.share == "pro_rata":
        parts = allocate(left, [due.pays for due in wanting], programme.rounding.places, order=[due.key for due in wanting])
    else:
        parts = [Decimal(0)] * len(wanting)
        for at in sorted(range(len(wanting)), key=lambda at: (reached_on(programme, wanting[at].cell), wanting[at].key)):
            parts[at] = min(left, wanted[at])
            left -= parts[at]
    for due, part, whole in zip(wanting, parts, wanted, strict=True):
        if part < whole:
            due.lost.append(("budget", due.pays - Fraction(part)))
        if part < whole or programme.rounds_together:
            due.pays = Fraction(part)


def reached_on(programme: Programme, cell: Cell) -> date:
    """The day on which the reached tier was reached: by the lines in the order of their days. Last line's day where it cannot be told."""
    lines = sorted((line for line in cell.reading.lines if line.reads), key=lambda line: (line.decision.on or line.fact.date, line.fact.id))
    if not lines:
        return last_day(cell.key[2])
    if cell.earned.tier is None or programme.growth or programme.target or programme.mix:
        return lines[-1].decision.on or lines[-1].fact.date
    wanted, so_far = Fraction(programme.tiers[cell.earned.tier].from_) * cell.factor * cell.run, ZERO
    for line in lines:
        so_far += (line.amount if programme.base.measure == "amount" else line.quantity) * line.weight
        if so_far >= wanted:
            return line.decision.on or line.fact.date
    return lines[-1].decision.on or lines[-1].fact.date
