"""Seeded worlds: natural data for the sandboxes, and the truth about it. `make_world(7, DEMO)` is the demo's history.

>>> world = make_world(1, SMALL)
>>> len(world.data["kingdee"]["sales_orders"]), len(world.truth["parties"])
(3, 2)
"""

from sandbox.world.build import TODAY, UNKNOWN_SELLER, make_world, value_maps
from sandbox.world.model import (
    DEMO,
    MEDIUM,
    SIZES,
    SMALL,
    Doc,
    Size,
    World,
    load_world,
    save_parts,
    save_truth,
    save_world,
)

__all__ = [
    "DEMO",
    "MEDIUM",
    "SIZES",
    "SMALL",
    "TODAY",
    "UNKNOWN_SELLER",
    "Doc",
    "Size",
    "World",
    "load_world",
    "make_world",
    "save_parts",
    "save_truth",
    "save_world",
    "value_maps",
]
