"""The stand-ins, the workers and the database server of the tests that kill."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.world import SMALL, make_world
from tests.convergence.nemesis import Cluster, Workers, cluster
from tests.sync.stage import Pair, stand_ins, still


@pytest.fixture(scope="module", autouse=True)
def quiet_log() -> Iterator[None]:
    """Calls are not told one by one."""
    with still():
        yield


@pytest.fixture(scope="module", autouse=True)
def secret() -> Iterator[None]:
    """Workers and tests share one key."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUB_SECRET_KEY", "a key for killed workers")
        yield


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Two partners, three orders, one accepted quote."""
    with stand_ins(make_world(3, SMALL)) as made:
        yield made


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """A database server that may be killed."""
    with tempfile.TemporaryDirectory(prefix="hub-kill-") as place:
        os.chmod(place, 0o755)  # noqa: PTH101, S103  the server runs as another account when the tests run as root
        with cluster(Path(place) / "pg") as made:
            yield made


@pytest.fixture(scope="module")
def workers(secret: None) -> Iterator[Workers]:
    """Processes to be killed."""
    made = Workers()
    yield made
    made.close()
