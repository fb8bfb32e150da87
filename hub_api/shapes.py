"""What records look like in the API, made from the canonical model, so that a field is described once: there.

For each entity: the record that is answered, the filters of its list, the edit that is taken, and an example. Decimals are text, never JSON
numbers; times are UTC; references are UUIDs; an absent field was never said, null was said to be empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model
from pydantic.json_schema import SkipJsonSchema

from canonical.base import EntitySpec, FieldSpec
from canonical.models import MODELS, entity
from canonical.values import BadValue, decimal_text, utc_text
from hub_api.paging import MAX_CURSOR, MAX_PAGE
from ledger.tables import TABLES

DECIMAL = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,8})?$"
TEXT = r"^[^\u0000]*$"
"""PostgreSQL holds no U+0000."""
SAYS = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
"""The same, and something that is no blank."""


def plain_decimal(text: str) -> str:
    """A decimal number's plain text. Raises: ValueError."""
    try:
        return decimal_text(text)
    except BadValue as wrong:
        raise ValueError(str(wrong)) from wrong


DecimalText = Annotated[str, Field(pattern=DECIMAL), AfterValidator(plain_decimal)]
Text = Annotated[str, Field(max_length=4000, pattern=TEXT)]


def _day(text: str) -> str:
    if len(text) != 10:  # fromisoformat takes other forms too
        raise ValueError("give a day as YYYY-MM-DD")
    return date.fromisoformat(text).isoformat()


def _moment(text: str) -> str:
    return utc_text(datetime.fromisoformat(text))


def _from_text(value: Any) -> date:
    """A day of a body is its text; 0 would be read as the first day of 1970."""
    if not isinstance(value, str):
        raise ValueError("give a day as YYYY-MM-DD")  # noqa: TRY004  pydantic wants ValueError
    return date.fromisoformat(_day(value))


