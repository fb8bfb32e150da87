"""What a user sees when something is wrong: code, place, next step, and an exit code to trust."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import answer, hub


def test_without_a_configuration_nothing_is_started(tmp_path: Path) -> None:
    done = hub(tmp_path / "home", "status", "--json")

    assert done.returncode == 2
    assert answer(done)["error"]["next_step"].endswith("`hub up`")
    assert not (tmp_path / "home").exists()


def test_a_mistake_in_the_configuration_is_told_with_file_line_and_fix(tmp_path: Path) -> None:
    file = tmp_path / "hub.yaml"
    file.write_text("systems:\n  kingdee:\n    kind: erp_kingdee\n    colour: 红色\nflows: {}\n", encoding="utf-8")

    done = hub(tmp_path / "home", "--config", str(file), "check", "--offline")

    assert done.returncode == 2
    assert f"{file}:4" in done.stderr
    assert "take it out, or correct its spelling" in done.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"systems: [unclosed", ":1"), ("systems: {客户: 1}".encode("gbk"), "not UTF-8"), (b"- a list\n", "not a mapping")],
)
def test_a_file_that_is_no_configuration_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "hub.yaml"
    file.write_bytes(content)

    done = hub(tmp_path / "home", "--config", str(file), "check", "--offline", "--json")

    assert done.returncode == 2
    assert told in done.stdout


def test_an_unknown_verb_and_an_unknown_option_are_usage_errors(tmp_path: Path) -> None:
    assert hub(tmp_path, "nonsense").returncode == 2
    assert hub(tmp_path, "status", "--nonsense").returncode == 2


def test_one_flaw_alone_is_told_once(tmp_path: Path) -> None:
    done = hub(tmp_path, "price", "quote", str(tmp_path / "nofile.yaml"))

    assert done.returncode == 2
    assert done.stderr.count("nofile.yaml") == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_the_verbs(tmp_path: Path, shell: str) -> None:
    script = hub(tmp_path, "completion", shell)
    completed = hub(tmp_path, _HUB_COMPLETE=f"{shell}_complete", COMP_WORDS="hub rec", COMP_CWORD="rec" if shell == "fish" else "1")

    assert "_HUB_COMPLETE" in script.stdout
    assert "reconcile" in completed.stdout


def test_doctor_looks_at_everything_and_names_the_next_step(tmp_path: Path) -> None:
    done = hub(tmp_path / "home", "doctor", "--json")
    findings = {one["about"]: one for one in answer(done)["findings"]}

    assert {"Python", "PostgreSQL", "Airflow", "ODBC", "locale", "disk", "configuration"} <= set(findings)
    assert all(one["next_step"] for one in findings.values() if one["state"] != "ok")
    assert not (tmp_path / "home").exists(), "it changes nothing"


def test_doctor_says_when_there_is_no_postgresql(tmp_path: Path) -> None:
    done = hub(tmp_path / "home", "doctor", "--json", HUB_POSTGRES_BIN=str(tmp_path))

    assert done.returncode == 8
    assert any("apt-get install postgresql" in one["next_step"] for one in answer(done)["findings"])


@pytest.mark.timeout(180)
def test_a_demo_whose_airflow_does_not_start_names_the_log_and_the_way_without_it(tmp_path: Path) -> None:
    report = tmp_path / "report.json"

    done = hub(
        tmp_path / "home", "demo", "--size", "medium", "--json", str(report), AIRFLOW__LOGGING__LOGGING_CONFIG_CLASS="nowhere.at.all"
    )

    told = json.loads(report.read_text(encoding="utf-8"))["error"]
    assert (done.returncode, told["code"], told["exit"]) == (8, "airflow/failed", 8)
    assert "Traceback" not in done.stderr
    assert "`hub demo --in-process`" in done.stderr
    log = next(Path(word.rstrip(";")) for word in told["next_step"].split() if word.rstrip(";").endswith(".log"))
    assert "nowhere.at.all" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize("typed", ["abc", "NaN", "1e9", "1,200.50", "１２元"])
@pytest.mark.parametrize("command", [("funds", "grant", "MDF", "C1"), ("rebates", "account", "C1", "--programme", "P", "--expire")])
def test_an_amount_that_is_none_is_told(tmp_path: Path, command: tuple[str, ...], typed: str) -> None:
    done = hub(tmp_path / "home", *command, typed)

    assert done.returncode == 2
    assert f"{typed!r} is no plain decimal number" in done.stderr
