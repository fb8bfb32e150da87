"""The toy hub: read what is new, want what follows, write the difference. Each classic bug of a hub is a switch.

Its memory survives a crash (`Crash`), as a database would: what is in `Memory` is committed, what is in local variables is gone.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from tests.toyhub import desired
from tests.toyhub.clients import Doc, Kingdee, Uncertain, Zoho
from tests.toyhub.desired import FROM_ZOHO, Codes, Ledger

Bug = Literal[
    "no look-up before create",
    "exclusive cursor",
    "cursor before data",
    "echo by un-normalised text",
    "float money",
    "reordered deliveries",
    "look-up not merged",
]
BUGS: tuple[Bug, ...] = (
    "no look-up before create",
    "exclusive cursor",
    "cursor before data",
    "echo by un-normalised text",
    "float money",
    "reordered deliveries",
    "look-up not merged",
)


class Crash(BaseException):
    """The process was killed here."""


_FORMS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "customers": (
        "BD_Customer",
        ("FCUSTID", "FNumber", "FName", "FShortName", "FUseOrgId.FNumber", "FSOCIALCRECODE", "FPROVINCIAL", "FADDRESS", "FZIP", "FTEL",
         "FWEBSITE", "FRECCONDITIONID.FNumber", "FSELLER.FNumber", "FDescription", "FForbidStatus", "FModifyDate", "F_HUB_CREDIT",
         "F_HUB_LEVEL",
         "F_HUB_CHANNEL", "F_HUB_EMAIL"),
        (),
    ),
    "products": (
        "BD_MATERIAL",
        ("FMATERIALID", "FNumber", "FName", "FSpecification", "FUseOrgId.FNumber", "FForbidStatus", "FModifyDate", "F_HUB_LISTPRICE",
         "FBARCODE", "FBaseUnitId.FNumber"),
        (),
    ),
    "sales_orders": (
        "SAL_SaleOrder",
        ("FID", "FBillNo", "FDate", "FSaleOrgId.FNumber", "FCustId.FNumber", "FSalerId.FNumber", "FDocumentStatus", "FCancelStatus",
         "FCloseStatus", "FModifyDate", "FBillAmount", "FBillTaxAmount", "FBillAllAmount", "FSettleCurrId.FNumber"),
        ("FSaleOrderEntry_FEntryID", "FMaterialId.FNumber", "FQty", "FTaxPrice", "FDiscount"),
    ),
    "receipts": (
        "AR_RECEIVEBILL",
        ("FID", "FBillNo", "FDOCUMENTSTATUS", "FCancelStatus", "FModifyDate"),
        ("FRECEIVEBILLENTRY_FEntryID", "FRECTOTALAMOUNTFOR", "FSALEORDERNO"),
    ),
}  # fmt: skip
_ROWS = {"sales_orders": "FSaleOrderEntry", "receipts": "FRECEIVEBILLENTRY"}
_SUB = {"FBARCODE": "SubHeadEntity", "FBaseUnitId": "SubHeadEntity", "FSettleCurrId": "FSaleOrderFinance"}
_ACCOUNT = ("Account_Name", "Short_Name", "USCC", "ERP_Code", "Billing_State", "Billing_Street", "Billing_Code", "Credit_Limit",
            "Payment_Terms", "Salesperson_Code", "Status_Code", *FROM_ZOHO.values(), "Hub_Key", "Modified_Time")  # fmt: skip
_PRODUCT = ("Product_Code", "Product_Name", "Specification", "Barcode", "Usage_Unit", "Unit_Price", "Product_Active", "Hub_Key")


@dataclass(slots=True)
class Target:
    """What the hub knows of one of Zoho's records."""

    hub_key: str
    key: str = ""
    tried: bool = False
    """A create was begun whose outcome is unknown."""
    seen: Doc = field(default_factory=dict)


@dataclass(slots=True)
class Memory:
    """What survives a crash."""

    cursors: dict[str, str] = field(default_factory=dict)
    observed: dict[str, dict[Any, Doc]] = field(default_factory=dict)
    targets: dict[tuple[str, str], Target] = field(default_factory=dict)
    """(module, natural key) -> target."""
    queue: list[tuple[str, str, Doc]] = field(default_factory=list)
    """Deliveries: module, natural key, fields."""
    wished: dict[tuple[str, str], Doc] = field(default_factory=dict)
    """What was last put into the queue; only a reordering hub goes by it."""


