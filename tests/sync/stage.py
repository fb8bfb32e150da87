"""A stage for the engine: both stand-ins with a small world, a database, and a hub between them; and what users of all three do."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from hub_cli.trial import TEMPLATE, value_rows, write_trial
from sandbox.core.server import Server
from sandbox.serve import description, load, make
from sandbox.world import World
from sync import cycle, modes, planning, valuing
from sync.hub import Hub
from sync.runs import RunResult
from tests.oracle import Door, Edit, Verdict, judge

BOSS = "head of sales operations"


@dataclass(slots=True)
class Pair:
    """Both stand-ins, listening, with the world they are reset to."""

    world: World
    kingdee: Door
    zoho: Door
    systems: Mapping[str, Mapping[str, Any]]
    servers: Sequence[Server]

    def reset(self) -> None:
        """Empty both and load the world again, through the control doors."""
        for door in (self.kingdee, self.zoho):
            door._call("POST", "reset", {})  # the one control call that the oracle has no word for


@contextmanager
def still() -> Iterator[None]:
    """Only what is wrong is logged."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR), cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)


@contextmanager
def stand_ins(world: World, seed: int = 7) -> Iterator[Pair]:
    """Start both with a world."""
    vendors = [make("kingdee", seed), make("zoho", seed)]
    for vendor in vendors:
        vendor.reseed = lambda vendor=vendor: load(vendor, world.data)
        vendor.reseed()
    with Server(vendors[0]) as first, Server(vendors[1]) as second:
        told = {"kingdee": description(first), "zoho": description(second)}
        yield Pair(world, Door(first.url), Door(second.url), told, [first, second])


def configuration(home: Path, systems: Mapping[str, Mapping[str, Any]], changes: Sequence[tuple[str, str]] = ()) -> Path:
    """The demo's hub.yaml for these stand-ins. `changes`: pieces of its text and what stands there instead; each must be there."""
    if changes:
        text = re.sub(
            r"\{env: (DEMO_\w+)\}", lambda found: f"{{file: {home / 'secrets' / found[1]}}}", TEMPLATE.read_text(encoding="utf-8")
        )
        for old, new in changes:
            assert old in text, f"hub.yaml of the demo has no {old!r} any more"
            text = text.replace(old, new)
        home.mkdir(parents=True, exist_ok=True)
        (home / "hub.yaml").write_text(text, encoding="utf-8")
    return write_trial(home, systems)


@dataclass(slots=True)
class Stage:
    """One test's stage."""

    pair: Pair
    hub: Hub
    edits: list[Edit] = field(default_factory=list)

    @property
    def world(self) -> World:
        """What was loaded."""
        return self.pair.world

    @property
    def kingdee(self) -> Door:
        """The ERP's control door."""
        return self.pair.kingdee

    @property
    def zoho(self) -> Door:
        """The CRM's control door."""
        return self.pair.zoho

    def door(self, system: str) -> Door:
        """One stand-in's control door."""
        return self.kingdee if system == "kingdee" else self.zoho

    # What people and schedules do

    def read(self) -> RunResult:
        """Read everything, without writing anything anywhere."""
        total = RunResult("read")
        for system in self.hub.systems():
            total.add(cycle.increment(self.hub, system))
        total.add(cycle.retry_parked(self.hub))
        total.add(cycle.derive(self.hub))
        return total

    def go_live(self) -> planning.Plan:
        """First load, plan, approval, mode write, and everything delivered."""
        self.read()
        plan = planning.make_plan(self.hub)
        planning.approve(self.hub, plan.id, BOSS)
        self.write_mode()
        planning.apply(self.hub, plan.id)
        self.sync()
        return plan

    def write_mode(self) -> None:
        """Every flow that stands in mode plan may write."""
        for state in self.hub.streams.values():
            if state.flow.mode == "plan":
                modes.set_mode(self.hub, "write", BOSS, entity=state.entity, system=state.system)

    def sync(self, rounds: int = 30) -> RunResult:
        """`hub sync --until-quiet`."""
        return cycle.until_quiet(self.hub, rounds=rounds)

    def edit(self, system: str, stream: str, doc: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
        """An owner's edit, noted for the judge."""
        key = next(key for key in ("id", "FCUSTID", "FMATERIALID", "FID") if key in doc)
        stored = self.door(system).put(stream, {key: doc[key], name: value})
        self.edits.append(Edit(system, stream, str(doc[key]), name, value))
        return stored

    # What can be seen

    def verdict(self, **more: Any) -> Verdict:
        """The oracle's, of now."""
        return judge(self.kingdee.url, self.zoho.url, self.world.truth, since=self.world.truth["since"], edits=self.edits, **more)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What the ledger says."""
        with self.hub.transaction() as db:
            db.execute(query.encode(), list(values))
            return db.fetchall()

    def one(self, query: str, *values: Any) -> Any:
        """The first column of the first row."""
        return next(iter(self.rows(query, *values)[0].values()))

    def customer(self, place: int = 0) -> dict[str, Any]:
        """A customer of the organisation that made it."""
        found = [doc for doc in self.kingdee.records("customers") if doc["FUseOrgId"]["FNumber"] == doc["FCreateOrgId"]["FNumber"]]
        return found[place]

    def account_of(self, customer: Mapping[str, Any]) -> dict[str, Any]:
        """The account of a customer."""
        return next(doc for doc in self.zoho.records("accounts") if doc.get("ERP_Code") == customer["FNumber"])


def open_hub(pair: Pair, database: str, home: Path, changes: Sequence[tuple[str, str]] = ()) -> Hub:
    """A hub over a database with the newest schema, with the clerk's value maps filled in."""
    hub = Hub.open(configuration(home, pair.systems, changes), database)
    assert hub.streams  # makes the rows of its streams
    valuing.apply_rows(hub, value_rows(pair.world), "clerk")
    return hub
