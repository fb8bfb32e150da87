"""hub.yaml was changed: what is stored is decided again, without a word to any system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync import inspecting, leases, modes, replaying
from sync.errors import NotFound
from tests.sync.stage import BOSS, Pair, Stage, open_hub

KINGDEE_OWNS_PHONES = [("      phone: [zoho, kingdee, hub]\n", "      phone: [kingdee, zoho, hub]\n")]


@pytest.fixture
def disagreeing(live: Stage) -> Stage:
    """Each system has another phone of a customer; read, planned, not written."""
    customer = live.customer()
    for system in ("kingdee", "zoho"):
        modes.set_mode(live.hub, "plan", BOSS, entity="party", system=system)
    live.kingdee.put("customers", {"FCUSTID": customer["FCUSTID"], "FTEL": "021-11110000"})
    live.zoho.put("accounts", {"id": live.account_of(customer)["id"], "Phone": "021-22220000"})
    live.read()
    return live


@pytest.fixture
def changed(disagreeing: Stage, small: Pair, database: str, tmp_path: Path) -> Iterator[Stage]:
    """The same after another owner was named in hub.yaml."""
    with open_hub(small, database, tmp_path / "again", KINGDEE_OWNS_PHONES) as hub:
        yield Stage(small, hub)


def phone(stage: Stage) -> str:
    record = inspecting.find_record(stage.hub, "party", stage.customer()["FNumber"])
    return str(inspecting.record(stage.hub, "party", record).doc["phone"])


def planned(stage: Stage) -> dict[str, set[str]]:
    """System -> fields of the customer that a plan would change there."""
    record = inspecting.find_record(stage.hub, "party", stage.customer()["FNumber"])
    return {pair["system"]: set(pair["differs"] or {}) for pair in inspecting.record(stage.hub, "party", record).pairs}


@pytest.mark.promise(4)
def test_another_owner_in_the_file_decides_what_was_read_before(disagreeing: Stage, changed: Stage) -> None:
    before, fields_before = phone(disagreeing), planned(disagreeing)
    asked = len(changed.zoho.log()) + len(changed.kingdee.log())

    run = replaying.replay(changed.hub)

    assert (before, phone(changed)) == ("021-22220000", "021-11110000")
    assert "FTEL" in fields_before["kingdee"]
    assert "Phone" in planned(changed)["zoho"]
    assert "FTEL" not in planned(changed)["kingdee"]
    assert run.status == "done"
    assert run.counts["replayed"] == changed.one(
        "SELECT count(*) FROM observed WHERE NOT deleted AND stream_id NOT IN (SELECT id FROM stream WHERE system = 'hub')"
    )
    assert len(changed.zoho.log()) + len(changed.kingdee.log()) == asked, "no system is called"


@pytest.mark.promise(3)
def test_where_nothing_was_changed_nothing_changes(live: Stage) -> None:
    tables = ("observed", "parties", "orders", "desired", "history")
    before = [live.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables]

    replaying.replay(live.hub)

    assert [live.rows(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables] == before


def test_a_flow_that_began_to_write_asks_for_what_its_system_lacks(stage: Stage) -> None:
    for system in ("kingdee", "zoho"):
        modes.set_mode(stage.hub, "read", BOSS, system=system)
    stage.read()
    modes.set_mode(stage.hub, "plan", BOSS, entity="order", system="zoho")

    replaying.replay(stage.hub)

    assert stage.one("SELECT count(*) FROM desired WHERE state = 'held'") >= 3


def test_a_stream_that_is_being_read_is_left_out_and_named(live: Stage) -> None:
    with leases.held(live.hub, "read:zoho.accounts"):
        run = replaying.replay(live.hub, "zoho")

    assert run.status == "busy"
    assert any("zoho.accounts" in problem for problem in run.problems)
    with pytest.raises(NotFound, match="no stream"):
        replaying.replay(live.hub, "zoho", ["customers"])
