"""Deals: look-up, check and registration beside a primary-key read on the same connection, and checks under an open loop.

CPU is that of this thread and of the backend that serves it, in nanoseconds from the scheduler. Source of the bars: docs/deals.md.
"""

from __future__ import annotations

import gc
import multiprocessing
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import tuple_row

from benchmarks import deals_data
from benchmarks.bars import Figure
from channel.deals import claim_queries, matching, queries
from channel.deals.matching import Claim
from channel.deals.service import Limits, Rules, check, register
from ledger import postgres
from ledger.migrate import migrate

CUSTOMERS = 1_000_000
CLAIMS = 4000
REGISTERED = 1000
WARMING = 200
"""Registrations that are not counted: a statement is planned anew for its first five calls."""
RATE = 100
SECONDS = 20
WORKERS = 8
OPEN = Rules(limits=Limits(checks_an_hour=10**9, checks_a_day=10**9, refusals_a_day=10**9))


@dataclass(frozen=True, slots=True)
class Spread:
    """Times of one kind of call. Units: milliseconds."""

    cpu: list[float]
    wall: list[float]

    def told(self, name: str) -> str:
        """One line for people."""
        cpu, wall = (f"p50 {at(times, 50):.2f} p99 {at(times, 99):.2f} max {max(times):.2f}" for times in (self.cpu, self.wall))
        return f"{name:<34} CPU ms {cpu}   wall ms {wall}"


def at(times: Sequence[float], percent: float) -> float:
    """The percentile of times."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def _backend_ns(pid: int) -> int:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def timed(db: psycopg.Connection[Any], calls: Sequence[Callable[[], Any]]) -> Spread:
    """Each call's CPU, of this thread and of the connection's backend together, and its wall time."""
    pid = db.info.backend_pid
    cpu, wall = [], []
    for call in calls:
        began = time.perf_counter_ns()
        mine, theirs = time.thread_time_ns(), _backend_ns(pid)
        call()
        spent = time.thread_time_ns() - mine
        wall.append((time.perf_counter_ns() - began) / 1e6)
        cpu.append((spent + _settled(pid) - theirs) / 1e6)
    return Spread(cpu, wall)


def _settled(pid: int) -> int:
    """The backend's CPU once it sleeps again: the scheduler adds up when it stops."""
    for _ in range(50):
        if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "S":
            break
        time.sleep(0)
    return _backend_ns(pid)


def run(count: int = CUSTOMERS, keep: Path | None = None) -> list[Figure]:
    """Load, measure, tell. `keep`: a directory where the loaded server stays for the next run with the same code and data."""
    settings = {"shared_buffers": "1GB"}
    with postgres.start(keep, settings=settings) if keep else postgres.temporary(fast=False, settings=settings) as server:
        url = server.url_of("bench_deals")
        hub = _loaded(server, count, keep) if keep else _load(url, count)
        if keep:
            postgres.drop(url)
            with psycopg.connect(server.url_of("postgres"), autocommit=True) as db:
                db.execute(f"CREATE DATABASE bench_deals TEMPLATE {deals_data.stamp(count)} STRATEGY file_copy")
        with psycopg.connect(url, autocommit=True) as db:
            _sizes(db)
            deals_data.warm(db)
            figures = _one_connection(db, hub, count)
        return [*figures, *_open_loop(url, hub, count)]


def _load(url: str, count: int) -> deals_data.Hub:
    postgres.ensure(url)
    migrate(url)
    with psycopg.connect(url, autocommit=True) as db:
        began, spent = time.monotonic(), time.process_time()
        hub = deals_data.load(db, count, CLAIMS + 2 * REGISTERED)
        seconds, cpu = time.monotonic() - began, time.process_time() - spent
    print(f"{count:,} customers, {hub.keys:,} keys loaded in {seconds:.0f} s ({cpu:.0f} CPU-s here)", flush=True)
    return hub


def _loaded(server: postgres.Server, count: int, keep: Path) -> deals_data.Hub:
    """What an earlier run loaded, when it would be the same now; each run works on a copy of its database."""
    name = deals_data.stamp(count)
    file = keep / f"{name}.json"
    if not file.exists():
        hub = _load(server.url_of(name), count)
        file.write_bytes(msgspec.json.encode(hub))
    return msgspec.json.decode(file.read_bytes(), type=deals_data.Hub)


def _sizes(db: psycopg.Connection[Any]) -> None:
    query = (
        "SELECT relname, pg_size_pretty(pg_table_size(oid)), pg_size_pretty(pg_indexes_size(oid)) FROM pg_class "
        "WHERE relname IN ('customer', 'match_key', 'registration', 'hot_key')"
    )
    for name, table, indexes in db.execute(query).fetchall():
        print(f"  {name}: table {table}, indexes {indexes}")


