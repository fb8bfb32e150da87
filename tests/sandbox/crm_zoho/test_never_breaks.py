"""Whatever a client sends, the stand-in answers in the vendor's words: no call ends in a bug of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.core.http import JSON_IN, JSON_OUT, Request, Response
from sandbox.crm_zoho import ZohoVendor
from sandbox.crm_zoho.modules import MODULES

KEYS = (
    *(
        "data",
        "id",
        "api_name",
        "module",
        "Account_Name",
        "Ordered_Items",
        "Product_Name",
        "Quantity",
        "_delete",
        "Line_Tax",
        "Tag",
        "Owner",
    ),
    *("duplicate_check_fields", "query", "criteria", "group", "group_operator", "field", "comparator", "value", "fields", "page"),
    *(
        "watch",
        "channel_id",
        "events",
        "channel_expiry",
        "token",
        "notify_url",
        "_delete_events",
        "blueprint",
        "transition_id",
        "convert_to",
    ),
    *(
        "__composite_requests",
        "uri",
        "method",
        "headers",
        "params",
        "body",
        "operation",
        "resource",
        "file_id",
        "field_mappings",
        "callback",
    ),
    *(
        "select_query",
        "Deals",
        "Accounts",
        "Contacts",
        "Closing_Date",
        "Stage",
        "Probability",
        "Credit_Limit",
        "Hub_Key",
        "percentage",
        "index",
    ),
)
VALUES = (
    *(
        "Accounts",
        "Sales_Orders",
        "Deals.all",
        "572576700900000002",
        "in",
        "equal",
        "between",
        "and",
        "Hub_Key",
        "2026-11-21T10:00:00+08:00",
    ),
    *(
        "select id from Accounts where id > '0'",
        "/crm/v8/Accounts?fields=id",
        "POST",
        "upsert",
        "http://127.0.0.1:9/",
        "10%",
        "",
        "\u0000",
        "𠮷",
    ),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from(VALUES)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=20,
)
CALLS = (
    ("POST", "/crm/v8/Accounts"),
    ("PUT", "/crm/v8/Accounts"),
    ("POST", "/crm/v8/Sales_Orders/upsert"),
    ("POST", "/crm/v8/Deals"),
    ("POST", "/crm/v8/coql"),
    ("POST", "/crm/bulk/v8/read"),
    ("POST", "/crm/bulk/v8/write"),
    ("POST", "/crm/v8/actions/watch"),
    ("PATCH", "/crm/v8/actions/watch"),
    ("PUT", "/crm/v8/Deals/{deal}/actions/blueprint"),
    ("POST", "/crm/v8/Leads/{lead}/actions/convert"),
    ("POST", "/crm/v8/Quotes/{quote}/actions/convert"),
    ("POST", "/crm/v8/__composite_requests"),
)


class Target:
    """A stand-in called without HTTP, with one record for the calls that need one."""

    def __init__(self) -> None:
        self.vendor = ZohoVendor(7)
        known = self.vendor.credentials("")
        form = {name: known[name] for name in ("client_id", "client_secret", "refresh_token")}
        signed_in = self.vendor.handle(Request("POST", "/oauth/v2/token", "", {"grant_type": "refresh_token", **form}, {}))
        self.token = JSON_IN.decode(signed_in.body)["access_token"]
        self.names = {
            "deal": self.vendor.put("Deals", {"Deal_Name": "项目", "Stage": "Qualification", "Pipeline": "渠道项目"})["id"],
            "lead": self.vendor.put("Leads", {"Last_Name": "张", "Company": "华中"})["id"],
        }
        account = {"id": self.vendor.put("Accounts", {"Account_Name": "华南"})["id"]}
        product = {"id": self.vendor.put("Products", {"Product_Name": "泵"})["id"]}
        quote = {"Subject": "报价", "Account_Name": account, "Quoted_Items": [{"Product_Name": product}]}
        self.names["quote"] = self.vendor.put("Quotes", quote)["id"]

    def call(self, method: str, path: str, body: bytes = b"", query: dict[str, str] | None = None) -> Response:
        """The answer to one call."""
        headers = {"authorization": f"Zoho-oauthtoken {self.token}", "host": "127.0.0.1"}
        return self.vendor.handle(Request(method, path.format(**self.names), path, query or {}, headers, body))


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """One stand-in for all examples: what they leave behind is part of the trial."""
    made = Target()
    yield made
    made.vendor.close()


@pytest.mark.parametrize(("method", "path"), CALLS)
@given(body=JSON)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_law_any_json_is_answered_and_not_with_a_bug(target: Target, method: str, path: str, body: Any) -> None:
    name = {"coql": "select_query", "watch": "watch", "blueprint": "blueprint", "read": "query", "write": "resource"}.get(
        path.rsplit("/", maxsplit=1)[-1], "data"
    )
    name = "__composite_requests" if "composite" in path else name
    for sent in (body, {name: body}, {name: [body]}, {name: [dict.fromkeys(KEYS, body)]}):
        assert target.call(method, path, JSON_OUT.encode(sent)).status in {200, 201, 204, 207, 400, 403}


@given(value=JSON)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_law_any_value_of_any_field_is_taken_or_refused(target: Target, value: Any) -> None:
    for module in MODULES.values():
        whole = {"data": [dict.fromkeys(module.fields, value)]}
        each = {"data": [{name: value} for name in module.fields if name != "id"][:100]}
        for sent in (whole, each):
            assert target.call("POST", f"/crm/v8/{module.name}", JSON_OUT.encode(sent)).status in {201, 207, 400}


@pytest.mark.parametrize(
    "number",
    ["1e999", "-1e999", "1e999999", "1e-999999", "1e99999999999999999999", "9" * 5000, "-0.0", "0." + "1" * 5000, "NaN", "1e5"],
    ids=lambda text: text[:12],
)
def test_numbers_beyond_all_bounds_are_refused_or_kept_small(target: Target, number: str) -> None:
    for module, field in (("Accounts", "Credit_Limit"), ("Deals", "Probability"), ("Products", "Tax_Rate")):
        body = (
            f'{{"data": [{{"Account_Name": "x", "Deal_Name": "x", "Stage": "Qualification", "Product_Name": "x", "{field}": {number}}}]}}'
        )
        answer = target.call("POST", f"/crm/v8/{module}", body.encode())
        assert answer.status in {201, 400}, (module, number)
        assert len(answer.body) < 2_000


@given(
    query=st.dictionaries(
        st.sampled_from(["fields", "page", "per_page", "page_token", "sort_by", "ids", "criteria", "word", "type", "cvid", "module"]),
        st.text(max_size=12),
    )
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_law_any_query_string_is_answered(target: Target, query: dict[str, str]) -> None:
    for path in (
        "/crm/v8/Accounts",
        "/crm/v8/Accounts/search",
        "/crm/v8/Accounts/deleted",
        "/crm/v8/settings/fields",
        "/crm/v8/actions/watch",
    ):
        assert target.call("GET", path, query={"fields": "id", **query}).status in {200, 204, 400}
