"""Plans: what would change in which system, before it does; pinned to the versions it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ledger.bulk import from_json, json_text
from sync.delivering import deliver
from sync.errors import NotAllowed, NotFound, PlanExpired, WrongState
from sync.hub import Cursor, Hub
from sync.runs import RunResult, running


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan's head."""

    id: int
    kind: str
    state: str
    """open, approved, applied, rejected, expired"""
    summary: dict[str, Any]
    """By `system.stream`: creates, updates, and for updates how often each field changes."""
    made_at: datetime
    expires_at: datetime
    decided_by: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the API."""
        return asdict(self)


def make_plan(hub: Hub, *, kind: str = "first_load", systems: Sequence[str] | None = None, entities: Sequence[str] | None = None) -> Plan:
    """Write down what is held for approval now: creates, updates with each field's two values."""
    chosen = [
        state.id
        for state in hub.streams.values()
        if state.decl.writable and (not systems or state.system in systems) and (not entities or state.entity in entities)
    ]
    expires = datetime.now(UTC) + timedelta(hours=hub.config.plan_valid_hours)
    with hub.transaction() as db:
        scope = json_text({"systems": list(systems or ()), "entities": list(entities or ())})
        db.execute("INSERT INTO plan (kind, scope, expires_at) VALUES (%s, %s::jsonb, %s) RETURNING id", [kind, scope, expires])
        row = db.fetchone()
        plan_id = int(row["id"]) if row else 0
        db.execute(
            "INSERT INTO plan_row (plan_id, stream_id, entity_id, org, action, changes, canonical_version, observed_version) "
            "SELECT %s, d.stream_id, d.entity_id, d.org, CASE WHEN l.key IS NULL THEN 'create' ELSE 'update' END, "
            "d.differs, d.canonical_version, coalesce(o.version, 0) FROM desired d "
            "LEFT JOIN link l ON l.stream_id = d.stream_id AND l.entity_id = d.entity_id AND l.org = d.org AND l.role = 'primary' "
            "LEFT JOIN observed o ON (o.stream_id, o.key) = (l.stream_id, l.key) "
            "WHERE d.stream_id = ANY(%s) AND d.state = 'held' AND d.reason = 'plan'",
            [plan_id, chosen],
        )
        db.execute("ANALYZE plan_row")  # else a plan of 20,000 rows is taken for one of a few, and applying it is quadratic
        summary = _summary(hub, db, plan_id)
        db.execute("UPDATE plan SET summary = %s::jsonb WHERE id = %s", [json_text(summary), plan_id])
    return get_plan(hub, plan_id)


def _summary(hub: Hub, db: Cursor, plan_id: int) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    db.execute("SELECT stream_id, action, count(*) AS number FROM plan_row WHERE plan_id = %s GROUP BY 1, 2 ORDER BY 1, 2", [plan_id])
    for row in db:
        summary.setdefault(hub.by_id[row["stream_id"]].label, {"create": 0, "update": 0, "fields": {}})[row["action"]] = row["number"]
    db.execute(
        r"SELECT stream_id, regexp_replace(path, '\[.*?\]', '') AS field, count(*) AS number "
        "FROM plan_row, json_object_keys(changes) AS path "
        "WHERE plan_id = %s AND changes IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 3 DESC",
        [plan_id],
    )
    for row in db:
        summary[hub.by_id[row["stream_id"]].label]["fields"][row["field"]] = row["number"]
    return summary


def _plan(row: dict[str, Any]) -> Plan:
    state = row["state"]
    if state in ("open", "approved") and row["expires_at"] < datetime.now(UTC):
        state = "expired"
    return Plan(row["id"], row["kind"], state, row["summary"], row["made_at"], row["expires_at"], row["decided_by"])


def get_plan(hub: Hub, plan_id: int) -> Plan:
    """One plan. Raises: NotFound."""
    with hub.transaction() as db:
        db.execute("SELECT * FROM plan WHERE id = %s", [plan_id])
        row = db.fetchone()
    if row is None:
        raise NotFound(f"there is no plan {plan_id}", next_step="see `hub plan list`")
    return _plan(row)


def list_plans(hub: Hub, *, state: str | None = None, after: int = 0, limit: int = 50) -> list[Plan]:
    """Plans, newest first; `after` is the id of the last one seen."""
    with hub.transaction() as db:
        db.execute(
            "SELECT * FROM plan WHERE (%(state)s::text IS NULL OR state = %(state)s) AND (%(after)s = 0 OR id < %(after)s) "
            "ORDER BY id DESC LIMIT %(limit)s",
            {"state": state, "after": after, "limit": limit},
        )
        return [_plan(row) for row in db]


def plan_rows(hub: Hub, plan_id: int, *, after: int = 0, limit: int = 100, system: str | None = None) -> list[dict[str, Any]]:
    """Rows of a plan with the record's number, `after` being how many were seen."""
    ids = [state.id for state in hub.streams.values() if system in (None, state.system)]
    with hub.transaction() as db:
        db.execute(
            "SELECT stream_id, entity_id::text AS entity_id, org, action, changes::text AS changes, canonical_version, outcome "
            "FROM plan_row WHERE plan_id = %s AND stream_id = ANY(%s) ORDER BY stream_id, entity_id, org OFFSET %s LIMIT %s",
            [plan_id, ids, after, limit],
        )
        rows = [dict(row) for row in db]
    for row in rows:
        state = hub.by_id[row.pop("stream_id")]
        row |= {"system": state.system, "stream": state.name, "entity": state.entity, "changes": from_json(row["changes"] or "null")}
    return rows


