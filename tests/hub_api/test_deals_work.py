"""Pipelines, progress, forecast, leads, goods, duplicates and fences over the API: what each role is told, and what is done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from canonical.ids import new_hub_key, new_id
from channel.deals import duplicates
from channel.deals.customers import service as customers
from hub_api.main import create_app
from hub_api.settings import ApiSettings
from ledger.bulk import json_text
from sync.config import HubConfig
from sync.hub import Hub
from tests.deals.upkeep.conftest import CONFIG
from tests.hub_api.conftest import Api, Fresh, make_tokens, note_problem
from tests.hub_api.world import fill

DEAL = {"stage": "需求确认", "stage_kind": "qualify", "currency": "CNY", "expected_amount": "1000.50", "expected_close": "2026-12-24"}


@pytest.fixture
def selling(database: str) -> Iterator[Fresh]:
    """The API over a hub that may decide deals, leads and parties."""
    with Hub.open(HubConfig.model_validate({**CONFIG, "companies": [{"number": "100", "name": "东", "default": True}]}), database) as hub:
        assert hub.streams
        with hub.transaction() as db:
            world = fill(db)
            db.execute("UPDATE deals SET retired = true")  # those of the world are of no stage
        with TestClient(create_app(hub, settings=ApiSettings(), on_problem=note_problem), raise_server_exceptions=True) as client:
            yield Fresh(hub, world, Api(client, make_tokens(hub, world)))


def add_deal(fresh: Fresh, dealer: UUID, **more: Any) -> str:
    """A deal that stands in a stage since 40 days."""
    deal, doc = str(new_id()), {**DEAL, "name": "一期", "dealer": str(dealer), "customer": str(dealer), "salesperson": "S07", **more}
    with fresh.hub.transaction() as db:
        db.execute(
            "INSERT INTO deals (id, hub_key, doc, dealer_id, customer_id, stage_kind, currency, expected_amount, expected_close) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [deal, new_hub_key(), json_text(doc), dealer, dealer, doc["stage_kind"], doc["currency"], doc["expected_amount"],
             doc["expected_close"]],
        )  # fmt: skip
        db.execute("UPDATE deal_stage SET entered_at = entered_at - interval '40 days' WHERE deal_id = %s", [deal])
    return deal


def test_a_customer_is_found_by_the_name_that_it_was_given_until_that_is_taken_back(selling: Fresh) -> None:
    made = selling.api(
        "it", "POST", "/v1/deals", json={"dealer": str(selling.world.agent), "name": "中国第一汽车股份有限公司", "city": "长春市"}
    )
    where = f"/v1/deals/registrations/{made.json()['id']}"
    customer = selling.api.get("sales", where).json()["customer"]
    named = {"customer": customer, "name": "一汽集团"}
    asked = {"dealer": str(selling.world.rival), "name": "一汽集团", "city": "长春市"}

    given = selling.api("sales", "POST", "/v1/deals/aliases", json=named)
    held = selling.api("sales", "POST", "/v1/deals/check", json=asked).json()["free"]
    listed = selling.api.get("sales", f"/v1/deals/aliases?customer={customer}&kind=given").json()["items"]
    gone = selling.api("sales", "POST", "/v1/deals/aliases/withdraw", json=named)

    assert (given.status_code, given.json()["given_by"]) == (201, "api:sales")
    assert (held, [one["name"] for one in listed]) == ("maybe", ["一汽集团"])
    assert (gone.status_code, selling.api.get("sales", f"/v1/deals/aliases?customer={customer}").json()["items"]) == (200, [])
    assert selling.api("sales", "POST", "/v1/deals/check", json=asked).json()["free"] == "yes"
    assert selling.api("sales", "POST", "/v1/deals/aliases/withdraw", json=named).json()["code"] == "deals/alias-not-found"
    assert selling.api("sales", "POST", "/v1/deals/aliases", json=named | {"name": "有限公司"}).json()["code"] == "deals/alias-refused"


def test_old_customers_without_an_open_deal_come_up_for_a_second_look(selling: Fresh) -> None:
    world = selling.world
    for customer, kind in ((world.agent, "paid"), (world.rival, "paid"), (world.rival, "lead"), (world.city, "lost")):
        add_deal(selling, customer, stage_kind=kind)

    quiet = selling.api.get("sales", "/v1/deals/old-customers?quiet=30").json()["items"]
    busy = selling.api.get("sales", "/v1/deals/old-customers?quiet=60").json()["items"]

    assert [(one["customer"], one["deals"]) for one in quiet] == [(str(world.agent), 1)]
    assert busy == []


def test_the_pipelines_are_told_with_their_stages_and_dealers_read_no_odds(selling: Fresh) -> None:
    ours, dealers = (selling.api.get(role, "/v1/deals/pipelines").json()["items"] for role in ("sales", "dealer"))

    assert [one["name"] for one in ours if one["default"]] == ["manufacturer"]
    assert {one["name"] for one in ours} >= {"manufacturer", "component_distributor"}
    assert ours[0]["stages"][0]["kind"] == "lead"
    assert all("probability" in stage for one in ours for stage in one["stages"])
    assert not any("probability" in stage for one in dealers for stage in (*one["stages"], *one["lost"]))


def test_the_forecast_is_summed_by_what_is_asked_and_a_dealer_sums_his_own(selling: Fresh) -> None:
    world = selling.world
    add_deal(selling, world.agent)
    add_deal(selling, world.city, expected_amount="200", expected_close="2027-01-05")
    add_deal(selling, world.rival, expected_amount="4000")

    everyone = selling.api.get("sales", "/v1/deals/forecast", params={"by": ["month", "dealer"]}).json()["items"]
    own = selling.api.get("dealer", "/v1/deals/forecast").json()["items"]
    below = selling.api.get("dealer", f"/v1/deals/forecast?dealer={world.city}").json()["items"]
    theirs = selling.api.get("dealer", f"/v1/deals/forecast?dealer={world.rival}")
    hidden = selling.api.get("dealer", "/v1/deals/forecast?by=salesperson")

    assert {(cell["key"]["month"], cell["amount"], cell["weighted"]) for cell in everyone} == {
        ("2026-12", "1000.50", "150.08"), ("2026-12", "4000", "600.00"), ("2027-01", "200", "30.00"),
    }  # fmt: skip
    assert [(cell["currency"], cell["key"], cell["amount"]) for cell in own] == [
        ("CNY", {"month": "2026-12"}, "1000.50"), ("CNY", {"month": "2027-01"}, "200"),
    ]  # fmt: skip
    assert all("weighted" not in cell for cell in own)
    assert [cell["amount"] for cell in below] == ["200"]
    assert theirs.status_code == 404
    assert (hidden.status_code, hidden.json()["code"]) == (400, "records/field-not-allowed")
    assert selling.api.get("sales", "/v1/deals/forecast?by=weather").status_code == 400


def test_results_are_summed_by_what_is_asked_and_only_who_may_see_costs_reads_margins(selling: Fresh) -> None:
    world = selling.world
    won = {"stage": "中标", "stage_kind": "won", "won_on": "2026-03-31", "contract_amount": "900"}
    add_deal(selling, world.agent, **won)
    add_deal(selling, world.city, stage="丢单", stage_kind="lost", expected_amount="200")
    add_deal(selling, world.rival, **won, expected_amount="4000")
    span = {"until": "2026-12-31", "days": 365}

    ours, finance = (
        selling.api.get(role, "/v1/deals/results", params={"by": ["salesperson"], **span}).json()["items"] for role in ("sales", "finance")
    )
    own = selling.api.get("dealer", "/v1/deals/results", params={"by": ["year"], **span}).json()["items"]
    hidden = [selling.api.get("dealer", f"/v1/deals/results?by={by}") for by in ("salesperson", "industry")]
    theirs = selling.api.get("dealer", f"/v1/deals/results?dealer={world.rival}")

    expected = {
        "sales": {"key": {"salesperson": "S07"}, "won": 2, "lost": 1, "win_rate": "0.6667", "expected": "5000.50", "lost_amount": "200"},
        "finance": {"key": {"salesperson": "S07"}, "contract": "1800", "costed": 0, "margin": None},
        "the dealer": {"key": {"year": "2026"}, "won": 1, "lost": 1, "expected": "1000.50", "lost_amount": "200"},
    }
    for who, [cell] in {"sales": ours, "finance": finance, "the dealer": own}.items():
        assert {name: cell[name] for name in expected[who]} == expected[who], who
        assert ("margin" in cell) is (who == "finance")
    assert [(one.status_code, one.json()["code"]) for one in hidden] == [(400, "records/field-not-allowed")] * 2
    assert theirs.status_code == 404


def test_what_stands_still_is_listed_page_by_page_to_those_who_may_see_it(selling: Fresh) -> None:
    world = selling.world
    mine, theirs = [add_deal(selling, world.agent) for _ in range(3)], add_deal(selling, world.rival)

    pages, cursor = [], None
    while True:
        page = selling.api.get("sales", "/v1/deals/stuck", params={"limit": 2, **({"after": cursor} if cursor else {})}).json()
        pages.append([row["deal"] for row in page["items"]])
        if (cursor := page["next"]) is None:
            break
    own = selling.api.get("dealer", "/v1/deals/stuck").json()["items"]

    assert [len(page) for page in pages] == [2, 2]
    assert {deal for page in pages for deal in page} == {*mine, theirs}
    assert {row["deal"] for row in own} == set(mine)
    assert (own[0]["stage"], own[0]["stuck"], own[0]["days"]) == ("需求确认", True, 40)
    assert "salesperson" not in own[0]


def test_a_deals_progress_tells_its_stages_and_what_comes_next(selling: Fresh) -> None:
    mine, theirs = (
        add_deal(selling, selling.world.agent, next_action="visit", next_action_on="2026-01-01"),
        add_deal(selling, selling.world.rival),
    )

    ours, own = (selling.api.get(role, f"/v1/deals/{mine}/progress").json() for role in ("sales", "dealer"))

    assert (ours["stage"], ours["kind"], ours["pipeline"], ours["probability"]) == ("需求确认", "qualify", "manufacturer", "0.15")
    assert (ours["stuck"], ours["next_action"], ours["action_due"]) == (True, "visit", True)
    assert (ours["next_stage"]["name"], ours["next_stage"]["lacks"]) == ("报价/方案提交", [])
    assert [(stay["stage"], stay["left_at"]) for stay in ours["stages"]] == [("需求确认", None)]
    assert {"pipeline", "probability"}.isdisjoint(own)
    hidden, missing = (selling.api.get("dealer", f"/v1/deals/{deal}/progress") for deal in (theirs, new_id()))
    assert hidden.status_code == 404
    assert hidden.content == missing.content


SERIAL = "SN20260105-0007"
LEAD = {"company_name": "苏州明基机电设备有限公司", "person": "李工", "mobile": "13900001111", "interest": "水泵", "region": "3205"}


def test_a_lead_is_handed_in_given_to_the_dealer_of_its_place_and_converted_once(selling: Fresh) -> None:
    api, world = selling.api, selling.world
    api("it", "POST", "/v1/deals/fences", json={"dealer": str(world.agent), "region": "32"})
    headers = {"Idempotency-Key": "form-17"}
    lead = api("sales", "POST", "/v1/leads", json=LEAD | {"source": "fair"}, headers=headers)
    again = api("sales", "POST", "/v1/leads", json=LEAD | {"source": "fair"}, headers=headers)
    number = lead.json()["id"]

    best = api.get("sales", f"/v1/leads/{number}/dealers").json()["items"]
    given = api("sales", "POST", f"/v1/leads/{number}/assign", json={"dealer": best[0]["dealer"], "salesperson": "S07"})
    first, second = (
        api("sales", "POST", f"/v1/leads/{number}/convert", json={"deal": {"expected_amount": "9", "currency": "CNY"}}) for _ in range(2)
    )

    assert (lead.status_code, again.json()["id"]) == (201, number)
    assert lead.json()["source"] == "fair"
    assert [row["dealer"] for row in best] == [str(world.agent)]
    assert given.json()["dealer"] == str(world.agent)
    assert (first.status_code, first.json()["repeated"], second.json()["repeated"]) == (200, False, True)
    assert first.json()["deal"] == second.json()["deal"]
    deal = api.get("dealer", f"/v1/deals/{first.json()['deal']}").json()
    assert (deal["dealer"], deal["customer"], deal["expected_amount"]) == (str(world.agent), first.json()["party"], "9")
    assert api.get("sales", f"/v1/leads/{number}").json()["status"] == "converted"


def test_a_dealers_lead_is_his_own_and_he_decides_nothing_about_it(selling: Fresh) -> None:
    api = selling.api
    mine = api("dealer", "POST", "/v1/leads", json=LEAD)

    assert (mine.status_code, mine.json()["dealer"], mine.json()["source"]) == (201, str(selling.world.agent), "dealer")
    assert api("dealer", "POST", "/v1/leads", json=LEAD | {"dealer": str(selling.world.rival)}).status_code == 403
    assert api("sales", "POST", "/v1/leads", json={"company_name": "  "}).status_code == 422
    assert api.get("other_dealer", f"/v1/leads/{mine.json()['id']}").status_code == 404
    assert api("dealer", "POST", f"/v1/leads/{mine.json()['id']}/convert", json={}).status_code == 403
    api("sales", "PATCH", f"/v1/leads/{mine.json()['id']}", json={"status": "lost"})
    lost = api("sales", "POST", f"/v1/leads/{mine.json()['id']}/convert", json={})
    assert (lost.status_code, lost.json()["code"]) == (409, "deals/lead-not-convertible")
    assert api("sales", "POST", f"/v1/leads/{new_id()}/assign", json={}).status_code == 404


def test_a_place_is_tried_against_the_fences_and_nothing_is_left_of_it(selling: Fresh) -> None:
    api, agent = selling.api, str(selling.world.agent)
    fence = api("it", "POST", "/v1/deals/fences", json={"dealer": agent, "region": "31"}).json()["id"]
    ask = "/v1/deals/fences/try"

    inside = api("sales", "POST", ask, json={"dealer": agent, "place": "上海市浦东新区世纪大道1号"}).json()
    outside = api("sales", "POST", ask, json={"dealer": agent, "region": "510100"}).json()
    unknown = api("sales", "POST", ask, json={"dealer": agent}).json()

    assert (inside["effect"], inside["region"][:2], inside["message"]) == ("allow", "31", {"zh": "", "en": ""})
    assert (outside["effect"], outside["code"], outside["fence"]) == ("block", "outside_own_area", fence)
    assert outside["message"]["zh"]
    assert (unknown["effect"], unknown["code"]) == ("flag", "place_unknown")
    assert api("sales", "POST", ask, json={"dealer": str(new_id())}).json()["code"] == "deals/unknown-dealer"
    assert api.get("sales", "/v1/deals/fence-hits").json()["items"] == []


def test_a_serial_seen_beyond_the_fence_is_in_the_goods_report(selling: Fresh) -> None:
    api, world = selling.api, selling.world
    with selling.hub.transaction() as db:
        db.execute("SELECT id FROM shipments WHERE party_id = %s ORDER BY id LIMIT 1", [world.agent])
        shipment = (db.fetchone() or {})["id"]
        line = json_text({"seq": 1, "quantity": "1", "serials": [SERIAL]})
        db.execute("INSERT INTO shipment_lines (parent_id, id, doc) VALUES (%s, gen_random_uuid(), %s)", [shipment, line])
        db.execute("UPDATE shipments SET approval = 'approved', shipped_on = (now() - interval '5 days')::date")
    api("it", "POST", "/v1/deals/fences", json={"dealer": str(world.agent), "region": "31"})
    seen = {"serial": SERIAL, "region": "5101", "source": "warranty", "at": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}

    first, again = (api("sales", "POST", "/v1/deals/serials-seen", json=seen).json() for _ in range(2))
    report = api.get("sales", "/v1/deals/goods-report?kind=serial_elsewhere").json()["items"]

    assert (first["new"], again["new"]) == (True, False)
    assert [(one["serials"], one["region"], one["dealer"], one["code"]) for one in report] == [
        ([SERIAL], "5101", str(world.agent), "outside_own_area")
    ]
    assert "5101" in report[0]["message"]["zh"]
    assert api("sales", "POST", "/v1/deals/serials-seen", json=seen | {"serial": "  "}).status_code == 422
    assert api.get("sales", "/v1/deals/goods-report?days=5000").status_code == 400
    ends = ("0001-01-01", "9999-12-31")
    assert [api.get("sales", f"/v1/deals/goods-report?until={day}").json()["items"] for day in ends] == [[], []]


def _twins(fresh: Fresh) -> list[str]:
    parties = []
    with fresh.hub.transaction() as db:
        for _ in range(2):
            doc = {"name": "苏州恒信机电有限公司", "phone": "0512-66668888", "city": "苏州市", "roles": ["end_customer"]}
            party = str(new_id())
            db.execute(
                "INSERT INTO parties (id, hub_key, doc, name) VALUES (%s, %s, %s, %s)", [party, new_hub_key(), json_text(doc), doc["name"]]
            )
            parties.append(party)
    with fresh.hub.pool.connection() as db:
        customers.refresh(db)
        with db.transaction():
            duplicates.scan(db)
    return parties


def _pairs(fresh: Fresh, parties: list[str]) -> list[dict[str, Any]]:
    found = fresh.api.get("sales", f"/v1/duplicates?party={parties[0]}").json()["items"]
    return [one for one in found if {one["low_party"], one["high_party"]} == set(parties)]


@pytest.mark.parametrize("said", ["same", "different"])
def test_pairs_of_the_nightly_scan_are_listed_and_answered(selling: Fresh, said: str) -> None:
    parties = _twins(selling)
    api = selling.api
    (pair,) = _pairs(selling, parties)
    before = api.get("sales", "/v1/duplicates/report").json()

    done = api("sales", "POST", f"/v1/duplicates/{pair['low']}/{pair['high']}/decide", json={"answer": said, "reason": "核对过"})

    assert {pair["low_party"], pair["high_party"]} == set(parties)
    assert before["open"] >= 1
    assert done.status_code == 200, done.json()
    assert (done.json()["merge"] is not None) == (said == "same")
    assert _pairs(selling, parties) == []
    assert api.get("sales", "/v1/duplicates/report").json()["open"] < before["open"]
    again = api("sales", "POST", f"/v1/duplicates/{pair['low']}/{pair['high']}/decide", json={"answer": "same"})
    assert again.status_code == 404
    if said == "different":
        apart = [(row["left_id"], row["right_id"]) for row in api.get("it", f"/v1/merges/apart?entity_id={parties[0]}").json()["items"]]
        assert tuple(sorted(parties)) in apart


def test_resolving_all_parties_is_begun_watched_and_asks_about_the_likely_ones(selling: Fresh) -> None:
    _twins(selling)
    before = len(selling.api.get("it", "/v1/cases?state=open").json()["items"])

    begun = selling.api("it", "POST", "/v1/merges/propose", json={})
    second = selling.api("it", "POST", "/v1/merges/propose", json={})
    told = _watched(selling, begun.headers["Location"])

    assert (begun.status_code, begun.json()["status"], begun.json()["found"]) == (202, "running", None), begun.json()
    assert (second.status_code, second.json()["code"]) == (409, "sync/busy")
    assert f"run {begun.json()['run']}" in second.json()["detail"]
    assert told["status"] == ("set_aside" if told["found"]["cases"] else "done"), told
    assert (told["step"], told["error"], told["found"]["merged"]) == (None, None, 0)
    assert told["found"]["parties"] >= 2
    assert len(selling.api.get("it", "/v1/cases?state=open").json()["items"]) == before + told["found"]["cases"]
    assert selling.api.get("it", "/v1/merges/proposals/4711").status_code == 404


def _watched(selling: Fresh, place: str) -> dict[str, Any]:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        told: dict[str, Any] = selling.api.get("it", place).json()
        if told["status"] != "running":
            return told
        time.sleep(0.2)
    raise AssertionError(f"it has not ended: {told}")
