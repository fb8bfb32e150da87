"""Signing in: sessions by login, and signed headers checked by the published recipe.

Source: reference/kingdee.md sections 2 and 3; the recipe is checked against the official SDK in tests.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sandbox.core import Request
from sandbox.erp_kingdee.settings import Settings

_SECRET_PAD = codecs.decode("0054s397p6234378o09pn7q3r5qropr7", "rot13")
SESSION_NAME = "kdservice-sessionid"


@dataclass(slots=True)
class Session:
    """One signed-in caller."""

    id: str
    user: str
    org: str
    language: int
    used: float


def client_secret(app_id: str) -> tuple[str, str]:
    """(client id, client secret) that an AppId stands for; empty ones when it is not well-formed."""
    parts = app_id.split("_")
    if len(parts) != 2 or len(parts[1]) != 32:
        return (parts[0] if len(parts) == 2 else "", "")
    try:
        raw = base64.b64decode(parts[1], validate=True)
    except (binascii.Error, ValueError):
        return parts[0], ""
    mixed = bytes(byte ^ pad for byte, pad in zip(raw, _SECRET_PAD.encode(), strict=False))
    return parts[0], base64.b64encode(mixed).decode()


def signature(key: str, message: str) -> str:
    """Base64 of the lower-case hex of HMAC-SHA256."""
    digest = hmac.new(key.encode(), message.encode(), hashlib.sha256).hexdigest()
    return base64.b64encode(digest.encode()).decode()


def api_signature(path: str, nonce: str, timestamp: str, app_id: str) -> str:
    """`X-Api-Signature` of a call to `path` (as sent, without its query string)."""
    encoded = quote(path, encoding="utf-8").replace("/", "%2F")
    return signature(client_secret(app_id)[1], f"POST\n{encoded}\n\nx-api-nonce:{nonce}\nx-api-timestamp:{timestamp}\n")


def login_sign(account: str, user: str, app_id: str, app_secret: str, timestamp: str) -> str:
    """`sign` of LoginBySign: SHA-256 of the five texts in byte order, joined."""
    joined = "".join(sorted((account, user, app_id, app_secret, timestamp), key=str.encode))
    return hashlib.sha256(joined.encode()).hexdigest()


class Sessions:
    """Who is signed in."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self.settings, self._clock = settings, clock
        self._live: dict[str, Session] = {}

    def open(self, user: str, org: str, language: int) -> Session:
        """A new session."""
        session = Session(str(uuid.uuid4()), user, org, language, self._clock())
        self._live[session.id] = session
        return session

    def find(self, request: Request) -> tuple[Session | None, bool]:
        """(live session, whether one was named at all), from header or cookie."""
        named = request.headers.get(SESSION_NAME) or _cookies(request.headers.get("cookie", "")).get(SESSION_NAME, "")
        session = self._live.get(named)
        now = self._clock()
        if session is not None and now - session.used > self.settings.session_s:
            del self._live[session.id]
            session = None
        if session is not None:
            session.used = now
        return session, bool(named)

    def close(self, session: Session) -> None:
        """Sign out."""
        self._live.pop(session.id, None)

    def expire(self) -> None:
        """End every session."""
        self._live.clear()

    def signed(self, request: Request) -> tuple[str, str] | str:
        """(user, organisation) of a call with good signatures, else why it is refused."""
        headers, s = request.headers, self.settings
        app_id, app_data = headers.get("x-kd-appkey", ""), headers.get("x-kd-appdata", "")
        if app_id != s.app_id:
            return "应用ID无效，第三方应用未授权"
        timestamp = headers.get("x-api-timestamp", "")
        if not timestamp.isdigit() or abs(self._clock() - int(timestamp)) > s.clock_skew_s:
            return "请求时间戳无效"
        path = request.raw_path.split("?")[0]
        expected = api_signature(path, headers.get("x-api-nonce", ""), timestamp, app_id)
        if s.verify_api_signature and not hmac.compare_digest(expected, headers.get("x-api-signature", "")):
            return "X-Api-Signature签名验证失败"
        try:
            plain = base64.b64decode(app_data, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return "X-Kd-Appdata无效"
        if s.verify_kd_signature and not hmac.compare_digest(signature(s.app_secret, app_id + plain), headers.get("x-kd-signature", "")):
            return "X-Kd-Signature签名验证失败"
        account, _, rest = plain.partition(",")
        parts = rest.rsplit(",", 2)
        if account != s.account or len(parts) != 3 or parts[0] != s.user:
            return f"第三方应用：{app_id.split('_')[0]} 不允许用户登录"
        return parts[0], parts[2]

    def login(self, service: str, given: list[Any]) -> Session | str:
        """A session for a login call's positional parameters, else why it is refused."""
        s = self.settings
        words = [str(value) if value is not None else "" for value in given] + [""] * 6
        if words[0] != s.account:
            return "会话信息已丢失，请重新登录"
        if service == "validateuser":
            good, language = words[1] == s.user and words[2] == s.password, words[3]
            why = "用户名或密码错误"
        elif service == "loginbyappsecret":
            good, language = words[1] == s.user and words[2] == s.app_id and words[3] == s.app_secret, words[4]
            why = f"第三方应用：{words[2].split('_')[0]} 不允许用户{words[1]}登录"
        else:
            expected = login_sign(s.account, s.user, s.app_id, s.app_secret, words[3])
            fresh = words[3].isdigit() and abs(self._clock() - int(words[3])) <= s.clock_skew_s
            good = words[1] == s.user and words[2] == s.app_id and fresh and hmac.compare_digest(expected, words[4].lower())
            language, why = words[5], "签名验证失败"
        return self.open(words[1], s.org, int(language) if language.isdigit() else s.language) if good else why


def login_answer(session: Session | None, why: str, settings: Settings) -> dict[str, Any]:
    """What a login call answers, good or refused."""
    good = session is not None
    context = None
    if session is not None:
        context = {
            "SessionId": session.id,
            "UserLocale": "zh-CN",
            "DBid": settings.account,
            "DatabaseType": 3,
            "DataCenterName": settings.account_name,
            "UserId": 100001,
            "UserName": session.user,
            "UserToken": session.id,
            "DisplayVersion": "8.2",
            "CurrentOrganizationInfo": {"ID": 100001, "AcctOrgType": "1", "Name": session.org, "FunctionIds": [101, 102, 103, 104]},
            "UseLanguages": [{"LocaleId": 2052, "LocaleName": "中文(简体)", "Alias": "CN"}],
        }
    return {
        "Message": None if good else why,
        "MessageCode": "CheckPasswordPolicy" if good else "",
        "LoginResultType": 1 if good else 0,
        "Context": context,
        "KDSVCSessionId": session.id if session is not None else "",
        "FormId": None,
        "RedirectFormParam": None,
        "FormInputObject": None,
        "ErrorStackTrace": None,
        "Lcid": 0,
        "AccessToken": None,
        "CustomParam": None,
        "KdAccessResult": None,
        "IsSuccessByAPI": good,
    }


def cookies_of(session: Session) -> list[tuple[str, str]]:
    """Set-Cookie headers of a session, without Expires: the official SDK splits them at commas."""
    return [
        ("Set-Cookie", f"{SESSION_NAME}={session.id}; path=/"),
        ("Set-Cookie", f"ASP.NET_SessionId={session.id.replace('-', '')[:24]}; path=/; HttpOnly"),
    ]


def _cookies(header: str) -> Mapping[str, str]:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: value for name, eq, value in pairs if eq}
