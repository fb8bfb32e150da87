"""docs/commands.md, made from the command itself: `python -m tests.docs.commands` writes it anew."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from hub_cli.group import hub
from hub_cli.main import OPTIONS, VERBS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "commands.md"

HEAD = """\
# Commands

Every verb of `hub`, made from the command itself by `python -m tests.docs.commands`. Each also takes `--json`, and then answers with one
JSON document (`hub demo --json FILE` writes it to a file), and `--help`. [Exit codes](operations.md#exit-codes) and
[error codes](operations.md#error-codes) are stable: scripts may rely on them.

Before the verb:
"""


def commands() -> Iterator[tuple[str, str, click.Command]]:
    """(section, `hub verb sub`, the command) of everything that can be typed."""
    context = click.Context(hub)
    for section, verbs in VERBS.items():
        for verb in verbs:
            command = hub.get_command(context, verb)
            assert command is not None
            if not isinstance(command, click.Group):
                yield section, f"hub {verb}", command
                continue
            if command.invoke_without_command:
                yield section, f"hub {verb}", command
            for name, part in command.commands.items():
                yield section, f"hub {verb} {name}", part


def options(command: click.Command) -> Iterator[tuple[str, str]]:
    """Each option of a command as it is typed, with its help."""
    for one in command.params:
        if not isinstance(one, click.Option) or one.hidden or one.name == "as_json":
            continue
        yield one.opts[0] + _value(one), one.help or ""


def _value(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if option.metavar:
        return f" {option.metavar}"
    if isinstance(option.type, click.Choice):
        return " " + "|".join(map(str, option.type.choices))
    words = {
        "integer": "N",
        "integer range": "N",
        "datetime": "DAY",
        "DATE": "DAY",
        "TIME": "TIME",
        "AMOUNT": "AMOUNT",
        "path": "PATH",
        "file": "FILE",
        "directory": "DIRECTORY",
        "uuid": "ID",
    }
    return f" {words.get(option.type.name, 'TEXT')}"


def page() -> str:
    """The whole page."""
    lines = [HEAD, "| option | what it says |", "| --- | --- |", *(f"| `{name}` | {text} |" for name, text in OPTIONS.items())]
    section = ""
    for title, path, command in commands():
        if title != section:
            section = title
            lines += ["", f"## {title}", "", "| command | what it does | options |", "| --- | --- | --- |"]
        told = "<br>".join(f"`{_cell(name)}` {_cell(text)}" for name, text in options(command))
        lines.append(f"| `{_cell(_typed(path, command))}` | {_cell(_about(command))} | {told} |")
    return "\n".join(lines) + "\n"


def _typed(path: str, command: click.Command) -> str:
    context = click.Context(command)
    arguments = (one.make_metavar(context) for one in command.params if isinstance(one, click.Argument))
    return " ".join([path, *arguments])


def _about(command: click.Command) -> str:
    return " ".join((command.help or "").split("\n\n")[0].split())


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
