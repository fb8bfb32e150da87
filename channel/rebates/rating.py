"""One programme rated: what each reading of its tiers earns, before stacking losses, gates and limits. Exact; nothing is rounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Final, Literal

from channel.rebates import periods
from channel.rebates.bands import Earned, earn, steps
from channel.rebates.counting import ONE, Key, Line, Reading, counted, readings
from channel.rebates.facts import Fact, Table
from channel.rebates.periods import Span
from channel.rebates.programme import Programme
from channel.rebates.selecting import Dealers, Decision, Selector
from channel.rebates.values import ZERO

START: Final[Mapping[str, Literal["above_from", "above_first"]]] = {"above_from": "above_from", "above_first": "above_first"}


@dataclass(slots=True)
class Given:
    """What earlier programmes gave for each line, in the order in which they ran."""

    taken_off: dict[str, dict[str, Fraction]] = field(default_factory=dict)
    """Fact id -> programme -> amount that later `net_of_earlier` bases are lowered by."""
    by: dict[str, str] = field(default_factory=dict)
    """Fact id -> first programme that gave anything for it."""


@dataclass(slots=True)
class Cell:
    """One dealer's part of a reading: what it brought in and what it earns."""

    key: Key
    head: str
    reading: Reading
    """Of the whole group, where tiers are read for one."""
    own: Reading
    earned: Earned
    rated: Fraction
    value: Fraction
    """What the tiers were read on."""
    baseline: Fraction | None = None
    target: Fraction | None = None
    factor: Fraction = Fraction(1)
    """What thresholds were multiplied by (a period partly covered)."""
    run: Fraction = Fraction(1)
    """Part of the period that has run (annualising)."""
    beaten_by: str = ""


