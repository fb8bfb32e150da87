"""A doubtful pair is looked at again as a claim is: brand against brand, beside what else is alike."""

from __future__ import annotations

from channel.deals.matching.names import parse
from channel.parties import second_look
from channel.parties.resolving import resolve

ALONE = (4, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
"""Four units each, and nobody shares anything."""


def _bits(one: str, other: str, *meeting: str, first: float = 0.0) -> float:
    seen = second_look.levels(first, second_look.said(parse(one)), second_look.said(parse(other)), meeting or ("none",) * 4, ALONE)
    return second_look.frozen().bits(seen)


def test_each_feature_has_one_level_and_each_weight_a_feature() -> None:
    seen = second_look.levels(0.0, None, second_look.said(parse("深圳市琏升科技有限公司")), ("none",) * 4, ALONE)

    assert len(seen) == len(second_look.MAINS)
    assert all(name in second_look.MAINS for pair in second_look.CROSSED for name in pair)
    assert all(second_look.frozen().mains[second_look.MAINS.index(name)] for name in ("brand", "trade", "street"))


def test_another_trade_says_more_against_one_firm_than_a_shorter_one() -> None:
    name = "深圳市琏升电子科技有限公司"

    assert _bits(name, "深圳市琏升电子有限公司") > _bits(name, "深圳市琏升餐饮管理有限公司")


def test_the_same_room_speaks_for_a_wrong_character() -> None:
    one, other = "杭州市宏川瑞机械有限公司", "杭州市宏州瑞机械有限公司"

    assert _bits(one, other, "none", "none", "room", "same") > _bits(one, other, "none", "none", "differ", "same")


def test_firms_of_a_family_stay_apart_and_a_wrong_character_at_one_door_does_not_part() -> None:
    found = resolve(
        [
            ("a", "杭州市宏川瑞机械有限公司", "", "", "王建国", "杭州", "西湖区文三路12号3栋501室"),
            ("b", "杭州宏州瑞机械", "", "", "王建国", "杭州", "西湖区文三路12号3栋501室"),
            ("c", "杭州宏川瑞餐饮管理有限公司", "", "0571-88123456", "李敏", "杭州", "滨江区江南大道9号"),
        ]
    )

    assert found.clusters == [["a", "b"]]
