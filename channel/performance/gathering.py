"""What a scorecard asks for, gathered from the ledger as it was known at a moment: facts, dealers, tags given by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from canonical.values import decimal_text
from channel.performance import fact_queries as queries
from channel.performance.fact_queries import Connection, Row
from channel.performance.facts import DAYS, KINDS, NUMBERS, TEXTS, Fact, Table, fact_hash
from channel.performance.measuring import Window, window
from channel.performance.ranking import Subject
from channel.performance.scorecard import Scorecard
from channel.performance.tags import ManualTag
from channel.rebates.periods import add_months

FROM_TABLE: Final = tuple(kind for kind in KINDS if kind not in ("sale", "return", "rebate", "shipment"))
"""Kinds that stand in the table of performance only."""
PRECEDENCE: Final = ("", "agreement", "party")
"""Whose target counts where several cover the same days: one that was loaded, the agreement's, the dealer's of the year."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a board is made from."""

    table: Table
    subjects: tuple[Subject, ...]
    ids: Mapping[str, UUID]
    """Dealers by the code that facts name them by."""
    manual: tuple[ManualTag, ...]
    left_out: Mapping[str, str]
    """Sales in other currencies than the scorecard's, by currency: they count nowhere."""


def gather(db: Connection, card: Scorecard, as_of: date, known_at: datetime) -> Gathered:
    """All facts that the figures of a scorecard look at, up to a business day, as they were known at a moment."""
    who = {row["dealer_id"]: row["doc"] for row in queries.facts(db, ["dealer"], as_of, known_at)}
    codes = {dealer: said["code"] for dealer, said in who.items()}
    span, end = window(card.period, as_of, card.fiscal_start), as_of + timedelta(days=1)
    own = queries.facts(db, FROM_TABLE, as_of, known_at) + queries.facts(db, ["target"], span.start + timedelta(days=3660), known_at)
    known = {row["id"]: row for row in own if row["dealer_id"] in codes}
    told = [(row, row["doc"]) for row in known.values()]
    facts = [fact_of(row, said, codes[row["dealer_id"]]) for row, said in told if said.get("currency", card.currency) == card.currency]
    facts = [fact for fact in facts if fact.kind != "target"] + _targets([fact for fact in facts if fact.kind == "target"], span)
    start = _first_day(facts, span)
    sold, left_out = _sold(queries.sold(db, card.sales, start, end, known_at), codes, card.currency)
    facts += sold
    facts += [
        Fact(f"shipment:{_key(row, 'dealer_id', 'date', 'product_line')}", "shipment", codes[row["dealer_id"]], row["date"],
             product_line=row["product_line"], quantity=row["quantity"])
        for row in queries.shipped(db, span.start, end, known_at) if row["dealer_id"] in codes
    ]  # fmt: skip
    facts += [
        Fact(row["id"], "payment", codes[row["dealer_id"]], row["date"], document=row["document"], applies_to=row["applies_to"],
             amount=row["amount"])
        for row in queries.paid(db, end, known_at) if row["dealer_id"] in codes and row["currency"] in ("", card.currency)
    ]  # fmt: skip
    facts += [
        Fact(f"rebate:{_key(row, 'dealer_id', 'date')}", "rebate", codes[row["dealer_id"]], row["date"], amount=row["amount"])
        for row in queries.rebated(db, span.start, end, known_at) if row["dealer_id"] in codes and row["currency"] == card.currency
    ]  # fmt: skip
    return Gathered(
        Table(tuple(facts), fact_hash(facts)),
        tuple(subject for dealer, said in who.items() for subject in _subjects(card, codes[dealer], said)),
        {code: dealer for dealer, code in codes.items()},
        tuple(manual_tags(db, codes, as_of, known_at)),
        left_out,
    )


def fact_of(row: Row, said: Mapping[str, Any], dealer: str) -> Fact:
    """A fact from its row and the document beside it."""
    plain: dict[str, Any] = {name: str(said[name]) for name in TEXTS if name in said}
    plain |= {name: Decimal(said[name]) for name in (*NUMBERS, "discount") if name in said}
    plain |= {name: date.fromisoformat(said[name]) for name in DAYS if name in said and name != "date"}
    return Fact(id=row["id"], kind=row["kind"], dealer=dealer, date=row["date"], **plain)


def manual_tags(db: Connection, codes: Mapping[UUID, str], as_of: date, known_at: datetime) -> Iterable[ManualTag]:
    """Tags given by hand that hold on a day."""
    for row in queries.facts(db, ["manual_tag"], as_of, known_at):
        if row["dealer_id"] in codes:
            said = row["doc"]
            tag = ManualTag(
                codes[row["dealer_id"]], said["tag"], said["reason"], said["owner"], row["date"], date.fromisoformat(said["to"])
            )
            if tag.holds(as_of):
                yield tag


def _subjects(card: Scorecard, code: str, said: Mapping[str, Any]) -> list[Subject]:
    lines = sorted(set(said.get("lines", ()))) if "product_line" in card.peers else []
    return [
        Subject(code, str(said.get("name", "")), str(said.get("grade", "")), str(said.get("region", "")), line) for line in lines or [""]
    ]


def _targets(targets: Sequence[Fact], span: Window) -> list[Fact]:
    """Of each dealer's targets that touch the period, those of the source that goes before the others."""
    by_dealer: dict[str, dict[str, list[Fact]]] = defaultdict(lambda: defaultdict(list))
    for target in targets:
        if target.date < span.end and (target.to or target.date) > span.start:
            by_dealer[target.dealer][target.source if target.source in PRECEDENCE else ""].append(target)
    return [target for sources in by_dealer.values() for target in next(sources[name] for name in PRECEDENCE if name in sources)]


def _first_day(facts: Sequence[Fact], span: Window) -> date:
    """The first day whose sales are looked at: of last year's same period, and of last year's share of a target's days."""
    targets = [add_months(fact.date, -12) for fact in facts if fact.kind == "target"]
    return min([span.last_year().start, *targets])


def _sold(lines: Sequence[Row], codes: Mapping[UUID, str], currency: str) -> tuple[list[Fact], dict[str, str]]:
    made, other = [], defaultdict[str, Decimal](Decimal)
    for row in lines:
        if row["dealer_id"] not in codes:
            continue
        if row["currency"] not in ("", currency):
            other[row["currency"]] += row["amount"]
            continue
        key = _key(row, "dealer_id", "date", "product_line", "project", "currency")
        made.append(
            Fact(
                f"{row['kind']}:{key}",
                row["kind"],
                codes[row["dealer_id"]],
                row["date"],
                product_line=row["product_line"],
                project=row["project"],
                customer=row["customer"],
                amount=row["amount"],
                quantity=row["quantity"],
            )
        )
    return made, {code: decimal_text(amount) for code, amount in sorted(other.items())}


def _key(row: Row, *names: str) -> str:
    return ":".join(str(row[name]) for name in names)
