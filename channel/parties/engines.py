"""Where records are blocked and scored: DuckDB on one machine, Spark for what outgrows it. Same tables, same settings, same figures."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from channel.parties import blocking, model
from channel.parties.errors import BadRecords, EngineMissing
from channel.parties.preparing import COLUMNS

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import SparkSession

_PLAIN = ", ".join(("rid", "line", *COLUMNS))
_INSTALL = "pip install 'channel-hub[resolve]' (in this checkout: .venv/bin/uv sync --inexact --extra resolve)"


def need(engine: str) -> None:
    """Refuse before anything is begun where the libraries of an engine are missing, without importing them. Raises: EngineMissing."""
    wanted = ("splink", "pyspark" if engine == "spark" else "duckdb")
    if missing := [name for name in wanted if find_spec(name) is None]:
        raise EngineMissing(f"resolving needs {' and '.join(missing)}, not installed here", next_step=_INSTALL)


class Engine(Protocol):
    """A database that Splink can work in."""

    hashed: str
    """Its function that makes a 64-bit number of a text."""

    def load(self, files: Sequence[str]) -> None:
        """Make `raw` of prepared files: an `id` by the order of rid, whatever the order of rows."""

    def make(self, table: str, query: str) -> None:
        """Make a table of a query."""

    def rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        """What a query gives."""

    def predict(self, weights: model.Weights, least: float, *, levels_shown: bool = False) -> str:
        """Score what blocking proposes; the table of pairs of at least `least` bits."""

    def drop(self, table: str) -> None:
        """What is not needed any more."""


def build(engine: Engine, files: Sequence[str], source: str = "") -> None:
    """`records`, ready for the linker. Raises: BadRecords when a rid stands twice, with its line in `source`."""
    engine.load(files)
    twice = next(engine.rows("SELECT rid, min(line), max(line) FROM raw GROUP BY rid HAVING count(*) > 1 ORDER BY 2 LIMIT 1"), None)
    if twice is not None:
        raise BadRecords(
            f"rid {twice[0]!r} stands in line {twice[1]} already",
            where=f"{source}:{twice[2]}" if source else "",
            next_step="give each record its own",
        )
    engine.make("counted", blocking.COUNTED)
    engine.make("keyed", blocking.keyed(engine.hashed))
    for key in blocking.KEYS:
        engine.make(f"shared_{key.name}", blocking.shared(key))
    engine.make("records", blocking.blocked())
    for table in ("counted", "keyed", *(f"shared_{key.name}" for key in blocking.KEYS)):
        engine.drop(table)


def _predict(database: Any, weights: model.Weights, least: float, *, levels_shown: bool) -> str:
    from splink import Linker  # noqa: PLC0415  an optional library

    registered = database.register("records", dataset_display_name="records")
    settings = model.settings(weights, levels_shown=levels_shown)
    linker = Linker(registered, settings, log_level=logging.ERROR, validate_settings=False)  # ours, and tested: validating takes 3 s
    found = linker.inference.predict(threshold_match_weight=least, warning_mode="never")
    return str(found.physical_name)


class DuckDB:
    """One machine: columns in memory, spilled to `folder` when they outgrow `memory_mb`."""

    hashed = "hash"

    def __init__(self, folder: Path, *, threads: int = 2, memory_mb: int = 1400) -> None:
        try:
            import duckdb  # noqa: PLC0415  an optional library
            import splink  # noqa: F401, PLC0415  an optional library; only whether it is there
        except ImportError as missing:
            raise EngineMissing(f"resolving needs Splink and DuckDB: {missing}", next_step=_INSTALL) from missing
        self.connection: duckdb.DuckDBPyConnection = duckdb.connect(config={"threads": threads, "memory_limit": f"{memory_mb}MB"})
        self.connection.execute(f"SET temp_directory = '{folder / 'spill'}'")
        self.connection.execute("SET enable_progress_bar = false")
        self.connection.execute("SET preserve_insertion_order = false")

    def load(self, files: Sequence[str]) -> None:
        """See Engine."""
        self.connection.execute(
            f"CREATE TABLE raw AS SELECT CAST(row_number() OVER (ORDER BY rid) AS INT) AS id, {_PLAIN} FROM read_parquet(?)", [list(files)]
        )
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        self.connection.execute(f"CREATE VIEW names AS SELECT rid, said FROM read_parquet([{listed}])")  # read when they are asked for

    def make(self, table: str, query: str) -> None:
        """See Engine."""
        self.connection.execute(f"CREATE TABLE {table} AS {query}")

    def rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        """See Engine."""
        result = self.connection.execute(query)
        while chunk := result.fetchmany(50_000):
            yield from chunk

    def predict(self, weights: model.Weights, least: float, *, levels_shown: bool = False) -> str:
        """See Engine."""
        from splink import DuckDBAPI  # noqa: PLC0415  an optional library

        return _predict(DuckDBAPI(self.connection), weights, least, levels_shown=levels_shown)

    def drop(self, table: str) -> None:
        """See Engine."""
        self.connection.execute(f"DROP TABLE {table}")

    def close(self) -> None:
        """Give the memory back."""
        self.connection.close()


class Spark:
    """A cluster, or `local[*]`: blocking and scoring are spread, the pairs that count come back here to be clustered."""

    hashed = "xxhash64"

    def __init__(self, folder: Path, session: SparkSession | None = None) -> None:
        try:
            import splink  # noqa: F401, PLC0415  an optional library; only whether it is there
            from pyspark.sql import SparkSession  # noqa: PLC0415  an optional library
        except ImportError as missing:
            raise EngineMissing(f"Spark needs Splink and PySpark: {missing}", next_step="install the extras resolve and spark") from missing
        self._own = session is None
        if session is None:
            if shutil.which("java") is None:
                raise EngineMissing(
                    "Spark needs Java, and there is none", next_step="install Java 17 (apt-get install openjdk-17-jre-headless)"
                )
            session = (
                SparkSession.builder.master("local[2]")
                .appName("channel-hub resolve")
                .config("spark.ui.enabled", "false")
                .config("spark.ui.showConsoleProgress", "false")
                .config("spark.sql.shuffle.partitions", "4")
                .config("spark.driver.memory", "2g")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.driver.host", "127.0.0.1")
                .getOrCreate()
            )
        session.sparkContext.setLogLevel("ERROR")
        session.sparkContext.setCheckpointDir(str(folder / "checkpoints"))
        self.session, self.folder = session, folder

    def load(self, files: Sequence[str]) -> None:
        """See Engine."""
        self.session.read.parquet(*files).createOrReplaceTempView("read")
        self.make("raw", f"SELECT CAST(row_number() OVER (ORDER BY rid) AS INT) AS id, {_PLAIN} FROM read")
        self.session.sql("SELECT rid, said FROM read").createOrReplaceTempView("names")

    def make(self, table: str, query: str) -> None:
        """See Engine."""
        place = str(self.folder / "tables" / table)  # written out: a plan that grows with each table takes longer than the work
        self.session.sql(query).write.mode("overwrite").parquet(place)
        self.session.read.parquet(place).createOrReplaceTempView(table)

    def rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        """See Engine."""
        yield from (tuple(row) for row in self.session.sql(query).toLocalIterator())

    def predict(self, weights: model.Weights, least: float, *, levels_shown: bool = False) -> str:
        """See Engine."""
        from splink import SparkAPI  # noqa: PLC0415  an optional library

        database = SparkAPI(  # type: ignore[no-untyped-call]  # Splink types its Spark door in parts
            spark_session=self.session, break_lineage_method="parquet", register_udfs_automatically=False
        )
        return _predict(database, weights, least, levels_shown=levels_shown)

    def drop(self, table: str) -> None:
        """See Engine."""
        self.session.catalog.dropTempView(table)

    def close(self) -> None:
        """Stop the session if it is our own."""
        if self._own:
            self.session.stop()
