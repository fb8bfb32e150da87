"""Looking: what is connected, what flows, what differs and why. Reads only.

One record is told by :mod:`sync.records`, lists by :mod:`sync.listing`; all of it can be had from here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sync.budgets import standing
from sync.hub import Cursor, Hub
from sync.listing import STATES, conflicts, deliveries, drift, links, runs
from sync.records import FieldReason, RecordView, find_record, history, record, why

__all__ = [
    "STATES",
    "FieldReason",
    "RecordView",
    "Status",
    "StreamStatus",
    "conflicts",
    "deliveries",
    "drift",
    "find_record",
    "history",
    "links",
    "pair_states",
    "record",
    "runs",
    "status",
    "why",
]


@dataclass
class StreamStatus:
    """How one stream stands."""

    system: str
    stream: str
    entity: str
    mode: str
    records: int = 0
    unlinked: int = 0
    """Observed and belonging to nothing: a stream that decides nothing, and a record the hub did not make."""
    listed: bool = False
    cursor_moved_at: datetime | None = None
    states: dict[str, int] = field(default_factory=dict)
    quarantine: int = 0


@dataclass
class Status:
    """How the hub stands."""

    streams: list[StreamStatus]
    cases: int
    conflicts: int
    missing_values: int
    runs: list[dict[str, Any]]
    budgets: dict[str, list[dict[str, Any]]]
    paused: dict[str, str]

    @property
    def drift(self) -> int:
        """Pairs that are neither in_sync nor left."""
        return sum(number for stream in self.streams for state, number in stream.states.items() if state not in ("in_sync", "left"))

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the API."""
        return {**asdict(self), "drift": self.drift}


def _by_stream(db: Cursor, query: str) -> dict[int, int]:
    db.execute(query)
    return {row["stream_id"]: row["number"] for row in db}


def status(hub: Hub) -> Status:
    """Everything at a glance."""
    with hub.transaction() as db:
        overrides = hub.mode_overrides(db)
        records = _by_stream(db, "SELECT stream_id, count(*) AS number FROM observed WHERE NOT deleted GROUP BY 1")
        linked = _by_stream(db, "SELECT stream_id, count(*) AS number FROM link WHERE role <> 'gone' GROUP BY 1")
        aside = _by_stream(db, "SELECT stream_id, count(*) AS number FROM quarantine WHERE state = 'open' GROUP BY 1")
        db.execute(
            "SELECT s.id, s.listed_at IS NOT NULL AS listed, c.moved_at FROM stream s LEFT JOIN cursor_position c ON c.stream_id = s.id"
        )
        places = {row["id"]: row for row in db}
        db.execute("SELECT stream_id, state, count(*) AS number FROM desired GROUP BY 1, 2")
        states: dict[int, dict[str, int]] = {}
        for row in db:
            states.setdefault(row["stream_id"], {})[row["state"]] = row["number"]
        streams = [
            StreamStatus(
                state.system,
                state.name,
                state.entity,
                hub.mode(state, overrides),
                records.get(state.id, 0),
                max(records.get(state.id, 0) - linked.get(state.id, 0), 0),
                places[state.id]["listed"],
                places[state.id]["moved_at"],
                states.get(state.id, {}),
                aside.get(state.id, 0),
            )
            for state in hub.streams.values()
        ]
        db.execute(
            "SELECT (SELECT count(*) FROM review_case WHERE state = 'open') AS cases, "
            "(SELECT count(*) FROM conflict WHERE state = 'open') AS conflicts, (SELECT count(*) FROM value_missing) AS missing"
        )
        heads = db.fetchone() or {}
        db.execute("SELECT system, why || ' until ' || until AS why FROM system_pause WHERE until > now()")
        paused = {row["system"]: row["why"] for row in db}
        budgets = {system: standing(db, system) for system in hub.systems()}
    return Status(streams, heads["cases"], heads["conflicts"], heads["missing"], runs(hub, limit=10), budgets, paused)


def pair_states(hub: Hub, system: str | None = None) -> tuple[dict[str, int], dict[str, int]]:
    """Pairs by state (all six), and how often each field differs in those that drift."""
    ids = [state.id for state in hub.streams.values() if system in (None, state.system)]
    with hub.transaction() as db:
        db.execute("SELECT state, count(*) AS number FROM desired WHERE stream_id = ANY(%s) GROUP BY 1", [ids])
        states = dict.fromkeys(STATES, 0) | {row["state"]: row["number"] for row in db}
        db.execute(
            r"SELECT stream_id, regexp_replace(path, '\[.*?\]', '') AS field, count(*) AS number "
            "FROM desired, json_object_keys(differs) AS path "
            "WHERE stream_id = ANY(%s) AND state NOT IN ('in_sync', 'left') AND differs IS NOT NULL GROUP BY 1, 2",
            [ids],
        )
        fields = {f"{hub.by_id[row['stream_id']].label}.{row['field']}": row["number"] for row in db}
    return states, fields
