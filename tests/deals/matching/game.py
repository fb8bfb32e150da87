"""The other side: customers of two systems and claims about them, half of which are duplicates. For judging the matcher."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.deals.matching.game_claims import Writer
from tests.deals.matching.game_firms import Firm, Row

FIELDS = ("name", "uscc", "phone", "contact", "city", "addr")


@dataclass(frozen=True, slots=True)
class Query:
    """A claim; `firm` is None where it is nobody's customer yet."""

    qid: str
    firm: int | None
    kind: str
    tags: tuple[str, ...]
    fields: dict[str, str]


@dataclass(slots=True)
class Game:
    """Customers and claims."""

    rows: list[Row] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    firms: list[Firm] = field(default_factory=list)


class Player(Writer):
    """Makes one game from one seed."""

    def stranger(self, firms: list[Firm]) -> tuple[str, dict[str, str], tuple[str, ...]]:
        """A claim about a firm that is nobody's customer; four in ten are sisters of one that is."""
        kind = self.r.choices(["new", "sister", "agency", "neighbour"], [48, 40, 7, 5])[0]
        like = self.r.choice(firms)
        firm = self.register(-1, like if kind == "sister" else None)
        if kind == "agency":
            firm.fields["phone"] = self.r.choice(self.agency)
        if kind == "neighbour":
            firm.fields |= {"addr": like.fields["addr"], "city": like.city}
        fields, tags = self.claim(firm, self.r.choices(["light", "dealer"], [70, 30])[0])
        return kind, fields, tags

    def play(self, firms: int, queries: int, *, only: tuple[str, ...] = FIELDS) -> Game:
        """Customers and claims; half of the claims are duplicates. `only`: the fields that claims give."""
        game = Game(firms=self.firms(firms))
        game.rows = self.customers(game.firms)
        for number in range(queries):
            if self.r.random() < 0.5:
                firm = self.r.choice(game.firms)
                kind = self.r.choices(["light", "dealer", "game"], [40, 35, 25])[0]
                fields, tags = self.claim(firm, kind)
                about: int | None = firm.number
            else:
                kind, fields, tags = self.stranger(game.firms)
                about = None
            game.queries.append(Query(f"Q{number + 1}", about, kind, tags, {name: fields[name] if name in only else "" for name in FIELDS}))
        return game
