"""API keys: who calls. A key is `hub_<id>_<secret>`; the secret has 256 random bits and is stored only as its hash.

The functions take an open database cursor; the caller owns the transaction.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from hub_api.permissions import ROLES, Role, Scope
from hub_api.problems import KeyExpired, Unauthenticated

Cursor = psycopg.Cursor[dict[str, Any]]

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_TOKEN = re.compile(r"hub_([a-z2-7]{12})_([A-Za-z0-9_-]{43})")
_NOBODY = b"\0" * 32


class BadKey(ValueError):
    """A key that cannot be made as asked; the text says why."""

    code = "keys/bad-key"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request."""

    key_id: str
    name: str
    role: Role
    scopes: frozenset[Scope]
    party: UUID | None = None
    """A dealer's own party; None for our own people."""

    @property
    def actor(self) -> str:
        """How history and audit name the caller."""
        return f"api:{self.name}"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made. `token` is shown once and is nowhere stored."""

    id: str
    token: str


def create(
    db: Cursor,
    *,
    name: str,
    role: Role | str,
    by: str,
    scopes: Collection[Scope | str] | None = None,
    party: UUID | None = None,
    expires_at: datetime | None = None,
) -> NewKey:
    """Make a key. Without `scopes` it gets all that its role may have.

    Time: `expires_at` is an aware datetime; None never expires.
    Raises: BadKey for a role or scope that there is not, a scope beyond the role, or a dealer without a party.
    """
    known, wanted = _checked(role, scopes, party)
    if not name.strip() or len(name) > 80:
        raise BadKey("a key needs a name of at most 80 characters, so that the audit log can tell who it was")
    if expires_at is not None and expires_at.tzinfo is None:
        raise BadKey("the expiry needs a time zone")
    key_id = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    secret = secrets.token_urlsafe(32)
    db.execute(
        "INSERT INTO api_key (id, secret_hash, name, role, scopes, party_id, created_by, expires_at) VALUES (%s, %s, %s, "
        "%s, %s, %s, %s, %s)",
        [key_id, _hashed(secret), name.strip(), known, sorted(wanted), party, by, expires_at],
    )
    return NewKey(key_id, f"hub_{key_id}_{secret}")


def revoke(db: Cursor, key_id: str) -> bool:
    """Make a key useless from now on. False when there is no such key, or it was revoked before."""
    db.execute("UPDATE api_key SET revoked_at = now() WHERE id = %s AND revoked_at IS NULL", [key_id])
    return db.rowcount == 1


def listing(db: Cursor) -> list[dict[str, Any]]:
    """All keys, newest first, without their hashes. Times are aware."""
    db.execute(
        "SELECT id, name, role, scopes, party_id, created_at, created_by, expires_at, revoked_at, last_used_at FROM "
        "api_key ORDER BY created_at DESC, id"
    )
    return db.fetchall()


def authenticate(db: Cursor, header: str | None) -> Caller:
    """The caller that an Authorization header proves.

    Raises: Unauthenticated, KeyExpired (only when the secret was right).
    """
    scheme, _, token = (header or "").partition(" ")
    found = _TOKEN.fullmatch(token.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        raise Unauthenticated
    db.execute(
        "SELECT secret_hash, name, role, scopes, party_id, coalesce(expires_at <= now(), false) OR revoked_at IS NOT NULL AS over, "
        "coalesce(last_used_at < now() - interval '1 minute', true) AS stale FROM api_key WHERE id = %s",
        [found[1]],
    )
    row = db.fetchone()
    # An unknown id takes as long as a wrong secret.
    if not hmac.compare_digest(_hashed(found[2]), row["secret_hash"] if row else _NOBODY) or row is None:
        raise Unauthenticated
    if row["over"]:
        raise KeyExpired
    if row["stale"]:
        db.execute("UPDATE api_key SET last_used_at = now() WHERE id = %s", [found[1]])
    role = Role(row["role"])
    scopes = frozenset(Scope(scope) for scope in row["scopes"] if scope in set(Scope)) & (ROLES[role].scopes | ROLES[role].by_name)
    return Caller(found[1], row["name"], role, scopes, row["party_id"])


def _checked(role: Role | str, scopes: Collection[Scope | str] | None, party: UUID | None) -> tuple[Role, frozenset[Scope]]:
    try:
        known = Role(role)
        wanted = ROLES[known].scopes if scopes is None else frozenset(Scope(scope) for scope in scopes)
    except ValueError as wrong:
        raise BadKey(f"{wrong}: roles are {', '.join(Role)}; scopes are {', '.join(Scope)}") from None
    if beyond := wanted - ROLES[known].scopes - ROLES[known].by_name:
        raise BadKey(f"a key of role {known} cannot have {', '.join(sorted(beyond))}")
    if (known is Role.DEALER) != (party is not None):
        raise BadKey("a dealer's key needs the dealer's party, and no other key may have one")
    return known, wanted


def _hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
