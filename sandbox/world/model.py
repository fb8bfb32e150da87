"""What a world is: records in each system's native shape, and the truth about them that no system holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from sandbox.collector import without_collector

Doc = dict[str, Any]
"""One record, as the control door of its sandbox takes and gives it."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything a world holds."""

    name: str
    parties: int
    """Customers in Kingdee (each with a copy in both organisations)."""
    zoho_linked: int
    """How many of them Zoho knows too, with a sure key."""
    zoho_only: int
    products: int
    zoho_products: int
    orders: int
    contacts: int
    deals: int
    leads: int
    salespeople: int
    doubtful: int
    pending_quotes: int
    """Won deals whose accepted quote is not yet ordered."""
    bad_records: int = 1
    unknown_seller_orders: int = 5
    """Orders whose salesperson has no row in the value map."""


DEMO = Size("demo", 2_000, 700, 150, 520, 300, 20_000, 900, 640, 120, 24, 12, 3)
MEDIUM = Size("medium", 200, 80, 20, 80, 50, 1_000, 90, 60, 20, 8, 5, 3)
SMALL = Size("small", 2, 1, 0, 3, 2, 3, 1, 1, 0, 2, 0, 1, bad_records=0, unknown_seller_orders=0)
SIZES = {size.name: size for size in (DEMO, MEDIUM, SMALL)}


@dataclass(slots=True)
class World:
    """A seeded world.

    `data` holds, by system and stream, the records that a sandbox loads. `truth` is what a person would know: which records are one
    party, which pairs are doubtful, what the clerk's value maps say. It is JSON: text, whole numbers, lists, maps.
    """

    seed: int
    size: str
    data: dict[str, dict[str, list[Doc]]]
    truth: Doc = field(default_factory=dict)
    value_maps: list[dict[str, str]] = field(default_factory=list)
    """Rows a clerk would fill: map, system_kind, vendor_value, canonical_value, company (empty: all)."""

    def counts(self) -> dict[str, int]:
        """Records by `system.stream`."""
        return {f"{system}.{stream}": len(docs) for system, streams in self.data.items() for stream, docs in streams.items()}


_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def save_world(world: World, path: Path) -> None:
    """Write a world as one JSON file that `--world` takes: its systems beside its truth; numbers stay exact."""
    path.write_bytes(
        _ENCODER.encode({"seed": world.seed, "size": world.size, "value_maps": world.value_maps, "truth": world.truth, **world.data})
    )


def save_parts(world: World, directory: Path) -> dict[str, Path]:
    """Write one file for each system, and `truth.json`; each server then reads only what is its own. Gives the paths by name."""
    directory.mkdir(parents=True, exist_ok=True)
    parts: dict[str, Any] = {**world.data, "truth": world.truth}
    paths = {name: directory / f"{name}.json" for name in parts}
    for name, part in parts.items():
        paths[name].write_bytes(_ENCODER.encode(part))
    return paths


def save_truth(world: World, path: Path) -> None:
    """Write only what no system holds, for the oracle."""
    path.write_bytes(_ENCODER.encode(world.truth))


def load_world(path: Path) -> World:
    """Read a world that `save_world` wrote. Numbers with a fraction come back as Decimal, never as float.

    Raises: OSError, ValueError for a file that is no world.
    """
    with without_collector():
        raw = _DECODER.decode(path.read_bytes())
    if not isinstance(raw, dict) or not {"seed", "size", "truth"} <= set(raw):
        raise ValueError(f"{path} holds no world: expected an object with seed, size, truth and the systems")
    systems = {name: streams for name, streams in raw.items() if name in {"kingdee", "zoho"}}
    return World(raw["seed"], raw["size"], systems, raw["truth"], raw.get("value_maps", []))
