"""Sandbox servers, started once per session on free ports, and what a contract test works with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.contract.bench import Bench
from tests.contract.subject import Control, Subject

ROOT = Path(__file__).parents[2]
Started = Callable[[str], Mapping[str, Any]]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Started]:
    """Starts a vendor's sandbox at its first use: its URL, control door and credentials. All are stopped at the end."""
    running: dict[str, tuple[subprocess.Popen[str], Mapping[str, Any]]] = {}

    def start(system: str) -> Mapping[str, Any]:
        if system not in running:
            command = [sys.executable, "-m", "sandbox.serve", system, "--seed", "7"]
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("{"), f"the sandbox {system} did not start (exit code {process.poll()}): {line!r}"
            running[system] = (process, json.loads(line))
        return running[system][1]

    yield start
    for process, _ in running.values():
        process.terminate()
    for process, _ in running.values():
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@pytest.fixture
def bench(request: pytest.FixtureRequest, sandbox: Started) -> Iterator[Bench]:
    """The subject of the test's class on a sandbox as freshly started, with what its examples refer to."""
    subject: Subject = request.cls.subject
    running = sandbox(subject.sandbox)
    control = Control(str(running["control"]))
    control.reset()
    subject.base(control)
    made = Bench(subject, control, running["credentials"])
    yield made
    made.close()
    control.no_faults()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One run per stream of the subject, per writable one, or per way to sign in."""
    subject: Subject | None = getattr(metafunc.cls, "subject", None)
    if subject is None:
        return
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", subject.cases, ids=str)
    if "writable" in metafunc.fixturenames:
        metafunc.parametrize("writable", [case for case in subject.cases if case.fields is not None], ids=str)
    if "way" in metafunc.fixturenames:
        metafunc.parametrize("way", subject.overrides, ids=lambda way: ",".join(map(str, way.values())) or "default")
