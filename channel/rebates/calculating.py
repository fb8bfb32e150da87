"""The calculation (5.2 of the design): a pure function of programme versions, facts and two cut-offs. No clock, no database, no float.

select -> convert -> net returns -> aggregate -> baseline -> tier -> earned -> stacking -> gates -> cap and floor -> round once per
payable -> minus what is settled -> payable -> shares of lines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter
from typing import Final

from canonical.rounding import allocate, exact_rounded
from canonical.values import SHANGHAI, decimal_text
from channel.rebates import periods
from channel.rebates.bands import Earned, earn, steps
from channel.rebates.counting import Key, Reading
from channel.rebates.facts import BEGINNING, NEGATIVE, Fact, Table
from channel.rebates.gates import Gatekeeper
from channel.rebates.limits import Due, bound, rounded_as_one
from channel.rebates.payment import Rounding
from channel.rebates.periods import Span
from channel.rebates.programme import Programme
from channel.rebates.rating import Cell, Given, Known, Rated, addressed, figures, give, last_day, rate
from channel.rebates.rating import weights as weights_of
from channel.rebates.results import Booked, Calculation, Late, Result, Rounded, Share
from channel.rebates.rounding import together
from channel.rebates.selecting import Dealer, Dealers, known, participates
from channel.rebates.values import ZERO

_FIGURES: Final = ("quantity", "amount", "gross", "old_price", "new_price", "sell_price", "cost_price", "contract_price")
FIGURES: Final = attrgetter(*_FIGURES)
WORDS: Final = attrgetter(*(name for name in Fact.__slots__ if name not in (*_FIGURES, "row", "attributes", "recorded_at")))


def calculate(
    programmes: Iterable[Programme], table: Table, *, as_of: date, known_at: datetime | None = None, dealers: Dealers | None = None
) -> Calculation:
    """What every dealer has earned, is entitled to and is now to be paid, under every programme.

    as_of: the last business day whose events count. known_at: nothing recorded later is looked at; None: everything counts.
    Raises: BadFacts for facts that a programme needs in a currency, tax side or unit that it cannot get.
    """
    now = Known(table, known(table.facts, known_at), dealers or Dealers(), as_of)
    ordered = sorted(
        programmes, key=lambda programme: (programme.stacking.order if programme.stacking else 0, programme.programme, programme.version)
    )
    results: list[Result] = []
    decisions = {}
    for rated in _rated(ordered, now):
        decisions[rated.programme.key] = tuple(rated.decisions)
        results += _settled(rated, now)
    results.sort(key=lambda result: (result.programme.programme, result.programme.version, result.cell.key))
    return Calculation(results, decisions, ordered, as_of, known_at, fact_hash(now.facts), len(now.facts))


def _rated(ordered: Sequence[Programme], now: Known) -> Iterable[Rated]:
    """Programmes in their order; those of one best-of group together, so that the beaten ones lower nobody's base."""
    given, done = Given(), set[str]()
    for programme in ordered:
        if programme.key in done:
            continue
        together = [programme]
        stacking = programme.stacking
        if stacking is not None and stacking.mode == "best_of":
            together = [
                other for other in ordered if other.stacking and other.stacking.mode == "best_of" and other.stacking.group == stacking.group
            ]
        rated = [rate(one, now, given) for one in together]
        if len(together) > 1:
            _best(rated)
        for one in rated:
            give(one.cells, one.programme, given)
            done.add(one.programme.key)
            yield one


def _best(rated: Sequence[Rated]) -> None:
    """For each dealer and period the programme that gives most wins; of equals the one that runs first."""
    sums: dict[tuple[str, Span], dict[str, Fraction]] = {}
    for one in rated:
        for cell in one.cells:
            mine = sums.setdefault((cell.key[0], cell.key[2]), {})
            mine[one.programme.key] = mine.get(one.programme.key, ZERO) + cell.rated
    for one in rated:
        for cell in one.cells:
            mine = sums[cell.key[0], cell.key[2]]
            best = max(mine, key=lambda key: mine[key])  # max keeps the first of equals, and programmes run in order
            cell.beaten_by = "" if best == one.programme.key else best


def _settled(rated: Rated, now: Known) -> list[Result]:
    programme = rated.programme
    spans = periods.of(programme)
    booked = _booked(programme, now, spans)
    cells = rated.cells + _without_lines(programme, rated.cells, booked, now, spans)
    gatekeeper = Gatekeeper(programme, now.facts, now.as_of)
    targets = figures(programme, now.facts, spans, "target") if programme.gates else {}
    dues = bound(programme, cells, [gatekeeper.judge(cell, targets.get(cell.key)) for cell in cells], now.as_of)
    carried: dict[tuple[str, tuple[str, ...]], Decimal] = {}
    order = sorted(dues, key=lambda due: (due.key[2], due.key[0], due.key[1]))
    amounts = _rounded(programme, order)
    return [_result(programme, due, amounts[due.key], booked.get(due.key, Booked()), carried, now, spans) for due in order]


