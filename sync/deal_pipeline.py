"""Deals in their pipelines: moved by rule, watched for standing still, added up to a forecast."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from canonical.values import business_day
from channel.deals.errors import BadPipeline, PipelineNotFound
from channel.deals.forecast import USUAL_GROUPS, Cell, Expected, forecast
from channel.deals.pipeline import KINDS, LOST, InStage, Pipeline, Pipelines, Stage, Stuck, decide, due_action, load, stuck
from channel.notices.messages import MANAGER, Message, to_party
from ledger.tables import TABLES
from sync import hub_records, notices, store
from sync.errors import BadConfig, NotFound
from sync.hub import Cursor, Hub

PAGE = 500


def pipelines(hub: Hub) -> Pipelines:
    """The tenant's pipelines: ours and those of hub.yaml. Raises: BadConfig with file and line of each mistake."""
    try:
        return load(hub.config.deals.pipelines, hub.config.deals.default_pipeline)
    except (BadPipeline, PipelineNotFound) as wrong:
        raise BadConfig(wrong.what, where="deals", next_step=wrong.next_step or "mend the pipeline's file") from wrong


def beginning(hub: Hub, pipeline: Pipeline) -> tuple[Stage, str]:
    """The stage in which a deal that the hub makes begins, and how it is spelled.

    The first one; where the deal is to be created in a CRM, the first one that the CRM has a word for, in that word.
    """
    if any(state.flow.create for state in hub.streams_for("deal")):
        for stage in pipeline.stages:
            if stage.also:
                return stage, stage.also[0]
    return pipeline.stages[0], pipeline.stages[0].name


def move(
    hub: Hub, deal_id: str, to: str, by: str, *, fields: Mapping[str, Any] | None = None, reason: str = "", expected: int | None = None
) -> int:
    """Move a deal to the stage named `to` (in any of its names), together with fields in document form; the new version.

    A registration that became this deal counts as worked on.
    Raises: MoveRefused, PipelineNotFound; NotFound; Stale; NotAllowed where hub.yaml does not name the hub among the stage's owners.
    """

    def moved(db: Cursor) -> int:
        found = store.load(db, TABLES["deal"], [deal_id])
        if deal_id not in found or found[deal_id].retired:
            raise NotFound(f"there is no deal {deal_id}", next_step="name its id, number or hub key")
        deal, version = found[deal_id].doc, found[deal_id].version
        pipeline = every.of(str((fields or {}).get("pipeline") or deal.get("pipeline") or ""), str(deal.get("stage") or ""))
        db.execute("SELECT DISTINCT stage FROM deal_stage WHERE deal_id = %s", [deal_id])
        been = [row["stage"] for row in db]
        made = decide(pipeline, deal, to, business_day(datetime.now(UTC)), given=fields, reason=reason, been=been)
        cause = f"{by}: {reason}" if reason else by
        changed = hub_records.edited(hub, db, "deal", deal_id, made.changes, cause, expected=expected or version)
        note_work(db, deal_id)
        return changed

    every = pipelines(hub)
    return hub.settle(moved)


def note_work(db: Cursor, deal_id: str) -> None:
    """Work on a deal is work on the registration that it came from: it does not lie idle."""
    db.execute(
        "UPDATE registration SET active_at = clock_timestamp(), version = version + 1 "
        "WHERE deal_id = %s AND status IN ('protected', 'converted')",
        [deal_id],
    )


@dataclass(frozen=True, slots=True)
class StageTime:
    """One stay of a deal in a stage. `left_at` None: it is there now."""

    pipeline: str
    stage: str
    kind: str
    entered_at: datetime
    left_at: datetime | None


def stage_history(hub: Hub, deal_id: str) -> list[StageTime]:
    """The stages that a deal went through, whoever moved it, oldest first; from when the hub first saw it."""
    with hub.transaction() as db:
        db.execute("SELECT pipeline, stage, kind, entered_at, left_at FROM deal_stage WHERE deal_id = %s ORDER BY id", [deal_id])
        return [StageTime(**row) for row in db]


