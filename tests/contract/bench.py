"""What a contract test works with: a session on a sandbox, and short words for common acts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.base import Change, Cursor, Outcome, Page, Payload, Receipt, Record, Session, Stream
from connectors.errors import CallFailed, Uncertain
from connectors.transport import MemoryTokenStore, Transport
from tests.contract.subject import Case, Control, Native, Subject

DEADLINE_S = 3.0


class Bench:
    """One subject on one freshly reset sandbox."""

    def __init__(self, subject: Subject, control: Control, credentials: Mapping[str, Any]) -> None:
        self.subject, self.control, self._credentials = subject, control, credentials
        self.slept: list[float] = []
        """Waits that the transport would have slept."""
        self.tokens = MemoryTokenStore()
        self._open: list[Session] = []
        self.session = self.start()

    def settings(self, **overrides: Any) -> Any:
        """Settings for this sandbox, with short pages."""
        return self.subject.settings(self._credentials, {"page_size": self.subject.page_size, **overrides})

    def start(
        self, *, deadline_s: float = DEADLINE_S, fresh_tokens: bool = False, max_bytes: int = 64 * 1024 * 1024, **overrides: Any
    ) -> Session:
        """A new session, as another worker would have it."""
        tokens = MemoryTokenStore() if fresh_tokens else self.tokens
        transport = Transport(
            f"{self.subject.sandbox}_test",
            tokens=tokens,
            deadline_s=deadline_s,
            connect_s=2,
            max_bytes=max_bytes,
            allow_private=True,
            sleep=self.slept.append,
        )
        session = self.subject.connector.open(self.settings(**overrides), transport)
        self._open.append(session)
        return session

    def close(self) -> None:
        """Close every session."""
        for session in self._open:
            session.close()

    def stream(self, name: str) -> Stream:
        """A stream's declaration."""
        return next(stream for stream in self.subject.connector.streams(self.settings()) if stream.name == name)

    # as a user of the system

    def put(self, case: Case, numbers: Iterable[int]) -> list[Native]:
        """Enter examples at the control door."""
        return self.control.put(case.stream, *(case.native(n) for n in numbers))

    def load(self, case: Case, numbers: Iterable[int], stamp: str) -> None:
        """Bulk-load examples with one change time."""
        self.control.load({case.stream: [case.stamped(n, stamp) for n in numbers]})

    def keys_there(self, case: Case) -> set[str]:
        """Identifiers of all records that the system holds."""
        return {str(record[case.native_key]) for record in self.control.records(case.stream)}

    # through the connector

    def read(self, case: Case, cursor: Cursor | None = None) -> tuple[list[Record], Cursor]:
        """Everything since the cursor, and the cursor after it."""
        return flat(list(self.session.read(case.stream, cursor)), cursor)

    def change(self, case: Case, n: int, *, key: str | None = None, fields: Payload | None = None) -> Change:
        """A save of example `n`."""
        assert case.fields is not None
        return Change(f"d{n}", "save", hub_key(n), key, org=case.org, fields=case.fields(n) if fields is None else fields)

    def create(self, case: Case, numbers: Sequence[int]) -> list[Receipt]:
        """Create examples, all of them expected to be written."""
        receipts = self.write(case, [self.change(case, n) for n in numbers])
        assert [receipt.outcome for receipt in receipts] == [Outcome.WRITTEN] * len(numbers), receipts
        return receipts

    def write(self, case: Case, changes: Sequence[Change]) -> list[Receipt]:
        """Receipts in the order of the changes, exactly one for each; a call that failed as a whole becomes receipts, as in the engine."""
        try:
            receipts = list(self.session.write(case.stream, changes))
        except Uncertain as error:
            receipts = [Receipt(change.id, change.step, Outcome.UNCERTAIN, why=error.why) for change in changes]
        except CallFailed as error:
            receipts = [Receipt(change.id, change.step, Outcome.RETRY, why=error.why) for change in changes]
        by_id = {receipt.change_id: receipt for receipt in receipts}
        assert sorted(receipt.change_id for receipt in receipts) == sorted(change.id for change in changes)
        return [by_id[change.id] for change in changes]

    def one(self, case: Case, key: str | None) -> Record:
        """One record that must be there."""
        assert key is not None
        (record,) = self.session.get(case.stream, [key])
        return record

    def normal(self, case: Case, payload: Payload) -> dict[str, Any]:
        """A payload with every value normalised, lines included, by path."""
        stream, lists = self.stream(case.stream), {lines.field for lines in self.stream(case.stream).lines}
        normalise = self.subject.connector.normalise
        made: dict[str, Any] = {key: normalise(stream, key, value) for key, value in payload.items() if key not in lists}
        for name in lists & payload.keys():
            made[name] = [{key: normalise(stream, f"{name}.{key}", value) for key, value in row.items()} for row in payload[name] or ()]
        return made


def flat(pages: Sequence[Page], cursor: Cursor | None) -> tuple[list[Record], Cursor]:
    """The records of all pages, and the last cursor."""
    for page in pages:
        assert not page.refused, page.refused
        cursor = page.cursor if page.cursor is not None else cursor
    assert cursor is not None, "a read without a window ends with a cursor"
    return [record for page in pages for record in page.records], cursor


def hub_key(n: int) -> str:
    """A hub key for example `n`, 16 characters."""
    return f"HUBKEY{n:010d}"


def assert_exact(value: Any) -> None:
    """No float anywhere."""
    if isinstance(value, dict):
        for inner in value.values():
            assert_exact(inner)
    elif isinstance(value, list):
        for inner in value:
            assert_exact(inner)
    else:
        assert value is None or isinstance(value, str | int | bool | Decimal), f"{type(value).__name__} in a payload"
