"""The bars of the matcher, on real names and claims that another generator made. Weights and thresholds never saw them."""

from __future__ import annotations

from functools import cache

import pytest

from benchmarks.matching_data import world
from channel.deals.matching import Claim, Index, Known, keys_of, prepare
from tests.deals.matching.game import Player
from tests.deals.matching.game_firms import DATA, present
from tests.deals.matching.judging import Marks, judge

needs_names = pytest.mark.skipif(not present(), reason=f"real names are not on this machine ({DATA}): the bars cannot be judged")

FIRMS = 8_000
SEED = 20261121


@cache
def all_fields() -> Marks:
    """The main game, played once."""
    return judge(Player(SEED).play(FIRMS, 3_000))


@cache
def names_alone() -> Marks:
    """Claims that give nothing but a name."""
    return judge(Player(SEED + 1).play(FIRMS, 1_500, only=("name",)))


@needs_names
def test_the_right_firm_is_among_fifty_candidates() -> None:
    assert all_fields().candidates >= 0.985
    assert names_alone().candidates >= 0.97


def test_the_right_firm_is_among_fifty_candidates_where_names_are_made_up() -> None:
    made = world(SEED, 20_000, 2_000)
    firm_of: dict[str | int, int] = {row.rid: row.firm for row in made.rows}
    asked = [(query.firm, prepare(query.claim)) for query in made.queries if query.firm is not None]
    index = Index.build((Known(row.rid, prepare(row.claim)) for row in made.rows), {key for _, one in asked for key in keys_of(one)})

    met = sum(firm in {firm_of[each.rid] for each in index.candidates(one)} for firm, one in asked)

    assert met / len(asked) >= 0.99


@needs_names
def test_a_duplicate_is_called_one_only_when_it_is_and_is_hardly_ever_missed() -> None:
    marks = all_fields()

    assert marks.precision >= 0.995, str(marks)
    assert marks.found >= 0.96, str(marks)
    assert marks.reviewed <= 0.08, str(marks)


@needs_names
def test_sister_firms_of_one_brand_are_not_blocked() -> None:
    marks = all_fields()

    assert marks.wrongly_blocked <= 0.003, str(marks)
    assert marks.tags["new:sister"]["duplicate"] <= 0.006 * sum(marks.tags["new:sister"].values())


@needs_names
def test_claims_with_only_a_name_and_one_field_more_are_decided_with_the_same_care() -> None:
    for seed, only in ((7, ("name", "city")), (8, ("name", "phone")), (9, ("name", "contact", "addr"))):
        marks = judge(Player(seed).play(3_000, 600, only=only))

        assert marks.precision >= 0.98, f"{only}: {marks}"
        assert marks.wrongly_blocked <= 0.006, f"{only}: {marks}"
        assert marks.found >= 0.9, f"{only}: {marks}"


@needs_names
def test_listed_firms_are_met_by_their_english_names_as_aliases_and_often_by_pinyin_alone() -> None:
    listed = [(chinese, english) for chinese, english in Player(1).listed if len(english) > 8][:1_500]
    with_alias = Index.build(
        Known(place, prepare(Claim(name=chinese, aliases=(english,)))) for place, (chinese, english) in enumerate(listed)
    )
    without = Index.build(Known(place, prepare(Claim(name=chinese))) for place, (chinese, _) in enumerate(listed))
    asked = [prepare(Claim(name=english.upper().replace(", LTD.", " LTD").replace("CO.,", "COMPANY "))) for _, english in listed]

    met = sum(place in {one.rid for one in with_alias.candidates(claim)} for place, claim in enumerate(asked)) / len(asked)
    by_sound = sum(place in {one.rid for one in without.candidates(claim)} for place, claim in enumerate(asked)) / len(asked)

    assert met >= 0.97
    assert by_sound >= 0.2


@needs_names
@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_the_bars_hold_on_many_claims(seed: int) -> None:
    marks = judge(Player(seed).play(40_000, 12_000))

    assert marks.candidates >= 0.985, str(marks)
    assert marks.precision >= 0.995, str(marks)
    assert marks.found >= 0.96, str(marks)
    assert marks.reviewed <= 0.08, str(marks)
    assert marks.wrongly_blocked <= 0.003, str(marks)


def test_a_game_is_the_same_for_the_same_seed() -> None:
    if not present():
        pytest.skip(f"real names are not on this machine ({DATA})")
    assert Player(5).play(700, 50).queries == Player(5).play(700, 50).queries
    assert prepare is not None
