"""Python's cycle collector, held back while a world is made or loaded, and kept from what will stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_RARELY = (100_000, 50, 20)


def spare_what_is_there() -> None:
    """Keep the collector from what has been loaded, which stays, and let it look at the rest rarely: answers hold no cycles."""
    gc.freeze()
    gc.set_threshold(*_RARELY)


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep the cycle collector from walking millions of fresh objects that hold no cycle; it halves the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
