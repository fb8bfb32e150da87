"""The document states, and everything that moves a document between them or writes back to another one.

Z draft · A created · B in approval · C approved · D to be approved again. Only C counts for delivered quantities and stock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from sandbox.erp_kingdee.answers import MsgCode, Refused
from sandbox.erp_kingdee.forms import FORMS, Form, number_value
from sandbox.erp_kingdee.saving import Saving
from sandbox.erp_kingdee.store import Doc, Store

_NAMES = {"Z": "暂存", "A": "创建", "B": "审核中", "C": "已审核", "D": "重新审核"}
_DOWNSTREAM = {
    "SAL_SaleOrder": (("SAL_DELIVERYNOTICE", "FSrcEntryId"), ("SAL_OUTSTOCK", "FSrcEntryId")),
    "SAL_DELIVERYNOTICE": (("SAL_OUTSTOCK", "FSrcEntryId"),),
    "SAL_OUTSTOCK": (("SAL_RETURNSTOCK", "FSrcEntryId"), ("AR_receivable", "FSrcEntryId")),
}


class States:
    """Moves documents between states. Every method raises Refused."""

    def __init__(self, store: Store, saving: Saving) -> None:
        self.store, self.saving, self.settings = store, saving, saving.settings
        self.operations: dict[str, Callable[[Doc], None]] = {
            "submit": self.submit,
            "audit": self.audit,
            "unaudit": self.unaudit,
            "cancelassign": self.cancel_assign,
            "delete": self.delete,
            "forbid": lambda doc: self._flag(doc, "FForbidStatus", "B", "forbid", "已禁用"),
            "enable": lambda doc: self._flag(doc, "FForbidStatus", "A", "enable", "未禁用"),
            "cancel": lambda doc: self._cancel(doc, "B"),
            "uncancel": lambda doc: self._cancel(doc, "A"),
            "billclose": lambda doc: self._close(doc, "B", "billclose"),
            "billunclose": lambda doc: self._close(doc, "A", "billunclose"),
            "ylbillclose": lambda doc: self._close(doc, "B", "billclose"),
            "ylunbillclose": lambda doc: self._close(doc, "A", "billunclose"),
        }

    def submit(self, doc: Doc) -> None:
        """Z, A or D -> B."""
        self._need(doc, "ZAD", "提交", "单据已提交" if doc.status == "B" else "单据已审核")
        doc.set("FDocumentStatus", "B")
        self._keep(doc, "submit")

    def audit(self, doc: Doc) -> None:
        """B -> C; counts from now on."""
        if doc.form.id in self.settings.workflow_forms:
            raise Refused(f"{doc.form.title}“{doc.number}”已启用工作流，请通过工作流审批", MsgCode.WRONG_STATE)
        self.approve(doc)

    def approve(self, doc: Doc) -> None:
        """What Audit and the last step of a workflow do."""
        self._need(doc, "B", "审核", "单据已审核" if doc.status == "C" else "单据未提交")
        if doc.form.has("FCancelStatus") and doc.get("FCancelStatus") == "B":
            raise Refused(f"单据已作废，不允许审核：“{doc.number}”", MsgCode.WRONG_STATE)
        doc.set("FDocumentStatus", "C")
        doc.set("FApproveDate", self.saving.stamp(doc.form))
        if doc.form.has("FAuditStatus"):
            doc.set("FAuditStatus", "A")
        self._keep(doc, "audit")
        self.count(doc, 1)

    def unaudit(self, doc: Doc) -> None:
        """C -> D; counts no more."""
        self._need(doc, "C", "反审核", "单据未审核")
        if doc.form.has("FCloseStatus") and doc.get("FCloseStatus") == "B":
            raise Refused(f"单据已关闭，不允许反审核：“{doc.number}”", MsgCode.WRONG_STATE)
        if self.has_downstream(doc):
            raise Refused(f"单据“{doc.number}”存在下游单据，不允许反审核", MsgCode.WRONG_STATE)
        doc.set("FDocumentStatus", "D")
        if self.settings.unaudit_clears_approve_date:
            doc.set("FApproveDate", None)
        self._keep(doc, "unaudit")
        self.count(doc, -1)

    def cancel_assign(self, doc: Doc) -> None:
        """B -> D."""
        self._need(doc, "B", "撤销", "单据不在审核中")
        doc.set("FDocumentStatus", "D")
        self._keep(doc, "cancelassign")

    def delete(self, doc: Doc) -> None:
        """Remove a document that was never approved, or is to be approved again."""
        if doc.status not in "ZAD":
            raise Refused(f"只能删除创建、暂存、重新审核状态的数据：{doc.form.title}“{doc.number}”", MsgCode.WRONG_STATE)
        if doc.form.base and self._used(doc):
            raise Refused(f"{doc.form.title}“{doc.number}”已被引用，不允许删除", MsgCode.INVALID)
        self.store.delete(doc)

    def close_lines(self, doc: Doc, entries: Iterable[int], to: str, operation: str) -> None:
        """Close or open chosen lines; the head follows when all its lines are closed."""
        if not doc.form.has("FMrpCloseStatus"):
            raise Refused(f"{doc.form.title}没有操作{operation}", MsgCode.NO_OPERATION)
        self._need(doc, "C", "行关闭", "单据未审核")
        wanted, at = set(entries), doc.form.at("FMrpCloseStatus")
        for line in doc.lists[0]:
            if not wanted or line[0] in wanted:
                line[at] = to
        doc.set("FCloseStatus", "B" if all(line[at] == "B" for line in doc.lists[0]) else "A")
        self._keep(doc, operation)

    # helpers

    def _need(self, doc: Doc, states: str, verb: str, why: str) -> None:
        if not doc.form.has("FDocumentStatus"):
            raise Refused(f"{doc.form.title}没有操作{verb}", MsgCode.NO_OPERATION)
        if doc.status not in states:
            raise Refused(
                f"{why}，不允许{verb}：{doc.form.title}“{doc.number}”当前状态为{_NAMES.get(doc.status, doc.status)}", MsgCode.WRONG_STATE
            )

    def _keep(self, doc: Doc, operation: str) -> None:
        if operation in self.settings.modify_moves_on and doc.form.has("FModifyDate"):
            doc.set("FModifyDate", self.saving.stamp(doc.form))
        self.store.put(doc)

    def _flag(self, doc: Doc, key: str, to: str, operation: str, already: str) -> None:
        if not doc.form.has(key):
            raise Refused(f"{doc.form.title}没有操作{operation}", MsgCode.NO_OPERATION)
        if doc.get(key) == to:
            raise Refused(f"{doc.form.title}“{doc.number}”{already}", MsgCode.WRONG_STATE)
        doc.set(key, to)
        self._keep(doc, operation)

    def _cancel(self, doc: Doc, to: str) -> None:
        if to == "B" and doc.status not in "ZAD":
            raise Refused(f"只有未审核的单据才能作废：{doc.form.title}“{doc.number}”", MsgCode.WRONG_STATE)
        self._flag(doc, "FCancelStatus", to, "cancel" if to == "B" else "uncancel", "已作废" if to == "B" else "未作废")

    def _close(self, doc: Doc, to: str, operation: str) -> None:
        self._need(doc, "C", "关闭" if to == "B" else "反关闭", "单据未审核")
        self._flag(doc, "FCloseStatus", to, operation, "已关闭" if to == "B" else "未关闭")
        if doc.form.has("FMrpCloseStatus"):
            at = doc.form.at("FMrpCloseStatus")
            for line in doc.lists[0]:
                line[at] = to
            self.store.put(doc)

    def has_downstream(self, doc: Doc) -> bool:
        """Whether any document came from this one."""
        entries = {line[0] for line in doc.lists[0]} if doc.lists else set()
        for form_id, key in _DOWNSTREAM.get(doc.form.id, ()):
            form = FORMS[form_id]
            at = form.at(key)
            source = next((k for k in ("FSrcBillNo", "FSourceBillNo") if form.has(k)), "")
            for other in self._of_customer(form, doc):
                if any(line[at] in entries and (not source or line[form.at(source)] in ("", doc.number)) for line in other.lists[0]):
                    return True
        return False

    def _of_customer(self, form: Form, doc: Doc) -> Iterable[Doc]:
        """Documents of a form that have the same customer: what a document's followers are looked for among."""
        keys = ("FCustId", "FCustomerID", "FRetcustId", "FCUSTOMERID")
        mine = next((doc.get(key) for key in keys if doc.form.has(key)), 0)
        theirs = next((f.key for f in (form.by_key.get(key.lower()) for key in keys) if f is not None), "")
        return self.store.all(form, f'WHERE "{theirs}" = ?', (mine,)) if theirs and mine else self.store.all(form)

    def _used(self, doc: Doc) -> bool:
        for form in FORMS.values():
            for f in form.entities[0].fields:
                if (
                    f.form == doc.form.id
                    and f.key in form.columns
                    and self.store.exists(form, f'WHERE "{f.key}" = ? AND id <> ?', (doc.id, doc.id))
                ):
                    return True
        return False

    # what approved documents move

    def count(self, doc: Doc, sign: int) -> None:
        """Write an approved (+1) or retracted (-1) document back to the documents and the stock it concerns."""
        if doc.form.id == "SAL_OUTSTOCK":
            self._count_shipment(doc, sign)
        elif doc.form.id == "SAL_RETURNSTOCK":
            self._count_back(doc, "FRealQty", "FReturnQty", sign)
            self._stock(doc, "FMaterialId", "FStockId", sign)
        elif doc.form.id == "SAL_DELIVERYNOTICE":
            self._count_back(doc, "FQty", "FDeliQty", sign)

    def _count_shipment(self, doc: Doc, sign: int) -> None:
        for order in self._count_back(doc, "FRealQty", "FStockOutQty", sign):
            form = order.form
            out, qty, rest, closed = (form.at(key) for key in ("FStockOutQty", "FQty", "FRemainOutQty", "FMrpCloseStatus"))
            for line in order.lists[0]:
                line[rest] = number_value(line[qty] - line[out])
                if self.settings.close_when_shipped:
                    line[closed] = "B" if line[out] >= line[qty] else "A"
            if self.settings.close_when_shipped:
                order.set("FCloseStatus", "B" if all(line[closed] == "B" for line in order.lists[0]) else "A")
            self.store.put(order)
        self._stock(doc, "FMaterialID", "FStockID", -sign)

    def _count_back(self, doc: Doc, qty: str, into: str, sign: int) -> list[Doc]:
        """Add linked lines' quantities to their order lines. FModifyDate of the order stays. The orders touched."""
        form, orders = doc.form, FORMS["SAL_SaleOrder"]
        number_at = form.at("FSoorDerno" if form.has("FSoorDerno") else "FOrderNo")
        touched: dict[Any, Doc] = {}
        for line in doc.lists[0]:
            if not line[form.at("FSrcEntryId")]:
                continue  # without a link nothing is counted
            for found in self.store.by_number(orders, line[number_at]):
                order = touched.setdefault(found.id, found)
                for target in order.lists[0]:
                    if target[0] == line[form.at("FSOEntryId")]:
                        target[orders.at(into)] = number_value(target[orders.at(into)] + sign * line[form.at(qty)])
        for order in touched.values():
            self.store.put(order)
        return list(touched.values())

    def _stock(self, doc: Doc, material: str, stock: str, sign: int) -> None:
        if not self.settings.move_stock:
            return
        form, inventory = doc.form, FORMS["STK_Inventory"]
        for line in doc.lists[0]:
            moved: Decimal = sign * line[form.at("FRealQty")]
            sql = 'WHERE "FMaterialId" = ? AND "FStockId" = ? AND "FStockOrgId" = ?'
            for row in self.store.all(inventory, sql, (line[form.at(material)], line[form.at(stock)], doc.get("FStockOrgId"))):
                for key in ("FQty", "FAVBQty", "FBaseQty", "FBaseAVBQty"):
                    row.set(key, number_value(row.get(key) + moved))
                row.set("FUpdateTime", self.saving.stamp(inventory))
                self.store.put(row)
                break
