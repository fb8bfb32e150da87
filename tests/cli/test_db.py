"""`hub db`: a server of our own from the command line, and one that was given."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger import postgres
from ledger.migrate import newest
from tests.cli.running import answer, hub


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that the server's account can reach."""
    with tempfile.TemporaryDirectory(prefix="hub-test-cli-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory) / "home"
        postgres.stop(Path(directory) / "home" / "postgres")


def test_a_server_is_started_looked_at_and_stopped(home: Path) -> None:
    started = answer(hub(home, "db", "start", "--json"))
    state = hub(home, "db", "status", "--json")
    url = hub(home, "db", "url").stdout.strip()
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    stopped = answer(hub(home, "db", "stop", "--json"))
    after = hub(home, "db", "status", "--json")

    assert started["revision"] == newest()
    assert (state.returncode, answer(state)["schema"]) == (0, newest())
    assert row == (newest(),)
    assert stopped == {"stopped": True}
    assert (after.returncode, answer(after)["running"]) == (3, False)


def test_a_given_database_is_migrated_only_when_asked(home: Path, empty_database: str) -> None:
    before = hub(home, "db", "status", "--json", HUB_DATABASE_URL=empty_database)
    migrated = hub(home, "db", "migrate", "--json", HUB_DATABASE_URL=empty_database)
    again = hub(home, "db", "migrate", "--json", HUB_DATABASE_URL=empty_database)
    after = hub(home, "db", "status", "--json", HUB_DATABASE_URL=empty_database)

    assert (before.returncode, answer(before)["schema"]) == (3, None)
    assert answer(migrated) == answer(again) == {"revision": newest()}
    assert (after.returncode, answer(after)["ours"]) == (0, False)
    assert not (home / "postgres").exists()


def test_a_wrong_password_is_told_without_showing_it(home: Path, empty_database: str) -> None:
    parts = empty_database.split("@")
    wrong = f"postgresql://hub:not-the-password@{parts[1]}"

    done = hub(home, "db", "status", "--json", HUB_DATABASE_URL=wrong)

    assert done.returncode == 8
    assert answer(done)["error"]["code"] == "postgres/failed"
    assert "not-the-password" not in done.stdout + done.stderr


def test_a_given_server_is_not_ours_to_start(home: Path, empty_database: str) -> None:
    done = hub(home, "db", "start", HUB_DATABASE_URL=empty_database)

    assert done.returncode == 7
    assert "Next: unset it" in done.stderr
