"""QueryBusinessInfo: a form's entities and fields, from the same definitions that everything else uses."""

from __future__ import annotations

from typing import Any

from sandbox.erp_kingdee.forms import Field, Form

_ELEMENT = {"t": 1, "e": 9, "d": 5, "dt": 5, "n": 2, "i": 3, "b": 8, "r": 13}
_FIELD = {"t": 231, "e": 167, "d": 61, "dt": 61, "n": 106, "i": 56, "b": 175, "r": 56}
_SHOWN_AS = {"FSalerId": "BD_Saler", "FSELLER": "BD_Saler", "FSalesManID": "BD_Saler", "FSalesManId": "BD_Saler", "FSALEERID": "BD_Saler"}


def _names(title: str) -> list[dict[str, Any]]:
    return [{"Key": 2052, "Value": title}]


def _field(f: Field) -> dict[str, Any]:
    return {
        "Key": f.key,
        "Name": _names(f.title),
        "MustInput": 1 if f.must else 0,
        "FieldType": _FIELD[f.kind],
        "ElementType": _ELEMENT[f.kind],
        "LookUpObjectFormId": _SHOWN_AS.get(f.key, f.form),
        "IsViewVisible": True,
        "Extends": [],
        "PropertyName": f.orm,
    }


def business_info(form: Form) -> dict[str, Any]:
    """`Result.NeedReturnData` of QueryBusinessInfo."""
    entrys: list[dict[str, Any]] = []
    head = form.entities[0]
    entrys.append(
        {
            "Key": "FBillHead",
            "ParentKey": "",
            "Name": _names(form.title),
            "Fields": [_field(f) for f in head.fields if not f.sub and f.key != form.pk],
        }
    )
    entrys.extend(
        {"Key": sub, "ParentKey": "FBillHead", "Name": _names(sub), "Fields": [_field(f) for f in head.fields if f.sub == sub]}
        for sub in form.subs
    )
    entrys.extend(
        {
            "Key": entity.key,
            "ParentKey": "FBillHead",
            "Name": _names(entity.title),
            "Pk": entity.pk,
            "Fields": [_field(f) for f in entity.fields[2:]],
        }
        for entity in form.entities[1:]
    )
    return {
        "Id": form.id,
        "Name": _names(form.title),
        "PkFieldName": form.pk,
        "PkFieldType": "STRING" if form.guid else "LONG",
        "Entrys": entrys,
    }
