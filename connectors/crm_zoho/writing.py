"""Writing to a module: one receipt per change, judged by id, by the place that an error names and by the hub's key, never by luck.

Zoho answers in the order of the request, but only an update's answer shows whose it is. So what was created together is read back in one
call and told apart by the hub's key; the same call gives the whole record, with the rows' ids and what Zoho recomputed, for the receipt.

Modules without lines are created by an upsert on the hub's key, and price books, whose rows are written apart. Modules with lines are
created by an insert: an upsert that finds the record would add all rows a second time, while an insert runs into the unique hub key and is
answered with the record that has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.base import Change, Outcome, Receipt, Record
from connectors.crm_zoho.answers import Row, named
from connectors.crm_zoho.blueprint import Blueprint
from connectors.crm_zoho.client import ZohoClient
from connectors.crm_zoho.errors import ERRORS
from connectors.crm_zoho.prices import Prices
from connectors.crm_zoho.query import chunks
from connectors.crm_zoho.reading import Reader
from connectors.crm_zoho.streams import BATCH, Module
from connectors.errors import CallFailed, Do, Throttled, Unavailable, Uncertain

_PLACE = re.compile(r"\$\.data\[(\d+)\]")
_OUTCOMES: Mapping[Do, Outcome] = {
    Do.RETRY: Outcome.RETRY,
    Do.WAIT: Outcome.RETRY,
    Do.REFRESH: Outcome.RETRY,
    Do.BLOCK: Outcome.BLOCKED,
    Do.REJECT: Outcome.REJECTED,
    Do.FAIL: Outcome.REJECTED,
}
TIRED = "prices-later"
"""Code of a price that Zoho would not take now, so that no other of the same call is tried."""
_SEVERITY = (Outcome.UNCERTAIN, Outcome.REJECTED, Outcome.BLOCKED, Outcome.RETRY)
"""Of several errors of one record, the one that decides."""


@dataclass(frozen=True, slots=True)
class _Answered:
    """The answers to one call, laid beside the changes they belong to."""

    receipts: dict[str, Receipt]
    fresh: Sequence[str]
    """Ids of successes whose change is not known yet."""


class Writer:
    """Writes one module."""

    def __init__(self, client: ZohoClient, module: Module, reader: Reader) -> None:
        self._client, self._module, self._reader = client, module, reader
        self._blueprint = Blueprint(client, module)
        self._declared = {info.name for info in module.stream.fields} | {f"{module.lines}._delete"}

    def write(self, changes: Sequence[Change]) -> list[Receipt]:
        """One step for each change. Raises CallFailed only when nothing at all was done."""
        step = changes[0].step if changes else ""
        if any(change.step != step for change in changes):
            raise ValueError("all changes of a call must have the same step")
        if step == "save":
            return self._save(changes)
        if step == "delete":
            return self._delete(changes)
        fixed = {"deactivate": self._module.deactivate, "void": self._module.void}.get(step, {})
        if not fixed:
            why = f"{self._module.api_name} has no step {step!r}"
            return [Receipt(change.id, step, Outcome.REJECTED, change.key, code="no-such-step", why=why) for change in changes]
        return self._save([replace(change, fields=dict(fixed)) for change in changes])

    # save

    def _save(self, changes: Sequence[Change]) -> list[Receipt]:
        receipts, changes = _apart(changes)
        receipts += [refused for change in changes if (refused := self._not_declared(change))]
        told = {receipt.change_id for receipt in receipts}
        changes = [change for change in changes if change.id not in told]
        calls: list[tuple[Sequence[Change], Callable[[Sequence[Change]], list[Receipt]]]] = []
        for quiet in (True, False):
            chosen = [change for change in changes if change.quiet is quiet]
            calls += [(part, self._create) for part in chunks([change for change in chosen if change.key is None], BATCH)]
            calls += [(part, self._update) for part in chunks([change for change in chosen if change.key is not None], BATCH)]
        return receipts + self._each(calls, alone=not receipts)

    def _not_declared(self, change: Change) -> Receipt | None:
        """Zoho passes over a name that it does not know and says SUCCESS, so such a value would be lost without a word."""
        names = set(change.fields)
        rows = change.fields.get(self._module.lines) if self._module.lines else None
        names |= {f"{self._module.lines}.{name}" for row in rows or () for name in row}
        if unknown := sorted(name for name in names if name not in self._declared and not name.startswith("$")):
            why = f"{self._module.api_name} has no field {', '.join(unknown)[:200]}; nothing was sent"
            return Receipt(change.id, change.step, Outcome.REJECTED, change.key, code="no-such-field", why=why)
        return None

    def _each(self, calls: Sequence[tuple[Sequence[Change], Callable[[Sequence[Change]], list[Receipt]]]], *, alone: bool) -> list[Receipt]:
        """All calls; one that fails gives receipts, unless it is the first, when certainly nothing was done yet."""
        receipts: list[Receipt] = []
        for position, (part, call) in enumerate(calls):
            try:
                receipts += call(part)
            except Uncertain as error:
                receipts += [_failed(change, Outcome.UNCERTAIN, error) for change in part]
            except CallFailed as error:
                if alone and position == 0 and len(calls) == 1:
                    raise
                again = isinstance(error, Throttled | Unavailable)
                receipts += [_failed(change, Outcome.RETRY if again else Outcome.REJECTED, error) for change in part]
        return receipts

    def _create(self, changes: Sequence[Change]) -> list[Receipt]:
        rows = [{**self._module.wire(change.fields), self._module.hub_key: change.hub_key} for change in changes]
        quiet = changes[0].quiet
        if self._module.lines and not self._module.related:
            answers = self._client.insert(self._module.api_name, rows, quiet=quiet)
        else:
            answers = self._client.upsert(self._module.api_name, rows, (self._module.hub_key,), quiet=quiet)
        alone = len(changes) == 1 and len(answers) == 1
        answered = self._lay_out(changes, answers, by_place=alone)
        records = self._look([*answered.fresh, *(r.key for r in answered.receipts.values() if r.key and r.outcome is Outcome.WRITTEN)])
        by_hub_key = {str(record.payload.get("Hub_Key") or ""): record for record in records.values()}
        receipts = dict(answered.receipts)
        for change in changes:
            record = by_hub_key.get(change.hub_key)
            told = receipts.get(change.id)
            if record is not None and record.key in (*answered.fresh, told.key if told else None):
                receipts[change.id] = self._written(change, record.key, record)
        return self._priced(changes, self._sure(changes, answers, receipts))

    def _update(self, changes: Sequence[Change]) -> list[Receipt]:
        bare = {change.id for change in changes if self._module.related and not self._module.wire(change.fields)}
        receipts = [self._written(change, change.key, None) for change in changes if change.id in bare]
        heads = [change for change in changes if change.id not in bare]
        receipts += self._update_heads(heads) if heads else []
        receipts = self._priced(changes, receipts)
        records = self._look([r.key for r in receipts if r.key and (r.outcome is Outcome.WRITTEN or self._module.related)])
        return [replace(receipt, record=records.get(receipt.key or "")) for receipt in receipts]

    def _update_heads(self, changes: Sequence[Change]) -> list[Receipt]:
        rows = [{**self._module.wire(change.fields), "id": change.key} for change in changes]
        answers = self._client.update(self._module.api_name, rows, quiet=changes[0].quiet)
        answered = self._lay_out(changes, answers, by_place=len(changes) == 1 and len(answers) == 1)
        receipts = dict(answered.receipts)
        for change in changes:
            told = receipts.get(change.id)
            if told is not None and told.code == "RECORD_IN_BLUEPRINT":
                receipts[change.id] = self._by_transitions(change, told)
        return self._sure(changes, answers, receipts)

    def _by_transitions(self, change: Change, told: Receipt) -> Receipt:
        """A value that a blueprint guards is reached through its transitions; the other values are then written as usual."""
        moved = self._blueprint.move(change)
        rest = {name: value for name, value in change.fields.items() if name != moved.field}
        if moved.outcome is not Outcome.WRITTEN:
            return replace(told, outcome=moved.outcome, code=moved.code or told.code, why=moved.why)
        if not self._module.wire(rest):
            return self._written(change, change.key, None)
        row = {**self._module.wire(rest), "id": change.key}
        answers = self._client.update(self._module.api_name, [row], quiet=change.quiet)
        receipt = self._lay_out([change], answers, by_place=True).receipts.get(change.id)
        return receipt or replace(told, outcome=Outcome.UNCERTAIN, why="the stage was reached; the rest is unknown")

    # prices of a book

    def _priced(self, changes: Sequence[Change], receipts: Sequence[Receipt]) -> list[Receipt]:
        """The same receipts after the prices of those that are written went out, too.

        A book that was just created is created, whatever becomes of its prices: what is missing differs, and is written as an update.
        """
        prices = self._reader.prices
        wanted = {change.id: change for change in changes if prices is not None and change.fields.get(self._module.lines)}
        told, tired = [], None
        for receipt in receipts:
            change = wanted.get(receipt.change_id)
            if change is None or receipt.outcome is not Outcome.WRITTEN or receipt.key is None or prices is None:
                told.append(receipt)
                continue
            worst = tired or self._price(prices, change, receipt.key)
            tired = worst if worst is not None and worst.code == TIRED else None
            if change.key is None:
                record = self._look([receipt.key]).get(receipt.key)
                told.append(replace(receipt, why=worst.why if worst else "", record=record))
            elif worst is not None:
                told.append(replace(receipt, outcome=worst.outcome, code=worst.code, why=worst.why, retry_after_s=worst.retry_after_s))
            else:
                told.append(receipt)
        return told

    def _price(self, prices: Prices, change: Change, book: str) -> Receipt | None:
        """Write a book's prices; the worst that became of one of them, None when all is well."""
        troubles: list[Receipt] = []
        done = 0
        for rows, sent in prices.steps(change):
            try:
                answers = prices.send(book, rows, sent)
            except Uncertain as error:
                troubles.append(_failed(change, Outcome.UNCERTAIN, error))
                continue
            except CallFailed as error:
                again = isinstance(error, Throttled | Unavailable)
                troubles.append(_failed(change, Outcome.RETRY if again else Outcome.REJECTED, error))
                if again:  # no use in the next call
                    troubles[-1] = replace(troubles[-1], code=TIRED)
                    break
                continue
            found = self._sure(rows, answers, self._lay_out(rows, answers, by_place=len(rows) == len(answers) == 1).receipts)
            bad = [one for one in found if one.outcome is not Outcome.WRITTEN and (sent or one.code != "INVALID_DATA")]
            done += len(found) - len(bad)
            troubles += [replace(one, why=f"product {one.key}: {one.why}") for one in bad]
        if not troubles:
            return None
        worst = min(troubles, key=lambda receipt: _SEVERITY.index(receipt.outcome))
        return replace(worst, why=f"{worst.why}; {done} prices were written, {len(troubles)} not")

    # delete

    def _delete(self, changes: Sequence[Change]) -> list[Receipt]:
        receipts = [
            Receipt(change.id, "delete", Outcome.UNCHANGED, why="the record was never created") for change in changes if change.key is None
        ]
        known = [change for change in changes if change.key is not None]
        calls: list[tuple[Sequence[Change], Callable[[Sequence[Change]], list[Receipt]]]] = []
        for quiet in (True, False):
            calls += [(part, self._drop) for part in chunks([change for change in known if change.quiet is quiet], BATCH)]
        return receipts + self._each(calls, alone=not receipts)

    def _drop(self, changes: Sequence[Change]) -> list[Receipt]:
        answers = self._client.delete(self._module.api_name, [change.key or "" for change in changes], quiet=changes[0].quiet)
        answered = self._lay_out(changes, answers, by_place=len(changes) == 1 and len(answers) == 1)
        receipts = {receipt.change_id: receipt for receipt in self._sure(changes, answers, answered.receipts)}
        for change in changes:
            if receipts[change.id].code == "INVALID_DATA":  # Zoho's answer for an id that it does not have (any more)
                receipts[change.id] = Receipt(change.id, "delete", Outcome.UNCHANGED, change.key, why="the record is not there any more")
        return list(receipts.values())

    # answers and receipts

    def _lay_out(self, changes: Sequence[Change], answers: Sequence[Row], *, by_place: bool) -> _Answered:
        """What the answers say for certain: a success by its id, an error by the place it names or the id it carries."""
        by_key = {change.key: change for change in changes if change.key is not None}
        receipts: dict[str, Receipt] = {}
        fresh: list[str] = []
        for answer in answers:
            details = answer.get("details")
            details = details if isinstance(details, dict) else {}
            key = str(details.get("id") or "")
            good = answer.get("code") == "SUCCESS" or answer.get("status") == "success"
            change = changes[0] if by_place else by_key.get(key)
            if change is None and not good:
                place = _place(details)
                change = changes[place] if place is not None and place < len(changes) else None
            if change is not None:
                receipts[change.id] = self._written(change, key or change.key, None) if good else self._refused(change, answer, details)
            elif good and key:
                fresh.append(key)
        return _Answered(receipts, fresh)

    def _sure(self, changes: Sequence[Change], answers: Sequence[Row], receipts: dict[str, Receipt]) -> list[Receipt]:
        """A receipt for every change. An answer that names nothing is taken by its place when all the others stand in theirs."""
        in_place = len(answers) == len(changes) and all(
            _stands_here(answer, receipts.get(change.id)) for change, answer in zip(changes, answers, strict=True)
        )
        for position, change in enumerate(changes):
            if change.id in receipts:
                continue
            answer = answers[position] if in_place else {}
            details = answer.get("details")
            if in_place and isinstance(details, dict) and answer.get("code") != "SUCCESS":
                receipts[change.id] = self._refused(change, answer, details)
            else:
                why = "the answer does not tell what became of this record"
                receipts[change.id] = Receipt(change.id, change.step, Outcome.UNCERTAIN, change.key, code="no-answer", why=why)
        return [receipts[change.id] for change in changes]

    def _written(self, change: Change, key: str | None, record: Record | None) -> Receipt:
        number = ""
        if record is not None and self._module.stream.number:
            number = str(record.payload.get(self._module.stream.number) or "")
        return Receipt(change.id, change.step, Outcome.WRITTEN, key, number=number, record=record)

    def _refused(self, change: Change, answer: Row, details: Mapping[str, Any]) -> Receipt:
        """The receipt for an error of one record."""
        errors = details.get("errors")
        if isinstance(errors, list) and errors and all(isinstance(error, dict) for error in errors):
            several = [self._refused(change, error, _details(error)) for error in errors]
            worst = min(several, key=lambda receipt: _SEVERITY.index(receipt.outcome))
            return replace(worst, why="; ".join(receipt.why for receipt in several))
        code = str(answer.get("code") or "")[:60]
        rule = ERRORS.get(code)
        where = named(details)
        said = str(answer.get("message") or "")[:200]
        if code == "DUPLICATE_DATA":
            return self._duplicate(change, details)
        if rule is None:
            why = f"Zoho answered {code or 'nothing known'}{where}: {said}"
            return Receipt(change.id, change.step, Outcome.UNCERTAIN, change.key, code=code, why=why)
        why = f"{rule.words}{where}: {said}" + _limits(details)
        return Receipt(change.id, change.step, _OUTCOMES[rule.do], change.key, code=code, why=why)

    def _duplicate(self, change: Change, details: Mapping[str, Any]) -> Receipt:
        """Another record has a unique value. When it is the hub's key, that record is the one we created once."""
        other = details.get("duplicate_record")
        other_id = str(other.get("id") or "") if isinstance(other, dict) else str(details.get("id") or "")
        field = str(details.get("api_name") or "")
        if field == self._module.hub_key and change.key is None:
            why = "a record with this hub key is there already; look at it before anything is repeated"
            return Receipt(change.id, change.step, Outcome.UNCERTAIN, other_id or None, code="DUPLICATE_DATA", why=why)
        why = f"another record{' ' + other_id if other_id else ''} has the same {field[:80] or 'unique value'}"
        return Receipt(change.id, change.step, Outcome.REJECTED, change.key, code="DUPLICATE_DATA", why=why)

    def _look(self, keys: Sequence[str]) -> dict[str, Record]:
        """What was just written, as it is now. A look that fails costs certainty, never a receipt."""
        if not keys:
            return {}
        try:
            return {record.key: record for record in self._reader.fresh(keys)}
        except CallFailed:
            return {}


