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
from channel.deals.matching import VERSION, Index, Known, keys_of, prepare
from channel.deals.matching.comparing import compare
from channel.deals.matching.deciding import nearest, shared_phones

OUT = Path(__file__).resolve().parents[1] / "channel" / "deals" / "matching" / "data" / "weights.json"


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
        near, _ = nearest(one, found)
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
    import numpy as np
    from scipy.optimize import minimize
    from scipy.sparse import csr_matrix

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
    matrix = csr_matrix((np.ones(len(rows)), (rows, cols)), shape=(row, len(columns)))
    good = np.array(truth, dtype=float)
    begins = np.array(starts)
    group = np.repeat(np.arange(len(begins)), np.diff([*begins, row]))
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
        return value + 0.5 * (hold * w * w).sum(), matrix.T @ (p - share) + hold * w

    start = np.zeros(len(columns))
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
    asked = options.parse_args()
    begun = time.process_time()
    data = samples(asked.seed, asked.customers, asked.queries, 0.25)
    print(f"{time.process_time() - begun:.0f} CPU-s")
    weights = fit(data, asked.ridge)
    OUT.write_text(
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
