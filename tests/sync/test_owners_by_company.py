"""One owner of a field in one company of ours, another in the next."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync import hub_records, inspecting, reconciling
from sync.config_file import load
from sync.decide import Source
from sync.decide_sets import merge_rows_by_company, merge_set
from sync.errors import BadConfig, NotAllowed
from sync.policy import EntityPolicy
from tests.sync.stage import Pair, Stage, configuration, open_hub

PARTY = (
    "      companies: [kingdee, zoho]\n",
    '      companies: [kingdee, zoho]\n    owners_by_company:\n      "100": {companies.credit_limit: [zoho, kingdee]}\n',
)
ORDER = (
    "quote_revision: [hub, kingdee]}\n",
    """quote_revision: [hub, kingdee]}
    owners_by_company:
      "200": {note: [zoho, kingdee], delivery_address: [hub, kingdee]}
      "100": {delivery_address: kingdee}
""",
)


@pytest.fixture
def split(small: Pair, database: str, tmp_path: Path) -> Iterator[Stage]:
    """Live; in company 100 Zoho decides a customer's credit limit, in company 200 what is noted on an order."""
    small.reset()
    with open_hub(small, database, tmp_path / "home", [PARTY, ORDER]) as hub:
        stage = Stage(small, hub)
        stage.go_live()
        yield stage


def copies(stage: Stage, number: str) -> dict[str, dict[str, Any]]:
    """A customer's copies, by organisation."""
    return {doc["FUseOrgId"]["FNumber"]: doc for doc in stage.kingdee.records("customers") if doc["FNumber"] == number}


@pytest.mark.promise(4)
def test_each_company_row_of_a_party_follows_the_owners_of_its_company(split: Stage) -> None:
    number = next(doc["FNumber"] for doc in split.kingdee.records("customers") if set(copies(split, doc["FNumber"])) == {"100", "200"})
    before = copies(split, number)
    account = next(doc for doc in split.zoho.records("accounts") if doc.get("ERP_Code") == number)

    split.zoho.put("accounts", {"id": account["id"], "Credit_Limit": 310000})
    split.kingdee.put("customers", {"FCUSTID": before["200"]["FCUSTID"], "F_HUB_CREDIT": 220000})
    split.sync()
    split.kingdee.put("customers", {"FCUSTID": before["100"]["FCUSTID"], "F_HUB_CREDIT": 990000})
    split.sync()

    after = copies(split, number)
    assert Decimal(str(after["100"]["F_HUB_CREDIT"])) == 310000, "company 100: Zoho's word stands, and an edit in Kingdee is written back"
    assert Decimal(str(after["200"]["F_HUB_CREDIT"])) == 220000, "company 200: Kingdee decides"
    found = [one for one in inspecting.conflicts(split.hub, system="kingdee") if one["field"] == "companies.credit_limit"]
    assert [(one["theirs"] != one["ours"], one["state"], one["rule"]) for one in found] == [
        (True, "repaired", "companies.credit_limit is owned by zoho in company 100")
    ]
    party = inspecting.find_record(split.hub, "party", number)
    reasons = {
        reason.field: (reason.winner_system, reason.rule) for reason in inspecting.why(split.hub, "party", party, "companies.credit_limit")
    }
    assert reasons == {
        "companies[100].credit_limit": ("zoho", "owner in company 100"),
        "companies[200].credit_limit": ("kingdee", "owner"),
    }
    assert inspecting.status(split.hub).drift == 0


