"""How a check of the publish check tells what it found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

Path = tuple[str | int, ...]
Found = Iterator[tuple[Path, str, str]]
"""Path, what, fix."""


def meet(one: Any, other: Any) -> bool:
    """True when two validities share a day."""
    return bool((one.valid_from or date.min) < (other.valid_to or date.max) and (other.valid_from or date.min) < (one.valid_to or date.max))
