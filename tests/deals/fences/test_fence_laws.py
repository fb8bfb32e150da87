"""The rule of fences: what it says, and laws that hold for all fences."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channel.deals.fences import INSIDE, SENTENCES, Fence, Place, contradictions, cover, division, industry_path, judge, suggest

EAST, WEST, NORTH, PROVINCE = (UUID(int=number) for number in range(1, 5))
SHANGHAI_ONLY = Fence(1, EAST, region="31", exclusive=True)
DAY = date(2026, 11, 21)
STRICTNESS = {"allow": 0, "flag": 1, "block": 2}

dealers = st.sampled_from([EAST, WEST, NORTH])
regions = st.sampled_from(["", "31", "3101", "310115", "310000", "32", "3205", "320500"])
industries = st.sampled_from(["", "C", "C34", "34", "3441", "I", "65", "通用设备"])
lines = st.sampled_from(["", "水泵", "阀门"])
days = st.sampled_from([date.min, date(2026, 1, 1), DAY, date(2026, 12, 31), date.max])


@st.composite
def fences(draw: st.DrawFn, dealer: UUID | None = None) -> Fence:
    first, last = sorted([draw(days), draw(days)])
    return Fence(
        draw(st.integers(1, 10_000)),
        dealer or draw(dealers),
        division(draw(regions)),
        industry_path(draw(industries)),
        draw(lines),
        draw(st.booleans()),
        draw(st.sampled_from(["block", "flag"])),
        first,
        last,
    )


places = st.builds(
    Place, dealers, regions, industries, lines, st.sampled_from([None, DAY, date(2027, 3, 1)]), doubt=st.sampled_from(["ask", "trust"])
)


@given(places, st.lists(fences(), max_size=8), fences())
def test_law_a_fence_of_somebody_else_never_frees(place: Place, before: list[Fence], new: Fence) -> None:
    if new.dealer_id == place.dealer_id:
        return

    assert STRICTNESS[judge(place, [*before, new]).effect] >= STRICTNESS[judge(place, before).effect]


@given(places, st.lists(fences(), max_size=8))
def test_law_the_first_fence_of_ones_own_never_frees_unless_it_is_exclusive(place: Place, before: list[Fence]) -> None:
    others = [fence for fence in before if fence.dealer_id != place.dealer_id]
    first = Fence(99, place.dealer_id, region="31")

    assert STRICTNESS[judge(place, [*others, first]).effect] >= STRICTNESS[judge(place, others).effect]


@given(places, st.lists(fences(), max_size=8), st.data())
def test_law_a_further_area_of_ones_own_changes_nothing_beyond_it(place: Place, before: list[Fence], data: st.DataObject) -> None:
    new = data.draw(fences(place.dealer_id))
    own = [
        fence
        for fence in before
        if fence.dealer_id == place.dealer_id and (place.on is None or fence.valid_from <= place.on <= fence.valid_to)
    ]
    if not own or cover(new, place) != "no":
        return

    assert STRICTNESS[judge(place, [*before, new]).effect] >= STRICTNESS[judge(place, before).effect]


@given(places, st.lists(fences(), max_size=8), st.randoms(use_true_random=False))
def test_law_the_order_of_fences_does_not_matter(place: Place, some: list[Fence], chance: object) -> None:
    shuffled = list(some)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own Random

    assert judge(place, shuffled).effect == judge(place, some).effect


@given(places, st.lists(fences(), max_size=8))
def test_law_knowing_less_is_never_a_yes_that_knowing_more_refuses(place: Place, some: list[Fence]) -> None:
    """Leaving the region out gets nobody past a person."""
    if place.doubt == "trust":
        return
    blind = Place(place.dealer_id, "", place.industry, place.product_line, place.on)

    assert judge(blind, some).effect != "allow" or judge(place, some).effect == "allow"


@pytest.mark.parametrize(
    ("place", "effect", "code"),
    [
        (Place(EAST, "310115"), "allow", ""),
        (Place(EAST, "320500"), "block", "outside_own_area"),
        (Place(WEST, "310115"), "block", "exclusive_of_another"),
        (Place(WEST, "320500"), "allow", ""),
        (Place(WEST, ""), "flag", "perhaps_exclusive"),
        (Place(EAST, ""), "flag", "place_unknown"),
        (Place(EAST, "", doubt="trust"), "allow", ""),
        (Place(NORTH, "310115", above=(EAST,)), "allow", ""),
        (Place(NORTH, "320500", above=(EAST,)), "block", "outside_own_area"),
        (Place(NORTH, "310115", above=(PROVINCE,)), "block", "exclusive_of_another"),
    ],
    ids=[
        "his own area", "beyond it", "another's exclusive area", "beyond that", "place not known", "own place not known", "trusted",
        "under the dealer who holds it", "beyond the area of the dealer above", "under somebody else",
    ],
)  # fmt: skip
def test_one_exclusive_fence_and_who_meets_it(place: Place, effect: str, code: str) -> None:
    verdict = judge(place, [SHANGHAI_ONLY])

    assert (verdict.effect, verdict.code) == (effect, code)


def test_a_fence_counts_from_its_first_day_to_its_last() -> None:
    fence = Fence(1, EAST, region="31", exclusive=True, valid_from=date(2026, 11, 21), valid_to=date(2026, 12, 31))
    answers = [judge(Place(WEST, "31", on=date(2026, month, day)), [fence]).effect for month, day in ((11, 20), (11, 21), (12, 31))]

    assert [*answers, judge(Place(WEST, "31", on=date(2027, 1, 1)), [fence]).effect] == ["allow", "block", "block", "allow"]


def test_an_industry_is_met_with_or_without_its_section() -> None:
    pumps = Fence(1, EAST, industry=industry_path("34"), outside="flag")

    assert judge(Place(EAST, industry="C3441"), [pumps]).effect == "allow"
    assert judge(Place(EAST, industry="3441"), [pumps]).effect == "allow"
    assert judge(Place(EAST, industry="6510"), [pumps]).code == "outside_own_area"
    assert judge(Place(EAST, industry="C"), [pumps]).code == "place_unknown"
    assert judge(Place(EAST, industry="通用设备"), [pumps]).code == "place_unknown"


def test_what_a_dealer_is_told_does_not_say_that_somebody_holds_the_area() -> None:
    assert SENTENCES["outside_own_area"] == SENTENCES["exclusive_of_another"]
    assert SENTENCES["place_unknown"] == SENTENCES["perhaps_exclusive"]
    assert set(SENTENCES) == set(INSIDE)


def test_two_exclusive_fences_that_promise_one_place_to_two_dealers_are_told() -> None:
    pudong = Fence(2, WEST, region="310115", exclusive=True)
    suzhou = Fence(3, WEST, region="3205", exclusive=True)
    valves = Fence(4, NORTH, region="31", product_line="阀门", exclusive=True)
    over = Fence(5, NORTH, region="31", exclusive=True, valid_to=date(2020, 1, 1))
    later = Fence(6, NORTH, region="31", exclusive=True, valid_from=date(2020, 1, 2), valid_to=date(2020, 1, 3))

    assert contradictions([SHANGHAI_ONLY, pudong, suzhou]) == [(SHANGHAI_ONLY, pudong)]
    assert contradictions([SHANGHAI_ONLY, valves]) == [(SHANGHAI_ONLY, valves)]
    assert contradictions([over, later]) == []


def test_a_lead_goes_to_the_exclusive_then_the_narrower_then_the_less_busy_dealer() -> None:
    wide, narrow = Fence(1, WEST, region="31"), Fence(2, NORTH, region="310115")
    busy = Fence(3, PROVINCE, region="310115")
    at = Place(UUID(int=0), "310115", on=DAY)

    assert [one.dealer_id for one in suggest(at, [wide, narrow, busy], {PROVINCE: 4})] == [NORTH, PROVINCE, WEST]
    assert [one.dealer_id for one in suggest(at, [wide, narrow, SHANGHAI_ONLY], {})] == [EAST]
    assert suggest(Place(UUID(int=0), ""), [narrow], {}) == []
