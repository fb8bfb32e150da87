"""Statements about programmes, results, settlements, statements of dealers and closed periods. Amounts are in the programme's currency."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from channel.rebates.claims import Claimed
from channel.rebates.numbering import letters
from channel.rebates.programme import Programme
from channel.rebates.results import ENGINE, Result
from ledger.bulk import from_json, json_text

Connection = psycopg.Connection[Any]
Row = dict[str, Any]


def rows(db: Connection, query: str, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> list[Row]:
    """All rows of a query, by name."""
    with db.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), parameters).fetchall()


def one(db: Connection, query: str, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> Row | None:
    """The first row, None if there is none."""
    found = rows(db, query, parameters)
    return found[0] if found else None


def lock(db: Connection) -> None:
    """Money of rebates moves in one transaction at a time."""
    db.execute("SELECT pg_advisory_xact_lock(hashtext('rebate_money'))")


# Programmes ------------------------------------------------------------------------------------------------------------------


def versions(db: Connection, programme: str) -> list[Row]:
    """What was published of a programme, oldest first."""
    query = "SELECT version, type, hash, published_at, published_by, reason FROM programme_version WHERE programme = %s ORDER BY version"
    return rows(db, query, [programme])


def add_version(db: Connection, programme: Programme | Claimed, by: str, reason: str) -> None:
    """Publish a version."""
    doc = json_text(programme.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    db.execute(
        "INSERT INTO programme_version (programme, version, hash, doc, published_by, reason) VALUES (%s, %s, %s, %s, %s, %s)",
        [programme.programme, programme.version, programme.hash, doc, by, reason],
    )


def newest(db: Connection, programmes: Sequence[str] | None = None) -> list[Programme]:
    """The newest version of each rebate programme, or of those named. Programmes of claims: `channel.funds.queries`."""
    query = (
        "SELECT DISTINCT ON (programme) doc::text AS doc FROM programme_version "
        "WHERE type = 'rebate' AND (%(names)s::text[] IS NULL OR programme = ANY(%(names)s)) ORDER BY programme, version DESC"
    )
    return [programme_of(row["doc"]) for row in rows(db, query, {"names": None if programmes is None else list(programmes)})]


def version(db: Connection, programme: str, number: int | None = None) -> Programme | None:
    """One version of a rebate programme, or the newest."""
    query = (
        "SELECT doc::text AS doc FROM programme_version WHERE type = 'rebate' AND programme = %(name)s "
        "AND (%(number)s::int IS NULL OR version = %(number)s) ORDER BY version DESC LIMIT 1"
    )
    found = one(db, query, {"name": programme, "number": number})
    return programme_of(found["doc"]) if found else None


def programme_of(doc: str) -> Programme:
    """A programme from its stored document."""
    return Programme.model_validate(from_json(doc))


# Results ---------------------------------------------------------------------------------------------------------------------

_DEALER_ID: Final = (
    "(SELECT p.id FROM parties AS p WHERE (p.number = %(dealer)s OR p.hub_key = %(dealer)s) AND NOT p.retired "
    "ORDER BY p.number = %(dealer)s DESC, p.id LIMIT 1)"
)
"""One party, chosen as `dealer_ids` chooses many."""


def unit_of(result: Result) -> str:
    """What is settled by itself: programme, dealer, scope and period; the same in every calculation."""
    scope = ",".join(f"{name}={value}" for name, value in sorted(result.scope.items()))
    return f"{result.programme.programme}|{result.dealer}|{scope}|{result.span.name}"


def begin_calculation(
    db: Connection, purpose: str, programmes: Sequence[Programme], as_of: date, known_at: datetime | None, by: str
) -> int:
    """Keep a calculation, to which results are added; its id."""
    found = one(
        db,
        "INSERT INTO rebate_calculation (purpose, programmes, hashes, as_of, known_at, facts_hash, engine, by) "
        "VALUES (%s, %s, %s, %s, coalesce(%s, transaction_timestamp()), '', %s, %s) RETURNING id",
        [purpose, [one.key for one in programmes], [one.hash for one in programmes], as_of, known_at, ENGINE, by],
    )
    assert found is not None  # noqa: S101  an insert returns its row
    return int(found["id"])


def end_calculation(db: Connection, calculation: int, facts_hash: str) -> None:
    """Note which facts it was made of."""
    db.execute("UPDATE rebate_calculation SET facts_hash = %s WHERE id = %s", [facts_hash, calculation])


def add_results(db: Connection, calculation: int, results: Sequence[Result], told: Callable[[Result], Mapping[str, Any]]) -> None:
    """Keep results of a calculation; `told` says what is kept of each."""
    dealers = dealer_ids(db, sorted({result.dealer for result in results}))
    with (
        db.cursor() as cursor,
        cursor.copy(
            "COPY rebate_result (calculation_id, unit, programme, version, dealer, dealer_id, period, currency, earned, payable, doc) "
            "FROM STDIN"
        ) as copy,
    ):
        for result in results:
            programme = result.programme
            copy.write_row(
                (
                    calculation, unit_of(result), programme.programme, programme.version, result.dealer, dealers.get(result.dealer),
                    result.span.name, programme.currency, result.earned, result.payable, json_text(told(result)),
                )
            )  # fmt: skip


def dealer_ids(db: Connection, numbers: Sequence[str]) -> dict[str, UUID]:
    """Parties by the number, or the hub key, that facts name them by."""
    query = (
        "SELECT DISTINCT ON (n.code) n.code, p.id FROM unnest(%s::text[]) AS n (code) "
        "JOIN parties AS p ON p.number = n.code OR p.hub_key = n.code WHERE NOT p.retired ORDER BY n.code, p.number = n.code DESC, p.id"
    )
    return {row["code"]: row["id"] for row in rows(db, query, [list(numbers)])}


# Settlements -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Before:
    """What was settled of a unit."""

    kinds: frozenset[str] = frozenset()
    last_at: datetime | None = None
    up_to: date | None = None
    """The business day up to which the last one reckoned."""


def settled_units(db: Connection, units: Sequence[str]) -> dict[str, Before]:
    """Kinds of settlement that each unit has had, and when it had the last one."""
    query = (
        "SELECT s.unit, array_agg(DISTINCT s.kind) AS kinds, max(s.at) AS last_at, max(c.as_of) AS up_to FROM rebate_settlement AS s "
        "JOIN rebate_calculation AS c ON c.id = s.calculation_id WHERE s.unit = ANY(%s) GROUP BY s.unit"
    )
    return {row["unit"]: Before(frozenset(row["kinds"]), row["last_at"], row["up_to"]) for row in rows(db, query, [list(units)])}


@dataclass(frozen=True, slots=True)
class Settling:
    """A result that is settled: what kind of settlement it is, and why."""

    result: Result
    kind: str
    reason: str


def add_settlements(db: Connection, calculation: int, due: Sequence[Settling], *, on: date, by: str) -> dict[str, tuple[int, UUID | None]]:
    """Settle payables, and put them among the facts, so that the next calculation knows them; by unit the settlement's id and the party."""
    columns = list(zip(*((unit_of(one.result), one.kind, one.result.earned, one.result.booked.settled, one.result.payable, one.reason)
                         for one in due), strict=True)) or [()] * 6  # fmt: skip
    found = rows(
        db,
        "INSERT INTO rebate_settlement (calculation_id, unit, kind, programme, version, dealer, dealer_id, period, currency, earned, "
        "settled_before, amount, reason, by) SELECT r.calculation_id, r.unit, n.kind, r.programme, r.version, r.dealer, r.dealer_id, "
        "r.period, r.currency, n.earned, n.before, n.amount, n.reason, %s FROM unnest(%s::text[], %s::text[], %s::numeric[], "
        "%s::numeric[], %s::numeric[], %s::text[]) WITH ORDINALITY AS n (unit, kind, earned, before, amount, reason, at) "
        "JOIN rebate_result AS r ON (r.calculation_id, r.unit) = (%s, n.unit) ORDER BY n.at RETURNING id, unit, dealer_id",
        [by, *map(list, columns), calculation],
    )
    made = {row["unit"]: (int(row["id"]), row["dealer_id"]) for row in found}
    _note_settled(db, [(one.result, *made[unit_of(one.result)]) for one in due], on)
    return made


