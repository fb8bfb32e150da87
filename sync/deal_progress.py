"""How far a deal has come: the stages it went through, what its next step is, and what the next stage needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from canonical.values import business_day
from channel.deals.pipeline import InStage, Stage, due_action, missing, stuck
from ledger.tables import TABLES
from sync import store
from sync.deal_pipeline import StageTime, pipelines, stage_history
from sync.errors import NotFound
from sync.hub import Hub


@dataclass(frozen=True, slots=True)
class Next:
    """The stage after the present one, with the fields that it needs and those of them that the deal lacks."""

    name: str
    en: str
    kind: str
    needs: tuple[str, ...]
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a deal stands. Units: `days` in the stage (Asia/Shanghai); `probability` a fraction."""

    deal: str
    pipeline: str
    stage: str
    kind: str
    probability: Decimal | None
    days: int | None
    """None for a deal without a known stage."""
    stuck_days: int | None
    stuck: bool
    lacks: tuple[str, ...]
    next_action: str
    next_action_on: str
    action_due: bool
    next_stage: Next | None
    stages: tuple[StageTime, ...]


def progress(hub: Hub, deal_id: str, today: date) -> Progress:
    """How far a deal has come, by the pipeline it runs through. Raises: NotFound."""
    every = pipelines(hub)
    with hub.transaction() as db:
        found = store.load(db, TABLES["deal"], [deal_id])
    if deal_id not in found or found[deal_id].retired:
        raise NotFound(f"there is no deal {deal_id}", next_step="name its id, number or hub key")
    deal: dict[str, Any] = found[deal_id].doc
    stays = stage_history(hub, deal_id)
    name = str(deal.get("stage") or "")
    pipeline = every.of(str(deal.get("pipeline") or ""), name)
    stage = pipeline.stage(name, str(deal.get("stage_kind") or ""))
    here = stays[-1] if stays and stays[-1].left_at is None else None
    wrong = stuck(every, InStage(deal_id, here.entered_at, deal), today) if here else None
    days = (today - business_day(here.entered_at)).days if here else None
    said = deal.get("probability")
    return Progress(
        deal_id,
        pipeline.name,
        stage.name if stage else name,
        stage.kind if stage else str(deal.get("stage_kind") or ""),
        Decimal(said) if said else stage.probability if stage else None,
        days,
        stage.stuck_days if stage else None,
        bool(wrong and wrong.over),
        wrong.lacks if wrong else (),
        str(deal.get("next_action") or ""),
        str(deal.get("next_action_on") or ""),
        due_action(deal, today) is not None,
        _next(pipeline.stages, stage, deal),
        tuple(stays),
    )


def _next(stages: tuple[Stage, ...], here: Stage | None, deal: dict[str, Any]) -> Next | None:
    if here is None:
        after = stages[0]
    elif here in stages[:-1]:
        after = stages[stages.index(here) + 1]
    else:
        return None
    return Next(after.name, after.en, after.kind, after.needs, missing(after, deal))
