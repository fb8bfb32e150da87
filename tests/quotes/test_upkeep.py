"""Looking after quotes: each is told once, the dealer hears of what went out to him, and a killed run is made up for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from channel.pricing.quote_queries import Offer
from sync import quotes, quotes_upkeep
from tests.quotes.shop import Shop, wanted


def sent(shop: Shop, **more: Any) -> Offer:
    offer = quotes.draft(shop.hub, wanted(**more), shop.seller)
    quotes.submit(shop.hub, offer.number, shop.seller)
    return quotes.send(shop.hub, offer.number, shop.seller)


def told(shop: Shop, kind: str) -> list[tuple[str, str]]:
    rows = shop.rows("SELECT doc->>'audience' AS audience, doc->'facts'->>'zh' AS zh FROM notices WHERE kind = %s ORDER BY id", kind)
    return [(row["audience"], row["zh"]) for row in rows]


def on(shop: Shop, days: int) -> dict[str, int]:
    return dict(quotes_upkeep.look_after(shop.hub, now=datetime.now(UTC) + timedelta(days=days)).counts)


def test_a_quote_without_an_answer_is_named_after_a_week_and_again_before_it_ends(shop: Shop) -> None:
    offer = sent(shop)

    figures = [on(shop, days) for days in (6, 7, 8, 27, 28, 31, 32)]

    assert [one.get("followed_up", 0) for one in figures] == [0, 1, 0, 0, 0, 0, 0]
    assert [one.get("reminded", 0) for one in figures] == [0, 0, 0, 1, 0, 0, 0]
    assert [one.get("expired", 0) for one in figures] == [0, 0, 0, 0, 0, 1, 0]
    manager, dealer = "role:channel_manager", f"party:{shop.east}"
    assert told(shop, "quote_follow_up") == [(manager, f"报价 {offer.number} 发出已 7 天尚未成单, 请跟进")]
    assert [audience for audience, _ in told(shop, "quote_expiring")] == [manager, dealer]
    assert [audience for audience, _ in told(shop, "quote_expired")] == [manager, dealer]
    assert shop.one("SELECT state FROM quote_offer") == "expired"
    assert shop.one("SELECT stage FROM quotes") == "rejected"
    assert shop.one("SELECT count(*) AS n FROM notices WHERE kind IN ('quote_expiring', 'quote_follow_up') AND state = 'open'") == 0


def test_a_draft_that_is_over_ends_without_a_word_to_the_dealer(shop: Shop) -> None:
    quotes.draft(shop.hub, wanted(), shop.seller)

    assert on(shop, 31)["expired"] == 1
    assert [audience for audience, _ in told(shop, "quote_expired")] == ["role:channel_manager"]


def test_an_open_question_is_withdrawn_with_the_quote_that_is_over(shop: Shop) -> None:
    offer = quotes.draft(shop.hub, wanted(("PUMP-50", "10", "10")), shop.seller)
    quotes.submit(shop.hub, offer.number, shop.seller)

    on(shop, 31)

    assert shop.one("SELECT decision FROM approvals") == "withdrawn"


def test_a_lost_quote_is_worth_a_second_look_once(shop: Shop) -> None:
    offer = sent(shop)
    quotes.lose(shop.hub, offer.number, shop.seller, "competitor")

    assert [on(shop, days).get("lost_followed_up", 0) for days in (89, 90, 91)] == [0, 1, 0]
    ((audience, zh),) = told(shop, "quote_lost_follow_up")
    assert audience == "role:channel_manager"
    assert "因“竞争对手”丢单" in zh


def test_a_void_order_is_noticed_even_when_nobody_derived_it(shop: Shop) -> None:
    offer = sent(shop)
    order = quotes.accept(shop.hub, offer.number, shop.seller).order
    with shop.hub.transaction() as db:
        db.execute("UPDATE orders SET status = 'void' WHERE id = %s", [order])

    first, again = on(shop, 1), on(shop, 2)

    assert (first["orders_followed"], again.get("orders_followed", 0)) == (1, 0)
    assert shop.one("SELECT state FROM quote_offer") == "voided"
