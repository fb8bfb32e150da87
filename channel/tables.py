"""Tables of text, as every room reads them: the head line, a cell, a value, and each flaw with its line, its column and its fix."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, TypeVar

from canonical.values import BadValue
from channel.flaws import Flaw

T = TypeVar("T")
Row = Mapping[str, Any]
Rows = Iterable[tuple[int, Row]]
"""Each row with its line in the file."""
MAX_FLAWS: Final = 100
"""So many flaws of one table are told."""
DAY_FIX: Final = "write YYYY-MM-DD"
NUMBER_FIX: Final = "write a plain decimal number"


class Wrong(Exception):
    """A row that cannot be: becomes a flaw with its line."""

    def __init__(self, code: str, column: str, what: str, fix: str) -> None:
        self.code, self.column, self.what, self.fix = code, column, what, fix
        super().__init__(what)

    def on(self, line: int | None, file: str) -> Flaw:
        """The flaw that it is."""
        return Flaw(self.code, self.column, self.what, self.fix, line, file)


def header(names: Sequence[str], required: Iterable[str], file: str = "", *, known: Iterable[str] | None = None) -> list[Flaw]:
    """What is wrong with a head line: what is missing, twice, without a name, or not among `known`."""
    flaws = [
        Flaw("missing_column", name, "the column is missing", f"add a column {name}", 1, file) for name in required if name not in names
    ]
    columns = None if known is None else sorted(known)
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            flaws.append(Flaw("twice", name or "header", "the column stands twice", "keep one", 1, file))
        if columns is not None and name not in columns:
            near = get_close_matches(name, columns, n=1)
            fix = f"did you mean {near[0]}?" if near else "take it out"
            flaws.append(Flaw("unknown_column", name or "header", "there is no such column", fix, 1, file))
        elif columns is None and not name.strip():
            flaws.append(Flaw("no_name", "header", "a column has no name", "name it or take it out", 1, file))
    return flaws


def taken(rows: Rows, one: Callable[[Row, int], T], file: str = "") -> tuple[list[T], list[Flaw]]:
    """What `one` makes of each row and its line, and the flaws of the rows that are wrong: the first hundred."""
    found: list[T] = []
    flaws: list[Flaw] = []
    for line, row in rows:
        try:
            found.append(one(row, line))
        except Wrong as wrong:
            flaws.append(wrong.on(line, file))
            if len(flaws) >= MAX_FLAWS:
                break
    return found, flaws


def cell(row: Row, name: str) -> str:
    """The text of a cell; empty where there is none."""
    value = row.get(name)
    return "" if value is None else str(value).strip()


def read(reader: Callable[[Any], T], value: Any, column: str, *, day: bool = False) -> T:
    """A value by its reader; day: it is one, which decides what is told. Raises: Wrong."""
    try:
        return reader(value)
    except BadValue as wrong:
        raise Wrong("bad_date" if day else "bad_number", column, str(wrong), DAY_FIX if day else NUMBER_FIX) from wrong


def known_kind(kind: str, known: Collection[str]) -> str:
    """A kind of fact that must be one of those known. Raises: Wrong with the nearest."""
    if kind not in known:
        near = get_close_matches(kind, sorted(known), n=1)
        fix = f"did you mean {near[0]}?" if near else f"one of {', '.join(sorted(known))}"
        raise Wrong("unknown_kind", "kind", f"{kind[:40]!r} is no kind of fact", fix)
    return kind


def known_dealer(code: str, known: frozenset[str] | None) -> str:
    """A dealer's code that must be one of those known, where they are. Raises: Wrong."""
    if known is not None and code not in known:
        raise Wrong("unknown_dealer", "dealer", f"{code} is not in the dealers file", "add the dealer or correct the code")
    return code
