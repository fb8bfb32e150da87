"""A 20-line cart through real HTTP: our own server process over PostgreSQL with 100,000 price records in canonical price lists.

CPU is that of the server's process and of this one, from their CPU clocks; the database's own is told beside it and has no limit.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from benchmarks.bars import Figure
from benchmarks.measure import measured
from hub_api import keys
from ledger import postgres
from ledger.migrate import migrate

ITEMS = 5000
DEALERS = 300
LISTED = 18
"""Lists that name dealers, beside a standard one and one for every dealer with four steps: 20 prices an item."""
CALLS = 1000
WARM = 100
CONFIG = """
companies: [{number: "100", name: 华东销售公司, default: true}]
systems: {}
flows: {}
"""
RULES = """
settings: {tax_rate: 0.13}
adjustments:
  - {id: agreement, rung: agreement, percent: 3%, when: {lines: [L0, L1, L2, L3, L4, L5, L6, L7, L8, L9]}}
  - {id: volume, rung: volume, scale: {method: point, tiers: [{from: 0, percent: 0}, {from: 50, percent: 1}, {from: 100, percent: 2}]}}
  - {id: spring, rung: promotion, percent: 2%, valid_from: 2026-01-01, valid_to: 2027-01-01}
  - {id: freight, rung: freight, amount: 1, surcharge: true}
authority:
  - {id: own, level: 0, role: sales, max_discount: 15}
  - {id: head, level: 1, role: 总部, max_discount: 40}
"""
_FILL = """
INSERT INTO companies (id, hub_key, number, doc, name, status)
    SELECT gen_random_uuid(), 'C', '100', '{"name": "华东销售公司"}', '华东销售公司', 'active';
INSERT INTO products (id, hub_key, number, doc, name, product_line, status)
    SELECT gen_random_uuid(), 'P' || n, 'I' || lpad(n::text, 5, '0'),
        json_build_object('name', '泵 ' || n, 'base_unit', 'pcs', 'tax_rate', '0.13'),
        '泵 ' || n, 'L' || n %% 20, 'active' FROM generate_series(0, %(items)s - 1) AS n;
INSERT INTO parties (id, hub_key, number, doc, name, level, status)
    SELECT gen_random_uuid(), 'D' || n, 'D' || n, json_build_object('name', '经销商 ' || n, 'roles', json_build_array('dealer')),
        '经销商 ' || n, 'A', 'active' FROM generate_series(0, %(dealers)s - 1) AS n;
INSERT INTO price_lists (id, hub_key, number, doc, company_id, currency)
    SELECT gen_random_uuid(), 'L' || n, 'LIST' || n, json_build_object(
        'name', CASE n WHEN 0 THEN '标准价' WHEN 1 THEN '代理价' ELSE '合同价 ' || n END,
        'currency', 'CNY', 'tax_included', false, 'audience', CASE WHEN n < 2 THEN 'all' ELSE 'listed' END, 'parties',
        (SELECT coalesce(json_agg(p.id), '[]') FROM parties AS p WHERE n >= 2 AND substr(p.number, 2)::int %% %(listed)s = n - 2)),
        (SELECT id FROM companies), 'CNY' FROM generate_series(0, %(listed)s + 1) AS n;
INSERT INTO price_list_lines (parent_id, id, seq, product_id, price, doc)
    SELECT l.id, gen_random_uuid(), 1, p.id, price,
        json_build_object('unit', 'pcs', 'price', price, 'from_quantity', start, 'to_quantity', stop)
    FROM price_lists AS l CROSS JOIN products AS p
    CROSS JOIN LATERAL (SELECT v.* FROM (VALUES ('0', '10', 0), ('10', '50', 2), ('50', '100', 4), ('100', '0', 6)) AS v (start, stop, off)
        WHERE l.number = 'LIST1' UNION ALL SELECT '0', '0', 0 WHERE l.number <> 'LIST1') AS v
    CROSS JOIN LATERAL (SELECT (100 + substr(p.number, 2)::int %% 50 - substr(l.number, 5)::int - off)::numeric AS price) AS x;
"""


def run(items: int = ITEMS, calls: int = CALLS) -> list[Figure]:
    """Measure, print what people read, and return the figure that has a limit."""
    with tempfile.TemporaryDirectory() as folder, postgres.temporary(fast=True) as server:
        url = server.url_of("bench_prices")
        postgres.ensure(url)
        migrate(url)
        token = _fill(url, items)
        with _serving(url, Path(folder)) as (port, pid):
            records, times, database = _measured(port, pid, server.pid or 0, token, items, calls)
    middle, high = times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]
    print(
        f"{'20 lines through HTTP, server and client':<44} CPU ms p50 {middle:.2f} p99 {high:.2f} max {times[-1]:.2f}   "
        f"{records} price records; PostgreSQL {database:.2f} ms a cart"
    )
    return [Figure("pricing.cart_20_http_cpu_p99_ms", round(high, 3))]


def _fill(url: str, items: int) -> str:
    """Price lists, dealers and a key; the key."""
    values = {"items": items, "dealers": DEALERS, "listed": LISTED}
    with psycopg.connect(url, row_factory=dict_row) as db:
        with psycopg.ClientCursor(db) as cursor:  # several statements with values: put together by the client
            cursor.execute(_FILL, values)
        with db.cursor() as cursor:
            return keys.create(cursor, name="benchmark", role="it", by="benchmark").token


@contextmanager
def _serving(url: str, folder: Path) -> Iterator[tuple[int, int]]:
    """The API as `hub up` starts it; its port and process."""
    config = folder / "hub.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "uvicorn", "hub_api.main:app", "--host", "127.0.0.1", "--port", str(port), "--no-access-log"]
    environment = {**os.environ, "HUB_CONFIG": str(config), "HUB_DATABASE_URL": url}
    with (folder / "api.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            _wait(port, process, folder / "api.log")
            yield port, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended: {log.read_text(encoding='utf-8')[-2000:]}")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health/live")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the server did not start")


def _measured(port: int, pid: int, database: int, token: str, items: int, calls: int) -> tuple[int, list[float], float]:
    """How many prices there are; CPU of each call, sorted, in milliseconds; mean CPU of the database's processes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def call(method: str, path: str, body: Any = None) -> Any:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} {text[:500]!r}")
        return json.loads(text)

    call("POST", "/v1/price-rules", {"document": "main", "text": RULES})
    state = call("GET", "/v1/price/state")
    chance = random.Random(11)
    carts = [_cart(chance, items) for _ in range(calls + WARM)]
    for cart in carts[:WARM]:
        assert call("POST", "/v1/price", cart)["status"] == "priced"
    clock = (~pid << 3) | 2  # the CPU clock of another process (Linux)
    times = []
    with measured(database) as cost:
        for cart in carts[WARM:]:
            before = time.clock_gettime_ns(clock) + time.process_time_ns()
            call("POST", "/v1/price", cart)
            times.append((time.clock_gettime_ns(clock) + time.process_time_ns() - before) / 1e6)
    return int(state["prices"]), sorted(times), cost.server * 1000 / calls


def _cart(chance: random.Random, items: int) -> dict[str, Any]:
    lines = [{"item": f"I{chance.randrange(items):05}", "quantity": str(chance.randrange(1, 200))} for _ in range(20)]
    return {"dealer": f"D{chance.randrange(DEALERS)}", "company": "100", "date": "2026-06-01", "lines": lines}
