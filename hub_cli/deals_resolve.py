"""`hub deals resolve`: which records of a file are one firm."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Self

import click

from hub_cli.answers import Answer, answers
from hub_cli.place import Place


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
    with _Progress() as told:
        summary = resolve_file(records, out, engine=engine, workers=workers, tell=told.tell)
    text = (
        f"{summary.records} records are {summary.firms} firms: {summary.joined} records share theirs with another\n"
        f"{summary.doubtful_pairs} likely pairs were kept apart (another code, a branch, or two firms claim the record)\n"
        f"{out}: written in {summary.seconds:.0f} s by {summary.engine}, model {summary.version}"
    )
    return Answer({**summary.as_dict(), "out": str(out)}, text=text)


class _Progress:
    """What is going on, on standard error: a moving line on a terminal, a line for each step elsewhere."""

    STEPS = ("prepare", "block", "score", "look", "cluster")

    def __init__(self) -> None:
        self._last = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if sys.stderr.isatty():
            click.echo("\r\033[K", nl=False, err=True)

    def tell(self, step: str, done: int, of: int) -> None:
        """One step's state."""
        said = f"{step}: {done} records" if not of else f"{step}: done ({self.STEPS.index(step) + 1} of {len(self.STEPS)})"
        if sys.stderr.isatty():
            click.echo(f"\r\033[K{said}", nl=False, err=True)
        elif of or done - self._last >= 100_000:
            self._last = done
            click.echo(said, err=True)
