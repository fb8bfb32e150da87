"""Values are compared as Zoho would store them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Stream
from connectors.crm_zoho import connector
from connectors.crm_zoho.settings import ZohoSettings


def streams(**more: Any) -> dict[str, Stream]:
    settings = ZohoSettings(client_id="1000.X", client_secret="a", refresh_token="b", **more)
    return {stream.name: stream for stream in connector.streams(settings)}


def kept(stream: str, path: str, value: Any, **more: Any) -> Any:
    return connector.normalise(streams(**more)[stream], path, value)


@pytest.mark.parametrize(
    ("stream", "path", "sent", "stored"),
    [
        ("accounts", "Account_Name", "  杭州远航电子有限公司 ", "杭州远航电子有限公司"),
        ("accounts", "Account_Name", "杭州　远航", "杭州　远航"),
        ("accounts", "Description", "第一行\r\n第二行", "第一行\n第二行"),
        ("accounts", "Phone", "", None),
        ("accounts", "Phone", "   ", None),
        ("accounts", "Credit_Limit", Decimal("0.005"), Decimal("0.01")),
        ("accounts", "Credit_Limit", Decimal("-0.005"), Decimal("-0.01")),
        ("accounts", "Credit_Limit", Decimal("1000000000000000.01"), Decimal("1000000000000000.01")),
        ("accounts", "Credit_Limit", "1200", Decimal("1200.00")),
        ("accounts", "Credit_Limit", 0, Decimal("0.00")),
        ("accounts", "Credit_Limit", None, None),
        ("accounts", "Dealer_Level", "-None-", None),
        ("accounts", "Dealer_Level", "核心", "核心"),
        ("accounts", "Modified_Time", "2026-01-31T10:00:00+08:00", "2026-01-31T02:00:00Z"),
        ("accounts", "Modified_Time", "2026-01-31T02:00:00.750Z", "2026-01-31T02:00:00Z"),
        ("accounts", "Owner", {"id": "55", "name": "王丽", "email": "w@example.com"}, "55"),
        ("products", "Product_Active", None, False),
        ("products", "Product_Active", "true", True),
        ("products", "Unit_Price", Decimal("12.34565"), Decimal("12.3457")),
        ("deals", "Closing_Date", "2026-02-28T00:00:00", "2026-02-28"),
        ("deals", "Probability", Decimal("75.0"), 75),
        ("deals", "Dealer", {"id": 572576700000001001}, "572576700000001001"),
        ("deals", "Dealer", None, None),
        ("sales_orders", "Ordered_Items.Quantity", Decimal("100.0000000000"), Decimal("100.0000")),
        ("sales_orders", "Ordered_Items.Product_Name", {"id": "9", "name": "交换机"}, "9"),
        ("sales_orders", "Ordered_Items.Description", "", None),
        (
            "price_books",
            "Pricing_Details",
            [{"id": "1", "from_range": 1, "to_range": Decimal("10.0")}],
            [{"from_range": 1, "to_range": 10}],
        ),
        ("price_books", "Pricing_Details", [], None),
    ],
)
def test_a_value_is_compared_as_it_is_stored(stream: str, path: str, sent: Any, stored: Any) -> None:
    assert kept(stream, path, sent) == stored


def test_what_is_no_number_date_or_time_is_compared_as_it_is_and_never_lost() -> None:
    assert kept("accounts", "Credit_Limit", "十万") == "十万"
    assert kept("accounts", "Modified_Time", "gestern") == "gestern"
    assert kept("accounts", "Not_Declared", " x ") == " x "


def test_places_follow_the_settings_of_the_organisation() -> None:
    assert kept("accounts", "Credit_Limit", Decimal("1.2345"), currency_scale=3) == Decimal("1.235")
    assert kept("products", "Unit_Price", Decimal("1.2345"), price_scale=2) == Decimal("1.23")


values = st.none() | st.text(max_size=20) | st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=6) | st.booleans()


@given(values)
@settings(deadline=None)  # the machine is shared; what is shown is a law, not a speed
def test_law_normalising_twice_changes_nothing_more(value: Any) -> None:
    for stream in streams().values():
        for info in stream.fields:
            once = connector.normalise(stream, info.name, value)
            assert connector.normalise(stream, info.name, once) == once


def test_a_float_never_comes_out() -> None:
    assert not any(
        isinstance(connector.normalise(stream, info.name, Decimal("1.1")), float) for stream in streams().values() for info in stream.fields
    )