@dataclass(slots=True)
class Rated:
    """A programme's cells and the decision on every fact."""

    programme: Programme
    cells: list[Cell]
    decisions: list[Decision]
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that was known at the cut-off: the same for all programmes of a calculation."""

    table: Table
    facts: Sequence[Fact]
    dealers: Dealers
    as_of: date


def rate(programme: Programme, known: Known, given: Given) -> Rated:
    """What every reading of a programme earns. Raises: BadFacts for facts it cannot convert."""
    spans = [span for span in periods.of(programme) if span.start <= known.as_of]
    selector = Selector(programme, spans, known.dealers, known.table.columns, known.as_of)
    lines, decisions = counted(programme, known.table, known.facts, selector)
    lines, decisions = _stacked(programme, lines, decisions, given)
    read = readings(programme, lines, by_head=True)
    own = read if programme.grouping.pays == "head" or programme.grouping.group == "none" else readings(programme, lines, by_head=False)
    compare = Compare(programme, known, spans)
    rated = {key: _reading(programme, key, reading, compare, known.as_of) for key, reading in read.items()}
    return Rated(programme, _cells(own, read, rated), decisions, lines)


def _stacked(programme: Programme, lines: list[Line], decisions: list[Decision], given: Given) -> tuple[list[Line], list[Decision]]:
    """The lines after what earlier programmes did to them."""
    stacking = programme.stacking
    if stacking is None:
        return lines, decisions
    if stacking.base == "net_of_earlier":
        for line in lines:
            for earlier, amount in given.taken_off.get(line.fact.id, {}).items():
                line.amount -= amount
                line.lowered += amount
                line.lowered_by[earlier] = amount
    if stacking.mode == "exclusive":
        out = {line.fact.id: given.by[line.fact.id] for line in lines if line.fact.id in given.by}
        lines = [line for line in lines if line.fact.id not in out]
        decisions = [
            replace(decision, failed="exclusive", saw=out[decision.fact.id]) if decision.counts and decision.fact.id in out else decision
            for decision in decisions
        ]
    return lines, decisions


def _reading(programme: Programme, key: Key, reading: Reading, compare: Compare, as_of: date) -> Cell:
    who, _, span = key
    factor = periods.covered(programme.calendar.prorate, compare.clipped(who, span))
    run = periods.run_so_far(span, as_of) if programme.calendar.annualise == "months" else Fraction(1)
    cell = Cell(key, who, reading, reading, Earned(ZERO, None), ZERO, reading.value / run, factor=factor, run=run)
    amount, quantity = reading.pay_amount, reading.pay_quantity
    if programme.growth is not None:
        return _growth(programme, cell, compare)
    if programme.target is not None:
        return _target(programme, cell, compare)
    if programme.mix is not None:
        cell.value = _mix_value(programme, reading)
        if programme.mix.pays_on == "focus":
            amount, quantity = reading.focus_amount, reading.focus_quantity
    return _earn(programme, cell, cell.value, amount, quantity, factor if programme.mix is None else Fraction(1))


def _earn(programme: Programme, cell: Cell, value: Fraction, amount: Fraction, quantity: Fraction, factor: Fraction) -> Cell:
    cell.earned = earn(
        programme.bands,
        steps(programme, factor),
        value,
        amount,
        quantity,
        above=programme.boundary == "above",
        top=programme.above_top,
        start=_origin(programme, factor),
        negative=programme.settlement.negative != "zero",
    )
    cell.rated = cell.earned.earned
    return cell


def _origin(programme: Programme, factor: Fraction) -> Literal["whole", "above_from", "above_first"] | Fraction:
    if programme.part == "above":
        return Fraction(programme.pays_above or 0) * factor
    return START.get(programme.part, "whole")


def _growth(programme: Programme, cell: Cell, compare: Compare) -> Cell:
    growth = programme.growth
    assert growth is not None  # noqa: S101 - the caller asked
    reading = cell.reading
    cell.baseline = baseline = compare.baseline(cell.key)
    if baseline is None or baseline <= 0:
        cell.value = ZERO
        if growth.no_baseline == "first_tier" and reading.value > 0:
            first = steps(programme)[0]
            cell.rated = (
                (first.rate or ZERO) * reading.pay_amount + (first.per_unit or ZERO) * reading.pay_quantity + (first.amount or ZERO)
            )
            cell.earned = Earned(cell.rated, 0)
        return cell
    more = reading.value / cell.run - baseline
    cell.value = more / baseline if growth.tier_on == "percent" else more
    part = Fraction(1)
    if growth.pays_on != "whole":
        part = max(ZERO, reading.value - baseline * cell.run) / reading.value if reading.value > 0 else ZERO
    if cell.value < 0:
        cell.earned = Earned(ZERO, None, to_next=_to_first(programme, cell.value))
        return cell
    return _earn(programme, cell, cell.value, reading.pay_amount * part, reading.pay_quantity * part, Fraction(1))


def _target(programme: Programme, cell: Cell, compare: Compare) -> Cell:
    target = programme.target
    assert target is not None  # noqa: S101 - the caller asked
    reading = cell.reading
    cell.target = wanted = compare.target(cell.key, cell.factor)
    if wanted is None or wanted <= 0:
        cell.value = ZERO
        return cell
    cell.value = reading.value / cell.run / wanted
    part = Fraction(1)
    if target.pays_on == "increment":
        part = max(ZERO, reading.value - wanted * cell.run) / reading.value if reading.value > 0 else ZERO
    return _earn(programme, cell, cell.value, reading.pay_amount * part, reading.pay_quantity * part, Fraction(1))


def _to_first(programme: Programme, value: Fraction) -> Fraction | None:
    return Fraction(programme.tiers[0].from_) - value if programme.tiers else None


def _mix_value(programme: Programme, reading: Reading) -> Fraction:
    mix = programme.mix
    assert mix is not None  # noqa: S101 - the caller asked
    match mix.tier_on:
        case "share":
            whole = reading.amount if programme.base.measure == "amount" else reading.quantity
            return reading.focus_value / whole if whole > 0 else ZERO
        case "amount":
            return reading.focus_amount
        case "quantity":
            return reading.focus_quantity
        case "count":
            return Fraction(sum(1 for own in reading.counted.values() if own > 0))


def _cells(own: Mapping[Key, Reading], read: Mapping[Key, Reading], rated: Mapping[Key, Cell]) -> list[Cell]:
    if own is read:
        return [rated[key] for key in sorted(rated)]
    cells = []
    for key in sorted(own):
        _, others, span = key
        reading = own[key]
        group = rated[(reading.lines[0].decision.head, others, span)]
        part = _part(group.earned, reading, group.reading)
        cells.append(
            replace(group, key=key, own=reading, rated=group.rated * part, earned=replace(group.earned, earned=group.rated * part))
        )
    return cells


def _part(earned: Earned, own: Reading, whole: Reading) -> Fraction:
    """A member's part of what its group earned: by what the reward is paid on."""
    by_amount, by_units = paid_by(earned)
    part = by_amount * own.pay_amount / whole.pay_amount if by_amount and whole.pay_amount else ZERO
    return part + (by_units * own.pay_quantity / whole.pay_quantity if by_units and whole.pay_quantity else ZERO)


def paid_by(earned: Earned) -> tuple[Fraction, Fraction]:
    """Which part of the reward is paid by the amount, and which by the unit; they add up to one."""
    units = sum((part.earned for part in earned.parts if part.units), ZERO)
    whole = sum((part.earned for part in earned.parts), ZERO)
    if not whole:
        return (ZERO, ONE) if earned.parts and all(part.units for part in earned.parts) else (ONE, ZERO)
    return 1 - units / whole, units / whole


def addressed(programme: Programme, fact: Fact, spans: Sequence[Span]) -> Key | None:
    """Which result a fact about a dealer and period (target, baseline, settlement) speaks of: by the period's name, else by its day."""
    span = next((span for span in spans if span.name == fact.period), None) if fact.period else periods.find(spans, fact.date)
    if span is None or fact.status == "void" or fact.programme not in ("", programme.programme):
        return None
    others = [name for name in programme.grouping.by if name != "dealer"]
    return fact.dealer, tuple(fact.applies_to if name == "line" else getattr(fact, name) for name in others), span


