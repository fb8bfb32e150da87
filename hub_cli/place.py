"""Where this hub is: its home directory, configuration and database; and how a command opens it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.hub import Hub


@dataclass(frozen=True, slots=True)
class Place:
    """What the global options say."""

    home: Path
    config: Path | None
    database: str | None

    @classmethod
    def of(cls, home: str | None, config: str | None, database: str | None) -> Place:
        """The place that options and environment name; `.hub` of this directory, or of the nearest one above that has it."""
        return cls(Path(home).absolute() if home else _nearest_home(), Path(config).absolute() if config else None, database or None)

    @property
    def config_file(self) -> Path:
        """The configuration to read; it may not be there (then its reading says so)."""
        if self.config is not None:
            return self.config
        return Path("hub.yaml").absolute() if Path("hub.yaml").exists() else self.home / "hub.yaml"

    @property
    def postgres(self) -> Path:
        """Directory of our own database server."""
        return self.home / "postgres"

    @contextmanager
    def open_database(self) -> Iterator[str]:
        """URL of the hub's database, with the schema that this code needs; our own server runs at least as long as the block.

        A given database is never migrated by the way: `hub db migrate` does it.
        """
        from ledger.postgres import Database, check, ensure, start

        if self.database:
            database = Database(self.database, ours=False, version=check(self.database))
            yield database.url
            return
        with start(self.postgres) as server:
            ensure(server.url)
            from ledger.migrate import migrate

            migrate(server.url)
            yield server.url

    def need_config(self) -> None:
        """Refuse before a database is started for nothing."""
        from hub_cli.answers import CommandFailed
        from hub_cli.exits import Exit

        if not self.config_file.exists():
            raise CommandFailed(
                f"there is no configuration {self.config_file}",
                "name yours with --config or HUB_CONFIG, or make one for trial: `hub up`",
                code="sync/bad-config",
                exits=Exit.USAGE,
            )

    @contextmanager
    def open_hub(self) -> Iterator[Hub]:
        """The hub, open."""
        from hub_cli.logs import configure
        from sync.hub import Hub

        configure()
        self.need_config()
        os.environ["HUB_HOME"] = str(self.home)  # where the engine keeps its own secret
        with self.open_database() as url, Hub.open(self.config_file, url) as hub:
            hub.crew.prepare = configure
            yield hub


def _nearest_home() -> Path:
    here = Path.cwd()
    for directory in (here, *here.parents):
        if (directory / ".hub").is_dir():
            return directory / ".hub"
    return here / ".hub"


def who() -> str:
    """How history names the person at this keyboard."""
    import getpass

    try:
        return f"cli:{os.environ.get('HUB_USER') or getpass.getuser()}"
    except (KeyError, OSError):  # an account without a name
        return f"cli:{os.geteuid()}"
