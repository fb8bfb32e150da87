"""Children that are always stopped: each in a session of its own, remembered in a file, ended with all its own children.

A server that shall live only as long as this process is watched by a small helper that outlives us, even a `kill -9`: it waits for
the end of a pipe that we hold, then stops whatever the files name. Servers that shall stay (`hub up`) have no helper; `hub down` finds them
by the same files. Imports nothing outside the standard library: the helper runs `python -I -S processes.py DIRECTORY`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

PATIENCE_S = 30.0
"""Airflow's components take up to 26 s to stop (measured); then all that is left of them is killed."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A process as a file remembers it: its id, and when it began, for ids are used again."""

    name: str
    pid: int
    began: int

    @classmethod
    def of(cls, name: str, pid: int) -> Mark:
        """The mark of a child that was just started."""
        found = _stat(pid)
        return cls(name, pid, int(found[19]) if found else 0)

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        found = _stat(self.pid)
        return found is not None and int(found[19]) == self.began

    def everyone(self) -> list[int]:
        """The living processes of its session: itself, and children that it left behind. None when the id belongs to another by now."""
        leader = _stat(self.pid)
        return [] if leader is not None and int(leader[19]) != self.began else members(self.pid)


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat after the name: state first, session 4th, start time 20th. None for the dead and for zombies."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def members(session: int) -> list[int]:
    """Living processes of a session. Its id is not given to a new process while one of them lives."""
    found = []
    for pid in _pids():
        fields = _stat(pid)
        if fields is not None and int(fields[3]) == session:
            found.append(pid)
    return found


def standing_in(directory: Path) -> list[int]:
    """Processes of this Python that stand in `directory`: children that made a session of their own are found so."""
    wanted, ours = str(directory.resolve()), os.path.realpath(sys.executable)
    found = []
    for pid in _pids():
        try:
            if (
                pid != os.getpid()
                and str(Path(f"/proc/{pid}/cwd").readlink()) == wanted
                and str(Path(f"/proc/{pid}/exe").readlink()) == ours
            ):
                found.append(pid)
        except OSError:  # it ended while we looked, or is not ours to look at
            continue
    return [pid for pid in found if _stat(pid) is not None]


class Children:
    """Servers whose marks stand in one directory. As a context manager it stops them, last started first."""

    def __init__(self, marks: Path, *, stay: bool = False) -> None:
        self.marks = marks
        self._stay = stay
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._helper: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        marks.mkdir(parents=True, exist_ok=True)

    def start(
        self,
        name: str,
        command: list[str],
        *,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        pipe: bool = False,
    ) -> subprocess.Popen[bytes]:
        """Start a server in a session of its own. Output goes to `log` (else ours); `pipe` keeps its standard output for the caller."""
        with self._lock:
            if self._helper is None and not self._stay:
                self._helper = self._watch()
            with contextlib.ExitStack() as stack:
                out = stack.enter_context(log.open("ab")) if log else None
                child = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE if pipe else out,
                    stderr=out,
                    env={**os.environ, **(environment or {})},
                    cwd=cwd,
                    start_new_session=True,
                )
            mark = Mark.of(name, child.pid)
            (self.marks / f"{name}.json").write_text(json.dumps({"name": name, "pid": mark.pid, "began": mark.began, "at": time.time()}))
            self._children[name] = child
            return child

    def _watch(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-I", "-S", __file__, str(self.marks)]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, cwd="/", start_new_session=True)

    def dead(self) -> list[str]:
        """Names of those that ended by themselves."""
        return [name for name, child in self._children.items() if child.poll() is not None]

    def stop(self, patience_s: float = PATIENCE_S) -> list[int]:
        """Stop all; gives what could not be stopped (nothing, normally)."""
        left = stop_marked(self.marks, patience_s, names=list(self._children), reap=self._reap)
        for child in self._children.values():
            if child.stdout is not None:
                child.stdout.close()
        self._children.clear()
        helper, self._helper = self._helper, None
        if helper is not None and helper.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # the helper itself was killed: there is nothing left for it to do
                helper.stdin.write(b"done")  # else it would stop what others have marked in the same directory
                helper.stdin.flush()
            helper.stdin.close()
            helper.wait(timeout=60)
        return left

    def _reap(self) -> None:
        for child in self._children.values():
            child.poll()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def marked(marks: Path) -> list[Mark]:
    """What the files of a directory name, oldest first; living or dead."""
    told = []
    for file in marks.glob("*.json"):
        try:
            entry = json.loads(file.read_text())
            told.append((float(entry["at"]), Mark(str(entry["name"]), int(entry["pid"]), int(entry["began"]))))
        except (OSError, ValueError, KeyError):  # half written by a killed process: its server is found by the others' session, or by hand
            continue
    return [mark for _, mark in sorted(told, key=lambda pair: pair[0])]


def stop_marked(
    marks: Path, patience_s: float = PATIENCE_S, *, names: Iterable[str] | None = None, reap: Callable[[], None] = lambda: None
) -> list[int]:
    """Stop the servers that the files name, last started first, and forget them. Gives what still lives (nothing, normally)."""
    wanted = [mark for mark in reversed(marked(marks)) if names is None or mark.name in set(names)]
    left = stop_all(wanted, patience_s, reap)
    if not left:
        for mark in wanted:
            (marks / f"{mark.name}.json").unlink(missing_ok=True)
    return left


def stop_all(wanted: list[Mark], patience_s: float, reap: Callable[[], None] = lambda: None) -> list[int]:
    """SIGTERM to each leader, patience, SIGTERM to children left behind, then SIGKILL. Gives what still lives."""
    reap()
    ours = {pid for mark in wanted for pid in mark.everyone()} - {os.getpid()}
    for mark in wanted:
        if mark.alive:
            _signal(mark.pid, signal.SIGTERM)
    deadline, told = time.monotonic() + patience_s, False
    while (left := _living(wanted, ours, reap)) and time.monotonic() < deadline:
        if not told and not any(mark.alive for mark in wanted):
            told, deadline = True, min(deadline, time.monotonic() + 5)
            for pid in left:
                _signal(pid, signal.SIGTERM)
        time.sleep(0.05)
    for pid in left:
        _signal(pid, signal.SIGKILL)
    for _ in range(40 if left else 0):
        time.sleep(0.05)
        if not (left := _living(wanted, ours, reap)):
            break
    return left


def _living(wanted: list[Mark], ours: set[int], reap: Callable[[], None]) -> list[int]:
    reap()
    ours.update(pid for mark in wanted for pid in mark.everyone() if pid != os.getpid())
    return sorted(pid for pid in ours if _stat(pid) is not None)


def _signal(pid: int, signum: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signum)


def main(arguments: list[str]) -> int:
    """The helper: wait for the end of the process that started us, then stop what the files name."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)  # the end of the pipe is the one sign to act on
    said = b""
    while more := os.read(0, 4096):
        said += more
    if said:
        return 0
    left = stop_marked(Path(arguments[0]))
    with contextlib.suppress(OSError):  # a temporary directory goes when it is empty; one with anything in it stays
        Path(arguments[0]).rmdir()
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
