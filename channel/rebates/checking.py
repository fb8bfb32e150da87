"""The publish check: whatever would let two people compute two amounts from one programme is refused, with what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final

from channel.rebates.checking_gates import MOST_SHARE, flaws_of
from channel.rebates.claims import Claimed, ShipAndDebit
from channel.rebates.counted import Filter
from channel.rebates.errors import Flaw
from channel.rebates.periods import MONTHS
from channel.rebates.programme import Programme, Tier
from channel.rebates.reading import Path
from channel.rebates.values import Span

Found = tuple[Path, Flaw]
GIVES: Final[dict[str, tuple[str, ...]]] = {
    "retroactive": ("rate", "per_unit"),
    "marginal": ("rate", "per_unit"),
    "rolling": ("rate", "per_unit"),
    "total": ("rate", "per_unit"),
    "per_unit": ("per_unit",),
    "per_unit_marginal": ("per_unit",),
    "fixed": ("amount", "goods"),
    "fixed_each": ("amount",),
    "increment": ("amount",),
    "linear": ("rate", "amount", "per_unit"),
}
"""What a tier may give under each way of applying tiers."""


def check(programme: Programme) -> list[Found]:
    """Everything unclear in one programme, with its place in the file; empty when it can be published."""
    found: list[Found] = []
    for rule in (_validity, _calendar, _base, _method, _tiers, _ladder, _gates, _limits, _rest, _expiry):
        found += rule(programme)
    return found


def check_together(programmes: Sequence[Programme]) -> Iterator[tuple[int, Found]]:
    """Everything unclear between programmes that touch the same facts; each with the place of the programme to mend."""
    for at, one in enumerate(programmes):
        for other_at in range(at):
            other = programmes[other_at]
            if not touching(one, other):
                continue
            for finding in _pair(one, other):
                yield at, finding


def _flaw(path: Path, code: str, what: str, fix: str) -> Found:
    return path, Flaw(code, "", what, fix)


def check_claims(programme: Claimed) -> list[Found]:
    """Everything unclear in a programme of claims; empty when it can be published."""
    found = [*_validity(programme), *_expiry(programme)]
    if isinstance(programme, ShipAndDebit):
        for at, one in enumerate(programme.contracts):
            for other in programme.contracts[:at]:
                same = (one.product, one.dealer, one.customer) == (other.product, other.dealer, other.customer)
                apart = (one.to and other.from_ and one.to <= other.from_) or (other.to and one.from_ and other.to <= one.from_)
                if same and not apart:
                    what = f"two contract prices for {one.product} hold on the same days"
                    found.append(_flaw(("contracts", at), "overlap", what, "let one end where the next begins"))
    return found


def _validity(programme: Programme | Claimed) -> Iterator[Found]:
    for side, value in (("from", programme.valid.from_), ("to", programme.valid.to)):
        if value is None:
            yield _flaw(("valid", side), "no_validity", f"the programme has no day {side}", f"add valid.{side}: YYYY-MM-DD")
    yield from _last_day(("valid",), programme.valid)
    who = programme.participants
    if not (who.all or who.dealers or who.members or who.grades or who.regions or who.channels):
        yield _flaw(("participants",), "no_participants", "nobody takes part", "write all, or name dealers, grades, regions or channels")
    if who.all and (who.dealers or who.members):
        yield _flaw(("participants", "all"), "contradiction", "all dealers, and some by name", "keep one of the two")
    both = sorted(set(who.exclude) & (set(who.dealers) | {member.dealer for member in who.members}))
    if both:
        yield _flaw(("participants", "exclude"), "contradiction", f"{', '.join(both)} named and excluded", "keep one of the two")


def _last_day(path: Path, span: Span) -> Iterator[Found]:
    """From the first of a month to the last of one: whoever writes that means the last day too, and `to` leaves it out."""
    after = span.to + timedelta(days=1) if span.to is not None else None
    if span.from_ is not None and after is not None and span.from_.day == 1 and after.day == 1:
        what = f"{span.to} would not count: the day `to` is not included"
        yield _flaw((*path, "to"), "last_day", what, f"to: {after}, which includes {span.to}")


def _calendar(programme: Programme) -> Iterator[Found]:
    calendar = programme.calendar
    if (calendar.period == "custom") != bool(calendar.periods):
        yield _flaw(("calendar", "periods"), "no_periods", "own periods and `period: custom` go together", "give both or neither")
    spans = sorted((period.from_, period.to, at) for at, period in enumerate(calendar.periods) if period.from_ and period.to)
    for at, period in enumerate(calendar.periods):
        if period.from_ is None or period.to is None:
            yield _flaw(
                ("calendar", "periods", at), "bad_date", "a period without both days", "give from and to; the last day is not included"
            )
    for at, period in enumerate(calendar.periods):
        yield from _last_day(("calendar", "periods", at), period)
    for before, after in pairwise(spans):
        if after[0] < before[1]:
            yield _flaw(("calendar", "periods", after[2]), "overlap", "two periods share days", "let one end where the next begins")
        if after[0] - before[1] == timedelta(days=1):
            what, fix = f"{before[1]} is in no period: the day `to` is not included", f"to: {after[0]}"
            yield _flaw(("calendar", "periods", before[2], "to"), "gap", what, fix)
    names = [period.name for period in calendar.periods]
    if len(names) != len(set(names)):
        yield _flaw(("calendar", "periods"), "twice", "two periods have one name", "name each differently")
    if calendar.settle and calendar.period in MONTHS and MONTHS[calendar.settle] >= MONTHS[calendar.period]:
        what = f"settled every {calendar.settle}, but the period is a {calendar.period}"
        yield _flaw(("calendar", "settle"), "settle_too_long", what, "settle more often than the period, or leave settle out")
    if calendar.annualise == "months" and programme.bands in ("fixed", "fixed_each", "increment"):
        yield _flaw(("calendar", "annualise"), "annualise", "an amount that is fixed cannot be annualised", "leave annualise out")


def _base(programme: Programme) -> Iterator[Found]:
    base = programme.base
    if base.paid_invoices_only and base.event != "invoice":
        yield _flaw(
            ("base", "paid_invoices_only"),
            "contradiction",
            f"the base is {base.event}, not invoices",
            "take it out, or base.event: invoice",
        )
    if base.units and not base.unit:
        yield _flaw(("base", "units"), "missing", "units without the unit that is counted in", "add base.unit")
    if any(value <= 0 for value in base.units.values()):
        yield _flaw(("base", "units"), "bad_value", "a unit that is nothing", "write how many of base.unit it is")
    for at, weight in enumerate(base.weights):
        if weight.weight < 0 or weight.empty:
            yield _flaw(
                ("base", "weights", at), "bad_value", "a weight below zero or for no line", "say which lines, and a weight from 0 on"
            )


def _method(programme: Programme) -> Iterator[Found]:
    block = "growth" if programme.growth else "target" if programme.target else "mix" if programme.mix else ""
    pays = programme.part
    if programme.bands in ("marginal", "per_unit_marginal", "rolling", "linear") and pays in ("above_from", "above_first", "above"):
        fix = "bands retroactive with this pays_on, or pays_on whole"
        yield _flaw(
            (block, "pays_on") if block else ("pays_on",), "contradiction", f"{programme.bands} already cuts the base into parts", fix
        )
    if programme.growth and programme.growth.pays_on == "whole" and programme.bands in ("marginal", "rolling", "per_unit_marginal"):
        yield _flaw(
            ("growth", "bands"),
            "contradiction",
            "bands of growth cut the growth, not the whole",
            "pays_on: increment, or bands: retroactive",
        )
    if programme.growth and programme.growth.baseline == "previous_period" and programme.calendar.period in ("life", "custom"):
        yield _flaw(("growth", "baseline"), "no_baseline", f"a {programme.calendar.period} period has none before it", "baseline: given")
    if programme.mix and programme.mix.tier_on != "count" and programme.mix.focus.empty:
        yield _flaw(("mix", "focus"), "missing", "no line is in focus", "say which products or lines")
    if (programme.pays_on == "above") != (programme.pays_above is not None):
        yield _flaw(("pays_above",), "missing", "pays_on: above and pays_above go together", "give both or neither")
    if programme.pays_on != "whole" and block:
        yield _flaw(("pays_on",), "contradiction", f"the method {block} has its own pays_on", f"write {block}.pays_on")


def _tiers(programme: Programme) -> Iterator[Found]:
    if not programme.tiers:
        yield _flaw(("tiers",), "no_tiers", "there are no tiers", "add at least one, from 0 if everything counts")
        return
    if programme.boundary is None:
        yield _flaw(
            ("boundary",), "no_boundary", "it is not said whether reaching `from` is enough", "boundary: at_least, or boundary: above"
        )
    kinds = set()
    for at, tier in enumerate(programme.tiers):
        if len(tier.gives) != 1 and tier.gives != ("rate", "per_unit"):
            what = "it gives nothing" if not tier.gives else f"it gives {' and '.join(tier.gives)}"
            yield _flaw(("tiers", at), "tier_gives", what, "write rate, per_unit or both, or amount, or goods")
            continue
        kinds.add(" and ".join(tier.gives))
        yield from _tier(programme, at, tier)
    if len(kinds) > 1:
        yield _flaw(("tiers",), "tier_gives", f"some tiers give {' and some '.join(sorted(kinds))}", "one way of giving in one programme")


def _tier(programme: Programme, at: int, tier: Tier) -> Iterator[Found]:
    for gives in tier.gives:
        if gives in GIVES[programme.bands] and (len(tier.gives) == 1 or programme.bands != "linear"):
            continue
        fix = f"write {' or '.join(GIVES[programme.bands])}, or another method"
        if programme.bands == "increment" and gives == "rate":
            fix = "write amount: what each full step gives (1 % of a step of 10,000 is amount: 100)"
        yield _flaw(("tiers", at, gives), "method_and_tiers", f"the method {programme.bands} does not pay by {gives}", fix)
    if tier.rate is not None and not 0 <= tier.rate <= 1:
        fix = f"write {tier.rate} % or a fraction up to 1" if tier.rate > 0 else "write it from 0 on; what is taken back are returns"
        yield _flaw(("tiers", at, "rate"), "bad_rate", f"a rate of {tier.rate * 100:f} %", fix)
    for name in ("per_unit", "amount"):
        value = getattr(tier, name)
        if value is not None and value < 0:
            yield _flaw(("tiers", at, name), "bad_value", f"a rebate of {value}", "write it from 0 on")
    if programme.bands == "increment" and tier.step is None:
        yield _flaw(("tiers", at), "missing", "the size of a step is not said", "add step")
    if tier.goods and "goods" not in programme.settlement.ways:
        yield _flaw(
            ("settlement", "ways"), "contradiction", "tiers give goods, but goods are no way of settlement", "settlement: {ways: [goods]}"
        )
    shares = programme.target is not None or (programme.growth is not None and programme.growth.tier_on == "percent")
    shares = shares or (programme.mix is not None and programme.mix.tier_on == "share")
    if shares and tier.from_ > MOST_SHARE:
        yield _flaw(("tiers", at, "from"), "bad_value", f"a threshold of {tier.from_ * 100:f} %", f"write {tier.from_} % or a fraction")


def _ladder(programme: Programme) -> Iterator[Found]:
    """Gaps, overlaps, order, falling rates, and what happens beyond the last tier."""
    tiers = programme.tiers
    for at, tier in enumerate(tiers):
        if tier.from_ < 0:
            yield _flaw(("tiers", at, "from"), "bad_value", f"a tier from {tier.from_}", "begin at 0 or above")
        if tier.to is not None and tier.to <= tier.from_:
            yield _flaw(
                ("tiers", at, "to"), "empty_tier", f"it ends at {tier.to}, at or before its from {tier.from_}", "to must be above from"
            )
    for at, (before, after) in enumerate(pairwise(tiers), 1):
        if after.from_ <= before.from_:
            yield _flaw(
                ("tiers", at, "from"),
                "overlap",
                f"it begins at {after.from_}, not above the tier before it",
                "write tiers from low to high",
            )
        elif before.to is not None and after.from_ > before.to:
            fix = f"from: {before.to}"
            if after.from_ - before.to == 1:
                fix += f"; of whole units also boundary: above and the first from: 0, so that {after.from_} is the first of this tier"
            yield _flaw(("tiers", at, "from"), "gap", f"nothing is said from {before.to} to {after.from_}", fix)
        elif before.to is not None and after.from_ < before.to:
            yield _flaw(("tiers", at, "from"), "overlap", f"{after.from_} to {before.to} is in two tiers", f"from: {before.to}")
        for name in ("rate", "per_unit", "amount", "goods"):
            low, high = _given(before, name), _given(after, name)
            if low is not None and high is not None and high < low and not programme.allow_falling:
                fix = "correct the rate, or allow_falling: true if it is meant"
                yield _flaw(("tiers", at), "falling_rate", f"it gives {high}, less than {low} before it", fix)
    yield from _ends(programme)


def _ends(programme: Programme) -> Iterator[Found]:
    """Where the tiers begin, and what is beyond them."""
    tiers = programme.tiers
    if tiers and tiers[0].from_ == 1 and programme.base.measure == "quantity" and programme.bands in ("marginal", "per_unit_marginal"):
        what = f"{programme.bands} counts what is above a tier's from, so the first unit would earn nothing"
        yield _flaw(("tiers", 0, "from"), "first_unit", what, "from: 0")
    if tiers and tiers[-1].to is not None and programme.above_top is None:
        what = f"nothing is said beyond {tiers[-1].to}"
        yield _flaw(("tiers", len(tiers) - 1, "to"), "open_top", what, "leave the last to out, or above_top: continue, cap or nothing")


def _given(tier: Tier, name: str) -> Fraction | Decimal | None:
    if name == "goods":
        return Fraction(tier.goods.quantity) / Fraction(tier.goods.per or 1) if tier.goods is not None else None
    value: Decimal | None = getattr(tier, name)
    return value


def _gates(programme: Programme) -> Iterator[Found]:
    for at, gate in enumerate(programme.gates):
        for field, code, what, fix in flaws_of(gate):
            yield _flaw(("gates", at, field) if field else ("gates", at), code, what, fix)


def _limits(programme: Programme) -> Iterator[Found]:
    limits = programme.limits
    if limits.cap is not None and limits.cap.amount is None and limits.cap.rate is None:
        yield _flaw(("limits", "cap"), "missing", "a cap without amount or rate", "write amount or rate")
    if limits.cap and limits.cap.rate is not None and limits.cap.rate > 1:
        yield _flaw(("limits", "cap", "rate"), "bad_rate", "a cap above 100 % of the base", f"write {limits.cap.rate} % or a fraction")
    if limits.floor is not None and limits.cap and limits.cap.amount is not None and limits.floor > limits.cap.amount:
        yield _flaw(
            ("limits", "floor"), "contradiction", f"the floor {limits.floor} is above the cap {limits.cap.amount}", "correct one of the two"
        )
    if limits.guarantee and limits.cap and limits.cap.amount is not None and limits.guarantee.amount > limits.cap.amount:
        yield _flaw(("limits", "guarantee"), "contradiction", "the guarantee is above the cap", "correct one of the two")


def _rest(programme: Programme) -> Iterator[Found]:
    accrual, stacking = programme.accrual, programme.stacking
    if accrual and accrual.by == "rate" and accrual.rate is None and not accrual.rates:
        yield _flaw(("accrual",), "missing", "accrued by a rate that is not said", "add rate or rates")
    if accrual and accrual.by == "expected" and accrual.expected_base is None and not accrual.expected:
        yield _flaw(("accrual",), "missing", "accrued by an expected base that is not said", "add expected_base or expected")
    if stacking and (stacking.mode == "best_of") != (stacking.group is not None):
        yield _flaw(("stacking", "group"), "missing", "mode: best_of and a group go together", "give both or neither")
    if programme.fx and not programme.fx.rates:
        yield _flaw(("fx", "rates"), "missing", "no rate", "add rates")
    if programme.fx and any(rate.currency == programme.currency for rate in programme.fx.rates):
        yield _flaw(("fx", "rates"), "contradiction", f"a rate for {programme.currency} itself", "take it out")


def _expiry(programme: Programme | Claimed) -> Iterator[Found]:
    terms, ends = programme.settlement, programme.valid.to
    if terms.expires_days is not None and terms.expires_on is not None:
        yield _flaw(("settlement", "expires_on"), "contradiction", "a last day, and a number of days", "keep one of the two")
    if terms.by_memo and (terms.expires_days is not None or terms.expires_on is not None):
        what = f"what is paid by {terms.ways[0]} does not stay on the account"
        yield _flaw(("settlement",), "contradiction", what, "take expires_days and expires_on out, or settle by offset, goods or fund_pool")
    if terms.expires_on is not None and ends is not None and terms.expires_on < ends:
        what = f"what is settled at the end, on {ends}, would have expired on {terms.expires_on}"
        yield _flaw(("settlement", "expires_on"), "bad_value", what, "write a day after the programme's last period is settled")


def touching(one: Programme, other: Programme) -> bool:
    """True when there can be a line that both count: nothing in dealers, scope or validity keeps them apart."""
    if (one.base.event == "sell_out") != (other.base.event == "sell_out"):
        return False
    if one.valid.to and other.valid.from_ and one.valid.to <= other.valid.from_:
        return False
    if other.valid.to and one.valid.from_ and other.valid.to <= one.valid.from_:
        return False
    mine, yours = one.participants, other.participants
    named = [set(who.dealers) | {member.dealer for member in who.members} for who in (mine, yours)]
    if (
        (named[0] and named[1] and not named[0] & named[1])
        or (named[0] and named[0] <= set(yours.exclude))
        or (named[1] and named[1] <= set(mine.exclude))
    ):
        return False
    for name in ("grades", "channels", "regions"):
        if _apart(name, getattr(mine, name), getattr(yours, name)):
            return False
    return not any(
        _apart(name, getattr(one.scope, name), getattr(other.scope, name)) or _taken_out(one.scope.exclude, other.scope, name)
        or _taken_out(other.scope.exclude, one.scope, name)
        for name in Filter.model_fields if name != "attributes"
    ) and not any(_apart(name, values, other.scope.attributes.get(name, ())) for name, values in one.scope.attributes.items())  # fmt: skip


def _apart(name: str, mine: Iterable[str], yours: Iterable[str]) -> bool:
    left, right = list(mine), list(yours)
    if not left or not right:
        return False
    if name == "regions":
        return not any(a.startswith(b) or b.startswith(a) for a in left for b in right)
    return not set(left) & set(right)


def _taken_out(excluded: Filter, scope: Filter, name: str) -> bool:
    wanted = set(getattr(scope, name))
    return bool(wanted) and wanted <= set(getattr(excluded, name))


def _pair(one: Programme, other: Programme) -> Iterator[Found]:
    if one.programme == other.programme:
        what = f"versions {one.version} and {other.version} hold on the same days"
        yield _flaw(("valid",), "two_versions", what, "let the earlier version end where the later begins")
        return
    if one.stacking is None or other.stacking is None:
        missing = one if one.stacking is None else other
        fix = "add stacking: {order, base, lowers_later} to both"
        yield _flaw(("stacking",), "no_stacking", f"it touches the same lines as {other.key}, and {missing.key} has no stacking", fix)
        return
    if one.stacking.order == other.stacking.order:
        yield _flaw(
            ("stacking", "order"), "no_stacking", f"{other.key} touches the same lines with the same order", "give each its own order"
        )
    if one.currency != other.currency and "net_of_earlier" in (one.stacking.base, other.stacking.base):
        yield _flaw(("currency",), "contradiction", f"net of {other.key}, which is in {other.currency}", "one currency, or base: gross")
    same_group = one.stacking.mode == other.stacking.mode == "best_of" and one.stacking.group == other.stacking.group
    if same_group and (one.calendar.period, one.calendar.fiscal_start) != (other.calendar.period, other.calendar.fiscal_start):
        yield _flaw(
            ("calendar",), "contradiction", f"best of a group with {other.key}, which has other periods", "one calendar for the group"
        )
