"""Stock and sell-out from tables of text, and the plan as a document. A flaw refuses the whole table, with its line and its fix."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, TypeVar

from channel.performance.errors import BadFacts
from channel.performance.stock import Advice, Holding, Place, Plan, SellOut, Transfer
from channel.performance.wording import number
from channel.rebates.values import day, exact
from channel.tables import Row, Rows, Wrong, cell, header, read, taken

T = TypeVar("T")
STOCK_COLUMNS: Final = ("dealer", "product", "quantity", "lead_days", "cover_days", "region", "on_order", "restock_at", "multiple", "date")
STOCK_REQUIRED: Final = ("dealer", "product", "quantity", "lead_days", "cover_days")
SOLD_COLUMNS: Final = ("dealer", "product", "date", "quantity", "returned")
SOLD_REQUIRED: Final = ("dealer", "product", "date", "quantity")


def holdings(columns: Iterable[str], rows: Rows, as_of: date, file: str = "") -> list[Holding]:
    """Stock, a row for each dealer and product. Raises: BadFacts."""
    at: dict[Place, int] = {}

    def one(row: Row, line: int) -> Holding:
        found = Holding(
            dealer=_text(row, "dealer"),
            product=_text(row, "product"),
            quantity=_amount(row, "quantity"),
            lead_days=_days(row, "lead_days"),
            cover_days=_days(row, "cover_days"),
            region=cell(row, "region"),
            on_order=_amount(row, "on_order", Decimal(0)),
            restock_at=_amount(row, "restock_at") if cell(row, "restock_at") else None,
            multiple=_amount(row, "multiple", Decimal(1)),
            date=_day(row, as_of) if cell(row, "date") else None,
        )
        if found.multiple == 0:
            raise Wrong("bad_number", "multiple", "packs of nothing", "write the units of a pack, or nothing")
        first = at.setdefault((found.dealer, found.product), line)
        if first != line:
            what = f"{found.dealer} {found.product} stands on line {first} already"
            raise Wrong("duplicate_id", "product", what, "a dealer's product is one row")
        return found

    return _table(columns, rows, STOCK_COLUMNS, STOCK_REQUIRED, one, file)


def sell_out(columns: Iterable[str], rows: Rows, as_of: date, file: str = "") -> list[SellOut]:
    """What dealers sold, a row for each dealer, product and day, or finer. What is after the cut-off is left out. Raises: BadFacts."""

    def one(row: Row, _line: int) -> SellOut:
        sold = _amount(row, "quantity")
        return SellOut(_text(row, "dealer"), _text(row, "product"), _day(row), sold, _amount(row, "returned", Decimal(0)))

    return [sale for sale in _table(columns, rows, SOLD_COLUMNS, SOLD_REQUIRED, one, file) if sale.date <= as_of]


def document(plan: Plan, as_of: date, window_days: int) -> dict[str, Any]:
    """The plan in JSON words."""
    return {
        "as_of": as_of.isoformat(),
        "window_days": window_days,
        "advice": [_advice(one) for one in plan.advice],
        "transfers": [_transfer(one) for one in plan.transfers],
        "uncounted": [{"dealer": dealer, "product": product} for dealer, product in plan.uncounted],
    }


def _advice(one: Advice) -> dict[str, Any]:
    return {
        "dealer": one.holding.dealer,
        "product": one.holding.product,
        "on_hand": number(one.on_hand),
        "on_order": number(Fraction(one.holding.on_order)),
        "pace": number(one.pace),
        "cover_days": number(one.cover_days, 1),
        "out_on": one.out_on.isoformat() if one.out_on else None,
        "lead_days": one.holding.lead_days,
        "warning": one.warning,
        "restock": number(one.restock),
        "why": one.why,
        "from_others": sum(transfer.quantity for transfer in one.incoming),
    }


def _transfer(one: Transfer) -> dict[str, Any]:
    return {"from": one.giver, "to": one.taker, "product": one.product, "quantity": one.quantity, "common_region_digits": one.common}


def _table(
    columns: Iterable[str], rows: Rows, known: Iterable[str], required: Iterable[str], one: Callable[[Row, int], T], file: str
) -> list[T]:
    flaws = header(list(columns), required, file, known=known)
    found, wrong = taken(rows, one, file) if not flaws else ([], flaws)
    if wrong:
        raise BadFacts(wrong)
    return found


def _text(row: Row, name: str) -> str:
    text = cell(row, name)
    if not text:
        raise Wrong("missing", name, f"the {name} is empty", f"name the {name}")
    return text


def _amount(row: Row, name: str, otherwise: Decimal | None = None) -> Decimal:
    if not cell(row, name) and otherwise is not None:
        return otherwise
    value = read(exact, row.get(name), name)
    if value < 0:
        raise Wrong("negative", name, f"{name} is {value}", "write what came back in returned, and stock from 0")
    return value


def _days(row: Row, name: str) -> int:
    text = cell(row, name)
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise Wrong("bad_number", name, f"{text[:40]!r} is no number of days", "write whole days, such as 14")
    return int(text)


def _day(row: Row, latest: date | None = None) -> date:
    found = read(day, row.get("date"), "date", day=True)
    if latest is not None and found > latest:
        raise Wrong("bad_date", "date", f"{found} is after {latest}", "give a count of that day or before")
    return found
