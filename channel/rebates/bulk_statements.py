"""The statements of :mod:`channel.rebates.bulk`: which lines of Parquet count, what is wrong with them, and how an amount is shared out.

Whole numbers only; identifiers stand in this file or come from the programme's fixed words, every value of a programme is a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from channel.rebates.bulk_looking import WORDS, known_by
from channel.rebates.ladder import SCALE, named
from channel.rebates.programme import Programme
from channel.rebates.selecting import EVENT_DAYS

if TYPE_CHECKING:
    import duckdb


class Source(Protocol):
    """What a statement must know of the files: their columns, which have second revisions, whether the hub exported them."""

    db: duckdb.DuckDBPyConnection
    columns: dict[str, str]
    revised: dict[str, bool]
    exported: bool

    def source(self, files: Sequence[str]) -> str:
        """SQL for the rows of files."""


HALF_UP: Final = "(CASE WHEN {top} < 0 THEN -1 ELSE 1 END) * ((abs({top}) * 2 + {bottom}) // ({bottom} * 2))"
SEEN: Final = "SELECT hash({id}) AS h FROM {source}"
CUT: Final = """
CREATE OR REPLACE TABLE cut AS
SELECT id, dealer, date, amount, n, CASE WHEN fen = 0 THEN 0 WHEN bar THEN {half_up} ELSE product // whole END AS part,
    CASE WHEN fen = 0 OR bar THEN -1 ELSE product % whole END AS rest, bar
FROM (
    SELECT l.id, l.dealer, l.date, l.amount, l.bar, c.n, c.fen, CAST(c.units AS {whole}) AS whole,
        CAST(c.fen AS {whole}) * l.units AS product
    FROM ({lines}) AS l JOIN cell AS c ON c.dealer = l.dealer AND c.span = l.span{same}
) AS j
"""
"""Each line's exact share cut down to whole units, and the rest that it lost; a returned line is rounded by itself.

whole: the type of whole numbers to reckon in. Division in 128 bits costs several times that in 64, which nearly all figures fit.
"""
LEFT: Final = """
CREATE OR REPLACE TABLE remainder AS
SELECT n, c.fen - s.parts AS missing, s.takers
FROM (SELECT n, sum(part) AS parts, count(*) FILTER (NOT bar) AS takers FROM cut GROUP BY n) AS s JOIN cell AS c USING (n)
"""
"""What the cut shares of each cell leave of what it earns, and how many lines can take one unit of it."""
USUAL: Final = "r.missing BETWEEN 0 AND r.takers"
"""In the few other cells rounded returns took more than there is, or left more than one unit for each sale."""
SHARED: Final = """
SELECT id, dealer, n AS cell, CAST(amount AS DECIMAL(18, 4)) AS amount,
    CAST(part + CASE WHEN place <= missing THEN 1 ELSE 0 END AS DECIMAL(16, 0)) * CAST('{unit}' AS DECIMAL(7, {places})) AS rebate
