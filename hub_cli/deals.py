"""`hub deals`: who may sell to whom."""

from __future__ import annotations

from pathlib import Path

import click

from hub_cli import deals_acts, deals_claims, deals_customers, deals_goods, deals_leads, deals_pipelines, deals_results, deals_rules
from hub_cli.answers import Answer, answers
from hub_cli.deals_resolve import resolve
from hub_cli.listing import Words


@click.command()
@click.option("--customers", required=True, type=click.Path(path_type=Path), help="CSV: rid,source,name,uscc,phone,contact,city,addr.")
@click.option("--queries", required=True, type=click.Path(path_type=Path), help="CSV: qid,name,uscc,phone,contact,city,addr.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="JSONL: one decision per query, in their order.")
@answers
def match(customers: Path, queries: Path, out: Path) -> Answer:
    """Decide for each query whether it is one of the customers: duplicate, review or new. Needs no database."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from channel.deals.matching.files import match_files

    totals = {"customers": rows_in(customers), "queries": rows_in(queries)}
    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks = {name: bar.add_task(name, total=total) for name, total in totals.items()}

        def tell(what: str, count: int) -> None:
            bar.update(tasks[what], completed=count)

        tally = match_files(customers, queries, out, tell)
    figures = {name: getattr(tally, name) for name in ("customers", "queries", "duplicate", "review", "new")}
    text = "\n".join(f"{name:<10} {number:>10}" for name, number in figures.items()) + f"\nwritten to {out}"
    return Answer({**figures, "out": str(out)}, text=text)


def rows_in(path: Path) -> int | None:
    """About how many rows a file has, for the bar: its lines but the head. None for a file that cannot be read; the work tells why."""
    try:
        with path.open("rb") as file:
            lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        return None
    return max(lines - 1, 0)


SECTIONS: dict[str, tuple[click.Command, ...]] = {
    "Registrations": (
        deals_claims.check,
        deals_claims.register,
        deals_claims.list_registrations,
        deals_claims.explain,
        deals_claims.import_file,
        deals_acts.review,
        deals_acts.approve,
        deals_acts.reject,
        deals_acts.appeal,
        deals_acts.extend,
        deals_acts.activity,
        deals_acts.release,
        deals_acts.take_back,
        deals_acts.transfer,
        deals_acts.convert,
        deals_acts.protect,
    ),
    "Pipeline": (
        deals_pipelines.pipelines,
        deals_pipelines.stages,
        deals_pipelines.move,
        deals_pipelines.stuck,
        deals_pipelines.forecast,
        deals_results.results,
        deals_leads.hand_in,
        deals_leads.leads,
    ),
    "Customers": (deals_customers.alias, deals_customers.old_customers, deals_leads.duplicates, match, resolve, deals_rules.rebuild),
    "Places and rules": (
        deals_goods.goods,
        deals_goods.hits,
        deals_goods.seen,
        deals_rules.fences,
        deals_rules.policies,
        deals_rules.upkeep,
    ),
}


@click.group(cls=Words, sections=SECTIONS)
def deals() -> None:
    """Deals: one customer, one protected dealer; who decided it and why."""
