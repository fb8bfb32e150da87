"""Rebates of millions of lines: DuckDB sums Parquet by dealer, scope and period, rates every sum by one line per tier, and shares it out.

Everything is whole numbers (ten-thousandths in 128 bits); there is no division but of whole numbers, and the result is the one of
:mod:`channel.rebates.calculating` to the fen, which the tests hold. Programmes that need more than sums are refused by name
(:func:`channel.rebates.ladder.obstacle`) and are reckoned line by line.

The Parquet holds facts as docs/rebates-facts.md describes them, amounts as DECIMAL. Needs DuckDB (extra `resolve`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from canonical.rounding import allocate
from channel.errors import ChannelError
from channel.rebates import periods
from channel.rebates.bulk_looking import INTEGERS, doubtful, flaws_of, source, unfit
from channel.rebates.bulk_statements import CUT, HALF_UP, LEFT, SEEN, SHARED, USUAL, Asked, listed, quoted, sides
from channel.rebates.counting import counted
from channel.rebates.errors import BadFacts, Flaw
from channel.rebates.facts import from_rows
from channel.rebates.ladder import SCALE, named, obstacle, rungs
from channel.rebates.programme import Programme
from channel.rebates.selecting import Dealers, Selector, known

if TYPE_CHECKING:
    import duckdb

MEMORY: Final = "1200MB"
BATCHES, AT_ONCE = 4, 2_500_000
"""Lines are shared out in at least so many parts, and about so many of them at once: sorting more together costs more for each."""
COMPRESSED: Final = "FORMAT parquet, COMPRESSION zstd"


class NeedsLines(ChannelError):
    """The programme cannot be rated by sums alone."""

    kind: ClassVar[str] = "invalid"
    code: ClassVar[str] = "rebates/needs-lines"


@dataclass(frozen=True, slots=True)
class Cell:
    """One rated sum. Amounts in the programme's currency."""

    dealer: str
    scope: tuple[str, ...]
    period: str
    base: Decimal
    lines: int
    tier: int
    """From 1; 0 below the first."""
    earned: Decimal


