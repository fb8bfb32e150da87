"""Looking after quotes: what is over ends, who should follow up is told, what a void order used up is given back.

One entry point for the DAG `quotes` and the command. Every part stands alone and is idempotent: what it tells is told once for a version,
however often it runs, and a run that is killed is made up for by the next one. No decision waits for it: a quote that is over cannot be
accepted, whether it was ended or not.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from canonical.values import business_day
from channel.notices.messages import Message, to_party
from channel.pricing import quote_queries, quote_service
from channel.pricing.quote_queries import Offer
from sync import notices, quotes
from sync.hub import Cursor, Hub
from sync.parts import each
from sync.runs import RunResult, running


def look_after(hub: Hub, *, now: datetime | None = None) -> RunResult:
    """Do everything that is due. `now` is the moment to judge by: the database's clock when not said. Days are those of Asia/Shanghai.

    Status: failed when a part could not be done; the others were all the same.
    """
    with running(hub, "quotes_upkeep") as run:
        with hub.pool.connection() as db:
            today = business_day(now or quote_queries.now(db))
        parts: dict[str, Callable[[], dict[str, int]]] = {
            "orders": lambda: _orders(hub),
            "expiry": lambda: _over(hub, today),
            "reminders": lambda: _reminders(hub, today),
            "follow-up": lambda: _follow_up(hub, today),
            "lost": lambda: _lost(hub, today),
        }
        each(run, parts)
    return run.result


def _orders(hub: Hub) -> dict[str, int]:
    """Orders that were made or became void while nobody derived anything."""
    with hub.transaction() as db:
        db.execute(
            "SELECT q.id::text AS id FROM quote_offer AS q LEFT JOIN orders AS o ON o.id = q.order_id LEFT JOIN deals AS d "
            "ON d.id = q.deal_id WHERE q.state = 'accepted' AND (o.retired OR o.status = 'void' "
            "OR (o.id IS NULL AND coalesce(d.stage_kind, 'won') = 'won')) ORDER BY q.id LIMIT 1000"
        )
        return {"orders_followed": quotes.follow_orders(hub, db, "quote", [row["id"] for row in db.fetchall()])}


def _over(hub: Hub, today: date) -> dict[str, int]:
    def work(db: Cursor) -> int:
        over = quote_service.expire(db.connection, today, quotes.BY)
        for offer in over:
            told = quote_queries.find(db.connection, offer.id)
            assert told is not None  # noqa: S101  it was just ended
            quotes.ended(hub, db, told, f"valid to {offer.valid_to}", quotes.BY)
            _post(db, offer, "quote_expired", "已过有效期", "has expired", dealer=offer.state == "sent")
        return len(over)

    return {"expired": hub.settle(work)}


def _reminders(hub: Hub, today: date) -> dict[str, int]:
    """A quote that went out and ends soon: to who looks after it and to the dealer."""
    last = today + timedelta(days=hub.config.quotes.remind_days)
    with hub.transaction() as db:
        due = [one for one in quote_queries.in_state(db.connection, "sent") if one.valid_to <= last]
        told = [one for one in due if _once(db, one, "expiring")]
        for offer in told:
            zh, en = f"将于 {offer.valid_to} 到期, 尚无答复", f"ends on {offer.valid_to} and has no answer yet"
            _post(db, offer, "quote_expiring", zh, en, dealer=True)
        return {"reminded": len(told)}


def _follow_up(hub: Hub, today: date) -> dict[str, int]:
    """有报价无成单: sent, and nobody has heard anything since."""
    days = hub.config.quotes.follow_up_days
    with hub.transaction() as db:
        due = quote_queries.in_state(db.connection, "sent", sent_to=today - timedelta(days=days))
        told = [one for one in due if _once(db, one, "follow-up")]
        for offer in told:
            waited = (today - offer.sent_on).days if offer.sent_on else days
            _post(db, offer, "quote_follow_up", f"发出已 {waited} 天尚未成单, 请跟进", f"was sent {waited} days ago and is no order yet")
        return {"followed_up": len(told)}


def _lost(hub: Hub, today: date) -> dict[str, int]:
    """A lost quote is worth a second look after a while."""
    days, reasons = hub.config.quotes.lost_follow_up_days, quotes.terms(hub).reasons
    with hub.transaction() as db:
        due = quote_queries.in_state(db.connection, "lost", closed_to=today - timedelta(days=days))
        told = [one for one in due if _once(db, one, "lost")]
        for offer in told:
            name = reasons.get(offer.lost_reason, offer.lost_reason)
            zh, en = f"于 {offer.closed_on} 因“{name}”丢单, 建议回访", f"was lost on {offer.closed_on} ({offer.lost_reason}): ask again"
            _post(db, offer, "quote_lost_follow_up", zh, en)
        return {"lost_followed_up": len(told)}


def _once(db: Cursor, offer: Offer, what: str) -> bool:
    return notices.once(db, quotes.about(offer), f"{what} {offer.version}")


def _post(db: Cursor, offer: Offer, kind: str, zh: str, en: str, *, dealer: bool = False) -> None:
    facts: dict[str, Any] = {
        "quote": offer.number, "version": offer.version, "valid_to": str(offer.valid_to),
        "zh": f"报价 {offer.number} {zh}", "en": f"Quote {offer.number} {en}",
    }  # fmt: skip
    notices.post(db, Message(kind, quotes.audience(offer), quotes.about(offer), dict(facts)))
    if dealer and offer.dealer_id is not None:
        notices.post(db, Message(kind, to_party(offer.dealer_id), quotes.about(offer), dict(facts)))
