"""What hub.yaml says of a system's settings: secrets only by reference, files beside the file itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import AliasChoices, BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

from connectors.registry import UnknownConnector
from connectors.registry import load as load_connector

REFERENCES = frozenset({"env", "file", "airflow_connection"})
"""A setting with one of these keys says where the value stands."""
BY_REFERENCE = "put it elsewhere and name the place: {env: NAME}, {file: PATH} or {airflow_connection: ID}"
_PASSWORD_IN_URL = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]+@", re.IGNORECASE)

Place = tuple[str, ...]


def is_reference(value: Any) -> bool:
    """True for a setting that names the place of its value."""
    return isinstance(value, dict) and not REFERENCES.isdisjoint(value)


def anchored(raw: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The document with the paths of mappings and secret files as they are seen from `folder`, where the file stands."""
    found = dict(raw)
    if isinstance(raw.get("mappings"), list):
        found["mappings"] = [str(folder / one) if isinstance(one, str) else one for one in raw["mappings"]]
    if isinstance(deals := raw.get("deals"), dict) and isinstance(deals.get("pipelines"), list):
        found["deals"] = {**deals, "pipelines": [str(folder / one) if isinstance(one, str) else one for one in deals["pipelines"]]}
    if isinstance(raw.get("systems"), dict):
        found["systems"] = {name: _anchored_system(system, folder) for name, system in raw["systems"].items()}
    return found


def _anchored_system(system: Any, folder: Path) -> Any:
    if not isinstance(system, dict) or not isinstance(system.get("settings"), dict):
        return system
    settings = {
        name: {**value, "file": str(folder / value["file"])} if is_reference(value) and isinstance(value.get("file"), str) else value
        for name, value in system["settings"].items()
    }
    return {**system, "settings": settings}


def plain_secrets(systems: Mapping[str, tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[Place, str]]:
    """Where a secret stands in the file itself, and what is wrong there; never the secret. `systems`: name -> (kind, settings)."""
    for name, (kind, settings) in systems.items():
        secret = _secret_names(kind)
        for setting, value in settings.items():
            place = ("systems", name, "settings", setting)
            if setting in secret and not is_reference(value) and value not in (None, ""):
                yield place, "a secret may not stand in the file"
            elif isinstance(value, str) and _PASSWORD_IN_URL.match(value):
                yield place, "an address with a password may not stand in the file"


def _secret_names(kind: str) -> frozenset[str]:
    """Every name by which a connector's secret settings may be written; none for a kind that is not installed: it cannot run."""
    try:
        model: type[BaseModel] = load_connector(kind).settings
    except UnknownConnector:
        return frozenset()
    return frozenset(one for name, info in model.model_fields.items() if _is_secret(info) for one in names_of(name, info))


def _is_secret(info: FieldInfo) -> bool:
    extra = info.json_schema_extra
    told = isinstance(extra, dict) and bool(extra.get("secret"))
    return told or not {SecretStr, SecretBytes}.isdisjoint({info.annotation, *get_args(info.annotation)})


def names_of(name: str, info: FieldInfo) -> list[str]:
    """All the names that a setting may be written by."""
    choices = info.validation_alias.choices if isinstance(info.validation_alias, AliasChoices) else [info.validation_alias or name]
    return [one for one in choices if isinstance(one, str)]
