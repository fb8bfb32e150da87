"""Matching whole files: claims in one CSV against customers in another, without a database.

The claims are held, the customers pass by: only customers that share a match key with some claim are kept, so a customer file of any
length fits. Claims are taken in blocks; each block reads the customers once.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from channel.deals.matching.deciding import Known, decide
from channel.deals.matching.decision import DEFAULT, Decision, Rid, Thresholds
from channel.deals.matching.encodings import Undecodable, encoding_of
from channel.deals.matching.index import Index
from channel.deals.matching.keys import WEIGHED, keys_of
from channel.deals.matching.prepared import Claim, Prepared, prepare

CUSTOMER_COLUMNS = ("rid", "source", "name", "uscc", "phone", "contact", "city", "addr")
QUERY_COLUMNS = ("qid", "name", "uscc", "phone", "contact", "city", "addr")

BLOCK = 200_000
"""Claims held at once; about 1 KB each."""

EVERY = 1000
"""Rows between two words to whoever waits."""

_PART = "\x1f"
"""Between id and source where an id came before with another source; never shown."""

LONGEST_FIELD = 1_000_000

Progress = Callable[[str, int], None]
"""Told (what, how many rows so far)."""


class BadFile(ValueError):
    """A file that cannot be read as it should be; names the file and the line."""

    code = "deals/bad-file"

    def __init__(self, path: Path, line: int, what: str, next_step: str) -> None:
        self.path, self.line, self.what, self.next_step = path, line, what, next_step
        self.where = f"{path}:{line}" if line else str(path)
        super().__init__(f"{self.where}: {what}. Next: {next_step}")


@dataclass(slots=True)
class Tally:
    """What came of it."""

    customers: int = 0
    queries: int = 0
    duplicate: int = 0
    review: int = 0
    new: int = 0


def match_files(
    customers: Path, queries: Path, out: Path, progress: Progress = lambda _what, _count: None, thresholds: Thresholds = DEFAULT
) -> Tally:
    """Decide every claim of `queries` against `customers`; one JSON line each into `out`, in the order of the claims.

    `out` is written beside itself and put in place at the end, so a broken run leaves nothing half done.

    Raises: BadFile with file and line for a missing column, a torn row, a file that is neither UTF-8 nor GB18030; OSError as the disk
    gives it.
    """
    tally = Tally()
    asked = read(queries, QUERY_COLUMNS, "qid")
    first = next(read(customers, CUSTOMER_COLUMNS, "rid"), None)  # a bad head is told before an hour of work
    part = out.with_name(out.name + ".part")
    try:
        with part.open("w", encoding="utf-8") as lines:
            while block := list(islice(asked, BLOCK)):
                index = _index(customers, block, tally, progress) if first else Index()
                for qid, one in block:
                    found = index.candidates(one)
                    decision = decide(one, found[:WEIGHED], index.hot, thresholds)
                    lines.write(line(qid, decision, [known.rid for known in found[WEIGHED:]]) + "\n")
                    tally.queries += 1
                    setattr(tally, decision.verdict, getattr(tally, decision.verdict) + 1)
                    if tally.queries % EVERY == 0:
                        progress("queries", tally.queries)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    progress("queries", tally.queries)
    return tally


def _index(customers: Path, block: list[tuple[str, Prepared]], tally: Tally, progress: Progress) -> Index:
    wanted = {key for _, one in block for key in keys_of(one)}
    tally.customers = 0

    def known() -> Iterator[Known]:
        for rid, one in read(customers, CUSTOMER_COLUMNS, "rid"):
            tally.customers += 1
            if tally.customers % EVERY == 0:
                progress("customers", tally.customers)
            yield Known(rid, one)

    return Index.build(known(), wanted)


def line(qid: str, decision: Decision, further: Sequence[Rid] = ()) -> str:
    """A decision as a line of the answer. `further`: candidates that it did not weigh, best first."""
    return json.dumps(
        {
            "qid": qid,
            "decision": decision.verdict,
            "rid": None if decision.rid is None else _shown(decision.rid),
            "p": decision.p,
            "relation": decision.relation,
            "candidates": list(dict.fromkeys(map(_shown, (*(rid for rid, _ in decision.candidates), *further)))),
            "reasons": [
                {"feature": one.feature, "value": one.value, "weight": one.weight, "zh": one.zh, "en": one.en} for one in decision.reasons
            ],
        },
        ensure_ascii=False,
    )


def _shown(rid: str | int) -> str:
    return str(rid).split(_PART, 1)[0]


def read(path: Path, columns: tuple[str, ...], key: str) -> Iterator[tuple[str, Prepared]]:
    """Id and prepared claim of each row. Columns may come in any order, others are ignored; a missing optional column is empty.

    Raises: BadFile.
    """
    csv.field_size_limit(LONGEST_FIELD)
    with _opened(path) as file:
        rows = csv.reader(_decoded(path, file), strict=True)
        try:
            head = [name.strip().lower() for name in next(rows, [])]
            places = _places(path, head, columns, key)
            seen: set[str] = set()
            for row in rows:
                if not row:
                    continue
                if len(row) != len(head):
                    raise BadFile(
                        path,
                        rows.line_num,
                        f"{len(row)} fields where the head has {len(head)}",
                        "quote fields that hold commas or line breaks",
                    )
                rid = row[places[key]].strip()
                if not rid:
                    raise BadFile(path, rows.line_num, f"the row has no {key}", f"give every row its own {key}")
                if rid in seen and "source" in places:
                    rid += _PART + row[places["source"]].strip()  # two systems may number alike
                if rid in seen:
                    raise BadFile(path, rows.line_num, f"{key} {rid.split(_PART)[0][:60]!r} came before", f"give every row its own {key}")
                seen.add(rid)
                yield rid, prepare(_claim(row, places))
        except csv.Error as error:
            raise BadFile(path, rows.line_num, f"not a CSV row: {error}", "check the quotes around this line") from error


def _opened(path: Path) -> TextIO:
    try:
        return path.open(encoding=encoding_of(path), newline="", errors="strict")
    except Undecodable as error:
        raise BadFile(path, error.line, error.what, "save the file as UTF-8 (Excel: CSV UTF-8) or as GB18030") from error
    except FileNotFoundError as error:
        raise BadFile(path, 0, "there is no such file", "check the path") from error
    except IsADirectoryError as error:
        raise BadFile(path, 0, "this is a folder", "name the CSV file in it") from error


def _decoded(path: Path, file: TextIO) -> Iterator[str]:
    number = 0
    try:
        for text in file:
            number += 1
            yield text.replace("\0", "")
    except UnicodeDecodeError as error:
        raise BadFile(path, number + 1, "changed while it was read", "run it again when nobody writes the file") from error


def _places(path: Path, head: list[str], columns: tuple[str, ...], key: str) -> dict[str, int]:
    if not head:
        raise BadFile(path, 1, "the file is empty", f"begin with the head: {','.join(columns)}")
    missing = [name for name in (key, "name") if name not in head]
    if missing:
        raise BadFile(path, 1, f"the head has no column {' and no '.join(missing)}", f"begin with the head: {','.join(columns)}")
    twice = [name for name in columns if head.count(name) > 1]
    if twice:
        raise BadFile(path, 1, f"the head has {twice[0]} twice", "keep one column of each name")
    return {name: head.index(name) for name in columns if name in head}


def _claim(row: list[str], places: dict[str, int]) -> Claim:
    def value(name: str) -> str:
        return row[places[name]] if name in places else ""

    return Claim(
        name=value("name"), uscc=value("uscc"), phone=value("phone"), contact=value("contact"), city=value("city"), address=value("addr")
    )
