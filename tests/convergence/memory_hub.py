"""A hub in memory that decides with the engine's own pure functions: who a record is, who wins, what is due, what counts as equal.

What is one transaction in the engine is one step here; a crash comes between steps, where :attr:`MemoryHub.moment` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.compare import rewritten
from sync.config import HubConfig
from sync.decide import Canonical, Source, changed_fields, merge_fields
from sync.decide_identity import Claim, Known, identify
from sync.decide_pairs import PairFacts, judge
from sync.policy import EntityPolicy, compile_policy
from tests.convergence.systems import Fields, Lost, Stored, System

ERP_OWNS = ("name", "uscc", "short_name")
CRM_OWNS = ("phone", "email", "website")
PATHS = (*ERP_OWNS, *CRM_OWNS)


def policy() -> EntityPolicy:
    """The ERP decides who a partner is, the CRM how to reach it."""
    flow = {
        "systems": {
            "erp": {"stream": "customers", "mode": "write", "create": True},
            "crm": {"stream": "accounts", "mode": "write", "create": True},
        },
        "owners": {"default": ["erp", "crm", "hub"], **{name: ["crm", "erp", "hub"] for name in CRM_OWNS}},
    }
    systems = {"erp": {"kind": "erp_kingdee"}, "crm": {"kind": "crm_zoho"}}
    return compile_policy(HubConfig.model_validate({"systems": systems, "flows": {"party": flow}}), "party")


def _facts(*, exists: bool, listed: bool = True, differs: Mapping[str, Sequence[Any]] | None = None, edited: bool = False) -> PairFacts:
    return PairFacts(
        mode="write",
        exists=exists,
        gone=False,
        may_create=True,
        wanted=True,
        listed=listed,
        in_case=False,
        differs=differs or {},
        edited=edited,
        writable=True,
    )


@dataclass(slots=True)
class Wanted:
    """The state of one pair."""

    state: str
    reason: str = ""
    version: int = 0
    accepted: dict[str, list[Any]] = field(default_factory=dict)
    hub_key: str = ""


@dataclass
class MemoryHub:
    """Everything that the ledger holds, and the worker that works on it."""

    systems: dict[str, System]
    normalise: Callable[[str, str, Any], Any]
    moment: Callable[[str], None] = lambda _: None
    policy: EntityPolicy = field(default_factory=policy)
    observed: dict[tuple[str, str], Stored] = field(default_factory=dict)
    links: dict[tuple[str, str], str] = field(default_factory=dict)
    created: set[tuple[str, str]] = field(default_factory=set)
    entities: dict[str, Canonical] = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    desired: dict[tuple[str, str], Wanted] = field(default_factory=dict)
    conflicts: int = 0
    cases: list[tuple[str, str]] = field(default_factory=list)
    serial: int = 0

    def __post_init__(self) -> None:
        self.number = {name: place for place, name in enumerate(self.systems, 1)}

    # Reading

    def increment(self, name: str) -> None:
        """Read what is new; each page and the cursor past it are one step."""
        for rows, cursor in self.systems[name].read(self.cursors.get(name)):
            self.moment("page read")
            self.take(name, rows)
            self.cursors[name] = max(cursor, self.cursors.get(name, 0))
            self.moment("page committed")
        self.listed.add(name)
        for (system, entity_id), wanted in self.desired.items():
            if system == name and wanted.reason == "first_listing":
                self.desired[system, entity_id] = Wanted("due", "create", wanted.version)

    def take(self, name: str, rows: Sequence[Stored]) -> None:
        """The one door into observed."""
        for row in {row.key: row for row in rows}.values():
            known = self.observed.get((name, row.key))
            pair = self.desired.get((name, self.links.get((name, row.key), "")), Wanted(""))
            if known is not None and known.fields == row.fields and (name, row.key) in self.links and pair.reason != "unconfirmed":
                continue
            self.observed[name, row.key] = row
            entity_id = self.links.get((name, row.key)) or self._who(name, row)
            self.links[name, row.key] = entity_id
            self._merge(entity_id)
            for system in self.systems:
                self._judge(system, entity_id, known if system == name else None)

    def _who(self, name: str, row: Stored) -> str:
        sure = [("uscc", row.fields["uscc"])]
        owner = next((one.id for one in self.entities.values() if row.hub_key and one.hub_key == row.hub_key), None)
        matches: dict[tuple[str, str], list[Known]] = {}
        present: dict[str, set[tuple[int, str]]] = {}
        for (system, key), entity_id in self.links.items():
            if (system, key) in self.observed:
                matches.setdefault(("uscc", self.observed[system, key].fields["uscc"]), []).append(
                    Known(entity_id, self.number[system], key, "")
                )
            present.setdefault(entity_id, set()).add((self.number[system], ""))
        sure_of = {one.id: {"uscc": {one.doc["uscc"]}} for one in self.entities.values()}
        found = identify(Claim(self.number[name], row.key, "", sure, (), owner), matches, sure_of, present)
        self.cases += [(row.key, other) for other, _ in found.doubts]
        if found.entity_id is not None:
            return found.entity_id
        self.serial += 1
        fresh = Canonical(f"P{self.serial:04d}", f"HUB{self.serial:013d}", "", 0, {}, {})
        self.entities[fresh.id] = fresh
        return fresh.id

    def _sources(self, entity_id: str) -> list[Source]:
        found = []
        for (system, key), owner in self.links.items():
            if owner == entity_id and (system, key) in self.observed:
                row = self.observed[system, key]
                found.append(Source(system, self.number[system], key, dict(row.fields), {}, modified=f"{row.modified:09d}"))
        return found

    def _merge(self, entity_id: str) -> None:
        before = self.entities[entity_id]
        doc = merge_fields(self.policy, PATHS, self._sources(entity_id), before.doc)
        if changed_fields(before, doc, {}, before.number):
            self.entities[entity_id] = Canonical(entity_id, before.hub_key, "", before.version + 1, doc, {})

    # Desired

    def _there(self, system: str, entity_id: str) -> Stored | None:
        return next(
            (
                self.observed[system, key]
                for (name, key), owner in self.links.items()
                if name == system and owner == entity_id and (name, key) in self.observed
            ),
            None,
        )

    def _key(self, system: str, entity_id: str) -> str | None:
        return next((key for (name, key), owner in self.links.items() if name == system and owner == entity_id), None)

    def _differs(self, system: str, canonical: Canonical, row: Stored) -> dict[str, list[Any]]:
        found = {}
        for path in self.policy.foreign(system, PATHS):
            if path in canonical.doc:
                mine, held = (self.normalise(system, path, value) for value in (canonical.doc[path], row.fields.get(path)))
                if mine != held:
                    found[path] = [held, mine]
        return found

    def _judge(self, system: str, entity_id: str, earlier: Stored | None = None) -> None:
        canonical, before = self.entities[entity_id], self.desired.get((system, entity_id))
        row = self._there(system, entity_id)
        if row is None:
            if self._key(system, entity_id) is not None or (before is not None and before.state == "in_flight"):
                return  # created and not read back yet, or under way
            verdict = judge(_facts(exists=False, listed=system in self.listed))
            assert verdict is not None
            self.desired[system, entity_id] = Wanted(verdict.state, verdict.reason, canonical.version)
            return
        unconfirmed = before is not None and before.reason == "unconfirmed"
        found, kept, restless = rewritten(
            before.accepted if before else {}, self._differs(system, canonical, row), just_written=unconfirmed
        )
        if restless:
            self.conflicts += 1
            self.desired[system, entity_id] = Wanted("left", "keeps_changing", canonical.version, kept)
            return
        edited = (
            earlier is not None
            and not unconfirmed
            and any(self.normalise(system, path, earlier.fields.get(path)) != theirs for path, (theirs, _) in found.items())
        )
        verdict = judge(_facts(exists=True, differs=found, edited=edited))
        assert verdict is not None
        if before is not None and before.state == "in_flight" and verdict.state != "in_sync":
            return  # whoever delivers it judges it again
        self.conflicts += verdict.conflict
        self.desired[system, entity_id] = Wanted(verdict.state, verdict.reason, canonical.version, kept)

    # Delivering

    def deliver(self, name: str) -> None:
        """What is due goes out: intent, call, receipts, read-back; a create is repeated only after a look-up."""
        self._settle(name)
        due = [entity_id for (system, entity_id), wanted in self.desired.items() if system == name and wanted.state == "due"]
        jobs = []
        for entity_id in due:
            canonical, key = self.entities[entity_id], self._key(name, entity_id)
            row = self._there(name, entity_id)
            wanted = self.desired[name, entity_id]
            found = rewritten(wanted.accepted, self._differs(name, canonical, row), just_written=False)[0] if row else {}
            if row is not None and not found:
                wanted.state, wanted.reason = "in_sync", ""
                continue
            fields = {path: self._said(name, canonical, path) for path in (found if row else canonical.doc)}
            jobs.append((entity_id, key, canonical.hub_key, fields, canonical.version))
        for entity_id, *_ in jobs:
            self.desired[name, entity_id].state = "in_flight"
        self.moment("intent committed")
        for start in range(0, len(jobs), 2):
            self._send(name, jobs[start : start + 2])
        self._settle(name)

    def _said(self, system: str, canonical: Canonical, path: str) -> Any:
        return self.normalise(system, path, canonical.doc[path])

    def _send(self, name: str, jobs: Sequence[tuple[str, str | None, str, Fields, int]]) -> None:
        try:
            answers = self.systems[name].write([(entity_id, key, hub_key, fields) for entity_id, key, hub_key, fields, _ in jobs])
        except Lost:
            return
        self.moment("written, not noted")
        by_id = {answer.change: answer for answer in answers}
        keys = []
        for entity_id, key, _, _, version in jobs:
            answer, wanted = by_id.get(entity_id), self.desired[name, entity_id]
            if answer is None:
                continue  # uncertain: stays in flight
            if not answer.done:
                wanted.state, wanted.reason = "due", "retry"
                continue
            if key is None:
                self.links[name, answer.key] = entity_id
                self.created.add((name, answer.key))
            keys.append(answer.key)
            newer = self.entities[entity_id].version > version
            wanted.state, wanted.reason = ("due", "newer") if newer else ("in_sync", "unconfirmed")
        self.moment("receipts committed")
        self.take(name, self.systems[name].get(keys))

    def _settle(self, name: str) -> None:
        rows = [
            (entity_id, wanted) for (system, entity_id), wanted in self.desired.items() if system == name and wanted.state == "in_flight"
        ]
        for entity_id, _ in rows:
            key = self._key(name, entity_id)
            if key is None:
                found = self.systems[name].find([self.entities[entity_id].hub_key])
                self.moment("looked up")
                self.desired[name, entity_id].state = "due"
                for row in found.values():
                    self.links[name, row.key] = entity_id
                    self.created.add((name, row.key))
                    self._refresh(name, entity_id, row)
                continue
            self.desired[name, entity_id].state = "due"
            for row in self.systems[name].get([key]):
                self._refresh(name, entity_id, row)

    def _refresh(self, name: str, entity_id: str, row: Stored) -> None:
        self.observed[name, row.key] = row
        self._merge(entity_id)
        for system in self.systems:
            self._judge(system, entity_id)

    def cycle(self) -> None:
        """Read both, deliver to both."""
        for name in self.systems:
            self.increment(name)
        for name in self.systems:
            self.deliver(name)
