"""The running hub: its configuration, database, systems, and what is compiled from them."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
import psycopg.types.json
from psycopg_pool import ConnectionPool
from pydantic import BaseModel, ValidationError

import mappings
from connectors.base import Connector, Session, Stream
from connectors.registry import load as load_connector
from connectors.transport import Transport
from ledger.tables import TABLES
from mappings.cel import Condition
from mappings.compiler import load as load_mapping
from mappings.model import ValueRow, Values
from sync.config import Flow, FlowSystem, HubConfig, SecretRef, SystemConfig
from sync.config_file import load as load_config
from sync.crew import Crew
from sync.errors import BadConfig, NotFound
from sync.policy import EntityPolicy, compile_policy
from sync.pool import note_used, open_pool
from sync.streams import HubStream, Kind, StreamState, refuse_unfit

if TYPE_CHECKING:
    from typing import Self

    from sync.references import References

T = TypeVar("T")
Cursor = psycopg.Cursor[dict[str, Any]]
MAPPINGS = Path(mappings.__file__).parent
"""Where our own mapping files stand."""
TRIES = 4
"""What meets another worker's (a page a backfill's, say) is tried again whole."""


@dataclass
class _SystemState:
    name: str
    config: SystemConfig
    connector: Connector
    settings: BaseModel
    streams: dict[str, Stream]


def _resolve_secrets(system: str, settings: dict[str, Any]) -> dict[str, Any]:
    resolved: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict) and set(value) & {"env", "file", "airflow_connection"}:
            resolved[name] = SecretRef.model_validate(value).resolve(f"systems.{system}.settings.{name}")
        else:
            resolved[name] = value
    return resolved


@dataclass
class Hub:
    """An open hub. Threads may share it, except for sessions."""

    config: HubConfig
    database_url: str
    pool: ConnectionPool[psycopg.Connection[dict[str, Any]]]
    config_path: Path | None = None
    _sessions: dict[str, Session] = field(default_factory=dict)
    _values: dict[str, tuple[tuple[int, date], Values]] = field(default_factory=dict)
    _natural: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    _conditions: dict[str, Condition] = field(default_factory=dict)
    _companies: dict[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, config: Path | HubConfig | None = None, database_url: str | None = None) -> Self:
        """Open the hub that HUB_CONFIG and HUB_DATABASE_URL name, or the given ones.

        Raises: BadConfig for a mistake in the file, or when either is not named.
        """
        path = None
        if not isinstance(config, HubConfig):
            named = config or os.environ.get("HUB_CONFIG")
            if not named:
                raise BadConfig("no configuration is named", next_step="give --config FILE or set HUB_CONFIG")
            path = Path(named)
            config = load_config(path)
        url = database_url or os.environ.get("HUB_DATABASE_URL")
        if not url:
            raise BadConfig("no database is named", next_step="set HUB_DATABASE_URL, or run `hub db start` and use the URL it prints")
        return cls(config, url, open_pool(url), path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @cached_property
    def crew(self) -> Crew:
        """The processes that large work is spread over."""
        return Crew(self, self.config.workers)

    def close(self) -> None:
        """Give back sessions and connections, and end the worker processes."""
        if "crew" in self.__dict__:
            self.crew.dismiss()
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()
        self.pool.close()

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """One database transaction: committed at the end of the block, rolled back by an exception."""
        with self.pool.connection() as connection:
            with connection.transaction(), connection.cursor() as db:
                yield db
            note_used(connection)

    def settle(self, work: Callable[[Cursor], T], refs: References | None = None) -> T:
        """Do the work in a transaction, again when the database broke it off for the sake of another worker's; `refs` are forgotten then.

        A page that is read and answers that are kept lock the same rows in opposite order now and then; one of the two gives way.
        """
        for attempt in range(TRIES):
            try:
                with self.transaction() as db:
                    return work(db)
            except (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                if refs is not None:
                    refs.known.clear()
                if attempt + 1 == TRIES:
                    raise
                time.sleep(random.uniform(0.05, 0.3) * (attempt + 1))  # noqa: S311  jitter, not a secret
        raise AssertionError  # the last try returns or raises

    # Systems ------------------------------------------------------------------------------------------------------------

    def systems(self) -> list[str]:
        """Names of the connected systems, in the order of the file."""
        return list(self.config.systems)

    @cached_property
    def _system_states(self) -> dict[str, _SystemState]:
        states = {}
        for name, config in self.config.systems.items():
            connector = load_connector(config.kind)
            try:
                settings = connector.settings.model_validate(_resolve_secrets(name, config.settings))
            except ValidationError as wrong:
                problems = "; ".join(
                    f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in wrong.errors(include_input=False, include_url=False)
                )
                raise BadConfig(problems, where=f"systems.{name}.settings", next_step=f"see docs/connectors/{config.kind}.md") from None
            try:
                streams = {stream.name: stream for stream in connector.streams(settings)}
            except ValueError as unknown:
                raise BadConfig(str(unknown), where=f"systems.{name}.settings", next_step=f"see docs/connectors/{config.kind}.md") from None
            states[name] = _SystemState(name, config, connector, settings, streams)
        return states

    def connector(self, system: str) -> tuple[Connector, BaseModel]:
        """The connector of a system, and its settings. Raises: NotFound."""
        state = self._system_states.get(system)
        if state is None:
            raise NotFound(f"there is no system {system!r}", next_step=f"use one of {', '.join(self.config.systems)}")
        return state.connector, state.settings

    def session(self, system: str) -> Session:
        """The conversation with a system; one per hub and system, not to be shared between threads."""
        session = self._sessions.get(system)
        if session is None:
            session = self._sessions[system] = self.open_session(system)
        return session

    def open_session(self, system: str, *, share: float = 1.0) -> Session:
        """A conversation of one's own. `share` is the part of each budget window that it may use."""
        from sync.budgets import DatabaseBudget  # noqa: PLC0415  budgets know the hub
        from sync.tokens import DatabaseTokenStore  # noqa: PLC0415  tokens know the hub

        connector, settings = self.connector(system)
        config = self.config.systems[system]
        transport = Transport(
            system,
            tokens=DatabaseTokenStore(self, system),
            budget=DatabaseBudget(self, system, config.budget, share=share),
            deadline_s=config.deadline_s,
            allow_private=config.allow_private_hosts,
        )
        return connector.open(settings, transport)

    # Streams ------------------------------------------------------------------------------------------------------------

    @cached_property
    def streams(self) -> dict[tuple[str, str], StreamState]:
        """Every stream that a flow names, by (system, stream)."""
        wanted: list[tuple[str, str, Flow, FlowSystem]] = [
            (name, system, flow, part) for name, flow in self.config.flows.items() for system, part in flow.systems.items()
        ]
        ids = self._stream_ids([(system, part.stream, name) for name, system, _, part in wanted])
        states = {}
        parameters = {"default_company": self.config.default_company} if self.config.companies else None
        for name, system, _, part in wanted:
            state = self._system_states[system]
            decl = state.streams.get(part.stream)
            if decl is None:
                raise BadConfig(
                    f"{state.config.kind} has no stream {part.stream!r}",
                    where=f"flows.{name}.systems.{system}.stream",
                    next_step=f"use one of {', '.join(state.streams)}",
                )
            mapping = load_mapping(
                [MAPPINGS, *self.config.mappings], state.config.kind, part.stream, parameters=parameters, absent=decl.absent
            )
            if mapping.entity != name:
                raise BadConfig(
                    f"the mapping of {part.stream} is for {mapping.entity}",
                    where=f"flows.{name}.systems.{system}.stream",
                    next_step="name another stream",
                )
            refuse_unfit(self.policies[name], system, decl, mapping)
            states[system, part.stream] = StreamState(
                ids[system, part.stream], system, part.stream, name, decl, mapping, self.policies[name], part, state.connector, TABLES[name]
            )
        return states

    @cached_property
    def policies(self) -> dict[str, EntityPolicy]:
        """The compiled owners of each entity that flows."""
        return {name: compile_policy(self.config, name) for name in self.config.flows}

    @cached_property
    def by_id(self) -> dict[int, StreamState]:
        """Streams by their number in the database."""
        return {state.id: state for state in self.streams.values()}

    def streams_of(self, system: str, names: Sequence[str] | None = None) -> list[StreamState]:
        """A system's streams, each after those that it cites. Raises: NotFound for a name that does not flow."""
        mine = {name: state for (owner, name), state in self.streams.items() if owner == system}
        if names is not None:
            unknown = [name for name in names if name not in mine]
            if unknown:
                raise NotFound(f"{system} has no stream {unknown[0]!r} in hub.yaml", next_step=f"use one of {', '.join(mine)}")
        ordered: list[StreamState] = []
        seen: set[str] = set()

        def visit(name: str) -> None:
            if name in seen or name not in mine:
                return
            seen.add(name)
            for parent in mine[name].decl.depends_on:
                visit(parent)
            ordered.append(mine[name])

        for name in mine:
            visit(name)
        return [state for state in ordered if names is None or state.name in names]

    def streams_for(self, name: str) -> list[StreamState]:
        """All streams that hold one kind of record."""
        return [state for state in self.streams.values() if state.entity == name]

    def _stream_ids(self, wanted: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str], int]:
        with self.transaction() as db:
            db.execute("SELECT id, system, name FROM stream")
            ids = {(row["system"], row["name"]): row["id"] for row in db}
            for system, stream, name in wanted:
                if (system, stream) not in ids:
                    db.execute(
                        "INSERT INTO stream (system, name, entity) VALUES (%s, %s, %s) "
                        "ON CONFLICT (system, name) DO UPDATE SET entity = excluded.entity RETURNING id",
                        [system, stream, name],
                    )
                    row = db.fetchone()
                    assert row is not None  # noqa: S101  RETURNING of an upsert always gives a row
                    ids[system, stream] = row["id"]
        return ids

    @cached_property
    def hub_streams(self) -> dict[str, int]:
        """By entity: the number of the hub's own stream of it, which holds edits through the hub and decisions of rules."""
        ids = self._stream_ids([("hub", name, name) for name in self.config.flows])
        return {name: ids["hub", name] for name in self.config.flows}

    def kind(self, name: str) -> Kind:
        """What merging needs of a kind of record, whether a system has it or only the hub. Raises: NotFound when no flow names it."""
        if name not in self.policies:
            raise NotFound(
                f"no flow for {name}",
                next_step=f"use one of {', '.join(self.policies)}, or name {name} in flows of hub.yaml "
                "(`systems: {}` when only the hub has it)",
            )
        return HubStream(self.hub_streams[name], name, self.policies[name], TABLES[name])

    def natural_keys(self, name: str, child: str) -> tuple[str, ...]:
        """Fields that tell which row of a child set a line is, whatever the system; empty where only links tell."""
        if (name, child) not in self._natural:
            infos = (state.mapping.sets.get(child) for state in self.streams_for(name))
            self._natural[name, child] = next((info.natural for info in infos if info and info.natural), ())
        return self._natural[name, child]

    def has_natural_keys(self, name: str) -> bool:
        """True when rows of some child set are told apart by their fields."""
        return any(self.natural_keys(name, child) for child in TABLES[name].sets)

    def condition(self, text: str) -> Condition:
        """A compiled CEL condition over `record`."""
        if text not in self._conditions:
            self._conditions[text] = Condition(text, ("record",))
        return self._conditions[text]

    def company_number(self, db: Cursor, company_id: str) -> str:
        """The organisation number of one of our companies; empty for an unknown one."""
        if company_id not in self._companies:
            db.execute("SELECT id::text AS id, number FROM companies")
            self._companies = {row["id"]: row["number"] for row in db}
        return self._companies.get(company_id, "")

    # Modes and value maps -----------------------------------------------------------------------------------------------

    def mode(self, state: StreamState, overrides: dict[tuple[str, str], str]) -> str:
        """The mode in force: what a person switched it to, else what hub.yaml says."""
        return overrides.get((state.entity, state.system), state.flow.mode)

    def mode_overrides(self, db: Cursor) -> dict[tuple[str, str], str]:
        """What people switched: (entity, system) -> mode."""
        db.execute("SELECT entity, system, mode FROM flow_mode")
        return {(row["entity"], row["system"]): row["mode"] for row in db}

    def values(self, db: Cursor, system: str) -> Values:
        """The value maps of a system as they hold today (Asia/Shanghai); read again when somebody edited them, and on another day."""
        db.execute(
            "SELECT coalesce(max(id), 0) AS edits, (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date AS today FROM value_map_edit"
        )
        row = db.fetchone()
        assert row is not None  # noqa: S101  an aggregate always gives a row
        stand = (row["edits"], row["today"])
        cached = self._values.get(system)
        if cached and cached[0] == stand:
            return cached[1]
        db.execute(
            "SELECT name, vendor_value, canonical_value, company FROM value_map "
            "WHERE system = %s AND %s BETWEEN valid_from AND valid_to ORDER BY id",
            [system, row["today"]],
        )
        values = Values(ValueRow(row["name"], row["vendor_value"], row["canonical_value"], row["company"]) for row in db)
        self._values[system] = (stand, values)
        return values
