"""Quarantine, for people: look, mend, replay, discard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from connectors.base import Record
from ledger.bulk import from_json, json_text
from sync import observing, parked
from sync.errors import NotFound, WrongState
from sync.hub import Hub
from sync.references import References
from sync.runs import RunResult, running

GUARD = "delete_guard"
"""Cause of an entry that stands for a listing from which too much has vanished: there is no record to take in."""


def list_quarantine(
    hub: Hub, *, state: str | None = "open", cause: str | None = None, system: str | None = None, after: int = 0, limit: int = 50
) -> list[dict[str, Any]]:
    """Records set aside, with why and what to do next."""
    ids = [stream.id for stream in hub.streams.values() if system in (None, stream.system)]
    with hub.transaction() as db:
        db.execute(
            "SELECT id, stream_id, key, org, cause, why, next_step, waits_for, attempts, state, first_at, last_at "
            "FROM quarantine WHERE stream_id = ANY(%(ids)s) AND (%(state)s::text IS NULL OR state = %(state)s) "
            "AND (%(cause)s::text IS NULL OR cause = %(cause)s) AND id > %(after)s ORDER BY id LIMIT %(limit)s",
            {"ids": ids, "state": state, "cause": cause, "after": after, "limit": limit},
        )
        rows = [dict(row) for row in db]
    for row in rows:
        stream = hub.by_id[row.pop("stream_id")]
        row |= {"system": stream.system, "stream": stream.name, "entity": stream.entity}
    return rows


def show(hub: Hub, item_id: int) -> dict[str, Any]:
    """One entry with its payload. Raises: NotFound."""
    with hub.transaction() as db:
        db.execute(
            "SELECT q.id, q.stream_id, q.key, q.org, q.cause, q.why, q.next_step, q.waits_for, q.attempts, q.state, "
            "q.first_at, q.last_at, q.closed_by, q.raw, q.payload::text AS mended, o.payload FROM quarantine q "
            "LEFT JOIN observed o ON (o.stream_id, o.key) = (q.stream_id, q.key) WHERE q.id = %s",
            [item_id],
        )
        row = db.fetchone()
    if row is None:
        raise NotFound(f"there is no quarantine entry {item_id}", next_step="see `hub quarantine list`")
    found = dict(row)
    stream = hub.by_id[found.pop("stream_id")]
    found |= {"system": stream.system, "stream": stream.name, "entity": stream.entity}
    found["payload"] = from_json(found["payload"]) if found["payload"] else None
    found["mended"] = from_json(found["mended"]) if found["mended"] else None
    return found


def mend(hub: Hub, item_id: int, payload: Mapping[str, Any], by: str) -> RunResult:
    """Put a corrected payload in place of the system's, until the system changes the record, and take it in at once.

    Raises: NotFound; WrongState for an entry that is closed.
    """
    entry = show(hub, item_id)
    _refuse_closed([entry])
    if entry["cause"] == GUARD:
        raise _about_a_listing([entry])
    state = hub.streams[entry["system"], entry["stream"]]
    with hub.transaction() as db:
        db.execute("UPDATE quarantine SET payload = %s WHERE id = %s", [json_text(payload), item_id])
    with running(hub, "replay", state.system, f"quarantine {item_id} mended by {by}") as run:
        if entry["payload"] is None:  # it never came as far as observed
            record, refs = Record(entry["key"], dict(payload), entry["org"]), References(hub, state.system)
            done = hub.settle(lambda db: observing.observe(hub, db, state, [record], refs, run_id=run.id, cause=f"mended by {by}"), refs)
            run.count("released", 1 - done.set_aside)
        else:
            run.count("released", parked.replayed(hub, state, [entry["key"]], run.id))
        _say_what_stays(run.result, 1)
    return run.result


def replay(hub: Hub, ids: Sequence[int] | None = None, *, by: str) -> RunResult:
    """Take entries in again, or all open ones; what still cannot be mapped stays, with its new reason.

    Of several named entries those that are closed already are told as problems, and the others are taken in; so are the guards of listings,
    which are about no record: a person has to say that what is not listed is gone.
    Raises: NotFound for an entry that never was; WrongState when every named one is closed, or is such a guard.
    """
    closed = _closed_of(hub, ids) if ids is not None else []
    guards = _guards_of(hub, ids)
    if ids is not None and guards and len(guards) + len(closed) == len(set(ids)):
        raise _about_a_listing(guards)
    with hub.transaction() as db:
        db.execute(
            "SELECT stream_id, key FROM quarantine "
            "WHERE state = 'open' AND cause <> %(guard)s AND (%(ids)s::bigint[] IS NULL OR id = ANY(%(ids)s)) ORDER BY id",
            {"guard": GUARD, "ids": list(ids) if ids is not None else None},
        )
        keys: dict[int, list[str]] = {}
        for row in db:
            keys.setdefault(row["stream_id"], []).append(row["key"])
    with running(hub, "replay", detail=f"by {by}") as run:
        for number, wanted in keys.items():
            for start in range(0, len(wanted), parked.PAGE):
                run.count("released", parked.replayed(hub, hub.by_id[number], wanted[start : start + parked.PAGE], run.id))
        _say_what_stays(run.result, sum(map(len, keys.values())))
        run.result.problems += [_fate(entry) for entry in closed]
        for guard in guards:
            run.problem(f"quarantine entry {guard['id']}: {guard['why']}; {guard['next_step']}", "set_aside")
    return run.result


def _guards_of(hub: Hub, ids: Sequence[int] | None) -> list[dict[str, Any]]:
    """Open entries, of the named ones or all, that are about a listing and no record."""
    with hub.transaction() as db:
        db.execute(
            "SELECT id, why, next_step FROM quarantine WHERE state = 'open' AND cause = %s "
            "AND (%s::bigint[] IS NULL OR id = ANY(%s)) ORDER BY id",
            [GUARD, *[list(ids) if ids is not None else None] * 2],
        )
        return [dict(row) for row in db]


def _about_a_listing(guards: Sequence[Mapping[str, Any]]) -> WrongState:
    numbers = ", ".join(str(guard["id"]) for guard in guards)
    why = "; ".join(dict.fromkeys(str(guard["why"]) for guard in guards))
    steps = "; ".join(dict.fromkeys(str(guard["next_step"]) for guard in guards))
    return WrongState(f"quarantine entry {numbers} is about a listing, not a record: {why}", next_step=steps)


def _closed_of(hub: Hub, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Of the named entries those that are closed. Raises: NotFound; WrongState when that is all of them."""
    with hub.transaction() as db:
        db.execute("SELECT id, state, closed_by, last_at FROM quarantine WHERE id = ANY(%s) ORDER BY id", [list(ids)])
        found = [dict(row) for row in db]
    unknown = sorted(set(ids) - {entry["id"] for entry in found})
    if unknown:
        raise NotFound(f"there is no quarantine entry {', '.join(map(str, unknown))}", next_step="see `hub quarantine list`")
    closed = [entry for entry in found if entry["state"] != "open"]
    if len(closed) == len(found):
        _refuse_closed(closed)
    return closed