class Bulk:
    """An engine over one Parquet file (or several: a list, or a glob), with its own in-memory database.

    threads, memory: what DuckDB may take. Keep it open: the first query of a process costs more than the next.
    """

    def __init__(
        self, facts: Path | str | Sequence[Path], *, threads: int = 2, memory: str = MEMORY, temporary: Path | None = None,
        exported: bool = False,
    ) -> None:  # fmt: skip
        import duckdb  # noqa: PLC0415  heavy, and an extra

        config: dict[str, Any] = {"threads": threads, "memory_limit": memory, "preserve_insertion_order": False}
        if temporary is not None:
            config["temp_directory"] = str(temporary)
        self.db: duckdb.DuckDBPyConnection = duckdb.connect(":memory:", config=config)
        self.files = [str(facts)] if isinstance(facts, Path | str) else [str(part) for part in facts]
        self.revised: dict[str, bool] = {}
        self.exported = exported
        self.looked = False
        described = self.db.execute("DESCRIBE SELECT * FROM read_parquet($1, union_by_name = true)", [self.files]).fetchall()
        self.columns = {str(name): str(kind) for name, kind, *_ in described}
        flaws = flaws_of(self.columns, self.files[0])
        if flaws:
            raise BadFacts(flaws)

    def close(self) -> None:
        """Give back its memory."""
        self.db.close()

    def rate(self, programme: Programme, as_of: date, *, known_at: datetime | None = None) -> int:
        """Sum and rate everything into the table `cell`; how many cells. Raises: NeedsLines, BadFacts."""
        why = (
            obstacle(programme) or ("a column " + column if (column := unfit(self.columns)) else "") or self._unfit_for(programme, known_at)
        )
        if why:
            raise NeedsLines(f"programme {programme.key} has {why}", next_step="calculate it line by line")
        self._look(self.files)
        self._tables(programme, as_of)
        self.scope = [name for name in programme.grouping.by if name != "dealer"]
        asked = Asked(self, programme, self.files, known_at)
        with self._exact():
            self.db.execute(f"CREATE OR REPLACE TABLE total AS {self._summed(asked)}", asked.values)
        self._refuse(programme, asked, "total", as_of)
        self.db.execute(f"CREATE OR REPLACE TABLE cell AS SELECT row_number() OVER () AS n, * FROM ({self._rated('total')}) AS r")
        return int(self.db.execute("SELECT count(*) FROM cell").fetchall()[0][0])

    def add(self, programme: Programme, late: Path | str, *, known_at: datetime | None = None) -> int:
        """Take late lines in: new facts, and new revisions of known ones. Only the sums that they touch are rated anew; how many.

        late: Parquet with the columns of the first file. New facts cost what they are; a revision needs a look for what it replaces in
        the files so far. Raises: BadFacts; nothing is taken in then.
        """
        self._look([str(late)])
        fresh = Asked(self, programme, [str(late)], known_at)
        changes, values = f"SELECT * FROM ({self._summed(fresh)}) AS n", list(fresh.values)
        replaced = f"SELECT id FROM {self.source([str(late)])}" + (" WHERE revision > 1" if "revision" in self.columns else " WHERE false")
        revised = bool(self.db.execute(f"SELECT EXISTS ({replaced})").fetchall()[0][0])
        if revised:
            before = Asked(self, programme, self.files, known_at)
            old = self._summed(before, f" AND f.id IN ({replaced})")
            changes += f" UNION ALL SELECT dealer{self._names}, span, -units, -lines, 0 FROM ({old}) AS o"
            values += before.values
        self.db.execute(
            f"CREATE OR REPLACE TABLE change AS SELECT dealer{self._names}, span, CAST(sum(units) AS HUGEINT) AS units, "
            f"CAST(sum(lines) AS BIGINT) AS lines, max(wrong) AS wrong FROM ({changes}) AS c GROUP BY dealer{self._names}, span",
            values,
        )
        self._refuse(programme, fresh, "change", self.as_of)
        self._take_in()
        self.db.execute(f"INSERT INTO seen {SEEN.format(id=self._identity, source=self.source([str(late)]))}")
        self.files.append(str(late))
        return int(self.db.execute("SELECT count(*) FROM change").fetchall()[0][0])

    @property
    def _identity(self) -> str:
        return "id, revision" if "revision" in self.columns else "id, 1"

    def source(self, files: Sequence[str]) -> str:
        """SQL for the rows of files, as texts, days and numbers."""
        return source(self.columns, listed(files))

    @contextmanager
    def _exact(self) -> Iterator[None]:
        """A figure too large for sums in 128 bits is no error of the file: it is reckoned line by line. Raises: NeedsLines."""
        import duckdb  # noqa: PLC0415  heavy, and an extra

        try:
            yield
        except (duckdb.OutOfRangeException, duckdb.ConversionException) as wrong:
            raise NeedsLines(f"a figure is out of range: {str(wrong).splitlines()[0]}", next_step="calculate it line by line") from wrong

    def _unfit_for(self, programme: Programme, known_at: datetime | None) -> str:
        """What the file lacks for sums of this programme; empty when nothing."""
        if known_at is not None and self.columns.get("recorded_at") == "VARCHAR":
            return "a knowledge time, but recorded_at is text"
        if not (sides(programme, self.columns)):
            return "no column for the amount on its tax side"
        asked = {name for one in (programme.scope, programme.scope.exclude) for name, _ in named(one)}
        other = next(
            (name for name in asked if self.columns.get(name, "VARCHAR").partition("(")[0] not in ("VARCHAR", "UUID", *INTEGERS)), ""
        )
        return f"a condition on {other}, which is no text" if other else ""

    def _look(self, files: Sequence[str]) -> None:
        """Refuse what cannot be a fact, whatever the programme, as a table that is read line by line is refused.

        The first files are looked at once, and leave a fingerprint of each id and revision; later ones are compared with those.
        Raises: BadFacts; NeedsLines for rows that are well, and only reading can say so.
        """
        first = files is self.files
        if first and self.looked:
            return
        seen = "seen" if first else "late_seen"
        self.db.execute(f"CREATE OR REPLACE TABLE {seen} AS {SEEN.format(id=self._identity, source=self.source(files))}")
        twice = not self._ascending(files) and self.db.execute(f"SELECT count(*) > count(DISTINCT h) FROM {seen}").fetchall()[0][0]
        doubts = doubtful(self.columns, exported=self.exported)
        if twice:
            both, read = "(id, revision)" if "revision" in self.columns else "id", f"read_parquet({listed(files)}, union_by_name = true)"
            doubts += f" OR {both} IN (SELECT {both} FROM {read} GROUP BY ALL HAVING count(*) > 1)"
        self._read(files, doubts)
        if not first and self.db.execute("SELECT EXISTS (SELECT 1 FROM seen WHERE h IN (SELECT h FROM late_seen))").fetchall()[0][0]:
            self._refuse_known(files)
        self.looked = True

    def _ascending(self, files: Sequence[str]) -> bool:
        """True when each id is above the one before it, as most files are written: then none stands twice, and counting is saved."""
        query = f"SELECT bool_and(id > before) FROM (SELECT id, lag(id) OVER () AS before FROM {self.source(files)})"
        return bool(self.db.execute(query).fetchall()[0][0])

    def _read(self, files: Sequence[str], doubts: str) -> None:
        """Read the rows that are in doubt as facts, if there are any. Raises: BadFacts, NeedsLines."""
        rows = self._rows(files, doubts)
        first = next(rows, None)
        if first is None:
            return
        from_rows(list(self.columns), chain([first], rows), files[0], exported=self.exported)
        raise NeedsLines(f"line {first[0]} has to be read to be judged", next_step="calculate it line by line")

    def _rows(self, files: Sequence[str], condition: str, values: Sequence[Any] = ()) -> Iterator[tuple[int, dict[str, Any]]]:
        """Rows as they are stored, each with its line; the lines of several files are counted on."""
        before, names = 0, list(self.columns)
        for file in files:
            present = {str(row[0]) for row in self.db.execute("DESCRIBE SELECT * FROM read_parquet($1)", [file]).fetchall()}
            columns = ", ".join(f'"{name}"' if name in present else f'NULL AS "{name}"' for name in names)
            read = f"SELECT file_row_number + 1 AS line_of_file, {columns} FROM read_parquet({quoted(file)}, file_row_number = true)"
            query = f"SELECT * FROM ({read}) WHERE {condition} ORDER BY line_of_file"
            found = self.db.cursor().execute(query, list(values))
            while some := found.fetchmany(1_000):
                for line, *cells in some:
                    yield before + line, dict(zip(names, cells, strict=True))
            counted = self.db.execute("SELECT sum(num_rows) FROM parquet_file_metadata($1)", [file]).fetchall()
            before += int(counted[0][0] or 0)

    def _refuse_known(self, files: Sequence[str]) -> None:
        query = (
            f"SELECT id FROM {self.source([*self.files, *files])} WHERE id IN (SELECT id FROM {self.source(files)}) "
            f"GROUP BY {self._identity} HAVING count(*) > 1 ORDER BY id LIMIT 1"
        )
        found = self.db.execute(query).fetchall()
        if found:  # else two ids had one fingerprint
            fix = "give every fact an id of its own, and a correction the next revision"
            raise BadFacts([Flaw("duplicate_id", "id", f"{found[0][0]} is there twice with the same revision", fix, None, files[0])])

    @property
    def _names(self) -> str:
        return "".join(f", {name}" for name in self.scope)

    def _same(self, one: str, other: str) -> str:
        return " AND ".join(f"{one}.{name} = {other}.{name}" for name in ("dealer", *self.scope, "span"))

    def _summed(self, asked: Asked, more: str = "") -> str:
        dims = "".join(f", {asked.text(name)} AS {name}" for name in self.scope)
        return (
            f"SELECT dealer{self._names}, span, CAST(sum(units) AS HUGEINT) AS units, count(*) AS lines, max(wrong) AS wrong "
            f"FROM ({asked.lines(dims, more=more)}) AS l GROUP BY dealer{self._names}, span"
        )

    def _take_in(self) -> None:
        """The changes into the sums, and the cells of these sums rated anew; a cell that is new gets the next number."""
        same = self._same("t", "c")
        self.db.execute("BEGIN")
        self.db.execute(f"UPDATE total AS t SET units = t.units + c.units, lines = t.lines + c.lines FROM change AS c WHERE {same}")
        self.db.execute(f"INSERT INTO total SELECT * FROM change AS c WHERE NOT EXISTS (SELECT 1 FROM total AS t WHERE {same})")
        self.db.execute(f"CREATE OR REPLACE TABLE touched AS SELECT t.* FROM total AS t JOIN change AS c ON {same}")
        self.db.execute(
            f"UPDATE cell AS t SET units = c.units, lines = c.lines, tier = c.tier, fen = c.fen "
            f"FROM ({self._rated('touched')}) AS c WHERE {same}"
        )
        self.db.execute(
            "INSERT INTO cell SELECT (SELECT coalesce(max(n), 0) FROM cell) + row_number() OVER (), c.* "
            f"FROM ({self._rated('touched')}) AS c WHERE NOT EXISTS (SELECT 1 FROM cell AS t WHERE {same})"
        )
        self.db.execute("COMMIT")

    def cells(self) -> Iterator[Cell]:
        """The rated sums, in order."""
        names = "".join(f"c.{name}, " for name in self.scope)
        found = self.db.execute(
            f"SELECT c.dealer, {names}s.name, c.units, c.lines, c.tier, c.fen FROM cell AS c JOIN span AS s ON s.span = c.span "
            f"ORDER BY c.dealer, {names}s.span"
        )
        while rows := found.fetchmany(20_000):
            for dealer, *scope, period, units, lines, tier, fen in rows:
                yield Cell(dealer, tuple(scope), period, Decimal(units).scaleb(-4), lines, tier, Decimal(fen).scaleb(-self.places))

    def totals(self) -> tuple[int, Decimal]:
        """How many lines were counted, and what is earned in all."""
        lines, fen = self.db.execute("SELECT sum(lines), sum(fen) FROM cell").fetchall()[0]
        return int(lines or 0), Decimal(int(fen or 0)).scaleb(-self.places)

    def share_out(self, programme: Programme, out: Path, *, known_at: datetime | None = None, batches: int | None = None) -> int:
        """Write each counted line with its part of what its cell earns, adding up exactly; how many. `rate` comes first.

        Largest remainder: what is left after cutting goes to the lines with the largest rest, then by document day and id; never to a
        returned one while a sale can take it. batches: dealers are taken in so many parts, to bound the memory; each is one file in
        the folder `out`, with the columns id, dealer, cell, amount, rebate. Raises: NeedsLines for figures that sums cannot share.
        """
        out.mkdir(parents=True, exist_ok=True)
        asked = Asked(self, programme, self.files, known_at)
        unit = "1" if not self.places else f"0.{'0' * (self.places - 1)}1"
        shared = SHARED.format(unit=unit, places=self.places, usual=USUAL)
        batches = batches or max(BATCHES, -(-self.totals()[0] // AT_ONCE))
        written, unusual = 0, list[int]()
        with self._exact():
            for part in range(batches):
                self._cut(asked, f" AND hash(f.dealer) % {batches} = {part}")
                self.db.execute(LEFT)
                written += self._copied(f"COPY ({shared}) TO {quoted(out / f'part-{part:03}.parquet')} ({COMPRESSED})", [])
                unusual += [row[0] for row in self.db.execute(f"SELECT n FROM remainder AS r WHERE NOT ({USUAL})").fetchall()]
            self.db.execute("DROP TABLE cut")
            return written + self._unusual(asked, sorted(unusual), out / "part-unusual.parquet")

    def gather(self, folder: Path, target: Path) -> None:
        """The files of a folder as one, .parquet or .csv."""
        kind = "FORMAT csv, HEADER" if target.suffix == ".csv" else COMPRESSED
        self.db.execute(f"COPY (SELECT * FROM read_parquet({quoted(folder / '*.parquet')})) TO {quoted(target)} ({kind})")

    def _copied(self, query: str, values: Sequence[Any]) -> int:
        return int(self.db.execute(query, values).fetchall()[0][0])

    def _cut(self, asked: Asked, more: str) -> None:
        """The asked lines with their cut shares, in the table `cut`."""
        import duckdb  # noqa: PLC0415  heavy, and an extra

        same = "".join(f" AND c.{name} = l.{name}" for name in self.scope)
        half_up = HALF_UP.format(top="product", bottom="whole")

        def cut(whole: str) -> None:
            query = CUT.format(lines=self._lines(asked, more), same=same, half_up=half_up, whole=whole)
            self.db.execute(query, asked.values)

        try:
            cut("BIGINT")
        except (duckdb.OutOfRangeException, duckdb.ConversionException):
            cut("HUGEINT")

    def _lines(self, asked: Asked, more: str = "") -> str:
        dims = "".join(f", {asked.text(name)} AS {name}" for name in self.scope)
        bar = f"f.kind IN ('return', 'credit') OR {asked.amount} < 0"
        return asked.lines(f"{dims}, f.id AS id, {asked.day} AS date, {asked.amount} AS amount, {bar} AS bar", more=more)

    def _unusual(self, asked: Asked, cells: Sequence[int], target: Path) -> int:
        """The cells that SQL cannot share out in one pass, by the one way of sharing that all of the hub has."""
        if not cells:
            return 0
        self.db.execute(
            "CREATE OR REPLACE TABLE part (id VARCHAR, dealer VARCHAR, cell BIGINT, amount DECIMAL(18, 4), rebate DECIMAL(18, 6))"
        )
        same = "".join(f" AND c.{name} = l.{name}" for name in self.scope)
        for cell in cells:
            found = self.db.execute(
                f"SELECT l.id, l.dealer, l.amount, l.units, l.bar, c.fen FROM ({self._lines(asked)}) AS l "
                f"JOIN cell AS c ON c.dealer = l.dealer AND c.span = l.span{same} WHERE c.n = ? ORDER BY l.date, l.id",
                [*asked.values, cell],
            ).fetchall()
            total = Decimal(found[0][5]).scaleb(-self.places)
            parts = allocate(total, [Decimal(row[3]) for row in found], self.places, bar=[row[4] for row in found])
            rows = [(row[0], row[1], cell, row[2], part) for row, part in zip(found, parts, strict=True)]
            self.db.executemany("INSERT INTO part VALUES (?, ?, ?, ?, ?)", rows)
        columns = f"id, dealer, cell, amount, CAST(rebate AS DECIMAL(18, {self.places})) AS rebate"
        return self._copied(f"COPY (SELECT {columns} FROM part) TO {quoted(target)} ({COMPRESSED})", [])

    def _tables(self, programme: Programme, as_of: date) -> None:
        """Days to periods, and the programme's tiers, as tables."""
        spans = [span for span in periods.of(programme) if span.start <= as_of]
        self.places, self.as_of = programme.rounding.places, as_of
        self.db.execute("CREATE OR REPLACE TABLE span (span INTEGER, name VARCHAR)")
        self.db.execute("CREATE OR REPLACE TABLE day (day DATE, span INTEGER)")
        for at, span in enumerate(spans):
            last = min(span.end, as_of + timedelta(days=1))
            self.db.execute("INSERT INTO span VALUES (?, ?)", [at, span.name])
            self.db.execute(
                "INSERT INTO day SELECT CAST(unnest(generate_series(?::DATE, ?::DATE, INTERVAL 1 DAY)) AS DATE), ?",
                [span.start, last - timedelta(days=1), at],
            )
        self.db.execute("CREATE OR REPLACE TABLE rung (tier INTEGER, start HUGEINT, fixed HUGEINT, rate HUGEINT, bottom HUGEINT)")
        for rung in rungs(programme):
            bottom = rung.denominator * SCALE // 10**self.places
            self.db.execute("INSERT INTO rung VALUES (?, ?, ?, ?, ?)", [rung.tier, rung.start, rung.fixed, rung.rate, bottom])

    def _rated(self, sums: str) -> str:
        """`fen` is the earned amount in smallest units, half away from zero; a base of zero or below earns nothing."""
        earned = HALF_UP.format(top="(r.fixed + r.rate * t.units)", bottom="r.bottom")
        return (
            f"SELECT t.dealer{''.join(f', t.{name}' for name in self.scope)}, t.span, t.units, t.lines, coalesce(r.tier, 0) AS tier, "
            f"CASE WHEN r.tier IS NULL THEN 0::HUGEINT ELSE {earned} END AS fen "
            f"FROM {sums} AS t ASOF LEFT JOIN rung AS r ON CASE WHEN t.units > 0 THEN t.units ELSE -1 END >= r.start"
        )

    def _refuse(self, programme: Programme, asked: Asked, sums: str, as_of: date) -> None:
        """Counted rows that the programme cannot reckon, told as line by line. Raises: BadFacts; NeedsLines where reading finds a way."""
        if not self.db.execute(f"SELECT max(wrong) FROM {sums}").fetchall()[0][0]:
            return
        query = f"SELECT DISTINCT id FROM ({asked.lines(', f.id AS id')}) AS l WHERE wrong > 0 ORDER BY id LIMIT 1000"
        wrong = [row[0] for row in self.db.execute(query, asked.values).fetchall()]
        rows = self._rows(asked.files, "CAST(id AS VARCHAR) IN (SELECT unnest(?::VARCHAR[]))", [wrong])
        table = from_rows(list(self.columns), rows, asked.files[0], exported=self.exported)
        spans = [span for span in periods.of(programme) if span.start <= as_of]
        counted(programme, table, known(table.facts, asked.known_at), Selector(programme, spans, Dealers(), table.columns, as_of))
        raise NeedsLines(f"{wrong[0]} has to be read to be judged", next_step="calculate it line by line")
