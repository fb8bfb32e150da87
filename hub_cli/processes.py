"""Children that are always stopped: each in a session of its own, ended as a group, also when this process is killed.

A child's death is arranged by the kernel (`PR_SET_PDEATHSIG`) where there is no supervisor to outlive it; servers that shall stay
(`hub up`) are started without it and found again by their files of process ids.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PR_SET_PDEATHSIG = 1
PATIENCE_S = 30.0
"""Airflow's components take up to 26 s to stop (measured); then the group is killed."""

_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent(parent: int) -> Callable[[], None]:
    def arrange() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died between fork and here
            os._exit(1)

    return arrange


class Children:
    """Servers of one command; leaving the block stops them, last started first."""

    def __init__(self) -> None:
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self,
        name: str,
        command: list[str],
        *,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        pipe: bool = False,
        stay: bool = False,
    ) -> subprocess.Popen[bytes]:
        """Start a server in its own session. Output goes to `log` (else ours); `pipe` keeps its standard output for the caller; `stay` outlives us."""
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
                preexec_fn=None if stay else _die_with_parent(os.getpid()),
            )
        self._children[name] = child
        return child

    def dead(self) -> list[str]:
        """Names of those that ended by themselves."""
        return [name for name, child in self._children.items() if child.poll() is not None]

    def pids(self) -> dict[str, int]:
        """Process id of each."""
        return {name: child.pid for name, child in self._children.items()}

    def stop(self, patience_s: float = PATIENCE_S) -> None:
        """Stop all; returns when none is left."""
        stop_groups([child.pid for child in reversed(self._children.values())], patience_s, reap=self._reap)
        for child in self._children.values():
            if child.stdout is not None:
                child.stdout.close()
        self._children.clear()

    def _reap(self) -> None:
        for child in self._children.values():
            child.poll()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@dataclass(frozen=True, slots=True)
class Mark:
    """A process as a file remembers it: its id, and when it began, for ids are used again."""

    pid: int
    began: int

    @classmethod
    def of(cls, pid: int) -> Mark | None:
        """The mark of a living process, or None."""
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else cls(pid, int(fields[19]))

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        return Mark.of(self.pid) == self


def members(session: int) -> list[int]:
    """Living processes of a session (a server and all its children that did not leave it)."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended while we looked
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append(int(entry.name))
    return found


def stop_groups(sessions: Iterable[int], patience_s: float = PATIENCE_S, *, reap: Callable[[], None] = lambda: None) -> list[int]:
    """SIGTERM to the leader of each session, patience, then SIGKILL to whatever is left in it. Gives what still lives (nothing, normally)."""
    wanted = list(sessions)
    everyone = {session: members(session) for session in wanted}
    for session in wanted:
        _signal(session, signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while left := _left(wanted, everyone, reap):
        if time.monotonic() > deadline:
            break
        if not any(session in left for session in wanted):  # leaders are gone, children were left behind: they get the word themselves
            for pid in left:
                _signal(pid, signal.SIGTERM)
            deadline = min(deadline, time.monotonic() + 5)
        time.sleep(0.1)
    for pid in left:
        _signal(pid, signal.SIGKILL)
    time.sleep(0.2 if left else 0)
    return _left(wanted, everyone, reap)


def _left(sessions: list[int], before: dict[int, list[int]], reap: Callable[[], None]) -> list[int]:
    reap()
    inside = {pid for session in sessions for pid in members(session)}
    inside.update(pid for session in sessions for pid in before[session] if Mark.of(pid) is not None and pid != os.getpid())
    return sorted(inside)


def _signal(pid: int, signum: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signum)
