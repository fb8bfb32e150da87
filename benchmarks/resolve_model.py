"""How `channel/parties/data/model.json` was made: weights by logistic regression over the levels of the proposed pairs, with their truth.

    python -m benchmarks.resolve_model --out model.json [--share 1.0]

Populations of several generators (`resolve_worlds.py`), so that the weights are no one generator's own. The result is committed; nobody
learns at run time. The seeds of learning are not those of measuring (`benchmarks/resolve.py`).
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.resolve import DATA
from benchmarks.resolve_worlds import WORLDS
from channel.parties import engines, model, reading

LEARNT = (("matcher", 31, 400_000), ("game", 21, 150_000), ("real", 31, 400_000), ("made", 21, 150_000))
"""World, seed, records. Some are large: how many firms share a name depends on how many there are."""
VERSION = "2026.11.3"
JOIN, DOUBT = 0.5, -3.0
RIDGE = 3.0

Pattern = tuple[tuple[int, ...], int, int]
"""Weights that a kind of pair uses, and how many such pairs are one firm and are not."""


def places() -> dict[str, int]:
    """`comparison.level` -> its place among the weights; the prior is 0."""
    return {
        name: number for number, name in enumerate((f"{one}.{level}" for one in model.COMPARISONS for level in model.shown_levels(one)), 1)
    }


def patterns(world: str, seed: int, records: int) -> list[Pattern]:
    """The proposed pairs of one population, counted by their levels."""
    made = WORLDS[world](seed, records, DATA)
    where = places()
    with tempfile.TemporaryDirectory() as folder:
        csv_file = Path(folder) / "records.csv"
        made.write(csv_file)
        prepared = reading.prepare_all(reading.read(csv_file), Path(folder), workers=2, tell=lambda *_: None)
        engine = engines.DuckDB(Path(folder), memory_mb=6000)
        engines.build(engine, prepared.files)
        table = engine.predict({}, -1000.0, levels_shown=True)
        made.write_truth(Path(folder) / "truth.csv")
        engine.connection.execute(
            f"CREATE TABLE firm AS SELECT raw.id, t.firm FROM read_csv('{folder}/truth.csv') t JOIN raw ON raw.rid = t.rid"
        )
        columns = ", ".join(f"p.gamma_{name}" for name in model.COMPARISONS)
        rows = engine.connection.execute(
            f"SELECT {columns}, count(*) FILTER (a.firm = b.firm), count(*) FILTER (a.firm <> b.firm) "
            f"FROM {table} p JOIN firm a ON a.id = p.id_l JOIN firm b ON b.id = p.id_r GROUP BY ALL"
        ).fetchall()
        total = engine.connection.execute("SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) n FROM firm GROUP BY firm)").fetchall()[0][0]
        engine.close()
    counted: list[Pattern] = []
    for row in rows:
        used = [where[f"{one}.{model.shown_levels(one)[level]}"] for one, level in zip(model.COMPARISONS, row, strict=False) if level >= 0]
        counted.append(((0, *used), row[-2], row[-1]))
    found, others = sum(pattern[1] for pattern in counted), sum(pattern[2] for pattern in counted)
    print(f"{world}, seed {seed}: {records} records, proposed {found / total:.4f} of {int(total)} pairs, {others} others")
    return counted


def learn(counted: Sequence[Pattern], size: int) -> list[float]:
    """Newton's method with a ridge; natural logarithms."""
    weights = [0.0] * size
    for _ in range(30):
        slope = [-RIDGE * weight if place else 0.0 for place, weight in enumerate(weights)]
        curve = [[0.0] * size for _ in range(size)]
        for place in range(size):
            curve[place][place] = RIDGE if place else 1e-6
        for used, one, other in counted:
            guess = 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, sum(weights[place] for place in used)))))
            miss, sway = one - (one + other) * guess, (one + other) * guess * (1.0 - guess)
            for place in used:
                slope[place] += miss
                row = curve[place]
                for beside in used:
                    row[beside] += sway
        step = _solved(curve, slope)
        most = max(map(abs, step))
        shrink = min(1.0, 4.0 / most) if most else 1.0
        weights = [weight + shrink * change for weight, change in zip(weights, step, strict=True)]
        if most < 1e-4:
            break
    return weights


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    size = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for at in range(size):
        best = max(range(at, size), key=lambda row: abs(rows[row][at]))
        rows[at], rows[best] = rows[best], rows[at]
        for below in range(at + 1, size):
            share = rows[below][at] / rows[at][at]
            if share:
                rows[below] = [value - share * above for value, above in zip(rows[below], rows[at], strict=True)]
    found = [0.0] * size
    for at in range(size - 1, -1, -1):
        found[at] = (rows[at][size] - sum(rows[at][later] * found[later] for later in range(at + 1, size))) / rows[at][at]
    return found


def main() -> None:
    """Write the model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resolve_model", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--share", type=float, default=1.0, help="of the records that the shipped weights were learnt from")
    asked = parser.parse_args()
    total: Counter[tuple[int, ...]] = Counter()
    others: Counter[tuple[int, ...]] = Counter()
    for world, seed, records in LEARNT:
        for used, one, other in patterns(world, seed, int(records * asked.share)):
            total[used] += one
            others[used] += other
    counted = [(used, total[used], others[used]) for used in sorted(total.keys() | others.keys())]
    where = places()
    bits = [weight / math.log(2) for weight in learn(counted, len(where) + 1)]
    weights = {name: round(bits[place], 3) for name, place in where.items()}
    told = {"version": VERSION, "prior": round(bits[0], 3), "join": JOIN, "doubt": DOUBT, "weights": weights}
    asked.out.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
