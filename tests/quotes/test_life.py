"""The life of a quote: drafted, weighed, sent, accepted once, lost with a reason, copied; every version word for word."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from canonical.values import business_day
from channel.pricing import quote_queries, quote_replaying, snapshots
from channel.pricing.errors import BadOffer, WrongQuoteState
from channel.pricing.quote_queries import Offer
from sync import cycle, quotes, quotes_upkeep
from sync.deal_results import results_of
from tests.quotes.shop import COST, RULES, VALVE_COST, Shop, wanted


def today() -> date:
    """The business day that the hub sees; asked when it is needed, for a run of all tests may go past midnight."""
    return business_day(datetime.now(UTC))


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


def through(shop: Shop, offer: Offer) -> Offer:
    """Submitted and sent."""
    quotes.submit(shop.hub, offer.number, shop.seller)
    return quotes.send(shop.hub, offer.number, shop.seller)


def test_a_quote_of_a_deal_carries_what_the_deal_knows_and_waits_until_it_is_won(shop: Shop) -> None:
    deal = shop.deal()
    offer = quotes.draft(shop.hub, wanted(dealer="", deal=deal), shop.seller)
    through(shop, offer)

    waiting = quotes.accept(shop.hub, offer.number, shop.seller)
    before = shop.one("SELECT count(*) AS n FROM orders")
    shop.deal(stage="won")
    cycle.derive(shop.hub)
    cycle.derive(shop.hub)

    assert (str(offer.dealer_id), str(offer.customer_id), offer.salesperson, offer.currency) == (shop.east, shop.mill, "XS001", "CNY")
    assert (waiting.order, waiting.waits, before) == (None, "the deal is not won", 0)
    (order,) = shop.rows("SELECT id, total, doc FROM orders")
    assert (order["total"], order["doc"]["deal"], order["doc"]["party"]) == (offer.total, deal, shop.east)
    assert quotes.accept(shop.hub, offer.number, shop.seller).order == order["id"]
    assert [one["action"] for one in events(shop, offer)] == ["draft", "submit", "send", "accept", "order"]


def events(shop: Shop, offer: Offer) -> list[dict[str, Any]]:
    return shop.rows("SELECT version, action, actor, before, after, facts FROM quote_event WHERE quote_id = %s ORDER BY id", offer.id)


def test_every_version_is_kept_word_for_word_and_can_be_priced_again(shop: Shop) -> None:
    offer = quotes.draft(shop.hub, wanted(("PUMP-50", "10", "2")), shop.seller)
    through(shop, offer)
    first = shop.rows("SELECT * FROM quote_version")
    shop.publish(RULES.replace('price: "1000"', 'price: "1100"'))

    revised = quotes.revise(shop.hub, offer.number, wanted(("PUMP-50", "12", "3")), shop.seller)

    kept = shop.rows("SELECT * FROM quote_version ORDER BY number")
    assert kept[0] == first[0]
    assert [one["net"] for one in kept] == [Decimal("9800.00"), Decimal("12804.00")]
    assert kept[0]["price_version"] < kept[1]["price_version"]
    assert (revised.state, revised.version, revised.sent_version) == ("draft", 2, 1)
    quote = shop.rows("SELECT stage, total, doc FROM quotes")[0]
    assert (quote["stage"], quote["total"], quote["doc"]["revision"]) == ("draft", Decimal("11074.00"), 1), "the customer knows version 1"
    with shop.hub.pool.connection() as db:
        assert [quote_replaying.replay(db, offer.id, number).same for number in (1, 2)] == [True, True]
    for statement in ("UPDATE quote_version SET net = 1", "DELETE FROM quote_event", "DELETE FROM quote_offer"):
        with pytest.raises(psycopg.errors.RestrictViolation), shop.hub.transaction() as db:
            db.execute(statement.encode())


def test_figures_of_a_waterfall_are_plain_also_where_they_were_kept_otherwise(shop: Shop) -> None:
    offer = quotes.draft(shop.hub, wanted(("PUMP-50", "10")), shop.seller)
    plain = shop.rows("SELECT answers::text AS told FROM quote_version")[0]["told"]
    with shop.hub.transaction() as db:  # as versions before had it
        db.execute("SET LOCAL session_replication_role = replica")
        db.execute('UPDATE quote_version SET answers = replace(answers::text, \'"after":"1000"\', \'"after":"1E+3"\')::json')
        db.execute("SET LOCAL session_replication_role = origin")

    with shop.hub.pool.connection() as connection:
        kept = quote_queries.version(connection, offer.id, 1)
        assert kept is not None
        told = kept.answers["ours"]["lines"][0]
        assert ("E+" in plain, told["list_price"], told["waterfall"][0]["after"]) == (False, "1000", "1000")
        assert quote_replaying.replay(connection, offer.id, 1).same


def test_what_a_version_pins_is_not_forgotten_however_old_it_is(shop: Shop) -> None:
    offer = quotes.draft(shop.hub, wanted(("PUMP-50", "10", "2")), shop.seller)
    with shop.hub.transaction() as db:
        db.execute("SET LOCAL session_replication_role = replica")
        db.execute("UPDATE price_asker SET named_on = '2020-01-01'")
        db.execute("SET LOCAL session_replication_role = origin")
        forgotten = snapshots.forget(db.connection, shop.today)

    assert forgotten == 0
    with shop.hub.pool.connection() as connection:
        told = quote_replaying.replay(connection, offer.id, 1)
        assert (told.same, told.pinned) == (True, True)


EVENT = "INSERT INTO quote_event (quote_id, version, action, actor, before, after) SELECT id, 1, {} FROM quote_offer"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE quote_offer SET state = 'accepted', closed_on = current_date, sent_version = 1, sent_on = current_date",
        EVENT.format("'accept', 'x', 'sent', 'accepted'"),
        EVENT.format("'accept', 'x', 'draft', 'accepted'"),
        EVENT.format("'submit', 'x', 'draft', 'approved'"),
    ],
    ids=["no event", "another chain", "no such step", "an event alone"],
)
def test_a_quote_moves_only_by_an_event_that_follows_from_the_last(shop: Shop, statement: str) -> None:
    quotes.draft(shop.hub, wanted(), shop.seller)

    with pytest.raises(psycopg.errors.CheckViolation), shop.hub.transaction() as db:
        db.execute(statement.encode())


def test_a_lost_quote_has_a_reason_that_is_a_code_and_ends_what_was_open(shop: Shop) -> None:
    offer = through(shop, quotes.draft(shop.hub, wanted(), shop.seller))

    with pytest.raises(BadOffer, match="no reason 'weather'"):
        quotes.lose(shop.hub, offer.number, shop.seller, "weather")
    lost = quotes.lose(shop.hub, offer.number, shop.seller, "competitor", "对手报价低 8 %")

    assert (lost.state, lost.lost_reason, lost.lost_text) == ("lost", "competitor", "对手报价低 8 %")
    assert shop.one("SELECT stage FROM quotes") == "rejected"
    with pytest.raises(WrongQuoteState):
        quotes.accept(shop.hub, offer.number, shop.seller)


def test_a_copy_is_priced_anew_and_may_differ(shop: Shop) -> None:
    offer = quotes.draft(shop.hub, wanted(("PUMP-50", "10", "2")), shop.seller)
    shop.publish(RULES.replace('price: "1000"', 'price: "1100"'))

    same = quotes.copy(shop.hub, offer.number, shop.seller)
    other = quotes.copy(shop.hub, offer.number, shop.seller, {"dealer": "D-WEST"})

    assert (same.copied_from, same.dealer_id, same.total) == (offer.id, offer.dealer_id, Decimal("12181.40"))
    assert str(other.dealer_id) == shop.west
    with pytest.raises(BadOffer, match="linse"):
        quotes.copy(shop.hub, offer.number, shop.seller, {"linse": []})


def test_a_charge_is_a_line_of_the_order_and_needs_a_product(shop: Shop) -> None:
    offer = through(shop, quotes.draft(shop.hub, wanted(terms=["送货"]), shop.seller))

    quotes.accept(shop.hub, offer.number, shop.seller)

    lines = shop.rows("SELECT doc FROM order_lines ORDER BY seq")
    assert [(one["doc"]["product"], one["doc"]["total"], one["doc"]["tax_rate"]) for one in lines] == [
        (shop.products["PUMP-50"], "11300", "0.13"),
        (shop.products["freight"], "327", "0.09"),
    ]
    assert shop.one("SELECT total FROM orders") == offer.total == Decimal("11627.00")
    shop.put("product", "freight", {"number": "freight-old", "name": "运费"})
    with pytest.raises(BadOffer, match="freight is the number of no product"):
        quotes.draft(shop.hub, wanted(terms=["送货"]), shop.seller)


def test_a_quote_that_is_over_is_accepted_by_nobody_and_a_new_version_opens_it_again(shop: Shop) -> None:
    offer = through(shop, quotes.draft(shop.hub, wanted(valid_to=today().isoformat()), shop.seller))
    with shop.hub.transaction() as db:
        db.execute("UPDATE quote_offer SET valid_to = valid_to - 1")

    with pytest.raises(BadOffer, match="was valid to"):
        quotes.accept(shop.hub, offer.number, shop.seller)
    ended = quotes_upkeep.look_after(shop.hub)
    revised = quotes.revise(shop.hub, offer.number, wanted(), shop.seller)

    assert ended.counts["expired"] == 1
    assert (revised.state, revised.closed_on) == ("draft", None)
    with pytest.raises(BadOffer, match="is over"):
        quotes.draft(shop.hub, wanted(valid_to="2020-01-01"), shop.seller)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"dealer": "D-NOBODY"}, "there is no dealer D-NOBODY"),
        ({"dealer": ""}, "nobody is named"),
        ({"deal": "D-1"}, "there is no deal D-1"),
        ({"company": "999"}, "there is no company 999"),
    ],
)
def test_what_is_not_there_is_refused_with_the_fix(shop: Shop, asked: dict[str, str], told: str) -> None:
    with pytest.raises(BadOffer, match=told) as refused:
        quotes.draft(shop.hub, wanted(**{"dealer": "D-EAST", **asked}), shop.seller)

    assert refused.value.next_step
    assert shop.one("SELECT count(*) AS n FROM quote_offer") == 0


def test_what_has_no_price_is_no_quote(shop: Shop) -> None:
    with pytest.raises(BadOffer, match="no price") as refused:
        quotes.draft(shop.hub, wanted(("freight", "1")), shop.seller)

    assert refused.value.errors[0]["where"] == "line 1"


def test_results_of_won_deals_tell_what_their_quotes_leave(shop: Shop) -> None:
    deal = shop.deal(stage="won")
    offer = through(shop, quotes.draft(shop.hub, wanted(("PUMP-50", "10"), ("VALVE-80", "3"), dealer="", deal=deal), shop.seller))
    quotes.accept(shop.hub, offer.number, shop.seller)

    [cell] = results_of(shop.hub, ("salesperson",), start=today(), end=today())

    assert (cell.key, cell.won, cell.quoted, cell.ordered) == (("CNY", "XS001"), 1, offer.total, offer.total)
    cost = 10 * Decimal(COST) + 3 * Decimal(VALVE_COST)
    assert (cell.costed, cell.net, cell.cost, cell.margin) == (1, Decimal(10_600), cost, 10_600 - cost)
