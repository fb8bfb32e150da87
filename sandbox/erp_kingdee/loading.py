"""Records as a user of the ERP sees and edits them: loading a world, single edits, and the dictionaries every tenant starts with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.collector import without_collector
from sandbox.core import Rejected
from sandbox.erp_kingdee.answers import Refused
from sandbox.erp_kingdee.bulk import BulkReader
from sandbox.erp_kingdee.forms import FORMS, Form, form_of
from sandbox.erp_kingdee.models import Model, Resolver, fill, take_apart
from sandbox.erp_kingdee.saving import BILL_TYPES, Options, Saving
from sandbox.erp_kingdee.states import States
from sandbox.erp_kingdee.store import Doc, Store, new_doc, transaction_of

_BATCH = 2000
_ORDER = [
    "ORG_Organizations",
    "BD_Currency",
    "BD_UNIT",
    "BD_Department",
    "BD_Empinfo",
    "BD_MATERIAL",
    "BD_SAL_PriceList",
    "BD_Customer",
    "BD_CommonContact",
]
"""Base data first, whatever the order of the world."""

DICTIONARIES: Mapping[str, Mapping[str, str]] = {
    "BD_Currency": {"PRE001": "人民币", "PRE002": "香港元", "PRE003": "欧元", "PRE004": "日本日圆", "PRE007": "美元"},
    "BD_UNIT": {"Pcs": "件", "kg": "千克", "m": "米", "box": "箱", "set": "套", "tai": "台"},
    "BD_SETTLETYPE": {
        "JSFS01_SYS": "现金",
        "JSFS02_SYS": "现金支票",
        "JSFS03_SYS": "转账支票",
        "JSFS04_SYS": "电汇",
        "JSFS06_SYS": "银行承兑汇票",
    },
    "BD_RecCondition": {"SKTJ01_SYS": "货到收款", "SKTJ02_SYS": "款到发货", "SKTJ03_SYS": "月结30天", "SKTJ05_SYS": "月结60天"},
    "BD_TaxRate": {"SL01_SYS": "13%增值税", "SL02_SYS": "9%增值税", "SL03_SYS": "6%增值税", "SL04_SYS": "零税率"},
    "BD_RateType": {"HLTX01_SYS": "固定汇率"},
    "BD_Expense": {"FYXM20": "销售返利", "FYXM21": "价格保护", "FYXM22": "市场费用"},
    "CN_RECPAYPURPOSE": {"SFKYT01_SYS": "销售收款", "SFKYT02_SYS": "预收款"},
    "BOS_BillType": {
        "XSDD01_SYS": "标准销售订单",
        "FHTZD01_SYS": "标准发货通知单",
        "XSCKD01_SYS": "标准销售出库单",
        "XSTHD01_SYS": "标准销售退货单",
        "YSD01_SYS": "标准应收单",
        "YSD02_SYS": "费用应收单",
        "SKDLX01_SYS": "销售收款单",
        "SKDLX02_SYS": "其他业务收款单",
        "SKTKDLX01_SYS": "销售业务退款单",
        "QTYSD01_SYS": "其他应收单",
    },
}
"""What a new tenant has: number -> name, by form."""
ORGS = {"100": "华东制造有限公司", "200": "华南销售有限公司"}
_AMOUNT_DIGITS = {"PRE004": 0}


class Loading:
    """Edits through the control door, and loading."""

    def __init__(self, store: Store, saving: Saving, states: States) -> None:
        self.store, self.saving, self.states = store, saving, states

    # the tenant's dictionaries

    def begin(self) -> None:
        """Add what every tenant has. Harmless when it is already there."""
        with transaction_of(self.store):
            for form_id, entries in DICTIONARIES.items():
                for number, name in entries.items():
                    if not self.store.by_number(FORMS[form_id], number):
                        self.add_entry(FORMS[form_id], number, name)

    def begin_orgs(self) -> None:
        """The two organisations of an empty tenant."""
        form = FORMS["ORG_Organizations"]
        with transaction_of(self.store):
            if not self.store.count(form):
                for number, name in ORGS.items():
                    self.add_entry(form, number, name)

    def add_entry(self, form: Form, number: str, name: str = "") -> Any:
        """A new audited entry of base data; its id."""
        doc = new_doc(form)
        doc.id = self.store.new_id(form)
        now = self.saving.stamp(form)
        for key, value in (
            (form.pk, doc.id),
            (form.number, number),
            ("FName", name or number),
            ("FDocumentStatus", "C"),
            ("FCreateDate", now),
            ("FModifyDate", now),
            ("FApproveDate", now),
            ("FMasterId", doc.id),
            ("FAMOUNTDIGITS", _AMOUNT_DIGITS.get(number, 2)),
        ):
            if form.has(key) and (key != "FMasterId" or isinstance(doc.id, int)):
                doc.set(key, value)
        self.store.put(doc)
        return doc.id

    def _grow(self, form: Form, number: str) -> Any:
        """An entry for a number that a world uses: dictionaries grow; partners, materials and price lists must be in the world."""
        if form.id in ("BD_Customer", "BD_MATERIAL", "BD_SAL_PriceList"):
            return None
        return self.add_entry(form, number)

    # loading

    def load(self, records: Mapping[str, list[dict[str, Any]]]) -> int:
        """Bulk-load records by stream; keys, states and times stay as given. Raises Rejected naming the record."""
        by_form: dict[str, list[dict[str, Any]]] = {}
        for name, docs in records.items():
            form = form_of(name)
            if form is None:
                raise Rejected(f"no form {name!r}")
            by_form.setdefault(form.id, []).extend(docs)
        order = [form_id for form_id in _ORDER if form_id in by_form] + [form_id for form_id in by_form if form_id not in _ORDER]
        with without_collector(), transaction_of(self.store):
            if "ORG_Organizations" in by_form and not self.store.count(FORMS["BD_Customer"]) and not self.store.count(FORMS["BD_MATERIAL"]):
                for org in list(self.store.all(FORMS["ORG_Organizations"])):
                    self.store.delete(org)  # the two that an empty tenant starts with
            return sum(self._load(FORMS[form_id], by_form[form_id]) for form_id in order)

    def _load(self, form: Form, docs: list[dict[str, Any]]) -> int:
        if form.has("FParentID") or form.id == "BD_Customer":
            docs = self._parents_first(form, docs)
        reader = BulkReader(form, self.store, self.saving, self._grow)
        for start in range(0, len(docs), _BATCH):
            self.store.put_many(form, [reader.read(native) for native in docs[start : start + _BATCH]])
        reader.move_counters()
        return len(docs)

    @staticmethod
    def _parents_first(form: Form, docs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        key = "FParentID" if form.has("FParentID") else "FGROUPCUSTID"
        return sorted(docs, key=lambda doc: bool(doc.get(key)))

    def _fill(self, doc: Doc, taken: Model, resolver: Resolver) -> None:
        orgs = [(f, v) for f, v in taken.head if f.form == "ORG_Organizations"]
        fill(doc.head, orgs, lambda _: 0, resolver, privileged=True)
        self.saving.complete(doc)
        rest = [(f, v) for f, v in taken.head if f.form != "ORG_Organizations"]
        fill(doc.head, rest, lambda f: self.saving.org_of(doc, f), resolver, privileged=True)

    # a user's edit

    def put(self, form: Form, native: Mapping[str, Any]) -> Doc:
        """Create or change one record as a user at a screen: by id, else by number (and use organisation), else new. Raises Rejected."""
        try:
            with transaction_of(self.store):
                return self._put(form, native)
        except Refused as error:
            raise Rejected(f"{form.id}: {error}") from error

    def _put(self, form: Form, native: Mapping[str, Any]) -> Doc:
        model = dict(native)
        existing = self.find(form, model)
        if existing is not None:
            model[form.pk] = existing.id
        elif model.get(form.pk) and not form.guid:
            raise Rejected(f"{form.id}: no record with {form.pk} {model[form.pk]}; leave it out to create one")
        wanted = str(model.pop("FDocumentStatus", "") or "")
        for key in ("FModifyDate", "FCreateDate", "FApproveDate"):
            if form.has(key):
                model.pop(key, None)
        if not form.writable:
            return self._put_bare(form, model, existing)
        counted = existing is not None and existing.status == "C" and wanted in ("", "C")
        if existing is not None and counted:
            self.states.count(existing, -1)
        saved = self.saving.save(
            form, model, Options(verify=True, delete_entries=True, privileged=True, auto_adjust=True, draft=wanted == "Z")
        )
        doc = saved.doc
        self.saving.infer_links(doc)
        self.store.put(doc)
        if counted:
            self.states.count(doc, 1)
        if existing is None and not wanted and form.base:
            wanted = "C"
        return self._to_state(doc, wanted or doc.status)

    def _put_bare(self, form: Form, model: dict[str, Any], existing: Doc | None) -> Doc:
        """A row that no one edits at a screen (stock): set as asked, and its time moved."""
        resolver = Resolver(self.store, verify=True, lenient=True, make=self._grow)
        doc = existing or new_doc(form)
        taken = take_apart(form, model, strict=False)
        doc.id = doc.id or taken.key or self.store.new_id(form)
        self._fill(doc, taken, resolver)
        doc.set(form.pk, doc.id)
        if resolver.problems:
            raise Refused(resolver.problems)
        if form.has("FUpdateTime"):
            doc.set("FUpdateTime", self.saving.stamp(form))
        self.store.put(doc)
        return doc

    def _to_state(self, doc: Doc, wanted: str) -> Doc:
        """Walk a document to the state a user left it in."""
        steps = {
            ("Z", "A"): (),
            ("A", "B"): ("submit",),
            ("A", "C"): ("submit", "approve"),
            ("D", "C"): ("submit", "approve"),
            ("D", "B"): ("submit",),
            ("B", "C"): ("approve",),
            ("B", "D"): ("cancel_assign",),
            ("C", "D"): ("unaudit",),
            ("C", "A"): ("unaudit",),
            ("B", "A"): ("cancel_assign",),
            ("C", "B"): ("unaudit", "submit"),
        }
        if wanted == doc.status:
            return doc
        if (doc.status, wanted) not in steps:
            raise Refused(f"no way from state {doc.status} to {wanted}")
        for step in steps[(doc.status, wanted)]:
            getattr(self.states, step)(doc)
        return self.store.get(doc.form, doc.id) or doc

    def find(self, form: Form, native: Mapping[str, Any]) -> Doc | None:
        """The stored record that a user's edit means."""
        key = native.get(form.pk)
        if key not in (None, "", 0):
            return self.store.get(form, key)
        number = native.get(form.number) if form.number else None
        if not number:
            return None
        found = self.store.by_number(form, str(number))
        if form.copies and len(found) > 1:
            org = native.get("FUseOrgId") or native.get("FCreateOrgId")
            wanted = org.get("FNumber") if isinstance(org, Mapping) else org
            orgs = self.store.numbers["ORG_Organizations"].number
            found = [doc for doc in found if not wanted or orgs.get(doc.get("FUseOrgId")) == str(wanted)]
        elif form.copies and found and native.get("FUseOrgId"):
            given = native["FUseOrgId"]
            wanted = given.get("FNumber") if isinstance(given, Mapping) else given
            if self.store.numbers["ORG_Organizations"].number.get(found[0].get("FUseOrgId")) != str(wanted):
                return None
        return found[0] if found else None

    def allocate(self, source: Doc, org: Any) -> Doc:
        """A copy of base data for another organisation: own id, shared FMasterId. Raises Refused."""
        form = source.form
        if not form.copies:
            raise Refused(f"{form.title}不支持分配")
        for other in self.store.by_number(form, source.number):
            if other.get("FUseOrgId") == org:
                raise Refused(f"{form.title}“{source.number}”已分配到该组织，记录已存在")
        copy = Doc(form, self.store.new_id(form), source.head.copy(), [[line.copy() for line in lines] for lines in source.lists])
        for number, lines in enumerate(copy.lists, 1):
            for line in lines:
                line[0] = self.store.next(f"entry:{form.id}:{number}")
        now = self.saving.stamp(form)
        copy.set(form.pk, copy.id)
        copy.set("FUseOrgId", org)
        copy.set("FMasterId", source.get("FMasterId") or source.id)
        copy.set("FDocumentStatus", "C" if self.saving.settings.copies_audited else "A")
        for key in ("FCreateDate", "FModifyDate"):
            copy.set(key, now)
        self.store.put(copy)
        return copy


__all__ = ["BILL_TYPES", "Loading"]
