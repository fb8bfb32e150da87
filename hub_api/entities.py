"""The data dictionary: which kinds of record there are, and what the caller may see, filter and edit of each. And who the caller is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from canonical.base import FieldSpec
from hub_api.deps import Who
from hub_api.pages import answer, ok
from hub_api.permissions import Role, Scope, View, view
from hub_api.problems import problems
from hub_api.shapes import ENTITIES, plural, shape

router = APIRouter(prefix="/v1", tags=["dictionary"])


class DictionaryField(BaseModel):
    """One field."""

    name: str
    kind: str = Field(description="text, decimal, integer, boolean, date, moment, reference, list, map.")
    description: str
    refers_to: str = Field(description="The entity a reference points to; else empty.")
    personal: bool = Field(description="Data about a natural person.")
    derived: bool = Field(description="The hub computes it; nobody writes it.")
    filterable: bool
    writable: bool


class DictionaryEntity(BaseModel):
    """One kind of record."""

    entity: str
    title: str
    address: str
    fields: list[DictionaryField]
    sets: dict[str, list[DictionaryField]]


class Dictionary(BaseModel):
    """Everything that the caller may see."""

    items: list[DictionaryEntity]


class Me(BaseModel):
    """The key that was sent."""

    key_id: str
    name: str
    role: Role
    scopes: list[Scope]
    party: UUID | None


_FIELD = {
    "name": "total",
    "kind": "decimal",
    "description": "Including tax.",
    "refers_to": "",
    "personal": False,
    "derived": False,
    "filterable": True,
    "writable": False,
}
EXAMPLE = {
    "items": [{"entity": "order", "title": "销售订单 Order", "address": "/v1/orders", "fields": [_FIELD], "sets": {"lines": [_FIELD]}}]
}
ME = {"key_id": "abcdefghijkl", "name": "erp-team", "role": "it", "scopes": ["records:read"], "party": None}


def _field(spec: FieldSpec, seen: View, *, root: bool) -> dict[str, Any]:
    return {
        "name": spec.name,
        "kind": spec.kind,
        "description": spec.description,
        "refers_to": spec.refers_to,
        "personal": spec.personal,
        "derived": spec.derived,
        "filterable": root and spec.name in seen.filterable,
        "writable": root and spec.name in seen.writable,
    }


@router.get(
    "/entities", operation_id="entities", responses=ok(Dictionary, EXAMPLE, "The dictionary.") | problems(), response_class=Response
)
def entities(who: Who) -> Response:
    """Every kind of record and field that this key may see."""
    items = []
    for name in ENTITIES:
        seen, spec = view(who.role, name), shape(name).spec
        if seen is None:
            continue
        fields = [_field(field, seen, root=True) for field in spec.fields.values() if field.name in seen.fields]
        sets = {child: [_field(spec.sets[child][path], seen, root=False) for path in sorted(paths)] for child, paths in seen.sets.items()}
        items.append({"entity": name, "title": spec.title, "address": f"/v1/{plural(name)}", "fields": fields, "sets": sets})
    return answer({"items": items})


@router.get("/me", operation_id="me", responses=ok(Me, ME, "The key.") | problems(), response_class=Response)
def me(who: Who) -> Response:
    """Who this key says you are."""
    return answer({"key_id": who.key_id, "name": who.name, "role": who.role, "scopes": sorted(who.scopes), "party": who.party})
