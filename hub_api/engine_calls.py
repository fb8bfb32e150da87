"""Where the API calls the engine: one short function for each use, with the engine's results as plain JSON values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, Literal
from uuid import UUID

import psycopg
import structlog
from starlette.requests import Request

from channel.deals.forecast import Cell
from channel.deals.pipeline import GROUPS, Stage
from channel.deals.registrations import Registered
from channel.deals.results import Cell as ResultCell
from channel.performance.service import Kept
from connectors.base import EventAnswer, InboundRequest
from sync import (
    answering,
    cases,
    conflicts,
    deal_notices,
    deal_pipeline,
    deal_progress,
    duplicate_pairs,
    events,
    hub_records,
    inspecting,
    lead_converting,
    linking,
    merging,
    notices,
    performance,
    planning,
    proposing,
    quarantining,
    registering,
    reviewing,
    valuing,
)
from sync.answer_times import times_of
from sync.deal_results import results_of
from sync.hub import Hub
from sync.runs import RunResult

log = structlog.get_logger("hub_api")


def lineage(hub: Hub, entity: str, record: UUID) -> list[dict[str, Any]]:
    """Why each field of a record has its value; empty where nothing flows."""
    if entity not in hub.policies:
        return []
    return [
        {
            "field": one.field,
            "value": one.value,
            "winner": one.winner_system,
            "rule": one.rule,
            "losers": [{"system": system, "value": value} for system, value in one.losers],
            "since": one.since,
        }
        for one in inspecting.why(hub, entity, record)
    ]


def edit(hub: Hub, entity: str, record: UUID, changes: Mapping[str, Any], *, by: str, expected: int | None) -> None:
    """Edit a record as the hub's own, if it is still at the expected version."""
    hub_records.edit(hub, entity, str(record), changes, by, expected=expected)


def accept_link(hub: Hub, left: tuple[str, str, str], right: tuple[str, str, str], *, by: str) -> dict[str, Any]:
    """Two records, each (system, stream, key), are one; the record that stays, and the case when two dealers hold them."""
    made = linking.accept(hub, left, right, by)
    return {"entity_id": made.entity_id, "case": made.case_id}


def import_links(hub: Hub, pairs: Sequence[tuple[tuple[str, str, str], tuple[str, str, str]]], *, by: str, dry_run: bool) -> dict[str, int]:
    """Bring known links along: pairs of (system, stream, key); returns how many were linked, and how many were one already."""
    rows = [dict(zip(linking.IMPORT_COLUMNS, (*left, *right), strict=True)) for left, right in pairs]
    return linking.import_links(hub, rows, by, dry_run=dry_run)


def unlink(hub: Hub, system: str, stream: str, key: str, *, by: str) -> str:
    """Part a record of a system from its canonical record; returns the id of its new one."""
    return linking.unlink(hub, system, stream, key, by)


def settle(hub: Hub, conflict_id: int, how: str, *, by: str) -> None:
    """Leave a conflict's difference, or repair it."""
    conflicts.settle(hub, conflict_id, how, by)


def decide(hub: Hub, case_id: int, answer: str, *, by: str, reason: str) -> None:
    """Answer a case."""
    cases.decide(hub, case_id, answer, by, reason=reason)


def mend(hub: Hub, quarantine_id: int, payload: Mapping[str, Any], *, by: str) -> None:
    """Put a mended payload in place of what the system sent."""
    quarantining.mend(hub, quarantine_id, dict(payload), by)


def replay(hub: Hub, ids: Sequence[int] | None, *, by: str) -> dict[str, Any]:
    """Try records set aside again."""
    return _run(quarantining.replay(hub, ids, by=by))


def discard(hub: Hub, quarantine_id: int, *, by: str) -> None:
    """Close a record set aside."""
    quarantining.discard(hub, quarantine_id, by)


def make_plan(hub: Hub, kind: str, systems: Sequence[str] | None, entities: Sequence[str] | None) -> int:
    """Make a plan; returns its number."""
    return int(planning.make_plan(hub, kind=kind, systems=systems, entities=entities).id)


