"""The oracle passes what is right, and finds each thing that is wrong: a judge that cannot convict is none."""

from __future__ import annotations

import ast
import copy
import dataclasses
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from sandbox.world import MEDIUM, SMALL, World, make_world
from tests.oracle import Edit, Verdict, judge_evidence
from tests.oracle.evidence import DOCUMENTS, LOOKED_AT, indexed
from tests.oracle.values import Doc
from tests.toyhub.mirror import Mirror


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(3, dataclasses.replace(MEDIUM, orders=300))


@pytest.fixture(scope="module")
def mirror(world: World) -> Mirror:
    return Mirror(world)


def verdict_of(mirror: Mirror, edits: tuple[Edit, ...] = ()) -> Verdict:
    seen = {*LOOKED_AT, *(edit.field for edit in edits)}
    kingdee = {
        stream: [narrowed(doc, seen) for doc in docs] if stream in DOCUMENTS else list(docs) for stream, docs in mirror.kingdee.items()
    }
    return judge_evidence(indexed(kingdee, mirror.zoho), mirror.world.truth, edits=edits)


def narrowed(doc: Doc, seen: set[str]) -> Doc:
    """A document of Kingdee as it is fetched: of its head and lines, only what is looked at."""
    kept: Doc = {}
    for key, value in doc.items():
        if key in seen:
            kept[key] = value
        elif isinstance(value, list):
            kept[key] = [narrowed(row, seen) for row in value]
        elif isinstance(value, dict) and "FNumber" not in value:  # a part of the head
            kept[key] = narrowed(value, seen)
    return kept


@pytest.fixture
def spoilt(mirror: Mirror) -> Mirror:
    """A copy that a test may spoil."""
    twin = copy.copy(mirror)
    twin.kingdee, twin.zoho = copy.deepcopy(mirror.kingdee), copy.deepcopy(mirror.zoho)
    return twin


def test_two_systems_that_agree_pass_and_nothing_was_skipped(mirror: Mirror, world: World) -> None:
    verdict = verdict_of(mirror)

    assert verdict.ok, verdict.summary()
    assert verdict.counts["parties"] > 180
    assert verdict.counts["orders"] > 250
    assert verdict.counts["products"] == 80
    assert verdict.counts["quotes"] == 3
    assert min(verdict.counts[stream] for stream in ("shipments", "receivables", "receipts")) > 1
    doubtful = [one for one in verdict.explained if one.what.startswith("doubtful")]
    assert len(doubtful) == len(world.truth["doubtful"]) == 5


def test_a_world_of_three_orders_passes_with_nothing_to_explain() -> None:
    verdict = verdict_of(Mirror(make_world(1, SMALL)))

    assert verdict.ok, verdict.summary()
    assert not verdict.explained
    assert verdict.counts["orders"] == 4


def test_a_world_before_any_sync_is_far_from_right(world: World) -> None:
    zoho = {**{name: [] for name in ("sales_orders", "invoices", "shipments", "receipts")}, **world.data["zoho"]}

    verdict = judge_evidence(indexed(world.data["kingdee"], zoho), world.truth)

    assert len(verdict.lost) > 400
    assert len(verdict.drift) > 100


def hub_made(docs: list[Doc]) -> Doc:
    return next(doc for doc in docs if doc.get("Hub_Key"))


def set_field(stream: str, field: str, value: object) -> Callable[[Mirror], None]:
    def spoil(mirror: Mirror) -> None:
        hub_made(mirror.zoho[stream])[field] = value

    return spoil


def twin(stream: str) -> Callable[[Mirror], None]:
    def spoil(mirror: Mirror) -> None:
        mirror.zoho[stream].append({**hub_made(mirror.zoho[stream]), "id": "1", "Hub_Key": "HOTHER"})

    return spoil


def remove(stream: str) -> Callable[[Mirror], None]:
    def spoil(mirror: Mirror) -> None:
        mirror.zoho[stream].remove(hub_made(mirror.zoho[stream]))

    return spoil


def blank_phone(mirror: Mirror) -> None:
    next(doc for doc in mirror.kingdee["customers"] if doc["FTEL"])["FTEL"] = ""


