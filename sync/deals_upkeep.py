"""Looking after deals: expiry, reminders, pull-back, stuck stages, goods outside of fences, customers that are there twice.

One entry point for the DAG `deals_upkeep` and the command. Every part stands alone and is idempotent: what it tells is told once, however
often it runs, and a run that is killed is made up for by the next one. No decision waits for it: a protection ends by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from canonical.values import SHANGHAI, business_day
from channel.deals import duplicates
from channel.deals import queries as registrations
from channel.deals import upkeep as rules
from channel.deals.customers import service as customers
from channel.deals.telling import late
from channel.notices.messages import MANAGER, Message
from sync import deal_notices, deal_pipeline, notices, order_fencing
from sync.hub import Cursor, Hub
from sync.parts import each
from sync.runs import RunResult, running

PAIRS_KEPT = timedelta(days=30)
SCAN_FROM_HOUR = 1
"""The nightly scan is made by the first run after one o'clock in Shanghai."""


def look_after(hub: Hub, *, now: datetime | None = None) -> RunResult:
    """Do everything that is due. `now` is the moment to judge by (the database's clock when not said); ranges end by the database's clock.

    Status: failed when a part could not be done; the others were all the same.
    """
    with running(hub, "deals_upkeep") as run:
        with hub.pool.connection() as db:
            moment = now or registrations.now(db)
        today = business_day(moment)
        parts: dict[str, Callable[[], dict[str, int]]] = {
            "customers": lambda: _customers(hub),
            "expiry": lambda: _over(hub, moment),
            "reminders": lambda: _reminders(hub, moment),
            "late": lambda: _late(hub, moment),
            "stages": lambda: deal_pipeline.remind(hub, today),
            "goods": lambda: order_fencing.look(hub, today),
            "duplicates": lambda: _scan(hub, moment),
            "notices": lambda: deal_notices.tell(hub),
            "sweeping": lambda: _sweep(hub, moment),
        }
        each(run, parts)
    return run.result


def _customers(hub: Hub) -> dict[str, int]:
    """Take over what parties have become, so that claims and the scan compare the present names.

    Raises: KeysOutdated after the matcher was changed, until the keys are rebuilt; registrations are refused until then too.
    """
    with hub.pool.connection() as db:
        done = customers.refresh(db)
    return {f"customers_{name}": int(number) for name, number in _figures(done).items() if name != "hot"}


def _figures(done: Any) -> dict[str, int]:
    return {name: getattr(done, name) for name in done.__slots__ if isinstance(getattr(done, name), int)}


def _over(hub: Hub, now: datetime) -> dict[str, int]:
    with hub.transaction() as db:
        expired = rules.expire(db.connection, now)
    with hub.transaction() as db:
        idle = rules.pull_back(db.connection, now)
    return {"expired": len(expired), "pulled_back": len(idle)}


def _reminders(hub: Hub, now: datetime) -> dict[str, int]:
    """Each nearest reminder once for the present end: the event that remembers it becomes the notice."""
    with hub.transaction() as db:
        due = [one for one in rules.due(db.connection, now) if one.kind == "expiring"]
        return {"reminded": rules.note_reminded(db.connection, due)}


def _late(hub: Hub, now: datetime) -> dict[str, int]:
    """Questions to people that wait for longer than their policy says: told once for each time that they are asked."""
    told = 0
    starts = notices.go_live(hub, "deal")
    with hub.transaction() as db:
        for one in rules.due(db.connection, now):
            if one.kind not in ("held_late", "approval_late", "appeal_late"):
                continue
            if starts is not None and business_day(now - timedelta(days=one.days)) < starts:
                continue
            subject = f"registration:{one.registration_id}"
            if notices.once(db, subject, f"{one.kind} {business_day(now - timedelta(days=one.days))}"):
                zh, en = late(one.kind, _customer(db, str(one.registration_id)), one.days)
                facts = {"zh": zh, "en": en, "days": one.days, "dealer": str(one.dealer_id)}
                notices.post(db, Message("deal_decision_late", MANAGER, subject, facts))
                told += 1
    return {"deal_decision_late": told}


def _customer(db: Cursor, registration: str) -> str:
    db.execute("SELECT coalesce(nullif(claim->>'name', ''), claim->>'uscc', '') AS name FROM registration WHERE id = %s", [registration])
    return str((db.fetchone() or {"name": ""})["name"])


def _scan(hub: Hub, now: datetime) -> dict[str, int]:
    """Once in a night; what says that it was done commits with what it found, so a killed scan is made again."""
    if not hub.config.deals.duplicate_scan or now.astimezone(SHANGHAI).hour < SCAN_FROM_HOUR:
        return {}
    with hub.transaction() as db:
        if not notices.once(db, "scan", f"duplicates {business_day(now)}"):
            return {}
        report = duplicates.scan(db.connection)
        if report.new:
            words = {"zh": f"发现 {report.new} 对新的疑似重复客户", "en": f"{report.new} new pairs of customers may be one firm"}
            facts = {**report.as_dict(), **words}
            notices.post(db, Message("duplicates_found", MANAGER, f"scan:{business_day(now)}", facts))
    return {f"scan_{name}": number for name, number in report.as_dict().items()}


def _sweep(hub: Hub, now: datetime) -> dict[str, int]:
    with hub.transaction() as db:
        pairs = duplicates.forget(db.connection, now - PAIRS_KEPT)
    return {"pairs_forgotten": pairs}
