"""Rooms of the API where money is: rebates, their accounts, funds and claims, prices, quotes; what a dealer may not learn in each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

from fastapi.testclient import TestClient

from hub_api import keys
from hub_api.main import create_app
from hub_api.settings import ApiSettings
from tests.hub_api import test_funds as funds
from tests.hub_api import test_prices as prices
from tests.hub_api import test_rebate_accounts as rebate_accounts
from tests.hub_api import test_rebates as rebates
from tests.hub_api.conftest import Fresh, note_problem
from tests.hub_api.staging import Recorder, Room, Staged, joined, opened, room
from tests.hub_api.world import RIVAL, make_order
from tests.pricing.stocked import Stocked
from tests.quotes import shop as quotes

# Rebates -------------------------------------------------------------------------------------------------------------------------


def _plant_rebates(staged: Staged) -> None:
    world = staged.fresh.world
    named = f"{{customers: [{staged.markers['a customer']}], projects: [{staged.markers['a project']}]}}"
    told = rebates.publish(staged.fresh, text=f"{rebates.PROGRAMME}scope: {{brands: [恒流], exclude: {named}}}\n")
    assert told.status_code == 200, told.text
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
    with fresh.hub.transaction() as db:  # an order whose lines the hub does not know: what the ERP calls them is taken as it is
        staged.more["their order"] = str(make_order(db, fresh.world.rival, number="SO-2026-77", lines=0))
    theirs = {"dealer": str(fresh.world.rival), "programme": "pumps-2026", "order": "SO-2026-77"}
    for told in (rebate_accounts.body(fresh, "30"), theirs | {"amount": "30"}):
        line = {"line": marks["their line"] if told["dealer"] == str(fresh.world.rival) else "1"}
        assert rebate_accounts.move(fresh, "freeze", told).status_code == 200
        assert rebate_accounts.move(fresh, "use", told | line).status_code == 200
    note = {"line": marks["their line"], "reason": marks["inner note"]}
    assert rebate_accounts.move(fresh, "take-back", theirs | note).status_code == 200


def _walk_accounts(staged: Staged) -> None:
    rival, order = str(staged.fresh.world.rival), staged.more["their order"]
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
    return joined(b"", *(staged.api.get("finance", f"/v1/{path}") for path in paths))


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
    return joined(raw, staged.api.get("finance", "/v1/price-rules/main"), staged.api.get("it", "/v1/price_lists"))


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
            staged = Staged(api, hub, markers)
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
    return joined(raw, staged.api.get("finance", "/v1/price-rules/trade"), staged.api.get("finance", "/v1/parties"))


# All of them ---------------------------------------------------------------------------------------------------------------------

ROOMS: Mapping[str, Room] = {
    "rebates": room(
        "list_programmes get_programme list_statements get_statement get_statement_pdf get_statement_xlsx sign_statement "
        "dispute_statement",
        lambda database: opened(
            database,
            {
                "rival": RIVAL, "their number": "CUST-RIVAL-SECRET", "their programme": "MK-PROGRAMME-77aa",
                "a customer": "MK-CUSTOMER-31b", "a project": "MK-PROJECT-9c4",
            },
            _plant_rebates,
        ),
        _walk_rebates, _our_rebates,
    ),
    "rebate accounts": room(
        "list_rebate_accounts list_rebate_movements",
        lambda database: opened(
            database,
            {"rival": RIVAL, "their money": "77341.19", "accrued": "7391.4687", "their line": "MK-LINE-5a", "inner note": "MK-TAKEN-1"},
            _plant_accounts,
        ),
        _walk_accounts, _our_accounts,
    ),
    "funds": room(
        "get_claim hand_in_claim list_claims list_funds list_price_cuts submit_claim withdraw_claim",
        lambda database: opened(
            database, {"rival": RIVAL, "budget": "17353", "who agrees": "51793", "inner note": "MK-REFUSED-5d1e"}, _plant_funds
        ),
        _walk_funds, _our_funds,
    ),
    "prices": room(
        "price_cart check_order list_special_prices get_special_price",
        lambda database: opened(database, PRICE_MARKERS | {"rival's special price": "687.3519"}, _plant_prices), _walk_prices, _our_prices,
    ),
    "quotes": room(
        "list_quote_offers get_quote_offer trace_quote get_quote_pdf get_quote_xlsx make_quote revise_quote submit_quote send_quote "
        "accept_quote lose_quote copy_quote",
        _quotes, _walk_quotes, _our_quotes,
    ),
}  # fmt: skip
