"""Fit the weights of the matcher on the synthetic world and write `channel/deals/matching/data/weights.json`.

A multinomial logit: which of the firms met is meant, or none. The same sum that `decide` makes, so its probabilities are calibrated on
this world. Real names are never seen here; `tests/deals/matching` judges on them.

    uv run --no-sync --with numpy --with scipy python -m benchmarks.matching_fit --seed 5 --customers 250000 --queries 14000
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from benchmarks.matching_data import Maker, Query, Row
from channel.deals.matching import VERSION, WEIGHED, Index, Known, keys_of, prepare
from channel.deals.matching.comparing import compare
from channel.deals.matching.deciding import nearest, shared_phones

OUT = Path(__file__).resolve().parents[1] / "channel" / "deals" / "matching" / "data" / "weights.json"

PRIOR = {
    "phone": {"same": 3.0, "same_2": 1.6, "same_few": 0.9, "same_many": 0.2, "tail": 1.6, "typo": 1.2, "differ": -1.5, "missing": -0.8},
    "code": {"typo": 3.0, "near": 1.5, "organisation": 4.0, "same_wrong": 5.0, "differ_wrong": -2.0},
    "contact": {"same": 1.5, "sound": 1.2, "near": 0.8, "surname": 0.5, "differ": -1.2, "missing": -0.5},
    "address": {"same": 2.5, "number": 1.2, "street": 0.2, "numbers": 0.6, "differ": -1.5, "missing": -0.5},
    "region": {"same": 1.5, "city": 0.8, "within": 0.5, "province": -1.2, "differ": -2.0},
    "city": {"same": 1.5, "within": 0.8, "province": -1.5, "differ": -2.0},
    "trade": {"same": 2.5, "sound": 2.3, "near": 1.2, "short": 0.8, "overlap": -2.0, "differ": -4.0},
    "brand": {"same": 2.0, "sound": 1.5, "look": 1.0, "swap": 1.0, "head": 0.3, "longer": -0.5, "edit": -0.5, "edit2": -2.0, "far": -4.0},
}
"""What the weights lean on where the world shows few cases; by judgement, in log-odds."""


def samples(seed: int, customers: int, queries: int, partial: float) -> list[tuple[list[dict[str, str]], list[bool]]]:
    """Per claim: the levels of each candidate, and which candidates are right."""
    maker = Maker(seed)
    firms = maker.firms(int(customers / 1.12))
    asked: list[tuple[Query, Any]] = [(query, prepare(query.claim)) for query in maker.queries(firms, queries, partial=partial)]
    wanted = {key for _, one in asked for key in keys_of(one)}
    about: dict[str | int, int] = {}

    def known(row: Row) -> Known:
        about[row.rid] = row.firm
        return Known(row.rid, prepare(row.claim))

    index = Index.build((known(row) for row in maker.rows(firms)), wanted)
    made = []
    missed = 0
    for query, one in asked:
        found = index.candidates(one)
        shared = shared_phones(one, found, index.hot)
        near, _ = nearest(one, found[:WEIGHED])
        levels = [compare(one, each.prepared, shared) for each in near]
        right = [about[each.rid] == query.firm for each in near]
        if query.firm is not None and not any(right):
            missed += 1
            continue
        if any(each["code"] == "same" for each in levels):
            continue
        kept = [(each, yes) for each, yes in zip(levels, right, strict=True) if each["code"] != "differ"]
        if kept:
            made.append(([each for each, _ in kept], [yes for _, yes in kept]))
    print(f"{len(made)} claims, {missed} of them without their firm among the candidates")
    return made


def fit(data: list[tuple[list[dict[str, str]], list[bool]]], ridge: float) -> dict[str, dict[str, float]]:
    """The weights with the greatest likelihood, held back by `ridge`."""
    import numpy as np  # noqa: PLC0415  only who fits has it
    from scipy.optimize import minimize  # noqa: PLC0415  as above
    from scipy.sparse import csr_matrix  # noqa: PLC0415  as above

    columns: dict[tuple[str, str], int] = {("base", "all"): 0}
    rows, cols, starts, truth = [], [], [], []
    row = 0
    for levels, right in data:
        starts.append(row)
        for each, yes in zip(levels, right, strict=True):
            rows.append(row)
            cols.append(0)
            for pair in each.items():
                rows.append(row)
                cols.append(columns.setdefault(pair, len(columns)))
            truth.append(yes)
            row += 1
    good = np.array(truth, dtype=float)
    begins = np.array(starts)
    group = np.repeat(np.arange(len(begins)), np.diff([*begins, row]))
    for feature, levels in PRIOR.items():
        for level in levels:
            columns.setdefault((feature, level), len(columns))
    matrix = csr_matrix((np.ones(len(rows)), (rows, cols)), shape=(row, len(columns)))
    mean = np.zeros(len(columns))
    for (feature, level), place in columns.items():
        mean[place] = PRIOR.get(feature, {}).get(level, 0.0)
    hold = np.full(len(columns), ridge)
    hold[0] = 0.0
    for (feature, _), place in columns.items():
        if feature == "name":
            hold[place] = ridge * 3  # a pair of levels corrects the sum of its parts; it does not replace it

    def loss(w: Any) -> tuple[float, Any]:
        s = np.clip(matrix @ w, -40, 40)
        e = np.exp(s)
        total = 1.0 + np.add.reduceat(e, begins)
        top = np.add.reduceat(e * good, begins)
        known = np.add.reduceat(good, begins) > 0
        value = np.log(total).sum() - np.log(top[known]).sum()
        p = e / total[group]
        share = np.where(known[group], e * good / np.maximum(top[group], 1e-300), 0.0)
        return value + 0.5 * (hold * (w - mean) ** 2).sum(), matrix.T @ (p - share) + hold * (w - mean)

    start = mean.copy()
    start[0] = -4.0
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 600})
    print(f"loss per claim {best.fun / len(begins):.4f} after {best.nit} steps")
    weights: dict[str, dict[str, float]] = {}
    for (feature, level), place in sorted(columns.items()):
        weights.setdefault(feature, {})[level] = round(float(best.x[place]), 4)
    return weights


def main() -> None:
    """Make the world, fit, write."""
    options = argparse.ArgumentParser()
    options.add_argument("--seed", type=int, default=5)
    options.add_argument("--customers", type=int, default=250_000)
    options.add_argument("--queries", type=int, default=14_000)
    options.add_argument("--ridge", type=float, default=1.0)
    options.add_argument("--out", type=Path, default=OUT)
    asked = options.parse_args()
    begun = time.process_time()
    data = samples(asked.seed, asked.customers, asked.queries, 0.25)
    print(f"{time.process_time() - begun:.0f} CPU-s")
    weights = fit(data, asked.ridge)
    asked.out.write_text(
        json.dumps(
            {"version": VERSION, "seed": asked.seed, "customers": asked.customers, "queries": asked.queries, "weights": weights}, indent=1
        )
        + "\n",
        "utf-8",
    )
    for feature, levels in weights.items():
        print(feature, levels)


if __name__ == "__main__":
    main()
