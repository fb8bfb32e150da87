"""Save, Draft and BatchSave of one document: rules, defaults, checks, numbers, and what is worked out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.erp_kingdee.answers import MsgCode, Problem, Refused
from sandbox.erp_kingdee.forms import EMPTY_REFERENCE, FORMS, ZERO, Field, Form
from sandbox.erp_kingdee.models import Line, Model, Resolver, drop_misordered_prices, fill, take_apart
from sandbox.erp_kingdee.money import recompute
from sandbox.erp_kingdee.settings import Settings
from sandbox.erp_kingdee.store import Doc, Store, new_doc
from sandbox.erp_kingdee.values import flag, now_text

_ORG = "ORG_Organizations"
_ORG_FIELDS = {
    "SAL_OUTSTOCK": ("FSaleOrgId", "FStockOrgId", "FSettleOrgID"),
    "SAL_RETURNSTOCK": ("FSaleOrgId", "FStockOrgId", "FSettleOrgId"),
    "AR_receivable": ("FSETTLEORGID", "FSALEORGID", "FPAYORGID"),
    "AR_RECEIVEBILL": ("FSETTLEORGID", "FPAYORGID", "FSALEORGID"),
    "AR_REFUNDBILL": ("FSETTLEORGID", "FPAYORGID", "FSALEORGID"),
    "AR_OtherRecAble": ("FSETTLEORGID", "FPAYORGID", "FSALEORGID"),
    "BD_Customer": ("FUseOrgId", "FCreateOrgId"),
    "BD_MATERIAL": ("FUseOrgId", "FCreateOrgId"),
}
"""Organisation fields that take each other's value when only one is given."""
_FOLLOWS = {
    "FReceiveId": "FCustId",
    "FSettleId": "FCustId",
    "FChargeId": "FCustId",
    "FReceiverID": "FCustomerID",
    "FPayerID": "FCustomerID",
    "FSettleID": "FCustomerID",
    "FPAYUNIT": "FCONTACTUNIT",
    "FSETTLECUR": "FCURRENCYID",
}
"""Fields that a form fills from another one when they are empty."""
_TABLES = {form.table: form for form in FORMS.values() if form.table}


@dataclass(frozen=True, slots=True)
class Options:
    """The switches of a Save, with the ERP's own defaults."""

    only: frozenset[str] | None = None
    """Lower-case keys that an update is restricted to; None for all."""
    delete_entries: bool = True
    verify: bool = False
    number_search: bool = True
    auto_adjust: bool = False
    validate: bool = True
    draft: bool = False
    privileged: bool = False
    """A user's own edit through the control door: read-only fields may be set, audited documents changed."""

    @staticmethod
    def of(data: Mapping[str, Any], *, draft: bool = False) -> Options:
        """From the `data` of a Save call, keys in any case."""
        given = {str(key).lower(): value for key, value in data.items()}
        only = given.get("needupdatefields") or []
        if isinstance(only, str):
            only = [part for part in only.split(",") if part.strip()]
        return Options(
            only=frozenset(str(key).strip().lower() for key in only) or None,
            delete_entries=flag(given.get("isdeleteentry"), default=True),
            verify=flag(given.get("isverifybasedatafield")),
            number_search=flag(given.get("numbersearch"), default=True),
            auto_adjust=flag(given.get("isautoadjustfield")),
            validate=flag(given.get("validateflag"), default=True),
            draft=draft,
        )


@dataclass(slots=True)
class Saved:
    """A document that was saved."""

    doc: Doc
    created: bool
    problems: list[Problem] = field(default_factory=list)


