"""The dealer's rebate account by night: money of void orders is given back, what was not used in time expires, and is told before.

The money itself is decided in :mod:`channel.rebates.accounts`; each function here is one transaction with all that follows.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from canonical.values import decimal_text
from channel.notices.messages import FINANCE, Message, to_party
from channel.rebates import account_queries, accounts
from channel.rebates.accounts import Expiring, Moved
from sync import notices
from sync.hub import Cursor, Hub
from sync.runs import Run

WARN_DAYS: Final = 30
"""Money on the account is told to expire so many days before, once."""


def nightly(hub: Hub, as_of: date, *, run: Run | None = None) -> None:
    """Follow the orders, expire what is due by a business day, and tell what will expire. Safe to repeat."""
    given, lost = follow_orders(hub), expire(hub, as_of)
    told = tell_expiring(hub, as_of)
    if run is not None:
        run.counts({"given_back": len(given), "expired": len(lost), "told_expiring": told})


def follow_orders(hub: Hub) -> list[Moved]:
    """Give back what is frozen for orders that a system says are void, and what closed orders have left; finance is told the doubtful."""
    with hub.transaction() as db:
        given = accounts.give_back(db.connection)
        for row in account_queries.doubtful(db.connection):
            about = f"rebate_hold:{row['dealer']}|{row['programme']}|{row['currency']}|{row['reference']}"
            if notices.once(db, about, f"{row['why']} {row['frozen']} {row['used']}"):
                notices.post(db, Message("rebate_hold_doubtful", FINANCE, about, _doubt(row)))
        return given


def _doubt(row: dict[str, Any]) -> dict[str, Any]:
    frozen, used = decimal_text(row["frozen"]), decimal_text(row["used"])
    if row["why"] == "closed":
        zh = f"订单 {row['reference']} 已关闭, 仍冻结返利 {frozen} {row['currency']}, 没有行说明是否使用: 请登记使用或释放"
        en = f"Order {row['reference']} is closed and holds {frozen} {row['currency']} that no line has used: book the use, or release it"
    else:
        zh = f"订单 {row['reference']} 已作废, 但已登记使用返利 {used} {row['currency']}: 请核对后退回"
        en = f"Order {row['reference']} is void, and its lines have used {used} {row['currency']}: take it back, or say why not"
    told = {name: row[name] for name in ("dealer", "programme", "currency")}
    return {"zh": zh, "en": en, "order": row["reference"], "frozen": frozen, "used": used, "order_is": row["why"], **told}


def expire(hub: Hub, as_of: date) -> list[Moved]:
    """Book as expired what could be used up to a business day and was not. One transaction."""
    with hub.transaction() as db:
        return accounts.expire_due(db.connection, as_of)


def tell_expiring(hub: Hub, as_of: date) -> int:
    """Each dealer hears once, a month before, what will expire; nothing of what lies before the go-live. How many were told."""
    starts = notices.go_live(hub, "credit_memo")
    if starts is not None and as_of < starts:
        return 0
    told = 0
    with hub.transaction() as db:
        for one in accounts.within(accounts.coming(db.connection), as_of, WARN_DAYS):
            about = f"rebate_account:{one.account.programme}|{one.account.dealer}|{one.account.currency}|{one.on.isoformat()}"
            if one.dealer_id is not None and notices.once(db, about, "expires"):
                notices.post(db, Message("rebate_expiring", to_party(one.dealer_id), about, _lost(db, one, as_of)))
                told += 1
    return told


def _lost(db: Cursor, one: Expiring, as_of: date) -> dict[str, Any]:
    db.execute("SELECT doc->'name' AS name FROM programme_version WHERE programme = %s ORDER BY version DESC", [one.account.programme])
    name = (db.fetchone() or {}).get("name") or {}
    zh, en = (str(name.get(lang) or one.account.programme) for lang in ("zh", "en"))
    money, left = f"{decimal_text(one.amount)} {one.account.currency}", (one.on - as_of).days
    return {
        "zh": f"{zh}: 返利 {money} 将于 {one.on.isoformat()} 到期 ({left} 天后), 请在下单时使用",
        "en": f"{money} of {en} expire after {one.on.isoformat()}, in {left} days; use them with an order",
        "programme": one.account.programme, "amount": decimal_text(one.amount), "currency": one.account.currency,
        "on": one.on.isoformat(), "days": left,
    }  # fmt: skip
