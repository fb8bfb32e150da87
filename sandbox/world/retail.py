"""A real wholesaler's ledger as a world: the UCI "Online Retail" invoice lines, told as Kingdee documents.

Each invoice with a customer becomes an approved sales order, its shipment and its receivable; each cancellation (`C…`) with a customer
an approved return and a red receivable. Discounts, postage, bank charges and the like are products that are no goods. Codes that differ
only in case (`85123a`, `85123A`) are one material, as Kingdee's numbers are. The same product twice in an invoice stays two lines; texts
keep their trailing spaces; amounts are GBP, exact.

Kingdee approves no document without a customer. Such invoices therefore stand there as saved, unapproved documents with an empty
customer: the hub reads them and must set them aside with the reason, and `truth["ledger"]` says how many and how much:
source = approved in Kingdee + set aside by reason, to the penny.

Source of the data: UCI Machine Learning Repository, "Online Retail" (Daqing Chen, 2015), doi 10.24432/C5BW33, CC BY 4.0.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from sandbox.collector import without_collector
from sandbox.world.base_data import Seller, number
from sandbox.world.build import value_maps
from sandbox.world.model import Doc, World

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
SELLER = Seller("S001", "1001_GW000002_1", "web.shop", "Web shop")
_ORG = number("100")
_GBP = number("PRE006")
_ZERO = Decimal(0)


class BadLedger(ValueError):
    """The file is not the ledger; the text names the line and what was expected."""


@dataclass(frozen=True, slots=True)
class Row:
    """One invoice line as the ledger has it."""

    code: str
    description: str
    quantity: int
    price: Decimal
    """GBP."""

    @property
    def amount(self) -> Decimal:
        """GBP, negative on a cancellation."""
        return self.quantity * self.price


@dataclass(slots=True)
class Invoice:
    """The lines of one invoice number."""

    number: str
    at: datetime
    """Local time of the shop."""
    customer: str
    country: str
    rows: list[Row] = field(default_factory=list)

    @property
    def amount(self) -> Decimal:
        """GBP, negative on a cancellation."""
        return sum((row.amount for row in self.rows), _ZERO)

    @property
    def approved(self) -> bool:
        """Whether Kingdee could approve it: not without a customer."""
        return bool(self.customer)

    @property
    def kind(self) -> str:
        """What it is to Kingdee: `order`, `return`, or why it must be set aside."""
        if self.number.startswith("C"):
            return "return" if self.customer else "return without a customer"
        if any(row.quantity < 0 for row in self.rows):
            return "stock adjustment, no customer"
        return "order" if self.customer else "order without a customer"


def read_ledger(path: Path) -> list[Invoice]:
    """The invoices of the file, in its order.

    Raises: OSError; BadLedger for a missing column or a value that cannot be read, with the line's number.
    """
    invoices: dict[str, Invoice] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
            raise BadLedger(f"{path.name} lacks the columns {', '.join(missing)}; expected {', '.join(COLUMNS)}")
        for line, raw in enumerate(reader, 2):
            try:
                at = datetime.strptime(raw["InvoiceDate"], "%m/%d/%y %H:%M")  # noqa: DTZ007  the file names no zone; a day of the trade is all it is used for
                row = Row(raw["StockCode"], raw["Description"], int(raw["Quantity"]), Decimal(raw["UnitPrice"]))
            except (ValueError, ArithmeticError) as error:
                raise BadLedger(f"{path.name} line {line}: {error}") from error
            invoice = invoices.setdefault(raw["InvoiceNo"], Invoice(raw["InvoiceNo"], at, raw["CustomerID"].strip(), raw["Country"]))
            invoice.rows.append(row)
    _one_spelling(invoices.values())
    return list(invoices.values())


def _one_spelling(invoices: Iterable[Invoice]) -> None:
    """Give codes that differ only in case the spelling that is used most."""
    used: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for invoice in invoices:
        for row in invoice.rows:
            used[row.code.upper()][row.code] += 1
    for invoice in invoices:
        invoice.rows = [
            replace(row, code=max(used[row.code.upper()].items(), key=lambda item: (item[1], item[0]))[0]) for row in invoice.rows
        ]


def world_from_ledger(path: Path) -> World:
    """The ledger as a world: Kingdee holds it, Zoho is empty.

    Raises: as `read_ledger`.
    """
    with without_collector():
        return _make(read_ledger(path))


def _make(invoices: list[Invoice]) -> World:
    first = min(invoice.at for invoice in invoices)
    stamp = first.replace(hour=0, minute=0).isoformat()
    writer = _Writer()
    for invoice in invoices:
        writer.write(invoice)
    kingdee: dict[str, list[Doc]] = {
        "organizations": [{"FOrgID": 100001, "FNumber": "100", "FName": "Gift wholesaler", "FDocumentStatus": "C", "FForbidStatus": "A"}],
        "departments": [],
        "employees": [_shop(stamp)],
        "customers": _customers(invoices, stamp),
        "products": _products(invoices, stamp),
        "price_lists": [],
        "stock_levels": [],
        **writer.docs,
    }
    world = World(0, "ledger", {"kingdee": kingdee, "zoho": {}}, value_maps=value_maps([SELLER]))
    world.truth = {
        "parties": {
            f"P{doc['FNumber']}": {
                "name": doc["FName"],
                "number": doc["FNumber"],
                "uscc": "",
                "kingdee": {"100": str(doc["FCUSTID"])},
                "zoho": [],
            }
            for doc in kingdee["customers"]
        },
        "doubtful": [],
        "bad_records": [],
        "value_maps": world.value_maps,
        "late_value": [],
        "since": first.date().isoformat(),
        "today": max(invoice.at for invoice in invoices).date().isoformat(),
        "ledger": ledger_totals(invoices),
        "counts": world.counts(),
    }
    return world


def _shop(stamp: str) -> Doc:
    return {
        "FID": 120001,
        "FNumber": SELLER.kingdee,
        "FName": SELLER.name,
        "FUseOrgId": _ORG,
        "FDocumentStatus": "C",
        "FForbidStatus": "A",
        "FModifyDate": stamp,
    }


def ledger_totals(invoices: Iterable[Invoice]) -> Doc:
    """Documents, lines and GBP by what became of them; `source` is the sum of all others."""
    kinds: defaultdict[str, list[Invoice]] = defaultdict(list)
    for invoice in invoices:
        kinds["source"].append(invoice)
        kinds[invoice.kind].append(invoice)
    return {
        kind: {"documents": len(some), "lines": sum(len(one.rows) for one in some), "amount": str(sum((one.amount for one in some), _ZERO))}
        for kind, some in kinds.items()
    }


def _customers(invoices: list[Invoice], stamp: str) -> list[Doc]:
    countries = {invoice.customer: invoice.country for invoice in reversed(invoices) if invoice.customer}
    return [
        {
            "FCUSTID": 200_000 + int(code),
            "FNumber": code,
            "FName": f"Customer {code}",
            "FShortName": "",
            "FCreateOrgId": _ORG,
            "FUseOrgId": _ORG,
            "FMasterId": 200_000 + int(code),
            "FSOCIALCRECODE": "",
            "FCOUNTRY": country,
            "FPROVINCIAL": "",
            "FADDRESS": "",
            "FZIP": "",
            "FTEL": "",
            "FWEBSITE": "",
            "FTRADINGCURRID": _GBP,
            "FSELLER": number(SELLER.kingdee),
            "FDescription": "",
            "FDocumentStatus": "C",
            "FForbidStatus": "A",
            "FCreateDate": stamp,
            "FModifyDate": stamp,
            "F_HUB_KEY": "",
            "F_HUB_CREDIT": 0,
            "F_HUB_LEVEL": "",
            "F_HUB_CHANNEL": "",
            "F_HUB_EMAIL": "",
        }
        for code, country in sorted(countries.items())
    ]


def _products(invoices: list[Invoice], stamp: str) -> list[Doc]:
    names: defaultdict[str, Counter[str]] = defaultdict(Counter)
    prices: dict[str, Decimal] = {}
    for invoice in invoices:
        for row in invoice.rows:
            names[row.code][row.description] += 1
            prices[row.code] = max(row.price, prices.get(row.code, _ZERO))
    docs = []
    for serial, (code, seen) in enumerate(sorted(names.items()), 1):
        told = [name for name, _ in seen.most_common() if name.strip()]
        docs.append(
            {
                "FMATERIALID": 300_000 + serial,
                "FNumber": code,
                "FName": told[0] if told else code,
                "FSpecification": "",
                "FMaterialGroup": number("GOODS" if code[:1].isdigit() else "SERVICE"),
                "FCreateOrgId": _ORG,
                "FUseOrgId": _ORG,
                "FMasterId": 300_000 + serial,
                "FDescription": "",
                "FDocumentStatus": "C",
                "FForbidStatus": "A",
                "FCreateDate": stamp,
                "FModifyDate": stamp,
                "SubHeadEntity": {"FBARCODE": "", "FBaseUnitId": number("Pcs"), "FTaxRateId": number("SL04_SYS"), "FIsSale": True},
                "SubHeadEntity2": {"FSaleUnitId": number("Pcs")},
                "F_HUB_KEY": "",
                "F_HUB_LISTPRICE": prices[code],
            }
        )
    return docs


class _Writer:
    """Writes the documents of one invoice after the other."""

    def __init__(self) -> None:
        self.docs: dict[str, list[Doc]] = {
            name: [] for name in ("sales_orders", "shipments", "returns", "receivables", "receipts", "refunds")
        }
        self.entry = 1_000_000

    def write(self, invoice: Invoice) -> None:
        """An order with what follows, or a return with its red receivable; alone and unapproved when the customer is missing."""
        if invoice.number.startswith("C"):
            self._return(invoice)
        else:
            entries = self._order(invoice)
            if invoice.approved:
                self._shipment(invoice, entries)
        if invoice.approved:
            self._receivable(invoice)

    def _next(self) -> int:
        self.entry += 1
        return self.entry

    @staticmethod
    def _head(invoice: Invoice, bill: str, fid: int) -> Doc:
        approved = invoice.approved
        stamp = invoice.at.isoformat()
        return {
            "FID": fid,
            "FBillNo": bill,
            "FDate": f"{stamp[:10]}T00:00:00",
            "FDocumentStatus": "C" if approved else "A",
            "FCancelStatus": "A",
            "FApproveDate": stamp if approved else None,
            "FCreateDate": stamp,
            "FModifyDate": stamp,
            "F_HUB_KEY": "",
            "FSaleOrgId": _ORG,
        }

    @staticmethod
    def _money(row: Row, sign: int = 1) -> Doc:
        amount = sign * row.amount
        return {
            "FPrice": row.price,
            "FTaxPrice": row.price,
            "FEntryTaxRate": 0,
            "FAmount": amount,
            "FEntryTaxAmount": _ZERO,
            "FAllAmount": amount,
        }

    def _order(self, invoice: Invoice) -> list[int]:
        approved = invoice.approved
        docs, customer = self.docs["sales_orders"], number(invoice.customer)
        entries = [
            {
                "FEntryID": self._next(),
                "FSEQ": seq,
                "FMaterialId": number(row.code),
                "FUnitID": number("Pcs"),
                "FQty": row.quantity,
                **self._money(row),
                "FDiscountRate": 0,
                "FDiscount": _ZERO,
                "FDeliveryDate": f"{invoice.at.date()}T00:00:00",
                "FIsFree": row.price == 0,
                "FEntryNote": row.description,
                "FMrpCloseStatus": "B" if approved else "A",
                "FStockOutQty": row.quantity if approved else 0,
                "F_HUB_LINE": "",
            }
            for seq, row in enumerate(invoice.rows, 1)
        ]
        docs.append(
            {
                **self._head(invoice, invoice.number, 100_001 + len(docs)),
                "FBillTypeID": number("XSDD01_SYS"),
                "FCustId": customer,
                "FReceiveId": customer,
                "FSettleId": customer,
                "FChargeId": customer,
                "FSaleDeptId": number(""),
                "FSalerId": number(SELLER.kingdee),
                "FReceiveAddress": invoice.country,
                "FNote": "" if approved else invoice.kind,
                "FNetOrderBillNo": "",
                "FVersionNo": "000",
                "FCloseStatus": "B" if approved else "A",
                "FBillAmount": invoice.amount,
                "FBillTaxAmount": _ZERO,
                "FBillAllAmount": invoice.amount,
                "FSaleOrderFinance": {"FSettleCurrId": _GBP, "FIsIncludedTax": True, "FExchangeRate": 1},
                "F_HUB_QUOTE": "",
                "FSaleOrderEntry": entries,
            }
        )
        return [int(str(entry["FEntryID"])) for entry in entries]

    def _shipment(self, invoice: Invoice, entries: list[int]) -> None:
        docs = self.docs["shipments"]
        docs.append(
            {
                **self._head(invoice, f"S{invoice.number}", 400_001 + len(docs)),
                "FBillTypeID": number("XSCKD01_SYS"),
                "FStockOrgId": _ORG,
                "FCustomerID": number(invoice.customer),
                "FCarrierID": number(""),
                "FCarriageNO": "",
                "FReceiveAddress": invoice.country,
                "FNote": "",
                "FEntity": [
                    {
                        "FENTRYID": self._next(),
                        "FSEQ": seq,
                        "FMaterialID": number(row.code),
                        "FUnitID": number("Pcs"),
                        "FMustQty": row.quantity,
                        "FRealQty": row.quantity,
                        "FStockID": number("CK01"),
                        "FSoorDerno": invoice.number,
                        "FSOEntryId": entry,
                        "FIsFree": row.price == 0,
                        "FTaxPrice": row.price,
                    }
                    for seq, (row, entry) in enumerate(zip(invoice.rows, entries, strict=True), 1)
                ],
            }
        )

    def _return(self, invoice: Invoice) -> None:
        approved = invoice.approved
        docs = self.docs["returns"]
        docs.append(
            {
                **self._head(invoice, invoice.number, 450_001 + len(docs)),
                "FBillTypeID": number("XSTHD01_SYS"),
                "FStockOrgId": _ORG,
                "FRetcustId": number(invoice.customer),
                "FReturnReason": "",
                "FHeadNote": "" if approved else invoice.kind,
                "SubHeadEntity": {"FSettleCurrId": _GBP},
                "FEntity": [
                    {
                        "FENTRYID": self._next(),
                        "FSEQ": seq,
                        "FMaterialId": number(row.code),
                        "FUnitID": number("Pcs"),
                        "FRealQty": -row.quantity,
                        **self._money(row, -1),
                        "FStockId": number("CK01"),
                        "FOrderNo": "",
                        "FSOEntryId": 0,
                        "FSrcBillNo": "",
                    }
                    for seq, row in enumerate(invoice.rows, 1)
                ],
            }
        )

    def _receivable(self, invoice: Invoice) -> None:
        docs = self.docs["receivables"]
        head = self._head(invoice, f"AR{invoice.number}", 500_001 + len(docs))
        order = "" if invoice.number.startswith("C") else invoice.number
        docs.append(
            {
                **{
                    {"FDate": "FDATE", "FDocumentStatus": "FDOCUMENTSTATUS", "FSaleOrgId": "FSALEORGID"}.get(key, key): value
                    for key, value in head.items()
                },
                "FENDDATE_H": head["FDate"],
                "FBillTypeID": number("YSD01_SYS"),
                "FSetAccountType": "3",
                "FCUSTOMERID": number(invoice.customer),
                "FCURRENCYID": _GBP,
                "FSETTLEORGID": _ORG,
                "FALLAMOUNTFOR": invoice.amount,
                "FsubHeadFinc": {"FTaxAmountFor": _ZERO, "FNoTaxAmountFor": invoice.amount},
                "FWRITTENOFFSTATUS": "A",
                "FAR_Remark": "",
                "FEntityDetail": [
                    {
                        "FEntryID": self._next(),
                        "FSEQ": seq,
                        "FMATERIALID": number(row.code),
                        "FPriceQty": row.quantity,
                        "FTaxPrice": row.price,
                        "FEntryTaxRate": 0,
                        "FNoTaxAmountFor_D": row.amount,
                        "FTAXAMOUNTFOR_D": _ZERO,
                        "FALLAMOUNTFOR_D": row.amount,
                        "FRECEIVEAMOUNT": 0,
                        "FORDERNUMBER": order,
                        "FSourceBillNo": f"S{invoice.number}" if order else invoice.number,
                    }
                    for seq, row in enumerate(invoice.rows, 1)
                ],
            }
        )
