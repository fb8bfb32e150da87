"""Routes of the application as its own openapi.json tells them, and who may use each as routes.yaml says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from hub_api.main import create_app
from hub_api.settings import ApiSettings
from hub_api.shapes import ENTITIES, plural

SPEC: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("routes.yaml").read_text(encoding="utf-8"))
OPENAPI: dict[str, Any] = create_app(settings=ApiSettings()).openapi()
_BY_ADDRESS = {plural(name): name for name in ENTITIES}
ROLES = ("it", "finance", "sales", "dealer")


@dataclass(frozen=True)
class Route:
    """One operation."""

    id: str
    method: str
    path: str
    operation: dict[str, Any]

    @property
    def entity(self) -> str:
        """The entity of a record route, else empty."""
        return "" if self.id in SPEC["roles"] else _BY_ADDRESS.get(self.path.split("/")[2], "")

    def filled(self, **ids: Any) -> str:
        """The path with identifiers: given, or such that nothing has."""
        path = self.path
        for parameter in self.operation.get("parameters", []):
            if parameter["in"] == "path":
                usual: Any = {"uuid": uuid4()}.get(parameter["schema"].get("format", ""), 987654321)
                if parameter["name"] == "system":
                    usual = "kingdee"
                path = path.replace("{" + parameter["name"] + "}", str(ids.get(parameter["name"], usual)))
        return path

    def body(self) -> Any:
        """The documented example of its body, if it takes one."""
        content = self.operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            return None
        return content.get("example") or resolved(content["schema"]).get("example")

    def roles(self) -> set[str]:
        """Who may use it."""
        if self.id in SPEC["everyone"]:
            return set(ROLES)
        if self.id in SPEC["roles"]:
            return set(SPEC["roles"][self.id])
        if self.id.startswith("edit_"):
            return {"it", "finance", "sales"}  # the scope; which entities is a matter of fields, tested apart
        return set(ROLES)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without the reference at its top."""
    found: dict[str, Any] = OPENAPI["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
    return found


def _routes() -> Iterator[Route]:
    for path, methods in OPENAPI["paths"].items():
        for method, operation in methods.items():
            yield Route(operation["operationId"], method.upper(), path, operation)


ROUTES = list(_routes())
KEYED = [route for route in ROUTES if route.id not in {*SPEC["open"], *SPEC["guarded_by_itself"], *SPEC["proven_by_vendor"]}]
RECORD_ROUTES = [route for route in KEYED if route.entity]
