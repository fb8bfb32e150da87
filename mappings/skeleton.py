"""A first mapping file from what a system says about its fields: every field listed, the likely ones filled in, the rest to decide."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Protocol

from canonical.models import entity


class Described(Protocol):
    """What `describe` of a connector tells about a field (connectors.base.FieldInfo)."""

    @property
    def name(self) -> str:
        """Key in the payload."""

    @property
    def label(self) -> str:
        """What people see."""

    @property
    def type(self) -> str:
        """Text, integer, decimal, boolean, date, datetime, reference, enum, list or object."""

    @property
    def writable(self) -> bool:
        """False for what the system computes."""

    @property
    def options(self) -> Any:
        """Words of an enum."""


_ALIKE = {
    "account": "party",
    "billno": "number",
    "code": "number",
    "cust": "party",
    "customer": "party",
    "material": "product",
    "memo": "note",
    "qty": "quantity",
    "remark": "note",
    "socialcrecode": "uscc",
    "tel": "phone",
    "telephone": "phone",
    "title": "job_title",
    "zip": "postcode",
}


def skeleton(stream: str, fields: Iterable[Described], entity_name: str) -> str:
    """The text of a mapping file for a stream.

    Lines of fields that look like a canonical one are rules; all others are comments with label and type, for a person to decide.
    Raises: KeyError for an entity that the hub does not know.
    """
    spec = entity(entity_name)
    free = dict(spec.fields)
    rules, open_fields = [], []
    for info in fields:
        name = _guess(info.name, free)
        if name is None:
            open_fields.append(f"  # {info.name}: {info.label} ({info.type}{'' if info.writable else ', read only'})")
            continue
        kind = free.pop(name).kind
        # What a word of the system means is for a person to say.
        rules.append(f"  {'# ' if info.options or kind == 'reference' else ''}{name}: {_rule(info, kind)}")
    head = [
        f"# {stream}: made from the system's own description. Check every line; the commented fields are not mapped yet.",
        f"entity: {entity_name}",
    ]
    unmapped = [f"  # {name}: … ({field.kind}) {field.description}" for name, field in free.items()]
    body = ["", "fields:", *rules, "", "  # Fields of the system without a rule:", *open_fields]
    return "\n".join([*head, *body, "", "  # Canonical fields without a rule:", *unmapped, ""])


def _guess(key: str, free: dict[str, Any]) -> str | None:
    plain = re.sub(r"([a-z])([A-Z])", r"\1_\2", key.split(".", maxsplit=1)[0]).lower()
    bare = re.sub(r"^f(?=[a-z_])", "", plain) if key.startswith("F") else plain
    for word in (bare, bare.replace("_", ""), bare.rsplit("_", maxsplit=1)[-1], bare.removesuffix("_id").removesuffix("id")):
        name = _ALIKE.get(word, word)
        if name in free:
            return name
    return None


def _rule(info: Described, kind: str) -> str:
    field = json.dumps(info.name, ensure_ascii=False)
    parts = [f"field: {field}"]
    if kind == "reference":
        parts.append("stream: …")
    elif info.options:
        words = ", ".join(f"{json.dumps(str(word), ensure_ascii=False)}: …" for word in info.options)
        parts.append(f"values: {{{words}}}")
    if not info.writable:
        parts.append("read_only: true")
    return field if len(parts) == 1 else f"{{{', '.join(parts)}}}"
