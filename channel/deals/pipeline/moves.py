"""May a deal go from one stage to another: one step at a time, with what the stage needs; back and out only with a reason. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from channel.deals.errors import MoveRefused, PipelineNotFound
from channel.deals.pipeline.model import LOST, Pipeline, Stage


@dataclass(frozen=True, slots=True)
class Move:
    """A move that may be made: the deal's fields that change with it, in document form."""

    stage: Stage
    changes: dict[str, Any] = field(default_factory=dict)


def missing(stage: Stage, deal: Mapping[str, Any]) -> tuple[str, ...]:
    """Fields that the stage needs and the deal lacks; zero and false are values, an empty text or list is none."""
    return tuple(name for name in stage.needs if deal.get(name) in (None, "", []))


def decide(
    pipeline: Pipeline,
    deal: Mapping[str, Any],
    to: str,
    today: date,
    *,
    given: Mapping[str, Any] | None = None,
    reason: str = "",
    been: Collection[str] = (),
) -> Move:
    """The move of a deal, in document form, to the stage named `to`; `given` are fields entered together with it.

    Forward one stage at a time. Back with a `reason`; from lost too, and no further than it had come: `been` are the stages it was in.
    Out (lost) from any stage. Time: `today` is the business day (Asia/Shanghai).
    Raises: MoveRefused telling everything that is missing; PipelineNotFound for a stage that the pipeline has not.
    """
    target = pipeline.stage(to)
    if target is None:
        raise PipelineNotFound(
            f"{pipeline.zh} has no stage {to!r}",
            next_step=f"use one of {', '.join(one.name for one in (*pipeline.stages, *pipeline.lost))}",
        )
    known = {**deal, **(given or {})}
    here = pipeline.stage(str(deal.get("stage") or ""), str(deal.get("stage_kind") or ""))
    _in_order(pipeline, here, target, reason, been)
    if target.kind == "won" and "won_on" in target.needs and not known.get("won_on"):
        known["won_on"] = today.isoformat()
    _with_needs(pipeline, target, known)
    spelled = _spelled(here, target, str(deal.get("stage") or ""))
    changes = {**(given or {}), "pipeline": pipeline.name, "stage": spelled, "stage_kind": target.kind}
    changes["probability"] = format(target.probability, "f")
    if known.get("won_on") != deal.get("won_on"):
        changes["won_on"] = known["won_on"]
    if target.next_action and "next_action" not in (given or {}):
        changes["next_action"] = target.next_action.what
        changes["next_action_on"] = (today + timedelta(days=target.next_action.in_days)).isoformat()
    return Move(target, {name: value for name, value in changes.items() if deal.get(name) != value})


def _spelled(here: Stage | None, target: Stage, present: str) -> str:
    """A deal whose stage bears a CRM's name goes on in the CRM's names; where that has none for the target, its name stays."""
    if here is None or present not in here.also:
        return target.name
    return target.also[0] if target.also else present


def _in_order(pipeline: Pipeline, here: Stage | None, target: Stage, reason: str, been: Collection[str]) -> None:
    if here is target:
        raise MoveRefused(f"the deal is in {target.name} already", next_step="name another stage")
    if here is None:
        if target is not pipeline.stages[0]:
            raise MoveRefused(f"a deal begins in {pipeline.stages[0].name}", next_step=f"move it there before {target.name}")
        return
    if target.kind == LOST:
        return
    place, aim = pipeline.places[here.name], pipeline.places[target.name]
    if here.kind == LOST or aim < place:
        if not reason.strip():
            raise MoveRefused(f"from {here.name} back to {target.name} needs a reason", next_step="say why")
        if here.kind != LOST:
            return
        last = len(pipeline.stages)
        place = max((found for name in been if (found := pipeline.places.get(name, last)) < last), default=-1)
        if aim <= place:
            return
    if aim > place + 1:
        passed = ", ".join(stage.name for stage in pipeline.stages[place + 1 : aim])
        raise MoveRefused(f"{passed} may not be passed over", next_step=f"move it to {pipeline.stages[place + 1].name} first")


def _with_needs(pipeline: Pipeline, target: Stage, known: Mapping[str, Any]) -> None:
    lacking = missing(target, known)
    if lacking:
        raise MoveRefused(f"{target.name} needs {', '.join(lacking)}", next_step="give these fields with the move")
    reasons = pipeline.close_reasons.get("lost" if target.kind == LOST else "won", {})
    told = known.get("close_reason")
    if "close_reason" in target.needs and reasons and told not in reasons:
        raise MoveRefused(f"there is no reason {told!r}", next_step=f"use one of {', '.join(reasons)}")
