"""What a dealer hears of its rebates: tier reached, target at risk, statement ready, credited, fund expiring. Each once, own figures only.

A tier and a target are read from the newest result that a night has kept of a period. Nothing is told of what lies before the go-live.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

from canonical.rounding import exact_half_up
from canonical.values import business_day, decimal_text
from channel.funds import queries as funds
from channel.notices.messages import Message, to_party
from channel.rebates import queries
from channel.rebates.claiming import spans_of
from channel.rebates.claims import Fund
from sync import notices
from sync.hub import Cursor, Hub
from sync.runs import Run

SLOW: Final = Fraction(8, 10)
"""A target is at risk when what is reached is less than this part of what an even pace would have reached by now."""
EARLIEST: Final = Fraction(1, 3)
"""Before so much of a period has passed, its pace says nothing."""
WARN_DAYS: Final = 30
"""A fund's money is told to expire so many days before, and again a week before."""


def nightly(hub: Hub, as_of: date, *, run: Run | None = None) -> None:
    """Tell what the night has found, up to a business day. Safe to repeat."""
    with hub.transaction() as db:
        told = [*_of_results(hub, db, as_of), *_of_funds(hub, db, as_of)]
        for message in told:
            notices.post(db, message)
    if run is not None:
        run.counts({"told": len(told)})


def statements_ready(hub: Hub, db: Cursor, numbers: Sequence[str]) -> None:
    """Statements were issued: their dealers may sign or dispute them."""
    query = (
        "SELECT id, programme, dealer_id, period, doc, issued_at FROM rebate_statement WHERE id = ANY(%s) AND dealer_id IS NOT NULL "
        "ORDER BY id"
    )
    for row in queries.rows(db.connection, query, [list(numbers)]):
        if not _before(hub, row["issued_at"]):
            notices.post(db, _ready(row))


def _ready(statement: Mapping[str, Any]) -> Message:
    doc, period, number = statement["doc"], statement["period"], statement["id"]
    money = f"{doc['payable']} {doc['currency']}"
    facts = {
        "zh": f"{_name(doc, 'zh', statement['programme'])} {period} 的返利对账单 {number} 已出具, 本次应付 {money}, 请确认或提出异议",
        "en": f"The statement {number} of {_name(doc, 'en', statement['programme'])}, {period}, is ready: {money}; sign or dispute it",
        "statement": number, "programme": statement["programme"], "period": period, "payable": doc["payable"], "currency": doc["currency"],
    }  # fmt: skip
    return Message("rebate_statement_ready", to_party(statement["dealer_id"]), f"statement:{number}", facts)


def credited(hub: Hub, db: Cursor, payout: Mapping[str, Any]) -> None:
    """The ERP has booked a payout's memo, to the fen. Told once."""
    about, money = f"payout:{payout['payout']}", f"{decimal_text(payout['total'])} {payout['currency']}"
    if _before(hub, payout["made_at"]) or not notices.once(db, about, "credited"):
        return
    facts = {
        "zh": f"返利 {money} 已入账, 单号 {payout['memo']} (付款 {payout['payout']})",
        "en": f"{money} were credited to you with {payout['memo']} (payout {payout['payout']})",
        "payout": payout["payout"], "total": decimal_text(payout["total"]), "currency": payout["currency"], "memo": payout["memo"],
    }  # fmt: skip
    _post(db, "rebate_credited", payout["dealer_id"], about, facts)


_NEWEST: Final = (
    "SELECT DISTINCT ON (r.unit) r.unit, r.dealer_id, r.programme, r.period, r.currency, r.doc FROM rebate_result AS r "
    "JOIN rebate_calculation AS c ON c.id = r.calculation_id WHERE r.dealer_id IS NOT NULL AND c.as_of > %(as_of)s - 400 "
    "AND c.as_of <= %(as_of)s AND (r.doc->'period'->>'to')::date > %(as_of)s ORDER BY r.unit, r.calculation_id DESC"
)


def _of_results(hub: Hub, db: Cursor, as_of: date) -> list[Message]:
    """Tiers reached and targets at risk. A tier is told once, also when returns take a dealer below it and it is reached again.

    Of a period that began before the go-live the first look only remembers the tier: it was reached with what lies before.
    """
    starts = notices.go_live(hub, "credit_memo")
    live = starts is None or as_of >= starts
    found = queries.rows(db.connection, _NEWEST, {"as_of": as_of})
    wanted = [(_about(row), what) for row in found for what in (*_reached(row), *(("at risk",) if live and _risk(row, as_of) else ()))]
    began = [row for row in found if starts is not None and date.fromisoformat(row["doc"]["period"]["from"]) < starts]
    new = notices.first_times(db, [*wanted, *((_about(row), "seen") for row in began)])
    told = []
    for row in found if live else ():
        about = _about(row)
        base = {"programme": row["programme"], "period": row["period"], "currency": row["currency"]}
        tiers = _reached(row)
        if tiers and (about, tiers[-1]) in new and (about, "seen") not in new:
            told.append(Message("rebate_tier_reached", to_party(row["dealer_id"]), about, base | _tier(row["doc"], row)))
        if (risk := _risk(row, as_of)) is not None and (about, "at risk") in new:
            told.append(Message("rebate_target_at_risk", to_party(row["dealer_id"]), about, base | risk))
    return told


