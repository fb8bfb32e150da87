"""Facts: what happened, append-only. A correction is a new revision of the same id; the old one stays and is what was known then.

The columns of a facts table, which may be empty, and examples: docs/rebates-facts.md. Here a row of text becomes a `Fact`, or a flaw with
its line; a table with one flaw is refused whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Literal, get_args

from canonical.currencies import CODES, instead
from canonical.rounding import exact_half_up, half_up
from canonical.values import SHANGHAI
from channel.rebates.errors import BadFacts, Flaw
from channel.rebates.values import ZERO, exact, rate
from channel.rebates.values import day as business_day
from channel.tables import Row, Rows, Wrong, cell, header, known_dealer, known_kind, read, taken

Kind = Literal[
    "sale", "return", "credit", "price_change", "sell_out",
    "payment", "stock", "complaint", "measure", "target", "baseline", "settlement", "claim",
]  # fmt: skip
KINDS: Final = frozenset(get_args(Kind))
LINES: Final = frozenset(("sale", "return", "credit", "price_change", "sell_out"))
"""Kinds that can be in a base."""
NEGATIVE: Final = frozenset(("return", "credit"))
"""Kinds whose quantity and amount are negative, or zero."""
NEVER_BELOW: Final[Mapping[str, str]] = {
    **dict.fromkeys(("sale", "sell_out", "stock"), "write what goes back as kind return or credit"),
    **dict.fromkeys(("claim", "complaint", "target", "baseline"), "write it from 0 on; a correction is the next revision of the same id"),
}
"""Kinds whose quantity and amount are never negative, and what to write instead."""
TEXTS: Final = (
    "document", "product", "product_line", "brand", "region", "channel", "customer", "company", "project", "price_kind", "unit",
    "returns_of", "applies_to", "dealer_grade", "dealer_region", "dealer_channel", "dealer_parent",
    "programme", "period", "measure", "status", "event",
)  # fmt: skip
PRICES: Final = ("old_price", "new_price", "sell_price", "cost_price", "contract_price")
NUMBERS: Final = ("quantity", "amount", "tax", "gross", *PRICES)
DAYS: Final = ("date", "order_date", "delivery_date", "invoice_date", "sell_out_date", "due_date")
COLUMNS: Final = frozenset(("id", "revision", "kind", "dealer", "currency", "tax_rate", "recorded_at", *TEXTS, *NUMBERS, *DAYS))
REQUIRED: Final = ("id", "kind", "dealer", "date")
Date = date
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Fact:
    """One revision of one thing that happened. Amounts are in `currency`, days are business days (Asia/Shanghai)."""

    id: str
    kind: str
    dealer: str
    date: Date
    revision: int = 1
    quantity: Decimal = Decimal(0)
    amount: Decimal | None = None
    """Without tax. None: only the amount with tax is known."""
    gross: Decimal | None = None
    """With tax. None: no tax is known."""
    currency: str = ""
    """Empty: the file has no such column, and the programme's currency is meant."""
    recorded_at: datetime = BEGINNING
    """When it became known."""
    order_date: Date | None = None
    delivery_date: Date | None = None
    invoice_date: Date | None = None
    sell_out_date: Date | None = None
    due_date: Date | None = None
    document: str = ""
    product: str = ""
    product_line: str = ""
    brand: str = ""
    region: str = ""
    channel: str = ""
    customer: str = ""
    company: str = ""
    project: str = ""
    price_kind: str = ""
    unit: str = ""
    returns_of: str = ""
    """Id of the fact that a return or credit belongs to."""
    applies_to: str = ""
    """Document that a payment pays."""
    dealer_grade: str = ""
    dealer_region: str = ""
    dealer_channel: str = ""
    dealer_parent: str = ""
    programme: str = ""
    period: str = ""
    measure: str = ""
    status: str = ""
    event: str = ""
    old_price: Decimal | None = None
    new_price: Decimal | None = None
    sell_price: Decimal | None = None
    cost_price: Decimal | None = None
    contract_price: Decimal | None = None
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    row: int = 0
    """Line of the file; no part of what it says."""

    @property
    def line(self) -> str:
        """The line's id, for a grouping by line."""
        return self.id


@dataclass(frozen=True, slots=True)
class Table:
    """Checked facts, and the columns they came with: an absent day column means the plain `date`, an empty cell "not yet"."""

    facts: tuple[Fact, ...]
    columns: frozenset[str] = frozenset()
    file: str = ""