class Saving:
    """Saves documents. Every method raises Refused, and the caller's transaction then keeps nothing."""

    def __init__(self, store: Store, settings: Settings, back_s: Callable[[str], float]) -> None:
        self.store, self.settings, self._back_s = store, settings, back_s

    def stamp(self, form: Form) -> str:
        """The change time of what is written now."""
        return now_text(ms=self.settings.stamps_ms, back_s=self._back_s(form.id))

    def save(self, form: Form, model: Mapping[str, Any], options: Options) -> Saved:
        """Create or change one document."""
        if not form.writable:
            raise Refused(f"{form.title}不支持保存操作", MsgCode.NO_OPERATION)
        taken = take_apart(form, model, strict=not options.privileged)
        doc, created = self._start(form, taken, options)
        resolver = Resolver(self.store, options.verify, options.number_search, only=None if created else options.only)
        self._apply(doc, taken, options, resolver, created=created)
        self.complete(doc, created=created)
        if resolver.problems:
            raise Refused(resolver.problems, MsgCode.INVALID)
        if options.validate and not options.draft:
            self._check_required(doc)
        self._number(doc, created=created)
        self.recompute(doc, self._discounts_entered(doc, taken))
        self._stamps(doc, options, created=created)
        self.store.put(doc)
        return Saved(doc, created)

    def _start(self, form: Form, taken: Model, options: Options) -> tuple[Doc, bool]:
        if taken.key is None:
            doc = new_doc(form)
            doc.id = self.store.new_id(form)
            return doc, True
        found = self.store.get(form, taken.key)
        if found is None:
            raise Refused(f"{form.title}中不存在内码为{taken.key}的数据", MsgCode.NO_DATA, form.pk)
        free = options.privileged or (form.base and self.settings.edit_audited_base_data)
        if found.status == "C" and not free:
            raise Refused(f"单据已审核，不允许修改：{form.title}“{found.number}”", MsgCode.WRONG_STATE)
        if found.status == "B" and not options.privileged:
            raise Refused(f"单据审核中，不允许修改：{form.title}“{found.number}”", MsgCode.WRONG_STATE)
        return found, False

    # values

    def _apply(self, doc: Doc, taken: Model, options: Options, resolver: Resolver, *, created: bool) -> None:
        form = doc.form
        orgs = [(f, v) for f, v in taken.head if f.form == _ORG]
        rest = [(f, v) for f, v in taken.head if f.form != _ORG]
        fill(doc.head, orgs, lambda _: 0, resolver, privileged=options.privileged)
        self.share_orgs(doc)
        fill(doc.head, rest, lambda f: self.org_of(doc, f), resolver, privileged=options.privileged)
        for number, lines in taken.lists.items():
            key = form.entities[number].key.lower()
            if resolver.only is None or key in resolver.only:
                self._lines(doc, number, lines, options, resolver, created=created)

    def org_of(self, doc: Doc, f: Field) -> Any:
        """The organisation that a reference of `doc` is looked up in."""
        key = f.scope or doc.form.org
        return doc.get(key) if key and doc.form.has(key) else 0

    @staticmethod
    def share_orgs(doc: Doc) -> None:
        """Give a document's empty organisation fields the first one that is filled."""
        places = _org_places(doc.form)
        known = next((doc.head[at] for at in places if doc.head[at]), EMPTY_REFERENCE)
        for at in places:
            if not doc.head[at]:
                doc.head[at] = known

    def _lines(self, doc: Doc, number: int, given: list[Line], options: Options, resolver: Resolver, *, created: bool) -> None:
        """Match a model's lines with the stored ones by id. Stored lines that are not named go, unless IsDeleteEntry is false."""
        form, entity = doc.form, doc.form.entities[number]
        stored = doc.lists[number - 1]
        old = {} if created else {line[0]: line for line in stored}
        only = resolver.only
        if only is not None and not any(f.key.lower() in only for item in given for f, _ in item.fields):
            resolver.only = None  # only the entity is named in NeedUpDateFields: all its fields
        named: list[list[Any]] = []
        for item in given:
            line = old.get(item.id)
            if item.id and line is None and not created and not options.privileged:
                raise Refused(f"单据体“{entity.title}”中不存在内码为{item.id}的分录", MsgCode.NO_DATA, entity.pk)
            if line is None:
                line = form.blank_line(number)
                line[0] = self.store.next(f"entry:{form.id}:{number}")
            fill(line, item.fields, lambda f: self.org_of(doc, f), resolver, privileged=options.privileged)
            if number == 1 and form.has("FTaxPrice") and form.has("FPrice"):
                _settle_prices(form, line, item, options)
            if item.link is not None:
                self.link(doc, line, _TABLES.get(item.link.table.upper()), item.link.bill, item.link.entry)
            named.append(line)
        resolver.only = only
        if options.delete_entries or created:
            doc.lists[number - 1] = named
        else:
            fresh = [line for line in named if line[0] not in old]
            doc.lists[number - 1] = stored + fresh
        for seq, line in enumerate(doc.lists[number - 1], 1):
            line[1] = seq

    # links

    def link(self, doc: Doc, line: list[Any], source_form: Form | None, bill: Any, entry: int) -> None:
        """Join a line to the source line it was pushed from, so that the source counts it."""
        source = self.store.get(source_form, bill) if source_form is not None else None
        found = next((other for other in source.lists[0] if other[0] == entry), None) if source is not None else None
        if source is None or found is None:
            raise Refused(f"关联关系无效：源单{bill}的分录{entry}不存在", MsgCode.INVALID)
        if source.status != "C":
            raise Refused(f"源单“{source.number}”未审核，不允许关联", MsgCode.WRONG_STATE)
        set_link(doc, line, source, found)

    def infer_links(self, doc: Doc) -> None:
        """Links of a user's own shipment or return, made from the order number and line it names."""
        names = {"SAL_OUTSTOCK": ("FSoorDerno", "FMaterialID"), "SAL_RETURNSTOCK": ("FOrderNo", "FMaterialId")}.get(doc.form.id)
        if names is None:
            return
        form, orders = doc.form, FORMS["SAL_SaleOrder"]
        for line in doc.lists[0]:
            number = line[form.at(names[0])]
            if not number or line[form.at("FSrcEntryId")]:
                continue
            for order in self.store.by_number(orders, number):
                material, entry = line[form.at(names[1])], line[form.at("FSOEntryId")]
                at = orders.at("FMaterialId")
                found = next((o for o in order.lists[0] if o[0] == entry), None) or next(
                    (o for o in order.lists[0] if o[at] == material), None
                )
                if found is not None:
                    set_link(doc, line, order, found)

    # defaults, checks, numbers, stamps

    def complete(self, doc: Doc, *, created: bool = True) -> None:
        """Fill what a form fills by itself: organisations, partner roles, the standard bill type, the shared id."""
        form = doc.form
        self.share_orgs(doc)
        for at, source in _follow_places(form):
            if not doc.head[at]:
                doc.head[at] = doc.head[source]
        if form.has("FBillTypeID") and not doc.get("FBillTypeID") and form.id in BILL_TYPES:
            doc.set("FBillTypeID", self.store.numbers["BOS_BillType"].resolve(BILL_TYPES[form.id], 0, exact_org=False) or 0)
        if created and form.has("FMasterId") and not doc.get("FMasterId"):
            doc.set("FMasterId", doc.id)
        doc.set(form.pk, doc.id)

    def _check_required(self, doc: Doc) -> None:
        problems = [Problem(f"字段“{f.title}”是必填项", f.key) for f in doc.form.entities[0].fields if f.must and not doc.head[f.at]]
        for entity, lines in zip(doc.form.entities[1:], doc.lists, strict=True):
            must = [f for f in entity.fields if f.must]
            problems += [Problem(f"第{line[1]}行字段“{f.title}”是必填项", f.key) for line in lines for f in must if not line[f.at]]
        if doc.lists and not doc.form.base and not doc.lists[0]:
            problems.append(Problem(f"单据体“{doc.form.entities[1].title}”至少需要一行", doc.form.entities[1].key))
        if problems:
            raise Refused(problems, MsgCode.INVALID)

    def _number(self, doc: Doc, *, created: bool) -> None:
        form = doc.form
        if not form.number:
            return
        number = str(doc.get(form.number) or "").strip()
        if not number or (created and not form.base and not self.settings.manual_numbers):
            doc.set(form.number, self.next_number(form))
            return
        doc.set(form.number, number)
        for other in self.store.by_number(form, number):
            if other.id != doc.id and not (form.copies and other.get("FUseOrgId") != doc.get("FUseOrgId")):
                word = "编码" if form.base else "单据编号"
                raise Refused(f"{form.title}{word}“{number}”已存在", MsgCode.INVALID, form.number)

    def next_number(self, form: Form) -> str:
        """The next automatic number that nobody took by hand."""
        while True:
            number = f"{form.prefix}{self.store.next(f'number:{form.id}', first=1):06d}"
            if not self.store.by_number(form, number):
                return number

    def currency_places(self, currency: Any) -> Decimal:
        """The smallest amount of a currency, by its id: 0.01 where nothing else is said."""
        doc = self.store.get(FORMS["BD_Currency"], currency) if currency else None
        return Decimal(1).scaleb(-int(doc.get("FAMOUNTDIGITS"))) if doc is not None else Decimal("0.01")

    def recompute(self, doc: Doc, discounts: frozenset[int] = frozenset()) -> None:
        """Work out the figures; `discounts` are positions of lines whose discount was entered as an amount."""
        recompute(doc, self.currency_places, discounts.__contains__)

    @staticmethod
    def _discounts_entered(doc: Doc, taken: Model) -> frozenset[int]:
        given = taken.lists.get(1, [])
        by_id = {line[0]: number for number, line in enumerate(doc.lists[0])} if doc.lists else {}
        found: set[int] = set()
        for number, item in enumerate(given):
            values = {f.key.lower(): value for f, value in item.fields}
            if "fdiscount" in values and not float(str(values.get("fdiscountrate") or 0)):
                found.add(by_id.get(item.id, number))
        return frozenset(found)

    def _stamps(self, doc: Doc, options: Options, *, created: bool) -> None:
        form, now = doc.form, self.stamp(doc.form)
        if created:
            doc.set("FCreateDate", now)
            doc.set("FDocumentStatus", "Z" if options.draft else "A")
        elif options.draft or doc.status == "Z":
            doc.set("FDocumentStatus", "Z" if options.draft else "A")
        if form.has("FModifyDate") and (created or ("draft" if options.draft else "save") in self.settings.modify_moves_on):
            doc.set("FModifyDate", now)