def _one_connection(db: psycopg.Connection[Any], hub: deals_data.Hub, count: int) -> list[Figure]:
    chance = random.Random(7)
    asked, fresh = hub.claims[:CLAIMS], hub.claims[CLAIMS:]
    names_only = [Claim(name=claim.name) for claim in asked[: CLAIMS // 2] if claim.name]
    numbers = [chance.randrange(1, count) for _ in asked]
    readings = [lambda number=number: queries.rows(db, "SELECT name FROM customer WHERE id = %s::bigint", [number]) for number in numbers]
    keyed = [matching.keys_of(matching.prepare(claim)) for claim in asked]
    gc.collect()
    gc.freeze()
    for warm in (
        readings[:500],
        [lambda keys=keys: _look_up(db, hub.dealers[0], keys) for keys in keyed[:1500]],
        [_check(db, hub, claim) for claim in asked[:500]],
        [_register(db, hub, claim, REGISTERED + number) for number, claim in enumerate(_usable(fresh)[REGISTERED : REGISTERED + WARMING])],
    ):
        timed(db, warm)
    keyed_calls = [lambda keys=keys: _look_up(db, hub.dealers[0], keys) for keys in keyed if keys]
    floor = timed(db, readings)
    look_up = timed(db, keyed_calls)
    checks = timed(db, [_check(db, hub, claim) for claim in asked])
    by_name = timed(db, [_check(db, hub, claim) for claim in names_only])
    registering = timed(db, [_register(db, hub, claim, number) for number, claim in enumerate(_usable(fresh)[:REGISTERED])])
    for name, spread in (
        ("primary-key read", floor),
        ("look-up (SQL)", look_up),
        ("check, all fields", checks),
        ("check, name only", by_name),
        ("register", registering),
    ):
        print(spread.told(name))
    return [
        Figure("deals.look_up_cpu_p99_ms", round(at(look_up.cpu, 99), 2)),
        Figure("deals.check_cpu_p99_ms", round(max(at(checks.cpu, 99), at(by_name.cpu, 99)), 2)),
        Figure("deals.register_cpu_p99_ms", round(at(registering.cpu, 99), 2)),
    ]


def _usable(claims: list[Claim]) -> list[Claim]:
    return [claim for claim in claims if matching.keys_of(matching.prepare(claim))]


def _look_up(db: psycopg.Connection[Any], dealer: UUID, keys: list[int]) -> None:
    """All that SQL reads for a decision: the clock, dealer, policies and common keys, the candidates, who holds the nearest."""
    with db.cursor(row_factory=tuple_row) as cursor:
        look, _ = claim_queries.registering(cursor, dealer, keys, "", None)
        claim_queries.holds(cursor, [look.roots[customer] for customer in look.customers[:3]], "")


def _check(db: psycopg.Connection[Any], hub: deals_data.Hub, claim: Claim) -> Callable[[], Any]:
    dealer = hub.dealers[hash(claim.name) % len(hub.dealers)]
    if not matching.keys_of(matching.prepare(claim)):
        claim = replace(claim, name="上海某某贸易有限公司")
    return lambda: check(db, dealer, claim, rules=OPEN)


def _register(db: psycopg.Connection[Any], hub: deals_data.Hub, claim: Claim, number: int) -> Callable[[], Any]:
    dealer = hub.dealers[number % len(hub.dealers)]
    return lambda: register(db, dealer, claim, idempotency_key=f"bench-{number}", rules=OPEN)


# Eight connections, an open loop --------------------------------------------------------------------------------------


def _open_loop(url: str, hub: deals_data.Hub, count: int) -> list[Figure]:
    """Checks arrive at a fixed rate whether or not earlier ones are answered; a read by primary key is timed in the same minute."""
    claims = _usable(hub.claims[:CLAIMS])
    context = multiprocessing.get_context("spawn")
    results: Any = context.Queue()
    gate = context.Barrier(WORKERS + 1)  # all are warm before the first request comes
    arguments = [
        (url, [(hub.dealers[n % len(hub.dealers)], claims[n]) for n in range(w, len(claims), WORKERS)], w, gate, results)
        for w in range(WORKERS)
    ]
    workers = [context.Process(target=_worker, args=one) for one in arguments]
    workers.append(context.Process(target=_reader, args=(url, count, gate, results)))
    for worker in workers:
        worker.start()
    got = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    checks = [ms for kind, times, _ in got if kind == "check" for ms in times]
    reads = [ms for kind, times, _ in got if kind == "read" for ms in times]
    errors = [error for _, _, found in got for error in found]
    print(
        f"open loop, {RATE} checks/s over {WORKERS} connections for {SECONDS} s: {len(checks)} checks, wall ms p50 {at(checks, 50):.2f} "
        f"p99 {at(checks, 99):.2f} max {max(checks):.2f}; primary-key reads p50 {at(reads, 50):.2f} p99 {at(reads, 99):.2f}; "
        f"{len(errors)} errors {errors[:3]}"
    )
    return [
        Figure("deals.open_loop_vs_read", round(at(checks, 99) / at(reads, 99), 2)),
        Figure("deals.open_loop_errors", len(errors) + RATE * SECONDS - len(checks)),
    ]


def _paced(call: Callable[[int], Any], offset: float, step: float, gate: Any) -> tuple[list[float], list[str]]:
    times: list[float] = []
    errors: list[str] = []
    gate.wait()
    start = time.time() + 0.5
    for number in range(int(SECONDS / step)):
        due = start + offset + number * step
        if (wait := due - time.time()) > 0:
            time.sleep(wait)
        try:
            call(number)
        except Exception as error:  # noqa: BLE001  every error counts against the bar
            errors.append(repr(error))
        else:
            times.append((time.time() - due) * 1e3)
    return times, errors


def _worker(url: str, work: list[tuple[UUID, Claim]], number: int, gate: Any, results: Any) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        for dealer, claim in work[:60]:
            check(db, dealer, claim, rules=OPEN)
        gc.freeze()
        times, errors = _paced(lambda n: check(db, *work[n % len(work)], rules=OPEN), number / RATE, WORKERS / RATE, gate)
    results.put(("check", times, errors))


def _reader(url: str, count: int, gate: Any, results: Any) -> None:
    chance = random.Random(3)
    with psycopg.connect(url, autocommit=True) as db:
        for _ in range(50):
            queries.rows(db, "SELECT name FROM customer WHERE id = %s::bigint", [1])
        times, errors = _paced(
            lambda _: queries.rows(db, "SELECT name FROM customer WHERE id = %s::bigint", [chance.randrange(1, count)]),
            0.003,
            1 / RATE,
            gate,
        )
    results.put(("read", times, errors))
