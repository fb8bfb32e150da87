"""What products cost in price books: rows of a related list, read and written apart from the books.

A book holds one price a product, so a row is known by its product. Prices do not stand in the list of books, and whether a price moves its
book's Modified_Time is documented nowhere. So an increment reads the prices of books that show a change, windows and listings those of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.base import Change
from connectors.crm_zoho.answers import Listing, Row
from connectors.crm_zoho.client import ZohoClient
from connectors.crm_zoho.query import chunks
from connectors.crm_zoho.streams import BATCH, LIST_PRICE, Module, later
from connectors.errors import Garbled, Refused

BY_PAGE = 2000
"""Rows that page numbers reach (API v8, get related records); a token leads beyond."""
PASSES = 3
"""How often a book of several pages is read until it says the same twice."""
REMEMBERED = 500
"""So many books that changed of late an increment knows."""


class Prices:
    """The prices of one organisation's books."""

    def __init__(self, client: ZohoClient, module: Module, page_size: int) -> None:
        self._client, self._module, self._size = client, module, page_size
        self._column = module.line_outward.get(LIST_PRICE, LIST_PRICE)

    def complete(self, listing: Listing) -> Listing:
        """The books of a list, each with its prices. What was deleted in between is left out: the deletions tell."""
        books = [(row, self._of(str(row.get("id") or ""))) for row in listing.rows]
        rows = [{**row, self._module.wire_lines: prices} for row, prices in books if prices is not None]
        return Listing(rows, listing.more, listing.escapes)

    def _of(self, book: str) -> list[Row] | None:
        try:
            found, pages = self._read(book)
            for _ in range(PASSES - 1 if pages > 1 else 0):  # a row that goes moves those behind it over the border of a page
                again, _ = self._read(book)
                if again == found:
                    break
                found = again
        except Refused as error:
            if error.vendor_code == "INVALID_DATA" and self._client.one(self._module.api_name, book) is None:
                return None
            raise
        return [found[key] for key in sorted(found, key=lambda key: (len(key), key))]

    def _read(self, book: str) -> tuple[dict[str, Row], int]:
        found: dict[str, Row] = {}
        page, token = 1, ""
        while True:
            listing = self._client.related(
                self._module.api_name, book, self._module.wire_lines, (self._column,), per_page=self._size, page=page, token=token
            )
            found |= {str(row.get("id") or ""): {name: row[name] for name in ("id", self._column) if name in row} for row in listing.rows}
            if not listing.more or not listing.rows:
                return found, page
            page += 1
            if page * self._size > BY_PAGE:
                token = listing.token
                if not token:
                    raise Garbled(self._client.system, f"more than {BY_PAGE} prices of a book, and nothing that leads on")

    # writing

    def steps(self, change: Change) -> list[tuple[list[Change], list[Row]]]:
        """The calls that a change of prices needs: rows as changes of their own, and what is sent of them; nothing sent ends a price."""
        rows: Sequence[Mapping[str, Any]] = change.fields.get(self._module.lines) or ()
        kept = [row for row in rows if "_delete" not in row]
        gone = [row for row in rows if "_delete" in row]
        calls = [(part, [{"id": str(row["id"]), self._column: row.get(LIST_PRICE)} for row in part]) for part in chunks(kept, BATCH)]
        calls += [(part, []) for part in chunks(gone, BATCH)]
        return [([Change(f"price {row['id']}", change.step, "", str(row["id"])) for row in part], sent) for part, sent in calls]

    def send(self, book: str, rows: Sequence[Change], sent: Sequence[Row]) -> Sequence[Row]:
        """One of these calls: answers per row."""
        module, name = self._module.api_name, self._module.wire_lines
        if sent:
            return self._client.relate(module, book, name, sent)
        return self._client.delink(module, book, name, [row.key or "" for row in rows])


@dataclass(slots=True)
class Recent:
    """Books that changed of late, as the cursor keeps them.

    An increment lists them again and again for late rows. Their prices are read again only until the overlap has passed by our clock: from
    then on nothing can have been committed late, and a book that shows no newer change is not asked for its prices any more.
    """

    now: int
    """Seconds since 1970."""
    wait_s: int
    told: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By book: its change time in the vendor's words, and when it was first read with it."""

    @classmethod
    def of(cls, kept: Any, now: int, wait_s: int) -> Recent:
        """From a cursor; what it does not hold is read again."""
        rows = kept.items() if isinstance(kept, dict) else ()
        return cls(now, wait_s, {str(key): (str(row[0]), int(row[1])) for key, row in rows})

    def unread(self, listing: Listing) -> Listing:
        """The books whose prices must be read; each is remembered."""
        rows = [row for row in listing.rows if self._is_due(str(row.get("id") or ""), str(row.get("Modified_Time") or ""))]
        return Listing(rows, listing.more, listing.escapes)

    def _is_due(self, key: str, stamp: str) -> bool:
        known = self.told.get(key)
        if known is None or known[0] != stamp:
            self.told[key] = (stamp, self.now)
            return True
        return self.now < known[1] + self.wait_s

    def kept(self, since: str) -> dict[str, list[Any]]:
        """For the cursor: those that the next increment will list again. `since`: where it will start."""
        rows = {key: row for key, row in self.told.items() if later(row[0], since) == row[0]}
        newest = sorted(rows, key=lambda key: rows[key][1], reverse=True)[:REMEMBERED]
        return {key: list(rows[key]) for key in sorted(newest)}
