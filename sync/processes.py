"""Which process this is, told so that another on the same machine can prove that it is dead.

A process id alone proves nothing: it may be another container's, another machine's, or taken again since. So the machine's boot, the
namespace of process ids and the moment the process began stand beside it. Where one of them cannot be read, nothing is ever proved.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

PROC = Path("/proc")


def holder() -> str:
    """Who we are, as `host:pid boot/namespace/start`; for people the first part. The rest is missing where there is no /proc."""
    pid = os.getpid()
    place, began = _place(), _began(pid)
    told = f"{socket.gethostname()}:{pid}"
    return f"{told} {place}/{began}" if place and began else told


def name_of(holder: str) -> str:
    """The part for people."""
    return holder.partition(" ")[0]


def is_dead(holder: str) -> bool:
    """True only when the process that called itself so is proved to be dead: it ran here, and is gone, or its id is another's now."""
    told, _, proof = holder.partition(" ")
    place, _, began = proof.rpartition("/")
    pid = told.rpartition(":")[2]
    if not place or place != _place() or not began or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it is somebody's; whose, /proc tells if it may
    now = _began(int(pid))
    return now is not None and (now != began or _is_zombie(int(pid)))


def _place() -> str | None:
    """The machine since it was started, and the namespace in which its process ids count. An inode is free again only when all are dead."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{(PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return None


def _stat(pid: int) -> list[str] | None:
    """Fields 3 and on of proc(5) `stat`; the name before them may hold blanks and brackets."""
    try:
        return (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def _began(pid: int) -> str | None:
    """When a process began, in clock ticks since the machine's start."""
    fields = _stat(pid)
    return fields[19] if fields and len(fields) > 19 else None


def _is_zombie(pid: int) -> bool:
    """Dead and not yet collected by its parent. A first thread that ended before the others looks so too, and is not."""
    fields = _stat(pid)
    try:
        threads = len(list((PROC / str(pid) / "task").iterdir()))
    except OSError:
        return False
    return fields is not None and fields[0] in ("Z", "X") and threads <= 1
