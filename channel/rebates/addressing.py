"""Facts about a period (targets, baselines, settlements) must name one that there can be: a misspelt one would be left out in silence.

A settlement that is left out is paid a second time, and a target that is left out earns nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from channel.rebates import periods
from channel.rebates.errors import BadFacts, Flaw
from channel.rebates.facts import Fact
from channel.rebates.programme import Programme

KINDS: Final = frozenset(("target", "baseline", "settlement"))
NAMES: Final = {
    "month": re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII),
    "quarter": re.compile(r"\d{4}Q[1-4]", re.ASCII),
    "half": re.compile(r"\d{4}H[12]", re.ASCII),
    "year": re.compile(r"\d{4}", re.ASCII),
    "life": re.compile("life"),
}
"""How the periods of a calendar are named; `custom` ones as the programme says."""
SHOWN: Final = 4


def refuse_unaddressed(facts: Iterable[Fact], programmes: Sequence[Programme], file: str = "") -> None:
    """Raises: BadFacts for facts whose period no calendar has: that of the programme that they name, or else any calendar at all.

    A fact of a programme that is not calculated is left alone: its calendar is not known here.
    """
    flaws = []
    for fact in facts:
        if fact.kind not in KINDS or not fact.period or fact.status == "void":
            continue
        meant = [one for one in programmes if fact.programme in ("", one.programme)]
        kinds = {one.calendar.period for one in meant} if fact.programme else {*NAMES, "custom"}
        if (fact.programme and not meant) or any(_named(fact.period, kind, meant) for kind in kinds):
            continue
        names = [span.name for one in meant for span in periods.of(one)][:SHOWN]
        fix = f"write {', '.join(names)}{', …' if len(names) == SHOWN else ''}, or leave it empty: then its date says which"
        what = f"{fact.id}: no period of {fact.programme or 'any calendar'} is called {fact.period[:40]!r}"
        flaws.append(Flaw("unknown_period", "period", what, fix, fact.row or None, file))
    if flaws:
        raise BadFacts(sorted(flaws, key=lambda flaw: flaw.line or 0)[:100])


def _named(period: str, kind: str, meant: Sequence[Programme]) -> bool:
    if kind == "custom":
        return any(period == own.name for one in meant for own in one.calendar.periods)
    return NAMES[kind].fullmatch(period) is not None
