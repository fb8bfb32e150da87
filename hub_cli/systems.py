"""Verbs about connected systems: check, describe."""

from __future__ import annotations

from typing import Any

import click

from hub_cli.answers import Answer, answers, plain
from hub_cli.exits import Exit
from hub_cli.place import Place


@click.command()
@click.argument("systems", nargs=-1, metavar="[SYSTEM]...")
@click.option("--offline", is_flag=True, help="Only hub.yaml and the mappings: no database, no system.")
@click.pass_obj
@answers
def check(place: Place, systems: tuple[str, ...], offline: bool) -> Answer:  # noqa: FBT001  click's way
    """Check hub.yaml and its mappings, then sign in to each system and try every right it needs. Exit code 1 when one is missing.

    Mistakes in hub.yaml and mappings are all told, each with file, line and fix; exit code 2 when there is one. --offline does only that,
    needs no secret, and fits a check before a change is merged.
    """
    from connectors.errors import CallFailed
    from sync.checking import check_file

    place.need_config()
    checked = check_file(place.config_file)
    config = checked.config
    notes = [one.as_dict() for one in checked.notes]
    told: dict[str, Any] = {"file": place.config_file, "systems": {}, "notes": notes}
    remarks = [f"note     {one['where']}: {one['what']} ({one['next_step']})" for one in notes]
    if offline:
        told["systems"] = {name: {"kind": one.kind} for name, one in config.systems.items()}
        told["streams"] = checked.streams
        found = f"{len(config.systems)} systems, {len(config.flows)} flows, {checked.streams} streams with their mappings, no mistake found"
        return Answer(told, text="\n".join([f"{place.config_file}: {found}", *remarks]))
    ok, lines = True, [f"ok       {place.config_file}", *remarks]
    with place.open_hub() as hub:
        count = len(hub.streams)
        lines.append(f"ok       {count} streams with their mappings")
        for name in systems or hub.systems():
            try:
                findings = plain(list(hub.session(name).check()))
            except CallFailed as failed:
                findings = [{"name": "sign in", "ok": False, "detail": failed.why, "next_step": failed.next_step}]
            told["systems"][name] = findings
            for one in findings:
                ok = ok and one["ok"]
                lines.append(f"{'ok      ' if one['ok'] else 'MISSING '} {name}: {one['name']}: {one['detail']}")
                if one["next_step"]:
                    lines.append(f"{'':<9}Next: {one['next_step']}")
    told["ok"] = ok
    return Answer(told, Exit.DONE if ok else Exit.FAILED, "\n".join(lines))


@click.command()
@click.argument("system")
@click.argument("stream", required=False)
@click.pass_obj
@answers
def describe(place: Place, system: str, stream: str | None) -> Answer:
    """List a system's streams, or the fields of one as this tenant has them."""
    with place.open_hub() as hub:
        connector, settings = hub.connector(system)
        if stream is not None:
            fields = hub.session(system).describe(stream)
            return Answer(list(fields), columns=("name", "label", "type", "required", "writable", "length", "scale", "refers_to"))
        rows = [
            {
                "stream": one.name,
                "vendor_name": one.vendor_name,
                "title": one.title,
                "writable": one.writable,
                "creatable": one.creatable,
                "flows": (system, one.name) in hub.streams,
            }
            for one in connector.streams(settings)
        ]
    return Answer(rows)
