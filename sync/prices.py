"""Prices between the ledger and people: special prices that somebody has to approve, and what is told when prices change.

The money is decided in :mod:`channel.pricing`; here it becomes questions, messages to dealers, and versions that the nightly run makes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from canonical.values import business_day, decimal_text
from channel.notices.messages import Message, Question, to_party
from channel.pricing import asker_queries, asker_service, queries, service, snapshots, special_service
from channel.pricing.changes import Buyer, Change, Price, changes, days_of
from channel.pricing.special_service import Wanted
from sync import notices, price_cuts
from sync.hub import Cursor, Hub
from sync.notices import Asked
from sync.runs import Run, RunResult, running

MOST: Final = 200
"""So many changes stand in one message; how many there are is told."""


def look_after(hub: Hub, *, now: datetime | None = None) -> RunResult:
    """Make a version of what lists and products say by now, tell dealers whose prices change, announce price cuts, forget old snapshots.

    Safe to repeat. `now`: the moment to judge by; the clock when not said. Days are business days in Asia/Shanghai.
    """
    with running(hub, "prices") as run:
        with hub.transaction() as db:
            run.counts({"version": service.take(db.connection)})
        today = business_day(now or datetime.now(UTC))
        announce(hub, today, run=run)
        price_cuts.look(hub, today, run=run)
        with hub.transaction() as db:
            run.counts(
                {"snapshots_forgotten": snapshots.forget(db.connection, today - timedelta(days=hub.config.prices.keep_snapshots_days))}
            )
    return run.result


def announce(hub: Hub, today: date, *, run: Run | None = None) -> int:
    """Tell each dealer what of its prices changes, from when, before and after: once. How many were told.

    Prices are compared from the version that was told last to the newest. Nobody is told of the first prices there are, nor before the
    go-live date. One transaction: what is told is marked as told, or neither.
    """
    with hub.transaction() as db:
        waiting = queries.unannounced(db.connection)
        if not waiting:
            return 0
        newest, since = waiting[-1], queries.last_announced(db.connection, waiting[0])
        go_live = notices.go_live(hub, "price_list")
        told = 0
        if since is not None and (go_live is None or go_live <= today):
            told = _announce(db, since, newest, today)
        queries.announced(db.connection, newest)
    if run is not None:
        run.counts({"dealers_told": told})
    return told


def _announce(db: Cursor, since: int, newest: int, today: date) -> int:
    before, after = service.book(db.connection, since), service.book(db.connection, newest)
    if not before.size:
        return 0  # the first prices: nothing has changed for anybody
    items = _items_to_look_at(db, before, after, today)
    if not items:
        return 0
    found: dict[tuple[object, ...], list[Change]] = {}
    told, last = 0, None
    while page := asker_queries.dealers(db.connection, today, last):
        last = page[-1].id
        for dealer in page:
            mine: list[tuple[str, Change]] = []
            for company in dealer.companies or ("",):
                kin = (asker_service.kin(before.prices, dealer, company), asker_service.kin(after.prices, dealer, company))
                if kin not in found:
                    prices = [asker_service.for_dealer(one.prices, dealer, company) for one in (before, after)]
                    buyer = Buyer(dealer.name, company, asker_service.currency_of(dealer, company))
                    found[kin] = changes(prices[0], prices[1], buyer, items)
                mine += [(company, one) for one in found[kin]]
            if mine and notices.once(db, f"price:{dealer.id}", str(newest)):
                notices.post(db, _message(dealer.id, newest, mine))
                told += 1
    return told


def _items_to_look_at(db: Cursor, before: service.Book, after: service.Book, today: date) -> Mapping[str, Sequence[date]]:
    """Items whose price may differ between two versions, with the days to compare; all of them when rules changed."""
    names = {**before.names, **after.names}
    found: dict[str, set[date]] = {}
    for product, bounds in queries.changed_items(db.connection, before.version, after.version).items():
        if product in names:
            found.setdefault(names[product], set()).update(bounds)
    if before.documents != after.documents:
        days = _days_of_rules(before) | _days_of_rules(after)
        for item in {*before.prices.items, *after.prices.items}:
            found.setdefault(item, set()).update(days)
    return {item: days_of(today, bounds) for item, bounds in found.items()}


def _days_of_rules(book: service.Book) -> set[date]:
    rules = book.prices.rules
    dated: list[Any] = [*rules.books, *(record for one in rules.books for record in one.prices), *rules.adjustments, *rules.fx]
    return {day for one in dated for day in (one.valid_from, one.valid_to) if day is not None}


def _message(dealer: UUID, version: int, found: Sequence[tuple[str, Change]]) -> Message:
    """What one dealer is told: its own prices, before and after, and nothing of others, of cost or of margin."""
    rows = [
        {
            "item": one.item, "name": one.name, "unit": one.unit, "from": one.since.isoformat(), "before": _price(one.before),
            "after": _price(one.after), **({"company": company} if company else {}),
        }
        for company, one in found[:MOST]
    ]  # fmt: skip
    first = found[0][1]
    since = min(one.since for _, one in found).isoformat()
    more = len(found) - 1
    facts = {
        "zh": f"价格变动: {first.item} {first.name} {_said(first, 'zh')}" + (f", 另有 {more} 项" if more else "") + f", 自 {since} 起",
        "en": f"Prices change: {first.item} {_said(first, 'en')}" + (f", and {more} more" if more else "") + f", from {since}",
        "version": version, "count": len(found), "changes": rows,
    }  # fmt: skip
    return Message("price_changed", to_party(dealer), f"price_version:{version}", facts)


def _price(one: Price | None) -> dict[str, str] | None:
    return None if one is None else {"unit_price": decimal_text(one.unit_price), "currency": one.currency, "tax_side": one.side}


def _said(one: Change, language: str) -> str:
    nothing = "无价格" if language == "zh" else "no price"
    before, after = (
        nothing if price is None else f"{decimal_text(price.unit_price)} {price.currency}" for price in (one.before, one.after)
    )
    return f"{before} → {after}"


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
    decide_special(db, asked.number, decision, by=by, reason=reason)


def decide_special(db: Cursor, number: str, decision: Literal["approved", "rejected"], *, by: str, reason: str = "") -> None:
    """Approve or reject a special price that was asked for; the dealer is told. Raises: SpecialNotFound, SpecialState."""
    special_service.decide(db.connection, number, decision, by=by, reason=reason)
    _tell(db, number)


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
