"""Python's memory and threads, set for taking records in by the page.

A page is some hundred thousand small objects without a cycle: they go by themselves when the page is done. Looking for cycles among them
costs a quarter of a first load, giving their memory back to the system and getting it again for the next page a twentieth, and handing
the interpreter to and fro between the thread that reads ahead and the one that works some per cent more (docs/benchmarks.md).
"""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

SWEEP = 50
"""Pages between two looks for cycles."""

TURN_S = 0.02
"""How long a thread keeps the interpreter while another waits for it."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h
_KEPT_BYTES = 32 << 20

_lock = threading.Lock()
_holders = 0
_turn_s = 0.0


class Sweeper:
    """Looks for cycles every so many pages."""

    def __init__(self) -> None:
        self._pages = 0

    def page_done(self) -> None:
        """A page was committed and dropped."""
        self._pages += 1
        if self._pages % SWEEP == 0:
            gc.collect(1)  # the pages since the last look; what survived one waits until the collector is free again


@contextmanager
def held_back() -> Iterator[Sweeper]:
    """No automatic collection within the block, in whatever thread, and longer turns; several blocks may overlap."""
    global _holders, _turn_s  # noqa: PLW0603  the collector is the process's, and so is the count
    with _lock:
        ours = _holders > 0 or gc.isenabled()  # else somebody switched it off, and will switch it on
        if ours:
            if _holders == 0:
                _turn_s = sys.getswitchinterval()
                sys.setswitchinterval(max(_turn_s, TURN_S))
                _keep_memory()
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
                    sys.setswitchinterval(_turn_s)


@cache
def _keep_memory() -> None:
    """Let glibc keep what a page gave back, for the next: once in a process. Another C library goes on as it does."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)
        mallopt(_TRIM_THRESHOLD, 2 * _KEPT_BYTES)
