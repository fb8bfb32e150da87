"""The contract every connector keeps: what the engine may ask of a system, and what it gets back.

A connector speaks its vendor's protocol and nothing else. It knows no mapping, no canonical model, no database.
The engine (`sync/`) gives it settings and a :class:`~connectors.transport.Transport`, reads pages of whole documents from it
and hands it changes to write; each change comes back as receipts, one per step.

Values of a payload are those of JSON, with `Decimal` for every number that has a fraction (never `float`), `int` for whole
numbers, and text for dates and times exactly as the vendor writes them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from pydantic import BaseModel

    from connectors.transport import Transport

Payload = dict[str, Any]
"""One whole document as the vendor's reading call gives it, in the stream's declared shape."""

Cursor = dict[str, Any]
"""A position in a stream. JSON values only; opaque to everyone but the connector; made from the vendor's own clock."""


@dataclass(frozen=True, slots=True)
class Record:
    """One document of a stream as a system holds it now."""

    key: str
    """The system's own identifier, as text; unique within the stream."""
    payload: Payload
    org: str = ""
    """Number of the organisation that the record belongs to; empty where the system has none."""
    modified: str = ""
    """When the system says it changed, in the system's own words; empty where it does not say."""
    deleted: bool = False
    """True for a proven delete; the payload is then empty."""


@dataclass(frozen=True, slots=True)
class Page:
    """Records read together, and the position past them. Both are committed in one transaction, or neither."""

    records: Sequence[Record]
    cursor: Cursor | None
    """Where the next read starts. None keeps the old position (a window's page, say)."""
    refused: Sequence[Refused] = ()
    """Records that could be told apart but not understood: they go to quarantine, the rest of the page goes on."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A record of a page that could not be understood."""

    key: str
    raw: str
    """What came, as text, shortened to 64 KiB."""
    why: str
    org: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a stream: what changed, or is dated, in `[start, end)`, of one organisation or of all.

    Time: aware datetimes.
    """

    start: datetime | None = None
    end: datetime | None = None
    org: str = ""
    by: Literal["modified", "dated", "all"] = "modified"
    """`modified`: by change time; `dated`: by the document's business date; `all`: everything (start and end are ignored)."""


@dataclass(frozen=True, slots=True)
class LineSet:
    """A list inside a document whose rows have identifiers of their own."""

    field: str
    """Key of the list in the payload."""
    key: str
    """Key of the row's identifier inside the row."""
    hub_key: str = ""
    """Key of a writable text field in the row that can carry the hub's line key; empty where there is none."""
    apart: bool = False
    """True when each row is written by itself: of a change only the rows that differ need to be sent."""


@dataclass(frozen=True, slots=True)
class HubKeyField:
    """The field that carries the hub's key in a system's records, so that a create can be found again."""

    field: str
    length: int
    searchable: bool = True
    index_lag_s: float = 0.0
    """How long after a commit `find` may still miss the record."""


class Deletes(StrEnum):
    """How a system tells that a record was deleted."""

    NONE = "none"
    EVENTS = "events"
    LISTING = "listing"
    """Only a complete listing shows it."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """The states a document climbs after it was saved, and the step that leaves each of them.

    `steps` maps a state to the step that leads out of it, lowest first: `{"A": "submit", "B": "audit"}` ends at the state
    that has no step. `same_as` names states that count as another one: `{"Z": "A", "D": "A"}`.
    """

    field: str
    """Key of the state in the payload."""
    steps: Mapping[str, str]
    order: Sequence[str]
    """All states on the way, lowest first, e.g. `("A", "B", "C")`."""
    after: Mapping[str, str]
    """The state a successful step leads to: `{"save": "A", "submit": "B", "audit": "C"}`."""
    same_as: Mapping[str, str] = dataclasses.field(default_factory=dict)
    writable: Sequence[str] = ()
    """States in which `save` may change the document; empty: all."""

    def next_step(self, state: str, goal: str) -> str | None:
        """The step to take from `state` on the way to `goal`, or None when it is reached or passed."""
        here = self.same_as.get(state, state)
        if here not in self.order or goal not in self.order:
            return None
        return self.steps.get(here) if self.order.index(here) < self.order.index(goal) else None


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """What `describe` tells about one field of a stream."""

    name: str
    label: str
    type: str
    """text, integer, decimal, boolean, date, datetime, reference, enum, list, object"""
    required: bool = False
    writable: bool = True
    length: int | None = None
    scale: int | None = None
    options: Sequence[str] = ()
    refers_to: str = ""
    personal: bool = False
    """True for data about a natural person."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of record in a system."""

    name: str
    """The hub's name for it, plural, the same trade word in every connector where the thing is the same: `customers`."""
    vendor_name: str
    """The system's own name for it: a form, a module, a table."""
    title: str
    """For people, Chinese and English: `销售订单 Sales orders`."""
    key: str
    """Key of the identifier in the payload."""
    number: str = ""
    """Key of the business number in the payload: what people call the record, and what other documents cite."""
    org: str = ""
    """Key of the organisation number in the payload; may be a dotted path."""
    modified: str = ""
    """Key of the change time in the payload."""
    modified_resolution_s: float | None = None
    """How fine the change time is; None: it cannot be trusted per record."""
    dated: str = ""
    """Key of the business date in the payload."""
    overlap_s: int = 300
    """How far behind the cursor an increment reads again, for rows that were committed late."""
    page_size: int = 500
    writable: bool = False
    creatable: bool = False
    batch: int = 1
    """How many records one write call may carry."""
    hub_key: HubKeyField | None = None
    lines: Sequence[LineSet] = ()
    ladder: Ladder | None = None
    volatile: Sequence[str] = ()
    """Keys (or prefixes ending in `*`) that flip without a change; left out of the fingerprint."""
    deletes: Deletes = Deletes.NONE
    depends_on: Sequence[str] = ()
    """Streams whose records this one cites; read before it."""
    read_back: bool = False
    """True when a write must be followed by `get`: the system recomputes what was sent, or does not return the record."""
    fields: Sequence[FieldInfo] = ()
    absent: Sequence[str] = ()
    """Fields that the connector knows and this installation has not; those of rows as `lines.field`. The engine leaves them out of what it
    writes."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do to one record."""

    id: str
    """The hub's identifier of this delivery; comes back on the receipts."""
    step: str
    """`save` (create or update), or a step of the stream's ladder (`submit`, `audit`, ...), `delete`, `deactivate`, `void`."""
    hub_key: str
    key: str | None = None
    """The system's identifier; None asks for a create."""
    org: str = ""
    number: str = ""
    """The record's business number in the system, where known; some vendors address records by it."""
    fields: Payload = field(default_factory=dict)
    """For `save`: the values to write, in the stream's declared shape. Only these; everything else stays as it is."""
    quiet: bool = True
    """True: raise no notice, workflow or approval in the system (mirrored data, first loads, backfills)."""


