"""Every worked example of docs/rebates*.md runs and gives the figures that stand there: docs and code cannot drift apart."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub_cli.group import hub

PAGES = sorted((Path(__file__).parents[2] / "docs").glob("rebates*.md"))
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Example:
    """Files as they stand at that place of the page, a command, and what it must answer."""

    page: str
    line: int
    command: str
    files: dict[str, str]
    answers: list[str] = field(default_factory=list)


def examples(page: Path) -> Iterator[Example]:
    text, files = page.read_text(encoding="utf-8"), {}
    command, line = "", 0
    for found in FENCE.finditer(text):
        kind, name, body = found.groups()
        if kind in ("yaml", "csv") and name:
            files[name] = body
        elif kind == "console":
            command, line = body.strip().removeprefix("$ "), text[: found.start()].count("\n") + 1
        elif kind == "answer":
            assert command, f"answer without a command before {found.start()}"
            yield Example(page.stem, line, command, dict(files), body.strip().splitlines())


CASES = [
    pytest.param(example, answer, id=f"{example.page}-{example.line}-{number}")
    for page in PAGES
    for example in examples(page)
    for number, answer in enumerate(example.answers)
]


def varied(files: dict[str, str], command: str, change: str) -> tuple[dict[str, str], str]:
    """The example with one thing changed: a field of the programmes, an option, or the stacking order."""
    if change.startswith("order "):
        sequence = change.removeprefix("order ").split()
        changed = {
            name: re.sub(r"order: \d+", f"order: {sequence.index(name[4]) + 1}", text) if name.startswith("deal") else text
            for name, text in files.items()
        }
        return changed, command
    key, _, value = change.partition(": ") if ": " in change else change.partition(" ")
    if key in ("as-of", "known-at"):
        return files, re.sub(rf" --{key} \S+", "", command) + f" --{key} {value}"
    used = [word for word in shlex.split(command) if word.endswith(".yaml")]
    changed = dict(files)
    for name in used:
        text, count = re.subn(rf"^{key}:.*(?:\n  .*)*$", change.replace("\\", r"\\"), files[name], flags=re.MULTILINE)
        changed[name] = text if count else f"{files[name]}{change}\n"
    return changed, command


def run(files: dict[str, str], command: str, place: Path) -> Any:
    for name, text in files.items():
        (place / name).write_text(text, encoding="utf-8")
    words = [str(place / word) if word.endswith((".yaml", ".csv")) else word for word in shlex.split(command)[1:]]
    answer = CliRunner().invoke(hub, words)
    assert answer.output, answer.exception
    return json.loads(answer.output)


def pick(told: Any, path: str) -> Any:
    for part in path.split("."):
        told = told[int(part)] if isinstance(told, list) else told[part]
    return told


def chosen(told: dict[str, Any], subject: str, place: Path) -> Any:
    words = subject.split()
    match words[0]:
        case "line":
            with (place / "lines.csv").open(encoding="utf-8") as file:
                return next(row for row in csv.DictReader(file) if row["fact"] == words[1])
        case "schedule":
            return next(row for row in told["schedule"] if [row["programme"], row["dealer"], row["on"]] == words[1:])
        case "claim":
            return next(row for row in told["claims"] if [row["programme"], row["dealer"], row["fact"]] == words[1:])
        case "fund":
            return next(row for row in told["funds"] if [row["programme"], row["dealer"], row["period"]["name"]] == words[1:])
    found = [row for row in told["results"] if [row["programme"], row["dealer"], row["period"]["name"], *row["scope"].values()] == words]
    assert len(found) == 1, [(row["programme"], row["dealer"], row["period"]["name"]) for row in told["results"]]
    return found[0]


@pytest.mark.parametrize(("example", "answer"), CASES)
def test_the_page_says_what_the_program_does(example: Example, answer: str, tmp_path: Path) -> None:
    files, command = example.files, example.command
    if answer.startswith("with "):
        change, _, answer = answer.removeprefix("with ").partition(" | ")
        files, command = varied(files, command, change)
    told = run(files, command, tmp_path)

    if answer.startswith("refused "):
        _, code, _, line = answer.split()
        assert (code, int(line)) in [(flaw["code"], flaw["line"]) for flaw in told["error"]["errors"]]
        return
    subject, _, figures = answer.partition(": ")
    assert "results" in told, told
    row = chosen(told, subject, tmp_path)
    for figure in figures.split(", "):
        path, _, value = figure.rpartition(" ")
        assert str(pick(row, path)) == value, (figure, row)


def words() -> list[tuple[str, str]]:
    """Every word of a programme that decides money, as it would stand in an example: field and word."""
    from typing import get_args

    from canonical.rounding import Mode
    from channel.rebates.counted import Calendar, Grouping
    from channel.rebates.payment import Budget, Cap, Gate, Rounding, Settlement, Stacking
    from channel.rebates.programme import Direction, Method, PaysOn, Programme

    def of(model: Any, name: str) -> list[Any]:
        kind = model.model_fields[name].annotation
        return [word for part in (kind, *get_args(kind)) for word in get_args(part) if isinstance(word, str)]

    told = {
        "method": get_args(Method), "boundary": get_args(Direction), "pays_on": get_args(PaysOn), "mode": get_args(Mode),
        "above_top": of(Programme, "above_top"), "prorate": of(Calendar, "prorate"), "group": of(Grouping, "group"),
        "kind": of(Gate, "kind"), "otherwise": of(Gate, "otherwise"), "no_value": ["fail"], "shares": of(Rounding, "shares"),
        "per": [*of(Cap, "per"), *of(Rounding, "per")], "share": of(Budget, "share"), "negative": of(Settlement, "negative"),
    }  # fmt: skip
    stacked = [("mode", word) for word in of(Stacking, "mode")]
    silent = {("pays_on", "whole"), ("mode", "together"), ("prorate", "none"), ("group", "none"), ("per", "period")}
    """What holds when nothing is said; most examples show it."""
    return [one for name, all_words in told.items() for one in ((name, word) for word in all_words) if one not in silent] + [
        one for one in stacked if one not in silent
    ]


@pytest.mark.parametrize(("field_name", "word"), words())
def test_the_pages_have_an_example_with_figures_for_every_word(field_name: str, word: str) -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    blocks = "".join(found.group(3) for found in FENCE.finditer(text) if found.group(1) in ("yaml", "answer"))

    assert re.search(rf"\b{field_name}: {word}\b", blocks)
