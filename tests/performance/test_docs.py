"""Every worked example of docs/performance.md runs and gives the figures that stand there."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from channel.performance.definitions import DEFINITIONS
from channel.performance.facts import COLUMNS, KINDS
from channel.performance.loading import load
from hub_cli.group import hub
from tests.performance.making import written
from tests.rebates.test_docs import FENCE

PAGE = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")


def examples() -> Iterator[tuple[str, dict[str, str], str]]:
    files: dict[str, str] = {}
    command = ""
    for found in FENCE.finditer(PAGE):
        kind, name, body = found.groups()
        if kind in ("yaml", "csv") and name:
            files[name] = body
        elif kind == "console":
            command = body.strip().removeprefix("$ ")
        elif kind == "answer":
            for answer in body.strip().splitlines():
                yield command, dict(files), answer


def told_of(told: dict[str, Any], subject: str) -> dict[str, Any]:
    if subject.startswith("transfer "):
        return dict(told["transfers"][int(subject.split()[1])])
    if "advice" in told:
        return dict(next(row for row in told["advice"] if row["dealer"] == subject))
    row = next(row for row in told["results"] if row["dealer"] == subject)
    return {**row, "points": row["kpis"][0]["points"], row["kpis"][0]["kpi"]: row["kpis"][0]["value"]}


@pytest.mark.parametrize(("command", "files", "answer"), list(examples()), ids=lambda value: value if isinstance(value, str) else "")
def test_the_page_says_what_the_program_does(command: str, files: dict[str, str], answer: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    words = [str(tmp_path / word) if word.endswith((".yaml", ".csv")) else word for word in shlex.split(command)[1:]]
    said = json.loads(CliRunner().invoke(hub, words).output)
    subject, _, figures = answer.partition(": ")
    row = told_of(said, subject)

    assert {name: str(row[name]) for name, _, _ in (one.partition(" ") for one in figures.split(", "))} == dict(
        one.split(" ", 1) for one in figures.split(", ")
    )


def test_the_tags_of_the_page_can_be_used() -> None:
    tags = next(found.group(3) for found in FENCE.finditer(PAGE) if found.group(1) == "yaml" and not found.group(2))
    plain = json.loads(written())
    text = "\n".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in plain.items())

    assert [tag.tag for tag in load(f"{text}\n{tags}").tags] == ["payment_risk", "growing"]


def test_every_figure_kind_and_column_is_on_the_page() -> None:
    named = PAGE.replace("`customer_…`", "`customer_top_share` `customer_concentration`")

    assert [code for code in DEFINITIONS if f"`{code}`" not in named] == []
    assert [name for name in (*KINDS, *sorted(COLUMNS)) if f"`{name}`" not in PAGE] == []
