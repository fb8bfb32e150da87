"""Why a claim was decided as it was: what was compared, how much each feature counted, who else was near. For our own people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import psycopg

from channel.deals import matching, queries
from channel.deals.acting import found
from channel.deals.customers.queries import customer_names
from channel.deals.errors import RegistrationNotFound
from channel.deals.replaying import replay


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature's part. `weight` in log-odds: above zero it speaks for one firm, below for two."""

    feature: str
    found: str
    weight: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A customer that was near. `p`: probability that the claim meant it, a fraction as text."""

    customer: int
    name: str
    p: str


@dataclass(frozen=True, slots=True)
class Explained:
    """A decision with everything that it followed from."""

    registration: UUID
    outcome: str
    reason: str
    verdict: str
    version: str
    p: str
    customer: int | None
    """The customer that the matcher met; None when it met none."""
    customer_name: str
    features: list[Feature]
    thresholds: dict[str, str]
    candidates: list[Candidate]
    """Best first, those of some probability."""
    others: int
    """Customers that shared a key and were not worth a probability."""
    policy: int | None
    fence: dict[str, str]
    met: UUID | None
    """The registration that stood in the way."""
    replayed: Literal["same", "differs", "erased", "other_version"]
    """What the matcher says today of the same inputs."""


def explain(db: psycopg.Connection[Any], registration_id: UUID) -> Explained:
    """The decision about a registration. Raises: RegistrationNotFound, also for one that no matcher decided (direct, transferred)."""
    found(db, registration_id)
    recorded = next((event.decision for event in queries.events(db, registration_id) if event.decision), None)
    if recorded is None:
        raise RegistrationNotFound(
            f"registration {registration_id} was not decided by the matcher", next_step="see its events: it is direct or was transferred"
        )
    ruling = recorded["ruling"]
    near = [(int(rid), str(p)) for rid, p in recorded["candidates"] if p > 0]
    names = customer_names(db, [*(rid for rid, _ in near), *([int(recorded["rid"])] if recorded["rid"] is not None else [])])
    rid = None if recorded["rid"] is None else int(recorded["rid"])
    met = recorded["met"]
    return Explained(
        registration=registration_id,
        outcome=ruling["outcome"],
        reason=ruling["reason"],
        verdict=recorded["verdict"],
        version=recorded["version"],
        p=str(recorded["p"]),
        customer=rid,
        customer_name=names.get(rid, "") if rid is not None else "",
        features=[
            Feature(one["feature"], one["value"], str(one["weight"]), *matching.sentence(one["feature"], one["value"]))
            for one in recorded["reasons"]
        ],
        thresholds={name: str(value) for name, value in recorded["thresholds"].items()},
        candidates=[Candidate(one, names.get(one, ""), p) for one, p in near],
        others=len(recorded["candidates"]) - len(near),
        policy=recorded["policy"],
        fence={name: str(value) for name, value in recorded["fence"].items()},
        met=UUID(met) if met else None,
        replayed=_replayed(db, registration_id),
    )


def _replayed(db: psycopg.Connection[Any], registration_id: UUID) -> Literal["same", "differs", "erased", "other_version"]:
    try:
        return "same" if replay(db, registration_id).same else "differs"
    except matching.StaleVersion:
        return "other_version"
    except RegistrationNotFound:
        return "erased"
