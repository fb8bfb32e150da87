"""Facts of performance: what happened with a dealer, a row each. The columns and examples: docs/performance.md.

A table with one flaw is refused whole, with the line of each flaw and what to write instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from canonical.values import decimal_text
from channel.performance.errors import BadFacts, Flaw
from channel.rebates.values import day, exact, rate
from channel.tables import MAX_FLAWS, Row, Rows, Wrong, cell, header, known_dealer, known_kind, read, taken

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "sale": ("amount",), "return": ("amount",), "rebate": ("amount",), "price_protection": ("amount",), "support": ("amount",),
    "cost": ("amount",),
    "target": ("amount", "to"), "invoice": ("amount", "document", "due_date"), "payment": ("amount",),
    "credit_note": ("amount", "applies_to"), "project": (), "shipment": ("quantity",), "complaint": ("status",),
    "activity": ("attended",), "training": ("required", "passed"), "follow_up": ("due_date",), "registration": ("due_date",),
    "record": ("due_date",), "cross_region": ("status",), "territory": ("quantity",),
}  # fmt: skip
"""Every kind of fact, and the columns that it must fill besides id, kind, dealer and date."""
TEXTS: Final = ("product_line", "document", "applies_to", "project", "customer", "status", "above_authority", "source")
NUMBERS: Final = (
    "amount", "quantity", "cost", "invited", "registered", "attended", "required", "passed", "response_hours", "close_hours", "rating",
)  # fmt: skip
DAYS: Final = ("date", "to", "due_date", "done_date", "withdrawn_date", "converted_date")
REQUIRED: Final = ("id", "kind", "dealer", "date")
COLUMNS: Final = frozenset((*REQUIRED, *TEXTS, *NUMBERS, *DAYS, "discount"))
STATUSES: Final[Mapping[str, tuple[str, ...]]] = {
    "complaint": ("valid", "invalid", "open"),
    "cross_region": ("confirmed", "suspected", "rejected"),
}
Date = date


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened. Days are business days (Asia/Shanghai); amounts are in the scorecard's one currency."""

    id: str
    kind: str
    dealer: str
    date: Date
    product_line: str = ""
    document: str = ""
    applies_to: str = ""
    """Document that a payment or credit note pays; empty: an advance, not applied yet."""
    project: str = ""
    customer: str = ""
    status: str = ""
    above_authority: str = ""
    """yes, no, or empty where nobody judged the line."""
    source: str = ""
    amount: Decimal | None = None
    """Without tax; of invoices, payments and credit notes with tax."""
    quantity: Decimal | None = None
    cost: Decimal | None = None
    discount: Decimal | None = None
    """Of a sale: a share of the list price."""
    invited: Decimal | None = None
    registered: Decimal | None = None
    attended: Decimal | None = None
    required: Decimal | None = None
    passed: Decimal | None = None
    response_hours: Decimal | None = None
    close_hours: Decimal | None = None
    rating: Decimal | None = None
    to: Date | None = None
    """First day that a target no longer holds for."""
    due_date: Date | None = None
    """Of an invoice: after the agreed grace."""
    done_date: Date | None = None
    withdrawn_date: Date | None = None
    converted_date: Date | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Checked facts and the hash of what they say, in any order of rows."""

    facts: tuple[Fact, ...]
    hash: str


def from_rows(columns: Iterable[str], rows: Rows, file: str = "", *, dealers: Iterable[str] | None = None) -> Table:
    """The facts of a table of text, each row with its line. dealers: the known ones; another is refused. Raises: BadFacts."""
    names, known = list(columns), None if dealers is None else frozenset(dealers)
    flaws = header(names, REQUIRED, file, known=COLUMNS)
    if flaws:
        raise BadFacts(flaws)
    at: dict[str, int] = {}

    def one(row: Row, line: int) -> Fact:
        fact = _fact(row)
        if fact.id in at:
            raise Wrong("duplicate_id", "id", f"{fact.id} stands on line {at[fact.id]} already", "give every fact an id of its own")
        known_dealer(fact.dealer, known)
        at[fact.id] = line
        return fact

    facts, flaws = taken(rows, one, file)
    flaws = flaws or [*_documents(facts, at, file), *_targets(facts, at, file)][:MAX_FLAWS]
    if flaws:
        raise BadFacts(flaws)
    return Table(tuple(facts), fact_hash(facts))


def fact_hash(facts: Iterable[Fact]) -> str:
    """A hash of what the facts say, the same in any order of rows."""
    digest = hashlib.sha256()
    for fact in sorted(facts, key=lambda one: one.id):
        said = [getattr(fact, name) for name in fact.__slots__]
        digest.update(repr([decimal_text(one) if isinstance(one, Decimal) else str(one or "") for one in said]).encode())
    return digest.hexdigest()


def _maybe(reader: Callable[[Any], Any], row: Row, column: str) -> Any:
    return read(reader, row[column], column, day=reader is day) if cell(row, column) else None


def _fact(row: Row) -> Fact:
    kind = known_kind(cell(row, "kind"), KINDS)
    said: dict[str, Any] = {name: cell(row, name) for name in TEXTS}
    said.update({name: _maybe(exact, row, name) for name in NUMBERS})
    said.update({name: _maybe(day, row, name) for name in DAYS})
    said["discount"] = _maybe(rate, row, "discount")
    for name in ("id", "dealer"):
        said[name] = cell(row, name)
    for name in (*REQUIRED, *KINDS[kind]):
        if name != "kind" and said[name] in (None, ""):
            raise Wrong("missing", name, f"a {kind} without {name}", f"fill in {name}")
    _check(kind, said)
    return Fact(kind=kind, **said)


def _check(kind: str, said: Mapping[str, Any]) -> None:
    allowed = STATUSES.get(kind)
    if allowed is not None and said["status"] not in allowed:
        raise Wrong("unknown_word", "status", f"{said['status'][:40]!r} is not known", f"one of {', '.join(allowed)}")
    if said["above_authority"] not in ("", "yes", "no"):
        raise Wrong("unknown_word", "above_authority", f"{said['above_authority'][:40]!r} is not known", "yes, no, or nothing")
    _signs(kind, said)
    if kind == "target" and said["to"] <= said["date"]:
        raise Wrong("bad_date", "to", f"{said['date']} is not before {said['to']}", "the last day is not included")
    for part, whole in (("passed", "required"), ("attended", "invited"), ("registered", "invited")):
        if said[part] is not None and said[whole] is not None and said[part] > said[whole]:
            raise Wrong("contradiction", part, f"{said[part]} {part} of {said[whole]} {whole}", f"correct {part} or {whole}")
    for later in ("done_date", "withdrawn_date", "converted_date"):
        if said[later] is not None and said[later] < said["date"]:
            raise Wrong("bad_date", later, f"{said[later]} is before {said['date']}", "correct one of the two days")


def _signs(kind: str, said: Mapping[str, Any]) -> None:
    for name in (*NUMBERS, "discount"):
        value = said[name]
        if value is None:
            continue
        if kind == "return" and name in ("amount", "quantity", "cost"):
            if value > 0:
                raise Wrong("positive", name, f"a return of {value}", "write returns as negative figures")
        elif value < 0:
            raise Wrong("negative", name, f"a {kind} of {value}", "write what goes back as kind return or credit_note")


def _documents(found: Iterable[Fact], at: Mapping[str, int], file: str) -> list[Flaw]:
    """An invoice number that two invoices of a dealer bear, and payments to an invoice that is not there."""
    invoices: dict[tuple[str, str], str] = {}
    flaws = []
    for fact in found:
        if fact.kind == "invoice":
            first = invoices.setdefault((fact.dealer, fact.document), fact.id)
            if first != fact.id:
                what = f"{fact.document} stands on line {at[first]} already"
                flaws.append(Flaw("duplicate_document", "document", what, "an invoice is one row", at[fact.id], file))
    for fact in found:
        if fact.applies_to and (fact.dealer, fact.applies_to) not in invoices:
            what = f"{fact.dealer} has no invoice {fact.applies_to}"
            flaws.append(Flaw("unknown_document", "applies_to", what, "add the invoice, or leave the cell empty", at[fact.id], file))
    return flaws


def _targets(found: Iterable[Fact], at: Mapping[str, int], file: str) -> Iterator[Flaw]:
    for earlier, later in clashing(sorted(found, key=lambda one: at[one.id])):
        what = f"{later.dealer} has a target on line {at[earlier.id]} for some of these days already"
        yield Flaw("overlap", "to", what, APART, at[later.id], file)


APART: Final = "keep the whole or its parts: of days, or of product lines"
"""What to do about targets that clash."""


def clashing(facts: Iterable[Fact]) -> Iterator[tuple[Fact, Fact]]:
    """Targets of a dealer that hold for the same days and goods: a year and its quarters would add up to twice what was agreed.

    Each that begins when another one holds, after that one; of equal ones the first goes first.
    """
    latest: dict[tuple[str, str | None], Fact] = {}
    """By dealer and product line, with none for those of all its goods and None for any: the target that ends last."""
    for fact in sorted((fact for fact in facts if fact.kind == "target"), key=lambda one: one.date):
        line = fact.product_line
        before = [latest.get((fact.dealer, key)) for key in ((line, "") if line else (None,))]
        yield from ((one, fact) for one in before if one is not None and fact.date < _end(one))
        for key in (line, None):
            one = latest.get((fact.dealer, key))
            latest[fact.dealer, key] = fact if one is None or _end(fact) > _end(one) else one


def _end(target: Fact) -> date:
    return target.to or target.date
