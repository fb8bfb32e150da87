"""What can be read and written: one declaration per stream, and how its records come over the wire.

The payload is the JSON record as the API gives it, under the usual API names, without the `$` keys: they are read-only state that flips
without a change of the record. Where an organisation has other API names, they are translated here, on the way in and on the way out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from connectors.base import Deletes, FieldInfo, HubKeyField, LineSet, Payload, Record, Stream
from connectors.crm_zoho.fields import FIELDS, MONEY, NUMBER, PRICE, SYSTEM
from connectors.crm_zoho.settings import ZohoSettings

BATCH = 100
"""Records of one write call, and of one list call by ids (API v8, insert records and get records)."""
HUB_KEY_LENGTH = 20
LIST_PRICE = "list_price"
"""What a product costs in a price book: of their relation, not of either."""


@dataclass(frozen=True, slots=True)
class _Spec:
    vendor_name: str
    title: str
    dated: str = "Created_Time"
    number: str = ""
    lines: str = ""
    hub_line: bool = False
    related: bool = False
    depends_on: Sequence[str] = ()
    deactivate: Mapping[str, Any] = field(default_factory=dict)
    void: Mapping[str, Any] = field(default_factory=dict)


_SPECS: Mapping[str, _Spec] = {
    "accounts": _Spec("Accounts", "客户 Accounts", number="ERP_Code", deactivate={"Status_Code": "Blocked"}),
    "contacts": _Spec("Contacts", "联系人 Contacts", number="ERP_Code", depends_on=("accounts",)),
    "leads": _Spec("Leads", "线索 Leads"),
    "products": _Spec("Products", "产品 Products", number="Product_Code", deactivate={"Product_Active": False}),
    "price_books": _Spec(
        "Price_Books",
        "价格表 Price books",
        number="ERP_Code",
        lines="Products",
        related=True,
        depends_on=("products",),
        deactivate={"Active": False},
    ),
    "deals": _Spec("Deals", "商机 Deals", dated="Closing_Date", depends_on=("accounts", "contacts"), void={"Stage": "Closed Lost"}),
    "quotes": _Spec(
        "Quotes",
        "报价 Quotes",
        lines="Quoted_Items",
        hub_line=True,
        depends_on=("accounts", "contacts", "products", "deals"),
        void={"Quote_Stage": "Closed Lost"},
    ),
    "sales_orders": _Spec(
        "Sales_Orders",
        "销售订单 Sales orders",
        dated="Order_Date",
        number="ERP_Order_No",
        lines="Ordered_Items",
        hub_line=True,
        depends_on=("accounts", "products", "deals", "quotes"),
        void={"Status": "Cancelled"},
    ),
    "invoices": _Spec(
        "Invoices",
        "应收单 Invoices",
        dated="Invoice_Date",
        number="ERP_Bill_No",
        lines="Invoiced_Items",
        depends_on=("accounts", "products", "sales_orders"),
        void={"Status": "Cancelled"},
    ),
    "shipments": _Spec("Shipments", "出库单 Shipments", dated="Shipped_On", number="ERP_Bill_No", depends_on=("accounts", "sales_orders")),
    "receipts": _Spec("Receipts", "收款单 Receipts", dated="Received_On", number="ERP_Bill_No", depends_on=("accounts", "sales_orders")),
}


@dataclass(frozen=True, slots=True)
class Module:
    """A stream as this organisation has it: the module, its columns, and the way from the wire to the payload and back."""

    stream: Stream
    api_name: str
    columns: tuple[str, ...]
    """Field API names to ask for, as this organisation calls them."""
    lines: str
    """Name of the list of rows in the payload; empty where the module has none."""
    wire_lines: str
    related: bool
    """True when these rows are a related list, read and written apart from the record: neither of its columns nor of its values."""
    hub_key: str
    """Field API name of the hub key, as this organisation calls it."""
    inward: Mapping[str, str]
    """Names that differ: this organisation's -> ours."""
    outward: Mapping[str, str]
    line_inward: Mapping[str, str]
    line_outward: Mapping[str, str]
    moments: frozenset[str]
    """Fields of type datetime, by our names: never written with a `Z`."""
    queryable: bool
    """True when COQL can select all its columns: it gives neither rows of a subform nor the ranges of a price book."""
    deactivate: Mapping[str, Any]
    void: Mapping[str, Any]

    def record(self, row: Payload) -> Record:
        """A row of the wire as a record; the row is used up. Raises: ValueError, in words, for a row that cannot be told or understood."""
        payload = _inward(row, self.inward)
        key = payload.get("id")
        if isinstance(key, int) and not isinstance(key, bool):
            key = payload["id"] = str(key)
        if not isinstance(key, str) or not key:
            raise ValueError("the record has no id")
        modified = payload.get("Modified_Time")
        if not isinstance(modified, str) or moment(modified) is None:
            raise ValueError("Modified_Time is not a time with an offset")
        if self.lines:
            rows = payload.get(self.lines)
            if not isinstance(rows, list) or not all(isinstance(line, dict) for line in rows):
                raise ValueError(f"{self.lines} is not a list of rows")
            payload[self.lines] = [_inward(line, self.line_inward) for line in rows]
            if self.related and (dumb := [line for line in payload[self.lines] if not line.get("id") or LIST_PRICE not in line]):
                raise ValueError(f"{len(dumb)} of its {self.lines} have no id or no {self.line_outward.get(LIST_PRICE, LIST_PRICE)}")
        return Record(key, payload, modified=modified)

    def wire(self, fields: Payload) -> dict[str, Any]:
        """The values of a change as the API wants them: this organisation's names, no read-only keys, times with an offset."""
        found = {}
        for key, value in fields.items():
            if key.startswith("$") or key in _READ_ONLY or (self.related and key == self.lines):
                continue
            found[self.outward.get(key, key)] = self._outward(key, value)
        return found

    def _outward(self, key: str, value: Any) -> Any:
        if key == self.lines and isinstance(value, list):
            return [{self.line_outward.get(name, name): inner for name, inner in line.items()} for line in value]
        if key in self.moments and isinstance(value, str) and value.endswith("Z"):
            return value[:-1] + "+00:00"
        return value