FROM (
    SELECT c.*, r.missing, row_number() OVER (PARTITION BY c.n ORDER BY c.rest DESC, c.date, c.id) AS place
    FROM cut AS c JOIN remainder AS r ON r.n = c.n WHERE {usual}
) AS s
"""
"""The rests are handed out from the largest on; a returned line has the rest -1, so that it comes last."""


class Asked:
    """The statement that selects a programme's lines, and its values."""

    def __init__(self, engine: Source, programme: Programme, files: Sequence[str], known_at: datetime | None) -> None:
        self.engine, self.programme, self.files = engine, programme, tuple(files)
        self.known_at = known_at
        self.values: list[Any] = []
        self.where = self._conditions()
        self.newest = self._newest(known_at)

    def text(self, name: str) -> str:
        """A text column of the file, empty where there is none."""
        kind = self.engine.columns.get(name)
        if kind is None:
            return "''"
        return f"coalesce(f.\"{name}\", '')" if kind == "VARCHAR" or name in WORDS else f"coalesce(CAST(f.\"{name}\" AS VARCHAR), '')"

    @property
    def amount(self) -> str:
        """The amount on the programme's tax side."""
        return f"coalesce({', '.join(sides(self.programme, self.engine.columns))})"

    def lines(self, dims: str, *, more: str = "") -> str:
        """SQL for the counted lines: dealer, period, whole units, what is wrong with the line, and the asked columns."""
        silent = "'', " if self.engine.exported or "currency" not in self.engine.columns else ""
        currency = f"{self.text('currency')} NOT IN ({silent}'{self.programme.currency}')"
        back = "f.kind IN ('return', 'credit')"
        sign = f"CASE WHEN f.kind IN ('sale', 'sell_out') THEN {self.amount} < 0 WHEN {back} THEN {self.amount} > 0 ELSE false END"
        return (
            f"SELECT f.dealer AS dealer, d.span AS span, CAST(CAST({self.amount} AS DECIMAL(18, 4)) * {SCALE} AS BIGINT) AS units, "
            f"CASE WHEN {currency} OR {self.amount} IS NULL OR {sign}{self._too_fine()} THEN 1 ELSE 0 END AS wrong{dims} "
            f"FROM {self.newest} AS f JOIN day AS d ON d.day = {self.day} WHERE {self.where}{more}"
        )

    def _too_fine(self) -> str:
        """A look at amounts that may have more decimals than are counted; most columns cannot."""
        kinds = [self.engine.columns.get(name, "") for name in ("amount", "gross", "tax")]
        scales = [int(kind.rpartition(",")[2].rstrip(")")) for kind in kinds if kind.startswith("DECIMAL(")]
        return f" OR {self.amount} <> CAST({self.amount} AS DECIMAL(18, 4))" if max(scales, default=0) > 4 else ""

    def _newest(self, known_at: datetime | None) -> str:
        """The newest revision of each fact that was known; most files have no second ones, which one look at the column tells."""
        source, columns = self.engine.source(self.files), self.engine.columns
        known = f" WHERE {known_by(columns['recorded_at'], known_at)}" if known_at is not None and "recorded_at" in columns else ""
        if "revision" not in columns:
            return f"(SELECT * FROM {source}{known})"
        for file in self.files:
            if file not in self.engine.revised:
                newest = self.engine.db.execute("SELECT max(revision) FROM read_parquet($1)", [file]).fetchall()[0][0]
                self.engine.revised[file] = newest not in (None, 1)
        if not any(self.engine.revised[file] for file in self.files):
            return f"(SELECT * FROM {source}{known})"
        later = f"(SELECT id, max(revision) AS newest FROM (SELECT * FROM {source}{known}) WHERE revision > 1 GROUP BY id)"
        return (
            f"(SELECT a.* FROM (SELECT * FROM {source}{known}) AS a LEFT JOIN {later} AS b ON a.id = b.id "
            "WHERE b.id IS NULL OR a.revision = b.newest)"
        )

    @property
    def day(self) -> str:
        """The day of the base's event, as :func:`channel.rebates.selecting.event_day` says."""
        event, columns = self.programme.base.event, self.engine.columns
        name = f"{event}_date"
        if name not in columns:
            return "f.date"
        others = [f"f.{one}" for one in EVENT_DAYS if one in columns and one != name]
        goods = "f.delivery_date" if event == "order" and "delivery_date" in columns else "NULL"
        back = f"WHEN f.kind = 'return' AND f.{name} IS NULL AND coalesce({', '.join(others)}) IS NOT NULL THEN {goods} " if others else ""
        return f"CASE WHEN f.kind IN ('sale', 'sell_out') THEN f.{name} {back}ELSE coalesce(f.{name}, f.date) END"

    def _conditions(self) -> str:
        programme, columns = self.programme, self.engine.columns
        sales = "sell_out" if programme.base.event == "sell_out" else "sale"
        kinds = ", ".join(f"'{kind}'" for kind in (sales, *programme.base.net_of))
        found = [f"f.kind IN ({kinds})"]
        if "status" in columns:
            found.append("coalesce(f.status, '') <> 'void'")
        if "event" in columns:
            found.append(f"coalesce(f.event, '') IN ('', '{programme.base.event}')")
        who = programme.participants
        for column, values in (("dealer", who.dealers), ("dealer_grade", who.grades), ("dealer_channel", who.channels)):
            if values:
                found.append(self._bound(f"{self.text(column)} IN (SELECT unnest(?::VARCHAR[]))", list(values)))
        if who.regions:
            found.append(self._starts("dealer_region", who.regions))
        if who.exclude:
            found.append(self._bound("f.dealer NOT IN (SELECT unnest(?::VARCHAR[]))", list(who.exclude)))
        found += [self._holds(column, values) for column, values in named(programme.scope)]
        found += [f"NOT ({self._holds(column, values)})" for column, values in named(programme.scope.exclude)]
        if programme.base.exclude_price_kinds:
            kinds_out = list(programme.base.exclude_price_kinds)
            found.append(self._bound(f"{self.text('price_kind')} NOT IN (SELECT unnest(?::VARCHAR[]))", kinds_out))
        return " AND ".join(found)

    def _holds(self, column: str, values: Sequence[str]) -> str:
        if column == "region":
            return self._starts(column, values)
        return self._bound(f"{self.text(column)} IN (SELECT unnest(?::VARCHAR[]))", list(values))

    def _starts(self, column: str, values: Sequence[str]) -> str:
        return "(" + " OR ".join(self._bound(f"starts_with({self.text(column)}, ?)", value) for value in values) + ")"

    def _bound(self, condition: str, value: Any) -> str:
        self.values.append(value)
        return condition


def sides(programme: Programme, columns: Mapping[str, str]) -> list[str]:
    """The amount on the programme's tax side, as the columns tell it: the first that is there."""
    if programme.base.tax == "exclusive":
        found = {"f.amount": ("amount",), "f.gross - f.tax": ("gross", "tax")}
    else:
        found = {"f.gross": ("gross",), "f.amount + f.tax": ("amount", "tax")}
    return [told for told, needed in found.items() if all(name in columns for name in needed)]


def quoted(path: Path | str) -> str:
    """A path as an SQL text."""
    return "'" + str(path).replace("'", "''") + "'"


def listed(files: Sequence[str]) -> str:
    """Paths as an SQL list."""
    return f"[{', '.join(map(quoted, files))}]"