def swap_lines(mirror: Mirror) -> None:
    order = next(doc for doc in mirror.zoho["sales_orders"] if len({row["Quantity"] for row in doc["Ordered_Items"]}) > 1)
    first, second = [row for n, row in enumerate(order["Ordered_Items"]) if n < 2]
    first["Product_Name"], second["Product_Name"] = second["Product_Name"], first["Product_Name"]


def one_fen(mirror: Mirror) -> None:
    next(doc for doc in mirror.zoho["sales_orders"] if doc["Paid_Amount"])["Paid_Amount"] -= Decimal("0.01")


def one_line_less(mirror: Mirror) -> None:
    next(doc for doc in mirror.zoho["sales_orders"] if len(doc["Ordered_Items"]) > 1)["Ordered_Items"].pop()


def second_order_of_a_quote(mirror: Mirror) -> None:
    order = next(doc for doc in mirror.kingdee["sales_orders"] if doc["F_HUB_QUOTE"])
    mirror.kingdee["sales_orders"].append({**order, "FID": 1, "FBillNo": "XSDD900009", "F_HUB_KEY": "HOTHER"})


def order_differs_from_quote(mirror: Mirror) -> None:
    next(doc for doc in mirror.kingdee["sales_orders"] if doc["F_HUB_QUOTE"])["FSaleOrderEntry"][0]["FQty"] += 1


def forget_number(mirror: Mirror) -> None:
    next(doc for doc in mirror.zoho["quotes"] if doc["Quote_Stage"] == "Confirmed")["ERP_Order_No"] = None


def second_customer(mirror: Mirror) -> None:
    first = mirror.kingdee["customers"][0]
    mirror.kingdee["customers"].append({**first, "FCUSTID": 1, "FNumber": "CUST7", "F_HUB_KEY": "HOTHER"})


def guess_a_pair(mirror: Mirror) -> None:
    code = mirror.world.truth["doubtful"][0]["kingdee"][0]
    mirror.zoho["accounts"].append({"id": "1", "Hub_Key": "HOTHER", "ERP_Code": code, "Account_Name": "猜的"})


def one_key_twice(mirror: Mirror) -> None:
    first, second = [doc for doc in mirror.zoho["products"] if doc.get("Hub_Key")][:2]
    second["Hub_Key"] = first["Hub_Key"]


def unlinked_account(mirror: Mirror) -> None:
    gone = next(doc for doc in mirror.kingdee["customers"] if doc["F_HUB_KEY"])
    mirror.kingdee["customers"].remove(gone)


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        pytest.param(set_field("accounts", "Account_Name", "别的名字"), "drift", id="another name"),
        pytest.param(set_field("accounts", "Credit_Limit", Decimal("0.01")), "drift", id="another credit limit"),
        pytest.param(set_field("accounts", "Salesperson_Code", "nobody"), "drift", id="another salesperson"),
        pytest.param(set_field("accounts", "Status_Code", "Blocked"), "drift", id="blocked"),
        pytest.param(set_field("products", "Unit_Price", Decimal("0.001")), "drift", id="another price"),
        pytest.param(set_field("sales_orders", "Shipping_State", "?"), "drift", id="another shipping state"),
        pytest.param(set_field("sales_orders", "Approval_Status", "draft?"), "drift", id="another approval"),
        pytest.param(set_field("sales_orders", "Account_Name", {"id": "7"}), "drift", id="another party"),
        pytest.param(set_field("shipments", "Quantity", Decimal(-1)), "drift", id="another shipped quantity"),
        pytest.param(set_field("shipments", "Sales_Order", None), "drift", id="shipment of no order"),
        pytest.param(set_field("invoices", "Due_Date", "1999-01-01"), "drift", id="another due date"),
        pytest.param(set_field("receipts", "Amount", Decimal("0.3")), "drift", id="another amount"),
        pytest.param(blank_phone, "drift", id="the owner's phone is blanked in Kingdee"),
        pytest.param(one_fen, "drift", id="a fen is missing"),
        pytest.param(one_line_less, "drift", id="a line is missing"),
        pytest.param(swap_lines, "drift", id="lines by position"),
        pytest.param(order_differs_from_quote, "drift", id="order differs from its quote"),
        *[
            pytest.param(twin(name), "duplicates", id=f"two {name}")
            for name in ("accounts", "products", "sales_orders", "invoices", "receipts")
        ],
        pytest.param(second_order_of_a_quote, "duplicates", id="a quote is ordered twice"),
        pytest.param(second_customer, "duplicates", id="a customer is made twice"),
        pytest.param(guess_a_pair, "duplicates", id="a doubtful pair is guessed"),
        pytest.param(one_key_twice, "duplicates", id="a hub key is used twice"),
        *[
            pytest.param(remove(name), "lost", id=f"missing {name}")
            for name in ("accounts", "products", "sales_orders", "shipments", "receipts")
        ],
        pytest.param(forget_number, "lost", id="a quote is not ordered"),
        pytest.param(unlinked_account, "lost", id="an account of Zoho has no customer"),
    ],
)
def test_what_is_wrong_is_found(spoilt: Mirror, spoil: Callable[[Mirror], None], kind: str) -> None:
    spoil(spoilt)

    verdict = verdict_of(spoilt)

    assert getattr(verdict, kind), verdict.summary()


