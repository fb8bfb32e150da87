"""Where the ERP keeps its documents: a SQLite table per form, and base data's numbers in memory beside it.

A document is one JSON text of lists by position; the head fields that queries filter by are columns as well. Documents are read anew
from SQLite each time (a few microseconds), so there is no cache to go stale; only the look-up tables of base data live in memory and
move with every write.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from sandbox.core import connect, transaction
from sandbox.erp_kingdee import catalogue_base, catalogue_documents  # noqa: F401  importing them defines the forms
from sandbox.erp_kingdee.forms import FORMS, Field, Form

_ENCODE = msgspec.json.Encoder(decimal_format="number")
_EXACT = msgspec.json.Decoder(list, float_hook=Decimal)
_HEAD = list[msgspec.Raw]
_LINES = list[list[msgspec.Raw]]
_TYPES = {"t": "TEXT COLLATE NOCASE", "e": "TEXT COLLATE NOCASE", "d": "TEXT", "dt": "TEXT", "n": "NUMERIC", "i": "INTEGER", "b": "INTEGER"}
FIRST_ID = 100_001


@dataclass(slots=True)
class Doc:
    """One document. `head` and each line are values by position (see `forms`)."""

    form: Form
    id: Any
    head: list[Any]
    lists: list[list[list[Any]]]
    """Lines by entry entity; `lists[0]` belongs to entity 1."""

    def get(self, key: str) -> Any:
        """A head field's value."""
        return self.head[self.form.by_key[key.lower()].at]

    def set(self, key: str, value: Any) -> None:
        """Set a head field."""
        self.head[self.form.by_key[key.lower()].at] = value

    @property
    def number(self) -> str:
        """The business number; empty where the form has none."""
        return str(self.get(self.form.number) or "") if self.form.number else ""

    @property
    def status(self) -> str:
        """The document status letter; `C` for forms without one."""
        return str(self.get("FDocumentStatus")) if self.form.has("FDocumentStatus") else "C"


def new_doc(form: Form) -> Doc:
    """An empty document."""
    return Doc(form, 0, form.blank_head(), [[] for _ in form.entities[1:]])


def _picker(places: list[int]) -> Callable[[list[Any]], tuple[Any, ...]]:
    return itemgetter(*places) if len(places) > 1 else lambda head: tuple(head[at] for at in places)


def _raw_decoder(lists: int) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(tuple[(_HEAD, *[_LINES] * lists)])  # type: ignore[misc]  # a type made at run time


@dataclass(slots=True)
class Numbers:
    """One base form's look-ups: id -> number and so on, number -> ids of its copies."""

    number: dict[Any, str] = field(default_factory=dict)
    name: dict[Any, str] = field(default_factory=dict)
    org: dict[Any, Any] = field(default_factory=dict)
    usable: dict[Any, bool] = field(default_factory=dict)
    ids: dict[str, list[Any]] = field(default_factory=dict)

    def forget(self, key: Any) -> None:
        """Drop a record."""
        number = self.number.pop(key, None)
        if number is not None:
            copies = self.ids.get(number.upper(), [])
            if key in copies:
                copies.remove(key)
        for table in (self.name, self.org, self.usable):
            table.pop(key, None)

    def note(self, doc: Doc) -> None:
        """Take a record up, or anew."""
        self.forget(doc.id)
        number = doc.number
        self.number[doc.id] = number
        self.name[doc.id] = str(doc.get("FName"))
        self.org[doc.id] = doc.get("FUseOrgId") if doc.form.has("FUseOrgId") else 0
        self.usable[doc.id] = doc.status == "C" and doc.get("FForbidStatus") == "A"
        self.ids.setdefault(number.upper(), []).append(doc.id)

    def resolve(self, number: str, org: Any, *, exact_org: bool) -> Any:
        """The id of the copy that organisation `org` uses; without such a copy the first one, unless `exact_org`. None when unknown."""
        copies = self.ids.get(number.strip().upper())
        if not copies:
            return None
        for key in copies:
            if self.org.get(key) == org:
                return key
        return None if exact_org else copies[0]


