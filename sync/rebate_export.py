"""The ledger's facts as Parquet by month, for the engine that sums millions of lines: `hub rebates export`, and a task of the DAG.

A folder has one sub-folder a month with parts, and `manifest.json` that names the parts and how far they go. A part is written beside its
place and renamed; the manifest is replaced last. So a reader finds what a manifest says, and a run that was killed is simply repeated: it
begins where the manifest ends. Facts are only ever added, so a part never changes; many small ones of a month become one.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from psycopg.sql import SQL, Composable, Identifier, Literal

from canonical.values import utc_text
from channel.rebates.exported import LAYOUT, MANIFEST, manifest_of
from channel.rebates.fact_queries import READ
from channel.rebates.reckoning.queries import newest_fact
from sync.hub import Hub
from sync.leases import alone
from sync.runs import Run, RunResult, running

PARTS: Final = 12
"""A month with more parts than this gets them as one."""
_DECIMAL: Final = "DECIMAL(28, 8)"
_BESIDES: Final = ("programme", "period", "measure", "status", "event")
_PRICES: Final = ("old_price", "new_price", "sell_price", "cost_price", "contract_price")
_KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("quantity", "amount", "gross", *_PRICES), _DECIMAL),
    **dict.fromkeys(("date", "order_date", "delivery_date", "invoice_date", "sell_out_date", "due_date"), "DATE"),
    "revision": "INTEGER", "recorded_at": "TIMESTAMPTZ",
}  # fmt: skip


def export(hub: Hub, folder: Path) -> RunResult:
    """Write what is new since the folder's manifest; a second run writes nothing. Raises: BadFacts for a folder that is something else."""
    with running(hub, "rebate_export", detail=str(folder)) as run, alone(hub, "rebate_export", wait=True):
        folder.mkdir(parents=True, exist_ok=True)
        manifest = manifest_of(folder) or {"layout": LAYOUT, "watermark": 0, "months": {}}
        with hub.transaction() as db:
            seq = newest_fact(db.connection)
        _write_new(hub, folder, manifest, seq, run)
        _clear(folder, manifest)
    return run.result


def _write_new(hub: Hub, folder: Path, manifest: dict[str, Any], seq: int, run: Run) -> None:
    after = int(manifest["watermark"])
    if seq <= after:
        return
    with hub.transaction() as db:
        db.execute(
            "SELECT to_char(date, 'YYYY-MM') AS month, count(*) AS lines FROM rebate_fact WHERE seq > %s AND seq <= %s "
            "GROUP BY 1 ORDER BY 1",
            [after, seq],
        )
        months = {row["month"]: int(row["lines"]) for row in db}
    for month, lines in months.items():
        known: dict[str, Any] = manifest["months"].setdefault(month, {"parts": [], "facts": 0})
        whole = len(known["parts"]) >= PARTS
        begin = 0 if whole else after
        name = f"{month}/facts-{begin:012}-{seq:012}.parquet"
        written = _part(hub, folder / name, month, begin, seq)
        known["parts"] = [name] if whole else [*known["parts"], name]
        known["facts"] = written if whole else known["facts"] + written
        run.counts({"parts": 1, "facts": lines})
    manifest |= {
        "watermark": seq,
        "made_at": utc_text(datetime.now(UTC)),
        "facts": sum(one["facts"] for one in manifest["months"].values()),
    }
    _replace(folder / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def _part(hub: Hub, target: Path, month: str, after: int, seq: int) -> int:
    """One part of a month; how many facts. It appears whole or not at all."""
    import duckdb  # noqa: PLC0415  heavy, and an extra

    target.parent.mkdir(exist_ok=True)
    first = f"{month}-01"
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part.") as home:
        text = Path(home) / "facts.csv"
        columns = _copied(hub, text, first, after, seq)
        kinds = ", ".join(f"'{name}': '{_KINDS.get(name, 'VARCHAR')}'" for name in columns)
        part = Path(home) / "facts.parquet"
        db = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "1GB"})
        try:
            found = db.execute(
                f"COPY (SELECT * FROM read_csv({_quoted(text)}, header = true, columns = {{{kinds}}}, auto_detect = false, delim = ',', "
                f"quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false, null_padding = false)) "
                f"TO {_quoted(part)} (FORMAT parquet, COMPRESSION zstd)"
            ).fetchall()
        finally:
            db.close()
        part.replace(target)
    return int(found[0][0])


def _copied(hub: Hub, target: Path, first: str, after: int, seq: int) -> list[str]:
    """The facts of a month as CSV, by COPY; the columns. Attributes are columns of their own, as in a facts file."""
    start = date.fromisoformat(first)
    values = {"start": start, "end": (start + timedelta(days=31)).replace(day=1), "after": after, "seq": seq}
    where = SQL("date >= {start} AND date < {end} AND seq > {after} AND seq <= {seq}").format(
        **{name: Literal(value) for name, value in values.items()}
    )
    with hub.transaction() as db:
        asked = SQL("SELECT DISTINCT jsonb_object_keys(more::jsonb->'attributes') AS name FROM rebate_fact WHERE {} ORDER BY 1")
        db.execute(asked.format(SQL("{} AND more::jsonb ? 'attributes'").format(where)))
        extra = [row["name"] for row in db]
        columns: list[Composable] = [Identifier(name) for name in READ]
        columns += [SQL("more->>{} AS {}").format(Literal(name), Identifier(name)) for name in (*_BESIDES, *_PRICES)]
        columns += [SQL("more->'attributes'->>{} AS {}").format(Literal(name), Identifier(name)) for name in extra]
        query = SQL("COPY (SELECT {} FROM rebate_fact WHERE {} ORDER BY seq) TO STDOUT (FORMAT csv, HEADER)")
        with target.open("wb") as file, db.copy(query.format(SQL(", ").join(columns), where)) as copy:
            for block in copy:
                file.write(block)
    return [*READ, *_BESIDES, *_PRICES, *extra]


def _quoted(path: Path) -> str:
    """A path as an SQL text."""
    return "'" + str(path).replace("'", "''") + "'"


def _replace(target: Path, text: str) -> None:
    part = target.with_name(f".{target.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)


def _clear(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Parts that no manifest names: left by a run that was killed, or put together."""
    named: Sequence[str] = [part for month in manifest["months"].values() for part in month["parts"]]
    for found in folder.glob("????-??/facts-*.parquet"):
        if str(found.relative_to(folder)) not in named:
            found.unlink()
