"""The base price of a line: the ordered search through price kinds, with every record that was looked at and why it was not taken."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Final

from canonical.rounding import rounded
from channel.pricing.compiled import LIST
from channel.pricing.model import AccessStep, Fence, Formula
from channel.pricing.records import Record
from channel.pricing.result import Refusal, Step, Tried
from channel.pricing.scales import Steps
from channel.pricing.state import ONE, ZERO, Question, State, known, other_side, round_by, size_of, told

HUNDRED: Final = Decimal(100)


def determine(question: Question, state: State, measure: dict[str, Decimal], *, only: str = "") -> None:
    """Find the base price of a line: sets total, side, kind, steps, tried; or its refusal. `only`: one price kind alone, for list prices.

    `measure`: quantities of the whole cart by what a scale adds over, such as `item:A`.
    """
    plan = question.prices.plan(question.ask.company)
    found_any, why, facts = False, "no-price", {"item": state.item.id}
    for step, keys in plan.steps:
        if only and step.kind != only:
            continue
        missing = question.registered(state.item) if step.needs_registration else ""
        if missing:
            state.tried.append(Tried("base", step.kind, plan.version, "requirement_failed", missing))
            continue
        fence = _fenced(question, step.kind)
        if fence is not None:
            if fence.outside == "refuse":
                facts = {"ship_to": question.ask.ship_to, "item": state.item.id}
                state.refusal = Refusal("outside-territory", facts, "ship inside of the territory")
                return
            state.tried.append(
                Tried("base", step.kind, plan.version, "fenced", f"{fence.id}: shipped to {question.ask.ship_to or 'nowhere said'}")
            )
            continue
        record = _search(question, state, step, keys, measure)
        if state.refusal is not None:
            return
        if record is None:
            continue
        why = _take(question, state, step, record, measure)
        if why:
            facts = {"item": state.item.id, "record": record.id}
            continue
        found_any = True
        if step.exclusive:
            break
    if not found_any:
        rest = any(one.reason == "no_rate" for one in state.tried)
        state.refusal = Refusal(
            "no-rate" if rest or why == "no-rate" else "no-price",
            facts,
            "add a price, or a rate for the day" if rest else "add a price for this item and day",
        )


def _fenced(question: Question, kind: str) -> Fence | None:
    for fence in question.prices.rules.fences:
        if (
            (not fence.price_kinds or kind in fence.price_kinds)
            and (not fence.dealers or question.ask.dealer in fence.dealers)
            and (not fence.grades or question.grade in fence.grades)
        ):
            allowed = fence.regions or (question.dealer.territory if question.dealer else ())
            if allowed and not any(question.ask.ship_to.startswith(region) for region in allowed):
                return fence
    return None


def _values(question: Question, facts: dict[str, str], fields: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """The values to look under; several when a region is among the fields, the longest first, or lists that are only for some."""
    if fields[0] == LIST:
        rest = list(_values(question, facts, fields[1:])) if len(fields) > 1 else [()]
        return [(name, *values) for name in question.lists for values in rest]
    values = tuple([facts[name] for name in fields])
    if not all(values):
        return ()
    if "region" not in fields:
        return (values,)
    place, region = fields.index("region"), facts["region"]
    return [(*values[:place], region[:length], *values[place + 1 :]) for length in range(len(region), 0, -1)]


def _search(
    question: Question, state: State, step: AccessStep, keys: list[tuple[int, tuple[str, ...]]], measure: dict[str, Decimal]
) -> Record | None:
    index, facts = question.prices.index, question.facts(state)
    looked = False
    for key_id, fields in keys:
        for values in _values(question, facts, fields):
            records = index.get((key_id, *values))
            if records is None:
                continue
            looked = True
            record = _choose(question, state, records, measure)
            if record is not None or state.refusal is not None:
                return record
    if not looked:
        state.tried.append(Tried("base", step.kind, "", "not_found"))
    return None


def _choose(question: Question, state: State, records: list[Record], measure: dict[str, Decimal]) -> Record | None:
    best: list[tuple[tuple[bool, bool, date], Record]] = []
    for record in records:
        reason, detail = _unfit(question, state, record, measure)
        if reason:
            state.tried.append(Tried("base", record.id, record.version, reason, detail))
            if reason == "used_up" and record.over_ceiling == "refuse":
                state.refusal = Refusal(
                    "over-ceiling", {"item": state.item.id, "left": str(question.left(record, state.item))}, "order at most what is left"
                )
                return None
            continue
        rank = (record.currency == question.currency, (record.unit or state.item.unit) == (state.ask.unit or state.item.unit), record.start)
        best.append((rank, record))
    if not best:
        return None
    if len(best) > 1:
        best.sort(key=lambda one: one[0])
        state.tried += [Tried("base", one.id, one.version, "beaten", f"by {best[-1][1].id}") for _, one in best[:-1]]
    return best[-1][1]


def _unfit(  # noqa: PLR0911  a line for each reason reads as the list it is
    question: Question, state: State, record: Record, measure: dict[str, Decimal]
) -> tuple[str, str]:
    """Why a record does not count now; two empty texts when it does."""
    if not known(record.recorded_at, question.known_at):
        return "not_yet_known", ""
    if question.day < record.start:
        return "not_yet_valid", f"from {record.start}"
    if question.day >= record.end:
        return "expired", f"until {record.end}"
    if not record.approved:
        return "not_approved", ""
    if not record.deal and record.book_version != question.active(record.book):
        return "superseded", f"by version {question.active(record.book)}"
    if record.companies and question.ask.company not in record.companies:
        return "requirement_failed", "company"
    if record.deal and (left := question.left(record, state.item)) is not None and state.quantity > left:
        return "used_up", f"{left} left"
    if record.unit and record.unit != state.item.unit and record.unit not in state.item.units:
        return "wrong_unit", record.unit
    if question.prices.rate(record.currency, question.currency, question.day) is None:
        return "no_rate", f"{record.currency} to {question.currency}"
    if record.steps is not None and record.steps.method != "range":
        found = record.steps.find(scale_value(question, state, record.steps, measure, record.steps.tiers[0].price or ZERO))
        if isinstance(found, str):
            return found, ""
    return "", ""


def scale_value(question: Question, state: State, steps: Steps, measure: dict[str, Decimal], price: Decimal) -> Decimal:
    """What a scale of prices measures: base units (or their weight, volume, or value at `price`), with what was bought before."""
    if steps.over == "line":
        value = state.quantity
    else:
        value = measure[{"item": f"item:{state.item.id}", "product_line": f"line:{state.item.line}", "order": "order"}[steps.over]]
    if steps.by == "value":
        value *= price
    elif steps.by != "quantity":
        value *= size_of(state.item, steps.by)
    return value + (question.ask.accumulated.get(steps.accumulated, ZERO) if steps.accumulated else ZERO)


def _take(question: Question, state: State, step: AccessStep, record: Record, measure: dict[str, Decimal]) -> str:
    """Add the record's price to the line. Returns a refusal's code when it cannot be worked out."""
    units = state.quantity if not record.unit or record.unit == state.item.unit else state.quantity / state.item.units[record.unit]
    side, note, value = record.side, "", ""
    by_unit = True
    if record.steps is not None:
        total, by_unit, value = _scaled(question, state, record, units, measure)
        if total is None:
            return "no-price"
    elif record.formula is not None:
        unit = _made(question, state, record, record.formula, measure)
        if unit is None:
            return "no-price"
        total, value, note = unit * state.quantity, f"{record.formula.base}", "formula"
        units = state.quantity
    else:
        assert record.price is not None  # noqa: S101  exactly one of the three is said
        packs = _packs(record, units)
        total, by_unit, value = record.price * packs, _even(record, packs, units), str(record.price)
        if record.begun:
            value = f"{packs} x {value}"
    rate = question.prices.rate(record.currency, question.currency, question.day)
    assert rate is not None  # noqa: S101  looked up when it was chosen
    if record.currency != question.currency:
        total = total / rate[0] if rate[1] else total * rate[0]
        note = f"{note}{'; ' if note else ''}{record.currency} {'/' if rate[1] else 'x'} {rate[0]}"
    rounding = ""
    if record.round is not None and by_unit:
        total = round_by(total * record.per / units, record.round) * units / record.per
        rounding = told(record.round)
    if state.record is not None and side != state.side:
        total = other_side(total, side, state.tax_rate)
        side = state.side
    first = state.record is None
    if first:
        state.record, state.side, state.kind, state.by_unit = record, side, step.kind, by_unit
        if record.per != ONE:
            state.per, state.price_unit_quantity = record.per, units
    if record.deal:
        question.take(record, state.item, state.quantity)
    before = state.total
    state.total += total
    state.by_unit = state.by_unit and by_unit
    state.final = step.final if record.final is None else record.final
    operation = "base" if first else "added"
    state.steps.append(Step("base", record.id, record.version, operation, value, None if first else before, state.total, rounding, note))
    return ""


def _scaled(
    question: Question, state: State, record: Record, units: Decimal, measure: dict[str, Decimal]
) -> tuple[Decimal | None, bool, str]:
    steps = record.steps
    assert steps is not None  # noqa: S101  the caller looked
    measured = scale_value(question, state, steps, measure, steps.tiers[0].price or ZERO)
    if steps.method == "range":
        start = question.ask.accumulated.get(steps.accumulated, ZERO) if steps.accumulated else ZERO
        parts = steps.parts(start, state.quantity)
        if sum((part for part, _ in parts), ZERO) != state.quantity:
            state.tried.append(Tried("base", record.id, record.version, "above_scale"))
            return None, False, ""
        parts = [(part * units / state.quantity, tier) for part, tier in parts]
        total = sum((_packs(record, part) * (tier.price or ZERO) + tier.flat for part, tier in parts), ZERO)
        return total, False, " + ".join(f"{_plain(part)} x {tier.price}" + (f" + {tier.flat}" if tier.flat else "") for part, tier in parts)
    tier = steps.find(measured)
    assert not isinstance(tier, str)  # noqa: S101  looked at when it was chosen
    price = tier.price or ZERO
    if steps.method == "block":
        return price, False, f"{price} for {_plain(units)}"
    packs = _packs(record, units)
    value = (f"{packs} x " if record.begun else "") + str(price) + (f" + {tier.flat}" if tier.flat else "")
    return price * packs + tier.flat, not tier.flat and _even(record, packs, units), value


def _packs(record: Record, units: Decimal) -> Decimal:
    """How many times a price counts for so many of its units: for each `per`, and for one that is begun where it says so."""
    return rounded(units / record.per, 0, "up") if record.begun else units / record.per


def _even(record: Record, packs: Decimal, units: Decimal) -> bool:
    """Whether the amount is unit price x quantity: no pack was only begun."""
    return not record.begun or packs * record.per == units


def _made(question: Question, state: State, record: Record, formula: Formula, measure: dict[str, Decimal]) -> Decimal | None:
    """The price of a base unit by a formula; None, told among what was tried, where what it is made from has no price."""
    unit = _formula(question, state, record, formula, measure, depth=0)
    if unit is None and not any(one.rule == record.id and one.reason == "no_rate" for one in state.tried):
        state.tried.append(Tried("base", record.id, record.version, "requirement_failed", "what it is made from has no price"))
    return unit


def _formula(
    question: Question, state: State, record: Record, formula: Formula, measure: dict[str, Decimal], *, depth: int
) -> Decimal | None:
    """The price of a base unit, in the record's currency and on its side: converted first, then percent, rounding, surcharge, margins."""
    found = _formula_base(question, state, record, formula, measure, depth)
    if found is None:
        return None
    base = found
    price = base * formula.factor if formula.factor is not None else base - base * formula.percent / HUNDRED
    if formula.round is not None:
        price = round_by(price, formula.round)
    price += formula.surcharge
    if formula.min_margin is not None:
        price = max(price, base + formula.min_margin)
    if formula.max_margin is not None:
        price = min(price, base + formula.max_margin)
    return price


