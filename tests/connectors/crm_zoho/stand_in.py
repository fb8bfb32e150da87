"""The sandbox's Zoho CRM in this process, its control door, and sessions that talk to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

from connectors.crm_zoho.connector import ZohoConnector, ZohoSession
from connectors.crm_zoho.settings import ZohoSettings
from connectors.transport import MemoryTokenStore, TokenStore, Transport
from sandbox.core.server import Server
from sandbox.crm_zoho import Switches, ZohoVendor

ZONE = "+08:00"


@dataclass
class StandIn:
    """A running stand-in. `vendor` is used only to load records with times of their own and to move its clock."""

    server: Server
    vendor: ZohoVendor
    tokens: TokenStore

    def settings(self, **more: Any) -> ZohoSettings:
        """Settings as the stand-in's console shows them."""
        return ZohoSettings(**{**self.vendor.credentials(self.server.url), **more})

    def session(self, **more: Any) -> ZohoSession:
        """A session; workers of one stand-in share their token."""
        transport = Transport("zoho", tokens=self.tokens, deadline_s=5, allow_private=True, sleep=lambda _: None)
        return ZohoConnector().open(self.settings(**more), transport)

    def door(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the control door."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.server.url}/_control/{path}", data, method=method)  # noqa: S310  always http to this machine
        with urlopen(request, timeout=10) as answer:  # noqa: S310  as above
            raw = answer.read()
        return json.loads(raw) if raw else None

    def put(self, stream: str, **fields: Any) -> dict[str, Any]:
        """Create or change a record as a salesperson would."""
        found: dict[str, Any] = self.door("POST", f"records/{stream}", fields)
        return found

    def drop(self, stream: str, key: str) -> None:
        """Delete a record as a salesperson would."""
        self.door("DELETE", f"records/{stream}/{key}")

    def fault(self, effect: str, *, value: Any = None, times: int = 1, **match: str) -> None:
        """Switch a fault on."""
        self.door("POST", "faults", {"match": match, "effect": effect, "value": value, "times": times})

    def records(self, stream: str) -> list[dict[str, Any]]:
        """What the stand-in holds."""
        found: list[dict[str, Any]] = self.door("GET", f"records/{stream}")
        return found

    def log(self, **match: str) -> list[dict[str, Any]]:
        """Calls that the stand-in answered."""
        entries = self.door("GET", "log")
        entries = entries["entries"] if isinstance(entries, dict) else entries
        return [entry for entry in entries if all(value in str(entry.get(name)) for name, value in match.items())]

    def load(self, **records: list[dict[str, Any]]) -> None:
        """Records with ids and times as given."""
        self.vendor.load(records)


@contextmanager
def stand_in(**switches: Any) -> Iterator[StandIn]:
    """A stand-in for one test."""
    vendor = ZohoVendor(seed=1, switches=Switches(**switches))
    with Server(vendor) as server:
        yield StandIn(server, vendor, MemoryTokenStore())


def accounts(count: int, *, stamp: str = "", first: int = 1) -> list[dict[str, Any]]:
    """Accounts to load; one second apart, or all of one time."""
    found = []
    for n in range(first, first + count):
        when = stamp or f"2026-01-{n // 86400 + 5:02}T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}{ZONE}"
        key = str(572576700001000000 + n)
        found.append({"id": key, "Account_Name": f"杭州远航电子有限公司{n}", "Created_Time": when, "Modified_Time": when})
    return found
