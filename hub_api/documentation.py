"""The OpenAPI description: what FastAPI makes of the routes, with our problems in place of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from hub_api.problems import SCHEMA

INTRODUCTION = """\
Send an API key as `Authorization: Bearer hub_…`. What a key may not see is absent from every answer.

Decimals are text, times are UTC, lists are paged by opaque cursors (`after` = `next` of the page before).
Errors are RFC 9457 problems with a stable `code`. A POST or PATCH with an `Idempotency-Key` can be repeated safely.
"""

_METHODS = {"get", "post", "put", "patch", "delete"}


def openapi(app: FastAPI) -> dict[str, Any]:
    """The description, made once."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes)
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas["Problem"] = SCHEMA
        for methods in made["paths"].values():
            for method, operation in methods.items():
                if method in _METHODS:
                    _without_framework_error(operation)
        for model in _bodies(app):
            _allow_null(model, schemas)
        _put_examples_back(app, made)
        app.openapi_schema = made
    return app.openapi_schema


def _put_examples_back(app: FastAPI, made: dict[str, Any]) -> None:
    """FastAPI drops every null from the description, those of examples included; there they mean something."""
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for status, answer in route.responses.items():
                for media_type, media in answer.get("content", {}).items():
                    for method in route.methods:
                        shown = made["paths"][route.path_format][method.lower()]["responses"][str(status)]["content"][media_type]
                        shown |= {name: media[name] for name in ("example", "examples") if name in media}


def _without_framework_error(operation: dict[str, Any]) -> None:
    schema = operation["responses"].get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if schema.get("$ref", "").endswith("/HTTPValidationError"):
        del operation["responses"]["422"]


def _bodies(app: FastAPI) -> Iterator[type[BaseModel]]:
    """The models of requests' bodies, each once, and those that stand inside of them."""
    waiting: list[Any] = [
        route.body_field.field_info.annotation for route in app.routes if isinstance(route, APIRoute) and route.body_field
    ]
    seen: set[type[BaseModel]] = set()
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if kind not in seen:
                seen.add(kind)
                waiting += [field.annotation for field in kind.model_fields.values()]
                yield kind
        else:
            waiting += get_args(kind)


def _allow_null(model: type[BaseModel], schemas: dict[str, Any]) -> None:
    """What may be left out, and is nothing then, may also be null: clients in many languages send it so."""
    extra = model.model_config.get("json_schema_extra")
    told = json.dumps([extra.get(word) for word in ("oneOf", "dependentRequired")]) if isinstance(extra, dict) else ""
    said = schemas.get(model.__name__) or schemas[f"{model.__module__}__{model.__name__}".replace(".", "__")]
    for name, field in model.model_fields.items():
        shown = said["properties"][field.alias or name]
        if f'"{name}"' in told:
            continue  # whether it is there decides what else must be
        if field.default is None and shown.get("type") != "null" and {"type": "null"} not in shown.get("anyOf", ()):
            kept = {word: shown.pop(word) for word in ("title", "description") if word in shown}
            options = shown.pop("anyOf", None) or [dict(shown)]
            shown.clear()
            shown |= {**kept, "anyOf": [*options, {"type": "null"}]}
