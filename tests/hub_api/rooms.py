"""Rooms of the API that a dealer's key opens: a planted world, everything that a dealer can ask there, and where our own people read it.

A route that a dealer may use belongs to exactly one room; tests/hub_api/test_marker_rooms.py names those that belong to none. A new room
says which operations it has, stages a world with markers in everything that a dealer must not see, and asks each operation so that it
answers well at least once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from fastapi.testclient import TestClient
from starlette.routing import Match

from channel.notices.messages import Message, to_party
from hub_api import keys
from hub_api.main import create_app
from hub_api.settings import ApiSettings
from sync import notices
from sync.config import HubConfig
from sync.hub import Hub
from tests.deals.upkeep.conftest import CONFIG as SELLING
from tests.hub_api import test_deals
from tests.hub_api import test_deals_privacy as deals
from tests.hub_api import test_funds as funds
from tests.hub_api import test_markers as records
from tests.hub_api import test_prices as prices
from tests.hub_api import test_rebate_accounts as rebate_accounts
from tests.hub_api import test_rebates as rebates
from tests.hub_api import test_scorecards as scorecards
from tests.hub_api.configured import CONFIG
from tests.hub_api.conftest import Api, Fresh, make_tokens, note_problem
from tests.hub_api.spec import RECORD_ROUTES
from tests.hub_api.world import HIDDEN_FROM_DEALERS, RIVAL, fill
from tests.pricing.stocked import Stocked
from tests.pricing.test_papers import cells, text_of
from tests.quotes import shop as quotes


class Recorder(Api):
    """A client that remembers what a dealer's key was answered, by operation."""

    def __init__(self, client: TestClient, tokens: dict[str, str]) -> None:
        super().__init__(client, tokens)
        self.heard: list[tuple[str, int, bytes]] = []

    def __call__(self, role: str | None, method: str, path: str, **more: Any) -> Any:
        """One request; a dealer's is remembered with everything that came back, papers as their text too."""
        answer = super().__call__(role, method, path, **more)
        if role == "dealer":
            raw = answer.content + str(answer.headers).encode()
            if answer.headers.get("content-type", "").startswith("application/pdf"):
                raw += text_of(answer.content).encode()
            elif "spreadsheet" in answer.headers.get("content-type", ""):
                raw += str(cells(answer.content)).encode()
            self.heard.append((self.operation(method, path), answer.status_code, raw))
        return answer

    def operation(self, method: str, path: str) -> str:
        """The operation that an address leads to, empty for none."""
        scope = {"type": "http", "method": method, "path": path.partition("?")[0]}
        for route in self.client.app.routes:  # type: ignore[attr-defined]  # the application that it was given
            if route.matches(scope)[0] is Match.FULL:
                return str(getattr(route, "operation_id", None) or "")
        return ""


@dataclass
class Staged:
    """A world with markers, and a dealer in front of it."""

    api: Recorder
    fresh: Fresh
    markers: Mapping[str, str]
    more: dict[str, Any] = field(default_factory=dict)

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """One request of the dealer."""
        return self.api("dealer", method, path, **more)


@dataclass(frozen=True)
class Room:
    """A part of the API, as a dealer meets it."""

    operations: frozenset[str]
    stage: Callable[[str], AbstractContextManager[Staged]]
    walk: Callable[[Staged], None]
    """Asks every operation, of its own and of others, well and badly."""
    ours: Callable[[Staged], bytes]
    """Where people of ours read all that was hidden."""


@contextmanager
def _opened(
    database: str, markers: Mapping[str, str], plant: Callable[[Staged], None] | None = None, config: HubConfig = CONFIG
) -> Iterator[Staged]:
    """The small channel of the other tests, and what a room plants besides."""
    with Hub.open(config, database) as hub:
        assert hub.streams
        with hub.transaction() as db:
            world = fill(db)
        with TestClient(create_app(hub, settings=ApiSettings(), on_problem=note_problem), raise_server_exceptions=True) as client:
            api = Recorder(client, make_tokens(hub, world))
            staged = Staged(api, Fresh(hub, world, api), dict(markers))
            if plant is not None:
                plant(staged)
            yield staged


def _all(raw: bytes, *answers: Any) -> bytes:
    return raw + b"".join(bytes(answer.content) for answer in answers)


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
    return _all(raw, staged.api.get("it", "/v1/messages?limit=200"), staged.api.get("it", "/v1/deals?limit=200"))


# Messages ------------------------------------------------------------------------------------------------------------------------


def _plant_messages(staged: Staged) -> None:
    world = staged.fresh.world
    with staged.fresh.hub.transaction() as db:
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


