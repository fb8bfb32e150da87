"""Two customers that were taken for one are two again: what the merge had decided about registrations is decided anew.

Each registration goes to the firm whose name it gave. Claims that were refused because "the customer" was held, and protections that were
taken back because two dealers held "one" firm, are judged again in the order in which they came, as if the merge had never been; what
cannot be decided so is told to a person.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import psycopg

from channel.deals import claim_queries, fencing, matching, parting_queries, queries, review_queries
from channel.deals.acting import changed, clear, found
from channel.deals.customers import queries as customer_queries
from channel.deals.customers import service as customers
from channel.deals.errors import RegistrationNotFound
from channel.deals.protection import WAITING, after, window_end
from channel.deals.queries import Registration
from channel.deals.registrations import FenceQuestion, Likely, Ruling, judge
from channel.deals.replaying import decide_again
from channel.deals.service import likely_of

Connection = psycopg.Connection[Any]
BY: Final = "rule:unmerge"


@dataclass(frozen=True, slots=True)
class JudgedAgain:
    """A registration that stands otherwise than before the un-merge."""

    registration: str
    was: str
    """Status before."""
    now: str
    reason: str


@dataclass(slots=True)
class Parted:
    """What became of registrations when two customers came apart."""

    judged: list[JudgedAgain] = field(default_factory=list)
    to_check: list[dict[str, str]] = field(default_factory=list)
    """Registrations that a person looks at, each with the reason: `registration`, `why`."""

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the API."""
        return asdict(self)


def part(db: Connection, kept: int, back: int, *, since: datetime, ended: Collection[UUID], by: str, reason: str) -> Parted:
    """Undo a merge of customers: `back`, merged into `kept` at `since`, is a customer of its own again, and never taken for `kept` again.

    `ended`: registrations that the merge itself refused or took back. Their parties are what they were when this is called.
    Raises: CustomerNotFound when `back` is not merged; KeysOutdated when another version of the matcher made the keys.
    """
    moved = customers.split(db, back)
    family = customer_queries.under(db, back)
    review_queries.keep_apart(db, back, kept, by, reason)
    parting_queries.forget_names(db, kept, family, since)
    customers.rekey(db, [kept, back])
    done = Parted()
    asked = parting_queries.moved_doubts(db, family, kept, since)
    for registration_id in parting_queries.asked_since(db, [kept, back], since):
        _ask_again(db, registration_id)
    for registration_id in parting_queries.turned_away(db, [kept, back], since, ended):
        _judge_again(db, found(db, registration_id, lock=True), by, done)
    for waiting in dict.fromkeys([*asked, *review_queries.waiting_for_any(db, [kept, back]), *moved]):
        one = found(db, waiting, lock=True)
        if one.status == "held" and clear(db, waiting, BY):
            _note(done, one, found(db, waiting))
    for again in parting_queries.said_again(db, [kept, back], since):
        done.to_check.append({"registration": str(again), "why": "its dealer registered it once more while the two were one"})
    return done


def _note(done: Parted, was: Registration, now: Registration) -> None:
    done.judged.append(JudgedAgain(str(was.id), was.status, now.status, now.reason))


def _likely_now(db: Connection, registration: Registration) -> list[Likely]:
    """The customers that the claim may mean, with its own at the head: for sure, unless its name alone no longer says so."""
    try:
        decision, _ = decide_again(db, registration.id)
    except (
        RegistrationNotFound,
        matching.StaleVersion,
    ):  # erased, handed over, or decided by an older matcher: it means what it was taken for
        return [Likely(registration.customer_id, Decimal(1), same=True)]
    known = parting_queries.roots(db, [int(rid) for rid, _ in decision.candidates])
    likely = likely_of(decision, known) if known else []
    mine = next((one for one in likely if one.customer_id == registration.customer_id), None)
    doubtful = decision.verdict == "duplicate" and mine is not None and not mine.same
    return [
        Likely(registration.customer_id, mine.p if mine else Decimal(1), same=not doubtful),
        *(one for one in likely if one.customer_id != registration.customer_id),
    ]


