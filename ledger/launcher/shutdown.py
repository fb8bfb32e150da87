"""Stops a server when the last process that uses it is gone, also after a `kill -9` of that process.

Run as a small child: `python -I -S shutdown.py HOME BIN UID GID REMOVE`. It waits on its standard input, the read end of a pipe
whose write end is held by the process that uses the server. The kernel closes that end however the process ends; then,
unless another process still holds a share of HOME/users or HOME/keep says that the server shall stay, the server is stopped.

Imports nothing outside the standard library: it runs without site-packages, in about 10 MiB.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Wait for the end of the parent, then stop the server if nobody else uses it."""
    home, binaries, uid, gid, remove = Path(arguments[0]), Path(arguments[1]), int(arguments[2]), int(arguments[3]), arguments[4] == "1"
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)  # the end of the pipe is the one sign to act on
    said = b""
    while more := os.read(0, 4096):
        said += more
    attempts = 1 if said else 40  # a killed process lets go of its files in any order: its share may outlive its end of the pipe
    for attempt in range(attempts):
        if attempt:
            time.sleep(0.05)
        if _stop_if_unused(home, binaries, uid, gid, remove=remove):
            break
    return 0


def _stop_if_unused(home: Path, binaries: Path, uid: int, gid: int, *, remove: bool) -> bool:
    with (home / "lock").open("a") as lock, (home / "users").open("a") as users:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False  # someone else still uses it, and has a watcher of its own
        if (home / "keep").exists():
            return True
        stop(home / "data", binaries, uid, gid)
        if remove:
            shutil.rmtree(home, ignore_errors=True)
        return True


def stop(data: Path, binaries: Path, uid: int, gid: int) -> None:
    """Stop the server of `data` and whatever of it is left; returns when no process of it is alive."""
    if processes(data):
        run([str(binaries / "pg_ctl"), "stop", "-D", str(data), "-m", "fast", "-w", "-t", "30"], uid, gid)
    end(data)


def end(data: Path) -> None:
    """End whatever still runs of the server of `data`; orphans of a killed postmaster serve nobody."""
    for signum, patience_s in ((signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        _end_by(data, signum, patience_s)


def _end_by(data: Path, signum: signal.Signals, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    sent: set[int] = set()
    while (left := processes(data)) and time.monotonic() < deadline:
        for pid in left:
            if pid not in sent:
                sent.add(pid)
                _kill(pid, signum)
        time.sleep(0.05)


def _kill(pid: int, signum: signal.Signals) -> None:
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        return


def processes(data: Path) -> list[int]:
    """Process ids of the server of `data`: PostgreSQL's processes stand in it, its tools name it."""
    wanted = os.path.realpath(data)
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _belongs(entry, wanted)]


def _belongs(process: Path, data: str) -> bool:
    try:
        if (process / "comm").read_text().strip() not in ("postgres", "pg_ctl", "initdb"):
            return False
        return str((process / "cwd").readlink()) == data or data.encode() in (process / "cmdline").read_bytes().split(b"\0")
    except OSError:  # it ended while we looked, or is not ours to look at
        return False


def run(command: list[str], uid: int, gid: int) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's tools as the server's account and return what it said."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG") and not key.startswith("LC_")}
    environment |= {"LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", os.defpath)}
    drop = {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}
    return subprocess.run(  # type: ignore[call-overload, no-any-return, unused-ignore]  # keywords by dictionary
        command, env=environment, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False, **drop
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
