"""`hub map`: try a mapping on one record without touching anything, and begin a new one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import NAMESPACE_URL, uuid5

import click

from hub_cli.answers import Answer, CommandFailed, answers, plain
from hub_cli.exits import Exit
from hub_cli.place import Place

if TYPE_CHECKING:
    from mappings.errors import Cite
    from mappings.model import Candidate, Values
    from mappings.model import Mapping as Compiled


@click.group()
def maps() -> None:
    """Try a mapping on a record; make a skeleton."""


@maps.command("try")
@click.argument("mapping", metavar="FILE|KIND/STREAM")
@click.argument("record", type=click.File("rb"), metavar="RECORD|-")
@click.pass_obj
@answers
def try_mapping(place: Place, mapping: str, record: Any) -> Answer:
    """Show what a record becomes: canonical, and every system's desired payload.

    FILE is a mapping file (its folder is the kind of system), or name ours: erp_kingdee/sales_orders. RECORD is one JSON object in the
    stream's declared shape, as `hub quarantine show --json` prints it. Nothing is read or written: records that it cites get
    made-up ids, and a value map answers with the value itself.
    """
    from mappings.compiler import OURS, load_all

    directories, kind, stream = _place_of(mapping, place)
    compiled = _load(directories, kind, stream)
    payload = _record(record)
    ids = {cite: str(uuid5(NAMESPACE_URL, "/".join(cite))) for cite in compiled.cites(payload)}
    values = _echo()
    candidate = compiled.read(payload, ids, values)
    desired = {}
    for other in sorted(directory.name for directory in OURS.iterdir() if directory.is_dir() and any(directory.glob("*.yaml"))):
        for one in load_all(directories, other).values():
            if one.entity == compiled.entity:
                desired[one.name] = _desired(one, candidate, values, {found: cite for cite, found in ids.items()})
    told = {
        "mapping": compiled.name,
        "entity": compiled.entity,
        "canonical": {"number": candidate.number, "fields": candidate.fields, **candidate.sets},
        "identity": candidate.identity,
        "likeness": candidate.likeness,
        "cites": {"/".join(cite): found for cite, found in ids.items()},
        "desired": desired,
    }
    return Answer(told, text=json.dumps(plain(told), ensure_ascii=False, indent=2))


def _place_of(named: str, place: Place) -> tuple[list[Path], str, str]:
    from mappings.compiler import OURS

    directories = [OURS]
    if place.config_file.exists():
        from sync.config import load

        directories += load(place.config_file).mappings
    file = Path(named)
    if file.suffix in (".yaml", ".yml"):
        if not file.exists():
            raise CommandFailed(
                f"there is no file {named}", "name a mapping file, or one of ours like erp_kingdee/sales_orders", exits=Exit.NOT_FOUND
            )
        whole = file.absolute()
        return [*directories, whole.parent.parent], whole.parent.name, whole.stem
    kind, _, stream = named.partition("/")
    return directories, kind, stream


def _load(directories: list[Path], kind: str, stream: str) -> Compiled:
    from mappings.compiler import load

    try:
        return load(directories, kind, stream)
    except FileNotFoundError as missing:
        known = sorted(f"{path.parent.name}/{path.stem}" for place in directories for path in place.glob("*/*.yaml"))
        raise CommandFailed(f"there is no mapping {kind}/{stream}", f"use one of {', '.join(known)}", exits=Exit.NOT_FOUND) from missing


def _record(file: Any) -> dict[str, Any]:
    try:
        payload = json.loads(file.read().decode("utf-8-sig"), parse_float=Decimal)
    except UnicodeDecodeError as wrong:
        raise CommandFailed(f"{file.name} is not UTF-8 at byte {wrong.start}", "save it as UTF-8", exits=Exit.USAGE) from wrong
    except json.JSONDecodeError as wrong:
        raise CommandFailed(f"{file.name}:{wrong.lineno}: {wrong.msg}", "give one JSON object", exits=Exit.USAGE) from wrong
    if isinstance(payload, dict) and isinstance(payload.get("payload"), dict):
        payload = payload["payload"]  # a whole quarantine entry
    if not isinstance(payload, dict):
        raise CommandFailed(f"{file.name} holds no JSON object", "give one record", exits=Exit.USAGE)
    return payload


class _Itself(dict[str, str]):
    """A value map in which every value stands for itself."""

    def get(self, key: str, default: Any = None) -> Any:
        return default if key is None else str(key)

    def __missing__(self, key: str) -> str:
        return key


def _echo() -> Values:
    from mappings.model import Values

    class Echo(Values):
        """Value maps without entries: what is asked comes back."""

        __slots__ = ()

        def table_in(self, name: str, company: str) -> Mapping[str, str]:  # noqa: ARG002  the interface
            return _Itself()

        def table_out(self, name: str, company: str) -> Mapping[str, str]:  # noqa: ARG002  the interface
            return _Itself()

    return Echo()


def _desired(mapping: Compiled, candidate: Candidate, values: Values, cited: Mapping[str, Cite]) -> Any:
    from mappings.errors import RecordError
    from mappings.model import Target

    doc = {"number": candidate.number, **candidate.fields}
    if not mapping.writes:
        return "never written"
    try:
        targets = {}
        for stream, found in mapping.needs(doc, candidate.sets):
            cite = cast("tuple[str, ...]", cited.get(found, (stream, found)))
            same = cite[0].removesuffix("#number") == stream
            targets[stream, found] = Target(
                cite[1] if same else f"<{stream}: {cite[0]} {cite[1]}>", cite[1] if same else f"<{stream}: {cite[0]} {cite[1]}>"
            )
        return mapping.write(doc, candidate.sets, targets, values)
    except RecordError as wrong:
        return f"cannot be written: {wrong}"


@maps.command()
@click.argument("system")
@click.argument("stream")
@click.option("--entity", default="party", show_default=True, help="The canonical kind of record it is for.")
@click.pass_obj
@answers
def skeleton(place: Place, system: str, stream: str, entity: str) -> Answer:
    """Print a mapping file to begin with: every field that SYSTEM describes, with its label, commented out."""
    from canonical.models import entity as spec_of

    spec = spec_of(entity)
    with place.open_hub() as hub:
        fields = hub.session(system).describe(stream)
    free = sorted(spec.fields)
    lines = [
        f"# {system} {stream}: take the # from each line that you map, and put the canonical field in front.",
        f"title: {stream}",
        f"entity: {entity}",
        "",
        "fields:",
    ]
    lines += [
        f"  # {'?':<20} {one.name:<36} # {one.label} ({one.type}{', required' if one.required else ''})"
        for one in fields
        if one.type != "list"
    ]
    lines += ["", "sets:"] + [f"  # {one.name}: {{field: {one.name}, key: ?, fields: {{}}}}" for one in fields if one.type == "list"]
    lines += ["", f"# Canonical fields of {entity}: " + ", ".join(free)]
    return Answer({"system": system, "stream": stream, "entity": entity, "file": "\n".join(lines)}, text="\n".join(lines))