def _refuse_closed(entries: Sequence[Mapping[str, Any]]) -> None:
    closed = [entry for entry in entries if entry["state"] != "open"]
    if closed:
        raise WrongState(
            "; ".join(_fate(entry) for entry in closed),
            next_step="nothing is left to do here; what is open now: `hub quarantine list`",
        )


def _fate(entry: Mapping[str, Any]) -> str:
    """What became of a closed entry, when (UTC), and through whom."""
    what = {"released": "was taken in", "discarded": "was discarded"}[entry["state"]]
    by = f" by {entry['closed_by']}" if entry["closed_by"] else ""
    return f"quarantine entry {entry['id']} {what}{by} on {entry['last_at'].astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _say_what_stays(result: RunResult, asked: int) -> None:
    left = asked - result.counts.get("released", 0)
    if left:
        result.status = "set_aside"
        result.problems.append(f"{left} of {asked} stay in quarantine; `hub quarantine list` says why")


def discard(hub: Hub, item_id: int, by: str) -> None:
    """Close an entry without taking the record in; it comes back when its system changes it.

    Raises: NotFound; WrongState when it is closed already, with what became of it.
    """
    with hub.transaction() as db:
        db.execute(
            "UPDATE quarantine SET state = 'discarded', closed_by = %s, last_at = now() WHERE id = %s AND state = 'open' RETURNING id",
            [by, item_id],
        )
        if db.fetchone() is None:
            _refuse_closed([show(hub, item_id)])
