"""A fund kept up with what was bought and granted, and with the ends of its periods: money that becomes claimable, is carried on, expires.

Everything is the difference to what is booked, so that a second run books nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from canonical.ids import new_id
from channel.funds import queries
from channel.rebates import fact_queries
from channel.rebates.claiming import Balance, claims, spans_of
from channel.rebates.claims import Fund
from channel.rebates.facts import COLUMNS, Fact, Table
from channel.rebates.periods import Span, year_before
from channel.rebates.queries import Connection, Row, dealer_ids
from channel.rebates.selecting import Dealer, Dealers, participates
from channel.rebates.values import FIRST_DAY

NONE: Final = Decimal(0)


def keep_up(db: Connection, fund: Fund, as_of: date, *, by: str, dealers: Sequence[Dealer]) -> int:
    """Book what the fund holds for these dealers by now; how many entries' worth of dealers and periods changed. Raises: BadFacts."""
    changed = fill(db, fund, as_of, by=by, dealers=dealers)
    return changed + turn(db, fund, as_of, by=by, names=frozenset(dealer.id for dealer in dealers))


def fill(db: Connection, fund: Fund, as_of: date, *, by: str, dealers: Sequence[Dealer]) -> int:
    """What the programme fills by now, less what it has filled. What later returns take back is taken as far as it is not used."""
    before, changed = queries.filled(db, fund.programme), 0
    made = balances(db, fund, as_of, dealers)
    ids = dealer_ids(db, sorted({one.dealer for one in made}))
    for one in made:
        missing = one.filled - before.get((one.dealer, one.span.name), NONE)
        account = "available" if fund.claimable == "at_once" else "accrued"
        if missing < 0:
            standing = queries.balance(db, fund.programme, one.dealer, one.span.name)
            account = "accrued" if standing and standing["accrued"] > 0 else "available"
            missing = max(missing, -(standing[account] if standing else NONE))
        if missing:
            key: Row = {"programme": fund.programme, "dealer": one.dealer, "dealer_id": ids.get(one.dealer), "currency": fund.currency}
            queries.book(db, key, one.span.name, {account: missing}, cause="fill", booking=new_id(), by=by)
            changed += 1
    return changed


def balances(db: Connection, fund: Fund, as_of: date, dealers: Sequence[Dealer]) -> list[Balance]:
    """What the programme fills for these dealers, period by period, from the ledger's facts."""
    facts: list[Fact] = []
    if fund.base is not None:
        start = year_before(fund.valid.from_ or FIRST_DAY)
        names = [dealer.id for dealer in dealers]
        facts = list(fact_queries.facts(db, start, as_of + timedelta(days=1), dealers=names))
    # A dealer that bought nothing has its grant all the same: a claim of nothing names it to the calculation.
    part = {dealer.id for dealer in dealers if not participates(fund.participants, dealer, as_of)[0]}
    granted = fund.granted is not None or bool(fund.dealers)
    facts += [Fact(f"grant:{name}", "claim", name, as_of, status="rejected", amount=NONE) for name in sorted(part) if granted]
    _, made = claims(fund, Table(tuple(facts), COLUMNS), as_of=as_of, dealers=Dealers(dealers))
    known = {dealer.id for dealer in dealers}
    return [one for one in made if one.dealer in known and (one.base or one.dealer in part)]


def turn(db: Connection, fund: Fund, as_of: date, *, by: str, names: frozenset[str]) -> int:
    """What the ends of periods do: accrued money can be claimed in the next, what is left is carried on or expires.

    What is left waits for the last day on which claims of its period may be handed in (`claim_days`).
    """
    spans, changed = spans_of(fund), 0
    after = dict(zip([span.name for span in spans], [*spans[1:], None], strict=True))
    ended = {span.name: span for span in spans if span.end <= as_of + timedelta(days=1)}
    for row in queries.balances(db, programme=fund.programme):
        span = ended.get(row["period"])
        if span is None or row["dealer"] not in names:
            continue
        following = after[span.name]
        key: Row = {name: row[name] for name in ("programme", "dealer", "dealer_id", "currency")}
        if row["accrued"] > 0 and following is not None:
            _move(db, key, (span, "accrued"), (following, "available"), row["accrued"], "release", by)
            changed += 1
        if row["available"] > 0 and as_of >= span.end - timedelta(days=1) + timedelta(days=fund.claim_days or 0):
            if fund.unused == "forfeited":
                _move(db, key, (span, "available"), (span, "expired"), row["available"], "expiry", by)
                changed += 1
            elif following is not None:
                _move(db, key, (span, "available"), (following, "available"), row["available"], "carry", by)
                changed += 1
    return changed


def _move(db: Connection, key: Row, source: tuple[Span, str], target: tuple[Span, str], amount: Decimal, cause: str, by: str) -> None:
    booking = new_id()
    queries.book(db, key, source[0].name, {source[1]: -amount}, cause=cause, booking=booking, by=by)
    queries.book(db, key, target[0].name, {target[1]: amount}, cause=cause, booking=booking, by=by)
