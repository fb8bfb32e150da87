"""Facts from before the go-live harm no one: which they are. Pure.

They are written quietly, nobody is asked to approve them, and nothing is made of them (promise 14).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from canonical.values import business_day

DATED = ("ordered_on", "shipped_on", "billed_on", "received_on", "returned_on", "refunded_on", "won_on")
"""The business day of each kind of document, of Asia/Shanghai."""
CLOSED = ("won", "lost")


def day_of(doc: Mapping[str, Any]) -> str | None:
    """The business day that a record is about, as `2026-11-21`; None for a record that is about no day (a customer, an open deal)."""
    day = next((str(doc[name]) for name in DATED if doc.get(name)), None)
    if day is None and doc.get("stage_kind") in CLOSED and doc.get("expected_close"):
        return str(doc["expected_close"])  # of a closed deal its systems keep the closing day there
    if day is None and doc.get("received_at"):
        return business_day(datetime.fromisoformat(str(doc["received_at"]))).isoformat()
    return day


def is_older(go_live: date | None, doc: Mapping[str, Any]) -> bool:
    """True for a record that is about a day before the go-live."""
    if go_live is None:
        return False
    day = day_of(doc)
    return day is not None and day < go_live.isoformat()
