"""Writes: from changes to models and calls, from answers to one receipt per change.

A batch is partly successful as a rule, so an answer is matched record by record: saves by `DIndex`, state steps by `Id`.
What is not in the answer is `uncertain`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from connectors.base import Change, Outcome, Receipt
from connectors.erp_kingdee.client import WAIT_S, KingdeeClient, Status
from connectors.erp_kingdee.errors import TAKEN, rule_for, says_gone
from connectors.erp_kingdee.forms import Field, Form
from connectors.erp_kingdee.reading import Reader
from connectors.errors import CallFailed, Do, Throttled, Uncertain

OUTCOMES: Mapping[Do, Outcome] = {
    Do.RETRY: Outcome.RETRY,
    Do.WAIT: Outcome.RETRY,
    Do.REFRESH: Outcome.RETRY,
    Do.BLOCK: Outcome.BLOCKED,
    Do.REJECT: Outcome.REJECTED,
    Do.FAIL: Outcome.REJECTED,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on records that exist: how it is called, and how one sees that it is done already."""

    call: Callable[[KingdeeClient, str, Sequence[str]], Status]
    shows_in: str = ""
    """Key of the state that the step moves; empty for the document status of the form."""
    done: tuple[str, ...] = ()
    """States in which there is nothing left to do."""


def _operation(name: str) -> Callable[[KingdeeClient, str, Sequence[str]], Status]:
    return lambda client, form, ids: client.execute_operation(form, name, ids)


STEPS: Mapping[str, Step] = {
    "submit": Step(KingdeeClient.submit, done=("B", "C")),
    "audit": Step(KingdeeClient.audit, done=("C",)),
    "unaudit": Step(KingdeeClient.unaudit, done=("Z", "A", "D")),
    "delete": Step(KingdeeClient.delete),
    "deactivate": Step(_operation("Forbid"), "FForbidStatus", ("B",)),
    "activate": Step(_operation("Enable"), "FForbidStatus", ("A",)),
    "void": Step(_operation("Cancel"), "FCancelStatus", ("B",)),
    "unvoid": Step(_operation("UnCancel"), "FCancelStatus", ("A",)),
    "close": Step(_operation("BillClose"), "FCloseStatus", ("B",)),
    "reopen": Step(_operation("BillUnClose"), "FCloseStatus", ("A",)),
}


class Unwritable(ValueError):
    """A field of a change that this form cannot take."""


