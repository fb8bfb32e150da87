"""The services of DynamicFormService: what each call does to the store, and what it answers."""

from __future__ import annotations

import hashlib
import random
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from sandbox.core import Request
from sandbox.erp_kingdee.answers import MsgCode, Problem, Refused, Status
from sandbox.erp_kingdee.calls import Call
from sandbox.erp_kingdee.forms import FORMS, Form, form_of
from sandbox.erp_kingdee.loading import Loading
from sandbox.erp_kingdee.metadata import business_info
from sandbox.erp_kingdee.models import Shower
from sandbox.erp_kingdee.pushing import Pushing, rule_of
from sandbox.erp_kingdee.query import Querying
from sandbox.erp_kingdee.saving import Options, Saved, Saving
from sandbox.erp_kingdee.settings import Settings
from sandbox.erp_kingdee.states import States
from sandbox.erp_kingdee.store import Doc, Store, savepoint, transaction_of
from sandbox.erp_kingdee.values import flag

QUERIES = frozenset({"executebillquery", "billquery"})
STEPS = frozenset({"submit", "audit", "unaudit", "delete", "cancelassign"})
LOCKED = "业务操作与其他用户的操作冲突，请稍候再使用"


class Services:
    """Runs calls of signed-in callers. Raises Refused for what the ERP refuses as a whole."""

    def __init__(self, store: Store, settings: Settings, back_s: Callable[[str], float]) -> None:
        self.store, self.settings = store, settings
        self.saving = Saving(store, settings, back_s)
        self.states = States(store, self.saving)
        self.pushing = Pushing(store, self.saving)
        self.loading = Loading(store, self.saving, self.states)
        self.querying = Querying(store, settings, self.is_hidden)
        self.shower = Shower(store)
        self._hidden: dict[tuple[str, Any], float] = {}
        self._repeats: set[bytes] = set()
        self._tasks: dict[str, list[Any]] = {}
        self._reads: dict[str, Callable[[Call], Any]] = {
            "executebillquery": self._bill_query,
            "billquery": self._bill_query_objects,
            "view": self._view,
            "querybusinessinfo": self._business_info,
            "querygroupinfo": self._groups,
            "queryasyncresult": self._async_result,
        }
        self._writes: dict[str, Callable[[Call, Request], Any]] = {
            "save": self._save,
            "batchsave": self._batch_save,
            "draft": self._save,
            "push": self._push,
            "allocate": self._allocate,
            "executeoperation": self._operation,
            "excuteoperation": self._operation,
            "groupsave": self._group_save,
            "workflowaudit": self._workflow_audit,
            **dict.fromkeys(STEPS, self._step),
        }

    def knows(self, service: str) -> bool:
        """Whether there is such a service."""
        return service in self._reads or service in self._writes

    def run(self, call: Call, request: Request) -> Any:
        """The answer of a call, as JSON values."""
        if "lock" in request.effects:
            raise Refused(str(request.effects["lock"] or LOCKED), MsgCode.LOCKED)
        if call.service in self._reads:
            return self._read(call, request)
        request.operation = call.operation.lower() if "operation" in call.service else call.service.removeprefix("batch")
        with transaction_of(self.store):
            answer = self._writes[call.service](call, request)
        if "index_lag" in request.effects and request.created:
            self._hide(call, request)
        return answer

    def _read(self, call: Call, request: Request) -> Any:
        """A reading call; the log tells what was asked for, so that a judge can count reads of single records."""
        if call.service in QUERIES:
            request.notes["filter"] = str(call.option("FilterString") or "")[:4_000]
        answer = self._reads[call.service](call)
        if call.service == "view":
            request.notes["asked"] = [str(answer["Result"]["Result"]["Id"])]
        return answer

    def is_hidden(self, form: Form, key: Any) -> bool:
        """Whether searches do not find a record yet."""
        if not self._hidden:
            return False
        until = self._hidden.get((form.id, key))
        if until is None:
            return False
        if time.monotonic() < until:
            return True
        del self._hidden[(form.id, key)]
        return False

    def clear(self) -> None:
        """Forget what is not stored."""
        self._hidden.clear()
        self._repeats.clear()
        self._tasks.clear()

    def _hide(self, call: Call, request: Request) -> None:
        until = time.monotonic() + float(request.effects["index_lag"] or 5)
        form = form_of(request.stream) or self._form(call)
        for key in request.created:
            self._hidden[(form.id, key if form.guid else int(key))] = until

    @staticmethod
    def _form(call: Call) -> Form:
        if not call.form:
            raise Refused("FormId不能为空", MsgCode.NO_FORM)
        form = form_of(call.form)
        if form is None:
            raise Refused(f"业务对象不存在：{call.form[:60]}", MsgCode.NO_FORM)
        return form

    # reading

    def _bill_query(self, call: Call) -> Any:
        if call.form and "formid" not in {key.lower() for key in call.data}:
            call.data["FormId"] = call.form
        return self.querying.run(call.data)[1]

    def _bill_query_objects(self, call: Call) -> Any:
        keys, rows = self.querying.run(call.data)
        return [dict(zip(keys, row, strict=True)) for row in rows]

    def _view(self, call: Call) -> Any:
        form = self._form(call)
        key, number = call.option("Id"), call.option("Number")
        if key in (None, "", 0) and not number:
            raise Refused("编码值或内码值必须传其一", MsgCode.BAD_PARAMETER)
        found = self.store.get(form, key) if key not in (None, "", 0) else next(iter(self.store.by_number(form, str(number))), None)
        if found is None:
            raise Refused("传递的编码值或内码值不存在", MsgCode.NO_DATA)
        return {"Result": {"ResponseStatus": None, "Result": self.shower.viewed(found)}}

    def _business_info(self, call: Call) -> Any:
        status = Status()
        return {"Result": {"ResponseStatus": status.shown(), "NeedReturnData": business_info(self._form(call))}}

    def _groups(self, call: Call) -> Any:
        form = self._group_form(call)
        groups = [{"FID": doc.id, "FNUMBER": doc.number, "FNAME": doc.get("FName"), "FPARENTID": 0} for doc in self.store.all(form)]
        return {"Result": {"ResponseStatus": Status().shown(), "NeedReturnData": groups}}

    def _group_form(self, call: Call) -> Form:
        form = self._form(call)
        key = str(call.option("GroupFieldKey") or "")
        f = form.by_key.get(key.lower()) or form.by_key.get("fgroup") or form.by_key.get("fmaterialgroup")
        if f is None or not f.form:
            raise Refused(f"{form.title}没有分组字段{key}", MsgCode.NO_FIELD)
        return FORMS[f.form]

    # saving

    def _save(self, call: Call, request: Request) -> Any:
        form = self._form(call)
        model = call.option("Model")
        if not isinstance(model, Mapping):
            raise Refused("Model必须是JSON对象", MsgCode.BAD_PARAMETER)
        status = Status()
        self._no_repeat(call)
        saved = self._saved(form, model, call, request)
        status.done(saved.doc.id, saved.doc.number, 0)
        returned = self._returned(saved.doc, call)
        return {"Result": {"ResponseStatus": status.shown(), "Id": saved.doc.id, "Number": saved.doc.number, "NeedReturnData": [returned]}}

    def _no_repeat(self, call: Call) -> None:
        if not flag(call.option("ValidateRepeatJson")):
            return
        seen = hashlib.sha256(_bytes(call)).digest()
        if seen in self._repeats:
            raise Refused("重复提交：相同的JSON数据已经保存过", MsgCode.INVALID)
        self._repeats.add(seen)

    def _saved(self, form: Form, model: Mapping[str, Any], call: Call, request: Request) -> Saved:
        """Save one document, and submit and audit it where the caller asks for that; all or nothing."""
        with savepoint(self.store, form):
            saved = self.saving.save(form, model, Options.of(call.data, draft=call.service == "draft"))
            if flag(call.option("IsAutoSubmitAndAudit")) and call.service != "draft":
                if saved.doc.status in "AD":
                    self.states.submit(saved.doc)
                if saved.doc.status == "B":
                    self.states.audit(saved.doc)
                request.notes["auto"] = "submit,audit"
        request.written.append(str(saved.doc.id))
        if saved.created:
            request.created.append(str(saved.doc.id))
        return saved

    def _returned(self, doc: Doc, call: Call) -> dict[str, Any]:
        """NeedReturnData: the asked fields of a saved document; `FEntity.FField` fields by line."""
        wanted = call.option("NeedReturnFields") or []
        if isinstance(wanted, str):
            wanted = [part for part in wanted.split(",") if part.strip()]
        if not wanted:
            return {}
        shown = self.shower.shown(doc)
        flat = {**shown, **{k: v for key in doc.form.subs for k, v in shown.get(key, {}).items()}}
        out: dict[str, Any] = {}
        for key in map(str, wanted):
            entity, _, inner = key.partition(".")
            if inner and isinstance(shown.get(entity), list):
                rows = out.setdefault(entity, [{} for _ in shown[entity]])
                for row, line in zip(rows, shown[entity], strict=True):
                    row[inner] = next((v for k, v in line.items() if k.lower() == inner.lower()), None)
            else:
                out[key] = next((v for k, v in flat.items() if k.lower() == (inner or key).lower()), None)
        return out

    def _batch_save(self, call: Call, request: Request) -> Any:
        form = self._form(call)
        models = call.option("Model")
        if not isinstance(models, list):
            raise Refused("批量保存的Model必须是数组", MsgCode.BAD_PARAMETER)
        self._no_repeat(call)
        status = Status()
        returned: list[dict[str, Any]] = []
        failing = self._failing(len(models), request)
        for index, model in enumerate(models):
            try:
                _refuse_if(index in failing)
                saved = self._saved(form, model, call, request)
            except Refused as refused:
                status.refused(refused, index)
                continue
            status.done(saved.doc.id, saved.doc.number, index)
            returned.append(self._returned(saved.doc, call))
        self._shuffle(status, request)
        result = {"Result": {"ResponseStatus": status.shown(), "NeedReturnData": returned}}
        if str(call.top.get("beginmethod") or "").lower() == "beginqueryimpl":
            task = str(uuid.uuid4())
            self._tasks[task] = [self.settings.async_polls, result]
            return {"Status": 0, "TaskId": task, "Result": None, "Successful": True, "Message": ""}
        return result

    def _async_result(self, call: Call) -> Any:
        info = call.top.get("queryinfo")
        asked = msgspec.json.decode(info) if isinstance(info, str) else info
        name = str(asked.get("TaskId")) if isinstance(asked, dict) else ""
        task = self._tasks.get(name)
        if task is None:
            raise Refused("任务不存在", MsgCode.NO_DATA)
        if task[0] > 0:
            task[0] -= 1
            return {"Status": 1, "TaskId": name, "Result": None}
        return {"Status": 2, "TaskId": name, "Result": task[1]}

    @staticmethod
    def _failing(count: int, request: Request) -> frozenset[int]:
        """Positions that a `partial_batch` fault refuses: the last ones of the batch."""
        if "partial_batch" not in request.effects or count < 1:
            return frozenset()
        value = float(request.effects["partial_batch"] or 0.5)
        number = max(1, int(count * value)) if value < 1 else min(count, int(value))
        return frozenset(range(count - number, count))

    @staticmethod
    def _shuffle(status: Status, request: Request) -> None:
        if "shuffle_batch" in request.effects:
            order = random.Random(str(request.effects["shuffle_batch"]))
            status.entities.reverse()
            order.shuffle(status.entities)
            order.shuffle(status.errors)

    # states

    def _step(self, call: Call, request: Request) -> Any:
        return self._each(call, request, self.states.operations[call.service])

    def _each(self, call: Call, request: Request, step: Callable[[Doc], None]) -> Any:
        form, status = self._form(call), Status()
        targets = list(self._targets(form, call))
        failing = self._failing(len(targets), request)
        for index, (doc, name) in enumerate(targets):
            try:
                found = _there(doc, form, name)
                _refuse_if(index in failing)
                with savepoint(self.store, form):
                    step(found)
            except Refused as refused:
                status.refused(refused, index)
                continue
            status.done(found.id, found.number, index)
            request.written.append(str(found.id))
        self._shuffle(status, request)
        return {"Result": {"ResponseStatus": status.shown()}}

    def _targets(self, form: Form, call: Call) -> Iterable[tuple[Doc | None, str]]:
        """The documents that Numbers and Ids name. Raises Refused when neither does."""
        ids, numbers = _listed(call.option("Ids")), _listed(call.option("Numbers"))
        entries = call.option("PkEntryIds")
        if not ids and not numbers and isinstance(entries, list):
            ids = [str(entry.get("Id")) for entry in entries if isinstance(entry, dict)]
        if not ids and not numbers:
            raise Refused("编码值或内码值必须传其一", MsgCode.BAD_PARAMETER)
        for key in ids:
            yield self.store.get(form, key if form.guid or not key.lstrip("-").isdigit() else int(key)), key
        for number in numbers if not ids else []:
            found = self.store.by_number(form, number)
            yield (found[0] if found else None), number

    def _workflow_audit(self, call: Call, request: Request) -> Any:
        agreed = str(call.option("ApprovalType") or "1") == "1"
        return self._each(call, request, self.states.approve if agreed else self.states.cancel_assign)

    def _operation(self, call: Call, request: Request) -> Any:
        operation = call.operation.strip().lower()
        if not operation:
            raise Refused("操作编码不能为空", MsgCode.NO_OPERATION)
        if operation in ("close", "unclose", "mrpclose", "mrpunclose"):
            wanted = {
                str(entry.get("Id")): [int(e) for e in _listed(entry.get("EntryIds"))]
                for entry in call.option("PkEntryIds") or []
                if isinstance(entry, dict)
            }
            to = "A" if "un" in operation else "B"
            return self._each(
                call, request, lambda doc: self.states.close_lines(doc, wanted.get(str(doc.id), []), to, operation.removeprefix("mrp"))
            )
        step = self.states.operations.get(operation)
        if step is None:
            raise Refused(f"操作“{call.operation[:40]}”不存在", MsgCode.NO_OPERATION)
        return self._each(call, request, step)

    # pushing, allocating, groups

    def _push(self, call: Call, request: Request) -> Any:
        form = self._form(call)
        rule = rule_of(form.id, str(call.option("RuleId") or ""), str(call.option("TargetFormId") or ""))
        entries = frozenset(int(entry) for entry in _listed(call.option("EntryIds")))
        status, conversion = Status(), Status()
        if entries and not _listed(call.option("Ids")) and not _listed(call.option("Numbers")):
            owners = [d for d in self.store.all(form) if any(line[0] in entries for line in d.lists[0])]
            targets: list[tuple[Doc | None, str]] = [(d, d.number) for d in owners]
        else:
            targets = list(self._targets(form, call))
        request.stream = rule.target
        for index, (doc, name) in enumerate(targets):
            try:
                source = _there(doc, form, name)
                with savepoint(self.store, FORMS[rule.target]):
                    made = self.pushing.push(rule, source, entries)
            except Refused as refused:
                conversion.refused(refused, index)
                status.refused(refused, index)
                continue
            conversion.done(source.id, source.number, index)
            status.done(made.id, made.number, index)
            request.written.append(str(made.id))
            request.created.append(str(made.id))
        return {"Result": {"ResponseStatus": status.shown(), "ConvertResponseStatus": conversion.shown()}}

    def _allocate(self, call: Call, request: Request) -> Any:
        form, status = self._form(call), Status()
        orgs = self.store.numbers["ORG_Organizations"]
        keys, targets = _listed(call.option("PkIds")), _listed(call.option("TOrgIds"))
        if not keys or not targets:
            raise Refused("PkIds和TOrgIds不能为空", MsgCode.BAD_PARAMETER)
        for index, key in enumerate(keys):
            source = self.store.get(form, int(key) if key.isdigit() else key)
            for target in targets:
                try:
                    org = int(target) if target.isdigit() and int(target) in orgs.number else orgs.resolve(target, 0, exact_org=False)
                    with savepoint(self.store, form):
                        copy = self.loading.allocate(_there(source, form, key), _org(org, target))
                except Refused as refused:
                    status.refused(refused, index)
                    continue
                status.done(copy.id, copy.number, index)
                request.written.append(str(copy.id))
                request.created.append(str(copy.id))
        return {"Result": {"ResponseStatus": status.shown()}}

    def _group_save(self, call: Call, request: Request) -> Any:
        form, status = self._group_form(call), Status()
        number, name = str(call.option("FNumber") or ""), str(call.option("FName") or "")
        if not number or not name:
            raise Refused([Problem("字段“编码”和“名称”是必填项", "FNumber")], MsgCode.INVALID)
        if self.store.by_number(form, number):
            raise Refused(f"分组编码“{number}”已存在", MsgCode.INVALID)
        key = self.loading.add_entry(form, number, name)
        request.notes["group"] = number
        status.done(key, number, 0)
        return {"Result": {"ResponseStatus": status.shown(), "Id": key, "Number": number}}


def _there(doc: Doc | None, form: Form, name: str) -> Doc:
    if doc is None:
        raise Refused(f"{form.title}中不存在“{name}”", MsgCode.NO_DATA)
    return doc


def _org(key: Any, name: str) -> Any:
    if key is None:
        raise Refused(f"组织“{name}”不存在", MsgCode.NO_DATA)
    return key


def _refuse_if(failing: object) -> None:
    """Act out a `partial_batch` fault."""
    if failing:
        raise Refused("数据校验失败：该数据正被其他用户修改", MsgCode.INVALID)


def _bytes(call: Call) -> bytes:
    return call.form.encode() + msgspec.json.encode(call.data)


def _listed(value: Any) -> list[str]:
    """Numbers (a list) or Ids (a comma-separated text): both spellings are taken for both."""
    if value is None or value == "":
        return []
    parts = value if isinstance(value, list) else str(value).split(",")
    return [str(part).strip() for part in parts if str(part).strip()]
