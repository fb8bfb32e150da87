"""`hub map`: try a mapping on one record without touching anything, and begin a new one."""

from __future__ import annotations

import json
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
    ‹stream key›, and a value map answers with the value itself.
    """
    from mappings.compiler import OURS, load_all
    from mappings.trial import try_record

    directories, kind, stream = _place_of(mapping, place)
    compiled = _load(directories, kind, stream)
    kinds = sorted(directory.name for directory in OURS.iterdir() if directory.is_dir() and any(directory.glob("*.yaml")))
    others = [one for other in kinds for one in load_all(directories, other).values() if one.name != compiled.name]
    trial = try_record(compiled, _record(record), others=others)
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
    }
    return Answer(told, text=json.dumps(plain(told), ensure_ascii=False, indent=2))


def _place_of(named: str, place: Place) -> tuple[list[Path], str, str]:
    from mappings.compiler import OURS

    directories = [OURS]
    if place.config_file.exists():
        from sync.config_file import load

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
