"""The use cases of rebates on the ledger: publish, accrue, settle, state, sign or dispute, pay, close, and the dealer's account.

Everything is done within the caller's transaction and commits with it. A settlement is earned to date less what was settled before, so a
second run settles nothing; a statement that was issued never changes, and what comes late is settled in the open period.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Final
from uuid import UUID

from canonical.ids import new_id
from canonical.rounding import exact_half_up
from canonical.values import decimal_text
from channel.errors import ChannelError
from channel.rebates import fact_queries, fact_service, periods, queries
from channel.rebates.calculating import calculate
from channel.rebates.checking import check_together
from channel.rebates.claims import Claimed
from channel.rebates.errors import BadProgramme, Flaw
from channel.rebates.facts import COLUMNS, Table
from channel.rebates.loading import load, place
from channel.rebates.programme import Programme
from channel.rebates.queries import Before, Connection, Row, unit_of
from channel.rebates.reporting import of_result
from channel.rebates.results import Calculation, Result

BY_MEMO: Final = ("credit_note", "cash")
"""Ways of settlement that become a memo in the ERP; the others stay on the dealer's account until an order uses them."""
FIRST_FACT: Final = date(2000, 1, 1)


class VersionTaken(ChannelError):
    """This version was published, and says something else; or a later one was."""

    code: ClassVar[str] = "rebates/version-taken"


class NotFoundHere(ChannelError):
    """There is no such programme, statement or payout."""

    kind: ClassVar[str] = "not_found"
    code: ClassVar[str] = "rebates/not-found"


class WrongState(ChannelError):
    """The statement has been signed or resolved already."""

    code: ClassVar[str] = "rebates/wrong-state"


class NotEnough(ChannelError):
    """The dealer's account does not hold so much."""

    code: ClassVar[str] = "rebates/not-enough"


# Programmes ------------------------------------------------------------------------------------------------------------------


def publish(db: Connection, text: str | bytes, *, by: str, reason: str = "", file: str = "") -> Programme | Claimed:
    """Publish a version of a programme of any kind, checked by itself and beside the others; the same file again changes nothing.

    Raises: BadProgramme with every flaw; VersionTaken.
    """
    loaded = load(text, file)
    programme = loaded.programme
    queries.lock(db)
    before = queries.versions(db, programme.programme)
    if any(row["version"] == programme.version and row["hash"] == programme.hash for row in before):
        return programme
    if before and before[-1]["version"] >= programme.version:
        raise VersionTaken(
            f"{programme.programme} version {programme.version} cannot be published: version {before[-1]['version']} is",
            next_step=f"write version: {before[-1]['version'] + 1}; what is published never changes",
        )
    if before and before[-1]["type"] != programme.type:
        what = f"{programme.programme} is published as a programme of type {before[-1]['type']}"
        raise BadProgramme([Flaw("other_type", "type", what, "take another code for this one", 1, file)])
    if isinstance(programme, Programme):
        others = [one for one in queries.newest(db) if one.programme != programme.programme]
        flaws = [finding for at, finding in check_together([*others, programme]) if at == len(others)]
        if flaws:
            raise BadProgramme(place(flaws, loaded.source))
    queries.add_version(db, programme, by, reason)
    return programme


# Calculation -----------------------------------------------------------------------------------------------------------------


def calculated(db: Connection, as_of: date, *, known_at: datetime | None = None, programmes: Sequence[str] | None = None) -> Calculation:
    """What the ledger's facts earn under the newest version of each programme, up to a business day and a moment of knowledge.

    Programmes that touch the same facts are always reckoned together; `programmes` only narrows what is looked at.
    Raises: NotFoundHere for a programme that was never published; BadFacts.
    """
    active = queries.newest(db)
    for name in programmes or ():
        if all(one.programme != name for one in active):
            raise NotFoundHere(f"no programme {name} is published", next_step="look with `hub rebates programmes`")
    start = min((_first(one) for one in active), default=as_of)
    facts = tuple(fact_queries.facts(db, start, as_of + timedelta(days=1), known_at=known_at))
    made = calculate(active, Table(facts, COLUMNS), as_of=as_of, known_at=known_at)
    if programmes is None:
        return made
    kept = [result for result in made.results if result.programme.programme in set(programmes)]
    return Calculation(kept, made.decisions, made.programmes, made.as_of, made.known_at, made.facts_hash, made.facts_count)


