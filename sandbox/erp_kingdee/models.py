"""Save models: reading what a client sends into a document, and showing a document in that same shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from sandbox.erp_kingdee.answers import MsgCode, Problem, Refused
from sandbox.erp_kingdee.forms import EMPTY_REFERENCE, FORMS, ZERO, BadValue, Field, Form
from sandbox.erp_kingdee.store import Doc, Store
from sandbox.erp_kingdee.values import plain

_NUMBER_KEYS = ("fnumber", "fstaffnumber", "fcontactnumber", "fuserid", "fname", "number")
_ID_KEYS = ("id", "fid", "fcustid", "fmaterialid", "fmasterid", "forgid", "fdeptid", "fcontactid")
_RESETS_PRICE = frozenset({"funitid", "fqty", "fmaterialid"})
_PRICES = ("fprice", "ftaxprice")
LINK_END = "_link"


@dataclass(slots=True)
class Link:
    """Where a pushed line comes from, as `<Entity>_Link` says."""

    table: str
    bill: int
    entry: int


@dataclass(slots=True)
class Line:
    """A line of a model: its id (0 for a new one), the fields it sets and its link."""

    id: int
    fields: list[tuple[Field, Any]]
    link: Link | None = None


@dataclass(slots=True)
class Model:
    """A model taken apart, values not yet resolved."""

    key: Any
    """The document's id; None on a create."""
    head: list[tuple[Field, Any]] = field(default_factory=list)
    lists: dict[int, list[Line]] = field(default_factory=dict)


def take_apart(form: Form, model: Mapping[str, Any], *, strict: bool) -> Model:
    """Sort a model's keys by where they belong, keeping their order.

    Keys are matched in any case. `strict` refuses unknown keys and keys under the wrong entity, as the parser of the ERP does; without it
    (a user's own edit, a loaded world) a sub-head's field may stand in the head. Raises Refused.
    """
    if not isinstance(model, Mapping):
        raise Refused("Model必须是JSON对象", MsgCode.BAD_PARAMETER)
    found = Model(None)
    _head(form, model, "", found, strict=strict)
    return found


def _head(form: Form, model: Mapping[str, Any], sub: str, found: Model, *, strict: bool) -> None:
    for key, value in model.items():
        lower = key.lower()
        if not sub and lower == form.pk.lower():
            found.key = None if value in (None, "", 0, "0") else value
            continue
        f = form.by_key.get(lower) or (form.by_key.get("fnumber") if lower == "fstaffnumber" else None)
        if f is not None and not f.entity and (f.sub == sub or not strict):
            found.head.append((f, value))
        elif not sub and lower in form.subs_lower and isinstance(value, Mapping):
            _head(form, value, form.subs_lower[lower], found, strict=strict)
        elif not sub and lower in form.entities_lower:
            entity = form.entities_lower[lower]
            if not isinstance(value, list):
                raise Refused(f"单据体“{form.entities[entity].title}”必须是数组", MsgCode.BAD_PARAMETER, key)
            found.lists[entity] = [_line(form, entity, line, strict=strict) for line in value]
        elif strict:
            raise _misplaced(form, key, f)


def _line(form: Form, entity: int, model: Any, *, strict: bool) -> Line:
    if not isinstance(model, Mapping):
        raise Refused(f"单据体“{form.entities[entity].title}”的行必须是对象", MsgCode.BAD_PARAMETER)
    of = form.entities[entity]
    line = Line(0, [])
    for key, value in model.items():
        lower = key.lower()
        if lower == of.pk.lower():
            line.id = int(str(value or 0).strip() or 0)
        elif lower.endswith(LINK_END):
            line.link = _link(value)
        elif lower != "fseq":
            f = form.by_key.get(lower)
            if f is not None and f.entity != entity:  # a second list with a key of the same name
                f = next((other for other in of.fields if other.key.lower() == lower), None)
            if f is not None:
                line.fields.append((f, value))
            elif strict:
                raise _misplaced(form, key, form.by_key.get(lower))
    return line


def _misplaced(form: Form, key: str, f: Field | None) -> Refused:
    if f is not None:
        where = form.entities[f.entity].key if f.entity else f.sub or "FBillHead"
        return Refused(f"ResolveFiled_InnerEx：字段{key}应位于{where}，当前实体不存在此属性", MsgCode.NO_FIELD, key)
    return Refused(f"元数据中标识为{key[:60]}的字段不存在", MsgCode.NO_FIELD, key)


