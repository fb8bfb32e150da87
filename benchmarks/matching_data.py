"""Synthetic customers and claims for matching: the same seed makes the same world. For fitting weights and for speed; never for judging.

What weights are judged on is another generator with other words and other code (`tests/deals/matching/game.py`) on real names.

Firms come in families (one brand; other cities, trades and legal persons), some share the phone of a book-keeping agency, some stand in
several systems. Claims are light (a tidy person), dealer (in a hurry) or game (somebody wants the customer to look new).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from benchmarks.matching_firms import Firm
from benchmarks.matching_names import Namer
from channel.deals.matching import Claim
from channel.deals.matching.codes import SYMBOLS
from channel.deals.matching.regions import short_name


@dataclass(frozen=True, slots=True)
class Row:
    """A customer row of some system."""

    rid: str
    firm: int
    source: str
    claim: Claim


@dataclass(frozen=True, slots=True)
class Query:
    """A claim and the firm it is about; `firm` is None for a firm that nobody knows yet."""

    qid: str
    firm: int | None
    kind: str
    """light, dealer, game; for strangers: stranger, sister, agency."""
    tags: tuple[str, ...]
    claim: Claim


@dataclass(slots=True)
class World:
    """Customers and claims."""

    rows: list[Row]
    queries: list[Query]
    firms: list[Firm] = field(default_factory=list)


class Maker(Namer):
    """Makes rows of customers and claims about them."""

    def rows(self, firms: list[Firm]) -> Iterator[Row]:
        """A row per firm, for some a second one of another system; fields are missing as they are in life."""
        number = 0
        for firm in firms:
            for source in ("erp", "crm") if self.r.random() < 0.12 else ("erp",):
                tidy = firm.claim()
                drop = self.r.random
                claim = replace(
                    tidy,
                    name=tidy.name if source == "erp" or drop() < 0.6 else self.spoil_name(firm, 1)[0],
                    uscc=tidy.uscc if drop() < 0.7 else "",
                    phone=tidy.phone if drop() < 0.88 else "",
                    contact=tidy.contact if drop() < 0.85 else "",
                    city=tidy.city if drop() < 0.9 else "",
                    address=tidy.address if drop() < 0.8 else "",
                )
                number += 1
                yield Row(f"C{number}", firm.firm, source, claim)

    def typo(self, text: str) -> str:
        """One symbol of a code or number mistaken."""
        if len(text) < 3:
            return text
        place = self.r.randrange(len(text) - 1)
        if self.r.random() < 0.3:
            return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        if self.r.random() < 0.3:
            return text.replace("0", "O", 1) if "0" in text else text[:-1]
        return text[:place] + self.r.choice(SYMBOLS if not text.isdigit() else "0123456789") + text[place + 1 :]

    def claim(self, firm: Firm, kind: str) -> tuple[Claim, list[str]]:
        """A claim about a firm, of one of three kinds of people."""
        r = self.r
        times, hard, keep = {
            "light": (r.choice([0, 1, 1]), False, 0.75),
            "dealer": (r.choice([1, 2]), r.random() < 0.35, 0.6),
            "game": (r.choice([1, 2, 3]), True, 0.4),
        }[kind]
        name, tags = self.spoil_name(firm, times, hard=hard)
        chance = r.random
        uscc = firm.uscc if chance() < {"light": 0.6, "dealer": 0.35, "game": 0.06}[kind] else ""
        if uscc and chance() < 0.12:
            uscc, tags = self.typo(uscc), [*tags, "code_typo"]
        phone = firm.phone if chance() < keep else r.choice([self.mobile, self.landline])() if chance() < 0.65 else ""
        if phone and chance() < 0.3:
            phone = r.choice(["+86 ", "86-", "", "(", "电话"]) + phone + r.choice(["", "转801", "-8012", " "])
        if phone and chance() < 0.05:
            phone, tags = self.typo(phone), [*tags, "phone_typo"]
        contact = firm.contact if chance() < keep else self.person() if chance() < 0.6 else ""
        if contact and chance() < 0.3:
            contact = (
                contact[0] + r.choice(["总", "经理", "工", "先生"])
                if chance() < 0.6
                else self.at(contact, lambda char: r.choice(self.alike.get(char) or char))
            )
        city = (
            firm.city
            if chance() < 0.85
            else short_name(firm.city)
            if chance() < 0.5
            else ""
            if chance() < 0.7
            else r.choice(self.cities)[1]
        )
        address = firm.address if chance() < keep - 0.1 else self.address(firm.city, firm.district) if chance() < 0.4 else ""
        if address and chance() < 0.3:
            address = address[len(firm.city) :] if chance() < 0.5 else address[: len(firm.city) + 8]
        return Claim(name=name, uscc=uscc, phone=phone, contact=contact, city=city, address=address), tags

    def only_some(self, claim: Claim) -> Claim:
        """The claim with only some of its fields: name alone, name and city, name and phone."""
        kept = self.r.choice([(), ("city",), ("phone",), ("contact", "phone"), ("city", "address")])
        return Claim(name=claim.name, **{name: getattr(claim, name) for name in kept})

    def queries(self, firms: list[Firm], count: int, *, partial: float = 0.0) -> list[Query]:
        """Claims: half about known firms, half about strangers, a good part of which are sisters of known firms."""
        r, made = self.r, []
        for number in range(count):
            if r.random() < 0.5:
                firm = r.choice(firms)
                kind = r.choices(["light", "dealer", "game"], [40, 35, 25])[0]
                claim, tags = self.claim(firm, kind)
                about: int | None = firm.firm
            else:
                kind = r.choices(["stranger", "sister", "agency"], [55, 38, 7])[0]
                like = r.choice(firms) if kind == "sister" else None
                other = self.firm(-1, like)
                if kind == "agency":
                    other.phone = r.choice(self.agencies)
                claim, tags = self.claim(other, r.choices(["light", "dealer"], [60, 40])[0])
                about = None
            if partial and r.random() < partial:
                claim = self.only_some(claim)
            made.append(Query(f"Q{number + 1}", about, kind, tuple(tags), claim))
        return made


def world(seed: int, customers: int, queries: int, *, partial: float = 0.0) -> World:
    """A world of about this many customer rows and exactly this many claims."""
    maker = Maker(seed)
    firms = maker.firms(int(customers / 1.12))
    return World(list(maker.rows(firms)), maker.queries(firms, queries, partial=partial), firms)
