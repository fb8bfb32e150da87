"""What prices are kept as, once they are compiled: a record with everything that its book says, and lists of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from channel.pricing.model import Book, Formula
from channel.pricing.parts import Rounding
from channel.pricing.scales import Steps

Key = tuple[int, *tuple[str, ...]]


class Record:
    """One price, with everything that its book says."""

    __slots__ = (
        "approved", "begun",
        "book",
        "book_version",
        "companies",
        "currency",
        "deal",
        "dealer",
        "end",
        "final",
        "floor",
        "formula",
        "id",
        "kind",
        "left_amount",
        "over_ceiling",
        "per",
        "price",
        "recorded_at",
        "remaining",
        "round",
        "side",
        "start",
        "steps",
        "unit",
        "version",
    )  # fmt: skip

    id: str
    version: str
    book: str
    book_version: int
    kind: str
    price: Decimal | None
    steps: Steps | None
    formula: Formula | None
    unit: str
    per: Decimal
    begun: bool
    round: Rounding | None
    final: bool | None
    floor: Decimal | None
    currency: str
    side: str
    dealer: str
    companies: tuple[str, ...]
    start: date
    end: date
    recorded_at: datetime | None
    approved: bool
    remaining: Decimal | None
    """Of a special price: base units that its item has left; None: it has no ceiling."""
    left_amount: Decimal | None
    """What all items of a special price together have left, at its prices; None: it has no such ceiling."""
    over_ceiling: str
    deal: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """A price list with its prices by item, ready: what a ledger has instead of a book in a file."""

    book: Book
    """Its head, without prices."""
    records: Sequence[tuple[str, Record]]
    """Item and price."""
    any_dealer: bool = False
    """For every dealer, and for no other buyer."""
    for_some: bool = False
    """Only for those whom its head names, or who are bound to it."""


class Index(Protocol):
    """Prices by key."""

    def get(self, key: Key, /) -> list[Record] | None:
        """The prices under a key."""


class Over:
    """An index with a few prices over it."""

    __slots__ = ("below", "own")

    def __init__(self, own: dict[Key, list[Record]], below: Index) -> None:
        self.own, self.below = own, below

    def get(self, key: Key, /) -> list[Record] | None:
        """The prices of the few, else of the many."""
        return self.own.get(key) or self.below.get(key)
