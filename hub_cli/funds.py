"""`hub funds` and `hub claims`: marketing money of dealers, and what they claim."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from hub_cli.answers import Answer, CommandFailed, answers, plain
from hub_cli.exits import Exit
from hub_cli.listing import Lists
from hub_cli.parameters import Amount, Day
from hub_cli.place import Place, who

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
STATES = ("planned", "agreed", "submitted", "approved", "rejected", "withdrawn", "lapsed", "paid")
COLUMNS = ("id", "programme", "dealer", "period", "on_day", "worth", "allowed", "currency", "state")


@click.group(cls=Lists)
def funds() -> None:
    """Market funds (MDF): what dealers may spend, by programme and period."""


@click.group(cls=Lists)
def claims() -> None:
    """Claims: an activity's cost, a special price's difference, stock that lost value."""


@funds.command("list")
@click.option("--dealer", help="Only this dealer's: number, hub key or id.")
@click.option("--programme", help="Only this programme.")
@click.pass_obj
@answers
def list_funds(place: Place, dealer: str | None, programme: str | None) -> Answer:
    """What stands in each fund: accrued, available, frozen by claims, used, expired."""
    from channel.funds import queries

    with place.open_hub() as hub, hub.transaction() as db:
        rows = queries.balances(db.connection, programme=programme, dealers=_whose(db.connection, dealer))
    return Answer(plain(rows), empty="no fund holds anything: publish a programme of type fund, then hub rebates nightly")


@funds.command()
@click.argument("programme")
@click.argument("dealer")
@click.argument("amount", type=Amount())
@click.option("--on", type=Day(), required=True, help="A day of the period that it is for.")
@click.option("--reason", required=True, help="Why.")
@click.pass_obj
@answers
def grant(place: Place, programme: str, dealer: str, amount: Decimal, on: date, reason: str) -> Answer:
    """Give a dealer's fund an amount beside what the programme fills."""
    from channel.funds import service

    with place.open_hub() as hub, hub.transaction() as db:
        made = service.grant(db.connection, programme, _dealer(db.connection, dealer), amount, on=on, by=who(), reason=reason)
    return Answer(plain(made))


@funds.command()
@click.argument("programme")
@click.argument("dealer")
@click.pass_obj
@answers
def entries(place: Place, programme: str, dealer: str) -> Answer:
    """Every movement of a dealer's fund, with its cause and its claim."""
    from channel.funds import queries

    with place.open_hub() as hub, hub.transaction() as db:
        rows = queries.entries(db.connection, programme, _dealer(db.connection, dealer))
    return Answer(plain(rows), empty="nothing has moved")


@claims.command("list")
@click.option("--dealer", help="Only this dealer's: number, hub key or id.")
@click.option("--state", type=click.Choice(STATES), help="Only in this state.")
@click.pass_obj
@answers
def list_claims(place: Place, dealer: str | None, state: str | None) -> Answer:
    """Claims, oldest first."""
    from channel.funds import queries

    with place.open_hub() as hub, hub.transaction() as db:
        rows = queries.claims(db.connection, dealers=_whose(db.connection, dealer), state=state)
    return Answer(plain(rows), columns=COLUMNS, empty="no claims")


@claims.command()
@click.argument("number")
@click.pass_obj
@answers
def show(place: Place, number: str) -> Answer:
    """One claim: what was handed in, what it is worth and why, what became of it."""
    from channel.funds import queries
    from channel.funds.errors import NoSuchClaim

    with place.open_hub() as hub, hub.transaction() as db:
        found = queries.claim(db.connection, number)
        if found is None:
            raise NoSuchClaim(f"there is no claim {number}", next_step="look with `hub claims list`")
        told = {**found, "payout": queries.payout_of(db.connection, number), "events": queries.events(db.connection, number)}
    return Answer(plain(told))


@claims.command()
@click.argument("file", type=FILE)
@click.option("--dealer", required=True, help="Number, hub key or id.")
@click.option("--plan", is_flag=True, help="The activity has not happened yet: agree to it first.")
@click.pass_obj
@answers
def submit(place: Place, file: Path, dealer: str, *, plan: bool) -> Answer:
    """Hand in the claim of a JSON file (docs/funds.md). It freezes what it is worth and asks who decides."""
    from sync import funds as engine

    with place.open_hub() as hub:
        with hub.transaction() as db:
            whose = _dealer(db.connection, dealer)
        made = engine.submit(hub, whose, _handed(file), by=who(), plan=plan)
    return Answer(plain(made), text=_line(made))


