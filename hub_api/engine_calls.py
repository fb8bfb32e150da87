"""Where the API calls the engine: one short function for each use, with the engine's results as plain JSON values.

The engine is imported when it is needed: the process must start, and tell its health, before anything else works.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from starlette.requests import Request

if TYPE_CHECKING:
    from connectors.base import EventAnswer
    from sync.hub import Hub


def lineage(hub: Hub, entity: str, record: UUID) -> list[dict[str, Any]]:
    """Why each field of a record has its value; empty where nothing flows."""
    return []


def edit(hub: Hub, entity: str, record: UUID, changes: Mapping[str, Any], *, by: str) -> None:
    """Edit a record as the hub's own."""
    from sync import hub_records

    hub_records.edit(hub, entity, str(record), changes, by)


def accept_link(hub: Hub, system: str, stream: str, key: str, record: UUID, *, by: str) -> None:
    """Join a record of a system to a canonical record."""
    from sync import linking

    linking.accept(hub, system, stream, key, str(record), by=by)


def unlink(hub: Hub, system: str, stream: str, key: str, *, by: str) -> None:
    """Part a record of a system from its canonical record."""
    from sync import linking

    linking.unlink(hub, system, stream, key, by=by)


def settle(hub: Hub, conflict_id: int, how: str, *, by: str) -> None:
    """Leave a conflict's difference, or repair it."""
    from sync import conflicts

    conflicts.settle(hub, conflict_id, how, by)


def decide(hub: Hub, case_id: int, answer: str, *, by: str, reason: str) -> None:
    """Answer a case."""
    from sync import cases

    cases.decide(hub, case_id, answer, by, reason=reason)


def mend(hub: Hub, quarantine_id: int, payload: Mapping[str, Any], *, by: str) -> None:
    """Put a mended payload in place of what the system sent."""
    from sync import quarantining

    quarantining.mend(hub, quarantine_id, dict(payload), by)


def replay(hub: Hub, ids: Sequence[int] | None, *, by: str) -> dict[str, Any]:
    """Try records set aside again."""
    from sync import quarantining

    return _run(quarantining.replay(hub, ids, by=by))


def discard(hub: Hub, quarantine_id: int, *, by: str) -> None:
    """Close a record set aside."""
    from sync import quarantining

    quarantining.discard(hub, quarantine_id, by)


def make_plan(hub: Hub, kind: str, systems: Sequence[str] | None, entities: Sequence[str] | None) -> int:
    """Make a plan; returns its number."""
    from sync import planning

    return int(planning.make_plan(hub, kind=kind, systems=systems, entities=entities).id)


def approve(hub: Hub, plan_id: int, *, by: str) -> None:
    """Approve a plan."""
    from sync import planning

    planning.approve(hub, plan_id, by)


def reject(hub: Hub, plan_id: int, *, by: str, reason: str) -> None:
    """Reject a plan."""
    from sync import planning

    planning.reject(hub, plan_id, by, reason)


def apply(hub: Hub, plan_id: int) -> dict[str, Any]:
    """Make an approved plan's changes due; no system is called."""
    from sync import planning

    return _run(planning.apply(hub, plan_id, deliver=False))


def set_value(hub: Hub, value: Mapping[str, Any], *, by: str) -> int:
    """Fill in a value; returns how many waiting records go on."""
    from sync import valuing

    return int(
        valuing.set_value(
            hub,
            value["name"],
            value["system"],
            value["company"],
            value["vendor_value"],
            value["canonical_value"],
            by,
            valid_from=value["valid_from"],
            valid_to=value["valid_to"],
        )
    )


def receive(hub: Hub, system: str, request: Request, body: bytes) -> EventAnswer:
    """Hand a callback to its connector, as it came."""
    from connectors.base import InboundRequest
    from sync import events

    inbound = InboundRequest(
        method=request.method,
        path=request.url.path,
        query=dict(request.query_params),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )
    return events.receive(hub, system, inbound)


def _run(result: Any) -> dict[str, Any]:
    return {"status": result.status, "counts": dict(result.counts), "problems": list(result.problems)}
