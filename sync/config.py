"""hub.yaml: which systems there are, what flows between them, and who decides each field.

What may stand in the file; :mod:`sync.config_file` reads it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from canonical.base import EntitySpec
from canonical.models import MODELS, entity
from sync.errors import BadConfig

HUB = "hub"
"""The hub itself, as a system: its edits and the decisions of its rules."""

Mode = Literal["off", "read", "plan", "write"]
OwnerRule = Literal["owner", "first_set", "most_recent", "hub"]
Deletion = Literal["none", "deactivate", "void", "delete"]


class Strict(BaseModel):
    """A section of the file: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SecretRef(Strict):
    """Where a secret stands; the file itself never holds one."""

    env: str | None = Field(default=None, description="Name of an environment variable.")
    file: Path | None = Field(default=None, description="A file that holds nothing but the secret.")
    airflow_connection: str | None = Field(default=None, description="Id of an Airflow connection.")
    part: Literal["password", "login", "host", "extra"] = Field(default="password", description="Which part of that connection.")

    @model_validator(mode="after")
    def _exactly_one(self) -> SecretRef:
        if sum(place is not None for place in (self.env, self.file, self.airflow_connection)) != 1:
            raise ValueError("name exactly one of env, file, airflow_connection")
        return self

    def resolve(self, where: str) -> str:
        """The secret's text, read now, so that a rotated secret is seen without restart. Raises: BadConfig when it is not there."""
        if self.env is not None:
            found = os.environ.get(self.env)
            if not found:
                raise BadConfig(f"environment variable {self.env} is not set", where=where, next_step=f"export {self.env}=…")
            return found
        if self.file is not None:
            try:
                return self.file.read_text(encoding="utf-8").strip()
            except OSError as wrong:
                raise BadConfig(
                    f"secret file {self.file} cannot be read: {wrong.strerror}", where=where, next_step="put it there, readable by the hub"
                ) from wrong
        from airflow.sdk import Connection  # noqa: PLC0415  only where Airflow runs
        from airflow.sdk.exceptions import AirflowNotFoundException  # noqa: PLC0415  as above

        try:
            connection = Connection.get(str(self.airflow_connection))
        except AirflowNotFoundException as wrong:
            raise BadConfig(
                f"there is no Airflow connection {self.airflow_connection}", where=where, next_step="make it in Airflow"
            ) from wrong
        value = {"password": connection.password, "login": connection.login, "host": connection.host, "extra": connection.extra}[self.part]
        if not value:
            raise BadConfig(f"Airflow connection {self.airflow_connection} has no {self.part}", where=where, next_step="fill it in there")
        return str(value)


class Company(Strict):
    """One of our companies or organisations, as every system numbers it."""

    number: str = Field(description="Organisation number, as text.")
    name: str = Field(description="For people.")
    currency: str = Field(default="CNY", description="ISO 4217 code of its books.")
    default: bool = Field(default=False, description="Where a record is created when nothing says otherwise.")


class BudgetConfig(Strict):
    """How many calls a system allows. Every window that is set is kept."""

    per_second: int | None = Field(default=None, gt=0, description="Calls in a second; empty: no such window.")
    per_minute: int | None = Field(default=None, gt=0, description="Calls in a minute.")
    per_day: int | None = Field(default=None, gt=0, description="Calls in a day of `zone`.")
    per_month: int | None = Field(default=None, gt=0, description="Calls in a month of `zone`.")
    zone: str = Field(default="Asia/Shanghai", description="The zone in which the vendor's day and month begin.")
    backfill_share: float = Field(
        default=0.5, gt=0, le=1, description="The part of each window that backfills may use; the rest is held back for live work."
    )


