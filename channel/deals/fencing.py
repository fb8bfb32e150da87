"""Fences at work: the judge that registrations ask, and what people do with fences and with what was found outside of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Literal
from uuid import UUID

import psycopg

from canonical.values import business_day
from channel.deals import fence_queries as queries
from channel.deals.errors import BadFence, EndsBeforeItBegins, FenceNotFound, UnknownDealer
from channel.deals.fences import SENTENCES, Fence, Place, Suggestion, contradictions, division, industry_path, judge, suggest
from channel.deals.matching import Claim, Prepared, prepare
from channel.deals.queries import dealer, now, rows
from channel.deals.registrations import FenceJudge, FenceQuestion, FenceVerdict

Connection = psycopg.Connection[Any]


def judge_for(db: Connection) -> FenceJudge:
    """The judge of claims by the fences in the ledger: for `Rules(fences=...)`."""

    def ask(question: FenceQuestion) -> FenceVerdict:
        on = business_day(question.at)
        above, fences = queries.concerning(db, question.dealer_id, question.product_line, on)
        place = Place(question.dealer_id, question.region, question.industry, question.product_line, on, tuple(above))
        return judge(place, fences)

    return ask


def place_of(prepared: Prepared) -> str:
    """The division that a claim is about: of its address, its city, else of its name; empty when it says none."""
    if prepared.place or prepared.city:
        return division(prepared.place or prepared.city)
    return division(prepared.names[0].region) if prepared.names else ""


def try_place(
    db: Connection,
    dealer_id: UUID,
    *,
    region: str = "",
    place: str = "",
    industry: str = "",
    product_line: str = "",
    on: date | None = None,
) -> tuple[str, FenceVerdict]:
    """Whether a dealer may sell somewhere, without registering anything: the division that was judged, and the verdict.

    `region` is a GB/T 2260 code, `place` an address, city or company's name to read one from. Raises: UnknownDealer.
    """
    if dealer(db, dealer_id) is None:
        raise UnknownDealer("the dealer is no party of ours", next_step="look the dealer up among the parties")
    where = division(region) or (place_of(prepare(Claim(name=place, address=place))) if place.strip() else "")
    day = on or business_day(now(db))
    above, fences = queries.concerning(db, dealer_id, product_line, day)
    return where, judge(Place(dealer_id, where, industry, product_line, day, tuple(above)), fences)


def words(told: FenceVerdict) -> tuple[str, str]:
    """What a dealer reads about a verdict, in Chinese and English; empty when he may sell there."""
    return SENTENCES.get(told.code, ("", ""))


def add(db: Connection, fence: Fence, by: str, note: str = "") -> tuple[Fence, list[Fence]]:
    """Put up a fence. Returns it with its id, and the exclusive fences of others that it contradicts.

    Raises: BadFence, EndsBeforeItBegins, UnknownDealer.
    """
    region, industry = division(fence.region), industry_path(fence.industry)
    if fence.region and not region:
        raise BadFence(f"{fence.region!r} is no GB/T 2260 code", next_step="give 2, 4 or 6 digits, such as 31 or 3205")
    if fence.industry and not industry:
        raise BadFence(f"{fence.industry!r} is no GB/T 4754 code", next_step="give a section or 2 to 4 digits, such as C or C34")
    if fence.valid_from > fence.valid_to:
        raise EndsBeforeItBegins(
            f"it would end ({fence.valid_to}) before it begins ({fence.valid_from})", next_step="exchange the two days"
        )
    if dealer(db, fence.dealer_id) is None:
        raise UnknownDealer("the dealer is no party of ours", next_step="look the dealer up among the parties")
    made = replace(fence, region=region, industry=industry)
    made = replace(made, id=queries.add_fence(db, made, by, note))
    clashes = [(one, other) for one, other in contradictions(queries.fences(db)) if made.id in (one.id, other.id)]
    return made, [other if one.id == made.id else one for one, other in clashes]


def end(db: Connection, fence_id: int, by: str, *, last_day: date | None = None, note: str = "") -> None:
    """Let a fence end with `last_day` (Asia/Shanghai; today when not said). Nothing is deleted. Raises: FenceNotFound."""
    day = last_day or business_day(now(db))
    if not queries.end_fence(db, fence_id, day, by, note):
        raise FenceNotFound(f"there is no fence {fence_id} that lasts beyond {day}", next_step="list them: `hub deals fences`")


def settle_hit(db: Connection, hit_id: int, answer: Literal["accepted", "refused"], by: str, reason: str) -> str:
    """A person's answer about goods outside of a fence; the subject. Raises: FenceNotFound when nothing is asked."""
    open_hits = rows(db, "SELECT subject FROM fence_hit WHERE id = %s::bigint AND state = 'open'", [hit_id])
    if not open_hits:
        raise FenceNotFound(f"nothing is asked about hit {hit_id}", next_step="list what is open")
    subject: str = open_hits[0][0]
    queries.settle(db, subject, answer, by, reason, hit_id)
    return subject


def dealers_for(db: Connection, *, region: str, industry: str = "", product_line: str = "", on: date | None = None) -> list[Suggestion]:
    """Dealers who may get a lead at this place, best first; active ones only."""
    day = on or business_day(now(db))
    fences = queries.fences(db, on=day)
    active = {
        row[0]
        for row in rows(
            db,
            "SELECT id FROM parties WHERE id = ANY(%s::uuid[]) AND NOT retired AND coalesce(status, '') <> 'blocked'",
            [[fence.dealer_id for fence in fences]],
        )
    }
    loads = rows(
        db, "SELECT dealer_id, count(*) FROM leads WHERE status IN ('new', 'working') AND NOT retired AND dealer_id IS NOT NULL GROUP BY 1"
    )
    place = Place(UUID(int=0), region, industry, product_line, day)
    found = suggest(place, fences, dict(loads))
    return [one for one in found if one.dealer_id in active]


def settle_subject(db: Connection, subject: str, answer: Literal["accepted", "refused"], by: str, reason: str) -> int:
    """The same for everything that is open about a subject; how many hits."""
    return len(queries.settle(db, subject, answer, by, reason))
