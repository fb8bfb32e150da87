"""Random edits are really made, and the same seed makes the same ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.core.server import Server
from sandbox.serve import load, make
from sandbox.world import SMALL, World, make_world
from tests.oracle import Door
from tests.oracle.editing import Editor
from tests.oracle.trading import Trader


@pytest.fixture
def world() -> World:
    return make_world(1, SMALL)


@pytest.fixture
def servers(world: World) -> Iterator[tuple[str, str]]:
    kingdee, zoho = make("kingdee"), make("zoho")
    load(kingdee, world.data)
    load(zoho, world.data)
    with Server(kingdee) as first, Server(zoho) as second:
        yield first.url, second.url


def test_every_kind_of_edit_can_be_made(world: World, servers: tuple[str, str]) -> None:
    editor = Editor(*servers, world.truth, seed=5)
    for kind in editor.kinds():
        editor.some(1, [kind])

    assert len(editor.made) >= len(editor.kinds()) - 1
    last = {(edit.system, edit.stream, edit.key, edit.field): edit.value for edit in editor.journal}
    doors = {"kingdee": Door(servers[0]), "zoho": Door(servers[1])}
    for (system, stream, key, field), value in last.items():
        name = "id" if system == "zoho" else "FCUSTID"
        doc = next(doc for doc in doors[system].records(stream) if str(doc[name]) == key)
        assert doc[field] == value or str(doc[field]) == str(value)


def test_every_kind_of_trade_can_be_made(world: World, servers: tuple[str, str]) -> None:
    trader = Trader(*servers, world.truth, seed=5)
    kinds = [kind for kind in trader.kinds() if kind not in Editor.kinds(trader)]
    for kind in kinds:
        trader.some(1, [kind])

    door = Door(servers[0])
    done = " ".join(trader.made)
    assert all(word in done for word in ("first line", "pieces", "returns", "void", " at ", "FName"))
    assert {doc["FDocumentStatus"] for doc in door.records("receivables")} == {"C"}
    assert [doc["FALLAMOUNTFOR"] < 0 for doc in door.records("receivables")][-1]
    lists = {doc["FNumber"]: doc for doc in door.records("price_lists")}
    for stream, entry, more in (("sales_orders", "FSaleOrderEntry", 0), ("price_lists", "FEntity", 1)):
        before = {doc["FID"]: len(doc[entry]) for doc in world.data["kingdee"][stream]}
        after = {doc["FID"]: len(doc[entry]) for doc in door.records(stream) if doc["FID"] in before}
        assert sum(after.values()) == sum(before.values()) + more, "a step more is a line; nothing else loses or wins one"
        assert all(after[key] >= count for key, count in before.items())
    for (number, entry), value in trader.said.items():
        prices = {str(row["FEntryID"]): row["FPrice"] for row in lists[number]["FEntity"]}
        assert (prices[entry] if entry else lists[number]["FName"]) == value


def test_one_seed_makes_the_same_edits(world: World, servers: tuple[str, str]) -> None:
    kinds = ["rename in the ERP", "phone in the CRM", "credit in the ERP", "level in the CRM"]
    first, second = Editor(*servers, world.truth, seed=9), Editor(*servers, world.truth, seed=9)
    first.some(6, kinds)
    second.customers, second.accounts = first.customers, first.accounts
    second.some(6, kinds)

    assert first.made == second.made


def test_an_edit_by_the_wrong_side_stays_out_of_the_journal(world: World, servers: tuple[str, str]) -> None:
    editor = Editor(*servers, world.truth, seed=2)
    editor.phone_by_other()

    assert editor.made
    assert editor.journal == []
