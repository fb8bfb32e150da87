"""Rebates between the ledger and the systems: payouts become credit memos that the engine books once, and what the ERP books is compared.

The money itself is decided in :mod:`channel.rebates.service`; here it becomes records that flow, and messages to people.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

from canonical.values import business_day
from channel.notices.messages import FINANCE, Message
from channel.rebates import payout_queries, service
from channel.rebates.service import Done, Payout
from sync import funds, memos, notices, rebate_accounts, rebate_notices
from sync.hub import Hub
from sync.runs import Run, RunResult, running

BY = "rule:rebates"
SAMPLE: Final = 10
"""So many kept sums of each programme are compared with their lines each night."""
_PATIENCE: Final = "SET LOCAL idle_in_transaction_session_timeout = '2h'"
"""Rating the lines of millions of facts takes minutes between two statements; the usual timeout, a lease's, would end every such night."""


def nightly(hub: Hub, *, now: datetime | None = None) -> RunResult:
    """Accrue up to yesterday, settle what is due, pay it, follow the dealers' accounts, and compare payouts with the ERP. Safe to repeat.

    `now`: the moment to judge by; the database's clock when not said. Days are business days in Asia/Shanghai.
    """
    with running(hub, "rebates") as run:
        with hub.transaction() as db:
            db.execute("SELECT clock_timestamp() AS now")
            row = db.fetchone()
        moment = now or (row or {})["now"]
        as_of = business_day(moment) - timedelta(days=1)
        accrue(hub, as_of, run=run)
        settle(hub, as_of, run=run)
        pay_due(hub, run=run)
        funds.nightly(hub, as_of, run=run)
        rebate_accounts.nightly(hub, as_of, run=run)
        reconcile(hub, run=run)
        rebate_notices.nightly(hub, as_of, run=run)
    return run.result


def accrue(hub: Hub, as_of: date, *, by: str = BY, full: bool = False, run: Run | None = None) -> Done:
    """Book accruals up to a business day, in one transaction.

    A night looks at what is touched since the last, and compares some of the kept sums with the lines that they are of. full: everything
    is read again and summed anew. What cannot be reckoned, and sums that are wrong, finance is told of.
    """
    with hub.transaction() as db:
        db.execute(_PATIENCE)
        done = service.accrue(db.connection, as_of, by=by, full=full, sample=SAMPLE)
    _tell_refused(hub, "rebate_accrual_refused", done, run)
    _tell_differs(hub, done, run)
    if run is not None:
        run.counts({"results": done.results, "accrued": len(done.units)})
    return done


def settle(hub: Hub, as_of: date, *, by: str = BY, programmes: list[str] | None = None, full: bool = False, run: Run | None = None) -> Done:
    """Settle what is due, in one transaction, and tell each dealer that a statement is ready. full: everything is looked at again."""
    with hub.transaction() as db:
        db.execute(_PATIENCE)
        done = service.settle(db.connection, as_of, by=by, programmes=programmes, full=full, sample=SAMPLE)
        rebate_notices.statements_ready(hub, db, [*done.statements, *done.handed_on])
    _tell_refused(hub, "rebate_settlement_refused", done, run)
    _tell_differs(hub, done, run)
    if run is not None:
        run.counts({"settled": len(done.units), "statements": len(done.statements), "handed_on": len(done.handed_on)})
    return done


def _tell_refused(hub: Hub, kind: str, done: Done, run: Run | None) -> None:
    """Programmes that were left as they were because of facts that cannot be: told until they come right."""
    if not done.problems:
        notices.clear(hub, kind, about="rebates")
        return
    flaws = [error for problem in done.problems for error in problem.errors]
    notices.alert(hub, kind, audience=FINANCE, about="rebates", facts={"flaws": flaws[:100]})
    if run is not None:
        for problem in done.problems:
            run.problem(str(problem), "differs")


def _tell_differs(hub: Hub, done: Done, run: Run | None) -> None:
    """Kept sums that are not what their lines give."""
    if done.differs:
        notices.alert(hub, "rebate_sums_differ", audience=FINANCE, about="rebates", facts={"units": list(done.differs)[:100]})
    if run is not None:
        for difference in done.differs:
            run.problem(f"kept sums differ from their lines and are summed anew: {difference}", "differs")


def pay_due(hub: Hub, *, by: str = BY, run: Run | None = None) -> list[Payout]:
    """Make payouts of what is settled and to be paid by memo, each with the credit memo that the ERP will book. One transaction."""
    with hub.transaction() as db:
        paid = service.pay(db.connection, by=by)
        for payout in paid:
            memos.book(hub, db, payout)
    if run is not None:
        run.counts({"payouts": len(paid)})
    return paid


def reconcile(hub: Hub, *, run: Run | None = None) -> list[dict[str, Any]]:
    """Every payout beside the ERP's memos, by the payout's number. Finance is told what does not match, the dealer what was credited."""
    with hub.transaction() as db:
        found = payout_queries.reconciled(db.connection)
        for row in found:
            about = f"payout:{row['payout']}"
            if row["state"] == "matched":
                notices.withdraw(db, "payout_differs", about)
                rebate_notices.credited(hub, db, row)
            elif row["state"] != "missing_in_erp" and notices.once(db, about, row["state"]):
                facts = {
                    "zh": f"返利付款 {row['payout']} 与 ERP 不符: {row['state']}, 单号 {row['memo'] or '-'}",
                    "en": f"Payout {row['payout']} and the ERP differ: {row['state']}, memo {row['memo'] or '-'}",
                    "payout": row["payout"], "state": row["state"], "memo": row["memo"],
                }  # fmt: skip
                notices.post(db, Message("payout_differs", FINANCE, about, facts))
    if run is not None:
        for row in found:
            run.count(row["state"])
    return found