class Store:
    """All documents of one stand-in."""

    def __init__(self, path: str | Path | None = None) -> None:
        self.db = connect(path)
        self.numbers: dict[str, Numbers] = {form.id: Numbers() for form in FORMS.values() if form.base}
        self._counters: dict[str, int] = {}
        self._raw = {form.id: _raw_decoder(len(form.entities) - 1) for form in FORMS.values()}
        self._columns = {form.id: self._column_fields(form) for form in FORMS.values()}
        self._pick = {form.id: _picker([f.at for f in self._columns[form.id]]) for form in FORMS.values()}
        self._insert = {form.id: self._insert_sql(form) for form in FORMS.values()}
        self._create()

    @staticmethod
    def _column_fields(form: Form) -> list[Field]:
        keys = [key for key in form.columns if key not in (form.pk, form.number)]
        return [form.by_key[key.lower()] for key in ([form.number] if form.number else []) + keys]

    def _insert_sql(self, form: Form) -> str:
        columns = ["id", *(f'"{f.key}"' for f in self._columns[form.id]), "lines", "doc"]
        marks = ",".join("?" * len(columns))
        return f'INSERT OR REPLACE INTO "{form.id}" ({",".join(columns)}) VALUES ({marks})'

    def _create(self) -> None:
        with transaction(self.db):
            self.db.execute("CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL)")
            for form in FORMS.values():
                pk = "TEXT" if form.guid else "INTEGER"
                columns = "".join(f', "{f.key}" {self._column_type(f)}' for f in self._columns[form.id])
                self.db.execute(f'CREATE TABLE IF NOT EXISTS "{form.id}" (id {pk} PRIMARY KEY{columns}, lines INTEGER, doc BLOB)')
                for key in [k for k, indexed in form.columns.items() if indexed]:
                    self.db.execute(f'CREATE INDEX IF NOT EXISTS "ix_{form.id}_{key}" ON "{form.id}" ("{key}")')
        self._counters = dict(self.db.execute("SELECT name, value FROM counters"))
        for form in FORMS.values():
            if form.base:
                for doc in self.all(form):
                    self.numbers[form.id].note(doc)

    @staticmethod
    def _column_type(f: Field) -> str:
        if f.kind == "r":
            return "TEXT" if FORMS[f.form].guid else "INTEGER"
        return _TYPES[f.kind]

    def clear(self) -> None:
        """Delete every document and start the counters anew."""
        with transaction(self.db):
            for form in FORMS.values():
                self.db.execute(f'DELETE FROM "{form.id}"')
            self.db.execute("DELETE FROM counters")
        self._counters.clear()
        for numbers in self.numbers.values():
            for table in (numbers.number, numbers.name, numbers.org, numbers.usable, numbers.ids):
                table.clear()

    # counters

    def next(self, name: str, count: int = 1, first: int = FIRST_ID) -> int:
        """The first of `count` new values of a counter; values are never given twice."""
        value = self._counters.get(name, first)
        self._counters[name] = value + count
        self.db.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (name, value + count))
        return value

    def at_least(self, name: str, value: int) -> None:
        """Move a counter past a value that was given from outside."""
        if self._counters.get(name, 0) <= value:
            self._counters[name] = value + 1
            self.db.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (name, value + 1))

    def new_id(self, form: Form) -> Any:
        """A new document id: a GUID text or a whole number."""
        return str(uuid.uuid4()) if form.guid else self.next(f"id:{form.id}")

    # documents

    @staticmethod
    def _read(form: Form, key: Any, text: bytes) -> Doc:
        head, *lists = _EXACT.decode(text)
        return Doc(form, key, head, lists)

    def get(self, form: Form, key: Any) -> Doc | None:
        """The document of that id; None when there is none."""
        row = self.db.execute(f'SELECT id, doc FROM "{form.id}" WHERE id = ?', (key,)).fetchone()
        return self._read(form, row[0], row[1]) if row else None

    def by_number(self, form: Form, number: str) -> list[Doc]:
        """All documents of that number, in id order: base data may have copies."""
        if not form.number:
            return []
        rows = self.db.execute(f'SELECT id, doc FROM "{form.id}" WHERE "{form.number}" = ? ORDER BY id', (number,)).fetchall()
        return [self._read(form, key, text) for key, text in rows]

    def all(self, form: Form, where: str = "", parameters: Iterable[Any] = ()) -> Iterator[Doc]:
        """Every document, in id order; `where` is SQL over the columns."""
        rows = self.db.execute(f'SELECT id, doc FROM "{form.id}" {where} ORDER BY id', tuple(parameters)).fetchall()
        for key, text in rows:
            yield self._read(form, key, text)

    def rows(self, form: Form, sql: str, parameters: Iterable[Any]) -> Iterator[tuple[Any, int, bytes]]:
        """(id, number of lines, stored text) of what `sql` (from WHERE on) selects, streamed."""
        return iter(self.db.execute(f'SELECT id, lines, doc FROM "{form.id}" {sql}', tuple(parameters)))

    @staticmethod
    def taken_apart(text: bytes) -> tuple[list[Any], list[list[list[Any]]]]:
        """Head and lists of a stored text, numbers as Decimal."""
        head, *lists = _EXACT.decode(text)
        return head, lists

    def raw_decoder(self, form: Form) -> Callable[[bytes], Any]:
        """Takes a stored text apart into (head, lists…) whose values are pieces of JSON, ready to be sent on."""
        return self._raw[form.id].decode

    def count(self, form: Form) -> int:
        """How many documents a form has."""
        return int(self.db.execute(f'SELECT count(*) FROM "{form.id}"').fetchone()[0])

    def _row(self, doc: Doc) -> tuple[Any, ...]:
        head = doc.head
        return (doc.id, *self._pick[doc.form.id](head), len(doc.lists[0]) if doc.lists else 0, _ENCODE.encode([head, *doc.lists]))

    def put(self, doc: Doc) -> None:
        """Store a document, new or changed."""
        self.db.execute(self._insert[doc.form.id], self._row(doc))
        if doc.form.base:
            self.numbers[doc.form.id].note(doc)

    def put_many(self, form: Form, docs: list[Doc]) -> None:
        """Store many documents of one form."""
        self.db.executemany(self._insert[form.id], map(self._row, docs))
        if form.base:
            numbers = self.numbers[form.id]
            for doc in docs:
                numbers.note(doc)

    def delete(self, doc: Doc) -> None:
        """Remove a document."""
        self.db.execute(f'DELETE FROM "{doc.form.id}" WHERE id = ?', (doc.id,))
        if doc.form.base:
            self.numbers[doc.form.id].forget(doc.id)

    def refresh(self, form: Form) -> None:
        """Drop from memory what is no longer stored, and take up what is."""
        stored = {doc.id: doc for doc in self.all(form)}
        numbers = self.numbers[form.id]
        for key in [key for key in numbers.number if key not in stored]:
            numbers.forget(key)
        for doc in stored.values():
            if numbers.number.get(doc.id) != doc.number or numbers.usable.get(doc.id) != (
                doc.status == "C" and doc.get("FForbidStatus") == "A"
            ):
                numbers.note(doc)

    def exists(self, form: Form, sql: str, parameters: Iterable[Any]) -> bool:
        """Whether `sql` (from WHERE on) selects anything."""
        return self.db.execute(f'SELECT 1 FROM "{form.id}" {sql} LIMIT 1', tuple(parameters)).fetchone() is not None

    def close(self) -> None:
        """Close the file."""
        self.db.close()


@contextmanager
def savepoint(store: Store, form: Form) -> Iterator[None]:
    """All or nothing for one document of a batch; what memory knows of `form` is read anew after a refusal."""
    store.db.execute("SAVEPOINT one")
    try:
        yield
    except BaseException:
        store.db.execute("ROLLBACK TO one")
        store.db.execute("RELEASE one")
        if form.base:
            store.refresh(form)
        raise
    store.db.execute("RELEASE one")


def transaction_of(store: Store) -> Any:
    """A transaction on the store (see `sandbox.core.transaction`)."""
    return transaction(store.db)


__all__ = ["Doc", "Numbers", "Store", "new_doc", "savepoint", "transaction_of"]
