"""`hub price` on the hub's own ledger: a cart, an order's check, published rules, special prices, what makes no price."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from hub_cli.answers import Answer, answers, of_run, plain
from hub_cli.exits import Exit
from hub_cli.place import Place, who

if TYPE_CHECKING:
    from channel.pricing.asking import Ask

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
DAY = click.DateTime(["%Y-%m-%d"])


def _cart(command: Any) -> Any:
    """The options of a question."""
    for option in (
        click.argument("lines", nargs=-1, required=True, metavar="ITEM=QUANTITY..."),
        click.option("--dealer", default="", help="Number, hub key or id."),
        click.option("--customer", default="", help="End customer."),
        click.option("--company", default="", help="Our selling company, where there are several."),
        click.option("--project", default="", help="Registration, or its deal."),
        click.option("--ship-to", default="", help="GB/T 2260 code."),
        click.option("--date", "day", type=DAY, help="Price date.  [default: today in Shanghai]"),
        click.option("--currency", default=None, help="ISO 4217 code."),
        click.option("--role", default="sales", show_default=True, help="Role that bands of authority know the asker as."),
        click.option("--costs", is_flag=True, help="Show cost and margin."),
        click.option("--at-version", type=int, help="Version of prices.  [default: the newest]"),
        click.option("--snapshot", default="", help="Snapshot that an answer named: the same question gives the same answer."),
    ):
        command = option(command)
    return command


def _ask(lines: tuple[str, ...], day: Any, snapshot: str, **said: Any) -> Ask:
    from pydantic import ValidationError

    from channel.pricing.asking import Ask, AskLine

    if snapshot and day is None:
        raise click.UsageError("a snapshot goes with the day of its answer: --date")
    made = []
    for line in lines:
        item, _, quantity = line.rpartition("=")
        number = _number(quantity)
        if not item or number is None or number <= 0:
            raise click.UsageError(f"{line!r} is no ITEM=QUANTITY, such as P-100=20")
        made.append(AskLine(item=item, quantity=number))
    try:
        return Ask(lines=tuple(made), date=day.date() if day else _today(), **said)
    except ValidationError as wrong:
        raise click.UsageError("; ".join(_told(one) for one in wrong.errors(include_url=False, include_context=False))) from None


def _number(text: str) -> Decimal | None:
    """An exact number as it stands in a pricing file; None for anything else."""
    from channel.pricing.words import number

    try:
        return number(text)
    except ValueError:
        return None


def _told(problem: Any) -> str:
    what, _, fix = str(problem["msg"]).removeprefix("Value error, ").partition(" | ")
    option = {"date": "--date", "currency": "--currency"}.get(str(problem["loc"][0]) if problem["loc"] else "", "the question")
    return f"{option}: {what}" + (f" ({fix})" if fix else "")


@click.command()
@_cart
@click.pass_obj
@answers
def cart(
    place: Place, lines: tuple[str, ...], *, day: Any, role: str, costs: bool, at_version: int | None, snapshot: str, **said: Any
) -> Answer:
    """Price a cart with the ledger's prices: every rung, the rules not used, approval. Exit code 7 when something has no price."""
    from channel.pricing import service
    from hub_cli.pricing_text import waterfall

    ask = _ask(lines, day, snapshot, **said)
    with place.open_hub() as hub, hub.transaction() as db:
        told = service.price(db.connection, ask, view=service.View(role, costs=costs), at_version=at_version, snapshot=snapshot)
    refused = told["status"] == "refused"
    return Answer(plain(told), Exit.REFUSED if refused else Exit.DONE, lambda: f"{waterfall(told)}\nsnapshot {told['snapshot']}")


@click.command("check-order")
@_cart
@click.option("--approved-hash", default="", help="Hash of the price result that was approved.")
@click.pass_obj
@answers
def check_order(
    place: Place, lines: tuple[str, ...], *, day: Any, role: str, costs: bool, at_version: int | None, snapshot: str,
    approved_hash: str, **said: Any,
) -> Answer:  # fmt: skip
    """Check an order before it is made: prices, approval, territory, credit, stock. Exit code 7 when something keeps it."""
    from channel.pricing import order_service
    from channel.pricing.service import View

    ask = _ask(lines, day, snapshot, **said)
    view = View(role, costs=costs)
    with place.open_hub() as hub, hub.transaction() as db:
        made = order_service.check_order(
            db.connection, ask, [], view=view, approved_hash=approved_hash, at_version=at_version, snapshot=snapshot
        )
    found = made.told(view)
    whole = {
        "ok": not found,
        "hash": made.priced.hash,
        "snapshot": made.asked.snapshot.name,
        "net": made.priced.net,
        "tax": made.priced.tax,
        "gross": made.priced.gross,
    }
    rows = [{**one, "facts": ", ".join(f"{name} {value}" for name, value in one["facts"].items())} for one in found]
    text = "the order may go" if not found else "\n".join(f"{one['kind']}  {one['code']}  {one['facts']}" for one in rows)
    return Answer(plain({**whole, "problems": found}), Exit.REFUSED if found else Exit.DONE, text)


