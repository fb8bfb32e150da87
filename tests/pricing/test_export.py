"""Prices as Parquet: a file for each version, which never changes and holds neither floors nor costs."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from channel.pricing import service
from sync import price_export
from sync.hub import Hub
from tests.pricing.stocked import Stocked, reprice, stock

RULES = """
items: [{id: M001, cost: 600.4321}]
books:
  - id: 工程价2026
    kind: 工程价
    valid_from: 2026-01-01
    prices:
      - {item: M001, scale: {method: point, tiers: [{from: 0, price: 870}, {from: 50, price: 850}]}, floor_price: 611.77}
      - {all: true, formula: {base: standard, percent: 5}, floor_price: 611.77}
"""


@pytest.fixture
def made(hub: Hub) -> Stocked:
    with hub.transaction() as db:
        found = stock(db.connection)
        service.publish(db.connection, "main", RULES, by="test")
    return found


def read(path: Path, columns: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(":memory:") as db:
        return db.execute(f"SELECT {columns} FROM '{path}' ORDER BY ALL").fetchall()


def test_a_version_is_written_once_with_every_price_and_step(hub: Hub, made: Stocked, tmp_path: Path) -> None:
    first = price_export.export(hub, tmp_path / "prices")
    again = price_export.export(hub, tmp_path / "prices")
    path = tmp_path / "prices" / price_export.name_of(first.counts["version"])

    assert (first.counts["prices"], again.counts.get("prices", 0)) == (7, 0)
    lists = read(path, "book, item, kind, price, currency, tax_side, valid_to::text")
    assert ("P-DLR", "M001", "grade", Decimal("900.00000000"), "CNY", "excluded", "2100-01-01") in lists
    steps = read(path, 'item, "all", method, from_quantity::int, to_quantity::int, price::int, formula')
    assert ("M001", "", "point", 0, 50, 870, "") in steps
    assert ("M001", "", "point", 50, None, 850, "") in steps
    assert ("", "all", "", None, None, None, '{"base":"standard","percent":"5","surcharge":"0"}') in steps
    assert not [row for row in read(path, "*") if "611.77" in str(row) or "600.43" in str(row)]


def test_an_earlier_version_is_written_as_it_was(hub: Hub, made: Stocked, tmp_path: Path) -> None:
    old = price_export.export(hub, tmp_path / "a").counts["version"]
    with hub.transaction() as db:
        reprice(db.connection, made.lists["P-DLR"], made.pump, price="880")

    new = price_export.export(hub, tmp_path / "a").counts["version"]
    price_export.export(hub, tmp_path / "b", version=old)

    assert new > old
    assert read(tmp_path / "a" / price_export.name_of(old), "*") == read(tmp_path / "b" / price_export.name_of(old), "*")
    prices = {version: dict(read(tmp_path / "a" / price_export.name_of(version), "book || item, price")) for version in (old, new)}
    assert (prices[old]["P-DLRM001"], prices[new]["P-DLRM001"]) == (900, 880)
