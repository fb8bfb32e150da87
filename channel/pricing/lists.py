"""Price lists as other systems keep them, made ready: what each is for, its lines as prices and scales, and what cannot be used.

A line that is unclear makes no price: a missing price is refused when it is asked for, a wrong one costs money.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from channel.pricing.model import Book, Item
from channel.pricing.parts import Scale, Tier
from channel.pricing.published import ListUse
from channel.pricing.records import Listed, Record
from channel.pricing.scales import Steps, faults
from channel.pricing.words import FIRST_YEAR, KINDS, LAST_YEAR

ONE: Final = Decimal(1)
TIERS: Final = {"standard": "standard", "agent": "grade", "project": "project", "special": "contract", **KINDS}
"""Price kind by the tier that a list says. A list has no project, so a special one is a contract with its dealers."""


@dataclass(frozen=True, slots=True)
class Head:
    """A price list, without its lines. `company`: number of ours; `parties`: names of those it is for, when listed."""

    id: UUID
    number: str
    version: int
    name: str
    company: str
    currency: str
    tax_included: bool
    tier: str
    audience: str
    parties: tuple[str, ...]
    valid_from: date | None
    valid_to: date | None
    """Last day."""
    usable: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a price list. Quantities in `unit`; `version`: when it came to say this."""

    item: str
    version: int
    unit: str
    from_quantity: Decimal | None
    to_quantity: Decimal | None
    price: Decimal | None
    floor_price: Decimal | None
    valid_from: date | None
    valid_to: date | None
    active: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """What makes no price: list, item where it is about one, and what to do."""

    list: str
    item: str
    what: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Ready:
    """What became of the lists."""

    lists: tuple[Listed, ...]
    troubles: tuple[Trouble, ...]


@dataclass(slots=True)
class Uses:
    """What each list is for. Built from all heads, because a list of unknown kind is the standard one only where no other is."""

    heads: Iterable[Head]
    said: Mapping[str, ListUse] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    _standard: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._standard = {head.company for head in self.heads if head.usable and self.named(head) == "standard" and not self.for_some(head)}

    def named(self, head: Head) -> str:
        """The kind that a document, the list's tier or the first word of its name says; empty when none does."""
        use = self.said.get(head.number)
        if use is not None and use.kind is not None:
            return use.kind
        if head.tier:
            return TIERS.get(head.tier, head.tier)
        word = next((word for word in sorted(KINDS, key=len, reverse=True) if head.name.startswith(word)), "")
        kind = KINDS.get(word, "")
        return "contract" if kind == "deal" else kind

    def for_some(self, head: Head) -> bool:
        """Whether it is only for dealers that somebody names."""
        use = self.said.get(head.number)
        return head.audience in ("listed", "by_type") or (use is not None and bool(use.dealers or use.grades or use.channels))

    def book(self, head: Head) -> tuple[Book, bool] | None:
        """The list's head as a book, and whether it is for every dealer and nobody else; None when it makes no prices."""
        use = self.said.get(head.number)
        if not head.usable or (use is not None and not use.use):
            return None
        kind = self.named(head)
        if not kind and self.for_some(head):
            kind = "contract"
        elif not kind and self._standard & {head.company, ""}:
            self._trouble(head, "", "nothing says its price kind, and there is a standard list", "name its kind under `lists`")
            return None
        if not head.currency:
            self._trouble(head, "", "it has no currency", "name its currency where it is kept")
            return None
        if head.audience == "by_type" and (use is None or not (use.dealers or use.grades or use.channels)):
            self._trouble(
                head, "", "it is for some types of customer, which the hub does not know", "name grades or channels under `lists`"
            )
        named = use if use is not None and (use.dealers or use.grades or use.channels) else None
        book = Book.model_construct(
            id=head.number, version=head.version, kind=kind or "standard", currency=head.currency,
            tax="included" if head.tax_included else "excluded", companies=(head.company,) if head.company else (),
            dealers=named.dealers if named else head.parties if head.audience == "listed" else (),
            grades=named.grades if named else (), channels=named.channels if named else (), valid_from=head.valid_from,
            valid_to=after(head.valid_to), recorded_at=None, prices=(),
        )  # fmt: skip
        return book, kind == "grade" and not self.for_some(head)

    def _trouble(self, head: Head, item: str, what: str, fix: str) -> None:
        self.troubles.append(Trouble(head.number, item, what, fix))


