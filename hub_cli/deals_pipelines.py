"""`hub deals pipelines|stages|move|stuck|forecast`: where deals stand, and what they are worth."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import click

from hub_cli.answers import Answer, answers, plain
from hub_cli.deals_claims import OF_DEALER, dealer_id
from hub_cli.exits import Exit
from hub_cli.look import LIMIT
from hub_cli.place import Place, who

BY = ("month", "year", "dealer", "customer", "product_line", "pipeline", "stage", "kind", "group", "salesperson")
GROUPS = ("early", "offer", "won", "delivery", "after", "lost")


@click.command()
@click.argument("name", required=False, metavar="[NAME]")
@click.pass_obj
@answers
def pipelines(place: Place, name: str | None) -> Answer:
    """The pipelines that deals run through, ours and the tenant's; with a name: its stages."""
    from channel.deals.errors import PipelineNotFound
    from sync import deal_pipeline

    with place.open_hub() as hub:
        every = deal_pipeline.pipelines(hub)
    if name is None:
        rows = [
            {"name": one.name, "zh": one.zh, "en": one.en, "stages": len(one.stages), "default": one.name == every.default}
            for one in every.every.values()
        ]
        return Answer(rows)
    if name not in every.every:
        raise PipelineNotFound(f"there is no pipeline {name!r}", next_step=f"use one of {', '.join(every.every)}")
    one = every.every[name]
    rows = [plain(stage) for stage in (*one.stages, *one.lost)]
    columns = ("name", "kind", "probability", "stuck_days", "needs", "also")
    return Answer({"name": one.name, "stages": rows}, text="\n".join(_stage(row, columns) for row in rows))


def _stage(row: dict[str, Any], columns: tuple[str, ...]) -> str:
    name, kind, probability, days, needs, also = (row[column] for column in columns)
    wait = "" if days is None else f", stuck after {days} days"
    asks = f", needs {', '.join(needs)}" if needs else ""
    return f"{name}  {kind} {probability}{wait}{asks}" + (f"  (also {', '.join(also)})" if also else "")


@click.command()
@click.argument("deal", metavar="DEAL")
@click.pass_obj
@answers
def stages(place: Place, deal: str) -> Answer:
    """How far a deal (id, number, hub key) has come: stages, next action, what the next stage needs. Exit code 3 when it is stuck."""
    from sync import deal_progress, inspecting

    with place.open_hub() as hub:
        told = deal_progress.progress(hub, str(inspecting.find_record(hub, "deal", deal)), _today())
    lines = [
        f"{stay.entered_at:%Y-%m-%d} {'…' if stay.left_at is None else f'{stay.left_at:%Y-%m-%d}'}  {stay.stage}" for stay in told.stages
    ]
    lines.append(f"in {told.stage or '-'} ({told.kind or '-'}) for {told.days if told.days is not None else '?'} days")
    if told.lacks:
        lines.append(f"it lacks {', '.join(told.lacks)}")
    if told.next_action:
        lines.append(f"next action: {told.next_action}, {'due since' if told.action_due else 'on'} {told.next_action_on or 'no day'}")
    if told.next_stage is not None:
        lines.append(
            f"then {told.next_stage.name}" + (f": still needs {', '.join(told.next_stage.lacks)}" if told.next_stage.lacks else "")
        )
    return Answer(plain(told), Exit.DIFFERS if told.stuck or told.lacks else Exit.DONE, "\n".join(lines))


@click.command()
@click.argument("deal", metavar="DEAL")
@click.argument("stage")
@click.option("--set", "fields", multiple=True, metavar="FIELD=VALUE", help="What the stage needs, entered with the move; several.")
@click.option("--reason", default="", help="Why; a move back or out needs one.")
@click.pass_obj
@answers
def move(place: Place, deal: str, stage: str, fields: tuple[str, ...], reason: str) -> Answer:
    """Move a deal (id, number, hub key) to a stage of its pipeline, under any of the stage's names."""
    from sync import deal_pipeline, deal_progress, inspecting

    given = _entered(fields)
    with place.open_hub() as hub:
        which = str(inspecting.find_record(hub, "deal", deal))
        version = deal_pipeline.move(hub, which, stage, who(), fields=given, reason=reason)
        now = deal_progress.progress(hub, which, _today())
    return Answer({"deal": which, "version": version, "stage": now.stage, "kind": now.kind}, text=f"deal {which} is in {now.stage}")


@click.command()
@OF_DEALER
@LIMIT
@click.pass_obj
@answers
def stuck(place: Place, dealer: str | None, limit: int) -> Answer:
    """Deals that stand still or lack what their stage needs, those longest in their stage first. Exit code 3 when there is one."""
    from sync import deal_pipeline

    with place.open_hub() as hub:
        with hub.pool.connection() as db:
            parties = [str(dealer_id(db, dealer))] if dealer else None
        found = deal_pipeline.standing(hub, _today(), parties=parties, limit=limit)
    rows = [
        {
            "deal": one.deal_id, "name": one.deal.get("name"), "dealer": one.deal.get("dealer"), "salesperson": one.deal.get("salesperson"),
            "stage": one.wrong.stage.name, "days": one.wrong.days, "stuck": one.wrong.over, "lacks": list(one.wrong.lacks),
        }
        for one in found
    ]  # fmt: skip
    return Answer(rows, Exit.DIFFERS if rows else Exit.DONE, empty="nothing stands still")


@click.command()
@click.option("--by", multiple=True, type=click.Choice(BY), help="Cut by this; may stand several times. Month when left out.")
@click.option("--group", multiple=True, type=click.Choice(GROUPS), help="Only stages of these; early, offer and won when left out.")
@OF_DEALER
@click.pass_obj
@answers
def forecast(place: Place, by: tuple[str, ...], group: tuple[str, ...], dealer: str | None) -> Answer:
    """What deals are worth, and their amounts times probability; always by currency, and none is converted."""
    from channel.deals.forecast import USUAL_GROUPS
    from sync import deal_pipeline

    cuts = tuple(dict.fromkeys(by)) or ("month",)
    with place.open_hub() as hub:
        with hub.pool.connection() as db:
            parties = [str(dealer_id(db, dealer))] if dealer else None
        cells = deal_pipeline.forecast_of(hub, cuts, groups=frozenset(group) or USUAL_GROUPS, parties=parties)
    rows = [
        {
            "currency": cell.key[0], **dict(zip(cuts, cell.key[1:], strict=True)), "deals": cell.deals,
            "amount": format(cell.amount, "f"), "weighted": format(cell.weighted, "f"),
        }
        for cell in cells
    ]  # fmt: skip
    return Answer(rows, empty="no deals")


def _entered(fields: tuple[str, ...]) -> dict[str, Any]:
    """Fields of a deal as they were typed, in document form."""
    from pydantic import ValidationError

    from hub_api.shapes import shape

    if any("=" not in field for field in fields):
        raise click.UsageError("--set takes FIELD=VALUE")
    given = dict(field.partition("=")[::2] for field in fields)
    try:
        checked = shape("deal").edit.model_validate(given) if given else None
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise click.BadParameter(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", param_hint="--set") from wrong
    entered: dict[str, Any] = checked.model_dump(mode="json", exclude_unset=True) if checked else {}
    return entered


def _today() -> date:
    from canonical.values import business_day

    return business_day(datetime.now(UTC))
