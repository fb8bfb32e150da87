"""A moving line on a terminal while long work goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import click
from rich.console import Console
from rich.status import Status


@contextmanager
def line(title: str) -> Iterator[Callable[..., Any]]:
    """Show `title` and whatever the work says last, on standard error."""
    with Status(title, console=Console(stderr=True)) as shown:

        def tell(system: str, result: Any) -> None:
            figures = " ".join(f"{name} {number}" for name, number in result.counts.items())
            shown.update(f"{title}: {system} {result.kind} {figures}")

        yield tell


class Progress:
    """Steps of long work on standard error: a moving line on a terminal, a line for each step elsewhere."""

    def __init__(self, *steps: str) -> None:
        self._steps = steps
        self._last = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if sys.stderr.isatty():
            click.echo("\r\033[K", nl=False, err=True)

    def tell(self, step: str, done: int, of: int) -> None:
        """One step's state; `of` 0: it is under way."""
        said = f"{step}: {done} records" if not of else f"{step}: done ({self._steps.index(step) + 1} of {len(self._steps)})"
        if sys.stderr.isatty():
            click.echo(f"\r\033[K{said}", nl=False, err=True)
        elif of or done - self._last >= 100_000:
            self._last = done
            click.echo(said, err=True)