def _first(programme: Programme) -> date:
    """The first day whose facts a programme may look at: a year before it begins, for growth."""
    begins = programme.valid.from_ or FIRST_FACT
    return periods.year_before(begins) if programme.growth is not None else begins


def _keep(db: Connection, purpose: str, made: Calculation, results: Sequence[Result], by: str) -> int:
    """Keep a calculation with those results that something follows from; a nightly run of which nothing follows keeps none."""
    kept = Calculation(results, made.decisions, made.programmes, made.as_of, made.known_at, made.facts_hash, made.facts_count)
    return queries.keep(db, purpose, kept, {unit_of(result): of_result(result) for result in results}, by)


# Accruals --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did: how many results, what was booked by currency, and which units were touched."""

    calculation: int
    results: int
    booked: Mapping[str, Decimal] = field(default_factory=dict)
    units: Sequence[str] = ()
    statements: Sequence[str] = ()


def accrue(db: Connection, as_of: date, *, by: str, known_at: datetime | None = None) -> Done:
    """Book what should be accrued by now, less what is (预提): cumulative, so a changed view catches up and a second run books nothing."""
    queries.lock(db)
    fact_service.refresh(db)
    made = calculated(db, as_of, known_at=known_at)
    missing = {unit_of(result): (result, _to_accrue(db, result)) for result in made.results if result.accrued is not None}
    changed = {unit: one for unit, one in missing.items() if one[1]}
    calculation = _keep(db, "accrual", made, [result for result, _ in changed.values()], by)
    booked: dict[str, Decimal] = {}
    booking = new_id()
    for unit, (result, amount) in changed.items():
        programme = result.programme
        queries.book(
            db, result.dealer, programme.programme, programme.currency, {"accrued": amount},
            cause="accrual", reference=unit, booking=booking, by=by,
        )  # fmt: skip
        booked[programme.currency] = booked.get(programme.currency, Decimal(0)) + amount
    return Done(calculation, len(made.results), booked, list(changed))


def _to_accrue(db: Connection, result: Result) -> Decimal:
    """What is missing to the accrual that a result should have now."""
    programme = result.programme
    standing = queries.balance(db, result.dealer, programme.programme, programme.currency, "accrued", unit_of(result))
    return (result.accrued or Decimal(0)) - result.booked.settled - standing


# Settlement ------------------------------------------------------------------------------------------------------------------


def settle(db: Connection, as_of: date, *, by: str, programmes: Sequence[str] | None = None, known_at: datetime | None = None) -> Done:
    """Settle what is due by the programmes' calendars: earned to date less what was settled, with a statement for each result settled.

    A period that is over and whose late days have passed is settled finally; before, by the parts that the calendar names; what changes
    after the final settlement is a correction in the open period. Raises: NotFoundHere, BadFacts.
    """
    queries.lock(db)
    fact_service.refresh(db)
    made = calculated(db, as_of, known_at=known_at, programmes=programmes)
    before = queries.settled_units(db, [unit_of(result) for result in made.results])
    due: list[tuple[Result, str, Before]] = []
    for result in made.results:
        earlier = before.get(unit_of(result), Before())
        kind = _kind(result, as_of, earlier)
        if kind is not None and (result.payable or kind == "final"):
            due.append((result, kind, earlier))
    calculation = _keep(db, "settlement", made, [result for result, _, _ in due], by)
    booked: dict[str, Decimal] = {}
    units, statements, booking = [], [], new_id()
    for result, kind, earlier in due:
        unit, currency = unit_of(result), result.programme.currency
        queries.add_settlement(db, calculation, result, kind, on=as_of, reason=_reason(result, earlier.last_at), by=by)
        _book_settlement(db, result, unit, booking, by)
        said = of_result(result, "dealer") | {"kind": kind, "as_of": as_of.isoformat(), "hash": result.programme.hash}
        statements.append(queries.add_statement(db, result, said, by))
        booked[currency] = booked.get(currency, Decimal(0)) + result.payable
        units.append(unit)
    return Done(calculation, len(made.results), booked, units, statements)


