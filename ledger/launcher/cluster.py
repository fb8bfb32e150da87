"""One PostgreSQL server in a directory of its own: made, started, shared between processes, always stopped.

HOME/            reachable by the server's account
  data/          PGDATA, 0700, owned by that account
  password       0600, ours: the generated password of the role `hub`
  port           the port of the last start, tried first at the next one
  lock           held while the server is made, started or stopped
  users          a shared lock by every process that uses the server; the last one out stops it
  keep           there while the server shall outlive its users (`make up`)
  server.log
"""

from __future__ import annotations

import atexit
import fcntl
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Self

from ledger.launcher import shutdown
from ledger.launcher.binaries import SYSTEM_HOME, Binaries, account, find, reachable
from ledger.launcher.errors import HomeUnusable, StartFailed

ROLE = "hub"
RETRY_S = 10.0
"""After a `kill -9` the start fails until the orphaned backends have gone, seen 1 to 3 times (Debian 15.18)."""

SETTINGS: dict[str, str] = {
    "listen_addresses": "127.0.0.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",  # the hub's statements are short; compiling them costs more than it saves
}
FAST: dict[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
"""For tests only: a power cut may lose everything. A `kill -9` of the server loses at most the last 0.6 s of commits."""


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of a server without starting it."""

    home: Path
    exists: bool
    running: bool
    pid: int | None
    port: int | None
    kept: bool
    version: str


class Server:
    """A running server that this process uses. Close it (or leave the `with` block) and, if nobody else uses it, it stops."""

    def __init__(self, home: Path, port: int, version: str, claim: IO[str] | None, watcher: subprocess.Popen[bytes] | None) -> None:
        self.home, self.port, self.version = home, port, version
        self._password = (home / "password").read_text()
        self._claim, self._watcher, self._owner = claim, watcher, os.getpid()
        atexit.register(self.stop)

    @property
    def url(self) -> str:
        """The hub's database, with its password: do not log it."""
        return self.url_of("hub")

    def url_of(self, database: str) -> str:
        """A libpq URL of `database` on this server, for its superuser `hub`."""
        return f"postgresql://{ROLE}:{self._password}@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int | None:
        """Process id of the server itself, or None when it has ended. It is nobody's child."""
        return _postmaster(self.home)[0]

    def stop(self) -> None:
        """Give up the use of the server; returns when it has stopped or someone else goes on using it."""
        if os.getpid() != self._owner or self._watcher is None:  # a forked child, a second call, or a server that is kept
            return
        watcher, self._watcher = self._watcher, None
        if self._claim is not None:
            self._claim.close()
        if watcher.stdin is not None:
            with suppress(BrokenPipeError):  # the watcher itself was killed: its exit code tells
                watcher.stdin.write(b"done")
            watcher.stdin.close()
        if watcher.wait(timeout=120) != 0:
            stop(self.home, only_unused=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(home: Path, *, fast: bool = False, keep: bool = False, settings: Mapping[str, str] | None = None, remove: bool = False) -> Server:
    """The server of `home`, made and started where needed, shared where another process has started it.

    `fast` gives up durability (tests); `keep` lets it outlive this process, until :func:`stop`; `remove` deletes `home` at the end.
    Raises: BinariesMissing, StartFailed, HomeUnusable.
    """
    home = usable_home(home)
    _prepare(home)
    with locked(home):
        binaries = find(_major_of(home))
        claim = (home / "users").open("a")
        fcntl.flock(claim, fcntl.LOCK_SH)
        if keep:
            (home / "keep").touch()
        watcher = None if keep else _watch(home, binaries, remove=remove)  # before the start: a kill in between leaves nothing behind
        try:
            if not (home / "data").exists():
                _create(home, binaries, fast=fast)
            port = _running_port(home) or _boot(home, binaries, {**SETTINGS, **(FAST if fast else {}), **(settings or {})})
        except BaseException:
            claim.close()
            raise
    return Server(home, port, binaries.version, claim, watcher)


@contextmanager
def temporary(*, fast: bool = True, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server that is gone afterwards with all its data, also when this process is killed."""
    home = Path(tempfile.mkdtemp(prefix="hub-pg-"))
    home.chmod(0o711)
    server = start(home, fast=fast, settings=settings, remove=True)
    try:
        yield server
    finally:
        server.stop()


def stop(home: Path, *, only_unused: bool = False) -> bool:
    """Stop the server of `home`; says whether there was one running. With `only_unused`, leave it to those who still use it."""
    home = usable_home(home)
    if not home.exists():
        return False
    with locked(home), (home / "users").open("a") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if only_unused:
                return False
        (home / "keep").unlink(missing_ok=True)
        if not shutdown.processes(home / "data"):
            return False
        who = account()
        shutdown.stop(home / "data", find(_major_of(home)).directory, who.uid, who.gid)
        return True


def remove(home: Path) -> None:
    """Stop the server of `home` and delete all its data, wherever it really is."""
    stop(home)
    shutil.rmtree(usable_home(home), ignore_errors=True)


def status(home: Path) -> Status:
    """What is known of the server of `home` without starting it."""
    home = usable_home(home)
    port = _running_port(home)
    return Status(
        home=home,
        exists=(home / "data").exists(),
        running=port is not None,
        pid=_postmaster(home)[0] if port else None,
        port=port,
        kept=(home / "keep").exists(),
        version=str(_major_of(home) or ""),
    )


def running(home: Path) -> Server | None:
    """The running server of `home` without taking a share in it, or None."""
    home = usable_home(home)
    port = _running_port(home)
    return Server(home, port, str(_major_of(home)), None, None) if port else None


def usable_home(home: Path) -> Path:
    """`home`, or for root a place outside a private folder that stands for it (always the same one)."""
    home = home.expanduser().absolute()
    if reachable(home.parent, account()):
        return home
    return SYSTEM_HOME / f"{home.name}-{sha256(str(home).encode()).hexdigest()[:10]}"


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Nobody else makes, starts or stops the server of `home` meanwhile."""
    with (home / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prepare(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o711)
        if not reachable(home, account()):
            home.chmod(0o711)
        (home / "users").touch()
    except PermissionError as refused:
        raise HomeUnusable(
            f"{home} is not ours to write ({refused})", "run as the account that made it, or give another directory"
        ) from refused


def _major_of(home: Path) -> int | None:
    try:
        return int((home / "data" / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None
    except PermissionError:
        raise HomeUnusable(
            f"{home / 'data'} belongs to another account", "run as the account that made it, or give another directory"
        ) from None


def _create(home: Path, binaries: Binaries, *, fast: bool) -> None:
    """A new cluster, in place only when it is complete: a kill in the middle leaves nothing half made."""
    who, half, given = account(), home / "data.new", home / ".password.new"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    password = secrets.token_urlsafe(24)
    _write_private(home / "password", password)
    _write_private(given, password)
    if who.drop:
        os.chown(half, who.uid, who.gid)
        os.chown(given, who.uid, who.gid)
    command = [str(binaries.directory / "initdb"), "-D", str(half), "-U", ROLE, "-E", "UTF8", "--locale=C.UTF-8", "-A", "scram-sha-256"]
    command += [f"--pwfile={given}", "--no-instructions", *(["--no-sync"] if fast else [])]
    made = shutdown.run(command, who.uid, who.gid)
    given.unlink()
    if made.returncode != 0:
        raise StartFailed("initdb", home, made.stdout + made.stderr)
    half.rename(home / "data")


def _boot(home: Path, binaries: Binaries, settings: Mapping[str, str]) -> int:
    who, log = account(), home / "server.log"
    log.touch(mode=0o600)
    if who.drop:
        os.chown(log, who.uid, who.gid)
    deadline, said = time.monotonic() + RETRY_S, ""
    while True:
        _clear_dead(home)
        port = _free_port(home)
        options = {**settings, "port": str(port), "unix_socket_directories": _socket_directory(home)}
        line = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in options.items())
        command = [str(binaries.directory / "pg_ctl"), "start", "-D", str(home / "data"), "-l", str(log), "-w", "-t", "300", "-o", line]
        begun = shutdown.run(command, who.uid, who.gid)
        if begun.returncode == 0:
            (home / "port").write_text(str(port))
            return port
        said = begun.stdout + begun.stderr
        if time.monotonic() > deadline:
            raise StartFailed("pg_ctl start", home, said + log.read_text(errors="replace")[-1000:])
        time.sleep(0.3)


def _watch(home: Path, binaries: Binaries, *, remove: bool) -> subprocess.Popen[bytes]:
    who = account()
    command = [
        sys.executable,
        "-I",
        "-S",
        shutdown.__file__,
        str(home),
        str(binaries.directory),
        str(who.uid),
        str(who.gid),
        "1" if remove else "0",
    ]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", start_new_session=True, bufsize=0
    )


def _postmaster(home: Path) -> tuple[int | None, int | None, bool]:
    """Process id, port and readiness as PostgreSQL wrote them into postmaster.pid."""
    try:
        lines = (home / "data" / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, PermissionError):
        return None, None, False
    if len(lines) < 8 or not lines[0].strip().isdigit():
        return None, None, False
    return int(lines[0]), int(lines[3]), lines[7].strip() == "ready"


def _running_port(home: Path) -> int | None:
    pid, port, ready = _postmaster(home)
    return port if pid is not None and ready and pid in shutdown.processes(home / "data") else None


def _clear_dead(home: Path) -> None:
    """Make way after a `kill -9` of the server: end its orphaned backends, and forget a process id that is not its own any more.

    The number may be a zombie's that nobody reaps, or another program's after a container was restarted: PostgreSQL would refuse to start.
    """
    shutdown.end(home / "data")
    pid, _, _ = _postmaster(home)
    if pid is not None and Path(f"/proc/{pid}").exists() and not shutdown.processes(home / "data"):
        (home / "data" / "postmaster.pid").unlink(missing_ok=True)


def _socket_directory(home: Path) -> str:
    """Inside the private data directory; empty (no socket) where the path would be too long for the kernel's 107 bytes."""
    directory = str(home / "data")
    return directory if len(os.fsencode(directory)) < 80 else ""


def _free_port(home: Path) -> int:
    try:
        wanted = int((home / "port").read_text())
    except (FileNotFoundError, ValueError):
        wanted = 0
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StartFailed("looking for a free port", home, "no free port on 127.0.0.1")


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
