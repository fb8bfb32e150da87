"""Dealers' stock on the ledger: who runs dry, what to order, who nearby could help; kept as it was said.

Counts come from the systems that tell them, or are loaded; what is on its way from our own orders; the pace from sell-out. Within the
caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from channel.performance import fact_queries, queries
from channel.performance.fact_queries import Connection
from channel.performance.stock import Holding, Plan, SellOut, advise
from channel.performance.stock_files import document
from channel.rebates import fact_service


@dataclass(frozen=True, slots=True)
class Supply:
    """How dealers are supplied where nothing else is loaded for a product."""

    lead_days: int = 14
    cover_days: int = 30
    window_days: int = 90


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan that was kept."""

    id: int
    as_of: date
    looked_at: int
    before: int | None
    """The plan before it."""


def look(db: Connection, as_of: date, *, by: str, supply: Supply | None = None, known_at: datetime | None = None) -> Planned:
    """The plan of a business day, kept. A second look at the same day keeps nothing where nothing changed."""
    rules = supply or Supply()
    fact_queries.lock(db)
    fact_service.refresh(db)
    fact_queries.refresh(db, as_of)
    known = known_at or queries.transaction_moment(db)
    ids, held = _holdings(db, as_of, known, rules)
    sold = _sold(db, {dealer: code for code, dealer in ids.items()}, as_of, known, rules)
    plan = advise(held, sold, as_of, rules.window_days)
    told = document(plan, as_of, rules.window_days)
    before = queries.plan_of(db, as_of)
    if before is not None and before["as_of"] == as_of and _same(db, before["id"], plan, ids):
        return Planned(before["id"], as_of, len(held), before["id"])
    head = {
        "as_of": as_of, "known_at": known, "window_days": rules.window_days, "looked_at": len(held), "by": by,
        "uncounted": json.dumps(told["uncounted"], ensure_ascii=False),
    }  # fmt: skip
    number = queries.add_plan(db, plan, ids, head, told["advice"])
    return Planned(number, as_of, len(held), before["id"] if before is not None else None)


def shown(db: Connection, as_of: date | None = None, *, dealer_id: UUID | None = None, own: bool = False) -> dict[str, Any]:
    """The newest plan up to a day, whole or of one dealer. `own`: as the dealer may read it, nothing about any other."""
    plan = queries.plan_of(db, as_of)
    if plan is None:
        return {"as_of": None, "looked_at": 0, "advice": [], "transfers": [], "uncounted": []}
    found = queries.advice(db, plan["id"], dealer_id)
    if own:
        advice = [{name: value for name, value in row["doc"].items() if name != "from_others"} for row in found]
        return {"as_of": plan["as_of"].isoformat(), "window_days": plan["window_days"], "advice": advice}
    moves = [one for one in queries.transfers(db, plan["id"]) if dealer_id in (None, one["giver_id"], one["taker_id"])]
    who = queries.dealers(db, [one[side] for one in moves for side in ("giver_id", "taker_id")])
    return {
        "as_of": plan["as_of"].isoformat(),
        "window_days": plan["window_days"],
        "looked_at": plan["looked_at"],
        "advice": [{**row["doc"], "dealer_id": str(row["dealer_id"])} for row in found],
        "transfers": [
            {
                "from": who[one["giver_id"]]["code"], "from_id": str(one["giver_id"]), "to": who[one["taker_id"]]["code"],
                "to_id": str(one["taker_id"]), "product": one["product"], "quantity": one["quantity"],
                "common_region_digits": one["common_digits"],
            }
            for one in moves
        ],
        "uncounted": plan["uncounted"] if dealer_id is None else [],
    }  # fmt: skip


def _holdings(db: Connection, as_of: date, known_at: datetime, rules: Supply) -> tuple[dict[str, UUID], list[Holding]]:
    """Dealers by code, and the newest count of each dealer's product."""
    who = {row["dealer_id"]: row["doc"] for row in fact_queries.facts(db, ["dealer"], as_of, known_at)}
    coming = {(row["dealer_id"], row["product"]): row["quantity"] for row in fact_queries.on_order(db)}
    newest: dict[tuple[UUID, str], Mapping[str, Any]] = {}
    for row in sorted(
        fact_queries.facts(db, ["stock"], as_of, known_at), key=lambda row: (row["date"], row["recorded_by"] != fact_queries.RULE)
    ):
        if row["dealer_id"] in who:
            newest[row["dealer_id"], row["doc"]["product"]] = row
    held = [
        _holding(str(who[dealer]["code"]), str(who[dealer].get("region", "")), row, coming.get((dealer, product)), rules)
        for (dealer, product), row in newest.items()
    ]
    return {str(said["code"]): dealer for dealer, said in who.items()}, held


def _holding(code: str, region: str, row: Mapping[str, Any], coming: Decimal | None, rules: Supply) -> Holding:
    said = row["doc"]
    return Holding(
        dealer=code,
        product=said["product"],
        quantity=Decimal(said["quantity"]),
        lead_days=int(said.get("lead_days", rules.lead_days)),
        cover_days=int(said.get("cover_days", rules.cover_days)),
        region=said.get("region", region),
        on_order=Decimal(said["on_order"]) if "on_order" in said else coming or Decimal(0),
        restock_at=Decimal(said["restock_at"]) if "restock_at" in said else None,
        multiple=Decimal(said.get("multiple", 1)),
        date=row["date"],
    )


def _sold(db: Connection, codes: Mapping[UUID, str], as_of: date, known_at: datetime, rules: Supply) -> list[SellOut]:
    """Sell-out of the window, and of as many days before it: a product whose first sale is older has its pace from the whole window."""
    start = as_of - timedelta(days=2 * rules.window_days)
    return [
        SellOut(codes[row["dealer_id"]], row["product"], row["date"], row["quantity"], row["returned"])
        for row in fact_queries.sell_out(db, start, as_of + timedelta(days=1), known_at)
        if row["dealer_id"] in codes and row["product"]
    ]


def _same(db: Connection, number: int, plan: Plan, ids: Mapping[str, UUID]) -> bool:
    """True when a plan that was kept says the same."""
    advice = {(ids[one.holding.dealer], one.holding.product, one.warning, one.restock) for one in plan.advice if one.warning or one.restock}
    moves = {(ids[one.giver], ids[one.taker], one.product, one.quantity) for one in plan.transfers}
    return advice == {
        (row["dealer_id"], row["product"], row["warning"], row["restock"]) for row in queries.advice(db, number)
    } and moves == {(row["giver_id"], row["taker_id"], row["product"], row["quantity"]) for row in queries.transfers(db, number)}
