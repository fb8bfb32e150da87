"""Real workers over both stand-ins while users edit, rebates are settled and paid, systems fail, and worker and PostgreSQL are killed.

The oracle judges: from the systems' records alone what each must hold, what each dealer must have been paid, and by which memos.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random

import psycopg
import pytest

from sync import golden, merging, modes
from sync.errors import NotFound, SyncError
from sync.hub import Hub
from tests.convergence import paying
from tests.convergence.nemesis import Cluster, Workers, config_of, drain, time_passes
from tests.oracle import writes
from tests.oracle.claims import Dealers, Decided, judge_claims
from tests.oracle.prices import Price
from tests.oracle.trading import Trader
from tests.oracle.values import Doc
from tests.oracle.verdict import Finding
from tests.sync.stage import BOSS, Pair, Stage, open_hub

SEEDS = (1, 2, 3, 4, 5)
ALL_SEEDS = tuple(range(6, 51))
DEALING = (2, 4, *range(6, 51, 2))
"""Seeds in which dealers enter deals, and people merge and un-merge their customers."""
MOMENTS = 12
"""Things that happen in one history."""
WRITES = {"kingdee": {"path": "/k3cloud/", "method": "POST"}, "zoho": {"path": "/crm/v8/"}}
KINDS = (
    "rename in the ERP",
    "credit in the ERP",
    "address in the ERP",
    "phone in the CRM",
    "level in the CRM",
    "web site in the CRM",
    "clear the e-mail in the CRM",
    "name in the CRM",
    "phone in the ERP",
    "new order",
    "payment",
    "shipment",
    "new customer",
    "correct an order",
    "bill",
    "goods back",
    "void a bill",
    "price in the ERP",
    "name of a price list",
    "name of a price book",
    "a step more in the ERP",
    "a price off in the ERP",
    "price in a price book",
    "product out of a price book",
    "price of a list of the hub's in the ERP",
)
MONEY = ("new order", "correct an order", "bill", "goods back", "void a bill")
MEMO_FAULTS: tuple[dict[str, object], ...] = (
    {"effect": "drop_after", "times": 1},
    {"effect": "drop_before", "times": 1},
    {"effect": "status", "value": {"status": 502, "after": True}, "times": 1},
    {"effect": "slow_drip", "value": 0.03, "times": 1},
    {"effect": "truncate", "value": 0.5, "times": 1},
)
MEMO_STEPS = (".save", ".submit", ".audit")
PATIENCE = 3
"""Workers that may try to come to a payout, one after another."""
FAULTS: tuple[dict[str, object], ...] = (
    {"effect": "drop_after", "times": 1},
    {"effect": "drop_before", "times": 1},
    {"effect": "status", "value": 500, "times": 2},
    {"effect": "status", "value": {"status": 502, "after": True}, "times": 1},
    {"effect": "latency", "value": 0.4, "times": 4},
    {"effect": "truncate", "value": 0.5, "times": 1},
    {"effect": "garbage", "times": 1},
    {"effect": "html", "times": 1},
    {"effect": "expire_session", "times": 1},
    {"effect": "partial_batch", "value": 0.5, "times": 1},
    {"effect": "shuffle_batch", "times": 3},
    {"effect": "index_lag", "value": 1, "times": 2},
    {"effect": "late_row", "value": 3, "times": 2},
    {"effect": "retry_after", "value": 1, "times": 1},
)


@dataclass
class History:
    """One seed: what happens, when, to whom."""

    seed: int
    pair: Pair
    server: Cluster
    workers: Workers
    home: Path
    told: list[str] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self.pair.reset()
        self.url = self.server.copy()
        with open_hub(self.pair, self.url, self.home) as hub:
            for state in hub.streams.values():
                if state.flow.mode == "plan":
                    modes.set_mode(hub, "write", BOSS, entity=state.entity, system=state.system)
            paying.agree(hub)
        self.config = config_of(self.pair, self.home)
        self.editor = Trader(self.pair.kingdee.url, self.pair.zoho.url, self.pair.world.truth, self.seed)
        self.dealers = Dealers(self.pair.zoho.url, self.seed) if self.seed in DEALING else None
        self.apart: set[int] = set()
        self.lists: dict[str, Counter[Price]] = {}

    def run(self) -> None:
        """Everything that happens."""
        self.start()
        choices: list[Callable[[], None]] = [
            self.edits,
            self.edits,
            self.edits,
            self.fault,
            self.fault,
            self.kill_worker,
            self.kill_before_a_commit,
            self.kill_between_write_and_answer,
            self.edit_between_write_and_answer,
            self.pause_worker,
            self.pay_day,
        ]
        if self.dealers is not None:
            choices += [self.two_dealers, self.two_dealers, self.join_or_part, self.join_or_part]
        happens = [self.rng.choice(choices) for _ in range(MOMENTS - 1)]
        if self.dealers is not None:
            happens[:2], happens[-5::4] = [self.two_dealers, self.two_dealers], [self.join_or_part, self.join_or_part]
        happens[3::6] = [self.pay_day] * len(happens[3::6])
        happens[5:5] = happens[8:8] = [self.list_in_the_hub]
        happens.insert(self.rng.randrange(MOMENTS), self.kill_database)
        for happening in happens:
            self.told.append(happening.__name__)
            happening()
            time.sleep(self.rng.uniform(0.05, 0.4))
            if not self.workers.alive():
                self.start()
        self.workers.kill()

    def start(self) -> None:
        """A worker, after the time that the lease of a dead one lasts."""
        with contextlib.suppress(psycopg.OperationalError):
            time_passes(self.url)
        self.workers.start(self.config, self.url)

    def edits(self) -> None:
        """Users of both systems; where dealers are at work, they too, at every moment that is aimed at."""
        self.editor.some(self.rng.randint(1, 3), KINDS)
        if self.dealers is not None and self.rng.random() < 0.4:
            self.dealers.enter_twice()

    def two_dealers(self) -> None:
        """Two dealers enter one customer at one moment, under two spellings; sometimes the worker dies over it."""
        assert self.dealers is not None
        self.told[-1] = self.dealers.enter_twice()
        if self.rng.random() < 0.5:
            time.sleep(self.rng.uniform(0, 0.6))
            self.workers.kill()

    def join_or_part(self) -> None:
        """A person merges the two accounts of a firm, or takes the merge back, while the worker works; told apart is for ever."""
        assert self.dealers is not None
        if (found := self.dealers.pair()) is None:
            return
        firm, *accounts = found
        with contextlib.suppress(psycopg.Error, SyncError), Hub.open(self.config, self.url) as hub:
            parties = self._parties(hub, accounts)
            if len(parties) == 2:
                joined = golden.join(hub, "party", *parties, by=BOSS, cause="one firm under two spellings")
                self.told[-1] = f"join {firm}: {joined}"
                return
            merges = [row for row in merging.list_merges(hub, entity="party", entity_id=parties[0]) if row["undone_at"] is None]
            if merges:
                merging.unmerge(hub, merges[-1]["id"], BOSS, "two firms after all")
                self.apart.add(firm)
                self.told[-1] = f"part {firm}"

    def _parties(self, hub: Hub, accounts: list[str]) -> list[str]:
        """The parties of accounts, waited for while a worker reads them. Raises: NotFound when it does not come to it."""
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            if not self.workers.alive():
                self.start()
            with hub.transaction() as db:
                db.execute("SELECT entity_id::text AS id FROM link WHERE key = ANY(%s)", [accounts])
                found = [row["id"] for row in db]
            if len(found) == len(accounts):
                return sorted(set(found))
            time.sleep(0.1)
        raise NotFound("the worker read nothing")

    def fault(self) -> None:
        """One of the stand-ins does what vendors do."""
        system = self.rng.choice(["kingdee", "zoho"])
        fault = dict(self.rng.choice(FAULTS))
        if self.rng.random() < 0.5:
            fault["match"] = WRITES[system]
        self.told[-1] += f" {system} {fault['effect']}"
        (self.pair.kingdee if system == "kingdee" else self.pair.zoho).fault(**fault)

    def kill_worker(self) -> None:
        """At any moment."""
        time.sleep(self.rng.uniform(0, 0.3))
        self.workers.kill()

    def pay_day(self) -> None:
        """What is owed changes; when a payout is made its memo meets a fault, and then worker or database may die over it."""
        fault = dict(self.rng.choice(MEMO_FAULTS))
        self.pair.kingdee.fault(**fault, match={"stream": "other_receivables", "path": self.rng.choice(MEMO_STEPS)})
        before = self._payouts()
        self.editor.order()
        self.editor.some(2, MONEY)
        for _ in range(PATIENCE):
            if self._until_paid(before):
                break
            self.workers.kill()  # it waits for the lease of one that died
            self.start()
        time.sleep(self.rng.uniform(0, 0.5))
        death, dies = self.rng.choice([("worker", self.workers.kill), ("database", self.server.kill), ("nobody", self.workers.alive)])
        self.told[-1] += f": {fault['effect']}, {self._payouts() - before} payouts, {death} dies"
        dies()

    def _until_paid(self, before: int) -> bool:
        deadline = time.monotonic() + 3
        while self._payouts() == before and time.monotonic() < deadline:
            if not self.workers.alive():
                self.start()
            time.sleep(0.05)
        return self._payouts() > before

    def list_in_the_hub(self) -> None:
        """A person makes a price list in the hub, or changes the prices of one; sometimes the worker dies over it."""
        name = f"中台价目{self.rng.randint(1, 2)}"
        prices = {Decimal(start): Decimal(self.rng.randint(100, 99_999)) / 100 for start in self.rng.sample([0, 5, 10, 50], 2)}
        with contextlib.suppress(psycopg.Error, SyncError), Hub.open(self.config, self.url) as hub:
            self.lists[name] = paying.make_list(hub, name, prices)
            self.told[-1] += f" {name} {prices}"
        if self.rng.random() < 0.5:
            time.sleep(self.rng.uniform(0, 0.8))
            self.workers.kill()

    def _payouts(self) -> int:
        with psycopg.connect(self.url) as connection:
            row = connection.execute("SELECT count(*) FROM rebate_payout").fetchone()
        return int(row[0]) if row else 0

    def kill_before_a_commit(self) -> None:
        """Between reading a page, or receiving an answer, and the commit of it: a lock holds the commit until the worker is dead."""
        table = self.rng.choice(["cursor_position", "delivery_receipt", "link", "desired", "rebate_settlement", "rebate_payout"])
        self.told[-1] += f" of {table}"
        with psycopg.connect(self.url) as connection:
            connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE".encode())
            self.edits()
            if table.startswith("rebate"):
                self.editor.some(1, MONEY)
            self._until_waiting(connection)
            self.workers.kill()

    def _until_waiting(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline:
            row = connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
            if row and row[0]:
                return
            time.sleep(0.02)

    def kill_between_write_and_answer(self) -> None:
        """The system has committed, the answer drips, the worker dies."""
        door = self.rng.choice([self.pair.kingdee, self.pair.zoho])
        door.fault(effect="slow_drip", value=0.05, times=1, match={"method": "POST"} if door is self.pair.zoho else {"path": ".save"})
        mark = door.mark()
        self.edits()
        self._until_written(door.log, mark)
        self.workers.kill()

    def edit_between_write_and_answer(self) -> None:
        """A user edits while our own write is on its way."""
        door = self.rng.choice([self.pair.kingdee, self.pair.zoho])
        door.fault(effect="slow_drip", value=0.02, times=1, match={"method": "POST"} if door is self.pair.zoho else {"path": ".save"})
        mark = door.mark()
        self.edits()
        self._until_written(door.log, mark)
        self.edits()

    @staticmethod
    def _until_written(log: Callable[[int], list[Doc]], mark: int) -> None:
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline and not writes(log(mark)):
            time.sleep(0.03)

    def pause_worker(self) -> None:
        """A pause of the machine: longer than the lease, and another worker takes over meanwhile."""
        sleeper = self.workers.pid
        if not self.workers.alive():
            return
        os.kill(sleeper, signal.SIGSTOP)
        self.edits()
        with contextlib.suppress(psycopg.OperationalError):
            time_passes(self.url)
        self.workers.start(self.config, self.url)
        time.sleep(0.5)
        os.kill(sleeper, signal.SIGCONT)
        threading.Event().wait(0.3)
        with contextlib.suppress(ProcessLookupError):
            os.kill(sleeper, signal.SIGKILL)

    def kill_database(self) -> None:
        """`kill -9` of PostgreSQL under the worker, which goes on when it is back."""
        self.edits()
        self.server.kill()

    def troubles(self) -> str:
        """What the oracle has against it, empty when nothing."""
        stage, _ = drain(self.pair, self.url, self.home)
        stage.edits.extend(self.editor.journal)
        verdict = stage.verdict()
        open_pairs = stage.rows("SELECT stream_id, state, reason, detail FROM desired WHERE state NOT IN ('in_sync', 'left')")
        marks = self.pair.kingdee.mark(), self.pair.zoho.mark()
        paying.night(stage.hub)
        stage.sync()
        echo = writes(self.pair.kingdee.log(marks[0])) + writes(self.pair.zoho.log(marks[1]))
        wrong = [*self.wrong_claims(stage), *map(str, paying.wrong_money(stage)), *map(str, self.wrong_prices(stage))]
        stage.hub.close()
        if verdict.ok and not open_pairs and not echo and not wrong:
            return ""
        return f"{wrong}\nseed {self.seed}: {verdict.summary()}\n{open_pairs}\n{echo}\nhappened: {self.told}\nedits: {self.editor.made}"

    def wrong_prices(self, stage: Stage) -> list[Finding]:
        """What the judge of price lists has against all systems; those that were made in the hub included."""
        return paying.wrong_prices(stage, self.editor.said, self.lists)

    def wrong_claims(self, stage: Stage) -> list[str]:
        """What the judge of claims has against the deals, and the ledger against itself."""
        if self.dealers is None:
            return []
        decided = stage.rows(
            "SELECT l.key, r.status, "
            "coalesce(((upper(r.protected) - interval '1 microsecond') AT TIME ZONE 'Asia/Shanghai')::date::text, '') AS until "
            "FROM deal_claim AS c JOIN registration AS r ON r.id = c.registration_id JOIN link AS l ON l.entity_id = c.deal_id"
        )
        rivals = stage.rows(
            "SELECT coalesce(c.root, c.id) AS customer, count(DISTINCT r.dealer_id) AS dealers FROM registration AS r "
            "JOIN customer AS c ON c.id = r.customer_id WHERE r.status IN ('submitted', 'held', 'protected', 'converted') "
            "GROUP BY 1 HAVING count(DISTINCT r.dealer_id) > 1"
        )
        left = stage.rows("SELECT deal_id FROM deal_due")
        found = judge_claims(self.pair.zoho.records("deals"), self.dealers.entered, [Decided(**row) for row in decided], sorted(self.apart))
        return [*map(str, found), *(f"held twice: {row}" for row in rivals), *(f"not looked at: {row}" for row in left)]


def lived(seed: int, pair: Pair, server: Cluster, workers: Workers, home: Path) -> str:
    """One history, and what is wrong at its end."""
    history = History(seed, pair, server, workers, home)
    history.run()
    return history.troubles()


@pytest.mark.promise(1, 2, 3, 4, 5, 6, 7, 11)
@pytest.mark.parametrize("seed", SEEDS)
def test_systems_converge_whatever_is_killed(seed: int, pair: Pair, server: Cluster, workers: Workers, tmp_path: Path) -> None:
    assert lived(seed, pair, server, workers, tmp_path / "home") == ""


@pytest.mark.slow
@pytest.mark.promise(1, 2, 3, 4, 5, 6, 7, 11)
@pytest.mark.parametrize("seed", ALL_SEEDS)
def test_systems_converge_whatever_is_killed_with_many_seeds(
    seed: int, pair: Pair, server: Cluster, workers: Workers, tmp_path: Path
) -> None:
    assert lived(seed, pair, server, workers, tmp_path / "home") == ""
