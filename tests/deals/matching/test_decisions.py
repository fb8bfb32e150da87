"""Decisions on the cases that people argue about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from channel.deals.matching import DEFAULT, Claim, Decision, Index, Known, decide, prepare
from channel.deals.matching.deciding import weights
from channel.deals.matching.explaining import SENTENCES

LANSI = Claim(
    name="深圳市琏升科技有限公司",
    uscc="91440300708461136T",
    phone="0755-26781234",
    contact="张伟",
    city="深圳市",
    address="深圳市南山区科技园路12号3栋501室",
)
FILLING = [
    Claim(name=f"{city}{brand}{trade}有限公司", phone=f"1380013{number:04d}", contact="李强", city=city)
    for number, (city, brand, trade) in enumerate(
        (city, brand, trade)
        for city in ("广州市", "苏州市", "杭州市")
        for brand in ("宏发", "联众", "天润", "海德")
        for trade in ("科技", "贸易", "机械设备")
    )
]


def ask(claim: Claim, *known: Claim, **policy: Any) -> Decision:
    """The decision on a claim against these customers (1, 2, …) among others."""
    index = Index.build(
        [
            *(Known(place, prepare(one)) for place, one in enumerate(known, 1)),
            *(Known(f"other {place}", prepare(one)) for place, one in enumerate(FILLING)),
        ]
    )
    one = prepare(claim)
    return decide(one, index.candidates(one), index.hot, replace(DEFAULT, **policy))


SAME = {
    "the same": LANSI,
    "a homophone": replace(LANSI, name="深圳市链升科技有限公司", uscc=""),
    "in pinyin": replace(LANSI, name="Shenzhen Liansheng Technology Co., Ltd.", uscc=""),
    "traditional": replace(LANSI, name="深圳市璉升科技有限公司", uscc="", phone=""),
    "with marks and a note": replace(LANSI, name="深圳市琏·升 科技有限公司（二期）", uscc=""),
    "another name, the same valid code": Claim(name="北京完全不同商贸有限公司", uscc="91440300708461136T"),
    "code in lower case with blanks": Claim(name="某公司", uscc="9144 0300 7084 6113 6t"),
}


@pytest.mark.parametrize("claim", SAME.values(), ids=SAME.keys())
def test_one_firm_under_other_spellings_is_a_duplicate(claim: Claim) -> None:
    decision = ask(claim, LANSI)

    assert (decision.verdict, decision.rid, decision.relation) == ("duplicate", 1, "same")


OTHERS = {
    "the same brand and trade in another city": Claim(name="成都市琏升科技有限公司", city="成都市", phone="028-87654321", contact="赵敏"),
    "the same brand in the same city with another trade": Claim(
        name="深圳市琏升餐饮管理有限公司", city="深圳市", phone="0755-88887777", contact="赵敏"
    ),
    "all alike but for two valid codes": replace(LANSI, uscc="91350100M000100Y43"),
    "a stranger": Claim(name="成都市翠微岚食品有限公司", city="成都市"),
    "only the phone of many": Claim(name="杭州云栖餐饮管理有限公司", phone="13900000000"),
}


@pytest.mark.parametrize("claim", OTHERS.values(), ids=OTHERS.keys())
def test_another_firm_is_not_blocked(claim: Claim) -> None:
    sharing = [
        replace(one, phone="13900000000", name=f"上海{brand}咨询有限公司")
        for one, brand in zip(FILLING, "甲乙丙丁戊己庚辛壬癸", strict=False)
    ]

    assert ask(claim, LANSI, *sharing).verdict != "duplicate"


def test_two_valid_codes_are_two_firms_whatever_else_is_alike() -> None:
    decision = ask(replace(LANSI, uscc="91350100M000100Y43"), LANSI)

    assert decision.verdict == "new"
    assert decision.p < 1e-3


def test_a_wrong_code_is_mended_against_the_candidates_and_never_silently_new() -> None:
    mended = ask(Claim(name="", uscc="9144030070846113G1"[:17] + "T"), LANSI)
    unknown = ask(Claim(name="成都市翠微岚食品有限公司", uscc="91350100M000100Y44"), LANSI)

    assert mended.verdict == "review"
    assert unknown.verdict == "review"
    assert any(reason.feature == "problem" and reason.value == "code_wrong" for reason in unknown.reasons)
    assert ask(Claim(name="成都市翠微岚食品有限公司", uscc="91350100M000100Y44"), LANSI, wrong_code="new").verdict == "new"


def test_a_branch_is_told_as_a_branch_and_judged_by_policy() -> None:
    claim = Claim(name="深圳市琏升科技有限公司广州分公司", city="广州市")

    assert (ask(claim, LANSI).verdict, ask(claim, LANSI).relation) == ("review", "branch_of")
    assert ask(claim, LANSI, branch="duplicate").verdict == "duplicate"
    assert ask(claim, LANSI, branch="new").verdict == "new"
    assert ask(LANSI, replace(claim, uscc="")).relation == "parent_of"
    assert ask(claim, replace(claim, name="深圳市琏升科技有限公司成都分公司", city="成都市")).relation == "sibling_branch"
    assert ask(claim, claim).relation == "same"


def test_a_brand_alone_that_many_firms_share_goes_to_a_person_not_to_the_first_of_them() -> None:
    family = [
        Claim(name=f"{city}琏升{trade}有限公司", city=city)
        for city, trade in (("深圳市", "科技"), ("成都市", "贸易"), ("武汉市", "餐饮管理"), ("西安市", "物流"))
    ]
    decision = ask(Claim(name="琏升"), *family)

    assert decision.verdict != "duplicate"
    assert {rid for rid, _ in decision.candidates[:4]} == {1, 2, 3, 4}


def test_two_rows_of_one_firm_from_two_systems_do_not_compete() -> None:
    alone = ask(replace(LANSI, uscc=""), LANSI)
    twice = ask(replace(LANSI, uscc=""), LANSI, replace(LANSI, uscc="", contact=""))

    assert twice.verdict == alone.verdict == "duplicate"
    assert abs(twice.p - alone.p) < 0.01


def test_a_former_or_english_name_is_an_alias_with_keys_of_its_own() -> None:
    renamed = replace(LANSI, aliases=("深圳市宏图远景实业有限公司", "Hisense Visual Technology Co., Ltd."))

    assert ask(Claim(name="深圳宏图远景实业", phone="0755-26781234"), renamed).rid == 1
    assert ask(Claim(name="Hisense Visual Technology", city="深圳"), renamed).rid == 1


def test_a_direct_customer_is_told_as_one() -> None:
    one = prepare(LANSI)

    assert decide(one, [Known(7, one, direct=True)]).direct


def test_no_candidates_is_new_and_nothing_to_compare_is_a_question() -> None:
    assert ask(Claim(name="成都市翠微岚食品有限公司")).verdict == "new"
    assert decide(prepare(Claim()), []).verdict == "review"


def test_the_weights_of_the_reasons_add_up_to_the_points() -> None:
    decision = ask(replace(LANSI, uscc="", contact="李四"), LANSI)

    assert decision.evidence.scores[0].points == pytest.approx(sum(reason.weight for reason in decision.reasons), abs=0.01)


def test_every_level_has_a_weight_or_none_and_a_sentence_in_both_languages() -> None:
    for feature, levels in weights().items():
        for level in levels:
            chinese, english = SENTENCES[feature][level]
            assert chinese
            assert english.isascii()


@pytest.mark.parametrize("said", ["西安秦川传动有限公司", "西安市秦川传动有限公司", "(西安)秦川传动有限公司"])
def test_one_registered_name_in_one_place_is_one_firm_though_no_trade_word_is_known_in_it(said: str) -> None:
    known = Known("1", prepare(Claim(name="西安秦川传动有限公司")))

    assert decide(prepare(Claim(name=said)), [known], {}).verdict == "duplicate"
    assert decide(prepare(Claim(name="秦川传动有限公司")), [known], {}).verdict != "duplicate"
