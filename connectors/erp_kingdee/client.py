"""Kingdee's WebAPI, call by call: sign-in, and one function per service. Vendor words only.

All calls are POST; business errors come with status 200, in five shapes; an unhandled one comes as plain text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from connectors.erp_kingdee.errors import rule_for
from connectors.erp_kingdee.filters import Where
from connectors.erp_kingdee.settings import KingdeeSettings
from connectors.erp_kingdee.signing import login_signature, signed_headers
from connectors.errors import CallFailed, Do, Garbled, Refused, SchemaChanged, SignInExpired, SignInRefused, Throttled, Unavailable
from connectors.transport import Answer, Transport, dump_json, parse_json

T = TypeVar("T")
FORMS = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService."
SIGN_IN = "Kingdee.BOS.WebApi.ServicesStub.AuthService."
LOGIN_SERVICES = {"password": "ValidateUser", "app_secret": "LoginByAppSecret", "app_sign": "LoginBySign"}
WAIT_S = 60.0
"""How long to wait when the server says that calls come too fast; it does not say how long."""
REFUSED_FOR_S = 300.0
"""After a refused log-in nobody tries these credentials again for so long: repeated tries lock the user."""

_COOKIE = re.compile(r"(?:^|,\s*)([^=;,\s]+)=([^;,]*)")


@dataclass(frozen=True, slots=True)
class Rows:
    """The answer to a query: one row per document, or per line of it when a line's key was asked for."""

    rows: Sequence[Sequence[Any]]
    suspicious: bool
    """True when a text in it may hold U+0000."""


@dataclass(frozen=True, slots=True)
class Status:
    """The `ResponseStatus` of a service."""

    ok: bool
    msg_code: str
    errors: Sequence[Mapping[str, Any]]
    done: Sequence[Mapping[str, Any]]
    """`SuccessEntitys`: Id, Number and DIndex of each record that went through."""

    @property
    def text(self) -> str:
        """All messages in one line."""
        return "; ".join(str(error.get("Message") or "") for error in self.errors)


