"""Prices between the ledger and people: special prices that somebody has to approve, and what is told when prices change.

The money is decided in :mod:`channel.pricing`; here it becomes questions, messages to dealers, and versions that the nightly run makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from canonical.values import business_day, decimal_text
from channel.notices.messages import Message, Question, to_party
from channel.pricing import special_service
from channel.pricing.special_service import Wanted
from sync import notices
from sync.hub import Cursor, Hub
from sync.notices import Asked


def ask_special(db: Cursor, wanted: Wanted, *, by: str, approved: bool = False) -> str:
    """Ask for a special price; its number. Who may grant it is asked, unless it is `approved` by whoever asks.

    Raises: BadPricing.
    """
    number = special_service.ask(db.connection, wanted, by=by, today=business_day(datetime.now(UTC)))
    if approved:
        special_service.decide(db.connection, number, "approved", by=by, reason=wanted.reason)
        _tell(db, number)
        return number
    told = special_service.show(db.connection, number)
    items = [{name: _text(row[name]) for name in ("item", "name", "price", "ceiling")} for row in told["items"]]
    facts = {
        "zh": f"{told['dealer_name']} 申请项目 {told['project']} 的特批价: {_items(items, 'zh')}",
        "en": f"{told['dealer_name']} asks for special prices for project {told['project']}: {_items(items, 'en')}",
        "special_price": number, "dealer": str(told["dealer_id"]), "project": told["project"], "currency": told["currency"], "items": items,
        "reason": told["reason"],
    }  # fmt: skip
    notices.ask(db, Question("special_price", f"特批价 {number}: {told['dealer_name']}", f"special_price:{number}", by, facts))
    return number


def _item(row: dict[str, Any], language: str) -> str:
    most = row["ceiling"]
    return f"{row['item']} {row['price']}" + ("" if most is None else f" (最多 {most})" if language == "zh" else f" (at most {most})")


def _items(rows: Sequence[dict[str, Any]], language: str) -> str:
    return "; ".join(_item(row, language) for row in rows)


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else decimal_text(value)


def answered(hub: Hub, db: Cursor, asked: Asked, decision: Literal["approved", "rejected"], by: str, reason: str, how: str) -> None:
    """A special price was approved or rejected; the dealer is told. Raises: SpecialState."""
    del hub, how
    special_service.decide(db.connection, asked.number, decision, by=by, reason=reason)
    _tell(db, asked.number)


def _tell(db: Cursor, number: str) -> None:
    """The dealer learns what became of a special price: once for each answer."""
    told = special_service.show(db.connection, number)
    if not notices.once(db, f"special_price:{number}", told["state"]):
        return
    words = {"approved": ("已批准", "approved"), "rejected": ("未批准", "not approved"), "ended": ("已终止", "ended")}[told["state"]]
    items = [{name: _text(row[name]) for name in ("item", "name", "price", "ceiling")} for row in told["items"]]
    facts = {
        "zh": f"项目 {told['project']} 的特批价 {number} {words[0]}: {_items(items, 'zh')}",
        "en": f"Special prices {number} for project {told['project']} are {words[1]}: {_items(items, 'en')}",
        "special_price": number, "state": told["state"], "project": told["project"], "currency": told["currency"], "items": items,
        "valid_from": None if told["valid_from"] is None else told["valid_from"].isoformat(),
        "valid_to": None if told["valid_to"] is None else told["valid_to"].isoformat(),
    }  # fmt: skip
    notices.post(db, Message("special_price", to_party(told["dealer_id"]), f"special_price:{number}", facts))


def end_special(db: Cursor, number: str, *, by: str, reason: str = "") -> None:
    """An approved special price ends now; what was used of it stays used. Raises: SpecialNotFound, SpecialState."""
    special_service.decide(db.connection, number, "ended", by=by, reason=reason)
    _tell(db, number)
