"""Whole documents from queries that answer one row per line.

Paging never trusts an offset: it goes by the identifier, or by change time and whole seconds. A document that may be cut by the end of a
page is left out of it and read again with the next one. Times in a cursor are the server's own; our clock takes no part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.base import Cursor, Page, Payload, Record, Refused, Window
from connectors.erp_kingdee import filters as f
from connectors.erp_kingdee.client import KingdeeClient, Rows
from connectors.erp_kingdee.filters import ALL, Where
from connectors.erp_kingdee.forms import Form
from connectors.erp_kingdee.settings import KingdeeSettings
from connectors.errors import Garbled
from connectors.errors import Refused as CallRefused
from connectors.transport import TooLarge, TooSlow, dump_json, has_nul

RAW_AT_MOST = 64 * 1024
SMALLEST_PAGE = 8
"""Rows. A page that is too large or too slow even so is a failure."""
IN_APPROVAL = timedelta(days=60)
"""A document in approval is looked at so long after its business date; a later submit is seen at its audit, or by a reconciliation."""
FAR_AHEAD = timedelta(days=1)
"""A change time this far ahead of the server's own clock is a mistake in its data; it does not move the cursor past everything else."""
NEVER = datetime(9999, 12, 31)  # noqa: DTZ001  the server's times have no zone


def group(rows: Sequence[Sequence[Any]], head: Sequence[str], line: Sequence[str], entity: str) -> list[Payload]:
    """Documents from rows in which those of one document stand together: the head from its first row, one line from each.

    A document without lines comes as one row whose line columns are null. Kept tight: it runs once per row of every read.
    """
    documents: list[Payload] = []
    start = len(head)
    current: Any = None
    lines: list[Payload] = []
    for row in rows:
        if row[0] != current:
            current = row[0]
            document: Payload = dict(zip(head, row, strict=False))
            documents.append(document)
            if entity:
                lines = document[entity] = []
        if entity and row[start]:
            lines.append(dict(zip(line, row[start:], strict=False)))
    return documents


