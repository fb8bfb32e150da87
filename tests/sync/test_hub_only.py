"""The hub is a system of its own: a kind of record that no connected system has lives in it, and only there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync import hub_records, inspecting
from sync.errors import NotFound
from tests.sync.stage import BOSS, Pair, Stage, open_hub

TERRITORY = [
    ("  shipment:\n", "  territory: {owners: {default: hub}, systems: {}}\n\n  shipment:\n"),
]


@pytest.fixture
def own(small: Pair, database: str, tmp_path: Path) -> Iterator[Stage]:
    """A hub whose territories are in no system."""
    small.reset()
    with open_hub(small, database, tmp_path / "home", TERRITORY) as hub:
        yield Stage(small, hub)


def test_a_record_of_the_hubs_own_is_made_and_edited_with_its_reason_and_history(own: Stage) -> None:
    own.go_live()
    with own.hub.transaction() as db:
        made = hub_records.put(
            own.hub, db, "territory", "territory/east", {"region": "江苏省", "valid_from": "2026-01-01"}, {}, cause=f"made by {BOSS}"
        )

    version = hub_records.edit(own.hub, "territory", made.id, {"region": "江苏省、上海市"}, BOSS)
    own.sync()

    found = inspecting.find_record(own.hub, "territory", made.id)
    view = inspecting.record(own.hub, "territory", found)
    assert (view.version, view.doc["region"], view.doc["valid_from"]) == (version, "江苏省、上海市", "2026-01-01")
    assert [(why.winner_system, why.value) for why in inspecting.why(own.hub, "territory", found, "region")] == [("hub", "江苏省、上海市")]
    assert [entry["cause"] for entry in inspecting.history(own.hub, "territory", found)] == [f"edit by {BOSS}", f"made by {BOSS}"]
    assert view.pairs == [], "no system is meant to hold it"
    assert own.verdict().ok


def test_a_hub_key_is_found_as_it_is_read_out_and_one_with_a_wrong_character_is_told(own: Stage) -> None:
    with own.hub.transaction() as db:
        made = hub_records.put(own.hub, db, "territory", "territory/west", {"region": "四川省"}, {}, cause=f"made by {BOSS}")
    key = made.hub_key

    assert str(inspecting.find_record(own.hub, "territory", f" {key.lower()}")) == made.id
    with pytest.raises(NotFound, match="mistyped"):
        inspecting.find_record(own.hub, "territory", key[:5] + ("0" if key[5] != "0" else "1") + key[6:])
    with pytest.raises(NotFound, match="give its id"):
        inspecting.find_record(own.hub, "territory", "西区")


def test_a_kind_that_no_flow_names_is_refused_with_the_line_to_add(live: Stage) -> None:
    with pytest.raises(NotFound, match="no flow for territory") as told, live.hub.transaction() as db:
        hub_records.put(live.hub, db, "territory", "east", {"region": "江苏省"}, {}, cause="a test")

    assert "systems: {}" in told.value.next_step
    with pytest.raises(NotFound, match="no flow for territory"):
        hub_records.edit(live.hub, "territory", "00000000-0000-0000-0000-000000000000", {"region": "x"}, BOSS)