@pytest.mark.promise(4)
def test_an_order_follows_the_owners_of_the_company_it_belongs_to(split: Stage) -> None:
    template = split.kingdee.records("sales_orders")[0]
    numbers = {}
    for org in ("100", "200"):
        customer = next(doc for doc in split.kingdee.records("customers") if doc["FUseOrgId"]["FNumber"] == org)
        doc = {key: value for key, value in template.items() if key not in ("FID", "FBillNo", "FModifyDate")}
        doc |= {"FSaleOrgId": {"FNumber": org}, "FCustId": {"FNumber": customer["FNumber"]}, "FNote": "电话下单", "FDocumentStatus": "A"}
        doc["SaleOrderEntry" if "SaleOrderEntry" in doc else "FSaleOrderEntry"] = [
            {key: value for key, value in line.items() if key != "FEntryID"} for line in template["FSaleOrderEntry"]
        ]
        numbers[org] = split.kingdee.put("sales_orders", doc)["FBillNo"]
    split.sync()
    shown = {doc["ERP_Order_No"]: doc["id"] for doc in split.zoho.records("sales_orders")}
    for number in numbers.values():
        split.zoho.put("sales_orders", {"id": shown[number], "Description": "客户改为自提"})

    split.sync()

    notes = {doc["FBillNo"]: doc.get("FNote") for doc in split.kingdee.records("sales_orders")}
    assert {org: notes[number] for org, number in numbers.items()} == {"100": "电话下单", "200": "客户改为自提"}
    reasons = {}
    for org, number in numbers.items():
        order = inspecting.find_record(split.hub, "order", number)
        reasons[org] = next(
            (one.value, one.winner_system, one.rule) for one in inspecting.why(split.hub, "order", order) if one.field == "note"
        )
    assert reasons == {"100": ("电话下单", "kingdee", "owner"), "200": ("客户改为自提", "zoho", "owner in company 200")}
    assert [one["rule"] for one in inspecting.conflicts(split.hub, system="zoho")] == ["note is owned by kingdee"]


@pytest.mark.promise(4)
def test_the_hub_edits_a_field_only_where_that_company_names_it(split: Stage) -> None:
    found: dict[str, UUID] = {}
    for doc in split.kingdee.records("sales_orders"):
        found.setdefault(doc["FSaleOrgId"]["FNumber"], inspecting.find_record(split.hub, "order", doc["FBillNo"]))
    for org in ("100", "200"):
        if org not in found:
            pytest.fail(f"the small world has no order of organisation {org} any more; it has {sorted(found)}")

    hub_records.edit(split.hub, "order", str(found["200"]), {"delivery_address": "佛山市季华路9号"}, "boss")
    with pytest.raises(NotAllowed, match="delivery_address is decided by kingdee in company 100"):
        hub_records.edit(split.hub, "order", str(found["100"]), {"delivery_address": "佛山市季华路9号"}, "boss")

    why = inspecting.why(split.hub, "order", found["200"], "delivery_address")
    assert [(one.value, one.winner_system, one.rule) for one in why] == [("佛山市季华路9号", "hub", "owner in company 200")]


@pytest.mark.promise(8)
def test_a_delete_counts_where_that_companys_owner_deleted(small: Pair, database: str, tmp_path: Path) -> None:
    small.reset()
    split = (RECEIPTS, RECEIPTS.replace("    systems:", '    owners_by_company:\n      "200": {default: [zoho, kingdee]}\n    systems:'))
    with open_hub(small, database, tmp_path / "home", [split]) as hub:
        stage = Stage(small, hub)
        template = stage.kingdee.records("receipts")[0]
        made = {}
        for org in ("100", "200"):
            doc = {key: value for key, value in template.items() if key not in ("FID", "FBillNo", "FModifyDate")}
            made[org] = stage.kingdee.put("receipts", doc | {"FSETTLEORGID": {"FNumber": org}})
        stage.go_live()
        for doc in made.values():
            stage.kingdee.delete("receipts", str(doc["FID"]))

        reconciling.reconcile(hub, "kingdee", ["receipts"])

        gone = {row["number"] for row in stage.rows("SELECT number FROM receipts WHERE retired")}
        assert gone == {made["100"]["FBillNo"]}
        assert [one["key"] for one in inspecting.conflicts(hub, system="kingdee")] == [str(made["200"]["FID"])]