class Outcome(StrEnum):
    """What became of one step of one change."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"
    """The system will never take this value; a person must mend the data, the mapping or a right."""
    BLOCKED = "blocked"
    """The system says no for now: credit, closed period, lock, workflow. A business fact, not a failure."""
    RETRY = "retry"
    """Certainly not done; try again later."""
    UNCERTAIN = "uncertain"
    """May or may not have been done: look before anything is repeated."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of one step of one change."""

    change_id: str
    step: str
    outcome: Outcome
    key: str | None = None
    """The system's identifier, as soon as it is known, whatever the outcome."""
    number: str = ""
    code: str = ""
    why: str = ""
    """In words for the person who mends it; no secret, no payload."""
    retry_after_s: float | None = None
    record: Record | None = None
    """The whole record, where the answer carries it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One right or limit that `check` tried."""

    name: str
    ok: bool
    detail: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Hint:
    """What an event says: something about this record changed; read it."""

    stream: str
    key: str
    deleted: bool = False
    event_id: str = ""
    """For dropping repeats; empty when the vendor gives none."""


@dataclass(frozen=True, slots=True)
class InboundRequest:
    """A vendor's callback as it came over the wire."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Keys in lower case."""
    body: bytes


@dataclass(frozen=True, slots=True)
class EventAnswer:
    """What to answer a vendor's callback, and what it hinted at."""

    status: int
    body: bytes = b""
    media_type: str = "text/plain"
    hints: Sequence[Hint] = ()


class Session(Protocol):
    """One signed-in conversation with one system. Not shared between threads."""

    def check(self) -> Sequence[Finding]:
        """Try each right and limit that the hub needs, and name the one that fails. Writes nothing."""

    def describe(self, stream: str) -> Sequence[FieldInfo]:
        """The stream's fields as this tenant has them, custom ones included."""

    def read(self, stream: str, cursor: Cursor | None, window: Window | None = None) -> Iterator[Page]:
        """Pages of whole documents, oldest change first.

        With a cursor: everything changed since, the boundary and the stream's overlap included. Without: everything.
        With a window: what falls into it; its pages carry no cursor.
        The last page of an increment carries the cursor even when it has no records.
        """

    def get(self, stream: str, keys: Sequence[str]) -> Sequence[Record]:
        """The named records as they are now; a missing one is absent from the answer, a deleted one is marked."""

    def keys(self, stream: str, window: Window) -> Iterator[Sequence[tuple[str, str]]]:
        """The complete listing of a window as pages of (organisation, key). Raises if it cannot be complete."""

    def write(self, stream: str, changes: Sequence[Change]) -> Sequence[Receipt]:
        """Do one step for each change; one receipt per change, matched by `change_id`, in any order.

        All changes of a call have the same step. A change without an answer comes back `uncertain`.
        Raises CallFailed only when certainly nothing was done.
        """

    def find(self, stream: str, hub_keys: Sequence[str]) -> Mapping[str, Record]:
        """Records that carry these hub keys, read from the system's database, not from a lagging index where it has both."""

    def close(self) -> None:
        """Give the connection back."""


class Connector(Protocol):
    """One kind of system."""

    kind: str
    """`erp_kingdee`"""
    title: str
    version: str
    """API version it was read against."""
    settings: type[BaseModel]
    """What a person types to connect one system."""

    def streams(self, settings: BaseModel) -> Sequence[Stream]:
        """The kinds of record it can read or write, with this system's settings (custom field names, say) applied.

        Raises: ValueError where the settings name a stream or field that there is not.
        """

    def open(self, settings: BaseModel, transport: Transport) -> Session:
        """Start a conversation; signs in lazily, at the first call."""

    def normalise(self, stream: Stream, path: str, value: Any) -> Any:
        """The value as the system would store it (trimmed, cut to scale, zone applied), for comparing. Pure.

        `path` is the field's key in the payload; `lines.field` for a field of a line.
        """

    def events(self, settings: BaseModel, request: InboundRequest) -> EventAnswer:
        """Verify a callback, then say which records it hints at. Raises `Forged` when the proof fails. Pure."""
