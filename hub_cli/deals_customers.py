"""`hub deals alias|old-customers`: by which names a customer is known, and whom to visit again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hub_cli.answers import Answer, answers, plain
from hub_cli.deals_claims import dealer_id
from hub_cli.exits import Exit
from hub_cli.look import LIMIT
from hub_cli.place import Place, who

if TYPE_CHECKING:
    import psycopg


def customer_number(db: psycopg.Connection[Any], named: str) -> int:
    """The customer that is meant: a party (number, hub key or id), or a customer's own number as `#4711`."""
    from channel.deals.customers.queries import of_party
    from channel.deals.errors import CustomerNotFound

    if named.startswith("#") and named[1:].isdigit():
        return int(named[1:])
    number = of_party(db, dealer_id(db, named))
    if number is None:
        raise CustomerNotFound("the party is no customer yet", next_step="hub deals upkeep takes new parties in")
    return number


@click.command()
@click.argument("customer", metavar="PARTY|#CUSTOMER")
@click.argument("name", required=False)
@click.option("--remove", is_flag=True, help="Take the name back.")
@click.pass_obj
@answers
def alias(place: Place, customer: str, name: str | None, *, remove: bool) -> Answer:
    """List the further names that a customer is found by; with NAME give it one more, such as 一汽集团 for 中国第一汽车股份有限公司."""
    from channel.deals.customers import aliases

    if remove and name is None:
        raise click.UsageError("--remove needs the NAME to take back")
    with place.open_hub() as hub, hub.pool.connection() as db:
        number = customer_number(db, customer)
        if name is not None and remove:
            aliases.withdraw(db, number, name)
        elif name is not None:
            aliases.give(db, number, name, who())
        rows = plain(aliases.of(db, number))
    return Answer(rows, columns=("name", "kind", "given_by", "since"), empty=f"customer {number} has no further names")


@click.command("old-customers")
@click.option("--quiet", type=click.IntRange(1, 3650), default=365, show_default=True, help="Days since one of its deals moved last.")
@LIMIT
@click.pass_obj
@answers
def old_customers(place: Place, quiet: int, limit: int) -> Answer:
    """二次挖掘: customers that bought, have no open deal, and of whom nothing moved for long. Exit code 3 when there is one."""
    from hub_api.deals_lists import OLD_CUSTOMERS
    from hub_api.lists import page

    with place.open_hub() as hub, hub.transaction() as db:
        rows = plain(page(db, OLD_CUSTOMERS, {"quiet": quiet}, after=None, limit=limit)[:limit])
    return Answer(rows, Exit.DIFFERS if rows else Exit.DONE, empty="no customer lies idle")