# Rebates -------------------------------------------------------------------------------------------------------------------------


def _plant_rebates(staged: Staged) -> None:
    world = staged.fresh.world
    rebates.publish(staged.fresh)
    for number, dealer, mark in (("RS-1", world.agent, ""), ("RS-2", world.city, ""), ("RS-3", world.rival, RIVAL)):
        rebates.state(staged.fresh, number, dealer, mark)
    theirs = rebates.PROGRAMME.replace("pumps-2026", staged.markers["their programme"]).replace(", A]", "]")
    theirs = theirs.replace("2026-01-01, to: 2027-01-01", "2025-01-01, to: 2026-01-01")
    told = rebates.publish(staged.fresh, text=theirs)
    assert told.status_code == 200, told.text


def _walk_rebates(staged: Staged) -> None:
    for path in ("programmes", "statements", "programmes/pumps-2026", f"programmes/{staged.markers['their programme']}"):
        staged.ask("GET", f"/v1/{path}")
    for number in ("RS-1", "RS-2", "RS-3", "RS-9"):
        for look, lang in (("", "zh"), *((f"/paper.{kind}", lang) for kind in ("pdf", "xlsx") for lang in ("zh", "en"))):
            staged.ask("GET", f"/v1/statements/{number}{look}", params={"lang": lang} if look else {})
        for action, body in (("sign", None), ("dispute", {"reason": "数量不对"})) if number != "RS-2" else (("dispute", {"reason": "x"}),):
            staged.ask("POST", f"/v1/statements/{number}/{action}", json=body)
    for wanted in ({"dealer": str(staged.fresh.world.rival)}, {"programme": staged.markers["their programme"]}, {"period": "2026Q1"}):
        staged.ask("GET", "/v1/statements", params=wanted)


def _our_rebates(staged: Staged) -> bytes:
    paths = ("programmes", "statements", "programmes/pumps-2026", "statements/RS-3")
    return b"".join(staged.api.get("it", f"/v1/{path}").content for path in paths)


# Rebate accounts -----------------------------------------------------------------------------------------------------------------


def _plant_accounts(staged: Staged) -> None:
    fresh, marks = staged.fresh, staged.markers
    rebate_accounts.publish(fresh)
    rebate_accounts.settle(fresh, "C1", "500", accrued=marks["accrued"])
    rebate_accounts.settle(fresh, "C3", marks["their money"])
    order = fresh.rows("SELECT number FROM orders WHERE id = %s", fresh.world.theirs["order"])[0]["number"]
    theirs = {"dealer": str(fresh.world.rival), "programme": "pumps-2026", "order": order}
    for told in (rebate_accounts.body(fresh, "30"), theirs | {"amount": "30"}):
        line = {"line": marks["their line"] if told["dealer"] == str(fresh.world.rival) else "1"}
        assert rebate_accounts.move(fresh, "freeze", told).status_code == 200
        assert rebate_accounts.move(fresh, "use", told | line).status_code == 200
    note = {"line": marks["their line"], "reason": marks["inner note"]}
    assert rebate_accounts.move(fresh, "take-back", theirs | note).status_code == 200


def _walk_accounts(staged: Staged) -> None:
    rival, order = str(staged.fresh.world.rival), str(staged.fresh.world.theirs["order"])
    for more in ({}, {"dealer": rival}, {"programme": "pumps-2026"}):
        staged.ask("GET", "/v1/rebate-accounts", params=more)
        staged.ask("GET", "/v1/rebate-accounts/movements", params=more)
    for more in ({"order_id": order}, {"account": "frozen"}, {"cause": "use"}):
        staged.ask("GET", "/v1/rebate-accounts/movements", params=more)
    staged.ask("POST", "/v1/rebate-accounts/freeze", json=rebate_accounts.body(staged.fresh, "1"))


def _our_accounts(staged: Staged) -> bytes:
    return b"".join(staged.api.get("finance", f"/v1/rebate-accounts{more}").content for more in ("", "/movements"))


# Funds -------------------------------------------------------------------------------------------------------------------------


