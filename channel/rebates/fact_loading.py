"""Facts that no connected system tells (sell-out, targets, baselines, measures, complaints, stock), loaded from a checked table.

The same table as on files. A table with one flaw is refused whole; a row that says what is known already changes nothing; another row with
the id of an earlier one corrects it as its next revision, and what was known before stays known. Within the caller's transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any, Final

import msgspec

from canonical.values import decimal_text
from channel.rebates import fact_queries
from channel.rebates.errors import BadFacts, Flaw
from channel.rebates.fact_queries import Connection
from channel.rebates.facts import Fact, from_rows
from channel.tables import Rows

FIGURES: Final = frozenset(("target", "baseline", "measure", "complaint", "stock"))
"""Kinds that have no event."""
DOCUMENTS: Final = ("order_date", "delivery_date", "invoice_date")
PREFIX: Final = "loaded:"
_COLUMNS: Final = tuple(name for name in fact_queries.READ if name not in ("recorded_at", "id", "revision"))
_MORE: Final = ("programme", "period", "measure", "old_price", "new_price", "sell_price", "cost_price", "contract_price")


def load(db: Connection, columns: Sequence[str], rows: Rows, *, file: str = "") -> int:
    """Facts as in a file of facts; how many are new or corrected. Raises: BadFacts.

    Sell-out and its returns count on their `date`, or their `sell_out_date`. What the documents of connected systems tell is refused.
    """
    table = from_rows(columns, rows, file)
    newest = {fact.id: fact for fact in sorted(table.facts, key=lambda fact: fact.revision)}
    flaws = [flaw for fact in newest.values() for flaw in _flaws(fact, file)]
    dealers = fact_queries.dealers_named(db, sorted({fact.dealer for fact in newest.values() if fact.dealer}))
    flaws += [
        Flaw("unknown_dealer", "dealer", f"the hub knows no dealer {fact.dealer}", "write its number or hub key", fact.row, file)
        for fact in newest.values() if fact.dealer and fact.dealer not in dealers
    ]  # fmt: skip
    if flaws:
        raise BadFacts(flaws[:100])
    fact_queries.lock(db)
    return fact_queries.add_loaded(db, ("dealer_id", *_COLUMNS, "more"), _rows(newest.values(), dealers))


def _flaws(fact: Fact, file: str) -> Iterable[Flaw]:
    sold_on = fact.kind == "sell_out" or (fact.kind in ("return", "credit") and fact.sell_out_date is not None)
    if not sold_on and fact.kind not in FIGURES:
        fix = "take it out: the ledger has it from the documents of connected systems; a return of what was sold on needs its sell_out_date"
        yield Flaw("from_documents", "kind", f"a {fact.kind} cannot be loaded", fix, fact.row, file)
    for name in DOCUMENTS:
        if getattr(fact, name) is not None:
            yield Flaw("from_documents", name, "the day of a document cannot be loaded", "leave it empty", fact.row, file)
    if fact.sell_out_date is not None and fact.sell_out_date != fact.date:
        yield Flaw("bad_date", "date", f"it is not the sell_out_date {fact.sell_out_date}", "write one of the two", fact.row, file)
    if sold_on and not fact.currency and (fact.amount is not None or fact.gross is not None):
        yield Flaw("bad_currency", "currency", "an amount without a currency", "add a column currency, such as CNY", fact.row, file)


def _rows(facts: Iterable[Fact], dealers: Mapping[str, Mapping[str, Any]]) -> Iterable[tuple[str, str, tuple[Any, ...]]]:
    """Id, fingerprint and columns of each fact."""
    for fact in facts:
        known = dealers.get(fact.dealer, {})
        said: dict[str, Any] = {one.name: getattr(fact, one.name) for one in fields(fact)}
        for name in ("dealer_grade", "dealer_region", "dealer_channel", "dealer_parent"):
            said[name] = said[name] or known.get(name, "")
        if fact.kind not in FIGURES:
            said["sell_out_date"] = fact.date
        said["returns_of"] = f"{PREFIX}{fact.returns_of}" if fact.returns_of else ""
        if fact.status == "void":
            said |= {"quantity": Decimal(0)} | {name: Decimal(0) for name in ("amount", "gross") if said[name] is not None}
        more: dict[str, Any] = {name: _text(said[name]) for name in _MORE if said[name] not in (None, "")}
        more |= {"attributes": dict(fact.attributes)} if fact.attributes else {}
        values = (known.get("id"), *(said[name] for name in _COLUMNS), msgspec.json.encode(more).decode() if more else None)
        yield f"{PREFIX}{fact.id}", hashlib.md5(repr(values[1:]).encode(), usedforsecurity=False).hexdigest(), values


def _text(value: Any) -> str:
    return decimal_text(value) if isinstance(value, Decimal) else str(value)