def after(last: date | None) -> date | None:
    """The day after the last; None for no end, and for the far days that systems write for one."""
    return None if last is None or last.year >= LAST_YEAR else last + timedelta(days=1)


def make(head: Head, book: Book, rows: Iterable[Row], *, for_some: bool, any_dealer: bool, known: Mapping[str, Item]) -> Ready:
    """One list with its lines. `known`: items that there are."""
    groups: dict[tuple[str, str, date | None, date | None], list[Row]] = {}
    troubles: list[Trouble] = []
    for row in rows:
        if not row.active or not row.item or row.item not in known:
            continue
        if (why := _unclear(row)) is not None:
            troubles.append(Trouble(head.number, row.item, *why))
            continue
        groups.setdefault((row.item, row.unit, row.valid_from, row.valid_to), []).append(row)
    records = []
    for (item, _, _, _), lines in groups.items():
        made = _record(book, known[item], lines)
        if isinstance(made, str):
            what, _, fix = made.partition(" | ")
            troubles.append(Trouble(head.number, item, what, fix))
        else:
            records.append((item, made))
    return Ready((Listed(book, records, any_dealer, for_some),), tuple(troubles))


def _unclear(row: Row) -> tuple[str, str] | None:
    if row.price is None:
        return "a line says no price", "write one, or take the line out"
    if row.price < 0 or (row.floor_price is not None and row.floor_price < 0):
        return f"the price {row.price} is negative", "write 0 or more"
    for day in (row.valid_from, row.valid_to):
        if day is not None and day.year < FIRST_YEAR:
            return f"a validity lies in the year {day.year:04}", "mend the day"
    if row.valid_from and row.valid_to and row.valid_to < row.valid_from:
        return f"a line ends on {row.valid_to}, before it begins on {row.valid_from}", "mend the days"
    return None


def _record(book: Book, item: Item, rows: Sequence[Row]) -> Record | str:
    """One price or one scale of the lines for an item, unit and validity; or why it is neither: `what | fix`."""
    first, scale = rows[0], None
    if len(rows) > 1 or first.from_quantity or first.to_quantity:
        factor = item.units.get(first.unit, ONE)  # quantities of a line are in its unit, those of a scale in base units
        tiers = tuple(
            Tier(from_=(row.from_quantity or Decimal(0)) * factor, to=(row.to_quantity or Decimal(0)) * factor or None, price=row.price)
            for row in sorted(rows, key=lambda row: row.from_quantity or Decimal(0))
        )
        if len({(tier.from_, tier.to, tier.price) for tier in tiers}) == 1 and not (first.from_quantity or first.to_quantity):
            tiers = ()  # the same line twice
        if tiers:
            made = Scale(method="point", tiers=tiers)
            wrong = [text for text in faults(made) if not text.startswith("a gap")]
            if wrong:
                return f"its lines for one day and unit contradict each other: {wrong[0]}"
            scale = made
    record = Record()
    record.id, record.version = f"{book.id}/{item.id}", str(max(row.version for row in rows))
    record.book, record.book_version, record.kind = book.id, book.version, book.kind
    record.price, record.steps, record.formula = None if scale else first.price, Steps(scale) if scale else None, None
    record.unit, record.per, record.begun, record.round, record.final = first.unit, ONE, False, None, None
    floors = [row.floor_price for row in rows if row.floor_price]
    record.floor = min(floors) if floors else None
    record.currency, record.side = book.currency or "", book.tax or "included"
    record.dealer, record.companies = "", book.companies
    record.start = max(first.valid_from or date.min, book.valid_from or date.min)
    record.end = min(after(first.valid_to) or date.max, book.valid_to or date.max)
    record.recorded_at, record.approved, record.remaining, record.left_amount = None, True, None, None
    record.over_ceiling, record.deal = "next_kind", False
    return record