class SystemConfig(Strict):
    """One connected system."""

    kind: str = Field(description="Which connector: erp_kingdee, crm_zoho, …")
    settings: dict[str, Any] = Field(default_factory=dict, description="What the connector asks for; secrets by reference.")
    allow_private_hosts: bool = Field(default=False, description="Permit loopback and private addresses (on-premise servers, sandboxes).")
    deadline_s: float = Field(default=60, gt=0, description="Seconds that one call may take in all, from connecting to the last byte.")
    schedule: str = Field(default="*/5 * * * *", description="When increments run, as cron; empty: only when triggered.")
    reconcile_schedule: str = Field(default="0 3 * * *", description="When everything is compared, as cron; empty: only when triggered.")
    budget: BudgetConfig = Field(default=BudgetConfig(), description="How many calls it allows.")
    delete_guard_share: float = Field(
        default=0.05, ge=0, le=1, description="When more than this part of an organisation's records is gone, nothing counts as deleted."
    )
    delete_guard_records: int = Field(default=20, ge=0, description="Up to so many are believed whatever their share.")


class FlowSystem(Strict):
    """How one kind of record flows from and to one system."""

    stream: str = Field(description="Which of the connector's streams: `hub describe SYSTEM` lists them.")
    mode: Mode = Field(default="plan", description="How far it may go, until a person switches it with `hub mode`.")
    create: bool = Field(default=False, description="May the hub create records there?")
    create_needs: list[str] = Field(default_factory=list, description="Fields that must have a value before a record is created there.")
    create_when: str = Field(default="", description="CEL over `record`: only these are created.")
    create_in: str = Field(default="", description="Organisation number to create in; empty: the record's own company, else the default.")
    since_field: str = Field(default="", description="Date field that `since` looks at.")
    since: date | None = Field(default=None, description="Records dated earlier are not created there.")
    goal: str = Field(default="", description="How far a document is driven: a state of the stream's ladder.")
    on_conflict: Literal["repair", "leave"] = Field(
        default="repair", description="When somebody edits there what another system owns: write the owner's value back, or let it stand."
    )
    deletes: Deletion = Field(default="none", description="What is done there when the owner deleted the record.")
    large: bool = Field(default=False, description="Read in an Airflow task of its own.")
    quiet: bool = Field(default=True, description="Raise no notice or workflow in the system.")


def _owner_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Owners = Annotated[list[str], BeforeValidator(_owner_list), Field(min_length=1)]


class Flow(Strict):
    """One kind of record: where it lives, and who decides."""

    systems: dict[str, FlowSystem] = Field(description="The systems it flows from and to.")
    owners: dict[str, Owners] = Field(description="`default`, a field, a set (its membership) or set.field: systems in order.")
    owners_by_company: dict[str, dict[str, Owners]] = Field(
        default_factory=dict,
        description="Where one of our companies decides otherwise: company number, then as `owners`. What is not named there stays.",
    )
    rules: dict[str, OwnerRule] = Field(default_factory=dict, description="Fields that another rule than `owner` decides.")
    empty_yields: list[str] = Field(default_factory=list, description="Fields where an owner's empty value lets the next system speak.")
    required: list[str] = Field(default_factory=list, description="Fields that a record must have; one without is set aside.")
    go_live: date | None = Field(default=None, description="When this flow went live, where it is another day than the file's.")
    number_from: str = Field(default="", description="The system that numbers these records; empty: the default owner.")


class DealsConfig(Strict):
    """Deals: their pipelines, fences and upkeep."""

    schedule: str = Field(
        default="*/15 * * * *",
        description="When deals are looked after (expiry, reminders, stuck stages), as cron; empty: only when triggered.",
    )
    pipelines: list[Path] = Field(default_factory=list, description="Files of pipelines beside ours; one of the same name replaces ours.")
    default_pipeline: str = Field(default="manufacturer", description="Where a deal runs that names none and whose stage names none.")
    orders_outside: Literal["off", "flag", "block"] = Field(
        default="off",
        description="Orders outside of a dealer's fences: not looked at, told, or told and kept from the ERP until a person agrees.",
    )
    duplicate_scan: bool = Field(default=True, description="Look for customers that are there twice, once in a night.")