def _formula_base(
    question: Question, state: State, record: Record, formula: Formula, measure: dict[str, Decimal], depth: int
) -> Decimal | None:
    if depth > len(question.prices.key_ids) + 2:  # the publish check refuses rings; a list deeper than all kinds is one
        return None
    if formula.base == "cost":
        cost, source, side = state.item.cost, state.item.cost_currency or question.prices.settings.currency, "excluded"
        if cost is None:
            return None
        unit: Decimal | None = cost
    else:
        probe = State(state.ask, state.item, state.factor, state.tax_rate)
        other = _base_record(question, probe, formula.base, measure)
        if other is None:
            return None
        source, side = other.currency, other.side
        unit = _unit_of_base(question, probe, other, measure, depth)
    if unit is None:
        return None
    rate = question.prices.rate(source, record.currency, question.day)
    if rate is None:
        state.tried.append(Tried("base", record.id, record.version, "no_rate", f"{source} to {record.currency}"))
        return None
    unit = unit / rate[0] if rate[1] else unit * rate[0]
    return unit if side == record.side else other_side(unit, side, state.tax_rate)


def _unit_of_base(question: Question, probe: State, other: Record, measure: dict[str, Decimal], depth: int) -> Decimal | None:
    """What a base unit costs by another record, in that one's currency and on its side."""
    if other.formula is not None:
        unit = _formula(question, probe, other, other.formula, measure, depth=depth + 1)
    else:
        item = probe.item
        units = probe.quantity if not other.unit or other.unit == item.unit else probe.quantity / item.units[other.unit]
        total = _scaled(question, probe, other, units, measure)[0] if other.steps is not None else (other.price or ZERO) * units / other.per
        unit = None if total is None else total / probe.quantity
    return unit if unit is None or other.round is None else round_by(unit, other.round)


def _base_record(question: Question, probe: State, base: str, measure: dict[str, Decimal]) -> Record | None:
    book = base.removeprefix("book:") if base.startswith("book:") else ""
    kind = question.prices.by_book.get(book, "") if book else base
    facts = question.facts(probe)
    for step, keys in question.prices.plan(question.ask.company).steps:
        if step.kind != kind:
            continue
        for key_id, fields in keys:
            for values in _values(question, facts, fields):
                records = question.prices.index.get((key_id, *values)) or []
                fit = [one for one in records if (not book or one.book == book) and not _unfit_as_base(question, probe, one, measure)]
                if fit:
                    return fit[-1]
    return None


def _unfit_as_base(question: Question, probe: State, record: Record, measure: dict[str, Decimal]) -> bool:
    return _unfit(question, probe, record, measure)[0] not in ("", "no_rate")


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")
