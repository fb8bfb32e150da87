"""A moving line on a terminal while long work goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

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