def _rounded(programme: Programme, dues: Sequence[Due]) -> dict[Key, Rounded]:
    """What the results come to in money."""
    groups = rounded_as_one(programme, dues)
    return {due.key: own for group in groups for due, own in zip(group, _amounts(programme.rounding, group), strict=True)}


def _amounts(rounding: Rounding, group: Sequence[Due]) -> list[Rounded]:
    """Rounded once: what is earned, what of it is paid or held, what of that is paid; so nobody is paid more than was earned."""
    earned = together([due.earned for due in group], rounding)
    kept = paid = earned
    if any(due.pays + due.held != due.earned for due in group):
        most = [None if due.earned < 0 else own for due, own in zip(group, earned, strict=True)]
        kept = paid = together([due.pays + due.held for due in group], rounding, most)
    if any(due.held for due in group):
        most = [None if due.earned < 0 else own for due, own in zip(group, kept, strict=True)]
        paid = together([due.pays for due in group], rounding, most)
    return [Rounded(own, now, all_ - now) for own, all_, now in zip(earned, kept, paid, strict=True)]


def _booked(programme: Programme, now: Known, spans: Sequence[Span]) -> dict[Key, Booked]:
    """What settlement facts say was done: paid, disputed, written off, accrued."""
    sums: dict[Key, dict[str, Decimal]] = {}
    for fact in now.facts:
        if fact.kind != "settlement" or fact.date > now.as_of or fact.amount is None or fact.programme != programme.programme:
            continue
        key = addressed(programme, fact, spans)
        if key is not None:
            mine = sums.setdefault(key, {})
            name = fact.status or "settled"
            mine[name] = mine.get(name, Decimal(0)) + fact.amount
    none = Decimal(0)
    return {
        key: Booked(mine.get("settled", none), mine.get("disputed", none), mine.get("forfeited", none), mine.get("accrued", none))
        for key, mine in sums.items()
    }


def _without_lines(
    programme: Programme, cells: Sequence[Cell], booked: Mapping[Key, Booked], now: Known, spans: Sequence[Span]
) -> list[Cell]:
    """Results that have no line: something was settled for them, or a minimum is guaranteed."""
    present = {cell.key for cell in cells}
    wanted = set(booked)
    if programme.limits.guarantee is not None and programme.grouping.by == ("dealer",):
        who = programme.participants
        dealers = set(who.dealers) | {member.dealer for member in who.members} | set(now.dealers.ids)
        for span in spans:
            if last_day(span) > now.as_of:
                continue
            for dealer in dealers:
                row = now.dealers.on(dealer, span.start)
                if (row is not None or not now.dealers) and not participates(who, row or Dealer(dealer), span.start)[0]:
                    wanted.add((dealer, (), span))
    return [Cell(key, key[0], Reading(), Reading(), Earned(ZERO, None), ZERO, ZERO) for key in sorted(wanted - present)]


def _result(
    programme: Programme,
    due: Due,
    amounts: Rounded,
    booked: Booked,
    carried: dict[tuple[str, tuple[str, ...]], Decimal],
    now: Known,
    spans: Sequence[Span],
) -> Result:
    """What is to be paid now: what the dealer is entitled to, less what was settled and what is carried from before."""
    entitled = amounts.entitled
    left = entitled - booked.settled - booked.disputed - booked.forfeited
    who = due.key[:2]
    before = carried.pop(who, Decimal(0))
    payable = left + before
    if payable < 0 and not programme.settlement.claw_back:
        carried[who], payable = payable, Decimal(0)
    set_off = left - payable if left > 0 else Decimal(0)
    result = Result(
        programme, due, dict(zip((name for name in programme.grouping.by if name != "dealer"), due.key[1], strict=True)),
        amounts.earned, entitled, amounts.held, booked, left, payable, set_off,
    )  # fmt: skip
    result.accrued = accrued(programme, due, now.as_of)
    result.shares = _shares(result)
    result.late = _late(result, now)
    if now.as_of > last_day(due.key[2]) + timedelta(days=programme.calendar.late_days) and (booked.settled or result.late):
        current = periods.find(spans, now.as_of)
        result.posts_in = current.name if current else f"{now.as_of.year}-{now.as_of.month:02}"
    if programme.pass_through is not None:
        result.passed_on = passed_on(result, result.entitled)
    return result


