"""A hub for commands: a configuration whose systems are not there, and a database filled with a small channel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml
from click.testing import CliRunner

from hub_cli.group import hub
from sync.config import HubConfig
from sync.hub import Hub
from tests.deals.upkeep.conftest import CONFIG as SELLING
from tests.hub_api.configured import CONFIG
from tests.hub_api.world import fill

Run = Callable[..., "CompletedProcess[str]"]


def commands(config: HubConfig, database: str, tmp_path: Path) -> Run:
    """`hub ARGUMENTS`, in this process for speed, over a database with a few records, of which nothing can be read or written."""
    document = config.model_dump(mode="json", exclude_defaults=True)
    secrets = {"app_secret": "SECRET", "client_secret": "SECRET", "refresh_token": "SECRET"}
    for system in document["systems"].values():
        system["settings"] = {name: {"env": secrets[name]} if name in secrets else value for name, value in system["settings"].items()}
    file = tmp_path / "hub.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    with Hub.open(config, database) as opened:
        assert opened.streams  # makes their rows
        with opened.transaction() as db:
            fill(db)

    def run(*arguments: str) -> CompletedProcess[str]:
        told = {"HUB_HOME": str(tmp_path), "HUB_CONFIG": str(file), "HUB_DATABASE_URL": database, "SECRET": "x"}
        done = CliRunner().invoke(hub, arguments, env=told)
        return CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def filled(database: str, tmp_path: Path) -> Run:
    """A hub that decides little itself."""
    return commands(CONFIG, database, tmp_path)


@pytest.fixture
def selling(database: str, tmp_path: Path) -> Run:
    """A hub that may make leads, deals and parties itself."""
    return commands(HubConfig.model_validate(SELLING), database, tmp_path)
