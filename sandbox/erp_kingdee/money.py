"""What the ERP works out by itself when a document is saved: line amounts, tax, the other price, totals, open quantities.

Rounds: prices to six places; line amounts half-up to the currency's places, each line by itself; totals are sums of rounded lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from sandbox.erp_kingdee.forms import number_value
from sandbox.erp_kingdee.store import Doc

_WIDE = Context(prec=60, rounding=ROUND_HALF_UP)
_HUNDRED = Decimal(100)
PRICE_PLACES = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Keys:
    """Where a form keeps a line's figures."""

    qty: str
    amount: str
    tax: str
    total: str
    discount_rate: str
    discount: str
    included: str
    """Head field: prices are entered with tax."""
    currency: str
    head_amount: str = ""
    head_tax: str = ""
    head_total: str = ""


KEYS = {
    "SAL_SaleOrder": Keys(
        "FQty",
        "FAmount",
        "FEntryTaxAmount",
        "FAllAmount",
        "FDiscountRate",
        "FDiscount",
        "FIsIncludedTax",
        "FSettleCurrId",
        "FBillAmount",
        "FBillTaxAmount",
        "FBillAllAmount",
    ),
    "SAL_OUTSTOCK": Keys(
        "FRealQty",
        "FAmount",
        "FEntryTaxAmount",
        "FAllAmount",
        "FDiscountRate",
        "FDiscount",
        "FIsIncludedTax",
        "FSettleCurrID",
        head_total="FBillAllAmount",
    ),
    "SAL_RETURNSTOCK": Keys(
        "FRealQty",
        "FAmount",
        "FEntryTaxAmount",
        "FAllAmount",
        "FDiscountRate",
        "FDiscount",
        "FIsIncludedTax",
        "FSettleCurrId",
        head_total="FBillAllAmount",
    ),
    "AR_receivable": Keys(
        "FPriceQty",
        "FNoTaxAmountFor_D",
        "FTAXAMOUNTFOR_D",
        "FALLAMOUNTFOR_D",
        "FEntryDiscountRate",
        "",
        "FISTAX",
        "FCURRENCYID",
        "FNoTaxAmountFor",
        "FTaxAmountFor",
        "FALLAMOUNTFOR",
    ),
}
_SUMS = {
    "AR_RECEIVEBILL": ("FRECTOTALAMOUNTFOR", "FRECAMOUNTFOR_E", "FSETTLEDISTAMOUNTFOR", "FHANDLINGCHARGEFOR", "FRECEIVEAMOUNTFOR_H"),
    "AR_REFUNDBILL": ("FREFUNDAMOUNTFOR", "FREFUNDAMOUNTFOR_E", "", "", "FREFUNDAMOUNTFOR_H"),
}


@dataclass(frozen=True, slots=True)
class LineFigures:
    """A line's figures, worked out."""

    price: Decimal
    tax_price: Decimal
    discount_rate: Decimal
    discount: Decimal
    amount: Decimal
    tax: Decimal
    total: Decimal


def line_figures(
    qty: Decimal,
    price: Decimal,
    tax_price: Decimal,
    rate: Decimal,
    discount_rate: Decimal,
    discount: Decimal,
    *,
    included: bool,
    by_amount: bool,
    places: Decimal,
) -> LineFigures:
    """Figures of one line.

    Units: `rate` and `discount_rate` are per cent. `included` says that the price with tax was entered, `by_amount` that the discount was.

    An entered price of 0 beside the other price gives way to the other one.

    >>> D = Decimal
    >>> f = line_figures(D(10), D(0), D("11.3"), D(13), D(0), D(0), included=True, by_amount=False, places=D("0.01"))
    >>> f.amount, f.tax, f.total
    (Decimal('100.00'), Decimal('13.00'), Decimal('113.00'))
    """
    factor = 1 + rate / _HUNDRED
    if included:
        tax_price = tax_price or _WIDE.multiply(price, factor).quantize(PRICE_PLACES, ROUND_HALF_UP, _WIDE)
        price = _WIDE.divide(tax_price, factor).quantize(PRICE_PLACES, ROUND_HALF_UP, _WIDE)
    else:
        price = price or _WIDE.divide(tax_price, factor).quantize(PRICE_PLACES, ROUND_HALF_UP, _WIDE)
        tax_price = _WIDE.multiply(price, factor).quantize(PRICE_PLACES, ROUND_HALF_UP, _WIDE)
    entered_gross = _WIDE.multiply(qty, tax_price if included else price)
    with_tax_gross = _WIDE.multiply(qty, tax_price)
    if by_amount:
        discount_rate = (
            _WIDE.divide(_WIDE.multiply(discount, _HUNDRED), with_tax_gross).quantize(PRICE_PLACES, ROUND_HALF_UP, _WIDE)
            if with_tax_gross
            else Decimal(0)
        )
    else:
        discount = _WIDE.divide(_WIDE.multiply(with_tax_gross, discount_rate), _HUNDRED).quantize(places, ROUND_HALF_UP, _WIDE)
    if included:
        total = (entered_gross - discount).quantize(places, ROUND_HALF_UP, _WIDE)
        tax = _WIDE.divide(_WIDE.multiply(total, rate), _HUNDRED + rate).quantize(places, ROUND_HALF_UP, _WIDE)
        amount = total - tax
    else:
        net_discount = _WIDE.divide(discount, factor)
        amount = (entered_gross - net_discount).quantize(places, ROUND_HALF_UP, _WIDE)
        tax = _WIDE.divide(_WIDE.multiply(amount, rate), _HUNDRED).quantize(places, ROUND_HALF_UP, _WIDE)
        total = amount + tax
    return LineFigures(price, tax_price, discount_rate, discount, amount, tax, total)


