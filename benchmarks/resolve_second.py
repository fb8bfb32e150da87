"""How `channel/parties/data/second_look.json` was made: crossed weights, by logistic regression over the pairs that the first score doubts.

    uv run --with numpy --with scipy python -m benchmarks.resolve_second --out second_look.json [--share 1.0]

The same populations as for the first score (`resolve_worlds.py`), of other seeds: of those it was learnt from it seems to know too much.
The result is committed; nobody learns at run time.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.resolve import DATA
from benchmarks.resolve_worlds import WORLDS
from channel.parties import engines, model, reading, second_look
from channel.parties.second_look import CROSSED, MAINS

LEARNT = (("matcher", 61, 150_000), ("game", 61, 75_000), ("real", 61, 150_000), ("made", 61, 75_000))
"""World, seed, records."""
VERSION = "2026.11.3"
LEAST = -8.0
"""Bits of the first score from which pairs are learnt from: two bits below those that are looked at, so that nothing ends at the edge."""
RIDGE = 10.0
SMALLEST = 0.02
"""Bits that are not worth a line."""

Seen = tuple[float, second_look.Levels, bool]
"""Bits of the first score, levels, whether the two are one firm."""


def pairs(world: str, seed: int, records: int) -> list[Seen]:
    """The doubtful pairs of one population, with their truth."""
    made = WORLDS[world](seed, records, DATA)
    frozen = model.frozen()
    with tempfile.TemporaryDirectory() as folder:
        csv_file = Path(folder) / "records.csv"
        made.write(csv_file)
        prepared = reading.prepare_all(reading.read(csv_file), Path(folder), workers=2, tell=lambda *_: None)
        engine = engines.DuckDB(Path(folder), memory_mb=3000)
        engines.build(engine, prepared.files)
        second_look.LEAST = LEAST
        table = engine.predict(frozen.weights, LEAST - frozen.prior)
        firm = {number: made.truth[rid] for number, rid in engine.rows("SELECT id, rid FROM raw")}
        found = [(bits, seen, firm[one] == firm[other]) for one, other, bits, seen in second_look.looked(engine, table, frozen.prior)]
        engine.close()
    print(f"{world}, seed {seed}: {records} records, {len(found)} doubtful pairs, {sum(one for *_, one in found)} of one firm", flush=True)
    return found


class Columns:
    """A number for each level of each feature and of each crossed pair."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], int] = {}

    def of(self, seen: second_look.Levels) -> list[int]:
        """The columns that a pair uses."""
        told = [(name, str(level)) for name, level in zip(MAINS, seen, strict=True)]
        told += [(f"{one}*{other}", f"{seen[_PLACE[one]]}|{seen[_PLACE[other]]}") for one, other in CROSSED]
        return [self.known.setdefault(each, len(self.known) + 1) for each in told]


_PLACE = {name: place for place, name in enumerate(MAINS)}


def learn(found: Sequence[Seen]) -> dict[str, Any]:
    """The weights with the greatest likelihood, held back by RIDGE; the first score is taken as it is."""
    import numpy as np  # noqa: PLC0415  only who fits has it
    from scipy.optimize import minimize  # noqa: PLC0415  as above
    from scipy.sparse import csr_matrix  # noqa: PLC0415  as above

    columns = Columns()
    width = len(MAINS) + len(CROSSED) + 1
    used = np.zeros((len(found), width), dtype=np.int32)
    for row, (_, seen, _one) in enumerate(found):
        used[row, 1:] = columns.of(seen)
    size = len(columns.known) + 1
    starts = np.arange(0, used.size + 1, width)
    matrix = csr_matrix((np.ones(used.size, dtype=np.float32), used.ravel(), starts), shape=(len(found), size))
    first = np.array([bits for bits, *_ in found]) * math.log(2)
    truth = np.array([one for *_, one in found], dtype=float)
    hold = np.full(size, RIDGE)
    hold[0] = 0.01

    def loss(weights: Any) -> tuple[float, Any]:
        points = matrix @ weights + first
        guess = 1.0 / (1.0 + np.exp(-np.clip(points, -40, 40)))
        value = (np.logaddexp(0, points) - truth * points).sum() + 0.5 * (hold * weights * weights).sum()
        return value, matrix.T @ (guess - truth) + hold * weights

    best = minimize(loss, np.zeros(size), jac=True, method="L-BFGS-B", options={"maxiter": 150})
    print(f"{len(found)} pairs, {size} weights, loss per pair {best.fun / len(found):.4f} after {best.nit} steps", flush=True)
    weights: dict[str, dict[str, float]] = {}
    for (feature, level), place in sorted(columns.known.items()):
        bits = round(float(best.x[place]) / math.log(2), 3)
        if abs(bits) >= SMALLEST:
            weights.setdefault(feature, {})[level] = bits
    return {"version": VERSION, "base": round(float(best.x[0]) / math.log(2), 3), "weights": weights}


def main() -> None:
    """Write the weights."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resolve_second", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--share", type=float, default=1.0, help="of the records that the shipped weights were learnt from")
    asked = parser.parse_args()
    found = [pair for world, seed, records in LEARNT for pair in pairs(world, seed, int(records * asked.share))]
    asked.out.write_text(json.dumps(learn(found), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
