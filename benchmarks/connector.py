"""A connector for the benchmark's server, by the same contract and transport as every other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from connectors.base import (
    Change,
    Cursor,
    EventAnswer,
    FieldInfo,
    Finding,
    HubKeyField,
    InboundRequest,
    LineSet,
    Page,
    Receipt,
    Record,
    Stream,
    Window,
)
from connectors.jsontext import parse_json
from connectors.transport import Answer, Transport

ORDERS = Stream(
    name="orders",
    vendor_name="orders",
    title="订单 Orders",
    key="id",
    number="number",
    modified="updated_at",
    modified_resolution_s=1,
    overlap_s=0,
    page_size=1000,
    writable=True,
    creatable=True,
    batch=100,
    hub_key=HubKeyField("hub_key", 20),
    lines=(LineSet("lines", "line_id"),),
    depends_on=("companies", "parties", "products"),
)
OTHERS = tuple(
    Stream(
        name=name,
        vendor_name=name,
        title=title,
        key="id",
        number="code",
        modified="updated_at",
        modified_resolution_s=1,
        overlap_s=0,
        page_size=1000,
    )
    for name, title in (("companies", "公司 Companies"), ("parties", "客户 Parties"), ("products", "物料 Products"))
)


class BenchSettings(BaseModel):
    """Where the server is."""

    url: str = Field(title="Address", examples=["http://127.0.0.1:8080"])


class BenchSession:
    """Reads pages; the benchmark writes nothing."""

    def __init__(self, settings: BenchSettings, transport: Transport) -> None:
        self._url, self._transport = settings.url, transport

    def read(self, stream: str, cursor: Cursor | None, window: Window | None = None) -> Iterator[Page]:
        """Everything since the cursor, its boundary included; everything at all for a window. Raises: CallFailed."""
        since = str(cursor["since"]) if cursor and window is None else ""
        number = total = 1
        while number <= total:
            answer = self._page(stream, number, since)
            records = [Record(str(payload["id"]), payload, "", payload["updated_at"]) for payload in answer["data"]]
            position = {"since": records[-1].modified} if records else cursor
            yield Page(records, None if window else position)
            number, total = number + 1, answer["pages"]

    def _page(self, stream: str, number: int, since: str) -> Any:
        def judge(answer: Answer) -> Any:
            return parse_json(self._transport.system, answer.body)

        query = f"page={number}" + (f"&since={since}" if since else "")
        return self._transport.call("GET", f"{self._url}/{stream}?{query}", judge=judge, writes=False)

    def get(self, stream: str, keys: Sequence[str]) -> Sequence[Record]:
        """Nothing is read by key here."""
        return []

    def keys(self, stream: str, window: Window) -> Iterator[Sequence[tuple[str, str]]]:
        """Nothing is listed here."""
        return iter(())

    def write(self, stream: str, changes: Sequence[Change]) -> Sequence[Receipt]:
        """Nothing is written: the target is in mode `plan`."""
        raise NotImplementedError

    def find(self, stream: str, hub_keys: Sequence[str]) -> Mapping[str, Record]:
        """Nothing was created here."""
        return {}

    def check(self) -> Sequence[Finding]:
        """There is nothing to try."""
        return []

    def describe(self, stream: str) -> Sequence[FieldInfo]:
        """There is nothing to describe."""
        return []

    def close(self) -> None:
        """Give the connection back."""
        self._transport.close()


class BenchConnector:
    """The benchmark's server."""

    kind = "bench_rest"
    title = "Benchmark"
    version = "1"
    settings: type[BaseModel] = BenchSettings

    def streams(self, settings: BaseModel) -> Sequence[Stream]:
        """Orders and what they cite."""
        return (ORDERS, *OTHERS)

    def open(self, settings: BaseModel, transport: Transport) -> BenchSession:
        """Start a conversation."""
        return BenchSession(BenchSettings.model_validate(settings.model_dump()), transport)

    def normalise(self, stream: Stream, path: str, value: Any) -> Any:
        """It stores what it is sent."""
        return value

    def events(self, settings: BaseModel, request: InboundRequest) -> EventAnswer:
        """It sends none."""
        return EventAnswer(404)


connector = BenchConnector()