# Standing still ----------------------------------------------------------------------------------------------------------------


Place = tuple[datetime, str]
"""Where a list of standing deals ended: since when the last one is in its stage, and its id."""
SEEN_BY = "(%(tree)s::uuid[] IS NULL OR d.dealer_id = ANY(%(tree)s) OR (d.dealer_id IS NULL AND d.customer_id = ANY(%(tree)s)))"
"""Deals of these parties: those that they work on, and those that nobody works on and that are about them."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A deal that is stuck, or lacks what its stage needs. Units: `days` are days in the stage (Asia/Shanghai)."""

    deal_id: str
    deal: Mapping[str, Any]
    """In document form."""
    entered_at: datetime
    wrong: Stuck


def standing(
    hub: Hub, today: date, *, parties: Collection[str] | None = None, after: Place | None = None, limit: int | None = None
) -> list[Standing]:
    """Deals that are stuck, or lack what their stage needs, those longest in their stage first, from the one after `after` on.

    `parties`: only the deals of these.
    """
    every = pipelines(hub)
    found: list[Standing] = []
    with hub.transaction() as db:
        for one in _in_stage(db, parties, after):
            if (wrong := stuck(every, one, today)) is not None:
                found.append(Standing(one.deal_id, one.deal, one.entered_at, wrong))
                if limit is not None and len(found) == limit:
                    break
    return found


def _in_stage(db: Cursor, parties: Collection[str] | None = None, after: Place | None = None) -> Iterator[InStage]:
    at, deal = after or (None, None)
    db.execute(
        "SELECT s.deal_id::text AS deal_id, s.entered_at, d.doc FROM deal_stage AS s JOIN deals AS d ON d.id = s.deal_id AND NOT d.retired "
        f"WHERE s.left_at IS NULL AND s.kind NOT IN ('lost', 'paid') AND {SEEN_BY} "
        "AND (%(at)s::timestamptz IS NULL OR (s.entered_at, s.deal_id) > (%(at)s::timestamptz, %(deal)s::uuid)) "
        "ORDER BY s.entered_at, s.deal_id",
        {"tree": list(parties) if parties is not None else None, "at": at, "deal": deal},
    )
    for row in db:
        yield InStage(row["deal_id"], row["entered_at"], row["doc"])


def remind(hub: Hub, today: date) -> dict[str, int]:
    """Tell owner and dealer of deals that stand still, lack something, or whose next action is due; each once for a stay or a day.

    What stood still before the go-live is told only when it moves and stands still again.
    """
    every, starts = pipelines(hub), notices.go_live(hub, "deal")
    counts: dict[str, int] = {}
    with hub.transaction() as db:
        found = [told for one in _in_stage(db) for told in _reminders(every, one, today, starts)]
        new = notices.first_times(db, [(told.subject, told.what) for told in found])
        for told in found:
            if (told.subject, told.what) in new:
                for message in told.messages:
                    notices.post(db, message)
                notices.count(counts, {told.messages[0].kind: 1})
    return counts


@dataclass(frozen=True, slots=True)
class _Reminder:
    """Messages about one deal that say the same to each who should know, and what is remembered of their having been told."""

    subject: str
    what: str
    messages: Sequence[Message]


def _reminders(every: Pipelines, one: InStage, today: date, starts: date | None) -> Iterator[_Reminder]:
    due = due_action(one.deal, today)
    if due is not None and (starts is None or due >= starts):
        facts: dict[str, Any] = {"action": str(one.deal["next_action"]), "on": due.isoformat(), **_action_words(one, due)}
        yield _reminder(one, f"action {due}", "deal_action_due", facts)
    if starts is not None and business_day(one.entered_at) < starts:
        return
    if (wrong := stuck(every, one, today)) is None:
        return
    stage, en, name = wrong.stage.name, wrong.stage.en or wrong.stage.name, one.deal.get("name") or one.deal_id
    stay = f"{stage} {one.entered_at.isoformat()}"
    if wrong.over:
        facts = {
            "stage": stage, "days": wrong.days,
            "zh": f"“{name}”在阶段“{stage}”已停留 {wrong.days} 天", "en": f"{name} has been in {en} for {wrong.days} days",
        }  # fmt: skip
        yield _reminder(one, f"stuck {stay}", "deal_stuck", facts)
    if wrong.lacks:
        lacks = ", ".join(wrong.lacks)
        facts = {
            "stage": stage, "fields": list(wrong.lacks),
            "zh": f"“{name}”处于“{stage}”但缺少: {lacks}", "en": f"{name} is in {en} and lacks {lacks}",
        }  # fmt: skip
        yield _reminder(one, f"lacks {stay}", "deal_incomplete", facts)