class Writer:
    """Writes the records of one form."""

    def __init__(self, client: KingdeeClient, form: Form, reader: Reader) -> None:
        self._client, self._form, self._reader = client, form, reader

    def write(self, changes: Sequence[Change]) -> list[Receipt]:
        """One receipt per change. Raises: CallFailed only when nothing was done for any of them."""
        step = changes[0].step
        if any(change.step != step for change in changes):
            raise ValueError("all changes of one call have the same step")
        return self._save(changes) if step == "save" else self._state(step, changes)

    # --- save ---

    def _save(self, changes: Sequence[Change]) -> list[Receipt]:
        receipts: list[Receipt] = []
        ready: list[tuple[Change, dict[str, Any], tuple[str, ...]]] = []
        for change in changes:
            try:
                model, touched = model_of(self._form, change)
            except Unwritable as error:
                receipts.append(_receipt(change, Outcome.REJECTED, code="kingdee/not-writable", why=str(error)))
            else:
                ready.append((change, model, touched if change.key else ()))
        groups: dict[tuple[str, ...], list[tuple[Change, dict[str, Any]]]] = {}
        for change, model, touched in ready:
            groups.setdefault(touched, []).append((change, model))
        for touched, members in groups.items():
            receipts += self._call(
                [change for change, _ in members],
                partial(self._client.save, self._form.form, [model for _, model in members], touched),
                self._saved,
                nothing_done_yet=not receipts,
            )
        return receipts

    def _saved(self, changes: Sequence[Change], status: Status) -> list[Receipt]:
        done = _by_index(status.done, len(changes), [change.key for change in changes])
        failed = _by_index(status.errors, len(changes), [change.key for change in changes])
        receipts = []
        for index, change in enumerate(changes):
            entity = done.get(index, [None])[0]
            if entity is not None and index not in failed:
                key = str(entity.get("Id") or "") or None
                if change.key and key != change.key:
                    receipts.append(_uncertain(change, "the answer names another record"))
                else:
                    receipts.append(_receipt(change, Outcome.WRITTEN, key=key, number=str(entity.get("Number") or "")))
            elif index in failed:
                receipts.append(self._refused(change, _texts(failed[index]), status.msg_code))
            else:
                receipts.append(_uncertain(change, "the answer does not mention it"))
        return receipts

    def _refused(self, change: Change, text: str, msg_code: str) -> Receipt:
        if TAKEN in text and change.key is None and self._form.hub_key:
            return self._taken(change, text)
        rule = rule_for(text, msg_code)
        if rule is None:
            return _uncertain(change, f"an unlisted error: {text}", code=f"MsgCode {msg_code}")
        wait = WAIT_S if rule.do is Do.WAIT else None
        return _receipt(change, OUTCOMES[rule.do], code=f"MsgCode {msg_code}", why=f"{rule.words}: {text}", retry_after_s=wait)

    def _taken(self, change: Change, text: str) -> Receipt:
        """A create whose number exists: ours, when an earlier try got through; else another's."""
        try:
            ours = next(iter(self._reader.having(self._form.hub_key, [change.hub_key])), None)
        except CallFailed as error:
            return _uncertain(change, f"{text}; looking it up failed: {error.why}", code="kingdee/taken")
        if ours is None:
            return _receipt(change, Outcome.REJECTED, code="kingdee/taken", why=f"another record has it: {text}")
        return _receipt(change, Outcome.UNCERTAIN, key=ours.key, code="kingdee/taken", why="an earlier try created it")

    # --- steps ---

    def _state(self, step: str, changes: Sequence[Change]) -> list[Receipt]:
        known = STEPS.get(step)
        if known is None:
            raise ValueError(f"{self._form.form} has no step {step!r}")
        if missing := [change for change in changes if not change.key]:
            raise ValueError(f"step {step!r} of {missing[0].id} names no record")
        keys = [str(change.key) for change in changes]
        return self._call(
            changes,
            lambda: known.call(self._client, self._form.form, keys),
            lambda asked, status: self._stepped(step, known, asked, status),
            nothing_done_yet=True,
        )

    def _stepped(self, name: str, step: Step, changes: Sequence[Change], status: Status) -> list[Receipt]:
        keys = [change.key for change in changes]
        done = _by_index(status.done, len(changes), keys, by_id=True)
        failed = _by_index(status.errors, len(changes), keys, by_id=True)
        receipts: list[Receipt] = []
        doubtful: list[tuple[Change, str]] = []
        for index, change in enumerate(changes):
            if index in done:
                receipts.append(_receipt(change, Outcome.WRITTEN, number=str(done[index][0].get("Number") or "")))
            elif index in failed:
                doubtful.append((change, _texts(failed[index])))
            else:
                receipts.append(_uncertain(change, "the answer does not mention it"))
        return receipts + (self._look(name, step, doubtful, status.msg_code) if doubtful else [])

    def _look(self, name: str, step: Step, refused: Sequence[tuple[Change, str]], msg_code: str) -> list[Receipt]:
        """Refused steps may be done already: the record's state tells, not the wording of the refusal."""
        state_key = step.shows_in or self._form.status
        try:
            states = self._reader.values(state_key if name != "delete" else self._form.pk, [str(change.key) for change, _ in refused])
        except (CallFailed, KeyError):
            states = None
        receipts = []
        for change, text in refused:
            state = states.get(str(change.key)) if states is not None else None
            if states is not None and ((state is None and name == "delete") or state in step.done):
                receipts.append(_receipt(change, Outcome.UNCHANGED, why="it is in that state already"))
            elif states is not None and state is None and says_gone(text, msg_code):
                receipts.append(_receipt(change, Outcome.REJECTED, code="kingdee/gone", why="the record is not there any more"))
            else:
                receipts.append(self._refused(change, text, msg_code))
        return receipts

    # --- one call ---

    def _call(
        self,
        changes: Sequence[Change],
        call: Callable[[], Status],
        judge: Callable[[Sequence[Change], Status], list[Receipt]],
        *,
        nothing_done_yet: bool,
    ) -> list[Receipt]:
        try:
            return judge(changes, call())
        except Uncertain as error:
            return [_uncertain(change, error.why, code=error.vendor_code) for change in changes]
        except CallFailed as error:
            if nothing_done_yet:
                raise
            wait = error.after_s if isinstance(error, Throttled) else None
            return [_receipt(change, Outcome.RETRY, code=error.vendor_code, why=error.why, retry_after_s=wait) for change in changes]


