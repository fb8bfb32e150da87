"""Performance between the ledger and people: months are kept once they are over, dealers' stock is looked at, and who should know is told.

Figures are made in :mod:`channel.performance.service`; here they become messages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from canonical.values import business_day
from channel.notices.messages import Consequence, Message
from channel.performance import queries, service, stock_service, telling
from channel.performance.service import Kept
from channel.performance.stock_service import Planned, Supply
from sync import notices
from sync.hub import Cursor, Hub
from sync.runs import RunResult, running

BY = "rule:performance"


def monthly(hub: Hub, *, now: datetime | None = None) -> RunResult:
    """Keep every month that is over and was not kept, of each published scorecard, oldest first; one transaction a month. Safe to repeat.

    Only the newest month is told to anybody: what is caught up is history. `now`: the moment to judge by; the database's clock when not
    said. Days are business days in Asia/Shanghai.
    """
    with running(hub, "performance") as run:
        today = _today(hub, now)
        last = today.replace(day=1) - timedelta(days=1)
        with hub.transaction() as db:
            names = sorted({row["scorecard"] for row in queries.versions(db.connection)})
            due = [(name, month) for name in names for month in service.missed(db.connection, name, last)]
        for name, month in due:
            kept = keep(hub, name, month, today=today, tell=month == last)
            if kept is not None:
                run.counts({"months": 1, "results": kept.dealers, "ranked": kept.ranked, "tags": len(kept.came)})
    return run.result


def keep(hub: Hub, scorecard: str, as_of: date, *, today: date | None = None, by: str = BY, reason: str = "", tell: bool = True,
         known_at: datetime | None = None) -> Kept | None:  # fmt: skip
    """Keep one month in one transaction, and tell who should know; None where no version is in force or it was kept meanwhile.

    Raises: NotFoundHere, NotOver, NoReason when it was kept and no reason is given (a run without a person skips it instead).
    """
    day = today or _today(hub, None)
    with hub.transaction() as db:
        try:
            kept = service.keep(db.connection, scorecard, as_of, today=day, by=by, reason=reason, known_at=known_at)
        except service.NoReason:
            if by != BY:
                raise
            return None
        if kept is not None and tell and _is_live(hub, as_of):
            notices.follow(db, _month_told(db, kept), {})
    return kept


def _month_told(db: Cursor, kept: Kept) -> list[Consequence]:
    """What follows from a month: each dealer's message, and the tags that came and went."""
    told = service.shown(db.connection, kept.scorecard, kept.as_of)
    own: dict[UUID, list[Mapping[str, Any]]] = defaultdict(list)
    for row in queries.results(db.connection, kept.id):
        own[row["dealer_id"]].append(row["own"])
    before = _before(db, kept)
    found: list[Consequence] = [
        telling.scorecard_ready(dealer, told, rows, corrected=kept.revision > 1)
        for dealer, rows in own.items()
        if kept.revision == 1 or rows != before.get(dealer)
    ]
    newest = queries.month(db.connection, kept.scorecard)
    if newest is None or newest["id"] != kept.id:
        return found  # tags stand as the newest month has them
    for dealer, tag in kept.went:
        found += telling.tag_gone(dealer, tag)
    new = [row for row in queries.tags(db.connection, kept.id) if row["new"]]
    names = queries.dealers(db.connection, [row["dealer_id"] for row in new])
    for row in new:
        message = telling.tag_raised(row["dealer_id"], names[row["dealer_id"]]["name"], row["tag"], row["kind"], row["doc"], told)
        if notices.once(db, message.about, f"{kept.scorecard}/{row['since']}"):
            found.append(message)
    return found


def _before(db: Cursor, kept: Kept) -> dict[UUID, list[Mapping[str, Any]]]:
    """Each dealer's own rows as the revision before said them."""
    earlier = queries.month(db.connection, kept.scorecard, kept.as_of, kept.revision - 1) if kept.revision > 1 else None
    found: dict[UUID, list[Mapping[str, Any]]] = defaultdict(list)
    for row in queries.results(db.connection, earlier["id"]) if earlier is not None else ():
        found[row["dealer_id"]].append(row["own"])
    return found


def _is_live(hub: Hub, as_of: date) -> bool:
    starts = notices.go_live(hub, "order")
    return starts is None or as_of >= starts


def stock(hub: Hub, *, now: datetime | None = None) -> RunResult:
    """Look at dealers' stock as it stood yesterday evening; tell dealers what is new, and our own people who could help whom."""
    with running(hub, "dealer_stock") as run:
        done = look(hub, _today(hub, now) - timedelta(days=1))
        with hub.transaction() as db:
            found = queries.advice(db.connection, done.id)
            moves = len(queries.transfers(db.connection, done.id))
        warned = sum(row["warning"] for row in found)
        run.counts(
            {"looked_at": done.looked_at, "warnings": warned, "restock": sum(row["restock"] > 0 for row in found), "transfers": moves}
        )
    return run.result


def look(hub: Hub, as_of: date, *, by: str = BY) -> Planned:
    """Look at dealers' stock in one transaction. A dealer is told again only when another product is concerned than in the plan before."""
    config = hub.config.performance
    supply = Supply(config.lead_days, config.cover_days, config.window_days)
    with hub.transaction() as db:
        done = stock_service.look(db.connection, as_of, by=by, supply=supply)
        if done.id != done.before and _is_live(hub, as_of):
            notices.follow(db, _stock_told(db, done), {})
    return done


def _stock_told(db: Cursor, done: Planned) -> list[Consequence]:
    now, before = _advice(db, done.id), _advice(db, done.before)
    found: list[Consequence] = []
    for dealer in sorted({*now, *before}):
        rows = now.get(dealer, [])
        if {_concern(row) for row in rows} - {_concern(row) for row in before.get(dealer, [])}:
            found += [*telling.stock_settled(dealer), telling.stock_told(dealer, done.as_of, rows)]
        elif not rows:
            found += telling.stock_settled(dealer)
    moves = queries.transfers(db.connection, done.id)
    found += _moves_told(db, done, moves)
    return found


def _moves_told(db: Cursor, done: Planned, moves: Sequence[Mapping[str, Any]]) -> list[Consequence]:
    earlier = queries.transfers(db.connection, done.before) if done.before is not None else []
    if [dict(one) for one in moves] == [dict(one) for one in earlier]:
        return []
    names = queries.dealers(db.connection, [one[side] for one in moves for side in ("giver_id", "taker_id")])
    message: Message | None = None
    if moves:
        message = telling.transfers_proposed(done.as_of, moves, {dealer: row["name"] for dealer, row in names.items()})
    return [*telling.transfers_settled(), *([message] if message is not None else [])]


def _advice(db: Cursor, plan: int | None) -> dict[UUID, list[Mapping[str, Any]]]:
    found: dict[UUID, list[Mapping[str, Any]]] = defaultdict(list)
    for row in queries.advice(db.connection, plan) if plan is not None else ():
        found[row["dealer_id"]].append(row)
    return found


def _concern(row: Mapping[str, Any]) -> tuple[str, bool]:
    return row["product"], row["warning"]


def _today(hub: Hub, now: datetime | None) -> date:
    if now is None:
        with hub.transaction() as db:
            db.execute("SELECT clock_timestamp() AS now")
            now = (db.fetchone() or {})["now"]
    return business_day(now)