def approve(hub: Hub, plan_id: int, *, by: str) -> None:
    """Approve a plan."""
    planning.approve(hub, plan_id, by)


def reject(hub: Hub, plan_id: int, *, by: str, reason: str) -> None:
    """Reject a plan."""
    planning.reject(hub, plan_id, by, reason)


def apply(hub: Hub, plan_id: int) -> dict[str, Any]:
    """Make an approved plan's changes due; no system is called."""
    return _run(planning.apply(hub, plan_id, deliver_now=False))


def set_value(hub: Hub, value: Mapping[str, Any], *, by: str) -> int:
    """Fill in a value; returns how many waiting records go on."""
    return int(
        valuing.set_value(
            hub,
            value["name"],
            value["system"],
            value["company"],
            value["vendor_value"],
            value["canonical_value"],
            by,
            valid_from=_day(value["valid_from"]),
            valid_to=_day(value["valid_to"]),
        )
    )


def tell_deals(hub: Hub) -> None:
    """Raise the notices of what was just done to a registration. When the database fails at it, the next upkeep does it: it is not lost."""
    try:
        deal_notices.tell(hub)
    except psycopg.Error as failed:
        log.warning("notices of deals wait for the upkeep", error=type(failed).__name__)


def convert_registration(hub: Hub, registration: UUID, deal: UUID | None, *, by: str, dealer: UUID | None) -> str:
    """A registration becomes a deal; the deal's id."""
    return registering.to_deal(hub, registration, by, deal=deal, dealer=dealer)


def transfer_registration(hub: Hub, registration: UUID, to: UUID, *, by: str, cause: str) -> Registered:
    """A registration, and the deal that it became, go to another dealer."""
    return registering.transfer(hub, registration, to, by, cause)


def decide_doubt(hub: Hub, registration: UUID, customer: int, told: Literal["same", "different"], *, by: str, reason: str) -> Registered:
    """A person's answer whether a claim means a customer."""
    return reviewing.decide(hub, registration, customer, told, by, reason)


def move_deal(hub: Hub, deal: UUID, stage: str, fields: Mapping[str, Any], *, by: str, reason: str, expected: int | None) -> None:
    """Move a deal to a stage of its pipeline."""
    deal_pipeline.move(hub, str(deal), stage, by, fields=fields, reason=reason, expected=expected)


def pipelines(hub: Hub) -> list[dict[str, Any]]:
    """All pipelines with their stages, as plain values."""
    every = deal_pipeline.pipelines(hub)
    return [
        {
            "name": one.name,
            "title": {"zh": one.zh, "en": one.en},
            "default": one.name == every.default,
            "stages": [_stage(stage) for stage in one.stages],
            "lost": [_stage(stage) for stage in one.lost],
            "close_reasons": {way: dict(reasons) for way, reasons in one.close_reasons.items()},
        }
        for one in every.every.values()
    ]


def _stage(stage: Stage) -> dict[str, Any]:
    then = stage.next_action
    return {
        "name": stage.name,
        "en": stage.en,
        "kind": stage.kind,
        "group": GROUPS.get(stage.kind, ""),
        "probability": format(stage.probability, "f"),
        "stuck_days": stage.stuck_days,
        "needs": list(stage.needs),
        "next_action": {"what": then.what, "in_days": then.in_days} if then else None,
        "also": list(stage.also),
    }


def forecast(hub: Hub, by: Sequence[str], groups: Collection[str], parties: Collection[str] | None) -> list[Cell]:
    """The forecast of these parties' deals, or of all."""
    return deal_pipeline.forecast_of(hub, by, groups=groups, parties=parties)


def answer_times(hub: Hub, start: date, end: date) -> list[dict[str, Any]]:
    """How long questions waited that were asked in these days, by kind; hours as text."""
    figures = ("median", "p90", "waiting")
    told = [asdict(one) for one in times_of(hub, start, end)]
    return [one | {name: None if one[name] is None else format(one[name], "f") for name in figures} for one in told]


def deal_results(hub: Hub, by: Sequence[str], start: date, end: date, parties: Collection[str] | None) -> list[ResultCell]:
    """Results of deals that were decided in these days, of these parties or of all."""
    return results_of(hub, by, start=start, end=end, parties=parties)


