"""Orders outside of their dealer's fences: kept from the ERP until a person agrees, or told; as `deals.orders_outside` says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from channel.deals import fence_queries, fencing, goods_queries, guarding
from channel.deals.fences import INSIDE
from channel.deals.goods import Goods, assess, place_of_address
from channel.deals.registrations import FenceVerdict
from channel.notices.messages import MANAGER, Message, Question
from ledger.tables import TABLES
from sync import notices, pairing, store
from sync.decide import Canonical
from sync.golive import is_older
from sync.hub import Cursor, Hub
from sync.notices import Asked
from sync.observing import Observed

PAGE = 1000
LOOK_BACK = timedelta(days=92)
"""Goods dated earlier are not looked at again when fences change."""


def stopped(hub: Hub, db: Cursor, name: str, canonicals: Mapping[str, Canonical]) -> dict[str, str]:
    """Of these records, the orders that may not go to an ERP now, and why, in words for our own people."""
    if name != "order" or hub.config.deals.orders_outside != "block" or not canonicals:
        return {}
    go_live = hub.config.go_live_of("order")
    orders = {one.id: one for one in canonicals.values() if one.doc.get("party") and not one.retired and not is_older(go_live, one.doc)}
    judged = _judge(db, orders) if orders else []
    bad = [(goods, verdict) for goods, verdict in judged if verdict.effect != "allow"]
    if not bad:
        return {}
    states = fence_queries.states(db.connection, [goods.subject for goods, _ in bad])
    _tell(db, guarding.record(db.connection, bad), {goods.subject: (goods, verdict) for goods, verdict in bad}, asks=True)
    held = {}
    for goods, verdict in bad:
        state = states.get((goods.subject, verdict.code), "open")
        if verdict.effect == "block" and state != "accepted":
            zh, en = INSIDE[verdict.code]
            decided = {"open": "waits for the channel manager", "refused": "refused by the channel manager"}[state]
            held[goods.subject.removeprefix("order:")] = f"region {goods.region}: {en} ({zh}); {decided}"
    return held


def _judge(db: Cursor, orders: Mapping[str, Canonical]) -> list[tuple[Goods, FenceVerdict]]:
    connection = db.connection
    dealers = goods_queries.dealers_among(connection, [UUID(one.doc["party"]) for one in orders.values()])
    if not dealers:
        return []
    book = guarding.book(connection, list(dealers))
    if not book.own:
        return []
    receivers = [UUID(one.doc["ship_to"]) for one in orders.values() if one.doc.get("ship_to")]
    places = goods_queries.addresses(connection, receivers) if receivers else {}
    products = {UUID(row.doc["product"]) for one in orders.values() for row in one.sets["lines"].values() if row.doc.get("product")}
    lines = goods_queries.product_lines(connection, list(products))
    judged = []
    for one in orders.values():
        dealer = UUID(one.doc["party"])
        if dealer not in dealers:
            continue
        cited = {lines.get(UUID(row.doc["product"]), "") for row in one.sets["lines"].values() if row.doc.get("product")}
        ordered = one.doc.get("ordered_on")
        on = date.fromisoformat(ordered) if ordered else None
        goods = Goods(f"order:{one.id}", one.version, dealer, on, _region(one.doc, places), tuple(sorted(cited)), one.number)
        judged.append((goods, assess(goods, book)))
    return judged


def _region(doc: Mapping[str, Any], places: Mapping[UUID, str]) -> str:
    address = doc.get("delivery_address") or ""
    if not address and doc.get("ship_to") and doc["ship_to"] != doc.get("party"):
        address = places.get(UUID(doc["ship_to"]), "")
    return place_of_address(address) if address else ""


def _tell(db: Cursor, fresh: list[tuple[int, str]], found: Mapping[str, tuple[Goods, FenceVerdict]], *, asks: bool) -> None:
    for hit, subject in fresh:
        goods, verdict = found[subject]
        zh, en = INSIDE[verdict.code]
        facts = {
            "zh": f"单据 {goods.number or '-'} 发往 {goods.region}: {zh}", "en": f"{goods.number or subject} goes to {goods.region}: {en}",
            "dealer": str(goods.dealer_id), "region": goods.region, "product_lines": list(goods.lines), "hit": hit, "code": verdict.code,
        }  # fmt: skip
        if asks and verdict.effect == "block" and subject.startswith("order:"):
            notices.ask(
                db, Question("order_outside_area", f"订单超出授权范围: {goods.number or goods.region}", subject, "rule:fence", facts)
            )
        else:
            notices.post(db, Message("goods_outside_area", MANAGER, subject, facts))


def answered(hub: Hub, db: Cursor, asked: Asked, decision: str, by: str, reason: str, how: str) -> None:  # noqa: ARG001  as every room's
    """An order outside of its dealer's fences may go all the same, or may not."""
    fencing.settle_subject(db.connection, asked.about, "accepted" if decision == "approved" else "refused", by, reason)
    judge_again(hub, db, [asked.number])


def judge_again(hub: Hub, db: Cursor, orders: Sequence[str]) -> None:
    """A person has answered about orders, or fences have changed: their pairs are judged anew."""
    pairing.judge_pairs(hub, db, "order", store.load(db, TABLES["order"], orders, lock=True), Observed())


def _let_go(hub: Hub) -> int:
    """Orders that a fence kept and keeps no longer go their way; how many are looked at."""
    looked, after = 0, UUID(int=0)
    while True:
        with hub.transaction() as db:
            held = _kept(db, f"entity_id > %s ORDER BY 1 LIMIT {PAGE}", [after])
            if not held:
                return looked
            _look_at_kept(hub, db, held)
        looked, after = looked + len(held), UUID(held[-1])


def _look_at_kept(hub: Hub, db: Cursor, held: Sequence[str]) -> None:
    judge_again(hub, db, held)
    kept = set(_kept(db, "entity_id = ANY(%s::uuid[])", [list(held)]))
    for hit in fence_queries.refused(db.connection, [f"order:{one}" for one in sorted(kept)]):
        notices.close(db, hit.subject, "rejected", hit.decided_by or "", hit.reason)
    for free in sorted(set(held) - kept):
        guarding.inside_again(db.connection, f"order:{free}")
        notices.close(db, f"order:{free}", "withdrawn", "rule:inside_again", "the fences have changed")


def _kept(db: Cursor, which: str, values: Sequence[Any]) -> list[str]:
    query = f"SELECT DISTINCT entity_id AS id FROM desired WHERE state = 'held' AND reason = 'fence' AND {which}"
    db.execute(query.encode(), values)
    return [str(row["id"]) for row in db]


def look(hub: Hub, today: date) -> dict[str, int]:
    """Judge what was ordered and shipped lately and not judged yet; figures. Each document is told once for each reason."""
    held = _let_go(hub)
    if hub.config.deals.orders_outside == "off":
        return {"orders_held": held}
    starts = max(filter(None, [hub.config.go_live, today - LOOK_BACK]))
    counts = {"goods_outside": 0, "orders_held": held}
    while True:
        with hub.transaction() as db:
            db.execute("SELECT pg_advisory_xact_lock(hashtextextended('deals goods', 0))")
            fresh = guarding.judge_new(db.connection, starts)
            found = {subject: (goods, verdict) for _, subject, goods, verdict in fresh}
            asks = hub.config.deals.orders_outside == "block"
            _tell(db, [(hit, subject) for hit, subject, _, _ in fresh], found, asks=asks)
            counts["goods_outside"] += len(fresh)
            if not guarding.pending(db.connection, starts):
                return counts
