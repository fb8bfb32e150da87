"""What a system stores differently from what was sent."""

from __future__ import annotations

from typing import Any

import pytest

from sync.compare import rewritten

OURS, THEIRS = "安控 & 电力", "安控 ＆ 电力"


def write(accepted: dict[str, list[Any]], came_back: str) -> tuple[dict[str, list[Any]], dict[str, list[Any]], bool]:
    """One write of our value, and what is read back."""
    return rewritten(accepted, {"name": [came_back, OURS]}, just_written=True)


@pytest.mark.promise(3)
def test_a_value_that_comes_back_the_same_other_way_twice_counts_as_equal() -> None:
    left, kept, _ = write({}, THEIRS)
    assert left == {"name": [THEIRS, OURS]}

    left, kept, restless = write(kept, THEIRS)

    assert (left, restless) == ({}, False)
    assert rewritten(kept, {"name": [THEIRS, OURS]}, just_written=False)[0] == {}


@pytest.mark.promise(4)
def test_an_edit_there_is_not_accepted_though_the_field_is_one_that_the_system_rewrites() -> None:
    _, kept, _ = write({}, THEIRS)
    _, kept, _ = write(kept, THEIRS)
    for _ in range(3):
        left, kept, restless = rewritten(kept, {"name": ["乱改", OURS]}, just_written=False)
        assert (left, restless) == ({"name": ["乱改", OURS]}, False)

    left, kept, restless = write(kept, THEIRS)

    assert (left, restless) == ({}, False)


@pytest.mark.promise(3)
def test_a_value_that_comes_back_differently_each_time_is_never_written_a_third_time() -> None:
    _, kept, _ = write({}, "安控电力(1)")

    left, kept, restless = write(kept, "安控电力(2)")
    again, kept, still = rewritten(kept, {"name": ["安控电力(2)", OURS]}, just_written=False)
    other = {"name": ["安控电力(2)", OURS], "phone": ["1", "2"]}

    assert restless
    assert still
    assert left == again == {"name": ["安控电力(2)", OURS]}
    assert rewritten(kept, other, just_written=False) == ({"phone": ["1", "2"]}, kept, False), "its other fields still go"
    assert rewritten(kept, {"name": ["有人改了", OURS]}, just_written=False) == ({"name": ["有人改了", OURS]}, {}, False)


@pytest.mark.promise(3)
def test_a_new_value_of_ours_is_written_whatever_became_of_the_old_one() -> None:
    _, kept, _ = write({}, THEIRS)
    _, kept, _ = write(kept, THEIRS)

    left, kept, restless = rewritten(kept, {"name": [THEIRS, "新名"]}, just_written=False)

    assert (left, kept, restless) == ({"name": [THEIRS, "新名"]}, {}, False)
