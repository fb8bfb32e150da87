"""How a command answers: as text for a person or as one JSON document for a script, with an exit code either can trust.

A command returns an :class:`Answer`; the decorator :func:`answers` adds `--json`, prints, and turns an error into its code, place and
next step. With `--json` errors are JSON too: `{"error": {"code", "what", "next_step"}}`, on standard output.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from hub_cli.exits import OF_RUN, Exit, of_error

MOST_ERRORS = 100
"""So many mistakes of one file are told to a person; `--json` has all."""


@dataclass(slots=True)
class Answer:
    """What a command found or did. `text` is printed as it is, made only when it is; without it the data is shown as a table or a list."""

    data: Any
    code: Exit = Exit.DONE
    text: str | Callable[[], str] | None = None
    columns: Sequence[str] = ()
    """Which keys of a list of records a table shows; empty: all."""
    empty: str = "nothing"


class CommandFailed(Exception):
    """A failure of the command itself, told like every other error: code, what, next step."""

    def __init__(self, what: str, next_step: str, *, code: str = "cli/failed", exits: Exit | None = None) -> None:
        self.what, self.next_step, self.code, self.exits = what, next_step, code, exits
        super().__init__(f"{what}. Next: {next_step}")


def of_run(result: Any) -> Answer:
    """The answer for a run of the engine: its figures, its problems, and the exit code of its status."""
    told = plain(result)
    counts = told.get("counts") or {}
    lines = [f"{told.get('kind', 'run')} {told.get('status')}" + (f" (run {told['run_id']})" if told.get("run_id") else "")]
    lines += [f"  {name:<28} {number:>10}" for name, number in counts.items()]
    lines += [f"  ! {problem}" for problem in told_once(told.get("problems") or [])]
    return Answer(told, OF_RUN.get(str(told.get("status")), Exit.FAILED), "\n".join(lines))


def told_once(problems: Sequence[str]) -> list[str]:
    """Problems in their order; what several streams of one system say alike, as when it cannot be reached, is one line with their names."""
    streams: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        label, _, text = problem.partition(": ")
        system, dot, stream = label.partition(".")
        place = (system, text) if dot and " " not in label else (problem, "")
        streams.setdefault(place, []).append(stream)
    return [_of_streams(system, text, names) if text else system for (system, text), names in streams.items()]


def _of_streams(system: str, text: str, names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{system}.{names[0]}: {text}"
    return f"{text} ({len(names)} streams of {system}: {', '.join(names)})"


def answers(command: Callable[..., Answer]) -> Callable[..., None]:
    """Make a function that returns an Answer into the body of a click command with `--json`."""

    @click.option("--json", "as_json", is_flag=True, help="Answer with one JSON document.")
    @functools.wraps(command)
    def run(*arguments: Any, as_json: bool = False, **options: Any) -> None:
        try:
            answer = command(*arguments, **options)
        except (click.exceptions.Exit, click.exceptions.Abort, click.ClickException):
            raise
        except KeyboardInterrupt:
            sys.exit(Exit.INTERRUPTED)
        except Exception as error:  # the edge of a command: told once, here
            if os.environ.get("HUB_DEBUG"):
                raise
            sys.exit(tell(error, as_json=as_json))
        if as_json:
            click.echo(json.dumps(plain(answer.data), ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))
        else:
            _show(answer)
        sys.exit(answer.code)

    return run


def tell(error: Exception, *, as_json: bool = False) -> int:
    """Tell an error at the edge of a command, as text or as JSON; returns the exit code."""
    told = told_of(error)
    if as_json:
        click.echo(json.dumps({"error": told}, ensure_ascii=False))
    else:
        click.echo(f"{told['code']}: {told['where'] + ': ' if told['where'] else ''}{told['what']}", err=True)
        lines = [(f"{one['where']}: {one['what']}", one.get("next_step")) for one in told.get("errors", [])[:MOST_ERRORS]]
        for line, fix in lines:
            if line not in told["what"]:  # one flaw alone is the whole message
                click.echo(f"  {line}" + (f" ({fix})" if fix else ""), err=True)
        if told["next_step"]:
            click.echo(f"  Next: {told['next_step']}", err=True)
    return int(told["exit"])


def told_of(error: Exception) -> dict[str, Any]:
    """An error in the words of the JSON answer: code, what, where, next_step, exit."""
    known = getattr(error, "code", None)
    code = known if isinstance(known, str) and "/" in known else "cli/unexpected"
    what = str(getattr(error, "what", "") or error) if code != "cli/unexpected" else f"{type(error).__name__}: {error}"
    where = str(getattr(error, "where", "") or "")
    next_step = str(getattr(error, "next_step", "") or "")
    if code == "cli/unexpected" and not next_step:
        next_step = "set HUB_DEBUG=1 for the whole traceback, and report it"
    exits = getattr(error, "exits", None) or of_error(code)
    told = {"code": code, "what": what, "where": where, "next_step": next_step, "exit": int(exits)}
    errors = getattr(error, "errors", None)
    return {**told, "errors": plain(errors)} if isinstance(errors, list) else told


def plain(value: Any) -> Any:
    """`value` in JSON's own words: decimals, dates and ids as text."""
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return format(value, "f")
        case float():
            return value
        case datetime() | date():
            return value.isoformat()
        case UUID() | Path():
            return str(value)
        case Mapping():
            return {str(key): plain(part) for key, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(part) for part in value]
        case _:
            return _plain_object(value)


