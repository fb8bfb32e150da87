"""`hub rebates account`: what stands on a dealer's rebate account, its movements, and what an order freezes, uses and gives back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import click

from hub_cli.answers import Answer, answers, plain
from hub_cli.parameters import Amount
from hub_cli.place import Place, who

_FOR_ORDERS = {"freeze", "release", "use", "take_back"}


@click.command()
@click.argument("dealer")
@click.option("--programme", help="Of which programme, with an amount.")
@click.option("--currency", default="CNY", show_default=True, help="Of the account.")
@click.option("--freeze", type=Amount(), help="Set aside for --order.")
@click.option("--release", type=Amount(), help="Give back what --order does not use.")
@click.option("--use", type=Amount(), help="A --line of --order has used it.")
@click.option("--take-back", metavar="REASON", help="What the --line of --order has used becomes available again, and why.")
@click.option("--expire", type=Amount(), help="Write it off by hand, for a --reason.")
@click.option("--order", default="", help="The order: its number, hub key or id.")
@click.option("--line", default="", help="The ERP's line.")
@click.option("--rest", type=click.Choice(["keep", "release"]), default="keep", show_default=True, help="With --use: of what is left over.")
@click.option("--reason", default="", help="Why it is written off.")
@click.option("--movements", is_flag=True, help="Each movement with its order and ERP line, newest first, instead of what stands.")
@click.pass_obj
@answers
def account(
    place: Place, dealer: str, programme: str | None, currency: str, order: str, line: str, rest: Literal["keep", "release"],
    reason: str, *, movements: bool, take_back: str | None, **moves: Decimal | None,
) -> Answer:  # fmt: skip
    """What stands on a dealer's rebate account (accrued, available, frozen, used, expired, paid out), and moves between them.

    DEALER: number, hub key or id. Money of void orders is given back, and money past its last day expires, by night.
    """
    from channel.rebates import account_queries, accounts
    from hub_cli.deals_claims import dealer_id

    wanted: dict[str, Any] = {name: amount for name, amount in moves.items() if amount is not None}
    wanted |= {"take_back": take_back} if take_back is not None else {}
    if len(wanted) > 1 or (wanted and (programme is None or movements)) or (set(wanted) & _FOR_ORDERS and not order):
        raise click.UsageError("name --programme and one amount, and the --order that it is for")
    if {"use", "take_back"} & set(wanted) and not line:
        raise click.UsageError("name the --line that used it")
    with place.open_hub() as hub, hub.transaction() as db:
        code = account_queries.dealer_code(db.connection, dealer_id(db.connection, dealer)) or dealer
        on = (db.connection, accounts.Account(code, programme or "", currency))
        match next(iter(wanted.items()), ("", None)):
            case "freeze", amount:
                accounts.freeze(*on, amount, order=order, by=who())
            case "release", amount:
                accounts.release(*on, amount, order=order, by=who())
            case "use", amount:
                accounts.use(*on, amount, order=order, line=line, by=who(), rest=rest)
            case "take_back", why:
                accounts.take_back(*on, order=order, line=line, by=who(), reason=why)
            case "expire", amount:
                accounts.expire(*on, amount, reason=reason or "not used in time", by=who())
        if movements:
            return Answer(plain(account_queries.movements(db.connection, code, limit=1000)), empty=f"nothing has moved for {code}")
        rows = account_queries.balances(db.connection, code)
        soon = accounts.coming(db.connection, dealers=[code])
    for row in rows:
        mine = [one for one in soon if (one.account.programme, one.account.currency) == (row["programme"], row["currency"])]
        if row["account"] == "available" and mine:
            row["expires"] = [{"on": one.on, "amount": one.amount} for one in mine]
    return Answer(plain(rows), text="\n".join(map(_line, rows)) if rows else None, empty=f"nothing stands on the account of {code}")


def _line(row: dict[str, Any]) -> str:
    until = "".join(f", {one['amount']} of it until {one['on']}" for one in row.get("expires", ()))
    return f"{row['programme']}  {row['account']}  {row['amount']} {row['currency']}{until}"
