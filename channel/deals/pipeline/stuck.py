"""Which deals stand still, and whose next action is due. Pure; days are business days of Asia/Shanghai."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from canonical.values import business_day
from channel.deals.pipeline.model import LOST, Pipelines, Stage
from channel.deals.pipeline.moves import missing


@dataclass(frozen=True, slots=True)
class InStage:
    """A deal and since when it is in its stage, as the ledger knows it."""

    deal_id: str
    entered_at: datetime
    deal: Mapping[str, Any]
    """The deal in document form."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """A deal that is in its stage for longer than the stage allows, or that lacks what its stage needs."""

    deal_id: str
    stage: Stage
    days: int
    """Days in the stage."""
    over: bool
    """True when that is too long."""
    lacks: tuple[str, ...] = ()
    """Fields that the stage needs and the deal has not: it was moved past the rules, in another system."""


def stuck(pipelines: Pipelines, one: InStage, today: date) -> Stuck | None:
    """What is wrong with a deal where it stands; None when nothing is.

    A deal that entered on a day is `days` old after as many midnights in Shanghai; with `stuck_days: 7` it is stuck on the eighth day.
    """
    name = str(one.deal.get("stage") or "")
    stage = pipelines.of(str(one.deal.get("pipeline") or ""), name).stage(name, str(one.deal.get("stage_kind") or ""))
    if stage is None or stage.kind == LOST:
        return None
    days = (today - business_day(one.entered_at)).days
    over = stage.stuck_days is not None and days > stage.stuck_days
    lacks = missing(stage, one.deal)
    return Stuck(one.deal_id, stage, days, over, lacks) if over or lacks else None


def due_action(deal: Mapping[str, Any], today: date) -> date | None:
    """The day on which the deal's next action was or is due, when that day has come; None when there is none."""
    day = deal.get("next_action_on")
    if not day or not deal.get("next_action"):
        return None
    due = date.fromisoformat(str(day))
    return due if due <= today else None