def _plain_object(value: Any) -> Any:
    if hasattr(value, "as_dict"):
        return plain(value.as_dict())
    if hasattr(value, "model_dump"):
        return plain(value.model_dump(mode="json"))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return str(value)


def _show(answer: Answer) -> None:
    if answer.text is not None:
        click.echo(answer.text if isinstance(answer.text, str) else answer.text())
        return
    data = plain(answer.data)
    if isinstance(data, dict):
        for key, value in data.items():
            if not isinstance(value, list) or not value or not isinstance(value[0], dict):
                click.echo(f"{key:<18} {cell(value)}")
        for key, value in data.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                _table(value, (), title=key)
    elif isinstance(data, list) and data and isinstance(data[0], dict):
        _table(data, answer.columns)
    elif isinstance(data, list):
        click.echo("\n".join(cell(one) for one in data) or answer.empty)
    else:
        click.echo(cell(data))


def _table(rows: list[dict[str, Any]], columns: Sequence[str], title: str = "") -> None:
    from rich.console import Console
    from rich.table import Table

    shown = list(columns) or list(dict.fromkeys(key for row in rows for key in row))
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    cells = [[cell(row.get(name)) for name in shown] for row in rows]
    for name, column in zip(shown, zip(*cells, strict=True), strict=True):
        table.add_column(name, overflow="fold", justify="right" if _figures(column) else "left")
    for row_cells in cells:
        table.add_row(*row_cells)
    width = None if sys.stdout.isatty() else 200  # a file or a pipe is not folded at 80
    Console(width=width, highlight=False, markup=False).print(table)


_FIGURE = re.compile(r"-?[0-9][0-9,]*(\.[0-9]+)?( ?%)?")


def _figures(column: Sequence[str]) -> bool:
    """True for a column of figures, which stand under each other by their last digit."""
    said = [cell for cell in column if cell != "-"]
    return bool(said) and all(map(_FIGURE.fullmatch, said))


_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")


def moment(at: datetime | str) -> str:
    """A moment as people read it: `2026-11-22 16:29:17+08`, in Asia/Shanghai; JSON has it to the microsecond."""
    from canonical.values import SHANGHAI

    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}+08"


def changes(found: Mapping[str, Sequence[Any]] | None) -> list[str]:
    """A line for each field that differs: what stands there, and what should."""
    return [f"      {path:<28} {cell(there)} → {cell(ours)}" for path, (there, ours) in (found or {}).items()]


def cell(value: Any) -> str:
    """A value as a cell of a table shows it."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return moment(value)
    if isinstance(value, list) and value and all(isinstance(one, str | int) for one in value):
        return ", ".join(map(str, value))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else "-"
    return str(value)
