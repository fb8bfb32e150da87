"""Reading a stream: increments without a gap, windows, complete listings, single records.

Zoho's page numbers move when a record is changed or deleted while they are read, and a record that slips over the border is lost. So no
page but the first is ever asked for: each call starts again at the change time where the last one ended, one second early because
`If-Modified-Since` is exclusive. Where a whole page has one change time (a bulk import), the rest of that second is listed by id with COQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from connectors.base import Cursor, Page, Record, Refused, Window
from connectors.crm_zoho import bulk
from connectors.crm_zoho.answers import Listing, Row
from connectors.crm_zoho.client import ZohoClient
from connectors.crm_zoho.lines import Lines
from connectors.crm_zoho.prices import Prices, Recent
from connectors.crm_zoho.query import (
    MAX_IN,
    MAX_ROWS,
    Operator,
    Where,
    after,
    both,
    chunks,
    compare,
    criteria,
    is_text,
    one_of,
    select,
)
from connectors.crm_zoho.settings import ZohoSettings
from connectors.crm_zoho.streams import BATCH, Module, later, moment
from connectors.errors import Garbled, SchemaChanged
from connectors.transport import Transport, dump_json, has_nul

RAW_LIMIT = 64 * 1024
DELETED_PAGES = 5
"""How many pages of the recycle bin `get` looks through for records that are not there."""
SECOND = timedelta(seconds=1)


class Reader:
    """Reads one module."""

    def __init__(self, client: ZohoClient, settings: ZohoSettings, transport: Transport, module: Module) -> None:
        self._client, self._settings, self._transport, self._module = client, settings, transport, module
        self._by_coql = settings.read_route == "coql" and module.queryable
        self._converted = "both" if module.stream.name == "leads" else ""
        self._lines = Lines(client, module, by_list=settings.lines_route == "list")
        self.prices = Prices(client, module, settings.page_size) if module.related else None
        self._checked = False
        self._overlap = max(1, settings.overlap_s)  # one second at least: what was committed later in that second must be read, too
        self._batch = min(BATCH, settings.page_size)
        self._rows = min(MAX_ROWS, settings.page_size * 10)

    # increments

    def increment(self, cursor: Cursor | None) -> Iterator[Page]:
        """Everything changed since the cursor, then what was deleted; without a cursor everything.

        The cursor holds the largest change time and the largest time of a deletion that were seen, in the vendor's words; of price books
        also which of them changed of late.
        """
        if self.prices is not None:
            yield from self._with_prices(cursor)
            return
        yield from self._increment(cursor)

    def _increment(self, cursor: Cursor | None, recent: Recent | None = None) -> Iterator[Page]:
        at = str((cursor or {}).get("at", ""))
        gone = str((cursor or {}).get("deleted", ""))
        before: Sequence[Record] = ()
        if cursor is None:
            before, gone = self._deletions("")  # before the first page: what goes from now on is told at the end, and only that
            if self._settings.first_load == "bulk" and not self._module.lines:
                yield from self._bulk_load(before, gone)
                return
        since = self._early(at, self._overlap) if at else ""
        for rows, reached in self._changed_by_coql(since) if self._by_coql else self._changed(since):
            at = later(at, reached)
            yield self._page(recent.unread(rows) if recent is not None else rows, {"at": at, "deleted": gone})
        yield self._told_deletions(before, at, gone)

    def _with_prices(self, cursor: Cursor | None) -> Iterator[Page]:
        """An increment of price books. Those that show no change are looked at, too, where the settings say so."""
        recent = Recent.of((cursor or {}).get("prices"), int(self._transport.clock()), self._overlap)
        read: set[str] = set()
        for page in self._increment(cursor, recent):
            at = str((page.cursor or {}).get("at", ""))
            kept = recent.kept(self._early(at, self._overlap) if at else "")
            read |= {record.key for record in page.records} | {refused.key for refused in page.refused}
            yield Page(page.records, {**(page.cursor or {}), **({"prices": kept} if kept else {})}, page.refused)
        if cursor is None or self._settings.book_prices == "changed":
            return
        for ids in self._ids(compare("id", ">", "0")):
            for part in chunks([key for key in ids if key not in read], self._batch):
                yield self._page(self._list(ids=part), None)

    def _told_deletions(self, before: Sequence[Record], at: str, gone: str) -> Page:
        records, newest = self._deletions(self._early(gone, self._overlap) if gone else "")
        known = {(record.key, record.modified) for record in before}
        told = [record for record in records if (record.key, record.modified) not in known]
        return Page(told, {"at": at, "deleted": later(gone, newest)})

    def _changed(self, since: str) -> Iterator[tuple[Listing, str]]:
        """Rows changed after `since`, oldest first, and the time up to which nothing is missing."""
        floor, held = since, frozenset[tuple[str, str]]()
        while True:
            listing = self._list(since=floor)
            stamps = self._stamps(listing)
            known = {(str(row.get("id")), stamp) for row, stamp in zip(listing.rows, stamps, strict=True)}
            yield _without(listing, stamps, held), stamps[-1] if stamps else ""
            if not listing.more or not stamps:
                return
            last = stamps[-1]
            start = self._early(last, 1)
            if last != stamps[0] and start != floor:
                floor, held = start, frozenset(known)
                continue
            known |= held
            for stamp in dict.fromkeys(stamps):
                for found in self._same_second(stamp, known):
                    yield found, stamp
            # A server that reads the header as "at or after" gives this second again; then, and only then, step over it.
            floor, held = (self._early(last, -1) if floor == last else last), frozenset(known)

    def _same_second(self, stamp: str, known: set[tuple[str, str]]) -> Iterator[Listing]:
        """Rows of one change time that a page could not hold."""
        where = compare("Modified_Time", "=", stamp)
        for ids in self._ids(where):
            missing = [key for key in ids if (key, stamp) not in known]
            known |= {(key, stamp) for key in missing}
            for part in chunks(missing, self._batch):
                yield self._list(ids=part)

    def _changed_by_coql(self, since: str) -> Iterator[tuple[Listing, str]]:
        start = compare("Modified_Time", ">=", since) if since else compare("id", ">", "0")
        where = start
        while True:
            listing = self._coql(where, order=("Modified_Time", "id"))
            stamps = self._stamps(listing)
            last = str(listing.rows[-1].get("id")) if stamps else ""
            if not _rising([str(row.get("id")) for row, stamp in zip(listing.rows, stamps, strict=True) if stamp == stamps[-1]]):
                raise Garbled(self._client.system, f"the query on {self._module.api_name} is not in the order that was asked for")
            yield listing, stamps[-1] if stamps else ""
            if not listing.more or not stamps:
                return
            where = after("Modified_Time", stamps[-1], last)

    def _bulk_load(self, before: Sequence[Record], gone: str) -> Iterator[Page]:
        at = ""
        for rows in bulk.rows(self._client, self._transport, self._module):
            listing = Listing(rows)
            for row in rows:
                at = later(at, str(row.get("Modified_Time") or ""))
            yield self._page(listing, None)
        yield self._told_deletions(before, at, gone)

    # deletions

    def _deletions(self, since: str) -> tuple[list[Record], str]:
        records, newest = {}, ""
        for row in self._deleted_rows(since):
            key, when = str(row.get("id") or ""), str(row.get("deleted_time") or "")
            if key:
                records[key] = Record(key, {}, modified=when, deleted=True)
                newest = later(newest, when) if moment(when) else newest
        return list(records.values()), newest

    def _deleted_rows(self, since: str) -> Iterator[Row]:
        page = 1
        while True:
            listing = self._client.deleted(self._module.api_name, since=since, page=page)
            yield from listing.rows
            if not listing.more or not listing.rows:
                return
            page += 1

    # windows

    def window(self, window: Window) -> Iterator[Page]:
        """What falls into a window, by ascending id. Zoho has no organisations: a window of one is empty."""
        if window.org:
            return
        where = self._where(window)
        if self._by_coql:
            key = "0"
            while True:
                listing = self._coql(both(where, compare("id", ">", key)), order=("id",))
                last = str(listing.rows[-1].get("id")) if listing.rows else key
                yield self._page(listing, None)
                if not listing.more or not listing.rows:
                    return
                key = last
        for ids in self._ids(where):
            for part in chunks(ids, self._batch):
                yield self._page(self._list(ids=part), None)

    def keys(self, window: Window) -> Iterator[Sequence[tuple[str, str]]]:
        """The complete listing of a window as pages of ("", id), by ascending id, so that nothing can slip between two pages."""
        if window.org:
            return
        for ids in self._ids(self._where(window)):
            yield [("", key) for key in ids]

    def _where(self, window: Window) -> Where:
        if window.by == "all":
            return compare("id", ">", "0")
        field = "Modified_Time" if window.by == "modified" else self._module.stream.dated
        name = self._module.outward.get(field, field)
        days = field not in self._module.moments
        zone = ZoneInfo(self._settings.time_zone)
        bounds: Sequence[tuple[Operator, datetime | None]] = ((">=", window.start), ("<", window.end))
        where: Where | None = None
        for operator, bound in bounds:
            if bound is not None:
                value = bound.astimezone(zone)
                found = compare(name, operator, value.date() if days else value)
                where = both(where, found) if where else found
        return where or compare("id", ">", "0")

    def _ids(self, where: Where) -> Iterator[list[str]]:
        key = "0"
        while True:
            query = select(("id",), self._module.api_name, both(where, compare("id", ">", key)))
            listing = self._client.coql(query, limit=MAX_ROWS)
            ids = [str(row.get("id") or "") for row in listing.rows]
            if (listing.more and not ids) or not _rising([key, *ids]):
                raise Garbled(
                    self._client.system, f"the listing of {self._module.api_name} cannot be complete: it is not in the order of ids"
                )
            yield ids
            if not listing.more:
                return
            key = ids[-1]

    # single records

    def get(self, keys: Sequence[str]) -> list[Record]:
        """The named records; deleted ones are marked, missing ones absent."""
        found = {record.key: record for record in self.fresh(keys)}
        missing = {key for key in keys if key not in found}
        if missing:
            found |= {record.key: record for record in self._buried(missing)}
        return [found[key] for key in dict.fromkeys(keys) if key in found]

    def fresh(self, keys: Sequence[str]) -> Iterator[Record]:
        """The named records that are there, without a look for the deleted ones. What is no id of Zoho's is not asked for."""
        for part in chunks(list(dict.fromkeys(key for key in keys if key.isascii() and key.isdigit())), BATCH):
            listing = self._by_id(part) if self._by_coql else self._list(ids=part)
            yield from self._page(listing, None).records

    def find(self, hub_keys: Sequence[str]) -> dict[str, Record]:
        """Records that carry these hub keys; from the database by COQL, or from the lagging search index where that is the route."""
        ids: dict[str, str] = {}
        asked = set(hub_keys)
        for row in self._carriers(list(dict.fromkeys(hub_keys))):
            hub_key, key = row.get(self._module.hub_key), str(row.get("id") or "")
            if hub_key in asked and _rising([key]) and int(key) < int(ids.get(hub_key, key + "0")):
                ids[hub_key] = key  # the oldest, should the field not be unique against all advice
        records = {record.key: record for record in self.get(list(ids.values()))}
        return {hub_key: records[key] for hub_key, key in ids.items() if key in records and not records[key].deleted}

    def _carriers(self, hub_keys: Sequence[str]) -> Iterator[Row]:
        field, module = self._module.hub_key, self._module.api_name
        hub_keys = [hub_key for hub_key in hub_keys if hub_key and is_text(hub_key)]
        if self._settings.find_route == "search":
            for part in chunks(hub_keys, 10):
                yield from self._client.search(module, criteria(field, part), ("id", field)).rows
            return
        for part in chunks(hub_keys, MAX_IN):
            query = select(("id", field), module, one_of(field, list(part)))
            yield from self._client.coql(query, limit=200).rows

    def _buried(self, missing: set[str]) -> Iterator[Record]:
        """Which of the missing records are proven to be deleted."""
        for page in range(1, DELETED_PAGES + 1):
            listing = self._client.deleted(self._module.api_name, page=page)
            for row in listing.rows:
                if (key := str(row.get("id") or "")) in missing:
                    missing.discard(key)
                    yield Record(key, {}, modified=str(row.get("deleted_time") or ""), deleted=True)
            if not listing.more or not missing:
                return

    # rows

    def _list(self, *, since: str = "", ids: Sequence[str] = ()) -> Listing:
        listing = self._client.list(
            self._module.api_name, self._module.columns, since=since, ids=ids, per_page=self._settings.page_size, converted=self._converted
        )
        return listing if self.prices is not None else self._lines.complete(listing)

    def _by_id(self, ids: Sequence[str]) -> Listing:
        rows: list[Row] = []
        for part in chunks(ids, MAX_IN):
            rows += self._coql(one_of("id", list(part)), order=("id",)).rows
        return Listing(rows)

    def _coql(self, where: Where, *, order: Sequence[str]) -> Listing:
        query = select(("id", *self._module.columns), self._module.api_name, where, order=order, limit=self._rows)
        return self._client.coql(query, limit=self._rows)

    def _page(self, listing: Listing, cursor: Cursor | None) -> Page:
        self._check_columns(listing.rows)
        listing = self.prices.complete(listing) if self.prices is not None else listing
        records, refused = [], []
        for row in listing.rows:
            try:
                records.append(self._record(row, listing))
            except ValueError as error:
                refused.append(Refused(str(row.get("id") or ""), _raw(row), str(error)))
        return Page(records, cursor, refused)

    def _record(self, row: Row, listing: Listing) -> Record:
        record = self._module.record(row)
        if listing.escapes and has_nul(record.payload):
            raise ValueError("a text holds U+0000 or half a character")
        return record

    def _check_columns(self, rows: Sequence[Row]) -> None:
        """A column that was asked for and does not come is either hidden from the user or gone; the metadata tell which."""
        if self._checked or not rows:
            return
        absent = [column for column in self._module.columns if column not in rows[0]]
        if not absent:
            self._checked = True
            return
        known = {str(row.get("api_name")) for row in self._client.fields(self._module.api_name)}
        if gone := [column for column in absent if column not in known]:
            raise SchemaChanged(
                self._client.system,
                f"{self._module.api_name} has no field {', '.join(gone)}",
                next_step=f"create it in Zoho, or name it under fields.{self._module.stream.name} in the settings",
            )
        self._checked = True

    def _stamps(self, listing: Listing) -> list[str]:
        """Change times of the rows, which must be in order: the cursor depends on it."""
        stamps = [str(row.get("Modified_Time") or "") for row in listing.rows]
        times = [moment(stamp) for stamp in stamps]
        told = [time for time in times if time is not None]
        if any(first > second for first, second in pairwise(told)):
            raise Garbled(self._client.system, f"the list of {self._module.api_name} is not in the order that was asked for")
        if len(told) < len(times):
            good = [stamp for stamp, time in zip(stamps, times, strict=True) if time is not None]
            if not good:
                raise Garbled(self._client.system, f"the list of {self._module.api_name} tells no change times")
            stamps = [stamp if time is not None else good[0] for stamp, time in zip(stamps, times, strict=True)]
        return stamps

    def _early(self, stamp: str, seconds: int) -> str:
        """A vendor's time moved back (forward, when negative), in the vendor's own offset."""
        value = moment(stamp)
        if value is None:
            raise Garbled(self._client.system, "the cursor holds no time; reset the stream's cursor")
        return (value - seconds * SECOND).isoformat()


def _rising(ids: Sequence[str]) -> bool:
    """True when these are ids, each larger than the one before."""
    return all(key.isascii() and key.isdigit() for key in ids) and all(int(first) < int(second) for first, second in pairwise(ids))


def _without(listing: Listing, stamps: Sequence[str], held: frozenset[tuple[str, str]]) -> Listing:
    if not held:
        return listing
    kept = [row for row, stamp in zip(listing.rows, stamps, strict=True) if (str(row.get("id")), stamp) not in held]
    return Listing(kept, listing.more, listing.escapes)


def _raw(row: Row) -> str:
    try:
        return dump_json(row).decode(errors="replace").replace("\\u0000", "\N{REPLACEMENT CHARACTER}")[:RAW_LIMIT]
    except (ValueError, TypeError):
        return repr(row)[:RAW_LIMIT]
