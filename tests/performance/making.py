"""Scorecards, facts and boards for tests: a plausible whole; a test states only what matters to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from channel.performance.board import Board, assess
from channel.performance.facts import Table, from_rows
from channel.performance.loading import load
from channel.performance.people import of_facts
from channel.performance.ranking import Subject
from channel.performance.scorecard import Scorecard

YEAR_END = date(2026, 12, 31)
LINE = [{"at": "50 %", "points": "0"}, {"at": "100 %", "points": "80"}, {"at": "120 %", "points": "100"}]
PLAIN: dict[str, Any] = {
    "scorecard": "health",
    "version": "1",
    "name": {"zh": "经销商健康分", "en": "Dealer health"},
    "currency": "CNY",
    "valid": {"from": "2026-01-01"},
    "period": "year",
    "kpis": [{"kpi": "target_completion", "weight": "10", "curve": LINE}],
}


def written(**changes: Any) -> str:
    """A scorecard's text; JSON is YAML."""
    return json.dumps({name: value for name, value in {**PLAIN, **changes}.items() if value is not None}, ensure_ascii=False)


def card(**changes: Any) -> Scorecard:
    """A scorecard that passed the check."""
    return load(written(**changes), "card.json")


def row(identity: str, kind: str, amount: Any = None, **said: Any) -> dict[str, str]:
    """One fact, as text: of dealer D1 in May 2026 unless it says otherwise."""
    plain = {"id": identity, "kind": kind, "dealer": "D1", "date": "2026-05-15", **said}
    return {name: str(value) for name, value in ({**plain, "amount": amount} if amount is not None else plain).items()}


def yearly(dealer: str, target: Any, sold: Any, **said: Any) -> list[dict[str, str]]:
    """A target for the year and what was sold of it."""
    return [
        row(f"T-{dealer}", "target", target, dealer=dealer, date="2026-01-01", to="2027-01-01"),
        row(f"S-{dealer}", "sale", sold, dealer=dealer, **said),
    ]


def table(rows: Iterable[Mapping[str, Any]], **options: Any) -> Table:
    """Checked facts; a row without a column has an empty cell."""
    found = list(rows)
    columns = list(dict.fromkeys(["id", "kind", "dealer", "date", *(name for one in found for name in one)]))
    lines = [(line, {name: one.get(name, "") for name in columns}) for line, one in enumerate(found, 2)]
    return from_rows(columns, lines, "facts.csv", **options)


def board(
    rules: Scorecard, rows: Iterable[Mapping[str, Any]], who: Iterable[Subject] = (), as_of: date = YEAR_END, **options: Any
) -> Board:
    """The board, by its public door."""
    facts = table(rows)
    return assess(rules, facts, list(who) or of_facts(facts), as_of, **options)