def _kind(result: Result, as_of: date, before: Before) -> str | None:
    """Which settlement a result is due for on a day; None when none is. A part is due once for each day that the calendar names."""
    last = result.span.end - timedelta(days=1)
    if before.kinds & {"final", "correction"}:
        return "correction"
    if as_of >= last + timedelta(days=result.programme.calendar.late_days):
        return "final"
    passed = [day for day in periods.settlement_days(result.programme, result.span) if day < last and day <= as_of]
    return "partial" if passed and (before.up_to is None or before.up_to < passed[-1]) else None


def _reason(result: Result, settled_at: datetime | None) -> str:
    """Why a settled result is settled again: what became known since."""
    if settled_at is None:
        return ""
    since = {line.fact.id for line in result.cell.own.lines if line.fact.recorded_at > settled_at}
    reasons = sorted({late.reason for late in result.late if late.fact in since}) or ["recalculated"]
    return ", ".join(reasons) + (f"; posts in {result.posts_in}" if result.posts_in else "")


def _book_settlement(db: Connection, result: Result, unit: str, booking: UUID, by: str) -> None:
    """What is settled leaves the accrual, as far as it was accrued, and becomes available."""
    programme = result.programme
    standing = queries.balance(db, result.dealer, programme.programme, programme.currency, "accrued", unit)
    used = max(min(standing, result.payable), Decimal(0)) if result.payable > 0 else Decimal(0)
    moves = {"accrued": -used, "available": result.payable}
    queries.book(
        db, result.dealer, programme.programme, programme.currency, moves, cause="settlement", reference=unit, booking=booking, by=by
    )


def close(db: Connection, programme: str, period: str, *, as_of: date, by: str) -> bool:
    """Close a period for good: it is settled finally first. False when it was closed already. Raises: NotFoundHere, WrongState."""
    known = queries.version(db, programme)
    span = next((span for span in periods.of(known) if span.name == period), None) if known else None
    if known is None or span is None:
        raise NotFoundHere(f"there is no period {period} of programme {programme}", next_step="look with `hub rebates programmes`")
    if as_of < span.end - timedelta(days=1) + timedelta(days=known.calendar.late_days):
        raise WrongState(
            f"{period} of {programme} is open for late facts until {span.end + timedelta(days=known.calendar.late_days - 1)}",
            next_step="close it after that day",
        )
    if period in queries.closed(db, programme):
        return False
    done = settle(db, as_of, by=by, programmes=[programme])
    return queries.close_period(db, programme, period, done.calculation, by)


# Statements ------------------------------------------------------------------------------------------------------------------


def sign(db: Connection, number: str, *, by: str) -> None:
    """The dealer agrees. Raises: NotFoundHere, WrongState."""
    _move(db, number, ("issued", "resolved"), "signed", by, "")


def dispute(db: Connection, number: str, *, by: str, reason: str) -> None:
    """The dealer does not agree, and says why. Raises: NotFoundHere, WrongState."""
    if not reason.strip():
        raise WrongState("a dispute needs a reason", next_step="say what is wrong, and with which line")
    _move(db, number, ("issued",), "disputed", by, reason)


def resolve(db: Connection, number: str, *, by: str, answer: str) -> None:
    """We have answered a dispute; what changes is settled as a correction. Raises: NotFoundHere, WrongState."""
    _move(db, number, ("disputed",), "resolved", by, answer)


def _move(db: Connection, number: str, before: Sequence[str], after: str, by: str, note: str) -> None:
    found = queries.statement(db, number, lock_it=True)
    if found is None:
        raise NotFoundHere(f"there is no statement {number}")
    if found["state"] not in before:
        raise WrongState(f"statement {number} is {found['state']}", next_step=f"only one that is {' or '.join(before)} can be {after}")
    queries.set_statement(db, number, after)
    queries.statement_event(db, number, after, by, note)


# Payouts ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Payout:
    """What is paid by one memo: amounts positive, in `currency`."""

    id: str
    dealer_id: UUID
    company_id: UUID
    currency: str
    net: Decimal
    tax: Decimal
    total: Decimal
    tax_rate: Decimal
    note: str