def _decide(hub: Hub, plan_id: int, verdict: str, by: str, allowed: Sequence[str]) -> Plan:
    plan = get_plan(hub, plan_id)
    if plan.state == "expired":
        raise PlanExpired(f"plan {plan_id} expired at {plan.expires_at:%Y-%m-%d %H:%M %Z}", next_step="make a new one with `hub plan make`")
    if plan.state not in allowed:
        raise WrongState(f"plan {plan_id} is {plan.state}", next_step=f"only a plan that is {' or '.join(allowed)} can become {verdict}")
    with hub.transaction() as db:
        db.execute("UPDATE plan SET state = %s, decided_by = %s, decided_at = now() WHERE id = %s", [verdict, by, plan_id])
    return get_plan(hub, plan_id)


def approve(hub: Hub, plan_id: int, by: str) -> Plan:
    """Approve a plan. Raises: NotFound, PlanExpired, WrongState."""
    return _decide(hub, plan_id, "approved", by, ["open"])


def reject(hub: Hub, plan_id: int, by: str, reason: str = "") -> Plan:
    """Reject a plan; its rows stay held."""
    return _decide(hub, plan_id, "rejected", f"{by}: {reason}" if reason else by, ["open", "approved"])


def apply(hub: Hub, plan_id: int, *, deliver_now: bool = True) -> RunResult:
    """Release an approved plan's rows and deliver them. What has moved since the plan was made is skipped and reported.

    Raises: NotFound, PlanExpired, WrongState; NotAllowed while a flow of the plan is not in mode `write`.
    """
    plan = get_plan(hub, plan_id)
    if plan.state == "expired":
        raise PlanExpired(f"plan {plan_id} has expired", next_step="make a new one with `hub plan make`")
    if plan.state != "approved":
        raise WrongState(f"plan {plan_id} is {plan.state}", next_step=f"approve it first: `hub plan approve {plan_id}`")
    with running(hub, "apply", detail=f"plan {plan_id}") as run:
        run.counts(hub.settle(lambda db: _applied(hub, db, plan_id)))
        if deliver_now:
            for system in hub.systems():
                run.result.add(deliver(hub, system))
    return run.result


def _applied(hub: Hub, db: Cursor, plan_id: int) -> dict[str, int]:
    db.execute("UPDATE plan SET state = 'applied' WHERE id = %s AND state = 'approved'", [plan_id])
    if not db.rowcount:  # somebody else was faster
        raise WrongState(f"plan {plan_id} is not approved any more", next_step=f"look at it: `hub plan show {plan_id}`")
    _need_write_mode(hub, db, plan_id)
    released = _release(db, plan_id)
    db.execute("SELECT count(*) AS moved FROM plan_row WHERE plan_id = %s AND outcome = 'moved'", [plan_id])
    moved = (db.fetchone() or {"moved": 0})["moved"]
    return {"released": released, "moved": moved}


def _need_write_mode(hub: Hub, db: Cursor, plan_id: int) -> None:
    overrides = hub.mode_overrides(db)
    db.execute("SELECT DISTINCT stream_id FROM plan_row WHERE plan_id = %s", [plan_id])
    closed = [state.label for row in db if hub.mode(state := hub.by_id[row["stream_id"]], overrides) != "write"]
    if closed:
        raise NotAllowed(
            f"{', '.join(closed)} may not write yet",
            next_step="switch them with `hub mode write --system … --entity …`, or mode: write in hub.yaml",
        )


def _release(db: Cursor, plan_id: int) -> int:
    db.execute(
        # Asked row by row: each look-up has an index, whatever the planner believes of tables that have just been filled.
        "UPDATE plan_row p SET outcome = CASE WHEN EXISTS (SELECT FROM desired d "
        "LEFT JOIN link l ON l.stream_id = d.stream_id AND l.entity_id = d.entity_id AND l.org = d.org AND l.role = 'primary' "
        "LEFT JOIN observed o ON (o.stream_id, o.key) = (l.stream_id, l.key) "
        "WHERE (d.stream_id, d.entity_id, d.org) = (p.stream_id, p.entity_id, p.org) AND d.state = 'held' AND d.reason = 'plan' "
        "AND d.canonical_version = p.canonical_version AND coalesce(o.version, 0) = p.observed_version) "
        "THEN 'applied' ELSE 'moved' END WHERE p.plan_id = %(plan)s",
        {"plan": plan_id},
    )
    db.execute(
        "UPDATE desired d SET state = 'due', reason = 'planned', due_at = now(), changed_at = now() FROM plan_row p "
        "WHERE p.plan_id = %s AND p.outcome = 'applied' AND (d.stream_id, d.entity_id, d.org) = (p.stream_id, p.entity_id, p.org)",
        [plan_id],
    )
    return db.rowcount
