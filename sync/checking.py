"""What can be known to be wrong with hub.yaml without a database, a secret or a system: streams, mappings, and fields that nobody can tell.

Each mistake is told with its place in the file; a mapping's own with the mapping's file and line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from canonical.models import entity
from connectors.base import Connector, Stream
from connectors.registry import TwiceInstalled, UnknownConnector
from connectors.registry import load as load_connector
from mappings.cel import BadCondition, Condition
from mappings.compiler import OURS
from mappings.compiler import load as load_mapping
from mappings.errors import BadFile
from mappings.model import Mapping as Compiled
from sync.config import Flow, HubConfig, SecretRef
from sync.config_file import line_of, load
from sync.config_settings import is_reference
from sync.errors import BadConfig
from sync.policy import EntityPolicy, compile_policy

Place = tuple[str, ...]
_ABSENT = "given elsewhere"


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something wrong: where (`file:line`), which key, what, and how to mend it."""

    where: str
    key: str
    what: str
    fix: str

    def as_dict(self) -> dict[str, str]:
        """In the words of an error's `errors`."""
        return {"where": self.where, "what": f"{self.key}: {self.what}" if self.key else self.what, "next_step": self.fix}


class Mistakes(BadConfig):
    """hub.yaml has mistakes; `errors` names each with file, line and fix."""

    def __init__(self, file: Path, found: Sequence[Mistake]) -> None:
        self.errors = [one.as_dict() for one in found]
        many = f"{len(found)} mistakes" if len(found) > 1 else "a mistake"
        super().__init__(f"{many}", where=str(file), next_step="mend these lines and run `hub check` again")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a file without mistakes describes."""

    config: HubConfig
    streams: int
    """So many streams flow, each with its mapping."""
    notes: Sequence[Mistake]
    """What has no effect, and does no harm."""


def check_file(path: Path) -> Checked:
    """Check hub.yaml as far as the file, the connectors and the mappings can tell. Nothing is asked of a database or system.

    Raises: BadConfig for a file that cannot be read as hub.yaml; Mistakes with everything else that was found.
    """
    config = load(path)
    root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)

    def placed(one: Found) -> Mistake:
        return one if isinstance(one, Mistake) else Mistake(f"{path}:{line_of(root, one[0])}", ".".join(one[0]), one[1], one[2])

    check = _Check(config)
    found = [placed(one) for one in check.mistakes()]
    if found:
        raise Mistakes(path, found)
    return Checked(config, sum(len(flow.systems) for flow in config.flows.values()), [placed(one) for one in check.notes()])


def declared_streams(config: HubConfig) -> dict[str, dict[str, Stream]]:
    """By system, its streams as its settings in the file have them; a system that :func:`check_file` refuses is left out."""
    check = _Check(config)
    return {name: check.declared[name] for name in config.systems if not list(check.system(name))}


Found = Mistake | tuple[Place, str, str]


class _Check:
    def __init__(self, config: HubConfig) -> None:
        self.config = config
        self.declared: dict[str, dict[str, Stream]] = {}
        """By system that can be used: its streams."""
        self.mapped: dict[tuple[str, str], Compiled] = {}
        """By flow and system: the mapping."""

    def mistakes(self) -> Iterator[Found]:
        for name in self.config.systems:
            yield from self.system(name)
        for name, flow in self.config.flows.items():
            for system in flow.systems:
                yield from self._stream(name, flow, system)
            yield from self._owners(name, flow)

    # Systems

    def system(self, name: str) -> Iterator[Found]:
        """What is wrong with a system; its streams are in `declared` after it."""
        kind = self.config.systems[name].kind
        try:
            connector = load_connector(kind)
        except UnknownConnector:
            yield ("systems", name, "kind"), f"no connector of kind {kind!r} is installed", "correct it, or install the connector"
            return
        except TwiceInstalled as twice:
            yield ("systems", name, "kind"), str(twice), "uninstall one"
            return
        settings, wrong = _settings(name, connector, self.config.systems[name].settings)
        yield from wrong
        try:
            self.declared[name] = {stream.name: stream for stream in connector.streams(settings)}
        except ValueError as unknown:
            yield ("systems", name, "settings"), str(unknown), f"see docs/connectors/{kind}.md"

    # Streams and mappings

    def _stream(self, name: str, flow: Flow, system: str) -> Iterator[Found]:
        part, declared, place = flow.systems[system], self.declared.get(system), ("flows", name, "systems", system)
        if declared is None:
            return
        decl = declared.get(part.stream)
        if decl is None:
            yield (*place, "stream"), f"{system} has no stream {part.stream!r}", _instead(part.stream, declared)
            return
        if part.goal and (decl.ladder is None or part.goal not in decl.ladder.order):
            states = ", ".join(decl.ladder.order) if decl.ladder else ""
            yield (*place, "goal"), f"{part.stream} has no state {part.goal!r}", f"use one of {states}" if states else "take it out"
        if part.create and not decl.creatable:
            yield (*place, "create"), f"records of {part.stream} cannot be created there", "set it to false"
        if part.mode == "write" and not decl.writable:
            yield (*place, "mode"), f"{part.stream} cannot be written", "use mode read"
        yield from self._scope(name, flow, system)
        yield from self._mapping(name, flow, system)

    def _scope(self, name: str, flow: Flow, system: str) -> Iterator[Found]:
        part, place, fields = flow.systems[system], ("flows", name, "systems", system), entity(name).fields
        for key, named in (("create_needs", part.create_needs), ("since_field", [part.since_field] if part.since_field else [])):
            for field in named:
                if field not in fields and field != "number" and not field.startswith("custom."):
                    yield (*place, key), f"{name} has no field {field!r}", _instead(field, fields)
        if part.since is not None and not part.since_field:
            yield (*place, "since"), "it stands without since_field, so nothing is compared with it", "name the date field in since_field"
        if part.create_in and self.config.companies and part.create_in not in {one.number for one in self.config.companies}:
            numbers = [one.number for one in self.config.companies]
            yield (*place, "create_in"), f"companies lists no {part.create_in!r}", _instead(part.create_in, numbers)
        try:
            asked = Condition(part.create_when, ("record",)).asked if part.create_when else ()
        except BadCondition as wrong:
            yield (*place, "create_when"), str(wrong), "see docs/configuration.md"
            return
        for _, field in asked:
            if field not in fields and field not in ("number", "custom") and not field.startswith("custom."):
                yield (*place, "create_when"), f"{name} has no field {field!r}", _instead(field, fields)

    def _mapping(self, name: str, flow: Flow, system: str) -> Iterator[Found]:
        stream, kind = flow.systems[system].stream, self.config.systems[system].kind
        parameters = {"default_company": self.config.default_company} if self.config.companies else None
        place = ("flows", name, "systems", system, "stream")
        try:
            mapping = load_mapping([OURS, *self.config.mappings], kind, stream, parameters=parameters)
        except BadFile as wrong:
            yield Mistake(f"{wrong.file}:{wrong.line}", wrong.field, wrong.why, wrong.fix)
            return
        except FileNotFoundError:
            folders = ", ".join(str(folder) for folder in self.config.mappings) or "a folder that `mappings` names"
            yield (
                place,
                f"there is no mapping {kind}/{stream}.yaml",
                f"write one (`hub map skeleton {system} {stream}`) and put it into {folders}",
            )
            return
        if mapping.entity != name:
            yield place, f"the mapping of {stream} is for {mapping.entity}, not for {name}", "name another stream, or flow"
            return
        self.mapped[name, system] = mapping

    # Owners

    def _owners(self, name: str, flow: Flow) -> Iterator[Found]:
        """First owners that can never decide, because their mapping does not read the field; times that most_recent cannot trust."""
        for place, path, system in self._unheard(name, flow, first=True):
            told = f"{system} is to decide it and never can: its mapping of {flow.systems[system].stream} does not read {path}"
            yield place, told, f"take {system} out, or add a rule for {path} in a mapping of yours (docs/mapping.md)"
        if all((name, system) in self.mapped for system in flow.systems):
            yield from self._times(name, flow, compile_policy(self.config, name))

    def notes(self) -> Iterator[Found]:
        """What does no harm and has no effect: owners in second place or later that can never decide. To be asked after `mistakes`."""
        for name, flow in self.config.flows.items():
            for place, path, system in self._unheard(name, flow, first=False):
                yield place, f"{system} stands there without effect: its mapping does not read {path}", f"{system} may be taken out"

    def _unheard(self, name: str, flow: Flow, *, first: bool) -> Iterator[tuple[Place, str, str]]:
        """(place, field, system) of owners by name, first or later ones, whose mapping does not read the field."""
        named: dict[Place, Sequence[str]] = {("flows", name, "owners", path): owners for path, owners in flow.owners.items()}
        for company, theirs in flow.owners_by_company.items():
            named |= {("flows", name, "owners_by_company", company, path): owners for path, owners in theirs.items()}
        for place, owners in named.items():
            path = place[-1]
            for system in owners[:1] if first else owners[1:]:
                mapping = self.mapped.get((name, system))
                if path != "default" and mapping is not None and path not in mapping.reads and path not in mapping.sets:
                    yield place, path, system

    def _times(self, name: str, flow: Flow, policy: EntityPolicy) -> Iterator[Found]:
        for path, rule in flow.rules.items():
            for system, part in flow.systems.items():
                fine = self.declared[system][part.stream].modified_resolution_s
                if rule == "most_recent" and (fine is None or fine > 1) and policy.may_decide(system, path):
                    told = f"most_recent: {system}.{part.stream} tells no change time per record that can be trusted"
                    yield ("flows", name, "rules", path), told, "use rule owner, or take the system out of the field's owners"


def _settings(name: str, connector: Connector, told: Mapping[str, Any]) -> tuple[BaseModel, list[Found]]:
    """Settings as far as the file tells them: what stands elsewhere is not read, so it cannot be wrong here."""
    found: list[Found] = []
    elsewhere = {key for key, value in told.items() if is_reference(value)}
    for key in sorted(elsewhere):
        try:
            SecretRef.model_validate(told[key])
        except ValidationError as wrong:
            why = "; ".join(str(one["msg"]).removeprefix("Value error, ") for one in wrong.errors(include_input=False, include_url=False))
            found.append((("systems", name, "settings", key), why, "see docs/configuration.md, Secrets"))
    values = {key: _ABSENT if key in elsewhere else value for key, value in told.items()}
    try:
        return connector.settings.model_validate(values), found
    except ValidationError as wrong:
        for one in wrong.errors(include_input=False, include_url=False):
            key = str(one["loc"][0]) if one["loc"] else ""
            if key not in elsewhere and (key or not elsewhere):
                place = ("systems", name, "settings", *([key] if key else []))
                found.append((place, str(one["msg"]).removeprefix("Value error, "), f"see docs/connectors/{connector.kind}.md"))
    return connector.settings.model_construct(None, **values), found


def _instead(wrong: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    near = get_close_matches(wrong, list(known), n=1)
    return f"{near[0]}?" if near else f"use one of {', '.join(sorted(known))}"