def _apart(changes: Sequence[Change]) -> tuple[list[Receipt], list[Change]]:
    """Changes that may go in one batch, and receipts for those that carry the hub key or the id of an earlier one."""
    seen: set[str] = set()
    refused: list[Receipt] = []
    kept: list[Change] = []
    for change in changes:
        names = {f"hub {change.hub_key}", *([f"id {change.key}"] if change.key else [])}
        if names & seen:
            why = f"the hub key {change.hub_key} stands twice in one batch; it was not sent"
            refused.append(Receipt(change.id, change.step, Outcome.RETRY, change.key, code="twice-in-batch", why=why))
        else:
            seen |= names
            kept.append(change)
    return refused, kept


def _failed(change: Change, outcome: Outcome, error: CallFailed) -> Receipt:
    after_s = error.after_s if isinstance(error, Throttled) else None
    return Receipt(change.id, change.step, outcome, change.key, code=error.vendor_code or error.code, why=error.why, retry_after_s=after_s)


def _details(answer: Row) -> Mapping[str, Any]:
    details = answer.get("details")
    return details if isinstance(details, dict) else {}


def _place(details: Mapping[str, Any]) -> int | None:
    """Which record of the request an error is about, where it says so."""
    if match := _PLACE.match(str(details.get("json_path") or "")):
        return int(match.group(1))
    index = details.get("resource_path_index")
    return index if isinstance(index, int) and not isinstance(index, bool) and index >= 0 else None


def _stands_here(answer: Row, receipt: Receipt | None) -> bool:
    """True when nothing speaks against this answer being about this change."""
    good = answer.get("code") == "SUCCESS" or answer.get("status") == "success"
    if receipt is None:
        return not good
    if receipt.outcome is Outcome.WRITTEN:
        return good and str(_details(answer).get("id") or "") == receipt.key
    return not good


def _limits(details: Mapping[str, Any]) -> str:
    told = [f"{key.replace('_', ' ')} {str(details[key])[:40]}" for key in ("maximum_length", "expected_data_type") if details.get(key)]
    return f" ({', '.join(told)})" if told else ""
