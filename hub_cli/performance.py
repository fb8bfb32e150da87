"""`hub performance`: how dealers do, by a written scorecard, and what stock they need; from files alone or on the ledger."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub_cli import performance_ledger
from hub_cli.answers import Answer, CommandFailed, answers
from hub_cli.exits import Exit
from hub_cli.listing import Words
from hub_cli.parameters import Day
from hub_cli.performance_text import board_table, stock_table
from hub_cli.place import Place
from hub_cli.rebates import FILE

if TYPE_CHECKING:
    from channel.performance.board import Board


@click.group(cls=Words)
def performance() -> None:
    """Performance: scores, places, tags, and the stock of dealers."""


for _command in performance_ledger.COMMANDS:
    performance.add_command(_command)

AS_OF = click.option("--as-of", type=Day(), required=True, help="The last day that counts.")


@performance.command()
@click.option("--scorecard", "scorecard_file", type=FILE, required=True, help="The scorecard (YAML or JSON).")
@click.option("--facts", "facts_file", type=FILE, required=True, help="Facts: CSV (UTF-8) or Parquet.")
@AS_OF
@click.option(
    "--dealers", "dealers_file", type=FILE, help="Dealers with grade, region, product_line; with it an unknown dealer is refused."
)
@click.option(
    "--previous", "previous_file", type=FILE, help="The last result (--out of an earlier run): places, drivers, tags go on from it."
)
@click.option("--last-year", "last_year_file", type=FILE, help="The result of the same cut-off last year, for its places.")
@click.option("--tags", "tags_file", type=FILE, help="Tags given by hand: dealer, tag, reason, owner, from, to.")
@click.option("--dealer", help="Only this dealer's results.")
@click.option("--view", type=click.Choice(["full", "dealer"]), default="full", show_default=True, help="dealer: what the dealer may see.")
@click.option("--out", type=FILE, help="Write the result here (.json).")
@answers
def score(
    scorecard_file: Path, facts_file: Path, as_of: date, dealers_file: Path | None, previous_file: Path | None,
    last_year_file: Path | None, tags_file: Path | None, dealer: str | None, view: str, out: Path | None,
) -> Answer:  # fmt: skip
    """Score and rank dealers in their peer groups, with the trace of every figure, and their risk and growth tags."""
    from channel.performance.reporting import dealer_view, document
    from hub_cli import rebates_outputs

    if view == "dealer" and dealer is None:
        raise click.BadParameter("name the dealer whose view it is", param_hint="--dealer")
    _folder(out)
    board = _board(scorecard_file, facts_file, as_of, dealers_file, previous_file, last_year_file, tags_file)
    if dealer is not None and not any(row.subject.dealer == dealer for row in board.rows):
        raise CommandFailed(
            f"there is nothing about dealer {dealer}", "look at the dealer's code", code="performance/not-found", exits=Exit.NOT_FOUND
        )
    told = dealer_view(board, dealer or "") if view == "dealer" else document(board)
    if dealer is not None:
        told["results"] = [row for row in told["results"] if row["dealer"] == dealer]
    if out is not None:
        rebates_outputs.write(rebates_outputs.Output(out, told))
    return Answer(told, text=board_table(told))


@performance.command()
@click.option("--stock", "stock_file", type=FILE, help="Stock of dealers: CSV or Parquet.  [default: what the ledger has]")
@click.option("--sellout", "sellout_file", type=FILE, help="What dealers sold: CSV or Parquet.")
@click.option("--as-of", type=Day(), help="The last day that counts.  [default on the ledger: yesterday in Shanghai]")
@click.option("--window", type=click.IntRange(1, 1000), default=90, show_default=True, help="Of files: days that the pace is read from.")
@click.option("--dealer", help="On the ledger, only this dealer's.")
@click.option("--out", type=FILE, help="Write the result here (.json).")
@click.pass_obj
@answers
def stock(
    place: Place, stock_file: Path | None, sellout_file: Path | None, as_of: date | None, window: int, dealer: str | None, out: Path | None
) -> Answer:
    """What dealers should restock, who runs dry before goods arrive, and who nearby could help out. On the ledger the plan is kept."""
    from hub_cli import rebates_outputs

    _folder(out)
    if stock_file is None and sellout_file is None:
        answer = performance_ledger.stock_plan(place, as_of, dealer)
    elif stock_file is None or sellout_file is None or as_of is None:
        raise click.UsageError("of files name --stock, --sellout and --as-of; of the ledger none of the files")
    else:
        answer = _stock_of_files(stock_file, sellout_file, as_of, window)
    if out is not None:
        rebates_outputs.write(rebates_outputs.Output(out, answer.data))
    return answer


def _stock_of_files(stock_file: Path, sellout_file: Path, as_of: date, window: int) -> Answer:
    from channel.performance.stock import advise
    from channel.performance.stock_files import document, holdings, sell_out
    from hub_cli.performance_files import taken

    held = taken(stock_file, lambda columns, rows: holdings(columns, rows, as_of, str(stock_file)))
    sold = taken(sellout_file, lambda columns, rows: sell_out(columns, rows, as_of, str(sellout_file)))
    told = document(advise(held, sold, as_of, window), as_of, window)
    return Answer(told, text=stock_table(told))


def _board(
    scorecard_file: Path, facts_file: Path, as_of: date, dealers_file: Path | None, previous_file: Path | None,
    last_year_file: Path | None, tags_file: Path | None,
) -> Board:  # fmt: skip
    from channel.performance.board import assess
    from channel.performance.facts import from_rows
    from channel.performance.loading import load
    from channel.performance.people import manual_tags, of_facts, subjects
    from channel.performance.snapshots import snapshot
    from hub_cli.performance_files import content, taken

    card = load(content(scorecard_file, scorecard=True), str(scorecard_file))
    who = taken(dealers_file, lambda columns, rows: subjects(columns, rows, str(dealers_file))) if dealers_file is not None else None
    known = sorted({one.dealer for one in who}) if who is not None else None
    table = taken(facts_file, lambda columns, rows: from_rows(columns, rows, str(facts_file), dealers=known))
    who = who if who is not None else of_facts(table)
    codes = {one.dealer for one in who}
    by_hand = taken(tags_file, lambda columns, rows: manual_tags(columns, rows, codes, str(tags_file))) if tags_file is not None else []
    earlier = [snapshot(content(file), card, as_of, str(file)) if file is not None else None for file in (previous_file, last_year_file)]
    return assess(card, table, who, as_of, previous=earlier[0], last_year=earlier[1], manual=by_hand)


def _folder(path: Path | None) -> None:
    if path is not None and not path.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {path.absolute().parent}", param_hint=str(path))
    if path is not None and path.suffix.lower() != ".json":
        raise click.BadParameter("the result is JSON: name it .json", param_hint=str(path))
