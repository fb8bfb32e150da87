"""Which facts a programme counts, in which period and for which reading, and for every other one the first reason why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from channel.rebates.counted import Event, Filter, Participants, Scope
from channel.rebates.facts import LINES, Fact
from channel.rebates.periods import Span, find
from channel.rebates.programme import Programme

REGIONAL: Final = frozenset(("regions",))
FIELDS: Final[Mapping[str, str]] = {
    "products": "product", "product_lines": "product_line", "brands": "brand", "regions": "region", "channels": "channel",
    "customers": "customer", "companies": "company", "projects": "project", "price_kinds": "price_kind",
}  # fmt: skip
"""Condition of a filter -> field of a fact."""
EVENT_DAYS: Final = ("order_date", "delivery_date", "invoice_date", "sell_out_date")


@dataclass(frozen=True, slots=True)
class Dealer:
    """What is known of a dealer, for some of the time."""

    id: str
    grade: str = ""
    region: str = ""
    channel: str = ""
    parent: str = ""
    name: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    """First day on which this no longer holds."""

    def holds(self, on: date) -> bool:
        """True for a day on which this is how the dealer is."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on < self.valid_to)


class Dealers:
    """The dealers as they were on a day; facts may say it themselves instead (columns dealer_grade, dealer_region, …)."""

    def __init__(self, dealers: Iterable[Dealer] = ()) -> None:
        self._rows: dict[str, list[Dealer]] = {}
        for dealer in dealers:
            self._rows.setdefault(dealer.id, []).append(dealer)

    def __bool__(self) -> bool:
        return bool(self._rows)

    @property
    def ids(self) -> list[str]:
        """All dealers, in order."""
        return sorted(self._rows)

    def on(self, dealer: str, day: date) -> Dealer | None:
        """The dealer on that day, None if there is none."""
        return next((row for row in self._rows.get(dealer, ()) if row.holds(day)), None)

    def of(self, fact: Fact, day: date) -> Dealer:
        """The dealer of a fact: what the fact says goes before the table."""
        row = self.on(fact.dealer, day) or Dealer(fact.dealer)
        return Dealer(
            fact.dealer,
            fact.dealer_grade or row.grade,
            fact.dealer_region or row.region,
            fact.dealer_channel or row.channel,
            fact.dealer_parent or row.parent,
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a fact counts: the period it counts in, or the first filter that failed and what it saw."""

    fact: Fact
    period: Span | None = None
    on: date | None = None
    head: str = ""
    """Whose tier it is read into: the dealer, or the head of its group."""
    failed: str = ""
    saw: str = ""

    @property
    def counts(self) -> bool:
        """True when it is in the base."""
        return not self.failed


def known(facts: Iterable[Fact], known_at: datetime | None) -> list[Fact]:
    """Of each id the latest revision that was known at that time, in the order of ids; void ones stay in, their decision says so."""
    latest: dict[str, Fact] = {}
    for fact in facts:
        if known_at is not None and fact.recorded_at > known_at:
            continue
        before = latest.get(fact.id)
        if before is None or fact.revision > before.revision:
            latest[fact.id] = fact
    return [latest[key] for key in sorted(latest)]


def event_day(fact: Fact, event: Event, columns: frozenset[str]) -> date | None:
    """The day of a fact's event; None: it has not happened. A file without the event's own column means the plain `date`.

    Goods sent back and the red receivable for them are two facts of one return: each lowers the bases of its own event, an order's is
    lowered by the goods.
    """
    name = f"{event}_date"
    found: date | None = getattr(fact, name, None)
    if name not in columns:
        return found or fact.date
    if fact.kind in ("sale", "sell_out"):
        return found
    if found is None and fact.kind == "return" and any(getattr(fact, one) for one in EVENT_DAYS):
        return fact.delivery_date if event == "order" else None
    return found or fact.date


class Selector:
    """Decides for one programme; `columns` are those that the facts came with."""

    def __init__(self, programme: Programme, spans: Sequence[Span], dealers: Dealers, columns: frozenset[str], as_of: date) -> None:
        self.programme, self.spans, self.dealers, self.columns, self.as_of = programme, spans, dealers, columns, as_of
        self._members: dict[str, list[tuple[date | None, date | None]]] = {}
        for member in programme.participants.members:
            self._members.setdefault(member.dealer, []).append((member.from_, member.to))
        self.wide = programme.scope if programme.tier_scope is None else Scope()
        """The scope that a line must be in at all; where tiers are read on other lines than those that pay, that is sorted out later."""

    def day(self, fact: Fact) -> date | None:
        """The day of a fact's event; None: it has not happened."""
        return event_day(fact, self.programme.base.event, self.columns)

    def decide(self, fact: Fact, scope: Scope, on: date | None = None) -> Decision:
        """Whether a line counts. on: the day that puts it into a period, where that is not its own (a return into the sale's period)."""
        programme, base = self.programme, self.programme.base
        if fact.kind not in LINES:
            return Decision(fact, failed="kind", saw=fact.kind)
        if fact.status == "void":
            return Decision(fact, failed="void", saw=fact.status)
        failed, saw = self._kind(fact)
        if failed:
            return Decision(fact, failed=failed, saw=saw)
        happened = event_day(fact, base.event, self.columns)
        if happened is None:
            return Decision(fact, failed="not_happened", saw=base.event)
        if happened > self.as_of:
            return Decision(fact, failed="after_cut_off", saw=happened.isoformat(), on=happened)
        placed = on or happened
        if not programme.valid.holds(placed):
            return Decision(fact, failed="validity", saw=placed.isoformat(), on=placed)
        dealer = self.dealers.of(fact, placed)
        failed, saw = participates(programme.participants, dealer, placed, self._members)
        if not failed:
            failed, saw = outside(scope, fact)
        if not failed and fact.price_kind and fact.price_kind in base.exclude_price_kinds:
            failed, saw = "price_kind", fact.price_kind
        span = None if failed else find(self.spans, placed)
        if not failed and span is None:
            failed, saw = "no_period", placed.isoformat()
        return Decision(fact, span, placed, self.head(dealer), failed, saw)

    def head(self, dealer: Dealer) -> str:
        """Whose tier a dealer's sales are read into."""
        match self.programme.grouping.group:
            case "parent":
                return dealer.parent or dealer.id
            case "all":
                return "*"
        return dealer.id

    def _kind(self, fact: Fact) -> tuple[str, str]:
        base = self.programme.base
        if fact.event and fact.event != base.event:
            return "event", fact.event
        if (fact.kind == "sell_out") != (base.event == "sell_out") and fact.kind in ("sale", "sell_out"):
            return "event", fact.kind
        if fact.kind not in ("sale", "sell_out") and fact.kind not in base.net_of:
            return "not_net_of", fact.kind
        return "", ""


def participates(
    who: Participants, dealer: Dealer, on: date, members: Mapping[str, Sequence[tuple[date | None, date | None]]] | None = None
) -> tuple[str, str]:
    """The first condition on the participant that fails, and what it saw; empty when all hold."""
    if dealer.id in who.exclude:
        return "dealer_excluded", dealer.id
    spans = (members if members is not None else {m.dealer: [(m.from_, m.to)] for m in who.members}).get(dealer.id, ())
    if (who.dealers or who.members) and dealer.id not in who.dealers:
        if not spans:
            return "dealer", dealer.id
        if not any((first is None or first <= on) and (after is None or on < after) for first, after in spans):
            return "membership", on.isoformat()
    if who.grades and dealer.grade not in who.grades:
        return "grade", dealer.grade
    if who.regions and not dealer.region.startswith(who.regions):
        return "dealer_region", dealer.region
    if who.channels and dealer.channel not in who.channels:
        return "dealer_channel", dealer.channel
    return "", ""


def outside(scope: Scope, fact: Fact) -> tuple[str, str]:
    """The first condition of a scope that a line fails, and what it saw; empty when it is inside."""
    for condition, name in FIELDS.items():
        wanted = getattr(scope, condition)
        if wanted and not _has(condition, wanted, getattr(fact, name)):
            return name, getattr(fact, name)
    for name, values in scope.attributes.items():
        if fact.attributes.get(name, "") not in values:
            return name, fact.attributes.get(name, "")
    excluded = matched(scope.exclude, fact)
    return ("excluded_" + excluded, str(getattr(fact, excluded, ""))) if excluded else ("", "")


def matched(any_of: Filter, fact: Fact) -> str:
    """The field by which a line is one of those meant; empty when it is none."""
    for condition, name in FIELDS.items():
        wanted = getattr(any_of, condition)
        if wanted and _has(condition, wanted, getattr(fact, name)):
            return name
    return next((name for name, values in any_of.attributes.items() if fact.attributes.get(name, "") in values), "")


def inside(every: Filter, fact: Fact) -> bool:
    """True when every condition of a filter holds."""
    for condition, name in FIELDS.items():
        wanted = getattr(every, condition)
        if wanted and not _has(condition, wanted, getattr(fact, name)):
            return False
    return all(fact.attributes.get(name, "") in values for name, values in every.attributes.items())


def _has(condition: str, wanted: Sequence[str], value: str) -> bool:
    if condition in REGIONAL:
        return bool(value) and value.startswith(tuple(wanted))
    return value in wanted
