"""After uncertainty: what was sent and not answered, by us or by a worker that died, is looked for before anything is repeated."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.base import Record
from ledger.bulk import array_text
from sync.hub import Cursor
from sync.pairs import UNCONFIRMED
from sync.sending import Sender, backoff_s, link_created
from sync.streams import StreamState

PATIENCE = 3
"""Attempts whose outcome stays unknown are repeated at once this often (a ladder's steps count), then after longer and longer waits."""
SHORTEST_LAG_S = 2.0
"""A create without an answer is looked for again after at least this long before it is repeated, even where no index lags.

The request may still be on its way.
"""


@dataclass(frozen=True, slots=True)
class Span:
    """Pairs of a stream by the ids of their records: after one, up to and with another."""

    after: str
    to: str


ALL = Span("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")

UNCONFIRMED_S = 900
"""Where a write is not read back at once, the echo of it confirms it; this long is waited for that."""
MOST_AT_ONCE = 500


def unconfirmed(db: Cursor, state: StreamState, *, at_once: bool = False) -> list[dict[str, Any]]:
    """A stream's pairs that were written and never read back, with the record's key, oldest first. `at_once`: wait for no echo."""
    db.execute(
        "SELECT d.entity_id::text AS entity_id, d.org, l.key FROM desired d "
        "JOIN link l ON l.stream_id = d.stream_id AND l.entity_id = d.entity_id AND l.org = d.org AND l.role = 'primary' "
        "WHERE d.stream_id = %s AND d.state = 'in_sync' AND d.reason = %s AND d.changed_at <= now() - make_interval(secs => %s) "
        "ORDER BY d.changed_at LIMIT %s",
        [state.id, UNCONFIRMED, 0 if at_once or state.decl.read_back else UNCONFIRMED_S, None if at_once else MOST_AT_ONCE],
    )
    return list(db)


def settle_unconfirmed(db: Cursor, state: StreamState, rows: Sequence[Mapping[str, Any]]) -> None:
    """Nothing is left to confirm about these pairs: their records are not there any more."""
    if rows:
        db.execute(
            "UPDATE desired d SET state = CASE WHEN t.retired THEN 'left' ELSE 'in_sync' END, "
            "reason = CASE WHEN t.retired THEN 'retired_there' ELSE '' END "
            f"FROM unnest(%s::uuid[], %s::text[]) v(entity_id, org) JOIN {state.table.name} t ON t.id = v.entity_id "
            "WHERE d.stream_id = %s AND (d.entity_id, d.org) = (v.entity_id, v.org) AND d.state = 'in_sync' AND d.reason = %s",
            [array_text([row["entity_id"] for row in rows]), array_text([row["org"] for row in rows]), state.id, UNCONFIRMED],
        )


class Settler:
    """Finds out what became of one stream's pairs, of a span of them where others have theirs under way."""

    def __init__(self, sender: Sender, span: Span = ALL) -> None:
        self.span = span
        self.sender, self.hub, self.state, self.run, self.session = sender, sender.hub, sender.state, sender.run, sender.session

    def settle_in_flight(self) -> None:
        """Pairs whose outcome is not known, ours or a dead worker's: look before anything is repeated."""
        with self.hub.transaction() as db:
            rows = self._in_flight(db)
        if not rows:
            return
        linked = [row for row in rows if row["key"]]
        unlinked = [row for row in rows if not row["key"]]
        if linked:
            found = {record.key: record for record in self.session.get(self.state.name, [row["key"] for row in linked])}
            self._reopen(linked, found)
        if unlinked:
            self._look_up(unlinked)

    def confirm(self) -> int:
        """Read back what was written and not read back since, by a worker that died or a call that failed; returns how many records.

        The system may have kept its old value without a word, and then nothing would show: its record looks unchanged.
        """
        with self.hub.transaction() as db:
            rows = unconfirmed(db, self.state)
        if not rows:
            return 0
        keys = [str(row["key"]) for row in rows]
        found = self.session.get(self.state.name, keys)
        self.sender.take(found)
        there = {record.key for record in found}
        with self.hub.transaction() as db:  # what is not there any more has nothing to confirm: its delete is proven otherwise
            settle_unconfirmed(db, self.state, [row for row in rows if row["key"] not in there])
        return len(found)

    def _in_flight(self, db: Cursor) -> list[dict[str, Any]]:
        db.execute(
            "SELECT d.entity_id::text AS entity_id, d.org, d.attempts, l.key, a.id::text AS attempt, a.hub_key, "
            "extract(epoch FROM clock_timestamp() - a.started_at)::float8 AS age_s FROM desired d "
            "LEFT JOIN link l ON l.stream_id = d.stream_id AND l.entity_id = d.entity_id AND l.org = d.org AND l.role = 'primary' "
            "JOIN LATERAL (SELECT id, hub_key, started_at FROM delivery_attempt a "
            "WHERE a.entity_id = d.entity_id AND a.stream_id = d.stream_id "
            "ORDER BY started_at DESC LIMIT 1) a ON true WHERE d.stream_id = %s AND d.state = 'in_flight' "
            "AND d.entity_id > %s AND d.entity_id <= %s",
            [self.state.id, self.span.after, self.span.to],
        )
        return list(db)

    def _reopen(self, rows: Sequence[Mapping[str, Any]], found: Mapping[str, Record]) -> None:
        """Judge anew against what the system holds now."""
        self._make_due(rows, "recheck")
        self.sender.take(list(found.values()))

    def _make_due(self, rows: Iterable[Mapping[str, Any]], reason: str) -> None:
        """Due again: at once at first, later and later for what stays uncertain."""
        pairs = list(rows)
        with self.hub.transaction() as db:
            db.execute(
                "UPDATE desired d SET state = 'due', reason = %s, due_at = now() + make_interval(secs => v.wait), changed_at = now() "
                "FROM unnest(%s::uuid[], %s::text[], %s::float8[]) v(entity_id, org, wait) "
                "WHERE d.stream_id = %s AND (d.entity_id, d.org) = (v.entity_id, v.org) AND d.state = 'in_flight'",
                [
                    reason,
                    array_text([row["entity_id"] for row in pairs]),
                    array_text([row["org"] for row in pairs]),
                    [backoff_s(row["attempts"] - PATIENCE) if row["attempts"] > PATIENCE else 0.0 for row in pairs],
                    self.state.id,
                ],
            )

    def _look_up(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Creates whose outcome is not known: find them by our key; only what is certainly not there is due again."""
        place = self.state.decl.hub_key
        if place is None or not place.searchable:
            self._make_due(rows, "at_least_once")  # the connector's grade says so
            return
        found = self.session.find(self.state.name, [row["hub_key"] for row in rows])
        there = [row for row in rows if row["hub_key"] in found]
        absent = [row for row in rows if row["hub_key"] not in found]
        lag_s = max(place.index_lag_s, SHORTEST_LAG_S)
        early = [row for row in absent if row["age_s"] < lag_s]
        if early:
            time.sleep(min(lag_s, 30.0))
            later = self.session.find(self.state.name, [row["hub_key"] for row in early])
            found = {**found, **later}
            there += [row for row in early if row["hub_key"] in later]
            absent = [row for row in absent if row["hub_key"] not in later]
        with self.hub.transaction() as db:
            for row in there:
                record = found[row["hub_key"]]
                number = str(record.payload.get(self.state.decl.number) or "")
                self._note(db, row, "found", record.key)
                link_created(db, self.state, [(row["entity_id"], row["org"], record.key, number)])
            for row in absent:
                self._note(db, row, "absent", None)
        self._make_due(there, "recheck")
        self._make_due(absent, "create")
        self.sender.take([found[row["hub_key"]] for row in there])
        self.run.count("found_again", len(there))

    def _note(self, db: Cursor, row: Mapping[str, Any], outcome: str, key: str | None) -> None:
        db.execute(
            "INSERT INTO delivery_receipt (attempt_id, outcome, key, why) VALUES (%s, %s, %s, 'looked up by hub key')",
            [row["attempt"], outcome, key],
        )
