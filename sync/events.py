"""Vendors' callbacks: verified, then kept as hints; a hint is a reason to read, never a fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from connectors.base import EventAnswer, InboundRequest, Record
from sync import leases, observing
from sync.errors import NotFound
from sync.hub import Cursor, Hub
from sync.references import References
from sync.runs import Run
from sync.streams import StreamState

MOST_AT_ONCE = 500


def receive(hub: Hub, system: str, request: InboundRequest) -> EventAnswer:
    """Verify a callback and keep what it hints at; the same record hinted at twice is read once.

    Raises: Forged when the proof of origin fails; NotFound for a system that is not connected.
    """
    if system not in hub.config.systems:
        raise NotFound(f"there is no system {system!r}", next_step="use the name that it has in hub.yaml")
    connector, settings = hub.connector(system)
    answer = connector.events(settings, request)
    hints = [(hub.streams[system, hint.stream].id, hint) for hint in answer.hints if (system, hint.stream) in hub.streams]
    if hints:
        with hub.transaction() as db:
            db.execute(
                "INSERT INTO hint (stream_id, key, deleted, event_id) "
                "SELECT * FROM unnest(%s::smallint[], %s::text[], %s::bool[], %s::text[]) "
                "ON CONFLICT (stream_id, key) DO UPDATE SET deleted = excluded.deleted, received_at = clock_timestamp()",
                [
                    [number for number, _ in hints],
                    [hint.key for _, hint in hints],
                    [hint.deleted for _, hint in hints],
                    [hint.event_id for _, hint in hints],
                ],
            )
    return answer


def read_hints(hub: Hub, state: StreamState, lease: leases.Lease, run: Run) -> None:
    """Read the records that events hinted at. A record that is not there any more is a delete only where the event said so."""
    while True:
        with hub.transaction() as db:
            db.execute(
                "SELECT key, deleted, received_at FROM hint WHERE stream_id = %s ORDER BY received_at LIMIT %s", [state.id, MOST_AT_ONCE]
            )
            hints = list(db)
        if not hints:
            return
        keys = [hint["key"] for hint in hints]
        records = list(hub.session(state.system).get(state.name, keys))
        here = {record.key for record in records}
        records += [Record(hint["key"], {}, deleted=True) for hint in hints if hint["deleted"] and hint["key"] not in here]
        done = hub.settle(partial(_take, hub, state, lease, run, hints, records))
        run.counts(done.counts())
        run.count("hints", len(hints))


def _take(
    hub: Hub, state: StreamState, lease: leases.Lease, run: Run, hints: Sequence[Mapping[str, Any]], records: Sequence[Record], db: Cursor
) -> observing.Observed:
    """Records in and their hints away, together or not at all."""
    leases.confirm(db, lease)
    done = observing.observe(hub, db, state, records, References(hub, state.system), run_id=run.id, cause="event")
    db.execute(
        "DELETE FROM hint h USING unnest(%s::text[], %s::timestamptz[]) v(key, at) "
        "WHERE h.stream_id = %s AND h.key = v.key AND h.received_at = v.at",
        [[hint["key"] for hint in hints], [hint["received_at"] for hint in hints], state.id],
    )
    return done
