"""The records: in memory with the indexes that the API needs, and in SQLite so that they outlive the process.

A record is never changed in place: a write puts a new document, so an answer being built keeps what it saw. Lookups share one
`{"id", "name"}` object for each record pointed to, so a renamed account shows its new name everywhere at once, as in the real one.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sandbox.core.http import JSON_IN, JSON_OUT
from sandbox.core.store import connect, transaction
from sandbox.crm_zoho.metadata import Doc, Module
from sandbox.crm_zoho.modules import MODULES

FIRST_ID = 572576700900000001
"""Record ids start here; those of metadata are lower."""

Row = tuple[str, str]
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS records (module TEXT, id TEXT, doc BLOB, PRIMARY KEY (module, id)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS bin (module TEXT, id TEXT, doc BLOB, PRIMARY KEY (module, id)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, doc BLOB) WITHOUT ROWID",
)


def folded(value: Any) -> str:
    """A value as indexes and comparisons of text see it: the real one does not tell cases apart."""
    return str(value).casefold()


class Table:
    """The live records of one module, and those deleted."""

    def __init__(self, module: Module, store: Store) -> None:
        self.module = module
        self._store = store
        self.docs: dict[str, Doc] = {}
        self.ids: list[str] = []
        """All ids in ascending order."""
        self.modified: list[Row] = []
        """(Modified_Time, id) in ascending order."""
        self.bin: dict[str, Doc] = {}
        """Deleted records by id: what `GET /deleted` lists."""
        self._values: dict[str, dict[str, list[str]]] = {name: {} for name in module.indexed}
        self._created: list[Row] | None = None

    def find(self, name: str, value: Any) -> list[str]:
        """Ids of the records whose indexed field has this value, oldest first."""
        return self._values[name].get(folded(value), [])

    @property
    def created(self) -> list[Row]:
        """(Created_Time, id) in ascending order; made when asked for."""
        if self._created is None:
            self._created = sorted((doc.get("Created_Time") or "", key) for key, doc in self.docs.items())
        return self._created

    def put(self, doc: Doc) -> None:
        """Create or replace a record."""
        key = doc["id"]
        old = self.docs.get(key)
        if old is None:
            if not self.ids or key > self.ids[-1]:
                self.ids.append(key)
            else:
                insort(self.ids, key)
            self._created = None
        else:
            self._drop_modified(old)
        stamp = (doc["Modified_Time"], key)
        if not self.modified or stamp > self.modified[-1]:
            self.modified.append(stamp)
        else:
            insort(self.modified, stamp)
        self._reindex(key, old, doc)
        self.docs[key] = doc
        self._store.note(self.module, key, doc)

    def remove(self, key: str, tombstone: Doc) -> None:
        """Move a record to the recycle bin; `tombstone` is what the list of deleted records says of it."""
        old = self.docs.pop(key)
        del self.ids[bisect_left(self.ids, key)]
        self._drop_modified(old)
        self._created = None
        self._reindex(key, old, {})
        self.bury(key, tombstone)

    def forget(self, key: str) -> None:
        """Take back a record that the present call made."""
        self.remove(key, {})
        del self.bin[key]
        self._store.note(self.module, key, None)

    def bury(self, key: str, tombstone: Doc) -> None:
        """Set what the list of deleted records says of a record."""
        self.bin[key] = tombstone
        self._store.note(self.module, key, None, tombstone)

    def fill(self, docs: Iterable[Doc]) -> None:
        """Load many records at once: indexes are built one time."""
        for doc in docs:
            key = doc["id"]
            self._reindex(key, self.docs.get(key), doc)
            self.docs[key] = doc
            self._store.note(self.module, key, doc)
        self.ids = sorted(self.docs)
        self.modified = sorted((doc["Modified_Time"], key) for key, doc in self.docs.items())
        self._created = None

    def since(self, moment: str, *, strictly: bool = True) -> list[Row]:
        """(Modified_Time, id) of what was modified after `moment`, ascending."""
        at = bisect_right(self.modified, (moment, "\uffff")) if strictly else bisect_left(self.modified, (moment, ""))
        return self.modified[at:]

    def _drop_modified(self, doc: Doc) -> None:
        row = (doc["Modified_Time"], doc["id"])
        del self.modified[bisect_left(self.modified, row)]

    def _reindex(self, key: str, old: Doc | None, new: Mapping[str, Any]) -> None:
        for name, index in self._values.items():
            before = old.get(name) if old is not None else None
            after = new.get(name)
            if before == after:
                continue
            if before is not None:
                before = folded(before)
                left = [k for k in index[before] if k != key]
                if left:
                    index[before] = left
                else:
                    del index[before]
            if after is not None:
                found = index.setdefault(folded(after), [])
                if found and key < found[-1]:
                    insort(found, key)
                else:
                    found.append(key)


class Store:
    """All modules, the next free id, and small things kept across restarts (watch channels)."""

    def __init__(self, database: str | Path | None = None) -> None:
        self._db: sqlite3.Connection | None = connect(database) if database else None
        self._changed: dict[tuple[str, str], tuple[Doc | None, Doc | None]] = {}
        self._names: dict[str, dict[str, Doc]] = {}
        self.tables: dict[str, Table] = {}
        self._next = FIRST_ID
        self._empty()
        if self._db is not None:
            for statement in _SCHEMA:
                self._db.execute(statement)
            self._read(self._db)

    def _empty(self) -> None:
        self.tables = {name: Table(module, self) for name, module in MODULES.items()}
        self._names = {name: {} for name in MODULES}
        self._next = FIRST_ID
        self._changed.clear()

    def new_id(self) -> str:
        """The next free id of 18 digits, for a record or a subform row."""
        self._next += 1
        return str(self._next)

    def seen_id(self, key: str) -> None:
        """Never give out `key` or a lower id again."""
        number = int(key)
        self._next = max(self._next, number)

    def reference(self, module: str, key: str) -> Doc:
        """The one `{"id", "name"}` object that every lookup of this record shares."""
        names = self._names[module]
        found = names.get(key)
        if found is None:
            doc = self.tables[module].docs.get(key)
            found = names[key] = {"id": key, "name": doc.get(self.tables[module].module.title) if doc else None}
        return found

    def rename(self, module: str, doc: Doc) -> None:
        """Show the record's present name in every lookup of it."""
        found = self._names[module].get(doc["id"])
        if found is not None:
            found["name"] = doc.get(self.tables[module].module.title)

    def note(self, module: Module, key: str, doc: Doc | None, tombstone: Doc | None = None) -> None:
        """Remember what is to be written at the next commit."""
        if self._db is not None:
            self._changed[module.name, key] = (doc, tombstone)

    def commit(self) -> None:
        """Write what changed since the last commit, all or nothing."""
        if self._db is None or not self._changed:
            return
        put, gone, binned = [], [], []
        for (module, key), (doc, tombstone) in self._changed.items():
            if doc is not None:
                put.append((module, key, JSON_OUT.encode(doc)))
                continue
            gone.append((module, key))
            if tombstone is not None:
                binned.append((module, key, JSON_OUT.encode(tombstone)))
        with transaction(self._db) as db:
            db.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", put)
            db.executemany("DELETE FROM records WHERE module = ? AND id = ?", gone)
            db.executemany("INSERT OR REPLACE INTO bin VALUES (?, ?, ?)", binned)
        self._changed.clear()

    def keep(self, name: str, value: Any) -> None:
        """Keep a small value across restarts."""
        if self._db is not None:
            self._db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, JSON_OUT.encode(value)))

    def kept(self, name: str) -> Any:
        """What was kept under `name`; None when nothing was."""
        if self._db is None:
            return None
        row = self._db.execute("SELECT doc FROM kept WHERE name = ?", (name,)).fetchone()
        return JSON_IN.decode(row[0]) if row else None

    def reset(self) -> None:
        """Forget every record, in memory and in the file."""
        self._empty()
        if self._db is not None:
            with transaction(self._db) as db:
                for table in ("records", "bin", "kept"):
                    db.execute(f"DELETE FROM {table}")

    def close(self) -> None:
        """Close the file."""
        self.commit()
        if self._db is not None:
            self._db.close()
            self._db = None

    def _read(self, db: sqlite3.Connection) -> None:
        for name, table in self.tables.items():
            rows = db.execute("SELECT doc FROM records WHERE module = ?", (name,))
            self.fill(table, (JSON_IN.decode(row[0]) for row in rows))
            for key, doc in db.execute("SELECT id, doc FROM bin WHERE module = ?", (name,)):
                table.bin[key] = JSON_IN.decode(doc)
                self.seen_id(key)
        self._changed.clear()  # what was just read need not be written again

    def fill(self, table: Table, docs: Iterable[Doc], prepare: Callable[[Doc], Doc] | None = None) -> None:
        """Load whole documents; ids of records and rows are never given out again, lookups share their objects."""
        table.fill(self._linked(table.module, docs, prepare))

    def _linked(self, module: Module, docs: Iterable[Doc], prepare: Callable[[Doc], Doc] | None) -> Iterator[Doc]:
        lookups, subforms = module.lookups, module.subforms
        highest = self._next
        for raw in docs:
            doc = prepare(raw) if prepare is not None else raw
            highest = max(highest, int(doc["id"]))
            for name, target in lookups.items():
                if doc.get(name) is not None:
                    doc[name] = self._shared(target, doc[name])
            for name in subforms:
                for row in doc.get(name) or ():
                    highest = max(highest, int(row["id"]))
                    if row.get("Product_Name") is not None:
                        row["Product_Name"] = self._shared("Products", row["Product_Name"])
            names = self._names[module.name].get(doc["id"])
            if names is not None:
                names["name"] = doc.get(module.title)
            yield doc
        self._next = max(self._next, highest)

    def _shared(self, module: str, reference: Doc) -> Doc:
        found = self._names[module].get(reference["id"])
        if found is None:
            found = self.reference(module, reference["id"])
            found["name"] = found["name"] or reference.get("name")
        return found
