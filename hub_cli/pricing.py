"""`hub price`: what a dealer pays, from a file alone (`quote`, `check`) or from the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from hub_cli.answers import Answer, CommandFailed, answers
from hub_cli.exits import Exit
from hub_cli.listing import Words
from hub_cli.pricing_ledger import COMMANDS

if TYPE_CHECKING:
    from channel.pricing.asking import PricingFile

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(cls=Words)
def price() -> None:
    """Prices: what a dealer pays, with every rung that made it."""


@price.command()
@click.argument("file", type=FILE)
@click.option("--pdf", type=FILE, metavar="OUT", help="Write the quote for the customer as PDF.")
@click.option("--xlsx", type=FILE, metavar="OUT", help="Write it as Excel.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Language of PDF and Excel.")
@click.option("--number", default="", help="Number of the quote on PDF and Excel.")
@click.option("--font", type=FILE, metavar="TTF", help="Font to embed in the PDF; else one of this machine, else the reader's own.")
@answers
def quote(file: Path, pdf: Path | None, xlsx: Path | None, **how: Any) -> Answer:
    """Price the cart of a file (YAML or JSON): every rung, rules not used and why, approval. Exit code 7 when something has no price."""
    from channel.pricing.compiled import Prices
    from channel.pricing.views import answer

    asked = _load(file)
    if asked.ask is None:
        raise CommandFailed(f"{file} asks nothing", "add `ask:` with date and lines, or use hub price check", code="pricing/bad-file")
    told = answer(Prices(asked), asked.ask)
    from hub_cli.pricing_text import waterfall

    written = _write(told, {"pdf": pdf, "xlsx": xlsx}, **how)
    return Answer(
        {**told, **({"written": written} if written else {})}, Exit.REFUSED if told["status"] == "refused" else Exit.DONE,
        lambda: waterfall(told) + "".join(f"\nwritten to {path}" for path in written.values()),
    )  # fmt: skip


@price.command()
@click.argument("file", type=FILE)
@answers
def check(file: Path) -> Answer:
    """Check a file as publishing does: overlaps, ties, gaps, unknown names, each with its line and its fix. Exit code 2 for mistakes."""
    rules = _load(file)
    figures: dict[str, Any] = {
        "file": str(file),
        "ok": True,
        "items": len(rules.items),
        "dealers": len(rules.dealers),
        "prices": sum(len(book.prices) for book in rules.books) + sum(len(deal.items) for deal in rules.deal_prices),
        "adjustments": len(rules.adjustments),
        "bands": len(rules.authority),
    }
    text = f"{file} can be published: " + ", ".join(
        f"{figures[name]} {name}" for name in ("items", "dealers", "prices", "adjustments", "bands")
    )
    return Answer(figures, text=text)


def _load(file: Path) -> PricingFile:
    """Read and check a file. Raises: BadPricing."""
    from channel.pricing.errors import BadPricing, Mistake
    from channel.pricing.loading import load
    from channel.pricing.publishing import check as publish

    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as wrong:
        raise BadPricing([Mistake(str(file), wrong.strerror or "it cannot be read", "name a file that is there")]) from wrong
    except UnicodeDecodeError as wrong:
        line = wrong.object[: wrong.start].count(b"\n") + 1
        raise BadPricing([Mistake(f"{file}:{line}", "it is not UTF-8", "save it as UTF-8")]) from wrong
    rules, tree = load(text, str(file))
    publish(rules, tree, str(file))
    return rules


def _write(
    told: dict[str, Any], paths: dict[str, Path | None], *, lang: Literal["zh", "en"], number: str, font: Path | None
) -> dict[str, str]:
    """Write the quote where it was asked for; what was written, by kind. Raises: CommandFailed."""
    wanted = {kind: path for kind, path in paths.items() if path is not None}
    if not wanted:
        return {}
    from channel.paper import installed_font
    from channel.pricing import papers

    for kind, path in wanted.items():
        made = (
            papers.pdf(told, lang, number=number, font=font or installed_font())
            if kind == "pdf"
            else papers.xlsx(told, lang, number=number)
        )
        try:
            path.write_bytes(made)
        except OSError as wrong:
            raise CommandFailed(f"{path} cannot be written: {wrong.strerror}", "name a place that can be written") from wrong
    return {kind: str(path) for kind, path in wanted.items()}


for _command in COMMANDS:
    price.add_command(_command)
