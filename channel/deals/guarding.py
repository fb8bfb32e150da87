"""Goods against fences at work: what was ordered and shipped is judged once for each version, and reported by address and serial."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import psycopg

from canonical.values import SHANGHAI, business_day
from channel.deals import fence_queries, goods_queries
from channel.deals.errors import BadFence
from channel.deals.fences import Place, division
from channel.deals.goods import Book, Goods, Suspicion, address_hash, assess, place_of_address
from channel.deals.registrations import FenceVerdict

Connection = psycopg.Connection[Any]
PAGE = 2000


def book(db: Connection, dealers: Sequence[UUID] = ()) -> Book:
    """All fences, for judging goods of these dealers (none named: of every dealer with somebody above him)."""
    fences = fence_queries.fences(db)
    wanted = list(dealers) or goods_queries.dealers_below(db)
    return Book.of(fences, fence_queries.chains(db, wanted) if fences and wanted else {})


def record(db: Connection, judged: Sequence[tuple[Goods, FenceVerdict]]) -> list[tuple[int, str]]:
    """Put what was found outside on record, each document and reason once, and close what is inside again; the new hits (id, subject)."""
    bad = [(goods, verdict) for goods, verdict in judged if verdict.effect != "allow"]
    inside = [goods.subject for goods, verdict in judged if verdict.effect == "allow"]
    if inside:
        goods_queries.inside_again(db, inside)
    if not bad:
        return []
    return fence_queries.add_hits(
        db,
        [(goods.subject, goods.dealer_id, verdict.fence_id, verdict.effect, verdict.code, dict(verdict.facts)) for goods, verdict in bad],
    )


def inside_again(db: Connection, subject: str) -> int:
    """What is inside of the fences now needs nobody's answer any more; how many hits were closed."""
    return goods_queries.inside_again(db, [subject])


def judge_new(db: Connection, since: date) -> list[tuple[int, str, Goods, FenceVerdict]]:
    """Judge a page of orders and shipments dated since a day that are new or changed, or whose fences changed; new hits.

    Nothing is left to judge when none comes back and :func:`pending` says so. Idempotent.
    """
    fences = book(db)
    if not fences.own:
        return []
    while texts := goods_queries.unplaced(db, since, fences.fingerprint, PAGE):
        goods_queries.add_places(db, {address_hash(text): place_of_address(text) for text in texts})
    page = goods_queries.to_judge(db, since, fences.fingerprint, PAGE)
    judged = [(goods, assess(goods, fences)) for goods in page]
    by_subject = {goods.subject: (goods, verdict) for goods, verdict in judged}
    fresh = record(db, judged)
    goods_queries.note_judged(db, page, fences.fingerprint)
    return [(hit, subject, *by_subject[subject]) for hit, subject in fresh]


def pending(db: Connection, since: date) -> bool:
    """True while some document since that day is not judged as it is now."""
    fences = book(db)
    return bool(fences.own) and bool(goods_queries.to_judge(db, since, fences.fingerprint, 1))


def note_seen(db: Connection, serial: str, region: str, at: datetime, source: str, by: str, note: str = "") -> bool:
    """A serial was seen in a division (GB/T 2260): on a warranty card, in a service case, by a scan. False when that is known.

    Raises: BadFence without a serial or a division.
    """
    code = division(region)
    if not code or not serial.strip():
        raise BadFence(f"a serial and a GB/T 2260 code are needed, not {serial!r} and {region!r}", next_step="give 2, 4 or 6 digits")
    return goods_queries.note_seen(db, serial.strip(), code, at, source, note, by)


def suspicions(db: Connection, since: date, until: date) -> list[Suspicion]:
    """Shipments of these days (both inclusive, Asia/Shanghai) that look like goods sold across regions: by address, then by serial."""
    found = [
        Suspicion(
            "address",
            subject,
            number,
            day,
            dealer,
            name,
            str(facts.get("region", "")),
            code,
            tuple(serials or ()),
            tuple(lines or ()),
            state,
        )
        for subject, number, day, dealer, name, code, facts, state, serials, lines in goods_queries.outside_shipments(db, since, until)
    ]
    found += [
        Suspicion(
            "serial_twice", f"shipment:{shipment}", number, day, dealer, name, "", "", (serial,),
            facts={"earlier": before, "earlier_dealer": str(other)},
        )
        for serial, shipment, number, day, dealer, name, before, other in goods_queries.serials_twice(db, since, until)
    ]  # fmt: skip
    return found + _elsewhere(db, since, until)


def _elsewhere(db: Connection, since: date, until: date) -> list[Suspicion]:
    seen = goods_queries.serials_seen(
        db, datetime.combine(since, time(), SHANGHAI), datetime.combine(until + timedelta(days=1), time(), SHANGHAI)
    )
    fences = book(db, [row[7] for row in seen]) if seen else Book({}, [])
    found = []
    for serial, region, at, source, shipment, number, day, dealer, name, line in seen:
        place = Place(dealer, region, "", line, business_day(at), fences.above.get(dealer, ()), doubt="trust")
        verdict = fences.judge(place)
        if verdict.effect != "allow":
            facts = {"seen_at": at.isoformat(), "source": source}
            found.append(
                Suspicion(
                    "serial_elsewhere", f"shipment:{shipment}", number, day, dealer, name, region, verdict.code, (serial,),
                    (line,) if line else (), facts=facts,
                )
            )  # fmt: skip
    return found
