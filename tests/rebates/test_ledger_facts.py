"""Facts follow the documents: every line once, a correction as a new revision, what vanished as zero."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from channel.rebates import fact_queries, fact_service
from tests.sync.stage import Stage


def refreshed(stage: Stage) -> dict[str, int]:
    with stage.hub.pool.connection() as db, db.transaction():
        return fact_service.refresh(db)


def said(stage: Stage, prefix: str) -> list[dict[str, Any]]:
    return stage.rows("SELECT * FROM rebate_fact WHERE id LIKE %s ORDER BY id, revision", f"{prefix}:%")


def test_each_line_of_an_approved_document_is_one_fact(stage: Stage) -> None:
    done = refreshed(stage)

    lines = sum(len(doc["FSaleOrderEntry"]) for doc in stage.kingdee.records("sales_orders") if doc["FDocumentStatus"] == "C")
    orders = said(stage, "order")
    assert len(orders) == done["order"] == lines
    assert {(fact["kind"], fact["revision"]) for fact in orders} == {("sale", 1)}
    assert sum(fact["gross"] for fact in orders) == sum(
        Decimal(doc["FBillAllAmount"]) for doc in stage.kingdee.records("sales_orders") if doc["FDocumentStatus"] == "C"
    )
    assert all(fact["dealer"] and fact["product"] and fact["order_date"] == fact["date"] for fact in orders)


def test_a_second_refresh_finds_nothing_new(stage: Stage) -> None:
    refreshed(stage)

    assert sum(refreshed(stage).values()) == 0


def test_a_correction_is_a_new_revision_and_the_old_one_stays_known(stage: Stage) -> None:
    refreshed(stage)
    before = stage.rows("SELECT transaction_timestamp() AS now")[0]["now"]
    doc = next(doc for doc in stage.kingdee.records("sales_orders") if doc["FDocumentStatus"] == "C")
    line = doc["FSaleOrderEntry"][0]
    stage.kingdee.put("sales_orders", {"FID": doc["FID"], "FSaleOrderEntry": [{"FEntryID": line["FEntryID"], "FQty": line["FQty"] + 5}]})
    stage.read()

    refreshed(stage)

    (changed,) = stage.rows("SELECT id, date FROM rebate_fact WHERE revision = 2 AND id LIKE %s", "order:%")
    both = stage.rows("SELECT revision, quantity FROM rebate_fact WHERE id = %s ORDER BY revision", changed["id"])
    assert [row["quantity"] for row in both] == [line["FQty"], line["FQty"] + 5]
    month = changed["date"]
    with stage.hub.pool.connection() as db:
        then = {f.id: f for f in fact_queries.facts(db, month, month.replace(year=month.year + 1), known_at=before)}
        now = {f.id: f for f in fact_queries.facts(db, month, month.replace(year=month.year + 1))}
    assert (then[changed["id"]].quantity, now[changed["id"]].quantity) == (line["FQty"], line["FQty"] + 5)


def test_what_is_void_becomes_zero_and_is_not_forgotten(stage: Stage) -> None:
    refreshed(stage)
    doc = next(doc for doc in stage.kingdee.records("receivables") if doc["FDocumentStatus"] == "C")
    stage.kingdee.put("receivables", {"FID": doc["FID"], "FCancelStatus": "B"})
    stage.read()

    refreshed(stage)

    newest = stage.rows(
        "SELECT DISTINCT ON (id) id, quantity, gross, revision FROM rebate_fact WHERE document = %s AND kind = 'sale' "
        "ORDER BY id, revision DESC",
        doc["FBillNo"],
    )
    assert newest
    assert {(row["quantity"], row["gross"], row["revision"]) for row in newest} == {(0, 0, 2)}


def test_a_receipt_pays_the_receivables_of_its_order_oldest_first_and_never_more_than_they_are(stage: Stage) -> None:
    refreshed(stage)

    paid = stage.rows(
        "SELECT r.number, r.total, sum(f.gross) AS paid FROM rebate_fact AS f JOIN receivables AS r ON r.number = f.applies_to "
        "WHERE f.kind = 'payment' GROUP BY r.number, r.total"
    )
    assert paid
    assert all(0 < row["paid"] <= row["total"] for row in paid)
