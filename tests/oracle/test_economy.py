"""What the servers' logs tell about a hub's economy, read from real calls."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.core.server import Server
from sandbox.serve import load, make
from sandbox.world import SMALL, make_world
from tests.oracle import Door, committed, extravagance, record_reads, writes
from tests.toyhub.clients import Kingdee, Zoho


@pytest.fixture
def line() -> Iterator[tuple[Door, Kingdee, Door, Zoho]]:
    world = make_world(1, SMALL)
    kingdee, zoho = make("kingdee"), make("zoho")
    load(kingdee, world.data)
    load(zoho, world.data)
    with Server(kingdee) as first, Server(zoho) as second:
        yield Door(first.url), Kingdee(kingdee.credentials(first.url)), Door(second.url), Zoho(zoho.credentials(second.url))


def test_a_second_save_of_an_unchanged_record_is_extravagant(line: tuple[Door, Kingdee, Door, Zoho]) -> None:
    kingdee, erp, zoho, crm = line
    account = zoho.records("accounts")[0]["id"]
    for phone in ("1", "2"):
        erp.save("BD_Customer", {"FCUSTID": 200001, "FTEL": phone})
        crm.update("Accounts", account, {"Phone": phone})

    assert extravagance(kingdee.log()) == ["save of BD_Customer 200001: 2 times"]
    assert len(extravagance(zoho.log())) == 1
    assert extravagance(kingdee.log(), {("BD_Customer", "200001"): 2}) == []
    assert committed(kingdee.log())["BD_Customer", "200001", "save"] == 2


def test_reading_is_no_write_and_a_record_asked_for_by_key_is_counted(line: tuple[Door, Kingdee, Door, Zoho]) -> None:
    kingdee, erp, zoho, crm = line
    account = zoho.records("accounts")[0]["id"]
    erp.since("BD_Customer", ("FCUSTID", "FNumber"), (), "FModifyDate >= '2000-01-01'")
    erp.since("BD_Customer", ("FCUSTID", "FNumber"), (), "FCUSTID in (200001,200002)")
    crm.get("Accounts", account)

    assert writes(kingdee.log()) == writes(zoho.log()) == []
    assert record_reads(kingdee.log()) == {("BD_Customer", "200001"): 1, ("BD_Customer", "200002"): 1}
    assert record_reads(zoho.log()) == {("Accounts", account): 1}


def test_control_calls_are_not_in_the_log_and_a_mark_cuts_it(line: tuple[Door, Kingdee, Door, Zoho]) -> None:
    kingdee, erp, _, _ = line
    mark = kingdee.mark()
    kingdee.records("customers")
    assert kingdee.log(mark) == []

    erp.save("BD_Customer", {"FCUSTID": 200001, "FTEL": "3"})
    assert [entry["operation"] for entry in kingdee.log(mark)] == ["save"]
