"""`hub --help` is cheap, complete, and the same with and without click."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hub_cli.exits import OF_ERROR, OF_RUN, Exit, of_error
from hub_cli.group import hub
from hub_cli.main import OPTIONS, VERBS, help_text
from tests.cli.running import REPOSITORY

BUILT_ON = [
    "demo",
    "up",
    "down",
    "status",
    "check",
    "describe",
    "sync",
    "plan",
    "apply",
    "deliver",
    "backfill",
    "reconcile",
    "replay",
    "diff",
    "why",
    "links",
    "deliveries",
    "conflicts",
    "cases",
    "quarantine",
    "values",
    "map",
    "sandbox",
    "db",
    "doctor",
]
"""Verbs that users build on."""

NAMES = [name for section in VERBS.values() for name in section]


def commands(group: click.Command = hub, path: str = "hub") -> list[tuple[str, click.Command]]:
    """Every command with its path, groups' subcommands included."""
    if not isinstance(group, click.Group):
        return [(path, group)]
    context = click.Context(group)
    found = []
    for name in group.list_commands(context):
        if name == "demo":  # the story's own tests look at it
            continue
        command = group.get_command(context, name)
        assert command is not None
        found += commands(command, f"{path} {name}")
    return found


def test_every_verb_that_users_build_on_is_there() -> None:
    assert [name for name in BUILT_ON if name not in NAMES] == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("stauts", "Did you mean status?"), ("plan lsit", "Did you mean list?"), ("deals aprove", "approve"), ("frobnicate", "`hub --help`")],
)
def test_a_mistyped_word_is_told_with_what_was_perhaps_meant(typed: str, meant: str) -> None:
    done = CliRunner().invoke(hub, typed.split())

    assert done.exit_code == 2
    assert meant in done.stderr


def test_trouble_where_nothing_runs_says_what_to_do(tmp_path: Path) -> None:
    done = CliRunner().invoke(hub, ["--home", str(tmp_path), "demo", "break", "kingdee", "--json"])

    assert (done.exit_code, json.loads(done.stdout)["error"]["code"]) == (1, "demo/not-up")


def test_help_says_n_and_day_and_every_group_of_many_words_has_sections() -> None:
    for path, command in commands():
        told = command.get_help(click.Context(command, info_name=path))
        assert "RANGE" not in told, path
        assert "%Y" not in told, path
    assert "Registrations:" in CliRunner().invoke(hub, ["deals", "--help"]).stdout


def test_help_imports_nothing_but_the_verbs() -> None:
    code = "import sys; sys.argv = ['hub', '--help']; from hub_cli.main import main; main(); print(*sys.modules, file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    loaded = set(ran.stderr.split())

    assert not loaded & {"click", "rich", "psycopg", "pydantic", "sync", "ledger", "airflow"}
    assert all(name in ran.stdout for name in NAMES)


def test_help_is_the_same_through_click() -> None:
    shown = CliRunner().invoke(hub, ["--help"])

    assert shown.output == help_text() + "\n"


def test_help_names_every_global_option() -> None:
    told = " ".join(OPTIONS)

    assert [option for parameter in hub.params for option in parameter.opts if option not in told] == []


@pytest.mark.parametrize(("path", "command"), commands(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_verb_answers_in_json_and_says_what_it_does(path: str, command: click.Command) -> None:
    options = [option for parameter in command.params for option in parameter.opts]

    assert "--json" in options, path
    assert command.help
    bare = [parameter.name for parameter in command.params if isinstance(parameter, click.Option) and not parameter.help]
    assert bare in ([], ["state"]), f"{path}: options without help: {bare}"


def test_exit_codes_tell_the_outcomes_apart() -> None:
    told = {OF_RUN["done"], OF_RUN["failed"], OF_RUN["differs"], OF_RUN["set_aside"], OF_RUN["busy"], Exit.USAGE}

    assert len(told) == 6


@pytest.mark.parametrize(
    ("code", "exits"),
    [
        ("sync/bad-config", Exit.USAGE),
        ("sync/busy", Exit.BUSY),
        ("sync/not-found", Exit.NOT_FOUND),
        ("sync/plan-expired", Exit.REFUSED),
        ("postgres/binaries-missing", Exit.UNFIT),
        ("airflow/failed", Exit.UNFIT),
        ("connectors/throttled", Exit.FAILED),
    ],
)
def test_an_error_s_code_decides_the_exit_code(code: str, exits: Exit) -> None:
    assert of_error(code) is exits


def test_every_exit_code_stands_in_the_operations_page() -> None:
    page = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")

    assert [code.name for code in Exit if f"| {code.value} |" not in page] == []
    assert [code for code in OF_ERROR if f"`{code}`" not in page] == []


def test_no_word_of_a_group_is_told_half() -> None:
    """Click cuts a word's sentence at 45 characters, and the second half is often what tells it from its neighbours."""
    groups = sorted({path.rpartition(" ")[0] for path, _ in commands()} - {"hub"})
    assert len(groups) > 10

    cut = [
        f"{path}: {line.strip()}"
        for path in groups
        for line in CliRunner().invoke(hub, [*path.split()[1:], "--help"]).output.partition("Commands:")[2].splitlines()
        if line.endswith("...")
    ]

    assert cut == []
