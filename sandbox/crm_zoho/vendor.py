"""The stand-in of Zoho CRM v8: routes calls, counts credits, and opens its records to the control door."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from sandbox.core.events import Events
from sandbox.core.http import Request, Response, json_response
from sandbox.core.vendor import Doc, Rejected, Vendor
from sandbox.crm_zoho import org, related
from sandbox.crm_zoho.auth import Tokens
from sandbox.crm_zoho.calls import Call, Handler, Sandbox, Switches
from sandbox.crm_zoho.clock import Clock
from sandbox.crm_zoho.errors import ApiError, RecordError
from sandbox.crm_zoho.metadata import Module
from sandbox.crm_zoho.modules import MODULES, STREAMS
from sandbox.crm_zoho.records import Author, build, complete, save, tombstone
from sandbox.crm_zoho.routes import handler_of
from sandbox.crm_zoho.store import Store
from sandbox.crm_zoho.watch import tell

DAY_S = 86_400


class ZohoVendor(Vendor):
    """One organisation of Zoho CRM."""

    name: ClassVar[str] = "zoho"
    streams: ClassVar[Mapping[str, str]] = STREAMS

    def __init__(self, seed: int = 0, database: str | Path | None = None, switches: Switches | None = None) -> None:
        super().__init__(seed)
        clock = Clock()
        self.box = Sandbox(Store(database), clock, self.faults, Events(self.faults), switches or Switches())
        self.tokens = Tokens(clock, self.box.switches.tokens_per_window)
        self.box.channels = self.box.store.kept("watch") or {}
        self._base = ""
        self._spent: deque[tuple[float, int]] = deque()
        self._spent_today = 0

    # the API

    def handle(self, request: Request) -> Response:
        """Answer one call. Records, indexes and events are settled when this returns."""
        base = self._base = f"http://{request.headers.get('host', 'localhost')}"
        try:
            if request.path.startswith("/oauth/v2/token"):
                return self._sign_in(request, base)
            handler, parts = handler_of(request)
            self.tokens.check(request)
            self._check_credits()
            return self._run(handler, Call(self.box, request, parts, base))
        except ApiError as error:
            return error.response()

    def _sign_in(self, request: Request, base: str) -> Response:
        if request.method != "POST":
            raise ApiError(405, "INVALID_REQUEST_METHOD", "The http request method type is not a valid one")
        request.operation = "token"
        return self.tokens.revoke(request) if request.path.endswith("/revoke") else self.tokens.token(request, base)

    def _run(self, handler: Handler, call: Call) -> Response:
        self.box.changed = []
        try:
            response = handler(call)
        finally:
            self._settle(call.base)
        self._spend(call.credits)
        left = self.box.switches.credits - self._spent_today
        if left * 2 < self.box.switches.credits:
            response.headers.append(("X-API-CREDITS-REMAINING", str(max(0, left))))
        return response

    def _settle(self, base: str) -> None:
        """Commit, and tell the watchers."""
        self.box.store.commit()
        changed, self.box.changed = self.box.changed, []
        for module, operation, keys in changed:
            tell(self.box, module, operation, keys, base)

    def _spend(self, units: int) -> None:
        now = self.box.clock.time()
        while self._spent and self._spent[0][0] <= now - DAY_S:
            self._spent_today -= self._spent.popleft()[1]
        second = float(int(now))
        if self._spent and self._spent[-1][0] == second:
            self._spent[-1] = (second, self._spent[-1][1] + units)
        else:
            self._spent.append((second, units))
        self._spent_today += units

    def _check_credits(self) -> None:
        if self._spent_today >= self.box.switches.credits:
            self._spend(0)  # what was spent more than a day ago counts no longer
            if self._spent_today >= self.box.switches.credits:
                raise ApiError(429, "TOO_MANY_REQUESTS", "Request failed because you have exceeded the limit")

    def stream_of(self, request: Request) -> str | None:
        """The module that a path names."""
        parts = request.path.split("/", 4)
        if len(parts) > 3 and parts[1] == "crm" and parts[3] in MODULES:
            return parts[3]
        if request.path == "/crm/v8/coql":
            named = _FROM.search(request.body)
            return named.group(1).decode() if named and named.group(1).decode() in MODULES else None
        return None

    def throttled(self, request: Request, after_s: float) -> Response:  # noqa: ARG002  the core's signature
        """429 as Zoho gives it; with Retry-After although the real one has none, when the fault names seconds."""
        headers = [("Retry-After", f"{after_s:g}")] if after_s > 0 else []
        return json_response(_TOO_MANY, 429, headers)

    def over_quota(self, request: Request, value: Any) -> Response:  # noqa: ARG002  the core's signature
        """429: the credits are spent. The real one does not say which limit was met."""
        return json_response(_TOO_MANY, 429)

    def emptied(self, request: Request) -> Response:  # noqa: ARG002  the core's signature
        """204 without a body."""
        return Response(204)

    def expire_sessions(self) -> None:
        """End every access token."""
        self.tokens.expire()

    def failed(self, request: Request, error: Exception) -> Response:  # noqa: ARG002  the core's signature
        """A bug of the stand-in: 500 with its name, so that it is seen."""
        details = {"bug": f"{type(error).__name__}: {error}"}
        return json_response({"code": "INTERNAL_ERROR", "details": details, "message": "sandbox bug", "status": "error"}, 500)

    # the control door

    def records(self, stream: str, params: Mapping[str, str]) -> list[Doc]:
        """All records of a module with all their fields, by id. `key`, `since` (Modified_Time at or after), `where`, `limit`."""
        table = self.box.store.tables[stream]
        keys = [params["key"]] if params.get("key") else table.ids
        if params.get("since"):
            keys = sorted(key for _, key in table.since(params["since"].replace(" ", "+"), strictly=False))
        limit = int(params.get("limit") or 0) or None
        found = (table.docs[key] for key in keys if key in table.docs)
        if wanted := self.wanted(params):
            field, values = wanted[0], set(wanted[1])
            if field not in table.module.fields:
                raise Rejected(f"{stream} has no field {field!r}")
            found = (doc for doc in found if _plain(doc.get(field)) in values)
        return [self._whole(table.module, doc) for doc in islice(found, limit)]

    def put(self, stream: str, doc: Doc, user: str = "user") -> Doc:
        """Create or change as a salesperson would: by `id`, else by `Hub_Key` when a record has it. Raises Rejected."""
        module, table = MODULES[stream], self.box.store.tables[stream]
        old = self._existing(module, doc)
        if doc.get("id") is not None and old is None:
            raise Rejected(f"{stream}: there is no record {doc['id']}; leave id out to create one")
        late = self.faults.take("late_row", stream=stream)
        author = Author(
            org.BY_NAME.get(user, org.SALES_USER), self.box.clock.text(late.seconds(60) if late is not None else 0.0), guided=False
        )
        try:
            built = self._built(module, doc, old, author)
        except RecordError as error:
            raise Rejected(f"{stream}: {error}") from error
        save(self.box.store, module, built)
        self.box.changed.append((stream, "update" if old is not None else "insert", [built["id"]]))
        self._settle(self._base)
        return self._whole(module, table.docs[built["id"]])

    def _built(self, module: Module, doc: Doc, old: Doc | None, author: Author) -> Doc:
        if related.PRICES not in doc or module.name != "Price_Books":
            return build(self.box.store, module, doc, old, author, "$")
        only = old is not None and not {*doc} - {"id", related.PRICES}
        keeps_time = only and not self.box.switches.prices_move_books
        book = old if old is not None and keeps_time else build(self.box.store, module, doc, old, author, "$")
        return related.with_prices(self.box.store, book, doc[related.PRICES], f"$.{related.PRICES}")

    def _whole(self, module: Module, doc: Doc) -> Doc:
        """A record with every field of its module, as the call for a single record gives it, without the `$` keys; a book's prices, too."""
        prices = {related.PRICES: related.prices_of(self.box.store, doc)} if module.name == "Price_Books" else {}
        return {**dict.fromkeys(module.fields), **doc, **prices}

    def _existing(self, module: Module, doc: Doc) -> Doc | None:
        table = self.box.store.tables[module.name]
        if doc.get("id") is not None:
            return table.docs.get(str(doc["id"]))
        found = table.find("Hub_Key", doc["Hub_Key"]) if doc.get("Hub_Key") else []
        return table.docs[found[0]] if found else None

    def delete(self, stream: str, key: str) -> bool:
        """Into the recycle bin, as a user would. False when there is no such record."""
        table = self.box.store.tables[stream]
        doc = table.docs.get(key)
        if doc is None:
            return False
        table.remove(key, tombstone(doc, MODULES[stream], Author(org.SALES_USER, self.box.clock.text())))
        self.box.changed.append((stream, "delete", [key]))
        self._settle(self._base)
        return True

    def load(self, records: Mapping[str, list[Doc]]) -> int:
        """Bulk-load records by stream or module; ids and times are kept as given, no events. Returns how many."""
        author = Author(org.SALES_USER, self.box.clock.text(), guided=False)
        loaded = 0
        for stream, docs in records.items():
            table = self.box.store.tables[self.native(stream)]
            self.box.store.fill(table, docs, partial(complete, self.box.store, table.module, author))
            loaded += len(docs)
        self.box.store.commit()
        return loaded

    def reset(self) -> None:
        """Empty: no records, tokens, channels, jobs."""
        self.box.store.reset()
        self.box.lagging.clear()
        self.box.clock.shift_s = 0.0
        self.tokens.forget()
        self.box.channels.clear()
        self.box.jobs.clear()
        self.box.files.clear()
        self._spent.clear()
        self._spent_today = 0

    def credentials(self, url: str) -> Mapping[str, Any]:
        """What a client needs. The real one shows accounts, API and upload hosts apart; here they are one."""
        return {
            "api_domain": url,
            "accounts_url": url,
            "upload_url": url,
            "client_id": org.CLIENT_ID,
            "client_secret": org.CLIENT_SECRET,
            "refresh_token": org.REFRESH_TOKEN,
            "org_id": org.ORG_ID,
        }

    def close(self) -> None:
        """Stop the events and close the file."""
        self.box.events.close()
        self.box.store.close()


def _plain(value: Any) -> str:
    """A value as text, a lookup as its id."""
    return str(value["id"]) if isinstance(value, dict) else str(value or "")


_TOO_MANY = {
    "code": "TOO_MANY_REQUESTS",
    "details": {},
    "message": "Request failed because you have exceeded the limit",
    "status": "error",
}
_FROM = re.compile(rb"\bfrom\s+([A-Za-z_]+)", re.IGNORECASE)
"""The module of a COQL query, for the faults that name a stream; the query itself is parsed properly later."""
