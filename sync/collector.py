"""Python's garbage collector, held back while records are taken in by the page.

A page is some hundred thousand small objects without a cycle: they go by themselves when the page is done. Looking for cycles among them
costs a quarter of a first load (docs/benchmarks.md).
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SWEEP = 50
"""Pages between two looks for cycles."""

_lock = threading.Lock()
_holders = 0


class Sweeper:
    """Looks for cycles every so many pages."""

    def __init__(self) -> None:
        self._pages = 0

    def page_done(self) -> None:
        """A page was committed and dropped."""
        self._pages += 1
        if self._pages % SWEEP == 0:
            gc.collect()


@contextmanager
def held_back() -> Iterator[Sweeper]:
    """No automatic collection within the block, in whatever thread; several blocks may overlap."""
    global _holders  # noqa: PLW0603  the collector is the process's, and so is the count
    with _lock:
        ours = _holders > 0 or gc.isenabled()  # else somebody switched it off, and will switch it on
        if ours:
            _holders += 1
            gc.disable()
    try:
        yield Sweeper()
    finally:
        with _lock:
            if ours:
                _holders -= 1
                if _holders == 0:
                    gc.enable()
