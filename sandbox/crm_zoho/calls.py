"""What every call of the API needs: the parsed path and parameters, and the parts of the stand-in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sandbox.core.events import Events
from sandbox.core.faults import Faults
from sandbox.core.http import JSON_OUT, Request, Response
from sandbox.crm_zoho.clock import Clock
from sandbox.crm_zoho.errors import ApiError
from sandbox.crm_zoho.metadata import Doc, Module
from sandbox.crm_zoho.modules import MODULES
from sandbox.crm_zoho.store import Store


@dataclass(slots=True)
class Switches:
    """Where sources disagree about the real one, or a test wants it otherwise."""

    partial_status: bool = True
    """Batch answers: 201/200 when all went well, 207 when some did, 400 when none did. False: always 200."""
    list_subforms: bool = True
    """Lists give a subform's rows when `fields` names it. False: only single records have them."""
    second_in_batch_updates: bool = True
    """Upsert: a second record of one batch with the same key updates the first. False: DUPLICATE_DATA."""
    coql_pairs: bool = True
    """COQL: more than two criteria on one level must be put in brackets by pairs."""
    prices_move_books: bool = False
    """Adding, changing or removing a product's price moves the price book's Modified_Time. False, the harder: it does not."""
    tokens_per_window: int = 10
    """Access tokens per refresh token in 10 minutes."""
    credits: int = 500_000
    """API credits in a rolling day."""


@dataclass(slots=True)
class Sandbox:
    """The parts of one running stand-in."""

    store: Store
    clock: Clock
    faults: Faults
    events: Events
    switches: Switches = field(default_factory=Switches)
    lagging: dict[tuple[str, str], float] = field(default_factory=dict)
    """Records that searches do not find yet, by (module, id), until when (seconds since 1970)."""
    channels: dict[str, Doc] = field(default_factory=dict)
    """Watch channels by id, also those that have expired."""
    jobs: dict[str, Any] = field(default_factory=dict)
    """Bulk jobs by id; gone when the process ends."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Uploaded files by id, for bulk writes."""
    reads: int = 0
    """Counts answers, so that `$` keys flip between them."""
    changed: list[tuple[str, str, list[str]]] = field(default_factory=list)
    """(module, operation, ids) of the present call, told to watchers when it ends."""

    def hidden(self, module: str) -> frozenset[str]:
        """Ids of a module's records that the search index does not know yet."""
        if not self.lagging:
            return frozenset()
        now = self.clock.time()
        self.lagging = {key: until for key, until in self.lagging.items() if until > now}
        return frozenset(key for name, key in self.lagging if name == module)


@dataclass(slots=True)
class Call:
    """One API call on its way through a handler."""

    box: Sandbox
    request: Request
    parts: tuple[str, ...]
    """The path after `/crm/v8/` (or `/crm/bulk/v8/`), split at slashes."""
    base: str
    """Address that this server was called by."""
    credits: int = 1
    """What the call costs."""

    @property
    def query(self) -> Mapping[str, str]:
        """Query parameters."""
        return self.request.query

    def header(self, name: str) -> str | None:
        """A request header by its lower-case name."""
        return self.request.headers.get(name)

    def body(self) -> Doc:
        """The JSON object sent, whatever its Content-Type says. Raises ApiError."""
        try:
            body = self.request.json()
        except (msgspec.DecodeError, ArithmeticError, RecursionError, UnicodeDecodeError) as error:
            raise ApiError(400, "INVALID_DATA", "body is not a valid json", reason=str(error)[:200]) from error
        if not isinstance(body, dict):
            raise ApiError(400, "INVALID_DATA", "invalid data", expected_data_type="jsonobject")
        return body

    def module(self, at: int = 0) -> Module:
        """The module named in the path, in any case. Raises ApiError."""
        return module_named(self.parts[at])


Handler = Callable[[Call], Response]


_BY_LOWER = {name.lower(): module for name, module in MODULES.items()}


def module_named(name: Any) -> Module:
    """A module by its API name. Raises ApiError."""
    module = _BY_LOWER.get(str(name).lower())
    if module is None:
        raise ApiError(400, "INVALID_MODULE", "the module name given seems to be invalid", api_name=str(name)[:60])
    return module


def named(value: Any) -> str:
    """The module named in a body: `{"api_name": …}`, or the name itself."""
    return str(value.get("api_name") if isinstance(value, Mapping) else value)


def no_content() -> Response:
    """204: nothing there; the body is empty."""
    return Response(204)


def answer(value: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(status, JSON_OUT.encode(value))


def integer(call: Call, name: str, default: int, lowest: int, highest: int) -> int:
    """A whole-number parameter between two bounds. Raises ApiError."""
    text = call.query.get(name)
    if text is None or text == "":
        return default
    if not text.isascii() or not text.isdigit() or not lowest <= int(text[:9]) <= highest:
        raise ApiError(
            400, "INVALID_DATA", "Invalid value passed for the parameter", param_name=name, minimum_length=lowest, maximum_length=highest
        )
    return int(text)
