"""The rules of a file made ready for use: every price found by its key in one look, every adjustment by what it is about.

Immutable once made; it may be shared by threads.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Final, Self

from canonical.currencies import places
from channel.pricing.adjustments import Adjustment
from channel.pricing.model import (
    DEFAULT_ACCESS,
    KEY_FIELDS,
    Access,
    AccessStep,
    Book,
    Dealer,
    DealPrice,
    Item,
    PriceRecord,
    Registration,
    Rules,
)
from channel.pricing.parts import Scale
from channel.pricing.records import Index, Key, Listed, Over, Record
from channel.pricing.scales import Steps

ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)
LIST = "list"
"""Key of the prices in a list that is only for some dealers: its id."""
ANY_DEALER = ("any", "")


CONDITIONS = {
    "item": "items", "line": "lines", "category": "categories", "brand": "brands", "dealer": "dealers", "grade": "grades",
    "channel": "channels", "customer": "customers", "company": "companies", "project": "projects", "price_kind": "price_kinds",
    "currency": "currencies",
}  # fmt: skip
"""Facts about a line and its question, and where a rule's conditions name what they may be."""


class AccessPlan:
    """The search order of one selling company."""

    __slots__ = ("steps", "version")

    def __init__(self, access: Access, key_ids: dict[tuple[str, tuple[str, ...]], int]) -> None:
        self.version = access.version
        self.steps = [(step, _searched(step, key_ids)) for step in access.order]
        """Step and its keys; a key under which no price is kept is not looked for."""


def _searched(step: AccessStep, key_ids: Mapping[tuple[str, tuple[str, ...]], int]) -> list[tuple[int, tuple[str, ...]]]:
    """The keys of a step that prices are kept under: lists for some dealers come after what names project, dealer or customer."""
    named = [in_order(key) for key in step.keys]
    own = next((at for at, key in enumerate(named) if not {"project", "dealer", "customer"} & set(key)), len(named))
    bound = sorted(
        (fields for kind, fields in key_ids if kind == step.kind and fields[0] == LIST), key=lambda fields: (-len(fields), fields)
    )
    ordered = [*named[:own], *bound, *named[own:]]
    return [(key_ids[step.kind, fields], fields) for fields in ordered if (step.kind, fields) in key_ids]


class Rule:
    """An adjustment made ready."""

    __slots__ = (
        "about_others",
        "always",
        "at",
        "bounded",
        "conditions",
        "end",
        "fraction",
        "group",
        "money",
        "of",
        "plain",
        "ranks",
        "recorded_at",
        "spec",
        "start",
        "steps",
        "told",
    )

    def __init__(self, spec: Adjustment, at: int) -> None:
        self.spec, self.at = spec, at
        self.steps = Steps(spec.scale) if spec.scale else None
        self.group = spec.group or spec.rung
        self.start, self.end, self.recorded_at = spec.valid_from or date.min, spec.valid_to or date.max, spec.recorded_at
        self.ranks = (spec.order, spec.id)
        when = spec.when
        self.about_others = bool(when.dealers or when.grades or when.channels or when.customers or when.projects)
        """Names who may use it: not shown to a dealer who may not."""
        given = ((name, getattr(when, field)) for name, field in CONDITIONS.items())
        self.conditions = tuple((name, frozenset(allowed)) for name, allowed in given if allowed)
        """Name of a fact about line and question -> what it may be."""
        money = (spec.amount, spec.fixed_price, spec.at_least, spec.most, when.min_value, when.max_value)
        self.money = any(one is not None for one in money) or (spec.scale is not None and _in_money(spec.scale))
        """It names amounts, which have a currency."""
        bounds = (when.min_quantity, when.max_quantity)
        self.bounded = bool(self.money or self.steps or spec.most is not None or when.with_items or any(one is not None for one in bounds))
        """Whether it holds depends on quantities or amounts."""
        self.always = False
        """Nothing about the question can keep it from holding."""
        self.found_by("")
        sign = ONE if spec.surcharge else -ONE
        self.fraction = None if spec.percent is None else sign * spec.percent / HUNDRED
        self.told = "" if spec.percent is None else f"{_plain(sign * spec.percent)}%"
        self.of = spec.of or ("base" if spec.mode == "original" else "running")
        limits = spec.round or spec.only_if_lower or spec.only_if_higher
        self.plain = self.fraction is not None and not self.bounded and not limits
        """A percent and nothing else."""

    def found_by(self, name: str) -> None:
        """It is looked up by this fact, which therefore need not be asked again."""
        spec, when = self.spec, self.spec.when
        self.conditions = tuple(one for one in self.conditions if one[0] != name)
        elsewhere = when.not_items or when.regions or when.terms or when.coupons or when.registered or spec.unit
        self.always = _timeless(spec) and not self.conditions and not elsewhere


