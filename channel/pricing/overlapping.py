"""Publish check: prices that overlap, validities that end before they begin, scales with gaps."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

from channel.pricing.asking import PricingFile
from channel.pricing.found import Found, Path, meet
from channel.pricing.model import KEY_FIELDS, Book, PriceRecord
from channel.pricing.parts import Scale
from channel.pricing.scales import faults

MANY = 50
"""More prices under one key than this are compared with their neighbours only."""


def validities(rules: PricingFile) -> Found:
    """Validities that end before they begin, and two rates of exchange for one day."""
    for section in ("registrations", "books", "deal_prices", "adjustments", "fx"):
        for row, one in enumerate(getattr(rules, section)):
            if one.valid_from and one.valid_to and one.valid_to <= one.valid_from:
                yield (
                    (section, row, "valid_to"),
                    f"it ends on {one.valid_to}, before it begins on {one.valid_from}",
                    "valid_to is the day after the last",
                )
    for at, book in enumerate(rules.books):
        for row, record in enumerate(book.prices):
            if record.valid_from and record.valid_to and record.valid_to <= record.valid_from:
                yield ("books", at, "prices", row, "valid_to"), "it ends before it begins", "valid_to is the day after the last"
    for (at, first), (other, second) in combinations(enumerate(rules.fx), 2):
        if (first.from_, first.to) == (second.from_, second.to) and meet(first, second):
            yield (
                ("fx", other),
                f"two rates from {first.from_} to {first.to} on one day (the other is number {at + 1})",
                "end the older one before",
            )


def overlaps(rules: PricingFile) -> Found:
    """Two prices of one kind for one key, currency, unit and day."""
    kept: dict[tuple[Any, ...], list[tuple[Path, Book, PriceRecord]]] = {}
    currency = rules.settings.currency
    for at, book in enumerate(rules.books):
        for row, record in enumerate(book.prices):
            keys = tuple((name, getattr(record, name)) for name in KEY_FIELDS if getattr(record, name))
            if not keys:
                yield ("books", at, "prices", row), "the price is for nothing", "name an item, line, category or brand, or write all: true"
            kept.setdefault((book.kind, book.currency or currency, record.unit, keys), []).append(
                (("books", at, "prices", row), book, record)
            )
    for (kind, _, _, keys), rows in kept.items():
        for (_, book, record), (path, other_book, other) in combinations(rows, 2) if len(rows) < MANY else pairwise(rows):
            if _side_by_side(book, other_book) and meet(record, other) and meet(book, other_book):
                told = ", ".join(f"{name} {value}" for name, value in keys)
                what = f"two prices of kind {kind} for {told} on one day (also in {book.id})"
                yield path, what, "end the older one, or make a new version of the book"
    yield from _deals(rules)


def _side_by_side(one: Book, other: Book) -> bool:
    """False when a version replaces the other, or no company sees both."""
    if one.id == other.id and one.version != other.version:
        return False
    mine, theirs = ((book.dealers, book.grades, book.channels) for book in (one, other))
    if (any(mine) or any(theirs)) and not any(set(a) & set(b) for a, b in zip(mine, theirs, strict=True)):
        return False  # for different dealers, or the one that names whom it is for goes first
    return not (one.companies and other.companies and not set(one.companies) & set(other.companies))


def _deals(rules: PricingFile) -> Found:
    deals: dict[tuple[str, str, str], list[tuple[Path, Any]]] = {}
    for at, deal in enumerate(rules.deal_prices):
        for row, item in enumerate(deal.items):
            deals.setdefault((deal.project, deal.dealer, item.item), []).append((("deal_prices", at, "items", row), deal))
    for (project, _, item_id), found in deals.items():
        for (_, one), (path, two) in combinations(found, 2):
            if meet(one, two):
                yield path, f"two special prices of {item_id} for project {project} on one day", f"end {one.id} before {two.id} begins"


def scales(rules: PricingFile) -> Found:
    """Scales with gaps, overlaps, or steps that say no price or no effect."""
    for at, book in enumerate(rules.books):
        for row, record in enumerate(book.prices):
            if record.scale is not None:
                path: Path = ("books", at, "prices", row, "scale")
                yield from _scale(record.scale, path)
                for step, tier in enumerate(record.scale.tiers):
                    if tier.price is None and not tier.flat:
                        yield (*path, "tiers", step), "the step says no price", "write price, or flat"
                if record.scale.method == "range" and record.scale.over != "line":
                    yield (
                        (*path, "over"),
                        "a range of prices over several lines has no one price for a line",
                        "use method point, or over: line",
                    )
                if record.scale.method == "range" and record.scale.by != "quantity":
                    yield (*path, "by"), "a range of prices is by quantity", "use method point for scales by value or weight"
    for at, rule in enumerate(rules.adjustments):
        if rule.scale is not None:
            path = ("adjustments", at, "scale")
            yield from _scale(rule.scale, path)
            for step, tier in enumerate(rule.scale.tiers):
                given = [name for name in ("percent", "amount", "fixed_price", "price") if getattr(tier, name) is not None]
                if len(given) != 1:
                    yield (*path, "tiers", step), "the step says no effect, or several", "write exactly one of percent, amount, fixed_price"


def _scale(scale: Scale, path: Path) -> Found:
    for text in faults(scale):
        what, _, fix = text.partition(" | ")
        yield (*path, "tiers"), what, fix
