"""Price cuts that nobody has to announce: a list asks a dealer less for goods that it may have in stock, and a programme protects them.

Once each business day the prices of that day are compared with those of the day before. A cut is one dealer's: no dealer reads another's
prices. Who claims, and for how much stock, is decided by :mod:`channel.funds`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from canonical.values import decimal_text
from channel.funds import queries as funds
from channel.funds import service as claims
from channel.funds.handing import Handed, as_fact
from channel.notices.messages import Message, to_party
from channel.pricing import asker_queries, asker_service, queries, service
from channel.pricing.asker_queries import Party
from channel.pricing.changes import Buyer
from channel.pricing.cuts import Fall, falls
from channel.pricing.model import Item
from channel.rebates.claiming import takes_part
from channel.rebates.claims import PriceProtection
from channel.rebates.selecting import Dealer, Dealers
from sync import notices
from sync.hub import Cursor, Hub
from sync.runs import Run

BY: Final = "rule:prices"
_BOUGHT: Final = """
SELECT dealer, array_agg(DISTINCT product) AS items FROM (
    SELECT f.dealer, f.product FROM rebate_fact AS f WHERE f.kind IN ('stock', 'sale') AND f.product = ANY(%(items)s)
    UNION SELECT coalesce(nullif(h.number, ''), h.hub_key), p.number FROM stock_levels AS s JOIN products AS p ON p.id = s.product_id
        JOIN parties AS h ON h.id = s.holder_id WHERE p.number = ANY(%(items)s) AND NOT s.retired
) AS x GROUP BY dealer
"""


def look(hub: Hub, today: date, *, run: Run | None = None) -> int:
    """Announce what has fallen since the last business day that was looked at; how many cuts. Nothing of a day is looked at twice.

    The first time only the day is noted. One transaction: what is announced is noted as looked at, or neither.
    """
    with hub.transaction() as db:
        point = queries.cut_point(db.connection)
        if point is not None and point[0] >= today:
            return 0
        after = service.book(db.connection)
        queries.set_cut_point(db.connection, today, after.version)
        go_live = notices.go_live(hub, "price_list")
        if point is None or not hub.config.prices.announce_cuts or (go_live is not None and today < go_live):
            return 0
        programmes = [one for one in funds.programmes(db.connection) if isinstance(one, PriceProtection)]
        found = _found(db, *point, after, today) if programmes else {}
        made = _announce(db, found, after, programmes, today)
    if run is not None:
        run.counts({"price_cuts": made})
    return made


def _found(db: Cursor, last: date, version: int, after: service.Book, today: date) -> dict[UUID, tuple[Party, list[Fall]]]:
    """What fell, by dealer."""
    before = service.book(db.connection, version)
    days = _days(db, last, before, after, today)
    if not days:
        return {}
    db.execute(_BOUGHT, {"items": sorted(days)})
    bought: dict[str, list[str]] = {row["dealer"]: row["items"] for row in db.fetchall()}
    found: dict[UUID, tuple[Party, list[Fall]]] = {}
    known: dict[tuple[object, ...], list[Fall]] = {}
    page_end = None
    while bought and (page := asker_queries.dealers(db.connection, today, page_end)):
        page_end = page[-1].id
        for dealer in page:
            items = {item: days[item] for item in bought.get(dealer.name, ())}
            mine = [one for company in dealer.companies or ("",) for one in _of_dealer(known, before, last, after, dealer, company, items)]
            if mine:
                found[dealer.id] = (dealer, mine)
    return found


def _of_dealer(
    known: dict[tuple[object, ...], list[Fall]], before: service.Book, last: date, after: service.Book, dealer: Party, company: str,
    items: Mapping[str, Sequence[date]],
) -> list[Fall]:  # fmt: skip
    """What fell for a dealer in a company; dealers for whom everything is equal are compared once."""
    if not items:
        return []
    same = (asker_service.kin(before.prices, dealer, company), asker_service.kin(after.prices, dealer, company), tuple(sorted(items)))
    if same not in known:
        prices = [asker_service.for_dealer(one.prices, dealer, company) for one in (before, after)]
        buyer = Buyer(dealer.name, company, asker_service.currency_of(dealer, company))
        known[same] = falls(prices[0], last, prices[1], buyer, items)
    return known[same]


def _days(db: Cursor, last: date, before: service.Book, after: service.Book, today: date) -> dict[str, list[date]]:
    """Items whose found price may differ from that of the last day, with the days to look at: from the first new version on, and bounds."""
    start = queries.made_on(db.connection, before.version, after.version)
    begun = min(max(last, start), today) if start is not None else None
    found: dict[str, set[date]] = {}
    if begun is not None:
        changed = [after.names[one] for one in queries.changed_items(db.connection, before.version, after.version) if one in after.names]
        every = after.prices.items if before.documents != after.documents else changed
        for item in every:
            found.setdefault(item, set()).update((begun, today))
    for product, days in queries.bounds(db.connection, after.version, last, today).items():
        if product in after.names:
            found.setdefault(after.names[product], set()).update(days)
    ruled = {day for day in _days_of_books(after) if last < day <= today}
    for item in after.prices.items if ruled else ():
        found.setdefault(item, set()).update(ruled)
    return {item: sorted(days) for item, days in found.items()}


def _days_of_books(book: service.Book) -> set[date]:
    dated: list[Any] = [*book.prices.rules.books, *(record for one in book.prices.rules.books for record in one.prices)]
    return {day for one in dated for day in (one.valid_from, one.valid_to) if day is not None}


def _announce(
    db: Cursor, found: Mapping[UUID, tuple[Party, list[Fall]]], book: service.Book, programmes: Sequence[PriceProtection], today: date
) -> int:
    who = funds.dealers(db.connection, today) if found else {}
    there = {(row["product"], row["dealer"], row["on_day"], row["currency"]) for row in funds.cuts(db.connection)} if found else set()
    made = 0
    for dealer_id, (party, fallen) in found.items():
        told = []
        for one in fallen:
            key = (one.item, one.on, one.currency)
            known = {("", *key), (party.name, *key)} & {(dealer, item, on, currency) for item, dealer, on, currency in there}
            if known or dealer_id not in who or not _protected(programmes, who[dealer_id], one, book.prices.items[one.item]):
                continue  # announced by hand, or protected by nothing
            number = claims.announce_cut(
                db.connection, one.item, one.on, one.old, one.new, one.currency, by=BY, dealer=party.name, note="价格表调价"
            )
            there.add((one.item, party.name, one.on, one.currency))
            told.append((number, one))
        if told and notices.once(db, f"price_cut:{dealer_id}", str(today)):
            notices.post(db, _message(dealer_id, book, told))
        made += len(told)
    return made


def _protected(programmes: Sequence[PriceProtection], dealer: Dealer, fall: Fall, item: Item) -> bool:
    """True when a programme in the currency of the price holds for the dealer and the goods on the day."""
    handed = Handed("", fall.on, product=fall.item, product_line=item.line, brand=item.brand)
    fact = as_fact(handed, "", dealer.id, grade=dealer.grade, region=dealer.region, channel=dealer.channel, parent=dealer.parent)
    return any(one.currency == fall.currency and takes_part(one, fact, Dealers(), fall.on) for one in programmes)


def _message(dealer: UUID, book: service.Book, told: Sequence[tuple[str, Fall]]) -> Message:
    """What one dealer is told: its own prices without tax, and the numbers to claim with."""
    rows = [
        {
            "cut": number, "item": one.item, "name": book.prices.items[one.item].name, "on": one.on.isoformat(),
            "old_price": decimal_text(one.old), "new_price": decimal_text(one.new), "currency": one.currency,
        }
        for number, one in told
    ]  # fmt: skip
    first, more = rows[0], len(rows) - 1
    fall = f"{first['old_price']} → {first['new_price']} {first['currency']}"
    others = (f", 另有 {more} 项", f", and {more} more") if more else ("", "")
    facts = {
        "zh": f"降价 {first['cut']}: {first['item']} {first['name']} {fall} (未税){others[0]}, 可申请价保",
        "en": f"Price cut {first['cut']}: {first['item']} {fall} without tax{others[1]}; stock can be claimed",
        "count": len(rows), "cuts": rows[:200],
    }  # fmt: skip
    return Message("price_cut", to_party(dealer), f"price_version:{book.version}", facts)
