"""The life of a quote: drafted, weighed, sent, accepted once, lost with a reason, copied; every version word for word."""

from __future__ import annotations

import pytest

from channel.pricing.errors import WrongQuoteState
from sync import quotes
from tests.quotes.shop import Shop, wanted


def test_a_quote_within_the_band_goes_out_at_once_and_becomes_one_order(shop: Shop) -> None:
    offer = quotes.draft(shop.hub, wanted(("PUMP-50", "10", "4"), ("VALVE-80", "3")), shop.seller)
    assert shop.one("SELECT count(*) AS n FROM quotes") == 0, "nobody is told of a draft"

    told = quotes.submit(shop.hub, offer.number, shop.seller)
    sent = quotes.send(shop.hub, offer.number, shop.seller)
    first = quotes.accept(shop.hub, offer.number, shop.seller)
    again = quotes.accept(shop.hub, offer.number, shop.seller)

    assert (told.verdict.result, told.asked, sent.state) == ("auto", False, "sent")
    assert (first.new, again.new, first.order == again.order, first.waits) == (True, False, True, "")
    (order,) = shop.rows("SELECT total, doc FROM orders")
    assert order["total"] == offer.total
    assert (order["doc"]["quote"], order["doc"]["quote_revision"], order["doc"]["party"]) == (str(offer.id), 1, shop.east)
    (quote,) = shop.rows("SELECT id, number, stage, total FROM quotes")
    assert (quote["id"], quote["number"], quote["stage"], quote["total"]) == (offer.id, offer.number, "accepted", offer.total)
    with pytest.raises(WrongQuoteState):
        quotes.send(shop.hub, offer.number, shop.seller)