class KingdeeClient:
    """One signed-in conversation. Not shared between threads: the server serialises the calls of one session."""

    def __init__(self, settings: KingdeeSettings, transport: Transport) -> None:
        self._settings, self._transport = settings, transport
        self._cookies: dict[str, str] = {}
        self._session = ""
        self._operation = "ExecuteOperation"
        self.server_date: datetime | None = None
        """The server's own clock as of the last answer."""

    @property
    def system(self) -> str:
        """The system's name in messages."""
        return self._transport.system

    # --- sign-in ---

    def sign_in(self) -> None:
        """Log in anew. In signed mode there is no log-in: only the cookies are dropped.

        Raises: SignInRefused, at once and without a call when these credentials were refused a moment ago.
        """
        self._cookies, self._session = {}, ""
        if self._settings.sign_in == "signed":
            return
        mark = self._credentials_mark()
        kept = self._transport.tokens.read("refused")
        if kept is not None and kept[0] == mark and kept[1] > self._transport.clock():
            raise self._sign_in_refused("these credentials were refused a moment ago and are not tried again yet")
        service = SIGN_IN + LOGIN_SERVICES[self._settings.sign_in]
        answer = self._post(service, {"parameters": self._login_parameters()}, self._whole, writes=False, kind="signin")
        if not isinstance(answer, dict) or answer.get("LoginResultType") != 1:
            self._transport.tokens.save("refused", mark, self._transport.clock() + REFUSED_FOR_S)
            said = answer.get("Message") if isinstance(answer, dict) else None
            raise self._sign_in_refused(self._without_secrets(str(said or "the log-in was refused")))
        self._session = str(answer.get("KDSVCSessionId") or "")

    def _login_parameters(self) -> list[Any]:
        mine = self._settings
        secret, now = mine.app_secret.get_secret_value(), int(self._transport.clock())
        match mine.sign_in:
            case "password":
                return [mine.acct_id, mine.user_name, mine.password.get_secret_value(), mine.lcid]
            case "app_secret":
                return [mine.acct_id, mine.user_name, mine.app_id, secret, mine.lcid]
            case _:
                sign = login_signature(acct_id=mine.acct_id, user_name=mine.user_name, app_id=mine.app_id, app_secret=secret, timestamp=now)
                return [mine.acct_id, mine.user_name, mine.app_id, now, sign, mine.lcid]

    def _credentials_mark(self) -> str:
        mine = self._settings
        secrets = (mine.app_secret.get_secret_value(), mine.password.get_secret_value())
        parts = (mine.base_url, mine.acct_id, mine.user_name, mine.app_id, *secrets)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _sign_in_refused(self, why: str) -> SignInRefused:
        next_step = "check data centre, user, app and secret, and that the app is authorised for this user (第三方系统登录授权)"
        return SignInRefused(self.system, why, next_step=next_step)

    def _without_secrets(self, text: str) -> str:
        for secret in (self._settings.app_secret.get_secret_value(), self._settings.password.get_secret_value()):
            if secret:
                text = text.replace(secret, "***")
        return text[:300]

    # --- reading ---

    def execute_bill_query(self, form: str, keys: Sequence[str], where: Where, order: str, limit: int, start: int = 0) -> Rows:
        """Rows of a form. `limit` rows at most; the server may cap it lower without saying.

        Raises: SchemaChanged when a key is not known to this tenant, Refused for a missing right.
        """
        data = {
            "FormId": form,
            "FieldKeys": ",".join(keys),
            "FilterString": where,
            "OrderString": order,
            "TopRowCount": 0,
            "StartRow": start,
            "Limit": limit,
            "SubSystemId": "",
        }

        def judge(answer: Answer) -> Rows:
            value = self._whole(answer)
            if not isinstance(value, list) or not all(isinstance(row, list) for row in value) or set(map(len, value)) - {len(keys)}:
                raise Garbled(self.system, f"the answer to a query of {form} is not rows of {len(keys)} values")
            return Rows(value, b"\\u0000" in answer.body or b"\\ud" in answer.body or b"\\uD" in answer.body)

        return self._call(FORMS + "ExecuteBillQuery", {"data": data}, judge, writes=False)

    def query_business_info(self, form: str) -> Sequence[Mapping[str, Any]]:
        """The entities of a form with their fields, as this tenant has them."""
        answer = self._call(FORMS + "QueryBusinessInfo", {"data": {"FormId": form}}, self._whole, writes=False)
        result = answer.get("Result") if isinstance(answer, dict) else None
        data = (result.get("NeedReturnData") or result.get("Result")) if isinstance(result, dict) else None
        entries = data.get("Entrys") if isinstance(data, dict) else None
        if not isinstance(entries, list):
            raise Garbled(self.system, f"the description of {form} has no entities")
        return [entry for entry in entries if isinstance(entry, dict)]

    # --- writing ---

    def save(self, form: str, models: Sequence[Mapping[str, Any]], need_update: Sequence[str]) -> Status:
        """Create or update; by `BatchSave` when there are several.

        `need_update` restricts an update to these keys; empty for creates. Prompts are never answered in advance.
        """
        data: dict[str, Any] = {
            "NeedUpDateFields": list(need_update),
            "NeedReturnFields": [],
            "IsDeleteEntry": "false",  # the default is true: lines that are not in the model would be deleted
            "SubSystemId": "",
            "IsVerifyBaseDataField": "true",  # else a reference that does not exist is silently dropped
            "IsEntryBatchFill": "true",
            "ValidateFlag": "true",
            "NumberSearch": "true",
            "IsAutoAdjustField": "true",  # else the order of keys decides which value survives
            "InterationFlags": "",
            "IgnoreInterationFlag": "false",
            "ValidateRepeatJson": "false",
        }
        service = "BatchSave" if len(models) > 1 else "Save"
        data["Model"] = list(models) if len(models) > 1 else models[0]
        return self._status(service, {"formid": form, "data": data})

    def submit(self, form: str, ids: Sequence[str]) -> Status:
        """Into approval: A or D to B."""
        return self._by_ids("Submit", form, ids, {"SelectedPostId": 0})

    def audit(self, form: str, ids: Sequence[str]) -> Status:
        """Approve: B to C."""
        return self._by_ids("Audit", form, ids)

    def unaudit(self, form: str, ids: Sequence[str]) -> Status:
        """Take the approval back: C to D."""
        return self._by_ids("UnAudit", form, ids)

    def delete(self, form: str, ids: Sequence[str]) -> Status:
        """Delete records that are not audited."""
        return self._by_ids("Delete", form, ids)

    def execute_operation(self, form: str, operation: str, ids: Sequence[str]) -> Status:
        """Another operation of the form: Forbid, Enable, Cancel, BillClose, ...

        The SDK's misspelt service name is tried when a server does not know the right one (it answers `null` then).
        """
        body = {"formid": form, "opNumber": operation, "data": {"CreateOrgId": 0, "Numbers": [], "Ids": ",".join(ids)}}
        try:
            return self._status(self._operation, body)
        except _NotThere:
            self._operation = "ExcuteOperation"
            return self._status(self._operation, body)

    def _by_ids(self, service: str, form: str, ids: Sequence[str], more: Mapping[str, Any] | None = None) -> Status:
        data = {
            "CreateOrgId": 0,
            "Numbers": [],
            "Ids": ",".join(ids),
            "InterationFlags": "",
            "IgnoreInterationFlag": "false",
            **(more or {}),
        }
        return self._status(service, {"formid": form, "data": data})

    def _status(self, service: str, body: Mapping[str, Any]) -> Status:
        def judge(answer: Answer) -> Status:
            if answer.status == 404 or (answer.status == 200 and answer.body.strip() == b"null"):
                raise _NotThere(self.system, f"the server has no service {service}", next_step="check the server address and its version")
            value = self._value(answer)
            status = _status_of(value)
            if status is None:
                raise Garbled(self.system, f"the answer to {service} has no ResponseStatus")
            rule = None if status.ok else rule_for(status.text, status.msg_code)
            if rule is not None and rule.do is Do.REFRESH:
                raise SignInExpired(self.system, rule.words, vendor_code=rule.code)
            return status

        return self._call(FORMS + service, body, judge, writes=True)

    # --- one call ---

    def _call(self, service: str, body: Mapping[str, Any], judge: Callable[[Answer], T], *, writes: bool) -> T:
        """Sign in where needed; once more, and only once, when the session turns out to be lost: then nothing was done."""
        if self._settings.sign_in != "signed" and not self._session:
            self.sign_in()
        try:
            return self._post(service, body, judge, writes=writes)
        except SignInExpired:
            self.sign_in()
        try:
            return self._post(service, body, judge, writes=writes)
        except SignInExpired as error:
            self._cookies, self._session = {}, ""
            raise self._sign_in_refused(f"{error.why} again right after signing in") from None

    def _post(self, service: str, body: Mapping[str, Any], judge: Callable[[Answer], T], *, writes: bool, kind: str | None = None) -> T:
        url = f"{self._settings.base_url}{service}.common.kdsvc"

        def note(answer: Answer) -> T:
            self._remember(answer)
            return judge(answer)

        return self._transport.call("POST", url, headers=self._headers(url), body=dump_json(body), writes=writes, kind=kind, judge=note)

    def _headers(self, url: str) -> dict[str, str]:
        mine = self._settings
        headers = {"Content-Type": "application/json", "Accept-Charset": "utf-8"}
        if mine.sign_in == "signed":
            headers |= signed_headers(
                url,
                acct_id=mine.acct_id,
                user_name=mine.user_name,
                app_id=mine.app_id,
                app_secret=mine.app_secret.get_secret_value(),
                lcid=mine.lcid,
                org_number=mine.org_number,
                timestamp=int(self._transport.clock()),
            )
        session = self._session or self._cookies.get("kdservice-sessionid", "")
        if session:
            headers["kdservice-sessionid"] = session
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return headers

    def _remember(self, answer: Answer) -> None:
        if cookies := answer.headers.get("set-cookie"):
            self._cookies |= dict(_COOKIE.findall(cookies))
        try:
            self.server_date = parsedate_to_datetime(answer.headers["date"])
        except (KeyError, ValueError):
            self.server_date = None

    def _value(self, answer: Answer) -> Any:
        """The parsed answer. Raises for statuses that are no answer, and for plain-text exceptions."""
        if answer.body.lstrip()[:15].lower().startswith(b"response_error:"):
            raise self._failure(answer.body.decode("utf-8", "replace")[:2000], "", "response_error")
        if answer.status == 401:
            raise SignInExpired(self.system, "the session or signature is not accepted", vendor_code="401")
        if answer.status == 403:
            next_step = "check the app's authorisation and the user's rights"
            raise Refused(self.system, "the server forbids it", vendor_code="403", next_step=next_step)
        if answer.status >= 500:
            raise Unavailable(self.system, "the server failed", vendor_code=str(answer.status))
        if answer.status not in (200, 206):
            why = "the server does not take the request"
            raise Refused(self.system, why, vendor_code=str(answer.status), next_step="check the server address")
        return parse_json(self.system, answer.body, answer.charset)

    def _whole(self, answer: Answer) -> Any:
        """The parsed answer of a read, which is either sound or raised as the failure that it reports."""
        value = self._value(answer)
        status = _status_of(value)
        if status is not None and not status.ok:
            raise self._failure(status.text, status.msg_code, f"MsgCode {status.msg_code}")
        return value

    def _failure(self, text: str, msg_code: str, vendor_code: str) -> CallFailed:
        rule = rule_for(text, msg_code)
        said = self._without_secrets(" ".join(text.split()))
        if rule is None:
            return Unavailable(self.system, f"an unlisted error: {said}", vendor_code=vendor_code)
        why = f"{rule.words}: {said}"
        if rule.do is Do.REFRESH:
            return SignInExpired(self.system, rule.words, vendor_code=vendor_code)
        if rule.code == "签名":
            next_step = "check app_id and app_secret against 第三方系统登录授权, and this machine's clock (docs/connectors/erp_kingdee.md)"
            return SignInRefused(self.system, why, vendor_code=vendor_code, next_step=next_step)
        if rule.do is Do.WAIT:
            return Throttled(self.system, why, after_s=WAIT_S, vendor_code=vendor_code)
        if rule.do in (Do.RETRY, Do.BLOCK):
            return Unavailable(self.system, why, vendor_code=vendor_code)
        if rule.code in ("9", "元数据中标识为", "实体不存在此属性", "业务对象不存在"):
            next_step = "compare the settings and mappings with the form: `hub describe` lists what this tenant has"
            return SchemaChanged(self.system, why, vendor_code=vendor_code, next_step=next_step)
        next_step = "give the integration user this right, or stop reading the stream"
        return Refused(self.system, why, vendor_code=vendor_code, next_step=next_step)


class _NotThere(Refused):
    """The server does not know the service."""


def _status_of(value: Any) -> Status | None:
    """The `ResponseStatus` inside an answer, which comes bare, in a list, or in a list of a list; None when there is none."""
    for _ in range(2):
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
    result = value.get("Result") if isinstance(value, dict) else None
    status = result.get("ResponseStatus") if isinstance(result, dict) else None
    if not isinstance(status, dict):
        return None
    return Status(
        ok=status.get("IsSuccess") in (True, "true", "True"),
        msg_code=str(status.get("MsgCode") or "0"),
        errors=_dicts(status.get("Errors")),
        done=_dicts(status.get("SuccessEntitys")),
    )


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