def test_an_accepted_edit_that_was_written_over_is_lost(mirror: Mirror) -> None:
    account = mirror.zoho["accounts"][0]
    first = Edit("zoho", "accounts", account["id"], "Phone", "021-1111111")
    verdict = verdict_of(mirror, (first,))

    assert [one.what for one in verdict.lost] == ["overwritten"]


def test_an_edit_that_did_not_reach_the_other_side_is_lost_and_only_its_last_value_counts(spoilt: Mirror) -> None:
    account = spoilt.zoho["accounts"][0]
    edits = tuple(Edit("zoho", "accounts", account["id"], "Phone", value) for value in ("021-1111111", "021-2222222"))
    account["Phone"] = "021-2222222"

    assert [one.what for one in verdict_of(spoilt, edits).lost] == ["did not arrive"]

    for customer in spoilt.kingdee["customers"]:
        if customer["FNumber"] == account["ERP_Code"]:
            customer["FTEL"] = "021-2222222"
    assert verdict_of(spoilt, edits).ok


def test_orders_of_an_unknown_salesperson_are_excused_only_until_the_clerk_has_filled_the_value(mirror: Mirror, world: World) -> None:
    waiting = {one.key for one in verdict_of(mirror).explained if "salesperson" in one.what}
    assert waiting == set(world.truth["unknown_seller"]["orders"])

    after = judge_evidence(indexed(mirror.kingdee, mirror.zoho), world.truth, late_values=True)
    assert waiting <= {one.key for one in after.lost}


def test_a_record_with_an_impossible_figure_is_excused_wherever_it_stands(spoilt: Mirror) -> None:
    huge = Decimal("123456789012345678901234567890.12")
    since = spoilt.world.truth["since"]
    order = next(doc for doc in spoilt.kingdee["sales_orders"] if doc["FBillNo"] in spoilt.order_ids)
    order["FSaleOrderEntry"][0]["FTaxPrice"] = huge
    receivable = next(
        doc
        for doc in spoilt.kingdee["receivables"]
        if doc["FDATE"][:10] >= since and doc["FEntityDetail"][0]["FORDERNUMBER"] != order["FBillNo"]
    )
    receivable["FALLAMOUNTFOR"] = huge

    verdict = verdict_of(spoilt)

    assert not verdict.drift, verdict.summary()
    assert {order["FBillNo"], receivable["FBillNo"]} <= {one.key for one in verdict.explained if one.what == "bad record"}


def test_the_oracle_shares_no_code_with_the_hub() -> None:
    rooms = {"canonical", "sync", "mappings", "connectors", "ledger", "channel", "hub_api", "hub_cli", "dags", "sandbox"}
    for file in Path(__file__).parent.glob("*.py"):
        if file.name.startswith("test_"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not [name for name in names if name.split(".")[0] in rooms], f"{file.name} line {getattr(node, 'lineno', 0)}"