def _note_settled(db: Connection, settled: Sequence[tuple[Result, int, UUID | None]], on: date) -> None:
    """Facts about results: settled so much on a business day."""
    db.execute("SELECT rebate_fact_month(date_trunc('month', %s::date)::date)", [on])
    names = ("date", "id", "revision", "kind", "dealer", "dealer_id", "currency", "amount", "applies_to", *_SCOPE, "more")
    with db.cursor() as cursor, cursor.copy(f"COPY rebate_fact ({', '.join(names)}) FROM STDIN".encode()) as copy:
        for result, number, dealer_id in settled:
            programme, scope = result.programme, result.scope
            more = {"programme": programme.programme, "period": result.span.name, "status": "settled"}
            copy.write_row(
                (
                    on, f"settlement:{number}", 1, "settlement", result.dealer, dealer_id, programme.currency, result.payable,
                    scope.get("line", ""), *(scope.get(name, "") for name in _SCOPE), json_text(more),
                )
            )  # fmt: skip


_SCOPE: Final = ("product_line", "product", "brand", "region", "channel", "customer", "company", "project", "document")


# Accounts --------------------------------------------------------------------------------------------------------------------


Entry = tuple[str, UUID | None, str, str, str, Decimal, str, date | None]
"""Dealer and party, programme, currency, account, amount, reference, last day."""


