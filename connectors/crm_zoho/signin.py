"""Sign-in: one access token for all workers, renewed by one of them, never in a loop.

Zoho gives at most ten access tokens per refresh token in ten minutes, so a token is kept in the shared store until it expires or is
refused. A refusal of the credentials is remembered as well: nobody asks again for ten minutes, unless the credentials were changed.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from connectors.crm_zoho.settings import ZohoSettings
from connectors.errors import Garbled, SignInRefused, Throttled, Unavailable
from connectors.transport import Answer, Transport, dump_json, parse_json

EARLY_S = 60.0
"""A token is renewed this long before it expires, or a tenth of its life before, when that is less."""
USUAL_LIFE_S = 3600.0
REFUSED_FOR_S = 600.0
"""How long a refusal is remembered; also the window of Zoho's own limit on tokens (OAuth, token limits)."""


class SignIn:
    """The access token of one organisation."""

    def __init__(self, settings: ZohoSettings, transport: Transport) -> None:
        self._settings, self._transport = settings, transport
        proof = f"{settings.accounts_url}\n{settings.client_id}\n{settings.refresh_token.get_secret_value()}"
        self._name = f"zoho:{hashlib.sha256(proof.encode()).hexdigest()[:24]}"
        self._last: tuple[dict[str, Any], float] | None = None
        """The token that the store gave last, and when it expires. One that is refused meanwhile is asked for anew as `stale`."""

    def token(self, *, stale: str = "") -> str:
        """A token that is believed to be good and is not `stale`, the one that was just refused.

        Raises: SignInRefused, Throttled, Unavailable, Garbled.
        """
        return str(self._held(stale)["access_token"])

    def scopes(self) -> frozenset[str]:
        """Scopes that the token answer told; empty when it told none."""
        return frozenset(str(self._held().get("scope", "")).replace(",", " ").split())

    def api_domain(self) -> str:
        """The API address that the token answer told; empty when it told none."""
        return str(self._held().get("api_domain", "")).rstrip("/")

    def useless(self) -> SignInRefused:
        """Remember that a fresh token was refused as well, and give the error to raise."""
        return self._refused("a fresh access token is refused as well; the addresses may belong to another data centre", "INVALID_TOKEN")

    def _held(self, stale: str = "") -> dict[str, Any]:
        found = self._good(stale)
        if found is None:
            with self._transport.tokens.lock(self._name):
                found = self._good(stale)  # another worker may have renewed it while this one waited
                if found is None:
                    found = self._renew()
        return found

    def _good(self, stale: str) -> dict[str, Any] | None:
        now = self._transport.clock()
        if self._last is not None and self._last[1] > now and self._last[0]["access_token"] != stale:
            return self._last[0]
        kept = self._transport.tokens.read(self._name)
        if kept is None or kept[1] <= now:
            return None
        held: dict[str, Any] = parse_json(self._transport.system, kept[0].encode())
        self._last = (held, kept[1])
        return held if held["access_token"] != stale else None

    def _renew(self) -> dict[str, Any]:
        refused = self._transport.tokens.read(f"{self._name}:refused")
        if refused is not None and refused[1] > self._transport.clock():
            raise self._error(refused[0], "")
        form = {
            "grant_type": "refresh_token",
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret.get_secret_value(),
            "refresh_token": self._settings.refresh_token.get_secret_value(),
        }
        answer = self._transport.call(
            "POST",
            f"{self._settings.accounts_url}/oauth/v2/token",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
            writes=False,
            kind="signin",
            judge=self._judge,
        )
        held = {key: answer[key] for key in ("access_token", "scope", "api_domain") if answer.get(key)}
        life = _life(answer)
        expires = self._transport.clock() + life - min(EARLY_S, life / 10)
        self._transport.tokens.save(self._name, dump_json(held).decode(), expires)
        return held

    def _judge(self, answer: Answer) -> dict[str, Any]:
        """The token answer. A refusal may come with status 200, so only the key `access_token` counts (OAuth, refresh)."""
        if answer.status >= 500:
            raise Unavailable(self._transport.system, "the sign-in address fails", vendor_code=str(answer.status))
        body = parse_json(self._transport.system, answer.body, answer.charset)
        if not isinstance(body, dict):
            raise Garbled(self._transport.system, "the token answer is not an object")
        if isinstance(body.get("access_token"), str) and body["access_token"]:
            return body
        error = str(body.get("error") or body.get("code") or f"HTTP {answer.status}")[:60]
        if "too many" in str(body.get("error_description", body.get("message", ""))).lower():
            raise Throttled(self._transport.system, "too many access tokens were asked for", after_s=REFUSED_FOR_S, vendor_code=error)
        raise self._refused(f"the sign-in was refused: {error}", error)

    def _refused(self, why: str, code: str) -> SignInRefused:
        tokens = self._transport.tokens
        tokens.drop(self._name)
        self._last = None
        tokens.save(f"{self._name}:refused", why, self._transport.clock() + REFUSED_FOR_S)
        return self._error(why, code)

    def _error(self, why: str, code: str) -> SignInRefused:
        return SignInRefused(
            self._transport.system,
            why,
            vendor_code=code,
            next_step="make a new refresh token with the self client of the same data centre (docs/connectors/crm_zoho.md)",
        )


def _life(answer: dict[str, Any]) -> float:
    """Seconds that a token lives. Some data centres tell milliseconds as `expires_in` and seconds as `expires_in_sec`."""
    for name in ("expires_in_sec", "expires_in"):
        told = answer.get(name)
        if isinstance(told, int | Decimal | str) and str(told).isdigit() and int(told) > 0:
            return min(float(told), USUAL_LIFE_S)
    return USUAL_LIFE_S
