"""Sign-in: access tokens for a refresh token, at most ten in ten minutes, each good for an hour.

Errors of the token call are JSON with an `error` key and status 200, as widely reported. Source: reference notes on Zoho CRM v8, "OAuth".
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Mapping
from urllib.parse import parse_qsl

from sandbox.core.http import Request, Response, json_response
from sandbox.crm_zoho.clock import Clock
from sandbox.crm_zoho.errors import ApiError
from sandbox.crm_zoho.org import CLIENT_ID, CLIENT_SECRET, GRANT_CODE, REFRESH_TOKEN

LIFE_S = 3600
WINDOW_S = 600
LIVE_TOKENS = 30
"""Live access tokens of one refresh token; one more ends the oldest."""
SCOPE = (
    "ZohoCRM.modules.ALL ZohoCRM.settings.ALL ZohoCRM.coql.READ ZohoCRM.bulk.ALL ZohoCRM.notifications.ALL "
    "ZohoCRM.users.READ ZohoCRM.org.READ ZohoFiles.files.ALL"
)


class Tokens:
    """The access tokens given out, and when."""

    def __init__(self, clock: Clock, per_window: int) -> None:
        self._clock, self._per_window = clock, per_window
        self._live: dict[str, float] = {}
        self._given: deque[float] = deque()
        self._revoked = False

    def token(self, request: Request, base: str) -> Response:
        """`POST /oauth/v2/token`; parameters in the query string or in a form body."""
        sent = {**request.query, **dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))}
        wrong = self._wrong(sent)
        if wrong:
            return json_response({"error": wrong})
        now = self._clock.time()
        while self._given and self._given[0] <= now - WINDOW_S:
            self._given.popleft()
        if len(self._given) >= self._per_window:
            words = "You have made too many requests continuously. Please try again after some time."
            return json_response({"error": "access_denied", "error_description": words, "status": "failure"})
        self._given.append(now)
        answer = {"access_token": self._new(now), "scope": SCOPE, "api_domain": base, "token_type": "Bearer", "expires_in": LIFE_S}
        if sent["grant_type"] == "authorization_code":
            answer["refresh_token"] = REFRESH_TOKEN
            self._revoked = False
        return json_response(answer)

    def revoke(self, request: Request) -> Response:
        """`POST /oauth/v2/token/revoke`: the refresh token and all access tokens end."""
        sent = {**request.query, **dict(parse_qsl(request.body.decode("utf-8", "replace")))}
        if sent.get("token") != REFRESH_TOKEN:
            return json_response({"error": "invalid_token"})
        self._revoked = True
        self._live.clear()
        return json_response({"status": "success"})

    def check(self, request: Request) -> None:
        """Let a call pass that carries a live token. Raises ApiError."""
        header = request.headers.get("authorization")
        if not header:
            raise ApiError(401, "AUTHENTICATION_FAILURE", "Authentication failed")
        scheme, _, token = header.partition(" ")
        expires = self._live.get(token.strip()) if scheme.lower() == "zoho-oauthtoken" else None
        if expires is None or expires <= self._clock.time():
            raise ApiError(401, "INVALID_TOKEN", "invalid oauth token")

    def expire(self) -> None:
        """End every access token."""
        self._live.clear()

    def forget(self) -> None:
        """As at the start: no tokens, no window, nothing revoked."""
        self._live.clear()
        self._given.clear()
        self._revoked = False

    def _wrong(self, sent: Mapping[str, str]) -> str:
        if sent.get("client_id") != CLIENT_ID:
            return "invalid_client"
        if sent.get("client_secret") != CLIENT_SECRET:
            return "invalid_client_secret"
        if sent.get("grant_type") == "refresh_token":
            return "" if sent.get("refresh_token") == REFRESH_TOKEN and not self._revoked else "invalid_code"
        if sent.get("grant_type") == "authorization_code":
            return "" if sent.get("code") == GRANT_CODE else "invalid_code"
        return "invalid_request"

    def _new(self, now: float) -> str:
        token = f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"
        self._live[token] = now + LIFE_S
        while len(self._live) > LIVE_TOKENS:
            del self._live[next(iter(self._live))]
        return token
