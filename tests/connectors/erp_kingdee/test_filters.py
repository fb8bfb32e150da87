"""Filters: whatever a text holds, it stays a literal. Judged by the sandbox's parser, which shares no code with the builder."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.erp_kingdee import filters as f
from connectors.erp_kingdee.settings import KingdeeSettings
from connectors.erp_kingdee.streams import FORMS
from sandbox.erp_kingdee.filters import All, Some, parse_text
from sandbox.erp_kingdee.filters import Test as Condition

NUMBER = f.Column("FNumber")


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
@example("' or 1=1--")
@example("') or ('1'='1")
@example("%_[a]")
@example("a\nb'")
@example("’’''；--")
@example("\\'")
def test_law_the_parser_gives_the_literal_back(text: str) -> None:
    assert parse_text(f.equals(NUMBER, text)) == Condition("FNumber", "=", text)
    assert parse_text(f.one_of(NUMBER, [text, "b", text])) == Condition("FNumber", "in", [text, "b", text])


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), st.integers(-(10**20), 10**20))
def test_law_a_literal_never_changes_the_shape_of_a_condition(text: str, number: int) -> None:
    tree = parse_text(f.both(f.equals(NUMBER, text), f.either(f.at_least(NUMBER, number), f.is_null(NUMBER))))

    assert tree == All((Condition("FNumber", "=", text), Some((Condition("FNumber", ">=", number), Condition("FNumber", "null")))))


def test_what_cannot_be_said_safely_is_refused() -> None:
    with pytest.raises(ValueError, match="U\\+0000"):
        f.literal("a\x00b")
    with pytest.raises(ValueError, match="let everything in"):
        f.either(f.ALL, f.equals(NUMBER, "1"))
    with pytest.raises(ValueError, match="one to 200"):
        f.one_of(NUMBER, [])


def test_columns_come_only_from_declarations() -> None:
    form = FORMS["sales_orders"]

    assert form.column("FSaleOrderFinance.FSettleCurrId.FNumber") == "FSettleCurrId.FNumber"
    with pytest.raises(KeyError):
        form.column("FBillNo = '' or FBillNo")


def test_a_tenants_field_names_must_be_plain_names() -> None:
    with pytest.raises(ValueError, match="custom_fields"):
        KingdeeSettings.model_validate(
            {"server_url": "http://e/k3cloud/", "acct_id": "a", "user_name": "u", "sign_in": "password", "password": "p"}
            | {"custom_fields": {"F_HUB_KEY": "F_A or 1=1"}}
        )
