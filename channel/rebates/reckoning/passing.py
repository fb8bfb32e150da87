"""What a settlement hands on to the second level (二级): each one's part of what the dealer has received, with a statement of its own.

A part is of what was received to date, less what was handed on before; so late lines and returns need no case of their own, and the parts
add up to the handed-on share of all that was received. A second-level dealer reads its own base and money: nothing of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from canonical.values import decimal_text
from channel.rebates import queries
from channel.rebates.calculating import passed_on, second_level
from channel.rebates.queries import Connection, unit_of
from channel.rebates.reporting import decimals, text
from channel.rebates.results import Result
from channel.rebates.wording import say


@dataclass(frozen=True, slots=True)
class People:
    """Customers of the first level by the codes that lines and former settlements call them by; several codes may be one of them."""

    names: Mapping[str, str]
    """Code -> the code that it has now."""
    parties: Mapping[str, UUID]
    """Code that it has now -> the party."""


def people(db: Connection, results: Iterable[Result]) -> People:
    """Who the customers of these results are now, however they were called when the lines came, or when money was handed on to them."""
    handing = [result for result in results if result.programme.pass_through is not None]
    codes = {line.fact.customer for result in handing for line in result.cell.own.lines if line.fact.customer}
    before = [row for result in handing for row in queries.passed_before(db, unit_of(result))]
    codes |= {row["dealer"] for row in before}
    found = queries.dealer_ids(db, sorted(codes)) if codes else {}
    found |= queries.called_before(db, sorted(codes - found.keys())) if codes - found.keys() else {}
    now = queries.living(db, sorted({*found.values(), *(row["dealer_id"] for row in before if row["dealer_id"])}))
    names = {code: now[party][1] for code, party in found.items() if party in now}
    return People(names, {code: party for party, code in now.values()})


def pass_on(db: Connection, result: Result, settlement: int, who: People, *, as_of: date, by: str) -> list[str]:
    """Book what a settlement hands on, and issue the statements of those that the hub knows; their numbers."""
    if result.programme.pass_through is None:
        return []
    unit, bases = unit_of(result), second_level(result, who.names)
    now, before = received(result, who), _handed_on(db, unit, who)
    issued = []
    for name in sorted(now.keys() | before.keys()):
        to_date, earlier = now.get(name, Decimal(0)), before.get(name, Decimal(0))
        if to_date == earlier and name in before:
            continue
        number, party = None, who.parties.get(name)
        if party is not None:
            told = _told(result, name, text(bases.get(name)), to_date, earlier) | {"as_of": as_of.isoformat()}
            [number] = queries.add_statements(db, [(result.programme, name, party, result.span.name, told)], by)
            issued.append(number)
        row = {
            "settlement": settlement, "unit": unit, "dealer": name, "dealer_id": party, "to_date": to_date,
            "currency": result.programme.currency, "amount": to_date - earlier, "statement": number,
        }  # fmt: skip
        queries.add_passed_on(db, row)
    return issued


def _handed_on(db: Connection, unit: str, who: People) -> dict[str, Decimal]:
    """What was handed on of a unit before, by the code that each has now."""
    found: dict[str, Decimal] = {}
    rows = queries.passed_before(db, unit)
    now = queries.living(db, [row["dealer_id"] for row in rows if row["dealer_id"]])
    for row in rows:
        name = now[row["dealer_id"]][1] if row["dealer_id"] in now else who.names.get(row["dealer"], row["dealer"])
        found[name] = found.get(name, Decimal(0)) + row["amount"]
    return found


def received(result: Result, who: People) -> dict[str, Decimal]:
    """What each customer of the dealer gets of all that the dealer has received with this settlement."""
    return passed_on(result, result.booked.settled + result.payable, who.names)


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