class ToyHub:
    """One hub between one Kingdee and one Zoho."""

    def __init__(self, kingdee: Mapping[str, Any], zoho: Mapping[str, Any], rows: list[dict[str, str]], bugs: Collection[Bug] = ()) -> None:
        self.kingdee, self.zoho = Kingdee(kingdee), Zoho(zoho)
        self.codes, self.bugs, self.memory = Codes(rows), frozenset(bugs), Memory()
        self.crash_after_reading = ""
        """Stream after whose answer the process is killed, once."""

    def cycle(self) -> None:
        """Read, want, write; a write of unknown outcome is settled by the next cycle."""
        for stream in _FORMS:
            self._read(stream, self._kingdee_since)
        self._read("accounts", self._accounts_since)
        self._link()
        self._link_products()
        self._want()
        self._deliver()
        self._write_back()

    # reading

    def _read(self, stream: str, since: Any) -> None:
        cursor = self.memory.cursors.get(stream, "2000-01-01T00:00:00")
        found, last = since(stream, cursor)
        if "cursor before data" in self.bugs:
            self.memory.cursors[stream] = last or cursor
        if self.crash_after_reading == stream and found:
            self.crash_after_reading = ""
            raise Crash(stream)
        self.memory.observed.setdefault(stream, {}).update(found)
        self.memory.cursors[stream] = last or cursor

    def _kingdee_since(self, stream: str, cursor: str) -> tuple[dict[Any, Doc], str]:
        form, head, rows = _FORMS[stream]
        sign = ">" if "exclusive cursor" in self.bugs else ">="
        docs = self.kingdee.since(form, head, rows, f"FModifyDate {sign} '{cursor}'")
        return {doc[head[0]]: _nested(stream, doc) for doc in docs}, max((doc["FModifyDate"] for doc in docs), default="")

    def _accounts_since(self, _: str, cursor: str) -> tuple[dict[Any, Doc], str]:
        sign = ">" if "exclusive cursor" in self.bugs else ">="
        moment = cursor if "+" in cursor else f"{cursor}+08:00"
        docs = self.zoho.query("Accounts", ("id", *_ACCOUNT), f"Modified_Time {sign} '{moment}'")
        return {doc["id"]: doc for doc in docs}, max((doc["Modified_Time"] for doc in docs), default="")

    # deciding

    def _target(self, module: str, natural: str) -> Target:
        return self.memory.targets.setdefault((module, natural), Target(f"H{secrets.token_hex(7).upper()}0"))

    def _masters(self, stream: str) -> dict[str, Doc]:
        return {doc["FNumber"]: doc for doc in self.memory.observed[stream].values() if doc["FUseOrgId"]["FNumber"] == "100"}

    def _link(self) -> None:
        """Join accounts and customers by code or registration code, and keep what the accounts were seen to hold."""
        codes = {doc["FSOCIALCRECODE"]: number for number, doc in self._masters("customers").items()}
        for key, account in self.memory.observed["accounts"].items():
            number = account["ERP_Code"] or codes.get(account["USCC"])
            if number:
                target = self._target("Accounts", number)
                if not target.key:
                    target.key = key
                if target.key == key:
                    target.seen = account

    def _link_products(self) -> None:
        for doc in self.zoho.query("Products", ("id", *_PRODUCT), "id > '0'"):
            if code := doc["Product_Code"]:
                target = self._target("Products", code)
                target.key, target.seen = target.key or doc["id"], doc

    def _want(self) -> None:
        memory = self.memory
        wanted: dict[tuple[str, str], Doc] = {}
        for number, doc in self._masters("customers").items():
            ours = {} if self._target("Accounts", number).key else {zoho: doc[kingdee] for kingdee, zoho in FROM_ZOHO.items()}
            wanted["Accounts", number] = {**ours, **desired.account(doc, self.codes)}
        for number, doc in self._masters("products").items():
            wanted["Products", number] = desired.product(doc, self.codes)
        accounts = {natural: target.key for (module, natural), target in memory.targets.items() if module == "Accounts"}
        products = {natural: target.key for (module, natural), target in memory.targets.items() if module == "Products"}
        ledger = Ledger({"receipts": list(memory.observed["receipts"].values())})
        if "float money" in self.bugs:
            for number, paid in ledger.paid.items():
                ledger.paid[number] = Decimal(str(int(float(paid) * 100) / 100))
        for doc in memory.observed["sales_orders"].values():
            parts = {row["FMaterialId"]["FNumber"] for row in doc["FSaleOrderEntry"]}
            account = accounts.get(doc["FCustId"]["FNumber"], "")
            if account and all(products.get(part) for part in parts):
                wanted["Sales_Orders", doc["FBillNo"]] = desired.order(doc, ledger, self.codes, account, products)
        for (module, natural), fields in wanted.items():
            self._enqueue(module, natural, fields)

    def _enqueue(self, module: str, natural: str, fields: Doc) -> None:
        target, memory = self._target(module, natural), self.memory
        if "reordered deliveries" in self.bugs:
            # Edge-triggered: every new wish is a delivery of its own, and nobody compares afterwards.
            if memory.wished.get((module, natural)) != fields:
                memory.wished[module, natural] = fields
                memory.queue.append((module, natural, fields))
            return
        # The newest wish replaces older ones of the same record: nothing may go back in time.
        memory.queue[:] = [item for item in memory.queue if item[:2] != (module, natural)]
        if not target.key or any(self._differs(value, target.seen.get(name)) for name, value in fields.items()):
            memory.queue.append((module, natural, fields))

    def _differs(self, wanted: Any, seen: Any) -> bool:
        if "echo by un-normalised text" in self.bugs:
            return str(wanted) != str(seen)
        return bool(_normal(wanted) != _normal(seen))

    # writing

    def _deliver(self) -> None:
        queue, left = self.memory.queue, []
        while queue:
            item = queue.pop() if "reordered deliveries" in self.bugs else queue.pop(0)
            try:
                self._write(*item)
            except Uncertain:
                left.append(item)
        # What failed waits in the order in which it was wished for.
        queue.extend(reversed(left) if "reordered deliveries" in self.bugs else left)

    def _write(self, module: str, natural: str, fields: Doc) -> None:
        target = self._target(module, natural)
        if not target.key and target.tried:
            self._look_up(module, target, fields)
        if target.key:
            changed = {name: value for name, value in fields.items() if self._differs(value, target.seen.get(name))}
            if changed:
                self.zoho.update(module, target.key, _sent(target, changed))
                target.seen = {**target.seen, **fields}
            return
        target.tried = True
        target.key = self.zoho.insert(module, {**fields, "Hub_Key": target.hub_key})
        target.seen = dict(fields)

    def _look_up(self, module: str, target: Target, fields: Doc) -> None:
        """After a create of unknown outcome, see whether it is there."""
        if "no look-up before create" in self.bugs:
            target.hub_key = f"H{secrets.token_hex(7).upper()}0"
            return
        found = self.zoho.query(module, ("id",), f"Hub_Key = '{target.hub_key}'")
        if found:
            target.key = str(found[0]["id"])
            target.seen = dict(fields) if "look-up not merged" in self.bugs else self.zoho.get(module, target.key)

    def _write_back(self) -> None:
        """Give every copy of a customer what Zoho decides."""
        for doc in self.memory.observed["customers"].values():
            target = self._target("Accounts", doc["FNumber"])
            account = self.memory.observed["accounts"].get(target.key)
            if account is None:
                continue
            changed = {kingdee: account[zoho] or "" for kingdee, zoho in FROM_ZOHO.items() if self._differs(account[zoho], doc[kingdee])}
            if changed:
                try:
                    self.kingdee.save("BD_Customer", {"FCUSTID": doc["FCUSTID"], **changed})
                except Uncertain:
                    continue  # the record is not marked as written: the next cycle compares again
                doc.update(changed)