def standing(
    hub: Hub, today: date, parties: Collection[str] | None, after: deal_pipeline.Place | None, limit: int
) -> list[deal_pipeline.Standing]:
    """Deals that stand still, from a place on."""
    return deal_pipeline.standing(hub, today, parties=parties, after=after, limit=limit)


def progress(hub: Hub, deal: UUID, today: date) -> deal_progress.Progress:
    """How far a deal has come."""
    return deal_progress.progress(hub, str(deal), today)


def hand_in_lead(hub: Hub, fields: Mapping[str, Any], *, by: str, key: str) -> tuple[UUID, bool]:
    """A lead that somebody hands in; its id, and whether it is new."""
    lead, new = lead_converting.hand_in(hub, fields, by, key)
    return UUID(lead), new


def suggest_dealers(hub: Hub, lead: UUID) -> list[dict[str, Any]]:
    """Dealers who may get a lead, best first."""
    return [
        {
            "dealer": one.dealer_id,
            "fence": one.fence.id,
            "exclusive": one.fence.exclusive,
            "open_leads": one.open_leads,
            "why": dict(zip(("zh", "en"), one.why, strict=True)),
        }
        for one in lead_converting.suggest_dealers(hub, str(lead))
    ]


def assign_lead(hub: Hub, lead: UUID, *, dealer: UUID | None, salesperson: str | None, by: str) -> None:
    """Give a lead to somebody."""
    lead_converting.assign(hub, str(lead), by, dealer=str(dealer) if dealer else None, salesperson=salesperson)


def convert_lead(hub: Hub, lead: UUID, *, by: str, party: UUID | None, new_party: bool, deal: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a lead into customer, contact and deal."""
    made = lead_converting.convert(hub, str(lead), by, party=str(party) if party else None, new_party=new_party, deal=deal)
    return asdict(made)


def decide_duplicate(hub: Hub, low: int, high: int, told: Literal["same", "different"], *, by: str, reason: str) -> dict[str, Any]:
    """Answer a pair of the nightly scan."""
    return duplicate_pairs.decide(hub, low, high, told, by, reason).as_dict()


def propose_merges(hub: Hub, *, by: str, merge_sure: bool) -> dict[str, Any]:
    """Begin to resolve all parties: what is sure is joined when asked, what is likely becomes a case."""
    return proposing.start(hub, by=by, merge_sure=merge_sure).as_dict()


def proposal(hub: Hub, run: int) -> dict[str, Any]:
    """How resolving all parties goes, or went. Raises: NotFound."""
    return proposing.shown(hub, run).as_dict()


def answer_approval(hub: Hub, approval: UUID, decision: Literal["approved", "rejected"], *, by: str, reason: str, how: str) -> None:
    """Answer a question, in the room that asked it."""
    answering.answer(hub, str(approval), decision, by, reason, how=how)


def read_notice(hub: Hub, notice: UUID, *, audience: str | None) -> None:
    """A message was read."""
    notices.mark(hub, str(notice), "read", audience=audience)


def keep_month(hub: Hub, scorecard: str, as_of: date, *, by: str, reason: str, tell: bool) -> Kept | None:
    """Keep a month of a scorecard; None where no version is in force. Raises: NotFoundHere, NotOver, NoReason."""
    return performance.keep(hub, scorecard, as_of, by=by, reason=reason, tell=tell)


def undo_merge(hub: Hub, merge_id: int, *, by: str, reason: str) -> dict[str, Any]:
    """Take a merge back; what was restored, and what somebody edited since."""
    done = merging.unmerge(hub, merge_id, by, reason).as_dict()
    tell_deals(hub)
    return done


def receive(hub: Hub, system: str, request: Request, body: bytes) -> EventAnswer:
    """Hand a callback to its connector, as it came."""
    inbound = InboundRequest(
        method=request.method,
        path=request.url.path,
        query=dict(request.query_params),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )
    return events.receive(hub, system, inbound)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _run(result: RunResult) -> dict[str, Any]:
    return {"status": result.status, "counts": dict(result.counts), "problems": list(result.problems)}
