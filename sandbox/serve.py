"""Starts one stand-in and prints how to reach it: `python -m sandbox.serve kingdee --port 0 --seed 7`."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from sandbox.collector import spare_what_is_there, without_collector
from sandbox.core.http import JSON_IN
from sandbox.core.server import Server
from sandbox.core.vendor import Vendor

VENDORS = {"kingdee": "sandbox.erp_kingdee", "zoho": "sandbox.crm_zoho"}
"""Short name -> package. Each package offers `make(seed, database) -> Vendor`."""


class UnknownSystem(ValueError):
    """There is no stand-in of that name."""


class UnknownWorld(ValueError):
    """The file to load is no JSON object of streams."""


def make(system: str, seed: int = 0, database: str | Path | None = None) -> Vendor:
    """A vendor's stand-in, not yet listening. `database` None keeps everything in memory. Raises UnknownSystem."""
    if system not in VENDORS:
        raise UnknownSystem(f"no sandbox for {system!r}; there are: {', '.join(sorted(VENDORS))}")
    vendor: Vendor = importlib.import_module(VENDORS[system]).make(seed, database)
    return vendor


def load(vendor: Vendor, world: Mapping[str, Any]) -> int:
    """Bulk-load a world: `{stream: [documents]}`, or `{system: {stream: [documents]}}`. Returns how many records."""
    for name in (vendor.name, vendor.__class__.__module__.split(".")[1]):
        if isinstance(world.get(name), Mapping):
            return vendor.load(world[name])
    return vendor.load({stream: docs for stream, docs in world.items() if isinstance(docs, list)})


def read_world(path: str | Path) -> Mapping[str, Any]:
    """A world file. Raises OSError, msgspec.DecodeError, UnknownWorld."""
    world = JSON_IN.decode(Path(path).read_bytes())
    if not isinstance(world, dict):
        raise UnknownWorld(f"{path}: a world is a JSON object of streams")
    return world


def _seed(vendor: Vendor, path: str | Path) -> int:
    """Load a world file."""
    with without_collector():
        return load(vendor, read_world(path))


def description(server: Server) -> dict[str, Any]:
    """Where a server listens and what a client needs."""
    return {
        "system": server.vendor.name,
        "url": server.url,
        "control": server.control_url,
        "credentials": dict(server.vendor.credentials(server.url)),
    }


def serve(
    system: str, port: int = 0, seed: int = 0, database: str | Path | None = None, world: str | Path | None = None, host: str = "127.0.0.1"
) -> None:
    """Serve until SIGTERM. Prints one JSON line once it listens: system, url, control, credentials."""
    vendor = make(system, seed, database)
    if world is not None:
        path = world
        vendor.reseed = lambda: _seed(vendor, path)
        if vendor.empty():
            vendor.reseed()
    spare_what_is_there()
    server = Server(vendor, port, host)
    server.run(lambda: _tell(server))


def _tell(server: Server) -> None:
    sys.stdout.write(json.dumps(description(server), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Command line of the module. Exit code 0 after SIGTERM, 2 when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.serve", description=__doc__)
    parser.add_argument("system", choices=sorted(VENDORS))
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--db", help="SQLite file; without it everything is kept in memory")
    parser.add_argument("--world", help="JSON file of records to load")
    given = parser.parse_args(arguments)
    try:
        serve(given.system, given.port, given.seed, given.db, given.world, given.host)
    except (OSError, ValueError, msgspec.DecodeError) as error:
        sys.stderr.write(f"sandbox {given.system}: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
