"""Doubtful pairs are questions for a person; nothing is guessed, and what hangs on them waits."""

from __future__ import annotations

from typing import Any

import pytest

from sync import cases, inspecting, linking
from sync.errors import WrongState
from tests.sync.stage import Stage


def twin(stage: Stage) -> dict[str, Any]:
    """An account of the same name as a customer that the CRM does not know, without a sure key."""
    customer = stage.customer(1)
    return stage.zoho.put("accounts", {"Account_Name": customer["FName"].replace("有限公司", ""), "Phone": "0591-7654321"})


@pytest.mark.promise(4, 5)
def test_a_doubtful_pair_becomes_a_case_and_nothing_is_created_for_it(stage: Stage) -> None:
    account = twin(stage)

    stage.go_live()

    found = cases.list_cases(stage.hub)
    assert len(found) == 1
    assert {found[0]["left"]["name"], found[0]["right"]["name"]} == {account["Account_Name"], stage.customer(1)["FName"]}
    assert "name" in " ".join(found[0]["evidence"])
    assert len(stage.zoho.records("accounts")) == 2, "an account was made for a customer that may have one"
    held = stage.rows("SELECT DISTINCT reason FROM desired WHERE state = 'held'")
    assert "open_case" in {row["reason"] for row in held}


@pytest.mark.promise(4, 5)
def test_same_links_both_and_what_waited_goes_on(stage: Stage) -> None:
    account = twin(stage)
    stage.go_live()
    case = cases.list_cases(stage.hub)[0]

    survivor = cases.decide(stage.hub, case["id"], "same", "boss", "called them")
    stage.sync()

    assert len(stage.zoho.records("accounts")) == 2
    now = next(doc for doc in stage.zoho.records("accounts") if doc["id"] == account["id"])
    assert (now["ERP_Code"], now["Account_Name"]) == (stage.customer(1)["FNumber"], stage.customer(1)["FName"])
    assert (
        len(
            {
                link["key"]
                for link in inspecting.links(stage.hub, entity="party", entity_id=inspecting.find_record(stage.hub, "party", survivor))
            }
        )
        == 3
    )
    assert inspecting.status(stage.hub).drift == 0
    with pytest.raises(WrongState):
        cases.decide(stage.hub, case["id"], "different", "boss")


@pytest.mark.promise(4, 5)
def test_different_tells_them_apart_for_good(stage: Stage) -> None:
    account = twin(stage)
    stage.go_live()

    cases.decide(stage.hub, cases.list_cases(stage.hub)[0]["id"], "different", "boss")
    stage.sync()
    stage.zoho.put("accounts", {"id": account["id"], "Website": "https://again.example"})
    stage.sync()

    assert cases.list_cases(stage.hub) == []
    assert len(stage.zoho.records("accounts")) == 3
    assert inspecting.status(stage.hub).drift == 0


@pytest.mark.promise(5)
def test_a_link_that_was_wrong_is_undone_and_stays_undone(live: Stage) -> None:
    account = live.account_of(live.customer())

    fresh = linking.unlink(live.hub, "zoho", "accounts", account["id"], "boss")
    live.read()

    assert str(inspecting.find_record(live.hub, "party", account["id"])) == fresh
    assert str(inspecting.find_record(live.hub, "party", str(live.customer()["FCUSTID"]))) != fresh
    with pytest.raises(WrongState, match="only record"):
        linking.unlink(live.hub, "zoho", "accounts", account["id"], "boss")
