"""What the files for Kingdee read and write, on records as the ERP gives them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mappings.errors import BadField, MissingParent, MissingValue
from mappings.model import Target, ValueRow, Values
from tests.mappings import samples


def test_an_order_is_read_with_its_references_and_lines() -> None:
    read = samples.read(samples.kingdee("sales_orders"), samples.order(lines=2))

    assert read.number == "XSDD000123"
    assert read.fields["party"] == "customers:200001"
    assert read.fields["company"] == "organizations:100"
    assert read.fields["ordered_on"] == "2026-01-05"
    assert read.fields["total"] == "2000"
    assert read.fields["note"] is None
    assert read.fields["approved_at"] == "2026-01-05T02:11:12Z"
    assert (read.fields["approval"], read.fields["status"]) == ("approved", "open")
    assert list(read.sets["lines"]) == ["1", "2"]
    assert read.sets["lines"]["1"] == {
        "seq": 1, "product": "products:300001", "quantity": "10", "unit": "pcs", "price": "88.4955752212", "tax_price": "100",
        "tax_rate": "0.13", "discount_rate": "0", "discount": "0", "net": "884.96", "tax": "115.04", "total": "1000", "free": False,
        "delivery_date": "2026-02-05", "status": "open", "note": "送货前电联 𠮷",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("close", "cancel", "status"),
    [("A", "A", "open"), ("B", "A", "closed"), ("A", "B", "void"), ("B", "B", "void")],
)
def test_the_business_status_of_an_order_comes_from_two_flags(close: str, cancel: str, status: str) -> None:
    read = samples.read(samples.kingdee("sales_orders"), samples.order(FCloseStatus=close, FCancelStatus=cancel))

    assert read.fields["status"] == status


def test_a_customer_copy_is_one_row_of_the_companies_of_its_party() -> None:
    read = samples.read(samples.kingdee("customers"), samples.customer(**{"FUseOrgId.FNumber": "200", "FForbidStatus": "B"}))

    assert read.sets == {
        "companies": {
            "200": {
                "company": "organizations:200", "code": "CUST00001", "credit_limit": "500000", "currency": "CNY", "payment_terms": "net30",
                "settlement_method": "JSFS04_SYS", "price_list": None, "salesperson": "S001", "blocked": True,
            }
        }
    }  # fmt: skip
    assert read.fields["address"] == "浦东新区张江路 88 号"
    assert read.fields["country"] == "CN"


def test_a_customer_carries_sure_keys_and_weak_ones() -> None:
    read = samples.read(samples.kingdee("customers"), samples.customer())

    assert read.identity == [("uscc", "91350100M000100Y43"), ("erp_code", "CUST00001"), ("kingdee_master", "200001")]
    assert read.likeness == [("name", "东方智控上海科技"), ("phone", "2188886666")]


def test_a_wrong_check_character_is_no_sure_key_and_no_error() -> None:
    read = samples.read(samples.kingdee("customers"), samples.customer(FSOCIALCRECODE="91350100M000100Y44"))

    assert read.fields["uscc"] == "91350100M000100Y44"
    assert "uscc" not in dict(read.identity)


def test_each_copy_of_a_customer_is_written_its_own_row() -> None:
    mapping = samples.kingdee("customers")
    sets = {
        "companies": {
            "row-1": {"company": "organizations:100", "credit_limit": "1"},
            "row-2": {"company": "organizations:200", "credit_limit": "2"},
        }
    }
    known = samples.targets(mapping, {}, sets)

    first = mapping.write({}, sets, known, samples.VALUES["erp_kingdee"], org="100", create=False)
    second = mapping.write({}, sets, known, samples.VALUES["erp_kingdee"], org="200", create=False)
    linked = mapping.write({}, sets, known, samples.VALUES["erp_kingdee"], lines={"companies": {"row-2": "200"}}, create=False)

    assert (first, second, linked) == ({"F_HUB_CREDIT": Decimal(1)}, {"F_HUB_CREDIT": Decimal(2)}, {"F_HUB_CREDIT": Decimal(2)})


def test_a_new_customer_says_its_organisation_and_currency() -> None:
    mapping = samples.kingdee("customers")
    doc, sets = {"name": "新经销商有限公司"}, {"companies": {"row": {"company": "organizations:100"}}}

    payload = mapping.write(doc, sets, samples.targets(mapping, doc, sets), samples.VALUES["erp_kingdee"], org="100")

    assert payload == {
        "FName": "新经销商有限公司", "FUseOrgId.FNumber": "100", "FCreateOrgId.FNumber": "100", "FTRADINGCURRID.FNumber": "PRE001",
    }  # fmt: skip


def test_a_new_order_is_written_with_constants_and_the_price_that_was_entered() -> None:
    mapping = samples.kingdee("sales_orders")
    doc = {"company": "o:100", "party": "c:CUST00001", "ordered_on": "2026-03-01", "salesperson": "S001", "quote": "0190-quote"}
    sets = {
        "lines": {
            "line-1": {"product": "p:M00001", "quantity": "3", "unit": "pcs", "tax_price": "99.5", "price": "88.05", "tax_rate": "0.13"}
        }
    }

    payload = mapping.write(doc, sets, samples.targets(mapping, doc, sets), samples.VALUES["erp_kingdee"])

    assert payload["FBillTypeID.FNumber"] == "XSDD01_SYS"
    assert payload["FSaleOrderFinance.FIsIncludedTax"] is True
    assert payload["FSaleOrderEntry"] == [
        {
            "F_HUB_LINE": "line-1", "FMaterialId.FNumber": "M00001", "FQty": Decimal(3), "FUnitID.FNumber": "Pcs",
            "FTaxPrice": Decimal("99.5"), "FEntryTaxRate": Decimal(13),
        }
    ]  # fmt: skip


def test_prices_without_tax_are_written_when_the_order_says_so() -> None:
    mapping = samples.kingdee("sales_orders")
    sets = {"lines": {"1": {"tax_price": "113", "price": "100"}}}

    payload = mapping.write({"tax_included": False}, sets, {}, Values(), lines={"lines": {"1": "17"}}, create=False)

    assert payload["FSaleOrderEntry"] == [{"FEntryID": 17, "FPrice": Decimal(100)}]


def test_only_the_fields_asked_for_are_written() -> None:
    mapping = samples.kingdee("sales_orders")
    sets = {"lines": {"1": {"quantity": "5", "note": "改量"}}}

    payload = mapping.write(
        {"note": "急", "number": "X"}, sets, {}, Values(), lines={"lines": {"1": "17"}}, only=frozenset({"note", "lines.quantity"})
    )

    assert payload == {"FNote": "急", "FSaleOrderEntry": [{"FEntryID": 17, "FQty": Decimal(5)}]}


def test_a_shipment_cites_its_order_by_number_and_the_line_by_entry() -> None:
    mapping = samples.kingdee("shipments")
    line = {
        "FENTRYID": 9, "FSEQ": 1, "FMaterialID": 300001, "FUnitID.FNumber": "Pcs", "FRealQty": 4, "FStockID.FNumber": "CK01",
        "FLot.FNumber": "", "FSoorDerno": "XSDD000123", "FSOEntryId": 11, "FIsFree": False,
    }  # fmt: skip
    payload = {"FID": 1, "FBillNo": "XSCKD000001", "FDate": "2026-01-07T00:00:00", "FSaleOrgId.FNumber": "100", "FCustomerID": 200001}

    one = samples.read(mapping, {**payload, "FEntity": [line, {**line, "FENTRYID": 10, "FSOEntryId": 12}]})
    mixed = samples.read(mapping, {**payload, "FEntity": [line, {**line, "FENTRYID": 10, "FSoorDerno": "XSDD000124"}]})

    assert ("sales_orders#number", "XSDD000123", "lines", "11") in mapping.cites({**payload, "FEntity": [line]})
    assert one.sets["lines"]["9"]["order_line"] == "sales_orders:XSDD000123:lines:11"
    assert (one.fields["order"], one.fields["quantity"]) == ("sales_orders:XSDD000123", "8")
    assert mixed.fields["order"] is None


def test_a_receivable_says_how_much_of_it_is_matched() -> None:
    rows = [
        {"FEntryID": 1, "FALLAMOUNTFOR_D": Decimal("100.10"), "FRECEIVEAMOUNT": Decimal("60.05")},
        {"FEntryID": 2, "FALLAMOUNTFOR_D": Decimal(50), "FRECEIVEAMOUNT": 0},
    ]
    read = samples.read(samples.kingdee("receivables"), {"FBillNo": "AR1", "FSetAccountType": "3", "FEntityDetail": rows})

    assert (read.fields["kind"], read.fields["matched_amount"]) == ("financial", "60.05")


def test_a_number_of_thirty_digits_is_refused_by_field_and_line() -> None:
    mapping = samples.kingdee("receipts")
    payload = {
        "FBillNo": "SKD1",
        "FRECEIVEBILLENTRY": [{"FEntryID": 77, "FRECTOTALAMOUNTFOR": Decimal("123456789012345678901234567890.12")}],
    }

    with pytest.raises(BadField) as wrong:
        samples.read(mapping, payload)

    assert wrong.value.path == "FRECEIVEBILLENTRY[77].FRECTOTALAMOUNTFOR"
    assert "24 digits" in str(wrong.value)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"FBillNo": 17}, "FBillNo"),
        ({"FBillAllAmount": 2000.0}, "FBillAllAmount"),
        ({"FBillAllAmount": "two thousand"}, "FBillAllAmount"),
        ({"FBillAllAmount": Decimal("NaN")}, "FBillAllAmount"),
        ({"FBillAllAmount": True}, "FBillAllAmount"),
        ({"FDate": "2026-02-30T00:00:00"}, "FDate"),
        ({"FDate": 20260105}, "FDate"),
        ({"FApproveDate": "yesterday"}, "FApproveDate"),
        ({"FDocumentStatus": "X"}, "FDocumentStatus"),
        ({"FDocumentStatus": ["C"]}, "FDocumentStatus"),
        ({"FCustId": 1.5}, "FCustId"),
        ({"FSaleOrderFinance.FIsIncludedTax": "perhaps"}, "FSaleOrderFinance.FIsIncludedTax"),
        ({"FSaleOrderEntry": {"FEntryID": 1}}, "FSaleOrderEntry"),
        ({"FSaleOrderEntry": ["line"]}, "FSaleOrderEntry"),
        ({"FSaleOrderEntry": [samples.order_line(FEntryID=None)]}, "FSaleOrderEntry[#1].FEntryID"),
        ({"FSaleOrderEntry": [samples.order_line(1), samples.order_line(1)]}, "FSaleOrderEntry[1].FEntryID"),
        ({"FSaleOrderEntry": [samples.order_line(5, FSEQ="one")]}, "FSaleOrderEntry[5].FSEQ"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_value_is_refused_by_name(changes: dict[str, object], path: str) -> None:
    with pytest.raises(BadField) as wrong:
        samples.read(samples.kingdee("sales_orders"), samples.order(**changes))

    assert wrong.value.path == path
    assert path in str(wrong.value)


@pytest.mark.promise(7)
def test_all_that_a_record_waits_for_is_told_at_once() -> None:
    mapping = samples.kingdee("sales_orders")
    payload = samples.order(**{"FSalerId.FNumber": "9999_GW"})
    known = samples.refs(mapping, payload)
    del known["customers", "200001"], known["products", "300001"]

    with pytest.raises(MissingParent) as waits:
        mapping.read(payload, known, Values([ValueRow("unit", "Pcs", "pcs")]))

    assert list(waits.value.cites) == [("customers", "200001"), ("products", "300001")]
    assert "value:salesperson:9999_GW" in waits.value.waits_for
    assert "parent:customers:200001" in waits.value.waits_for


@pytest.mark.promise(7)
def test_a_missing_value_waits_for_its_map_and_company() -> None:
    with pytest.raises(MissingValue) as waits:
        samples.read(samples.kingdee("sales_orders"), samples.order(**{"FSalerId.FNumber": "9999_GW"}))

    assert waits.value.values == [("salesperson", "9999_GW", "100", "in")]


def test_a_value_of_one_company_goes_before_that_of_all() -> None:
    mapping = samples.kingdee("sales_orders")
    values = Values([ValueRow("unit", "Pcs", "pcs"), ValueRow("unit", "Pcs", "set", company="100")])
    payload = {"FSaleOrgId.FNumber": "100", "FSaleOrderEntry": [{"FEntryID": 1, "FUnitID.FNumber": "Pcs"}]}
    elsewhere = {**payload, "FSaleOrgId.FNumber": "200"}

    assert mapping.read(payload, samples.refs(mapping, payload), values).sets["lines"]["1"]["unit"] == "set"
    assert mapping.read(elsewhere, samples.refs(mapping, elsewhere), values).sets["lines"]["1"]["unit"] == "pcs"
    assert mapping.write(
        {"company": "o"}, {"lines": {"a": {"unit": "set"}}}, {("organizations", "o"): Target("1", "100")}, values, create=False
    )["FSaleOrderEntry"] == [{"F_HUB_LINE": "a", "FUnitID.FNumber": "Pcs"}]


def test_a_document_is_not_written_before_its_parents_are_there() -> None:
    mapping = samples.kingdee("sales_orders")

    with pytest.raises(MissingParent) as waits:
        mapping.write({"party": "p-1", "salesperson": "S404"}, {}, {("customers", "p-1"): Target("7", "")}, samples.VALUES["erp_kingdee"])

    assert list(waits.value.cites) == [("customers", "p-1")]
    assert waits.value.values == [("salesperson", "S404", "", "out")]


@pytest.mark.promise(10)
def test_reading_and_writing_never_pass_through_a_float() -> None:
    mapping = samples.kingdee("sales_orders")
    payload = samples.order(**{"FSaleOrderFinance.FExchangeRate": Decimal("7.1234567891234567")})
    read = samples.read(mapping, payload)
    lines = {"lines": {line: line for line in read.sets["lines"]}}

    written = mapping.write(
        read.fields, read.sets, samples.targets(mapping, read.fields, read.sets), samples.VALUES["erp_kingdee"], lines=lines
    )

    assert read.fields["exchange_rate"] == "7.1234567891234567"
    assert written["FSaleOrderFinance.FExchangeRate"] == Decimal("7.1234567891234567")