@click.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--reason", default="", help="Why, for those who ask later.")
@click.option("--dry-run", is_flag=True, help="Only check beside the other documents and the lists; nothing is published.")
@click.pass_obj
@answers
def publish(place: Place, files: tuple[Path, ...], *, reason: str, dry_run: bool) -> Answer:
    """Publish price rules: all files or none, each as the document of its name. What is published never changes; a change is a version."""
    from channel.pricing import service

    told = []
    with place.open_hub() as hub, hub.transaction() as db:
        for file in files:
            if dry_run:
                made = service.check(db.connection, file.stem, file.read_bytes())
            else:
                made = service.publish(db.connection, file.stem, file.read_bytes(), by=who(), reason=reason)
            told.append({"document": made.document, "version": made.version, "hash": made.hash, "price_version": made.price_version})
    verb = "can be published" if dry_run else "is published"
    return Answer({"documents": told}, text="\n".join(f"{one['document']} version {one['version']} {verb}" for one in told))


@click.command()
@click.argument("document", required=False)
@click.option("--text", "word_for_word", is_flag=True, help="The newest version of the document, word for word.")
@click.pass_obj
@answers
def rules(place: Place, document: str | None, *, word_for_word: bool) -> Answer:
    """List the versions of published price rules, of one document or of all."""
    from channel.pricing import service

    if word_for_word and document is None:
        raise click.UsageError("name the document")
    with place.open_hub() as hub, hub.transaction() as db:
        found = service.documents(db.connection, document, text=word_for_word)
    if word_for_word:
        return Answer(plain(found[-1]), text=found[-1]["text"])
    shown = ("document", "version", "price_version", "published_at", "published_by", "reason")
    return Answer(plain(found), columns=shown, empty="no price rules are published: hub price publish FILE")


@click.command()
@click.pass_obj
@answers
def state(place: Place) -> Answer:
    """What prices are made of now, and what of the systems' lists makes none, with the fix. Exit code 3 when something does not."""
    from channel.pricing import service

    with place.open_hub() as hub, hub.transaction() as db:
        book = service.book(db.connection)
    troubles = [{"list": one.list, "item": one.item, "what": one.what, "next_step": one.next_step} for one in book.troubles]
    figures = {
        "version": book.version, "prices": book.size, "items": len(book.prices.items), "lists": len(book.lists),
        "documents": sorted(book.documents),
    }  # fmt: skip
    text = f"version {book.version}: {book.size} prices of {figures['items']} items in {figures['lists']} lists; rules: "
    text += ", ".join(figures["documents"]) or "none"  # type: ignore[arg-type]  # a list of texts
    lines = [f"\n{': '.join([*filter(None, [_named(one)]), one['what']])} ({one['next_step']})" for one in troubles]
    return Answer({**figures, "troubles": troubles}, Exit.DIFFERS if troubles else Exit.DONE, text + "".join(lines))


def _named(trouble: dict[str, str]) -> str:
    """What a trouble is about: a list, an item of it, or nothing in particular."""
    return " ".join(filter(None, (trouble["list"], trouble["item"])))


SPECIALS: Final = (
    "id", "state", "dealer", "dealer_name", "project", "currency", "valid_from", "valid_to", "asked_by", "asked_at", "reason",
)  # fmt: skip
"""What the list of special prices shows of each."""


