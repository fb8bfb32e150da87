"""The most specific policy wins, always the same one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channel.deals.policies import Facts, Policy, applies, choose

EVERYONE = Policy(id=1)
PUMPS = Policy(id=2, product_line="水泵", days=120)
SHANGHAI = Policy(id=3, region="31", days=60)
PUDONG = Policy(id=4, region="310115", days=45)
AGENTS = Policy(id=5, channel_type="province_agent", days=100)
LARGE = Policy(id=6, min_amount=Decimal(1_000_000), currency="CNY", days=180)
HUGE = Policy(id=7, min_amount=Decimal(10_000_000), currency="CNY", days=365)
PUMPS_IN_SHANGHAI = Policy(id=8, product_line="水泵", region="31", days=75)
ALL = (EVERYONE, PUMPS, SHANGHAI, PUDONG, AGENTS, LARGE, HUGE, PUMPS_IN_SHANGHAI)


@pytest.mark.parametrize(
    ("facts", "winner"),
    [
        (Facts(), EVERYONE),
        (Facts(product_line="水泵"), PUMPS),
        (Facts(region="310101"), SHANGHAI),
        (Facts(region="310115"), PUDONG),
        (Facts(product_line="水泵", region="310115"), PUMPS_IN_SHANGHAI),
        (Facts(product_line="阀门", region="310115", channel_type="province_agent"), PUDONG),
        (Facts(channel_type="province_agent", amount=Decimal(2_000_000), currency="CNY"), AGENTS),
        (Facts(amount=Decimal(2_000_000), currency="CNY"), LARGE),
        (Facts(amount=Decimal(20_000_000), currency="CNY"), HUGE),
        (Facts(amount=Decimal(2_000_000), currency="USD"), EVERYONE),
    ],
    ids=lambda value: str(value.id) if isinstance(value, Policy) else "",
)
def test_the_most_specific_policy_wins(facts: Facts, winner: Policy) -> None:
    assert choose(ALL, facts) == winner


def test_a_policy_holds_on_its_days_only() -> None:
    spring = Policy(id=9, days=30, valid_from=date(2027, 3, 1), valid_to=date(2027, 5, 31))

    assert choose([EVERYONE, spring], Facts(on=date(2027, 5, 31))) == spring
    assert choose([EVERYONE, spring], Facts(on=date(2027, 6, 1))) == EVERYONE


def test_without_any_policy_ninety_days_hold() -> None:
    assert choose([], Facts()).days == 90


@given(st.lists(st.sampled_from(ALL), min_size=1, max_size=4, unique=True), st.sampled_from(["", "31", "310115", "44"]))
def test_the_order_of_policies_does_not_matter(policies: list[Policy], region: str) -> None:
    facts = Facts(product_line="水泵", region=region, channel_type="province_agent", amount=Decimal(10_000_000), currency="CNY")

    chosen = {choose(order, facts) for order in permutations(policies)}

    assert len(chosen) == 1
    assert all(applies(policy, facts) or policy == Policy() for policy in chosen)
