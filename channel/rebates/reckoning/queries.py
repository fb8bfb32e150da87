"""Statements of the nightly reckoning: kept sums by family, what new facts touch, and what is booked and settled.

A family's sums are keyed by whom they are read for, era, scope, day and words (:mod:`channel.rebates.reckoning.families`). Everything is
done within the caller's transaction: sums, watermark and bookings commit together or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from psycopg.rows import tuple_row

from channel.rebates.fact_queries import fact_of
from channel.rebates.facts import BEGINNING, Fact
from channel.rebates.programme import Programme
from channel.rebates.queries import Connection, Row, dealer_ids, one, programme_of, rows
from channel.rebates.reckoning.families import Family
from channel.rebates.reckoning.line_queries import IS_LINE, WHO, scope_of
from ledger.bulk import from_json, json_text

_SHAPE: Final = (
    "concat(coalesce(sign(f.amount)::int::text, 'x'), ' ', coalesce(sign(f.gross)::int::text, 'x'), ' ', sign(f.quantity)::int::text, ' ', "
    "CASE WHEN f.order_date IS NOT NULL THEN 'o' END, CASE WHEN f.delivery_date IS NOT NULL THEN 'd' END, "
    "CASE WHEN f.invoice_date IS NOT NULL THEN 'i' END, CASE WHEN f.sell_out_date IS NOT NULL THEN 's' END)"
)
"""Which figures a line has, and of which sign; which of the days."""
_EVENTS: Final[Mapping[str, str]] = {"o": "order_date", "d": "delivery_date", "i": "invoice_date", "s": "sell_out_date"}
_LATE: Final = (
    "CASE WHEN f.seq > %(begun)s AND f.recorded_at > (%(closings)s::timestamptz[])[width_bucket(f.date, %(cuts)s::date[])] "
    "THEN concat_ws(' ', f.revision, extract(epoch FROM f.recorded_at), f.id) ELSE '' END"
)
"""A line that came after its statement and after the family was begun stands by itself: a correction names it."""
_EVERY_SUM: Final = ("f.dealer", "f.kind", "f.currency", _SHAPE, "coalesce(f.more::text, '')", _LATE)
"""The words that the sums of every family have, before its own."""
_KEY: Final = "who, era, scope"


# Programmes --------------------------------------------------------------------------------------------------------------------


def published(db: Connection) -> list[list[Programme]]:
    """All versions of every programme, oldest first."""
    found: dict[str, list[Programme]] = {}
    for row in rows(db, "SELECT programme, doc::text AS doc FROM programme_version WHERE type = 'rebate' ORDER BY programme, version"):
        found.setdefault(row["programme"], []).append(programme_of(row["doc"]))
    return list(found.values())


def closed(db: Connection) -> dict[str, dict[str, int]]:
    """Closed periods of all programmes, and the version that each was closed with."""
    query = "SELECT programme, period, version FROM period_close WHERE version IS NOT NULL"
    found: dict[str, dict[str, int]] = {}
    for row in rows(db, query):
        found.setdefault(row["programme"], {})[row["period"]] = row["version"]
    return found


# Sums --------------------------------------------------------------------------------------------------------------------------


def newest_fact(db: Connection) -> int:
    """The number up to which all facts are there; until the transaction ends, no other one adds any."""
    db.execute("SELECT pg_advisory_xact_lock(hashtext('rebate_fact_seq'))")
    name = one(db, "SELECT pg_get_serial_sequence('rebate_fact', 'seq') AS name")
    assert name is not None  # noqa: S101  a SELECT without FROM gives a row
    found = one(db, f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS seq FROM {name['name']}")
    return int(found["seq"]) if found else 0


def kept(db: Connection, keys: Sequence[str]) -> dict[str, Row]:
    """What is kept of families, by key."""
    query = "SELECT id, key, begun_to, folded_to, folded_day, clock::text AS clock FROM rebate_family WHERE key = ANY(%s)"
    return {row["key"]: row | {"clock": from_json(row["clock"])} for row in rows(db, query, [list(keys)])}


def drop_others(db: Connection, keys: Sequence[str]) -> None:
    """Forget families that are no more."""
    db.execute("DELETE FROM rebate_family WHERE key <> ALL(%s)", [list(keys)])


def drop(db: Connection, key: str) -> None:
    """Forget one, so that it is made anew."""
    db.execute("DELETE FROM rebate_family WHERE key = %s", [key])


def begin(db: Connection, family: Family, seq: int, as_of: date) -> int:
    """Keep a family from now on, with the sums of all facts up to a number where sums suffice, and everything touched; its id."""
    found = one(
        db,
        "INSERT INTO rebate_family (key, programmes, begun_to, folded_to, folded_day) VALUES (%(key)s, %(programmes)s, %(seq)s, %(seq)s, "
        "%(day)s) RETURNING id",
        {"key": family.key, "programmes": [one.key for one in family.programmes], "seq": seq, "day": as_of},
    )
    assert found is not None  # noqa: S101  an insert returns its row
    if not family.needs_lines:
        later = "(SELECT id, max(revision) AS revision FROM rebate_fact WHERE revision > 1 GROUP BY id)"
        source = (
            f"(SELECT 1 AS sign, a.* FROM rebate_fact AS a LEFT JOIN {later} AS b ON b.id = a.id "
            "WHERE a.seq <= %(begun)s AND (b.id IS NULL OR a.revision = b.revision))"
        )
        db.execute("SET LOCAL enable_nestloop = off")  # nobody has counted yet how many facts were corrected
        fold(db, family, found["id"], seq, as_of, source)
        db.execute("SET LOCAL enable_nestloop = on")
        db.execute("ANALYZE rebate_sum")
    return int(found["id"])


def find_changes(db: Connection, after: int, seq: int) -> int:
    """Put what the facts after a number say, and what they replace, side by side; how many are new."""
    db.execute("DROP TABLE IF EXISTS fact_change")
    db.execute(
        b"CREATE TEMP TABLE fact_change ON COMMIT DROP AS "
        b"WITH fresh AS MATERIALIZED (SELECT * FROM rebate_fact WHERE seq > %(after)s AND seq <= %(seq)s) "
        b"SELECT 1 AS sign, n.* FROM (SELECT DISTINCT ON (id) * FROM fresh ORDER BY id, revision DESC) AS n UNION ALL "
        b"SELECT -1 AS sign, o.* FROM (SELECT DISTINCT ON (id) * FROM fresh ORDER BY id, revision) AS n CROSS JOIN LATERAL ("
        b"SELECT * FROM rebate_fact WHERE date = n.was AND id = n.id AND revision = n.revision - 1 LIMIT 1) AS o",
        {"after": after, "seq": seq},
    )
    db.execute("ANALYZE fact_change")
    found = one(db, "SELECT count(*) FILTER (WHERE sign = 1) AS fresh FROM fact_change")
    return int(found["fresh"]) if found else 0


def fold(db: Connection, family: Family, family_id: int, begun: int, as_of: date, source: str = "fact_change") -> None:
    """Take the changes, or all facts at first, into the sums of a family, and note what they touch."""
    query = (
        f"WITH done AS (INSERT INTO rebate_sum (family_id, {_KEY}, day, words, quantity, amount, gross, lines, example) "
        f"SELECT %(family)s, {_KEY}, day, words, sum(sign * quantity), sum(sign * amount), sum(sign * gross), sum(sign), min(id) "
        f"FROM ({_keyed(family, source)}) AS k GROUP BY {_KEY}, day, words "
        f"ON CONFLICT (family_id, {_KEY}, day, words) DO UPDATE SET quantity = rebate_sum.quantity + excluded.quantity, "
        "amount = rebate_sum.amount + excluded.amount, gross = rebate_sum.gross + excluded.gross, "
        "lines = rebate_sum.lines + excluded.lines "
        f"RETURNING {_KEY}) INSERT INTO rebate_touched (family_id, {_KEY}) SELECT DISTINCT %(family)s::bigint, {_KEY} FROM done "
        "ON CONFLICT DO NOTHING"
    )
    db.execute(query.encode(), _values(family, family_id, begun, as_of))


def touch_days(db: Connection, family: Family, family_id: int, begun: int, after: date, as_of: date) -> None:
    """Note what facts touch that were known before their day had come: those of the days since the last time."""
    source = "(SELECT 1 AS sign, f.* FROM rebate_fact AS f WHERE f.date > %(after)s AND f.date <= %(as_of)s)"
    touched = f"SELECT DISTINCT %(family)s::bigint, {_KEY} FROM ({_keyed(family, source)}) AS k"
    _touch(db, touched, _values(family, family_id, begun, as_of) | {"after": after})


def touch_eras(db: Connection, family_id: int, eras: Sequence[date]) -> None:
    """Note everything in some eras."""
    query = f"SELECT DISTINCT family_id, {_KEY} FROM rebate_sum WHERE family_id = %(family)s AND era = ANY(%(eras)s)"
    _touch(db, query, {"family": family_id, "eras": list(eras)})


def touch(db: Connection, family_id: int, units: Sequence[tuple[str, date, Sequence[str]]]) -> None:
    """Note some of them by name."""
    query = "INSERT INTO rebate_touched (family_id, who, era, scope) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
    with db.cursor() as cursor:
        cursor.executemany(query, [(family_id, who, era, list(scope)) for who, era, scope in units])


def touch_sample(db: Connection, family_id: int, count: int) -> None:
    """Note some units, chosen by chance from the pages of the sums."""
    size = one(db, "SELECT greatest(1, pg_relation_size('rebate_sum') / 8192) AS pages")
    share = min(Decimal(100), Decimal(100 * count) / int(size["pages"])) if size else Decimal(100)
    query = (
        f"SELECT * FROM (SELECT DISTINCT family_id, {_KEY} FROM rebate_sum TABLESAMPLE SYSTEM (%(share)s) "
        "WHERE family_id = %(family)s) AS s ORDER BY random() LIMIT %(count)s"
    )
    _touch(db, query, {"family": family_id, "share": share, "count": count})


def note_folded(db: Connection, family_id: int, seq: int, as_of: date, clock: Mapping[str, str]) -> None:
    """How far a family's sums go now."""
    query = "UPDATE rebate_family SET folded_to = %s, folded_day = %s, clock = %s WHERE id = %s"
    db.execute(query, [seq, as_of, json_text(clock), family_id])