class RebatesConfig(Strict):
    """Rebates: when they are reckoned."""

    schedule: str = Field(
        default="30 3 * * *", description="When rebates are accrued, settled, paid and compared, as cron; empty: only when triggered."
    )
    export: Path | None = Field(
        default=None, description="A folder that the night's new facts are added to as Parquet; absent: `hub rebates export` names one."
    )


class PricesConfig(Strict):
    """Prices: when changes are told, and what follows from them."""

    schedule: str = Field(
        default="20 * * * *", description="When dealers are told what of their prices changes, as cron; empty: only when triggered."
    )
    announce_cuts: bool = Field(
        default=True,
        description="When a list asks a dealer less for what it has in stock, and a programme protects it: announce the price cut.",
    )
    keep_snapshots_days: int = Field(
        default=400, ge=31, le=36_500,
        description="So many days after the last answer that named a snapshot it can still be asked with; those that quotes pin stay.",
    )  # fmt: skip


class PerformanceConfig(Strict):
    """Performance of dealers: when months are kept and stock is looked at, and how dealers are supplied."""

    schedule: str = Field(
        default="0 5 5 * *",
        description="When months that are over are scored and kept, as cron (days later, for papers that come late); empty: only when "
        "triggered.",
    )
    stock_schedule: str = Field(default="30 6 * * *", description="When dealers' stock is looked at, as cron; empty: only when triggered.")
    lead_days: int = Field(default=14, ge=0, le=1000, description="Days from an order to its arrival, where a count names none.")
    cover_days: int = Field(default=30, ge=0, le=1000, description="Days of sales to lie there on arrival, where a count names none.")
    window_days: int = Field(default=90, ge=1, le=1000, description="Days of sell-out that the pace is read from.")


class QuotesConfig(Strict):
    """Quotes: how long they hold, who approves, and who is reminded when."""

    schedule: str = Field(default="0 7 * * *", description="When quotes end and reminders are given, as cron; empty: only when triggered.")
    valid_days: int = Field(default=30, ge=1, le=3650, description="Days that a quote holds where nothing else is said.")
    remind_days: int = Field(default=3, ge=0, le=365, description="So many days before its end a quote without an answer is named.")
    follow_up_days: int = Field(
        default=7, ge=1, le=3650, description="有报价无成单: after so many days without an answer somebody is asked to follow up."
    )
    lost_follow_up_days: int = Field(default=90, ge=1, le=3650, description="After so many days a lost quote is worth a second look.")
    reasons: dict[str, str] = Field(
        default_factory=dict, description="Why quotes are lost: code and name. Empty: price, delivery, competitor and other usual ones."
    )
    approvers: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Role of the price rules' authority, and who may answer for it: `api:NAME` of a key, `cli:USER`. "
        "A role that is not named: whoever has quotes:approve.",
    )


