"""Money is exact on its way through: entered in one system, in the ledger, read back from the other."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sync.stage import Stage
from tests.sync.test_created_once import another_quote


def total_of(doc: dict[str, object], name: str) -> Decimal:
    return Decimal(str(doc[name]))


@pytest.mark.promise(10)
def test_the_order_of_a_quote_comes_to_the_quotes_total_to_the_fen(live: Stage) -> None:
    for price in ("0.07", "584.105", "33.335", "1.005"):
        quote = live.zoho.records("quotes")[0]
        deal = another_quote(live)
        rows = [
            {**{key: value for key, value in row.items() if key != "id"}, "List_Price": Decimal(price), "Quantity": 3}
            for row in quote["Quoted_Items"]
        ]
        live.zoho.put("quotes", {"id": deal, "Quoted_Items": rows})
    live.sync()

    orders = {doc["F_HUB_QUOTE"]: doc for doc in live.kingdee.records("sales_orders") if doc["F_HUB_KEY"]}
    quotes = [doc for doc in live.zoho.records("quotes") if doc["ERP_Order_No"]]
    assert len(orders) == len(quotes) == 5
    for quote in quotes:
        order = next(doc for doc in orders.values() if doc["FBillNo"] == quote["ERP_Order_No"])
        assert abs(total_of(order, "FBillAllAmount") - total_of(quote, "Grand_Total")) <= Decimal("0.01") * len(quote["Quoted_Items"])
        assert total_of(order, "FBillAmount") + total_of(order, "FBillTaxAmount") == total_of(order, "FBillAllAmount")
    assert live.verdict().ok, live.verdict().summary()


@pytest.mark.promise(10)
@pytest.mark.parametrize("amount", ["4.35", "0.07", "99999999.99", "1234567.01"])
def test_an_amount_that_binary_numbers_miss_arrives_exactly(live: Stage, amount: str) -> None:
    customer = live.customer()
    live.edit("kingdee", "customers", customer, "F_HUB_CREDIT", Decimal(amount))

    live.sync()

    assert total_of(live.account_of(customer), "Credit_Limit") == Decimal(amount)
    assert live.verdict().ok, live.verdict().summary()


@pytest.mark.promise(10)
def test_the_ledger_holds_decimals_and_no_floats(live: Stage) -> None:
    floats = live.rows(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type IN ('real', 'double precision')"
    )

    assert floats == []
    totals = live.rows("SELECT number, total::text AS total FROM orders WHERE number <> '' ORDER BY number")
    there = {doc["FBillNo"]: total_of(doc, "FBillAllAmount") for doc in live.kingdee.records("sales_orders")}
    assert {row["number"]: Decimal(row["total"]) for row in totals} == there


@pytest.mark.promise(10)
def test_what_an_erp_made_of_a_write_is_read_back(live: Stage) -> None:
    """The order that the hub saved stands in the ledger with the figures that Kingdee computed, not with those that were sent."""
    made = next(doc for doc in live.kingdee.records("sales_orders") if doc["F_HUB_KEY"])
    row = live.rows("SELECT total::text AS total, doc FROM orders WHERE number = %s", made["FBillNo"])[0]

    assert Decimal(row["total"]) == total_of(made, "FBillAllAmount")
    assert Decimal(row["doc"]["tax"]) == total_of(made, "FBillTaxAmount")
    assert row["doc"]["approval"] == "approved"
