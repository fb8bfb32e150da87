"""`hub map`: try a mapping on one record without touching anything, and begin a new one."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub_cli.answers import Answer, CommandFailed, answers, plain
from hub_cli.exits import Exit
from hub_cli.listing import Words
from hub_cli.place import Place

if TYPE_CHECKING:
    from mappings.model import Mapping as Compiled
    from sync.config import HubConfig


@click.group(cls=Words)
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
    stream's declared shape, as `hub quarantine show --json` prints it. Nothing is read or written: records that it cites stand as
    ‹stream key›, and a value map answers with the value itself. `left_out`: fields that a system of hub.yaml lacks, as its settings say.
    """
    from mappings.trial import try_record

    config = _config(place)
    directories, kind, stream = _place_of(mapping, config)
    compiled = _load(directories, kind, stream)
    ways, left_out = _ways(directories, config, compiled.entity)
    trial = try_record(compiled, _record(record), others=ways)
    if trial.candidate is None:
        raise CommandFailed(trial.problem, "mend the record or the mapping, then try again", code="mappings/record")
    candidate = trial.candidate
    told = {
        "mapping": compiled.name,
        "entity": compiled.entity,
        "canonical": {"number": candidate.number, "fields": candidate.fields, **candidate.sets},
        "identity": candidate.identity,
        "likeness": candidate.likeness,
        "missing_values": list(trial.missing_values),
        "desired": {one.mapping: f"cannot be written: {one.problem}" if one.payload is None else one.payload for one in trial.outgoing},
        "left_out": left_out,
    }
    return Answer(told, text=json.dumps(plain(told), ensure_ascii=False, indent=2))


def _config(place: Place) -> HubConfig | None:
    from sync.config_file import load

    return load(place.config_file) if place.config_file.exists() else None


def _ways(directories: list[Path], config: HubConfig | None, entity: str) -> tuple[list[Compiled], dict[str, list[str]]]:
    """How records of an entity are written, apart for a system that lacks fields; and those fields, by `system.stream`."""
    from mappings.compiler import OURS, load, load_all

    kinds = sorted(directory.name for directory in OURS.iterdir() if directory.is_dir() and any(directory.glob("*.yaml")))
    every = [one for kind in kinds for one in load_all(directories, kind).values() if one.entity == entity]
    absent = _absent(config)
    ways: list[Compiled] = []
    left_out: dict[str, list[str]] = {}
    for whole in every:
        there = absent.get((whole.system_kind, whole.stream), {})
        less = {name: load(directories, whole.system_kind, whole.stream, absent=fields) for name, fields in there.items()}
        short = {name: one for name, one in less.items() if one.version != whole.version}
        ways += [replace(one, name=f"{whole.name} in {name}") for name, one in short.items()]
        left_out |= {f"{name}.{whole.stream}": there[name] for name in short}
        if not there or len(short) < len(there):
            ways.append(whole)
    return ways, left_out


def _absent(config: HubConfig | None) -> dict[tuple[str, str], dict[str, list[str]]]:
    """By kind of system and stream: connected systems, each with the fields that its settings say it has not."""
    from sync.checking import declared_streams

    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    if config is None:
        return found
    for name, streams in declared_streams(config).items():
        for stream in streams.values():
            found.setdefault((config.systems[name].kind, stream.name), {})[name] = list(stream.absent)
    return found


def _place_of(named: str, config: HubConfig | None) -> tuple[list[Path], str, str]:
    from mappings.compiler import OURS

    directories = [OURS, *(config.mappings if config is not None else ())]
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


@maps.command()
@click.argument("system")
@click.argument("stream")
@click.option("--entity", default="party", show_default=True, help="The canonical kind of record it is for.")
@click.pass_obj
@answers
def skeleton(place: Place, system: str, stream: str, entity: str) -> Answer:
    """Print a mapping file to begin with: every field that SYSTEM describes, the likely ones as rules, the rest to decide."""
    from canonical.models import MODELS
    from mappings.skeleton import skeleton as make

    if entity not in MODELS:
        raise CommandFailed(f"there is no entity {entity}", f"use one of {', '.join(sorted(MODELS))}", exits=Exit.NOT_FOUND)
    with place.open_hub() as hub:
        text = make(stream, hub.session(system).describe(stream), entity)
    return Answer({"system": system, "stream": stream, "entity": entity, "file": text}, text=text)
