"""Joins are made best first, and none against a proof."""

from __future__ import annotations

from itertools import combinations
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from channel.parties.clustering import Edge, Rules, cluster

RULES = Rules(join=0.7)
EDGES = st.lists(st.tuples(st.floats(-4, 12).map(lambda bits: round(bits, 3)), st.integers(1, 14), st.integers(1, 14)), max_size=40).map(
    lambda edges: list({(one, other): (bits, one, other) for bits, one, other in edges if one < other}.values())
)
ORGS = st.dictionaries(st.integers(1, 14), st.sampled_from("ABC"))
BRANCHES = st.dictionaries(st.integers(1, 14), st.sampled_from(["苏州", "广州"]))
APART = st.lists(st.tuples(st.integers(1, 14), st.integers(1, 14)).filter(lambda pair: pair[0] < pair[1]), max_size=4)


@given(EDGES, ORGS, BRANCHES, APART)
def test_law_no_cluster_holds_two_codes_nor_a_branch_with_its_parent_nor_a_pair_told_apart(
    edges: list[Edge], orgs: dict[int, str], branches: dict[int, str], apart: list[tuple[int, int]]
) -> None:
    clusters, _ = cluster(edges, orgs, branches, RULES, apart)

    for members in clusters:
        assert len({orgs[member] for member in members if member in orgs}) <= 1
        assert len({branches.get(member, "") for member in members}) == 1
        assert not set(combinations(sorted(members), 2)) & set(apart)


@given(EDGES, ORGS, st.randoms(use_true_random=False))
def test_law_the_order_of_pairs_does_not_matter(edges: list[Edge], orgs: dict[int, str], random: Random) -> None:
    mixed = list(edges)
    random.shuffle(mixed)

    assert cluster(mixed, orgs, {}, RULES) == cluster(edges, orgs, {}, RULES)


def test_a_weak_bridge_does_not_join_two_firms() -> None:
    left = [(9.0, one, other) for one, other in combinations((1, 2, 3), 2)]
    right = [(9.0, one, other) for one, other in combinations((4, 5, 6), 2)]

    clusters, refused = cluster([*left, *right, (2.0, 3, 4)], {}, {}, RULES)

    assert clusters == [[1, 2, 3], [4, 5, 6]]
    assert refused == [(2.0, 3, 4)]


def test_a_record_that_two_firms_claim_alike_stays_apart() -> None:
    clusters, refused = cluster([(3.0, 1, 2), (2.9, 2, 3)], {1: "A", 3: "B"}, {}, RULES)

    assert clusters == []
    assert refused == [(3.0, 1, 2), (2.9, 2, 3)]


def test_the_better_claim_wins_when_it_leads_clearly() -> None:
    clusters, _ = cluster([(5.0, 1, 2), (2.0, 2, 3)], {1: "A", 3: "B"}, {}, RULES)

    assert clusters == [[1, 2]]