def _link(value: Any) -> Link | None:
    if not isinstance(value, list) or not value or not isinstance(value[0], Mapping):
        return None
    given = {str(key).lower().rsplit("_", 1)[-1]: part for key, part in value[0].items()}
    return Link(str(given.get("fstablename") or ""), int(given.get("fsbillid") or 0), int(given.get("fsid") or 0))


@dataclass(slots=True)
class Resolver:
    """Turns a model's values into stored ones."""

    store: Store
    verify: bool = True
    """Refuse references that do not exist or are not usable (IsVerifyBaseDataField). Otherwise they are dropped silently."""
    by_number: bool = True
    """Resolve references by number (NumberSearch)."""
    lenient: bool = False
    """A loaded world: small dictionaries grow as they are used, any copy of base data will do."""
    make: Callable[[Form, str], Any] | None = None
    """Adds an entry to a small dictionary; its id."""
    problems: list[Problem] = field(default_factory=list)
    only: frozenset[str] | None = None

    def value(self, f: Field, given: Any, org: Any) -> Any:
        """The stored value of a field; a problem is noted and the empty value given back."""
        if f.kind == "r":
            return self.reference(f, given, org)
        try:
            return plain(f, given)
        except BadValue as error:
            if self.lenient and given.__class__ in (str, int, Decimal):
                return given  # what an import left behind: no screen would take it, and the API shows it as it is
            self.problems.append(Problem(f"字段“{f.title}”的值无效：{error}", f.key))
            return f.empty()

    def reference(self, f: Field, given: Any, org: Any) -> Any:
        """The id that a reference means; 0 when it means nothing."""
        number, key = _referred(given)
        if not number and not key:
            return EMPTY_REFERENCE
        form = FORMS[f.form]
        numbers = self.store.numbers[form.id]
        if key:
            if key in numbers.number:
                return key
        elif self.by_number or self.lenient:
            found = numbers.resolve(number, org, exact_org=form.copies and bool(org) and not self.lenient)
            if found is None and self.lenient and self.make is not None:
                found = self.make(form, number)
            if found is not None and (self.lenient or not self.verify or numbers.usable.get(found, True)):
                return found
            if found is not None:
                self.problems.append(Problem(f"字段“{f.title}”引用的{form.title}“{number}”未审核或已禁用", f.key))
                return EMPTY_REFERENCE
        if self.verify:
            self.problems.append(Problem(f"字段“{f.title}”引用的{form.title}“{number or key}”不存在或未分配到当前组织", f.key))
        return EMPTY_REFERENCE


def _referred(given: Any) -> tuple[str, Any]:
    """(number, id) of a reference in any of the shapes clients send."""
    if given is None or given in ("", " ", 0, "0"):
        return "", None
    if isinstance(given, Mapping):
        lower = {str(key).lower(): value for key, value in given.items()}
        for name in _NUMBER_KEYS:
            if lower.get(name) not in (None, ""):
                return str(lower[name]).strip(), None
        for name in _ID_KEYS:
            if lower.get(name) not in (None, "", 0):
                return "", lower[name]
        return "", None
    return ("", given) if isinstance(given, int) else (str(given).strip(), None)


def fill(
    doc_part: list[Any], fields: Iterable[tuple[Field, Any]], org_of: Callable[[Field], Any], resolver: Resolver, *, privileged: bool
) -> None:
    """Set fields of a head or a line. Read-only ones are skipped silently unless `privileged`."""
    only = resolver.only
    for f, given in fields:
        if f.read_only and not privileged:
            continue
        if only is not None and f.key.lower() not in only and f.sub.lower() not in only:
            continue
        doc_part[f.at] = resolver.value(f, given, org_of(f))


def drop_misordered_prices(line: list[Any], fields: list[tuple[Field, Any]]) -> None:
    """Without IsAutoAdjustField value rules run in the order sent: unit, quantity or material behind a price reset it to 0."""
    seen: list[Field] = []
    for f, _ in fields:
        if f.key.lower() in _PRICES:
            seen.append(f)
        elif f.key.lower() in _RESETS_PRICE and seen:
            for price in seen:
                line[price.at] = ZERO
            return


# showing


class _References(dict[bytes, dict[str, str]]):
    """How references show, by the JSON of their id."""

    def __init__(self, number: Mapping[Any, str]) -> None:
        super().__init__()
        self._number = number

    def __missing__(self, cell: bytes) -> dict[str, str]:
        shown = self[cell] = {"FNumber": self._number.get(msgspec.json.decode(cell)) or ""}
        return shown


