"""Metadata and organisation: modules, fields, layouts, pipelines, users, currencies.

Source: reference notes on Zoho CRM v8, "Metadata" and "Multi-currency" (not enabled in this organisation).
"""

from __future__ import annotations

from sandbox.core.http import Response
from sandbox.crm_zoho.calls import Call, answer, module_named, no_content
from sandbox.crm_zoho.errors import ApiError, param_missing, wrong_url
from sandbox.crm_zoho.metadata import Doc, Field, Module, describe_field, metadata_id
from sandbox.crm_zoho.modules import ALL, MODULES, PIPELINES
from sandbox.crm_zoho.org import API_USER, PROFILE, USERS, organisation, user_entry
from sandbox.crm_zoho.related import RELATIONS
from sandbox.crm_zoho.totals import PROBABILITY


def settings(call: Call) -> Response:
    """`GET /settings/…`."""
    match call.parts[1:]:
        case ("modules",):
            return answer({"modules": [_module(module) for module in ALL]})
        case ("modules", name):
            return answer({"modules": [_module(module_named(name))]})
        case ("fields",):
            return answer({"fields": _fields(call)})
        case ("layouts",):
            return answer({"layouts": [_layout(_asked(call))]})
        case ("pipeline",):
            return answer({"pipeline": _pipelines(call)})
        case ("related_lists",):
            return answer({"related_lists": _related(_asked(call))})
        case ("custom_views",):
            return answer({"custom_views": [_view(_asked(call))], "info": {"per_page": 200, "count": 1, "page": 1, "more_records": False}})
        case ("duplicate_check_preference",):
            _asked(call)
            return no_content()
    raise wrong_url()


def org(call: Call) -> Response:
    """`GET /org` and `GET /org/currencies`."""
    if len(call.parts) == 1:
        return answer({"org": [organisation()]})
    if call.parts[1:] == ("currencies",):
        raise ApiError(403, "FEATURE_NOT_SUPPORTED", "multi-currency is not enabled in this organisation")
    raise wrong_url()


def users(call: Call) -> Response:
    """`GET /users` and `GET /users/{id}`."""
    kind = call.query.get("type", "AllUsers")
    chosen = [API_USER] if kind == "CurrentUser" else list(USERS.values())
    if len(call.parts) > 1:
        chosen = [user for user in chosen if user["id"] == call.parts[1]]
    if not chosen:
        return no_content()
    info = {"per_page": 200, "count": len(chosen), "page": 1, "more_records": False}
    return answer({"users": [user_entry(user) for user in chosen], "info": info})


def _asked(call: Call) -> Module:
    name = call.query.get("module")
    if not name:
        raise param_missing("module")
    return module_named(name)


def _fields(call: Call) -> list[Doc]:
    name = call.query.get("module")
    if not name:
        raise param_missing("module")
    for module in ALL:  # the columns of a subform are asked for by the subform's own name
        for spec in module.fields.values():
            if spec.type == "subform" and spec.name.lower() == name.lower():
                return [_described(module, row, 500 + at) for at, row in enumerate(spec.rows)]
    module = module_named(name)
    return [_described(module, spec, at) for at, spec in enumerate(module.fields.values())]


_PUBLIC_TYPES = {"discount": "double", "linetax": "text", "pricing": "text"}
"""Types that only the stand-in tells apart, and what the real one calls them."""


def _described(module: Module, spec: Field, number: int) -> Doc:
    entry = describe_field(module, spec, number)
    if spec.type in _PUBLIC_TYPES:
        entry["data_type"] = _PUBLIC_TYPES[spec.type]
        entry["json_type"] = "double" if spec.type == "discount" else "jsonarray"
    return entry


def _module(module: Module) -> Doc:
    return {
        "id": metadata_id(module, 0),
        "api_name": module.name,
        "module_name": module.name.replace("_", " "),
        "singular_label": module.singular,
        "plural_label": module.label,
        "actual_singular_label": module.singular,
        "actual_plural_label": module.label,
        "generated_type": "custom" if module.custom else "default",
        "api_supported": True,
        "creatable": True,
        "editable": True,
        "deletable": True,
        "viewable": True,
        "visible": True,
        "convertable": module.name in ("Leads", "Quotes", "Sales_Orders"),
        "feeds_required": False,
        "inventory_template_supported": bool(module.lines),
        "recycle_bin_on_delete": True,
        "status": "visible",
        "profiles": [PROFILE],
        "modified_time": None,
        "modified_by": None,
        "sequence_number": int(module.prefix),
    }


def _layout(module: Module) -> Doc:
    fields = [_described(module, spec, at) for at, spec in enumerate(module.fields.values())]
    section = {
        "id": metadata_id(module, 3),
        "api_name": f"{module.name}_Information",
        "display_label": f"{module.singular} Information",
        "name": f"{module.singular} Information",
        "sequence_number": 1,
        "column_count": 2,
        "type": "used",
        "isSubformSection": False,
        "fields": fields,
    }
    return {
        "id": metadata_id(module, 1),
        "name": "Standard",
        "api_name": "Standard",
        "display_label": "Standard",
        "status": "active",
        "visible": True,
        "has_more_profiles": False,
        "profiles": [PROFILE],
        "sections": [section],
    }


def _pipelines(call: Call) -> list[Doc]:
    deals = module_named("Deals")
    if call.query.get("layout_id") != metadata_id(deals, 1):
        raise (
            param_missing("layout_id")
            if not call.query.get("layout_id")
            else ApiError(400, "INVALID_DATA", "invalid data", param_name="layout_id")
        )
    return [
        {
            "id": metadata_id(deals, 20 + at),
            "display_value": name,
            "actual_value": name,
            "default": at == 0,
            "child_available": False,
            "maps": [
                {
                    "id": metadata_id(deals, 40 + at * 10 + step),
                    "display_value": stage,
                    "actual_value": stage,
                    "sequence_number": step + 1,
                    "forecast_type": stage if stage.startswith("Closed") else "Open",
                    "forecast_category": None,
                    "probability": PROBABILITY[stage],
                }
                for step, stage in enumerate(stages)
            ],
        }
        for at, (name, stages) in enumerate(PIPELINES.items())
    ]


def _related(module: Module) -> list[Doc]:
    """Lists of records that point to this module, and what price books and products are to each other."""
    others = [other for other in ALL for spec in other.fields.values() if spec.type == "lookup" and spec.module == module.name]
    others += [MODULES[shown] for (name, _), shown in RELATIONS.items() if name == module.name]
    return [
        {
            "id": metadata_id(module, 700 + at),
            "api_name": other.name,
            "name": other.label,
            "display_label": other.label,
            "module": {"api_name": other.name, "id": metadata_id(other, 0)},
            "href": f"{module.name}/{{ENTITYID}}/{other.name}",
        }
        for at, other in enumerate(others)
    ]


def _view(module: Module) -> Doc:
    return {
        "id": metadata_id(module, 5),
        "name": f"All {module.label}",
        "system_name": f"ALL{module.name.upper()}",
        "display_value": f"All {module.label}",
        "default": True,
        "system_defined": True,
        "category": "public_views",
        "favorite": None,
    }