class Reader:
    """Reads the documents of one form."""

    def __init__(self, client: KingdeeClient, form: Form, settings: KingdeeSettings, overlap_s: int) -> None:
        self._client, self._form, self._settings = client, form, settings
        self._overlap = timedelta(seconds=overlap_s)
        self._pk = form.column(form.pk)
        self._lines_order = f", {form.entry_column} asc" if form.entity else ""
        self._own = self._of_organisations()
        self._limit = settings.page_size

    # --- what the connector asks for ---

    def changes(self, cursor: Cursor | None) -> Iterator[Page]:
        """Everything, or everything changed since the cursor, the boundary and the overlap included."""
        since = str((cursor or {}).get("since") or "")
        if cursor is None or "after" in cursor or not since or not self._form.modified:
            yield from self._listing(cursor if cursor and "after" in cursor else None)
        else:
            yield from self._increment(since)

    def window(self, window: Window) -> Iterator[Page]:
        """The documents of a window."""
        for documents, suspicious in self._by_key(self._in_window(window)):
            yield self._page(documents, None, suspicious=suspicious)

    def get(self, keys: Sequence[str]) -> Iterator[Record]:
        """The named documents that are there."""
        asked = [key for key in dict.fromkeys(keys) if not self._form.numeric_pk or (key.isascii() and key.isdigit())]
        for start in range(0, len(asked), f.MAX_IN):
            part = asked[start : start + f.MAX_IN]
            where = f.one_of(self._pk, [int(key) for key in part] if self._form.numeric_pk else part)
            for documents, suspicious in self._by_key(where):
                yield from self._page(documents, None, suspicious=suspicious).records

    def having(self, key: str, values: Sequence[str]) -> Iterator[Record]:
        """Documents in which a declared field has one of the values."""
        for start in range(0, len(values), f.MAX_IN):
            where = f.one_of(self._form.column(key), values[start : start + f.MAX_IN])
            for documents, suspicious in self._by_key(where):
                yield from self._page(documents, None, suspicious=suspicious).records

    def keys(self, window: Window) -> Iterator[Sequence[tuple[str, str]]]:
        """(organisation, key) of every document of a window; one short row each."""
        where, last = self._in_window(window), None
        keys = [self._pk, self._form.column(self._form.org)] if self._form.org else [self._pk]
        while True:
            rows = self._client.execute_bill_query(
                self._form.form, keys, f.both(where, *self._after(last)), f"{self._pk} asc", self._limit
            ).rows
            if not rows:
                return
            yield [(_text(row[1]) if self._form.org else "", _text(row[0])) for row in rows]
            if not self._may_be_cut(len(rows)):
                return
            last = rows[-1][0]

    def values(self, key: str, keys: Sequence[str]) -> Mapping[str, str]:
        """One field of the head of the named documents, by key."""
        where = f.one_of(self._pk, [int(key) for key in keys] if self._form.numeric_pk else list(keys))
        rows = self._client.execute_bill_query(self._form.form, [self._pk, self._form.column(key)], where, f"{self._pk} asc", f.MAX_IN).rows
        return {_text(row[0]): _text(row[1]) for row in rows}

    def try_query(self) -> None:
        """One row of the reading query with all its keys. Raises what the server says against it."""
        self._client.execute_bill_query(self._form.form, self._form.query_keys, ALL, f"{self._pk} asc", 1)

    # --- the whole stream ---

    def _listing(self, cursor: Cursor | None) -> Iterator[Page]:
        """All documents by key, the position kept page by page.

        Changes made meanwhile come with the first increment, because its start is a change time from before the first page.
        """
        since = str(cursor["since"]) if cursor else self._newest()
        last = cursor["after"] if cursor else None
        for documents, suspicious in self._by_key(self._own, last):
            if documents:
                last = documents[-1][self._form.pk]
                yield self._page(documents, {"since": since, "after": last}, suspicious=suspicious)
        yield Page((), {"since": since})

    def _newest(self) -> str:
        """The largest change time there is now; empty for an empty stream or one without change times."""
        if not self._form.modified:
            return ""
        modified = self._form.column(self._form.modified)
        newest = self._newest_where(modified, self._own)
        if newest and not self._believed(newest, ""):
            newest = self._newest_where(modified, f.both(self._own, f.below(modified, _seconds(self._far_ahead()))))
        return newest

    def _newest_where(self, modified: f.Column, where: Where) -> str:
        rows = self._client.execute_bill_query(self._form.form, [modified], where, f"{modified} desc", 1).rows
        return _text(rows[0][0]) if rows else ""

    # --- what changed ---

    def _increment(self, since: str) -> Iterator[Page]:
        """What changed since. Mostly one answer holds it all; else what only an audit moved comes first, then the rest by change time."""
        start = _seconds(_moment(since) - self._overlap)
        rows = self._rows(f.both(self._own, self._changed_from(start)), self._by_time())
        if not self._may_be_cut(len(rows.rows)):
            documents = self._grouped(rows)
            yield self._page(documents, {"since": self._latest(documents, since)}, suspicious=rows.suspicious)
            return
        for documents, suspicious in self._by_key(f.both(self._own, self._only_audited_from(start))):
            yield self._page(documents, None, suspicious=suspicious)
        for documents, suspicious, moves in self._by_second(start):
            if moves:
                since = self._latest(documents, since)
            yield self._page(documents, {"since": since} if moves else None, suspicious=suspicious)

    def _by_second(self, start: str) -> Iterator[tuple[list[Payload], bool, bool]]:
        """Documents by change time, from `start` on; the last value says whether everything up to their times has now been given.

        The last second of a full page is not complete, so it is left for the next page. A second that alone fills a page is read by key.
        """
        modified = self._form.column(self._form.modified)
        while True:
            rows = self._rows(f.both(self._own, f.at_least(modified, start)), self._by_time())
            documents = self._grouped(rows)
            if not self._may_be_cut(len(rows.rows)):
                yield documents, rows.suspicious, True
                return
            border = self._second_of(documents[-1])
            whole = [document for document in documents if self._second_of(document) != border]
            if whole:
                yield whole, rows.suspicious, True
                start = border
                continue
            following = _seconds(_moment(border) + timedelta(seconds=1))
            held: tuple[list[Payload], bool] = ([], False)
            for page in self._by_key(f.both(self._own, f.at_least(modified, border), f.below(modified, following))):
                if held[0]:
                    yield *held, False
                held = page
            yield *held, True
            start = following

    def _changed_from(self, start: str) -> Where:
        form = self._form
        ways = [f.at_least(form.column(form.modified), start)]
        if form.approved:
            ways.append(f.at_least(form.column(form.approved), start))
        if form.created:
            ways.append(self._never_changed_from(start))
        return f.either(*ways, *self._moved_without_a_time(start))

    def _only_audited_from(self, start: str) -> Where:
        form = self._form
        modified = form.column(form.modified)
        before = f.either(f.below(modified, start), f.is_null(modified))
        ways = [f.both(before, f.at_least(form.column(form.approved), start))] if form.approved else []
        ways += [f.both(before, way) for way in self._moved_without_a_time(start)]
        if form.created:
            ways.append(self._never_changed_from(start))
        return f.either(*ways) if ways else f.both(f.below(modified, start), f.at_least(modified, start))

    def _moved_without_a_time(self, start: str) -> list[Where]:
        """What an un-audit or a submit has moved, neither of which moves a time (reference, change times).

        All that waits to be audited again, which is few; of what is in approval only what is dated lately, for old documents stay there
        for good in many companies, and would be read again each time.
        """
        form = self._form
        if not form.status or form.base_data:
            return []
        ways = [f.equals(form.column(form.status), "D")]
        if form.dated:
            lately = _seconds(_moment(start) - IN_APPROVAL)
            ways.append(f.both(f.equals(form.column(form.status), "B"), f.at_least(form.column(form.dated), lately)))
        return ways

    def _never_changed_from(self, start: str) -> Where:
        form = self._form
        return f.both(f.is_null(form.column(form.modified)), f.at_least(form.column(form.created), start))

    def _by_time(self) -> str:
        return f"{self._form.column(self._form.modified)} asc, {self._pk} asc{self._lines_order}"

    def _second_of(self, document: Payload) -> str:
        return _seconds(_moment(_text(document[self._form.modified])))

    def _latest(self, documents: Sequence[Payload], since: str) -> str:
        """The largest change time seen, ours included; audit times count as well."""
        form = self._form
        latest = since
        for document in documents:
            for key in (form.modified, form.approved):
                if (seen := document.get(key)) and _text(seen) > latest:
                    latest = self._believed(_text(seen), latest)
        return latest

    def _believed(self, seen: str, otherwise: str) -> str:
        return otherwise if _moment(seen) > self._far_ahead() else seen

    def _far_ahead(self) -> datetime:
        now = self._client.server_date
        return now.astimezone(self._settings.zone).replace(tzinfo=None) + FAR_AHEAD if now is not None else NEVER

    # --- pages by key ---

    def _by_key(self, where: Where, last: Any = None) -> Iterator[tuple[list[Payload], bool]]:
        """Pages of whole documents in the order of their identifiers."""
        while True:
            rows = self._rows(f.both(where, *self._after(last)), f"{self._pk} asc{self._lines_order}")
            documents = self._grouped(rows)
            cut = self._may_be_cut(len(rows.rows))
            suspicious = rows.suspicious
            if cut and self._form.entity:
                if len(documents) > 1:
                    documents.pop()
                else:
                    documents, suspicious = self._one_by_lines(documents[0][self._form.pk])
            yield documents, suspicious
            if not cut:
                return
            last = documents[-1][self._form.pk]

    def _one_by_lines(self, key: Any) -> tuple[list[Payload], bool]:
        """One document that has more lines than a page has rows."""
        rows: list[Sequence[Any]] = []
        suspicious = False
        while True:
            part = self._rows(f.equals(self._pk, key), f"{self._pk} asc{self._lines_order}", start=len(rows))
            rows += part.rows
            suspicious = suspicious or part.suspicious
            if not self._may_be_cut(len(part.rows)):
                return self._grouped(Rows(rows, suspicious)), suspicious

    def _after(self, last: Any) -> tuple[Where, ...]:
        return () if last is None else (f.above(self._pk, last),)

    def _may_be_cut(self, count: int) -> bool:
        """True when more rows may follow: servers cap the row limit without saying, and caps are round, so a round count is doubted."""
        return count >= self._limit or (count > 0 and count % 10 == 0)

    def _rows(self, where: Where, order: str, *, start: int = 0) -> Rows:
        """One page. When it is too large or too slow, a quarter of it is asked for, now and from then on."""
        while True:
            try:
                return self._client.execute_bill_query(self._form.form, self._form.query_keys, where, order, self._limit, start)
            except (TooLarge, TooSlow):
                if self._limit <= SMALLEST_PAGE:
                    raise
                self._limit = max(self._limit // 4, SMALLEST_PAGE)

    def _grouped(self, rows: Rows) -> list[Payload]:
        return group(rows.rows, self._form.head_keys, self._form.line_keys, self._form.entity)

    def _page(self, documents: Sequence[Payload], cursor: Cursor | None, *, suspicious: bool) -> Page:
        form = self._form
        pk, org, modified, approved = form.pk, form.org, form.modified, form.approved
        records: list[Record] = []
        refused: list[Refused] = []
        for document in documents:
            key = _text(document[pk])
            if not key or (suspicious and has_nul(document)):
                why = "a text in it holds U+0000 or half a character" if key else f"it has no {pk}"
                refused.append(Refused(key, _raw(document), why, _text(document.get(org))))
                continue
            when = _text(document.get(modified))
            if approved and (audited := document.get(approved)):
                when = max(when, _text(audited))
            records.append(Record(key, document, _text(document[org]) if org else "", when))
        return Page(records, cursor, refused)

    # --- conditions ---

    def _of_organisations(self) -> Where:
        wanted = self._settings.organisations
        return f.one_of(self._form.column(self._form.org), wanted) if wanted and self._form.org else ALL

    def _in_window(self, window: Window) -> Where:
        own = f.equals(self._form.column(self._form.org), window.org) if window.org and self._form.org else self._own
        if window.by == "all":
            return own
        key = self._form.modified if window.by == "modified" else self._form.dated
        if not key:
            raise CallRefused(
                self._client.system, f"{self._form.stream} has no time by which it is {window.by}", next_step="read all of it"
            )
        column = self._form.column(key)
        start = f.at_least(column, self._local(window.start)) if window.start else ALL
        return f.both(own, start, f.below(column, self._local(window.end)) if window.end else ALL)

    def _local(self, moment: datetime) -> str:
        return _seconds(moment.astimezone(self._settings.zone).replace(tzinfo=None))


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)


def _moment(text: str) -> datetime:
    """The server's time without its zone. Raises: Garbled for a text that is none."""
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        raise Garbled("kingdee", f"not a time: {text[:40]!r}") from None


def _seconds(moment: datetime) -> str:
    return moment.isoformat(" ", "seconds")


def _raw(document: Payload) -> str:
    plain = {key: value for key, value in document.items() if not isinstance(value, Decimal) or value.is_finite()}
    return dump_json(plain).decode("utf-8", "replace")[:RAW_AT_MOST]