def _plant_funds(staged: Staged) -> None:
    fresh, cut = staged.fresh, {"product": "LP1", "on": "2026-11-05", "old_price": "500", "new_price": "450", "currency": "CNY"}
    rules = funds.MDF.replace("budget: 17000", f"budget: {staged.markers['budget']}")
    funds.publish(fresh, rules, funds.DEBIT.replace("finance_above: 500", f"finance_above: {staged.markers['who agrees']}"))
    assert fresh.api("finance", "POST", "/v1/price-cuts", json=cut).status_code == 200
    theirs = funds.submit(fresh, funds.expo("25312000000011111111", activity=RIVAL, note=RIVAL), "other_dealer").json()["id"]
    mine = funds.submit(fresh, funds.expo("25312000000022222222", "2000", dealer=str(fresh.world.agent)), "finance").json()["id"]
    note = {"reason": staged.markers["inner note"]}
    assert fresh.api("finance", "POST", f"/v1/claims/{theirs}/refuse", json=note).status_code == 200
    staged.more |= {"mine": mine, "theirs": theirs}


def _walk_funds(staged: Staged) -> None:
    plan = staged.ask("POST", "/v1/claims", json=funds.expo("1", "3000", evidence=[], plan=True, activity="路演")).json()["id"]
    staged.fresh.api("finance", "POST", f"/v1/claims/{plan}/approve", json={})
    other = staged.ask("POST", "/v1/claims", json=funds.expo("25312000000033333333", "1000", activity="展厅")).json()["id"]
    for refused in (funds.expo("25312000000011111111"), funds.expo("9", dealer=str(staged.fresh.world.rival)), {"programme": "x"}):
        staged.ask("POST", "/v1/claims", json=refused)
    for path in ("claims", "funds", "price-cuts", "messages", "programmes"):
        staged.ask("GET", f"/v1/{path}")
    for wanted in ("claims", "funds"):
        staged.ask("GET", f"/v1/{wanted}", params={"dealer": str(staged.fresh.world.rival)})
    for number in (staged.more["mine"], staged.more["theirs"], plan, "FC-2026-999999"):
        staged.ask("GET", f"/v1/claims/{number}")
        staged.ask("POST", f"/v1/claims/{number}/hand-in", json=funds.expo("25312000000044444444", "3000", activity="路演"))
    for number in (other, staged.more["theirs"]):
        staged.ask("POST", f"/v1/claims/{number}/withdraw")


def _our_funds(staged: Staged) -> bytes:
    paths = ("claims", "funds", f"claims/{staged.more['theirs']}", "programmes?limit=200", "programmes/mdf-2026", "programmes/debit-2026")
    return _all(b"", *(staged.api.get("finance", f"/v1/{path}") for path in paths))


# Prices --------------------------------------------------------------------------------------------------------------------------

PRICE_MARKERS = {
    "cost": "600.4321", "floor": "611.77", "rival's rule": "MK-RIVAL-RULE", "rival's list": "MK-RIVAL-LIST", "reason": "MK-COMPETITOR",
    "margin": "margin", "authority": "max_discount",
}  # fmt: skip


def _plant_prices(staged: Staged) -> None:
    fresh = staged.fresh
    made = staged.more["made"] = prices.stocked(fresh)
    fresh.api("finance", "POST", "/v1/price-rules", json={"document": "main", "text": prices.RULES})
    for dealer, project, amount in (
        ("D-EAST", made.project, "700"),
        ("D-WEST", _their_project(fresh, made), staged.markers["rival's special price"]),
    ):
        items = [{"item": "M001", "price": amount, "ceiling": "30"}]
        wanted = {"dealer": dealer, "project": str(project), "items": items, "reason": f"MK-COMPETITOR {amount}"}
        asked = fresh.api("sales", "POST", "/v1/special-prices", json=wanted)
        assert asked.status_code == 201, asked.text
        number = staged.more[dealer] = asked.json()["id"]
        question = fresh.rows("SELECT id FROM approvals WHERE doc->>'about' = %s", f"special_price:{number}")[0]["id"]
        fresh.api("it", "POST", f"/v1/approvals/{question}/answer", json={"decision": "approved", "reason": "MK-COMPETITOR"})


def _their_project(fresh: Fresh, made: Stocked) -> UUID:
    """A project that the rival has registered."""
    (customer,) = fresh.rows(
        "INSERT INTO customer (party_id, name, prepared, norm_version) VALUES (%s, '西部水务', '', '1') RETURNING id", made.west
    )
    (project,) = fresh.rows(
        "INSERT INTO registration (id, customer_id, claimed_as, dealer_id, protected, status, submitted_at, days, claim, active_at) VALUES "
        "(%s, %s, %s, %s, tstzrange('2026-01-01', '2027-01-01'), 'protected', '2026-01-01', 90, '{}', '2026-01-01') RETURNING id",
        uuid4(), customer["id"], customer["id"], made.west,
    )  # fmt: skip
    return UUID(str(project["id"]))