def from_rows(columns: Iterable[str], rows: Rows, file: str = "", *, dealers: Iterable[str] | None = None, exported: bool = False) -> Table:
    """A table of facts from rows of text, each with its line number. Raises: BadFacts with its flaws (the first 100).

    dealers: the known dealers; another one is refused. None: any dealer is taken. exported: the hub's own facts, of which one without a
    currency is in the programme's, as on the ledger.
    """
    names = list(columns)
    flaws = wrong_heads(names, file)
    if flaws:
        raise BadFacts(flaws)
    present, known = frozenset(names), None if dealers is None else frozenset(dealers)
    extra = [name for name in names if name not in COLUMNS]
    facts: dict[tuple[str, int], Fact] = {}

    def one(row: Row, line: int) -> None:
        _consider(_fact(row, line, present, extra, exported=exported), facts, known)

    _, flaws = taken(rows, one, file)
    if flaws:
        raise BadFacts(flaws)
    return Table(tuple(facts.values()), present, file)


CHINESE: Final[Mapping[str, str]] = {
    "编号": "id", "行号": "id", "类型": "kind", "单据类型": "kind", "经销商": "dealer", "客户": "dealer", "客户编码": "dealer",
    "经销商编码": "dealer", "日期": "date", "业务日期": "date", "单据日期": "date",
}  # fmt: skip
"""What the columns that must be there are often called."""


def wrong_heads(names: list[str], file: str = "") -> list[Flaw]:
    """What is wrong with the names of the columns."""
    return [_renamed(flaw, names) for flaw in header(names, REQUIRED, file)]


def _renamed(flaw: Flaw, names: list[str]) -> Flaw:
    """A column that is missing, and stands there by another name: the fix is to rename it."""
    if flaw.code != "missing_column":
        return flaw
    said = next((name for name in names if name.strip().lower() == flaw.where or CHINESE.get(name.strip()) == flaw.where), None)
    return flaw if said is None else replace(flaw, fix=f"rename the column {said} to {flaw.where}")


def _consider(fact: Fact, facts: dict[tuple[str, int], Fact], dealers: frozenset[str] | None) -> None:
    key = (fact.id, fact.revision)
    before = facts.get(key)
    if before is None:
        facts[key] = fact
    elif _said(before) != _said(fact):
        raise Wrong(
            "duplicate_id",
            "id",
            f"{fact.id} revision {fact.revision} says something else on line {before.row}",
            "give a correction the next revision",
        )
    if fact.dealer:
        known_dealer(fact.dealer, dealers)


def _said(fact: Fact) -> tuple[Any, ...]:
    said = [getattr(fact, name) for name in fact.__slots__ if name not in ("row", "attributes")]
    return (*said, tuple(sorted(fact.attributes.items())))


def _fact(row: Mapping[str, Any], line: int, present: frozenset[str], extra: list[str], *, exported: bool) -> Fact:
    kind = known_kind(cell(row, "kind"), KINDS)
    said: dict[str, Any] = {name: cell(row, name) for name in TEXTS if name in present}
    for name in DAYS:
        if name in present and (value := row.get(name)) not in (None, ""):
            said[name] = read(business_day, value, name, day=True)
    numbers: dict[str, Decimal] = {
        name: read(exact, row[name], name) for name in NUMBERS if name in present and row.get(name) not in (None, "")
    }
    identity = cell(row, "id")
    if not identity:
        raise Wrong("missing", "id", "the id is empty", "give every fact an id that stays the same")
    if "date" not in said:
        said["date"] = _first_day(said)
    dealer = cell(row, "dealer")
    if not dealer and kind != "price_change":
        raise Wrong("missing", "dealer", "the dealer is empty", "name the dealer")
    said["currency"] = _currency(row, present, kind, exported=exported)
    said["revision"] = _revision(row)
    said["recorded_at"] = _moment(row)
    said.update({name: numbers[name] for name in PRICES if name in numbers})
    said["quantity"] = numbers.get("quantity", Decimal(0))
    said["amount"], said["gross"] = _sides(numbers, row, present)
    if extra:
        said["attributes"] = {name: str(row[name]).strip() for name in extra if row.get(name) not in (None, "")}
    fact = Fact(id=identity, kind=kind, dealer=dealer, row=line, **said)
    _signs(fact)
    return fact


def _first_day(said: Mapping[str, Any]) -> date:
    days: list[date] = [said[name] for name in DAYS if name in said and name != "due_date"]
    if not days:
        raise Wrong("missing", "date", "there is no day", "give the business day")
    return min(days)


def _currency(row: Mapping[str, Any], present: frozenset[str], kind: str, *, exported: bool) -> str:
    value = cell(row, "currency")
    if "currency" not in present or (not value and (exported or kind in ("stock", "complaint", "measure"))):
        return ""
    if value not in CODES:
        raise Wrong("bad_currency", "currency", f"{value[:40]!r} is no code of ISO 4217", f"write {instead(value)}")
    return value


def _revision(row: Mapping[str, Any]) -> int:
    text = cell(row, "revision") or "1"
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= 1):
        raise Wrong("bad_revision", "revision", f"{text[:20]!r} is no revision", "write a whole number from 1")
    return int(text)


