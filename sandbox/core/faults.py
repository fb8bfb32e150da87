"""Faults on demand: what goes wrong, on which calls, how often.

Some effects are acted out by the core on any call (`CORE_EFFECTS`); some need the vendor's own words and are handed to it in
`Request.effects` (`VENDOR_EFFECTS`); some concern rows and events and are asked for at the moment they matter, also when a user's
edit through the control door causes them (`DATA_EFFECTS`, `Faults.take`).
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

CORE_EFFECTS = frozenset(
    {"latency", "status", "retry_after", "drop_before", "drop_after", "truncate", "garbage", "slow_drip", "empty", "html", "quota"}
)
"""latency: seconds before the call is worked on.
status: answer with this status: a number, or {"status","body","headers","after"}; `after` true works on the call first.
retry_after: throttled for so many seconds.
drop_before, drop_after: cut the connection before, or after the call is worked on and committed.
truncate: share (0..1) or number of body bytes sent although Content-Length promises all.
garbage: a kind of `GARBAGE`, `gzip_bomb`, or a text of one's own.
slow_drip: seconds between single bytes.
empty: the vendor's well-formed answer with nothing in it. html: an HTML page with status 200.
quota: the vendor's answer when its budget is spent."""

VENDOR_EFFECTS = frozenset({"expire_session", "partial_batch", "shuffle_batch", "index_lag"})
"""expire_session: sessions and tokens die before the call is looked at. partial_batch: share (0..1) or number of a batch's records refused.
shuffle_batch: answers in another order than asked. index_lag: seconds for which what this call writes is not found by searches."""

DATA_EFFECTS = frozenset({"late_row", "duplicate_event", "reorder_events", "lose_event"})
"""late_row: seconds by which the modified time of the next written row lies in the past. The rest concern events sent out."""

EFFECTS = CORE_EFFECTS | VENDOR_EFFECTS | DATA_EFFECTS

EXTRA_EFFECTS: set[str] = set()
"""Effects of one vendor only (Kingdee: `response_error`, `lock`), registered when its package is imported; given in `Request.effects`."""

GARBAGE: Mapping[str, bytes] = {
    "": b'{"\xff\xfe not JSON',
    "nan": b'{"value": NaN}',
    "infinity": b'{"value": 1e999}',
    "digits": b'{"value": ' + b"7" * 5000 + b"}",
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "gbk": '{"name": "深圳市华南经销有限公司"}'.encode("gbk"),
    "utf16": '{"name": "深圳"}'.encode("utf-16"),
    "bom": b"\xef\xbb\xbf{}",
    "twice": b'{"value": 1, "value": 2}',
}
"""Bodies that clients must survive, by the name to ask for."""


class BadFault(ValueError):
    """A fault that cannot be switched on; the text says what is wrong with it."""


@dataclass(slots=True)
class Fault:
    """One switched-on fault."""

    effect: str
    value: Any = None
    method: str = ""
    path: str = ""
    """Part of the path, any case."""
    stream: str = ""
    """Native or hub name, any case."""
    times: int | None = None
    """How often it still happens; None is for ever."""
    probability: float = 1.0

    def seconds(self, default: float = 0.0) -> float:
        """`value` as seconds."""
        return default if self.value is None or self.value == "" else float(self.value)


def parse(body: Any) -> Fault:
    """A fault from the control door's JSON. Raises BadFault."""
    if not isinstance(body, dict):
        raise BadFault("a fault is a JSON object")
    match = body.get("match") or {}
    effect = body.get("effect")
    if effect not in EFFECTS and effect not in EXTRA_EFFECTS:
        raise BadFault(f"effect {effect!r} is unknown; known: {', '.join(sorted(EFFECTS | EXTRA_EFFECTS))}")
    unknown = (set(body) - {"match", "effect", "value", "times", "probability"}) | (set(match) - {"method", "path", "stream"})
    if unknown:
        raise BadFault(f"unknown keys: {', '.join(sorted(unknown))}")
    times, probability = body.get("times"), body.get("probability", 1.0)
    if times is not None and (not isinstance(times, int) or times < 1):
        raise BadFault("times is a whole number of at least 1, or absent for ever")
    chance = float(1.0 if probability is None else probability)
    if not 0.0 <= chance <= 1.0:
        raise BadFault("probability lies between 0 and 1")
    words = {key: str(match.get(key) or "").lower() for key in ("method", "path", "stream")}
    return Fault(str(effect), body.get("value"), times=times, probability=chance, **words)


class Faults:
    """The switched-on faults of one server. Chance is seeded: the same calls meet the same faults."""

    def __init__(self, seed: int = 0, aliases: Mapping[str, str] | None = None) -> None:
        self._seed = seed
        self._random = random.Random(seed)
        self._active: list[Fault] = []
        self._aliases = {name.lower(): native.lower() for name, native in (aliases or {}).items()}

    @property
    def active(self) -> bool:
        """True when any fault is switched on: the common case of none costs nothing."""
        return bool(self._active)

    def add(self, fault: Fault) -> None:
        """Switch a fault on. Faults are tried in the order they were added."""
        fault.stream = self._aliases.get(fault.stream, fault.stream)
        self._active.append(fault)

    def clear(self) -> None:
        """Switch all faults off and start the chances anew."""
        self._active.clear()
        self._random = random.Random(self._seed)

    def listed(self) -> list[dict[str, Any]]:
        """The active faults, as the control door shows them."""
        return [
            {
                "match": {key: value for key, value in (("method", f.method), ("path", f.path), ("stream", f.stream)) if value},
                "effect": f.effect,
                "value": f.value,
                "times": f.times,
                "probability": f.probability,
            }
            for f in self._active
        ]

    def match(self, method: str, path: str, stream: str, effects: Collection[str] | None = None) -> list[Fault]:
        """The faults that this call meets now; each is used up once. Data effects are left for `take`."""
        if not self._active:
            return []
        wanted = [f for f in self._active if (f.effect in effects if effects is not None else f.effect not in DATA_EFFECTS)]
        return [f for f in wanted if self._hits(f, method, path, stream)]

    def take(self, effect: str, *, stream: str = "", method: str = "", path: str = "") -> Fault | None:
        """The first fault of this effect that fits, used up once; None when there is none."""
        if not self._active:
            return None
        for fault in list(self._active):
            if fault.effect == effect and self._hits(fault, method, path, stream):
                return fault
        return None

    def _hits(self, fault: Fault, method: str, path: str, stream: str) -> bool:
        stream = stream.lower()
        if fault.method and fault.method != method.lower():
            return False
        if fault.path and fault.path not in path.lower():
            return False
        if fault.stream and fault.stream != self._aliases.get(stream, stream):
            return False
        if fault.probability < 1.0 and self._random.random() >= fault.probability:
            return False
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._active.remove(fault)
        return True
