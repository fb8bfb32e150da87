"""What the suite must know about a connector to try it: how to reach its sandbox, and one or more streams with examples.

A subject is data about the vendor (native records, writable fields); every expectation is in `suite.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests
from pydantic import BaseModel

from connectors.base import Connector, Payload

Native = dict[str, Any]


class Control:
    """A sandbox's control door: what a user of that system does, the faults, and the log."""

    def __init__(self, url: str) -> None:
        self._url = url

    def records(self, stream: str, **params: str) -> list[Native]:
        """All records, native shape."""
        found: list[Native] = self._call("GET", f"records/{stream}", params=params)
        return found

    def put(self, stream: str, *records: Native) -> list[Native]:
        """Create or change as a user would."""
        made: list[Native] = self._call("POST", f"records/{stream}", json=list(records))
        return made

    def delete(self, stream: str, key: str) -> None:
        """Delete as a user would."""
        self._call("DELETE", f"records/{stream}/{key}")

    def load(self, records: Mapping[str, Sequence[Native]]) -> None:
        """Bulk-load records; keys and times stay as given."""
        self._call("POST", "load", json=dict(records))

    def fault(self, effect: str, value: Any = None, *, times: int | None = None, **match: str) -> None:
        """Switch a fault on; `match` is method, path or stream."""
        self._call("POST", "faults", json={"match": match, "effect": effect, "value": value, "times": times})

    def no_faults(self) -> None:
        """Switch all faults off."""
        self._call("DELETE", "faults")

    def log(self) -> list[dict[str, Any]]:
        """Every request since the reset."""
        entries: list[dict[str, Any]] = self._call("GET", "log")
        return entries

    def reset(self) -> None:
        """As freshly started."""
        self._call("POST", "reset")

    def _call(self, method: str, path: str, **more: Any) -> Any:
        answer = requests.request(method, f"{self._url}/{path}", timeout=30, **more)
        if answer.status_code >= 400:
            raise AssertionError(f"control door: {method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()


@dataclass(frozen=True)
class Case:
    """One stream of a connector, with examples of its records. `n` numbers the examples; two numbers never make the same record."""

    stream: str
    native: Callable[[int], Native]
    """A record as a user would enter it at the control door."""
    stamped: Callable[[int, str], Native]
    """The same for bulk loading, with an identifier and this change time, local to the server: `YYYY-MM-DDTHH:MM:SS`."""
    native_key: str
    """Key of the identifier in a native record."""
    edit: Callable[[Native, str], Native]
    """What a user posts to change a text of an existing record."""
    fields: Callable[[int], Payload] | None = None
    """Values for a create through the connector; None where the stream is only read."""
    text_field: str = ""
    """A writable text field of the head."""
    number_field: str = ""
    """A writable number that may be zero."""
    lines: int = 0
    """Lines of each example."""
    bad: Callable[[Payload], Payload] | None = None
    """Makes values that the vendor will refuse for ever."""
    org: str = ""
    """Organisation of the examples."""

    def __str__(self) -> str:
        return self.stream


@dataclass(frozen=True)
class Subject:
    """A connector, and how to try it."""

    connector: Connector
    sandbox: str
    settings: Callable[[Mapping[str, Any], Mapping[str, Any]], BaseModel]
    """Settings from the sandbox's credentials and overrides; `page_size` is one that every connector understands."""
    secrets: Callable[[BaseModel], Sequence[str]]
    """All secrets of the settings."""
    wrong: Mapping[str, Any]
    """Overrides that make the sign-in fail."""
    base: Callable[[Control], None]
    """Loads what the examples refer to."""
    cases: Sequence[Case]
    read_path: str
    """Part of the path of reading calls, for faults."""
    write_path: str
    """Part of the path of creating calls."""
    sign_in_paths: Sequence[str] = ()
    """Parts of the paths of sign-in calls."""
    overrides: Sequence[Mapping[str, Any]] = field(default_factory=lambda: ({},))
    """Settings under which the sign-in tests run: one for each way to sign in."""
    page_size: int = 12
