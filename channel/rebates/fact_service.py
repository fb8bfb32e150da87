"""Keep the facts up with the documents: what changed since the last look becomes new revisions, in one transaction."""

from __future__ import annotations

from uuid import UUID

from channel.rebates import fact_queries as queries
from channel.rebates.fact_queries import Connection


def refresh(db: Connection) -> dict[str, int]:
    """New revisions by kind of record. Within the caller's transaction; a second call finds nothing new.

    Orders, shipments, returns and receivables give their lines; receipts give what they paid of which receivable.
    """
    queries.lock(db)
    touched = {entity: queries.changed_since_last(db, entity) for entity in queries.SOURCES}
    done: dict[str, int] = {}
    paid_orders: set[UUID] = set()
    for entity, (ids, moment) in touched.items():
        if ids and entity != "receipt":
            done[entity] = queries.refresh_documents(db, entity, ids)
        if ids and entity in ("receivable", "receipt"):
            paid_orders.update(queries.orders_of(db, entity, ids))
        queries.note_read(db, entity, moment)
    receipts = touched["receipt"][0]
    if paid_orders or receipts:
        done["payment"] = queries.refresh_payments(db, sorted(paid_orders), receipts)
    return done