BILL_TYPES = {
    "SAL_SaleOrder": "XSDD01_SYS",
    "SAL_DELIVERYNOTICE": "FHTZD01_SYS",
    "SAL_OUTSTOCK": "XSCKD01_SYS",
    "SAL_RETURNSTOCK": "XSTHD01_SYS",
    "AR_receivable": "YSD01_SYS",
    "AR_RECEIVEBILL": "SKDLX01_SYS",
    "AR_REFUNDBILL": "SKTKDLX01_SYS",
    "AR_OtherRecAble": "QTYSD01_SYS",
}
"""Standard bill type of each form: the default of its FBillTypeID."""


@functools.cache
def _org_places(form: Form) -> tuple[int, ...]:
    return tuple(form.at(key) for key in _ORG_FIELDS.get(form.id, ()))


@functools.cache
def _follow_places(form: Form) -> tuple[tuple[int, int], ...]:
    fields = ((form.by_key.get(key.lower()), form.by_key.get(source.lower())) for key, source in _FOLLOWS.items())
    return tuple((f.at, source.at) for f, source in fields if f is not None and source is not None and not f.entity)


def _settle_prices(form: Form, line: list[Any], item: Line, options: Options) -> None:
    """Of the two prices the one that was sent leads: the other is worked out from it."""
    sent = {f.key for f, _ in item.fields if f.key in ("FPrice", "FTaxPrice")}
    if len(sent) == 1:
        other = "FTaxPrice" if "FPrice" in sent else "FPrice"
        line[form.at(other)] = ZERO
    if not options.auto_adjust and not options.privileged:
        drop_misordered_prices(line, item.fields)


def set_link(doc: Doc, line: list[Any], source: Doc, found: list[Any]) -> None:
    """Write into a line which line of which document it came from, and the order behind that."""
    form, origin = doc.form, source.form
    is_order = origin.id == "SAL_SaleOrder"
    order_keys = [key for key in ("FSoorDerno", "FOrderNo", "FORDERNUMBER") if origin.has(key)]
    number = source.number if is_order else found[origin.at(order_keys[0])] if order_keys else ""
    entry = found[0] if is_order else found[origin.at("FSOEntryId")] if origin.has("FSOEntryId") else 0
    values = {
        "FSrcEntryId": found[0],
        "FSrcType": origin.id,
        "FSOURCETYPE": origin.id,
        "FSrcBillNo": source.number,
        "FSourceBillNo": source.number,
        "FSoorDerno": number,
        "FOrderNo": number,
        "FORDERNUMBER": number,
        "FSOEntryId": entry,
    }
    for key, value in values.items():
        f = form.by_key.get(key.lower())
        if f is not None and f.entity == 1:
            line[f.at] = value
