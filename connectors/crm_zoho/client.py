"""One function per call of Zoho CRM's API, in the vendor's words. No mapping, no loop over records, no sleep.

Reads raise an error of `connectors.errors` for a whole call that failed. Writes give back the answers per record, whatever the HTTP
status, because sources disagree about 200, 201, 202, 207 and 400; only a call that was refused as a whole raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from connectors.crm_zoho.answers import Listing, Row, bytes_of, code_of, first_of, listing_of, named, object_of, path_part, units_of
from connectors.crm_zoho.errors import ERRORS
from connectors.crm_zoho.query import credits_of
from connectors.crm_zoho.settings import ZohoSettings
from connectors.crm_zoho.signin import SignIn
from connectors.errors import CallFailed, Do, Garbled, Refused, SchemaChanged, SignInExpired, Throttled, Unavailable
from connectors.transport import Answer, Transport, dump_json, parse_json

T = TypeVar("T")
LONGEST_HOLD_S = 300.0
BULK_CREDITS = 50
"""What is reserved for a bulk read job: a cautious figure, the sources that were read do not tell it."""


@dataclass(slots=True)
class _State:
    throttled: int = 0
    credits: int | None = field(default=None)


class ZohoClient:
    """A conversation with one organisation. Not shared between threads."""

    def __init__(self, settings: ZohoSettings, transport: Transport) -> None:
        self._settings, self._transport = settings, transport
        self._base = f"{settings.api_domain}/crm/{settings.version}"
        self._bulk = f"{settings.api_domain}/crm/bulk/{settings.version}"
        self._state = _State()
        self.sign_in = SignIn(settings, transport)
        self.system = transport.system

    @property
    def credits_left(self) -> int | None:
        """Credits that the last answer told; None until half of the day's are used."""
        return self._state.credits

    # reading

    def list(
        self,
        module: str,
        columns: Sequence[str],
        *,
        since: str = "",
        ids: Sequence[str] = (),
        per_page: int = 200,
        sort_by: str = "Modified_Time",
        converted: str = "",
    ) -> Listing:
        """GET /{module}: the first page of what changed after `since`, oldest change first; or the records with these ids (at most 100)."""
        query: dict[str, str] = {"fields": ",".join(columns)}
        if ids:
            query["ids"] = ",".join(ids)
        else:
            query |= {"per_page": str(per_page), "page": "1", "sort_by": sort_by, "sort_order": "asc"}
        if converted:
            query["converted"] = converted
        return self._get(f"{self._base}/{path_part(module)}", query, {"If-Modified-Since": since} if since else {})

    def one(self, module: str, key: str) -> Row | None:
        """GET /{module}/{id}: one record with all its fields and rows; None when there is none."""
        rows = self._get(f"{self._base}/{path_part(module)}/{path_part(key)}", {}).rows
        return rows[0] if rows else None

    def deleted(self, module: str, *, since: str = "", page: int = 1) -> Listing:
        """GET /{module}/deleted: what was deleted after `since`."""
        query = {"type": "all", "page": str(page), "per_page": "200"}
        return self._get(f"{self._base}/{path_part(module)}/deleted", query, {"If-Modified-Since": since} if since else {})

    def related(
        self, module: str, key: str, name: str, columns: Sequence[str], *, per_page: int, page: int = 1, token: str = ""
    ) -> Listing:
        """GET /{module}/{id}/{related list}: what is related to a record, by ascending id. A token leads on instead of a page number."""
        query = {"fields": ",".join(columns), "per_page": str(per_page), "sort_by": "id", "sort_order": "asc"}
        query |= {"page_token": token} if token else {"page": str(page)}
        return self._get(f"{self._base}/{path_part(module)}/{path_part(key)}/{path_part(name)}", query)

    def coql(self, query: str, *, limit: int) -> Listing:
        """POST /coql: up to 2,000 rows of a query."""
        body = dump_json({"select_query": query})
        return self._read("POST", f"{self._base}/coql", listing_of, body=body, units=credits_of(limit)) or Listing()

    def search(self, module: str, criteria: str, columns: Sequence[str]) -> Listing:
        """GET /{module}/search by criteria; what was written in the last minute may be missing."""
        return self._get(f"{self._base}/{path_part(module)}/search", {"criteria": criteria, "fields": ",".join(columns)})

    def fields(self, module: str) -> Sequence[Row]:
        """GET /settings/fields?module=: the fields as this organisation has them."""
        return self._meta("settings/fields", "fields", {"module": module})

    def modules(self) -> Sequence[Row]:
        """GET /settings/modules."""
        return self._meta("settings/modules", "modules", {})

    def blueprint(self, module: str, key: str) -> Row | None:
        """GET /{module}/{id}/actions/blueprint: state and open transitions; None when the record is in none.

        Raises: Refused with code RECORD_NOT_IN_PROCESS, as the others.
        """
        found = self._read("GET", f"{self._base}/{path_part(module)}/{path_part(key)}/actions/blueprint", object_of) or {}
        blueprint = found.get("blueprint")
        return blueprint if isinstance(blueprint, dict) else None

    def watches(self, channel_id: str) -> Sequence[Row]:
        """GET /actions/watch: the events that a channel is subscribed to."""
        try:
            return self._meta("actions/watch", "watch", {"channel_id": channel_id, "per_page": "200"})
        except Refused as error:
            if error.vendor_code in ("NOT_SUBSCRIBED", "INVALID_DATA"):
                return ()
            raise

    def bulk_start(self, query: Row) -> str:
        """POST bulk read: starts a job and gives its id. A job changes no record, so a repeated start only wastes one."""
        found = self._read("POST", f"{self._bulk}/read", object_of, body=dump_json({"query": query}), units=BULK_CREDITS, kind="bulk") or {}
        return str(first_of(self.system, found)["details"]["id"])

    def bulk_state(self, job: str) -> Row:
        """GET bulk read job: `state`, and `result` when it is completed."""
        return first_of(self.system, self._read("GET", f"{self._bulk}/read/{path_part(job)}", object_of) or {})

    def bulk_result(self, job: str) -> bytes:
        """GET bulk read result: a ZIP archive that holds one CSV file."""
        return self._read("GET", f"{self._bulk}/read/{path_part(job)}/result", bytes_of, kind="bulk") or b""

    # writing

    def upsert(self, module: str, rows: Sequence[Row], keys: Sequence[str], *, quiet: bool) -> Sequence[Row]:
        """POST /{module}/upsert: answers per record."""
        return self._write("POST", f"{self._base}/{path_part(module)}/upsert", rows, quiet=quiet, duplicate_check_fields=list(keys))

    def insert(self, module: str, rows: Sequence[Row], *, quiet: bool) -> Sequence[Row]:
        """POST /{module}: answers per record."""
        return self._write("POST", f"{self._base}/{path_part(module)}", rows, quiet=quiet)

    def update(self, module: str, rows: Sequence[Row], *, quiet: bool) -> Sequence[Row]:
        """PUT /{module}, each row with its id: answers per record."""
        return self._write("PUT", f"{self._base}/{path_part(module)}", rows, quiet=quiet)

    def delete(self, module: str, ids: Sequence[str], *, quiet: bool) -> Sequence[Row]:
        """DELETE /{module}?ids=: answers per record."""
        query = urlencode({"ids": ",".join(ids), "wf_trigger": "false" if quiet else "true"}, safe=",")
        return self._call("DELETE", f"{self._base}/{path_part(module)}?{query}", self._judge_write, writes=True, units=units_of(len(ids)))

    def relate(self, module: str, key: str, name: str, rows: Sequence[Row]) -> Sequence[Row]:
        """PUT /{module}/{id}/{related list}, each row with its id: relates it, or changes what the relation holds. Answers per row."""
        url = f"{self._base}/{path_part(module)}/{path_part(key)}/{path_part(name)}"
        return self._call("PUT", url, self._judge_write, body=dump_json({"data": rows}), writes=True, units=units_of(len(rows)))

    def delink(self, module: str, key: str, name: str, ids: Sequence[str]) -> Sequence[Row]:
        """DELETE /{module}/{id}/{related list}?ids=: ends relations; the related records stay. Answers per id."""
        query = urlencode({"ids": ",".join(ids)}, safe=",")
        url = f"{self._base}/{path_part(module)}/{path_part(key)}/{path_part(name)}?{query}"
        return self._call("DELETE", url, self._judge_write, writes=True, units=units_of(len(ids)))

    def transition(self, module: str, key: str, transition: str, data: Row) -> Row:
        """PUT /{module}/{id}/actions/blueprint: takes one transition. Gives the answer's code, message and details."""
        body = dump_json({"blueprint": [{"transition_id": transition, "data": data}]})
        url = f"{self._base}/{path_part(module)}/{path_part(key)}/actions/blueprint"
        answer: Row = self._call("PUT", url, self._judge_step, body=body, writes=True)
        return answer

    def watch(self, method: str, watch: Row) -> Sequence[Row]:
        """POST (subscribe) or PUT (replace) /actions/watch: answers per channel. Repeating it changes nothing."""
        found = self._read(method, f"{self._base}/actions/watch", object_of, body=dump_json({"watch": [watch]})) or {}
        return [row for row in found.get("watch", ()) if isinstance(row, dict)]

    # how a call goes

    def _get(self, url: str, query: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Listing:
        full = f"{url}?{urlencode(query, safe=',')}" if query else url
        return self._read("GET", full, listing_of, headers=headers) or Listing()

    def _meta(self, path: str, name: str, query: Mapping[str, str]) -> Sequence[Row]:
        url = f"{self._base}/{path}" + (f"?{urlencode(query)}" if query else "")
        found = self._read("GET", url, object_of) or {}
        return [row for row in found.get(name, ()) if isinstance(row, dict)]

    def _read(
        self,
        method: str,
        url: str,
        shape: Callable[[str, Answer], T],
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        units: int = 1,
        kind: str | None = None,
    ) -> T | None:
        def judge(answer: Answer) -> T | None:
            return None if self._nothing(answer) else shape(self.system, answer)

        return self._call(method, url, judge, headers=headers, body=body, writes=False, units=units, kind=kind)

    def _write(self, method: str, url: str, rows: Sequence[Row], *, quiet: bool, **options: Any) -> Sequence[Row]:
        body: Row = {"data": rows, **options}
        if quiet:
            body["trigger"] = []  # absent, every workflow, approval and blueprint of the organisation would run
        return self._call(method, url, self._judge_write, body=dump_json(body), writes=True, units=units_of(len(rows)))

    def _call(
        self,
        method: str,
        url: str,
        judge: Callable[[Answer], T],
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        writes: bool,
        units: int = 1,
        kind: str | None = None,
    ) -> T:
        """One call; once more with a new token when the one it carried is refused (then certainly nothing was done)."""
        token = self.sign_in.token()
        try:
            return self._once(method, url, judge, token, headers, body, writes=writes, units=units, kind=kind)
        except SignInExpired:
            token = self.sign_in.token(stale=token)
        try:
            return self._once(method, url, judge, token, headers, body, writes=writes, units=units, kind=kind)
        except SignInExpired:
            raise self.sign_in.useless() from None

    def _once(
        self,
        method: str,
        url: str,
        judge: Callable[[Answer], T],
        token: str,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        *,
        writes: bool,
        units: int,
        kind: str | None,
    ) -> T:
        sent = {"Authorization": f"Zoho-oauthtoken {token}", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json; charset=utf-8"
        if self._settings.org_id:
            sent["X-CRM-ORG"] = self._settings.org_id

        def judged(answer: Answer) -> T:
            self._note_credits(answer)
            return judge(answer)

        try:
            found = self._transport.call(method, url, headers=sent, body=body, writes=writes, units=units, kind=kind, judge=judged)
        except Throttled as error:
            raise self._slow_down(error) from None
        self._state.throttled = 0
        return found

    def _note_credits(self, answer: Answer) -> None:
        told = answer.headers.get("x-api-credits-remaining", "")
        if told.isdigit():
            self._state.credits = int(told)
            self._transport.budget.lower(remaining=int(told), window="day")

    def _slow_down(self, error: Throttled) -> Throttled:
        """Zoho tells neither how long to wait nor which limit was met (API v8, limits): wait twice as long each time, all workers."""
        if error.vendor_code not in ("429", "TOO_MANY_REQUESTS"):
            return error
        self._state.throttled = min(self._state.throttled + 1, 10)
        after_s = max(error.after_s, min(2.0**self._state.throttled, LONGEST_HOLD_S))
        self._transport.budget.hold(seconds=after_s)
        return Throttled(self.system, error.why, after_s=after_s, vendor_code=error.vendor_code)

    # how an answer is judged

    def _nothing(self, answer: Answer) -> bool:
        """True for an answer that says there is nothing. Raises for one that says no."""
        if answer.status in (204, 304):
            return True
        if answer.status >= 500:
            raise Unavailable(self.system, "Zoho CRM fails by itself", vendor_code=code_of(answer) or str(answer.status))
        if answer.status >= 400:
            raise self._whole(parse_json(self.system, answer.body, answer.charset), answer.status)
        return False

    def _judge_write(self, answer: Answer) -> Sequence[Row]:
        """Answers per record, whatever the status."""
        if answer.status >= 500:
            raise Unavailable(self.system, "Zoho CRM failed during a write", vendor_code=code_of(answer) or str(answer.status))
        body = parse_json(self.system, answer.body, answer.charset)
        data = body.get("data") if isinstance(body, dict) else None
        if isinstance(data, list) and data and all(isinstance(row, dict) for row in data):
            return data
        raise self._whole(body, answer.status)

    def _judge_step(self, answer: Answer) -> Row:
        if answer.status >= 500:
            raise Unavailable(self.system, "Zoho CRM failed during a transition", vendor_code=code_of(answer) or str(answer.status))
        body = parse_json(self.system, answer.body, answer.charset)
        if not isinstance(body, dict) or not isinstance(body.get("code"), str):
            raise Garbled(self.system, "the answer to a transition has no code")
        if body["code"] in ("INVALID_TOKEN", "AUTHENTICATION_FAILURE"):
            raise self._whole(body, answer.status)
        return body

    def _whole(self, body: Any, status: int) -> CallFailed:
        """The error for a call that was refused as a whole."""
        code = str(body.get("code", "")) if isinstance(body, dict) else ""
        details = body.get("details") if isinstance(body, dict) else None
        rule = ERRORS.get(code)
        if rule is None:
            return Unavailable(self.system, f"the call failed for a reason that is not known here (HTTP {status})", vendor_code=code)
        words = rule.words + named(details)
        if rule.do is Do.REFRESH:
            return SignInExpired(self.system, words, vendor_code=code)
        if rule.do is Do.WAIT:
            return Throttled(self.system, words, after_s=2.0, vendor_code=code)
        if rule.do is Do.RETRY:
            return Unavailable(self.system, words, vendor_code=code)
        if code == "INVALID_MODULE" or (code == "INVALID_QUERY" and isinstance(details, dict) and "column_name" in details):
            next_step = "correct modules or fields in the settings, or restore it in Zoho"
            return SchemaChanged(self.system, words, vendor_code=code, next_step=next_step)
        return Refused(self.system, words, vendor_code=code, next_step=_NEXT.get(code, "see docs/connectors/crm_zoho.md, Errors"))

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()


_NEXT = {
    "OAUTH_SCOPE_MISMATCH": "make a refresh token with all scopes of docs/connectors/crm_zoho.md",
    "NO_PERMISSION": "give the user's profile this right in Zoho, Setup, Profiles",
    "AUTHORIZATION_FAILED": "give the user's profile API access in Zoho, Setup, Profiles",
    "FEATURE_NOT_SUPPORTED": "choose another route in the settings, or another edition",
}
