"""Running the command as a user does: a process of its own, its answer, its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]


def environment(home: Path, **more: str) -> dict[str, str]:
    """The test's own environment, with this home and nothing of the developer's hub."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("HUB_", "AIRFLOW"))}
    return {**kept, "HUB_HOME": str(home), **more}


def hub(home: Path, *arguments: str, timeout_s: float = 300, **more: str) -> subprocess.CompletedProcess[str]:
    """`hub ARGUMENTS` with this home."""
    command = [sys.executable, "-m", "hub_cli.main", *arguments]
    return subprocess.run(
        command, cwd=REPOSITORY, env=environment(home, **more), capture_output=True, text=True, timeout=timeout_s, check=False
    )


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    """The JSON document that a command with --json printed."""
    assert done.stdout.strip(), done.stderr
    return json.loads(done.stdout)


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def until(true: Callable[[], bool], patience_s: float = 30) -> bool:
    """Whether it became true in time."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return true()


def kill(pid: int) -> None:
    """`kill -9`."""
    os.kill(pid, signal.SIGKILL)
