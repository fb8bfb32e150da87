"""`hub sandbox`: the vendors' stand-ins, one process each."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

import click

from hub_cli.exits import Exit
from hub_cli.listing import Words
from hub_cli.processes import Children


@click.group(cls=Words)
def sandbox() -> None:
    """Stand-ins for the vendors' servers."""


@sandbox.command()
@click.argument("systems", nargs=-1, metavar="[SYSTEM]...")
@click.option("--port-base", type=click.IntRange(0, 65000), default=0, help="Port of the first; the others follow. 0 takes free ones.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of ids, names and chances: the same seed, the same server.")
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Keep each server's SQLite file here; without it all is in memory."
)
@click.option(
    "--world", type=click.Path(exists=True, path_type=Path), help="Records to load: FILE.json, or a folder with kingdee.json, zoho.json."
)
@click.option("--json", "as_json", is_flag=True, help="Accepted as everywhere; the answer is JSON anyway.")
def serve(systems: tuple[str, ...], port_base: int, seed: int, data: Path | None, world: Path | None, as_json: bool) -> None:  # noqa: FBT001, ARG001  click's way
    """Serve until SIGTERM or Ctrl-C; all of them when none is named (kingdee, zoho).

    Prints one JSON document when all listen: for each its URL, its control door, and the credentials named as in the vendor's console.
    """
    from sandbox.serve import VENDORS

    kinds = {place.rpartition(".")[2]: name for name, place in VENDORS.items()}  # erp_kingdee means kingdee
    wanted = [kinds.get(name, name) for name in systems] or list(VENDORS)
    if strangers := [name for name in wanted if name not in VENDORS]:
        raise click.BadParameter(f"no stand-in for {', '.join(strangers)}; there are {', '.join(VENDORS)}", param_hint="SYSTEM")
    ended = threading.Event()

    def end(_signum: int, _frame: FrameType | None) -> None:
        ended.set()

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, end)
    with TemporaryDirectory(prefix="hub-sandbox-") as marks, Children(Path(marks)) as children:
        told = [
            start_one(children, name, port=port_base + index if port_base else 0, seed=seed, data=data, world=world)
            for index, name in enumerate(wanted)
        ]
        click.echo(json.dumps({one["system"]: one for one in told}, ensure_ascii=False))
        sys.stdout.flush()
        while not ended.wait(1.0):
            if dead := children.dead():
                click.echo(f"sandbox/ended: {', '.join(dead)} ended by itself\n  Next: read what it printed above", err=True)
                sys.exit(Exit.FAILED)


def start_one(
    children: Children, name: str, *, port: int, seed: int, data: Path | None, world: Path | None, log: Path | None = None
) -> dict[str, Any]:
    """Start one stand-in and wait until it listens. Gives its URL, control door and credentials."""
    command = [sys.executable, "-m", "sandbox.serve", name, "--port", str(port), "--seed", str(seed)]
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        command += ["--db", str(data / f"{name}.sqlite")]
    if world is not None:
        file = world / f"{name}.json" if world.is_dir() else world
        command += ["--world", str(file)]
    child = children.start(f"sandbox-{name}", command, log=log, pipe=True)
    line = child.stdout.readline() if child.stdout is not None else b""
    if not line.startswith(b"{"):
        child.wait(timeout=10)
        raise click.ClickException(f"the stand-in for {name} did not start (exit {child.returncode}); read what it printed above")
    told: dict[str, Any] = json.loads(line)
    return told | {"pid": child.pid}
