"""What a stream's declaration is: a form, its keys, and its fields as a small table, compiled once.

A field has one key everywhere, the one that writing needs (`FSaleOrderFinance.FSettleCurrId.FNumber`). Queries name it without the
sub-head, tenants may name custom fields differently, and both are derived here so that a declaration says each thing once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from connectors.base import Deletes, FieldInfo, HubKeyField, Ladder, LineSet, Stream
from connectors.erp_kingdee.filters import Column

CUSTOM = "F_HUB_"
"""Start of the keys of the hub's custom fields."""
TYPES = {
    "t": "text",
    "n": "decimal",
    "i": "integer",
    "b": "boolean",
    "d": "date",
    "dt": "datetime",
    "e": "enum",
    "r": "reference",
    "k": "id",
}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_TYPE = re.compile(r"([a-z]+)(?:\((\w+)\))?")


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field."""

    key: str
    """As in the payload."""
    type: str
    """One of the values of `TYPES`."""
    label: str
    length: int | None = None
    scale: int | None = None
    refers_to: str = ""
    writable: bool = True
    required: bool = False
    personal: bool = False

    def info(self) -> FieldInfo:
        """The field for `describe`."""
        kind = "reference" if self.type == "id" else self.type
        return FieldInfo(
            self.key,
            self.label,
            kind,
            required=self.required,
            writable=self.writable,
            length=self.length,
            scale=self.scale,
            refers_to=self.refers_to,
            personal=self.personal,
        )


def fields(table: str) -> tuple[Field, ...]:
    """Fields from lines of `KEY type [flags] label`.

    Types: `t(length)`, `n(scale)`, `i`, `b`, `d`, `dt`, `e`, `r(FORM)` a reference by number, `k(FORM)` the same by internal id.
    Flags: `!` cannot be written, `*` required, `~` about a natural person.
    """
    found = []
    for line in filter(None, map(str.strip, table.splitlines())):
        key, kind, rest = line.split(maxsplit=2)
        flags, _, label = rest.partition(" ") if rest[0] in "!*~" else ("", "", rest)
        match = _TYPE.fullmatch(kind)
        if match is None or match[1] not in TYPES or not _PLAIN.fullmatch(key):
            raise ValueError(f"not a field declaration: {line!r}")
        name, argument = TYPES[match[1]], match[2]
        found.append(
            Field(
                key,
                name,
                label.strip(),
                length=int(argument) if argument and name == "text" else None,
                scale=int(argument or 10) if name == "decimal" else None,
                refers_to=argument or "" if name in ("reference", "id") else "",
                writable="!" not in flags and name != "id",
                required="*" in flags,
                personal="~" in flags,
            )
        )
    return tuple(found)


DOCUMENT = Ladder(
    field="FDocumentStatus",
    steps={"A": "submit", "B": "audit"},
    order=("A", "B", "C"),
    after={"save": "A", "submit": "B", "audit": "C", "unaudit": "D"},
    same_as={"Z": "A", "D": "A"},
    writable=("Z", "A", "D"),
)
"""暂存 Z, 创建 A, 审核中 B, 已审核 C, 重新审核 D."""


@dataclass(frozen=True)
class Form:
    """One kind of record in Kingdee, and how the hub reads and writes it."""

    stream: str
    form: str
    title: str
    pk: str
    head: tuple[Field, ...]
    number: str = ""
    org: str = ""
    modified: str = ""
    approved: str = ""
    """Time of the audit: a second change time, because an audit need not move the first."""
    created: str = ""
    """Time of the creation, for records whose change time is empty because nobody ever changed them."""
    dated: str = ""
    status: str = ""
    entity: str = ""
    """Entity key of the lines; empty for a form that is read without lines."""
    entry: str = ""
    """Key of the line's id in the payload."""
    lines: tuple[Field, ...] = ()
    hub_key: str = ""
    hub_line: str = ""
    numeric_pk: bool = True
    writable: bool = False
    base_data: bool = False
    sub_heads: tuple[str, ...] = ()
    """Sub-heads that stand in the payload's keys; queries name their fields without them."""
    write_under: Mapping[str, str] | None = None
    """Sub-heads that do not: field -> the sub-head it is saved under."""
    depends_on: tuple[str, ...] = ()
    volatile: tuple[str, ...] = ()
    custom: Mapping[str, str] | None = None
    """This tenant's keys of the custom fields; set by `for_tenant`."""

    def for_tenant(self, custom: Mapping[str, str]) -> Form:
        """The declaration with this tenant's custom field keys; fields it does not have fall away."""
        gone = {key for key, name in custom.items() if not name}
        return replace(
            self,
            head=tuple(f for f in self.head if f.key not in gone),
            lines=tuple(f for f in self.lines if f.key not in gone),
            hub_key="" if self.hub_key in gone else self.hub_key,
            hub_line="" if self.hub_line in gone else self.hub_line,
            custom=dict(custom),
        )

    def tenant_key(self, key: str) -> str:
        """The first part of a key as this tenant names it."""
        return (self.custom or {}).get(key, key)

    def query_key(self, key: str) -> Column:
        """How a query names a field of the head or of a line."""
        if key in self.sub_head_of:
            key = key.partition(".")[2]
        return Column(self.tenant_key(key))

    def column(self, key: str) -> Column:
        """A declared key for use in a filter. Raises: KeyError for one that is not declared."""
        if key not in self.filterable:
            raise KeyError(f"{self.form} has no declared field {key!r}")
        return self.query_key(key)

    @cached_property
    def filterable(self) -> frozenset[str]:
        """Keys that a filter may use."""
        own = {self.pk, self.number, self.org, self.modified, self.approved, self.created, self.dated, self.hub_key, self.status}
        return frozenset(own - {""}) | {f.key for f in self.head}

    @cached_property
    def sub_head_of(self) -> Mapping[str, str]:
        """Sub-head of each payload key that stands under one."""
        return {f.key: sub for f in self.head for sub in self.sub_heads if f.key.startswith(sub + ".")}

    @cached_property
    def head_keys(self) -> tuple[str, ...]:
        """Payload keys of the head, the identifier first."""
        return (self.pk, *(f.key for f in self.head if f.key != self.pk))

    @cached_property
    def line_keys(self) -> tuple[str, ...]:
        """Payload keys of a line, its identifier first; empty for a form without lines."""
        return (self.entry, "FSEQ", *(f.key for f in self.lines)) if self.entity else ()

    @cached_property
    def query_keys(self) -> tuple[str, ...]:
        """`FieldKeys` of the reading query, in the order of `head_keys` and `line_keys`."""
        head = [self.query_key(key) for key in self.head_keys]
        if not self.entity:
            return tuple(head)
        return (*head, self.entry_column, f"{self.entity}_FSEQ", *(self.query_key(f.key) for f in self.lines))

    @property
    def entry_column(self) -> Column:
        """The line's identifier in a query."""
        return Column(f"{self.entity}_{self.entry}")

    @cached_property
    def by_path(self) -> Mapping[str, Field]:
        """Fields by the path that `normalise` names: `key`, or `entity.key` in a line."""
        of_lines = {f"{self.entity}.{f.key}": f for f in self.lines}
        return {f.key: f for f in self.head} | of_lines

    def stream_for(self, *, page_size: int, batch: int, overlap_s: int, saved_while_audited: bool) -> Stream:
        """The declaration as the engine sees it."""
        ladder = DOCUMENT if self.status else None
        if ladder is not None and self.status != ladder.field:
            ladder = replace(ladder, field=self.status)
        if ladder is not None and self.base_data and saved_while_audited:
            ladder = replace(ladder, writable=())
        lines = (LineSet(self.entity, self.entry, self.hub_line),) if self.entity else ()
        return Stream(
            name=self.stream,
            vendor_name=self.form,
            title=self.title,
            key=self.pk,
            number=self.number,
            org=self.org,
            modified=self.modified,
            modified_resolution_s=1.0 if self.modified else None,
            dated=self.dated,
            page_size=page_size,
            overlap_s=overlap_s,
            writable=self.writable,
            creatable=self.writable,
            batch=batch if self.writable else 1,
            hub_key=HubKeyField(self.hub_key, length=20) if self.hub_key else None,
            lines=lines,
            ladder=ladder,
            volatile=self.volatile,
            deletes=Deletes.LISTING,
            depends_on=self.depends_on,
            read_back=self.writable,
            fields=self.field_infos,
        )

    @cached_property
    def field_infos(self) -> Sequence[FieldInfo]:
        """All fields, those of lines with their entity before the key."""
        of_lines = [replace(f.info(), name=f"{self.entity}.{f.key}") for f in self.lines]
        return (*(f.info() for f in self.head), *of_lines)