class HubConfig(Strict):
    """The whole file."""

    companies: list[Company] = Field(default_factory=list, description="Our companies and organisations, as every system numbers them.")
    systems: dict[str, SystemConfig] = Field(description="The connected systems, by the name that everything else calls them.")
    flows: dict[str, Flow] = Field(description="What flows, by kind of record.")
    mappings: list[Path] = Field(default_factory=list, description="Folders whose mapping files lie over ours.")
    go_live: date | None = Field(
        default=None, description="Facts dated earlier raise no notice, workflow or approval, and no order is made of them."
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=16,
        description="Processes that a first load, a large delivery or a reconciliation is spread over: at most the machine's cores.",
    )
    plan_valid_hours: int = Field(default=24, gt=0, description="Hours after which a plan cannot be approved or applied any more.")
    upkeep_schedule: str = Field(default="30 2 * * *", description="When the daily upkeep runs, as cron; empty: only when triggered.")
    deals: DealsConfig = Field(default=DealsConfig(), description="Deals: their pipelines, fences and upkeep.")
    prices: PricesConfig = Field(default=PricesConfig(), description="Prices: when changes are told.")
    rebates: RebatesConfig = Field(default=RebatesConfig(), description="Rebates: when they are reckoned.")
    performance: PerformanceConfig = Field(default=PerformanceConfig(), description="Performance of dealers: months and stock.")
    quotes: QuotesConfig = Field(default=QuotesConfig(), description="Quotes: how long they hold, who approves, and who is reminded when.")
    create_rate_per_run: int = Field(
        default=100_000, gt=0, description="The breaker: more creates than this in one stream and run stop the run."
    )

    @cached_property
    def default_company(self) -> str:
        """Number of the company to create in when nothing says otherwise."""
        return next((company.number for company in self.companies if company.default), self.companies[0].number if self.companies else "")

    def go_live_of(self, name: str) -> date | None:
        """The day from which a kind of record is live; None: always was."""
        return self.flows[name].go_live or self.go_live

    @model_validator(mode="after")
    def _consistent(self) -> HubConfig:
        for name, flow in self.flows.items():
            if name not in MODELS:
                raise ValueError(f"flows.{name}: no such entity; there are {', '.join(sorted(MODELS))}")
            known = set(flow.systems) | {HUB}
            for system in flow.systems:
                if system not in self.systems:
                    raise ValueError(f"flows.{name}.systems.{system}: no such system; there are {', '.join(self.systems)}")
            if "default" not in flow.owners:
                raise ValueError(f"flows.{name}.owners: name a default owner")
            _check_owner_fields(name, flow, known)
            _check_owners_by_company(name, flow, known, [company.number for company in self.companies])
        return self


def _paths(spec: EntitySpec) -> set[str]:
    return set(spec.fields) | set(spec.sets) | {f"{child}.{field}" for child, fields in spec.sets.items() for field in fields}


def _check_owner_fields(name: str, flow: Flow, known: set[str]) -> None:
    paths = _paths(entity(name))
    for path, owners in flow.owners.items():
        if path != "default" and path not in paths and not path.startswith("custom."):
            raise ValueError(f"flows.{name}.owners.{path}: {name} has no such field")
        _check_systems(f"flows.{name}.owners.{path}", owners, known)
    for path in [*flow.rules, *flow.empty_yields, *flow.required]:
        if path not in paths:
            raise ValueError(f"flows.{name}: {path} is no field of {name}")


def _check_systems(where: str, owners: Sequence[str], known: set[str]) -> None:
    strangers = [owner for owner in owners if owner not in known]
    if strangers:
        raise ValueError(f"{where}: {', '.join(strangers)} is not a system of this flow; add it to systems or take it out")


def differs_by_company(spec: EntitySpec) -> set[str]:
    """What may have other owners in one company than in the next: all of a record that belongs to a company, else its rows that do.

    Empty for a kind of record that belongs to no company. The company itself has one order of owners.
    """
    if "company" in spec.fields:
        return _paths(spec) - {"company", "number"} | {"default"}
    return {
        path for child, fields in spec.sets.items() if "company" in fields for path in (child, *(f"{child}.{name}" for name in fields))
    } - {f"{child}.company" for child in spec.sets}


def _check_owners_by_company(name: str, flow: Flow, known: set[str], companies: Sequence[str]) -> None:
    allowed = differs_by_company(entity(name))
    place = f"flows.{name}.owners_by_company"
    if flow.owners_by_company and not allowed:
        raise ValueError(f"{place}: a {name} belongs to no company; say it in owners")
    for number, owners in flow.owners_by_company.items():
        if number not in companies:
            raise ValueError(f"{place}.{number}: companies lists no {number!r}; there are {', '.join(companies) or 'none'}")
        for path, systems in owners.items():
            where = f"{place}.{number}.{path}"
            if path.startswith("custom.") and "default" in allowed:
                if path not in flow.owners:
                    raise ValueError(f"{where}: name {path} in owners too, for the other companies")
            elif path not in _paths(entity(name)) | {"default"}:
                raise ValueError(f"{where}: {name} has no such field")
            elif path not in allowed:
                raise ValueError(f"{where}: {path} does not differ by company; say it in owners")
            _check_systems(where, systems, known)
