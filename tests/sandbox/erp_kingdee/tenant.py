"""A stand-in with a little tenant in it, the official SDK as its client, and its control door."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import requests
from k3cloud_webapi_sdk.main import K3CloudApiSdk

from sandbox.core import Server
from sandbox.erp_kingdee import Kingdee

SERVICE = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService"
AUTH = "Kingdee.BOS.WebApi.ServicesStub.AuthService"


@dataclass
class Tenant:
    """A running stand-in and how to reach it."""

    server: Server
    vendor: Kingdee

    @property
    def credentials(self) -> dict[str, Any]:
        """As `hub sandbox serve` prints them."""
        return dict(self.vendor.credentials(self.server.url))

    def sdk(self, **changed: Any) -> Any:
        """The official SDK, signed in by signed headers."""
        c = {**self.credentials, **changed}
        client = K3CloudApiSdk(c["ServerUrl"])
        client.InitConfig(c["AcctId"], c["UserName"], c["AppId"], c["AppSecret"], c["ServerUrl"], 2052, int(c["OrgNum"]))
        return client

    def post(self, service: str, body: Any, **more: Any) -> requests.Response:
        """A bare call."""
        url = f"{self.credentials['ServerUrl']}{service}.common.kdsvc"
        return requests.post(url, json=body, timeout=10, **more) if "data" not in more else requests.post(url, timeout=10, **more)

    def login(self) -> dict[str, str]:
        """The header of a session opened by user and password."""
        c = self.credentials
        answer = self.post(f"{AUTH}.ValidateUser", {"parameters": [c["AcctId"], c["UserName"], c["Password"], 2052]}).json()
        assert answer["LoginResultType"] == 1
        return {"kdservice-sessionid": answer["KDSVCSessionId"]}

    def put(self, stream: str, doc: dict[str, Any]) -> dict[str, Any]:
        """A user's edit."""
        answer = requests.post(f"{self.server.control_url}/records/{stream}", json=doc, timeout=10)
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    def record(self, stream: str, key: Any) -> dict[str, Any]:
        """One record as the control door shows it."""
        found: list[dict[str, Any]] = requests.get(f"{self.server.control_url}/records/{stream}", params={"key": key}, timeout=10).json()
        assert len(found) == 1
        return found[0]

    def fault(self, effect: str, value: Any = None, times: int | None = 1, **match: str) -> None:
        """Switch a fault on."""
        body = {"effect": effect, "value": value, "times": times, "match": match}
        assert requests.post(f"{self.server.control_url}/faults", json=body, timeout=10).status_code == 200

    def log(self) -> list[dict[str, Any]]:
        """Every call so far."""
        lines: list[dict[str, Any]] = requests.get(f"{self.server.control_url}/log", timeout=10).json()
        return lines


def little_tenant() -> dict[str, list[dict[str, Any]]]:
    """Two organisations, two customers and two materials allocated to both, a salesperson, a warehouse with stock."""

    def number(text: str) -> dict[str, str]:
        return {"FNumber": text}

    customers = [
        {
            "FCUSTID": 200001 + i + 100 * o,
            "FNumber": f"CUST000{i + 1}",
            "FName": name,
            "FCreateOrgId": number("100"),
            "FUseOrgId": number(org),
            "FMasterId": 200001 + i,
            "FTRADINGCURRID": number("PRE001"),
            "FSOCIALCRECODE": f"9144030000000000{i}X",
            "FModifyDate": "2026-01-01T08:00:00",
        }
        for i, name in enumerate(["深圳市华南经销有限公司", "杭州西湖商贸有限公司"])
        for o, org in enumerate(["100", "200"])
    ]
    materials = [
        {
            "FMATERIALID": 300001 + i + 100 * o,
            "FNumber": f"M00{i + 1}",
            "FName": name,
            "FCreateOrgId": number("100"),
            "FUseOrgId": number(org),
            "FMasterId": 300001 + i,
            "SubHeadEntity": {"FBaseUnitId": number("Pcs")},
            "FModifyDate": "2026-01-01T08:00:00",
        }
        for i, name in enumerate(["离心水泵", "控制阀"])
        for o, org in enumerate(["100", "200"])
    ]
    stock = [{"FStockOrgId": number("100"), "FStockId": number("CK01"), "FMaterialId": number("M001"), "FQty": 100, "FAVBQty": 100}]
    return {
        "customers": customers,
        "products": materials,
        "employees": [{"FID": 11, "FNumber": "S001", "FName": "王伟"}],
        "stock_levels": stock,
    }


def order(number: str = "", **changed: Any) -> dict[str, Any]:
    """The Model of a sales order: ten pumps at 11.30 with tax, five valves at 8.00 with tax."""
    lines = [("M001", 10, "11.3"), ("M002", 5, "8")]
    model = {
        "FBillTypeID": {"FNUMBER": "XSDD01_SYS"},
        "FBillNo": number,
        "FDate": "2026-01-05",
        "FSaleOrgId": {"FNumber": "100"},
        "FCustId": {"FNumber": "CUST0001"},
        "FSalerId": {"FNumber": "S001"},
        "FSaleOrderFinance": {"FSettleCurrId": {"FNumber": "PRE001"}, "FIsIncludedTax": True},
        "FSaleOrderEntry": [
            {
                "FMaterialId": {"FNumber": m},
                "FUnitID": {"FNumber": "Pcs"},
                "FQty": q,
                "FTaxPrice": p,
                "FEntryTaxRate": 13,
                "FDeliveryDate": "2026-01-10",
            }
            for m, q, p in lines
        ],
    }
    return {**model, **changed}


class Client:
    """The SDK with answers read as JSON."""

    def __init__(self, sdk: Any) -> None:
        self.sdk = sdk

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            return json.loads(getattr(self.sdk, name)(*arguments))

        return call

    def query(self, form: str, keys: str, where: Any = "", order_by: str = "", **more: Any) -> list[list[Any]]:
        """ExecuteBillQuery."""
        asked = {"FormId": form, "FieldKeys": keys, "FilterString": where, "OrderString": order_by, **more}
        rows: list[list[Any]] = json.loads(self.sdk.ExecuteBillQuery(asked))
        return rows

    def save(self, form: str, model: Any, **options: Any) -> dict[str, Any]:
        """Save; the Result."""
        result: dict[str, Any] = self.Save(form, {"IsAutoAdjustField": "true", "IsVerifyBaseDataField": "true", **options, "Model": model})[
            "Result"
        ]
        return result

    def approved(self, form: str, model: Any) -> dict[str, Any]:
        """Save, Submit, Audit; the saved Result."""
        result = self.save(form, model)
        assert result["ResponseStatus"]["IsSuccess"], result
        for step in ("Submit", "Audit"):
            answer = getattr(self, step)(form, {"Ids": str(result["Id"])})["Result"]["ResponseStatus"]
            assert answer["IsSuccess"], answer
        return result


def failure(result: dict[str, Any]) -> tuple[int, str]:
    """(MsgCode, first message) of a Result that failed."""
    status = result["ResponseStatus"]
    assert not status["IsSuccess"]
    return status["MsgCode"], status["Errors"][0]["Message"]
