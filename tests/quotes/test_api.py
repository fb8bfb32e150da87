"""`/v1/quotes` through HTTP: sellers, approvers and dealers, each with its own key and its own sight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient

from channel import paper
from hub_api import keys
from hub_api.main import create_app
from hub_api.settings import ApiSettings
from tests.pricing.test_papers import cells, text_of
from tests.quotes.shop import COST, MARKERS, Shop, by_hand

INNER = "MK-WHY-7c1f 老板特批"
"""Words of a discount's reason, for our own people."""
RIVAL = "成都天府阀门有限公司"


def leaked(raw: bytes, marker: str) -> bool:
    """Whether a marker stands there, in one of the ways that it may be written; an amount also times the ten of a line, rounded."""
    forms = [marker]
    if marker.replace(".", "").isdigit():
        ten = Decimal(marker) * 10
        forms += [marker.replace(".", ""), f"{ten:.2f}", f"{ten:,.2f}", f"{ten:.3f}", f"{Decimal(marker):.2f}"]
    return any(form.encode() in raw or form.encode().hex().encode() in raw for form in forms)


@dataclass
class Desk:
    """The API over the shop, with a key for each who uses it."""

    shop: Shop
    client: TestClient
    tokens: dict[str, str]

    def __call__(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One request."""
        return self.client.request(method, f"/v1{path}", json=body, headers={"Authorization": f"Bearer {self.tokens[who]}", **headers})

    def post(self, who: str, path: str, body: Any = None, status: int = 200) -> Any:
        """A POST that comes out well."""
        told = self(who, "POST", path, body)
        assert told.status_code == status, told.text
        return told.json()

    def get(self, who: str, path: str) -> Any:
        """A GET that comes out well."""
        told = self(who, "GET", path)
        assert told.status_code == 200, told.text
        return told.json()


@pytest.fixture
def desk(shop: Shop) -> Iterator[Desk]:
    """Keys: sales, a second seller who may approve, finance, both dealers."""
    with shop.hub.transaction() as db:
        manager = ["records:read", "quotes:read", "quotes:write", "quotes:approve", "prices:cost"]
        tokens = {
            "sales": keys.create(db, name="李雷", role="sales", by="test").token,
            "manager": keys.create(db, name="王经理", role="sales", by="test", scopes=manager).token,
            "finance": keys.create(db, name="韩梅梅", role="finance", by="test").token,
            "dealer": keys.create(db, name="恒信", role="dealer", by="test", party=shop.east).token,  # type: ignore[arg-type]  # text is as good
            "rival": keys.create(db, name="天府", role="dealer", by="test", party=shop.west).token,  # type: ignore[arg-type]
        }
    with TestClient(create_app(shop.hub, settings=ApiSettings()), raise_server_exceptions=True) as client:
        yield Desk(shop, client, tokens)


def cart(percent: str = "", quantity: str = "10", **more: Any) -> dict[str, Any]:
    line: dict[str, Any] = {"item": "PUMP-50", "quantity": quantity}
    if percent:
        line["manual"] = by_hand(percent, text=INNER)
    return {"lines": [line], **more}


def sent(desk: Desk, percent: str = "4", **more: Any) -> str:
    number = desk.post("sales", "/quotes", cart(percent, dealer="D-EAST", **more), 201)["number"]
    desk.post("sales", f"/quotes/{number}/submit")
    desk.post("sales", f"/quotes/{number}/send")
    return str(number)


def test_a_seller_makes_a_quote_and_the_dealer_takes_it(desk: Desk) -> None:
    made = desk.post("sales", "/quotes", cart("4", dealer="D-EAST"), 201)
    number = made["number"]
    hidden = desk("dealer", "GET", f"/quotes/offers/{number}")

    submitted = desk.post("sales", f"/quotes/{number}/submit")
    desk.post("sales", f"/quotes/{number}/send")
    seen = desk.get("dealer", f"/quotes/offers/{number}")
    accepted = desk.post("dealer", f"/quotes/{number}/accept", {"version": 1})
    again = desk.post("sales", f"/quotes/{number}/accept", {})

    assert (made["state"], made["total"], made["versions"][0]["discounts"][0]["text"]) == ("draft", "10848.00", INNER)
    assert hidden.status_code == 404
    assert (submitted["state"], submitted["approval"]) == ("approved", "auto")
    assert (seen["state"], seen["total"], [one["action"] for one in seen["events"]]) == ("sent", "10848.00", ["draft", "submit", "send"])
    assert accepted["state"] == "accepted"
    assert accepted["order"] == again["order"] is not None
    assert desk.get("dealer", f"/orders/{accepted['order']}")["total"] == "10848"
    assert desk.get("dealer", f"/quotes/{made['id']}")["stage"] == "accepted", "the record under the same id"


def test_an_approver_sees_the_profit_and_answers_and_a_seller_does_neither(desk: Desk) -> None:
    number = desk.post("sales", "/quotes", cart("10", dealer="D-EAST"), 201)["number"]
    told = desk.post("sales", f"/quotes/{number}/submit")
    (question,) = desk.get("manager", "/approvals")["items"]

    refused = desk("sales", "GET", f"/quotes/{number}/profit")
    not_mine = desk("sales", "POST", f"/approvals/{question['id']}/answer", {"decision": "approved"})
    profit = desk.get("manager", f"/quotes/{number}/profit")
    answered = desk.post("manager", f"/approvals/{question['id']}/answer", {"decision": "approved", "reason": "老客户"})
    gone = desk.post("sales", f"/quotes/{number}/send")

    assert (told["state"], told["approval"]) == ("submitted", "approval")
    assert (refused.status_code, not_mine.status_code) == (403, 403)
    assert (profit["profit"]["cost"], profit["profit"]["margin"], profit["authority"]["level"]) == ("7138.46", "1861.54", 1)
    assert (answered["decision"], gone["state"]) == ("approved", "sent")
    assert COST not in desk("sales", "GET", "/approvals").text


def test_who_submitted_does_not_approve(desk: Desk) -> None:
    number = desk.post("manager", "/quotes", cart("10", dealer="D-EAST"), 201)["number"]
    desk.post("manager", f"/quotes/{number}/submit")
    (question,) = desk.get("manager", "/approvals")["items"]

    told = desk("manager", "POST", f"/approvals/{question['id']}/answer", {"decision": "approved"})

    assert (told.status_code, told.json()["code"]) == (403, "quotes/not-approver")


def test_a_repeated_request_makes_one_quote(desk: Desk) -> None:
    body = cart(dealer="D-EAST")

    first, again = (desk("sales", "POST", "/quotes", body, **{"Idempotency-Key": "one"}) for _ in range(2))
    other = desk("sales", "POST", "/quotes", cart(dealer="D-WEST"), **{"Idempotency-Key": "one"})

    assert first.json() == again.json()
    assert other.status_code == 409
    assert len(desk.get("sales", "/quotes/offers")["items"]) == 1


def test_a_dealer_makes_its_own_at_published_prices_and_no_other(desk: Desk) -> None:
    made = desk.post("dealer", "/quotes", cart(), 201)
    desk.post("dealer", f"/quotes/{made['number']}/submit")
    desk.post("dealer", f"/quotes/{made['number']}/send")
    ordered = desk.post("dealer", f"/quotes/{made['number']}/accept", {})
    wish = desk.post("dealer", "/quotes", cart("3"), 201)

    asked = desk.post("dealer", f"/quotes/{wish['number']}/submit")
    for_rival = desk("dealer", "POST", "/quotes", cart(dealer="D-WEST"))
    for_customer = desk("dealer", "POST", "/quotes", cart(customer="C-MILL"))
    of_rivals_deal = desk("dealer", "POST", "/quotes", cart(deal=desk.shop.deal(dealer=desk.shop.west)))
    no_deal = desk("dealer", "POST", "/quotes", cart(deal="00000000-0000-0000-0000-000000000000"))

    assert (made["dealer"], ordered["state"], ordered["order"] is not None) == (desk.shop.east, "accepted", True)
    assert (asked["state"], asked["approval"]) == ("submitted", "approval")
    assert [one.status_code for one in (for_rival, for_customer, of_rivals_deal, no_deal)] == [409] * 4
    told = [one.json()["detail"].replace(one.request.content.decode()[-40:-3], "") for one in (of_rivals_deal, no_deal)]
    assert [one.partition("there is no deal")[1] for one in told] == ["there is no deal"] * 2


def test_a_dealer_does_not_see_what_is_being_revised(desk: Desk) -> None:
    number = sent(desk)
    desk.post("sales", f"/quotes/{number}/versions", cart("20", dealer="D-EAST"))

    seen = desk.get("dealer", f"/quotes/offers/{number}")
    refused = desk("dealer", "POST", f"/quotes/{number}/accept", {})
    second = desk("dealer", "GET", f"/quotes/{number}/trace?version=2")
    filtered = desk("dealer", "GET", "/quotes/offers?state=draft")

    assert (seen["state"], seen["version"], seen["total"], len(seen["versions"])) == ("revising", 1, "10848.00", 1)
    assert (refused.status_code, second.status_code, filtered.status_code) == (409, 404, 400)
    assert desk.get("dealer", "/quotes/offers")["items"][0]["total"] == "10848.00"


def test_a_dealer_reads_no_state_of_a_version_that_was_not_sent_to_him(desk: Desk) -> None:
    """Each action is refused in the same words while sales works on the next version, whatever became of that so far."""
    told = {}
    for percent, steps in {"4": (), "3": ("submit",), "12": ("submit",)}.items():
        number = sent(desk, "1", deal=desk.shop.deal(key=percent))
        desk.post("sales", f"/quotes/{number}/versions", cart(percent, "1", dealer="D-EAST"))
        for step in steps:
            desk.post("sales", f"/quotes/{number}/{step}")
        bodies: dict[str, list[Any]] = {"submit": [None], "send": [None], "accept": [{}, {"version": 1}, {"version": 2}, {"version": 7}]}
        answers = [(name, desk("dealer", "POST", f"/quotes/{number}/{name}", body)) for name, many in bodies.items() for body in many]
        state = desk.get("sales", f"/quotes/offers/{number}")["state"]
        told[state] = [(name, one.status_code, one.json()["detail"].replace(number, "")) for name, one in answers]

    assert set(told) == {"draft", "approved", "submitted"}
    assert told["draft"] == told["approved"] == told["submitted"]
    assert {status for _, status, _ in told["draft"]} == {409}
    assert len({detail.removeprefix(name) for name, _, detail in told["draft"]}) == 1


def test_a_quote_that_was_lost_while_it_was_revised_is_lost_to_its_dealer_too(desk: Desk) -> None:
    number = sent(desk)
    desk.post("sales", f"/quotes/{number}/versions", cart("3", dealer="D-EAST"))
    desk.post("sales", f"/quotes/{number}/lose", {"reason": "price"})

    seen = desk.get("dealer", f"/quotes/offers/{number}")
    late = desk("dealer", "POST", f"/quotes/{number}/accept", {"version": 1})

    assert (seen["state"], seen["version"], seen["total"]) == ("lost", 1, "10848.00")
    assert (late.status_code, "which is lost" in late.json()["detail"]) == (409, True)


def test_a_dealer_may_name_itself_by_number_hub_key_or_id(desk: Desk) -> None:
    (own,) = desk.shop.rows("SELECT id::text AS id, hub_key, number FROM parties WHERE id = %s", desk.shop.east)

    made = [desk("dealer", "POST", "/quotes", cart(dealer=name)).status_code for name in own.values()]
    refused = [desk("dealer", "POST", "/quotes", cart(dealer=name)).json()["detail"] for name in ("D-WEST", desk.shop.west, "D-NONE")]

    assert made == [201, 201, 201]
    assert len(set(refused)) == 1


ACTIONS = {"versions": cart(), "submit": None, "send": None, "accept": {}, "lose": {"reason": "price"}, "copy": {}}
LOOKS = ("offers/{}", "{}/trace", "{}/paper.pdf", "{}/paper.xlsx")


def test_anothers_quote_is_as_absent_as_one_that_never_was(desk: Desk) -> None:
    number = sent(desk)

    for name in (number, "QT-2099-999999"):
        looks = [desk("rival", "GET", "/quotes/" + look.format(name)) for look in LOOKS]
        acts = [desk("rival", "POST", f"/quotes/{name}/{action}", body) for action, body in ACTIONS.items()]
        assert {one.status_code for one in (*looks, *acts)} == {404}, name
        assert len({one.content for one in (*looks, *acts)}) == 1, name
    assert desk.get("rival", "/quotes/offers")["items"] == []


@pytest.mark.promise(13)
def test_no_marker_is_in_anything_that_a_dealer_gets(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cost, margin, floor prices, inner words and the rival: in no answer, trace, error, paper or message."""
    monkeypatch.setattr(paper, "INSTALLED", ())  # the reader's own font: its text can be read here
    number = sent(desk, deal=desk.shop.deal())
    desk.post("sales", f"/quotes/{number}/versions", cart("10", dealer="D-EAST", customer="C-MILL"))
    desk.post("sales", f"/quotes/{number}/submit")
    rivals = desk.post("sales", "/quotes", cart("1", dealer="D-WEST"), 201)["number"]
    own = desk.post("dealer", "/quotes", cart("3"), 201)["number"]
    refused = desk.post("dealer", "/quotes", cart("40"), 201)["number"]

    got: list[tuple[str, bytes]] = []
    for one in (number, rivals, own, refused):
        for look in LOOKS:
            for lang in ("zh", "en"):
                told = desk("dealer", "GET", "/quotes/" + look.format(one) + (f"?lang={lang}" if "paper" in look else ""))
                raw = told.content
                if told.status_code == 200 and look.endswith("pdf"):
                    raw += text_of(raw).encode()
                elif told.status_code == 200 and look.endswith("xlsx"):
                    raw += str(cells(raw)).encode()
                got.append((f"{look} {one}", raw + str(told.headers).encode()))
        for action, body in ACTIONS.items():
            got.append((f"{action} {one}", desk("dealer", "POST", f"/quotes/{one}/{action}", body).content))
    others = (
        "/quotes",
        "/quotes?include=lines",
        "/quotes/offers",
        "/messages",
        "/changes",
        "/orders?include=lines",
        f"/quotes/{number}/profit",
    )
    got += [(path, desk("dealer", "GET", path).content) for path in others]

    markers = {**MARKERS, "rival": RIVAL, "inner words": INNER, "margin": "margin_percent", "seller": "李雷"}
    places = [(place, name) for place, raw in got if f" {own}" not in place for name, marker in markers.items() if leaked(raw, marker)]
    mine = [(place, name) for place, raw in got if f" {own}" in place for name in (*MARKERS, "rival") if leaked(raw, markers[name])]

    assert places == []
    assert mine == []
    shown = dict(got)[f"{{}}/paper.pdf {number}"].decode("utf-8", "replace")
    assert "苏州恒信机电有限公司" in shown
    assert "10,848.00" in shown


def test_the_markers_are_there_where_they_may_be_read(desk: Desk) -> None:
    number = sent(desk)

    raw = b"".join(
        desk("finance", "GET", f"/quotes/{look}").content for look in (f"offers/{number}", f"{number}/trace", f"{number}/profit")
    )

    assert leaked(raw, "7138.46")
    assert INNER.encode() in raw
    assert b"margin_percent" in raw
    assert b"margin" not in desk("sales", "GET", f"/quotes/{number}/trace").content


def test_papers_have_the_names_the_days_and_the_amounts_in_both_languages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "INSTALLED", ())
    number = sent(desk, deal=desk.shop.deal())

    pdf = text_of(desk("sales", "GET", f"/quotes/{number}/paper.pdf").content)
    rows = cells(desk("sales", "GET", f"/quotes/{number}/paper.xlsx?lang=en").content)

    for part in (
        "报价单",
        number,
        "苏州恒信机电有限公司",
        "无锡第三自来水厂",
        "三号泵站",
        "有效期至",
        "离心泵 50",
        "9,600.00",
        "10,848.00",
    ):
        assert part in pdf, part
    assert ("Version", "1") in [row[:2] for row in rows]
    assert next(row for row in rows if row[0] == "Total")[-3] == 10848


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"dealer": "D-NOBODY", **cart()}, "quotes/bad-offer"),
        ({"dealer": "D-EAST", "lines": [{"item": "NO-SUCH", "quantity": "1"}]}, "quotes/bad-offer"),
        ({"dealer": "D-EAST", "lines": [{"item": "freight", "quantity": "1"}]}, "quotes/bad-offer"),
        ({"dealer": "D-EAST", "lines": [{"item": "PUMP-50", "quantity": 1.5}]}, "api/invalid-payload"),
        (
            {"dealer": "D-EAST", "lines": [{"item": "PUMP-50", "quantity": "1", "manual": {"reason": "x", "text": "y"}}]},
            "quotes/bad-offer",
        ),
        ({"dealer": "D-EAST", "valid_to": "0203-01-01", **cart()}, "quotes/bad-offer"),
        ({"dealer": "D-EAST", **cart(quantity="0")}, "quotes/bad-offer"),
    ],
    ids=["nobody", "no item", "no price", "a float", "no effect", "the year 203", "no quantity"],
)
def test_what_cannot_be_offered_is_refused_with_the_fix_and_nothing_is_kept(desk: Desk, body: dict[str, Any], code: str) -> None:
    told = desk("sales", "POST", "/quotes", body)

    assert (told.status_code, told.json()["code"]) == (422 if code.startswith("api") else 409, code)
    assert desk.shop.one("SELECT count(*) AS n FROM quote_offer") == 0


def test_editing_the_record_does_not_get_around_the_states(desk: Desk) -> None:
    number = sent(desk)
    record = desk.get("sales", f"/quotes/offers/{number}")["id"]

    told = desk("sales", "PATCH", f"/quotes/{record}", {"stage": "accepted", "total": "1"})
    free = desk("sales", "PATCH", f"/quotes/{record}", {"delivery_date": "2026-12-24"})

    assert (told.status_code, told.json()["code"]) == (409, "sync/not-allowed")
    assert (free.status_code, free.json()["delivery_date"]) == (200, "2026-12-24")
    assert desk.get("sales", f"/quotes/{record}")["stage"] == "delivered"
    assert desk.shop.one("SELECT count(*) AS n FROM orders") == 0
