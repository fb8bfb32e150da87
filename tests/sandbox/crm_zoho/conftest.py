"""A stand-in of Zoho CRM on a free port, a plain HTTP caller for it, and the official SDK pointed at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from sandbox.core.server import Server, serving
from sandbox.crm_zoho import ZohoVendor

READER = msgspec.json.Decoder(float_hook=Decimal)
WRITER = msgspec.json.Encoder(decimal_format="number")


@dataclass
class Zoho:
    """A signed-in client of the stand-in that knows nothing but HTTP and JSON."""

    vendor: ZohoVendor
    server: Server
    http: requests.Session = field(default_factory=requests.Session)
    token: str = ""

    @property
    def url(self) -> str:
        """Address of the stand-in."""
        return self.server.url

    def sign_in(self, **changed: str) -> Any:
        """The answer of the token call."""
        given = self.vendor.credentials(self.url)
        form = {name: given[name] for name in ("client_id", "client_secret", "refresh_token")}
        answer = self.http.post(f"{self.url}/oauth/v2/token", data={"grant_type": "refresh_token", **form, **changed}, timeout=10)
        assert answer.status_code == 200
        body = answer.json()
        self.token = body.get("access_token", self.token)
        return body

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One call of the API; a JSON body goes out without a Content-Type, as the official SDK sends it."""
        if not self.token:
            self.sign_in()
        sent = {"Authorization": f"Zoho-oauthtoken {self.token}", **(headers or {})}
        data = None if body is None else WRITER.encode(body)
        return self.http.request(method, f"{self.url}{path}", params=params, data=data, headers=sent, timeout=10)

    def read(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The JSON of a call that must succeed."""
        answer = self.call(method, path, body, **more)
        assert answer.status_code in (200, 201), answer.text
        return READER.decode(answer.content)

    def insert(self, module: str, *records: Mapping[str, Any]) -> list[str]:
        """Ids of new records."""
        entries = self.read("POST", f"/crm/v8/{module}", {"data": list(records)})["data"]
        return [entry["details"]["id"] for entry in entries]

    def one(self, module: str, key: str) -> dict[str, Any]:
        """A record with all its fields."""
        found: dict[str, Any] = self.read("GET", f"/crm/v8/{module}/{key}")["data"][0]
        return found

    def coql(self, query: str) -> requests.Response:
        """The answer to a query."""
        return self.call("POST", "/crm/v8/coql", {"select_query": query})

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of a call of the control door."""
        answer = self.http.request(method, f"{self.url}/_control/{path}", data=None if body is None else WRITER.encode(body), timeout=10)
        assert answer.status_code in (200, 404), answer.text
        return READER.decode(answer.content)

    def fault(self, effect: str, value: Any = None, **more: Any) -> None:
        """Switch a fault on."""
        self.control("POST", "faults", {"effect": effect, "value": value, **more})


@pytest.fixture
def zoho() -> Iterator[Zoho]:
    """A stand-in without records."""
    vendor = ZohoVendor(seed=7)
    with serving(vendor) as server:
        yield Zoho(vendor, server)


@pytest.fixture
def order(zoho: Zoho) -> str:
    """Id of a sales order of two lines, with its account and products."""
    (account,) = zoho.insert("Accounts", {"Account_Name": "深圳市华南经销有限公司", "Hub_Key": "A1"})
    pump, valve = zoho.insert(
        "Products", {"Product_Name": "离心泵", "Unit_Price": 100}, {"Product_Name": "球阀", "Unit_Price": Decimal("9.90")}
    )
    lines = [
        {"Product_Name": {"id": pump}, "Quantity": 3, "List_Price": Decimal("113.005"), "Hub_Line": "L1"},
        {"Product_Name": {"id": valve}, "Quantity": Decimal("2.5"), "Discount": Decimal("0.75"), "Hub_Line": "L2"},
    ]
    record = {"Subject": "SO-1", "Hub_Key": "S1", "Account_Name": {"id": account}, "Ordered_Items": lines}
    return zoho.insert("Sales_Orders", record)[0]


@pytest.fixture
def sdk(zoho: Zoho, tmp_path: Path) -> Zoho:
    """The official SDK, initialised for the stand-in. Source: PyPI zohocrmsdk8_0 7.0.0."""
    from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
    from zohocrmsdk.src.com.zoho.api.authenticator.store import FileStore
    from zohocrmsdk.src.com.zoho.api.logger import Logger
    from zohocrmsdk.src.com.zoho.crm.api.dc import DataCenter
    from zohocrmsdk.src.com.zoho.crm.api.initializer import Initializer
    from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig

    given = zoho.vendor.credentials(zoho.url)
    form = {name: given[name] for name in ("client_id", "client_secret", "refresh_token")}
    Initializer.initialize(
        environment=DataCenter.Environment(given["api_domain"], f"{given['accounts_url']}/oauth/v2/token", given["upload_url"]),
        token=OAuthToken(**form, find_user=False),
        store=FileStore(str(tmp_path / "tokens")),
        sdk_config=SDKConfig(update_api_domain=False, pick_list_validation=False),
        resource_path=str(tmp_path),
        logger=Logger.get_instance(level=Logger.Levels.ERROR, file_path=str(tmp_path / "sdk.log")),
    )
    return zoho
