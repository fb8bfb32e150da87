"""`hub deals leads|duplicates`: enquiries that become deals, and customers that are there twice."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import click

from hub_cli.answers import Answer, answers, plain
from hub_cli.deals_claims import dealer_id
from hub_cli.exits import Exit
from hub_cli.place import Place, who


@click.command()
@click.argument("lead", type=click.UUID, metavar="[ID]", required=False)
@click.argument("action", type=click.Choice(["dealers", "assign", "convert"]), required=False)
@click.option("--status", type=click.Choice(["new", "working", "converted", "lost"]), help="List: only of this status.")
@click.option("--dealer", help="List: only this dealer's; assign: to whom. Number, hub key or id.")
@click.option("--salesperson", help="Assign: canonical code of the salesperson.")
@click.option("--party", help="Convert: the customer, where the lead may mean a known one. Number, hub key or id.")
@click.option("--new-party", is_flag=True, help="Convert: it is none of those that are known.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="List: how many at most.")
@click.pass_obj
@answers
def leads(place: Place, lead: UUID | None, action: str | None, **given: Any) -> Answer:
    """Leads, newest first; with ID and a word: who may get one, give it to somebody, or turn it into customer, contact and deal."""
    from sync import lead_converting

    with place.open_hub() as hub:
        if lead is None:
            return _listed(hub, given)
        with hub.pool.connection() as db:
            dealer = dealer_id(db, given["dealer"]) if given["dealer"] else None
            party = dealer_id(db, given["party"]) if given["party"] else None
        if action == "dealers":
            found = lead_converting.suggest_dealers(hub, str(lead))
            rows = [{"dealer": str(one.dealer_id), "fence": one.fence.id, "open_leads": one.open_leads, "why": one.why[0]} for one in found]
            return Answer(rows, empty="no dealer's fence holds its place")
        if action == "assign":
            if dealer is None and not given["salesperson"]:
                raise click.UsageError("say --dealer or --salesperson")
            version = lead_converting.assign(
                hub, str(lead), who(), dealer=str(dealer) if dealer else None, salesperson=given["salesperson"]
            )
            return Answer({"id": lead, "version": version}, text=f"lead {lead} is given away")
        if action == "convert":
            made = lead_converting.convert(hub, str(lead), who(), party=str(party) if party else None, new_party=given["new_party"])
            told = "was converted before" if made.repeated else "is converted"
            return Answer(plain(made), text=f"lead {lead} {told}: deal {made.deal}, customer {made.party}")
    raise click.UsageError("say dealers, assign or convert")


def _listed(hub: Any, given: dict[str, Any]) -> Answer:
    with hub.transaction() as db:
        dealer = dealer_id(db.connection, given["dealer"]) if given["dealer"] else None
        db.execute(
            "SELECT id::text AS id, doc FROM leads WHERE NOT retired AND (%(status)s::text IS NULL OR status = %(status)s) "
            "AND (%(dealer)s::uuid IS NULL OR dealer_id = %(dealer)s) ORDER BY id DESC LIMIT %(limit)s",
            {"status": given["status"], "dealer": dealer, "limit": given["limit"]},
        )
        shown = ("company_name", "person", "source", "product_line", "status", "dealer", "salesperson")
        rows = [{"id": row["id"], **{name: row["doc"].get(name) for name in shown}} for row in db]
    return Answer(rows, empty="no leads")


@click.command("duplicates")
@click.argument("low", type=int, metavar="[LOW]", required=False)
@click.argument("high", type=int, metavar="[HIGH]", required=False)
@click.argument("answer", type=click.Choice(["same", "different"]), required=False)
@click.option("--verdict", type=click.Choice(["duplicate", "review"]), help="Only of this verdict.")
@click.option("--reason", default="", help="For those who look at it later.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many at most.")
@click.pass_obj
@answers
def duplicates(
    place: Place,
    low: int | None,
    high: int | None,
    answer: Literal["same", "different"] | None,
    verdict: str | None,
    reason: str,
    limit: int,
) -> Answer:
    """Customers that the nightly scan found twice; with LOW, HIGH and an answer: decide a pair. Exit code 4 when one waits.

    `same` merges their parties, which can be undone; `different` keeps them apart for ever.
    """
    from channel.deals import duplicates as pairs
    from sync import duplicate_pairs

    with place.open_hub() as hub:
        if low is not None:
            if high is None or answer is None:
                raise click.UsageError("give both customers and an answer, or none of them")
            done = duplicate_pairs.decide(hub, low, high, answer, who(), reason)
            asked = f"; two dealers hold them: hub cases decide {done.case} same|different" if done.case else ""
            merged = f", merge {done.merge}" if done.merge else ""
            return Answer(done.as_dict(), Exit.SET_ASIDE if done.case else Exit.DONE, f"{low} and {high}: {answer}{merged}{asked}")
        with hub.pool.connection() as db:
            report = pairs.nightly(db)
            rows = plain(pairs.list_pairs(db, verdict=verdict, limit=limit))
    figures = f"{report.duplicate} sure, {report.review} doubtful, {report.new} new, {report.open} open"
    head = f"scan of {report.scanned_at:%Y-%m-%d %H:%M %Z}: {figures}" if report.scanned_at else "no scan has found anything"
    lines = [f"{one['low']} {one['low_name']}  =?  {one['high']} {one['high_name']}  {one['verdict']} {one['p']}" for one in rows]
    return Answer({"report": plain(report), "items": rows}, Exit.SET_ASIDE if rows else Exit.DONE, "\n".join([head, *lines]))
