"""Settlements over time: each pays what is earned to date less what is settled, so late lines and returns are no special case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from canonical.values import SHANGHAI
from channel.rebates import periods
from channel.rebates.calculating import calculate
from channel.rebates.facts import Fact, Table
from channel.rebates.programme import Programme
from channel.rebates.results import Result
from channel.rebates.selecting import Dealers


def schedule(programmes: Iterable[Programme], table: Table, as_of: date, dealers: Dealers | None = None) -> list[dict[str, Any]]:
    """What each settlement day of the programmes' calendars up to the cut-off pays, as if all had been settled in time.

    A day's settlement knows what was recorded by the end of that day and the late days; what comes later is in the next one.
    """
    chosen = list(programmes)
    days = {programme.key: _days(programme, as_of) for programme in chosen}
    told: list[dict[str, Any]] = []
    settled: list[Fact] = []
    for on in sorted({day for mine in days.values() for day in mine}):
        late = max((programme.calendar.late_days for programme in chosen), default=0)
        known_at = datetime.combine(on + timedelta(days=late), time.max, SHANGHAI)
        calculation = calculate(chosen, replace(table, facts=(*table.facts, *settled)), as_of=on, known_at=known_at, dealers=dealers)
        for result in calculation.results:
            if on in days[result.programme.key]:
                told.append(_row(result, on))
                if result.payable:
                    settled.append(settlement(result, on, len(settled)))
    return told


def _days(programme: Programme, as_of: date) -> Sequence[date]:
    spans = [span for span in periods.of(programme) if span.start <= as_of]
    return [day for span in spans for day in periods.settlement_days(programme, span) if day <= as_of]


def _row(result: Result, on: date) -> dict[str, Any]:
    return {
        "on": on.isoformat(),
        "final": on >= result.span.end - timedelta(days=1),
        "programme": result.programme.programme,
        "dealer": result.dealer,
        "scope": dict(result.scope),
        "period": result.span.name,
        "earned": format(result.earned, "f"),
        "entitled": format(result.entitled, "f"),
        "settled": format(result.booked.settled, "f"),
        "payable": format(result.payable, "f"),
    }


def settlement(result: Result, on: date, number: int) -> Fact:
    """The fact that says that a result's payable was paid on a day."""
    fact = Fact(
        id=f"settlement:{result.programme.programme}:{result.dealer}:{result.span.name}:{number}",
        kind="settlement",
        dealer=result.dealer,
        date=on,
        amount=Decimal(result.payable),
        programme=result.programme.programme,
        period=result.span.name,
        status="settled",
        currency=result.programme.currency,
        applies_to=result.scope.get("line", ""),
    )
    about: dict[str, Any] = {name: value for name, value in result.scope.items() if name != "line"}
    return replace(fact, **about)
