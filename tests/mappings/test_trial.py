"""`hub map try` and the skeleton of a new file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from mappings.compiler import load
from mappings.skeleton import skeleton
from mappings.trial import try_record
from tests.mappings import samples


def test_a_record_is_shown_as_every_system_should_hold_it() -> None:
    trial = try_record(
        samples.kingdee("sales_orders"), samples.order(lines=1), others=[samples.zoho("sales_orders"), samples.zoho("accounts")]
    )

    assert trial.problem == ""
    assert trial.candidate is not None
    assert trial.candidate.fields["party"] == "‹customers 200001›"
    assert [one.mapping for one in trial.outgoing] == ["erp_kingdee/sales_orders", "crm_zoho/sales_orders"]
    back, mirror = (one.payload for one in trial.outgoing)
    assert back is not None
    assert mirror is not None
    assert back["FSaleOrderEntry"][0]["FEntryID"] == 1
    assert back["FCustId.FNumber"] == "200001"
    assert (mirror["ERP_Order_No"], mirror["Account_Name"], mirror["Company_Code"]) == ("XSDD000123", {"id": "‹customers 200001›"}, "100")
    assert mirror["Ordered_Items"][0]["Hub_Line"] == "1"
    assert "salesperson: 1001_GW000002_1" in trial.missing_values


def test_a_copy_of_a_customer_is_tried_with_its_own_row() -> None:
    trial = try_record(samples.kingdee("customers"), samples.customer(), others=[samples.zoho("accounts")], values=samples.VALUES)

    assert trial.missing_values == ()
    kingdee, zoho = (one.payload for one in trial.outgoing)
    assert kingdee is not None
    assert zoho is not None
    assert kingdee["FSELLER.FNumber"] == "1001_GW000002_1"
    assert (zoho["Salesperson_Code"], str(zoho["Credit_Limit"])) == ("wang.lei", "500000")


def test_a_bad_record_is_told_and_not_raised() -> None:
    trial = try_record(samples.kingdee("sales_orders"), samples.order(FDate="soon"))

    assert trial.candidate is None
    assert "FDate" in trial.problem


@dataclass
class Described:
    """What a connector tells about a field."""

    name: str
    label: str
    type: str = "text"
    writable: bool = True
    options: list[str] = field(default_factory=list)


def test_a_skeleton_fills_in_what_looks_alike_and_lists_the_rest(tmp_path: Path) -> None:
    text = skeleton(
        "customers",
        [
            Described("FNumber", "客户编码"),
            Described("FName", "客户名称"),
            Described("FTEL", "联系电话"),
            Described("FForbidStatus", "禁用状态", "enum", writable=False, options=["A", "B"]),
            Described("F_OWN_FIELD", "自定义"),
        ],
        "party",
    )
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "customers.yaml").write_text(text, encoding="utf-8")

    mapping = load(tmp_path, "acme", "customers")

    assert yaml.safe_load(text)["fields"] == {"number": "FNumber", "name": "FName", "phone": "FTEL"}
    assert mapping.writes == {"FNumber": "number", "FName": "name", "FTEL": "phone"}
    assert "# F_OWN_FIELD: 自定义 (text)" in text
    assert '# status: {field: "FForbidStatus", values: {"A": …, "B": …}, read_only: true}' in text
