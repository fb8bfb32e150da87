"""Conversions: a lead into account, contact and deal; a quote into an order; an order into an invoice.

Source: reference notes on Zoho CRM v8, "Writing" (lead conversion costs 5 credits).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.core.http import Response
from sandbox.crm_zoho.calls import Call, answer, named
from sandbox.crm_zoho.errors import ApiError, RecordError
from sandbox.crm_zoho.metadata import Doc, Module
from sandbox.crm_zoho.modules import MODULES
from sandbox.crm_zoho.values import id_of
from sandbox.crm_zoho.writing import mark, store_new, take_back

NEXT: Mapping[str, tuple[str, str]] = {"Quotes": ("Sales_Orders", "Quote_Name"), "Sales_Orders": ("Invoices", "Sales_Order")}
"""What a document becomes, and the lookup of the new one that points back."""
_PER_RECORD = ("Hub_Key",)
_ROW_KEYS = ("Product_Name", "Quantity", "List_Price", "Discount", "Line_Tax", "Description", "Sequence_Number")


def convert(call: Call) -> Response:
    """`POST /{module}/{id}/actions/convert`."""
    module = call.module()
    doc = call.box.store.tables[module.name].docs.get(call.parts[1])
    if doc is None:
        raise ApiError(400, "INVALID_DATA", "the id given seems to be invalid", api_name="id")
    data = call.body().get("data")
    if not isinstance(data, list) or not data or not isinstance(data[0], dict):
        raise ApiError(400, "INVALID_DATA", "invalid data", api_name="data", expected_data_type="jsonarray")
    call.request.operation = "convert"
    try:
        if module.name == "Leads":
            return _lead(call, doc, data[0])
        if module.name in NEXT:
            return _inventory(call, module, doc, data[0])
    except RecordError as error:
        take_back(call)
        return answer({"data": [error.entry()]}, 400)
    raise ApiError(400, "INVALID_MODULE", "the module does not support conversion", api_name=module.name)


def _inventory(call: Call, module: Module, doc: Doc, asked: Doc) -> Response:
    target_name, back = NEXT[module.name]
    targets = asked.get("convert_to")
    wanted = [named(item.get("module")) for item in targets if isinstance(item, dict)] if isinstance(targets, list) else []
    if wanted != [target_name]:
        raise RecordError("INVALID_DATA", "invalid data", api_name="convert_to", json_path="$.data[0].convert_to", expected=target_name)
    target = MODULES[target_name]
    fields = {name: _sent(doc[name]) for name in target.fields if doc.get(name) is not None and name not in _PER_RECORD}
    fields[back] = {"id": doc["id"]}
    fields[target.lines] = [{key: row.get(key) for key in _ROW_KEYS if row.get(key) is not None} for row in doc.get(module.lines) or ()]
    made = store_new(call, target, fields, "$.data[0]")
    details = {"id": made["id"], "module": {"api_name": target_name}, "name": made.get(target.title)}
    entry = {
        "code": "SUCCESS",
        "details": {target_name: details},
        "message": "The record has been converted successfully.",
        "status": "success",
    }
    return answer({"data": [entry]}, 200)


def _sent(value: Any) -> Any:
    return {"id": value["id"]} if isinstance(value, dict) else value


def _lead(call: Call, lead: Doc, asked: Doc) -> Response:
    call.credits = 5
    if lead.get("$converted"):
        raise RecordError("ID_ALREADY_CONVERTED", "id already converted", id=lead["id"])
    account = _chosen(call, asked, "Accounts", {"Account_Name": lead["Company"], "Industry": lead.get("Industry")})
    person = {name: lead.get(name) for name in ("Last_Name", "First_Name", "Email", "Mobile", "Phone")}
    contact = _chosen(call, asked, "Contacts", {**person, "Account_Name": {"id": account["id"]}})
    details: Doc = {"Accounts": _brief(account, "Account_Name"), "Contacts": _brief(contact, "Full_Name"), "Deals": None}
    if isinstance(asked.get("Deals"), dict):
        links = {"Account_Name": {"id": account["id"]}, "Contact_Name": {"id": contact["id"]}, "Lead_Source": lead.get("Lead_Source")}
        deal = store_new(call, MODULES["Deals"], {**links, **asked["Deals"]}, "$.data[0].Deals")
        details["Deals"] = _brief(deal, "Deal_Name")
    mark(call, MODULES["Leads"], {**lead, "$converted": True, "Modified_Time": call.box.clock.text()})
    entry = {"code": "SUCCESS", "details": details, "message": "The record has been converted successfully", "status": "success"}
    return answer({"data": [entry]}, 200)


def _chosen(call: Call, asked: Doc, module: str, fields: Doc) -> Doc:
    """The record named in the call, else a new one."""
    key = id_of(asked.get(module))
    if key is None:
        return store_new(call, MODULES[module], fields, f"$.data[0].{module}")
    doc = call.box.store.tables[module].docs.get(key)
    if doc is None:
        raise RecordError("INVALID_DATA", "the id given seems to be invalid", api_name=module, json_path=f"$.data[0].{module}.id")
    return doc


def _brief(doc: Doc, title: str) -> Doc:
    return {"id": doc["id"], "name": doc.get(title)}