@click.command()
@click.argument("number", required=False)
@click.option("--dealer", default="", help="Ask for one: for this dealer.")
@click.option("--project", default="", help="For this registration, or its deal.")
@click.option("--item", "items", multiple=True, metavar="ITEM=PRICE[@CEILING]", help="Item, price, and highest quantity; may be repeated.")
@click.option("--ceiling-amount", metavar="AMOUNT", help="Highest amount of all items together, on the side of the prices.")
@click.option("--company", default="", help="Only for this selling company of ours.")
@click.option("--from", "start", type=DAY, help="First day.")
@click.option("--to", "end", type=DAY, help="The day after the last.")
@click.option("--currency", default="CNY", show_default=True, help="ISO 4217 code of the prices.")
@click.option("--tax-included", is_flag=True, help="The prices include tax.")
@click.option("--refuse-over", is_flag=True, help="More than is left is refused, instead of priced by the next kind.")
@click.option("--approve", is_flag=True, help="Approve the one that is named.")
@click.option("--reject", metavar="REASON", help="Reject it.")
@click.option("--end", "ends", metavar="REASON", help="End it now; what was used stays used.")
@click.option("--reason", default="", help="Why it is asked for.")
@click.pass_obj
@answers
def special(place: Place, number: str | None, **said: Any) -> Answer:
    """特批价: list, show one with what is used of it, ask for one (--dealer, --project, --item), or --approve, --reject, --end."""
    from channel.pricing import special_service
    from sync import notices, prices

    acts = [said["approve"], said["reject"] is not None, said["ends"] is not None]
    if sum(acts) > 1 or (any(acts) and number is None) or (number is not None and said["dealer"]):
        raise click.UsageError("name one special price, and one of --approve, --reject, --end; or ask for a new one")
    with place.open_hub() as hub, hub.transaction() as db:
        if said["dealer"]:
            number = prices.ask_special(db, _wanted(said), by=who())
        elif number is None:
            return Answer(plain(special_service.specials(db.connection, limit=1000)), columns=SPECIALS, empty="no special prices")
        if said["ends"] is not None:
            prices.end_special(db, number, by=who(), reason=said["ends"])
        elif said["approve"] or said["reject"] is not None:
            decision: Literal["approved", "rejected"] = "approved" if said["approve"] else "rejected"
            prices.decide_special(db, number, decision, by=who(), reason=said["reject"] or said["reason"])
            notices.close(db, f"special_price:{number}", decision, who(), said["reject"] or said["reason"])
        told = special_service.show(db.connection, number)
    rows = "".join(
        f"\n  {row['item']} {row['price']} {told['currency']}, {row['consumed']} of {row['ceiling'] or 'any number'} used"
        for row in told["items"]
    )
    most = told["ceiling_amount"]
    whole = "" if most is None else f"\n  {told['consumed_amount']} of {most} {told['currency']} used in all"
    return Answer(plain(told), text=f"{number}  {told['state']}  {told['dealer_name']}  {told['project']}{rows}{whole}")


def _wanted(said: dict[str, Any]) -> Any:
    from channel.pricing.special_service import SpecialItem, Wanted

    made = []
    for one in said["items"]:
        item, _, rest = one.rpartition("=")
        price, at, ceiling = rest.partition("@")
        asked, most = _number(price), _number(ceiling) if at else None
        if asked is None or (at and most is None):
            raise click.UsageError(f"{one!r} is no ITEM=PRICE@CEILING, such as P-100=760@100")
        made.append(SpecialItem(item, asked, most))
    amount = None if said["ceiling_amount"] is None else _number(said["ceiling_amount"])
    if said["ceiling_amount"] is not None and (amount is None or amount <= 0):
        raise click.UsageError(f"{said['ceiling_amount']!r} is no amount, such as 100000.00")
    return Wanted(
        said["dealer"], said["project"], tuple(made), company=said["company"], currency=said["currency"], tax_included=said["tax_included"],
        ceiling_amount=amount,
        valid_from=said["start"].date() if said["start"] else None, valid_to=said["end"].date() if said["end"] else None,
        over_ceiling="refuse" if said["refuse_over"] else "next_kind", reason=said["reason"],
    )  # fmt: skip


@click.command()
@click.pass_obj
@answers
def announce(place: Place) -> Answer:
    """What the DAG `prices` does each hour: keep what lists and products say as a version, tell dealers whose prices change."""
    from sync import prices

    with place.open_hub() as hub:
        return of_run(prices.look_after(hub))


@click.command()
@click.option(
    "--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="Where to.  [default: `prices` in rebates.export of hub.yaml]"
)
@click.option("--at-version", type=int, help="Version of prices.  [default: the newest]")
@click.pass_obj
@answers
def export(place: Place, folder: Path | None, at_version: int | None) -> Answer:
    """Write the prices of a version as Parquet, a row for each price or step; a version that is there is not written again."""
    from sync.price_export import export as exported

    with place.open_hub() as hub:
        beside = hub.config.rebates.export
        if folder is None and beside is None:
            raise click.UsageError("name a folder with --to, or set rebates.export in hub.yaml")
        return of_run(exported(hub, folder or Path(beside or "") / "prices", version=at_version))


def _today() -> Any:
    from canonical.values import business_day

    return business_day(datetime.now(UTC))


COMMANDS = (cart, check_order, publish, rules, state, special, announce, export)