def pay(db: Connection, *, by: str) -> list[Payout]:
    """Payouts for all settlements that are to be paid by memo and were not: one a dealer, currency, tax rate and way.

    What adds up to nothing or less is not paid; it waits until later settlements outweigh it (抵减). A dealer without a record or a company
    of ours to pay it waits too.
    """
    queries.lock(db)
    groups: dict[tuple[str, str, str, Decimal], list[Row]] = {}
    programmes: dict[tuple[str, int], Programme | None] = {}
    for row in queries.unpaid(db):
        key = row["programme"], row["version"]
        if key not in programmes:
            programmes[key] = queries.version(db, *key)
        programme = programmes[key]
        way = programme.settlement.ways[0] if programme else ""
        if programme is not None and way in BY_MEMO and row["dealer_id"] is not None:
            groups.setdefault((row["dealer"], row["currency"], way, programme.settlement.tax_rate or Decimal(0)), []).append(row)
    made = (_pay_one(db, key, members, by) for key, members in groups.items())
    return [payout for payout in made if payout is not None]


def _pay_one(db: Connection, key: tuple[str, str, str, Decimal], members: Sequence[Row], by: str) -> Payout | None:
    dealer, currency, way, rate = key
    total = sum((row["amount"] for row in members), Decimal(0))
    dealer_id: UUID = members[0]["dealer_id"]
    company = queries.company_of(db, dealer_id)
    if total <= 0 or company is None:
        return None
    net = exact_half_up(Fraction(total) / (1 + Fraction(rate)), 2)
    note = "; ".join(sorted({f"{row['programme']} {row['period']}" for row in members}))
    values = {
        "dealer": dealer, "dealer_id": dealer_id, "company_id": company, "way": way, "currency": currency, "net": net, "tax": total - net,
        "total": total, "tax_rate": rate, "note": note, "by": by,
    }  # fmt: skip
    number = queries.add_payout(db, values, {row["id"]: row["amount"] for row in members})
    booking = new_id()
    for row in members:
        moves = {"available": -row["amount"], "paid_out": row["amount"]}
        queries.book(db, dealer, row["programme"], currency, moves, cause="payout", reference=number, booking=booking, by=by)
        booking = new_id()
    return Payout(number, dealer_id, company, currency, net, total - net, total, rate, note)


# The dealer's account --------------------------------------------------------------------------------------------------------


def freeze(db: Connection, dealer: str, programme: str, currency: str, amount: Decimal, *, order: str, by: str) -> None:
    """Set an amount aside for an order. Raises: NotEnough."""
    _transfer(db, dealer, programme, currency, amount, ("available", None), "frozen", cause="freeze", reference=order, by=by)


def release(db: Connection, dealer: str, programme: str, currency: str, amount: Decimal, *, order: str, by: str) -> None:
    """Give back what an order does not use after all. Raises: NotEnough."""
    _transfer(db, dealer, programme, currency, amount, ("frozen", order), "available", cause="release", reference=order, by=by)


def use(db: Connection, dealer: str, programme: str, currency: str, amount: Decimal, *, order: str, line: str, by: str) -> None:
    """An ERP line has used what was frozen for its order. Raises: NotEnough."""
    _transfer(db, dealer, programme, currency, amount, ("frozen", order), "used", cause="use", reference=order, by=by, detail=line)


def expire(db: Connection, dealer: str, programme: str, currency: str, amount: Decimal, *, reason: str, by: str) -> None:
    """What was not used in time is lost. Raises: NotEnough."""
    _transfer(db, dealer, programme, currency, amount, ("available", None), "expired", cause="expiry", reference=reason, by=by)


def _transfer(
    db: Connection, dealer: str, programme: str, currency: str, amount: Decimal, source: tuple[str, str | None], target: str, *,
    cause: str, reference: str, by: str, detail: str = "",
) -> None:  # fmt: skip
    queries.lock(db)
    account, of = source
    standing = queries.balance(db, dealer, programme, currency, account, of)
    if amount <= 0 or standing < amount:
        raise NotEnough(
            f"{dealer} has {decimal_text(standing)} {currency} {account} of {programme}, not {decimal_text(amount)}",
            next_step="take a positive amount up to that",
        )
    where = f"{reference}/{detail}" if detail else reference
    booking = new_id()
    taken = {account: -amount}
    queries.book(db, dealer, programme, currency, taken, cause=cause, reference=of or reference, booking=booking, by=by)
    queries.book(db, dealer, programme, currency, {target: amount}, cause=cause, reference=where, booking=booking, by=by)
