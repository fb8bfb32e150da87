"""Every call that a server answered, for tests and for the oracle."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox.core.http import Request


class RequestLog:
    """The calls in the order they were answered, numbered from 1. Control calls are not among them."""

    def __init__(self) -> None:
        self._lines: list[dict[str, Any]] = []

    def add(self, request: Request, status: int, faults: list[str], seconds: float) -> None:
        """Note one call. `status` 0 means that no answer was sent."""
        line: dict[str, Any] = {
            "n": len(self._lines) + 1,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "method": request.method,
            "path": request.path,
            "stream": request.stream,
            "status": status,
            "fault": ",".join(faults),
            "operation": request.operation,
            "keys": request.written,
            "created": request.created,
            "ms": round(seconds * 1000, 2),
        }
        if request.notes:
            line["notes"] = request.notes
        self._lines.append(line)

    def after(self, n: int = 0) -> list[dict[str, Any]]:
        """The calls numbered above `n`."""
        return self._lines[n:]

    def clear(self) -> None:
        """Forget all calls and number from 1 again."""
        self._lines.clear()
