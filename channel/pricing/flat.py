"""All prices of a version as rows of one table: a row for each price, or for each step of a scale. Floor prices and costs are not in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from channel.pricing.compiled import Prices
from channel.pricing.model import KEY_FIELDS, Book, Formula
from channel.pricing.scales import Steps

COLUMNS: Final = (
    "book", "book_version", "kind", "record", *KEY_FIELDS, "for_dealers", "for_grades", "for_channels", "companies", "currency", "tax_side",
    "unit", "per", "method", "by", "from_quantity", "to_quantity", "price", "flat", "formula", "valid_from", "valid_to",
)  # fmt: skip
"""Keys that say nothing are empty; validity is half-open; steps are in base units, and `to_quantity` is not
reached any more (with `up_to` scales it still is)."""
NUMBERS: Final = frozenset({"per", "from_quantity", "to_quantity", "price", "flat"})
DAYS: Final = frozenset({"valid_from", "valid_to"})

Row = dict[str, Any]


def rows(prices: Prices) -> Iterator[Row]:
    """Every price of lists and documents, in their order."""
    for one in prices.lists:
        for item, record in one.records:
            head = _head(prices, one.book) | {
                "record": record.id, "item": item, "unit": record.unit, "per": record.per, "valid_from": _day(record.start),
                "valid_to": _day(record.end),
            }  # fmt: skip
            yield from _steps(head, record.price, record.steps, record.formula)
    for book in prices.rules.books:
        for place, spec in enumerate(book.prices, 1):
            head = _head(prices, book) | {name: getattr(spec, name) or "" for name in KEY_FIELDS if name != "all"}
            head |= {
                "record": spec.id or f"{book.id}#{place}", "all": "all" if spec.all else "", "unit": spec.unit, "per": spec.per,
                "valid_from": _day(max(spec.valid_from or date.min, book.valid_from or date.min)),
                "valid_to": _day(min(spec.valid_to or date.max, book.valid_to or date.max)),
            }  # fmt: skip
            yield from _steps(head, spec.price, Steps(spec.scale) if spec.scale else None, spec.formula)


def _day(day: date) -> date | None:
    """A day, None for the beginning and the end of time."""
    return None if day in (date.min, date.max) else day


def _head(prices: Prices, book: Book) -> Row:
    return {
        "book": book.id, "book_version": str(book.version), "kind": book.kind, "for_dealers": ";".join(book.dealers),
        "for_grades": ";".join(book.grades), "for_channels": ";".join(book.channels), "companies": ";".join(book.companies),
        "currency": book.currency or prices.settings.currency, "tax_side": book.tax or prices.settings.tax,
    }  # fmt: skip


def _steps(head: Row, price: Any, steps: Steps | None, formula: Formula | None) -> Iterator[Row]:
    if steps is None:
        yield head | {"price": price, "formula": "" if formula is None else formula.model_dump_json(exclude_none=True)}
        return
    for tier, start, end in zip(steps.tiers, steps.starts, steps.ends, strict=True):
        yield head | {
            "method": steps.method,
            "by": steps.by,
            "from_quantity": start,
            "to_quantity": end,
            "price": tier.price,
            "flat": tier.flat,
        }
