"""An order checked against the ledger: price and approval as a cart, credit by what the ERP grants and what is open, fence, stock.

Each problem is typed, and none stops the search for the next. What nobody knows (a credit limit, a stock, where goods go) is not held
against the order. A dealer learns that its credit or our stock is not enough, and not the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from channel.deals import guarding
from channel.deals.fences import INSIDE
from channel.deals.goods import Goods, assess
from channel.pricing import asker_queries, quote_queries, service
from channel.pricing.asking import Ask
from channel.pricing.authority import Verdict
from channel.pricing.ordering import Credit, Ordered, Problem, validate
from channel.pricing.pricing import Priced
from channel.pricing.service import Asked, View

Connection = psycopg.Connection[Any]
OURS_ONLY: Final = ("available", "source", "credit", "limit", "used", "level", "zh", "en")
"""Facts of a problem that a dealer is not told."""
OUTSIDE: Final = "pricing/outside-territory"
"""What a dealer is told of any fence: not whose area it is."""


@dataclass(frozen=True, slots=True)
class Account:
    """A dealer's credit in one company, tax included. `limit` as the ERP says it; `open`: billed and unpaid, or ordered and not billed."""

    limit: Decimal | None
    open: Decimal
    currency: str
    blocked: bool


_ACCOUNT: Final = """
SELECT max((c.doc->>'credit_limit')::numeric) FILTER (WHERE coalesce(c.doc->>'credit_limit', '') <> '') AS lim,
    coalesce(bool_or((c.doc->>'blocked')::boolean), false) AS blocked,
    coalesce(nullif(max(c.doc->>'currency'), ''), %(currency)s) AS currency,
    coalesce((SELECT sum(r.total) FROM receivables AS r WHERE r.party_id = %(party)s AND r.currency = %(currency)s AND NOT r.retired
        AND r.approval = 'approved' AND coalesce(r.status, '') <> 'void' AND r.doc->>'kind' IN ('financial', 'other')
        AND (%(all)s OR r.company_id = ANY(%(ours)s::uuid[]))), 0)
    + coalesce((SELECT sum(m.total) FROM credit_memos AS m WHERE m.party_id = %(party)s AND m.currency = %(currency)s AND NOT m.retired
        AND m.approval = 'approved' AND coalesce(m.status, '') <> 'void' AND (%(all)s OR m.company_id = ANY(%(ours)s::uuid[]))), 0)
    - coalesce((SELECT sum(p.amount) FROM receipts AS p WHERE p.party_id = %(party)s AND p.currency = %(currency)s AND NOT p.retired
        AND p.approval = 'approved' AND coalesce(p.status, '') <> 'void' AND (%(all)s OR p.company_id = ANY(%(ours)s::uuid[]))), 0)
    + coalesce((SELECT sum(f.amount) FROM refunds AS f WHERE f.party_id = %(party)s AND f.currency = %(currency)s AND NOT f.retired
        AND f.approval = 'approved' AND coalesce(f.status, '') <> 'void' AND (%(all)s OR f.company_id = ANY(%(ours)s::uuid[]))), 0)
    + coalesce((SELECT sum(greatest(o.total - coalesce((o.doc->>'invoiced_amount')::numeric, 0), 0)) FROM orders AS o
        WHERE o.party_id = %(party)s AND o.currency = %(currency)s AND NOT o.retired AND o.approval IN ('submitted', 'approved')
        AND coalesce(o.status, '') NOT IN ('void', 'closed') AND (%(all)s OR o.company_id = ANY(%(ours)s::uuid[]))), 0) AS open
FROM party_companies AS c WHERE c.parent_id = %(party)s AND (%(all)s OR c.company_id = ANY(%(ours)s::uuid[]))
"""


def account(db: Connection, party: UUID, company: str, currency: str) -> Account:
    """What a dealer may owe, and owes, in one company of ours. Units: amounts in `currency`, tax included."""
    with db.cursor(row_factory=dict_row) as cursor:
        found = [row["id"] for row in cursor.execute("SELECT id FROM companies WHERE number = %s", [company])] if company else []
        values = {"party": party, "ours": found, "all": not company, "currency": currency}
        row = cursor.execute(_ACCOUNT.encode(), values).fetchone()
    assert row is not None  # noqa: S101  an aggregate gives one row
    return Account(row["lim"], Decimal(row["open"]), row["currency"], row["blocked"])


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of checking an order."""

    priced: Priced
    verdict: Verdict
    asked: Asked
    problems: tuple[Problem, ...]

    def told(self, view: View) -> list[dict[str, Any]]:
        """The problems as the view may see them."""
        return [_told(one, view) for one in self.problems]


def _told(one: Problem, view: View) -> dict[str, Any]:
    dealer = view.dealer is not None
    facts = {name: value for name, value in one.facts.items() if not dealer or name not in OURS_ONLY}
    code = OUTSIDE if dealer and one.kind == "fence" else one.code
    return {"kind": one.kind, "code": code, **({"line": one.line} if one.line else {}), "facts": facts}


def check_order(
    db: Connection, ask: Ask, ordered: Sequence[Ordered], *, view: View, approved_hash: str = "", at_version: int | None = None,
    snapshot: str = "",
) -> Checked:  # fmt: skip
    """Everything that keeps an order from being taken; no problem when it may go.

    `ordered`: the prices that the order names, by line. `approved_hash`: of the price result that was approved; a dealer's word for it
    counts where a quote of that hash was approved. Prices may be those of a `snapshot`; credit, stock and fences are those of now.
    Raises: as `service.priced`.
    """
    priced, verdict, asked = service.priced(db, ask, view=view, at_version=at_version, snapshot=snapshot)
    credit, blocked = None, []
    if asked.dealer is not None:
        standing = account(db, asked.dealer.id, asked.ask.company, priced.currency)
        if standing.blocked:
            blocked.append(Problem("credit", "pricing/dealer-blocked", "", {"dealer": asked.dealer.name}))
        if standing.limit is not None:
            credit = Credit(standing.currency, standing.limit, standing.open)
    stock = asker_queries.stock(db, [line.item for line in priced.lines], asked.ask.company)
    if view.dealer is not None and approved_hash and not quote_queries.was_approved(db, view.dealer, approved_hash):
        approved_hash = ""
    found = validate(priced, verdict, ordered, approved_hash=approved_hash, credit=credit, stock=stock, dealer=view.dealer is not None)
    return Checked(priced, verdict, asked, (*found, *blocked, *_fence(db, priced, asked)))


def _fence(db: Connection, priced: Priced, asked: Asked) -> list[Problem]:
    """Whether the dealer may sell there, by the fences that orders are judged by when they flow."""
    if asked.dealer is None or not asked.ask.ship_to:
        return []
    lines = tuple(sorted({priced.prices.items[line.item].line for line in priced.lines}))
    verdict = assess(Goods("order:new", 0, asked.dealer.id, asked.ask.date, asked.ask.ship_to, lines), guarding.book(db, [asked.dealer.id]))
    if verdict.effect == "allow":
        return []
    zh, en = INSIDE[verdict.code]
    return [Problem("fence", f"pricing/fence-{verdict.code.replace('_', '-')}", "", {"ship_to": asked.ask.ship_to, "zh": zh, "en": en})]
