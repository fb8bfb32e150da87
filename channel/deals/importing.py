"""Registrations and direct customers that an older system knows, taken over with their own days: all rows or none, every wrong row named.

Rows are judged as if they came one after another, in the order in which they began: who began first holds, a later row for the same
customer is a mistake to mend, and so is one that only a person can tell apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import psycopg

from canonical.values import SHANGHAI
from channel.deals import acting, claim_queries, matching, queries, review_queries
from channel.deals.customers.queries import customer_names
from channel.deals.customers.queries import state as state_of_keys
from channel.deals.customers.service import claim_from
from channel.deals.duplicates import who
from channel.deals.errors import BadRows, KeysOutdated
from channel.deals.matching import Claim
from channel.deals.protection import LIVE
from channel.deals.registrations import open_field
from channel.deals.service import Limits, Rules, cleaned, register
from channel.errors import ChannelError

Connection = psycopg.Connection[Any]
Row = Mapping[str, str]

COLUMNS: Final = (
    "dealer", "name", "uscc", "phone", "contact", "city", "address", "project", "product_line", "region", "industry", "amount", "currency",
    "starts", "ends",
)  # fmt: skip
"""`dealer`: number, hub key or id of the party; empty: a customer of our own, without end. Days: Asia/Shanghai, `ends` included."""

_ALL_TAKEN: Final = Rules(fences=open_field, limits=Limits(refusals_a_day=1_000_000_000))


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do."""

    registrations: int = 0
    direct: int = 0
    same: int = 0
    """Rows that stood so already."""


class _Wrong(Exception):
    """A row that cannot stand."""

    def __init__(self, what: str, next_step: str) -> None:
        self.what, self.next_step = what, next_step
        super().__init__(what)


def import_rows(db: Connection, rows: Sequence[Row], by: str, *, dry_run: bool, progress: Callable[[int], None] | None = None) -> Imported:
    """Take rows over (`COLUMNS` and `row`, their place in the file) in one transaction.

    Fences, limits and approvals are not asked, and nobody is told. Raises: BadRows naming each wrong row, with nothing done.
    """
    counts = {"registrations": 0, "direct": 0, "same": 0}
    errors: list[tuple[int, dict[str, str]]] = []
    with db.transaction(force_rollback=dry_run):
        now = queries.now(db)
        for done, (place, row) in enumerate(sorted(enumerate(rows), key=lambda one: (one[1]["starts"], one[0])), 1):
            try:
                with db.transaction():
                    counts[_take(db, row, by, now)] += 1
            except (_Wrong, ChannelError) as wrong:
                errors.append((place, {"where": f"row {row['row']}", "what": wrong.what, "next_step": wrong.next_step}))
            if progress is not None:
                progress(done)
        if errors:
            raise BadRows([error for _, error in sorted(errors, key=lambda one: one[0])])
    return Imported(**counts)


def dealer_of(db: Connection, named: str) -> UUID | None:
    """The party that a text names: its id, hub key or business number; None when it names none, or several."""
    query = "SELECT id FROM parties WHERE NOT retired AND (id = %(id)s::uuid OR hub_key = upper(%(text)s) OR number = %(text)s) LIMIT 2"
    try:
        number = UUID(named.strip())
    except ValueError:
        number = None
    found = queries.rows(db, query, {"text": named.strip(), "id": number})
    return found[0][0] if len(found) == 1 else None


