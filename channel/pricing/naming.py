"""Publish check: ids that stand twice, and names that nobody has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from channel.pricing.asking import PricingFile
from channel.pricing.found import Found, Path

SECTION = {"item": "items", "dealer": "dealers", "project": "registrations"}


def twice(rows: Sequence[Any], at: str, key: Callable[[Any], Any] = lambda one: one.id) -> Found:
    """Rows that share an id."""
    seen: dict[Any, int] = {}
    for row, one in enumerate(rows):
        name = key(one)
        if name in seen:
            told = " version ".join(map(str, name)) if isinstance(name, tuple) else str(name)
            yield (at, row), f"{at}: {told} stands twice", "give it an id of its own, or drop one"
        seen[name] = row


def names(rules: PricingFile) -> Found:
    """Ids that stand twice, names that nobody has, rungs and groups that are not there."""
    for section in ("items", "dealers", "registrations", "deal_prices", "adjustments", "exclusions", "fences", "authority"):
        yield from twice(getattr(rules, section), section)
    yield from twice(rules.books, "books", lambda book: (book.id, book.version))
    there = {kind: {one.id for one in getattr(rules, section)} for kind, section in SECTION.items()}
    for path, kind, name in uses(rules):
        if name not in there[kind]:
            yield path, f"there is no {kind} {name!r}", f"name one under {SECTION[kind]}"
    yield from _groups(rules)
    for at, item in enumerate(rules.items):
        if item.units.get(item.unit, 1) != 1:
            yield ("items", at, "units"), f"{item.unit} is the base unit of {item.id}, which is one of itself", "leave it out of units"
    for at, rule in enumerate(rules.adjustments):
        if rule.rung not in rules.settings.waterfall:
            yield ("adjustments", at, "rung"), f"there is no rung {rule.rung!r}", f"use one of {', '.join(rules.settings.waterfall)}"
        if rule.rung == "manual":
            yield ("adjustments", at, "rung"), "the manual rung is for people's discounts", "use another rung"


def _groups(rules: PricingFile) -> Found:
    groups = {one.group or one.rung for one in rules.adjustments}
    for at, exclusion in enumerate(rules.exclusions):
        for group in exclusion.groups:
            if group not in groups:
                yield (
                    ("exclusions", at, "groups"),
                    f"no adjustment is in group {group!r}",
                    f"use one of {', '.join(sorted(groups)) or 'none'}",
                )
        if exclusion.kind not in ("best", "least") and len(exclusion.groups) < 2:
            yield ("exclusions", at, "groups"), f"{exclusion.kind} needs two groups", "name the other one"


def uses(rules: PricingFile) -> Iterator[tuple[Path, str, str]]:
    """Every place that names an item, a dealer or a project."""
    for at, one in enumerate(rules.registrations):
        yield ("registrations", at, "dealer"), "dealer", one.dealer
    for at, book in enumerate(rules.books):
        for name in book.dealers:
            yield ("books", at, "dealers"), "dealer", name
        for row, record in enumerate(book.prices):
            for name in ("item", "dealer", "project"):
                if getattr(record, name):
                    yield ("books", at, "prices", row, name), name, getattr(record, name)
    for at, deal in enumerate(rules.deal_prices):
        yield ("deal_prices", at, "dealer"), "dealer", deal.dealer
        yield ("deal_prices", at, "project"), "project", deal.project
        for row, item in enumerate(deal.items):
            yield ("deal_prices", at, "items", row, "item"), "item", item.item
    yield from _uses_of_rules(rules)


def _uses_of_rules(rules: PricingFile) -> Iterator[tuple[Path, str, str]]:
    for at, rule in enumerate(rules.adjustments):
        when = rule.when
        for field, kind in (("items", "item"), ("not_items", "item"), ("dealers", "dealer"), ("projects", "project")):
            for name in getattr(when, field):
                yield ("adjustments", at, "when", field), kind, name
        for name in when.with_items:
            yield ("adjustments", at, "when", "with_items"), "item", name
        if rule.free is not None and rule.free.item:
            yield ("adjustments", at, "free", "item"), "item", rule.free.item
    for at, fence in enumerate(rules.fences):
        for name in fence.dealers:
            yield ("fences", at, "dealers"), "dealer", name