@claims.command("hand-in")
@click.argument("number")
@click.argument("file", type=FILE)
@click.pass_obj
@answers
def hand_in(place: Place, number: str, file: Path) -> Answer:
    """Real cost and evidence of an activity that was agreed to, from a JSON file."""
    from sync import funds as engine

    with place.open_hub() as hub:
        made = engine.hand_in(hub, number, _handed(file), by=who())
    return Answer(plain(made), text=_line(made))


@claims.command()
@click.argument("number")
@click.option("--amount", type=Amount(), help="Less than it is worth.  [default: all]")
@click.option("--note", default="", help="The dealer reads it.")
@click.pass_obj
@answers
def approve(place: Place, number: str, amount: Decimal | None, note: str) -> Answer:
    """Agree to a plan or a claim, whole or to less."""
    from sync import funds as engine

    with place.open_hub() as hub:
        made = engine.approve(hub, number, by=who(), note=note, amount=amount)
    return Answer(plain(made), text=_line(made))


@claims.command()
@click.argument("number")
@click.option("--reason", required=True, help="The dealer reads it.")
@click.pass_obj
@answers
def refuse(place: Place, number: str, reason: str) -> Answer:
    """Refuse a plan or a claim; what it froze is free again."""
    from sync import funds as engine

    with place.open_hub() as hub:
        made = engine.refuse(hub, number, by=who(), reason=reason)
    return Answer(plain(made), text=_line(made))


@claims.command()
@click.argument("number")
@click.pass_obj
@answers
def withdraw(place: Place, number: str) -> Answer:
    """Take back a claim that is not decided."""
    from sync import funds as engine

    with place.open_hub() as hub:
        made = engine.withdraw(hub, number, by=who())
    return Answer(plain(made), text=_line(made))


@claims.command()
@click.pass_obj
@answers
def pay(place: Place) -> Answer:
    """Pay approved claims: one payout a dealer and kind, each one credit memo that the next sync books in the ERP."""
    from sync import funds as engine

    with place.open_hub() as hub:
        paid = engine.pay_due(hub, by=who())
    return Answer(plain(paid), columns=("id", "purpose", "currency", "net", "tax", "total", "note"), empty="nothing is to be paid")


@claims.command()
@click.pass_obj
@answers
def cuts(place: Place) -> Answer:
    """Price cuts that claims for price protection name."""
    from channel.funds import queries

    with place.open_hub() as hub, hub.transaction() as db:
        rows = queries.cuts(db.connection)
    return Answer(plain(rows), empty="no price cut is announced")


@claims.command()
@click.argument("product")
@click.option("--on", type=Day(), required=True, help="The first day of the new price.")
@click.option("--old", type=Amount(), required=True, help="The price before.")
@click.option("--new", type=Amount(), required=True, help="The price from that day on.")
@click.option("--currency", default="CNY", show_default=True, help="Of the prices.")
@click.option("--dealer", default="", help="The number of the only dealer that it is for.  [default: all]")
@click.option("--note", default="", help="A word about it.")
@click.pass_obj
@answers
def cut(place: Place, product: str, on: date, old: Decimal, new: Decimal, currency: str, dealer: str, note: str) -> Answer:
    """Announce that a product's price falls. The same cut again keeps its number."""
    from channel.funds import service

    with place.open_hub() as hub, hub.transaction() as db:
        number = service.announce_cut(db.connection, product, on, old, new, currency, by=who(), dealer=dealer, note=note)
    return Answer({"cut": number}, text=number)


def _whose(db: Any, dealer: str | None) -> list[UUID] | None:
    return None if dealer is None else [_dealer(db, dealer)]


def _dealer(db: Any, named: str) -> UUID:
    from hub_cli.deals_claims import dealer_id

    return dealer_id(db, named)


def _handed(file: Path) -> Any:
    from decimal import InvalidOperation

    from channel.funds.handing import of_document

    try:
        return of_document(json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal))
    except (ValueError, TypeError, KeyError, AttributeError, InvalidOperation) as wrong:
        raise CommandFailed(
            f"{file} is no claim: {wrong!r}", "write it as docs/funds.md shows", code="funds/incomplete", exits=Exit.USAGE
        ) from wrong


def _line(made: Any) -> str:
    sentence = made["judged"].get("sentence") or {}
    return f"{made['id']}  {made['state']}  {made['worth']} {made['currency']}  {sentence.get('zh', '')}"