def _ask_again(db: Connection, registration_id: UUID) -> None:
    """The questions about a live claim, as they stand now that the two are two."""
    registration = found(db, registration_id, lock=True)
    likely = _likely_now(db, registration)
    apart = claim_queries.holds(db, [one.customer_id for one in likely], registration.product_line).apart
    may_be = [one for one in likely[1:] if not one.same and frozenset((registration.customer_id, one.customer_id)) not in apart]
    open_now = {doubt.customer_id for doubt in review_queries.doubts(db, registration_id=registration_id)}
    parting_queries.drop_doubts(db, registration_id, open_now - {one.customer_id for one in may_be})
    review_queries.add_doubts(db, registration_id, may_be, {})


def _judge_again(db: Connection, registration: Registration, by: str, done: Parted) -> None:
    """What a claim would have come to without the merge, from now on; a claim whose time would be over by now stays as it is."""
    now = queries.now(db)
    if registration.status == "taken_back":
        _restore(db, registration, now, by, done)
        return
    if window_end(registration.submitted_at, registration.days) <= now:
        done.to_check.append(
            {"registration": str(registration.id), "why": "it was refused by the merge, and its time would be over by now"}
        )
        return
    ruling = _ruling(db, registration)
    if ruling.outcome == "already_yours":
        done.to_check.append({"registration": str(registration.id), "why": "its dealer holds the customer by another registration now"})
    elif ruling.outcome != "rejected":
        after("judge_again", registration.status)
        window = (now, None if ruling.outcome in WAITING else window_end(now, registration.days))
        values = {"status": ruling.outcome, "reason": ruling.reason, "active_at": now}
        values["decided_at"] = None if ruling.outcome in WAITING else now
        review_queries.add_doubts(db, registration.id, ruling.doubts, {})
        changed(db, registration, "judge_again", BY, f"un-merged by {by}", values, window)
        _note(done, registration, found(db, registration.id))


def _ruling(db: Connection, registration: Registration) -> Ruling:
    likely = _likely_now(db, registration)
    ids = [one.customer_id for one in likely]
    claim_queries.lock_customers(db, ids)
    held = claim_queries.holds(db, ids, registration.product_line)
    dealer = registration.dealer_id or UUID(int=0)
    region = registration.region or fencing.place_of(matching.prepare(customers.claim_from(registration.claim)))
    fence = fencing.judge_for(db)(FenceQuestion(dealer, registration.product_line, region, registration.industry, held.now))
    approval = queries.policy(db, registration.policy_id).approval
    if not likely[0].same:  # only the two together were sure enough; with one of them a person looks
        likely, approval = [Likely(registration.customer_id, Decimal(1), same=True), *likely[1:]], "person"
    return judge(dealer, _sure(likely), held.holds, held.apart, fence, approval)


def _sure(likely: Sequence[Likely]) -> list[Likely]:
    """Only its own customer is meant for sure: which of the two firms it is was said by the name, and the two are told apart."""
    return [likely[0], *(Likely(one.customer_id, one.p, same=False) for one in likely[1:])]


def _restore(db: Connection, registration: Registration, now: datetime, by: str, done: Parted) -> None:
    """A protection that a merge took back lasts as long as it would have, where nobody else holds the customer by now."""
    before, until = parting_queries.last_event(db, registration.id)
    waiting = before in WAITING
    ends = None if waiting else datetime.fromisoformat(until) if until else window_end(registration.starts, registration.days)
    held = claim_queries.holds(db, [registration.customer_id], registration.product_line)
    if held.holds:
        done.to_check.append(
            {"registration": str(registration.id), "why": "the merge took it back, and somebody else holds the customer now"}
        )
    elif ends is not None and ends <= now:
        done.to_check.append({"registration": str(registration.id), "why": "the merge took it back, and its time would be over by now"})
    else:
        after("restore", registration.status)
        reason = {"held": "doubtful", "submitted": "approval"}.get(before, "restored")
        values = {"status": before, "reason": reason, "decided_at": None if waiting else now, "active_at": now}
        changed(db, registration, "restore", BY, f"un-merged by {by}", values, (now, ends))
        _note(done, registration, found(db, registration.id))
