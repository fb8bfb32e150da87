"""A payout becomes exactly one red other receivable in the ERP, whatever happens on the way."""

from __future__ import annotations

from typing import Any

import pytest

from sync import hub_records, valuing
from tests.sync.stage import BOSS, Stage


def company_and_party(stage: Stage) -> tuple[str, str]:
    """A company of ours, and a party that is a customer there."""
    row = stage.rows("SELECT parent_id::text AS party, company_id::text AS company FROM party_companies ORDER BY parent_id LIMIT 1")[0]
    return row["company"], row["party"]


def pay(stage: Stage, payout: str, net: str = "-1000.00", tax: str = "-130.00", total: str = "-1130.00") -> str:
    """The hub credits a dealer; gives the memo's id."""
    company, party = company_and_party(stage)
    fields = {
        "purpose": "rebate", "payout": payout, "issued_on": "2026-11-20", "due_on": "2026-11-20", "company": company, "party": party,
        "currency": "CNY", "note": "2026 年三季度返利 Q3 rebate",
    }  # fmt: skip
    line = {"seq": 1, "expense": "rebate", "tax_rate": "0.13", "net": net, "tax": tax, "total": total, "note": "阶梯返利"}
    with stage.hub.transaction() as db:
        return hub_records.put(stage.hub, db, "credit_memo", f"payout/{payout}", fields, {"lines": {"1": line}}, cause="payout").id


def booked(stage: Stage, payout: str) -> list[dict[str, Any]]:
    return [doc for doc in stage.kingdee.records("other_receivables") if doc.get("F_HUB_PAYOUT") == payout]


@pytest.fixture
def paying(live: Stage) -> Stage:
    """A live stage where finance has said which expense item a rebate is."""
    valuing.set_value(live.hub, "expense", "kingdee", "", "FYXM20", "rebate", by=BOSS)
    return live


def test_a_payout_is_booked_once_audited_and_read_back(paying: Stage) -> None:
    memo = pay(paying, "PO-2026-000001")

    paying.sync()

    (doc,) = booked(paying, "PO-2026-000001")
    assert (doc["FDocumentStatus"], doc["FAMOUNTFOR"], doc["FBillTypeID"]["FNumber"]) == ("C", -1130, "QTYSD01_SYS")
    (line,) = doc["FEntity"]
    assert (line["FCOSTID"]["FNumber"], line["FNOTAXAMOUNTFOR"], line["FTAXAMOUNTFOR"]) == ("FYXM20", -1000, -130)
    row = paying.rows("SELECT number, doc, total FROM credit_memos WHERE id = %s", memo)[0]
    assert (row["number"], row["total"]) == (doc["FBillNo"], -1130)
    assert (row["doc"]["approval"], row["doc"]["status"]) == ("approved", "open")


@pytest.mark.promise(5)
@pytest.mark.parametrize("effect", ["drop_after", "drop_before", "status"])
def test_a_payout_whose_answer_is_lost_is_booked_once(paying: Stage, effect: str) -> None:
    paying.kingdee.fault(effect=effect, value=500, times=1, match={"path": ".save"})

    pay(paying, "PO-2026-000002")
    paying.sync()
    paying.sync()

    assert len(booked(paying, "PO-2026-000002")) == 1
    assert paying.rows("SELECT state FROM desired AS d JOIN stream AS s ON s.id = d.stream_id WHERE s.name = 'other_receivables'") == [
        {"state": "in_sync"}
    ]


def test_a_payout_without_a_known_expense_item_waits_in_the_inbox(live: Stage) -> None:
    pay(live, "PO-2026-000003")
    live.sync()
    waiting = valuing.missing(live.hub)

    valuing.set_value(live.hub, "expense", "kingdee", "", "FYXM20", "rebate", by=BOSS)
    live.sync()

    assert [row for row in waiting if "expense" in str(row)]
    assert len(booked(live, "PO-2026-000003")) == 1


def test_what_finance_books_by_hand_is_read_and_is_nobodys_payout(paying: Stage) -> None:
    customer = next(doc for doc in paying.kingdee.records("customers") if doc["FDocumentStatus"] == "C")
    paying.kingdee.put(
        "other_receivables",
        {
            "FDATE": "2026-11-19", "FCONTACTUNITTYPE": "BD_Customer", "FCONTACTUNIT": {"FNumber": customer["FNumber"]},
            "FCURRENCYID": {"FNumber": "PRE001"}, "FSETTLEORGID": {"FNumber": customer["FUseOrgId"]["FNumber"]},
            "FEntity": [{"FCOSTID": {"FNumber": "FYXM20"}, "FAMOUNTFOR_D": "226", "FEntryTaxRate": 13}],
        },
    )  # fmt: skip

    paying.sync()

    assert paying.rows("SELECT payout, total FROM credit_memos") == [{"payout": None, "total": 226}]
