"""What-if: a draft against the current programme on the same facts, by dealer. Marked as a simulation; never a statement."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from channel.rebates.reporting import text
from channel.rebates.results import Calculation, Result


def compare(current: Calculation, draft: Calculation) -> dict[str, Any]:
    """Cost by dealer now and under the draft, who moves tier, and how far each is from the draft's next tier."""
    before, after = _by_dealer(current), _by_dealer(draft)
    keys = sorted(set(before) | set(after))
    rows = [_row(key, before.get(key, []), after.get(key, [])) for key in keys]
    currencies = sorted({currency for _, currency in keys})
    return {
        "simulation": True,
        "as_of": draft.as_of.isoformat(),
        "current": [programme.key for programme in current.programmes],
        "draft": [programme.key for programme in draft.programmes],
        "dealers": rows,
        "totals": [
            {
                "currency": currency,
                **{
                    name: format(sum((Decimal(row[name]) for row in rows if row["currency"] == currency), Decimal(0)), "f")
                    for name in ("current", "draft", "difference")
                },
            }
            for currency in currencies
        ],
        "moving": [row["dealer"] for row in rows if row["moves"]],
    }


def _by_dealer(calculation: Calculation) -> dict[tuple[str, str], list[Result]]:
    found: dict[tuple[str, str], list[Result]] = {}
    for result in calculation.results:
        found.setdefault((result.dealer, result.programme.currency), []).append(result)
    return found


def _row(key: tuple[str, str], before: list[Result], after: list[Result]) -> dict[str, Any]:
    now = sum((result.entitled + result.held for result in before), Decimal(0))
    then = sum((result.entitled + result.held for result in after), Decimal(0))
    old, new = _tiers(before), _tiers(after)
    places = sorted(set(old) | set(new))
    moves = [f"{place}: {old.get(place) or '-'} → {new.get(place) or '-'}" for place in places if old.get(place) != new.get(place)]
    gaps = {
        place: text(result.cell.earned.to_next) for result in after for place in [_place(result)] if result.cell.earned.to_next is not None
    }
    return {
        "dealer": key[0],
        "currency": key[1],
        "current": format(now, "f"),
        "draft": format(then, "f"),
        "difference": format(then - now, "f"),
        "moves": "; ".join(moves),
        "to_next": gaps,
    }


def _place(result: Result) -> str:
    return " ".join([result.programme.programme, result.span.name, *result.scope.values()])


def _tiers(results: list[Result]) -> dict[str, int | None]:
    return {_place(result): None if result.cell.earned.tier is None else result.cell.earned.tier + 1 for result in results}
