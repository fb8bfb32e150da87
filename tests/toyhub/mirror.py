"""A whole world as a correct hub would leave it, made in memory: what the oracle must find nothing against."""

from __future__ import annotations

import copy
import itertools
from decimal import Decimal

from sandbox.world import World
from tests.toyhub import desired
from tests.toyhub.desired import FROM_ZOHO, Codes, Doc, Ledger, reference

Records = dict[str, list[Doc]]


class Mirror:
    """Both systems after everything was synchronised; `kingdee` and `zoho` are copies that a test may spoil."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.kingdee: Records = copy.deepcopy(world.data["kingdee"])
        self.zoho: Records = copy.deepcopy(world.data["zoho"])
        for stream in ("accounts", "products", "deals", "quotes", "sales_orders", "invoices", "shipments", "receipts"):
            self.zoho.setdefault(stream, [])
        self.codes = Codes(world.value_maps)
        self.held = {one for pair in world.truth["doubtful"] for one in pair["kingdee"]}
        self.serial = itertools.count(1)
        self.account_ids: dict[str, str] = {}
        self._parties()
        self._new_customers()
        self.product_ids = self._products()
        self._quotes()
        self._orders()
        self._followers()

    def _add(self, stream: str, fields: Doc) -> Doc:
        n = next(self.serial)
        doc = {"id": f"5540239{n:011d}", "Hub_Key": f"H{n:015d}", **fields}
        self.zoho[stream].append(doc)
        return doc

    def _parties(self) -> None:
        accounts = {doc["id"]: doc for doc in self.zoho["accounts"]}
        known = {seed["number"]: seed["zoho"] for seed in self.world.truth["parties"].values()}
        for customer in self.kingdee["customers"]:
            code = customer["FNumber"]
            if code in self.held:
                continue
            if reference(customer, "FUseOrgId") == "100":
                if ids := known.get(code):
                    accounts[ids[0]].update(desired.account(customer, self.codes))
                else:
                    ours = {zoho: customer[kingdee] for kingdee, zoho in FROM_ZOHO.items()}
                    made = self._add("accounts", {**ours, **desired.account(customer, self.codes)})
                    accounts[made["id"]] = made
                    ids = [made["id"]]
                self.account_ids[code] = ids[0]
            for kingdee, zoho in FROM_ZOHO.items():
                customer[kingdee] = accounts[self.account_ids[code]].get(zoho) or ""

    def _new_customers(self) -> None:
        doubtful = {one for pair in self.world.truth["doubtful"] for one in pair["zoho"]}
        linked = set(self.account_ids.values())
        for account in self.zoho["accounts"]:
            if account["id"] in linked or account["id"] in doubtful or not account["USCC"]:
                continue
            n = next(self.serial)
            account["ERP_Code"], account["Status_Code"] = f"CUST9{n:04d}", "Active"
            self.kingdee["customers"].append(
                {
                    "FCUSTID": 900_000 + n,
                    "FNumber": account["ERP_Code"],
                    "FName": account["Account_Name"],
                    "FSOCIALCRECODE": account["USCC"],
                    "FCreateOrgId": {"FNumber": "100"},
                    "FUseOrgId": {"FNumber": "100"},
                    "FForbidStatus": "A",
                    "F_HUB_KEY": f"H{n:015d}",
                    **{kingdee: account.get(zoho) or "" for kingdee, zoho in FROM_ZOHO.items()},
                }
            )
            self.account_ids[account["ERP_Code"]] = account["id"]

    def _products(self) -> dict[str, str]:
        known = {doc["Product_Code"]: doc for doc in self.zoho["products"]}
        for material in self.kingdee["products"]:
            if reference(material, "FUseOrgId") == "100":
                fields = desired.product(material, self.codes)
                if material["FNumber"] in known:
                    known[material["FNumber"]].update(fields)
                else:
                    known[material["FNumber"]] = self._add("products", fields)
        return {code: doc["id"] for code, doc in known.items()}

    def _quotes(self) -> None:
        codes = {key: code for code, key in self.product_ids.items()}
        customers = {key: code for code, key in self.account_ids.items()}
        deals = {doc["id"]: doc for doc in self.zoho["deals"]}
        for quote in self.zoho["quotes"]:
            deal = deals[quote["Deal_Name"]["id"]]
            if quote["Quote_Stage"] != "Confirmed" or deal["Stage"] != "Closed Won":
                continue
            n = next(self.serial)
            bill, zero = f"XSDD9{n:05d}", Decimal(0)
            self.kingdee["sales_orders"].append(
                {
                    "FID": 990_000 + n,
                    "FBillNo": bill,
                    "FDate": "2026-11-20T00:00:00",
                    "FSaleOrgId": {"FNumber": quote["Company_Code"]},
                    "FCustId": {"FNumber": customers[quote["Account_Name"]["id"]]},
                    "FSalerId": {"FNumber": self.world.data["kingdee"]["employees"][0]["FNumber"]},
                    "FDocumentStatus": "C",
                    "FCancelStatus": "A",
                    "FCloseStatus": "A",
                    "FBillAmount": quote["Grand_Total"],
                    "FBillTaxAmount": zero,
                    "FBillAllAmount": quote["Grand_Total"],
                    "FSaleOrderFinance": {"FSettleCurrId": {"FNumber": "PRE001"}},
                    "F_HUB_KEY": f"H{n:015d}",
                    "F_HUB_QUOTE": quote["id"],
                    "FSaleOrderEntry": [
                        {
                            "FEntryID": 9_900_000 + 100 * n + seq,
                            "FMaterialId": {"FNumber": codes[row["Product_Name"]["id"]]},
                            "FQty": row["Quantity"],
                            "FTaxPrice": row["List_Price"],
                            "FDiscount": row["Discount"],
                        }
                        for seq, row in enumerate(quote["Quoted_Items"])
                    ],
                }
            )
            quote["ERP_Order_No"] = deal["ERP_Order_No"] = bill
            quote["ERP_Order_Status"] = "approved"

    def _orders(self) -> None:
        ledger = Ledger(self.kingdee)
        self.order_ids: dict[str, str] = {}
        for doc in self.kingdee["sales_orders"]:
            account = self.account_ids.get(reference(doc, "FCustId"))
            if account and self.codes("salesperson", reference(doc, "FSalerId")) is not None:
                made = self._add("sales_orders", desired.order(doc, ledger, self.codes, account, self.product_ids))
                self.order_ids[doc["FBillNo"]] = made["id"]

    def _followers(self) -> None:
        since = self.world.truth["since"]
        bad = {one["number"] for one in self.world.truth["bad_records"]}
        for stream, target, dated, party, rows, order, make in (
            ("shipments", "shipments", "FDate", "FCustomerID", "FEntity", "FSoorDerno", desired.shipment),
            ("receivables", "invoices", "FDATE", "FCUSTOMERID", "FEntityDetail", "FORDERNUMBER", desired.invoice),
            ("receipts", "receipts", "FDATE", "FCONTACTUNIT", "FRECEIVEBILLENTRY", "FSALEORDERNO", desired.receipt),
        ):
            for doc in self.kingdee[stream]:
                account = self.account_ids.get(reference(doc, party))
                cited = doc[rows][0][order]
                if doc[dated][:10] >= since and account and doc["FBillNo"] not in bad and (not cited or cited in self.order_ids):
                    self._add(target, make(doc, account, self.order_ids.get(cited)))
