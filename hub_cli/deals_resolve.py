"""`hub deals resolve`: which records of a file are one firm."""

from __future__ import annotations

from pathlib import Path

import click

from hub_cli.answers import Answer, answers
from hub_cli.place import Place
from hub_cli.progress import Progress


@click.command()
@click.option(
    "--records",
    "records",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV: rid,source,name,uscc,phone,contact,city,addr; any but rid may be empty.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="CSV to write: rid,cluster.")
@click.option(
    "--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb", show_default=True, help="spark: for what outgrows one machine."
)
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that prepare records.  [default: one a core]")
@click.pass_obj
@answers
def resolve(place: Place, records: Path, out: Path, engine: str, workers: int | None) -> Answer:
    """Find the records that are one firm. Records that are none's double keep a cluster of their own.

    A cluster is named by its first rid. Two different valid 统一社会信用代码 never share one, nor do a firm and its branch. The weights are
    frozen and the order of rows does not matter: the same records give the same clusters. No database is needed.
    """
    from channel.parties.resolving import resolve_file

    del place
    if not out.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {out.absolute().parent}", param_hint="--out")
    with Progress("prepare", "block", "score", "look", "cluster") as told:
        summary = resolve_file(records, out, engine=engine, workers=workers, tell=told.tell)
    text = (
        f"{summary.records} records are {summary.firms} firms: {summary.joined} records share theirs with another\n"
        f"{summary.doubtful_pairs} likely pairs were kept apart (another code, a branch, or two firms claim the record)\n"
        f"{out}: written in {summary.seconds:.0f} s by {summary.engine}, model {summary.version}"
    )
    return Answer({**summary.as_dict(), "out": str(out)}, text=text)
