"""What an operator sets about the API, by environment variables that start with `HUB_API_`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Limits and switches. Each is read from `HUB_API_<NAME>`; the defaults are those of production."""

    docs: bool = False
    """Serve the interactive page `/docs`; it loads scripts from a CDN, so it is for development."""
    body_limit_bytes: int = 1024 * 1024
    """Largest body of a request, callbacks of vendors included."""
    record_limit_bytes: int = 16 * 1024 * 1024
    """Largest body where a whole vendor record (mending a quarantined one), a table of facts or a document of rules is sent in."""
    body_deadline_s: float = 30.0
    """How long a client may take to send its body."""
    statement_timeout_s: float = 5.0
    """How long one statement of a reading request may run."""
    pool_wait_s: float = 5.0
    """How long a request waits for a free database connection before it is answered with 503."""
    idempotency_hours: int = 24
    """How long the answer to a request with an Idempotency-Key is kept for repeats."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> ApiSettings:
        """The settings that the environment gives.

        Raises: ValueError naming the variable that cannot be understood.
        """
        given: dict[str, Any] = {}
        for field in fields(cls):
            variable = f"HUB_API_{field.name.upper()}"
            if text := environment.get(variable, "").strip():
                given[field.name] = _parsed(variable, str(field.type), text)
        return cls(**given)


_SWITCH = {"1": True, "true": True, "on": True, "yes": True, "0": False, "false": False, "off": False, "no": False}


def _parsed(variable: str, kind: str, text: str) -> bool | int | float:
    if kind == "bool":
        if text.lower() not in _SWITCH:
            raise ValueError(f"{variable} is {text!r}: use on or off")
        return _SWITCH[text.lower()]
    try:
        number = int(text) if kind == "int" else float(text)
    except ValueError:
        raise ValueError(f"{variable} is {text!r}: use a number") from None
    if number <= 0:
        raise ValueError(f"{variable} is {text!r}: use a number above 0")
    return number
