"""The Zoho side of the seeded world: what salespeople typed, in their own words, with their own ids. Native API shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random

from sandbox.world.base_data import UNITS, PartySeed, ProductSeed, Seller
from sandbox.world.calendar import Days, zoned
from sandbox.world.documents import Bill, money
from sandbox.world.model import Doc, Size
from sandbox.world.names import SPELLINGS, job, mobile, person, spelled, uscc

STAGES = (
    "Qualification",
    "Needs Analysis",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
)
_PROBABILITY = (10, 20, 75, 90, 100, 0)
_ZOHO_UNIT = {kingdee: zoho for kingdee, _, zoho in UNITS}
_INDUSTRIES = ("Manufacturing", "Wholesale", "Retail", "Construction", "Service Provider", "Government/Military")
_OWNER = {
    "id": "554023000000050001",
    "name": "CRM 管理员",
    "email": "crm@dongfang-zhikong.example",
}
TERMS_TEXT = {
    "SKTJ01_SYS": "货到付款",
    "SKTJ02_SYS": "月结30天",
    "SKTJ03_SYS": "月结60天",
    "SKTJ05_SYS": "款到发货",
}


@dataclass(slots=True)
class Crm:
    """Writes Zoho's records; `docs` fills up by stream."""

    rng: Random
    days: Days
    size: Size
    sellers: list[Seller]
    docs: dict[str, list[Doc]] = field(
        default_factory=lambda: {name: [] for name in ("accounts", "contacts", "leads", "products", "deals", "quotes")}
    )
    truth_zoho: dict[str, list[str]] = field(default_factory=dict)
    """Seed id -> accounts."""
    doubtful: list[Doc] = field(default_factory=list)
    serial: int = 0

    def _id(self) -> str:
        self.serial += 1
        return f"554023{100_000 + self.serial:012d}"

    def _times(self) -> Doc:
        # Three random numbers a record: position of creation, of change, and the second of both.
        made = int(self.rng.random() * self.days.last)
        changed = made + int(self.rng.random() * (self.days.last - made))
        second = int(self.rng.random() * 30_000)
        return {
            "Created_Time": zoned(self.days.stamp(made, second)),
            "Modified_Time": zoned(self.days.stamp(changed, second + 60)),
            "Owner": _OWNER,
        }

    def account(
        self,
        party: PartySeed,
        *,
        name: str,
        code: str = "",
        uscc_code: str = "",
        phone: str | None = None,
    ) -> Doc:
        """Write an account as typed: name and keys are given, the rest comes from the party."""
        random = self.rng.random
        latin = f"hz{party.serial:05d}"
        doc: Doc = {
            "id": self._id(),
            "Account_Name": name,
            "Phone": party.phone if phone is None else phone,
            "Website": f"https://www.{latin}.example" if random() < 0.6 else None,
            "Billing_Street": None,
            "Billing_City": party.name.city.name,
            "Billing_State": None,
            "Billing_Code": None,
            "Billing_Country": None,
            "Industry": _INDUSTRIES[party.serial % 6],
            "Account_Type": "Customer",
            "Description": "老客户，重点维护" if random() < 0.2 else None,
            "Hub_Key": None,
            "USCC": uscc_code or None,
            "ERP_Code": code or None,
            "Short_Name": None,
            "Dealer_Level": party.level if random() < 0.8 else "核心",
            "Channel_Type": party.channel,
            "Credit_Limit": None,
            "Payment_Terms": None,
            "Email_Address": f"info@{latin}.example" if random() < 0.5 else None,
            "Salesperson_Code": None,
            "Status_Code": "Active",
            **self._times(),
        }
        self.docs["accounts"].append(doc)
        return doc

    def linked_accounts(self, parties: list[PartySeed]) -> None:
        """Accounts that carry a sure key of a Kingdee customer, under another spelling."""
        for n, party in enumerate(parties):
            random = self.rng.random()
            name = spelled(party.name, SPELLINGS[n % len(SPELLINGS)], f"HZ-{party.serial:04d}")
            # The salespeople's phone is newer than the ERP's for some: the owner repairs the other side.
            phone = (
                party.phone.replace("-", "")
                if random > 0.85
                else party.phone[:-4] + f"{(party.serial * 37) % 10_000:04d}"
                if random > 0.75
                else None
            )
            code = party.customer_number if random < 0.45 else ""
            uscc_code = party.uscc if random > 0.35 or not code else ""
            doc = self.account(party, name=name, code=code, uscc_code=uscc_code, phone=phone)
            self.truth_zoho[party.seed_id] = [doc["id"]]

    def lone_accounts(self, parties: list[PartySeed]) -> None:
        """Accounts that Kingdee does not have; two of three with a 统一社会信用代码."""
        for n, party in enumerate(parties):
            doc = self.account(party, name=party.name.full, uscc_code=party.uscc if n % 3 else "")
            self.truth_zoho[party.seed_id] = [doc["id"]]

    def doubtful_accounts(self, parties: list[PartySeed], others: list[PartySeed]) -> None:
        """Pairs that only a person can judge; `parties` are one to a pair, `others` lend keys to the contradicting ones."""
        kinds = ("same_name", "near_name", "same_name", "near_name", "code_against_uscc", "same_name", "near_name", "two_accounts",
                 "near_name", "foreign_uscc", "same_name", "foreign_uscc")  # fmt: skip
        for n, party in enumerate(parties):
            kind = kinds[n % len(kinds)]
            customers, accounts = [party], []
            if kind == "same_name":
                accounts.append(self.account(party, name=party.name.full, phone=self._other_phone(party)))
            elif kind == "near_name":
                name = spelled(
                    party.name,
                    ("brand_first", "region_in_brackets", "wide_brackets", "coded")[n // 2 % 4],
                    f"KH{n:03d}",
                )
                accounts.append(self.account(party, name=name))
            elif kind == "two_accounts":
                accounts.append(self.account(party, name=party.name.full, uscc_code=party.uscc))
                accounts.append(self.account(party, name=party.name.short, uscc_code=party.uscc))
            elif kind == "code_against_uscc":
                customers.append(others[n])
                accounts.append(
                    self.account(
                        party,
                        name=party.name.full,
                        code=party.customer_number,
                        uscc_code=others[n].uscc,
                    )
                )
            else:
                foreign = uscc(self.rng, party.name.city.district_code, 9_000 + n)
                accounts.append(
                    self.account(
                        party,
                        name=party.name.full,
                        code=party.customer_number,
                        uscc_code=foreign,
                    )
                )
            self.doubtful.append(
                {
                    "id": f"D{n + 1:02d}",
                    "kind": kind,
                    "parties": [one.seed_id for one in customers],
                    "kingdee": [one.customer_number for one in customers],
                    "zoho": [doc["id"] for doc in accounts],
                    "names": [one.name.full for one in customers] + [doc["Account_Name"] for doc in accounts],
                }
            )

    @staticmethod
    def _other_phone(party: PartySeed) -> str:
        return f"{party.name.city.area_code}-4{party.serial * 523 % 10_000_000:07d}"

    def contacts(self) -> None:
        """People at the accounts."""
        accounts = self.docs["accounts"]
        for n in range(self.size.contacts):
            account = accounts[n % len(accounts)]
            last, first = person(self.rng)
            self.docs["contacts"].append(
                {
                    "id": self._id(),
                    "Last_Name": last,
                    "First_Name": first,
                    "Account_Name": {
                        "id": account["id"],
                        "name": account["Account_Name"],
                    },
                    "Email": f"c{n:05d}@{(account['Website'] or 'https://www.mail.example').removeprefix('https://www.')}",
                    "Phone": account["Phone"],
                    "Mobile": mobile(n + 1),
                    "Title": job(self.rng),
                    "Hub_Key": None,
                    "ERP_Code": None,
                    **self._times(),
                }
            )

    def leads(self) -> None:
        """Enquiries that are nobody's account yet."""
        for n in range(self.size.leads):
            last, first = person(self.rng)
            self.docs["leads"].append(
                {
                    "id": self._id(),
                    "Last_Name": last,
                    "First_Name": first,
                    "Company": f"询价客户{n + 1:03d}号",
                    "Email": f"lead{n:04d}@mail.example",
                    "Mobile": mobile(500_000 + n),
                    "Lead_Source": (
                        "Trade Show",
                        "Web Research",
                        "Cold Call",
                        "Partner",
                    )[n % 4],
                    "Lead_Status": ("Not Contacted", "Contacted", "Lost Lead")[n % 3],
                    "Industry": _INDUSTRIES[n % 6],
                    "Description": None,
                    "Hub_Key": None,
                    **self._times(),
                }
            )

    def products(self, seeds: list[ProductSeed]) -> dict[str, str]:
        """Products that the salespeople already quote; linked by code. Gives product number -> Zoho id."""
        ids = {}
        for seed in seeds:
            doc = {
                "id": self._id(),
                "Product_Name": seed.name,
                "Product_Code": seed.number,
                "Unit_Price": money(seed.price_fen if seed.serial % 10 else seed.price_fen - 100),
                "Usage_Unit": _ZOHO_UNIT[seed.unit],
                "Product_Category": None,
                "Product_Active": True,
                "Qty_in_Stock": None,
                "Description": None,
                "Hub_Key": None,
                "Specification": None,
                "Barcode": None,
                "Tax_Rate": 13,
                **self._times(),
            }
            ids[seed.number] = doc["id"]
            self.docs["products"].append(doc)
        return ids

    def pipeline(
        self,
        bills: list[Bill],
        products: list[ProductSeed],
        product_ids: dict[str, str],
    ) -> list[Doc]:
        """Deals in all stages with quotes for the later ones; the first won ones wait for their order. Gives those that wait."""
        by_party: dict[str, list[Bill]] = {}
        for each in bills:
            by_party.setdefault(each.party.seed_id, []).append(each)
        owners = {ids[0]: seed for seed, ids in self.truth_zoho.items()}
        known = [account for account in self.docs["accounts"] if account["id"] in owners]
        buyers = [account for account in known if owners[account["id"]] in by_party]
        waiting = []
        for n in range(self.size.deals):
            pending = n < self.size.pending_quotes
            stage = 4 if pending else int(self.rng.random() * len(STAGES))
            pool = buyers if (pending or stage == 4) and buyers else known
            account = pool[(n * 7) % len(pool)]
            history = by_party.get(owners[account["id"]], [])
            if stage == 4 and not pending and not history:
                stage = 3
            bill = history[n % len(history)] if stage == 4 and not pending else None
            deal = self._deal(n, account, stage, bill)
            if stage >= 2:
                quote = self._quote(
                    n,
                    deal,
                    account,
                    stage,
                    bill,
                    products,
                    product_ids,
                    pending=pending,
                )
                if pending:
                    waiting.append(
                        {
                            "deal": deal["id"],
                            "quote": quote["id"],
                            "account": account["id"],
                            "party": owners[account["id"]],
                            "total": str(quote["Grand_Total"]),
                        }
                    )
        return waiting

    def _deal(self, n: int, account: Doc, stage: int, bill: Bill | None) -> Doc:
        closing = self.days.dates[self.days.last] + timedelta(days=30 + n % 120) if stage < 4 else self.days.dates[self.days.last - n % 200]
        doc: Doc = {
            "id": self._id(),
            "Deal_Name": f"{account['Account_Name'].strip()[:20]}{('产线改造', '新厂配套', '年度框架', '备件采购')[n % 4]}项目{n + 1:04d}",
            "Stage": STAGES[stage],
            "Pipeline": "Standard (Standard)",
            "Amount": Decimal(10_000 + n * 7_919 % 900_000),
            "Closing_Date": closing.isoformat(),
            "Account_Name": {"id": account["id"], "name": account["Account_Name"]},
            "Contact_Name": None,
            "Probability": _PROBABILITY[stage],
            "Lead_Source": "Trade Show" if n % 3 else "Partner",
            "Next_Step": "提交方案" if stage < 4 else None,
            "Description": None,
            "Hub_Key": None,
            "Dealer": None,
            "Company_Code": bill.org if bill else "100",
            "Salesperson_Code": self.sellers[n % len(self.sellers)].zoho,
            "ERP_Order_No": bill.number if bill else None,
            **self._times(),
        }
        self.docs["deals"].append(doc)
        return doc

    def _quote(
        self,
        n: int,
        deal: Doc,
        account: Doc,
        stage: int,
        bill: Bill | None,
        products: list[ProductSeed],
        ids: dict[str, str],
        *,
        pending: bool,
    ) -> Doc:
        rows: list[Doc] = []
        usable = [seed for seed in products if seed.number in ids and seed.serial % 83]
        for seq in range(1, 2 + n % 2 + int(pending)):
            seed = usable[(n * 13 + seq * 5) % len(usable)]
            quantity, discount = (
                2 + (n + seq) % 9,
                seed.price_fen // 10 if n % 5 == 2 else 0,
            )
            rows.append(
                {
                    "id": self._id(),
                    "Product_Name": {"id": ids[seed.number], "name": seed.name},
                    "Quantity": quantity,
                    "List_Price": money(seed.price_fen),
                    "Discount": money(discount),
                    "Line_Tax": [],
                    "Description": None,
                    "Sequence_Number": seq,
                    "Total": money(quantity * seed.price_fen - discount),
                }
            )
        stages = {2: "Delivered", 3: "Negotiation", 4: "Closed Won", 5: "Closed Lost"}
        doc: Doc = {
            "id": self._id(),
            "Subject": f"报价 {deal['Deal_Name']}",
            "Quote_Stage": "Confirmed" if pending else stages[stage],
            "Deal_Name": {"id": deal["id"], "name": deal["Deal_Name"]},
            "Account_Name": {"id": account["id"], "name": account["Account_Name"]},
            "Contact_Name": None,
            "Valid_Till": (self.days.dates[self.days.last] + timedelta(days=60)).isoformat(),
            "Grand_Total": sum((row["Total"] for row in rows), Decimal(0)),
            "Description": None,
            "Quoted_Items": rows,
            "Hub_Key": None,
            "Revision": 1 + n % 2,
            "Company_Code": deal["Company_Code"],
            "Salesperson_Code": deal["Salesperson_Code"],
            "Delivery_Date": (self.days.dates[self.days.last] + timedelta(days=25)).isoformat(),
            "Discount_Reason": "年度框架客户" if n % 5 == 2 else None,
            "ERP_Order_No": bill.number if bill else None,
            "ERP_Order_Status": "approved" if bill else None,
            **self._times(),
        }
        self.docs["quotes"].append(doc)
        return doc
