"""Three years of Kingdee documents: orders, shipments, returns, receivables, receipts, refunds. Native Save shape.

Money is reckoned in whole fen and written as Decimal; prices include 13 % tax. Every document that follows an order cites it by
number, and its lines by entry id, as the real forms do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from random import Random

from sandbox.world.base_data import (
    DAYS_TO_PAY,
    WAREHOUSES,
    PartySeed,
    ProductSeed,
    Seller,
    number,
)
from sandbox.world.calendar import Days
from sandbox.world.model import Doc

STREAMS = ("sales_orders", "shipments", "returns", "receivables", "receipts", "refunds")
_CARRIERS = ("DEPPON", "SF", "ANE", "KYE")
_CNY = number("PRE001")
_TAX_RATE = 13


def money(fen: int) -> Decimal:
    """Fen as an amount with two places."""
    return Decimal(fen).scaleb(-2)


def tax_of(gross_fen: int) -> int:
    """The tax inside a gross amount of fen, half-up, sign kept."""
    tax = (2 * abs(gross_fen) * _TAX_RATE + 100 + _TAX_RATE) // (2 * (100 + _TAX_RATE))
    return tax if gross_fen >= 0 else -tax


def net_price(price_fen: int) -> Decimal:
    """The price without tax, six places half-up."""
    return Decimal((2 * price_fen * 1_000_000 + 113) // 226).scaleb(-6)


@dataclass(slots=True)
class Line:
    """A line of an order, as later documents need it."""

    entry: int
    product: ProductSeed
    quantity: int
    price_fen: int
    total_fen: int
    shipped: int = 0


@dataclass(slots=True)
class Bill:
    """An order, as later documents need it."""

    number: str
    org: str
    party: PartySeed
    day: int
    """Position in the working days."""
    lines: list[Line]
    total_fen: int


class History:
    """Writes documents one order after the other; `docs` fills up by stream."""

    def __init__(
        self,
        rng: Random,
        days: Days,
        parties: Sequence[PartySeed],
        products: Sequence[ProductSeed],
        sellers: Sequence[Seller],
    ) -> None:
        self.rng = rng
        self.days = days
        self.parties = parties
        self.products = products
        self.sellers = sellers
        self.docs: dict[str, list[Doc]] = {stream: [] for stream in STREAMS}
        self.entry = 1_000_000
        self.bills: list[Bill] = []
        """Approved orders that are not void."""

    def write(self, orders: int) -> None:
        """Write that many orders over the whole time, and what follows from them."""
        rng, last = self.rng, self.days.last
        weights = list(accumulate(party.weight for party in self.parties))
        buyers = (
            rng.choices(self.parties, cum_weights=weights, k=orders)
            if orders > len(self.parties)
            else [self.parties[n % len(self.parties)] for n in range(orders)]
        )
        # Business grows: later days get more orders.
        positions = sorted(int(last * rng.random() ** 0.8) for _ in range(orders))
        for serial, (party, day) in enumerate(zip(buyers, positions, strict=True), 1):
            bill = self._order(serial, party, day)
            if bill is not None:
                self.bills.append(bill)
                self._follow(bill)

    def _order(self, serial: int, party: PartySeed, day: int) -> Bill | None:
        random, days = self.rng.random, self.days
        org = "100" if random() < 0.7 else "200"
        copy = 0 if org == "100" else 1
        bill_number = f"XSDD{serial:06d}"
        day_text = days.midnights[day]
        delivery = days.midnights[days.clamp(day + 10)]
        count = 1 if (draw := random()) < 0.4 else 2 if draw < 0.72 else 3 if draw < 0.92 else 5
        lines, entries, total, tax_total = [], [], 0, 0
        for seq in range(1, count + 1):
            product = self.products[int(random() * len(self.products))]
            quantity = int(random() * random() * 60) + 1
            price = product.price_fen * (82 if party.serial % 3 else 100) // 100
            gross = quantity * price
            discount = gross * 5 // 100 if random() < 0.06 else 0
            gross -= discount
            tax = tax_of(gross)
            self.entry += 1
            line = Line(self.entry, product, quantity, price, gross)
            lines.append(line)
            total += gross
            tax_total += tax
            entries.append(
                {
                    "FEntryID": line.entry,
                    "FSEQ": seq,
                    "FMaterialId": number(product.number),
                    "FUnitID": number(product.unit),
                    "FQty": quantity,
                    "FPrice": net_price(price),
                    "FTaxPrice": money(price),
                    "FEntryTaxRate": _TAX_RATE,
                    "FDiscountRate": 5 if discount else 0,
                    "FDiscount": money(discount),
                    "FAmount": money(gross - tax),
                    "FEntryTaxAmount": money(tax),
                    "FAllAmount": money(gross),
                    "FDeliveryDate": delivery,
                    "FIsFree": False,
                    "FEntryNote": "",
                    "FMrpCloseStatus": "A",
                    "FStockOutQty": 0,
                    "F_HUB_LINE": "",
                }
            )
        age = days.last - day
        status = "C" if age > 15 or (draw := random()) < 0.6 else "A" if draw < 0.75 else "B" if draw < 0.92 else "D"
        void = status == "C" and age > 5 and random() < 0.015
        second = serial * 977
        stamp = days.stamp(day, second)
        customer = number(party.customer_number)
        self.docs["sales_orders"].append(
            {
                "FID": 100_000 + serial,
                "FBillTypeID": number("XSDD01_SYS"),
                "FBillNo": bill_number,
                "FDate": day_text,
                "FSaleOrgId": number(org),
                "FCustId": customer,
                "FReceiveId": customer,
                "FSettleId": customer,
                "FChargeId": customer,
                "FSaleDeptId": number(f"BM{3 * copy + 1 + party.serial % 2:06d}"),
                "FSalerId": number(self.sellers[(party.seller + copy) % len(self.sellers)].kingdee),
                "FReceiveAddress": party.address,
                "FNote": "",
                "FNetOrderBillNo": f"PO-{serial * 31 % 99_991:05d}" if serial % 4 == 0 else "",
                "FVersionNo": "000",
                "FDocumentStatus": status,
                "FCloseStatus": "A",
                "FCancelStatus": "B" if void else "A",
                "FApproveDate": days.stamp(day, second + 3_000) if status == "C" else None,
                "FCreateDate": stamp,
                "FModifyDate": days.stamp(day, second + 3_000) if status == "C" else stamp,
                "FBillAmount": money(total - tax_total),
                "FBillTaxAmount": money(tax_total),
                "FBillAllAmount": money(total),
                "FSaleOrderFinance": {
                    "FSettleCurrId": _CNY,
                    "FIsIncludedTax": True,
                    "FExchangeRate": 1,
                    "FRecConditionId": number(party.terms),
                    "FSettleModeId": number("JSFS04_SYS"),
                    "FPriceListId": number(f"XSJMB{1 + 4 * copy + party.serial % 3:04d}"),
                },
                "F_HUB_KEY": "",
                "F_HUB_QUOTE": "",
                "FSaleOrderEntry": entries,
            }
        )
        return Bill(bill_number, org, party, day, lines, total) if status == "C" and not void else None

    def _follow(self, bill: Bill) -> None:
        """Ship, bill and collect, as far as the order's age lets one expect."""
        random, order = self.rng.random, self.docs["sales_orders"][-1]
        age = self.days.last - bill.day
        gap = 2 + int(random() * 6)
        if age <= gap:
            return
        batches = 2 if random() < 0.12 else 1
        whole = age > 40 or random() < 0.7
        for batch in range(batches):
            day = bill.day + gap * (batch + 1)
            last = batch == batches - 1
            if day > self.days.last or (last and batches == 2 and not whole):
                break
            taken = []
            for line in bill.lines:
                left = line.quantity - line.shipped
                part = left if last and whole else (left + 1) // 2
                if part > 0:
                    line.shipped += part
                    taken.append((line, part))
            if taken:
                self._ship(bill, day, taken)
                self._bill(bill, day + 1, taken, 1)
        done = all(line.shipped == line.quantity for line in bill.lines)
        for entry, line in zip(order["FSaleOrderEntry"], bill.lines, strict=True):
            entry["FStockOutQty"] = line.shipped
            if line.shipped == line.quantity:
                entry["FMrpCloseStatus"] = "B"
        if done:
            order["FCloseStatus"] = "B"
            order["FModifyDate"] = self.days.stamp(bill.day + gap * batches, order["FID"] * 7)
        paid_on = bill.day + gap + DAYS_TO_PAY[bill.party.terms] + int(random() * 12)
        paid = self._collect(bill, paid_on)
        if done and random() < 0.012 and age > gap * 4:
            self._take_back(bill, bill.day + gap * 3, refund_from=paid_on if paid else None)

    def _ship(self, bill: Bill, day: int, taken: list[tuple[Line, int]]) -> None:
        docs, house = self.docs["shipments"], WAREHOUSES[bill.org]
        serial = len(docs) + 1
        entries = []
        for seq, (line, part) in enumerate(taken, 1):
            self.entry += 1
            entries.append(
                {
                    "FENTRYID": self.entry,
                    "FSEQ": seq,
                    "FMaterialID": number(line.product.number),
                    "FUnitID": number(line.product.unit),
                    "FMustQty": line.quantity,
                    "FRealQty": part,
                    "FStockID": number(house[serial % len(house)]),
                    "FLot": number(""),
                    "FSoorDerno": bill.number,
                    "FSOEntryId": line.entry,
                    "FIsFree": False,
                    "FTaxPrice": money(line.price_fen),
                }
            )
        docs.append(
            {
                "FID": 400_000 + serial,
                "FBillTypeID": number("XSCKD01_SYS"),
                "FBillNo": f"XSCKD{serial:06d}",
                "FDate": self.days.midnights[day],
                "FSaleOrgId": number(bill.org),
                "FStockOrgId": number(bill.org),
                "FCustomerID": number(bill.party.customer_number),
                "FCarrierID": number(_CARRIERS[serial % 4]),
                "FCarriageNO": f"SF{serial * 7_919_777 % 10_000_000_000:010d}",
                "FReceiveAddress": bill.party.address,
                "FNote": "",
                "FDocumentStatus": "C",
                "FCancelStatus": "A",
                "FApproveDate": self.days.stamp(day, serial * 613 + 900),
                "FCreateDate": self.days.stamp(day, serial * 613),
                "FModifyDate": self.days.stamp(day, serial * 613 + 900),
                "F_HUB_KEY": "",
                "FEntity": entries,
            }
        )

    def _bill(self, bill: Bill, day: int, taken: list[tuple[Line, int]], sign: int) -> None:
        """Write the receivable; `sign` -1 makes it a red one."""
        docs = self.docs["receivables"]
        serial = len(docs) + 1
        entries, total, tax_total = [], 0, 0
        for seq, (line, part) in enumerate(taken, 1):
            # A part's share is what the parts up to it are worth, less what went before: the shares add up to the line.
            before = line.shipped - part if sign > 0 else 0
            gross = sign * (line.total_fen * (before + part) // line.quantity - line.total_fen * before // line.quantity)
            tax = tax_of(gross)
            total += gross
            tax_total += tax
            self.entry += 1
            entries.append(
                {
                    "FEntryID": self.entry,
                    "FSEQ": seq,
                    "FMATERIALID": number(line.product.number),
                    "FPriceQty": sign * part,
                    "FTaxPrice": money(line.price_fen),
                    "FEntryTaxRate": _TAX_RATE,
                    "FNoTaxAmountFor_D": money(gross - tax),
                    "FTAXAMOUNTFOR_D": money(tax),
                    "FALLAMOUNTFOR_D": money(gross),
                    "FRECEIVEAMOUNT": 0,
                    "FORDERNUMBER": bill.number,
                    "FSourceBillNo": f"XSCKD{len(self.docs['shipments']):06d}" if sign > 0 else f"XSTHD{len(self.docs['returns']):06d}",
                }
            )
        day = self.days.clamp(day)
        docs.append(
            {
                "FID": 500_000 + serial,
                "FBillTypeID": number("YSD01_SYS"),
                "FBillNo": f"AR{serial:08d}",
                "FDATE": self.days.midnights[day],
                "FENDDATE_H": self.days.midnights[self.days.clamp(day + DAYS_TO_PAY[bill.party.terms])],
                "FSetAccountType": "3",
                "FCUSTOMERID": number(bill.party.customer_number),
                "FCURRENCYID": _CNY,
                "FSETTLEORGID": number(bill.org),
                "FSALEORGID": number(bill.org),
                "FALLAMOUNTFOR": money(total),
                "FsubHeadFinc": {
                    "FTaxAmountFor": money(tax_total),
                    "FNoTaxAmountFor": money(total - tax_total),
                },
                "FWRITTENOFFSTATUS": "A",
                "FAR_Remark": "",
                "FDOCUMENTSTATUS": "C",
                "FCancelStatus": "A",
                "FCreateDate": self.days.stamp(day, serial * 431),
                "FModifyDate": self.days.stamp(day, serial * 431 + 600),
                "F_HUB_KEY": "",
                "FEntityDetail": entries,
            }
        )

    def _take_back(self, bill: Bill, day: int, refund_from: int | None) -> None:
        """A return of a part of one line, its red receivable, and often the money back, if there was any."""
        docs, line = self.docs["returns"], bill.lines[0]
        part = max(1, line.quantity // 5)
        serial = len(docs) + 1
        self.entry += 1
        value = line.total_fen * part // line.quantity
        docs.append(
            {
                "FID": 450_000 + serial,
                "FBillTypeID": number("XSTHD01_SYS"),
                "FBillNo": f"XSTHD{serial:06d}",
                "FDate": self.days.midnights[self.days.clamp(day)],
                "FSaleOrgId": number(bill.org),
                "FStockOrgId": number(bill.org),
                "FRetcustId": number(bill.party.customer_number),
                "FReturnReason": ("质量问题", "运输损坏", "选型错误")[serial % 3],
                "FHeadNote": "",
                "FDocumentStatus": "C",
                "FCancelStatus": "A",
                "FCreateDate": self.days.stamp(day, serial * 211),
                "FModifyDate": self.days.stamp(day, serial * 211 + 500),
                "F_HUB_KEY": "",
                "SubHeadEntity": {"FSettleCurrId": _CNY},
                "FEntity": [
                    {
                        "FENTRYID": self.entry,
                        "FSEQ": 1,
                        "FMaterialId": number(line.product.number),
                        "FUnitID": number(line.product.unit),
                        "FRealQty": part,
                        "FTaxPrice": money(line.price_fen),
                        "FAllAmount": money(value),
                        "FStockId": number(WAREHOUSES[bill.org][0]),
                        "FOrderNo": bill.number,
                        "FSOEntryId": line.entry,
                        "FSrcBillNo": "",
                    }
                ],
            }
        )
        self._bill(bill, day + 1, [(line, part)], -1)
        if refund_from is not None and self.rng.random() < 0.6:
            self._refund(bill, max(day, refund_from) + 3, value)

    def _refund(self, bill: Bill, day: int, value_fen: int) -> None:
        docs = self.docs["refunds"]
        serial = len(docs) + 1
        self.entry += 1
        docs.append(
            {
                "FID": 650_000 + serial,
                "FBillTypeID": number("SKTKDLX01_SYS"),
                "FBillNo": f"SKTKD{serial:06d}",
                "FDATE": self.days.midnights[self.days.clamp(day)],
                "FCONTACTUNITTYPE": "BD_Customer",
                "FCONTACTUNIT": number(bill.party.customer_number),
                "FCURRENCYID": _CNY,
                "FSETTLEORGID": number(bill.org),
                "FPAYORGID": number(bill.org),
                "FREMARK": "退货退款",
                "FDOCUMENTSTATUS": "C",
                "FCancelStatus": "A",
                "FCreateDate": self.days.stamp(day, serial * 97),
                "FModifyDate": self.days.stamp(day, serial * 97 + 300),
                "F_HUB_KEY": "",
                "FREFUNDBILLENTRY": [
                    {
                        "FEntryID": self.entry,
                        "FSEQ": 1,
                        "FSETTLETYPEID": number("JSFS04_SYS"),
                        "FREFUNDAMOUNTFOR": money(value_fen),
                        "FSALEORDERNUMBER": bill.number,
                        "FNOTE": "",
                    }
                ],
            }
        )

    def _collect(self, bill: Bill, day: int) -> bool:
        """One receipt, two partial ones, only the first of two, or none yet. Tells whether there is one."""
        draw = self.rng.random()
        if day > self.days.last or draw < 0.03:
            return False
        first = bill.total_fen if draw < 0.78 else bill.total_fen * 2 // 5
        self.receive(bill, day, first, charge_fen=1_500 if draw > 0.74 and first > 2_000 else 0)
        later = day + 15 + int(draw * 20)
        if first < bill.total_fen and draw < 0.96 and later <= self.days.last:
            self.receive(bill, later, bill.total_fen - first)
        return True

    def receive(self, bill: Bill, day: int, fen: int, charge_fen: int = 0) -> Doc:
        """Write a receipt for an order; the bank's charge is inside the amount that the customer paid."""
        docs = self.docs["receipts"]
        serial = len(docs) + 1
        self.entry += 1
        doc: Doc = {
            "FID": 600_000 + serial,
            "FBillTypeID": number("SKDLX01_SYS"),
            "FBillNo": f"SKD{serial:08d}",
            "FDATE": self.days.midnights[day],
            "FCONTACTUNITTYPE": "BD_Customer",
            "FCONTACTUNIT": number(bill.party.customer_number),
            "FCURRENCYID": _CNY,
            "FSETTLEORGID": number(bill.org),
            "FSALEORGID": number(bill.org),
            "FPAYORGID": number(bill.org),
            "FEXCHANGERATE": 1,
            "FREMARK": "",
            "FDOCUMENTSTATUS": "C",
            "FCancelStatus": "A",
            "FTHIRDBILLNO": "",
            "FCreateDate": self.days.stamp(day, serial * 389),
            "FModifyDate": self.days.stamp(day, serial * 389 + 450),
            "F_HUB_KEY": "",
            "FRECEIVEBILLENTRY": [
                {
                    "FEntryID": self.entry,
                    "FSEQ": 1,
                    "FSETTLETYPEID": number("JSFS06_SYS" if serial % 11 == 0 else "JSFS04_SYS"),
                    "FPURPOSEID": number("SFKYT01_SYS"),
                    "FRECTOTALAMOUNTFOR": money(fen),
                    "FRECAMOUNTFOR_E": money(fen - charge_fen),
                    "FHANDLINGCHARGEFOR": money(charge_fen),
                    "FACCOUNTID": number("1001-ICBC"),
                    "FSALEORDERNO": bill.number,
                    "FCOMMENT": "",
                }
            ],
        }
        docs.append(doc)
        return doc
