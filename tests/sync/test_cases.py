"""Doubtful pairs are questions for a person; nothing is guessed, and what hangs on them waits."""

from __future__ import annotations

from typing import Any

import pytest

from sync import cases, golden, inspecting, linking
from sync.errors import WrongState
from sync.identifying import open_case
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


def _two(stage: Stage) -> tuple[str, str]:
    one, other = (row["id"] for row in stage.rows("SELECT id::text AS id FROM parties WHERE NOT retired ORDER BY id LIMIT 2"))
    return one, other


def _codes(stage: Stage, *codes: str) -> None:
    """Give the first parties these codes (valid ones of reference/deal-matching.md 2b)."""
    with stage.hub.transaction() as db:
        for party, code in zip(_two(stage), codes, strict=True):
            db.execute("UPDATE parties SET uscc = %s WHERE id = %s", [code, party])


def _places(stage: Stage) -> list[tuple[str, str, str]]:
    """A record of a system for each of the first two parties."""
    found = stage.rows(
        "SELECT DISTINCT ON (l.entity_id) s.system, s.name AS stream, l.key FROM link l JOIN stream s ON s.id = l.stream_id "
        "WHERE l.entity_id = ANY(%s::uuid[]) AND s.system <> 'hub' ORDER BY l.entity_id, s.system",
        list(_two(stage)),
    )
    return [(row["system"], row["stream"], row["key"]) for row in found]


def _case(stage: Stage) -> int:
    one, other = _two(stage)
    with stage.hub.transaction() as db:
        open_case(db, "party", one, other, "alike by name")
    return int(cases.list_cases(stage.hub)[0]["id"])


def _protect(stage: Stage, party: str, dealer: str, day: str) -> None:
    with stage.hub.transaction() as db:
        db.execute(
            "INSERT INTO registration (id, customer_id, claimed_as, dealer_id, protected, status, submitted_at, days, claim, active_at) "
            "SELECT gen_random_uuid(), c.id, c.id, %s, tstzrange(now() - interval '1 day', now() + interval '60 days'), 'protected', %s, "
            "90, '{}', now() FROM customer AS c WHERE c.party_id = %s",
            [dealer, day, party],
        )


@pytest.mark.promise(4, 5)
def test_two_valid_codes_are_two_firms_whoever_says_that_they_are_one(live: Stage) -> None:
    _codes(live, "91440300708461136T", "91330100716105852F")
    left, right = _places(live)

    with pytest.raises(WrongState, match="differ"):
        linking.accept(live.hub, left, right, "boss")
    with pytest.raises(WrongState, match="differ"):
        cases.decide(live.hub, _case(live), "same", "boss")

    assert len(cases.list_cases(live.hub)) == 1, "the question is open still"
    assert live.one("SELECT count(*) FROM merge_event") == 0


@pytest.mark.promise(4, 5)
def test_a_pair_told_apart_is_not_linked_by_anybody(live: Stage) -> None:
    cases.decide(live.hub, _case(live), "different", "张经理")
    left, right = _places(live)
    rows = [dict(zip(linking.IMPORT_COLUMNS, (*left, *right), strict=True))]

    with pytest.raises(WrongState, match="张经理 told these two apart"):
        linking.accept(live.hub, left, right, "boss")
    with pytest.raises(linking.BadLinkRows, match="told these two apart"):
        linking.import_links(live.hub, rows, "boss")


@pytest.mark.promise(11)
@pytest.mark.parametrize("door", ["accept", "import", "case"])
def test_two_that_two_dealers_hold_become_a_case_and_not_a_failure(live: Stage, door: str) -> None:
    _codes(live, "", "")
    one, other = _two(live)
    _protect(live, one, "00000000-0000-7000-8000-0000000000a1", "2026-11-02")
    _protect(live, other, "00000000-0000-7000-8000-0000000000a2", "2026-11-01")
    left, right = _places(live)

    if door == "accept":
        linked = linking.accept(live.hub, left, right, "boss")
        assert linked.case_id is not None
    elif door == "import":
        done = linking.import_links(live.hub, [dict(zip(linking.IMPORT_COLUMNS, (*left, *right), strict=True))], "boss")
        assert done == {"linked": 0, "same": 0, "cases": 1}
    else:
        cases.decide(live.hub, _case(live), "same", "boss")

    (asked,) = cases.list_cases(live.hub)
    assert (asked["kind"], asked["state"]) == (golden.TWO_PROTECTIONS, "open")
    assert len([line for line in asked["evidence"] if "registration" in line]) == 2
    assert live.one("SELECT count(*) FROM registration WHERE status = 'protected'") == 2
    cases.decide(live.hub, asked["id"], "same", "boss", "one firm")
    assert live.one("SELECT count(*) FROM registration WHERE status = 'protected'") == 1
    assert live.one("SELECT reason FROM review_case WHERE id = %s", asked["id"]) == "one firm"