def _walk_prices(staged: Staged) -> None:
    made = staged.more["made"]
    project = str(made.project)
    for more in ({"dealer": ""}, {"dealer": "D-WEST"}, {"dealer": "D-NOBODY"}, {"dealer": "", "project": project}, {"alternatives": True}):
        for path in ("price", "price/check-order"):
            staged.ask("POST", f"/v1/{path}", json=prices.cart(**more))
    staged.ask("POST", "/v1/price", json=prices.cart(("M999", "1")))
    for path in ("special-prices", "price_lists?include=lines", "changes"):
        staged.ask("GET", f"/v1/{path}")
    for number in (staged.more["D-EAST"], staged.more["D-WEST"], "SP-0"):
        staged.ask("GET", f"/v1/special-prices/{number}")


def _our_prices(staged: Staged) -> bytes:
    raw: bytes = prices.price(staged.api, "finance").content + prices.price(staged.api, "finance", dealer="D-WEST").content
    raw += b"".join(staged.api.get("finance", f"/v1/special-prices/{staged.more[one]}").content for one in ("D-EAST", "D-WEST"))
    return _all(raw, staged.api.get("finance", "/v1/price-rules/main"), staged.api.get("it", "/v1/price_lists"))


# Quotes --------------------------------------------------------------------------------------------------------------------------

INNER = "MK-WHY-7c1f"
_LOOKS = ("offers/{}", "{}/trace", "{}/paper.pdf", "{}/paper.xlsx")


@contextmanager
def _quotes(database: str) -> Iterator[Staged]:
    with quotes.open_shop(database) as hub:
        shop = quotes.fill(hub)
        with hub.transaction() as db:
            tokens = {role: keys.create(db, name=role, role=role, by="test").token for role in ("it", "sales", "finance")}
            for name, party in (("dealer", shop.east), ("other_dealer", shop.west)):
                tokens[name] = keys.create(db, name=name, role="dealer", by="test", party=UUID(party)).token
        with TestClient(create_app(hub, settings=ApiSettings(), on_problem=note_problem), raise_server_exceptions=True) as client:
            api = Recorder(client, tokens)
            markers = {**quotes.MARKERS, "rival": "成都天府阀门有限公司", "inner words": INNER, "margin": "margin_percent"}
            staged = Staged(api, Fresh(hub, None, api), markers, {"shop": shop})  # type: ignore[arg-type]  # the shop is the world
            _plant_quotes(staged)
            yield staged


def _cart(percent: str = "", **more: Any) -> dict[str, Any]:
    line: dict[str, Any] = {"item": "PUMP-50", "quantity": "10"}
    return {"lines": [line | ({"manual": quotes.by_hand(percent, text=INNER)} if percent else {})], **more}


def _made(staged: Staged, role: str, body: Any) -> str:
    told = staged.api(role, "POST", "/v1/quotes", json=body)
    assert told.status_code == 201, told.text
    return str(told.json()["number"])


def _plant_quotes(staged: Staged) -> None:
    ours = [_made(staged, "sales", _cart("4", dealer="D-EAST")) for _ in range(2)]
    for number in ours:
        for action in ("submit", "send"):
            staged.api("sales", "POST", f"/v1/quotes/{number}/{action}")
    staged.api("sales", "POST", f"/v1/quotes/{ours[1]}/versions", json=_cart("10", dealer="D-EAST", customer="C-MILL"))
    staged.more["numbers"] = [*ours, _made(staged, "sales", _cart("1", dealer="D-WEST"))]


def _walk_quotes(staged: Staged) -> None:
    staged.ask("GET", "/v1/quotes/offers")
    taken, lost = _made(staged, "dealer", _cart()), _made(staged, "dealer", _cart())
    numbers = [*staged.more["numbers"], taken, lost, "QT-2099-999999"]
    actions: dict[str, Any] = {"copy": {}, "versions": _cart(), "submit": None, "send": None, "lose": {"reason": "price"}, "accept": {}}
    for number in numbers:
        for action, body in actions.items():
            if (action, number) not in (("lose", taken), ("lose", staged.more["numbers"][0])):
                staged.ask("POST", f"/v1/quotes/{number}/{action}", json=body)
        for look in _LOOKS:
            for lang in ("zh", "en") if "paper" in look else ("",):
                staged.ask("GET", f"/v1/quotes/{look.format(number)}", params={"lang": lang} if lang else {})
        staged.ask("GET", f"/v1/quotes/{number}/profit")
    staged.ask("POST", "/v1/quotes", json=_cart(dealer="D-WEST"))
    for path in ("quotes?include=lines", "orders?include=lines", "messages", "changes"):
        staged.ask("GET", f"/v1/{path}")


