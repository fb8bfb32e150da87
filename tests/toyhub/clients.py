"""The two vendors' doors as the toy hub uses them: sign in, list since, look up, write. Standard library only."""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import urllib.error
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.oracle.door import encoded

Doc = dict[str, Any]


class Uncertain(RuntimeError):
    """The connection broke or the server failed: the write may or may not have been done."""


def call(opener: urllib.request.OpenerDirector, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
    """One call; numbers with a fraction come as Decimal. Raises Uncertain."""
    data = body if isinstance(body, bytes) or body is None else encoded(body)
    sent = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, data=data, method=method, headers=sent)  # noqa: S310  a stand-in on this machine
    try:
        with opener.open(request, timeout=10) as answer:
            raw = answer.read()
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            raise Uncertain(f"{error.code} for {url}") from error
        raw = error.read()
    except (OSError, http.client.HTTPException) as error:
        raise Uncertain(f"{type(error).__name__} for {url}") from error
    return json.loads(raw, parse_float=Decimal) if raw else {}


class Kingdee:
    """A session of the ERP."""

    def __init__(self, credentials: Mapping[str, Any]) -> None:
        self.base = str(credentials["ServerUrl"])
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        body = {"acctID": credentials["AcctId"], "username": credentials["UserName"], "password": credentials["Password"], "lcid": 2052}
        self._service("AuthService.ValidateUser", body)

    def _service(self, name: str, body: Any) -> Any:
        return call(self.opener, "POST", f"{self.base}Kingdee.BOS.WebApi.ServicesStub.{name}.common.kdsvc", body)

    def since(self, form: str, head: Sequence[str], rows: Sequence[str], where: str) -> list[Doc]:
        """Documents as flat keys, rows under `rows`; oldest change first."""
        keys = [*head, *rows]
        query = {"FormId": form, "FieldKeys": ",".join(keys), "FilterString": where, "OrderString": "FModifyDate ASC", "Limit": 2000}
        found: defaultdict[Any, Doc] = defaultdict(dict)
        for values in self._service("DynamicFormService.ExecuteBillQuery", {"data": query}):
            row = dict(zip(keys, values, strict=True))
            doc = found[row[head[0]]]
            doc.update({key: row[key] for key in head})
            doc.setdefault("rows", []).append({key: row[key] for key in rows})
        return list(found.values())

    def save(self, form: str, model: Mapping[str, Any]) -> None:
        """Change the given fields of a record. Raises ValueError when the ERP refuses."""
        answer = self._service("DynamicFormService.Save", {"formid": form, "data": {"IsDeleteEntry": False, "Model": model}})
        if not answer["Result"]["ResponseStatus"]["IsSuccess"]:
            raise ValueError(str(answer["Result"]["ResponseStatus"]["Errors"])[:300])


class Zoho:
    """A token of the CRM."""

    def __init__(self, credentials: Mapping[str, Any]) -> None:
        self.base = str(credentials["api_domain"])
        self.opener = urllib.request.build_opener()
        form = {key: credentials[key] for key in ("client_id", "client_secret", "refresh_token")}
        body = urllib.parse.urlencode({**form, "grant_type": "refresh_token"}).encode()
        url = f"{credentials['accounts_url']}/oauth/v2/token"
        token = call(self.opener, "POST", url, body, {"Content-Type": "application/x-www-form-urlencoded"})["access_token"]
        self.headers = {"Authorization": f"Zoho-oauthtoken {token}"}

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        return call(self.opener, method, f"{self.base}/crm/v8/{path}", body, self.headers)

    def query(self, module: str, fields: Sequence[str], where: str) -> list[Doc]:
        """Records by COQL."""
        statement = f"select {', '.join(fields)} from {module} where {where} order by id asc limit 0, 2000"
        found: list[Doc] = self._call("POST", "coql", {"select_query": statement}).get("data", [])
        return found

    def get(self, module: str, key: str) -> Doc:
        """One record with every field."""
        doc: Doc = self._call("GET", f"{module}/{key}")["data"][0]
        return doc

    def insert(self, module: str, fields: Mapping[str, Any]) -> str:
        """Create a record; gives its id. Raises ValueError when the CRM refuses."""
        return self._one(self._call("POST", module, {"data": [fields], "trigger": []}))

    def update(self, module: str, key: str, fields: Mapping[str, Any]) -> None:
        """Change the given fields. Raises ValueError when the CRM refuses."""
        self._one(self._call("PUT", module, {"data": [{"id": key, **fields}], "trigger": []}))

    def prices(self, book: str) -> dict[str, Decimal]:
        """What products cost in a price book, by their id."""
        rows = self._call("GET", f"Price_Books/{book}/Products?fields=list_price").get("data", [])
        return {row["id"]: row["list_price"] for row in rows}

    def relate(self, book: str, prices: Mapping[str, Decimal]) -> None:
        """Put prices into a book. Raises ValueError when the CRM refuses."""
        rows = [{"id": key, "list_price": amount} for key, amount in prices.items()]
        self._one(self._call("PUT", f"Price_Books/{book}/Products", {"data": rows}))

    def delink(self, book: str, products: Sequence[str]) -> None:
        """Take products out of a book. Raises ValueError when the CRM refuses."""
        self._one(self._call("DELETE", f"Price_Books/{book}/Products?ids={','.join(products)}"))

    @staticmethod
    def _one(answer: Any) -> str:
        entry = answer["data"][0] if "data" in answer else answer
        if entry.get("code") != "SUCCESS":
            raise ValueError(str(entry)[:300])
        return str(entry["details"]["id"])