def _moment(row: Mapping[str, Any]) -> datetime:
    value = row.get("recorded_at")
    if value in (None, ""):
        return BEGINNING
    fix = "write 2026-01-31T18:00:00+08:00"
    try:
        moment = value if isinstance(value, datetime) else moment_of(str(value))
    except ValueError as wrong:
        raise Wrong("bad_time", "recorded_at", f"{str(value)[:40]!r} is no time", fix) from wrong
    if not business_year(moment):
        raise Wrong("bad_time", "recorded_at", f"{moment.isoformat()}: is the year right?", fix)
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def moment_of(text: str) -> datetime:
    """A time from ISO 8601 text; without a zone it is Asia/Shanghai; a mere day is its end. Raises: ValueError."""
    value = text.strip()
    moment = datetime.fromisoformat(value)
    if len(value) == len("2026-01-31"):
        moment = moment.replace(hour=23, minute=59, second=59, microsecond=999_999)
    if not business_year(moment):
        raise ValueError(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def business_year(moment: datetime) -> bool:
    """True for a time that can be meant."""
    return 1970 <= moment.year < 2100


def _sides(numbers: Mapping[str, Decimal], row: Mapping[str, Any], present: frozenset[str]) -> tuple[Decimal | None, Decimal | None]:
    """Amount without and with tax; the entered side stays exact, the other is derived where there is a tax or a tax rate."""
    amount, tax, gross = numbers.get("amount"), numbers.get("tax"), numbers.get("gross")
    share = read(rate, row["tax_rate"], "tax_rate") if "tax_rate" in present and row.get("tax_rate") not in (None, "") else None
    if share is not None and not 0 <= share < 1:
        raise Wrong("bad_rate", "tax_rate", f"a tax rate of {share * 100:f} %", f"write {share:f} % or a fraction below 1")
    if tax is None and share is not None:
        if amount is not None:
            tax = gross - amount if gross is not None else half_up(amount * share, 2)
        elif gross is not None:
            amount = exact_half_up(_ratio(gross, share), 2)
            tax = gross - amount
    if amount is not None and gross is not None and tax is not None and amount + tax != gross:
        raise Wrong("tax", "gross", f"{gross} is not {amount} + {tax}", "correct amount, tax or gross")
    if amount is None and gross is not None and tax is not None:
        amount = gross - tax
    if amount is not None and tax is not None and amount * tax < 0:
        raise Wrong("tax", "tax", f"a tax of {tax} on {amount}", "give tax and amount the same sign")
    if gross is None and amount is not None and tax is not None:
        gross = amount + tax
    return amount, gross


def _ratio(gross: Decimal, share: Decimal) -> Fraction:
    return Fraction(gross) / (1 + Fraction(share))


def _signs(fact: Fact) -> None:
    values = {"quantity": fact.quantity, "amount": fact.amount, "gross": fact.gross}
    if fact.kind in NEVER_BELOW:
        for name, value in values.items():
            if value is not None and value < ZERO:
                raise Wrong("negative", name, f"a {fact.kind} of {value}", NEVER_BELOW[fact.kind])
    for name in PRICES:
        price: Decimal | None = getattr(fact, name)
        if price is not None and price < ZERO:
            raise Wrong("negative", name, f"a price of {price}", "write prices from 0 on")
    if fact.kind in NEGATIVE:
        for name, value in values.items():
            if value is not None and value > ZERO:
                raise Wrong("positive", name, f"a {fact.kind} of {value}", "write returns and credits as negative figures")
    _named(fact)


def _named(fact: Fact) -> None:
    """What each kind must say besides."""
    if fact.kind in LINES and fact.amount is None and fact.gross is None and not fact.quantity and fact.old_price is None:
        raise Wrong(
            "missing", "amount", "neither amount nor quantity", "give the amount (without tax), the gross (with tax) or the quantity"
        )
    if fact.kind == "payment" and fact.amount is None and fact.gross is None:
        raise Wrong("missing", "amount", "a payment without amount", "give the amount paid")
    if fact.kind == "payment" and not fact.applies_to:
        raise Wrong("missing", "applies_to", "a payment of no document", "name the document that it pays, in a row for each")
    if fact.kind == "settlement" and not fact.programme:
        raise Wrong("missing", "programme", "a settlement that belongs to no programme", "name the programme that it settles")


def joined(table: Table, more: Table) -> Table:
    """Two tables as one. Raises: BadFacts when the same id and revision say different things."""
    facts = {(fact.id, fact.revision): fact for fact in table.facts}
    for fact in more.facts:
        before = facts.setdefault((fact.id, fact.revision), fact)
        if _said(before) != _said(fact):
            what = f"{fact.id} revision {fact.revision} says something else in {table.file}, line {before.row}"
            raise BadFacts([Flaw("duplicate_id", "id", what, "give a correction the next revision", fact.row, more.file)])
    return Table(tuple(facts.values()), table.columns, table.file)