def _action_words(one: InStage, due: date) -> dict[str, str]:
    name, what = one.deal.get("name") or one.deal_id, str(one.deal["next_action"])
    zh = {"call": "电话联系", "visit": "上门拜访", "send_proposal": "提交方案", "follow_review": "跟进评审"}.get(what, what)
    return {"zh": f"“{name}”的下一步“{zh}”应于 {due} 完成", "en": f"The next action for {name} ({what.replace('_', ' ')}) is due on {due}"}


def _reminder(one: InStage, what: str, kind: str, facts: Mapping[str, Any]) -> _Reminder:
    """To the owner on our side, and to the dealer who works on it: his own deal, so he may read all of it."""
    owner = f"employee:{one.deal['salesperson']}" if one.deal.get("salesperson") else MANAGER
    audiences = [owner, *([to_party(one.deal["dealer"])] if one.deal.get("dealer") else [])]
    subject = f"deal:{one.deal_id}"
    return _Reminder(subject, what, [Message(kind, audience, subject, dict(facts)) for audience in audiences])


# Forecast ----------------------------------------------------------------------------------------------------------------------


def expected(hub: Hub, *, parties: Collection[str] | None = None) -> list[Expected]:
    """Every deal that is not retired, as the forecast sees it; of some parties when asked.

    The deal's own probability counts before its stage's.
    """
    every = pipelines(hub)
    with hub.transaction() as db:
        db.execute(
            "SELECT d.id::text AS id, stage_kind, coalesce(currency, '') AS currency, coalesce(expected_amount, 0) AS amount, "
            "expected_close, coalesce(dealer_id::text, '') AS dealer, coalesce(customer_id::text, '') AS customer, "
            "coalesce(doc->>'product_line', '') AS line, coalesce(doc->>'pipeline', '') AS pipeline, coalesce(doc->>'stage', '') AS stage, "
            "coalesce(doc->>'salesperson', '') AS salesperson, doc->>'probability' AS probability FROM deals AS d "
            f"WHERE NOT retired AND {SEEN_BY} ORDER BY d.id",
            {"tree": list(parties) if parties is not None else None},
        )
        return [_expected(every, row) for row in db]


def _expected(every: Pipelines, row: Mapping[str, Any]) -> Expected:
    pipeline = every.of(row["pipeline"], row["stage"])
    stage = pipeline.stage(row["stage"], row["stage_kind"] or "")
    kind = row["stage_kind"] or (stage.kind if stage else KINDS[0])
    probability = Decimal(row["probability"]) if row["probability"] else stage.probability if stage else Decimal(0)
    if kind == LOST:
        probability = Decimal(0)
    return Expected(
        row["id"], kind, min(max(probability, Decimal(0)), Decimal(1)), row["currency"], row["amount"], row["expected_close"],
        row["dealer"], row["customer"], row["line"], pipeline.name, stage.name if stage else row["stage"], row["salesperson"],
    )  # fmt: skip


def forecast_of(
    hub: Hub, by: Sequence[str] = ("month",), *, groups: Collection[str] = USUAL_GROUPS, parties: Collection[str] | None = None
) -> list[Cell]:
    """The forecast by month, year, dealer, customer, product_line, pipeline, stage, kind, group or salesperson, and always by currency."""
    return forecast(expected(hub, parties=parties), by, groups)
