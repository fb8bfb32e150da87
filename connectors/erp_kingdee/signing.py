"""Kingdee's signatures: the headers of signed requests, and the signature of a log-in by app.

Checked against the vendor's SDK 8.2.0: tests/connectors/erp_kingdee/test_signing.py holds a vector that it produced.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

_SECRET_MASK = codecs.decode("0054s397p6234378o09pn7q3r5qropr7", "rot13").encode()


def client_secret(app_id: str) -> str:
    """The key that a client id carries in the second half of the app id; empty where that half is malformed, as the SDK has it."""
    part = app_id.partition("_")[2]
    if len(part) != 32:
        return ""
    try:
        raw = base64.b64decode(part, validate=True)
    except binascii.Error:
        return ""
    return base64.b64encode(bytes(byte ^ mask for byte, mask in zip(raw, _SECRET_MASK, strict=False))).decode()


def signed_headers(
    url: str, *, acct_id: str, user_name: str, app_id: str, app_secret: str, lcid: int, org_number: str, timestamp: int
) -> Mapping[str, str]:
    """The headers that sign one request.

    Time: `timestamp` is Unix seconds; the vendor's SDK uses it as the nonce too, so the server does.
    """
    now = str(timestamp)
    path = quote(urlsplit(url).path, safe="")
    text = f"POST\n{path}\n\nx-api-nonce:{now}\nx-api-timestamp:{now}\n"
    app_data = f"{acct_id},{user_name},{lcid},{org_number or '0'}"
    return {
        "X-Api-ClientID": app_id.partition("_")[0],
        "X-Api-Auth-Version": "2.0",
        "x-api-timestamp": now,
        "x-api-nonce": now,
        "x-api-signheaders": "x-api-timestamp,x-api-nonce",
        "X-Api-Signature": _signature(client_secret(app_id), text),
        "X-Kd-Appkey": app_id,
        "X-Kd-Appdata": base64.b64encode(app_data.encode()).decode(),
        "X-Kd-Signature": _signature(app_secret, app_id + app_data),
    }


def login_signature(*, acct_id: str, user_name: str, app_id: str, app_secret: str, timestamp: int) -> str:
    """The `sign` of LoginBySign: SHA-256 over the five texts in byte order, joined by nothing."""
    parts = sorted([acct_id, user_name, app_id, app_secret, str(timestamp)], key=str.encode)
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _signature(key: str, text: str) -> str:
    """Base64 of the hexadecimal text (not of the raw bytes) of HMAC-SHA256."""
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest().encode()).decode()