Day = Annotated[date, BeforeValidator(_from_text)]
DayText = Annotated[str, AfterValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
MomentText = Annotated[str, Field(max_length=40), AfterValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]


def _entity(name: str) -> str:
    if name not in MODELS:
        raise ValueError(f"use one of {', '.join(MODELS)}")
    return name


EntityName = Annotated[str, AfterValidator(_entity), WithJsonSchema({"type": "string", "enum": list(MODELS)})]


def _whole(value: Any) -> Any:
    """5.0 is as whole as 5 in JSON."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, Field(ge=-(2**31), le=2**31 - 1, strict=True), BeforeValidator(_whole)]

RowNumber = Annotated[int, Field(ge=1, le=2**53 - 1, strict=True), BeforeValidator(_whole)]
"""A number that a table gave, in a body; as far as every JSON number, and the description's own bounds, are exact."""
Days = Annotated[int, Field(ge=0, le=3650, strict=True), BeforeValidator(_whole)]
SomeDays = Annotated[int, Field(ge=1, le=3650, strict=True), BeforeValidator(_whole)]
Flag = Annotated[bool, Field(strict=True)]

_EDIT_TYPES: dict[str, Any] = {
    "text": Text, "decimal": DecimalText, "integer": Whole, "boolean": Annotated[bool, Field(strict=True)],
    "date": DayText, "moment": MomentText, "reference": UUID, "list": Annotated[list[Text], Field(max_length=200)], "map": dict[Text, Text],
}  # fmt: skip
_SHOWN: dict[str, dict[str, Any]] = {
    "text": {"type": ["string", "null"]},
    "decimal": {"type": ["string", "null"], "format": "decimal"},
    "integer": {"type": ["integer", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "date": {"type": ["string", "null"], "format": "date"},
    "moment": {"type": ["string", "null"], "format": "date-time"},
    "reference": {"type": ["string", "null"], "format": "uuid"},
    "list": {"type": ["array", "null"], "items": {}},
    "map": {"type": ["object", "null"]},
}


def plural(name: str) -> str:
    """The entity's word in addresses: `orders`, `parties`."""
    return "territories" if name == "territory" else TABLES[name].name


@dataclass(frozen=True)
class Shape:
    """An entity's models."""

    name: str
    spec: EntitySpec
    record: type[BaseModel]
    page: type[BaseModel]
    filters: type[BaseModel]
    edit: type[BaseModel]
    example: dict[str, Any]


def _shown(spec: FieldSpec) -> Any:
    schema = dict(_SHOWN[spec.kind])
    if spec.refers_to:
        schema["x-refers-to"] = spec.refers_to
    if spec.personal:
        schema["x-personal"] = True
    return Annotated[Any, WithJsonSchema(schema), Field(description=spec.description)]


def _set_model(spec: EntitySpec, child: str) -> type[BaseModel]:
    fields: dict[str, Any] = {"id": (Annotated[UUID, Field(description="The hub's identifier of this row.")], ...)}
    fields |= {name: (_shown(field), None) for name, field in spec.sets[child].items()}
    return create_model(f"{spec.model.__name__}{child.title()}", **fields)


class SystemState(BaseModel):
    """How one system holds the record."""

    system: str = Field(description="Name of the system in hub.yaml.")
    stream: str = Field(description="Kind of record there.")
    key: str | None = Field(description="The system's own identifier; null until it is created there.")
    number: str | None = Field(description="Business number there.")
    org: str = Field(description="Organisation there.")
    role: str | None = Field(description="primary (written), alias (read only), gone.")
    state: str | None = Field(description="in_sync, due, in_flight, held, blocked, left; null where nothing is desired of the system.")
    reason: str = Field(description="Why it is in that state.")
    since: str | None = Field(description="When it came into that state.")


class Reason(BaseModel):
    """Why a field has its value."""

    field: str
    value: Any = Field(description="The value that won.")
    winner: str = Field(description="The system it came from.")
    rule: str = Field(description="The rule that let it win.")
    losers: list[dict[str, Any]] = Field(description="Other systems' values: system and value.")
    since: str | None = None


def _record_model(spec: EntitySpec) -> type[BaseModel]:
    fields: dict[str, Any] = {
        "id": (Annotated[UUID, Field(description="The hub's identifier (UUIDv7).")], ...),
        "hub_key": (Annotated[str, Field(description="Key that the hub writes on records it creates.")], ...),
        "number": (Annotated[str, Field(description="Business number: what people call it.")], ...),
        "version": (Annotated[int, Field(description="Counts changes of this record.")], 0),
        "retired": (Annotated[bool, Field(description="Its owner deleted it, or it was merged into another.")], ...),
        "changed_at": (
            Annotated[Any, WithJsonSchema({"type": "string", "format": "date-time"}), Field(description="Last change, UTC.")],
            None,
        ),
        "custom": (Annotated[Any, WithJsonSchema({"type": ["object", "null"]}), Field(description="Fields of this tenant.")], None),
    }
    fields |= {name: (_shown(field), None) for name, field in spec.fields.items() if name != "number"}
    for child in spec.sets:
        model = _set_model(spec, child)
        fields[child] = (Annotated[list[model], Field(description=f"Rows of {child}; on lists only when included.")], [])  # type: ignore[valid-type]  # a type made at run time
    fields["systems"] = (
        Annotated[list[SystemState], Field(description="The state of each system; for a single record, not for dealers.")],
        [],
    )
    fields["lineage"] = (
        Annotated[list[Reason], Field(description="Why each field has its value; for a single record, not for dealers.")],
        [],
    )
    return create_model(spec.model.__name__, __doc__=f"{spec.title}. {spec.model.__doc__}", __config__=ConfigDict(extra="forbid"), **fields)


# Types made at run time, which a type checker cannot follow.
NOTHING: Any = SkipJsonSchema[None]  # type: ignore[misc]  # subscripted at run time only
"""Left out, and not shown in the description."""
_CHOICE: Any = Literal
_LIST: Any = list
_RANGED = {"numeric": DecimalText, "date": DayText}
_BARE: dict[str, Any] = {"uuid": UUID, "text": Annotated[str, Field(max_length=200)], "numeric": DecimalText, "date": DayText}
_BOUNDS = {"ge": "at or above", "le": "at or below", "gt": "above", "lt": "below"}


def _filters(spec: EntitySpec) -> type[BaseModel]:
    fields: dict[str, Any] = {}

    def add(name: str, kind: Any, description: str) -> None:
        fields[name] = (Annotated[kind | NOTHING, Field(description=description)], None)

    add("number", Annotated[str, Field(max_length=200)], "Business number, exactly.")
    add("hub_key", Annotated[str, Field(max_length=20)], "Hub key.")
    add("retired", bool, "Only retired records, or only living ones.")
    sortable = ["id", "number", "changed_at"]
    for column in TABLES[spec.name].columns:
        label = spec.fields[column.field].description
        add(column.field, _BARE[column.sql_type], f"{label} Exactly.")
        for suffix, word in _BOUNDS.items() if column.sql_type in _RANGED else ():
            add(f"{column.field}_{suffix}", _RANGED[column.sql_type], f"{label} Only {word} this.")
        sortable.append(column.field)
    if "name" in sortable:
        add("name_contains", Annotated[str, Field(min_length=2, max_length=100)], "Part of the name, upper and lower case alike.")
    orders = _CHOICE[tuple(sign + name for name in sortable for sign in ("", "-"))]
    fields["sort"] = (Annotated[orders, Field(description="Order of the list; `-` for descending. Empty values come last.")], "id")
    if spec.sets:
        chosen = _LIST[_CHOICE[tuple(spec.sets)]]
        fields["include"] = (Annotated[chosen, Field(max_length=4, description="Child sets to give with each record.")], [])
    fields["limit"] = (Annotated[int, Field(ge=1, le=MAX_PAGE, description="Most records on the page.")], 50)
    add("after", Annotated[str, Field(max_length=MAX_CURSOR)], "`next` of the page before.")
    return create_model(f"{spec.model.__name__}Filters", __config__=ConfigDict(extra="forbid"), **fields)


def _edit(spec: EntitySpec) -> type[BaseModel]:
    fields: dict[str, Any] = {
        name: (Annotated[_EDIT_TYPES[field.kind] | None, Field(description=field.description)], None)
        for name, field in spec.fields.items()
        if not field.derived and name != "number"
    }
    config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1, "example": _edit_example(spec)})
    return create_model(f"{spec.model.__name__}Edit", __config__=config, **fields)


_EXAMPLES: dict[str, Any] = {
    "name": "苏州恒信机电有限公司", "short_name": "恒信机电", "english_name": "Hengxin Electromechanical", "uscc": "91320594MA1XXXXX0A",
    "roles": ["dealer"], "level": "core", "channel_type": "city_agent", "country": "CN", "province": "江苏省", "city": "苏州市",
    "status": "active", "approval": "approved", "unit": "Pcs", "currency": "CNY", "tax_rate": "0.13", "exchange_rate": "1",
    "subject": "伺服电机报价", "stage": "won", "stage_kind": "won", "job_title": "经理", "mobile": "13800000000", "email": "li@example.com",
    "payment_state": "partial", "shipping_state": "partial", "payment_basis": "linked",
}  # fmt: skip
_BY_KIND: dict[str, Any] = {
    "text": "", "decimal": "1130.00", "integer": 1, "boolean": False, "date": "2026-01-05", "moment": "2026-01-05T02:11:12Z",
    "reference": "01931f5e-7c00-7000-8000-000000000001", "list": [], "map": {},
}  # fmt: skip


def _example_of(field: FieldSpec) -> Any:
    return _EXAMPLES.get(field.name, _BY_KIND[field.kind]) if field.kind in ("text", "list", "decimal") else _BY_KIND[field.kind]


def _edit_example(spec: EntitySpec) -> dict[str, Any]:
    name = next(name for name, field in spec.fields.items() if field.kind == "text" and not field.derived and name != "number")
    return {name: _EXAMPLES.get(name, "文本")}


def _example(spec: EntitySpec) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": "01931f5e-7c00-7000-8000-000000000000",
        "hub_key": "H0123456789ABCDE",
        "number": "XSDD000123" if spec.name == "order" else "N000123",
        "version": 3,
        "retired": False,
        "changed_at": "2026-01-05T02:11:12Z",
    }
    record |= {name: _example_of(field) for name, field in spec.fields.items() if name != "number"}
    for child, fields in spec.sets.items():
        record[child] = [{"id": "01931f5e-7c00-7000-8000-0000000000aa"} | {name: _example_of(field) for name, field in fields.items()}]
    return record


STATE_EXAMPLE = {
    "system": "zoho",
    "stream": "sales_orders",
    "key": "5725767000000123001",
    "number": "SO-00017",
    "org": "",
    "role": "primary",
    "state": "in_sync",
    "reason": "",
    "since": "2026-01-05T02:11:12Z",
}
REASON_EXAMPLE = {
    "field": "status",
    "value": "open",
    "winner": "kingdee",
    "rule": "owner",
    "losers": [{"system": "zoho", "value": "closed"}],
    "since": None,
}


@cache
def shape(name: str) -> Shape:
    """The models of an entity. Raises: KeyError for a name that the hub does not know."""
    spec = entity(name)
    record = _record_model(spec)
    fields: dict[str, Any] = {
        "items": (_LIST[record], ...),
        "next": (Annotated[str | None, Field(description="Cursor of the next page; null on the last one.")], ...),
    }
    page = create_model(f"{spec.model.__name__}Page", **fields)
    return Shape(name, spec, record, page, _filters(spec), _edit(spec), _example(spec))


ENTITIES: tuple[str, ...] = tuple(MODELS)

ADDRESSES: dict[str, str] = {name: plural(name) for name in ENTITIES}
"""The word in addresses of each entity."""
