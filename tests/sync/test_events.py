"""Events are hints: verified, kept once, read under the stream's lease; lost ones are healed by the next increment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.base import InboundRequest
from connectors.errors import Forged
from sync import cycle, events
from sync.errors import NotFound
from tests.oracle.economy import record_reads
from tests.sync.stage import Pair, Stage, open_hub

TOKEN = "a-token-that-only-zoho-and-we-know"


@pytest.fixture
def hooked(small: Pair, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A live stage whose Zoho sends notifications."""
    small.reset()
    monkeypatch.setenv("TEST_NOTIFICATION_TOKEN", TOKEN)
    token = ("      client_id:", "      notification_token: {env: TEST_NOTIFICATION_TOKEN}\n      client_id:")
    with open_hub(small, database, tmp_path / "home", [token]) as hub:
        stage = Stage(small, hub)
        stage.go_live()
        yield stage


def callback(key: str, operation: str = "update", token: str = TOKEN, **more: Any) -> InboundRequest:
    body = {"token": token, "module": "Accounts", "ids": [key], "operation": operation, "channel_id": "1000000068001", **more}
    return InboundRequest("POST", "/v1/hooks/zoho", {}, {}, json.dumps(body).encode())


@pytest.mark.promise(1, 3)
def test_repeated_and_reordered_events_cost_one_read_and_change_nothing_twice(hooked: Stage) -> None:
    account = hooked.account_of(hooked.customer())
    hooked.edit("zoho", "accounts", account, "Phone", "0535-4443333")
    for place in (3, 1, 2, 2, 1):
        events.receive(hooked.hub, "zoho", callback(account["id"], server_time=place))
    hints = hooked.one("SELECT count(*) FROM hint")
    mark = hooked.zoho.mark()
    cycle.increment(hooked.hub, "zoho", ["accounts"])
    reads = record_reads(hooked.zoho.log(mark))
    hooked.sync()

    assert hints == 1
    assert sum(reads.values()) <= 1
    assert hooked.one("SELECT count(*) FROM hint") == 0
    assert hooked.verdict().ok


@pytest.mark.promise(1)
def test_a_lost_event_is_healed_by_the_next_increment(hooked: Stage) -> None:
    hooked.edit("zoho", "accounts", hooked.account_of(hooked.customer()), "Phone", "0535-2221111")

    hooked.sync()

    assert hooked.verdict().ok


@pytest.mark.promise(8)
def test_an_event_of_a_delete_is_proof_only_when_the_record_is_gone(hooked: Stage) -> None:
    account = hooked.account_of(hooked.customer())
    events.receive(hooked.hub, "zoho", callback(account["id"], "delete"))

    hooked.sync()

    assert hooked.rows("SELECT 1 FROM link WHERE role = 'gone'") == []
    assert hooked.verdict().ok


@pytest.mark.promise(13)
@pytest.mark.parametrize("token", ["", "another", TOKEN + "x", TOKEN[:-1]])
def test_a_forged_event_leaves_no_row_and_makes_no_call(hooked: Stage, token: str) -> None:
    mark = hooked.zoho.mark()

    with pytest.raises(Forged):
        events.receive(hooked.hub, "zoho", callback("1", token=token))
    with pytest.raises(NotFound):
        events.receive(hooked.hub, "salesforce", callback("1"))

    assert hooked.one("SELECT count(*) FROM hint") == 0
    assert hooked.zoho.log(mark) == []


@pytest.mark.promise(5)
def test_an_event_that_comes_before_the_answer_to_our_own_create_makes_no_second_party(hooked: Stage) -> None:
    """The vendor tells of the new record before it has answered the call that made it."""
    customer = hooked.customer(1)
    made = hooked.kingdee.put(
        "customers",
        {
            **{
                key: value
                for key, value in customer.items()
                if key not in ("FCUSTID", "FMasterId", "FModifyDate", "FCreateDate", "F_HUB_KEY", "FUseOrgId")
            },
            "FNumber": "NEW00001",
            "FName": "先有事件后有回答有限公司",
            "FTEL": "022-8887777",
            "FSOCIALCRECODE": "",
        },
    )
    cycle.increment(hooked.hub, "kingdee", ["customers"])
    hooked.zoho.fault(match={"method": "POST", "path": "/upsert"}, effect="drop_after", times=1)
    with hooked.hub.transaction() as db:  # our own worker stops right after the call: nothing is settled yet
        db.execute("SELECT 1")
    hooked.hub.session("zoho")
    cycle.deliver(hooked.hub, "zoho", ["accounts"])
    key = next(doc["id"] for doc in hooked.zoho.records("accounts") if doc["Account_Name"] == made["FName"])
    events.receive(hooked.hub, "zoho", callback(key, "insert"))

    hooked.sync()

    assert len(hooked.rows("SELECT DISTINCT entity_id FROM link WHERE key = %s OR number = 'NEW00001'", key)) == 1
    assert hooked.verdict().ok