def model_of(form: Form, change: Change) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The Save model of a change, and the keys it touches (`NeedUpDateFields`): its fields, and the entities they stand in.

    Raises: Unwritable for a field that is not declared or is read-only.
    """
    model: dict[str, Any] = {form.pk: _pk_value(form, change.key)} if change.key else {}
    touched: dict[str, None] = {}
    for key, value in change.fields.items():
        if form.entity and key == form.entity:
            touched[key] = None
            model[key] = [_line(form, row, touched) for row in value or ()]
        elif key != form.pk:
            _put(form, model, key, _sent(_writable(form, key, form.head), value), touched)
    if change.hub_key and form.hub_key and not change.key and form.hub_key not in change.fields:
        _put(form, model, form.hub_key, change.hub_key, touched)
    return model, tuple(touched)


def _line(form: Form, row: Mapping[str, Any], touched: dict[str, None]) -> dict[str, Any]:
    line: dict[str, Any] = {}
    for key, value in row.items():
        if key == form.entry:
            if value not in (None, "", 0, "0"):
                line[key] = int(value)
        elif key != "FSEQ":
            _put(form, line, key, _sent(_writable(form, key, form.lines), value), touched)
    return line


def _writable(form: Form, key: str, among: tuple[Field, ...]) -> Field:
    field = form.by_path.get(key if among is form.head else f"{form.entity}.{key}")
    if field is None or field.key != key:
        raise Unwritable(f"{form.form} has no field {key!r} there")
    if not field.writable:
        raise Unwritable(f"{key} of {form.form} cannot be written")
    return field


def _put(form: Form, into: dict[str, Any], key: str, value: Any, touched: dict[str, None]) -> None:
    """`A.B.FNumber` becomes nested objects; base data fields that are saved under a sub-head go there."""
    *parents, last = (form.tenant_key(part) for part in key.split("."))
    first = parents[0] if parents else last
    under = (form.write_under or {}).get(first)
    if under:
        parents = [under, *parents]
    for parent in parents:
        into = into.setdefault(parent, {})
        touched[parent] = None
    into[last] = value
    if last not in ("FNumber", "FNUMBER", "FStaffNumber"):
        touched[last] = None


def _sent(field: Field, value: Any) -> Any:
    """Null as the server takes it: it has no null for texts and references, only empty ones."""
    if value is None and field.type in ("text", "enum", "reference"):
        return ""
    return value


def _pk_value(form: Form, key: str) -> Any:
    return int(key) if form.numeric_pk else key


def _by_index(
    entries: Sequence[Mapping[str, Any]], count: int, keys: Sequence[str | None], *, by_id: bool = False
) -> dict[int, list[Mapping[str, Any]]]:
    """Entries of an answer by the change they are about. What cannot be placed is about all of them when it comes alone, or about none."""
    placed: dict[int, list[Mapping[str, Any]]] = {}
    by_key = {key: index for index, key in enumerate(keys) if key}
    for entry in entries:
        named = by_key.get(str(entry.get("Id") or ""))
        at = entry.get("DIndex")
        index = at if isinstance(at, int) and not isinstance(at, bool) else None
        if named is not None and (by_id or index is None):
            index = named
        elif count == 1:
            index = 0
        if index is not None and 0 <= index < count:
            placed.setdefault(index, []).append(entry)
    return placed


def _texts(errors: Sequence[Mapping[str, Any]]) -> str:
    parts = (": ".join(filter(None, (str(error.get("FieldName") or ""), str(error.get("Message") or "")))) for error in errors)
    return " ".join("; ".join(parts).split())[:500]


def _receipt(change: Change, outcome: Outcome, **more: Any) -> Receipt:
    return Receipt(change.id, change.step, outcome, **{"key": change.key, "number": change.number, **more})


def _uncertain(change: Change, why: str, code: str = "") -> Receipt:
    return _receipt(change, Outcome.UNCERTAIN, why=why, code=code)
