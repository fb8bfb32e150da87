"""`hub deals fences|policies|rebuild|upkeep`: rules as data, and the daily work."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import click

from hub_cli.answers import Answer, answers, of_run, plain
from hub_cli.deals_claims import DAY, dealer_id
from hub_cli.exits import Exit
from hub_cli.place import Place, who


@click.command()
@click.option("--dealer", help="Only this dealer's; with --add, whose it is: number, hub key or id.")
@click.option("--on", type=DAY, help="Only what holds on this day.")
@click.option("--add", is_flag=True, help="Put one up.")
@click.option("--region", default="", help="With --add: GB/T 2260 prefix.")
@click.option("--industry", default="", help="With --add: GB/T 4754 prefix.")
@click.option("--line", default="", help="With --add: product line.")
@click.option("--exclusive", is_flag=True, help="With --add: nobody else may sell there.")
@click.option(
    "--outside", type=click.Choice(["block", "flag"]), default="block", help="With --add: what becomes of a claim or order outside."
)
@click.option("--from", "start", type=DAY, help="With --add: first day.")
@click.option("--to", "end", type=DAY, help="Last day, of the one added or ended.")
@click.option("--end", "ended", type=int, metavar="N", help="Let this fence end, today or with --to.")
@click.option("--try", "tried", is_flag=True, help="May --dealer sell at --region or --place? Nothing is registered.")
@click.option("--place", "where", default="", help="With --try: an address, a city or a company's name.")
@click.option("--note", default="", help="For those who ask later.")
@click.pass_obj
@answers
def fences(place: Place, dealer: str | None, on: datetime | None, ended: int | None, note: str, **given: Any) -> Answer:
    """Where dealers may sell, and where nobody but they may: list, --add, --end, --try.

    Exit code 3 when the new one contradicts another's, or when what is tried is outside or not clear.
    """
    from channel.deals import fence_queries, fencing
    from channel.deals.fences import Fence

    start, end = _day(given.pop("start")), _day(given.pop("end"))
    add, tried, where = given.pop("add"), given.pop("tried"), given.pop("where")
    if tried and (dealer is None or add or ended is not None):
        raise click.UsageError("--try needs --dealer, and stands without --add and --end")
    if add and (ended is not None or dealer is None):
        raise click.UsageError("--add needs --dealer, and stands without --end")
    with place.open_hub() as hub, hub.pool.connection() as db:
        if tried:
            return _tried(db, dealer_id(db, dealer or ""), where, given, _day(on))
        if ended is not None:
            fencing.end(db, ended, who(), last_day=end, note=note)
            return Answer({"id": ended, "ended": True}, text=f"fence {ended} ends {end or 'today'}")
        if add:
            area = Fence(
                0, dealer_id(db, dealer or ""), given["region"], given["industry"], given["line"], given["exclusive"], given["outside"],
                start or date.min, end or date.max,
            )  # fmt: skip
            made, others = fencing.add(db, area, who(), note)
            told = f"fence {made.id} stands" + (f"; it contradicts {', '.join(str(one.id) for one in others)}" if others else "")
            return Answer(
                {**_open_ended(plain(made)), "contradicts": [one.id for one in others]}, Exit.DIFFERS if others else Exit.DONE, told
            )
        rows = fence_queries.fences(db, dealer_id=dealer_id(db, dealer) if dealer else None, on=_day(on))
    return Answer([_open_ended(row) for row in plain(rows)], empty="no fences: every dealer may sell everywhere")


def _tried(db: Any, dealer: UUID, where: str, given: dict[str, Any], on: date | None) -> Answer:
    from channel.deals import fencing

    region, told = fencing.try_place(
        db, dealer, region=given["region"], place=where, industry=given["industry"], product_line=given["line"], on=on
    )
    zh, en = fencing.words(told)
    shown = {"effect": told.effect, "code": told.code, "fence": told.fence_id, "region": region, "zh": zh, "en": en}
    return Answer(
        shown, Exit.DONE if told.effect == "allow" else Exit.DIFFERS, f"{told.effect} in {region or 'an unknown place'} {zh}".strip()
    )


@click.command()
@click.option("--on", type=DAY, help="Only what holds on this day.")
@click.option("--set", "wanted", is_flag=True, help="Let one hold; what held under the same conditions ends the day before.")
@click.option("--line", default="", help="With --set: only for this product line.")
@click.option("--region", default="", help="With --set: only there (GB/T 2260 prefix).")
@click.option("--channel-type", default="", help="With --set: only for dealers of this kind.")
@click.option("--min-amount", help="With --set: only for deals of at least this.")
@click.option("--currency", default="", help="With --min-amount: its currency.")
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="Days of protection.")
@click.option("--extension-days", type=click.IntRange(0, 3650), default=30, show_default=True, help="Days of an extension; 0: none.")
@click.option("--extend-within-days", type=click.IntRange(0, 3650), default=14, show_default=True, help="How near the end.")
@click.option("--approval", type=click.Choice(["rule", "person"]), default="rule", show_default=True, help="Who grants it.")
@click.option("--inactive-days", type=click.IntRange(1, 3650), help="Idle for longer is taken back.")
@click.option("--review-days", type=click.IntRange(1, 3650), default=2, show_default=True, help="A question that is older is late.")
@click.option(
    "--reminder", "reminders", type=click.IntRange(0, 3650), multiple=True, help="Days before the end; several.  [default: 14, 7, 1]"
)
@click.option("--from", "start", type=DAY, help="First day.  [default: today]")
@click.option("--to", "end", type=DAY, help="Last day, of the one set or ended.")
@click.option("--end", "ended", type=int, metavar="N", help="Let this policy end, today or with --to.")
@click.option("--note", default="", help="For those who ask later.")
@click.pass_obj
@answers
def policies(place: Place, on: datetime | None, ended: int | None, note: str, **given: Any) -> Answer:
    """How long customers are protected, and who grants it: list, --set, --end. The policy with the most conditions wins."""
    from channel.deals import policing

    with place.open_hub() as hub, hub.pool.connection() as db:
        if ended is not None:
            policing.end_policy(db, ended, who(), last_day=_day(given["end"]))
            return Answer({"id": ended, "ended": True}, text=f"policy {ended} ends {_day(given['end']) or 'today'}")
        if given.pop("wanted"):
            made = policing.set_policy(db, _policy(given), who(), note)
            return Answer(_open_ended(plain(made)), text=f"policy {made.id} holds from {made.valid_from}")
        rows = [_open_ended(row) for row in plain(policing.policies(db, on=_day(on)))]
    return Answer(rows, empty="no policies: 90 days for everyone")


def _policy(given: dict[str, Any]) -> Any:
    from decimal import Decimal, InvalidOperation

    from channel.deals.policies import Policy

    start, end, amount = _day(given.pop("start")), _day(given.pop("end")), given.pop("min_amount")
    try:
        least = None if amount is None else Decimal(amount)
    except InvalidOperation as wrong:
        raise click.BadParameter(f"{amount!r} is no number", param_hint="--min-amount") from wrong
    reminders = given.pop("reminders") or (14, 7, 1)
    return Policy(
        product_line=given.pop("line"),
        min_amount=least,
        reminders=reminders,
        valid_from=start or date.min,
        valid_to=end or date.max,
        **given,
    )


@click.command()
@click.pass_obj
@answers
def rebuild(place: Place) -> Answer:
    """Prepare every customer and every match key anew, as a new version of the matcher needs; then take over what parties have become."""
    from channel.deals.customers import service as customers

    with place.open_hub() as hub, hub.pool.connection() as db:
        with db.transaction():
            count = customers.rebuild(db)
        fresh = customers.refresh(db)
    figures = {"rebuilt": count, "added": fresh.added, "changed": fresh.changed, "hot": fresh.hot}
    return Answer(figures, text=f"{count} customers prepared anew, {fresh.added} came in, {fresh.changed} changed")


@click.command()
@click.pass_obj
@answers
def upkeep(place: Place) -> Answer:
    """Do what is due, as the DAG deals_upkeep does: expiry, reminders, pull-back, stuck stages, goods outside of fences, nightly scan."""
    from sync import deals_upkeep

    with place.open_hub() as hub:
        return of_run(deals_upkeep.look_after(hub))


def _open_ended(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule as the API tells it: no day where it always held, or has no end."""
    never = {"valid_from": date.min.isoformat(), "valid_to": date.max.isoformat()}
    return rule | {name: None for name, day in never.items() if rule[name] == day}


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
