"""`check`: each right, field and limit that the hub needs, tried one by one, with the next step for the one that fails. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from connectors.base import FieldInfo, Finding
from connectors.crm_zoho.answers import Row
from connectors.crm_zoho.client import ZohoClient
from connectors.crm_zoho.query import compare, select
from connectors.crm_zoho.settings import ZohoSettings
from connectors.crm_zoho.streams import LIST_PRICE, Module
from connectors.errors import CallFailed, SignInRefused

LOW_CREDITS = 1000

TYPES: Mapping[str, str] = {
    "integer": "integer",
    "double": "decimal",
    "currency": "decimal",
    "percent": "decimal",
    "date": "date",
    "datetime": "datetime",
    "boolean": "boolean",
    "picklist": "enum",
    "lookup": "reference",
    "ownerlookup": "reference",
    "userlookup": "reference",
    "subform": "list",
    "multiselectpicklist": "list",
    "multiselectlookup": "list",
    "multiuserlookup": "list",
}
"""Zoho's data types in the hub's words; every other one is text, also `bigint`: ids come as text, too long for a float."""


def check(client: ZohoClient, settings: ZohoSettings, modules: Mapping[str, Module]) -> Iterator[Finding]:
    """Findings, the sign-in first; when that fails, no more is tried."""
    signed_in = _tried("sign-in", lambda: _sign_in(client, settings))
    yield signed_in
    if not signed_in.ok:
        return
    visible = _tried("modules", lambda: f"{len(client.modules())} modules are visible")
    yield visible
    for module in modules.values():
        yield _tried(f"read {module.api_name}", lambda module=module: _read(client, module))  # type: ignore[misc]  # bound at once
        yield _tried(f"deleted {module.api_name}", lambda module=module: _deleted(client, module))  # type: ignore[misc]  # bound at once
        yield from _fields(client, module)
        if module.related:
            yield _tried(f"prices {module.api_name}", lambda module=module: _prices(client, module))  # type: ignore[misc]  # bound at once
    if settings.find_route == "coql" and modules:
        first = next(iter(modules.values()))
        yield _tried("query (COQL)", lambda: _coql(client, first))
    yield _scope(client, modules)
    yield _credits(client)


def describe(client: ZohoClient, module: Module) -> list[FieldInfo]:
    """The fields as this organisation has them: declared ones under our names, the others under their own.

    Rows of a subform have metadata of their own; an organisation whose user may not see them gets the declared ones.
    """
    found = [_info(row, module.inward, "") for row in client.fields(module.api_name) if row.get("api_name")]
    declared = {info.name: info for info in module.stream.fields}
    merged = [_merged(info, declared.get(info.name)) for info in found]
    if module.related:
        merged += [info for name, info in declared.items() if name.partition(".")[0] == module.lines]
    elif module.lines:
        merged += _line_fields(client, module, declared)
    return merged


def _line_fields(client: ZohoClient, module: Module, declared: Mapping[str, FieldInfo]) -> list[FieldInfo]:
    prefix = f"{module.lines}."
    try:
        rows = client.fields(module.wire_lines)
    except CallFailed:
        return [info for name, info in declared.items() if name.startswith(prefix)]
    found = [_info(row, module.line_inward, prefix) for row in rows if row.get("api_name")]
    return [_merged(info, declared.get(info.name)) for info in found]


def _info(row: Row, names: Mapping[str, str], prefix: str) -> FieldInfo:
    api_name = str(row["api_name"])
    lookup, operation = row.get("lookup"), row.get("operation_type")
    target = lookup.get("module") if isinstance(lookup, dict) else None
    writable = not (row.get("read_only") is True or row.get("field_read_only") is True)
    if isinstance(operation, dict):
        writable = writable and operation.get("api_update") is not False
    data_type = str(row.get("data_type") or "text")
    options = [str(value.get("actual_value")) for value in row.get("pick_list_values") or () if isinstance(value, dict)]
    return FieldInfo(
        name=prefix + names.get(api_name, api_name),
        label=str(row.get("field_label") or row.get("display_label") or api_name),
        type=TYPES.get(data_type, "text"),
        required=row.get("system_mandatory") is True,
        writable=writable,
        length=row["length"] if isinstance(row.get("length"), int) else None,
        scale=row["decimal_place"] if isinstance(row.get("decimal_place"), int) else None,
        options=options,
        refers_to=str(target.get("api_name") if isinstance(target, dict) else target or ""),
        personal=data_type in ("email", "phone"),
    )


def _merged(info: FieldInfo, declared: FieldInfo | None) -> FieldInfo:
    if declared is None:
        return info
    return FieldInfo(
        name=info.name,
        label=info.label,
        type=info.type,
        required=info.required,
        writable=info.writable,
        length=info.length,
        scale=info.scale,
        options=info.options,
        refers_to=declared.refers_to or info.refers_to,
        personal=declared.personal,
    )


def _tried(name: str, act: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, act())
    except CallFailed as error:
        return Finding(name, False, error.why + (f" [{error.vendor_code}]" if error.vendor_code else ""), error.next_step)


def _sign_in(client: ZohoClient, settings: ZohoSettings) -> str:
    client.sign_in.token()
    told = client.sign_in.api_domain()
    if told and told != settings.api_domain:
        raise SignInRefused(
            client.system,
            f"the organisation's API address is {told[:80]}",
            next_step="enter it as api_domain if it is right",
        )
    return "an access token was granted"


def _read(client: ZohoClient, module: Module) -> str:
    client.list(module.api_name, ("Modified_Time",), per_page=1)
    return "records can be read"


def _deleted(client: ZohoClient, module: Module) -> str:
    client.deleted(module.api_name)
    return "deleted records can be listed"


def _prices(client: ZohoClient, module: Module) -> str:
    books = client.list(module.api_name, ("Modified_Time",), per_page=1).rows
    if not books:
        return "there is no price book yet; the first one that is read or written will show it"
    column = module.line_outward.get(LIST_PRICE, LIST_PRICE)
    client.related(module.api_name, str(books[0].get("id")), module.wire_lines, (column,), per_page=1)
    return "prices of products can be read"


def _coql(client: ZohoClient, module: Module) -> str:
    client.coql(select(("id",), module.api_name, compare("id", ">", "0"), limit=1), limit=1)
    return "queries are allowed"


def _fields(client: ZohoClient, module: Module) -> Iterator[Finding]:
    name = f"fields {module.api_name}"
    try:
        rows = {str(row.get("api_name")): row for row in client.fields(module.api_name)}
    except CallFailed as error:
        yield Finding(name, False, error.why, error.next_step)
        return
    absent = [column for column in module.columns if column not in rows]
    if absent:
        step = (
            f"create {', '.join(absent)} in Zoho (Setup, Modules and Fields, {module.api_name}), "
            f"or set fields.{module.stream.name} in the settings"
        )
        yield Finding(name, False, f"missing: {', '.join(absent)}", step)
    else:
        yield Finding(name, True, f"all {len(module.columns)} fields are there")
    yield from _scales(module, rows)
    if module.hub_key in rows:
        unique = bool(rows[module.hub_key].get("unique"))
        step = "" if unique else f"tick 'Do not allow duplicate values' on {module.hub_key}; without it a repeated create makes a duplicate"
        yield Finding(f"unique {module.api_name}.{module.hub_key}", unique, "is unique" if unique else "is not unique", step)


def _scales(module: Module, rows: Mapping[str, Row]) -> Iterator[Finding]:
    """A field that keeps fewer decimal places than the settings say would be rounded, and then differ for ever."""
    for info in module.stream.fields:
        row = rows.get(module.outward.get(info.name, info.name))
        places = row.get("decimal_place") if row is not None else None
        if info.writable and info.scale is not None and isinstance(places, int) and places < info.scale:
            step = f"raise the decimal places of the field in Zoho to {info.scale}, or lower the scale in the settings to {places}"
            yield Finding(f"scale {module.api_name}.{info.name}", False, f"the field keeps {places} decimal places, not {info.scale}", step)


def _scope(client: ZohoClient, modules: Mapping[str, Module]) -> Finding:
    scopes = {scope.lower() for scope in client.sign_in.scopes()}
    if not scopes:
        return Finding("write scope", True, "the token answer tells no scopes; the first write will show it")
    lacking = [module.api_name for module in modules.values() if not _may_write(scopes, module.api_name)]
    step = "make a refresh token with the scope ZohoCRM.modules.ALL" if lacking else ""
    return Finding("write scope", not lacking, f"missing for {', '.join(lacking)}" if lacking else "all modules may be written", step)


def _may_write(scopes: set[str], module: str) -> bool:
    plain = module.lower().replace("_", "")
    names = ("zohocrm.modules", f"zohocrm.modules.{module.lower()}", f"zohocrm.modules.{plain}", "zohocrm.modules.custom")
    whole = any(f"{name}.{right}" in scopes for name in names for right in ("all", "write"))
    return whole or any({f"{name}.create", f"{name}.update"} <= scopes for name in names)


def _credits(client: ZohoClient) -> Finding:
    left = client.credits_left
    if left is None:
        return Finding("credits", True, "more than half of the day's credits are left")
    enough = left >= LOW_CREDITS
    return Finding("credits", enough, f"{left} credits are left today", "" if enough else "wait, or buy more credits")


__all__: Sequence[str] = ["check", "describe"]
