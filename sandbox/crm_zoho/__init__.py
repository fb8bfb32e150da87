"""A stand-in of Zoho CRM, API version 8: faithful to its published behaviour, with faults on demand.

It shares no code with the connector. `make` is what `python -m sandbox.serve zoho` calls; a test runs `ZohoVendor` in
`sandbox.core.serving`.
"""

from __future__ import annotations

from pathlib import Path

from sandbox.crm_zoho.calls import Switches
from sandbox.crm_zoho.vendor import ZohoVendor


def make(seed: int = 0, database: str | Path | None = None) -> ZohoVendor:
    """An organisation without records. `database` None keeps everything in memory."""
    return ZohoVendor(seed, database)


__all__ = ["Switches", "ZohoVendor", "make"]
