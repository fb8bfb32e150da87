"""The blueprint: deals of one pipeline move from stage to stage by transitions only, one for each call.

Source: reference notes on Zoho CRM v8, "Blueprint". A plain update of the stage of such a deal is refused with RECORD_IN_BLUEPRINT.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.core.http import Response
from sandbox.crm_zoho.calls import Call, answer
from sandbox.crm_zoho.errors import ApiError, RecordError
from sandbox.crm_zoho.metadata import Doc, Module, metadata_id
from sandbox.crm_zoho.modules import BLUEPRINT_PIPELINE, STAGES
from sandbox.crm_zoho.writing import store_change

_OPEN = STAGES[:4]
TRANSITIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    STAGES[0]: (("确认需求", STAGES[1]), ("丢单", STAGES[5])),
    STAGES[1]: (("报价", STAGES[2]), ("丢单", STAGES[5])),
    STAGES[2]: (("谈判", STAGES[3]), ("丢单", STAGES[5])),
    STAGES[3]: (("赢单", STAGES[4]), ("丢单", STAGES[5])),
}
"""(name of the transition, stage it leads to) by the stage it starts from. A closed deal has none."""


def transitions(call: Call) -> Response:
    """`GET /{module}/{id}/actions/blueprint`."""
    module, doc = _in_process(call)
    at = list(module.fields).index("Stage")
    process = {
        "id": metadata_id(module, 600),
        "name": "渠道项目流程",
        "field_id": metadata_id(module, 100 + at),
        "field_label": "Stage",
        "field_name": "Stage",
        "api_name": "Stage",
        "column_name": "STAGE",
        "field_value": doc["Stage"],
        "is_continuous": False,
        "escalation": None,
        "current_picklist": {"id": metadata_id(module, 610), "value": doc["Stage"], "colour_code": None},
    }
    found = [_shown(module, doc["Stage"], step, name, stage) for step, (name, stage) in enumerate(TRANSITIONS.get(doc["Stage"], ()))]
    return answer({"blueprint": {"process_info": process, "transitions": found}})


def move(call: Call) -> Response:
    """`PUT` on the same path: one transition."""
    module, doc = _in_process(call)
    sent = call.body().get("blueprint")
    if not isinstance(sent, list) or len(sent) != 1 or not isinstance(sent[0], dict):
        raise ApiError(400, "INVALID_DATA", "invalid data", api_name="blueprint", expected_data_type="jsonarray", maximum_length=1)
    asked, data = str(sent[0].get("transition_id")), sent[0].get("data") or {}
    if not isinstance(data, dict):
        raise ApiError(400, "INVALID_DATA", "invalid data", api_name="data", parent_api_name="blueprint", expected_data_type="jsonobject")
    for step, (_, stage) in enumerate(TRANSITIONS.get(doc["Stage"], ())):
        if _transition_id(module, doc["Stage"], step) == asked:
            _store(call, module, doc, {**data, "Stage": stage})
            return answer({"code": "SUCCESS", "details": {}, "message": "transition updated successfully", "status": "success"})
    raise ApiError(400, "INVALID_DATA", "invalid transition", api_name="transition_id", parent_api_name="blueprint")


def _store(call: Call, module: Module, doc: Doc, fields: dict[str, Any]) -> None:
    call.request.operation = "blueprint"
    try:
        store_change(call, module, fields, doc, "$.blueprint[0].data", guided=False)
    except RecordError as error:
        raise ApiError(400, error.code, error.message, **error.details) from error


def _in_process(call: Call) -> tuple[Module, Doc]:
    module = call.module()
    doc = call.box.store.tables[module.name].docs.get(call.parts[1])
    if doc is None:
        raise ApiError(400, "INVALID_DATA", "the id given seems to be invalid", api_name="id")
    if module.name != "Deals" or doc.get("Pipeline") != BLUEPRINT_PIPELINE:
        raise ApiError(400, "RECORD_NOT_IN_PROCESS", "record not in process")
    return module, doc


def _transition_id(module: Module, stage: str, step: int) -> str:
    return metadata_id(module, 620 + _OPEN.index(stage) * 10 + step)


def _shown(module: Module, start: str, step: int, name: str, stage: str) -> Doc:
    following = [
        {"id": _transition_id(module, stage, at), "name": next_name} for at, (next_name, _) in enumerate(TRANSITIONS.get(stage, ()))
    ]
    return {
        "id": _transition_id(module, start, step),
        "name": name,
        "type": "manual",
        "criteria_matched": True,
        "criteria_message": None,
        "next_field_value": stage,
        "next_transitions": following,
        "data": {},
        "fields": [],
        "percent_partial_save": 0,
        "execution_time": None,
        "sequence": step + 1,
    }
