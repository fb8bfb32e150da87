"""Rooms of the API that a dealer's key opens: a planted world, everything that a dealer can ask there, and where our own people read it.

A route that a dealer may use belongs to exactly one room; tests/hub_api/test_marker_rooms.py names those that belong to none. A new room
says which operations it has, stages a world with markers in everything that a dealer must not see, and asks each operation so that it
answers well at least once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import uuid4

from channel.notices.messages import Message, to_party
from sync import notices
from sync.config import HubConfig
from tests.deals.upkeep.conftest import CONFIG as SELLING
from tests.hub_api import rooms_money as money
from tests.hub_api import test_deals
from tests.hub_api import test_deals_privacy as deals
from tests.hub_api import test_markers as records
from tests.hub_api import test_scorecards as scorecards
from tests.hub_api.spec import RECORD_ROUTES
from tests.hub_api.staging import Recorder, Room, Staged, joined, opened, room
from tests.hub_api.world import HIDDEN_FROM_DEALERS, RIVAL

# Records -------------------------------------------------------------------------------------------------------------------------


def _walk_records(staged: Staged) -> None:
    for _ in records.crawl(staged.api, staged.fresh.world, "dealer"):
        pass
    for route in RECORD_ROUTES:
        if route.method == "GET" and "{record_id}" in route.path:
            known = staged.ask("GET", f"/v1/{route.path.split('/')[2]}").json().get("items", [])
            for one in known:
                staged.ask("GET", route.filled(record_id=one["id"]))


def _our_records(staged: Staged) -> bytes:
    return b"".join(raw for _, raw in records.crawl(staged.api, staged.fresh.world, "it"))


DEALING = HubConfig.model_validate({**SELLING, "companies": [{"number": "100", "name": "东", "default": True}]})
"""A hub that may decide deals, leads and parties."""


# Deals ---------------------------------------------------------------------------------------------------------------------------


def _plant_deals(staged: Staged) -> None:
    staged.more["seen"] = seen = deals.stage(staged.fresh)
    staged.markers = seen.hidden | {"rival's deal": str(staged.fresh.world.theirs["deal"])}


def _walk_deals(staged: Staged) -> None:
    for _ in deals.crawl(staged.fresh, staged.more["seen"]):
        pass
    own, theirs = (str(side["deal"]) for side in (staged.fresh.world.mine, staged.fresh.world.theirs))
    short = {"days": 10, "product_line": "船用阀门"}  # so few days that they can be extended at once
    assert staged.api("it", "POST", "/v1/deals/policies", json=short).status_code < 300
    for at, action in enumerate(("activity", "extend", "convert", "release")):
        free = {"name": f"大连第{'一二三四'[at]}船舶阀门{action}有限公司", "region": "2102", "product_line": "船用阀门"}
        mine = test_deals.register(staged.fresh, "dealer", free, body={"amount": "1200000.50", "currency": "CNY"}).json()["id"]
        staged.ask("POST", f"/v1/deals/registrations/{mine}/{action}", json=deals.ACTIONS[action])
    for path in ("pipelines", "forecast", "results", "stuck", f"{own}/progress", f"{theirs}/progress"):
        staged.ask("GET", f"/v1/deals/{path}")
    staged.ask("POST", "/v1/leads", json={"company_name": "无锡精工机械有限公司", "person": "王工", "mobile": "13911112222"})


def _our_deals(staged: Staged) -> bytes:
    theirs = staged.more["seen"].theirs
    paths = ["registrations?limit=200", "policies", "fences", "review?state=same", *(f"registrations/{one}" for one in theirs)]
    own = [one["id"] for one in staged.api.get("dealer", "/v1/deals/registrations").json()["items"]]
    paths += [f"registrations/{one}" for one in own]
    raw = b"".join(staged.api.get("it", f"/v1/deals/{path}").content for path in paths)
    return joined(raw, staged.api.get("it", "/v1/messages?limit=200"), staged.api.get("it", "/v1/deals?limit=200"))


# Messages ------------------------------------------------------------------------------------------------------------------------


def _plant_messages(staged: Staged) -> None:
    world = staged.fresh.world
    with staged.hub.transaction() as db:
        for party, mark in ((world.agent, "报价已到"), (world.rival, RIVAL)):
            facts = {"zh": f"通知 {mark}", "en": f"notice {mark}"}
            staged.more[mark] = str(notices.post(db, Message("price_changed", to_party(party), f"price_list:{mark}", facts)))
        notices.post(db, Message("margin", "role:finance", "deal:1", {"zh": staged.markers["margin"], "en": staged.markers["margin"]}))


def _walk_messages(staged: Staged) -> None:
    found = staged.ask("GET", "/v1/messages", params={"limit": 200}).json()["items"]
    for one in (*(one["id"] for one in found), staged.more[RIVAL], uuid4()):
        staged.ask("POST", f"/v1/messages/{one}/read")
    for wanted in ({"state": "read"}, {"kind": "margin"}, {"audience": "role:finance"}):
        staged.ask("GET", "/v1/messages", params=wanted)


# Performance ---------------------------------------------------------------------------------------------------------------------


@contextmanager
def _scored(database: str) -> Iterator[Staged]:
    with scorecards.opened(database) as scored:
        api = Recorder(scored.api.client, scored.api.tokens)
        theirs = str(scored.trade.dealers["D2"])
        markers = {"cost": scorecards.COST, "margin": scorecards.MARGIN, "tag": "thin", "rival": "宁波东钱湖传动", "rival's id": theirs}
        yield Staged(api, scored.trade.hub, markers, {"trade": scored.trade})


def _walk_scorecards(staged: Staged) -> None:
    mine, theirs = (str(staged.more["trade"].dealers[code]) for code in ("D1", "D2"))
    for path in ("", "/definitions", "/stock", "?tag=thin", "?scorecard=margin"):
        staged.ask("GET", f"/v1/scorecards{path}")
    for name in ("health", "margin", "none"):
        for rest in ("ranking", f"dealers/{mine}", f"dealers/{uuid4()}", f"dealers/{theirs}"):
            staged.ask("GET", f"/v1/scorecards/{name}/{rest}")
    staged.ask("GET", "/v1/messages")


def _our_scorecards(staged: Staged) -> bytes:
    ids = [str(staged.more["trade"].dealers[code]) for code in ("D1", "D2")]
    raw = b"".join(staged.api.get("finance", f"/v1/scorecards/margin/dealers/{one}").content for one in ids)
    with staged.hub.transaction() as db:
        db.execute("SELECT to_jsonb(f)::text AS fact FROM performance_fact AS f WHERE kind = 'cost'")
        facts = "".join(row["fact"] for row in db)
    return joined(raw, staged.api.get("finance", "/v1/scorecards")) + facts.encode()


# All of them ---------------------------------------------------------------------------------------------------------------------


ROOMS: Mapping[str, Room] = {
    "records": room(
        "entities me changes " + " ".join(route.id for route in RECORD_ROUTES if not route.id.startswith("edit_")),
        lambda database: opened(database, {**HIDDEN_FROM_DEALERS, "rival": RIVAL}), _walk_records, _our_records,
    ),
    "deals": room(
        "check_deal register_deal list_registrations get_registration appeal_registration extend_registration release_registration "
        "note_activity convert_registration list_pipelines forecast_deals report_deal_results list_stuck_deals get_deal_progress "
        "hand_in_lead",
        lambda database: opened(database, {}, _plant_deals, DEALING), _walk_deals, _our_deals,
    ),
    "messages": room(
        "list_messages read_message", lambda database: opened(database, {"rival": RIVAL, "margin": "MK-MARGIN-31.4159"}, _plant_messages),
        _walk_messages, lambda staged: staged.api.get("it", "/v1/messages").content,
    ),
    **money.ROOMS,
    "performance": room(
        "list_scorecards list_scorecard_definitions get_stock_advice get_ranking explain_scorecard",
        _scored, _walk_scorecards, _our_scorecards,
    ),
}  # fmt: skip