RECEIPTS = "    required: [party]\n    owners: {default: kingdee}\n    systems:\n      kingdee: {stream: receipts"
PRODUCTS = "  product:\n    owners: {default: [kingdee, zoho]}\n    systems:\n      kingdee: {stream: products"
CUSTOMERS = "      companies: [kingdee, zoho]\n    systems:\n      kingdee: {stream: customers"


@pytest.mark.promise(4)
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param(RECEIPTS, '"300": {note: kingdee}', "lists no '300'; there are 100, 200", id="company"),
        pytest.param(RECEIPTS, "200: {note: kingdee}", "in quotes", id="number"),
        pytest.param(RECEIPTS, '"200": {note: sap}', "sap is not a system of this flow", id="system"),
        pytest.param(RECEIPTS, '"200": {lines.fax: kingdee}', "receipt has no such field", id="field"),
        pytest.param(RECEIPTS, '"200": {company: zoho}', "company does not differ by company", id="the company itself"),
        pytest.param(PRODUCTS, '"200": {name: zoho}', "belongs to no company", id="no company"),
        pytest.param(CUSTOMERS, '"200": {phone: zoho}', "phone does not differ by company", id="not of a row"),
    ],
)
def test_a_mistake_about_owners_by_company_is_told_with_file_and_line(small: Pair, tmp_path: Path, old: str, new: str, said: str) -> None:
    changed = old.replace("    systems:\n", f"    owners_by_company:\n      {new}\n    systems:\n")
    path = configuration(tmp_path / "home", small.systems, [(old, changed)])
    lines = path.read_text(encoding="utf-8").splitlines()

    with pytest.raises(BadConfig) as wrong:
        load(path)

    assert said in str(wrong.value)
    expected = {lines.index(f"      {new}") + 1, lines.index(f"      {new}")}
    assert any(f"{path}:{line}:" in str(wrong.value) for line in expected), str(wrong.value)


COMPANIES = {"a": "100", "b": "200", "c": "300"}
ROWS = st.dictionaries(
    st.sampled_from("abc"), st.dictionaries(st.sampled_from(["code", "salesperson"]), st.integers(0, 9), max_size=2), max_size=3
)


def policy(first: str, second: str, **by_company: EntityPolicy) -> EntityPolicy:
    owners: dict[str, tuple[str, ...]] = {
        "companies": (first, second),
        **dict.fromkeys(("companies.company", "companies.code", "companies.salesperson"), (first, second)),
    }
    return EntityPolicy("party", owners, by_company=by_company)


def source(system: str, rows: dict[str, dict[str, int]]) -> Source:
    said = {key: {"company": key, **values} for key, values in rows.items()}
    return Source(system, 1 if system == "kingdee" else 2, system, {}, {"companies": said})


@settings(suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(kingdee=ROWS, zoho=ROWS)
def test_law_rows_by_company_are_what_each_companys_own_owners_would_make_of_them(
    kingdee: dict[str, dict[str, int]], zoho: dict[str, dict[str, int]]
) -> None:
    south = policy("zoho", "kingdee")
    mixed = policy("kingdee", "zoho", **{"200": south})
    sources = [source("kingdee", kingdee), source("zoho", zoho)]

    def by_company(one: EntityPolicy) -> dict[str, Any]:
        numbers = count()
        made = merge_set(one, "companies", sources, {}, lambda: str(next(numbers)), ["company"])
        return {row.doc["company"]: row.doc for row in made.values()}

    numbers = count()
    made = merge_rows_by_company(mixed, "companies", sources, {}, lambda: str(next(numbers)), COMPANIES, ["company"])

    expected = {key: doc for key, doc in by_company(mixed).items() if key != "b"} | {
        key: doc for key, doc in by_company(south).items() if key == "b"
    }
    assert {row.doc["company"]: row.doc for row in made.values()} == expected
    assert [row.seq for row in made.values()] == list(range(1, len(made) + 1))