def _about(row: Mapping[str, Any]) -> str:
    return f"rebate:{row['unit']}"


def _reached(row: Mapping[str, Any]) -> list[str]:
    """The tiers of a result, from the first on, that are worth telling: the one that begins with nothing is not."""
    tier = row["doc"].get("tier")
    return [f"tier {number}" for number in range(1, tier["number"] + 1)] if tier and Decimal(tier["from"]) > 0 else []


def _tier(doc: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Which tier, and how far to the next; of a group's tier only that it is reached."""
    gap = doc.get("to_next") if doc.get("group") is None else None
    zh = f"恭喜, {_name(doc, 'zh', row['programme'])} {row['period']} 已达成第 {doc['tier']['number']} 档"
    en = f"You have reached tier {doc['tier']['number']} of {_name(doc, 'en', row['programme'])} in {row['period']}"
    more = (
        {"zh": f"{zh}, 距下一档还差 {gap}", "en": f"{en}; {gap} to the next", "to_next": gap} if gap is not None else {"zh": zh, "en": en}
    )
    return {**more, "tier": doc["tier"]["number"]}


def _risk(row: Mapping[str, Any], as_of: date) -> dict[str, Any] | None:
    """The pace against the part of the period that has passed; None when there is no own target, it is too early, or the pace is enough."""
    doc = row["doc"]
    if doc.get("target") is None or doc.get("read") is None or doc.get("group") is not None:
        return None
    first, end = (date.fromisoformat(doc["period"][side]) for side in ("from", "to"))
    elapsed = Fraction((as_of - first).days + 1, (end - first).days)
    reached = Fraction(Decimal(doc["read"]))
    if not EARLIEST <= elapsed < 1 or reached >= SLOW * elapsed:
        return None
    done, passed, pace = _percent(reached), _percent(elapsed), _percent(reached / elapsed)
    zh, en = (f"{_name(doc, lang, row['programme'])} {row['period']}" for lang in ("zh", "en"))
    target = doc["target"]
    return {
        "zh": f"{zh}: 时间已过 {passed}, 目标 {target} 完成 {done}, 按此进度预计 {pace}",
        "en": f"{en}: {passed} of the time has passed, {done} of the target {target} is reached; at this pace it will be {pace}",
        "target": doc["target"], "reached": done, "elapsed": passed, "pace": pace, "as_of": as_of.isoformat(),
    }  # fmt: skip


def _of_funds(hub: Hub, db: Cursor, as_of: date) -> list[Message]:
    starts = notices.go_live(hub, "credit_memo")
    if starts is not None and as_of < starts:
        return []
    found = []
    for fund in funds.programmes(db.connection):
        if not isinstance(fund, Fund) or fund.unused != "forfeited":
            continue
        last = {span.name: span.end - timedelta(days=1) + timedelta(days=fund.claim_days or 0) for span in spans_of(fund)}
        for row in funds.balances(db.connection, programme=fund.programme):
            left = (last[row["period"]] - as_of).days if row["period"] in last else -1
            step = 7 if left <= 7 else WARN_DAYS
            about = f"fund:{row['programme']}|{row['dealer']}|{row['period']}"
            if row["dealer_id"] and row["available"] > 0 and 0 <= left <= WARN_DAYS and notices.once(db, about, f"expires {step}"):
                money, on = f"{decimal_text(row['available'])} {row['currency']}", last[row["period"]].isoformat()
                facts = {
                    "zh": f"{fund.name.zh} {row['period']} 尚有 {money} 可用, {left} 天后 ({on}) 到期, 请及时申报",
                    "en": f"{money} of {fund.name.en}, {row['period']}, expire in {left} days ({on}); claim in time",
                    "programme": row["programme"], "period": row["period"], "available": decimal_text(row["available"]), "days": left,
                    "on": on,
                }  # fmt: skip
                found.append(Message("fund_expiring", to_party(row["dealer_id"]), about, facts))
    return found


def _before(hub: Hub, at: datetime) -> bool:
    starts = notices.go_live(hub, "credit_memo")
    return starts is not None and business_day(at) < starts


def _post(db: Cursor, kind: str, dealer: UUID, about: str, facts: dict[str, Any]) -> None:
    notices.post(db, Message(kind, to_party(dealer), about, facts))


def _name(doc: Mapping[str, Any], lang: str, code: str) -> str:
    return str((doc.get("name") or {}).get(lang) or code)


def _percent(value: Fraction) -> str:
    return f"{decimal_text(exact_half_up(value * 100, 1))} %"