def book_settled(db: Connection, entries: Sequence[Entry], *, booking: UUID, by: str) -> None:
    """What settlements book, in one statement."""
    into = (
        "COPY rebate_entry (dealer, dealer_id, programme, currency, account, amount, reference, expires_on, booking, cause, by) FROM STDIN"
    )
    with db.cursor() as cursor, cursor.copy(into) as copy:
        for entry in entries:
            copy.write_row((*entry, booking, "settlement", by))


def balance(db: Connection, dealer: str, programme: str, currency: str, account: str, reference: str | None = None) -> Decimal:
    """What stands on one account, or on it for one reference."""
    found = one(
        db,
        "SELECT coalesce(sum(amount), 0) AS amount FROM rebate_entry WHERE dealer = %(dealer)s AND programme = %(programme)s "
        "AND currency = %(currency)s AND account = %(account)s AND (%(reference)s::text IS NULL OR reference = %(reference)s)",
        {"dealer": dealer, "programme": programme, "currency": currency, "account": account, "reference": reference},
    )
    return Decimal(found["amount"]) if found else Decimal(0)


def book(
    db: Connection, dealer: str, programme: str, currency: str, moves: Mapping[str, Decimal], *, cause: str, reference: str, booking: UUID,
    by: str, expires_on: date | None = None, order_id: UUID | None = None, line: str = "", note: str = "", move: str | None = None,
) -> None:  # fmt: skip
    """Entries on accounts of one dealer, as one booking in one statement. move: names what may be booked only once."""
    told = {account: amount for account, amount in moves.items() if amount}
    db.execute(
        "INSERT INTO rebate_entry (dealer, dealer_id, programme, currency, account, amount, booking, cause, reference, expires_on, by, "
        f"order_id, line, note, move) SELECT %(dealer)s, {_DEALER_ID}, %(programme)s, %(currency)s, m.account, m.amount, %(booking)s, "
        "%(cause)s, %(reference)s, CASE WHEN m.account = 'available' THEN %(expires)s::date END, %(by)s, %(order)s, %(line)s, %(note)s, "
        "%(move)s FROM unnest(%(accounts)s::text[], %(amounts)s::numeric[]) AS m (account, amount)".encode(),
        {
            "dealer": dealer, "programme": programme, "currency": currency, "accounts": list(told), "amounts": list(told.values()),
            "booking": booking, "cause": cause, "reference": reference, "expires": expires_on, "by": by, "order": order_id, "line": line,
            "note": note, "move": move,
        },
    )  # fmt: skip


# Statements ------------------------------------------------------------------------------------------------------------------


Issued = tuple[Programme, str, UUID | None, str, Mapping[str, Any]]
"""A statement: programme, to whom (code and party), period, and what it says."""


def add_statements(db: Connection, told: Sequence[Issued], by: str) -> list[str]:
    """Issue statements; their numbers, in order: `RS-2026-000123-7KQ2M9`, with letters of what each says."""
    query = (
        "SELECT 'RS-' || to_char(clock_timestamp() AT TIME ZONE 'Asia/Shanghai', 'YYYY') || '-' || lpad(nextval('rebate_number')::text, 6, "
        "'0') AS id FROM generate_series(1, %s)"
    )
    docs = [json_text(doc) for *_, doc in told]
    counted = zip(rows(db, query, [len(told)]), told, docs, strict=True)
    numbers = [f"{row['id']}-{letters((one[0].key, one[1], one[3], doc))}" for row, one, doc in counted]
    into = "COPY rebate_statement (id, programme, version, dealer, dealer_id, period, doc, issued_by) FROM STDIN"
    with db.cursor() as cursor, cursor.copy(into) as copy:
        for number, (programme, dealer, dealer_id, period, _), doc in zip(numbers, told, docs, strict=True):
            copy.write_row((number, programme.programme, programme.version, dealer, dealer_id, period, doc, by))
    with db.cursor() as cursor, cursor.copy("COPY rebate_statement_event (statement_id, what, by, note) FROM STDIN") as copy:
        for number in numbers:
            copy.write_row((number, "issued", by, ""))
    return numbers


