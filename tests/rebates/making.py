"""Programmes and facts for tests: a plausible whole; a test states only what matters to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from channel.rebates.calculating import calculate
from channel.rebates.facts import Table, from_rows
from channel.rebates.loading import load
from channel.rebates.programme import Programme
from channel.rebates.results import Calculation, Result
from channel.rebates.selecting import Dealers

PLAIN: dict[str, Any] = {
    "programme": "core",
    "version": "1",
    "name": {"zh": "核心产品返利", "en": "Core rebate"},
    "currency": "CNY",
    "valid": {"from": "2026-01-01", "to": "2027-01-01"},
    "participants": "all",
    "base": {"event": "invoice", "measure": "amount", "tax": "exclusive", "net_of": ["return", "credit"]},
    "calendar": {"period": "quarter"},
    "method": "retroactive",
    "boundary": "at_least",
    "tiers": [{"from": "0", "to": "1000", "rate": "1 %"}, {"from": "1000", "to": "5000", "rate": "2 %"}, {"from": "5000", "rate": "5 %"}],
}
YEAR_END = date(2026, 12, 31)


def written(**changes: Any) -> str:
    """A programme's text; JSON is YAML."""
    return json.dumps({name: value for name, value in {**PLAIN, **changes}.items() if value is not None}, ensure_ascii=False)


def programme(**changes: Any) -> Programme:
    """A programme that passed the publish check."""
    found = load(written(**changes), "core.json").programme
    assert isinstance(found, Programme)
    return found


def row(identity: str, amount: Any = None, **said: Any) -> dict[str, Any]:
    """One fact, as text: a sale of dealer D1 in January 2026 unless it says otherwise."""
    plain = {"id": identity, "kind": "sale", "dealer": "D1", "date": "2026-01-15", **said}
    if amount is not None:
        plain["amount"] = str(amount)
    return {name: str(value) for name, value in plain.items()}


def table(rows: Iterable[Mapping[str, Any]], **options: Any) -> Table:
    """Checked facts; a row without a column has an empty cell."""
    found = list(rows)
    columns = list(dict.fromkeys(["id", "kind", "dealer", "date", *(name for one in found for name in one)]))
    return from_rows(
        columns, [(line, {name: one.get(name, "") for name in columns}) for line, one in enumerate(found, 2)], "facts.csv", **options
    )


def run(
    rules: Programme | Iterable[Programme],
    rows: Iterable[Mapping[str, Any]],
    as_of: date = YEAR_END,
    known_at: datetime | None = None,
    dealers: Dealers | None = None,
) -> Calculation:
    """The calculation, by its public door."""
    chosen = [rules] if isinstance(rules, Programme) else list(rules)
    return calculate(chosen, table(rows), as_of=as_of, known_at=known_at, dealers=dealers)


def one(rules: Programme, rows: Iterable[Mapping[str, Any]], **options: Any) -> Result:
    """The only result."""
    results = run(rules, rows, **options).results
    assert len(results) == 1, [(result.dealer, result.span.name) for result in results]
    return results[0]


def paid(calculation: Calculation) -> Decimal:
    """What all of it pays."""
    return sum((result.payable for result in calculation.results), Decimal(0))


def earned(calculation: Calculation) -> Decimal:
    """What all of it earns."""
    return sum((result.earned for result in calculation.results), Decimal(0))
