"""The use cases of rebates on the ledger: publish, accrue, settle, state, sign or dispute, pay, close.

Everything is done within the caller's transaction and commits with it. A settlement is earned to date less what was settled before, so a
second run settles nothing; a statement that was issued never changes, and what comes late is settled in the open period.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from channel.rebates import periods, queries
from channel.rebates.checking import check_together
from channel.rebates.claims import Claimed
from channel.rebates.errors import BadProgramme, Flaw, NotFoundHere, VersionTaken, WrongState
from channel.rebates.loading import load, place
from channel.rebates.payouts import Payout, pay
from channel.rebates.periods import Span
from channel.rebates.programme import Programme
from channel.rebates.queries import Connection
from channel.rebates.reading import Path
from channel.rebates.reckoning.accruals import Done, accrue
from channel.rebates.reckoning.families import in_force
from channel.rebates.reckoning.queries import closed as closed_by
from channel.rebates.reckoning.queries import published
from channel.rebates.reckoning.settlements import settle

__all__ = [
    "Done", "NotFoundHere", "Payout", "VersionTaken", "WrongState", "accrue", "close", "dispute", "pay", "publish", "resolve", "settle",
    "sign",
]  # fmt: skip

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
        flaws += _against_closed(db, programme)
        if flaws:
            raise BadProgramme(place(flaws, loaded.source))
    queries.add_version(db, programme, by, reason)
    return programme


def _against_closed(db: Connection, programme: Programme) -> Iterator[tuple[Path, Flaw]]:
    """Days of a closed period that a new version would put into another period: they would be paid twice."""
    closed = closed_by(db).get(programme.programme, {})
    versions = next((mine for mine in published(db) if mine[0].programme == programme.programme), []) if closed else []
    done = [span for one in versions for span in periods.of(one) if closed.get(span.name) == one.version]
    for span in periods.of(programme):
        other = next((one for one in done if one.start < span.end and span.start < one.end and one != span), None)
        if other is not None:
            after = max(one.end for one in done).isoformat()
            what = f"{other.name} is closed, and its days would count again in {span.name}"
            yield (
                ("valid", "from"),
                Flaw("closed_period", "", what, f"let the version hold from {after} on, or keep the periods as they are"),
            )
            return


# Reckoning -------------------------------------------------------------------------------------------------------------------


def close(db: Connection, programme: str, period: str, *, as_of: date, by: str) -> bool:
    """Close a period for good: it is settled finally first. False when it was closed already. Raises: NotFoundHere, WrongState."""
    known, span = _ruling(db, programme, period)
    if as_of < span.end - timedelta(days=1) + timedelta(days=known.calendar.late_days):
        raise WrongState(
            f"{period} of {programme} is open for late facts until {span.end + timedelta(days=known.calendar.late_days - 1)}",
            next_step="close it after that day",
        )
    if period in queries.closed(db, programme):
        return False
    done = settle(db, as_of, by=by, programmes=[programme])
    if done.problems:
        raise done.problems[0]
    return queries.close_period(db, programme, period, done.calculation, by, known.version)


def _ruling(db: Connection, programme: str, period: str) -> tuple[Programme, Span]:
    """The version that rules a period, and the period. Raises: NotFoundHere."""
    versions = next((mine for mine in published(db) if mine[0].programme == programme), [])
    owns = in_force(versions, closed_by(db).get(programme, {}))
    for one in reversed(versions):
        for span in periods.of(one):
            if span.name == period and period in owns[one.key]:
                return one, span
    raise NotFoundHere(f"there is no period {period} of programme {programme}", next_step="look with `hub rebates programmes`")


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
