"""Facts of performance: what happened with a dealer, a row each. The columns and examples: docs/performance.md.

A table with one flaw is refused whole, with the line of each flaw and what to write instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final

from canonical.values import BadValue, decimal_text
from channel.performance.errors import BadFacts, Flaw
from channel.rebates.values import day, exact, rate

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
MAX_FLAWS: Final = 100
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


class _Wrong(Exception):
    def __init__(self, code: str, column: str, what: str, fix: str) -> None:
        self.code, self.column, self.what, self.fix = code, column, what, fix
        super().__init__(what)


def from_rows(
    columns: Iterable[str], rows: Iterable[tuple[int, Mapping[str, Any]]], file: str = "", *, dealers: Iterable[str] | None = None
) -> Table:
    """The facts of a table of text, each row with its line. dealers: the known ones; another is refused. Raises: BadFacts."""
    names, known = list(columns), None if dealers is None else frozenset(dealers)
    flaws = header(names, COLUMNS, REQUIRED, file)
    if flaws:
        raise BadFacts(flaws)
    found: dict[str, Fact] = {}
    at: dict[str, int] = {}
    for line, row in rows:
        try:
            fact = _fact(row)
            _consider(fact, at, known)
            found[fact.id], at[fact.id] = fact, line
        except _Wrong as wrong:
            flaws.append(Flaw(wrong.code, wrong.column, wrong.what, wrong.fix, line, file))
            if len(flaws) >= MAX_FLAWS:
                break
    flaws = flaws or _documents(found, at, file)
    if flaws:
        raise BadFacts(flaws)
    return Table(tuple(found.values()), fact_hash(found.values()))


def header(names: list[str], known: Iterable[str], required: Iterable[str], file: str) -> list[Flaw]:
    """What is wrong with the head line of a table: columns that are missing, unknown or stand twice."""
    flaws = [
        Flaw("missing_column", name, "the column is missing", f"add a column {name}", 1, file) for name in required if name not in names
    ]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            flaws.append(Flaw("twice", name, "the column stands twice", "keep one", 1, file))
        if name not in known:
            near = get_close_matches(name, sorted(known), n=1)
            fix = f"did you mean {near[0]}?" if near else "take it out"
            flaws.append(Flaw("unknown_column", name or "header", "there is no such column", fix, 1, file))
    return flaws


def cell(row: Mapping[str, Any], name: str) -> str:
    """The text of a cell; empty where there is none."""
    value = row.get(name)
    return "" if value is None else str(value).strip()


def fact_hash(facts: Iterable[Fact]) -> str:
    """A hash of what the facts say, the same in any order of rows."""
    digest = hashlib.sha256()
    for fact in sorted(facts, key=lambda one: one.id):
        said = [getattr(fact, name) for name in fact.__slots__]
        digest.update(repr([decimal_text(one) if isinstance(one, Decimal) else str(one or "") for one in said]).encode())
    return digest.hexdigest()


def _consider(fact: Fact, at: Mapping[str, int], known: frozenset[str] | None) -> None:
    if fact.id in at:
        raise _Wrong("duplicate_id", "id", f"{fact.id} stands on line {at[fact.id]} already", "give every fact an id of its own")
    if known is not None and fact.dealer not in known:
        raise _Wrong("unknown_dealer", "dealer", f"{fact.dealer} is not in the dealers file", "add the dealer or correct the code")


def _read(reader: Callable[[Any], Any], row: Mapping[str, Any], column: str) -> Any:
    value = row.get(column)
    if value is None or not str(value).strip():
        return None
    try:
        return reader(value)
    except BadValue as wrong:
        fix = "write YYYY-MM-DD" if reader is day else "write a plain decimal number"
        raise _Wrong("bad_date" if reader is day else "bad_number", column, str(wrong), fix) from wrong


def _fact(row: Mapping[str, Any]) -> Fact:
    kind = cell(row, "kind")
    if kind not in KINDS:
        near = get_close_matches(kind, KINDS, n=1)
        fix = f"did you mean {near[0]}?" if near else f"one of {', '.join(KINDS)}"
        raise _Wrong("unknown_kind", "kind", f"{kind[:40]!r} is no kind of fact", fix)
    said: dict[str, Any] = {name: cell(row, name) for name in TEXTS}
    said.update({name: _read(exact, row, name) for name in NUMBERS})
    said.update({name: _read(day, row, name) for name in DAYS})
    said["discount"] = _read(rate, row, "discount")
    for name in ("id", "dealer"):
        said[name] = cell(row, name)
    for name in (*REQUIRED, *KINDS[kind]):
        if name != "kind" and said[name] in (None, ""):
            raise _Wrong("missing", name, f"a {kind} without {name}", f"fill in {name}")
    _check(kind, said)
    return Fact(kind=kind, **said)


def _check(kind: str, said: Mapping[str, Any]) -> None:
    allowed = STATUSES.get(kind)
    if allowed is not None and said["status"] not in allowed:
        raise _Wrong("unknown_word", "status", f"{said['status'][:40]!r} is not known", f"one of {', '.join(allowed)}")
    if said["above_authority"] not in ("", "yes", "no"):
        raise _Wrong("unknown_word", "above_authority", f"{said['above_authority'][:40]!r} is not known", "yes, no, or nothing")
    _signs(kind, said)
    if kind == "target" and said["to"] <= said["date"]:
        raise _Wrong("bad_date", "to", f"{said['date']} is not before {said['to']}", "the last day is not included")
    for part, whole in (("passed", "required"), ("attended", "invited"), ("registered", "invited")):
        if said[part] is not None and said[whole] is not None and said[part] > said[whole]:
            raise _Wrong("contradiction", part, f"{said[part]} {part} of {said[whole]} {whole}", f"correct {part} or {whole}")
    for later in ("done_date", "withdrawn_date", "converted_date"):
        if said[later] is not None and said[later] < said["date"]:
            raise _Wrong("bad_date", later, f"{said[later]} is before {said['date']}", "correct one of the two days")


def _signs(kind: str, said: Mapping[str, Any]) -> None:
    for name in (*NUMBERS, "discount"):
        value = said[name]
        if value is None:
            continue
        if kind == "return" and name in ("amount", "quantity", "cost"):
            if value > 0:
                raise _Wrong("positive", name, f"a return of {value}", "write returns as negative figures")
        elif value < 0:
            raise _Wrong("negative", name, f"a {kind} of {value}", "write what goes back as kind return or credit_note")


def _documents(found: Mapping[str, Fact], at: Mapping[str, int], file: str) -> list[Flaw]:
    """An invoice number that two invoices of a dealer bear, and payments to an invoice that is not there."""
    invoices: dict[tuple[str, str], str] = {}
    flaws = []
    for fact in found.values():
        if fact.kind == "invoice":
            first = invoices.setdefault((fact.dealer, fact.document), fact.id)
            if first != fact.id:
                what = f"{fact.document} stands on line {at[first]} already"
                flaws.append(Flaw("duplicate_document", "document", what, "an invoice is one row", at[fact.id], file))
    for fact in found.values():
        if fact.applies_to and (fact.dealer, fact.applies_to) not in invoices:
            what = f"{fact.dealer} has no invoice {fact.applies_to}"
            flaws.append(Flaw("unknown_document", "applies_to", what, "add the invoice, or leave the cell empty", at[fact.id], file))
    return flaws[:MAX_FLAWS]
