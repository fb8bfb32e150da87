"""Documents from rows: correct, and fast enough for years of order lines."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

from connectors.erp_kingdee.reading import group
from connectors.erp_kingdee.streams import FORMS

ORDERS = FORMS["sales_orders"]


def row(document: int, line: int | None) -> list[Any]:
    """A row as the server sends it for one order line."""
    samples = {"decimal": Decimal("1234.5600000000"), "integer": 1, "id": 200001, "boolean": False, "datetime": "2026-01-05T10:11:12.123"}
    head = [document, *(samples.get(field.type, "深圳 CUST0001") for field in ORDERS.head)]
    if line is None:
        return head + [None] * len(ORDERS.line_keys)
    return [*head, line, 1, *(samples.get(field.type, "PRD-000123") for field in ORDERS.lines)]


def test_rows_of_one_document_become_one_document_with_its_lines() -> None:
    documents = group([row(1, 11), row(1, 12), row(2, None), row(3, 31)], ORDERS.head_keys, ORDERS.line_keys, ORDERS.entity)

    assert [(d["FID"], [line["FEntryID"] for line in d["FSaleOrderEntry"]]) for d in documents] == [(1, [11, 12]), (2, []), (3, [31])]
    assert documents[0]["FSaleOrderFinance.FSettleCurrId.FNumber"] == "深圳 CUST0001"
    assert set(documents[0]["FSaleOrderEntry"][0]) == set(ORDERS.line_keys)


def test_a_form_without_lines_has_one_document_per_row() -> None:
    assert group([[1, "a"], [2, "b"]], ["FID", "FNumber"], [], "") == [{"FID": 1, "FNumber": "a"}, {"FID": 2, "FNumber": "b"}]


def test_grouping_costs_at_most_twelve_microseconds_per_line() -> None:
    rows = [row(number // 3, number) for number in range(60_000)]
    started = time.process_time()
    group(rows, ORDERS.head_keys, ORDERS.line_keys, ORDERS.entity)

    grouping = (time.process_time() - started) / len(rows) * 1e6
    assert grouping <= 12