def _take(db: Connection, row: Row, by: str, now: datetime) -> str:
    texts: dict[str, Any] = {name: row[name] for name in ("name", "uscc", "phone", "contact", "city", "address", "project", "product_line")}
    claim = cleaned(Claim(**texts))
    if not row["dealer"]:
        return _take_direct(db, claim, by)
    dealer = dealer_of(db, row["dealer"])
    if dealer is None:
        raise _Wrong(f"dealer {row['dealer']!r} is no party of ours", "give its number, hub key or id as `hub` knows it")
    starts, ends = _day(row["starts"], "starts"), _day(row["ends"], "ends")
    window = datetime.combine(starts, time(), SHANGHAI), datetime.combine(ends + timedelta(days=1), time(), SHANGHAI)
    if window[1] <= now:
        raise _Wrong(f"it ended on {ends}", "leave it out: it protects nothing any more")
    if window[0] > now or window[1] <= window[0]:
        raise _Wrong(f"{starts} to {ends} is no time that has begun and lasts", "correct the days")
    once = "import/" + sha256("\0".join(row[name] for name in COLUMNS).encode()).hexdigest()
    made = register(
        db, dealer, claim, idempotency_key=once, amount=_amount(row["amount"]), currency=row["currency"], region=row["region"],
        industry=row["industry"], actor=by, rules=_ALL_TAKEN,
    )  # fmt: skip
    if made.repeated and made.status not in LIVE:
        raise _Wrong(f"it was taken over before and is {made.status.replace('_', ' ')} since", "leave it out, or register it anew")
    if made.repeated:
        return "same"
    if made.status == "rejected":
        raise _Wrong(_who_holds(db, made.id), "leave it out, or end the other one first")
    if made.status == "held":
        raise _Wrong(_who_is_meant(db, made.id), "give its 统一社会信用代码, or decide by hand after registering it: hub deals review")
    values = {"status": "protected", "reason": "imported", "decided_at": now, "active_at": now, "days": (ends - starts).days + 1}
    queries.change(db, made.id, values, window)
    queries.add_event(db, made.id, "import", by, made.status, "protected", facts={"starts": str(starts), "ends": str(ends)})
    queries.run(  # what stood before is no news to anybody
        db, "DELETE FROM deal_untold WHERE event_id IN (SELECT id FROM registration_event WHERE registration_id = %s)", [made.id]
    )
    return "registrations"


def _take_direct(db: Connection, claim: Claim, by: str) -> str:
    prepared = matching.prepare(claim)
    keys = matching.keys_of(prepared)
    if not keys:
        raise _Wrong("it names no company", "give the company's name, its 统一社会信用代码 or a phone number")
    claim_queries.lock_keys(db, keys)
    claim_queries.begin_keys(db, matching.VERSION)
    state = state_of_keys(db)
    if state is None or state.version != matching.VERSION:
        raise KeysOutdated("the customers' keys are of another version", next_step="rebuild them: hub deals rebuild")
    meant = who(db, claim)
    if meant.verdict == "review":
        raise _Wrong(f"it may be {meant.name}, or not", "give its 统一社会信用代码, or protect that one: hub deals protect")
    customer = meant.customer_id
    if customer is None:
        given = {name: value for name, value in _firm(claim).items() if value}
        customer = claim_queries.add_customer(db, claim.name or claim.uscc or claim.phone, given, prepared.dump(), matching.VERSION, keys)
    holds = claim_queries.holds(db, [customer], claim.product_line).holds
    if holds and all(hold.dealer_id is None for hold in holds):
        return "same"
    acting.protect_direct(db, customer, by, "imported", claim.product_line)
    return "direct"


def _firm(claim: Claim) -> dict[str, Any]:
    one = claim_from({name: getattr(claim, name) for name in ("name", "uscc", "phone", "contact", "city", "address")})
    return {name: getattr(one, name) for name in ("name", "uscc", "phone", "contact", "city", "address")}


def _who_holds(db: Connection, refused: UUID) -> str:
    decision = next(one.decision for one in queries.events(db, refused) if one.decision)
    if decision["met"] is None:
        return "it is refused"
    other = acting.found(db, UUID(decision["met"]))
    name = customer_names(db, [other.customer_id]).get(other.customer_id, "")
    whose = "ourselves" if other.dealer_id is None else f"dealer {other.dealer_id}"
    return f"{name} is held by {whose} (registration {other.id})"


def _who_is_meant(db: Connection, held: UUID) -> str:
    doubts = review_queries.doubts(db, registration_id=held)
    return f"it may be {' or '.join(one.customer_name for one in doubts[:3])}, which another holds"


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text.strip()[:10].replace("/", "-"))
    except ValueError as wrong:
        raise _Wrong(f"{name} {text!r} is no day", "write it as 2026-11-21") from wrong


def _amount(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation as wrong:
        raise _Wrong(f"amount {text!r} is no number", "write it as 1200000.00") from wrong
