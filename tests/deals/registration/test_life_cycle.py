"""What is done to a registration after it was made, by whom, and what is left in its history."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from channel.deals import acting, queries, review
from channel.deals.errors import NotExtendable, ProtectionsOverlap, RegistrationNotFound, StillHeld, UnknownDealer, WrongStatus
from channel.deals.protection import window_end
from channel.deals.service import check, register
from tests.deals.registration.helpers import HUAYI, LANSI, LANSI_AGAIN, UNSURE, YADU, add_policy, count, shift

Db = psycopg.Connection[Any]


def actions(db: Db, registration: UUID) -> list[tuple[str, str, str]]:
    """The history as action, actor and status after it."""
    return [(event.action, event.actor, event.after) for event in queries.events(db, registration)]


def test_an_approval_protects_from_now_and_keeps_the_place(db: Db, east: UUID, west: UUID) -> None:
    add_policy(db, product_line="水泵", approval="person", days=60)
    asked = register(db, east, replace(HUAYI, product_line="水泵"))

    approved = acting.approve(db, asked.id, "person:channel_manager", "资料齐全")

    assert approved.status == "protected"
    assert approved.submitted_at == asked.submitted_at
    assert approved.protected_until == window_end(queries.now(db), 60)
    assert actions(db, asked.id) == [
        ("register", f"dealer:{east}", "submitted"),
        ("approve", "person:channel_manager", "protected"),
    ]


def test_a_rejection_frees_the_customer(db: Db, east: UUID, west: UUID) -> None:
    add_policy(db, product_line="水泵", approval="person")
    claim = replace(HUAYI, product_line="水泵")
    asked = register(db, east, claim)

    rejected = acting.reject(db, asked.id, "person:channel_manager", "项目不存在")

    assert (rejected.status, rejected.protected_until) == ("rejected", None)
    assert register(db, west, claim).status == "submitted"


def test_released_and_taken_back_customers_are_free_at_once(db: Db, east: UUID, west: UUID) -> None:
    mine, other = register(db, east, HUAYI), register(db, east, LANSI)

    acting.release(db, mine.id, f"dealer:{east}", "客户取消项目", dealer_id=east)
    acting.take_back(db, other.id, "person:channel_manager", "违规")

    assert register(db, west, HUAYI).status == "protected"
    assert register(db, west, LANSI).status == "protected"
    assert count(db, "SELECT count(*) FROM registration WHERE isempty(protected)") == 0, "a range is closed, never emptied"


def test_a_dealer_acts_on_his_own_registrations_only(db: Db, east: UUID, west: UUID) -> None:
    mine = register(db, east, HUAYI)

    for call in (
        lambda: acting.release(db, mine.id, f"dealer:{west}", dealer_id=west),
        lambda: acting.extend(db, mine.id, f"dealer:{west}", ["报价"], dealer_id=west),
        lambda: acting.appeal(db, mine.id, west, "是我的"),
        lambda: acting.convert(db, mine.id, uuid4(), f"dealer:{west}", dealer_id=west),
        lambda: acting.found(db, uuid4(), west),
    ):
        with pytest.raises(RegistrationNotFound):
            call()


def test_an_extension_is_given_once_with_evidence(db: Db, east: UUID) -> None:
    made = register(db, east, HUAYI)
    with pytest.raises(NotExtendable, match="days left"):
        acting.extend(db, made.id, f"dealer:{east}", ["报价单 Q-1"])
    shift(db, made.id, 80)
    before = acting.found(db, made.id).ends
    assert before is not None

    extended = acting.extend(db, made.id, f"dealer:{east}", ["报价单 Q-1", "拜访 2027-02-03"], dealer_id=east)

    assert extended.protected_until == before + timedelta(days=30)
    assert queries.events(db, made.id)[-1].facts["evidence"] == ["报价单 Q-1", "拜访 2027-02-03"]
    with pytest.raises(NotExtendable, match="once already"):
        acting.extend(db, made.id, f"dealer:{east}", ["再来一次"])


def test_a_transfer_hands_over_the_rest_of_the_time(db: Db, east: UUID, west: UUID) -> None:
    made = register(db, east, HUAYI, amount=Decimal("880000.00"), currency="CNY")

    moved = acting.transfer(db, made.id, west, "person:channel_manager", "区域调整")

    assert acting.found(db, made.id).status == "transferred"
    assert (moved.status, moved.protected_until) == ("protected", made.protected_until)
    new = acting.found(db, moved.id, west)
    assert (new.previous_id, new.amount, new.currency) == (made.id, Decimal("880000.00"), "CNY")
    assert register(db, east, HUAYI).status == "rejected"
    with pytest.raises(UnknownDealer):
        acting.transfer(db, moved.id, uuid4(), "person:channel_manager", "")


def test_a_converted_registration_goes_on_protecting(db: Db, east: UUID, west: UUID) -> None:
    made = register(db, east, replace(HUAYI, project="二期泵房"), amount=Decimal(500_000), currency="CNY")
    deal = uuid4()

    converted = acting.convert(db, made.id, deal, f"dealer:{east}", dealer_id=east)

    assert (converted.status, converted.protected_until) == ("converted", made.protected_until)
    assert register(db, west, HUAYI).status == "rejected"
    assert acting.deal_fields(acting.found(db, made.id), None) == {
        "name": "二期泵房",
        "dealer": str(east),
        "currency": "CNY",
        "expected_amount": "500000",
        "source": "registration",
        "stage_kind": "qualify",
    }


def test_an_appeal_is_decided_by_a_person_once(db: Db, east: UUID, west: UUID) -> None:
    register(db, east, HUAYI)
    refused = register(db, west, HUAYI)

    assert acting.appeal(db, refused.id, west, "我们三月就在跟进").status == "appealed"
    assert acting.deny_appeal(db, refused.id, "person:director", "先报备先保护").status == "rejected"

    with pytest.raises(WrongStatus, match="decided already"):
        acting.appeal(db, refused.id, west, "再申诉")


def test_an_appeal_can_take_the_customer_from_its_holder(db: Db, east: UUID, west: UUID) -> None:
    first = register(db, east, HUAYI)
    refused = register(db, west, HUAYI)
    acting.appeal(db, refused.id, west, "合同为证")

    with pytest.raises(StillHeld):
        acting.grant_appeal(db, refused.id, "person:director", "合同为证")
    granted = acting.grant_appeal(db, refused.id, "person:director", "合同为证", end_holder=True)

    assert granted.status == "protected"
    ended = acting.found(db, first.id)
    assert (ended.status, ended.reason) == ("taken_back", "appeal_of_another")


def test_an_appeal_can_find_that_it_is_another_firm_for_ever(db: Db, east: UUID, west: UUID) -> None:
    first = register(db, east, LANSI)
    other = replace(LANSI, name="深圳市蓝思电子科技有限公司龙岗厂", phone="13900001111")
    refused = register(db, west, other)
    if refused.status != "rejected":  # the matcher told them apart or asks: then there is nothing to appeal
        db.execute("UPDATE registration SET status = 'rejected' WHERE id = %s", [refused.id])
        db.execute(
            "UPDATE registration SET customer_id = (SELECT customer_id FROM registration WHERE id = %s) WHERE id = %s",
            [first.id, refused.id],
        )
    acting.appeal(db, refused.id, west, "不是同一家")

    granted = acting.grant_appeal(db, refused.id, "person:director", "营业执照不同", other_firm=True)

    assert granted.status == "protected"
    assert acting.found(db, first.id).status == "protected"
    assert count(db, "SELECT count(*) FROM customers_apart") == 1


def test_a_held_claim_found_different_holds_with_its_own_clock(db: Db, east: UUID, west: UUID) -> None:
    register(db, east, LANSI)
    held = register(db, west, LANSI_AGAIN, rules=UNSURE)
    (doubt,) = review.list_open(db)

    decided = review.decide(db, held.id, doubt.customer_id, "different", "person:reviewer", "电话和地址不同")

    assert (decided.status, decided.submitted_at) == ("protected", held.submitted_at)
    assert review.list_open(db) == []
    assert [action for action, _, _ in actions(db, held.id)] == ["register", "found_different", "clear"]


def test_a_held_claim_found_the_same_is_refused_and_its_spelling_is_known_from_then_on(db: Db, east: UUID, west: UUID) -> None:
    first = register(db, east, LANSI)
    held = register(db, west, LANSI_AGAIN, rules=UNSURE)
    (doubt,) = review.list_open(db)

    decided = review.decide(db, held.id, doubt.customer_id, "same", "person:reviewer")

    assert (decided.status, decided.reason) == ("rejected", "protected")
    assert acting.found(db, held.id).customer_id == acting.found(db, first.id).customer_id
    assert acting.found(db, held.id).claimed_as != acting.found(db, first.id).customer_id, "un-merge can go back"
    assert check(db, west, LANSI_AGAIN).free == "no"


def test_a_held_claim_holds_when_the_earlier_one_ends(db: Db, east: UUID, west: UUID) -> None:
    first = register(db, east, LANSI)
    held = register(db, west, LANSI_AGAIN, rules=UNSURE)

    acting.release(db, first.id, f"dealer:{east}")

    assert acting.found(db, held.id).status == "protected"
    assert actions(db, held.id)[-1] == ("clear", "rule:nobody_earlier", "protected")


def test_of_two_that_wait_the_earlier_is_let_in(db: Db, east: UUID, west: UUID) -> None:
    from tests.deals.registration.helpers import add_dealer

    north = add_dealer(db, "沈阳北方机电有限公司")
    first = register(db, east, LANSI)
    second = register(db, west, LANSI_AGAIN, rules=UNSURE)
    third = register(db, north, replace(LANSI, name="深圳蓝思电子"), rules=UNSURE)
    assert (second.status, third.status) == ("held", "held")

    acting.release(db, first.id, f"dealer:{east}")

    assert [acting.found(db, one.id).status for one in (second, third)] == ["protected", "held"]


def test_two_protected_customers_found_to_be_one_are_a_case_not_a_silent_merge(db: Db, east: UUID, west: UUID) -> None:
    first, second = register(db, east, LANSI), register(db, west, YADU)
    customer = acting.found(db, first.id).customer_id
    db.execute("INSERT INTO registration_doubt (registration_id, customer_id, p) VALUES (%s, %s, 0.5)", [second.id, customer])

    with pytest.raises(ProtectionsOverlap, match=str(first.id)):
        review.decide(db, second.id, customer, "same", "person:reviewer")

    assert [acting.found(db, one.id).status for one in (first, second)] == ["protected", "protected"]
    assert len(review.list_open(db)) == 1, "the question is still open"


def test_a_direct_customer_is_protected_without_end(db: Db, east: UUID, west: UUID) -> None:
    made = register(db, east, HUAYI)
    customer = acting.found(db, made.id).customer_id
    with pytest.raises(StillHeld):
        acting.protect_direct(db, customer, "person:sales", "大客户直供")
    acting.release(db, made.id, f"dealer:{east}")

    direct = acting.protect_direct(db, customer, "person:sales", "大客户直供")

    refused = register(db, west, replace(HUAYI, product_line="水泵"))
    assert (refused.status, refused.reason) == ("rejected", "direct_customer")
    assert check(db, west, HUAYI).free == "no"
    assert acting.found(db, direct).ends is None
    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute("UPDATE registration SET protected = tstzrange(lower(protected), now() + interval '1 day') WHERE id = %s", [direct])
