"""授权: may this be granted by who asks, does it need an approval, or is it refused.

Judged on the **total** discount from list and on the margin, of each line and of the whole quote, together with what the same deal was
quoted in the last `settings.split_days` days: a quote that is split in two needs at the end what it needed whole. Percents are never
compared rounded: 10 % of 300.05 is exceeded by a discount of 30.006.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal, localcontext
from typing import Final, Literal

from channel.pricing.asking import Ask, Past
from channel.pricing.compiled import Prices
from channel.pricing.model import Band, Item
from channel.pricing.pricing import WIDE, Priced
from channel.pricing.result import Line

ZERO: Final = Decimal(0)
HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged: a line, or a whole. Amounts without tax, in the cart's currency."""

    name: str
    """`line 1`, `quote`, `past Q-7 line 2`"""
    line: str
    brand: str
    price_kind: str
    list_net: Decimal
    net: Decimal
    cost: Decimal | None
    whole: bool = False
    approved: bool = False
    """An approved special price, untouched by hand: it was judged when it was granted."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one subject needs, and what drove it."""

    subject: str
    level: int | None
    """None: nobody may grant it."""
    band: str
    why: Literal["within", "discount", "margin", "no_band"]


@dataclass(slots=True)
class Verdict:
    """auto, approval of a level, or refused."""

    result: Literal["auto", "approval", "refused"]
    level: int = 0
    role: str = ""
    """Who approves."""
    needs: list[Need] = field(default_factory=list)
    deal_size: Decimal = ZERO
    """At list prices without tax, with what was quoted before."""


def judge(priced: Priced) -> Verdict:
    """The approval that a priced cart needs. A file without authority grants everything and says so by an empty list."""
    with localcontext(WIDE):
        prices, ask = priced.prices, priced.ask
        subjects = [*subjects_of(priced), *_past(prices, ask)]
        return weigh(prices, ask.role, subjects, by_hand=by_hand(ask))


def weigh(prices: Prices, role: str, subjects: Sequence[Subject], *, by_hand: bool) -> Verdict:
    """The approval that these subjects need together, under the authority of `prices`, when a role asks for it.

    `by_hand`: somebody took something off by hand; a dealer at published prices, of whose role no band speaks, needs nobody.
    """
    with localcontext(WIDE):
        bands = prices.rules.authority
        size = sum((one.list_net for one in subjects), ZERO)
        if not bands or not subjects or _self_service(prices, role, by_hand=by_hand):
            return Verdict("auto", deal_size=size)
        needs = [_need(bands, role, one, size) for one in [*subjects, _whole(subjects)]]
        if any(need.level is None for need in needs):
            return Verdict("refused", needs=needs, deal_size=size)
        level = max(need.level or 0 for need in needs)
        granting = {need.band for need in needs if need.level == level}
        approver = next((band.role for band in bands if band.id in granting and level), "")
        return Verdict("approval" if level else "auto", level, approver, needs, size)


def by_hand(ask: Ask) -> bool:
    """True when somebody takes something off by hand."""
    return ask.manual is not None or any(line.manual is not None for line in ask.lines)


def _self_service(prices: Prices, role: str, *, by_hand: bool) -> bool:
    """A dealer at published prices, of whose role no band speaks: nobody grants anything."""
    spoken_of = any(band.level == 0 and band.role in ("", role) for band in prices.rules.authority)
    return role in prices.settings.dealer_roles and not by_hand and not spoken_of


def allowed(priced: Priced, line: Line, size: Decimal) -> tuple[Decimal, Decimal] | None:
    """价格区间: the lowest and highest unit price that the asker may give by discount alone; None without a band of the role.

    `size`: of the deal at list prices, as the verdict has it.
    """
    if line.list_unit is None:
        return None
    item = priced.prices.items[line.item]
    subject = Subject(line.id, item.line, item.brand, line.price_kind, line.list_net or ZERO, line.net or ZERO, None)
    band = _narrowest(_fitting(priced.prices.rules.authority, 0, priced.ask.role, subject, size))
    if band is None:
        return None
    with localcontext(WIDE):
        return line.list_unit - line.list_unit * band.max_discount / HUNDRED, line.list_unit


def cost_of(priced: Priced, line: Line) -> Decimal | None:
    """Cost of a line in the cart's currency, with what is given along on top of it; None where item or rate does not tell.

    A gift whose cost nobody knows counts nothing: it keeps no margin from being told.
    """
    item = priced.prices.items[line.item]
    cost = _cost(priced, item, line.quantity * item.factor(line.unit))
    if cost is None or not priced.gifts:
        return cost
    given = [one for one in priced.gifts if one.for_line == line.id and not one.within]
    return sum((_cost(priced, priced.prices.items[one.item], one.quantity) or ZERO for one in given), cost)


