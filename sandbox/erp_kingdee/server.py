"""The stand-in itself: signing in, services, the control door, and faults in the ERP's own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from sandbox.core import EXTRA_EFFECTS, JSON_OUT, Rejected, Request, Response, Vendor, json_response, text_response
from sandbox.core import Doc as NativeDoc
from sandbox.erp_kingdee.answers import MsgCode, Refused, failure, refusal, session_lost
from sandbox.erp_kingdee.calls import BadBody, Call, parse_call, service_of
from sandbox.erp_kingdee.forms import FORMS, Form, form_of
from sandbox.erp_kingdee.services import QUERIES, Services
from sandbox.erp_kingdee.sessions import Session, Sessions, cookies_of, login_answer
from sandbox.erp_kingdee.settings import Settings
from sandbox.erp_kingdee.store import Doc, Store
from sandbox.erp_kingdee.values import date_text

EXTRA_EFFECTS.update({"response_error", "lock"})
"""response_error: the plain text of an unhandled exception (value: its text). lock: the record is locked by another user (MsgCode 13)."""

STREAMS = {
    "organizations": "ORG_Organizations",
    "departments": "BD_Department",
    "employees": "BD_Empinfo",
    "customers": "BD_Customer",
    "contacts": "BD_CommonContact",
    "products": "BD_MATERIAL",
    "price_lists": "BD_SAL_PriceList",
    "stock_levels": "STK_Inventory",
    "sales_orders": "SAL_SaleOrder",
    "delivery_notices": "SAL_DELIVERYNOTICE",
    "shipments": "SAL_OUTSTOCK",
    "returns": "SAL_RETURNSTOCK",
    "receivables": "AR_receivable",
    "receipts": "AR_RECEIVEBILL",
    "refunds": "AR_REFUNDBILL",
    "other_receivables": "AR_OtherRecAble",
}
"""Hub stream name -> form id."""

_LOGINS = frozenset({"validateuser", "loginbyappsecret", "loginbysign"})


class Kingdee(Vendor):
    """A K3Cloud WebAPI server."""

    name = "kingdee"
    streams: ClassVar[Mapping[str, str]] = {**STREAMS, **{form_id: form_id for form_id in FORMS if form_id not in STREAMS.values()}}

    def __init__(self, seed: int = 0, database: str | Path | None = None, settings: Settings | None = None) -> None:
        super().__init__(seed)
        self.settings = settings or Settings()
        self.store = Store(database)
        self.services = Services(self.store, self.settings, self._late)
        self.sessions = Sessions(self.settings)
        self._at = ("", "")
        """Method and path of the call that is being worked on; empty while a user edits."""
        self._parsed: tuple[Request, Call | BadBody] | None = None
        self.services.loading.begin()
        self.services.loading.begin_orgs()

    def _late(self, form_id: str) -> float:
        method, path = self._at
        fault = self.faults.take("late_row", stream=form_id, method=method, path=path)
        return fault.seconds(60.0) if fault is not None else 0.0

    # the API

    def stream_of(self, request: Request) -> str | None:
        """The form that a call names."""
        try:
            call = parse_call(request)
        except BadBody as bad:
            self._parsed = (request, bad)
            return None
        self._parsed = (request, call)
        form = form_of(call.form) if call.form else None
        return form.id if form is not None else call.form or None

    def handle(self, request: Request) -> Response:
        """One call of the WebAPI. Business errors are HTTP 200, as there."""
        group, service = service_of(request.path)
        if not service or request.method != "POST":
            return text_response("无法找到资源。", 404, "text/html; charset=utf-8")
        call = self._call(request)
        if isinstance(call, BadBody):
            return text_response(f"response_error:{call}", call.status)
        if "response_error" in request.effects:
            return text_response(f"response_error:{request.effects['response_error'] or '未将对象引用设置到对象的实例。'}")
        if service == "getdatacenterlist":
            return json_response([{"Id": self.settings.account, "Number": "001", "Name": self.settings.account_name}])
        if group == "authservice":
            return self._auth(call, request)
        return self._service(call, request)

    def _call(self, request: Request) -> Call | BadBody:
        """The call as `stream_of` took it apart a moment ago, else anew."""
        if self._parsed is not None and self._parsed[0] is request:
            return self._parsed[1]
        try:
            return parse_call(request)
        except BadBody as bad:
            return bad

    def _auth(self, call: Call, request: Request) -> Response:
        if call.service == "logout":
            session, _ = self.sessions.find(request)
            if session is not None:
                self.sessions.close(session)
            return json_response({"LogoutResult": session is not None})
        if call.service not in _LOGINS:
            return text_response(f"response_error:服务{call.service}不存在")
        given = call.positional
        if not given:
            keys = {
                "validateuser": ("acctid", "username", "password", "lcid"),
                "loginbyappsecret": ("acctid", "username", "appid", "appsecret", "lcid"),
            }
            names = keys.get(call.service, ("acctid", "username", "appid", "timestamp", "sign", "lcid"))
            given = [call.top.get(name) for name in names]
        request.notes["signed_in"] = call.service
        opened = self.sessions.login(call.service, given)
        if isinstance(opened, str):
            return json_response(login_answer(None, opened, self.settings))
        return json_response(login_answer(opened, "", self.settings), headers=cookies_of(opened))

    def _service(self, call: Call, request: Request) -> Response:
        session, cookies = self._caller(request)
        if isinstance(session, str):
            return json_response(_wrapped(call, failure(session, MsgCode.NO_PERMISSION)))
        if session is None or "expire_session" in request.effects:
            return json_response(_wrapped(call, session_lost()), headers=cookies)
        if call.service == "switchorg":
            return json_response(self._switch(session, call), headers=cookies)
        if not self.services.knows(call.service):
            return text_response(f"response_error:服务{call.service}不存在")
        self._at = (request.method, request.path)
        try:
            answer = self.services.run(call, request)
        except Refused as refused:
            answer = _wrapped(call, refusal(refused))
        finally:
            self._at = ("", "")
        return Response(200, JSON_OUT.encode(answer), headers=cookies)

    def _caller(self, request: Request) -> tuple[Session | str | None, list[tuple[str, str]]]:
        """(session, cookies to set); a text instead of a session says why a signature is refused, None that the session is gone."""
        session, named = self.sessions.find(request)
        if "x-kd-signature" not in request.headers:
            return session, []
        signed = self.sessions.signed(request)
        if isinstance(signed, str):
            return signed, []
        if session is not None:
            return session, []
        fresh = self.sessions.open(signed[0], signed[1], self.settings.language)
        return (None if named else fresh), cookies_of(fresh)

    def _switch(self, session: Session, call: Call) -> dict[str, Any]:
        number = str(call.option("OrgNumber") or "")
        if self.store.numbers["ORG_Organizations"].resolve(number, 0, exact_org=False) is None:
            return failure(f"组织“{number}”不存在", MsgCode.NO_DATA)
        session.org = number
        return {"Result": {"ResponseStatus": {"IsSuccess": True, "Errors": [], "SuccessEntitys": [], "SuccessMessages": [], "MsgCode": 0}}}

    # the control door

    def _form(self, stream: str) -> Form:
        return FORMS[self.native(stream)]

    def records(self, stream: str, params: Mapping[str, str]) -> list[NativeDoc]:
        """Records in the shape of a Save model. `key` is an id or a number; `since` compares with FModifyDate; `where` takes columns."""
        form, key = self._form(stream), params.get("key", "")
        shown = self.services.shower.shown
        if key:
            one = self.store.get(form, int(key) if key.isdigit() and not form.guid else key)
            return [shown(doc) for doc in ([one] if one is not None else self.store.by_number(form, key))]
        sql, parameters = self._selected(form, params)
        return [shown(Doc(form, row[0], *self.store.taken_apart(row[2]))) for row in self.store.rows(form, sql, parameters)]

    def records_body(self, stream: str, params: Mapping[str, str]) -> bytes:
        """The same, values passed on as the pieces of JSON they are stored as. `fields` names those of head and lines to show."""
        form = self._form(stream)
        if params.get("key"):
            return super().records_body(stream, params)
        sql, parameters = self._selected(form, params)
        only = frozenset(params["fields"].split(",")) if params.get("fields") else frozenset[str]()
        decode, shown = self.store.raw_decoder(form), self.services.shower.raw_shower(form, only)
        return JSON_OUT.encode([shown(row[0], decode(row[2])) for row in self.store.rows(form, sql, parameters)])

    def _selected(self, form: Form, params: Mapping[str, str]) -> tuple[str, list[Any]]:
        where: list[str] = []
        parameters: list[Any] = []
        if params.get("since"):
            column = "FModifyDate" if form.has("FModifyDate") else "FUpdateTime"
            where.append(f'"{column}" >= ?')
            parameters.append(date_text(params["since"], day=False))
        if wanted := self.wanted(params):
            column, values = wanted[0], list[Any](wanted[1])
            if column not in form.columns:
                raise Rejected(f"{form.id} keeps no column {column!r}; it has {', '.join(form.columns)}")
            numbers = self.store.numbers.get(form.by_key[column.lower()].form)
            if numbers is not None:  # each organisation's copy of what has this number
                values = [key for value in values for key in numbers.ids.get(value.upper(), [])]
            where.append(f'"{column}" IN ({",".join("?" * len(values))})')
            parameters += values
        limit = int(params.get("limit") or 0)
        chosen = f"WHERE {' AND '.join(where)} " if where else ""
        return f"{chosen}ORDER BY id" + (f" LIMIT {limit}" if limit > 0 else ""), parameters

    def put(self, stream: str, doc: NativeDoc, user: str = "user") -> NativeDoc:  # noqa: ARG002  the ERP keeps no trail here
        """A user's edit. FDocumentStatus is the state the user leaves the document in; without it a new document stays created."""
        return self.services.shower.shown(self.services.loading.put(self._form(stream), doc))

    def delete(self, stream: str, key: str) -> bool:
        """Delete as an administrator: whatever the state, retracting what the document counted."""
        form = self._form(stream)
        found = self.store.get(form, int(key) if key.isdigit() and not form.guid else key) or next(
            iter(self.store.by_number(form, key)), None
        )
        if found is None:
            return False
        if found.status == "C":
            self.services.states.count(found, -1)
        self.store.delete(found)
        return True

    def load(self, records: Mapping[str, list[NativeDoc]]) -> int:
        """Bulk-load a world; dictionaries grow as it uses them. Loading replaces the two organisations of an empty tenant."""
        return self.services.loading.load({self.native(stream): docs for stream, docs in records.items()})

    def reset(self) -> None:
        """An empty tenant, sessions included."""
        self.store.clear()
        self.services.clear()
        self.sessions.expire()
        self.services.loading.begin()
        self.services.loading.begin_orgs()

    def empty(self) -> bool:
        """Whether there are no customers, materials and orders yet."""
        return not any(self.store.count(FORMS[form_id]) for form_id in ("BD_Customer", "BD_MATERIAL", "SAL_SaleOrder"))

    def credentials(self, url: str) -> Mapping[str, Any]:
        """As in the console: third-party app and integration user."""
        s = self.settings
        return {
            "ServerUrl": f"{url}/k3cloud/",
            "AcctId": s.account,
            "UserName": s.user,
            "Password": s.password,
            "AppId": s.app_id,
            "AppSecret": s.app_secret,
            "LCID": s.language,
            "OrgNum": s.org,
        }

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    # faults in the ERP's words

    def expire_sessions(self) -> None:
        """End every session."""
        self.sessions.expire()

    def over_quota(self, request: Request, value: Any) -> Response:
        """MsgCode 14 with status 200."""
        call = self._call(request)
        text = value if isinstance(value, str) and value else "调用次数超过限制"
        answer = failure(text, MsgCode.LIMIT)
        return json_response(_wrapped(call, answer) if isinstance(call, Call) else answer)

    def emptied(self, request: Request) -> Response:
        """A query finds nothing; anything else answers null."""
        return json_response([] if service_of(request.path)[1] in QUERIES else None)


def _wrapped(call: Call, answer: dict[str, Any]) -> Any:
    """An error in the shape of the service's own answers: queries wrap it in lists."""
    if call.service == "executebillquery":
        return [[answer]]
    return [answer] if call.service == "billquery" else answer


def make(seed: int = 0, database: str | Path | None = None, **switches: Any) -> Kingdee:
    """A stand-in, not yet listening. `switches` override `Settings`."""
    return Kingdee(seed, database, replace(Settings(), **switches))
