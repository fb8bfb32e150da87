"""Publish check: rules that may hold together where nothing says which goes first, and it would change the money."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from channel.pricing.adjustments import Adjustment, When
from channel.pricing.asking import PricingFile
from channel.pricing.found import Found, meet
from channel.pricing.model import Band


def ties(rules: PricingFile) -> Found:
    """Rules that may hold together, where nothing says which goes first and it would matter."""
    by_group: dict[tuple[str, bool], list[tuple[int, Adjustment]]] = {}
    for at, rule in enumerate(rules.adjustments):
        by_group.setdefault((rule.rung, rule.scope == "order"), []).append((at, rule))
    for rows in by_group.values():
        if not _all_commute([rule for _, rule in rows]):
            yield from _among(rows)
    spread: dict[str, set[bool]] = {}
    for at, rule in enumerate(rules.adjustments):
        if rule.group:
            spread.setdefault(rule.group, set()).add(rule.scope == "order")
            if len(spread[rule.group]) > 1:
                yield ("adjustments", at, "group"), f"group {rule.group} mixes rules of lines and of the order", "part it in two groups"
    yield from _of_order(rules)


def _of_order(rules: PricingFile) -> Found:
    """Rules of the order that would have to be weighed against what another rung, or a line, has done already."""
    place = {name: at for at, name in enumerate(rules.settings.waterfall)}
    groups: dict[str, list[Adjustment]] = {}
    for at, rule in enumerate(rules.adjustments):
        mine = groups.setdefault(rule.group or rule.rung, [])
        apart = rule.scope == "order" and any(one.scope == "order" and one.rung != rule.rung for one in mine)
        if apart and any(one.mode in ("exclusive", "best") for one in (rule, *mine)):
            yield ("adjustments", at, "rung"), f"rules of the order in group {rule.group} stand at several rungs", "put them at one rung"
        mine.append(rule)
    for at, exclusion in enumerate(rules.exclusions):
        first, *rest = ([*groups.get(name, ())] for name in exclusion.groups)
        if exclusion.kind == "excludes":
            later = [one for some in rest for one in some]
            if not all(_after(one, two, place) for one in first for two in later):
                what = f"{exclusion.id}: what excludes is not decided when the others are used"
                yield ("exclusions", at, "groups"), what, "put its rules at an earlier rung; rules of lines go before those of the order"
        else:
            every = [*first, *(one for some in rest for one in some)]
            of_order = [one for one in every if one.scope == "order"]
            if of_order and (len(of_order) < len(every) or len({one.rung for one in of_order}) > 1):
                what = f"{exclusion.id} weighs rules of the order with those of lines or of another rung"
                yield ("exclusions", at, "groups"), what, "use kind: excludes, or put rules of the order at one rung"


def _after(one: Adjustment, two: Adjustment, place: Mapping[str, int]) -> bool:
    """True when it is known whether the first is used before the second is."""
    if "order" not in (one.scope, two.scope):
        return True  # rules of a line are weighed together, at whatever rungs
    rungs = place.get(one.rung, 0), place.get(two.rung, 0)
    if two.scope != "order":
        return False
    return rungs[0] <= rungs[1]


def _among(rows: list[tuple[int, Adjustment]]) -> Found:
    for (_, one), (at, other) in combinations(rows, 2):
        if one.order == other.order and _matters(one, other) and meet(one, other) and _together(one.when, other.when):
            what = f"{one.id} and {other.id} may hold together and nothing says which goes first"
            yield ("adjustments", at), what, "give them different `order`s"


def _all_commute(rules: list[Adjustment]) -> bool:
    """True when no order of these changes anything: thousands of agreements need not be compared by twos."""
    effects = {_effect(rule) for rule in rules if rule.free is None}
    return all(rule.mode != "exclusive" for rule in rules) and (effects <= {"running"} or effects <= {"fixed_reference", "amount"})


def _matters(one: Adjustment, other: Adjustment) -> bool:
    """True when the order of two rules of a rung changes the money."""
    same = (one.group or one.rung) == (other.group or other.rung)
    modes = {one.mode, other.mode}
    if same and one.mode == other.mode == "exclusive":
        return True
    if same and modes & {"exclusive", "best"} and "always" not in modes:
        return False  # only one of the two is used, whichever comes first
    if one.free is not None or other.free is not None:
        return False
    kinds = {_effect(one), _effect(other)}
    return not (
        kinds <= {"running"} or kinds <= {"fixed_reference", "amount"} or (one.round is None and other.round is None and len(kinds) == 0)
    )


def _effect(rule: Adjustment) -> str:
    """How a rule depends on what came before: running percents commute, so do amounts and percents of a fixed amount."""
    if (
        rule.round
        or rule.only_if_lower
        or rule.only_if_higher
        or any(one is not None for one in (rule.most, rule.fixed_price, rule.at_least))
    ):
        return "order"
    if rule.amount is not None:
        return "order" if rule.every is not None and rule.every_by == "value" and rule.scope == "order" else "amount"
    if rule.scale is not None:
        effects = {
            name for tier in rule.scale.tiers for name in ("percent", "amount", "fixed_price", "price") if getattr(tier, name) is not None
        }
        if effects - {"percent", "amount"} or len(effects) > 1:
            return "order"
        if effects == {"amount"}:
            return "amount"
    of = rule.of or ("base" if rule.mode == "original" else "running")
    return "running" if of == "running" else "fixed_reference"


def _together(one: When, other: When) -> bool:
    """True when nothing in the conditions keeps two rules apart."""
    for name in (
        "items",
        "lines",
        "categories",
        "brands",
        "dealers",
        "grades",
        "channels",
        "customers",
        "companies",
        "projects",
        "price_kinds",
        "currencies",
    ):
        first, second = set(getattr(one, name)), set(getattr(other, name))
        if first and second and not first & second:
            return False
    for low, high in (("min_quantity", "max_quantity"), ("min_value", "max_value")):
        for a, b in ((one, other), (other, one)):
            least, below = getattr(a, low), getattr(b, high)
            if least is not None and below is not None and least >= below:
                return False
    return True


def bands(rules: PricingFile) -> Found:
    """Bands of authority where neither is narrower."""
    for (_, one), (at, other) in combinations(enumerate(rules.authority), 2):
        if one.level == other.level and one.role == other.role and _as_narrow(one, other) and _bandsmeet(one, other):
            yield (
                ("authority", at),
                f"{one.id} and {other.id} may hold together, and neither is narrower",
                "part them by line, kind or size",
            )


def _as_narrow(one: Band, other: Band) -> bool:
    shape = [tuple(bool(getattr(band, name)) for name in ("lines", "brands", "price_kinds")) for band in (one, other)]
    return sum(shape[0]) == sum(shape[1])


def _bandsmeet(one: Band, other: Band) -> bool:
    for name in ("lines", "brands", "price_kinds"):
        first, second = set(getattr(one, name)), set(getattr(other, name))
        if first and second and not first & second:
            return False
    for a, b in ((one, other), (other, one)):
        if a.deal_to is not None and b.deal_from is not None and b.deal_from >= a.deal_to:
            return False
    return True
