"""Laws of pricing, for any rules and any cart; numbered as the invariants of the domain."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.rounding import half_up
from channel.pricing.adjustments import Adjustment, When
from channel.pricing.asking import Ask, AskLine, Manual, Past, PastLine
from channel.pricing.authority import judge
from channel.pricing.compiled import Prices
from channel.pricing.model import Band, Book, Dealer, Item, PriceRecord, Rules, Settings
from channel.pricing.parts import Scale, Tier
from channel.pricing.pricing import Priced, price
from channel.pricing.scales import Steps
from channel.pricing.views import answer
from hub_cli.answers import plain

DAY = date(2026, 1, 5)
CENT = Decimal("0.01")


def decimals(low: str, high: str, places: int = 2) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), places=places, allow_nan=False, allow_infinity=False)


PRICES = decimals("0", "5000", 4)
QUANTITIES = st.one_of(st.integers(1, 500).map(Decimal), decimals("0.001", "99.999", 3))
PERCENTS = decimals("0", "40", 2)
RATES = st.sampled_from([Decimal(0), Decimal("0.03"), Decimal("0.06"), Decimal("0.09"), Decimal("0.13")])


@st.composite
def adjustments(draw: st.DrawFn) -> tuple[Adjustment, ...]:
    made = []
    for at in range(draw(st.integers(0, 5))):
        scope = draw(st.sampled_from(["line", "line", "group", "order"]))
        amount = {"amount": draw(decimals("0", "1")), "per": "order" if scope == "order" else "line"}
        effect: dict[str, Any] = draw(st.sampled_from([{"percent": draw(PERCENTS)}, amount]))
        made.append(
            Adjustment(
                id=f"r{at}", rung=draw(st.sampled_from(["agreement", "volume", "promotion"])), order=at, scope=scope,
                mode=draw(st.sampled_from(["compound", "original", "best", "exclusive", "always"])), **effect,
            )
        )  # fmt: skip
    return tuple(made)


@st.composite
def carts(draw: st.DrawFn, *, side: str | None = None) -> tuple[Prices, Ask]:
    count = draw(st.integers(1, 5))
    names = [f"I{at}" for at in range(count)]
    rules = Rules(
        settings=Settings(
            tax=side or draw(st.sampled_from(["included", "excluded"])),
            rounding=draw(st.sampled_from(["line", "total"])),
            round_each_rung=draw(st.booleans()),
        ),
        items=tuple(Item(id=name, line="x", tax_rate=draw(RATES), cost=draw(PRICES)) for name in names),
        books=(Book(id="std", kind="standard", prices=tuple(PriceRecord(item=name, price=draw(PRICES)) for name in names)),),
        adjustments=draw(adjustments()),
        authority=(
            Band(id="own", level=0, role="sales", max_discount=draw(PERCENTS), min_margin=draw(st.one_of(st.none(), PERCENTS))),
            Band(id="one", level=1, role="m", max_discount=Decimal(60)),
            Band(id="big", level=2, role="h", max_discount=Decimal(90), deal_from=draw(st.one_of(st.none(), PRICES))),
        ),
    )
    lines = tuple(
        AskLine(id=str(at), item=draw(st.sampled_from(names)), quantity=draw(QUANTITIES)) for at in range(draw(st.integers(1, 6)))
    )
    return Prices(rules), Ask(date=DAY, lines=lines, alternatives=False)


def amounts(priced: Priced) -> list[tuple[Decimal, Decimal, Decimal]]:
    return [
        (line.net, line.tax, line.gross)
        for line in priced.lines
        if line.net is not None and line.tax is not None and line.gross is not None
    ]


@given(carts())
@settings(max_examples=30, deadline=None)
def test_law_1_the_same_question_gives_the_same_bytes(cart: tuple[Prices, Ask]) -> None:
    prices, ask = cart

    first, again = (json.dumps(plain(answer(Prices(prices.rules), ask))) for _ in range(2))

    assert first == again


@given(carts())
@settings(max_examples=30, deadline=None)
def test_law_15_gross_is_net_and_tax_on_every_line_and_in_the_totals(cart: tuple[Prices, Ask]) -> None:
    priced = price(*cart)

    assert all(net + tax == gross for net, tax, gross in amounts(priced))
    assert priced.net + priced.tax == priced.gross
    assert priced.net == sum((net for net, _, _ in amounts(priced)), Decimal(0))
    assert all(part == half_up(part, 2) for row in amounts(priced) for part in row)


@given(carts(), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_law_2_the_order_of_items_records_and_rules_in_the_file_changes_nothing(cart: tuple[Prices, Ask], chance: Any) -> None:
    prices, ask = cart
    rules = prices.rules

    def shuffled(rows: tuple[Any, ...]) -> tuple[Any, ...]:
        made = list(rows)
        chance.shuffle(made)
        return tuple(made)

    books = tuple(
        book.model_copy(update={"prices": shuffled(tuple(one.model_copy(update={"id": one.item}) for one in book.prices))})
        for book in rules.books
    )
    other = rules.model_copy(update={"items": shuffled(rules.items), "adjustments": shuffled(rules.adjustments), "books": books})

    assert amounts(price(Prices(other), ask)) == amounts(price(prices, ask))


@given(st.lists(st.tuples(decimals("0.01", "50"), PRICES), min_size=1, max_size=5), st.integers(0, 400))
def test_law_4_graduated_amounts_never_fall_with_the_quantity(steps: list[tuple[Decimal, Decimal]], quantity: int) -> None:
    bound, tiers = Decimal(0), []
    for width, cost in steps:
        tiers.append(Tier(from_=bound, price=cost))
        bound += width
    table = Steps(Scale(method="range", tiers=tuple(tiers)))

    def amount(units: Decimal) -> Decimal:
        return sum((part * (tier.price or Decimal(0)) for part, tier in table.parts(Decimal(0), units)), Decimal(0))

    assert amount(Decimal(quantity)) <= amount(Decimal(quantity) + 1)
    assert sum((part for part, _ in table.parts(Decimal(0), Decimal(quantity))), Decimal(0)) == quantity


def test_law_4_whole_quantity_prices_are_its_exception() -> None:
    scale = Scale(method="point", tiers=(Tier(up_to=Decimal(20), price=Decimal(2)), Tier(price=Decimal(1))))
    book = Book(id="std", kind="standard", prices=(PriceRecord(item="A", scale=scale),))
    prices = Prices(Rules(items=(Item(id="A"),), books=(book,)))

    nets = [price(prices, Ask(date=DAY, lines=(AskLine(item="A", quantity=Decimal(count)),))).net for count in (20, 25)]

    assert nets == [Decimal(40), Decimal(25)]


@given(carts(side="excluded"), st.integers(1, 9))
@settings(max_examples=30, deadline=None)
def test_law_11_prices_and_amounts_times_k_give_the_exact_amounts_times_k(cart: tuple[Prices, Ask], k: int) -> None:
    prices, ask = cart
    rules = prices.rules.model_copy(update={"settings": Settings(unit_places=12, amount_places=12)})

    def larger(book: Book) -> Book:
        return book.model_copy(
            update={"prices": tuple(one.model_copy(update={"price": (one.price or Decimal(0)) * k}) for one in book.prices)}
        )

    def larger_rule(one: Adjustment) -> Adjustment:
        return one if one.amount is None else one.model_copy(update={"amount": one.amount * k})

    other = rules.model_copy(update={"books": tuple(map(larger, rules.books)), "adjustments": tuple(map(larger_rule, rules.adjustments))})
    small, large = price(Prices(rules), ask), price(Prices(other), ask)

    assert small.refused == large.refused
    assert [
        abs(net * k - other_net) <= Decimal("1e-9") for (net, _, _), (other_net, _, _) in zip(amounts(small), amounts(large), strict=True)
    ] == [True] * len(amounts(small))


@given(decimals("1", "99"), decimals("0.01", "50"))
def test_law_12_from_qualifies_and_to_does_not(start: Decimal, width: Decimal) -> None:
    table = Steps(Scale(method="point", tiers=(Tier(from_=start, to=start + width, price=Decimal(1)),)))

    assert not isinstance(table.find(start), str)
    assert table.find(start + width) == "above_scale"
    assert table.find(start - CENT) == "below_scale"
    inclusive = Steps(Scale(method="point", tiers=(Tier(up_to=start, price=Decimal(1)),)))
    assert not isinstance(inclusive.find(start), str)
    assert inclusive.find(start + CENT) == "above_scale"


@given(carts())
@settings(max_examples=40, deadline=None)
def test_law_17_no_cost_in_what_a_dealer_sees(cart: tuple[Prices, Ask]) -> None:
    prices, ask = cart
    marked = tuple(item.model_copy(update={"cost": Decimal("987654.321")}) for item in prices.rules.items)
    told = json.dumps(plain(answer(Prices(prices.rules.model_copy(update={"items": marked})), ask.model_copy(update={"role": "dealer"}))))

    assert "987654" not in told
    assert "margin" not in told


@given(carts(), st.data())
@settings(max_examples=40, deadline=None)
def test_law_18_a_quote_split_in_two_needs_at_the_end_what_it_needed_whole(cart: tuple[Prices, Ask], data: st.DataObject) -> None:
    prices, ask = cart
    rules = prices.rules.model_copy(
        update={"adjustments": tuple(one for one in prices.rules.adjustments if one.scope == "line" and one.percent is not None)}
    )
    prices = Prices(rules.model_copy(update={"settings": Settings()}))
    off = data.draw(st.lists(PERCENTS, min_size=len(ask.lines), max_size=len(ask.lines)))
    lines = tuple(
        line.model_copy(update={"manual": Manual(percent=percent, reason="r", text="t", by="b")})
        for line, percent in zip(ask.lines, off, strict=True)
    )
    at = data.draw(st.integers(0, len(lines)))
    whole = price(prices, ask.model_copy(update={"lines": lines}))
    need = judge(whole)
    if whole.refused or at in (0, len(lines)):
        return

    first = price(prices, ask.model_copy(update={"lines": lines[:at]}))
    kept = tuple(
        PastLine(
            line="x", list_amount=line.list_net, net_amount=line.net, cost=(prices.items[line.item].cost or Decimal(0)) * line.quantity
        )
        for line in first.lines
    )
    past = Past(id="Q-1", on=DAY - timedelta(days=3), lines=kept)
    second = judge(price(prices, ask.model_copy(update={"lines": lines[at:], "past": (past,)})))

    rank = {"auto": 0, "approval": 1, "refused": 2}
    assert (rank[second.result], second.level) >= (rank[need.result], need.level)


@given(st.lists(st.tuples(PRICES, QUANTITIES), min_size=1, max_size=6), decimals("0.01", "400"))
@settings(max_examples=40, deadline=None)
def test_an_order_discount_is_shared_exactly_and_fairly(rows: list[tuple[Decimal, Decimal]], off: Decimal) -> None:
    names = [f"I{at}" for at in range(len(rows))]
    book = Book(
        id="std", kind="standard", prices=tuple(PriceRecord(item=name, price=cost) for name, (cost, _) in zip(names, rows, strict=True))
    )
    discount = Adjustment(id="o", rung="promotion", scope="order", amount=off, per="order", when=When())
    lines = tuple(AskLine(item=name, quantity=quantity) for name, (_, quantity) in zip(names, rows, strict=True))
    items = tuple(Item(id=name) for name in names)
    ask = Ask(date=DAY, lines=lines)

    before = [net for net, _, _ in amounts(price(Prices(Rules(items=items, books=(book,))), ask))]
    after = [net for net, _, _ in amounts(price(Prices(Rules(items=items, books=(book,), adjustments=(discount,))), ask))]

    whole = sum(before, Decimal(0))
    taken = min(off, whole)
    assert sum(before, Decimal(0)) - sum(after, Decimal(0)) == taken
    for old, new in zip(before, after, strict=True):
        assert not whole or abs(Fraction(old - new) - Fraction(old) * Fraction(taken) / Fraction(whole)) < Fraction(1, 100)


@given(PRICES, QUANTITIES, RATES, PERCENTS)
@settings(max_examples=40, deadline=None)
def test_a_line_rounds_as_a_finance_person_would(cost: Decimal, quantity: Decimal, rate: Decimal, percent: Decimal) -> None:
    book = Book(id="std", kind="standard", prices=(PriceRecord(item="A", price=cost),))
    rule = Adjustment(id="r", rung="promotion", percent=percent)
    prices = Prices(Rules(items=(Item(id="A", tax_rate=rate),), dealers=(Dealer(id="D"),), books=(book,), adjustments=(rule,)))

    line = price(prices, Ask(date=DAY, lines=(AskLine(item="A", quantity=quantity),))).lines[0]

    unit = half_up(cost - cost * percent / 100, 4)
    assert line.unit_price == unit
    assert line.net == half_up(unit * quantity, 2)
    assert line.tax == half_up(half_up(unit * quantity, 2) * rate, 2)
