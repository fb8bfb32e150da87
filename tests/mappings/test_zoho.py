"""What the files for Zoho read and write, on records as the CRM gives them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mappings.compiler import OURS, load
from mappings.errors import BadField
from mappings.model import Target
from tests.mappings import samples


def test_an_account_is_read_with_the_figures_of_the_default_company() -> None:
    read = samples.read(samples.zoho("accounts"), samples.account())

    assert read.fields["level"] == "normal"
    assert read.fields["channel_type"] is None
    assert read.fields["country"] == "CN"
    assert read.fields["roles"] == ["dealer"]
    assert read.sets == {
        "companies": {"100": {"company": "=company:100", "credit_limit": "500000", "payment_terms": "net30", "salesperson": "S001"}}
    }


def test_an_account_and_a_customer_of_one_party_share_sure_and_weak_keys() -> None:
    account = samples.read(samples.zoho("accounts"), samples.account(USCC=" 91350100m000100y43"))
    customer = samples.read(samples.kingdee("customers"), samples.customer())

    assert set(account.identity) <= set(customer.identity)
    assert account.likeness == customer.likeness


def test_the_default_company_can_be_another() -> None:
    mapping = load(OURS, "crm_zoho", "accounts", parameters={"default_company": "200"})
    sets = {"companies": {"a": {"company": "c:100", "credit_limit": "1"}, "b": {"company": "c:200", "credit_limit": "2"}}}

    payload = mapping.write({}, sets, samples.targets(mapping, {}, sets), samples.VALUES["crm_zoho"], create=False)

    assert payload == {"Credit_Limit": Decimal(2)}
    assert mapping.version != samples.zoho("accounts").version


def test_an_account_says_nothing_of_companies_that_the_party_does_not_have() -> None:
    mapping = samples.zoho("accounts")
    sets = {"companies": {"b": {"company": "c:200", "credit_limit": "2"}}}

    assert mapping.write({}, sets, samples.targets(mapping, {}, sets), samples.VALUES["crm_zoho"], create=False) == {}


def test_an_order_of_the_erp_is_shown_with_what_was_shipped_and_paid() -> None:
    order = samples.read(samples.kingdee("sales_orders"), samples.order(lines=1))
    derived = {"shipped_quantity": "4", "shipping_state": "partial", "paid_amount": "600.5", "payment_state": "partial"}
    doc = {**order.fields, **derived}
    sets = {"lines": {"0190-line": {**order.sets["lines"]["1"], "shipped_quantity": "4"}}}
    mapping = samples.zoho("sales_orders")

    payload = mapping.write(doc, sets, samples.targets(mapping, doc, sets), samples.VALUES["crm_zoho"])

    assert payload == {
        "ERP_Order_No": "XSDD000123", "Subject": "XSDD000123", "Order_Date": "2026-01-05", "Company_Code": "100",
        "Account_Name": {"id": "200001"}, "Salesperson_Code": "wang.lei", "Currency_Code": "CNY", "Net_Amount": Decimal("1769.92"),
        "Tax_Amount": Decimal("230.08"), "Total_Amount": Decimal(2000), "Description": None, "Approval_Status": "approved",
        "Business_Status": "open", "Shipped_Quantity": Decimal(4), "Shipping_State": "partial", "Paid_Amount": Decimal("600.5"),
        "Payment_State": "partial",
        "Ordered_Items": [
            {
                "Hub_Line": "0190-line", "Product_Name": {"id": "300001"}, "Quantity": Decimal(10), "List_Price": Decimal(100),
                "Discount": Decimal(0), "Shipped_Quantity": Decimal(4),
            }
        ],
    }  # fmt: skip


def test_an_order_without_number_still_has_a_subject() -> None:
    mapping = samples.zoho("sales_orders")

    assert mapping.write({"number": ""}, {}, {}, samples.VALUES["crm_zoho"])["Subject"] == "新订单"
    assert "Subject" not in mapping.write({"paid_amount": "1"}, {}, {}, samples.VALUES["crm_zoho"], only=frozenset({"paid_amount"}))


def test_a_linked_line_keeps_its_key_and_a_new_one_carries_ours() -> None:
    mapping = samples.zoho("sales_orders")
    sets = {"lines": {"new": {"seq": 2, "quantity": "1"}, "old": {"seq": 1, "quantity": "2"}}}

    payload = mapping.write({}, sets, {}, samples.VALUES["crm_zoho"], lines={"lines": {"old": "48768760000001"}}, create=False)

    assert payload["Ordered_Items"] == [{"id": "48768760000001", "Quantity": Decimal(2)}, {"Hub_Line": "new", "Quantity": Decimal(1)}]


@pytest.mark.parametrize(
    ("stage", "canonical"),
    [
        ("Draft", "draft"),
        ("Negotiation", "draft"),
        ("Delivered", "delivered"),
        ("Confirmed", "accepted"),
        ("Closed Won", "closed"),
        ("Closed Lost", "rejected"),
    ],
)
def test_a_confirmed_quote_is_accepted(stage: str, canonical: str) -> None:
    assert samples.read(samples.zoho("quotes"), {"id": "1", "Quote_Stage": stage}).fields["stage"] == canonical


def test_an_unknown_stage_of_a_quote_is_refused() -> None:
    with pytest.raises(BadField) as wrong:
        samples.read(samples.zoho("quotes"), {"id": "1", "Quote_Stage": "已签"})

    assert wrong.value.path == "Quote_Stage"
    assert "Confirmed" in wrong.value.why


def test_a_deal_keeps_the_word_of_the_tenant_beside_the_kind() -> None:
    read = samples.read(samples.zoho("deals"), {"id": "1", "Stage": "Closed Won", "Probability": 100, "Amount": Decimal("80000.00")})

    assert (read.fields["stage"], read.fields["stage_kind"], read.fields["probability"]) == ("Closed Won", "won", "1")
    assert read.fields["expected_amount"] == "80000"


def test_the_number_of_the_order_comes_back_to_quote_and_deal() -> None:
    quote, deal = samples.zoho("quotes"), samples.zoho("deals")

    both = {"order_number": "XSDD9", "order_status": "approved"}
    assert quote.write(both, {}, {}, samples.VALUES["crm_zoho"], only=frozenset(both)) == {
        "ERP_Order_No": "XSDD9",
        "ERP_Order_Status": "approved",
    }
    assert deal.write({"order_number": "XSDD9"}, {}, {}, samples.VALUES["crm_zoho"], only=frozenset({"order_number"})) == {
        "ERP_Order_No": "XSDD9"
    }


@pytest.mark.parametrize(("first", "last", "whole"), [("小明", "王", "王小明"), (None, "王小明", "王小明"), ("Tom", "Smith", "Tom Smith")])
def test_the_names_of_a_contact_are_one_name(first: str | None, last: str, whole: str) -> None:
    assert samples.read(samples.zoho("contacts"), {"id": "1", "Last_Name": last, "First_Name": first}).fields["name"] == whole


def test_money_is_rounded_half_up_to_what_the_crm_keeps() -> None:
    mapping = samples.zoho("receipts")

    payload = mapping.write(
        {"amount": "2.675", "order": "o:7"}, {}, {("sales_orders", "o:7"): Target("7")}, samples.VALUES["crm_zoho"], create=False
    )

    assert payload == {"Amount": Decimal("2.68"), "Sales_Order": {"id": "7"}}


def test_the_mirrored_documents_have_a_name() -> None:
    for stream, key in (("shipments", "Name"), ("receipts", "Name"), ("invoices", "Subject")):
        payload = samples.zoho(stream).write({"number": "XSCKD000001"}, {}, {}, samples.VALUES["crm_zoho"])

        assert (payload[key], payload["ERP_Bill_No"]) == ("XSCKD000001", "XSCKD000001")
