"""What `check` and `describe` look at: sign-in, rights, fields, organisations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.base import FieldInfo, Finding
from connectors.erp_kingdee import filters as f
from connectors.erp_kingdee.client import KingdeeClient
from connectors.erp_kingdee.forms import Form
from connectors.erp_kingdee.reading import Reader
from connectors.erp_kingdee.settings import KingdeeSettings
from connectors.erp_kingdee.streams import ORGANIZATIONS
from connectors.errors import CallFailed

_ELEMENTS = (
    # a part of ElementType or FieldType, lower case; the first that fits
    ("basedata", "reference"),
    ("assistant", "reference"),
    ("organization", "reference"),
    ("org", "reference"),
    ("decimal", "decimal"),
    ("amount", "decimal"),
    ("price", "decimal"),
    ("qty", "decimal"),
    ("integer", "integer"),
    ("int", "integer"),
    ("checkbox", "boolean"),
    ("bool", "boolean"),
    ("datetime", "datetime"),
    ("date", "date"),
    ("combo", "enum"),
    ("status", "enum"),
)


def run(client: KingdeeClient, forms: Mapping[str, Form], settings: KingdeeSettings, reader: Callable[[Form], Reader]) -> Sequence[Finding]:
    """One finding per right and limit; after a refused sign-in, only that one. Never raises for what the server says."""
    try:
        client.sign_in()
        client.query_business_info(ORGANIZATIONS.form)
    except CallFailed as error:
        return [Finding("sign-in", False, error.why, error.next_step or "check the server address and the network")]
    findings = [Finding("sign-in", True, f"signed in as {settings.user_name}"), _organisations(client, settings)]
    for form in forms.values():
        findings += [_fields(client, form), _query(form, reader(form))]
    return findings


def describe(client: KingdeeClient, form: Form) -> Sequence[FieldInfo]:
    """All fields of a form on this tenant; of a declared one the hub's own description, as far as the tenant has it."""
    declared = {form.query_key(field.key.rpartition(".")[2] or field.key).partition(".")[0].lower() for field in form.head + form.lines}
    found = list(form.field_infos)
    for entity in client.query_business_info(form.form):
        key = str(entity.get("Key") or "")
        prefix = "" if key in ("", "FBillHead") else f"{key}."
        others = (field for field in entity.get("Fields") or () if str(field.get("Key") or "").lower() not in declared)
        found += [_info(prefix, field) for field in others]
    return found


def _organisations(client: KingdeeClient, settings: KingdeeSettings) -> Finding:
    wanted = settings.organisations
    try:
        where = f.one_of(f.Column("FNumber"), wanted) if wanted else f.ALL
        rows = client.execute_bill_query(ORGANIZATIONS.form, ["FOrgID", "FNumber"], where, "FOrgID asc", f.MAX_IN).rows
    except CallFailed as error:
        return Finding("organisations", False, error.why, "give the integration user the right to query organisations")
    seen = {str(row[1]) for row in rows}
    if missing := [number for number in wanted if number not in seen]:
        return Finding(
            "organisations",
            False,
            f"not there or not visible: {', '.join(missing)}",
            "correct `organisations`, or give the user these organisations",
        )
    if not seen:
        return Finding("organisations", False, "the user sees no organisation", "give the integration user its organisations")
    return Finding("organisations", True, ", ".join(sorted(seen)))


def _fields(client: KingdeeClient, form: Form) -> Finding:
    """Every declared key against the tenant's own description: one unknown key would fail the whole query."""
    name = f"{form.stream}: fields of {form.form}"
    try:
        entities = client.query_business_info(form.form)
    except CallFailed as error:
        return Finding(name, False, error.why, error.next_step or "give the integration user the right to this form")
    there = {str(field.get("Key") or "").lower() for entity in entities for field in entity.get("Fields") or ()}
    lists = {str(entity.get("Key") or "").lower() for entity in entities}
    missing = [key for key in _names(form) if key.lower() not in there]
    if form.entity and form.entity.lower() not in lists:
        missing.append(form.entity)
    if not missing:
        return Finding(name, True, f"all {len(_names(form))} are there")
    ours = [key for key in missing if key.startswith("F_")]
    next_step = (
        f"create the custom field {', '.join(ours)} in the form designer (BOS), or name the tenant's own in `custom_fields`"
        if ours
        else f"name the field this tenant uses for it in `custom_fields`, or an empty text to leave it out: {missing[0]}"
    )
    return Finding(name, False, f"missing: {', '.join(missing)}", next_step)


def _names(form: Form) -> list[str]:
    """The plain field keys that the hub's queries of a form use, without identifiers, which descriptions do not list."""
    keys = [form.query_key(field.key).partition(".")[0] for field in form.head + form.lines]
    extra = [form.query_key(key) for key in (form.approved, form.created) if key]
    return [key for key in dict.fromkeys([*keys, *extra]) if key != form.pk]


def _query(form: Form, reader: Reader) -> Finding:
    name = f"{form.stream}: query {form.form}"
    try:
        reader.try_query()
    except CallFailed as error:
        return Finding(name, False, error.why, error.next_step or "give the integration user the right to query this form")
    return Finding(name, True, "may be read")


def _info(prefix: str, field: Mapping[str, Any]) -> FieldInfo:
    shown = f"{field.get('ElementType') or ''} {field.get('FieldType') or ''}".lower()
    kind = next((ours for part, ours in _ELEMENTS if part in shown), "text")
    return FieldInfo(
        f"{prefix}{field.get('Key')}",
        _label(field.get("Name")),
        kind,
        required=field.get("MustInput") in (1, "1", True),
        refers_to=str(field.get("LookUpObjectFormId") or ""),
    )


def _label(name: Any) -> str:
    if isinstance(name, list):
        texts = [str(item.get("Value") or "") for item in name if isinstance(item, dict)]
        return texts[0] if texts else ""
    return str(name or "")
