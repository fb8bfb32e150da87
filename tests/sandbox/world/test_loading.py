"""Both stand-ins take a world and show it as it was given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.core.server import Server
from sandbox.serve import load, make, read_world
from sandbox.world import MEDIUM, World, make_world, save_world
from tests.oracle import Door


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(11, MEDIUM)


@pytest.fixture(scope="module")
def doors(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Door]]:
    path = tmp_path_factory.mktemp("world") / "world.json"
    save_world(world, path)
    kingdee, zoho = make("kingdee"), make("zoho")
    load(kingdee, read_world(path))
    load(zoho, read_world(path))
    with Server(kingdee) as first, Server(zoho) as second:
        yield {"kingdee": Door(first.url), "zoho": Door(second.url)}


def unlike(given: Any, shown: Any, path: str = "") -> list[str]:
    """Where what is shown differs from what was given; what is shown besides is the server's own."""
    if isinstance(given, dict):
        if not isinstance(shown, dict):
            return [path]
        lower = {key.lower(): value for key, value in shown.items()}
        return [found for key, value in given.items() for found in unlike(value, lower.get(key.lower(), "absent"), f"{path}.{key}")]
    if isinstance(given, list):
        if not isinstance(shown, list) or len(given) != len(shown):
            return [path]
        return [found for one, other in zip(given, shown, strict=True) for found in unlike(one, other, path)]
    return [] if given == shown or (given in (None, "") and shown in (None, "")) else [f"{path}: {given!r} became {shown!r}"]


@pytest.mark.parametrize(
    ("system", "stream", "key"),
    [
        *[("kingdee", name, "FBillNo") for name in ("sales_orders", "shipments", "receivables", "receipts", "refunds")],
        ("kingdee", "customers", "FCUSTID"),
        ("kingdee", "products", "FMATERIALID"),
        ("kingdee", "price_lists", "FNumber"),
        ("kingdee", "stock_levels", "FID"),
        ("kingdee", "employees", "FNumber"),
        ("kingdee", "departments", "FNumber"),
        *[("zoho", name, "id") for name in ("accounts", "contacts", "leads", "products", "deals", "quotes")],
    ],
)
def test_a_stand_in_shows_what_the_world_gave_it(world: World, doors: dict[str, Door], system: str, stream: str, key: str) -> None:
    given = world.data[system][stream]
    shown = {doc[key]: doc for doc in doors[system].records(stream)}

    assert len(shown) == len(given) > 0
    own = {".Owner.id", ".Owner.name", ".Owner.email"}
    wrong = {found for doc in given for found in unlike(doc, shown.get(doc[key])) if found.partition(":")[0] not in own}
    assert sorted(wrong)[:5] == []
