"""Which records are one firm: prepared, blocked, scored and clustered, a million in minutes on two cores.

Splink 5 scores on DuckDB (or on Spark) with frozen weights; nothing is learnt from the records, and the same records give the same clusters
whatever their order. How it works and what it is worth: docs/golden-records.md.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from channel.parties import engines, model, reading, second_look
from channel.parties.clustering import Edge, Rules, cluster
from channel.parties.reading import Tell

__all__ = ["Doubt", "Resolution", "Rules", "resolve", "resolve_file"]


@dataclass(frozen=True, slots=True)
class Doubt:
    """Two records that may be one firm, and are not joined: a question for a person."""

    left: str
    right: str
    bits: float

    @property
    def probability(self) -> float:
        """Of being one firm, 0 to 1."""
        return float(1.0 / (1.0 + 2.0**-self.bits))


@dataclass(slots=True)
class Resolution:
    """What a run found."""

    version: str
    records: int = 0
    clusters: list[list[str]] = field(default_factory=list)
    """Records of each firm that has two or more, by rid."""
    edges: dict[tuple[str, str], float] = field(default_factory=dict)
    """Bits of the pairs inside clusters (kept when asked for)."""
    doubts: list[Doubt] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Summary:
    """A run over a file, in figures. Units: seconds of the clock."""

    records: int
    firms: int
    joined: int
    """Records that share their firm with another one."""
    pairs_scored: int
    doubtful_pairs: int
    version: str
    seconds: float
    engine: str

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def _silent(_step: str, _done: int, _of: int) -> None:
    return None


def _open(engine: str, folder: Path) -> engines.DuckDB | engines.Spark:
    return engines.Spark(folder) if engine == "spark" else engines.DuckDB(folder)


def _edges(made: engines.Engine, frozen: model.Model, tell: Tell) -> list[Edge]:
    """Pairs worth a look, in bits with the prior; rounded, so that no order of additions shows."""
    table = made.predict(frozen.weights, second_look.LEAST - frozen.prior)
    tell("score", 1, 1)
    sure = f"SELECT match_weight, id_l, id_r FROM {table} WHERE match_weight + ({frozen.prior}) >= {second_look.MOST}"
    edges = [(round(bits + frozen.prior, 3), min(left, right), max(left, right)) for bits, left, right in made.rows(sure)]
    least, weights = frozen.join - Rules(frozen.join).lead - 4.0, second_look.frozen()
    for left, right, first, levels in second_look.looked(made, table, frozen.prior):
        bits = round(first + weights.bits(levels), 3)
        if bits >= least:
            edges.append((bits, min(left, right), max(left, right)))
    tell("look", 1, 1)
    return edges


def resolve_file(
    records: Path, out: Path, *, engine: str = "duckdb", workers: int | None = None, frozen: model.Model | None = None, tell: Tell = _silent
) -> Summary:
    """Read `records`, write rid,cluster to `out`: each record of the input once, in the order of rid; a cluster is named by its first rid.

    Raises: BadRecords with file and line; EngineMissing.
    """
    began = perf_counter()  # told at the end; nothing is decided by it
    frozen = frozen or model.frozen()
    with tempfile.TemporaryDirectory(prefix="hub-resolve-") as place:
        folder = Path(place)
        prepared = reading.prepare_all(reading.read(records), folder, workers=workers or os.cpu_count() or 1, tell=tell)
        tell("prepare", prepared.records, 1)
        if not prepared.records:
            _write(out, [])
            return Summary(0, 0, 0, 0, 0, frozen.version, perf_counter() - began, engine)
        made = _open(engine, folder)
        try:
            engines.build(made, prepared.files, str(records))
            tell("block", 1, 1)
            edges = _edges(made, frozen, tell)
            clusters, refused = _cluster(made, edges, frozen)
            tell("cluster", 1, 1)
            rids = [row[0] for row in made.rows("SELECT rid FROM raw ORDER BY id")]
        finally:
            made.close()
    named = {member: rids[members[0] - 1] for members in clusters for member in members}
    _write(out, ((rid, named.get(number, rid)) for number, rid in enumerate(rids, 1)))
    joined = sum(map(len, clusters))
    return Summary(
        prepared.records,
        prepared.records - joined + len(clusters),
        joined,
        len(edges),
        len(refused),
        frozen.version,
        perf_counter() - began,
        engine,
    )


def _cluster(made: engines.Engine, edges: Sequence[Edge], frozen: model.Model) -> tuple[list[list[int]], list[Edge]]:
    orgs = dict(made.rows("SELECT id, org FROM raw WHERE org IS NOT NULL"))
    branches = dict(made.rows("SELECT id, branch FROM raw WHERE branch <> ''"))
    return cluster(edges, orgs, branches, Rules(frozen.join))


def _write(out: Path, rows: Iterable[tuple[str, str]]) -> None:
    """All or nothing: the file appears when it is whole."""
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("rid", "cluster"))
            writer.writerows(rows)
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)


def resolve(
    records: Iterable[Sequence[str]],
    *,
    apart: Iterable[tuple[str, str]] = (),
    engine: str = "duckdb",
    frozen: model.Model | None = None,
    tell: Tell = _silent,
) -> Resolution:
    """Resolve records given as (rid, name, uscc, phone, contact, city, addr); `apart`: pairs of rids that are never together.

    Beside the clusters it gives the pairs inside them, and the pairs a person should look at.
    Raises: BadRecords when a rid stands twice; EngineMissing.
    """
    frozen = frozen or model.frozen()
    found = Resolution(frozen.version)

    def numbered() -> Iterator[reading.Record]:
        for number, (rid, name, uscc, phone, contact, city, addr) in enumerate(records, 1):
            yield number, rid, name, uscc, phone, contact, city, addr

    with tempfile.TemporaryDirectory(prefix="hub-resolve-") as place:
        prepared = reading.prepare_all(numbered(), Path(place), workers=os.cpu_count() or 1, tell=tell)
        tell("prepare", prepared.records, 1)
        found.records = prepared.records
        if not prepared.records:
            return found
        made = _open(engine, Path(place))
        try:
            engines.build(made, prepared.files)
            tell("block", 1, 1)
            edges = _edges(made, frozen, tell)
            rids = [row[0] for row in made.rows("SELECT rid FROM raw ORDER BY id")]
            orgs = dict(made.rows("SELECT id, org FROM raw WHERE org IS NOT NULL"))
            branches = dict(made.rows("SELECT id, branch FROM raw WHERE branch <> ''"))
        finally:
            made.close()
    known = {rid: number for number, rid in enumerate(rids, 1)}
    kept = [(known[left], known[right]) for left, right in apart if left in known and right in known]
    clusters, _ = cluster(edges, orgs, branches, Rules(frozen.join), kept)
    tell("cluster", 1, 1)
    place_of = {member: number for number, members in enumerate(clusters) for member in members}
    told_apart = {frozenset(pair) for pair in kept}
    for bits, left, right in edges:
        together = left in place_of and place_of[left] == place_of.get(right)
        if together:
            found.edges[rids[left - 1], rids[right - 1]] = bits
        elif bits >= frozen.doubt and frozenset((left, right)) not in told_apart and branches.get(left) == branches.get(right):
            found.doubts.append(Doubt(rids[left - 1], rids[right - 1], bits))
    found.clusters = [[rids[member - 1] for member in members] for members in clusters]
    found.doubts.sort(key=lambda doubt: (-doubt.bits, doubt.left, doubt.right))
    return found
