"""Goods against fences at work: what was ordered and shipped is judged once for each version, and reported by address and serial."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Literal
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


Kind = Literal["address", "serial_twice", "serial_elsewhere"]
KINDS: Final[tuple[Kind, ...]] = ("address", "serial_twice", "serial_elsewhere")
Mark = tuple[Kind, goods_queries.Place]
"""Where a page of the report ended: in which part, and where in it."""


def suspicions(
    db: Connection,
    since: date,
    until: date,
    *,
    kind: Kind | None = None,
    dealer: UUID | None = None,
    after: Mark | None = None,
    limit: int = PAGE,
) -> list[tuple[Mark, Suspicion]]:
    """Shipments of these days (both inclusive, Asia/Shanghai) that look like goods sold across regions, each with its place in the report.

    By address, then serials shipped twice, then serials seen elsewhere; each by day. At most `limit`, from the one after `after` on.
    """
    found: list[tuple[Mark, Suspicion]] = []
    start = KINDS.index(after[0]) if after else 0
    for number, part in enumerate(KINDS[start:]):
        if kind in (None, part) and len(found) < limit:
            place = after[1] if after and number == 0 else None
            found += [((part, at), one) for at, one in _PARTS[part](db, since, until, dealer, place, limit - len(found))]
    return found


def every_suspicion(
    db: Connection, since: date, until: date, *, kind: Kind | None = None, dealer: UUID | None = None
) -> Iterator[Suspicion]:
    """The whole report, read page by page."""
    after: Mark | None = None
    while page := suspicions(db, since, until, kind=kind, dealer=dealer, after=after):
        yield from (one for _, one in page)
        after = page[-1][0]


Part = list[tuple[goods_queries.Place, Suspicion]]


def _by_address(db: Connection, since: date, until: date, dealer: UUID | None, after: goods_queries.Place | None, limit: int) -> Part:
    return [
        (tuple(place), Suspicion(
            "address", subject, number, day, whose, name, str(facts.get("region", "")), code, tuple(serials or ()), tuple(lines or ()),
            state,
        ))
        for place, subject, number, day, whose, name, code, facts, state, serials, lines in goods_queries.outside_shipments(
            db, since, until, dealer, after, limit
        )
    ]  # fmt: skip


def _shipped_twice(db: Connection, since: date, until: date, dealer: UUID | None, after: goods_queries.Place | None, limit: int) -> Part:
    return [
        (tuple(place), Suspicion(
            "serial_twice", f"shipment:{shipment}", number, day, whose, name, "", "", (serial,),
            facts={"earlier": before, "earlier_dealer": str(other)},
        ))
        for place, serial, shipment, number, day, whose, name, before, other in goods_queries.serials_twice(
            db, since, until, dealer, after, limit
        )
    ]  # fmt: skip


def _seen_elsewhere(db: Connection, since: date, until: date, dealer: UUID | None, after: goods_queries.Place | None, limit: int) -> Part:
    """Most sights are where they should be: pages of them are judged until enough are not."""
    start, end = datetime.combine(since, time(), SHANGHAI), datetime.combine(until + timedelta(days=1), time(), SHANGHAI)
    found: Part = []
    size = min(PAGE, max(200, 4 * limit))
    while len(found) < limit:
        page = goods_queries.serials_seen(db, start, end, dealer, after, size)
        fences = book(db, [row[8] for row in page]) if page else Book({}, [])
        found += [(tuple(row[0]), one) for row in page if (one := _elsewhere(fences, row)) is not None]
        if len(page) < size:
            break
        after = tuple(page[-1][0])
    return found[:limit]


def _elsewhere(fences: Book, row: Sequence[Any]) -> Suspicion | None:
    _, serial, region, at, source, shipment, number, day, dealer, name, line = row
    verdict = fences.judge(Place(dealer, region, "", line, business_day(at), fences.above.get(dealer, ()), doubt="trust"))
    if verdict.effect == "allow":
        return None
    return Suspicion(
        "serial_elsewhere", f"shipment:{shipment}", number, day, dealer, name, region, verdict.code, (serial,), (line,) if line else (),
        facts={"seen_at": at.isoformat(), "source": source},
    )  # fmt: skip


_PARTS: Final[dict[Kind, Callable[[Connection, date, date, UUID | None, goods_queries.Place | None, int], Part]]] = {
    "address": _by_address,
    "serial_twice": _shipped_twice,
    "serial_elsewhere": _seen_elsewhere,
}
