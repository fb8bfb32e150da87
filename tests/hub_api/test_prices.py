"""Prices over the API: a cart with every rung, for whom and by whom; an order checked; rules published; special prices granted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from channel.pricing import special_service
from tests.hub_api.conftest import Api, Fresh, make_tokens
from tests.hub_api.world import World, make
from tests.pricing.stocked import Stocked, price_list, stock

RULES = """
items:
  - {id: M001, cost: 600.4321}
adjustments:
  - {id: AG-1, name: MK-RIVAL-RULE, rung: agreement, percent: 3%, when: {dealers: D-WEST}}
  - {id: SPRING, rung: promotion, percent: 2%, valid_from: 2026-03-01, valid_to: 2026-04-01}
authority:
  - {id: own, level: 0, role: sales, max_discount: 15}
  - {id: head, level: 1, role: 总部, max_discount: 30, min_margin: 10}
"""


def stocked(fresh: Fresh) -> Stocked:
    """The channel to price, with keys of its two dealers."""
    with fresh.hub.transaction() as db:
        db.execute("UPDATE products SET retired = true")  # the world's own have no prices
        made = stock(db.connection)
        price_list(
            db.connection, "P-WEST", "MK-RIVAL-LIST", None, {"M001": (made.pump, "777")}, audience="listed", parties=[str(made.west)]
        )
    fresh.api.tokens |= {
        name: token for name, token in make_tokens(fresh.hub, World(made.east, made.west, made.west)).items() if name.endswith("dealer")
    }
    return made


def cart(*lines: tuple[str, str], **more: Any) -> dict[str, Any]:
    asked = [{"item": item, "quantity": quantity} for item, quantity in lines or (("M001", "20"),)]
    return {"dealer": "D-EAST", "company": "100", "date": "2026-03-15", "lines": asked, "alternatives": False, **more}


def price(api: Api, role: str, **more: Any) -> Any:
    return api(role, "POST", "/v1/price", json=cart(**more))


def test_a_cart_is_priced_with_every_rung_and_the_rules_not_used(fresh: Fresh) -> None:
    stocked(fresh)
    published = fresh.api("finance", "POST", "/v1/price-rules", json={"document": "main", "text": RULES, "reason": "2026"})
    told = price(fresh.api, "sales")

    body = told.json()
    assert published.json()["version"] == 1
    assert (told.status_code, body["status"], body["net"], body["gross"]) == (200, "priced", "17640.00", "19933.20")
    line = body["lines"][0]
    assert [step["rule"] for step in line["waterfall"][:2]] == ["P-DLR/M001", "SPRING"]
    assert {one["rule"] for one in line["not_used"]} >= {"contract"}
    assert body["version"] == fresh.api.get("it", "/v1/price/state").json()["version"]


def test_cost_and_margin_are_there_for_those_who_may_and_absent_for_others(fresh: Fresh) -> None:
    stocked(fresh)
    fresh.api("finance", "POST", "/v1/price-rules", json={"document": "main", "text": RULES})

    seen = {role: price(fresh.api, role).text for role in ("it", "finance", "sales", "dealer")}

    assert "12008.64" in seen["finance"]
    assert "611.77" in seen["finance"], "the floor price"
    for role in ("sales", "dealer"):
        for hidden in ("profit", "margin", "cost", "600.4321", "12008.64", "611.77"):
            assert hidden not in seen[role], (role, hidden)
    assert "min_margin" not in seen["sales"]
    wrong = fresh.api("dealer", "POST", "/v1/price", json=cart(("M999", "1")))
    assert (wrong.status_code, wrong.json()["code"]) == (409, "pricing/bad-file")
    assert wrong.json()["errors"][0]["where"] == "ask.lines.0.item"


def test_a_dealers_key_prices_for_itself_and_finds_no_trace_of_another(fresh: Fresh) -> None:
    stocked(fresh)
    fresh.api("finance", "POST", "/v1/price-rules", json={"document": "main", "text": RULES})

    own = price(fresh.api, "dealer", dealer="")
    foreign = price(fresh.api, "dealer", dealer="D-WEST")
    nobody = price(fresh.api, "dealer", dealer="D-NOBODY")
    theirs = price(fresh.api, "other_dealer", dealer="")

    assert (own.json()["dealer"], own.json()["net"]) == ("D-EAST", "17640.00")
    assert "MK-RIVAL" not in own.text
    assert "AG-1" not in own.text
    assert foreign.status_code == nobody.status_code == 409
    assert foreign.content == nobody.content, "whether there is such a dealer cannot be found out"
    assert theirs.json()["net"] == "14772.32"
    assert "max_discount" not in own.text
    assert own.json()["approval"] == {"result": "auto"}


def test_a_dealer_finds_no_cost_by_asking_for_one_discount_after_the_other(fresh: Fresh) -> None:
    stocked(fresh)
    fresh.api(
        "finance", "POST", "/v1/price-rules", json={"document": "main", "text": RULES.replace("max_discount: 30", "max_discount: 60")}
    )

    def told(role: str, percent: str) -> tuple[Any, Any]:
        asked = cart(manual={"percent": percent, "reason": "competitor", "text": "对手报价更低"})
        priced = fresh.api(role, "POST", "/v1/price", json=asked).json()
        asked |= {"approved_hash": priced["hash"]}
        return priced["approval"], fresh.api(role, "POST", "/v1/price/check-order", json=asked).json()["problems"]

    granted, beyond = "23", "25"  # of 882 with a cost of 600.43: margins of 11.6 % and 9.2 %, where nobody may go below 10 %
    assert [told("sales", percent)[0]["result"] for percent in (granted, beyond)] == ["approval", "refused"]
    assert told("dealer", granted) == told("dealer", beyond)
    assert told("dealer", granted)[0] == {"result": "approval"}
    assert [one["code"] for one in told("dealer", granted)[1]] == ["pricing/approval-missing"]


def test_rules_that_are_ambiguous_are_refused_with_line_and_fix(fresh: Fresh) -> None:
    stocked(fresh)
    text = RULES.replace("promotion, percent: 2%", "promotion, percent: 2%, when: {items: M777}")
    refused = fresh.api("finance", "POST", "/v1/price-rules", json={"document": "main", "text": text})
    checked = fresh.api("finance", "POST", "/v1/price-rules", json={"document": "main", "text": RULES, "check": True})

    assert (refused.status_code, refused.json()["code"]) == (409, "pricing/bad-file")
    assert refused.json()["errors"] == [
        {"where": "main.yaml:6", "what": "there is no item 'M777' (name one under items)"},
    ]
    assert checked.json()["version"] == 1
    assert fresh.api.get("it", "/v1/price-rules").json()["items"] == []
    assert fresh.api.get("it", "/v1/price-rules/main").json()["code"] == "pricing/not-found"


def test_what_is_published_is_read_word_for_word_and_never_changes(fresh: Fresh) -> None:
    stocked(fresh)
    for percent in ("2%", "4%"):
        fresh.api("finance", "POST", "/v1/price-rules", json={"document": "main", "text": RULES.replace("2%", percent)})
    taken = fresh.api("finance", "POST", "/v1/price-rules", json={"document": "main", "text": RULES, "version": 1})

    shown = fresh.api.get("finance", "/v1/price-rules/main").json()
    assert (taken.status_code, taken.json()["code"]) == (409, "pricing/version-taken")
    assert (shown["version"], shown["text"]) == (2, RULES.replace("2%", "4%"))
    assert [row["version"] for row in fresh.api.get("it", "/v1/price-rules", params={"document": "main"}).json()["items"]] == [1, 2]


def test_an_order_is_checked_against_price_credit_stock_and_fence(fresh: Fresh) -> None:
    made = stocked(fresh)
    limit = '{"credit_limit": "2000.25", "currency": "CNY"}'
    fresh.rows("UPDATE party_companies SET doc = (doc::jsonb || %s::jsonb)::json WHERE parent_id = %s RETURNING 1", limit, made.east)
    fresh.rows(
        "INSERT INTO stock_levels (id, hub_key, doc, product_id, available) VALUES (gen_random_uuid(), 'K', '{}', %s, 19) RETURNING 1",
        made.pump,
    )
    fresh.rows("INSERT INTO fence (dealer_id, region, edited_by) VALUES (%s, '31', 'test') RETURNING 1", made.east)
    asked = cart(ship_to="320500")
    asked["lines"][0]["price"] = "880"

    ours = fresh.api("sales", "POST", "/v1/price/check-order", json=asked).json()
    theirs = fresh.api("dealer", "POST", "/v1/price/check-order", json=asked)

    assert not ours["ok"]
    assert {(one["kind"], one["code"]) for one in ours["problems"]} == {
        ("price", "pricing/price-differs"), ("credit", "pricing/over-credit"), ("stock", "pricing/short-of-stock"),
        ("fence", "pricing/fence-outside-own-area"),
    }  # fmt: skip
    assert "2000.25" in str(ours)
    assert {one["code"] for one in theirs.json()["problems"]} >= {"pricing/over-credit", "pricing/outside-territory"}
    for hidden in ("2000.25", '"available"', "fence-"):
        assert hidden not in theirs.text
    asked["lines"][0] |= {"price": "900", "quantity": "1"}
    assert fresh.api("sales", "POST", "/v1/price/check-order", json=asked | {"ship_to": "310000"}).json()["ok"]


def test_a_special_price_is_asked_for_granted_used_and_ended(fresh: Fresh) -> None:
    made = stocked(fresh)
    items = [{"item": "M001", "price": "700", "ceiling": "30"}]
    wanted = {"dealer": "D-EAST", "project": str(made.project), "items": items, "reason": "MK-COMPETITOR 710"}
    asked = fresh.api("sales", "POST", "/v1/special-prices", json=wanted)
    before = price(fresh.api, "sales", project=str(made.project)).json()["lines"][0]["price_kind"]
    number = asked.json()["id"]
    question = fresh.rows("SELECT id FROM approvals WHERE doc->>'about' = %s", f"special_price:{number}")[0]["id"]

    granted = fresh.api("it", "POST", f"/v1/approvals/{question}/answer", json={"decision": "approved", "reason": "战略项目"})

    assert (asked.status_code, asked.json()["state"], before) == (201, "asked", "grade")
    assert granted.status_code == 200, granted.text
    with fresh.hub.transaction() as db:
        special_service.consume(db.connection, number, "order:SO-9/1", Decimal(15), by="test")
    told = price(fresh.api, "dealer", dealer="", project=str(made.project)).json()["lines"][0]
    why = {"rung": "base", "rule": number, "version": "1", "reason": "used_up", "detail": "15 left"}
    assert (told["price_kind"], told["not_used"][0]) == ("grade", why)
    own = fresh.api.get("dealer", f"/v1/special-prices/{number}")
    assert (own.json()["items"][0]["consumed"], own.json()["items"][0]["rest"]) == ("15", "15")
    for hidden in ("MK-COMPETITOR", "uses", "decided_by"):
        assert hidden not in own.text
    theirs, missing = (fresh.api.get("other_dealer", f"/v1/special-prices/{one}") for one in (number, "SP-0"))
    assert theirs.content == missing.content
    assert fresh.api.get("other_dealer", "/v1/special-prices").json()["items"] == []
    told_dealer = fresh.rows("SELECT doc FROM notices WHERE kind = 'special_price'")
    assert [row["doc"]["audience"] for row in told_dealer] == [f"party:{made.east}"]
    ended = fresh.api("finance", "POST", f"/v1/special-prices/{number}/end", json={"reason": "丢单"})
    again = fresh.api("finance", "POST", "/v1/special-prices/SP-0/end", json={"reason": "丢单"})
    assert (ended.json()["state"], again.status_code) == ("ended", 404)


def test_a_special_price_in_no_currency_is_refused_and_one_that_is_kept_stops_no_cart(fresh: Fresh) -> None:
    made = stocked(fresh)
    wanted = {"dealer": "D-EAST", "project": str(made.project), "items": [{"item": "M001", "price": "700"}], "reason": "战略项目"}
    refused = fresh.api("sales", "POST", "/v1/special-prices", json=wanted | {"currency": "RMB"})
    number = fresh.api("it", "POST", "/v1/special-prices", json=wanted).json()["id"]
    used = price(fresh.api, "sales", project=str(made.project)).json()["lines"][0]["price_kind"]

    with fresh.hub.transaction() as db:  # as from before the door knew better
        db.execute("SET LOCAL session_replication_role = replica")
        db.execute("UPDATE special_price SET currency = 'RMB' WHERE id = %s", [number])
    told = price(fresh.api, "sales", project=str(made.project)).json()["lines"][0]

    assert (refused.status_code, refused.json()["errors"][0]["what"]) == (409, "'RMB' is no code of ISO 4217 (write CNY)")
    assert (used, told["price_kind"]) == ("deal", "grade")
    assert (told["not_used"][0]["rule"], told["not_used"][0]["reason"]) == (number, "no_rate")


def test_an_answer_is_given_again_byte_for_byte_by_its_snapshot_and_to_nobody_else(fresh: Fresh) -> None:
    made = stocked(fresh)
    first = price(fresh.api, "dealer", project=str(made.project))
    snapshot = first.json()["snapshot"]
    with fresh.hub.transaction() as db:
        number = special_service.ask(
            db.connection,
            special_service.Wanted("D-EAST", str(made.project), (special_service.SpecialItem("M001", Decimal(700)),)),
            by="sales",
            today=date(2026, 3, 15),
        )
        special_service.decide(db.connection, number, "approved", by="王总")
        db.execute("UPDATE parties SET level = '普通' WHERE id = %s", [made.east])
    fresh.api("finance", "POST", "/v1/price-rules", json={"document": "main", "text": RULES})

    again = price(fresh.api, "dealer", project=str(made.project), snapshot=snapshot)
    now = price(fresh.api, "dealer", project=str(made.project))
    other = price(fresh.api, "other_dealer", dealer="", snapshot=snapshot)
    nobody = price(fresh.api, "other_dealer", dealer="", snapshot="1." + "0" * 32)
    dayless = price(fresh.api, "dealer", date=None, snapshot=snapshot)
    both = price(fresh.api, "dealer", version=1, snapshot=snapshot)

    assert again.content == first.content
    assert now.json()["lines"][0]["price_kind"] == "deal"
    assert (other.status_code, nobody.status_code, dayless.status_code, both.status_code) == (404, 404, 409, 409)
    assert other.json()["detail"].replace(snapshot, "") == nobody.json()["detail"].replace("1." + "0" * 32, "")


def test_a_dealer_does_not_learn_who_an_identifier_is_unless_it_sells_to_it(fresh: Fresh) -> None:
    """An end customer's number comes back only for one of the dealer's own deals; whoever else is named stays as it was named."""
    made = stocked(fresh)
    names = fresh.rows("SELECT id::text AS id, hub_key, number FROM parties WHERE number IN ('C-1', 'D-WEST') ORDER BY number")

    def called(name: str) -> str:
        return str(price(fresh.api, "dealer", dealer="", customer=name).json()["customer"])

    before = [called(one[by]) for one in names for by in ("id", "hub_key", "number")]
    deal = {"name": "三号泵站", "dealer": str(made.east), "customer": names[0]["id"]}
    with fresh.hub.transaction() as db:
        make(db, "deal", deal)

    assert before == [one[by] for one in names for by in ("id", "hub_key", "number")]
    assert called(names[0]["id"]) == called(names[0]["hub_key"]) == "C-1"
    assert called(names[1]["id"]) == names[1]["id"]
