"""`hub notices` and `hub approvals`: what people were told, and what waits for their answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import click

from hub_cli.answers import Answer, answers, plain
from hub_cli.deals_claims import DAY
from hub_cli.exits import Exit
from hub_cli.place import Place, who

if TYPE_CHECKING:
    from sync.hub import Hub


@click.command()
@click.option("--audience", default="role:channel_manager", show_default=True, help="For whom: it, role:NAME or party:ID.")
@click.option("--state", type=click.Choice(["open", "sent", "read", "withdrawn"]), help="Only of this state.")
@click.option("--read", "seen", type=click.UUID, metavar="ID", help="Say that this one was read.")
@click.option("--after", metavar="ID", help="Go on after this one.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many at most.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Language of the text.")
@click.pass_obj
@answers
def notices(place: Place, audience: str, state: str | None, seen: UUID | None, after: str | None, limit: int, lang: str) -> Answer:
    """What people were told, oldest first; --read marks one."""
    from sync import notices as people

    with place.open_hub() as hub:
        if seen is not None:
            people.mark(hub, str(seen), "read")
            return Answer({"id": seen, "state": "read"}, text=f"notice {seen} is read")
        rows = plain(people.notices_for(hub, audience, state=state, after=after, limit=limit))
    lines = [f"{one['id']}  {one['kind']:<20}{one['state']:<10}{_sentence(one, lang)}" for one in rows]
    return Answer(rows, text="\n".join(lines) or f"no notices for {audience}")


def _sentence(notice: Mapping[str, Any], lang: str) -> str:
    """What a notice says; one to IT has facts and no sentence."""
    facts = notice["facts"]
    return str(facts.get(lang) or f"{notice['about']}: " + "; ".join(f"{name} {value}" for name, value in facts.items()))


@click.command()
@click.argument("approval", type=click.UUID, metavar="[ID]", required=False)
@click.argument("decision", type=click.Choice(["approved", "rejected"]), required=False)
@click.option("--how", type=click.Choice(["other_firm", "end_holder"]), help="For an appeal that is granted while somebody holds it.")
@click.option("--reason", default="", help="For those who ask later.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many at most.")
@click.option("--times", is_flag=True, help="How many hours questions waited, by kind, in place of the list.")
@click.option("--from", "start", type=DAY, help="With --times: first day of asking; 90 days ago when left out.")
@click.option("--to", "end", type=DAY, help="With --times: last day; today when left out.")
@click.pass_obj
@answers
def approvals(
    place: Place, approval: UUID | None, decision: Literal["approved", "rejected"] | None, how: str | None, reason: str, limit: int,
    *, times: bool, start: datetime | None, end: datetime | None,
) -> Answer:  # fmt: skip
    """Questions that wait for a person; with an answer: decide one. Exit code 4 when there is one."""
    from sync import answering
    from sync import notices as people

    if (start or end) and not times:
        raise click.UsageError("--from and --to go with --times")
    with place.open_hub() as hub:
        if times:
            return _times(hub, start, end)
        if approval is not None:
            if decision is None:
                raise click.UsageError("say approved or rejected")
            told = plain(answering.answer(hub, str(approval), decision, who(), reason, how=how or ""))
            return Answer(told, text=f"{approval}: {told['decision']}")
        rows = plain(people.open_approvals(hub, limit=limit))
    lines = [f"{one['id']}  {one['kind']:<20}{one['subject']}  ({one['about']})" for one in rows]
    return Answer(rows, Exit.SET_ASIDE if rows else Exit.DONE, "\n".join(lines) or "nothing waits")


def _times(hub: Hub, start: datetime | None, end: datetime | None) -> Answer:
    from canonical.values import business_day
    from sync.answer_times import times_of

    last = end.date() if end else business_day(datetime.now(UTC))
    first = start.date() if start else last - timedelta(days=90)
    rows = plain(times_of(hub, first, last))
    shown = [{f"{name}_hours" if name in ("median", "p90", "waiting") else name: value for name, value in row.items()} for row in rows]
    return Answer(shown, empty=f"nothing was asked from {first} to {last}")
