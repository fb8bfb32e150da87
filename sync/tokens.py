"""Sessions and access tokens that all workers share: one sign-in for the whole fleet, encrypted at rest."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken

if TYPE_CHECKING:
    from sync.hub import Hub


def master_key() -> bytes:
    """The key that secrets in the database are encrypted with: HUB_SECRET_KEY, or a file in HUB_HOME made at first use."""
    given = os.environ.get("HUB_SECRET_KEY")
    if given:
        return base64.urlsafe_b64encode(hashlib.sha256(given.encode()).digest())
    home = Path(os.environ.get("HUB_HOME", ".hub"))
    place = home / "secret.key"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return place.read_bytes().strip()
    with os.fdopen(descriptor, "wb") as file:
        key = Fernet.generate_key()
        file.write(key)
    return key


class DatabaseTokenStore:
    """A system's tokens in the ledger, by name; the lock is the database's, so that one worker refreshes and the others wait for it."""

    def __init__(self, hub: Hub, system: str) -> None:
        self.hub, self.system = hub, system
        self._box = Fernet(master_key())

    def _full(self, name: str) -> str:
        return f"{self.system}:{name}"

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold the right to refresh a token. A connection of its own, so that no transaction is open while a vendor is called."""
        with self.hub.pool.connection() as connection:
            connection.autocommit = True
            try:
                connection.execute("SELECT pg_advisory_lock(hashtextextended('token:' || %s, 0))", [self._full(name)])
                yield
            finally:
                connection.execute("SELECT pg_advisory_unlock(hashtextextended('token:' || %s, 0))", [self._full(name)])
                connection.autocommit = False

    def read(self, name: str) -> tuple[str, float] | None:
        """The secret and when it expires (unix time), or None. One that cannot be decrypted counts as absent: the key was changed."""
        with self.hub.transaction() as db:
            db.execute(
                "SELECT secret, extract(epoch FROM expires_at)::float8 AS expires FROM shared_token WHERE name = %s", [self._full(name)]
            )
            row = db.fetchone()
        if row is None:
            return None
        try:
            return self._box.decrypt(bytes(row["secret"])).decode(), float(row["expires"])
        except InvalidToken:
            return None

    def save(self, name: str, secret: str, expires: float) -> None:
        """Keep a token until `expires` (unix time)."""
        with self.hub.transaction() as db:
            db.execute(
                "INSERT INTO shared_token (name, secret, expires_at) VALUES (%s, %s, to_timestamp(%s)) "
                "ON CONFLICT (name) DO UPDATE SET secret = excluded.secret, expires_at = excluded.expires_at",
                [self._full(name), self._box.encrypt(secret.encode()), expires],
            )

    def drop(self, name: str) -> None:
        """Forget a token."""
        with self.hub.transaction() as db:
            db.execute("DELETE FROM shared_token WHERE name = %s", [self._full(name)])
