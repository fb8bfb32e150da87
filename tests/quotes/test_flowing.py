"""The hub's quotes in the CRM and the ERP: created there once, followed version by version, and ordered as they were granted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from channel.pricing import service
from channel.pricing.quote_asking import Actor
from channel.pricing.quote_queries import Offer
from channel.pricing.wanted import Wanted
from sync import inspecting, quotes
from tests.sync.conftest import *  # noqa: F403  the stage's fixtures
from tests.sync.stage import Stage

SELLER = Actor("api:李雷")


class Trade:
    """A live stage with prices for two products that both systems have."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.items = [
            row["number"] for row in stage.rows("SELECT number FROM products WHERE number <> '' AND NOT retired ORDER BY number LIMIT 2")
        ]
        row = stage.rows(
            "SELECT p.hub_key, p.number, c.number AS company FROM parties p JOIN party_companies pc ON pc.parent_id = p.id "
            "JOIN companies c ON c.id = pc.company_id "
            "WHERE p.number <> '' AND NOT p.retired AND EXISTS (SELECT FROM link l JOIN stream s ON s.id = l.stream_id "
            "WHERE l.entity_id = p.id AND s.system = 'zoho') ORDER BY p.id LIMIT 1"
        )[0]
        self.seller = stage.one(
            "SELECT canonical_value FROM value_map WHERE name = 'salesperson' AND system = 'kingdee' ORDER BY id LIMIT 1"
        )
        self.dealer, self.company = row["hub_key"], row["company"]
        rows = [
            f"      - {{item: {item}, dealer: {row['number']}, price: '{price}'}}"
            for item, price in zip(self.items, ("1234.567", "80"), strict=True)
        ]
        head = "books:\n  - id: 合同价2026\n    kind: 合同价\n    tax: excluded\n    prices:\n"
        text = head + "\n".join(rows) + "\n"
        with stage.hub.transaction() as db:
            service.publish(db.connection, "trade", text, by="finance")

    def wanted(self, quantity: str = "3", percent: str = "7") -> Wanted:
        """A discounted line and a plain one."""
        manual = {"percent": percent, "reason": "competitor", "text": "对手报价低"}
        lines: list[dict[str, Any]] = [
            {"item": self.items[0], "quantity": quantity, "manual": manual},
            {"item": self.items[1], "quantity": "7"},
        ]
        said = {"dealer": self.dealer, "company": self.company, "salesperson": self.seller, "delivery_date": "2099-03-01", "lines": lines}
        return Wanted.model_validate(said)

    def sent(self, offer: Offer) -> Offer:
        """Submitted and sent, and everywhere."""
        quotes.submit(self.stage.hub, offer.number, SELLER)
        out = quotes.send(self.stage.hub, offer.number, SELLER)
        self.stage.sync()
        return out

    def shown(self, offer: Offer) -> dict[str, Any]:
        """The one quote of the CRM that is this one."""
        (found,) = [doc for doc in self.stage.zoho.records("quotes") if offer.number in doc["Subject"]]
        return found


@pytest.fixture
def trade(live: Stage) -> Trade:
    """The stage, live."""
    return Trade(live)


@pytest.mark.promise(5)
def test_a_quote_of_the_hub_is_made_in_the_crm_once_and_becomes_an_order_in_the_erp(trade: Trade) -> None:
    untouched = {doc["id"]: doc for doc in trade.stage.zoho.records("quotes")}
    offer = quotes.draft(trade.stage.hub, trade.wanted(), SELLER)
    trade.stage.sync()
    assert len(trade.stage.zoho.records("quotes")) == len(untouched), "nothing flows before it is sent"

    out = trade.sent(offer)
    shown = trade.shown(out)
    quotes.accept(trade.stage.hub, out.number, SELLER)
    trade.stage.sync()

    assert (shown["Quote_Stage"], Decimal(str(shown["Grand_Total"])), shown["Revision"]) == ("Delivered", out.total, 1)
    assert trade.shown(out)["Quote_Stage"] == "Confirmed"
    (order,) = trade.stage.rows("SELECT number, total FROM orders WHERE quote_id = %s", out.id)
    (booked,) = [doc for doc in trade.stage.kingdee.records("sales_orders") if doc["FBillNo"] == order["number"]]
    assert Decimal(str(booked["FBillAllAmount"])) == order["total"] == out.total
    assert trade.shown(out)["ERP_Order_No"] == order["number"]
    assert {doc["id"]: doc for doc in trade.stage.zoho.records("quotes") if doc["id"] in untouched} == untouched
    assert trade.stage.sync().counts.get("written", 0) == 0
    assert inspecting.status(trade.stage.hub).drift == 0


def test_a_new_version_changes_the_same_quote_there(trade: Trade) -> None:
    first = trade.sent(quotes.draft(trade.stage.hub, trade.wanted(), SELLER))
    key = trade.shown(first)["id"]

    quotes.revise(trade.stage.hub, first.number, trade.wanted("5", "9"), SELLER)
    trade.stage.sync()
    between = trade.shown(first)
    second = trade.sent(first)

    shown = trade.shown(second)
    assert (between["Quote_Stage"], Decimal(str(between["Grand_Total"]))) == ("Draft", first.total)
    assert (shown["id"], shown["Quote_Stage"], shown["Revision"]) == (key, "Delivered", 2)
    assert Decimal(str(shown["Grand_Total"])) == trade.stage.one("SELECT total FROM quote_offer")
    assert trade.stage.sync().counts.get("written", 0) == 0


def test_who_confirms_it_in_the_crm_does_not_go_around_the_hub(trade: Trade) -> None:
    out = trade.sent(quotes.draft(trade.stage.hub, trade.wanted(), SELLER))

    trade.stage.zoho.put("quotes", {"id": trade.shown(out)["id"], "Quote_Stage": "Confirmed"})
    trade.stage.sync()

    assert trade.shown(out)["Quote_Stage"] == "Delivered"
    assert trade.stage.one("SELECT state FROM quote_offer") == "sent"
    assert trade.stage.rows("SELECT 1 FROM orders WHERE quote_id = %s", out.id) == []
