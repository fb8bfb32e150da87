"""What is kept in memory beside the database stays right after every kind of write, and after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.core import Request
from sandbox.erp_kingdee import Kingdee, make
from sandbox.erp_kingdee.answers import Refused
from sandbox.erp_kingdee.forms import FORMS
from tests.sandbox.erp_kingdee.tenant import little_tenant, order


def orders_of(vendor: Kingdee, where: str) -> list[str]:
    rows = vendor.services.querying.run({"FormId": "SAL_SaleOrder", "FieldKeys": "FBillNo", "FilterString": where, "OrderString": "FID"})[1]
    return [str(row[0]) for row in _plain(rows)]


def _plain(rows: Any) -> Any:
    import msgspec

    from sandbox.core import JSON_OUT

    return msgspec.json.decode(JSON_OUT.encode(rows))


def tables(vendor: Kingdee) -> dict[str, Any]:
    """The look-up tables in memory, and the same read anew from the database."""
    numbers = vendor.store.numbers["BD_Customer"]
    return {
        "number": numbers.number,
        "name": numbers.name,
        "org": numbers.org,
        "usable": numbers.usable,
        "ids": {k: sorted(v) for k, v in numbers.ids.items() if v},
    }


@pytest.fixture
def vendor() -> Kingdee:
    made = make(7)
    made.load(little_tenant())
    made.put("SAL_SaleOrder", order("HUB-1"))
    return made


def test_a_renamed_customer_is_found_by_its_new_number_at_once(vendor: Kingdee) -> None:
    vendor.put("BD_Customer", {"FCUSTID": 200001, "FNumber": "DEALER-1", "FName": "改名有限公司"})

    assert orders_of(vendor, "FCustId.FNumber='DEALER-1'") == ["HUB-1"]
    assert orders_of(vendor, "FCustId.FName='改名有限公司'") == ["HUB-1"]
    assert orders_of(vendor, "FCustId.FNumber='CUST0001'") == []


@pytest.mark.parametrize("key", ["F_HUB_KEY", "FBillNo", "FNetOrderBillNo"])
def test_a_changed_key_is_found_and_the_old_one_is_not(vendor: Kingdee, key: str) -> None:
    made = vendor.put("SAL_SaleOrder", {**order("HUB-2"), key: "OLD"})

    vendor.put("SAL_SaleOrder", {"FID": made["FID"], key: "NEW"})

    assert len(orders_of(vendor, f"{key}='NEW'")) == 1
    assert orders_of(vendor, f"{key}='OLD'") == []


def test_memory_equals_what_a_restart_would_read(tmp_path: Path) -> None:
    path = tmp_path / "erp.sqlite"
    first = make(7, path)
    first.load(little_tenant())
    first.put(
        "BD_Customer",
        {"FNumber": "CUST0003", "FName": "新客户", "FCreateOrgId": {"FNumber": "100"}, "FTRADINGCURRID": {"FNumber": "PRE001"}},
    )
    first.put("BD_Customer", {"FCUSTID": 200001, "FNumber": "DEALER-1"})
    first.delete("BD_Customer", "200002")
    made = first.put("SAL_SaleOrder", order(FCustId={"FNumber": "DEALER-1"}))
    before = tables(first)
    first.close()

    again = make(7, path)

    assert tables(again) == before
    assert not again.empty()
    assert again.put("SAL_SaleOrder", order(FCustId={"FNumber": "DEALER-1"}))["FID"] == made["FID"] + 1
    again.close()


def test_a_refused_document_leaves_the_tables_as_they_were(vendor: Kingdee) -> None:
    vendor.settings.workflow_forms = frozenset({"BD_Customer"})
    before = tables(vendor)
    model = {"FNumber": "CUST0009", "FName": "回滚", "FCreateOrgId": {"FNumber": "100"}, "FTRADINGCURRID": {"FNumber": "PRE001"}}
    request = Request("POST", "/", "/", {}, {})
    from sandbox.erp_kingdee.calls import Call

    with pytest.raises(Refused, match="工作流"):
        vendor.services.run(Call("save", "", "BD_Customer", data={"IsAutoSubmitAndAudit": True, "Model": model}), request)

    assert tables(vendor) == before
    assert vendor.store.by_number(FORMS["BD_Customer"], "CUST0009") == []


@pytest.mark.parametrize(
    ("form", "where", "index"),
    [
        ("SAL_SaleOrder", "id > 5 ORDER BY id", "PRIMARY KEY"),
        ("SAL_SaleOrder", '"FModifyDate" >= \'2026\' ORDER BY "FModifyDate", id', "FModifyDate"),
        ("SAL_SaleOrder", '"FApproveDate" >= \'2026\' ORDER BY "FApproveDate", id', "FApproveDate"),
        ("SAL_SaleOrder", "\"F_HUB_KEY\" IN ('a','b')", "F_HUB_KEY"),
        ("SAL_SaleOrder", "\"FBillNo\" = 'a'", "FBillNo"),
        ("BD_Customer", "\"FNumber\" IN ('a','b')", "FNumber"),
        ("STK_Inventory", "\"FUpdateTime\" >= '2026'", "FUpdateTime"),
    ],
)
def test_the_queries_of_a_sync_use_an_index_and_sort_nothing(vendor: Kingdee, form: str, where: str, index: str) -> None:
    plan = " ".join(row[3] for row in vendor.store.db.execute(f'EXPLAIN QUERY PLAN SELECT id FROM "{form}" WHERE {where}'))

    assert index in plan
    assert "TEMP B-TREE" not in plan
    assert plan.startswith("SEARCH")