_READ_ONLY = frozenset({"id", "Created_Time", "Modified_Time", "Created_By", "Modified_By"})


def modules(settings: ZohoSettings) -> dict[str, Module]:
    """The streams in use, by name, in an order in which each comes after those it depends on.

    Raises: ValueError naming an unknown stream or field of the settings.
    """
    _check_names(settings)
    wanted = settings.streams or list(_SPECS)
    return {name: _module(name, spec, settings, wanted) for name, spec in _SPECS.items() if name in wanted}


def moment(text: str) -> datetime | None:
    """A vendor's time as an aware datetime; None when it is none or has no offset."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return value if value.tzinfo is not None else None


def later(first: str, second: str) -> str:
    """The later of two times of the vendor, in its own words; an empty one is before all."""
    if not first or not second:
        return first or second
    one, two = moment(first), moment(second)
    if one is None or two is None:
        return first if two is None else second
    return second if two > one else first


def utc(text: str) -> str:
    """A vendor's time as `YYYY-MM-DDTHH:MM:SSZ`. Raises: ValueError."""
    value = moment(text)
    if value is None:
        raise ValueError(f"{text[:40]!r} is not a time with an offset")
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _module(name: str, spec: _Spec, settings: ZohoSettings, wanted: Sequence[str]) -> Module:
    names = settings.fields.get(name, {})
    infos = _infos(name, settings)
    lines = spec.lines if names.get(spec.lines) != "" else ""
    heads = [info for info in infos if "." not in info.name]
    line_names = {path.split(".", 1)[1]: other for path, other in names.items() if "." in path and other}
    if spec.hub_line and settings.hub_line_field != "Hub_Line":
        line_names.setdefault("Hub_Line", settings.hub_line_field)
    outward = {ours: other for ours, other in names.items() if "." not in ours and other and other != ours}
    if settings.hub_key_field != "Hub_Key":
        outward["Hub_Key"] = settings.hub_key_field
    has_hub_line = spec.hub_line and names.get(f"{spec.lines}.Hub_Line") != ""
    stream = Stream(
        name=name,
        vendor_name=settings.modules.get(name, spec.vendor_name),
        title=spec.title,
        key="id",
        number=spec.number if spec.number in {info.name for info in heads} else "",
        modified="Modified_Time",
        modified_resolution_s=1.0,
        dated=spec.dated if spec.dated in {info.name for info in heads} else "Created_Time",
        overlap_s=settings.overlap_s,
        page_size=settings.page_size,
        writable=True,
        creatable=True,
        batch=BATCH,
        hub_key=HubKeyField("Hub_Key", HUB_KEY_LENGTH, index_lag_s=settings.search_lag_s if settings.find_route == "search" else 0.0),
        lines=(LineSet(lines, "id", "Hub_Line" if has_hub_line else "", apart=spec.related),) if lines else (),
        volatile=("$*", "Modified_Time"),
        deletes=Deletes.EVENTS,
        depends_on=tuple(other for other in spec.depends_on if other in wanted),
        fields=tuple(infos),
        absent=tuple(sorted(_absent(name, settings))),
    )
    return Module(
        stream=stream,
        api_name=stream.vendor_name,
        columns=tuple(outward.get(i.name, i.name) for i in heads if i.name != "id" and not (spec.related and i.name == lines)),
        lines=lines,
        wire_lines=outward.get(lines, lines),
        related=spec.related and bool(lines),
        hub_key=settings.hub_key_field,
        inward={other: ours for ours, other in outward.items()},
        outward=outward,
        line_inward={other: ours for ours, other in line_names.items()},
        line_outward=line_names,
        moments=frozenset(info.name for info in heads if info.type == "datetime"),
        queryable=not lines and name != "price_books",
        deactivate=spec.deactivate,
        void=spec.void,
    )


