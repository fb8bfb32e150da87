"""`hub quotes`: offers with their versions, who may grant them, and what became of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from hub_cli.answers import Answer, CommandFailed, answers, moment, of_run, plain
from hub_cli.exits import Exit
from hub_cli.listing import Lists
from hub_cli.place import Place, who

if TYPE_CHECKING:
    from channel.pricing.quote_asking import Actor
    from channel.pricing.quote_queries import Kept, Offer
    from channel.pricing.wanted import Wanted
    from sync.hub import Hub

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
STATES = ("draft", "submitted", "refused", "approved", "sent", "accepted", "lost", "expired", "voided")
DAY = click.DateTime(["%Y-%m-%d"])
VERSION = click.option("--version", "number", type=click.IntRange(min=1), help="Which version.  [default: the newest]")


@click.group(cls=Lists)
def quotes() -> None:
    """Quotes: versions, who may grant them, papers, the order they become, and why they were lost."""


def _actor(role: str = "sales", *, costs: bool = False) -> Actor:
    from channel.pricing.quote_asking import Actor

    return Actor(who(), role, costs=costs)


def _wanted(file: Path) -> Wanted:
    """What a file asks for. Raises: BadPricing with every mistake, its line and its fix."""
    from channel.pricing.errors import BadPricing, Mistake
    from channel.pricing.loading import load
    from channel.pricing.wanted import Wanted

    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = wrong.object[: wrong.start].count(b"\n") + 1
        raise BadPricing([Mistake(f"{file}:{line}", "it is not UTF-8", "save it as UTF-8")]) from wrong
    return load(text, str(file), Wanted)[0]


# Looking -------------------------------------------------------------------------------------------------------------------------


@quotes.command("list")
@click.option("--state", multiple=True, type=click.Choice(STATES), help="Only in these states.")
@click.option("--dealer", help="Only this dealer's: number, hub key or id.")
@click.option("--waiting", type=click.IntRange(min=0), metavar="DAYS", help="有报价无成单: sent so many days ago or more, and no answer.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many at most.")
@click.pass_obj
@answers
def list_quotes(place: Place, state: tuple[str, ...], dealer: str | None, waiting: int | None, limit: int) -> Answer:
    """Quotes with their state, newest first. With --waiting: the longest waiting first, and exit code 3 when there is one."""
    from canonical.values import business_day
    from channel.pricing import quote_queries
    from hub_cli.deals_claims import dealer_id

    with place.open_hub() as hub, hub.pool.connection() as db:
        whose = dealer_id(db, dealer) if dealer else None
        if waiting is None:
            found = quote_queries.listed(db, dealer=whose, states=state, limit=limit)
        else:
            old = quote_queries.in_state(db, "sent", sent_to=business_day(datetime.now(UTC)) - timedelta(days=waiting))
            found = [one for one in old if whose in (None, one.dealer_id)][:limit]
        names = quote_queries.names(db, {one.buyer for one in found})
    rows = [
        {
            "number": one.number, "state": one.state, "version": one.version, "buyer": names.get(one.buyer, ""),
            "total": format(one.total, "f"), "currency": one.currency, "valid_to": one.valid_to, "sent_on": one.sent_on,
            "lost_reason": one.lost_reason,
        }
        for one in found
    ]  # fmt: skip
    return Answer(plain(rows), Exit.DIFFERS if rows and waiting is not None else Exit.DONE, empty="no quotes")


@quotes.command()
@click.argument("quote")
@click.pass_obj
@answers
def show(place: Place, quote: str) -> Answer:
    """A quote with every version word for word, its discounts with their reasons, and what was done to it by whom."""
    with place.open_hub() as hub:
        return _shown(hub, quote)


_VERSION = ("number", "made_at", "made_by", "hash", "price_version", "valid_to", "currency", "net", "tax", "gross", "lines", "discounts")
"""What is told of a version: not what authority judges it by."""


def _shown(hub: Hub, quote: str, *, said: str = "", exits: Exit = Exit.DONE, **more: Any) -> Answer:
    from channel.pricing import quote_queries, quote_service

    with hub.pool.connection() as db:
        offer = quote_service.seen(db, quote, _actor())
        versions = quote_queries.versions(db, [offer.id])[offer.id]
        events = quote_queries.events(db, offer.id)
        names = quote_queries.names(db, [one for one in (offer.dealer_id, offer.customer_id) if one])
    told = [{name: getattr(one, name) for name in _VERSION} for one in versions]
    data = {
        **plain(offer),
        "names": plain({str(key): value for key, value in names.items()}),
        "versions": plain(told),
        "events": plain(events),
        **more,
    }
    return Answer(data, exits, (said + "\n" if said else "") + _text(offer, versions, names, events))


def _text(offer: Offer, versions: list[Kept], names: dict[Any, str], events: list[dict[str, Any]]) -> str:
    from canonical.rounding import half_up

    parties = " · ".join(names[one] for one in (offer.dealer_id, offer.customer_id) if one in names)
    lines = [f"{offer.number}  {offer.state}  {parties}  {offer.total:,f} {offer.currency} with tax, valid to {offer.valid_to}"]
    for version in versions:
        lines.append(
            f"  version {version.number}  net {version.net:,f}  tax {version.tax:,f}  gross {version.gross:,f}  by {version.made_by}"
        )
        lines += [
            f"    {line['quantity']:>8} {line['unit']:<4} {line['item']} {line['name']}  {line['price']}  {line['gross']}"
            for line in version.lines
        ]
        lines += [
            f"    手工折扣 {half_up(Decimal(one['amount']), 2)} on line {one['line']}: {one['reason']}, {one['text']} ({one['by']})"
            for one in version.discounts
        ]
    for one in events:
        cause = f": {one['cause']}" if one["cause"] else ""
        lines.append(f"  {moment(one['at'])}  {one['action']} v{one['version']} -> {one['after']}  {one['actor']}{cause}")
    return "\n".join(lines)


@quotes.command()
@click.argument("quote")
@VERSION
@click.option("--costs", is_flag=True, help="Show cost and margin.")
@click.option("--replay", is_flag=True, help="Price it again from what it pins; exit code 3 when that gives something else.")
@click.pass_obj
@answers
def trace(place: Place, quote: str, number: int | None, *, costs: bool, replay: bool) -> Answer:
    """The waterfall of a version as it was priced: every rung with its rule, the rules not used and why, the approval."""
    from channel.pricing import quote_replaying, quote_service
    from hub_cli.pricing_text import waterfall

    actor = _actor(costs=costs)
    with place.open_hub() as hub, hub.transaction() as db:
        offer = quote_service.seen(db.connection, quote, actor)
        kept = quote_service.version_of(db.connection, offer, actor, number)
        again = quote_replaying.replay(db.connection, offer.id, kept.number) if replay else None
    told = {"number": offer.number, "version": kept.number, **kept.answers[actor.reader]}
    if again is None:
        return Answer(told, text=lambda: waterfall(told))
    verdict = "priced again, it gives the same" if again.same else "priced again, it gives something else"
    verdict += "" if again.pinned else "; the buyer was not pinned then: special prices, agreements and projects are those of now"
    told["replay"] = {"same": again.same, "hash": again.again, "price_version": again.price_version, "pinned": again.pinned}
    told_so = f"{verdict} (prices of version {again.price_version})"
    return Answer(told, Exit.DONE if again.same else Exit.DIFFERS, lambda: f"{waterfall(told)}\n{told_so}")


@quotes.command()
@click.option(
    "--by", type=click.Choice(["seller", "dealer", "item", "reason"]), default="seller", show_default=True, help="One row for each."
)
@click.option("--since", type=DAY, help="Only quotes made on this day or later.")
@click.pass_obj
@answers
def habits(place: Place, by: Literal["seller", "dealer", "item", "reason"], since: datetime | None) -> Answer:
    """折扣习惯: discounts by hand, how much, and how often they won; the largest first."""
    from channel.pricing import quote_reports

    with place.open_hub() as hub, hub.pool.connection() as db:
        found = quote_reports.discount_habits(db, by, since=since.date() if since else None)
    return Answer(plain(found), empty="no discounts by hand")


@quotes.command()
@click.argument("item")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many at most.")
@click.pass_obj
@answers
def history(place: Place, item: str, limit: int) -> Answer:
    """What an item was offered at, to whom, and whether it was won or lost and why; newest first."""
    from channel.pricing import quote_reports

    with place.open_hub() as hub, hub.pool.connection() as db:
        return Answer(plain(quote_reports.offered(db, item, limit=limit)), empty=f"{item} was never offered")


# Making and moving ---------------------------------------------------------------------------------------------------------------


@quotes.command()
@click.argument("file", type=FILE)
@click.pass_obj
@answers
def new(place: Place, file: Path) -> Answer:
    """Make a quote of a file (YAML or JSON), priced as of today. Nobody else sees it before it is sent."""
    from sync import quotes as flows

    wanted = _wanted(file)
    with place.open_hub() as hub:
        offer = flows.draft(hub, wanted, _actor())
        return _shown(hub, offer.number)


@quotes.command()
@click.argument("quote")
@click.argument("file", type=FILE)
@click.pass_obj
@answers
def version(place: Place, quote: str, file: Path) -> Answer:
    """One more version; the earlier ones stay word for word, and an approval does not hold for it."""
    from sync import quotes as flows

    wanted = _wanted(file)
    with place.open_hub() as hub:
        flows.revise(hub, quote, wanted, _actor())
        return _shown(hub, quote)


@quotes.command()
@click.argument("quote")
@click.option("--role", default="sales", show_default=True, help="Role that bands of authority know you as.")
@click.pass_obj
@answers
def submit(place: Place, quote: str, role: str) -> Answer:
    """Ask authority whether it may go out. Exit code 4 when somebody has to approve it: see `hub approvals`."""
    from sync import quotes as flows

    with place.open_hub() as hub:
        told = flows.submit(hub, quote, _actor(role))
        verdict = {"result": told.verdict.result, "level": told.verdict.level, "role": told.verdict.role, "asked": told.asked}
        said = f"approval of level {told.verdict.level} {told.verdict.role} is asked for" if told.asked else "it may go out"
        return _shown(hub, quote, said=said, exits=Exit.SET_ASIDE if told.asked else Exit.DONE, authority=verdict)


@quotes.command()
@click.argument("quote")
@click.pass_obj
@answers
def send(place: Place, quote: str) -> Answer:
    """The quote goes out: it flows to the connected systems, and the dealer is told."""
    from sync import quotes as flows

    with place.open_hub() as hub:
        flows.send(hub, quote, _actor())
        return _shown(hub, quote)


@quotes.command()
@click.argument("quote")
@VERSION
@click.pass_obj
@answers
def accept(place: Place, quote: str, number: int | None) -> Answer:
    """The customer accepts: an order is made of it, once. Exit code 4 when the order waits, as for a deal that is not won yet."""
    from sync import quotes as flows

    with place.open_hub() as hub:
        done = flows.accept(hub, quote, _actor(), version=number)
        said = f"order {done.order}" if done.order else f"accepted; no order yet: {done.waits}"
        return _shown(hub, quote, said=said, exits=Exit.SET_ASIDE if done.waits else Exit.DONE, new=done.new, waits=done.waits)


@quotes.command()
@click.argument("quote")
@click.option("--reason", required=True, help="A code: price, delivery, competitor, …, or those of hub.yaml.")
@click.option("--text", default="", help="Why, in words.")
@click.pass_obj
@answers
def lose(place: Place, quote: str, reason: str, text: str) -> Answer:
    """The quote is lost, with the reason."""
    from sync import quotes as flows

    with place.open_hub() as hub:
        flows.lose(hub, quote, _actor(), reason, text)
        return _shown(hub, quote)


@quotes.command()
@click.argument("quote")
@click.option("--dealer", help="For another dealer.")
@click.option("--customer", help="For another end customer.")
@click.option("--deal", help="Of another deal.")
@click.option("--valid-to", help="Last day, YYYY-MM-DD.")
@click.pass_obj
@answers
def copy(place: Place, quote: str, **changes: str | None) -> Answer:
    """A new quote with the same goods and discounts, priced as of today."""
    from sync import quotes as flows

    with place.open_hub() as hub:
        offer = flows.copy(hub, quote, _actor(), {name: value for name, value in changes.items() if value})
        return _shown(hub, offer.number)


@quotes.command()
@click.argument("quote")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Language of the paper.")
@VERSION
@click.pass_obj
@answers
def paper(place: Place, quote: str, out: Path, lang: Literal["zh", "en"], number: int | None) -> Answer:
    """Write the 报价单 of a version as OUT.pdf or OUT.xlsx, for the customer."""
    from channel.pricing import quote_paper, quote_service

    kinds: dict[str, Literal["pdf", "xlsx"]] = {".pdf": "pdf", ".xlsx": "xlsx"}
    kind = kinds.get(out.suffix.lower())
    if kind is None:
        raise click.UsageError(f"{out.name} ends neither in .pdf nor in .xlsx")
    with place.open_hub() as hub, hub.pool.connection() as db:
        offer = quote_service.seen(db, quote, _actor())
        kept = quote_service.version_of(db, offer, _actor(), number)
        made = quote_paper.paper(db, offer, kept, kind, lang)
    try:
        out.write_bytes(made)
    except OSError as wrong:
        raise CommandFailed(f"{out} cannot be written: {wrong.strerror}", "name a place that can be written") from wrong
    return Answer(
        {"number": offer.number, "version": kept.number, "written": str(out)}, text=f"{offer.number} version {kept.number}: {out}"
    )


@quotes.command()
@click.pass_obj
@answers
def upkeep(place: Place) -> Answer:
    """What the DAG `quotes` does each morning: end what is over, name what waits, give back what void orders used up."""
    from sync import quotes_upkeep

    with place.open_hub() as hub:
        return of_run(quotes_upkeep.look_after(hub))
