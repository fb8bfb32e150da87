"""Every `hub …` that a page, a message or a comment names can be typed: a next step that there is not helps nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from hub_cli.group import hub
from hub_cli.main import VERBS

ROOT = Path(__file__).parents[2]
ROOMS = ("channel", "connectors", "dags", "docs", "hub_api", "hub_cli", "ledger", "mappings", "sync", "changes")
PAGES = [*ROOT.glob("*.md"), *(path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in (".md", ".py"))]
QUOTED = re.compile(r"`hub ((?!\.)[^`\n]+)`")
TYPED = re.compile(r"^(?:\$ )?hub ([a-z][^\n#]*)", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CONTEXT = click.Context(hub)
KNOWN = {verb for section in VERBS.values() for verb in section}


def wrong(words: list[str]) -> str:
    """The first word that there is not; empty when all can be typed."""
    verb = words[0].rstrip(",.:")
    if verb.startswith("-") or verb.isupper() or verb in ("ARGUMENTS", "…"):
        return ""
    if verb not in KNOWN:
        return verb
    command = hub.get_command(CONTEXT, verb)
    assert command is not None
    if isinstance(command, click.Group) and len(words) > 1 and re.fullmatch(r"[a-z|-]+", words[1]) and not words[1].startswith("-"):
        missing = [word for word in words[1].split("|") if word not in command.commands]
        if missing:
            return missing[0]
        command = command.commands[words[1].split("|")[0]]
    options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--json", "--help"}
    typed = [re.split(r"[=,.;:)]", word)[0] for word in words[1:] if word.startswith("--")]
    return next((word for word in typed if word not in options), "")


def named() -> Iterator[tuple[str, list[str]]]:
    """Where a command stands, and its words: between backticks anywhere, at the start of a line in a block of a page."""
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        blocks = FENCE.findall(text) if path.suffix == ".md" else []
        for found in [*QUOTED.finditer(text), *(one for block in blocks for one in TYPED.finditer(block))]:
            yield str(path.relative_to(ROOT)), found[1].split()


def test_every_command_that_is_named_can_be_typed() -> None:
    every = list(named())

    assert len(every) > 300
    assert [f"{place}: hub {' '.join(words[:3])}: {what}" for place, words in every if (what := wrong(words))] == []


def test_the_check_bites() -> None:
    assert wrong("claims programmes".split()) == "programmes"
    assert wrong("stauts".split()) == "stauts"
    assert wrong("plan make --entity party --sytem zoho".split()) == "--sytem"
    assert wrong("cases decide CASE same|different".split()) == ""
