"""`hub price`: what a dealer pays, from a file alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub_cli.answers import Answer, CommandFailed, answers
from hub_cli.exits import Exit

if TYPE_CHECKING:
    from channel.pricing.asking import PricingFile

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def price() -> None:
    """Prices: what a dealer pays, with every rung that made it."""


@price.command()
@click.argument("file", type=FILE)
@answers
def quote(file: Path) -> Answer:
    """Price the cart of a file (YAML or JSON): every rung, rules not used and why, approval. Exit code 7 when something has no price."""
    from channel.pricing.compiled import Prices
    from channel.pricing.views import answer

    asked = _load(file)
    if asked.ask is None:
        raise CommandFailed(f"{file} asks nothing", "add `ask:` with date and lines, or use hub price check", code="pricing/bad-file")
    told = answer(Prices(asked), asked.ask)
    from hub_cli.pricing_text import waterfall

    return Answer(told, Exit.REFUSED if told["status"] == "refused" else Exit.DONE, waterfall(told))


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