def take_touched(db: Connection, family_id: int, eras: Sequence[date] | None = None) -> None:
    """What was touched has been looked at."""
    query = "DELETE FROM rebate_touched WHERE family_id = %(family)s AND (%(eras)s::date[] IS NULL OR era = ANY(%(eras)s))"
    db.execute(query, {"family": family_id, "eras": None if eras is None else list(eras)})


def touched(db: Connection, family_id: int) -> list[tuple[str, date, tuple[str, ...]]]:
    """What has to be looked at: whom, era, scope; in order."""
    query = f"SELECT {_KEY} FROM rebate_touched WHERE family_id = %s ORDER BY {_KEY}"
    return [(row["who"], row["era"], tuple(row["scope"])) for row in rows(db, query, [family_id])]


def _touch(db: Connection, query: str, values: Mapping[str, Any]) -> None:
    db.execute(f"INSERT INTO rebate_touched (family_id, {_KEY}) {query} ON CONFLICT DO NOTHING".encode(), values)


def _values(family: Family, family_id: int, begun: int, as_of: date) -> dict[str, Any]:
    first, after = family.cuts[0], family.cuts[-1]
    return {
        "family": family_id, "as_of": as_of, "cuts": family.cuts, "eras": [start for start, _ in family.eras], "first": first,
        "after_all": after, "begun": begun, "closings": [] if family.bare else family.closings,
    }  # fmt: skip


