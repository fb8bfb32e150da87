"""One return is two documents, the goods sent back and the red receivable for them: it lowers a base once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from channel.rebates.programme import Programme
from tests.rebates.making import YEAR_END, earned, programme, row, run

duckdb = pytest.importorskip("duckdb")

from channel.rebates.bulk import Bulk  # noqa: E402

FACTS = (
    row("o1", 1000, order_date="2026-02-01", date="2026-02-01"),
    row("d1", 1000, delivery_date="2026-02-03", date="2026-02-03"),
    row("i1", 1000, invoice_date="2026-02-04", date="2026-02-04"),
    row("back", -300, kind="return", delivery_date="2026-03-01", date="2026-03-01"),
    row("red", -310, kind="return", invoice_date="2026-03-02", date="2026-03-02"),
    row("credit", -50, kind="credit", invoice_date="2026-03-03", date="2026-03-03"),
)
"""The red receivable differs from the goods, so that it shows which of them counts."""


@pytest.mark.parametrize(("event", "base"), [("order", 650), ("delivery", 650), ("invoice", 640)])
def test_goods_sent_back_and_the_red_receivable_for_them_lower_a_base_once(event: str, base: int, tmp_path: Path) -> None:
    rules = programme(
        base={"event": event, "measure": "amount", "tax": "exclusive", "net_of": ["return", "credit"]},
        calendar={"period": "year"},
        tiers=[{"from": "0", "rate": "10 %"}],
    )

    assert earned(run(rules, FACTS)) == Decimal(base) / 10
    assert _in_sets(rules, tmp_path) == Decimal(base) / 10


def _in_sets(rules: Programme, folder: Path) -> Decimal:
    """The same by the engine for millions of lines."""
    names = ("id", "kind", "dealer", "date", "order_date", "delivery_date", "invoice_date", "amount")
    db = duckdb.connect()
    db.execute(f"CREATE TABLE f ({', '.join(f'{name} VARCHAR' for name in names)})")
    db.executemany("INSERT INTO f VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [[one.get(name) or None for name in names] for one in FACTS])
    days = ", ".join(f"{name}::DATE AS {name}" for name in names[3:7])
    file = folder / "facts.parquet"
    db.execute(f"COPY (SELECT id, kind, dealer, {days}, amount::DECIMAL(18, 2) AS amount FROM f) TO '{file}' (FORMAT parquet)")
    engine = Bulk(file)
    engine.rate(rules, YEAR_END)
    return sum((cell.earned for cell in engine.cells()), Decimal(0))


def test_a_return_that_names_no_event_counts_for_every_programme() -> None:
    rules = programme(base={"event": "invoice", "measure": "amount", "tax": "exclusive", "net_of": ["return"]}, calendar={"period": "year"},
                      tiers=[{"from": "0", "rate": "10 %"}])  # fmt: skip

    assert earned(run(rules, [FACTS[2], row("back", -300, kind="return", date="2026-03-01")])) == 70
