"""How the story is told: numbered chapters, progress, tables; or nothing at all."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


class Teller:
    """Tells the story to a person."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or _console()
        self.seconds: dict[str, float] = {}
        self._chapter = 0

    @contextmanager
    def chapter(self, name: str, title: str) -> Iterator[None]:
        """One chapter; its time is kept under `name`."""
        self._chapter += 1
        self.console.print(Text(f"\n{self._chapter}. {title}", style="bold"))
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 1)

    def say(self, text: str, style: str = "") -> None:
        """A sentence. What systems wrote is shown as text, never as markup."""
        self.console.print(Text(f"   {_plain(text)}", style=style))

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Something takes a while."""
        began = time.monotonic()
        if self.console.is_terminal:
            with self.console.status(f"   {text} …"):
                yield
        else:
            yield
        self.say(f"{text}  ({time.monotonic() - began:.1f} s)", "dim")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> None:
        """A table."""
        table = Table(title=title or None, title_justify="left", header_style="bold", padding=(0, 1))
        for column in columns:
            numeric = column.startswith("#")
            table.add_column(column.lstrip("#"), justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(_plain("" if cell is None else str(cell))) for cell in row))
        self.console.print(table)


def _console() -> Console:
    screen = Console(highlight=False)
    # A pipe or a log has no width of its own; 80 would break every table.
    return screen if screen.is_terminal else Console(highlight=False, width=140)


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
