"""A decision made again from what it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from channel.deals import matching, queries
from channel.deals.errors import RegistrationNotFound
from channel.deals.matching import Decision, Known, Thresholds


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the matcher says now, and what it said then."""

    verdict: str
    customer_id: int | None
    recorded: dict[str, Any]
    """The decision record of then."""

    @property
    def same(self) -> bool:
        """True when verdict and customer are what they were."""
        return bool(self.verdict == self.recorded["verdict"] and self.customer_id == self.recorded["rid"])


def replay(db: psycopg.Connection[Any], registration_id: UUID) -> Replayed:
    """Decide a registration's claim again, from the stored inputs and with the thresholds of then.

    Raises: RegistrationNotFound when it was never decided or its inputs were erased; matching.StaleVersion when another version decided.
    """
    decision, recorded = decide_again(db, registration_id)
    return Replayed(decision.verdict, None if decision.rid is None else int(decision.rid), recorded)


def decide_again(db: psycopg.Connection[Any], registration_id: UUID) -> tuple[Decision, dict[str, Any]]:
    """The decision made again, and the record of the first one. Raises: as :func:`replay`."""
    inputs = queries.stored_inputs(db, registration_id)
    recorded = next((event.decision for event in queries.events(db, registration_id) if event.decision), None)
    if inputs is None or recorded is None:
        raise RegistrationNotFound(f"registration {registration_id} has no stored decision", next_step="its inputs may have been erased")
    known = [Known(customer_id, matching.load_prepared(text)) for customer_id, text in inputs.candidates.items()]
    limits: dict[str, Any] = {name: value if isinstance(value, str) else _number(value) for name, value in recorded["thresholds"].items()}
    return matching.decide(matching.load_prepared(inputs.prepared), known, inputs.frequency, Thresholds(**limits)), recorded


def _number(value: Any) -> Any:
    return value.__float__()  # thresholds are probabilities, no money
