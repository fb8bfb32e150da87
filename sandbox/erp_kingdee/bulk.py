"""Reading a world's documents by the ten thousand: the same shape as a Save model, everything in it taken as it stands.

Each form is compiled once to a table from key to position and conversion, and what references mean is remembered; a document costs
some tens of microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.core import Rejected
from sandbox.erp_kingdee.forms import FORMS, BadValue, Field, Form, number_value
from sandbox.erp_kingdee.saving import Saving
from sandbox.erp_kingdee.store import FIRST_ID, Doc, Store, new_doc
from sandbox.erp_kingdee.values import plain


class _Known(dict[Any, Any]):
    """What a field's values become, worked out once for each value."""

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, value: Any) -> Any:
        made = self._convert(value)
        if len(self) < 200_000:
            self[value] = made
        return made


_TEXT, _PLAIN, _REFERENCE, _MOMENT = 0, 1, 2, 3
_Slot = tuple[int, int, Any, Field]
"""(position, how to convert, the conversion, field)."""
_STORED = len("2026-01-05T10:11:12")
"""A moment of this length in stored form is taken as it is: a world writes hundreds of thousands of them."""
_FIGURES = {
    "SAL_SaleOrder": "FAllAmount",
    "SAL_RETURNSTOCK": "FAllAmount",
    "AR_receivable": "FALLAMOUNTFOR_D",
    "AR_RECEIVEBILL": "FRECAMOUNTFOR_E",
    "AR_REFUNDBILL": "FREFUNDAMOUNTFOR_E",
    "AR_OtherRecAble": "FAMOUNTFOR_D",
}
"""A line that brings this figure brings all its figures; otherwise they are worked out."""
_LINKED = {"SAL_OUTSTOCK": ("FSoorDerno", "FSrcType"), "SAL_RETURNSTOCK": ("FOrderNo", "FSrcType")}
"""Form -> fields of a line that hold its order's number and the kind of its source."""


