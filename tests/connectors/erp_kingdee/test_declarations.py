"""Declarations: keys, tenants' own names, models for saving, and values as they compare."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Change
from connectors.erp_kingdee import connector
from connectors.erp_kingdee.forms import fields
from connectors.erp_kingdee.settings import KingdeeSettings
from connectors.erp_kingdee.streams import FORMS, forms_for
from connectors.erp_kingdee.writing import Unwritable, model_of
from sandbox.erp_kingdee import catalogue_base, catalogue_documents
from sandbox.erp_kingdee.forms import FORMS as SANDBOX

ORDERS = FORMS["sales_orders"]
assert catalogue_base, catalogue_documents


def settings(**more: Any) -> KingdeeSettings:
    given = {
        "server_url": "http://erp.example.com/K3Cloud",
        "acct_id": "a1",
        "user_name": "hub",
        "sign_in": "password",
        "password": "geheim",
    }
    return KingdeeSettings.model_validate(given | more)


@pytest.mark.parametrize("stream", FORMS)
def test_every_declared_key_is_one_the_form_has(stream: str) -> None:
    form, there = FORMS[stream], SANDBOX[FORMS[stream].form]
    keys = [key.partition(".")[0] for key in form.query_keys] + [form.query_key(key) for key in (form.approved, form.created) if key]

    assert [key for key in keys if key.lower() not in there.by_query] == []


def test_queries_name_fields_without_their_sub_head_and_lines_with_their_entity() -> None:
    keys = dict(zip((*ORDERS.head_keys, *ORDERS.line_keys), ORDERS.query_keys, strict=True))

    assert ORDERS.query_keys[0] == "FID"
    assert keys["FSaleOrderFinance.FSettleCurrId.FNumber"] == "FSettleCurrId.FNumber"
    assert (keys["FEntryID"], keys["FSEQ"], keys["FQty"]) == ("FSaleOrderEntry_FEntryID", "FSaleOrderEntry_FSEQ", "FQty")


def test_a_tenant_names_its_custom_fields_and_leaves_some_out() -> None:
    form = forms_for(settings(custom_fields={"F_HUB_KEY": "F_ABCD_Key", "F_HUB_LINE": "", "F_HUB_QUOTE": ""}))["sales_orders"]
    model, touched = model_of(form, Change("1", "save", "K1", None, fields={"FNote": "备注"}))

    assert "F_ABCD_Key" in form.query_keys
    assert "F_HUB_KEY" in form.head_keys
    assert not {"F_HUB_LINE", "F_HUB_QUOTE"} & {*form.head_keys, *form.line_keys}
    assert (model, "F_ABCD_Key" in touched) == ({"FNote": "备注", "F_ABCD_Key": "K1"}, True)


def test_an_order_becomes_a_nested_model() -> None:
    change = Change(
        "1",
        "save",
        "HUB1",
        "100123",
        fields={
            "FCustId.FNumber": "CUST0001",
            "FSaleOrderFinance.FSettleCurrId.FNumber": "PRE001",
            "FSaleOrderFinance.FExchangeRate": Decimal("1.0"),
            "FNote": None,
            "FSaleOrderEntry": [{"FEntryID": "7", "FSEQ": 1, "FQty": Decimal(3)}, {"FMaterialId.FNumber": "M1", "F_HUB_LINE": "L2"}],
        },
    )
    model, touched = model_of(ORDERS, change)

    assert model == {
        "FID": 100123,
        "FCustId": {"FNumber": "CUST0001"},
        "FSaleOrderFinance": {"FSettleCurrId": {"FNumber": "PRE001"}, "FExchangeRate": Decimal("1.0")},
        "FNote": "",
        "FSaleOrderEntry": [{"FEntryID": 7, "FQty": Decimal(3)}, {"FMaterialId": {"FNumber": "M1"}, "F_HUB_LINE": "L2"}],
    }
    assert set(touched) == {
        *("FCustId", "FSaleOrderFinance", "FSettleCurrId", "FExchangeRate", "FNote"),
        *("FSaleOrderEntry", "FQty", "FMaterialId", "F_HUB_LINE"),
    }


def test_materials_are_saved_under_their_sub_heads() -> None:
    given = {"FBARCODE": "6901", "FSaleUnitId.FNumber": "Pcs", "FName": "灯"}
    model, _ = model_of(FORMS["products"], Change("1", "save", "", "5", fields=given))

    assert model == {
        "FMATERIALID": 5,
        "SubHeadEntity": {"FBARCODE": "6901"},
        "SubHeadEntity2": {"FSaleUnitId": {"FNumber": "Pcs"}},
        "FName": "灯",
    }


@pytest.mark.parametrize("key", ["FCustId", "FBillAmount", "FNoSuchField", "FSaleOrderEntry.FQty"])
def test_a_field_that_cannot_be_written_is_refused_before_anything_is_sent(key: str) -> None:
    with pytest.raises(Unwritable, match=key):
        model_of(ORDERS, Change("1", "save", "", "5", fields={key: 1}))


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("FCustId.FNumber", ["CUST1", " CUST1 "]),
        ("FCustId.FNumber", ["", None, " ", "0", 0, {"FNumber": ""}]),
        ("FCustId", [200001, "200001"]),
        ("FDate", ["2026-01-05", "2026-01-05T00:00:00", "2026-01-05 00:00:00", "2026-01-05T00:00:00.000"]),
        ("FDate", [None, "", " "]),
        ("FModifyDate", ["2026-01-05T10:11:12.123", "2026-01-05 10:11:12"]),
        ("FSaleOrderEntry.FIsFree", [True, "true", "1", 1, "True"]),
        ("FSaleOrderEntry.FIsFree", [False, "false", "0", 0, "", None]),
        ("FSaleOrderEntry.FQty", [Decimal("10.0000000000"), 10, "10", Decimal("1E+1"), Decimal("10.00000000004")]),
        ("FSaleOrderEntry.FQty", [None, "", 0, Decimal("0E-10")]),
        ("FBillAllAmount", [Decimal("1.005"), Decimal("1.01"), "1.0100"]),
        ("FNote", ["加急", " 加急 ", "加急\n"]),
        ("FNote", [None, "", "  "]),
    ],
    ids=str,
)
def test_values_that_the_server_keeps_alike_compare_alike(path: str, values: list[Any]) -> None:
    stream = next(stream for stream in connector.streams(settings()) if stream.name == "sales_orders")

    assert len({repr(connector.normalise(stream, path, value)) for value in values}) == 1


def test_a_half_cent_below_zero_rounds_away_from_zero() -> None:
    stream = next(stream for stream in connector.streams(settings()) if stream.name == "sales_orders")

    assert connector.normalise(stream, "FBillAllAmount", Decimal("-1.005")) == Decimal("-1.01")
    assert connector.normalise(stream, "FBillAllAmount", "kein Betrag") == "kein Betrag"


def test_settings_say_what_is_missing_and_hide_what_is_secret() -> None:
    console = settings()

    assert console.base_url == "http://erp.example.com/K3Cloud/"
    assert "geheim" not in repr(console)
    with pytest.raises(ValueError, match="needs `app_id` and `app_secret`"):
        settings(sign_in="signed")
    with pytest.raises(ValueError, match="32 characters"):
        settings(sign_in="signed", app_id="220001_short", app_secret="s")
    with pytest.raises(ValueError, match="no time zone"):
        settings(timezone="Asia/Beijing2")


def test_the_consoles_own_names_are_understood() -> None:
    given = {
        "ServerUrl": "http://e/k3cloud/",
        "AcctId": "a",
        "UserName": "u",
        "AppId": "220001_" + "A" * 32,
        "AppSecret": "s",
        "LCID": 2052,
        "OrgNum": 100,
    }

    assert KingdeeSettings.model_validate(given).org_number == "100"


def test_a_wrong_declaration_is_refused_when_it_is_read() -> None:
    with pytest.raises(ValueError, match="not a field declaration"):
        fields("FName x Name")


def test_streams_come_after_those_they_depend_on() -> None:
    seen: set[str] = set()
    for stream in connector.streams(settings()):
        assert set(stream.depends_on) <= seen
        seen.add(stream.name)
