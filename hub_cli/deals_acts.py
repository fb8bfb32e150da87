"""`hub deals approve|reject|appeal|extend|release|transfer|convert|take-back|protect|review`: what people do with registrations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal
from uuid import UUID

import click

from hub_cli.answers import Answer, answers, moment, plain
from hub_cli.deals_claims import dealer_id
from hub_cli.deals_customers import customer_number
from hub_cli.exits import Exit
from hub_cli.look import LIMIT
from hub_cli.place import Place, who

ID = click.argument("registration", type=click.UUID, metavar="ID")
CAUSE = click.option("--cause", default="", help="Why, for those who ask later.")


def done(place: Place, work: Callable[[Any], Any]) -> Answer:
    """Do it in a transaction of its own, raise its notices, and answer with the registration as it stands now."""
    from sync import deal_notices

    with place.open_hub() as hub:
        with hub.pool.connection() as db:
            told = work(db)
        deal_notices.tell(hub)
    return _stands(told)


def _stands(told: Any) -> Answer:
    until = f", until {moment(told.protected_until)}" if told.protected_until else ""
    return Answer(told, text=f"{told.id}: {told.status} ({told.reason}){until}")


@click.command()
@ID
@CAUSE
@click.pass_obj
@answers
def approve(place: Place, registration: UUID, cause: str) -> Answer:
    """Approve what waits for it: protected from now on, for the days of its policy."""
    from channel.deals import acting

    return done(place, lambda db: acting.approve(db, registration, who(), cause))


@click.command()
@ID
@CAUSE
@click.pass_obj
@answers
def reject(place: Place, registration: UUID, cause: str) -> Answer:
    """Refuse what waits; the customer is free again."""
    from channel.deals import acting

    return done(place, lambda db: acting.reject(db, registration, who(), cause))


@click.command()
@ID
@CAUSE
@click.option("--grant", "answer", flag_value="grant", help="Answer it: the refusal was wrong.")
@click.option("--deny", "answer", flag_value="deny", help="Answer it: the refusal stands.")
@click.option("--other-firm", is_flag=True, help="With --grant: it means another firm than the one that is held.")
@click.option("--end-holder", is_flag=True, help="With --grant: the customer is taken back from who holds it.")
@click.pass_obj
@answers
def appeal(place: Place, registration: UUID, cause: str, answer: str | None, other_firm: bool, end_holder: bool) -> Answer:  # noqa: FBT001  click's way
    """Appeal a refusal for its dealer, or answer the appeal with --grant or --deny."""
    from channel.deals import acting
    from channel.deals.errors import RegistrationNotFound

    def work(db: Any) -> Any:
        if answer == "grant":
            return acting.grant_appeal(db, registration, who(), cause, other_firm=other_firm, end_holder=end_holder)
        if answer == "deny":
            return acting.deny_appeal(db, registration, who(), cause)
        dealer = acting.found(db, registration).dealer_id
        if dealer is None:
            raise RegistrationNotFound(
                f"registration {registration} is a customer of our own", next_step="name a registration that a dealer made"
            )
        return acting.appeal(db, registration, dealer, cause)

    return done(place, work)


@click.command()
@ID
@click.option("--evidence", multiple=True, help="A visit, quote, sample or tender; may stand several times.")
@click.pass_obj
@answers
def extend(place: Place, registration: UUID, evidence: tuple[str, ...]) -> Answer:
    """Protect it for longer: once, near its end, with evidence of work."""
    from channel.deals import acting

    return done(place, lambda db: acting.extend(db, registration, who(), evidence))


@click.command()
@ID
@CAUSE
@click.pass_obj
@answers
def release(place: Place, registration: UUID, cause: str) -> Answer:
    """Give a customer up; whoever waits for it is let in. Also for a customer of our own."""
    from channel.deals import acting

    return done(place, lambda db: acting.release(db, registration, who(), cause))


@click.command()
@ID
@click.argument("what")
@click.pass_obj
@answers
def activity(place: Place, registration: UUID, what: str) -> Answer:
    """Note work on it (a visit, a quote, a sample): it does not lie idle."""
    from channel.deals import acting
    from channel.deals.service import shown

    def work(db: Any) -> Any:
        acting.note_activity(db, registration, what, who())
        return shown(acting.found(db, registration))

    return done(place, work)


@click.command("take-back")
@ID
@CAUSE
@click.pass_obj
@answers
def take_back(place: Place, registration: UUID, cause: str) -> Answer:
    """Take a customer away from a dealer; whoever waits for it is let in."""
    from channel.deals import acting

    return done(place, lambda db: acting.take_back(db, registration, who(), cause))


@click.command()
@ID
@click.argument("dealer")
@CAUSE
@click.pass_obj
@answers
def transfer(place: Place, registration: UUID, dealer: str, cause: str) -> Answer:
    """Hand it, and the deal that it became, to another dealer for the time that is left. The answer is the new registration."""
    from sync import deal_notices, registering

    with place.open_hub() as hub:
        with hub.pool.connection() as db:
            taker = dealer_id(db, dealer)
        told = registering.transfer(hub, registration, taker, who(), cause)
        deal_notices.tell(hub)
    return _stands(told)


@click.command()
@ID
@click.option("--deal", type=click.UUID, metavar="ID", help="A deal that there is already; without it one is made.")
@click.pass_obj
@answers
def convert(place: Place, registration: UUID, deal: UUID | None) -> Answer:
    """Let a registration be a deal of the pipeline, with what it holds; the customer stays protected until its end."""
    from sync import registering

    with place.open_hub() as hub:
        made = registering.to_deal(hub, registration, who(), deal=deal)
    return Answer({"registration": registration, "deal": made}, text=f"{registration} is deal {made}")


@click.command()
@click.argument("customer", metavar="PARTY|#CUSTOMER")
@click.option("--line", default="", help="Product line; every line without it.")
@CAUSE
@click.pass_obj
@answers
def protect(place: Place, customer: str, line: str, cause: str) -> Answer:
    """Protect a customer for ourselves, without end: a party (number, hub key or id), or the number of a customer as `#4711`."""
    from channel.deals import acting

    with place.open_hub() as hub, hub.pool.connection() as db:
        number = customer_number(db, customer)
        made = acting.protect_direct(db, number, who(), cause, line)
    return Answer({"id": made, "customer": number}, text=f"{made}: protected without end")


@click.command()
@click.argument("registration", type=click.UUID, metavar="[ID]", required=False)
@click.argument("customer", type=int, metavar="[CUSTOMER]", required=False)
@click.argument("answer", type=click.Choice(["same", "different", "hold"]), required=False)
@click.option("--reason", default="", help="For those who look at it later.")
@click.option("--waiting", is_flag=True, help="Only those that a dealer waits for.")
@LIMIT
@click.pass_obj
@answers
def review(
    place: Place,
    registration: UUID | None,
    customer: int | None,
    answer: Literal["same", "different", "hold"] | None,
    reason: str,
    waiting: bool,  # noqa: FBT001  click's way
    limit: int,
) -> Answer:
    """Claims that may mean a known customer; with an answer: decide one. Exit code 4 when a dealer waits for one.

    `same` refuses the claim when somebody holds that customer, `different` keeps the two apart for ever, `hold` leaves it open.
    """
    from channel.deals import review as questions

    if registration is not None:
        if customer is None or answer is None:
            raise click.UsageError("give registration, customer and answer, or none of them")
        work = questions.hold if answer == "hold" else None
        if work is not None:
            return done(place, lambda db: work(db, registration, customer, who(), reason))
        return _decided(place, registration, customer, "same" if answer == "same" else "different", reason)
    with place.open_hub() as hub, hub.pool.connection() as db:
        rows = plain(questions.list_open(db, waiting_only=waiting, limit=limit))
    exits = Exit.SET_ASIDE if any(one["waits"] for one in rows) else Exit.DONE
    return Answer(rows, exits, "\n".join(_question(one) for one in rows) or "nothing to compare")


def _decided(place: Place, registration: UUID, customer: int, answer: Literal["same", "different"], reason: str) -> Answer:
    from sync import deal_notices, reviewing

    with place.open_hub() as hub:
        told = reviewing.decide(hub, registration, customer, answer, who(), reason)
        deal_notices.tell(hub)
    return _stands(told)


def _question(one: dict[str, Any]) -> str:
    claim = " · ".join(str(value) for name, value in one["claim"].items() if value and name in ("name", "uscc", "phone", "city"))
    head = f"{one['registration_id']}  {'a dealer waits' if one['waits'] else one['status']}, p {one['p']}"
    reasons = "; ".join(reason["zh"] for reason in one["reasons"][:6])
    return f"{head}\n  claimed: {claim}\n  is it customer {one['customer_id']} {one['customer_name']}?" + (
        f"\n  {reasons}" if reasons else ""
    )
