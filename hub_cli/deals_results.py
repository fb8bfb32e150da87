"""`hub deals results`: what became of decided deals."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from hub_cli.answers import Answer, answers
from hub_cli.deals_claims import DAY, OF_DEALER, dealer_id
from hub_cli.place import Place

if TYPE_CHECKING:
    from channel.deals.results import Cell, Days

BY = (
    "year", "quarter", "month", "dealer", "customer", "product_line", "industry", "region", "salesperson", "pipeline", "source",
    "close_reason",
)  # fmt: skip
PARTIES = ("dealer", "customer")


@click.command()
@click.option("--by", multiple=True, type=click.Choice(BY), help="Cut by this; may stand several times. Year when left out.")
@click.option("--from", "start", type=DAY, help="First day of a decision; the first of this year when left out.")
@click.option("--to", "end", type=DAY, help="Last day; today when left out.")
@OF_DEALER
@click.option("--costs", is_flag=True, help="Show what the hub's quotes leave: margin of those that tell a cost.")
@click.pass_obj
@answers
def results(place: Place, by: tuple[str, ...], start: datetime | None, end: datetime | None, dealer: str | None, *, costs: bool) -> Answer:
    """成交分析: deals won and lost, their win rate, amounts from project to order, and days from the first contact; by currency."""
    from canonical.values import business_day
    from sync.deal_results import results_of

    cuts = tuple(dict.fromkeys(by)) or ("year",)
    last = end.date() if end else business_day(datetime.now(UTC))
    first = start.date() if start else date(last.year, 1, 1)
    with place.open_hub() as hub:
        with hub.pool.connection() as db:
            parties = [str(dealer_id(db, dealer))] if dealer else None
        cells = results_of(hub, cuts, start=first, end=last, parties=parties)
        with hub.pool.connection() as db:
            names = _names(db, {cell.key[1 + at] for cell in cells for at, cut in enumerate(cuts) if cut in PARTIES})
    return Answer([_row(cuts, cell, names, costs=costs) for cell in cells], empty=f"no deal was decided from {first} to {last}")


def _names(db: Any, ids: set[str]) -> dict[str, str]:
    """What people call parties: number and name."""
    known = sorted(ids - {""})
    found = db.execute("SELECT id::text, concat_ws(' ', nullif(number, ''), name) FROM parties WHERE id = ANY(%s::uuid[])", [known])
    return dict(found.fetchall())


def _row(cuts: tuple[str, ...], cell: Cell, names: dict[str, str], *, costs: bool) -> dict[str, Any]:
    said = {cut: names.get(value, value) if cut in PARTIES else value for cut, value in zip(cuts, cell.key[1:], strict=True)}
    amounts = {name: _text(getattr(cell, name)) for name in ("expected", "quoted", "contract", "ordered", "lost_amount")}
    row = {"currency": cell.key[0], **said, "won": cell.won, "lost": cell.lost, "win_rate": _text(cell.win_rate), **amounts}
    row |= {f"{half}_days_{end}": _text(getattr(days, half)) for end, days in _spans(cell) for half in ("average", "median")}
    return row | ({"costed": cell.costed, "margin": _text(cell.margin), "margin_rate": _text(cell.margin_rate)} if costs else {})


def _spans(cell: Cell) -> tuple[tuple[str, Days], ...]:
    return ("to_win", cell.to_win), ("to_delivery", cell.to_delivery)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
