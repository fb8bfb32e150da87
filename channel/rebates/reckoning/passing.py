"""What a settlement hands on to the second level (二级): each one's part of what the dealer has received, with a statement of its own.

A part is of what was received to date, less what was handed on before; so late lines and returns need no case of their own, and the parts
add up to the handed-on share of all that was received. A second-level dealer reads its own base and money: nothing of another.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from canonical.values import decimal_text
from channel.rebates import queries
from channel.rebates.calculating import passed_on, second_level
from channel.rebates.queries import Connection, unit_of
from channel.rebates.reporting import decimals, text
from channel.rebates.results import Result
from channel.rebates.wording import say


def pass_on(db: Connection, result: Result, settlement: int, *, as_of: date, by: str) -> list[str]:
    """Book what a settlement hands on, and issue the statements of those that the hub knows; their numbers."""
    if result.programme.pass_through is None:
        return []
    unit, bases = unit_of(result), second_level(result)
    now, before = received(result), queries.passed_before(db, unit)
    known = queries.dealer_ids(db, sorted(now.keys() | before.keys()))
    issued = []
    for name in sorted(now.keys() | before.keys()):
        to_date, earlier = now.get(name, Decimal(0)), before.get(name, Decimal(0))
        if to_date == earlier and name in before:
            continue
        number = None
        if name in known:
            told = _told(result, name, text(bases.get(name)), to_date, earlier) | {"as_of": as_of.isoformat()}
            [number] = queries.add_statements(db, [(result.programme, name, known[name], result.span.name, told)], by)
            issued.append(number)
        row = {
            "settlement": settlement, "unit": unit, "dealer": name, "dealer_id": known.get(name), "to_date": to_date,
            "currency": result.programme.currency, "amount": to_date - earlier, "statement": number,
        }  # fmt: skip
        queries.add_passed_on(db, row)
    return issued


def received(result: Result) -> dict[str, Decimal]:
    """What each customer of the dealer gets of all that the dealer has received with this settlement."""
    return passed_on(result, result.booked.settled + result.payable)


def _told(result: Result, name: str, base: str | None, to_date: Decimal, before: Decimal) -> dict[str, Any]:
    """The second-level dealer's statement: its own base and money. How the first level is rated is not its business."""
    programme, places = result.programme, result.programme.rounding.places
    handed = programme.pass_through
    measure = handed.by if handed is not None else "amount"
    payable = f"{decimals(to_date - before, places)} {programme.currency}"
    sentences = [
        say("handed_on", period=result.span.name, base=base or "0", to_date=f"{decimals(to_date, places)} {programme.currency}"),
        say("settled", settled=decimal_text(before), payable=payable) if before else say("payable", payable=payable),
    ]
    return {
        "kind": "passed_on", "programme": programme.programme, "version": programme.version, "name": programme.name.model_dump(),
        "dealer": name, "scope": dict[str, str](), "currency": programme.currency, "hash": programme.hash,
        "period": {"name": result.span.name, "from": result.span.start.isoformat(), "to": result.span.end.isoformat()},
        "base": {measure: base or "0"}, "earned": decimals(to_date, places), "settled": decimals(before, places),
        "payable": decimals(to_date - before, places), "sentences": sentences,
    }  # fmt: skip
