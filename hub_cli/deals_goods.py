"""`hub deals goods|seen`: goods that go where their dealer may not sell (窜货)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from hub_cli.answers import Answer, answers, plain
from hub_cli.deals_claims import LANG, dealer_id
from hub_cli.exits import Exit
from hub_cli.place import Place, who

if TYPE_CHECKING:
    from channel.deals.guarding import Kind

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--from", "start", type=DAY, help="First day of shipment or sight; 30 days ago when left out.")
@click.option("--to", "end", type=DAY, help="Last day; today when left out.")
@click.option("--kind", type=click.Choice(["address", "serial_twice", "serial_elsewhere"]), help="Only of this kind.")
@click.option("--dealer", help="Only this dealer's: number, hub key or id.")
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
