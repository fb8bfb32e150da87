"""Prices: one line with its full trace, and a cart of 20 lines, with 100,000 price records loaded.

CPU is that of this thread, by the process clock of the operating system. Source of the bars: docs/benchmarks.md.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from benchmarks.bars import Figure
from channel.pricing.adjustments import Adjustment, When
from channel.pricing.asking import Ask, AskLine
from channel.pricing.compiled import Prices
from channel.pricing.model import Band, Book, Dealer, Item, PriceRecord, Rules, Settings
from channel.pricing.parts import Scale, Tier
from channel.pricing.pricing import price
from channel.pricing.views import answer

ITEMS = 5000
DEALERS = 400
GRADES = ("A", "B", "C")
CALLS = 5000
WARM = 500
SCALE = Scale(
    method="point", tiers=tuple(Tier(from_=Decimal(start), price=Decimal(100 - at)) for at, start in enumerate((0, 10, 50, 100, 500)))
)


def rules(items: int = ITEMS, dealers: int = DEALERS) -> Rules:
    """Four price kinds for every item and 80 thousand dealer contracts in two years, six adjustments, two levels of authority."""
    names = [f"I{at:05}" for at in range(items)]
    contracts = items * 8
    listed = tuple(PriceRecord(item=name, price=Decimal(100 + at % 50)) for at, name in enumerate(names))
    standard = Book(id="standard", kind="standard", prices=listed)
    grades = Book(
        id="grades", kind="grade", prices=tuple(PriceRecord(item=name, grade=grade, scale=SCALE) for name in names for grade in GRADES)
    )
    contract = tuple(
        PriceRecord(
            item=names[at % items], dealer=f"D{(at + at // items) % dealers}", price=Decimal(80), valid_from=date(year, 1, 1),
            valid_to=date(year + 1, 1, 1),
        )
        for at in range(contracts)
        for year in (2025, 2026)
    )  # fmt: skip
    ladder = [
        Adjustment(id=f"rule-{at}", rung=rung, percent=Decimal(at), order=at, when=When(lines=tuple(f"L{line}" for line in range(20))))
        for at, rung in enumerate(("agreement", "volume", "promotion", "promotion", "project"), 1)
    ]
    ladder.append(Adjustment(id="freight", rung="freight", amount=Decimal(1), surcharge=True))
    return Rules(
        settings=Settings(tax_rate=Decimal("0.13")),
        items=tuple(Item(id=name, line=f"L{at % 20}", cost=Decimal(50)) for at, name in enumerate(names)),
        dealers=tuple(Dealer(id=f"D{at}", grade=GRADES[at % 3]) for at in range(dealers)),
        books=(standard, grades, Book(id="contract", kind="contract", prices=contract)),
        adjustments=tuple(ladder),
        authority=(
            Band(id="own", level=0, role="sales", max_discount=Decimal(10)),
            Band(id="manager", level=1, role="manager", max_discount=Decimal(40), min_margin=Decimal(5)),
        ),
    )


def asks(count: int, lines: int, *, items: int, dealers: int, seed: int = 7, alternatives: bool = False) -> list[Ask]:
    """Questions of chance dealers for chance items."""
    chance = random.Random(seed)
    return [
        Ask(
            dealer=f"D{chance.randrange(dealers)}", date=date(2026, 6, 1), alternatives=alternatives,
            lines=tuple(AskLine(item=f"I{chance.randrange(items):05}", quantity=Decimal(chance.randrange(1, 200))) for _ in range(lines)),
        )
        for _ in range(count)
    ]  # fmt: skip


def timed(call: Callable[[Ask], object], questions: list[Ask]) -> list[float]:
    """CPU of each call, sorted. Units: milliseconds."""
    times = []
    for ask in questions:
        before = time.thread_time_ns()
        call(ask)
        times.append((time.thread_time_ns() - before) / 1e6)
    return sorted(times)


def run(items: int = ITEMS, dealers: int = DEALERS, calls: int = CALLS) -> list[Figure]:
    """Measure, print what people read, and return the figures that have a limit."""
    made = rules(items, dealers)
    prices = Prices(made)
    records = sum(len(book.prices) for book in made.books)
    gc.collect()
    gc.freeze()
    figures = []
    for name, lines, call, told in (
        ("one line, priced with its trace", 1, lambda ask: price(prices, ask), True),
        ("one line, with approval, hash and answer", 1, lambda ask: answer(prices, ask), False),
        ("20 lines, with all that and alternatives", 20, lambda ask: answer(prices, ask), True),
    ):
        count = calls if lines == 1 else max(calls // 20, 1)
        timed(call, asks(min(WARM, count), lines, items=items, dealers=dealers, seed=1))
        times = timed(call, asks(count, lines, items=items, dealers=dealers, alternatives=lines > 1))
        middle, high = times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]
        print(f"{name:<44} CPU ms p50 {middle:.3f} p99 {high:.3f} max {times[-1]:.3f}   {records} price records")
        if told:
            figures.append(Figure("pricing.line_cpu_p99_ms" if lines == 1 else "pricing.cart_20_cpu_p99_ms", round(high, 4)))
    gc.unfreeze()
    return figures
