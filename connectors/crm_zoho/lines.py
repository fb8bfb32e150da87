"""The lines of records that a list gave: taken from the list where it tells them, from single records where it does not.

Zoho's documents describe lines for single records only; many organisations get them from the list call as well. Absent, null and empty are
three things here. A list that has given lines for one record is believed when it says null for another. Until then null is believed only
after a few records, read by themselves, turned out to have none; one that has lines shows that the list keeps silent, for good.
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.crm_zoho.answers import Listing, Row
from connectors.crm_zoho.client import ZohoClient
from connectors.crm_zoho.streams import Module

PROBES = 3
"""Records without lines that must be seen by themselves before null in a list is believed."""


class Lines:
    """What one session has learnt about the lines of one module."""

    def __init__(self, client: ZohoClient, module: Module, *, by_list: bool) -> None:
        self._client, self._module = client, module
        self._by_list = by_list
        self._told = False
        self._empty = 0

    def complete(self, listing: Listing) -> Listing:
        """The rows of a list, each with its lines. What was deleted in between is left out: the deletions tell."""
        wire = self._module.wire_lines
        if not wire:
            return listing
        self._told = self._told or (self._by_list and any(row.get(wire) for row in listing.rows))
        rows = [whole for row in listing.rows if (whole := self._whole(row, wire)) is not None]
        return Listing(rows, listing.more, listing.escapes)

    def _whole(self, row: Row, wire: str) -> Row | None:
        if self._by_list and wire in row:
            if isinstance(row[wire], list):
                return row
            if row[wire] is None and (self._told or self._empty >= PROBES):
                return {**row, wire: []}
        single = self._client.one(self._module.api_name, str(row.get("id")))
        if single is None:
            return None
        lines = [] if single.get(wire, 0) is None else single.get(wire)
        self._learn(lines, silent=row.get(wire) is None)
        return {**row, wire: lines}

    def _learn(self, lines: Sequence[Row] | None, *, silent: bool) -> None:
        if lines and silent:
            self._by_list = False
        elif lines is not None and not lines:
            self._empty += 1
