"""Figures that follow from documents: how far orders have come, which order a quote became; and orders made from accepted quotes.

A merge puts the records concerned into `derive_queue`, in its own transaction; :func:`derive` works the queue off by the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from canonical.values import business_day, decimal_text
from channel.orders.from_quote import NotYet, order_from
from channel.orders.progress import Facts, Progress, progress
from ledger.tables import TABLES
from sync import collector, pairing, party_due, store
from sync.crew import Job
from sync.decide import Canonical, Row, changed_fields
from sync.golive import is_older
from sync.hub import Cursor, Hub
from sync.runs import Run, RunResult, running

PAGE = 500
MUCH = 2000
"""So many rows of the queue are worked off by several processes."""
_DOCUMENTS = ("shipment", "return", "receivable", "receipt", "refund")
_BEGUN = {
    "shipped_quantity": "0",
    "shipping_state": "none",
    "invoiced_amount": "0",
    "paid_amount": "0",
    "payment_state": "none",
    "payment_basis": "linked",
}


def begin(name: str, canonical: Canonical) -> Canonical:
    """A new record with the figures it starts from: nothing can cite an order before it is known."""
    if name == "order":
        canonical.doc.update(_BEGUN)
        for row in canonical.sets.get("lines", {}).values():
            row.doc["shipped_quantity"] = "0"
    return canonical


def enqueue(db: Cursor, name: str, changed: Sequence[Canonical], before: Mapping[str, Canonical]) -> None:
    """Note which records must be derived anew because of these."""
    if name in ("party", "contact"):
        party_due.note_parties(db, name, changed)
        return
    wanted: set[tuple[str, str]] = set()
    for canonical in changed:
        old = before.get(canonical.id)
        if name in _DOCUMENTS:
            wanted |= {("order", order) for order in _orders_of(canonical)} | {
                ("order", order) for order in (_orders_of(old) if old else ())
            }
        elif name == "order":
            if old is not None:
                wanted.add(("order", canonical.id))
            wanted |= {(kind, canonical.doc[kind]) for kind in ("quote", "deal") if canonical.doc.get(kind)}
        elif name in ("quote", "deal"):
            wanted.add((name, canonical.id))
    if wanted:
        ordered = sorted(wanted)
        db.execute(
            "INSERT INTO derive_queue (entity, entity_id) SELECT * FROM unnest(%s::text[], %s::uuid[]) ON CONFLICT DO NOTHING",
            [[kind for kind, _ in ordered], [entity_id for _, entity_id in ordered]],
        )


def _orders_of(canonical: Canonical) -> set[str]:
    cited = {canonical.doc.get("order")}
    cited |= {row.doc.get("order") for rows in canonical.sets.values() for row in rows.values()}
    return {order for order in cited if order}


def derive(hub: Hub) -> RunResult:
    """Work the queue off. Safe to run by several workers: each takes rows that no other has."""
    from sync import deals  # noqa: PLC0415  it saves what it derives here

    with running(hub, "derive") as run:
        deals.refresh_customers(hub, run)
        if hub.crew.size > 1 and _much(hub):
            jobs = [Job(f"derive {number}", derive_beside, (run.id,)) for number in range(hub.crew.size)]
            for _, result in hub.crew.work(jobs):
                run.result.add(result)
        _work_off(hub, run)
        deals.settle(hub, run)
    return run.result


def derive_beside(hub: Hub, run_id: int) -> RunResult:
    """Help to work the queue off, as part of a run that another process keeps."""
    run = Run(run_id, RunResult("derive", run_id=run_id))
    _work_off(hub, run)
    return run.result


def _much(hub: Hub) -> bool:
    with hub.transaction() as db:
        db.execute("SELECT 1 FROM derive_queue OFFSET %s LIMIT 1", [MUCH])
        return db.fetchone() is not None


def _work_off(hub: Hub, run: Run) -> None:
    with collector.held_back() as sweeper:
        while (page := hub.settle(lambda db: _page(hub, db, run.id))) is not None:  # orders of two pages may be of one deal: each notes it
            run.result.add(page)
            sweeper.page_done()


def _page(hub: Hub, db: Cursor, run_id: int) -> RunResult | None:
    """Derive a page of the queue; None when it is empty."""
    taken = _take(db)
    page = Run(run_id, RunResult("derive", run_id=run_id))
    for kind, ids in taken.items():
        page.count(f"{kind}s", _derive_page(hub, db, kind, ids, page))
    return page.result if taken else None


def _take(db: Cursor) -> dict[str, list[str]]:
    db.execute(
        "DELETE FROM derive_queue q "
        "USING (SELECT entity, entity_id FROM derive_queue ORDER BY entity_id LIMIT %s FOR UPDATE SKIP LOCKED) t "
        "WHERE (q.entity, q.entity_id) = (t.entity, t.entity_id) RETURNING q.entity, q.entity_id::text AS entity_id",
        [PAGE],
    )
    taken: dict[str, list[str]] = {}
    for row in db:
        taken.setdefault(row["entity"], []).append(row["entity_id"])
    return taken


def _derive_page(hub: Hub, db: Cursor, kind: str, ids: Sequence[str], run: Run) -> int:
    if kind not in hub.policies:
        return 0
    if kind == "order":
        return _orders(hub, db, ids, run.id)
    if "deal" in hub.policies:
        from sync import deals  # noqa: PLC0415  it saves what it derives here

        deals.enqueue(hub, db, kind, ids)
    if kind in ("quote", "deal"):
        from sync import quotes  # noqa: PLC0415  it puts records, and putting enqueues here

        quotes.follow_orders(hub, db, kind, ids)
    made = _quotes_to_orders(hub, db, kind, ids, run) if "order" in hub.policies else 0
    return made + _quote_figures(hub, db, kind, ids, run.id)


# Orders -------------------------------------------------------------------------------------------------------------------


def _orders(hub: Hub, db: Cursor, ids: Sequence[str], run_id: int) -> int:
    table = TABLES["order"]
    before = store.load(db, table, ids, lock=True)
    facts = _order_facts(db, list(before))
    after = [_with_progress(canonical, facts.get(canonical.id, Facts())) for canonical in before.values()]
    return save_derived(hub, db, "order", before, after, run_id)


def _order_facts(db: Cursor, ids: Sequence[str]) -> dict[str, Facts]:
    shipped: dict[str, dict[str, Decimal]] = {order: {} for order in ids}
    loose: dict[str, Decimal] = dict.fromkeys(ids, Decimal(0))
    for lines, documents, sign in (("shipment_lines", "shipments", 1), ("return_lines", "returns", -1)):
        db.execute(
            f"SELECT l.order_id::text AS order, l.order_line_id::text AS line, sum(l.quantity) AS quantity FROM {lines} l "
            f"JOIN {documents} d ON d.id = l.parent_id WHERE l.order_id = ANY(%s::uuid[]) AND d.approval = 'approved' "
            "AND d.status IS DISTINCT FROM 'void' AND NOT d.retired GROUP BY 1, 2",
            [list(ids)],
        )
        for row in db:
            if row["line"] is None:
                loose[row["order"]] += sign * row["quantity"]
            else:
                by_line = shipped[row["order"]]
                by_line[row["line"]] = by_line.get(row["line"], Decimal(0)) + sign * row["quantity"]
    invoiced = _sums(db, ids, "receivable_lines", "receivables", "total")
    paid = _sums(db, ids, "receipt_lines", "receipts", "amount")
    refunded = _sums(db, ids, "refund_lines", "refunds", "amount")
    zero = Decimal(0)
    return {
        order: Facts(shipped[order], loose[order], invoiced.get(order, zero), paid.get(order, zero) - refunded.get(order, zero))
        for order in ids
    }


def _sums(db: Cursor, ids: Sequence[str], lines: str, documents: str, column: str) -> dict[str, Decimal]:
    db.execute(
        f"SELECT l.order_id::text AS order, sum(l.{column}) AS total FROM {lines} l JOIN {documents} d ON d.id = l.parent_id "
        "WHERE l.order_id = ANY(%s::uuid[]) AND d.approval = 'approved' AND d.status IS DISTINCT FROM 'void' AND NOT d.retired GROUP BY 1",
        [list(ids)],
    )
    return {row["order"]: row["total"] or Decimal(0) for row in db}


def _with_progress(canonical: Canonical, facts: Facts) -> Canonical:
    lines = canonical.sets.get("lines", {})
    ordered = {row.id: Decimal(row.doc.get("quantity") or 0) for row in lines.values() if row.doc.get("status") != "void"}
    come = progress(Decimal(canonical.doc.get("total") or 0), ordered, facts)
    doc = {**canonical.doc, **_figures(come)}
    rows = {
        row.id: Row(row.id, {**row.doc, "shipped_quantity": decimal_text(come.lines.get(row.id, Decimal(0)))}, row.links, row.seq)
        for row in lines.values()
    }
    return replace(canonical, doc=doc, sets={**canonical.sets, "lines": rows})


def _figures(come: Progress) -> dict[str, Any]:
    return {
        "shipped_quantity": decimal_text(come.shipped_quantity),
        "shipping_state": come.shipping_state,
        "invoiced_amount": decimal_text(come.invoiced_amount),
        "paid_amount": decimal_text(come.paid_amount),
        "payment_state": come.payment_state,
        "payment_basis": come.payment_basis,
    }


def save_derived(hub: Hub, db: Cursor, name: str, before: Mapping[str, Canonical], after: Sequence[Canonical], run_id: int) -> int:
    """Store records with what was derived for them, with history and pairs; how many changed."""
    from sync.observing import Observed  # noqa: PLC0415  observing enqueues here

    state = hub.kind(name)
    changed: dict[str, Canonical] = {}
    history = []
    for canonical in after:
        old = before[canonical.id]
        changes = changed_fields(old, canonical.doc, canonical.sets, canonical.number)
        if changes:
            canonical.version = old.version + 1
            changed[canonical.id] = canonical
            history.append((canonical.id, canonical.version, changes))
    store.update(db, state.table, before, list(changed.values()))
    store.write_history(db, state.policy, run_id, "derived from documents", history)
    pairing.judge_pairs(hub, db, name, changed, Observed())
    if name == "order":
        enqueue_sales(db, changed.values())
    return len(changed)


def enqueue_sales(db: Cursor, orders: Any) -> None:
    """Quotes and deals show the state of the order they became."""
    wanted = sorted({(kind, order.doc[kind]) for order in orders for kind in ("quote", "deal") if order.doc.get(kind)})
    if wanted:
        db.execute(
            "INSERT INTO derive_queue (entity, entity_id) SELECT * FROM unnest(%s::text[], %s::uuid[]) ON CONFLICT DO NOTHING",
            [[kind for kind, _ in wanted], [entity_id for _, entity_id in wanted]],
        )


# Quotes and deals ---------------------------------------------------------------------------------------------------------


def _quotes_to_orders(hub: Hub, db: Cursor, kind: str, ids: Sequence[str], run: Run) -> int:
    from sync import hub_records  # noqa: PLC0415  it merges, and merging enqueues here

    if "quote" not in hub.policies or "deal" not in hub.policies:
        return 0
    column = "id" if kind == "quote" else "deal_id"
    db.execute(
        "SELECT q.id::text AS quote, d.id::text AS deal FROM quotes q JOIN deals d ON d.id = q.deal_id "
        f"WHERE q.{column} = ANY(%s::uuid[]) AND q.stage = 'accepted' AND d.stage_kind = 'won' AND NOT q.retired AND NOT d.retired "
        "AND NOT EXISTS (SELECT 1 FROM quote_offer h WHERE h.id = q.id) "  # orders of the hub's own are made by sync/quotes.py
        "AND NOT EXISTS "
        "(SELECT 1 FROM orders o WHERE o.quote_id = q.id AND (o.doc->>'quote_revision')::int = coalesce((q.doc->>'revision')::int, 1))",
        [list(ids)],
    )
    pairs = [(row["quote"], row["deal"]) for row in db]
    if not pairs:
        return 0
    quotes = store.load(db, TABLES["quote"], [quote for quote, _ in pairs], lock=True)
    deals = store.load(db, TABLES["deal"], [deal for _, deal in pairs])
    cited = {row.doc["product"] for quote in quotes.values() for row in quote.sets["lines"].values() if row.doc.get("product")}
    products = {entity_id: product.doc for entity_id, product in store.load(db, TABLES["product"], cited).items()}
    live = _since_go_live(hub, db, deals, quotes)
    run.count("before_go_live", sum(deal_id not in live for _, deal_id in pairs))
    today = business_day(datetime.now(UTC)).isoformat()
    made = 0
    for quote_id, deal_id in ((quote_id, deal_id) for quote_id, deal_id in pairs if deal_id in live):
        quote, deal = quotes[quote_id], deals[deal_id]
        lines = {row.id: row.doc for row in quote.sets["lines"].values()}
        draft = order_from(quote_id, quote.doc, lines, deal_id, deal.doc, products, today)
        if isinstance(draft, NotYet):
            continue
        hub_records.put(
            hub, db, "order", draft.key, draft.fields, {"lines": draft.lines}, cause=f"quote {quote.number or quote_id} accepted"
        )
        made += 1
    return made


def _since_go_live(hub: Hub, db: Cursor, deals: Mapping[str, Canonical], quotes: Mapping[str, Canonical]) -> set[str]:
    """Of these won deals, those that orders are made of: closed since the go-live, or seen to be won or accepted since.

    What was won and ordered by hand before the hub came is not ordered again. A closing day alone proves nothing: it may be a date that
    somebody once expected.
    """
    go_live = hub.config.go_live_of("order")
    old = {number for number, deal in deals.items() if is_older(go_live, deal.doc)}
    if not old:
        return set(deals)
    watched = {quote.id: quote.doc.get("deal") for quote in quotes.values()} | {number: number for number in old}
    db.execute(
        "SELECT DISTINCT entity_id::text AS id FROM history WHERE entity IN ('deal', 'quote') AND entity_id = ANY(%s::uuid[]) "
        "AND changed IS NOT NULL AND (changed->'stage_kind' IS NOT NULL OR (entity = 'quote' AND changed->'stage' IS NOT NULL))",
        [sorted(watched)],
    )
    return (set(deals) - old) | {str(watched[row["id"]]) for row in db}


def _quote_figures(hub: Hub, db: Cursor, kind: str, ids: Sequence[str], run_id: int) -> int:
    db.execute(
        f"SELECT id::text AS id, {kind}_id::text AS about, number, approval FROM orders WHERE {kind}_id = ANY(%s::uuid[]) "
        "AND NOT retired ORDER BY id",
        [list(ids)],
    )
    orders = {row["about"]: row for row in db}
    if not orders:
        return 0
    before = store.load(db, TABLES[kind], list(orders), lock=True)
    after = []
    for canonical in before.values():
        order = orders[canonical.id]
        figures = {"order": order["id"]} if kind == "quote" else {}
        if order["number"]:  # before it has one, it is nowhere but in the hub
            figures["order_number"] = order["number"]
            if kind == "quote":
                figures["order_status"] = order["approval"] or ""
        after.append(replace(canonical, doc={**canonical.doc, **figures}))
    return save_derived(hub, db, kind, before, after, run_id)
