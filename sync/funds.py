"""Funds and claims between the ledger and people: who decides is asked, the dealer is told, and what is paid becomes one credit memo.

The money itself is decided in :mod:`channel.funds.service`; each function here is one transaction with all that follows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, TypeVar
from uuid import UUID

from canonical.values import business_day, decimal_text
from channel.funds import filling, paying, queries, service
from channel.funds.errors import AlreadyClaimed
from channel.funds.handing import Handed
from channel.notices.messages import FINANCE, MANAGER, Message, Question, to_party
from channel.rebates.claims import Fund
from channel.rebates.errors import BadFacts
from channel.rebates.payouts import Payout
from channel.rebates.queries import Row
from sync import memos, notices
from sync.hub import Cursor, Hub
from sync.notices import Asked
from sync.runs import Run

T = TypeVar("T")
BY: Final = "rule:funds"
TOLD: Final = {
    "agreed": (
        "活动计划 {id} 已同意, 预留 {money}, 请在活动后凭证申报",
        "Your plan {id} was agreed to: {money} are kept for it; hand in the evidence",
    ),
    "approved": ("申报 {id} 已批准: {money}", "Your claim {id} was approved: {money}"),
    "rejected": ("申报 {id} 未通过: {reason}", "Your claim {id} was refused: {reason}"),
    "lapsed": ("活动计划 {id} 到期未申报, 预留金额已释放", "Your plan {id} was not followed by a claim in time; its money is free again"),
    "paid": ("申报 {id} 的 {money} 已安排付款", "Your claim {id} is being paid: {money}"),
}  # fmt: skip
"""What a dealer is told of its own claim."""


def today() -> date:
    """The business day in Asia/Shanghai."""
    return business_day(datetime.now(UTC))


def about(number: str) -> str:
    """What questions and notices about a claim are about."""
    return f"claim:{number}"


def submit(
    hub: Hub, dealer_id: UUID, handed: Handed, *, by: str, plan: bool = False, sees: Collection[UUID] | None = None, on: date | None = None
) -> Row:
    """Hand in a claim or a plan; who decides is asked, unless the programme's rule agrees. Raises: as `service.submit`.

    sees: the parties whose claims the caller may see; None: all. An earlier claim for the same thing is named only then.
    """

    def work(db: Cursor) -> Row:
        claim = service.submit(db.connection, dealer_id, handed, today=on or today(), by=by, plan=plan)
        return _asked(hub, db, claim, by)

    return _named(hub, work, sees)


def hand_in(hub: Hub, number: str, handed: Handed, *, by: str, sees: Collection[UUID] | None = None, on: date | None = None) -> Row:
    """Evidence and real cost of an activity that was agreed to. Raises: as `service.hand_in`."""

    def work(db: Cursor) -> Row:
        claim = service.hand_in(db.connection, number, handed, today=on or today(), by=by)
        return _asked(hub, db, claim, by)

    return _named(hub, work, sees)


def _named(hub: Hub, work: Callable[[Cursor], Row], sees: Collection[UUID] | None) -> Row:
    try:
        return _done(hub, work)
    except AlreadyClaimed as clash:
        raise clash.named() if sees is None or clash.dealer_id in sees else clash from None


def _asked(hub: Hub, db: Cursor, claim: Row, by: str) -> Row:
    number: str = claim["id"]
    if service.goes_by_rule(db.connection, number):
        return _approved(hub, db, number, BY, "", None, automatic=True)
    kind = "claim_plan" if claim["state"] == "planned" else "claim"
    if service.for_finance(db.connection, number):
        kind = "claim_large"
    asked = claim["asked"]
    what = asked.get("activity") or asked.get("product") or asked.get("cut") or claim["programme"]
    facts = {
        "claim": number, "programme": claim["programme"], "dealer": claim["dealer"], "what": what, "worth": decimal_text(claim["worth"]),
        "currency": claim["currency"], "on": claim["on_day"].isoformat(), "judged": claim["judged"].get("sentence"),
        "evidence": len(asked.get("evidence", [])), "audience": FINANCE if kind == "claim_large" else MANAGER,
    }  # fmt: skip
    subject = f"{'活动计划' if kind == 'claim_plan' else '费用申报'} {number}: {what}"
    notices.ask(db, Question(kind, subject, about(number), f"dealer:{claim['dealer_id']}" if by.startswith("dealer:") else by, facts))
    return claim


def approve(hub: Hub, number: str, *, by: str, note: str = "", amount: Decimal | None = None) -> Row:
    """Agree to a plan or a claim, whole or to less. Raises: as `service.approve`."""
    return _done(hub, lambda db: _approved(hub, db, number, by, note, amount))


def refuse(hub: Hub, number: str, *, by: str, reason: str) -> Row:
    """Refuse it. Raises: as `service.refuse`."""
    return _done(hub, lambda db: _refused(hub, db, number, by, reason, "rejected"))


def withdraw(hub: Hub, number: str, *, by: str, reason: str = "") -> Row:
    """The dealer takes it back. Raises: as `service.refuse`."""
    return _done(hub, lambda db: _refused(hub, db, number, by, reason, "withdrawn"))


def answered(hub: Hub, db: Cursor, asked: Asked, decision: Literal["approved", "rejected"], by: str, reason: str, how: str) -> None:  # noqa: ARG001  the shape of every room
    """A question about a claim was answered. Raises: as `service.approve` and `service.refuse`."""
    if decision == "approved":
        _approved(hub, db, asked.number, by, reason, None)
    else:
        _refused(hub, db, asked.number, by, reason or "未予通过", "rejected")


def _approved(hub: Hub, db: Cursor, number: str, by: str, note: str, amount: Decimal | None, *, automatic: bool = False) -> Row:
    claim = service.approve(db.connection, number, by=by, note=note, amount=amount, automatic=automatic)
    notices.close(db, about(number), "approved", by, note)
    _tell(hub, db, claim)
    return claim


def _refused(hub: Hub, db: Cursor, number: str, by: str, reason: str, what: str) -> Row:
    claim = service.refuse(db.connection, number, by=by, reason=reason, what=what)
    notices.close(db, about(number), "rejected" if what == "rejected" else "withdrawn", by, reason)
    if what != "withdrawn":
        _tell(hub, db, claim, reason)
    return claim


def _tell(hub: Hub, db: Cursor, claim: Row, reason: str = "") -> None:
    """The dealer learns what became of its claim; nothing is told of what was handed in before the hub went live."""
    starts = notices.go_live(hub, "credit_memo")
    if starts is not None and business_day(claim["handed_in_at"]) < starts:
        return
    amount = claim["allowed"] if claim["allowed"] is not None else claim["worth"]
    said = {"id": claim["id"], "money": f"{decimal_text(amount)} {claim['currency']}", "reason": reason}
    zh, en = (sentence.format_map(said) for sentence in TOLD[claim["state"]])
    facts = {"zh": zh, "en": en, "claim": claim["id"], "programme": claim["programme"], "state": claim["state"]}
    notices.post(db, Message(f"claim_{claim['state']}", to_party(claim["dealer_id"]), about(claim["id"]), facts))


def _done(hub: Hub, work: Callable[[Cursor], T]) -> T:
    with hub.transaction() as db:
        return work(db)


def pay_due(hub: Hub, *, by: str = BY, run: Run | None = None) -> list[Payout]:
    """Payouts of approved claims, each with the one credit memo that the ERP will book, which carries its number."""
    with hub.transaction() as db:
        paid = paying.pay(db.connection, by=by, on=today())
        for payout in paid:
            memos.book(hub, db, payout)
            for number in payout.claims:
                claim = queries.claim(db.connection, number)
                if claim is not None:
                    _tell(hub, db, claim)
    if run is not None:
        run.counts({"claims_paid": sum(len(payout.claims) for payout in paid)})
    return paid


def nightly(hub: Hub, as_of: date, *, run: Run | None = None) -> None:
    """Keep every fund up to a business day, free plans that lapsed, pay approved claims. Safe to repeat; one bad fund stops no other."""
    with hub.transaction() as db:
        programmes = queries.programmes(db.connection)
    for fund in programmes:
        if isinstance(fund, Fund):
            _keep_up(hub, fund, as_of, run)
    with hub.transaction() as db:
        for claim in service.lapse(db.connection, as_of + timedelta(days=1), by=BY):
            notices.close(db, about(claim["id"]), "withdrawn", BY, "lapsed")
            _tell(hub, db, claim)
            if run is not None:
                run.count("plans_lapsed")
    pay_due(hub, run=run)


def _keep_up(hub: Hub, fund: Fund, as_of: date, run: Run | None) -> None:
    try:
        with hub.transaction() as db:
            queries.lock(db.connection, fund.programme)
            dealers = list(queries.dealers(db.connection, as_of).values())
            changed = filling.keep_up(db.connection, fund, as_of, by=BY, dealers=dealers)
    except BadFacts as wrong:
        if run is not None:
            run.problem(f"fund {fund.programme}: {wrong}", "differs")
        return
    if run is not None:
        run.counts({"funds_changed": changed})
