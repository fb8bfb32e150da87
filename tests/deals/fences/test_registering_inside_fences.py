"""Registrations and fences: asked after identity and before the hold; what a dealer sees of it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import psycopg
import pytest

from channel.deals import fence_queries, fencing, review
from channel.deals.errors import BadFence, EndsBeforeItBegins, FenceNotFound, UnknownDealer
from channel.deals.fences import Fence
from channel.deals.matching import Claim
from channel.deals.registrations import open_field
from channel.deals.service import Rules, check, register
from tests.deals.registration.helpers import HUAYI, LANSI, LANSI_AGAIN, UNSURE, YADU, add_dealer

Db = psycopg.Connection[Any]


def fence(db: Db, dealer: UUID, **more: Any) -> Fence:
    made, _ = fencing.add(db, Fence(0, dealer, **more), "person:channel")
    return made


def test_an_exclusive_area_refuses_others_without_a_trace_of_who_holds_it(db: Db, east: UUID, west: UUID) -> None:
    held = fence(db, east, region="310000", exclusive=True)

    asked = check(db, west, HUAYI)
    refused = register(db, west, HUAYI)
    own_fence = fence(db, west, region="51")
    outside = register(db, west, LANSI)

    assert asked.free == "no"
    assert (refused.status, refused.reason, refused.protected_until) == ("rejected", "outside_area", None)
    assert (outside.status, outside.reason) == ("rejected", "outside_area")
    assert str(east) not in repr((asked, refused))
    assert [(hit.fence_id, hit.code, hit.effect, hit.subject) for hit in fence_queries.hits(db)] == [
        (held.id, "exclusive_of_another", "block", f"registration:{refused.id}"),
        (own_fence.id, "outside_own_area", "block", f"registration:{outside.id}"),
    ]
    assert register(db, east, HUAYI).status == "protected"


def test_a_flagging_fence_and_an_unknown_place_wait_for_a_person(db: Db, east: UUID, west: UUID) -> None:
    fence(db, east, region="31", outside="flag")
    fence(db, west, region="51", product_line="水泵")

    beyond = register(db, east, LANSI)
    unknown = register(db, west, Claim(name="华夏重工集团有限公司", product_line="水泵"))

    assert (beyond.status, beyond.reason) == ("submitted", "area_to_check")
    assert (unknown.status, unknown.reason) == ("submitted", "area_to_check")
    assert [hit.code for hit in fence_queries.hits(db)] == ["outside_own_area", "place_unknown"]


def test_who_is_protected_is_asked_before_the_fence_so_a_hit_is_no_duplicate(db: Db, east: UUID, west: UUID) -> None:
    register(db, east, HUAYI)
    fence(db, west, region="51")

    assert register(db, west, HUAYI).reason == "protected"
    assert fence_queries.hits(db) == []


def test_a_region_that_is_given_counts_more_than_what_the_name_says(db: Db, east: UUID) -> None:
    fence(db, east, region="51")

    assert register(db, east, YADU, region="510100").status == "protected"
    assert register(db, east, HUAYI, rules=Rules(fences=open_field)).status == "protected"


def test_a_dealer_below_another_uses_that_ones_areas(db: Db, east: UUID) -> None:
    below = add_dealer(db, "上海二级分销有限公司")
    db.execute("UPDATE parties SET parent_id = %s WHERE id = %s", [east, below])
    db.execute("UPDATE parties SET parent_id = %s WHERE id = %s", [below, east])  # a circle, as bad data has it
    fence(db, east, region="31", exclusive=True)

    assert register(db, below, HUAYI).status == "protected"
    assert register(db, below, LANSI).reason == "outside_area"


def test_a_fence_that_ended_stops_nobody(db: Db, east: UUID, west: UUID) -> None:
    held = fence(db, east, region="31", exclusive=True)
    fencing.end(db, held.id, "person:channel", last_day=date(2026, 1, 1))

    assert register(db, west, HUAYI).status == "protected"
    with pytest.raises(FenceNotFound):
        fencing.end(db, held.id, "person:channel")


def test_a_fence_without_a_place_that_exists_is_refused_and_a_contradiction_is_told(db: Db, east: UUID, west: UUID) -> None:
    first = fence(db, east, region="31", exclusive=True)

    made, against = fencing.add(db, Fence(0, west, region="310115", exclusive=True), "person:channel")

    assert made.region == "310115"
    assert [one.id for one in against] == [first.id]
    for wrong in (Fence(0, east, region="上海"), Fence(0, east, region="310"), Fence(0, east, industry="机械")):
        with pytest.raises(BadFence):
            fencing.add(db, wrong, "person:channel")
    with pytest.raises(EndsBeforeItBegins):
        fencing.add(db, Fence(0, east, valid_from=date(2027, 1, 1), valid_to=date(2026, 1, 1)), "person:channel")
    with pytest.raises(UnknownDealer):
        fencing.add(db, Fence(0, UUID(int=5)), "person:channel")
    assert fencing.add(db, Fence(0, east, region="320500", industry="34"), "person:channel")[0].industry == "C34"


def test_leads_are_suggested_to_active_dealers_with_a_fence(db: Db, east: UUID, west: UUID) -> None:
    blocked = add_dealer(db, "苏州停业设备有限公司", status="blocked")
    fence(db, east, region="32")
    fence(db, west, region="3205")
    fence(db, blocked, region="320505")

    assert [one.dealer_id for one in fencing.dealers_for(db, region="320505")] == [west, east]


def test_a_doubtful_claim_outside_of_the_area_still_waits_when_the_doubt_is_gone(db: Db, east: UUID, west: UUID) -> None:
    first = register(db, east, LANSI)
    fence(db, west, region="51", outside="flag")
    held = register(db, west, LANSI_AGAIN, rules=UNSURE)
    (doubt,) = review.list_open(db, waiting_only=True)

    told = review.decide(db, held.id, doubt.customer_id, "different", "person:channel")

    assert (first.status, held.status) == ("protected", "held")
    assert (told.status, told.reason) == ("submitted", "area_to_check")
