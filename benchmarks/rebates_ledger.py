"""The rebates' night on a ledger with millions of facts: 1,000 late lines, returns and corrections, accrued through the DAG's entry point.

CPU is that of this process and of the whole PostgreSQL cluster. After each night every accrual is compared with plain Decimals on sums that
SQL makes of all facts, and now and then with what reading every line gives.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from typing import Any

import psycopg
from psycopg.rows import dict_row

from benchmarks.bars import Figure
from benchmarks.measure import Cost, measured
from ledger import postgres
from ledger.migrate import migrate

LINES = 4_000_000
LATE = 1_000
NIGHTS = 5
DEALERS, PRODUCTS, PRODUCT_LINES, DAYS = 500, 5_000, 40, 456
FIRST = date(2025, 10, 1)
NOW = datetime(2026, 12, 31, 2, 0, tzinfo=UTC)
TIERS = ((0, "0.01"), (2_000, "0.015"), (5_000, "0.025"), (15_000, "0.04"))
PROGRAMME = f"""
programme: bench
version: 1
name: 基准
currency: CNY
valid: {{from: 2025-10-01, to: 2027-01-01}}
participants: all
base: {{event: invoice, measure: amount, tax: exclusive, net_of: [returns, credits]}}
calendar: {{period: quarter, late_days: 366}}
grouping: {{by: [dealer, product_line]}}
method: marginal
boundary: at_least
tiers: [{", ".join(f"{{from: {start}, rate: {rate}}}" for start, rate in TIERS)}]
accrual: {{by: earned}}
"""
_FACTS = f"""
INSERT INTO rebate_fact (date, id, revision, recorded_at, kind, dealer, currency, quantity, amount, gross, invoice_date, document, product,
    product_line, company)
SELECT day, 'invoice:' || lpad(n::text, 12, '0'), 1, clock_timestamp(), CASE WHEN back THEN 'return' ELSE 'sale' END, dealer, 'CNY',
    CASE WHEN back THEN -quantity ELSE quantity END, amount, round(amount * 1.13, 2), day, 'AR' || n / 4, product, line, '100'
FROM (
    SELECT n, DATE '{FIRST}' + (hashint8extended(n, 3) & 1048575)::int %% {DAYS} AS day, (hashint8extended(n, 5) & 1023) < 31 AS back,
        'D' || lpad(((hashint8extended(n, 1) & 1048575) %% {DEALERS})::text, 4, '0') AS dealer,
        1 + (hashint8extended(n, 6) & 31) AS quantity,
        'P' || ((hashint8extended(n, 2) & 1048575) %% {PRODUCTS}) AS product,
        'PL' || ((hashint8extended(n, 2) & 1048575) %% {PRODUCTS}) %% {PRODUCT_LINES} AS line,
        ((hashint8extended(n, 4) & 1048575) %% 40000 + 1) * 0.01
            * CASE WHEN (hashint8extended(n, 5) & 1023) < 31 THEN -1 ELSE 1 END AS amount
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
) AS f
"""
_CORRECTED = """
INSERT INTO rebate_fact (date, id, revision, was, kind, dealer, currency, quantity, amount, gross, invoice_date, document, product,
    product_line, company)
SELECT date, id, 2, date, kind, dealer, currency, quantity, round(amount / 2, 2), round(gross / 2, 2), invoice_date, document, product,
    product_line, company
