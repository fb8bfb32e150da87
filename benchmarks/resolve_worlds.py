"""Populations for resolving from several generators, so that no figure is one generator's own.

`made` and `real`: the generator of the tests (`tests/parties/population.py`), with made-up brands and with real ones. `matcher`: firms and
claims of `benchmarks/matching_data.py`. `game`: real names, people who play (`tests/deals/matching/game.py`). The last two write a record
as a claim is written, worse than a system of record would: of the records that are not tidy one in sixteen is somebody's game, a third of a
dealer in a hurry, and another 15 % of all fields are lost. Claims about branches are left out: a branch is a firm of its own here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random

from benchmarks.matching_data import Firm as MadeFirm
from benchmarks.matching_data import Maker
from tests.deals.matching.game import FIELDS, Player
from tests.deals.matching.game import Firm as RealFirm
from tests.parties.population import Population, populate, real_brands

KINDS, SHARES = ("light", "dealer", "game"), (0.66, 0.28, 0.06)
COPIES, COPY_SHARES = (1, 2, 3, 4, 5), (0.64, 0.225, 0.09, 0.035, 0.01)
TIDY, LOST = 0.55, 0.15

Values = tuple[str, ...]
"""name, uscc, phone, contact, city, addr."""
World = Callable[[int, int, Path], Population]
"""From a seed, a number of records and the folder of real names."""


def _written(random: Random, records: int, firms: Iterable[tuple[int, Values, Callable[[str], tuple[Values, bool]]]]) -> Population:
    """The records of firms given as (number, tidy values, a claim of some kind of person and whether it is about a branch)."""
    found: list[tuple[int, Values]] = []
    for number, tidy, claimed in firms:
        for copy in range(random.choices(COPIES, COPY_SHARES)[0]):
            values, branch = tidy, copy > 0 or random.random() >= TIDY
            while branch:
                values, branch = claimed(random.choices(KINDS, SHARES)[0])
            found.append((number, (values[0], *("" if random.random() < LOST else value for value in values[1:]))))
    random.shuffle(found)
    del found[records:]
    random.shuffle(found)
    made = Population()
    for place, (number, values) in enumerate(found):
        made.rows.append((f"r-{place:07d}", "x", *values))
        made.truth[f"r-{place:07d}"] = number
    return made


def matcher(seed: int, records: int, _data: Path) -> Population:
    """Firms and claims of the generator that the matcher's weights were fitted on."""
    maker = Maker(seed)

    def claims_of(firm: MadeFirm) -> Callable[[str], tuple[Values, bool]]:
        def claimed(kind: str) -> tuple[Values, bool]:
            claim, tags = maker.claim(firm, kind)
            return (claim.name, claim.uscc, claim.phone, claim.contact, claim.city, claim.address), "branch" in tags

        return claimed

    firms = [(firm, firm.claim()) for firm in maker.firms(int(records / 1.45) + 10)]
    return _written(
        Random(f"m{seed}"),
        records,
        ((firm.firm, (one.name, one.uscc, one.phone, one.contact, one.city, one.address), claims_of(firm)) for firm, one in firms),
    )


def game(seed: int, records: int, _data: Path) -> Population:
    """Real names and claims by people who hurry or play. Needs the shared data folder."""
    player = Player(seed)

    def claims_of(firm: RealFirm) -> Callable[[str], tuple[Values, bool]]:
        def claimed(kind: str) -> tuple[Values, bool]:
            fields, tags = player.claim(firm, kind)
            return tuple(fields[name] for name in FIELDS), "branch" in tags

        return claimed

    firms = player.firms(int(records / 1.5) + 10)
    return _written(
        Random(f"g{seed}"), records, ((firm.number, tuple(firm.fields[name] for name in FIELDS), claims_of(firm)) for firm in firms)
    )


WORLDS: dict[str, World] = {
    "made": lambda seed, records, _data: populate(seed, records),
    "real": lambda seed, records, data: populate(seed, records, real_brands(data)),
    "matcher": matcher,
    "game": game,
}