def figures(programme: Programme, facts: Iterable[Fact], spans: Sequence[Span], kind: str) -> dict[Key, Fraction]:
    """Targets or baselines that came as facts, in the base's measure."""
    found: dict[Key, Fraction] = {}
    for fact in facts:
        value = fact.amount if programme.base.measure == "amount" else fact.quantity
        if fact.kind == kind and value is not None and (key := addressed(programme, fact, spans)) is not None:
            found[key] = found.get(key, ZERO) + Fraction(value)
    return found


class Compare:
    """What a base is compared with: baselines and targets, from facts or from the programme."""

    def __init__(self, programme: Programme, known: Known, spans: Sequence[Span]) -> None:
        self.programme, self.known, self.spans = programme, known, spans
        self._baselines = self._read_baselines() if programme.growth is not None else {}
        self._targets = figures(programme, known.facts, spans, "target")

    def baseline(self, key: Key) -> Fraction | None:
        """The base of the period that this one is compared with."""
        return self._baselines.get(key)

    def target(self, key: Key, factor: Fraction) -> Fraction | None:
        """The target of a dealer and period, lowered by `factor` where the period is only partly covered."""
        given = self._targets.get(key)
        if given is not None:
            return given
        target = self.programme.target
        if target is None:
            return None
        written = target.dealers.get(key[0], target.each)
        return None if written is None else Fraction(written) * factor

    def clipped(self, dealer: str, span: Span) -> Span:
        """The period as far as a dealer takes part in it."""
        spans = [member for member in self.programme.participants.members if member.dealer == dealer]
        if not spans or dealer in self.programme.participants.dealers:
            return span
        first = min((member.from_ or span.start for member in spans), default=span.start)
        after = max((member.to or span.end for member in spans), default=span.end)
        start, end = max(first, span.start), min(after, span.end)
        return replace(span, start=start, end=end) if start < end else span

    def _read_baselines(self) -> dict[Key, Fraction]:
        found = figures(self.programme, self.known.facts, self.spans, "baseline")
        growth = self.programme.growth
        if growth is None or growth.baseline == "given":
            return found
        earlier = {self.before(span, growth.baseline): span for span in self.spans}
        programme = self.programme.model_copy(update={"valid": self.programme.valid.model_copy(update={"from_": None, "to": None})})
        selector = Selector(programme, sorted(earlier), self.known.dealers, self.known.table.columns, self.known.as_of)
        lines, _ = counted(programme, self.known.table, self.known.facts, selector)
        for (who, others, span), reading in readings(programme, lines, by_head=True).items():
            found.setdefault((who, others, earlier[span]), reading.value)
        return found

    @staticmethod
    def before(span: Span, how: str) -> Span:
        """The period that this one is compared with."""
        if how == "same_period_last_year":
            start, end = periods.year_before(span.start), periods.year_before(span.end)
        else:
            months = (span.full_end.year * 12 + span.full_end.month) - (span.full_start.year * 12 + span.full_start.month)
            start, end = periods.add_months(span.start, -months), periods.add_months(span.end, -months)
        return Span(start, end, f"before {span.name}", start, end)


def give(rated: Iterable[Cell], programme: Programme, given: Given) -> None:
    """Record what a programme gave for each line, for those that run after it."""
    if programme.stacking is None:
        return  # it touches no other programme's lines
    lowers = programme.stacking.lowers_later
    for cell in rated:
        if not cell.rated or cell.beaten_by:
            continue
        weighed = weights(cell)
        whole = sum((weight for _, weight in weighed), ZERO)
        for line, weight in weighed:
            if not weight or not whole:
                continue
            given.by.setdefault(line.fact.id, programme.key)
            if lowers:
                taken = given.taken_off.setdefault(line.fact.id, {})
                taken[programme.key] = taken.get(programme.key, ZERO) + cell.rated * weight / whole


def weights(cell: Cell) -> list[tuple[Line, Fraction]]:
    """The lines that pay, and what each one's share is in proportion to: its amount, its units, or both as the reward is made up."""
    lines = [line for line in cell.own.lines if line.pays]
    by_amount, by_units = paid_by(cell.earned)
    if not by_units and not cell.own.pay_amount and cell.own.pay_quantity:
        by_amount, by_units = ZERO, ONE  # an amount that is fixed, on lines that have only quantities
    if not by_units:
        return [(line, _weighed(line.amount, line)) for line in lines]
    if not by_amount:
        return [(line, _weighed(line.quantity, line)) for line in lines]
    amount, quantity = by_amount / (cell.own.pay_amount or ONE), by_units / (cell.own.pay_quantity or ONE)
    return [(line, _weighed(line.amount * amount + line.quantity * quantity, line)) for line in lines]


def _weighed(value: Fraction, line: Line) -> Fraction:
    return value if line.pay_weight is ONE else value * line.pay_weight


def last_day(span: Span) -> date:
    """The last day that belongs to a period."""
    return span.end - timedelta(days=1)