def _in_money(scale: Scale) -> bool:
    told = ((tier.amount, tier.fixed_price, tier.price, tier.flat or None) for tier in scale.tiers)
    return scale.by == "value" or any(one is not None for tier in told for one in tier)


_ranks: Final = attrgetter("ranks")


def _timeless(spec: Adjustment | Book) -> bool:
    """Whether it holds on every day, whatever was known when."""
    return spec.valid_from is None and spec.valid_to is None and spec.recorded_at is None


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")


def in_order(fields: Iterable[str]) -> tuple[str, ...]:
    """The fields of a key in the order of all keys."""
    asked = set(fields)
    return tuple(name for name in KEY_FIELDS if name in asked)


class Prices:
    """All rules, ready. Made once for a version of the rules."""

    def __init__(self, rules: Rules, lists: Iterable[Listed] = (), items: Mapping[str, Item] | None = None) -> None:
        self.rules, self.settings = rules, rules.settings
        self.items: Mapping[str, Item] = {item.id: item for item in rules.items} if items is None else items
        self.dealers = {dealer.id: dealer for dealer in rules.dealers}
        self.registrations = {one.id: one for one in rules.registrations}
        self.kept: dict[Key, list[Record]] = {}
        self.index: Index = self.kept
        self.key_ids: dict[tuple[str, tuple[str, ...]], int] = {("deal", in_order(("project", "dealer", "item"))): 0}
        self.books: dict[str, list[Book]] = {}
        self.by_book: dict[str, str] = {}
        self.bound: dict[tuple[str, str], list[str]] = {}
        """Lists that are only for some: by `dealer`, `grade` or `channel` and its value."""
        self.own_lists: tuple[str, ...] = ()
        """Lists that the one who asks is bound to."""
        self.lists = tuple(lists)
        """Price lists of the connected systems, as they were compiled."""
        for one in self.lists:
            self._list(one)
        for book in rules.books:
            for_some = self._head(book)
            for place, record in enumerate(book.prices, 1):
                fields, values = _keys_of(record)
                keys = ((LIST, *fields), (book.id, *values)) if for_some else (fields, values)
                self._keep(keys, self._record(book, record, place))
        for deal in rules.deal_prices:
            self._deal(deal)
        self.named = frozenset(self._names())
        """Dealers that a price or a rule names: others differ by grade, channel and lists only."""
        self.default_access = AccessPlan(next((one for one in rules.access if not one.companies), DEFAULT_ACCESS), self.key_ids)
        self.access = {company: AccessPlan(one, self.key_ids) for one in rules.access for company in one.companies}
        self._adjustments(rules.adjustments)
        self.fx: dict[tuple[str, str], list[tuple[date, date, Decimal]]] = {}
        for rate in rules.fx:
            self.fx.setdefault((rate.from_, rate.to), []).append((rate.valid_from or date.min, rate.valid_to or date.max, rate.rate))
        self.lasting = {book: some[0].version for book, some in self.books.items() if len(some) == 1 and _timeless(some[0])}
        """Books of one version that holds on every day, with its number."""
        self.rungs = {name: at for at, name in enumerate(rules.settings.waterfall)}
        shown = rules.model_dump_json(include=set(Rules.model_fields), exclude={"items": {"__all__": {"cost", "cost_currency"}}})
        self.content_hash = hashlib.sha256(shown.encode()).hexdigest()
        """Of everything but costs, so that a dealer cannot guess a cost from it."""

    def _keep(self, keys: tuple[tuple[str, ...], tuple[str, ...]], record: Record) -> None:
        fields, values = keys
        key_id = self.key_ids.setdefault((record.kind, fields), len(self.key_ids))
        self.kept.setdefault((key_id, *values), []).append(record)

    def _head(self, book: Book, *, any_dealer: bool = False) -> bool:
        """Note a book and whom it is for; True when it is only for some."""
        versions = self.books.setdefault(book.id, [])
        versions.append(book)
        self.by_book[book.id] = book.kind
        whom = [("dealer", name) for name in book.dealers] + [("grade", name) for name in book.grades]
        whom += [("channel", name) for name in book.channels] + ([ANY_DEALER] if any_dealer else [])
        for one in whom:
            if book.id not in self.bound.setdefault(one, []):
                self.bound[one].append(book.id)
        return bool(whom)

    def _list(self, one: Listed) -> None:
        """A list is found by its id for those who are bound to it; one that is for everybody also by the item alone."""
        for_some = self._head(one.book, any_dealer=one.any_dealer) or one.for_some
        kept, book, kind = self.kept, one.book.id, one.book.kind
        bound = self.key_ids.setdefault((kind, (LIST, "item")), len(self.key_ids))
        for item, record in one.records:
            kept.setdefault((bound, book, item), []).append(record)
        if not for_some:
            open_to_all = self.key_ids.setdefault((kind, ("item",)), len(self.key_ids))
            for item, record in one.records:
                kept.setdefault((open_to_all, item), []).append(record)

    def _names(self) -> Iterator[str]:
        yield from (name for kind, name in self.bound if kind == "dealer")
        yield from (record.dealer for book in self.rules.books for record in book.prices if record.dealer)
        for rule in self.rules.adjustments:
            yield from rule.when.dealers
        for fence in self.rules.fences:
            yield from fence.dealers

    def lists_of(self, dealer: str, grade: str, channel: str) -> tuple[str, ...]:
        """The lists that are only for some and for this dealer: those that name it first, then by grade, by channel, for every dealer.

        Among several of a kind, the one with the newest validity goes first; while it does not hold, the older one does.
        """
        if not dealer or not (self.bound or self.own_lists):
            return self.own_lists
        whom = (("dealer", dealer), ("grade", grade), ("channel", channel), ANY_DEALER)
        return tuple(dict.fromkeys([*self.own_lists, *(name for one in whom for name in reversed(self.bound.get(one, [])))]))

    def asked_by(
        self, dealers: Iterable[Dealer], registrations: Iterable[Registration], deals: Sequence[DealPrice],
        more: Sequence[Adjustment] = (), lists: Sequence[str] = (),
    ) -> Self:  # fmt: skip
        """The same prices, with who asks: its facts, its projects, its special prices, its agreed discounts. Shares everything else."""
        made = copy.copy(self)
        made.own_lists = tuple(lists)
        made.dealers = {one.id: one for one in dealers}
        made.registrations = {one.id: one for one in registrations}
        if deals:
            made.rules = self.rules.model_copy(update={"deal_prices": tuple(deals)})
            made.kept = {}
            for deal in deals:
                made._deal(deal)  # noqa: SLF001  its own kind
            made.index = Over(made.kept, self.kept)
        if more:
            made.by_dealer = dict(self.by_dealer)
            for at, spec in enumerate(more):
                for dealer in spec.when.dealers:
                    made.by_dealer[dealer] = [*made.by_dealer.get(dealer, ()), Rule(spec, len(self.adjustments) + at)]
        return made

    def _record(self, book: Book, spec: PriceRecord, place: int) -> Record:
        made = Record()
        made.id = spec.id or f"{book.id}#{place}"
        made.version = f"{book.version}.{spec.version}" if spec.version != "1" else str(book.version)
        made.book, made.book_version, made.kind = book.id, book.version, book.kind
        made.price, made.formula, made.round, made.final, made.floor = spec.price, spec.formula, spec.round, spec.final, spec.floor_price
        made.steps = Steps(spec.scale) if spec.scale else None
        made.unit, made.per, made.begun = spec.unit, spec.per, spec.begun
        made.currency = book.currency or self.settings.currency
        made.side = book.tax or self.settings.tax
        made.dealer, made.companies = spec.dealer, book.companies
        made.start = max(spec.valid_from or date.min, book.valid_from or date.min)
        made.end = min(spec.valid_to or date.max, book.valid_to or date.max)
        made.recorded_at = max((at for at in (spec.recorded_at, book.recorded_at) if at is not None), default=None)
        made.approved, made.remaining, made.left_amount, made.over_ceiling, made.deal = True, None, None, "next_kind", False
        return made

    def _deal(self, deal: DealPrice) -> None:
        book = Book.model_construct(
            id=deal.id, kind="deal", currency=deal.currency, tax=deal.tax, valid_from=deal.valid_from, valid_to=deal.valid_to
        )  # fmt: skip
        for place, one in enumerate(deal.items, 1):
            spec = PriceRecord(version=deal.version, price=one.price, item=one.item, project=deal.project, dealer=deal.dealer)
            made = self._record(book, spec, place)
            made.id = deal.id
            made.version, made.recorded_at, made.approved, made.deal = deal.version, deal.recorded_at, bool(deal.approver), True
            made.remaining = None if one.ceiling is None else max(one.ceiling - one.consumed, ZERO)
            made.left_amount = None if deal.ceiling_amount is None else max(deal.ceiling_amount - deal.consumed_amount, ZERO)
            made.over_ceiling = deal.over_ceiling
            self._keep(_keys_of(spec), made)

    def _adjustments(self, specs: tuple[Adjustment, ...]) -> None:
        self.adjustments = [Rule(spec, at) for at, spec in enumerate(specs)]
        self.by_item: dict[str, list[Rule]] = {}
        self.by_line: dict[str, list[Rule]] = {}
        self.by_dealer: dict[str, list[Rule]] = {}
        self.anywhere: list[Rule] = []
        self.of_order: list[Rule] = []
        for rule in self.adjustments:
            when = rule.spec.when
            if rule.spec.scope == "order":
                self.of_order.append(rule)
            elif when.items:
                rule.found_by("item")
                for item in when.items:
                    self.by_item.setdefault(item, []).append(rule)
            elif when.lines:
                rule.found_by("line")
                for line in when.lines:
                    self.by_line.setdefault(line, []).append(rule)
            elif when.dealers:
                rule.found_by("dealer")
                for dealer in when.dealers:
                    self.by_dealer.setdefault(dealer, []).append(rule)
            else:
                self.anywhere.append(rule)
        self.whole_cart = any(
            (rule.spec.scope != "line" and not rule.spec.separate)
            or (rule.steps and rule.steps.over != "line")
            or rule.spec.when.with_items
            for rule in self.adjustments
        ) or any(record.steps is not None and record.steps.over != "line" for records in self.kept.values() for record in records)
        """Some rule looks at more than one line."""
        self.contests = bool(self.rules.exclusions) or any(rule.spec.mode in ("exclusive", "best") for rule in self.adjustments)
        """Some rule may beat another."""
        self.excluding = [(one, frozenset(rule.spec.id for rule in self.adjustments if rule.group == one.groups[0]))
                          for one in self.rules.exclusions if one.kind == "excludes"]  # fmt: skip
        """Exclusions whose first group keeps the others out, with the rules of that group."""
        self.needs_list = any(rule.of == "list" for rule in self.adjustments)
        """Some rule takes its percent of the standard price."""
        self.anywhere.sort(key=_ranks)
        self.of_line = {line: sorted([*self.anywhere, *some], key=_ranks) for line, some in self.by_line.items()}
        """All that may be about an item of a product line that no rule names, for a dealer that none names: most are."""

    def rules_for(self, item: str, line: str, dealer: str) -> Sequence[Rule]:
        """The adjustments that may be about a line, in their order."""
        if item not in self.by_item and dealer not in self.by_dealer:
            return self.of_line.get(line, self.anywhere)
        found = [*self.of_line.get(line, self.anywhere), *self.by_item.get(item, ()), *self.by_dealer.get(dealer, ())]
        found.sort(key=_ranks)
        return found

    def under(self, kind: str, spec: PriceRecord) -> Sequence[Record]:
        """The prices that are kept under the same key as another one."""
        fields, values = _keys_of(spec)
        key_id = self.key_ids.get((kind, fields))
        return () if key_id is None else self.index.get((key_id, *values)) or ()

    def plan(self, company: str) -> AccessPlan:
        """The search order of a selling company."""
        return self.access.get(company, self.default_access)

    def places(self, currency: str) -> int:
        """Decimals of an amount in a currency."""
        set_places = self.settings.amount_places
        return places(currency) if set_places is None else set_places

    def rate(self, source: str, target: str, day: date) -> tuple[Decimal, bool] | None:
        """How to convert: (rate, False) to multiply, (rate, True) to divide by; None without a rate valid on the day."""
        if source == target:
            return ONE, False
        for pair, divide in (((source, target), False), ((target, source), True)):
            for start, end, rate in self.fx.get(pair, ()):
                if start <= day < end:
                    return rate, divide
        return None


def _keys_of(spec: PriceRecord) -> tuple[tuple[str, ...], tuple[str, ...]]:
    fields = tuple(name for name in KEY_FIELDS if getattr(spec, name))
    return fields, tuple("all" if name == "all" else getattr(spec, name) for name in fields)