FROM rebate_fact WHERE seq > %(first)s AND seq <= %(last)s AND revision = 1
"""
_WRONG = """
WITH base AS (
    SELECT f.dealer, f.product_line, extract(year FROM f.date) || 'Q' || extract(quarter FROM f.date) AS period, sum(f.amount) AS amount
    FROM rebate_fact AS f WHERE f.date <= %(as_of)s AND NOT EXISTS (
        SELECT FROM rebate_fact AS n WHERE n.revision > 1 AND n.id = f.id AND n.revision > f.revision)
    GROUP BY 1, 2, 3
)
SELECT coalesce(b.amount, 0) AS amount, coalesce(e.amount, 0) AS accrued FROM base AS b FULL JOIN (
    SELECT reference, sum(amount) AS amount FROM rebate_entry WHERE account = 'accrued' GROUP BY 1
) AS e ON e.reference = 'bench|' || b.dealer || '|product_line=' || b.product_line || '|' || b.period
"""


def _by_hand(base: Decimal) -> Decimal:
    earned = Decimal(0)
    for at, (start, rate) in enumerate(TIERS):
        end = Decimal(TIERS[at + 1][0]) if at + 1 < len(TIERS) else base
        if base > start:
            earned += (min(base, end) - start) * Decimal(rate)
    return earned.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _wrong(db: psycopg.Connection[Any]) -> int:
    """How many accruals are not what plain Decimals give."""
    rows = db.execute(_WRONG.encode(), {"as_of": date(2026, 12, 30)}).fetchall()
    return sum(1 for row in rows if row["accrued"] != _by_hand(row["amount"]))


def _load(db: psycopg.Connection[Any], lines: int) -> None:
    from channel.rebates import service  # noqa: PLC0415  the other benchmarks need none of it

    began = time.monotonic()
    for month in range(16):
        start = date(FIRST.year + (FIRST.month - 1 + month) // 12, (FIRST.month - 1 + month) % 12 + 1, 1)
        db.execute("SELECT rebate_fact_month(%s)", [start])
    step = 500_000
    for first in range(0, lines, step):
        db.execute(_FACTS.encode(), {"first": first, "last": min(first + step, lines) - 1})
    db.execute("VACUUM ANALYZE rebate_fact")
    with db.transaction():
        service.publish(db, PROGRAMME, by="bench")
    print(f"rebates on the ledger: {lines:,} facts loaded in {time.monotonic() - began:.0f} s", flush=True)


def _late(db: psycopg.Connection[Any], at: int, count: int) -> None:
    """Late lines and returns, and corrections of earlier ones, dated anywhere."""
    fresh = count * 4 // 5
    with db.transaction():
        db.execute(_FACTS.encode(), {"first": 10**9 + at * count, "last": 10**9 + at * count + fresh - 1})
        db.execute(_CORRECTED.encode(), {"first": 1000 + at * count, "last": 1000 + at * count + count - fresh})


def run(lines: int = LINES) -> list[Figure]:
    """The first night sums everything; then some nights with late lines, of which the median counts; then one with nothing new."""
    from sync.config import HubConfig  # noqa: PLC0415  as above
    from sync.hub import Hub  # noqa: PLC0415
    from sync.rebates import nightly  # noqa: PLC0415

    costs: list[Cost] = []
    wrong = 0
    with postgres.temporary(fast=True, settings={"shared_buffers": "1GB", "max_wal_size": "4GB"}) as server:
        url, pid = server.url_of("bench_rebates"), server.pid
        assert pid is not None, "the server runs"
        postgres.ensure(url)
        migrate(url)
        with (
            psycopg.connect(url, autocommit=True, row_factory=dict_row) as db,
            Hub.open(HubConfig(systems={}, flows={}), url) as hub,
        ):
            _load(db, lines)
            with measured(pid) as first:
                result = nightly(hub, now=NOW)
            _say("first night", first, result)
            wrong += _wrong(db)
            for at in range(NIGHTS):
                _late(db, at, LATE)
                with measured(pid) as cost:
                    result = nightly(hub, now=NOW)
                _say(f"night {at + 1}: {LATE} late", cost, result)
                costs.append(cost)
            wrong += _wrong(db)
            with measured(pid) as quiet:
                result = nightly(hub, now=NOW)
            _say("nothing new", quiet, result)
    return [
        Figure("rebates.nightly_late_cpu_s", round(median(cost.cpu for cost in costs), 2)),
        Figure("rebates.nightly_wrong", wrong),
    ]


def _say(what: str, cost: Cost, result: Any) -> None:
    print(
        f"{what}: {cost.cpu:.2f} CPU-s (here {cost.client:.2f}, server {cost.server:.2f}), {cost.wall:.1f} s, {result.counts}", flush=True
    )
