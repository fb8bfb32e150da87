"""The connector: the contract of `connectors.base`, each part a few lines over client, reader and writer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from connectors.base import (
    Change,
    Cursor,
    EventAnswer,
    FieldInfo,
    Finding,
    InboundRequest,
    Page,
    Receipt,
    Record,
    Stream,
    Window,
)
from connectors.erp_kingdee import checks, events
from connectors.erp_kingdee.client import KingdeeClient
from connectors.erp_kingdee.forms import Form
from connectors.erp_kingdee.reading import Reader
from connectors.erp_kingdee.settings import KingdeeSettings
from connectors.erp_kingdee.streams import forms_for
from connectors.erp_kingdee.values import normaliser
from connectors.erp_kingdee.writing import Writer
from connectors.transport import Transport


class KingdeeSession:
    """One signed-in conversation with one data centre."""

    def __init__(self, settings: KingdeeSettings, transport: Transport) -> None:
        self._settings, self._transport = settings, transport
        self._client = KingdeeClient(settings, transport)
        self._forms = forms_for(settings)
        self._streams = {stream.name: stream for stream in _streams(settings)}

    def check(self) -> Sequence[Finding]:
        """Sign-in, each form's query right and fields, organisations, hub keys."""
        return checks.run(self._client, self._forms, self._settings, self._reader)

    def describe(self, stream: str) -> Sequence[FieldInfo]:
        """The form's fields as this tenant has them."""
        return checks.describe(self._client, self._form(stream))

    def read(self, stream: str, cursor: Cursor | None, window: Window | None = None) -> Iterator[Page]:
        """Pages of whole documents; see `Reader`."""
        reader = self._reader(self._form(stream))
        return reader.window(window) if window else reader.changes(cursor)

    def get(self, stream: str, keys: Sequence[str]) -> Sequence[Record]:
        """The named documents that are there."""
        return list(self._reader(self._form(stream)).get(keys))

    def keys(self, stream: str, window: Window) -> Iterator[Sequence[tuple[str, str]]]:
        """(organisation, key) of everything in a window."""
        return self._reader(self._form(stream)).keys(window)

    def write(self, stream: str, changes: Sequence[Change]) -> Sequence[Receipt]:
        """One step for each change."""
        form = self._form(stream)
        return Writer(self._client, form, self._reader(form)).write(changes) if changes else ()

    def find(self, stream: str, hub_keys: Sequence[str]) -> Mapping[str, Record]:
        """Records by hub key. Of copies in several organisations, the one in the organisation that created it."""
        form = self._form(stream)
        if not form.hub_key:
            return {}
        asked = {key: None for key in hub_keys if key}  # an empty one would find everything that the hub did not make
        found: dict[str, Record] = {}
        for record in self._reader(form).having(form.hub_key, list(asked)):
            key = str(record.payload[form.hub_key]).strip()
            if key in asked and (key not in found or (_is_original(record) and not _is_original(found[key]))):
                found[key] = record
        return found

    def close(self) -> None:
        """Give the connection back."""
        self._transport.close()

    def _form(self, stream: str) -> Form:
        try:
            return self._forms[stream]
        except KeyError:
            raise LookupError(f"erp_kingdee has no stream {stream!r}; it has {', '.join(self._forms)}") from None

    def _reader(self, form: Form) -> Reader:
        return Reader(self._client, form, self._settings, self._streams[form.stream].overlap_s)


class KingdeeConnector:
    """Kingdee K3Cloud (金蝶云星空)."""

    kind = "erp_kingdee"
    title = "金蝶云星空 Kingdee K3Cloud"
    version = "WebAPI 2026-08, SDK 8.2.0"
    settings: type[BaseModel] = KingdeeSettings

    def streams(self, settings: Any) -> Sequence[Stream]:
        """The fourteen streams, with this tenant's custom fields."""
        return _streams(settings)

    def open(self, settings: Any, transport: Transport) -> KingdeeSession:
        """A conversation; signs in at the first call."""
        return KingdeeSession(settings, transport)

    def normalise(self, stream: Stream, path: str, value: Any) -> Any:
        """The value as Kingdee stores it."""
        return normaliser(stream.name, path)(value)

    def events(self, settings: Any, request: InboundRequest) -> EventAnswer:
        """Hints from the event plug-in, verified; see `events`."""
        return events.read(settings, request)


def _streams(settings: KingdeeSettings) -> Sequence[Stream]:
    return [
        form.stream_for(
            page_size=settings.page_size,
            batch=settings.batch_size,
            overlap_s=settings.overlap_s,
            saved_while_audited=settings.base_data_saved_while_audited,
        )
        for form in forms_for(settings).values()
    ]


def _is_original(record: Record) -> bool:
    return bool(record.payload.get("FCreateOrgId.FNumber") == record.payload.get("FUseOrgId.FNumber"))


connector = KingdeeConnector()
