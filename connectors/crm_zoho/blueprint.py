"""Blueprints: where one owns a field, its value is reached through transitions, several of them when it must be.

Zoho shows only the transitions that leave the present state. A hop is taken when it leads to the target, else when it leads to a state
between here and there in the picklist's own order that ends nothing; anything else would be a guess with a customer's record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.base import Change, Outcome
from connectors.crm_zoho.answers import Row
from connectors.crm_zoho.client import ZohoClient
from connectors.crm_zoho.streams import Module
from connectors.errors import CallFailed, Refused, Throttled, Unavailable

MAX_HOPS = 10


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a record came to."""

    outcome: Outcome
    field: str = ""
    """Our name of the field that the blueprint owns."""
    code: str = ""
    why: str = ""


class Blueprint:
    """Moves records of one module through its blueprint."""

    def __init__(self, client: ZohoClient, module: Module) -> None:
        self._client, self._module = client, module
        self._orders: dict[str, list[str]] = {}

    def move(self, change: Change) -> Moved:
        """Take the transitions from the record's state to the value that the change wants."""
        try:
            return self._move(change)
        except Refused as error:
            return Moved(Outcome.BLOCKED, code=error.vendor_code, why=f"the blueprint cannot be read: {error.why}")
        except (Throttled, Unavailable) as error:
            return Moved(Outcome.RETRY, code=error.vendor_code, why=error.why)
        except CallFailed as error:
            return Moved(Outcome.UNCERTAIN, code=error.vendor_code, why=error.why)

    def _move(self, change: Change) -> Moved:
        visited: set[str] = set()
        for _ in range(MAX_HOPS):
            found = self._client.blueprint(self._module.api_name, change.key or "")
            process = _dict((found or {}).get("process_info"))
            wire = str(process.get("api_name") or process.get("field_name") or "")
            ours = self._module.inward.get(wire, wire)
            target = change.fields.get(ours)
            if not isinstance(target, str):
                return Moved(Outcome.BLOCKED, why="the record is in a blueprint, which refuses the change")
            state = str(process.get("field_value") or _dict(process.get("current_picklist")).get("value") or "")
            if state == target:
                return Moved(Outcome.WRITTEN, ours)
            visited.add(state)
            hop = self._hop([row for row in (found or {}).get("transitions", ()) if isinstance(row, dict)], wire, state, target, visited)
            if hop is None:
                return Moved(Outcome.BLOCKED, ours, why=f"no transition of the blueprint leads from {state!r} to {target!r} for this user")
            if refusal := self._take(change, hop):
                return Moved(
                    Outcome.BLOCKED, ours, refusal[0], f"the transition {hop.get('name')!r} from {state!r} was refused: {refusal[1]}"
                )
        return Moved(Outcome.BLOCKED, why=f"the target was not reached in {MAX_HOPS} transitions")

    def _hop(self, open_ones: Sequence[Row], wire: str, state: str, target: str, visited: set[str]) -> Row | None:
        usable = {str(row.get("next_field_value")): row for row in open_ones if row.get("criteria_matched") is not False and row.get("id")}
        if target in usable:
            return usable[target]
        order = self._order(wire)
        if state not in order or target not in order or order.index(state) > order.index(target):
            return None
        between = order[order.index(state) + 1 : order.index(target)]
        ways = [value for value in between if value in usable and value not in visited and not value.startswith("Closed")]
        return usable[ways[-1]] if ways else None

    def _take(self, change: Change, hop: Row) -> tuple[str, str] | None:
        """Take a transition with the values it asks for. Gives code and words of a refusal."""
        wanted = [row for row in hop.get("fields") or () if isinstance(row, dict)]
        wire = self._module.wire(change.fields)
        data: Row = {str(row.get("api_name")): wire[str(row.get("api_name"))] for row in wanted if row.get("api_name") in wire}
        lacking = [str(row["api_name"]) for row in wanted if row.get("mandatory") is True and row.get("api_name") not in data]
        if lacking:
            return "MANDATORY_NOT_FOUND", f"it asks for {', '.join(lacking)}"
        answer = self._client.transition(self._module.api_name, change.key or "", str(hop["id"]), data)
        if answer.get("code") == "SUCCESS":
            return None
        return str(answer.get("code")), str(answer.get("message") or "")[:200]

    def _order(self, wire: str) -> list[str]:
        if wire not in self._orders:
            field = next((row for row in self._client.fields(self._module.api_name) if row.get("api_name") == wire), {})
            values = field.get("pick_list_values") or ()
            self._orders[wire] = [str(row.get("actual_value")) for row in values if isinstance(row, dict)]
        return self._orders[wire]


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
