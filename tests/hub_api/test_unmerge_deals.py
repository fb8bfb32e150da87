"""Two customers, or two dealers, that were taken for one: after the un-merge each registration stands as if the merge had never been."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from canonical.ids import new_hub_key, new_id
from channel.deals.customers import service as customers
from hub_api.main import create_app
from hub_api.settings import ApiSettings
from ledger.bulk import json_text
from sync.config import HubConfig
from sync.hub import Hub
from tests.deals.upkeep.conftest import CONFIG
from tests.hub_api.conftest import Api, Fresh, make_tokens, note_problem
from tests.hub_api.world import fill

ONE = {"name": "苏州恒昌精密模具有限公司", "phone": "0512-65550001", "city": "苏州市"}
OTHER = {"name": "苏州盛世达光电科技有限公司", "phone": "0512-67770002", "city": "苏州市"}


@pytest.fixture
def market(database: str) -> Iterator[Fresh]:
    """The API over a hub with two customers of two systems that a person is going to take for one firm."""
    with Hub.open(HubConfig.model_validate({**CONFIG, "companies": [{"number": "100", "name": "东", "default": True}]}), database) as hub:
        assert hub.streams
        with hub.transaction() as db:
            world = fill(db)
        with TestClient(create_app(hub, settings=ApiSettings(), on_problem=note_problem), raise_server_exceptions=True) as client:
            yield Fresh(hub, world, Api(client, make_tokens(hub, world)))


SIDES = {
    "kingdee": {"system": "kingdee", "stream": "customers", "key": "900001"},
    "zoho": {"system": "zoho", "stream": "accounts", "key": "9001"},
}


def known(fresh: Fresh, system: str, doc: dict[str, Any], party: str = "") -> str:
    """A party that one system knows."""
    party = party or str(new_id())
    with fresh.hub.transaction() as db:
        db.execute(
            "INSERT INTO parties (id, hub_key, doc, name) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [party, new_hub_key(), json_text({**doc, "status": "active"}), doc.get("name")],
        )
        db.execute(
            "INSERT INTO link (stream_id, key, number, entity_id, how) SELECT id, %s, %s, %s, 'new' FROM stream "
            "WHERE system = %s AND entity = 'party'",
            [SIDES[system]["key"], SIDES[system]["key"], party, system],
        )
    with fresh.hub.pool.connection() as connection:
        customers.refresh(connection)
    return party


def merge(fresh: Fresh) -> dict[str, Any]:
    """Say that the two are one, by the API; the answer."""
    told: dict[str, Any] = fresh.api("it", "POST", "/v1/links/accept", json={"left": SIDES["kingdee"], "right": SIDES["zoho"]}).json()
    with fresh.hub.pool.connection() as connection:
        customers.refresh(connection)
    return told


def undo(fresh: Fresh) -> dict[str, Any]:
    """Take the merge back, by the API."""
    (made,) = fresh.api.get("it", "/v1/merges?undone=false").json()["items"]
    told = fresh.api("it", "POST", f"/v1/merges/{made['id']}/undo", json={"reason": "两家公司"})
    assert told.status_code == 200, told.json()
    answer: dict[str, Any] = told.json()
    return answer


def register(fresh: Fresh, role: str, claim: dict[str, Any]) -> dict[str, Any]:
    told = fresh.api(role, "POST", "/v1/deals", json=claim).json()
    found: dict[str, Any] = told.get("registration", told)
    return found


def seen(fresh: Fresh, role: str, registration: str) -> dict[str, Any]:
    found: dict[str, Any] = fresh.api.get(role, f"/v1/deals/registrations/{registration}").json()
    return found


def test_a_claim_that_the_merge_had_refused_is_judged_again_and_its_dealer_is_told(market: Fresh) -> None:
    known(market, "kingdee", ONE)
    known(market, "zoho", OTHER)
    merge(market)
    mine, refused = register(market, "dealer", ONE), register(market, "other_dealer", OTHER)

    told = undo(market)

    assert (mine["status"], refused["status"], refused["reason"]) == ("protected", "rejected", "protected")
    assert [(one["registration"], one["was"], one["now"]) for one in told["judged"]] == [(refused["id"], "rejected", "protected")]
    assert told["to_check"] == []
    assert seen(market, "dealer", mine["id"])["status"] == "protected"
    theirs = seen(market, "other_dealer", refused["id"])
    assert (theirs["status"], theirs["submitted_at"]) == ("protected", refused["submitted_at"])
    assert theirs["events"][-1]["action"] == "judge_again"
    told_them = market.api.get("other_dealer", "/v1/messages").json()["items"]
    assert any(one["facts"]["status"] == "protected" and "重新核对" in one["facts"]["zh"] for one in told_them), told_them
    ours = [seen(market, "sales", one["id"])["customer"] for one in (mine, refused)]
    assert ours[0] != ours[1]
    for role, claim in (("dealer", OTHER), ("other_dealer", ONE)):
        assert market.api(role, "POST", "/v1/deals/check", json=claim).json()["free"] == "no"


def test_of_several_that_the_merge_had_refused_the_first_one_gets_the_customer(market: Fresh) -> None:
    known(market, "kingdee", ONE)
    known(market, "zoho", OTHER)
    merge(market)
    register(market, "dealer", ONE)
    first = register(market, "other_dealer", OTHER)
    second = register(market, "sales", {**OTHER, "dealer": str(market.world.city)})
    market.api("other_dealer", "POST", f"/v1/deals/registrations/{first['id']}/appeal", json={"cause": "两家公司"})

    told = undo(market)

    assert [(one["registration"], one["was"], one["now"]) for one in told["judged"]] == [(first["id"], "appealed", "protected")]
    assert seen(market, "sales", second["id"])["status"] == "rejected"
    open_ones = [one for one in market.api.get("sales", "/v1/approvals?decision=open").json()["items"] if first["id"] in one["about"]]
    assert open_ones == [], "the appeal is answered"


def test_a_protection_that_was_taken_back_for_the_merge_lasts_as_it_would_have(market: Fresh) -> None:
    known(market, "kingdee", ONE)
    known(market, "zoho", OTHER)
    first, later = register(market, "dealer", ONE), register(market, "other_dealer", OTHER)
    asked = merge(market)["case"]
    market.api("it", "POST", f"/v1/cases/{asked}/decide", json={"answer": "same"})
    taken = seen(market, "other_dealer", later["id"])

    told = undo(market)

    assert (taken["status"], taken["reason"]) == ("taken_back", "by_person"), "and nothing of another firm"
    assert [(one["registration"], one["was"], one["now"]) for one in told["judged"]] == [(later["id"], "taken_back", "protected")]
    back = seen(market, "other_dealer", later["id"])
    assert (back["status"], back["protected_until"]) == ("protected", later["protected_until"])
    assert seen(market, "dealer", first["id"])["protected_until"] == first["protected_until"]


def test_what_somebody_else_holds_by_now_is_left_to_a_person(market: Fresh) -> None:
    known(market, "kingdee", ONE)
    known(market, "zoho", OTHER)
    first, later = register(market, "dealer", ONE), register(market, "other_dealer", OTHER)
    asked = merge(market)["case"]
    market.api("it", "POST", f"/v1/cases/{asked}/decide", json={"answer": "same"})
    market.api("dealer", "POST", f"/v1/deals/registrations/{first['id']}/release", json={})
    third = register(market, "sales", {**OTHER, "dealer": str(market.world.city)})

    told = undo(market)

    assert third["status"] == "protected"
    assert [one["registration"] for one in told["to_check"]] == [later["id"]]
    assert seen(market, "sales", later["id"])["status"] == "taken_back"
    assert seen(market, "sales", third["id"])["status"] == "protected"
    notices = market.api.get("sales", "/v1/notices").json()["items"]
    assert [one["facts"]["registrations"] for one in notices if one["kind"] == "unmerge_to_check"] == [told["to_check"]]


def test_a_claim_that_waits_because_of_the_merge_is_let_in(market: Fresh) -> None:
    known(market, "kingdee", ONE)
    known(market, "zoho", OTHER)
    merge(market)
    register(market, "dealer", ONE)
    waits = register(market, "other_dealer", {"name": f"{OTHER['name']}昆山分公司"})

    told = undo(market)

    assert (waits["status"], waits["reason"]) == ("held", "doubtful")
    assert [(one["registration"], one["now"]) for one in told["judged"]] == [(waits["id"], "protected")]


def test_a_name_that_came_by_the_merge_is_forgotten_and_a_dealer_who_said_it_twice_is_told_of(market: Fresh) -> None:
    one, other = known(market, "kingdee", ONE), known(market, "zoho", OTHER)
    merge(market)
    with market.hub.transaction() as db:  # what survivorship may do: the record shows the other system's name for a while
        db.execute(
            "UPDATE parties SET doc = (doc::jsonb || %s::jsonb)::json, version = version + 1 WHERE id = %s",
            [json_text(OTHER), min(one, other)],
        )
    with market.hub.pool.connection() as connection:
        customers.refresh(connection)
    mine, again = register(market, "dealer", ONE), register(market, "dealer", OTHER)

    told = undo(market)

    assert again["repeated"]
    assert [check["registration"] for check in told["to_check"]] == [mine["id"]]
    with market.hub.pool.connection() as connection:
        customers.refresh(connection)
    assert market.api("other_dealer", "POST", "/v1/deals/check", json=OTHER).json()["free"] == "yes"
    assert market.api("other_dealer", "POST", "/v1/deals/check", json=ONE).json()["free"] == "no"


def test_a_dealer_that_two_systems_know_keeps_clock_and_key_through_merge_and_unmerge(market: Fresh) -> None:
    rival = str(market.world.rival)
    known(market, "zoho", {}, rival)
    older = known(market, "kingdee", {"name": "杭州传动有限公司", "roles": ["dealer"]}, f"00{rival[2:]}")
    mine = register(market, "other_dealer", ONE)

    kept = merge(market)["entity_id"]
    merged = seen(market, "other_dealer", mine["id"])
    again = register(market, "other_dealer", ONE)
    whose = seen(market, "sales", mine["id"])["dealer"]
    undo(market)

    assert kept == older == whose
    assert (merged["status"], merged["submitted_at"]) == ("protected", mine["submitted_at"])
    assert (again["id"], again["repeated"]) == (mine["id"], True)
    assert seen(market, "sales", mine["id"])["dealer"] == rival
    assert seen(market, "other_dealer", mine["id"])["status"] == "protected"


def test_with_keys_of_another_version_nothing_is_undone_and_the_answer_says_what_to_do(market: Fresh) -> None:
    known(market, "kingdee", ONE)
    known(market, "zoho", OTHER)
    merge(market)
    (made,) = market.api.get("it", "/v1/merges?undone=false").json()["items"]
    with market.hub.transaction() as db:
        db.execute("UPDATE match_state SET version = 'old'")

    told = market.api("it", "POST", f"/v1/merges/{made['id']}/undo", json={})

    assert (told.status_code, told.json()["code"]) == (503, "deals/keys-outdated"), told.json()
    assert "hub deals rebuild" in told.json()["detail"]
    assert market.api.get("it", "/v1/merges?undone=true").json()["items"] == []