def accrued(programme: Programme, due: Due, as_of: date) -> Decimal | None:
    """What should be booked for this result up to the cut-off, by the programme's accrual rule."""
    accrual, own, cell = programme.accrual, due.cell.own, due.cell
    if accrual is None:
        return None
    if accrual.by == "earned":
        amount = due.earned
    elif accrual.by == "rate":
        share = accrual.rate or Decimal(0)
        for step in accrual.rates:
            share = step.rate if step.from_ <= as_of else share
        amount = own.pay_amount * Fraction(share)
    else:
        base = accrual.expected_base
        for expected in accrual.expected:
            base = expected.base if expected.from_ <= as_of else base
        amount = _expected(programme, cell, Fraction(base or 0))
    return exact_rounded(amount, programme.rounding.places, programme.rounding.mode)


def _expected(programme: Programme, cell: Cell, base: Fraction) -> Fraction:
    """The part of what the expected base would earn that belongs to the base so far."""
    own, value = cell.own, cell.own.value
    if base <= 0 or value <= 0:
        return ZERO
    scale = base / value
    whole = earn(
        programme.bands, steps(programme, cell.factor), base, own.pay_amount * scale, own.pay_quantity * scale,
        above=programme.boundary == "above", top=programme.above_top,
    )  # fmt: skip
    return whole.earned / scale


def _shares(result: Result) -> tuple[Share, ...]:
    programme = result.programme
    weighed = weights_of(result.cell)
    lines, weights = [line for line, _ in weighed], [weight for _, weight in weighed]
    if not sum(weights, ZERO):
        return ()
    order = [(line.decision.on or line.fact.date, line.fact.id) for line in lines]
    bar = [weight < 0 for weight in weights]
    last = programme.rounding.shares == "last_line"
    entitled = allocate(result.entitled, weights, programme.rounding.places, order=order, bar=bar, last_takes_rest=last)
    pays = entitled
    if result.payable != result.entitled:
        pays = allocate(result.payable, weights, programme.rounding.places, order=order, bar=bar, last_takes_rest=last)
    return tuple(Share(line, mine, now) for line, mine, now in zip(lines, entitled, pays, strict=True))


def statement_closes(programme: Programme, span: Span) -> datetime:
    """The last moment at which a fact can still become part of a period's statement (Asia/Shanghai)."""
    return datetime.combine(last_day(span) + timedelta(days=programme.calendar.late_days), time.max, SHANGHAI)


def _late(result: Result, now: Known) -> tuple[Late, ...]:
    closes = statement_closes(result.programme, result.span)
    if now.as_of <= closes.date():
        return ()
    found = []
    for line in result.cell.own.lines:
        if line.fact.recorded_at > closes:
            reason = "late_return" if line.fact.kind in NEGATIVE else "correction" if line.fact.revision > 1 else "late_line"
            found.append(Late(line.fact.id, reason))
    return tuple(sorted(found, key=lambda late: late.fact))


def passed_on(result: Result, received: Decimal, names: Mapping[str, str] | None = None) -> dict[str, Decimal]:
    """What the dealer hands on of what it receives, by the second level's own base; adds up to the whole exactly. names: as below."""
    handed = result.programme.pass_through
    bases = second_level(result, names)
    if handed is None or not bases:
        return {}
    places = result.programme.rounding.places
    whole = exact_rounded(Fraction(received) * Fraction(handed.rate), places, result.programme.rounding.mode)
    return dict(zip(bases, allocate(whole, list(bases.values()), places, order=list(bases)), strict=True))


def second_level(result: Result, names: Mapping[str, str] | None = None) -> dict[str, Fraction]:
    """What each customer of the dealer's lines has in the base, in the unit that is handed on by; those above zero, by code.

    names: customers of which several codes are one, by each of its codes.
    """
    handed, bases = result.programme.pass_through, dict[str, Fraction]()
    for line in result.cell.own.lines if handed is not None else ():
        if line.pays and line.fact.customer:
            own = line.amount if handed is not None and handed.by == "amount" else line.quantity
            name = line.fact.customer if names is None else names.get(line.fact.customer, line.fact.customer)
            bases[name] = bases.get(name, ZERO) + own
    return {name: bases[name] for name in sorted(bases) if bases[name] > 0}


def fact_hash(facts: Iterable[Fact]) -> str:
    """A fingerprint of a set of facts: the same for the same facts in any order."""
    digest = hashlib.sha256()
    for fact in sorted(facts, key=lambda fact: (fact.id, fact.revision)):
        said = ["" if value is None else str(value) for value in WORDS(fact)]
        said += ["" if value is None else decimal_text(value) for value in FIGURES(fact)]
        if fact.attributes:
            said += [f"{name}={value}" for name, value in sorted(fact.attributes.items())]
        said.append("" if fact.recorded_at == BEGINNING else fact.recorded_at.isoformat())
        digest.update(("\x1f".join(said) + "\x1e").encode())
    return digest.hexdigest()
