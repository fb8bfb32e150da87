"""Statements that read facts themselves: the lines of what is touched, what hangs together with them, and figures about dealers.

Newest revisions only. Within the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from psycopg.rows import tuple_row

from channel.rebates import periods
from channel.rebates.fact_queries import READ, fact_of, later_revisions
from channel.rebates.facts import LINES, Fact
from channel.rebates.queries import Connection, rows
from channel.rebates.reckoning.families import Family

_KINDS: Final = "', '".join(sorted(LINES))
IS_LINE: Final = f"f.kind IN ('{_KINDS}')"
IS_FIGURE: Final = "f.kind IN ('target', 'baseline', 'measure', 'complaint', 'settlement')"
"""As the index rebate_fact_figure has it."""
WHO: Final[Mapping[str, str]] = {"dealer": "f.dealer", "parent": "coalesce(nullif(f.dealer_parent, ''), f.dealer)", "all": "'*'"}
_READ: Final = ", ".join([*(f"f.{name}" for name in READ), "f.more::text AS more"])
_OR_PAYMENT: Final = f"({IS_LINE} OR f.kind = 'payment')"


def scope_of(family: Family) -> str:
    """The scope of a fact `f`, as SQL."""
    return f"ARRAY[{', '.join(f'f.{name}' for name in family.reach.scope)}]::text[]"


def _facts(db: Connection, query: str, values: Mapping[str, Any]) -> Iterator[Fact]:
    with db.cursor(row_factory=tuple_row) as cursor:
        for *plain, more in cursor.execute(query.encode(), values):
            yield fact_of(dict(zip(READ, plain, strict=True)), more)


def _newest(found: Iterable[Fact], later: Mapping[str, int]) -> Iterator[Fact]:
    return (fact for fact in found if later.get(fact.id, fact.revision) == fact.revision)


def _eras(family: Family) -> dict[str, list[date]]:
    """The eras with the days to read for each: where periods hang together, all before as well."""
    starts, ends = [start for start, _ in family.eras], [end for _, end in family.eras]
    whole = family.whole_dealers
    return {
        "starts": starts, "firsts": [family.cuts[0]] * len(starts) if whole else starts,
        "ends": [family.cuts[-1]] * len(ends) if whole else ends,
    }  # fmt: skip


_TOUCHED: Final = (
    "SELECT DISTINCT t.who, t.scope, e.first, e.upto FROM rebate_touched AS t "
    "JOIN unnest(%(starts)s::date[], %(firsts)s::date[], %(ends)s::date[]) AS e (era, first, upto) ON e.era = t.era "
    "WHERE t.family_id = %(family)s"
)


def lines_of_touched(db: Connection, family: Family, family_id: int, as_of: date) -> list[Fact]:
    """The lines of what is touched, of a family that sums suffice for."""
    query = (
        f"SELECT {_READ} FROM ({_TOUCHED} OFFSET 0) AS t CROSS JOIN LATERAL (SELECT * FROM rebate_fact AS f "
        f'WHERE {WHO[family.reach.who]} = t.who COLLATE "default" AND f.date >= t.first AND f.date < t.upto AND f.date <= %(as_of)s '
        f"AND {IS_LINE} AND {scope_of(family)} = t.scope OFFSET 0) AS f"
    )
    found = list(_facts(db, query, {**_eras(family), "family": family_id, "as_of": as_of}))
    return list(_newest(found, later_revisions(db, ids=[fact.id for fact in found])))


_DOCUMENTS: Final = (
    ", docs AS MATERIALIZED (SELECT document AS name FROM mine WHERE document <> '' AND kind <> 'payment' "
    "UNION SELECT f.applies_to FROM (SELECT DISTINCT first, upto FROM t) AS w "
    "JOIN rebate_fact AS f ON f.date >= w.first AND f.date < w.upto "
    f"WHERE f.kind = 'payment' AND f.applies_to IN (SELECT document FROM rebate_fact AS f WHERE {IS_LINE} AND f.document <> '' "
    "AND f.dealer IN (SELECT who FROM t)))"
)
_BESIDE: Final[Mapping[str, str]] = {
    "documents": f"({IS_LINE} AND f.document IN (SELECT name FROM docs)) ",
    "payments": "(f.kind = 'payment' AND f.applies_to IN (SELECT name FROM docs))",
    "returns": f"({IS_LINE} AND f.id IN (SELECT returns_of FROM mine WHERE returns_of <> ''))",
}


def hanging_together(db: Connection, family: Family, family_id: int, as_of: date) -> list[Fact]:
    """All that the touched dealers' results are made of, of a family that needs its lines.

    The dealers' lines and payments on the days that are touched, the other lines and payments of their documents, and the sales of their
    returns, whoever's they are.
    """
    beside = [*(("documents", "payments") if family.documents else ()), *(("returns",) if family.returns else ())]
    query = (
        f"WITH t AS MATERIALIZED ({_TOUCHED}), mine AS MATERIALIZED (SELECT f.* FROM t JOIN rebate_fact AS f ON "
        f'f.dealer = t.who COLLATE "default" AND f.date >= t.first AND f.date < t.upto WHERE f.date <= %(as_of)s AND {_OR_PAYMENT})'
        f"{_DOCUMENTS if family.documents else ''} SELECT {_READ} FROM mine AS f"
    )
    for name in beside:
        query += f" UNION ALL SELECT {_READ} FROM rebate_fact AS f WHERE f.date >= %(start)s AND f.date <= %(as_of)s AND {_BESIDE[name]}"
    values = {**_eras(family), "family": family_id, "as_of": as_of, "start": family.cuts[0]}
    found = {(fact.id, fact.revision): fact for fact in _facts(db, query, values)}
    return list(_newest(found.values(), later_revisions(db, ids=[fact.id for fact in found.values()])))


def touch_hanging_together(db: Connection, family: Family, family_id: int, after: date, as_of: date) -> None:
    """Note whom the changes touch, and the days since the last time, in a family that needs its lines.

    A line or payment touches its own dealer, and all who have lines of its documents or returns of it; an invoice touches its dealer when
    it falls due.
    """
    names = "f.id, f.kind, f.dealer, f.dealer_parent, f.date, f.document, f.applies_to"
    due = "coalesce(f.due_date, f.invoice_date, f.date) + k.days"
    era = "(%(starts)s::date[])[greatest(1, width_bucket(f.date, %(starts)s::date[]))]"
    at, joined = (era, "") if not family.everywhere else ("a.era", " CROSS JOIN unnest(%(starts)s::date[]) AS a (era)")
    who = WHO[family.reach.who]
    news = [f"SELECT {names} FROM fact_change AS f WHERE {_OR_PAYMENT}"]
    if after < as_of:
        news.append(f"SELECT {names} FROM rebate_fact AS f WHERE f.date > %(after)s AND f.date <= %(as_of)s AND {_OR_PAYMENT}")
        news.append(
            f"SELECT {names} FROM rebate_fact AS f CROSS JOIN unnest(%(due)s::int[]) AS k (days) WHERE {IS_LINE} AND f.date <= %(as_of)s "
            f"AND {due} > %(after)s AND {due} <= %(as_of)s"
        )
    touched = [f"SELECT {who} AS who, {at} AS era FROM news AS f{joined}"]
    of_documents = (
        ", docs AS MATERIALIZED (SELECT d.name, min(CASE WHEN f.kind = 'payment' THEN f.date ELSE '-infinity' END) AS since FROM news AS f "
        "CROSS JOIN LATERAL (VALUES (f.document, f.kind <> 'payment'), (f.applies_to, f.kind = 'payment')) AS d (name, meant) "
        "WHERE d.meant AND d.name <> '' GROUP BY 1), "
        f"held AS MATERIALIZED (SELECT d.name, d.since, f.dealer, f.dealer_parent, f.date FROM docs AS d JOIN rebate_fact AS f "
        f"ON f.document = d.name WHERE {IS_LINE})"
    )
    if family.documents:
        touched.append(f"SELECT {who} AS who, {at} AS era FROM held AS f{joined}")
        paid = era.replace("f.date", "p.date")
        touched.append(
            f"SELECT {who} AS who, {paid} AS era FROM held AS f JOIN rebate_fact AS p ON p.applies_to = f.name WHERE p.kind = 'payment' "
            "AND p.date >= f.since AND p.date <= %(as_of)s"
        )
    if family.returns:
        touched.append(
            f"SELECT {who} AS who, {at} AS era FROM rebate_fact AS f{joined} WHERE {IS_LINE} AND f.returns_of IN (SELECT id FROM news)"
        )
    query = (
        f"WITH news AS MATERIALIZED ({' UNION ALL '.join(news)}){of_documents if family.documents else ''} "
        "INSERT INTO rebate_touched (family_id, who, era, scope) SELECT DISTINCT %(family)s::bigint, x.who, x.era, '{}'::text[] "
        f"FROM ({' UNION ALL '.join(touched)}) AS x ON CONFLICT DO NOTHING"
    )
    values = {"starts": _eras(family)["starts"], "family": family_id, "after": after, "as_of": as_of, "due": list(family.due_after)}
    db.execute(query.encode(), values)


def lines_between(db: Connection, start: date, end: date, dealers: Sequence[str], later: Mapping[str, int]) -> Iterator[Fact]:
    """All lines of some dealers dated in `[start, end)`. later: the newest of those that have several revisions."""
    query = (
        f"SELECT {_READ} FROM rebate_fact AS f WHERE {IS_LINE} AND f.date >= %(start)s AND f.date < %(end)s AND f.dealer = ANY(%(dealers)s)"
    )
    return _newest(_facts(db, query, {"start": start, "end": end, "dealers": list(dealers)}), later)


def lines_and_payments(db: Connection, start: date, as_of: date) -> Iterator[Fact]:
    """All lines and payments of everybody from a day on, up to a day, included."""
    query = f"SELECT {_READ} FROM rebate_fact AS f WHERE {_OR_PAYMENT} AND f.date >= %(start)s AND f.date <= %(as_of)s"
    return _newest(_facts(db, query, {"start": start, "as_of": as_of}), later_revisions(db))


def units_between(db: Connection, start: date, as_of: date) -> list[str]:
    """The units that quantities of lines are in."""
    query = (
        f"SELECT DISTINCT f.unit FROM rebate_fact AS f WHERE {IS_LINE} AND f.date >= %(start)s AND f.date <= %(as_of)s "
        "AND f.quantity <> 0 AND f.unit <> ''"
    )
    return [row["unit"] for row in rows(db, query, {"start": start, "as_of": as_of})]


def many_lines(db: Connection, start: date, end: date) -> list[tuple[str, int]]:
    """How many lines each dealer has in `[start, end)`."""
    query = f"SELECT dealer, count(*) AS lines FROM rebate_fact AS f WHERE {IS_LINE} AND date >= %s AND date < %s GROUP BY 1 ORDER BY 1"
    return [(row["dealer"], row["lines"]) for row in rows(db, query, [start, end])]


# Figures -----------------------------------------------------------------------------------------------------------------------


def figures_of(db: Connection, dealers: Sequence[str] | None, *, settled: bool) -> list[Fact]:
    """Targets, baselines, measures and complaints of some dealers or of all; with what was settled for them, if asked."""
    query = (
        f"SELECT {_READ} FROM rebate_fact AS f WHERE {IS_FIGURE} AND (%(settled)s OR f.kind <> 'settlement') "
        "AND (%(dealers)s::text[] IS NULL OR f.dealer = ANY(%(dealers)s))"
    )
    found = list(_facts(db, query, {"dealers": None if dealers is None else list(dealers), "settled": settled}))
    return list(_newest(found, later_revisions(db, ids=[fact.id for fact in found if fact.kind != "settlement"])))


def figures_changed(db: Connection, after: date, as_of: date) -> list[Fact]:
    """New or changed targets, baselines, measures, complaints, disputes and the like, and those whose day has come since the last time.

    What was settled is left out: it leaves nothing to settle, and takes from the accrual what it gives.
    """
    found = [f"SELECT {_READ} FROM fact_change AS f WHERE {IS_FIGURE} AND coalesce(f.more->>'status', '') <> 'settled'"]
    if after < as_of:
        found.append(
            f"SELECT {_READ} FROM rebate_fact AS f WHERE {IS_FIGURE} AND f.kind <> 'settlement' "
            "AND f.date > %(after)s AND f.date <= %(as_of)s"
        )
    return list(_facts(db, " UNION ALL ".join(found), {"after": after, "as_of": as_of}))


def settled_for_touched(db: Connection, family: Family, family_id: int, whos: Sequence[str]) -> Iterator[Fact]:
    """What was done about results of the dealers, scopes and periods that are touched."""
    dealers = family.reach.who == "dealer"
    named = [(one.programme, span.name, family.era(span.start)) for one in family.programmes for span in periods.of(one)]
    query = (
        f"SELECT {_READ} FROM rebate_fact AS f JOIN unnest(%(programmes)s::text[], %(periods)s::text[], %(eras)s::date[]) AS p "
        "(programme, period, era) ON f.more->>'programme' = p.programme AND f.more->>'period' = p.period "
        f"WHERE {IS_FIGURE} AND f.kind = 'settlement' AND "
    )
    touched = "SELECT {} FROM rebate_touched WHERE family_id = %(family)s"
    if dealers:
        query += f"f.dealer = ANY(%(whos)s) AND (f.dealer, p.era, {scope_of(family)}) IN ({touched.format('who, era, scope')})"
    else:
        query += f"p.era IN ({touched.format('era')})"
    programmes, names, eras = (list(column) for column in zip(*sorted(set(named)), strict=True))
    return _facts(db, query, {"programmes": programmes, "periods": names, "eras": eras, "family": family_id, "whos": list(whos)})


def figured(db: Connection) -> list[str]:
    """Dealers about whom there are targets, settlements and the like."""
    return [row["dealer"] for row in rows(db, f"SELECT DISTINCT dealer FROM rebate_fact AS f WHERE {IS_FIGURE} ORDER BY dealer")]
