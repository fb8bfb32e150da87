"""Records that wait for a parent or a value go by themselves when it comes."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import Record
from ledger.bulk import from_json
from sync import observing
from sync.hub import Cursor, Hub
from sync.references import References
from sync.runs import RunResult, running
from sync.streams import StreamState

PAGE = 500


def retry_parked(hub: Hub) -> RunResult:
    """Try again what waited for something that is there now. Parents first, so that children of children go too."""
    with running(hub, "retry_parked") as run:
        for _ in range(8):  # a chain of parents as long as that is no chain of trade
            released = 0
            with hub.transaction() as db:
                waiting = _waiting(db)
            for state in [state for system in hub.systems() for state in hub.streams_of(system) if state.id in waiting]:
                with hub.transaction() as db:
                    keys = _ready(hub, db, state)
                for start in range(0, len(keys), PAGE):
                    released += replayed(hub, state, keys[start : start + PAGE], run.id)
            run.count("released", released)
            if not released:
                break
    return run.result


def _waiting(db: Cursor) -> set[int]:
    """Streams with records that wait for a parent or a value."""
    db.execute("SELECT DISTINCT stream_id FROM quarantine WHERE state = 'open' AND cause IN ('parent', 'value')")
    return {row["stream_id"] for row in db}


def _ready(hub: Hub, db: Cursor, state: StreamState) -> list[str]:
    db.execute("SELECT key, waits_for FROM quarantine WHERE stream_id = %s AND state = 'open' AND cause IN ('parent', 'value')", [state.id])
    waiting = {row["key"]: row["waits_for"] for row in db}
    if not waiting:
        return []
    cites = {tuple(text.split(":")[1:]) for texts in waiting.values() for text in texts if text.startswith("parent:")}
    known = References(hub, state.system).resolve(db, cites)
    values = hub.values(db, state.system)
    db.execute("SELECT DISTINCT company FROM value_map WHERE system = %s", [state.system])
    companies = [row["company"] for row in db]  # of the maps, not of hub.yaml: a system may hold organisations that the file does not name
    ready = []
    for key, texts in waiting.items():
        parents = [tuple(text.split(":")[1:]) for text in texts if text.startswith("parent:")]
        wanted = [text.split(":", 2)[1:] for text in texts if text.startswith("value:")]
        filled = all(any(value in values.table_in(name, company) for company in companies) for name, value in wanted)
        if filled and all(cite in known for cite in parents):
            ready.append(key)
    return ready


def replayed(hub: Hub, state: StreamState, keys: Sequence[str], run_id: int | None) -> int:
    """As :func:`replay`, in a transaction of its own, again when it gave way to another worker's."""
    return hub.settle(lambda db: replay(hub, db, state, keys, run_id))


def replay(hub: Hub, db: Cursor, state: StreamState, keys: Sequence[str], run_id: int | None) -> int:
    """Take records in again from what was observed, or from a person's mended payload; returns how many went through."""
    db.execute(
        "SELECT o.key, o.org, o.modified, o.payload, q.payload::text AS mended FROM observed o "
        "LEFT JOIN quarantine q ON q.stream_id = o.stream_id AND q.key = o.key AND q.state = 'open' "
        "WHERE o.stream_id = %s AND o.key = ANY(%s) AND NOT o.deleted",
        [state.id, list(keys)],
    )
    rows = list(db)
    done = 0
    for mended in (False, True):
        records = [
            Record(row["key"], from_json(row["mended"] or row["payload"]), row["org"], row["modified"])
            for row in rows
            if bool(row["mended"]) is mended
        ]
        if records:
            refs = References(hub, state.system)
            result = observing.observe(hub, db, state, records, refs, run_id=run_id, cause="replay", again=True, mended=mended)
            done += len(records) - result.set_aside
    return done
