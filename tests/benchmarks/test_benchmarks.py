"""The benchmark itself, on small sizes: every contender loads the same, and each limit gets its line."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import bars, data, floor, ingest
from benchmarks.server import PAGE, Listing


def test_an_order_has_25_fields_and_lines_of_8() -> None:
    orders = list(data.orders(200))

    assert {len(order) for order in orders} == {25}
    assert {len(line) for order in orders for line in order["lines"]} == {8}
    assert 2.5 < sum(len(order["lines"]) for order in orders) / len(orders) < 3.5


def test_a_listing_since_a_time_includes_its_boundary_and_what_changed_later() -> None:
    listing = Listing(data.orders(PAGE + 200))
    whole = json.loads(listing.page(1, ""))
    last = listing.stamps[-1]
    listing.change(3)
    since = json.loads(listing.page(1, last))

    assert (len(whole["data"]), whole["pages"]) == (PAGE, 2)
    assert [record["updated_at"] >= last for record in since["data"]] == [True] * 4


def test_every_limited_figure_of_ingest_is_measured_and_told(tmp_path: Path) -> None:
    figures = ingest.run(300, runs=1, with_dlt=False)
    bars.tell(figures, tmp_path / "bars.jsonl")

    told = [json.loads(line) for line in (tmp_path / "bars.jsonl").read_text().splitlines()]
    assert {line["bar"] for line in told} == {bar for bar in bars.LIMITS if bar.startswith("ingest.")} - {"ingest.first_vs_dlt"}
    assert all(set(line) == {"bar", "value", "limit", "ok"} for line in told)
    assert next(line for line in told if line["bar"] == "ingest.unchanged_rows_written")["value"] == 0


def test_the_page_shows_the_floor_as_it_runs_and_every_limit() -> None:
    page = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    words = " ".join(page.split())

    statements = (*floor.CREATE, *floor.STAGE, floor.UPSERT_ORDERS, floor.UPSERT_LINES)
    assert [statement for statement in statements if statement not in words] == []
    assert [bar for bar, (limit, _) in bars.LIMITS.items() if f"| `{bar}` | {limit:g} |" not in words] == []