def _infos(name: str, settings: ZohoSettings) -> list[FieldInfo]:
    """Declared fields without those that this organisation has not, with its extra ones."""
    absent = _absent(name, settings)
    hub_key = FieldInfo("Hub_Key", "集成主键 Hub key", "text", length=HUB_KEY_LENGTH)
    extra = [FieldInfo(other, other, "text") for other in settings.extra_fields.get(name, ())]
    declared = [*SYSTEM, *FIELDS[name], hub_key, *extra]
    scales = {MONEY: settings.currency_scale, PRICE: settings.price_scale, NUMBER: settings.number_scale}
    present = [info for info in declared if info.name not in absent and info.name.partition(".")[0] not in absent]
    return [replace(info, scale=scales.get(info.scale, info.scale)) if info.scale else info for info in present]


def _absent(name: str, settings: ZohoSettings) -> set[str]:
    return {ours for ours, other in settings.fields.get(name, {}).items() if not other}


def _check_names(settings: ZohoSettings) -> None:
    for setting, names in (
        ("streams", settings.streams),
        ("modules", settings.modules),
        ("fields", settings.fields),
        ("extra_fields", settings.extra_fields),
    ):
        for name in names:
            if name not in _SPECS:
                raise ValueError(f"{setting}: there is no stream {name!r}; there are: {', '.join(_SPECS)}")
    for name, renamed in settings.fields.items():
        known = {info.name for info in FIELDS[name]}
        for ours in renamed:
            if ours not in known:
                raise ValueError(f"fields.{name}: {ours!r} is not a field of this stream; see docs/connectors/crm_zoho.md")


def _inward(row: Payload, names: Mapping[str, str]) -> Payload:
    """The row itself, without its `$` keys: most have few or none, and making every row anew would double what reading costs."""
    for key in [key for key in row if key[:1] == "$"]:
        del row[key]
    return {names.get(key, key): value for key, value in row.items()} if names else row
