"""Push: the target document that a conversion rule makes from an audited source, linked line by line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.erp_kingdee.answers import MsgCode, Refused
from sandbox.erp_kingdee.forms import FORMS, number_value
from sandbox.erp_kingdee.saving import Saving, set_link
from sandbox.erp_kingdee.store import Doc, Store, new_doc


@dataclass(frozen=True, slots=True)
class Rule:
    """One conversion rule."""

    id: str
    source: str
    target: str
    head: Mapping[str, str]
    """Target head field -> source head field."""
    line: Mapping[str, str]
    """Target line field -> source line field, quantities apart."""
    qty: tuple[str, ...]
    """Target quantity fields; each takes what is left of the source."""
    source_qty: str
    used: str
    """Source line field that holds what was already taken; empty where nothing counts it."""


_MONEY = {"FTaxPrice": "FTaxPrice", "FPrice": "FPrice", "FEntryTaxRate": "FEntryTaxRate", "FDiscountRate": "FDiscountRate"}
RULES = {
    rule.id.lower(): rule
    for rule in (
        Rule(
            "SaleOrder-OutStock",
            "SAL_SaleOrder",
            "SAL_OUTSTOCK",
            {
                "FSaleOrgId": "FSaleOrgId",
                "FCustomerID": "FCustId",
                "FReceiverID": "FReceiveId",
                "FSettleID": "FSettleId",
                "FPayerID": "FChargeId",
                "FSaleDeptID": "FSaleDeptId",
                "FSalesManID": "FSalerId",
                "FReceiveAddress": "FReceiveAddress",
                "FSettleCurrID": "FSettleCurrId",
                "FExchangeRate": "FExchangeRate",
                "FIsIncludedTax": "FIsIncludedTax",
                "FDate": "FDate",
            },
            {"FMaterialID": "FMaterialId", "FUnitID": "FUnitID", "FIsFree": "FIsFree", "FLot": "FLot", "FStockID": "FSOStockId", **_MONEY},
            ("FMustQty", "FRealQty"),
            "FQty",
            "FStockOutQty",
        ),
        Rule(
            "SaleOrder-DeliveryNotice",
            "SAL_SaleOrder",
            "SAL_DELIVERYNOTICE",
            {"FSaleOrgId": "FSaleOrgId", "FCustomerID": "FCustId", "FReceiveAddress": "FReceiveAddress", "FDate": "FDate"},
            {"FMaterialID": "FMaterialId", "FUnitID": "FUnitID"},
            ("FQty",),
            "FQty",
            "FDeliQty",
        ),
        Rule(
            "DeliveryNotice-OutStock",
            "SAL_DELIVERYNOTICE",
            "SAL_OUTSTOCK",
            {
                "FSaleOrgId": "FSaleOrgId",
                "FStockOrgId": "FDeliveryOrgID",
                "FCustomerID": "FCustomerID",
                "FReceiveAddress": "FReceiveAddress",
                "FDate": "FDate",
            },
            {"FMaterialID": "FMaterialID", "FUnitID": "FUnitID"},
            ("FMustQty", "FRealQty"),
            "FQty",
            "FSumOutQty",
        ),
        Rule(
            "OutStock-SalReturnStock",
            "SAL_OUTSTOCK",
            "SAL_RETURNSTOCK",
            {
                "FSaleOrgId": "FSaleOrgId",
                "FStockOrgId": "FStockOrgId",
                "FRetcustId": "FCustomerID",
                "FSettleCurrId": "FSettleCurrID",
                "FIsIncludedTax": "FIsIncludedTax",
                "FDate": "FDate",
            },
            {"FMaterialId": "FMaterialID", "FUnitID": "FUnitID", "FIsFree": "FIsFree", "FStockId": "FStockID", **_MONEY},
            ("FMustqty", "FRealQty"),
            "FRealQty",
            "FReturnQty",
        ),
        Rule(
            "SAL_OutStock-AR_receivable",
            "SAL_OUTSTOCK",
            "AR_receivable",
            {
                "FSETTLEORGID": "FSaleOrgId",
                "FSALEORGID": "FSaleOrgId",
                "FCUSTOMERID": "FCustomerID",
                "FCURRENCYID": "FSettleCurrID",
                "FISTAX": "FIsIncludedTax",
                "FDATE": "FDate",
                "FENDDATE_H": "FDate",
            },
            {
                "FMATERIALID": "FMaterialID",
                "FPRICEUNITID": "FUnitID",
                "FTaxPrice": "FTaxPrice",
                "FPrice": "FPrice",
                "FEntryTaxRate": "FEntryTaxRate",
                "FEntryDiscountRate": "FDiscountRate",
            },
            ("FPriceQty",),
            "FRealQty",
            "",
        ),
    )
}
"""Rule id in lower case -> rule. The ids of the return's and the receivable's rule are unverified: they are tenant data anyway."""


def rule_of(form_id: str, given: str, target: str) -> Rule:
    """The rule of that id, or the default one from form to target. Raises Refused."""
    rule = (
        RULES.get(given.lower())
        if given
        else next((r for r in RULES.values() if r.source == form_id and r.target.lower() == target.lower()), None)
    )
    if rule is None or rule.source != form_id:
        raise Refused(f"找不到转换规则“{given or target}”", MsgCode.NO_DATA)
    return rule


class Pushing:
    """Makes target documents."""

    def __init__(self, store: Store, saving: Saving) -> None:
        self.store, self.saving = store, saving

    def push(self, rule: Rule, source: Doc, entries: frozenset[int]) -> Doc:
        """The saved target (state A) of one source; `entries` chooses lines, none means all. Raises Refused."""
        self._check(source)
        lines = [line for line in source.lists[0] if not entries or line[0] in entries]
        left = [(line, self._left(rule, source, line)) for line in lines]
        open_lines = [(line, qty) for line, qty in left if qty > 0]
        if not open_lines:
            raise Refused(f"关联数量已全部下推：“{source.number}”没有可下推的数量", MsgCode.INVALID)
        target = new_doc(FORMS[rule.target])
        target.id = self.store.new_id(target.form)
        for into, key in rule.head.items():
            target.set(into, source.get(key))
        for line, qty in open_lines:
            target.lists[0].append(self._line(rule, target, source, line, qty))
        self._finish(target)
        return target

    @staticmethod
    def _check(source: Doc) -> None:
        if source.status != "C":
            raise Refused(f"单据未审核，不允许下推：“{source.number}”", MsgCode.WRONG_STATE)
        for key, word in (("FCloseStatus", "已关闭"), ("FCancelStatus", "已作废")):
            if source.form.has(key) and source.get(key) == "B":
                raise Refused(f"单据{word}，不允许下推：“{source.number}”", MsgCode.WRONG_STATE)

    def _left(self, rule: Rule, source: Doc, line: list[Any]) -> Decimal:
        """What is left of a line: its quantity less what every target document, approved or not, has taken."""
        form = source.form
        qty: Decimal = line[form.at(rule.source_qty)]
        target = FORMS[rule.target]
        entry_at, qty_at = target.at("FSrcEntryId"), target.at(rule.qty[-1])
        number_at = next((target.at(k) for k in ("FSrcBillNo", "FSourceBillNo") if target.has(k)), -1)
        keys = ("FCustomerID", "FCustId")
        customer = next((source.get(key) for key in keys if form.has(key)), 0)
        theirs = next(key for key in ("FCustomerID", "FRetcustId", "FCUSTOMERID") if target.has(key) and key in target.columns)
        taken = Decimal(0)
        for other in self.store.all(target, f'WHERE "{theirs}" = ?', (customer,)):
            if not (target.has("FCancelStatus") and other.get("FCancelStatus") == "B"):
                taken += sum(
                    o[qty_at] for o in other.lists[0] if o[entry_at] == line[0] and (number_at < 0 or o[number_at] == source.number)
                )
        counted: Decimal = line[form.at(rule.used)] if rule.used else Decimal(0)
        return qty - max(taken, counted)

    def _line(self, rule: Rule, target: Doc, source: Doc, line: list[Any], qty: Decimal) -> list[Any]:
        made = target.form.blank_line(1)
        made[0] = self.store.next(f"entry:{target.form.id}:1")
        made[1] = len(target.lists[0]) + 1
        for into, key in rule.line.items():
            made[target.form.at(into)] = line[source.form.at(key)]
        for key in rule.qty:
            made[target.form.at(key)] = number_value(qty)
        set_link(target, made, source, line)
        return made

    def _finish(self, target: Doc) -> None:
        form = target.form
        self.saving.complete(target)
        target.set(form.number, self.saving.next_number(form))
        now = self.saving.stamp(form)
        for key in ("FCreateDate", "FModifyDate"):
            target.set(key, now)
        self.saving.recompute(target)
        self.store.put(target)