def _keyed(family: Family, source: str) -> str:
    """Every line of `source` that can matter, with the key of its sum."""
    words = [*_EVERY_SUM, *(f"f.{name}" for name in family.words)]
    if family.bare:
        words[_EVERY_SUM.index(_LATE)] = "''"
    return (
        f"SELECT {WHO[family.reach.who]} AS who, (%(eras)s::date[])[greatest(1, width_bucket(f.date, %(eras)s::date[]))] AS era, "
        f"{scope_of(family)} AS scope, "
        "CASE WHEN f.date > %(as_of)s THEN f.date ELSE (%(cuts)s::date[])[width_bucket(f.date, %(cuts)s::date[])] END AS day, "
        f"ARRAY[{', '.join(words)}]::text[] AS words, f.sign, f.id, f.quantity, coalesce(f.amount, 0) AS amount, "
        f"coalesce(f.gross, 0) AS gross FROM {source} AS f WHERE {IS_LINE} AND f.date >= %(first)s AND f.date < %(after_all)s"
    )


def sums_of_touched(db: Connection, family: Family, family_id: int, as_of: date, whos: Sequence[str]) -> Iterator[Fact]:
    """The sums of what is touched, each as one fact that stands for its lines; its id is one of theirs."""
    query = (
        "SELECT s.example, s.day, s.scope, s.words, s.quantity, s.amount, s.gross FROM rebate_touched AS t "
        "JOIN rebate_sum AS s ON s.family_id = t.family_id AND s.who = t.who AND s.era = t.era AND s.scope = t.scope "
        "WHERE t.family_id = %s AND t.who = ANY(%s) AND s.lines > 0 AND s.day <= %s"
    )
    with db.cursor(row_factory=tuple_row) as cursor:
        for at, row in enumerate(cursor.execute(query, [family_id, list(whos), as_of])):
            yield _summed(family, row, at)