def _our_quotes(staged: Staged) -> bytes:
    paths = [path for one in staged.more["numbers"] for path in (f"offers/{one}", f"{one}/trace", f"{one}/profit")]
    raw = b"".join(staged.api.get("finance", f"/v1/quotes/{path}").content for path in paths)
    return _all(raw, staged.api.get("finance", "/v1/price-rules/trade"), staged.api.get("finance", "/v1/parties"))


# Performance ---------------------------------------------------------------------------------------------------------------------


@contextmanager
def _scored(database: str) -> Iterator[Staged]:
    made = scorecards.scored.__wrapped__(database)  # type: ignore[attr-defined]  # the fixture's own function
    scored = next(made)
    try:
        api = Recorder(scored.api.client, scored.api.tokens)
        theirs = str(scored.trade.dealers["D2"])
        markers = {"cost": scorecards.COST, "margin": scorecards.MARGIN, "tag": "thin", "rival": "宁波东钱湖传动", "rival's id": theirs}
        yield Staged(api, Fresh(scored.trade.hub, None, api), markers, {"trade": scored.trade})  # type: ignore[arg-type]
    finally:
        made.close()


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
    facts = staged.fresh.rows("SELECT to_jsonb(f)::text AS fact FROM performance_fact AS f WHERE kind = 'cost'")
    return _all(raw, staged.api.get("finance", "/v1/scorecards")) + json.dumps(facts, default=str).encode()


# All of them ---------------------------------------------------------------------------------------------------------------------


def _room(operations: str, stage: Any, walk: Callable[[Staged], None], ours: Callable[[Staged], bytes]) -> Room:
    return Room(frozenset(operations.split()), stage, walk, ours)


ROOMS: Mapping[str, Room] = {
    "records": _room(
        "entities me changes " + " ".join(route.id for route in RECORD_ROUTES if not route.id.startswith("edit_")),
        lambda database: _opened(database, {**HIDDEN_FROM_DEALERS, "rival": RIVAL}), _walk_records, _our_records,
    ),
    "deals": _room(
        "check_deal register_deal list_registrations get_registration appeal_registration extend_registration release_registration "
        "note_activity convert_registration list_pipelines forecast_deals report_deal_results list_stuck_deals get_deal_progress "
        "hand_in_lead",
        lambda database: _opened(database, {}, _plant_deals, DEALING), _walk_deals, _our_deals,
    ),
    "messages": _room(
        "list_messages read_message", lambda database: _opened(database, {"rival": RIVAL, "margin": "MK-MARGIN-31.4159"}, _plant_messages),
        _walk_messages, lambda staged: staged.api.get("it", "/v1/messages").content,
    ),
    "rebates": _room(
        "list_programmes get_programme list_statements get_statement get_statement_pdf get_statement_xlsx sign_statement "
        "dispute_statement",
        lambda database: _opened(
            database, {"rival": RIVAL, "their number": "CUST-RIVAL-SECRET", "their programme": "MK-PROGRAMME-77aa"}, _plant_rebates
        ),
        _walk_rebates, _our_rebates,
    ),
    "rebate accounts": _room(
        "list_rebate_accounts list_rebate_movements",
        lambda database: _opened(
            database,
            {"rival": RIVAL, "their money": "77341.19", "accrued": "7391.4687", "their line": "MK-LINE-5a", "inner note": "MK-TAKEN-1"},
            _plant_accounts,
        ),
        _walk_accounts, _our_accounts,
    ),
    "funds": _room(
        "get_claim hand_in_claim list_claims list_funds list_price_cuts submit_claim withdraw_claim",
        lambda database: _opened(
            database, {"rival": RIVAL, "budget": "17353", "who agrees": "51793", "inner note": "MK-REFUSED-5d1e"}, _plant_funds
        ),
        _walk_funds, _our_funds,
    ),
    "prices": _room(
        "price_cart check_order list_special_prices get_special_price",
        lambda database: _opened(database, PRICE_MARKERS | {"rival's special price": "687.3519"}, _plant_prices), _walk_prices, _our_prices,
    ),
    "quotes": _room(
        "list_quote_offers get_quote_offer trace_quote get_quote_pdf get_quote_xlsx make_quote revise_quote submit_quote send_quote "
        "accept_quote lose_quote copy_quote",
        _quotes, _walk_quotes, _our_quotes,
    ),
    "performance": _room(
        "list_scorecards list_scorecard_definitions get_stock_advice get_ranking explain_scorecard",
        _scored, _walk_scorecards, _our_scorecards,
    ),
}  # fmt: skip