def _reference_shower(store: Store, form_id: str) -> Callable[[bytes], dict[str, str]]:
    return _References(store.numbers[form_id].number).__getitem__


class Shower:
    """Shows documents in the shape of a Save model, ids and system fields included."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._plans: dict[str, list[list[tuple[str, int, str, Callable[[Any], Any] | None]]]] = {}

    def shown(self, doc: Doc) -> dict[str, Any]:
        """One document."""
        form = doc.form
        plans = self._plans.get(form.id)
        if plans is None:
            plans = self._plans[form.id] = [self._plan(entity.fields) for entity in form.entities]
        out: dict[str, Any] = {form.pk: doc.id}
        for key, at, sub, name in plans[0]:
            into = out if not sub else out.setdefault(sub, {})
            into[key] = doc.head[at] if name is None else {"FNumber": name(doc.head[at]) or ""}
        for number, lines in enumerate(doc.lists, 1):
            plan = plans[number]
            out[form.entities[number].key] = [
                {key: line[at] if name is None else {"FNumber": name(line[at]) or ""} for key, at, _, name in plan} for line in lines
            ]
        return out

    def raw_shower(self, form: Form, only: frozenset[str] = frozenset()) -> Callable[[Any, Any], dict[str, Any]]:
        """The same over a document taken apart into pieces of JSON: (id, document) -> what is shown. `only`: of head and lines, these."""
        head, *line_plans = (
            [
                (f.key, f.at, f.sub, _reference_shower(self.store, f.form) if f.kind == "r" else None)
                for f in e.fields
                if not only or f.key in only or f.sub in only
            ]
            for e in form.entities
        )
        simple = [[(key, at) for key, at, _, name in plan if name is None] for plan in line_plans]
        referring = [[(key, at, name) for key, at, _, name in plan if name is not None] for plan in line_plans]
        keys = [entity.key for entity in form.entities[1:]]
        plans = list(zip(keys, simple, referring, strict=True))

        def shown(doc_id: Any, document: Any) -> dict[str, Any]:
            values = document[0]
            out: dict[str, Any] = {form.pk: doc_id}
            for key, at, sub, name in head:
                into = out if not sub else out.setdefault(sub, {})
                into[key] = values[at] if name is None else name(bytes(values[at]))
            for number, (entity, plain_fields, references) in enumerate(plans, 1):
                lines = []
                for line in document[number]:
                    row = {key: line[at] for key, at in plain_fields}
                    for key, at, name in references:
                        row[key] = name(bytes(line[at]))
                    lines.append(row)
                out[entity] = lines
            return out

        return shown

    def _plan(self, fields: list[Field]) -> list[tuple[str, int, str, Callable[[Any], Any] | None]]:
        return [(f.key, f.at, f.sub, self.store.numbers[f.form].number.get if f.kind == "r" else None) for f in fields]

    def viewed(self, doc: Doc) -> dict[str, Any]:
        """One document as View shows it: property names of the object model, references taken apart."""
        form = doc.form
        out: dict[str, Any] = {"Id": doc.id}
        for f in form.entities[0].fields:
            if f.key == form.pk:
                continue
            into = out if not f.sub else out.setdefault(form.subs[f.sub], [{"Id": doc.id}])[0]
            self._view(into, f, doc.head[f.at])
        for number, lines in enumerate(doc.lists, 1):
            entity = form.entities[number]
            shown = []
            for line in lines:
                row: dict[str, Any] = {"Id": line[0], "Seq": line[1]}
                for f in entity.fields[2:]:
                    self._view(row, f, line[f.at])
                shown.append(row)
            out[entity.orm] = shown
        return out

    def _view(self, into: dict[str, Any], f: Field, value: Any) -> None:
        if f.kind != "r":
            into[f.orm] = [{"Key": 2052, "Value": value}] if f.key == "FName" else value
            return
        into[f"{f.orm}_Id"] = value
        numbers = self.store.numbers[f.form]
        if not value or value not in numbers.number:
            into[f.orm] = None
            return
        name = [{"Key": 2052, "Value": numbers.name.get(value, "")}]
        into[f.orm] = {
            "Id": value,
            "Number": numbers.number[value],
            "Name": name,
            "MultiLanguageText": [{"LocaleId": 2052, "Name": numbers.name.get(value, "")}],
        }
