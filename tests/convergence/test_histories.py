"""Five hundred seeded histories of the deciding functions: edits by owners and others, at every moment, under every trouble."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from tests.convergence.memory_hub import CRM_OWNS, ERP_OWNS, PATHS, MemoryHub
from tests.convergence.systems import System

SEEDS = range(500)


class Crash(Exception):
    """The worker dies here."""


def erp_keeps(name: str, value: Any) -> Any:
    """The ERP trims and has no null."""
    return "" if value is None else str(value).strip()


def crm_keeps(name: str, value: Any) -> Any:
    """The CRM trims, writes mail addresses small, has no empty text, and makes & full-width without telling anybody."""
    if value in (None, ""):
        return None
    text = str(value).strip()
    if name == "email":
        text = text.lower()
    return text.replace("&", "＆") if name == "name" else text


def normalise(system: str, path: str, value: Any) -> Any:
    """What the connectors know of it."""
    if value in (None, ""):
        return "" if system == "erp" else None
    text = str(value).strip()
    return text.lower() if path == "email" and system == "crm" else text


@dataclass
class History:
    """One seed's history."""

    seed: int
    rng: Random = field(init=False)
    values: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    """(uscc, field) -> its owner's values, in order."""
    calm: bool = False
    serial: int = 0
    made: int = 0

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self.systems = {
            "erp": System("erp", Random(self.seed + 1), erp_keeps, trouble=0.3),
            "crm": System("crm", Random(self.seed + 2), crm_keeps, trouble=0.3),
        }
        self.hub = MemoryHub(self.systems, normalise, self.moment)

    # users

    def party(self, where: str) -> None:
        """A new partner in one system, or one that both have known before the hub came."""
        self.made += 1
        uscc = f"9131{self.made:014d}"
        fields = {name: f"{name} {self.seed}/{self.made}" for name in PATHS} | {"uscc": uscc}
        for name in ("erp", "crm"):
            if where in (name, "both"):
                self.systems[name].create(fields)
                owned = ERP_OWNS if name == "erp" else CRM_OWNS
                for path in owned if where == "both" else PATHS:
                    self.values[uscc, path] = [fields[path]]

    def user(self) -> None:
        """Somebody edits something somewhere; every value is a new one."""
        self.serial += 1
        name = self.rng.choice(["erp", "crm"])
        system = self.systems[name]
        if self.rng.random() < 0.12 and self.made < 6:
            self.party(name)
            return
        if not system.records:
            return
        record = system.records[self.rng.choice(sorted(system.records))]
        owned = [path for path in (ERP_OWNS if name == "erp" else CRM_OWNS) if path != "uscc"]
        others = [path for path in PATHS if path not in (*owned, "uscc")]
        if self.rng.random() < 0.7:
            path = self.rng.choice(owned)
            value: Any = None if self.rng.random() < 0.1 else f" {path}&{self.serial}@X.example "
            system.edit(record.key, path, value)
            self.values.setdefault((record.fields["uscc"], path), []).append(value)
        elif self._both_know(record.fields["uscc"]):
            system.edit(record.key, self.rng.choice(others), f"wrong {self.serial}")

    def _both_know(self, uscc: str) -> bool:
        """Only then is there another owner; before, whoever has the record decides all of it."""
        return all(any(one.fields.get("uscc") == uscc for one in system.records.values()) for system in self.systems.values())

    def moment(self, _: str) -> None:
        """Between two steps of the hub: edits, or its death."""
        if self.calm:
            return
        if self.rng.random() < 0.25:
            self.user()
        if self.rng.random() < 0.06:
            raise Crash

    # the run

    def run(self) -> None:
        """Trouble, then quiet."""
        for where in ("both", "erp", "crm", "both"):
            self.party(where)
        for _ in range(6):
            for _ in range(self.rng.randint(0, 3)):
                self.user()
            try:
                self.hub.cycle()
            except Crash:
                continue
        self.calm = True
        for system in self.systems.values():
            system.trouble = 0.0
        for _ in range(6):
            self.hub.cycle()

    # what must hold

    def troubles(self) -> list[str]:
        """Everything that is wrong at the end, in words."""
        return [*self._duplicates(), *self._lost(), *self._states(), *self._backwards(), *self._echo()]

    def _by_uscc(self, name: str) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for record in self.systems[name].records.values():
            found.setdefault(record.fields["uscc"], []).append(record)
        return found

    def _duplicates(self) -> list[str]:
        return [
            f"{name} holds {len(rows)} of {uscc}" for name in self.systems for uscc, rows in self._by_uscc(name).items() if len(rows) != 1
        ]

    def _lost(self) -> list[str]:
        wrong = []
        for (uscc, path), values in self.values.items():
            owner = "erp" if path in ERP_OWNS else "crm"
            for name, system in self.systems.items():
                rows = self._by_uscc(name).get(uscc, [])
                expected = system.keeps(path, self.systems[owner].keeps(path, values[-1]))
                held = [row.fields.get(path) for row in rows]
                if [system.keeps(path, value) for value in held] != [expected] and (name, uscc) not in self._left():
                    wrong.append(f"{name} {uscc} {path}: {held} for {expected!r}")
        return wrong

    def _left(self) -> set[tuple[str, str]]:
        """Pairs left to a person: two writes of one value came back two ways, for a user edited in between. Never a third write."""
        return {
            (name, self.hub.entities[one].doc["uscc"])
            for (name, one), wanted in self.hub.desired.items()
            if wanted.reason == "keeps_changing"
        }

    def _states(self) -> list[str]:
        open_pairs = {
            pair: wanted for pair, wanted in self.hub.desired.items() if wanted.state != "in_sync" and wanted.reason != "keeps_changing"
        }
        return [f"{pair} is {wanted.state} {wanted.reason}" for pair, wanted in open_pairs.items()]

    def _backwards(self) -> list[str]:
        """Each field of each record: what the hub wrote follows the order in which its owner said it."""
        wrong = []
        last: dict[tuple[str, str, str], int] = {}
        for name, system in self.systems.items():
            for key, fields in system.written:
                uscc = system.records[key].fields["uscc"]
                for path, value in fields.items():
                    said = [normalise(name, path, one) for one in self.values.get((uscc, path), [])]
                    places = [place for place, one in enumerate(said) if one == value and value not in (None, "")]
                    if not places:
                        continue
                    if places[0] < last.get((name, key, path), 0):
                        wrong.append(f"{name} {key} {path} went back to {value!r}")
                    last[name, key, path] = places[0]
        return wrong

    def _echo(self) -> list[str]:
        before = {name: len(system.written) for name, system in self.systems.items()}
        for _ in range(2):
            self.hub.cycle()
        return [
            f"{name}: {len(system.written) - before[name]} writes for no change"
            for name, system in self.systems.items()
            if len(system.written) != before[name]
        ]


@pytest.mark.promise(2, 3, 4, 5, 6)
def test_five_hundred_histories_converge() -> None:
    wrong: dict[int, list[str]] = {}
    conflicts = writes = left = 0
    for seed in SEEDS:
        history = History(seed)
        history.run()
        conflicts += history.hub.conflicts
        writes += sum(len(system.written) for system in history.systems.values())
        left += len(history._left())
        found = history.troubles()
        if found:
            wrong[seed] = found

    assert wrong == {}, f"{len(wrong)} seeds of {len(SEEDS)}: {next(iter(wrong.items()))}"
    assert conflicts > len(SEEDS)
    assert left <= len(SEEDS) // 10
    assert writes > 10 * len(SEEDS)
