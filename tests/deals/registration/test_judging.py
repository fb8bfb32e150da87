"""What becomes of a claim, as a pure decision: first registered, first protected."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from channel.deals.registrations import FenceVerdict, Hold, Likely, Ruling, judge

MINE, OTHER = UUID(int=1), UUID(int=2)
SURE, MAYBE = Decimal("0.97"), Decimal("0.4")
NO_FENCE = FenceVerdict()


def same(customer: int) -> Likely:
    return Likely(customer, SURE, same=True)


def maybe(customer: int) -> Likely:
    return Likely(customer, MAYBE, same=False)


def hold(customer: int, dealer: UUID | None, number: int = 100) -> Hold:
    return Hold(UUID(int=number + customer), customer, dealer, "protected")


def ruled(likely: list[Likely], holds: list[Hold], *, fence: FenceVerdict = NO_FENCE, apart: set[frozenset[int]] | None = None) -> Ruling:
    return judge(MINE, likely, holds, apart or set(), fence, "rule")


def test_a_firm_that_nobody_knows_is_protected() -> None:
    ruling = ruled([], [])

    assert (ruling.outcome, ruling.customer_id, ruling.free) == ("protected", None, "yes")


def test_a_known_customer_that_nobody_holds_is_protected() -> None:
    ruling = ruled([same(7)], [])

    assert (ruling.outcome, ruling.customer_id, ruling.free) == ("protected", 7, "yes")


def test_a_customer_of_another_dealer_is_refused() -> None:
    ruling = ruled([same(7)], [hold(7, OTHER)])

    assert (ruling.outcome, ruling.reason, ruling.free) == ("rejected", "protected", "no")


def test_a_direct_customer_is_refused_and_named_as_such_even_when_a_dealer_holds_a_copy() -> None:
    ruling = ruled([same(7), same(8)], [hold(7, OTHER), hold(8, None)])

    assert (ruling.outcome, ruling.reason) == ("rejected", "direct_customer")


def test_a_doubtful_claim_waits_while_the_earlier_keeps_the_customer() -> None:
    ruling = ruled([maybe(7)], [hold(7, OTHER)])

    assert (ruling.outcome, ruling.customer_id, ruling.free) == ("held", None, "maybe")
    assert [doubt.customer_id for doubt in ruling.doubts] == [7]


def test_a_likeness_to_a_customer_that_nobody_holds_is_no_reason_to_wait() -> None:
    ruling = ruled([maybe(7)], [])

    assert (ruling.outcome, ruling.free) == ("protected", "yes")
    assert [doubt.customer_id for doubt in ruling.doubts] == [7], "a person still compares the two"


def test_a_free_customer_that_may_be_one_held_under_another_spelling_waits() -> None:
    ruling = ruled([same(7), maybe(8)], [hold(8, OTHER)])

    assert (ruling.outcome, ruling.customer_id) == ("held", 7)


def test_a_pair_that_a_person_has_told_apart_is_no_doubt_again() -> None:
    ruling = ruled([same(7), maybe(8)], [hold(8, OTHER)], apart={frozenset((7, 8))})

    assert (ruling.outcome, ruling.doubts) == ("protected", ())


def test_what_the_dealer_holds_already_is_his() -> None:
    ruling = ruled([same(7)], [hold(7, MINE)])

    assert (ruling.outcome, ruling.free) == ("already_yours", "no")


def test_a_fence_is_asked_after_identity() -> None:
    outside = FenceVerdict("block", "outside_area")

    assert ruled([same(7)], [hold(7, OTHER)], fence=outside).reason == "protected"
    assert ruled([same(7)], [], fence=outside).reason == "outside_area"
    assert ruled([same(7)], [], fence=FenceVerdict("flag", "border")).outcome == "submitted"


def test_a_policy_can_ask_a_person_first() -> None:
    assert judge(MINE, [], [], set(), NO_FENCE, "person").outcome == "submitted"
