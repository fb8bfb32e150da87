"""Cursors of lists: where a page ended, sealed and bound to the query and the key that it came from.

A cursor is encrypted, not only signed: it holds values of the last row, and for a dealer even a running number would tell how much
others do.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub_api.problems import BadCursor

MAX_CURSOR = 1024
"""Longest cursor that is looked at, in characters."""
MAX_PAGE = 200
"""Most rows on a page."""

_NONCE = 12


class Sealer:
    """Makes and opens cursors with a secret that all workers share."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)

    @classmethod
    def of(cls, db: psycopg.Cursor[dict[str, Any]]) -> Sealer:
        """The sealer of this database; its secret is made at the first use."""
        db.execute("INSERT INTO api_secret (name, secret) VALUES ('cursor', %s) ON CONFLICT (name) DO NOTHING", [secrets.token_bytes(32)])
        db.execute("SELECT secret FROM api_secret WHERE name = 'cursor'")
        return cls(bytes(db.fetchone()["secret"]))  # type: ignore[index]  # the row was just made sure of

    def seal(self, position: Sequence[Any], query: bytes) -> str:
        """A cursor for a position (JSON values) in the list that `query` identifies."""
        nonce = secrets.token_bytes(_NONCE)
        return (
            base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, msgspec.json.encode(list(position)), query)).decode().rstrip("=")
        )

    def open(self, cursor: str, query: bytes) -> list[Any]:
        """The position that a cursor holds.

        Raises: BadCursor when it is damaged, or was made for another query or key.
        """
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            position: list[Any] = msgspec.json.decode(self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], query), type=list[Any])
        except (ValueError, InvalidTag, msgspec.DecodeError) as wrong:
            raise BadCursor from wrong
        return position


def query_id(*parts: object) -> bytes:
    """What identifies a list: route, key, filters, order."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).digest()