def units_of(db: Connection, family: Family, family_id: int) -> list[str]:
    """The units that the sums of a family are in. Its words have the unit."""
    query = (
        "SELECT DISTINCT words[%(at)s] AS unit FROM rebate_sum WHERE family_id = %(family)s AND lines > 0 AND quantity <> 0 "
        "AND words[%(at)s] <> ''"
    )
    at = len(_EVERY_SUM) + family.words.index("unit") + 1
    return [row["unit"] for row in rows(db, query, {"family": family_id, "at": at})]


def sums_of(db: Connection, family: Family, family_id: int, as_of: date) -> Iterator[Fact]:
    """All sums of a family."""
    query = (
        "SELECT example, day, scope, words, quantity, amount, gross FROM rebate_sum WHERE family_id = %s AND lines > 0 AND day <= %s "
        "ORDER BY who, era, scope, day, words"
    )
    with db.cursor(row_factory=tuple_row) as cursor:
        for at, row in enumerate(cursor.execute(query, [family_id, as_of])):
            yield _summed(family, row, at)


def _summed(family: Family, row: Sequence[Any], at: int) -> Fact:
    example, day, scope, words, quantity, amount, gross = row
    dealer, kind, currency, shape, more, late, *others = words
    has_amount, has_gross, _, events = shape.split(" ")
    said: dict[str, Any] = dict(zip(family.words, others, strict=True)) | dict(zip(family.reach.scope, scope, strict=True))
    said |= {_EVENTS[letter]: day for letter in events}
    said |= {"id": f"{example}#{at}", "kind": kind, "dealer": dealer, "date": day, "currency": currency, "quantity": quantity}
    said |= {"amount": None if has_amount == "x" else amount, "gross": None if has_gross == "x" else gross}
    if late:
        revision, seconds, said["id"] = late.split(" ", 2)
        recorded_at = BEGINNING + timedelta(microseconds=int(Decimal(seconds).scaleb(6)))
        said |= {"revision": int(revision), "recorded_at": recorded_at}
    return fact_of(said, more)


# What is booked ----------------------------------------------------------------------------------------------------------------