def recompute(doc: Doc, places_of: Callable[[Any], Decimal], discount_entered: Callable[[int], bool]) -> None:
    """Work out a document's figures in place.

    `places_of` gives a currency's smallest amount by its id; `discount_entered` tells for a line's position whether its discount came as an
    amount, not as a rate.
    """
    keys = KEYS.get(doc.form.id)
    if keys is not None:
        _priced(doc, keys, places_of(doc.get(keys.currency)), discount_entered)
    elif doc.form.id in _SUMS:
        _summed(doc, *_SUMS[doc.form.id])
    elif doc.form.id == "AR_OtherRecAble":
        _charged(doc, places_of(doc.get("FCURRENCYID")))


def _priced(doc: Doc, keys: Keys, places: Decimal, discount_entered: Callable[[int], bool]) -> None:
    form, included = doc.form, bool(doc.get(keys.included))
    at = {
        name: form.by_key[name.lower()].at
        for name in (keys.qty, "FPrice", "FTaxPrice", "FEntryTaxRate", keys.discount_rate, keys.amount, keys.tax, keys.total)
    }
    discount_at = form.at(keys.discount) if keys.discount else -1
    free_at = form.at("FIsFree") if form.has("FIsFree") else -1
    net = tax = total = Decimal(0)
    for number, line in enumerate(doc.lists[0]):
        free = free_at >= 0 and line[free_at]
        price, tax_price = (Decimal(0), Decimal(0)) if free else (line[at["FPrice"]], line[at["FTaxPrice"]])
        discount = line[discount_at] if discount_at >= 0 else Decimal(0)
        made = line_figures(
            line[at[keys.qty]],
            price,
            tax_price,
            line[at["FEntryTaxRate"]],
            line[at[keys.discount_rate]],
            discount,
            included=included,
            by_amount=discount_at >= 0 and discount_entered(number),
            places=places,
        )
        line[at["FPrice"]], line[at["FTaxPrice"]] = number_value(made.price), number_value(made.tax_price)
        line[at[keys.discount_rate]] = number_value(made.discount_rate)
        if discount_at >= 0:
            line[discount_at] = number_value(made.discount)
        line[at[keys.amount]], line[at[keys.tax]], line[at[keys.total]] = (
            number_value(made.amount),
            number_value(made.tax),
            number_value(made.total),
        )
        net, tax, total = net + made.amount, tax + made.tax, total + made.total
        _open_figures(doc, line)
    for key, value in ((keys.head_amount, net), (keys.head_tax, tax), (keys.head_total, total)):
        if key:
            doc.set(key, number_value(value))


def _open_figures(doc: Doc, line: list[Any]) -> None:
    """Price quantity, and what of a line is still to come."""
    form = doc.form
    if form.id == "SAL_SaleOrder":
        line[form.at("FPriceUnitQty")] = line[form.at("FQty")]
        line[form.at("FPriceUnitId")] = line[form.at("FPriceUnitId")] or line[form.at("FUnitID")]
        line[form.at("FRemainOutQty")] = number_value(line[form.at("FQty")] - line[form.at("FStockOutQty")])
    elif form.id == "SAL_OUTSTOCK":
        line[form.at("FPriceUnitQty")] = line[form.at("FRealQty")]
        line[form.at("FPriceUnitId")] = line[form.at("FPriceUnitId")] or line[form.at("FUnitID")]
    elif form.id == "AR_receivable":
        line[form.at("FNORECEIVEAMOUNT")] = number_value(line[form.at("FALLAMOUNTFOR_D")] - line[form.at("FRECEIVEAMOUNT")])


def _summed(doc: Doc, gross: str, net: str, discount: str, charge: str, head: str) -> None:
    form, total = doc.form, Decimal(0)
    for line in doc.lists[0]:
        amount = line[form.at(gross)]
        for taken in filter(None, (discount, charge)):
            amount -= line[form.at(taken)]
        line[form.at(net)] = number_value(amount)
        total += amount
    doc.set(head, number_value(total))


def _charged(doc: Doc, places: Decimal) -> None:
    """Lines of an other receivable: of net, tax and total the entered ones lead, the others follow from the rate. Amounts may be red."""
    form, total = doc.form, Decimal(0)
    net_at, tax_at, total_at, rate_at = (form.at(key) for key in ("FNOTAXAMOUNTFOR", "FTAXAMOUNTFOR", "FAMOUNTFOR_D", "FEntryTaxRate"))
    for line in doc.lists[0]:
        net, tax, gross, rate = line[net_at], line[tax_at], line[total_at], line[rate_at]
        if not gross:
            tax = tax or _WIDE.divide(_WIDE.multiply(net, rate), _HUNDRED).quantize(places, ROUND_HALF_UP, _WIDE)
            gross = net + tax
        elif not net:
            tax = tax or _WIDE.divide(_WIDE.multiply(gross, rate), _HUNDRED + rate).quantize(places, ROUND_HALF_UP, _WIDE)
            net = gross - tax
        line[net_at], line[tax_at], line[total_at] = number_value(net), number_value(tax), number_value(gross)
        total += gross
    doc.set("FAMOUNTFOR", number_value(total))
