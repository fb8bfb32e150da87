"""What may be granted: within the band at once, beyond it after an approval, and never more by splitting."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channel.pricing.errors import BadOffer, NotApprover, QuoteRefused, WrongQuoteState
from sync import answering, quotes
from tests.quotes.shop import COST, FLOOR, RULES, Shop, open_shop, wanted


def asked(shop: Shop) -> list[dict[str, Any]]:
    return shop.rows("SELECT id::text AS id, decision, doc FROM approvals ORDER BY id")


def waiting(shop: Shop, percent: str = "10") -> Any:
    offer = quotes.draft(shop.hub, wanted(("PUMP-50", "10", percent)), shop.seller)
    return quotes.submit(shop.hub, offer.number, shop.seller)


def test_beyond_the_band_somebody_is_asked_with_the_quote_and_without_its_cost(shop: Shop) -> None:
    told = waiting(shop)

    (question,) = asked(shop)
    assert (told.offer.state, told.verdict.level, told.verdict.role) == ("submitted", 1, "区域经理")
    facts = question["doc"]["facts"]
    assert (question["decision"], question["doc"]["about"], facts["level"]) == ("open", f"quote:{told.offer.id}", 1)
    assert facts["zh"].startswith(f"报价 {told.offer.number} (苏州恒信机电有限公司")
    assert COST not in str(question)
    assert FLOOR not in str(question)
    with pytest.raises(WrongQuoteState, match="submit it first"):
        quotes.send(shop.hub, told.offer.number, shop.seller)


def test_an_approval_lets_it_go_out_and_a_refusal_does_not(shop: Shop) -> None:
    yes, no = waiting(shop), waiting(shop, "12")

    first, second = asked(shop)
    answering.answer(shop.hub, first["id"], "approved", "api:王经理", "大客户")
    answering.answer(shop.hub, second["id"], "rejected", "api:王经理", "毛利太低")

    assert quotes.send(shop.hub, yes.offer.number, shop.seller).state == "sent"
    with pytest.raises(WrongQuoteState):
        quotes.send(shop.hub, no.offer.number, shop.seller)
    assert [one["decision"] for one in asked(shop)] == ["approved", "rejected"]
    kinds = shop.rows("SELECT doc->>'kind' AS kind, doc->'facts'->>'zh' AS zh FROM notices ORDER BY id")
    assert [one["kind"] for one in kinds][:2] == ["quote_approved", "quote_refused"]
    assert kinds[1]["zh"] == f"报价 {no.offer.number} 未获批准"


def test_nobody_approves_his_own_and_only_the_named_decide_for_a_role(shop: Shop, database: str) -> None:
    waiting(shop)
    (question,) = asked(shop)
    with pytest.raises(NotApprover, match="himself"):
        answering.answer(shop.hub, question["id"], "approved", shop.seller.by)

    with open_shop(database, {"approvers": {"区域经理": ["api:王经理"]}}) as named:
        with pytest.raises(NotApprover, match="does not decide for 区域经理"):
            answering.answer(named, question["id"], "approved", "api:韩梅梅")
        answering.answer(named, question["id"], "approved", "api:王经理")

    assert shop.one("SELECT state FROM quote_offer") == "approved"


def test_a_new_version_takes_the_question_back_and_what_was_approved_holds_only_for_the_same(shop: Shop) -> None:
    told = waiting(shop)
    number = told.offer.number
    quotes.revise(shop.hub, number, wanted(("PUMP-50", "10", "10")), shop.seller)
    assert [one["decision"] for one in asked(shop)] == ["withdrawn"]

    quotes.submit(shop.hub, number, shop.seller)
    answering.answer(shop.hub, asked(shop)[1]["id"], "approved", "api:王经理")
    quotes.revise(shop.hub, number, wanted(("PUMP-50", "10", "10")), shop.seller)
    same = quotes.submit(shop.hub, number, shop.seller)
    quotes.revise(shop.hub, number, wanted(("PUMP-50", "10", "11")), shop.seller)
    changed = quotes.submit(shop.hub, number, shop.seller)

    assert (same.asked, same.offer.state) == (False, "approved")
    assert (changed.asked, changed.offer.state) == (True, "submitted")


def test_what_nobody_may_grant_is_refused_and_stays_a_draft(shop: Shop) -> None:
    offer = quotes.draft(shop.hub, wanted(("PUMP-50", "10", "40")), shop.seller)

    with pytest.raises(QuoteRefused):
        quotes.submit(shop.hub, offer.number, shop.seller)

    assert shop.one("SELECT state FROM quote_offer") == "draft"
    assert asked(shop) == []


def test_a_margin_below_the_limit_needs_the_head_though_the_discount_does_not(shop: Shop) -> None:
    shop.publish(RULES.replace("713.8463", "800"))

    told = waiting(shop, "15")

    assert (told.verdict.level, told.verdict.role) == (2, "总部")  # (850 - 800) / 850 = 5.9 %: below 10 %


def test_the_second_half_of_a_large_quote_needs_what_the_whole_needed(shop: Shop) -> None:
    first = quotes.draft(shop.hub, wanted(("PUMP-50", "60", "4")), shop.seller)
    second = quotes.draft(shop.hub, wanted(("PUMP-50", "60", "4")), shop.seller)

    one = quotes.submit(shop.hub, first.number, shop.seller)
    two = quotes.submit(shop.hub, second.number, shop.seller)

    assert (one.verdict.result, one.verdict.deal_size) == ("auto", Decimal(60_000))
    assert (two.verdict.result, two.verdict.level, two.verdict.deal_size) == ("approval", 1, Decimal(120_000))
    facts = shop.rows("SELECT facts FROM quote_event WHERE quote_id = %s AND action = 'submit'", second.id)[0]["facts"]
    assert facts["counted"] == [first.number]


def test_what_was_lost_or_is_of_another_deal_does_not_count(shop: Shop) -> None:
    other = quotes.draft(shop.hub, wanted(("PUMP-50", "60", "4"), deal=shop.deal(key="a")), shop.seller)
    quotes.submit(shop.hub, other.number, shop.seller)
    lost = quotes.draft(shop.hub, wanted(("PUMP-50", "60", "4"), deal=shop.deal(key="b")), shop.seller)
    quotes.submit(shop.hub, lost.number, shop.seller)
    quotes.lose(shop.hub, lost.number, shop.seller, "price")
    mine = quotes.draft(shop.hub, wanted(("PUMP-50", "60", "4"), deal=shop.deal(key="b")), shop.seller)

    assert quotes.submit(shop.hub, mine.number, shop.seller).verdict.result == "auto"


def test_what_counts_in_another_currency_is_converted_and_without_a_rate_refused(shop: Shop) -> None:
    fx = "fx: [{from: USD, to: CNY, rate: '7'}]\n"
    shop.publish(RULES + fx)
    dollars = quotes.draft(shop.hub, wanted(("PUMP-50", "60", "4"), currency="USD"), shop.seller)
    quotes.submit(shop.hub, dollars.number, shop.seller)
    yuan = quotes.draft(shop.hub, wanted(("PUMP-50", "60", "4")), shop.seller)
    counted = quotes.submit(shop.hub, yuan.number, shop.seller).verdict
    third = quotes.draft(shop.hub, wanted(("PUMP-50", "1")), shop.seller)

    shop.publish()

    assert counted.result == "approval"
    assert abs(counted.deal_size - 120_000) < Decimal("0.01")
    with pytest.raises(BadOffer, match="is in USD"):
        quotes.submit(shop.hub, third.number, shop.seller)


LINES = st.lists(st.tuples(st.integers(1, 90), st.integers(0, 28)), min_size=2, max_size=5)
LEVELS = {"auto": 0, "approval": 0, "refused": 9}
DEALS: Iterator[int] = count(1)


def need(shop: Shop, lines: list[tuple[int, int]], deal: str) -> int:
    """The level that submitting these lines of one deal needs; 9 where nobody may grant them."""
    asks = [("PUMP-50" if percent % 2 else "VALVE-80", str(quantity), str(percent)) for quantity, percent in lines]
    offer = quotes.draft(shop.hub, wanted(*asks, deal=deal), shop.seller)
    try:
        return quotes.submit(shop.hub, offer.number, shop.seller).verdict.level
    except QuoteRefused:
        return LEVELS["refused"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, cut=st.integers(1, 4))
def test_law_splitting_a_quote_gains_nothing(shop: Shop, lines: list[tuple[int, int]], cut: int) -> None:
    """Invariant 18: whoever splits a quote needs, with one of the parts, at least what the whole needed."""
    at = min(cut, len(lines) - 1)
    whole = need(shop, lines, shop.deal(key=f"whole {next(DEALS)}"))
    deal = shop.deal(key=f"parts {next(DEALS)}")

    parts = [need(shop, part, deal) for part in (lines[:at], lines[at:])]

    assert max(parts) >= whole
