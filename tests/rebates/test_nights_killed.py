"""Nights on the ledger that are killed anywhere: nothing is counted twice, and the next one ends as a calm run does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from decimal import ROUND_HALF_UP, Decimal

from channel.rebates.queries import Connection
from tests.rebates.making import written
from tests.rebates.nights import History, full_finds_nothing, night, publish

NIGHT = """
import sys
from datetime import date, datetime
import psycopg
from psycopg.rows import dict_row
from channel.rebates import service
print("go", flush=True)
with psycopg.connect(sys.argv[1], row_factory=dict_row) as db:
    service.accrue(db, date.fromisoformat(sys.argv[2]), by="night")
    service.settle(db, date.fromisoformat(sys.argv[2]), by="night")
"""


WHOLE_NIGHT = """
import json, sys
from datetime import date
import psycopg
from psycopg.rows import dict_row
from channel.rebates import accounts, fact_loading, service
url, days, rows = sys.argv[1], sys.argv[2].split(","), json.loads(sys.argv[3])
print("go", flush=True)
with psycopg.connect(url, row_factory=dict_row, autocommit=True) as db:
    for at, day in enumerate(days):
        part = rows[: len(rows) * (at + 1) // 3]
        with db.transaction():
            fact_loading.load(db, list(part[0]), list(enumerate(part, 2)))
        for step in (service.accrue, service.settle, accounts.expire_due):
            with db.transaction():
                step(db, date.fromisoformat(day), by="night")
print("done", flush=True)
"""
"""Days in which what was sold on is loaded, and after which money is settled and expires; each day may be done again."""


def test_a_night_that_is_killed_anywhere_counts_nothing_twice(database: str, db: Connection) -> None:
    publish(db, grouping={"by": ["dealer", "product_line"]})
    history = History(db, 7)
    for at in range(4):
        for _ in range(3):
            history.some_days(40)
        worker = subprocess.Popen(
            [sys.executable, "-c", NIGHT, database, str(history.day)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}
        )
        assert worker.stdout is not None
        worker.stdout.readline()
        time.sleep(0.02 + 0.05 * at)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        worker.stdout.close()

    night(db, history.day)

    full_finds_nothing(db, history.day)
    doubled = db.execute("SELECT unit FROM rebate_settlement WHERE kind = 'final' GROUP BY unit HAVING count(*) > 1").fetchall()
    assert doubled == []


def test_loading_settling_and_expiring_that_are_killed_anywhere_end_as_a_calm_run(database: str, db: Connection) -> None:
    base = {**json.loads(written())["base"], "event": "sell_out"}
    terms = {"base": base, "calendar": {"period": "month"}, "method": "marginal", "tiers": [{"from": "0", "rate": "2 %"}]}
    publish(db, **terms, settlement={"ways": ["offset"], "expires_days": 20}, pass_through={"rate": "80 %"})
    for number in ("D1", "D2"):
        db.execute(
            "INSERT INTO parties (id, hub_key, number, name, doc, version) VALUES (gen_random_uuid(), %s, %s, %s, '{}', 1)",
            [f"KEY{number}", number, number],
        )
    db.commit()
    rows = [
        {"id": str(at), "kind": "sell_out", "dealer": f"D{at % 2 + 1}", "date": f"2025-{at // 70 + 1:02}-15", "amount": str(100 + at),
         "currency": "CNY", "customer": f"S{at % 3}"}
        for at in range(210)
    ]  # fmt: skip
    days = ["2025-01-20", "2025-02-10", "2025-03-10", "2025-04-10", "2025-06-10"]

    kills, said = 0, ""
    while "done" not in said:
        worker = subprocess.Popen(
            [sys.executable, "-c", WHOLE_NIGHT, database, ",".join(days), json.dumps(rows)],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."},
        )  # fmt: skip
        assert worker.stdout is not None
        worker.stdout.readline()
        if kills < 8:
            time.sleep(0.05 + 0.09 * kills)
            os.kill(worker.pid, signal.SIGKILL)
            kills += 1
        said = worker.stdout.read()
        worker.wait()
        worker.stdout.close()

    earned = {
        (who, month): Decimal("0.02") * sum(int(row["amount"]) for row in rows if row["dealer"] == who and row["date"].startswith(month))
        for who in ("D1", "D2") for month in ("2025-01", "2025-02", "2025-03")
    }  # fmt: skip
    settled = db.execute("SELECT dealer, period, sum(amount) AS amount FROM rebate_settlement GROUP BY 1, 2").fetchall()
    assert {(row["dealer"], row["period"]): row["amount"] for row in settled if row["amount"]} == earned
    finals = db.execute("SELECT unit FROM rebate_settlement WHERE kind = 'final' GROUP BY unit HAVING count(*) > 1").fetchall()
    stated = db.execute("SELECT count(*) AS n FROM rebate_statement WHERE doc->>'kind' <> 'passed_on'").fetchone() or {}
    one_each = db.execute("SELECT count(*) AS n FROM rebate_settlement").fetchone() or {}
    assert (finals, stated["n"]) == ([], one_each["n"])
    balances = db.execute("SELECT dealer, accrued, available, expired FROM rebate_balance ORDER BY dealer").fetchall()
    whole = {dealer: sum(amount for (who, _), amount in earned.items() if who == dealer) for dealer in ("D1", "D2")}
    assert [tuple(row.values()) for row in balances] == [(dealer, 0, 0, whole[dealer]) for dealer in ("D1", "D2")]
    facts = db.execute("SELECT count(*) AS n, max(revision) AS newest FROM rebate_fact WHERE kind = 'sell_out'").fetchone() or {}
    assert (facts["n"], facts["newest"]) == (210, 1)
    handed = db.execute("SELECT sum(amount) AS amount FROM rebate_passed_on").fetchone() or {}
    received = sum(((amount * Decimal("0.8")).quantize(Decimal("0.01"), ROUND_HALF_UP) for amount in earned.values()), Decimal(0))
    assert handed["amount"] == received