def accrued(db: Connection, units: Sequence[str]) -> dict[tuple[str, str], Decimal]:
    """What stands accrued for each unit, by unit and currency."""
    query = (
        "SELECT reference AS unit, currency, sum(amount) AS amount FROM rebate_entry WHERE account = 'accrued' AND reference = ANY(%s) "
        "GROUP BY 1, 2"
    )
    return {(row["unit"], row["currency"]): row["amount"] for row in rows(db, query, [list(units)])}


def accrued_of(
    db: Connection, programmes: Sequence[str], *, dealers: Sequence[str] | None = None, units: Sequence[str] | None = None
) -> list[Row]:
    """Every unit of some programmes that is not as if nothing had ever been earned, with what stands accrued for it (`amount`).

    What was accrued and then settled leaves nothing standing, and is there all the same. Of some dealers, or of these units, if named.
    """

    def wanted(unit: str) -> str:
        return (
            "programme = ANY(%(programmes)s) AND (%(dealers)s::text[] IS NULL OR dealer = ANY(%(dealers)s))"
            f"{'' if units is None else f' AND {unit} = ANY(%(units)s)'}"
        )

    query = (
        "SELECT unit, dealer, programme, currency, sum(standing) AS amount FROM ("
        "SELECT reference AS unit, dealer, programme, currency, amount AS standing, 0 AS settled FROM rebate_entry "
        f"WHERE account = 'accrued' AND {wanted('reference')} UNION ALL "
        f"SELECT unit, dealer, programme, currency, 0, amount FROM rebate_settlement WHERE {wanted('unit')}"
        ") AS b GROUP BY 1, 2, 3, 4 HAVING sum(standing) <> 0 OR sum(settled) <> 0 ORDER BY 1, 4"
    )
    given = {"dealers": None if dealers is None else list(dealers), "units": None if units is None else list(units)}
    return rows(db, query, {"programmes": list(programmes), **given})


def settled(db: Connection, units: Sequence[str]) -> dict[tuple[str, str], Decimal]:
    """What was settled of each unit, by unit and currency."""
    query = "SELECT unit, currency, sum(amount) AS amount FROM rebate_settlement WHERE unit = ANY(%s) GROUP BY 1, 2"
    return {(row["unit"], row["currency"]): row["amount"] for row in rows(db, query, [list(units)])}


def book_accruals(db: Connection, bookings: Sequence[tuple[str, str, str, str, Decimal]], *, booking: UUID, by: str) -> None:
    """Book on accounts `accrued`: (dealer, programme, currency, unit, amount) each."""
    ids = dealer_ids(db, sorted({dealer for dealer, *_ in bookings}))
    into = "COPY rebate_entry (dealer, dealer_id, programme, currency, account, amount, booking, cause, reference, by) FROM STDIN"
    with db.cursor() as cursor, cursor.copy(into) as copy:
        for dealer, programme, currency, unit, amount in bookings:
            copy.write_row((dealer, ids.get(dealer), programme, currency, "accrued", amount, booking, "accrual", unit, by))


# Settled periods ---------------------------------------------------------------------------------------------------------------


def settled_spans(db: Connection, family_id: int) -> dict[tuple[str, str], tuple[date, bool]]:
    """By programme and period: the settlement day up to which all of it was settled, and whether finally."""
    query = "SELECT programme, period, up_to, final FROM rebate_settled_span WHERE family_id = %s"
    return {(row["programme"], row["period"]): (row["up_to"], row["final"]) for row in rows(db, query, [family_id])}


def note_settled(db: Connection, family_id: int, programme: str, period: str, up_to: date, *, final: bool) -> None:
    """Every unit of a period was settled up to a day."""
    db.execute(
        "INSERT INTO rebate_settled_span (family_id, programme, period, up_to, final) VALUES (%s, %s, %s, %s, %s) "
        "ON CONFLICT (family_id, programme, period) DO UPDATE SET up_to = excluded.up_to, final = excluded.final",
        [family_id, programme, period, up_to, final],
    )
