"""`hub deals goods|hits|seen`: goods that go where their dealer may not sell (窜货)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import click

from hub_cli.answers import Answer, answers, plain
from hub_cli.deals_claims import DAY, LANG, OF_DEALER, dealer_id
from hub_cli.exits import Exit
from hub_cli.look import LIMIT
from hub_cli.place import Place, who

if TYPE_CHECKING:
    from channel.deals.guarding import Kind


@click.command()
@click.option("--from", "start", type=DAY, help="First day of shipment or sight; 30 days ago when left out.")
@click.option("--to", "end", type=DAY, help="Last day; today when left out.")
@click.option("--kind", type=click.Choice(["address", "serial_twice", "serial_elsewhere"]), help="Only of this kind.")
@OF_DEALER
@LANG
@click.pass_obj
@answers
def goods(place: Place, start: datetime | None, end: datetime | None, kind: Kind | None, dealer: str | None, lang: str) -> Answer:
    """Suspicious shipments: to places beyond the fence, serials at two dealers, serials seen elsewhere. Exit code 3 when there is one."""
    from canonical.values import business_day
    from channel.deals import guarding

    until = end.date() if end else business_day(datetime.now(UTC))
    since = start.date() if start else until - timedelta(days=30)
    with place.open_hub() as hub, hub.pool.connection() as db:
        whose = dealer_id(db, dealer) if dealer else None
        found = list(guarding.every_suspicion(db, since, until, kind=kind, dealer=whose))
    words = [one.sentence() for one in found]
    rows = [{**plain(one), "zh": zh, "en": en} for one, (zh, en) in zip(found, words, strict=True)]
    lines = [f"{one['on'] or '-':<11}{one['kind']:<17}{one['dealer']}: {one[lang]}" for one in rows]
    return Answer(rows, Exit.DIFFERS if rows else Exit.DONE, "\n".join(lines) or f"nothing suspicious from {since} to {until}")


@click.command()
@click.argument("hit", type=int, metavar="[HIT]", required=False)
@click.argument("answer", type=click.Choice(["accepted", "refused"]), required=False)
@click.option("--state", type=click.Choice(["open", "accepted", "refused", "all"]), default="open", show_default=True)
@OF_DEALER
@click.option("--reason", default="", help="With an answer: for those who look at it later.")
@LIMIT
@click.pass_obj
@answers
def hits(place: Place, hit: int | None, answer: Literal["accepted", "refused"] | None, **given: Any) -> Answer:
    """What was found outside of fences, newest first; with HIT and an answer: settle one. Exit code 4 when one is open."""
    from channel.deals import fencing
    from hub_api.deals_lists import HITS
    from hub_api.lists import page

    with place.open_hub() as hub, hub.transaction() as db:
        if hit is not None:
            if answer is None:
                raise click.UsageError("say accepted or refused")
            subject = fencing.settle_hit(db.connection, hit, answer, who(), given["reason"])
            return Answer({"id": hit, "subject": subject, "state": answer}, text=f"{subject}: {answer}")
        wanted = {
            "dealer": dealer_id(db.connection, given["dealer"]) if given["dealer"] else None,
            "state": None if given["state"] == "all" else given["state"],
        }
        rows = plain(page(db, HITS, wanted, after=None, limit=given["limit"])[: given["limit"]])
    columns = ("id", "at", "subject", "dealer_name", "effect", "code", "state", "decided_by")
    return Answer(rows, Exit.SET_ASIDE if any(row["state"] == "open" for row in rows) else Exit.DONE, columns=columns, empty="no hits")


@click.command()
@click.argument("serial")
@click.argument("region", metavar="GB2260")
@click.option("--at", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="When, in Asia/Shanghai; now when left out.")
@click.option("--source", default="scan", show_default=True, help="warranty, service, scan, …")
@click.option("--note", default="", help="For those who look at it later.")
@click.pass_obj
@answers
def seen(place: Place, serial: str, region: str, at: datetime | None, source: str, note: str) -> Answer:
    """Note that a serial was seen somewhere; `hub deals goods` compares it with the fences."""
    from canonical.values import SHANGHAI
    from channel.deals import guarding

    moment = at.replace(tzinfo=SHANGHAI) if at else datetime.now(UTC)
    with place.open_hub() as hub, hub.pool.connection() as db:
        new = guarding.note_seen(db, serial, region, moment, source, who(), note)
    return Answer({"serial": serial, "region": region, "new": new}, text=f"{serial} in {region}: {'noted' if new else 'known already'}")
