"""How good the matcher is on a game: candidates found, precision, what people must look at, which firms were wrongly blocked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

from channel.deals.matching import DEFAULT, WEIGHED, Claim, Decision, Index, Known, Prepared, Thresholds, decide, keys_of, prepare
from tests.deals.matching.game import Game, Query


@dataclass(slots=True)
class Marks:
    """Counts of a judged game and the shares that the bars are about."""

    asked: Counter[str] = field(default_factory=Counter)
    tags: dict[str, Counter[str]] = field(default_factory=dict)
    wrong: list[tuple[Query, Decision]] = field(default_factory=list)
    missed: list[tuple[Query, Decision]] = field(default_factory=list)
    decided: list[tuple[Query, Decision, bool]] = field(default_factory=list)

    def share(self, part: str, whole: str) -> float:
        """One count over another."""
        return self.asked[part] / max(self.asked[whole], 1)

    @property
    def candidates(self) -> float:
        """Duplicates whose firm is among the candidates."""
        return self.share("met", "duplicates")

    @property
    def precision(self) -> float:
        """Verdicts `duplicate` that name the right firm."""
        return self.share("blocked_right", "blocked")

    @property
    def found(self) -> float:
        """Duplicates that were blocked, or sent to review."""
        return self.share("found", "duplicates")

    @property
    def reviewed(self) -> float:
        """Claims that a person must look at."""
        return self.share("review", "all")

    @property
    def wrongly_blocked(self) -> float:
        """Claims about new firms that were blocked, over all such claims."""
        return self.share("new_blocked", "strangers")

    def __str__(self) -> str:
        return (
            f"candidates {self.candidates:.4f} precision {self.precision:.4f} blocked {self.share('blocked_right', 'duplicates'):.4f} "
            f"found {self.found:.4f} review {self.reviewed:.4f} wrongly blocked {self.wrongly_blocked:.4f} ({self.asked['all']} claims)"
        )


def prepared(fields: dict[str, str]) -> Prepared:
    """A row of the files as a claim."""
    return prepare(
        Claim(
            name=fields["name"],
            uscc=fields["uscc"],
            phone=fields["phone"],
            contact=fields["contact"],
            city=fields["city"],
            address=fields["addr"],
        )
    )


def judge(game: Game, thresholds: Thresholds = DEFAULT, extra: Iterable[Known] = ()) -> Marks:
    """Decide every claim of a game and count."""
    asked = [(query, prepared(query.fields)) for query in game.queries]
    wanted = {key for _, one in asked for key in keys_of(one)}
    index = Index.build(chain(extra, (Known(row.rid, prepared(row.fields)) for row in game.rows)), wanted)
    firm_of: dict[str | int, int] = {row.rid: row.firm for row in game.rows}
    marks = Marks()
    for query, one in asked:
        found = index.candidates(one)
        decision = decide(one, found[:WEIGHED], index.hot, thresholds)
        _count(marks, query, decision, {firm_of.get(each.rid, -1) for each in found}, firm_of)
    return marks


def _count(marks: Marks, query: Query, decision: Decision, met: set[int], firm_of: dict[str | int, int]) -> None:
    count = marks.asked
    count["all"] += 1
    count[decision.verdict] += 1
    right = query.firm is not None and decision.rid is not None and firm_of.get(decision.rid) == query.firm
    marks.decided.append((query, decision, right))
    if decision.verdict == "duplicate":
        count["blocked"] += 1
        count["blocked_right"] += right
        if not right:
            marks.wrong.append((query, decision))
    if query.firm is None:
        count["strangers"] += 1
        count["new_blocked"] += decision.verdict == "duplicate"
        marks.tags.setdefault(f"new:{query.kind}", Counter())[decision.verdict] += 1
        return
    count["duplicates"] += 1
    count["met"] += query.firm in met
    count["found"] += decision.verdict != "new"
    if decision.verdict == "new":
        marks.missed.append((query, decision))
    for tag in (*query.tags, f"kind:{query.kind}"):
        tally = marks.tags.setdefault(tag, Counter())
        tally["all"] += 1
        tally["met"] += query.firm in met
        tally["found"] += decision.verdict != "new"
        tally["blocked"] += decision.verdict == "duplicate" and right


def table(marks: Marks) -> str:
    """Duplicates by what was done to them, as rows of docs/deals-matching.md."""
    lines = ["| what was done | claims | among the candidates | found | blocked at once |", "| --- | --- | --- | --- | --- |"]
    for tag, tally in sorted(marks.tags.items()):
        if not tag.startswith("new:"):
            shares = " | ".join(f"{tally[part] / tally['all']:.3f}" for part in ("met", "found", "blocked"))
            lines.append(f"| {tag.replace('kind:', 'all of ')} | {tally['all']} | {shares} |")
    return "\n".join(lines)


if __name__ == "__main__":
    import sys

    from tests.deals.matching.game import FIELDS, Player

    for seed, only in ((41, FIELDS), (42, ("name",))):
        played = judge(Player(seed).play(20_000, 8_000, only=only))
        sys.stdout.write(f"{', '.join(only)}: {played}\n{table(played)}\n\n")
