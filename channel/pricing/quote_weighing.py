"""What a quote needs from authority: its lines as they were priced, together with what the same buyer was quoted before.

Figures are those of the version, cost included; the authority table is the one in force when it is submitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import Any

import msgspec

from canonical.rounding import half_up
from channel.pricing import quote_queries, service
from channel.pricing.asking import Ask, Past
from channel.pricing.authority import Subject, Verdict, same_deal, weigh
from channel.pricing.compiled import Prices
from channel.pricing.errors import BadOffer
from channel.pricing.pricing import WIDE
from channel.pricing.queries import Connection
from channel.pricing.quote_queries import Kept, Offer
from channel.pricing.quote_states import COUNTED


def weighed(db: Connection, offer: Offer, version: Kept, role: str, today: date) -> tuple[Verdict, list[str]]:
    """The verdict on a version, and the numbers of the quotes that count with it."""
    prices = service.book(db).prices
    own = [_subject(line, f"line {line['id']}") for line in version.judged]
    others = earlier(db, offer, version, prices, today)
    past = [subject for one in others.values() for subject in one]
    return weigh(prices, role, [*own, *past], by_hand=_by_hand(version.asked)), list(others)


def earlier(db: Connection, offer: Offer, version: Kept, prices: Prices, today: date) -> dict[str, list[Subject]]:
    """What counts with this quote: by number, the lines of quotes of the same buyer and deal, in this quote's currency.

    Raises: BadOffer when one is in a currency without a rate: it would count for nothing.
    """
    days = prices.settings.split_days
    ask = _asked(version.asked, today)
    found: dict[str, list[Subject]] = {}
    for row in quote_queries.counted(db, offer, today - timedelta(days=days), COUNTED):
        asked = msgspec.json.decode(row["asked"])
        if not same_deal(ask, _past(row["number"], asked), days):
            continue
        lines = msgspec.json.decode(row["judged"])
        rate = prices.rate(row["currency"], offer.currency, today)
        if rate is None:
            raise BadOffer(
                f"another quote counts with this one and is in {row['currency']}",
                next_step=f"publish a rate of {row['currency']} to {offer.currency}",
            )
        found[row["number"]] = [_in_currency(_subject(line, f"{row['number']} line {line['id']}"), *rate) for line in lines]
    return found


def _subject(line: Mapping[str, Any], name: str) -> Subject:
    cost = line["cost"]
    return Subject(
        name, line["line"], line["brand"], line["price_kind"], Decimal(line["list_amount"]), Decimal(line["net_amount"]),
        None if cost is None else Decimal(cost), approved=line["approved"],
    )  # fmt: skip


def _in_currency(one: Subject, rate: Decimal, divide: bool) -> Subject:  # noqa: FBT001  as `Prices.rate` gives it
    with localcontext(WIDE):

        def converted(amount: Decimal) -> Decimal:
            return amount / rate if divide else amount * rate

        cost = None if one.cost is None else converted(one.cost)
        return replace(one, list_net=converted(one.list_net), net=converted(one.net), cost=cost)


def _by_hand(asked: Mapping[str, Any]) -> bool:
    return bool(asked.get("manual")) or any(line.get("manual") for line in asked["lines"])


def _asked(asked: Mapping[str, Any], today: date) -> Ask:
    """What of a kept question tells whether two quotes are of one deal."""
    return Ask.model_construct(
        date=today, dealer=asked.get("dealer") or "", customer=asked.get("customer") or "", project=asked.get("project") or "",
        deal=asked.get("deal") or "",
    )  # fmt: skip


def _past(number: str, asked: Mapping[str, Any]) -> Past:
    return Past.model_construct(
        id=number, on=date.fromisoformat(asked["date"]), lines=(), dealer=asked.get("dealer") or "", customer=asked.get("customer") or "",
        project=asked.get("project") or "", deal=asked.get("deal") or "",
    )  # fmt: skip


def facts(verdict: Verdict, version: Kept, besides: Sequence[str]) -> dict[str, Any]:
    """What the event of a submission remembers: for our own people."""
    return {
        "result": verdict.result, "level": verdict.level, "role": verdict.role, "hash": version.hash, "counted": list(besides),
        "deal_size": half_up(verdict.deal_size, 2),
        "needs": [{"subject": one.subject, "level": one.level, "band": one.band, "why": one.why} for one in verdict.needs],
    }  # fmt: skip
