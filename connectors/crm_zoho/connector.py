"""The connector: each method is a few lines over the client, the streams and the readers and writers of a module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
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
from connectors.crm_zoho import checking, hooks, normal
from connectors.crm_zoho.client import ZohoClient
from connectors.crm_zoho.reading import Reader
from connectors.crm_zoho.settings import ZohoSettings
from connectors.crm_zoho.streams import Module, modules
from connectors.crm_zoho.writing import Writer
from connectors.errors import Refused
from connectors.transport import Transport


class ZohoSession:
    """One conversation with one organisation. Not shared between threads."""

    def __init__(self, settings: ZohoSettings, transport: Transport) -> None:
        self._settings, self._transport = settings, transport
        self._client = ZohoClient(settings, transport)
        self._modules = modules(settings)
        self._readers: dict[str, Reader] = {}
        self._writers: dict[str, Writer] = {}

    def check(self) -> Sequence[Finding]:
        """Try each right and limit, and name the one that fails."""
        return list(checking.check(self._client, self._settings, self._modules))

    def describe(self, stream: str) -> Sequence[FieldInfo]:
        """The module's fields as this organisation has them. Raises: CallFailed."""
        return checking.describe(self._client, self._module(stream))

    def read(self, stream: str, cursor: Cursor | None, window: Window | None = None) -> Iterator[Page]:
        """Pages of whole records. Raises: CallFailed."""
        reader = self._reader(stream)
        return reader.increment(cursor) if window is None else reader.window(window)

    def get(self, stream: str, keys: Sequence[str]) -> Sequence[Record]:
        """The named records as they are now. Raises: CallFailed."""
        return self._reader(stream).get(keys)

    def keys(self, stream: str, window: Window) -> Iterator[Sequence[tuple[str, str]]]:
        """The complete listing of a window. Raises: CallFailed."""
        return self._reader(stream).keys(window)

    def write(self, stream: str, changes: Sequence[Change]) -> Sequence[Receipt]:
        """Do one step for each change. Raises: CallFailed when certainly nothing was done."""
        if stream not in self._writers:
            self._writers[stream] = Writer(self._client, self._module(stream), self._reader(stream))
        return self._writers[stream].write(changes)

    def find(self, stream: str, hub_keys: Sequence[str]) -> Mapping[str, Record]:
        """Records that carry these hub keys. Raises: CallFailed."""
        return self._reader(stream).find(hub_keys)

    def renew_watch(self) -> Sequence[Finding]:
        """Keep the notification channel alive. Raises: CallFailed."""
        return hooks.renew(self._client, self._settings, datetime.fromtimestamp(self._transport.clock(), UTC))

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _module(self, stream: str) -> Module:
        try:
            return self._modules[stream]
        except KeyError:
            known = ", ".join(self._modules)
            raise Refused(
                self._client.system, f"there is no stream {stream!r}; there are: {known}", next_step="correct the stream in hub.yaml"
            ) from None

    def _reader(self, stream: str) -> Reader:
        if stream not in self._readers:
            self._readers[stream] = Reader(self._client, self._settings, self._transport, self._module(stream))
        return self._readers[stream]


class ZohoConnector:
    """Zoho CRM."""

    kind = "crm_zoho"
    title = "Zoho CRM 卓豪客户关系管理"
    version = "v8"
    settings: type[BaseModel] = ZohoSettings

    def __init__(self) -> None:
        self._tables: dict[str, tuple[Sequence[FieldInfo], Mapping[str, normal.Normaliser]]] = {}

    def streams(self, settings: BaseModel) -> Sequence[Stream]:
        """The modules in use. Raises: ValueError for a name in the settings that does not exist."""
        return [module.stream for module in modules(_own(settings)).values()]

    def open(self, settings: BaseModel, transport: Transport) -> ZohoSession:
        """Start a conversation; signs in at the first call."""
        return ZohoSession(_own(settings), transport)

    def normalise(self, stream: Stream, path: str, value: Any) -> Any:
        """The value as Zoho would store it. A field that is not declared is compared as it is."""
        held = self._tables.get(stream.name)
        if held is None or held[0] is not stream.fields:
            held = self._tables[stream.name] = (stream.fields, normal.table(stream))
        act = held[1].get(path)
        return value if act is None else act(value)

    def events(self, settings: BaseModel, request: InboundRequest) -> EventAnswer:
        """Verify a callback, then say which records it hints at. Raises: Forged."""
        return hooks.events(_own(settings), request)


def _own(settings: BaseModel) -> ZohoSettings:
    if not isinstance(settings, ZohoSettings):
        raise TypeError("these are not settings of a Zoho CRM system")
    return settings