class BulkReader:
    """Reads the documents of one form. Raises Rejected naming the document."""

    def __init__(self, form: Form, store: Store, saving: Saving, grow: Callable[[Form, str], Any]) -> None:
        self.form, self.store, self.saving, self._grow = form, store, saving, grow
        self._known: dict[str, dict[tuple[str, Any], Any]] = {}
        self._numbers = _Known(number_value)
        self._head = {f.key: self._slot(f) for f in form.entities[0].fields}
        self._orgs = {key: slot for key, slot in self._head.items() if slot[3].form == "ORG_Organizations"}
        self._lines = [{f.key: self._slot(f) for f in entity.fields} for entity in form.entities[1:]]
        self._highest: dict[int, int] = {}
        self._number = re.compile(re.escape(form.prefix) + r"(\d{1,12})") if form.prefix else None
        self._highest_number = 0

    def _slot(self, f: Field) -> _Slot:
        if f.kind == "r":
            return f.at, _REFERENCE, self._known.setdefault(f.form, {}), f
        if f.kind in ("t", "e"):
            return f.at, _TEXT, lambda value: plain(f, value), f
        if f.kind == "n":
            return f.at, _PLAIN, self._numbers, f
        if f.kind == "dt":
            return f.at, _MOMENT, lambda value: plain(f, value), f
        return f.at, _PLAIN, _Known(lambda value: plain(f, value)), f

    def read(self, native: Mapping[str, Any]) -> Doc:
        """The document of one native record."""
        try:
            return self._read(native)
        except (BadValue, KeyError, TypeError, ValueError, AttributeError) as error:
            name = native.get(self.form.number) or native.get(self.form.pk) if isinstance(native, Mapping) else native
            why = f"unknown key {error}" if isinstance(error, KeyError) else str(error)
            raise Rejected(f"{self.form.id} {name}: {why}") from error

    def _read(self, native: Mapping[str, Any]) -> Doc:
        form, doc = self.form, new_doc(self.form)
        doc.id = native.get(form.pk) or self.store.new_id(form)
        for key, (at, _, _, f) in self._orgs.items():
            given = native.get(key) if not f.sub else (native.get(f.sub) or {}).get(key)
            if given:
                doc.head[at] = self._reference(f, given, 0)
        self.saving.share_orgs(doc)
        org = doc.get(form.org) if form.org else 0
        self._part(doc, doc.head, native, self._head, org, head=True)
        self.saving.complete(doc)
        if form.base and "FDocumentStatus" not in native and form.has("FDocumentStatus"):
            doc.set("FDocumentStatus", "C")
        self._finish(doc)
        return doc

    def _part(self, doc: Doc, into: list[Any], native: Mapping[str, Any], slots: Mapping[str, _Slot], org: Any, *, head: bool) -> None:
        slot_of = slots.get
        for key, value in native.items():
            slot = slot_of(key)
            if slot is None:
                if not head:
                    raise KeyError(key)
                self._nested(doc, key, value, org)
                continue
            at, how, convert, f = slot
            if how == _TEXT:
                into[at] = value if value.__class__ is str else convert(value)
            elif how == _PLAIN:
                into[at] = convert[value]
            elif how == _MOMENT:
                into[at] = value if value.__class__ is str and len(value) == _STORED and value[10] == "T" else convert(value)
            elif value:
                scope = doc.get(f.scope) if f.scope else org
                try:
                    into[at] = convert[(value["FNumber"], scope)]
                except (KeyError, TypeError):
                    into[at] = self._reference(f, value, scope)

    def _nested(self, doc: Doc, key: str, value: Any, org: Any) -> None:
        form, lower = self.form, key.lower()
        if lower in form.subs_lower:
            self._part(doc, doc.head, value or {}, self._head, org, head=True)
            return
        if lower not in form.entities_lower:
            f = form.by_key.get(lower)
            if f is None or f.entity:
                raise KeyError(key)
            self._head[key] = self._head[f.key]  # another spelling: known from now on
            self._part(doc, doc.head, {key: value}, self._head, org, head=True)
            return
        number = form.entities_lower[lower]
        slots, stored, highest = self._lines[number - 1], doc.lists[number - 1], self._highest.get(number, 0)
        pk = form.entities[number].pk
        for seq, item in enumerate(value or (), 1):
            line = form.blank_line(number)
            try:
                self._part(doc, line, item, slots, org, head=False)
            except KeyError:
                self._respell(item, number)
                self._part(doc, line, item, slots, org, head=False)
            line[0] = int(line[0] or item.get(pk) or 0) or self.store.next(f"entry:{form.id}:{number}")
            line[1] = seq
            highest = max(highest, line[0])
            stored.append(line)
        self._highest[number] = highest

    def _respell(self, item: Mapping[str, Any], number: int) -> None:
        """Take up other spellings of keys that a line uses. Raises KeyError naming an unknown one."""
        slots = self._lines[number - 1]
        by_lower = {f.key.lower(): f.key for f in self.form.entities[number].fields}
        for key in item:
            if key not in slots:
                if key.lower() not in by_lower:
                    raise KeyError(key)
                slots[key] = slots[by_lower[key.lower()]]

    def _reference(self, f: Field, value: Any, org: Any) -> Any:
        number = value.get("FNumber") or value.get("FNUMBER") or value.get("FStaffNumber") if isinstance(value, Mapping) else value
        if number in (None, "", " ", 0):
            return 0
        if isinstance(number, int):
            return number
        known, asked = self._known.setdefault(f.form, {}), (number, org)
        if asked not in known:
            target = FORMS[f.form]
            found = self.store.numbers[f.form].resolve(number, org, exact_org=False)
            if found is None:
                found = self._grow(target, number)
            if found is None:
                raise BadValue(f"{f.key}: there is no {target.id} with number {number!r}; load it first")
            known[asked] = found
        return known[asked]

    def _finish(self, doc: Doc) -> None:
        """Work out figures that the record does not bring, join shipments to their orders, and note the highest keys."""
        form = self.form
        figure = _FIGURES.get(form.id)
        if figure is not None:
            at = form.at(figure)
            if any(not line[at] for line in doc.lists[0]):
                self.saving.recompute(doc)
        if form.id in _LINKED:
            self._link(doc, *_LINKED[form.id])
        if isinstance(doc.id, int):
            self._highest[0] = max(self._highest.get(0, 0), doc.id)
        match = self._number.fullmatch(doc.number) if self._number is not None else None
        if match is not None:
            self._highest_number = max(self._highest_number, int(match.group(1)))

    def _link(self, doc: Doc, number_key: str, type_key: str) -> None:
        """A loaded line that names its order's line counts as pushed from it; what it counted is in the order already."""
        form = self.form
        entry, number, source, bill = (form.at(key) for key in ("FSOEntryId", number_key, "FSrcEntryId", "FSrcBillNo"))
        for line in doc.lists[0]:
            if line[entry] and not line[source]:
                line[source], line[bill] = line[entry], line[bill] or line[number]
                if form.has(type_key):
                    line[form.at(type_key)] = "SAL_SaleOrder"

    def move_counters(self) -> None:
        """Ids, line ids and automatic numbers go on behind what was read."""
        for number, value in self._highest.items():
            self.store.at_least(f"entry:{self.form.id}:{number}" if number else f"id:{self.form.id}", max(value, FIRST_ID - 1))
        if self._highest_number:
            self.store.at_least(f"number:{self.form.id}", self._highest_number)
