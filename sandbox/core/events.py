"""Events that a stand-in sends out: posted in order from a thread of their own, lost, doubled or out of order where a fault says so."""

from __future__ import annotations

import queue
import threading
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.core.faults import Faults

HELD_AT_MOST_S = 2.0
"""An event held back to be overtaken goes out after this time even if nothing overtook it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One call to a receiver."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def post(event: Event, timeout_s: float = 10.0) -> int:
    """Post an event; its HTTP status. Raises OSError when the receiver cannot be reached."""
    request = urllib.request.Request(event.url, event.body, dict(event.headers), method="POST")  # noqa: S310  the receiver registered this address itself
    with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310  as above
        return int(answer.status)


class Events:
    """The queue of events going out. A receiver that is away loses its event: vendors try again only so often, and a poll heals it."""

    def __init__(self, faults: Faults, send: Callable[[Event], int] = post, attempts: int = 2) -> None:
        self._faults, self._send, self._attempts = faults, send, attempts
        self._queue: queue.Queue[Event | None] = queue.Queue()
        self._held: list[tuple[int, Event]] = []
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self.lost: list[str] = []
        """Why events did not arrive, for tests."""

    def fire(self, stream: str, event: Event) -> None:
        """Send an event about a record of `stream`, under the event faults that are on.

        `reorder_events` holds it back until `value` (default 1) later events went out.
        """
        if self._faults.take("lose_event", stream=stream) is not None:
            return
        twice = self._faults.take("duplicate_event", stream=stream)
        copies = 1 + (int(twice.seconds(1.0)) if twice is not None else 0)
        later = self._faults.take("reorder_events", stream=stream)
        with self._lock:
            if later is not None:
                self._held.append((max(1, int(later.seconds(1.0))), event))
                timer = threading.Timer(HELD_AT_MOST_S, self.release)
                timer.daemon = True
                timer.start()
                return
            for _ in range(copies):
                self._put(event)
            self._overtaken()

    def release(self) -> None:
        """Send every event that is held back, in the reverse of their order."""
        with self._lock:
            held, self._held = self._held, []
            for _, event in reversed(held):
                self._put(event)

    def wait(self) -> None:
        """Wait until everything queued so far has been tried."""
        self._queue.join()

    def close(self) -> None:
        """Stop the thread after what is queued."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(5)
            self._thread = None

    def _overtaken(self) -> None:
        still: list[tuple[int, Event]] = []
        for left, event in self._held:
            if left <= 1:
                self._put(event)
            else:
                still.append((left - 1, event))
        self._held = still

    def _put(self, event: Event) -> None:
        self._queue.put(event)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="sandbox-events", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            event = self._queue.get()
            try:
                if event is None:
                    return
                self._deliver(event)
            finally:
                self._queue.task_done()

    def _deliver(self, event: Event) -> None:
        why = ""
        for _ in range(self._attempts):
            try:
                self._send(event)
            except OSError as error:  # an HTTP error status is an OSError too (URLError)
                why = f"{type(error).__name__}: {error}"
            else:
                return
        self.lost.append(why)
