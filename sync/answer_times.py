"""How long people take to answer: questions asked in a span of days, by what they ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from sync.hub import Hub

_TIMES: Final = """
SELECT kind, count(*) FILTER (WHERE decision = 'approved') AS approved, count(*) FILTER (WHERE decision = 'rejected') AS rejected,
    count(*) FILTER (WHERE decision = 'open') AS open,
    round(percentile_disc(0.5) WITHIN GROUP (ORDER BY took) FILTER (WHERE answered), 2) AS median,
    round(percentile_disc(0.9) WITHIN GROUP (ORDER BY took) FILTER (WHERE answered), 2) AS p90,
    round(max(took) FILTER (WHERE decision = 'open'), 2) AS waiting
FROM (
    SELECT kind, decision, decision IN ('approved', 'rejected') AS answered, extract(epoch FROM
        coalesce((doc->>'decided_at')::timestamptz, clock_timestamp()) - (doc->>'asked_at')::timestamptz) / 3600 AS took
    FROM approvals WHERE doc->>'asked_at' IS NOT NULL AND NOT retired
        AND ((doc->>'asked_at')::timestamptz AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %(start)s AND %(end)s
) AS a GROUP BY kind ORDER BY kind
"""


@dataclass(frozen=True, slots=True)
class AnswerTimes:
    """Questions of one kind. Units: hours, nights and holidays included, to a hundredth; what was withdrawn counts nowhere."""

    kind: str
    approved: int
    rejected: int
    open: int
    median: Decimal | None
    """From asking to the answer; None: nothing was answered. Half took no longer."""
    p90: Decimal | None
    """Nine of ten took no longer."""
    waiting: Decimal | None
    """Of the one that waits longest; None: nothing waits."""


def times_of(hub: Hub, start: date, end: date) -> list[AnswerTimes]:
    """How long questions waited that were asked from one business day to another (both count; Asia/Shanghai), by kind."""
    with hub.transaction() as db:
        db.execute(_TIMES, {"start": start, "end": end})
        return [AnswerTimes(**row) for row in db]
