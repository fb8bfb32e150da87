"""四舍五入 in every path of a rebate: line by line, in sets by DuckDB, and where PostgreSQL rounds the worth of goods."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

duckdb = pytest.importorskip("duckdb")

from canonical.rounding import allocate, half_up  # noqa: E402
from channel.rebates import fact_queries  # noqa: E402
from channel.rebates.bulk import Bulk  # noqa: E402
from channel.rebates.bulk_statements import HALF_UP  # noqa: E402
from channel.rebates.facts import Fact  # noqa: E402
from tests.rebates.making import one, programme, row  # noqa: E402
from tests.rebates.test_bulk import stored  # noqa: E402

CASES = [
    (f"{sign}{value}", f"{sign}{expected}")
    for value, expected in (("1.005", "1.01"), ("2.675", "2.68"), ("0.125", "0.13"), ("0.135", "0.14"), ("0.145", "0.15"))
    for sign in ("", "-")
]
WHOLE = {"tiers": [{"from": "0", "rate": "100 %"}], "settlement": {"negative": "allowed"}}


@pytest.mark.parametrize(("value", "expected"), CASES)
def test_a_rebate_rounds_half_away_from_zero(value: str, expected: str) -> None:
    kind = "return" if value.startswith("-") else "sale"

    found = one(programme(**WHOLE), [row("L1", value, kind=kind)])

    assert (found.earned, found.payable) == (Decimal(expected), Decimal(expected))


@pytest.mark.parametrize(("value", "expected"), [case for case in CASES if not case[0].startswith("-")])
def test_sums_of_duckdb_round_the_same(value: str, expected: str, tmp_path: Path) -> None:
    facts = [
        Fact("L1", "sale", "D1", date(2026, 1, 5), amount=Decimal(value) * 100, currency="CNY"),
        Fact("L2", "sale", "D2", date(2026, 1, 5), amount=Decimal(value) * 300, currency="CNY"),
    ]
    rules = programme(tiers=[{"from": "0", "rate": "1 %"}])
    engine = Bulk(stored(facts, tmp_path / "facts.parquet"))

    engine.rate(rules, date(2026, 12, 31))

    assert [cell.earned for cell in engine.cells()] == [Decimal(expected), half_up(Decimal(value) * 3, 2)]


@pytest.mark.parametrize(("value", "expected"), CASES)
def test_whole_numbers_of_duckdb_round_the_same(value: str, expected: str) -> None:
    query = f"SELECT {HALF_UP.format(top='?::HUGEINT', bottom='10::HUGEINT')}"
    units = int(Decimal(value) * 1000)

    assert duckdb.execute(query, [units, units]).fetchone() == (int(Decimal(expected) * 100),)


@pytest.mark.parametrize(("value", "expected"), CASES)
def test_postgresql_rounds_the_worth_of_goods_the_same(database: str, value: str, expected: str) -> None:
    share = fact_queries._SHARE.format(sign="1", quantity="%(value)s::numeric", name="net")
    query = f'SELECT {share} AS worth FROM (SELECT \'{{"net": "1", "quantity": "1"}}\'::json AS doc) AS ol'
    with psycopg.connect(database) as db:
        assert db.execute(query.encode(), {"value": Decimal(value)}).fetchone() == (Decimal(expected),)


@pytest.mark.parametrize(("value", "expected"), CASES)
def test_shares_of_lines_add_up_to_the_rounded_whole(value: str, expected: str) -> None:
    whole = half_up(Decimal(value), 2)

    assert whole == Decimal(expected)
    assert sum(allocate(whole, [Decimal(1), Decimal(1), Decimal(1)], 2)) == whole
