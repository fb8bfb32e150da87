"""`hub deals hand-in|leads|duplicates`: enquiries that become deals, and customers that are there twice."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import click

from hub_cli.answers import Answer, answers, moment, plain
from hub_cli.deals_claims import DAY, dealer_id
from hub_cli.exits import Exit
from hub_cli.look import LIMIT
from hub_cli.place import Place, who


@click.command("hand-in")
@click.argument("company")
@click.option("--person", default="", help="Who asked.")
@click.option("--mobile", default="", help="His phone.")
@click.option("--email", default="", help="His address.")
@click.option(
    "--source",
    type=click.Choice(["fair", "web", "phone", "referral", "dealer", "other"]),
    default="other",
    show_default=True,
    help="Where it came from.",
)
@click.option("--region", default="", help="GB/T 2260 code.")
@click.option("--industry", default="", help="GB/T 4754 code.")
@click.option("--line", default="", help="Product line.")
@click.option("--interest", default="", help="What is asked for.")
@click.option("--dealer", help="To whom it is given: number, hub key or id.")
@click.option("--key", help="Text of your own: the same again gives the same lead.")
@click.pass_obj
@answers
def hand_in(place: Place, company: str, dealer: str | None, key: str | None, line: str, **given: str) -> Answer:
    """Hand in a lead: a trade-fair card, an enquiry, a dealer's project. It protects nothing: `hub deals register` does."""
    from canonical.ids import new_id_text
    from channel.deals.errors import BadClaim
    from sync import lead_converting

    if not company.strip():
        raise BadClaim("the lead names no company", next_step="give it as the first word")
    fields = {"company_name": company, "product_line": line, "status": "new", **given}
    with place.open_hub() as hub:
        if dealer:
            with hub.pool.connection() as db:
                fields["dealer"] = str(dealer_id(db, dealer))
        made, new = lead_converting.hand_in(hub, fields, who(), f"cli/{key or new_id_text()}")
    return Answer({"id": made, "new": new}, text=f"lead {made} {'is handed in' if new else 'was handed in before'}")


@click.command()
@click.argument("lead", type=click.UUID, metavar="[ID]", required=False)
@click.argument("action", type=click.Choice(["dealers", "assign", "convert"]), required=False)
@click.option("--status", type=click.Choice(["new", "working", "converted", "lost"]), help="List: only of this status.")
@click.option("--dealer", help="List: only this dealer's; assign: to whom. Number, hub key or id.")
@click.option("--salesperson", help="Assign: canonical code of the salesperson.")
@click.option("--party", help="Convert: the customer, where the lead may mean a known one. Number, hub key or id.")
@click.option("--new-party", is_flag=True, help="Convert: it is none of those that are known.")
@click.option("--name", help="Convert: what the deal is called.")
@click.option("--pipeline", help="Convert: through which it runs.")
@click.option("--amount", help="Convert: its expected size.")
@click.option("--currency", help="Convert: the amount's currency, such as CNY.")
@click.option("--close", type=DAY, help="Convert: the day on which it is expected.")
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
            made = lead_converting.convert(
                hub, str(lead), who(), party=str(party) if party else None, new_party=given["new_party"], deal=_deal(given)
            )
            told = "was converted before" if made.repeated else "is converted"
            return Answer(plain(made), text=f"lead {lead} {told}: deal {made.deal}, customer {made.party}")
    raise click.UsageError("say dealers, assign or convert")


def _deal(given: dict[str, Any]) -> dict[str, str]:
    """What is said about the deal beside the lead, in document form."""
    from decimal import Decimal, InvalidOperation

    from canonical.values import BadValue, decimal_text

    amount, close = given["amount"], given["close"]
    if amount is not None:
        try:
            amount = decimal_text(Decimal(amount))
        except (InvalidOperation, BadValue) as wrong:
            raise click.BadParameter(f"{amount!r} is no amount", param_hint="--amount") from wrong
        if not given["currency"]:
            raise click.UsageError("--amount needs --currency")
    said = {
        "name": given["name"], "pipeline": given["pipeline"], "expected_amount": amount, "currency": given["currency"],
        "expected_close": close.date().isoformat() if close else None,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value}


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
@LIMIT
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
    head = f"scan of {moment(report.scanned_at)}: {figures}" if report.scanned_at else "no scan has found anything"
    lines = [f"{one['low']} {one['low_name']}  =?  {one['high']} {one['high_name']}  {one['verdict']} {one['p']}" for one in rows]
    return Answer({"report": plain(report), "items": rows}, Exit.SET_ASIDE if rows else Exit.DONE, "\n".join([head, *lines]))
