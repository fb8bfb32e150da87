"""Laws of matching: whatever comes, the same answer twice, in any order, and one that can be replayed."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.matching_data import Row, world
from channel.deals.matching import (
    CANDIDATES,
    Claim,
    Decision,
    Index,
    Known,
    StaleVersion,
    Thresholds,
    decide,
    keys_of,
    load_prepared,
    prepare,
    replay,
)

WORLD = world(9, 1_500, 120, partial=0.3)
INDEX = Index.build(Known(row.rid, prepare(row.claim)) for row in WORLD.rows)

anything = st.text(max_size=60)
claims = st.builds(
    Claim, name=anything, uscc=anything, phone=anything, contact=anything, city=anything, address=anything, aliases=st.tuples(anything)
)
real_claims = st.sampled_from([query.claim for query in WORLD.queries])


@given(claims)
@settings(max_examples=300, deadline=None)
def test_law_preparing_is_deterministic_and_survives_the_database(claim: Claim) -> None:
    one = prepare(claim)

    assert prepare(claim) == one
    assert load_prepared(one.dump()) == one
    assert load_prepared(one.dump()).dump() == one.dump()


@given(claims)
@settings(max_examples=300, deadline=None)
def test_law_keys_are_ascending_distinct_bigints(claim: Claim) -> None:
    keys = keys_of(prepare(claim))

    assert keys == sorted(set(keys))
    assert all(-(2**63) <= key < 2**63 for key in keys)
    assert len(keys) <= 120


@given(real_claims)
@settings(max_examples=60, deadline=None)
def test_law_a_cleaned_name_means_the_same_as_the_raw_one(claim: Claim) -> None:
    one = prepare(claim)
    if one.names:
        again = prepare(replace(claim, name=one.names[0].text))

        assert (again.names[0].core, again.names[0].region) == (one.names[0].core, one.names[0].region)


@given(real_claims, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_law_the_order_of_candidates_does_not_matter(claim: Claim, chance: Random) -> None:
    one = prepare(claim)
    found = INDEX.candidates(one)
    shuffled = list(found)
    chance.shuffle(shuffled)

    assert decide(one, shuffled, INDEX.hot) == decide(one, found, INDEX.hot)
    assert len(found) <= CANDIDATES


@given(real_claims)
@settings(max_examples=60, deadline=None)
def test_law_a_decision_replays_from_its_record(claim: Claim) -> None:
    one = prepare(claim)
    decision = decide(one, INDEX.candidates(one), INDEX.hot, Thresholds(duplicate=0.8))
    record = json.loads(json.dumps(decision.as_record(), ensure_ascii=False))
    again = replay(record)

    assert isinstance(again, Decision)
    assert again == decision
    assert again.as_record() == decision.as_record()


@given(st.sampled_from(WORLD.rows), st.sampled_from(WORLD.rows))
@settings(max_examples=80, deadline=None)
def test_law_sharing_a_key_is_mutual(one: Row, other: Row) -> None:
    a, b = prepare(one.claim), prepare(other.claim)
    there = [known.rid for known in Index.build([Known("b", b)]).candidates(a)]
    back = [known.rid for known in Index.build([Known("a", a)]).candidates(b)]

    assert bool(there) == bool(back) == bool(set(keys_of(a)) & set(keys_of(b)))


def test_a_record_of_another_version_is_refused_by_name() -> None:
    stale = prepare(Claim(name="深圳市蓝思科技有限公司")).dump().replace(prepare(Claim()).version, "2025.1.0")

    with pytest.raises(StaleVersion, match=r"2025\.1\.0"):
        load_prepared(stale)


ODD = {
    "empty": "",
    "blank": " 　\t\n",
    "long": "深圳市蓝思科技有限公司" * 500,
    "long latin": "A" * 5_000,
    "long pinyin": "lan" * 2_000,
    "brackets": "(" * 2_500 + ")" * 2_500,
    "half brackets": "深圳（" * 1_600,
    "spaces": "深 " * 2_500,
    "digits": "1" * 5_000,
    "expanding": "\ufdfa" * 5_000,
    "combining": "a" + "\u0301" * 5_000,
    "emoji": "😀👨‍👩‍👧‍👦🏢" * 20,
    "marks": "！@#￥%……&*（）——+",
    "phone": "138 0013 8000",
    "landline": "0755-26781234转801",
    "sql": "'; DROP TABLE customer; --",
    "like": "%_%__\\%",
    "lone surrogate": "深圳\ud800蓝思科技\udfff",
    "nul": "深圳\x00蓝思\x00科技",
    "bidi": "\u202e司公限有技科思蓝",
    "private": "\ue000\ue001\uf8ff",
    "regions only": "广东省深圳市南山区",
    "form only": "有限公司",
    "branch only": "分公司",
    "country": "中国",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_odd_input_has_a_clear_answer_in_bounded_time(text: str) -> None:
    for claim in (
        Claim(name=text),
        Claim(uscc=text),
        Claim(phone=text),
        Claim(contact=text),
        Claim(city=text),
        Claim(address=text),
        Claim(name=text, aliases=(text,) * 50),
    ):
        begun = time.process_time()
        one = prepare(claim)
        decision = decide(one, INDEX.candidates(one), INDEX.hot)
        json.dumps(decision.as_record(), ensure_ascii=False).encode()

        assert decision.verdict in {"duplicate", "review", "new"}
        assert all(reason.zh and reason.en for reason in decision.reasons)
        assert time.process_time() - begun < 0.5
