"""The files of `hub performance`: tables from CSV or Parquet, earlier results from JSON. What cannot be read is told as ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from channel.performance.errors import BadFacts, BadScorecard, Flaw

T = TypeVar("T")
Reader = Callable[[Sequence[str], Sequence[tuple[int, Mapping[str, Any]]]], T]


def taken(path: Path, reader: Reader[T]) -> T:
    """What a reader makes of a table's columns and rows. Raises: BadFacts."""
    from channel.rebates.errors import BadFacts as Unreadable
    from hub_cli.rebates_files import table

    try:
        columns, rows = table(path)
        found = list(rows)
    except Unreadable as wrong:
        raise BadFacts(wrong.flaws) from wrong
    return reader(columns, found)


def content(path: Path, *, scorecard: bool = False) -> bytes:
    """The bytes of a file. Raises: BadFacts, or BadScorecard."""
    try:
        return path.read_bytes()
    except OSError as wrong:
        refused = BadScorecard if scorecard else BadFacts
        raise refused([Flaw("unreadable", "file", wrong.strerror or "it cannot be read", "check the path", None, str(path))]) from wrong