def _cost(priced: Priced, item: Item, quantity: Decimal) -> Decimal | None:
    """Cost of so many base units of an item."""
    if item.cost is None:
        return None
    prices = priced.prices
    rate = prices.rate(item.cost_currency or prices.settings.currency, priced.currency, priced.ask.date)
    if rate is None:
        return None
    cost = item.cost * quantity
    return cost / rate[0] if rate[1] else cost * rate[0]


def same_deal(ask: Ask, past: Past, days: int) -> bool:
    """True when an earlier quote counts with this one: of the dealer, not older than `days`, and nothing that both name differs."""
    if not timedelta(0) <= ask.date - past.on < timedelta(days=days):
        return False
    pairs = ((ask.dealer, past.dealer), (ask.deal, past.deal), (ask.project, past.project), (ask.customer, past.customer))
    return all(mine == theirs for mine, theirs in pairs if mine and theirs)


def subjects_of(priced: Priced) -> Iterator[Subject]:
    """What of a priced cart is judged: its lines, with cost."""
    for line in priced.lines:
        if line.refusal is None and line.net is not None:
            item = priced.prices.items[line.item]
            touched = any(step.rung == "manual" for step in line.steps)
            yield Subject(
                f"line {line.id}", item.line, item.brand, line.price_kind, line.list_net or ZERO, line.net, cost_of(priced, line),
                approved=line.price_kind == "deal" and not touched,
            )  # fmt: skip


def _past(prices: Prices, ask: Ask) -> Iterator[Subject]:
    for past in ask.past:
        if same_deal(ask, past, prices.settings.split_days):
            for at, line in enumerate(past.lines, 1):
                yield Subject(
                    f"{past.id} line {at}", line.line, line.brand, line.price_kind, line.list_amount, line.net_amount, line.cost,
                    approved=line.approved,
                )  # fmt: skip


def _whole(subjects: Sequence[Subject]) -> Subject:
    costs = [one.cost for one in subjects]
    cost = None if any(one is None for one in costs) else sum((one for one in costs if one is not None), ZERO)
    listed = sum((one.net if one.approved else one.list_net for one in subjects), ZERO)
    return Subject("quote", "", "", "", listed, sum((one.net for one in subjects), ZERO), cost, whole=True,
                   approved=all(one.approved for one in subjects))  # fmt: skip


def _need(bands: Iterable[Band], role: str, subject: Subject, size: Decimal) -> Need:
    if subject.approved and not any(subject.price_kind and subject.price_kind in band.price_kinds for band in bands):
        return Need(subject.name, 0, "", "within")
    why: Literal["within", "discount", "margin", "no_band"] = "no_band"
    for level in sorted({band.level for band in bands}):
        fitting = _fitting(bands, level, role, subject, size)
        if level == 0:
            narrow = _narrowest(fitting)
            fitting = [narrow] if narrow else []
        else:
            fitting = _narrowest_by_role(fitting)
        for band in fitting:
            over = _over(band, subject)
            if not over:
                return Need(subject.name, level, band.id, why if level else "within")
            if why == "no_band":
                why = over
    if subject.whole and why == "no_band":
        return Need(subject.name, 0, "", "within")  # only lines have bands, and each line was judged
    return Need(subject.name, None, "", why)


def _over(band: Band, subject: Subject) -> Literal["", "discount", "margin"]:
    if (subject.list_net - subject.net) * HUNDRED > band.max_discount * subject.list_net:
        return "discount"
    if band.min_margin is not None and (subject.cost is None or (subject.net - subject.cost) * HUNDRED < band.min_margin * subject.net):
        return "margin"
    return ""


def _fitting(bands: Iterable[Band], level: int, role: str, subject: Subject, size: Decimal) -> list[Band]:
    return [
        band
        for band in bands
        if band.level == level
        and (level or band.role in ("", role))
        and (band.deal_from is None or size >= band.deal_from)
        and (band.deal_to is None or size < band.deal_to)
        and (
            not (band.lines or band.brands or band.price_kinds)
            if subject.whole
            else (not band.lines or subject.line in band.lines)
            and (not band.brands or subject.brand in band.brands)
            and (not band.price_kinds or subject.price_kind in band.price_kinds)
        )
    ]


def _narrowest(bands: list[Band]) -> Band | None:
    return max(bands, key=lambda band: (sum(map(bool, (band.lines, band.brands, band.price_kinds))), bool(band.role)), default=None)


def _narrowest_by_role(bands: list[Band]) -> list[Band]:
    roles: dict[str, list[Band]] = {}
    for band in bands:
        roles.setdefault(band.role, []).append(band)
    return [one for rows in roles.values() if (one := _narrowest(rows)) is not None]
