"""Users at work: seeded random edits in both systems, through the control doors, with a journal of what the owners decided.

A convergence test makes some edits at each moment it aims at, and hands `journal` to the judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from tests.oracle.door import Door
from tests.oracle.judging import Edit
from tests.oracle.values import Doc, number, ref, text

_LEVELS = ("核心", "普通", "潜在")
_CHANNELS = ("省代", "市代", "二级")
_SYSTEM_FIELDS = ("FID", "FBillNo", "FModifyDate", "FCreateDate", "FApproveDate", "F_HUB_KEY")


class Editor:
    """Edits as users of both systems make them. The same seed and the same worlds give the same edits.

    `journal`: edits of owners, whose last values must arrive everywhere. `made`: what was done, in words, in order.
    """

    def __init__(self, kingdee_url: str, zoho_url: str, truth: Mapping[str, Any], seed: int) -> None:
        self.kingdee, self.zoho, self.rng = Door(kingdee_url), Door(zoho_url), Random(seed)
        self.journal: list[Edit] = []
        self.made: list[str] = []
        self.serial = seed * 1_000
        held = {one for pair in truth.get("doubtful", ()) for one in (*pair["kingdee"], *pair["zoho"])}
        self.customers = [
            doc
            for doc in self.kingdee.records("customers")
            if text(doc["FNumber"]) not in held and ref(doc, "FUseOrgId") == ref(doc, "FCreateOrgId")
        ]
        self.accounts = [doc for doc in self.zoho.records("accounts") if text(doc["id"]) not in held]
        self.orders = [doc for doc in self.kingdee.records("sales_orders") if ref(doc, "FCustId") not in held]
        sellers = {row["vendor_value"] for row in truth.get("value_maps", ()) if row["map"] == "salesperson"}
        if sellers:
            self.orders = [doc for doc in self.orders if ref(doc, "FSalerId") in sellers]

    def edit(self, system: str, stream: str, key_field: str, doc: Doc, name: str, value: Any, *, owner: bool = True) -> Doc:
        """One field of one record. With `owner` False it is an edit that the hub must undo: it stays out of the journal."""
        door = self.kingdee if system == "kingdee" else self.zoho
        stored = door.put(stream, {key_field: doc[key_field], name: value})
        if owner:
            self.journal.append(Edit(system, stream, text(doc[key_field]), name, value))
        self.made.append(f"{system} {stream} {doc[key_field]} {name} = {value}{'' if owner else ' (not its owner)'}")
        return stored

    def some(self, count: int, kinds: Sequence[str] = ()) -> None:
        """That many random edits, of the named kinds or of all."""
        table = self.kinds()
        names = list(kinds or table)
        for _ in range(count):
            table[self.rng.choice(names)]()

    def kinds(self) -> dict[str, Callable[[], None]]:
        """The kinds of edits, by name."""
        return {
            "rename in the ERP": self.rename,
            "credit in the ERP": self.credit,
            "address in the ERP": self.move,
            "phone in the CRM": self.phone,
            "level in the CRM": self.level,
            "web site in the CRM": self.website,
            "clear the e-mail in the CRM": self.clear_email,
            "name in the CRM": self.name_by_other,
            "phone in the ERP": self.phone_by_other,
            "new order": self.order,
            "payment": self.pay,
            "shipment": self.ship,
            "new customer": self.customer,
        }

    def _next(self) -> int:
        self.serial += 1
        return self.serial

    # owners' edits

    def rename(self) -> None:
        """The ERP renames a customer."""
        customer = self.rng.choice(self.customers)
        self.edit("kingdee", "customers", "FCUSTID", customer, "FName", f"{text(customer['FName'])[:12]}改名{self._next()}有限公司")

    def credit(self) -> None:
        """The ERP changes a credit limit, to the fen."""
        self.edit("kingdee", "customers", "FCUSTID", self.rng.choice(self.customers), "F_HUB_CREDIT", Decimal(self._next() * 137) / 100)

    def move(self) -> None:
        """The ERP changes an address."""
        self.edit("kingdee", "customers", "FCUSTID", self.rng.choice(self.customers), "FADDRESS", f"创新路{self._next()}号")

    def phone(self) -> None:
        """The CRM changes a phone."""
        self.edit("zoho", "accounts", "id", self.rng.choice(self.accounts), "Phone", f"021-{60_000_000 + self._next()}")

    def level(self) -> None:
        """The CRM changes level and channel."""
        account = self.rng.choice(self.accounts)
        self.edit("zoho", "accounts", "id", account, "Dealer_Level", self.rng.choice(_LEVELS))
        self.edit("zoho", "accounts", "id", account, "Channel_Type", self.rng.choice(_CHANNELS))

    def website(self) -> None:
        """The CRM changes a web site."""
        self.edit("zoho", "accounts", "id", self.rng.choice(self.accounts), "Website", f"https://w{self._next()}.example")

    def clear_email(self) -> None:
        """The CRM empties a field: an empty value is a value."""
        self.edit("zoho", "accounts", "id", self.rng.choice(self.accounts), "Email_Address", None)

    # edits by the wrong side

    def name_by_other(self) -> None:
        """The CRM renames an account, which the ERP decides, if the account is an ERP customer's."""
        known = [doc for doc in self.accounts if text(doc.get("ERP_Code"))]
        if known:
            self.edit("zoho", "accounts", "id", self.rng.choice(known), "Account_Name", f"销售乱改{self._next()}", owner=False)

    def phone_by_other(self) -> None:
        """The ERP changes a phone, which the CRM decides."""
        self.edit("kingdee", "customers", "FCUSTID", self.rng.choice(self.customers), "FTEL", f"0571-{self._next()}", owner=False)

    # new records

    def customer(self) -> None:
        """The ERP gets a new customer."""
        n, pattern = self._next(), self.rng.choice(self.customers)
        kept = (
            "FCreateOrgId",
            "FUseOrgId",
            "FTRADINGCURRID",
            "FRECCONDITIONID",
            "FSETTLETYPEID",
            "FSELLER",
            "FGroup",
            "FCOUNTRY",
            "FPROVINCIAL",
            "F_HUB_LEVEL",
            "F_HUB_CHANNEL",
        )
        doc = {key: pattern[key] for key in kept if key in pattern}
        made = self.kingdee.put("customers", {**doc, "FNumber": f"NEW{n}", "FName": f"新客户{n}号有限公司", "FTEL": f"022-{n}"})
        self.customers.append(made)
        self.made.append(f"kingdee customers NEW{n} created")

    def order(self) -> None:
        """The ERP gets a new approved order like an old one, with another quantity."""
        pattern = self.rng.choice(self.orders)
        rows = [self._row(row, {"FQty": self.rng.randint(1, 9)}) for row in pattern["FSaleOrderEntry"]]
        made = self._document("sales_orders", pattern, {"FSaleOrderEntry": rows, "FDate": "2026-11-20T00:00:00", "F_HUB_QUOTE": ""})
        self.orders.append(made)

    def pay(self) -> None:
        """A customer pays a part of an approved order."""
        order = self._approved()
        receipts = self.kingdee.records("receipts", limit="1")
        if order is None or not receipts:
            return
        pattern = receipts[0]
        amount = (number(order["FBillAllAmount"]) / 3).quantize(Decimal("0.01")) or Decimal("0.01")
        row = {"FRECTOTALAMOUNTFOR": amount, "FRECAMOUNTFOR_E": amount, "FHANDLINGCHARGEFOR": 0, "FSALEORDERNO": order["FBillNo"]}
        rows = [self._row(pattern["FRECEIVEBILLENTRY"][0], row)]
        org = order["FSaleOrgId"]
        head = {"FCONTACTUNIT": order["FCustId"], "FPAYUNIT": order["FCustId"], "FSETTLEORGID": org, "FSALEORGID": org, "FPAYORGID": org}
        self._document("receipts", pattern, {**head, "FRECEIVEBILLENTRY": rows, "FDATE": "2026-11-20T00:00:00"})

    def ship(self) -> None:
        """The warehouse ships one piece of an approved order's first line."""
        order = self._approved()
        if order is None:
            return
        line = order["FSaleOrderEntry"][0]
        row = {
            "FMaterialID": line["FMaterialId"],
            "FUnitID": line["FUnitID"],
            "FMustQty": line["FQty"],
            "FRealQty": 1,
            "FTaxPrice": line["FTaxPrice"],
            "FSoorDerno": order["FBillNo"],
            "FSOEntryId": line["FEntryID"],
        }
        head = {
            "FBillTypeID": {"FNumber": "XSCKD01_SYS"},
            "FDate": "2026-11-20T00:00:00",
            "FSaleOrgId": order["FSaleOrgId"],
            "FStockOrgId": order["FSaleOrgId"],
            "FCustomerID": order["FCustId"],
            "FDocumentStatus": "C",
        }
        made = self.kingdee.put("shipments", {**head, "FEntity": [row]})
        self.made.append(f"kingdee shipments {made['FBillNo']} created")

    def _approved(self) -> Doc | None:
        usable = [
            doc
            for doc in self.orders
            if doc.get("FDocumentStatus") == "C" and doc.get("FCancelStatus") == "A" and doc.get("FCloseStatus") != "B"
        ]
        return self.rng.choice(usable) if usable else None

    @staticmethod
    def _row(pattern: Doc, fields: Doc) -> Doc:
        kept = {key: value for key, value in pattern.items() if key.lower() not in {"fentryid", "fseq", "f_hub_line", "fstockoutqty"}}
        return {**kept, **fields}

    def _document(self, stream: str, pattern: Doc, fields: Doc) -> Doc:
        kept = {key: value for key, value in pattern.items() if key not in _SYSTEM_FIELDS}
        made = self.kingdee.put(stream, {**kept, **fields, "FDocumentStatus": "C", "FCloseStatus": "A", "FCancelStatus": "A"})
        self.made.append(f"kingdee {stream} {made['FBillNo']} created")
        return made
