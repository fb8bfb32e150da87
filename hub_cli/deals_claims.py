"""`hub deals check|register|list|explain|import`: claims on customers, and why each was decided as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import click

from hub_cli.answers import Answer, CommandFailed, answers, moment, plain
from hub_cli.exits import Exit
from hub_cli.look import LIMIT
from hub_cli.place import Place, who

if TYPE_CHECKING:
    import psycopg

    from channel.deals.matching import Claim

Command = TypeVar("Command", bound=Callable[..., Any])

FREE = {"yes": Exit.DONE, "maybe": Exit.SET_ASIDE, "no": Exit.REFUSED}
BECAME = {"protected": Exit.DONE, "converted": Exit.DONE, "rejected": Exit.REFUSED}
"""Anything else waits for a person: exit code 4."""
DEALER = click.option("--dealer", required=True, help="The dealer's number, hub key or id.")
OF_DEALER = click.option("--dealer", help="Only this dealer's: number, hub key or id.")
DAY = click.DateTime(["%Y-%m-%d"])
LANG = click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Language of the sentences.")
_CLAIM = (
    ("--name", "Name of the company."),
    ("--uscc", "统一社会信用代码."),
    ("--phone", "Phone."),
    ("--contact", "A person there."),
    ("--city", "City."),
    ("--address", "Address."),
    ("--project", "What it is about."),
    ("--line", "Product line; every line without it."),
)


def claim_options(command: Command) -> Command:
    """The options that say which customer is meant."""
    for name, text in reversed(_CLAIM):
        command = click.option(name, default="", help=text)(command)
    command = click.option("--alias", "aliases", multiple=True, help="A short, former or English name; several.")(command)
    command = click.option("--industry", default="", help="GB/T 4754 code of the customer's trade.")(command)
    return click.option("--region", default="", help="GB/T 2260 code of the project's place.")(command)


def claim_of(given: dict[str, Any]) -> tuple[Claim, str, str]:
    """The claim that the options make, with region and industry."""
    from channel.deals.matching import Claim

    region, industry, line = given.pop("region"), given.pop("industry"), given.pop("line")
    return Claim(**{**given, "aliases": tuple(given["aliases"])}, product_line=line), region, industry


def dealer_id(db: psycopg.Connection[Any], named: str) -> UUID:
    """The dealer that a text names."""
    from channel.deals.importing import dealer_of

    found = dealer_of(db, named)
    if found is None:
        raise CommandFailed(
            f"{named!r} names no dealer", "give its number, hub key or id, as systems and `hub why party` know it", exits=Exit.NOT_FOUND
        )
    return found


@click.command()
@DEALER
@claim_options
@click.pass_obj
@answers
def check(place: Place, dealer: str, **given: Any) -> Answer:
    """Ask whether a customer is free, as a dealer would: yes, no or maybe. Exit codes: 0 yes, 4 maybe, 7 no.

    It counts against the dealer's limit.
    """
    from channel.deals import service

    claim, region, industry = claim_of(given)
    with place.open_hub() as hub, hub.pool.connection() as db:
        told = service.check(db, dealer_id(db, dealer), claim, region=region, industry=industry)
    text = f"{told.free}{' (it is theirs)' if told.yours else ''}; {told.left_this_hour} more questions this hour"
    return Answer(told, FREE[told.free], text)


@click.command()
@DEALER
@claim_options
@click.option("--amount", help="Expected size of the deal.")
@click.option("--currency", default="", help="Its currency, such as CNY.")
@click.option("--key", help="Text of your own: the same again gives the same registration.")
@LANG
@click.pass_obj
@answers
def register(place: Place, dealer: str, amount: str | None, currency: str, key: str | None, lang: str, **given: Any) -> Answer:
    """Register a customer for a dealer. Exit codes: 0 protected, 4 waits for a person, 7 refused (on record; it may be appealed)."""
    from decimal import Decimal, InvalidOperation

    from channel.deals import service
    from channel.deals.wording import sentence
    from sync import deal_notices

    try:
        size = None if amount is None else Decimal(amount)
    except InvalidOperation as wrong:
        raise click.BadParameter(f"{amount!r} is no number", param_hint="--amount") from wrong
    claim, region, industry = claim_of(given)
    with place.open_hub() as hub:
        with hub.pool.connection() as db:
            told = service.register(
                db, dealer_id(db, dealer), claim, idempotency_key=key, amount=size, currency=currency, region=region, industry=industry,
                actor=who(),
            )  # fmt: skip
        deal_notices.tell(hub)
    words = sentence(told.status, told.reason)[lang == "en"]
    until = f", until {moment(told.protected_until)}" if told.protected_until else ""
    return Answer(told, BECAME.get(told.status, Exit.SET_ASIDE), f"{told.id}: {told.status}{until}. {words}")


@click.command("list")
@OF_DEALER
@click.option("--status", help="Only this status, e.g. protected.")
@click.option("--customer", type=int, help="Only of this customer's number.")
@click.option("--line", help="Only of this product line.")
@click.option("--deal", type=click.UUID, metavar="ID", help="Only what became this deal.")
@click.option("--ends-before", type=DAY, help="Only protections that end before this day (Asia/Shanghai).")
@click.option("--direct", is_flag=True, help="Only customers of our own.")
@click.option("--after", type=click.UUID, metavar="ID", help="Go on after this registration.")
@LIMIT
@click.pass_obj
@answers
def list_registrations(
    place: Place,
    dealer: str | None,
    status: str | None,
    customer: int | None,
    direct: bool,  # noqa: FBT001  click's way
    after: UUID | None,
    limit: int,
    **more: Any,
) -> Answer:
    """Registrations, newest first."""
    from canonical.values import SHANGHAI
    from channel.deals import acting
    from hub_api.deals_lists import DIRECT, REGISTRATIONS, UNPROTECTED
    from hub_api.lists import page

    with place.open_hub() as hub, hub.transaction() as db:
        last = acting.found(db.connection, after) if after else None
        wanted = {"dealer": dealer_id(db.connection, dealer) if dealer else None, "status": status, "customer": customer}
        wanted |= {"product_line": more["line"], "deal": more["deal"]}
        wanted["ends_before"] = more["ends_before"] and more["ends_before"].replace(tzinfo=SHANGHAI)
        begin = (str(last.submitted_at), str(last.id)) if last else None
        rows = page(db, REGISTRATIONS, wanted, after=begin, limit=limit, and_also=DIRECT if direct else "")[:limit]
    for row in rows:
        if row["status"] in UNPROTECTED:
            row |= {"protected_from": None, "protected_until": None}
    return Answer(plain(rows), text="\n".join(_listed(row) for row in rows) or "no registrations")


def _listed(row: dict[str, Any]) -> str:

    until = f" until {moment(row['protected_until'])}" if row["protected_until"] else ""
    line = f" ({row['product_line']})" if row["product_line"] else ""
    head = f"{row['id']}  {moment(row['submitted_at'])}  {row['status']} ({row['reason']}){until}"
    return f"{head}\n  {row['customer_name']}{line}  ←  {row['dealer_name'] or 'ourselves'}"


@click.command()
@click.argument("registration", type=click.UUID, metavar="ID")
@LANG
@click.pass_obj
@answers
def explain(place: Place, registration: UUID, lang: str) -> Answer:
    """Why a registration was decided so: features with their weights, thresholds, who else was near; and its history."""
    from channel.deals import queries
    from channel.deals.explanation import explain as told_of

    with place.open_hub() as hub, hub.pool.connection() as db:
        told = told_of(db, registration)
        events = queries.events(db, registration)
    history = [
        {"at": one.at, "action": one.action, "status": one.after, "actor": one.actor, "cause": one.cause, "facts": one.facts}
        for one in events
    ]
    return Answer({**plain(told), "events": plain(history)}, text=_explained(plain(told), plain(history), lang))


def _explained(told: dict[str, Any], history: list[dict[str, Any]], lang: str) -> str:
    met = f" about customer {told['customer']} {told['customer_name']}" if told["customer"] is not None else ""
    lines = [
        f"{told['outcome']} ({told['reason']}): the matcher said {told['verdict']}{met}, p {told['p']}",
        f"  version {told['version']}, policy {told['policy'] or '-'}, today it says: {told['replayed']}",
        "  " + ", ".join(f"{name} {value}" for name, value in told["thresholds"].items()),
    ]
    if told["met"]:
        lines.append(f"  in the way: registration {told['met']}")
    if told["fence"].get("code"):
        lines.append(f"  fence: {told['fence']['effect']} ({told['fence']['code']})")
    lines += [f"  {one['weight']:>9}  {one['feature']:<9}{one[lang]}" for one in told["features"]]
    lines += [f"  near: {one['customer']} {one['name']}, p {one['p']}" for one in told["candidates"]]
    if told["others"]:
        lines.append(f"  and {told['others']} that only share a key")
    for one in history:
        cause = f": {one['cause']}" if one["cause"] else ""
        lines.append(f"  {moment(one['at'])}  {one['action']:<18}{one['status']:<12}{one['actor']}{cause}")
    return "\n".join(lines)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--apply", "wanted", is_flag=True, help="Take them in; without it only shows what would be.")
@click.pass_obj
@answers
def import_file(place: Place, file: Path, wanted: bool) -> Answer:  # noqa: FBT001  click's way
    """Bring registrations and direct customers along from CSV, Excel or JSON: all rows, or none.

    Columns: dealer, name, uscc, phone, contact, city, address, project, product_line, region, industry, amount, currency, starts, ends.
    A row without a dealer is a customer of our own, protected without end. Every row that cannot stand is named. Without --apply it is a
    preview; exit code 3 when something would be taken in.
    """
    from channel.deals import importing
    from hub_cli.tables import read_rows

    rows = read_rows(file, importing.COLUMNS)
    with place.open_hub() as hub, hub.pool.connection() as db:
        done = plain(importing.import_rows(db, rows, who(), dry_run=not wanted))
    differs = not wanted and done["registrations"] + done["direct"]
    text = f"{done['registrations']} registrations and {done['direct']} direct customers, {done['same']} stood so already"
    return Answer(
        {**done, "applied": wanted}, Exit.DIFFERS if differs else Exit.DONE, text + ("" if wanted else "; nothing done yet: --apply")
    )
