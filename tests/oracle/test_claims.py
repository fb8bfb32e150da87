"""The judge of claims says what is wrong, and nothing of what is right."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle.claims import DEALERS, Decided, Entered, judge_claims

EAST, WEST = DEALERS
ENTERED = [Entered("1", 0, 0, EAST), Entered("2", 0, 1, WEST)]
WHY = "该客户目前不能登记 / This customer cannot be registered at present"


def deals(first: dict[str, Any], second: dict[str, Any]) -> list[dict[str, Any]]:
    """What the CRM shows of the two deals."""
    usual = {"Protection_State": "protected", "Protected_Until": "2027-02-19", "Refusal_Reason": None}
    refused = {"Protection_State": "rejected", "Protected_Until": None, "Refusal_Reason": WHY}
    return [{"id": "1", **usual, **first}, {"id": "2", **refused, **second}]


DECIDED = [Decided("1", "protected", "2027-02-19"), Decided("2", "rejected", "2026-11-21")]
BOTH = [DECIDED[0], Decided("2", "protected", "2027-02-19")]
AS_FIRST = {"Protection_State": "protected", "Protected_Until": "2027-02-19", "Refusal_Reason": None}


def test_one_protected_and_one_refused_is_right() -> None:
    assert judge_claims(deals({}, {}), ENTERED, DECIDED) == []


@pytest.mark.parametrize(
    ("shown", "decided", "what"),
    [
        (deals({}, AS_FIRST), BOTH, "two dealers hold one firm"),
        (deals({}, {"Protection_State": None}), DECIDED, "no decision"),
        (deals({}, {}), DECIDED[:1], "no decision"),
        (deals({}, {"Protection_State": "held"}), DECIDED, "differs"),
        (deals({"Protected_Until": "2027-02-20"}, {}), DECIDED, "differs"),
        (deals({}, {"Refusal_Reason": None}), DECIDED, "differs"),
        (deals({}, {"Refusal_Reason": f"{EAST} 已登记"}), DECIDED, "names another"),
        (deals({"Protection_State": "released", "Protected_Until": None, "Refusal_Reason": WHY}, {}), DECIDED, "nobody holds it"),
    ],
)
def test_it_tells_what_is_wrong(shown: list[dict[str, Any]], decided: list[Decided], what: str) -> None:
    assert what in {one.what for one in judge_claims(shown, ENTERED, decided)}


def test_two_firms_that_a_person_told_apart_may_have_two_dealers() -> None:
    assert judge_claims(deals({}, AS_FIRST), ENTERED, BOTH, apart=[0]) == []