def passed_before(db: Connection, unit: str) -> list[Row]:
    """What was handed on of a unit so far, by the code and the party that received it."""
    return rows(
        db, "SELECT dealer, dealer_id, sum(amount) AS amount FROM rebate_passed_on WHERE unit = %s GROUP BY 1, 2 ORDER BY 1", [unit]
    )


def called_before(db: Connection, codes: Sequence[str]) -> dict[str, UUID]:
    """Parties by codes that they do not have any more: of merged records, of what was handed on to them, of their own facts."""
    query = (
        "SELECT DISTINCT ON (n.code) n.code, x.id FROM unnest(%(codes)s::text[]) AS n (code) JOIN ("
        "SELECT hub_key AS code, entity_id AS id, 1 AS how, since AS at FROM hub_key_alias WHERE entity = 'party' "
        "UNION ALL SELECT dealer, dealer_id, 2, NULL FROM rebate_passed_on WHERE dealer = ANY(%(codes)s) "
        "UNION ALL SELECT dealer, dealer_id, 3, recorded_at FROM rebate_fact WHERE dealer = ANY(%(codes)s)"
        ") AS x ON x.code = n.code WHERE x.id IS NOT NULL ORDER BY n.code, x.how, x.at DESC"
    )
    return {row["code"]: row["id"] for row in rows(db, query, {"codes": list(codes)})}


def living(db: Connection, parties: Sequence[UUID]) -> dict[UUID, tuple[UUID, str]]:
    """Each of some parties as it is now, and its code: of one that was merged into another, that one."""
    query = (
        "SELECT p.id AS was, b.id, coalesce(nullif(b.number, ''), b.hub_key) AS code FROM parties AS p "
        "LEFT JOIN hub_key_alias AS a ON p.retired AND a.entity = 'party' AND a.hub_key = p.hub_key "
        "JOIN parties AS b ON b.id = coalesce(a.entity_id, p.id) WHERE p.id = ANY(%s)"
    )
    return {row["was"]: (row["id"], row["code"]) for row in rows(db, query, [list(parties)])}


def add_passed_on(db: Connection, row: Mapping[str, Any]) -> None:
    """What a settlement hands on to one of the second level."""
    db.execute(
        "INSERT INTO rebate_passed_on (settlement_id, unit, dealer, dealer_id, currency, to_date, amount, statement_id) "
        "VALUES (%(settlement)s, %(unit)s, %(dealer)s, %(dealer_id)s, %(currency)s, %(to_date)s, %(amount)s, %(statement)s)",
        row,
    )


def statement_event(db: Connection, statement: str, what: str, by: str, note_text: str) -> None:
    """Something happened to a statement."""
    db.execute(
        "INSERT INTO rebate_statement_event (statement_id, what, by, note) VALUES (%s, %s, %s, %s)", [statement, what, by, note_text]
    )


def statement(db: Connection, number: str, *, lock_it: bool = False) -> Row | None:
    """A statement with its document."""
    return one(db, f"SELECT * FROM rebate_statement WHERE id = %s{' FOR UPDATE' if lock_it else ''}", [number])


def set_statement(db: Connection, number: str, state: str) -> None:
    """Its state; all else is pinned."""
    db.execute("UPDATE rebate_statement SET state = %s WHERE id = %s", [state, number])


def statements(db: Connection, *, dealer_id: UUID | None = None, after: str = "", limit: int = 100) -> list[Row]:
    """Statements in the order of their numbers, without their documents."""
    query = (
        "SELECT id, programme, version, dealer, dealer_id, period, state, issued_at FROM rebate_statement "
        "WHERE id > %(after)s AND (%(dealer)s::uuid IS NULL OR dealer_id = %(dealer)s) ORDER BY id LIMIT %(limit)s"
    )
    return rows(db, query, {"after": after, "dealer": dealer_id, "limit": limit})


# Closed periods --------------------------------------------------------------------------------------------------------------


def close_period(db: Connection, programme: str, period: str, calculation: int, by: str, version: int) -> bool:
    """Close a period for good, with the version that rules it; False when it is closed already."""
    done = db.execute(
        "INSERT INTO period_close (programme, period, closed_by, calculation_id, version) VALUES (%s, %s, %s, %s, %s) "
        "ON CONFLICT DO NOTHING",
        [programme, period, by, calculation, version],
    )
    return done.rowcount == 1


def closed(db: Connection, programme: str) -> dict[str, datetime]:
    """Closed periods of a programme."""
    return {
        row["period"]: row["closed_at"] for row in rows(db, "SELECT period, closed_at FROM period_close WHERE programme = %s", [programme])
    }
