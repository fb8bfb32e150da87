"""Who may import whom (README, Where things are) holds, and every contract bites on a tree that breaks it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.checks.house import REPOSITORY

CONFIG = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]

BREACHES = {
    "canonical: nothing of ours": ("canonical/bad.py", "import ledger"),
    "ledger: canonical only": ("ledger/bad.py", "import sync"),
    "channel: canonical and ledger only": ("channel/deals/bad.py", "import connectors.base"),
    "channel: rules know no database": ("channel/deals/tiers.py", "import ledger"),
    "mappings: canonical only": ("mappings/bad.py", "import ledger"),
    "connectors: nothing of ours but their base modules": ("connectors/erp_kingdee/bad.py", "import canonical"),
    "connectors: none knows another": ("connectors/crm_zoho/bad.py", "import connectors.erp_kingdee"),
    "engine, dags and api: no connector by name": ("sync/bad.py", "import connectors.erp_kingdee"),
    "sync: below dags, api, command and sandbox": ("sync/worse.py", "import sandbox"),
    "dags: sync and services of channel": ("dags/bad.py", "import hub_cli"),
    "hub_api: no command, no dags, no sandbox": ("hub_api/bad.py", "import hub_cli"),
    "sandbox: nothing of ours": ("sandbox/bad.py", "import connectors.base"),
    "oracle: nothing of ours": ("tests/oracle/judging.py", "import sync"),
}
"""For each contract a module that breaks it."""


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys; from importlinter.cli import lint_imports_command; sys.argv = ['lint-imports', '--no-cache']; lint_imports_command()"
    )
    environment = {"PYTHONPATH": str(directory), "PYTHONSAFEPATH": "1", "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=directory, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def tree(directory: Path) -> Path:
    """An empty copy of our rooms, with our contracts."""
    packages = [*CONFIG["root_packages"], "connectors/erp_kingdee", "connectors/crm_zoho", "tests/oracle", "channel/deals"]
    for package in packages:
        (directory / package).mkdir(parents=True, exist_ok=True)
        (directory / package / "__init__.py").touch()
    for module in ("connectors/base.py", "connectors/errors.py", "connectors/transport.py", "channel/deals/service.py"):
        (directory / module).touch()
    for module in next(one["source_modules"] for one in CONFIG["contracts"] if one["name"] == "oracle: nothing of ours"):
        (directory / (module.replace(".", "/") + ".py")).touch()
    (directory / "pyproject.toml").write_text((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    return directory


def test_the_rooms_are_kept() -> None:
    done = lint(REPOSITORY)

    assert done.returncode == 0, done.stdout


def test_every_contract_has_a_breach_to_prove_it() -> None:
    assert sorted(BREACHES) == sorted(contract["name"] for contract in CONFIG["contracts"])


def test_every_module_of_the_oracle_is_under_its_contract() -> None:
    named = next(contract["source_modules"] for contract in CONFIG["contracts"] if contract["name"] == "oracle: nothing of ours")
    there = {f"tests.oracle.{path.stem}" for path in (REPOSITORY / "tests" / "oracle").glob("*.py")}

    assert {name for name in there if not name.split(".")[-1].startswith(("test_", "__init__"))} == set(named)


def test_clean_rooms_pass(tmp_path: Path) -> None:
    place = tree(tmp_path)
    (place / "channel/deals/service.py").write_text("import ledger\n")  # a use case may

    assert lint(place).returncode == 0


@pytest.mark.parametrize("name", sorted(BREACHES))
def test_the_contract_bites(tmp_path: Path, name: str) -> None:
    place = tree(tmp_path)
    module, line = BREACHES[name]
    (place / module).write_text(line + "\n")

    done = lint(place)

    assert done.returncode == 1
    assert f"{name} BROKEN" in done.stdout