def _sent(target: Target, changed: Doc) -> Doc:
    """Lines are sent with the ids they have, or they would be added once more."""
    if "Ordered_Items" not in changed:
        return changed
    ids = {row.get("Sequence_Number"): row.get("id") for row in target.seen.get("Ordered_Items", ())}
    rows = [{**row, "id": key} if (key := ids.get(row["Sequence_Number"])) else row for row in changed["Ordered_Items"]]
    return {**changed, "Ordered_Items": rows}


def _normal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return str(value.get("id"))
    if isinstance(value, list):
        return [
            {name: _normal(row.get(name)) for name in ("Product_Name", "Quantity", "List_Price", "Discount", "Shipped_Quantity")}
            for row in value
        ]
    if value is None or isinstance(value, str):
        return (value or "").strip()
    return value


def _nested(stream: str, doc: Doc) -> Doc:
    """A flat query row in the nested shape that `desired` reads."""
    made: Doc = {}
    for key, value in doc.items():
        if key != "rows":
            name, _, part = key.partition(".")
            place = made.setdefault(_SUB[name], {}) if name in _SUB else made
            place[name] = {part: value} if part else value
    if stream in _ROWS:
        made[_ROWS[stream]] = [
            _nested("", {key.rpartition("_")[2] if key.endswith("FEntryID") else key: value for key, value in row.items()})
            for row in doc["rows"]
        ]
    return made
