"""Users who trade: they correct orders, bill, take goods back, and change prices, in both systems."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.oracle.editing import Editor
from tests.oracle.values import Doc, number, text

DAYS = ("2026-11-20T00:00:00", "2026-10-15T00:00:00")
"""Documents are of today, or come late: of a period that may have been settled."""
_TAKEN_BACK = 1
_OF_A_LINE = {"FMaterialId", "FUnitID", "FToQty", "FDownPrice", "FEntryEffectiveDate", "FEntryExpiryDate", "FEntryForbidStatus"}
"""What a further line of a product takes over."""


class Trader(Editor):
    """An editor who also does what moves money and prices."""

    def __init__(self, kingdee_url: str, zoho_url: str, truth: Mapping[str, Any], seed: int) -> None:
        super().__init__(kingdee_url, zoho_url, truth, seed)
        self.bought = list(self.orders)
        self.lists = self.kingdee.records("price_lists")
        self.pattern = self.kingdee.records("receivables", limit="1")[0]
        self.said: dict[tuple[str, str], Any] = {}
        """(number of a price list, its line or empty for its name) -> what the ERP said last."""

    def kinds(self) -> dict[str, Callable[[], None]]:
        """The kinds of edits, by name."""
        return {
            **super().kinds(),
            "correct an order": self.correct,
            "bill": self.bill,
            "goods back": self.take_back,
            "void a bill": self.void,
            "price in the ERP": self.price,
            "name of a price list": self.name_list,
            "name of a price book": self.name_book_by_other,
            "a step more in the ERP": self.step,
            "a price off in the ERP": self.line_off,
            "price in a price book": self.price_book_by_other,
            "product out of a price book": self.unprice_by_other,
            "price of a list of the hub's in the ERP": self.hub_price_by_other,
        }

    # money

    def correct(self) -> None:
        """The ERP changes the quantity of an approved order's first line: the order is worth more or less than it was."""
        at = self.rng.randrange(len(self.orders))
        order = self.orders[at]
        if order.get("FDocumentStatus") != "C":
            return
        line = order["FSaleOrderEntry"][0]
        quantity = self.rng.randint(1, 2 * int(number(line["FQty"])))
        rows = _with(order["FSaleOrderEntry"], line, "FQty", quantity)
        self.orders[at] = self.kingdee.put("sales_orders", {"FID": order["FID"], "FSaleOrderEntry": rows})
        self.made.append(f"kingdee sales_orders {order['FBillNo']} first line {line['FQty']} -> {quantity}")

    def bill(self, quantity: int = 2) -> None:
        """Finance bills some pieces of an approved order's first line; a negative number makes a red receivable."""
        if (order := self._approved()) is not None:
            self._bill(order, quantity, self.rng.choice(DAYS))

    def _bill(self, order: Doc, quantity: int, on: str) -> None:
        line = order["FSaleOrderEntry"][0]
        row = {
            "FMATERIALID": line["FMaterialId"], "FPriceQty": quantity, "FTaxPrice": line["FTaxPrice"],
            "FEntryTaxRate": line["FEntryTaxRate"], "FORDERNUMBER": order["FBillNo"], "FSourceBillNo": "",
        }  # fmt: skip
        org = order["FSaleOrgId"]
        made = self.kingdee.put(
            "receivables",
            {
                "FBillTypeID": self.pattern["FBillTypeID"], "FDATE": on, "FENDDATE_H": "2026-12-20T00:00:00", "FSetAccountType": "3",
                "FCUSTOMERID": order["FCustId"], "FCURRENCYID": self.pattern["FCURRENCYID"], "FSETTLEORGID": org, "FSALEORGID": org,
                "FDocumentStatus": "C", "FCancelStatus": "A", "FEntityDetail": [row],
            },
        )  # fmt: skip
        self.made.append(
            f"kingdee receivables {made['FBillNo']} of {order['FBillNo']}: {quantity} pieces on {on[:10]}, {made['FALLAMOUNTFOR']}"
        )

    def take_back(self) -> None:
        """A dealer sends a piece back of what was shipped long ago, and finance writes the red receivable."""
        order, on = self.rng.choice(self.bought), self.rng.choice(DAYS)
        line = order["FSaleOrderEntry"][0]
        row = {
            "FMaterialId": line["FMaterialId"], "FUnitID": line["FUnitID"], "FRealQty": _TAKEN_BACK, "FTaxPrice": line["FTaxPrice"],
            "FOrderNo": order["FBillNo"], "FSOEntryId": line["FEntryID"], "FSrcBillNo": "",
        }  # fmt: skip
        org = order["FSaleOrgId"]
        made = self.kingdee.put(
            "returns",
            {
                "FBillTypeID": {"FNumber": "XSTHD01_SYS"}, "FDate": on, "FSaleOrgId": org, "FStockOrgId": org,
                "FRetcustId": order["FCustId"], "FReturnReason": "质量问题", "SubHeadEntity": {"FSettleCurrId": {"FNumber": "PRE001"}},
                "FDocumentStatus": "C", "FCancelStatus": "A", "FEntity": [row],
            },
        )  # fmt: skip
        self.made.append(f"kingdee returns {made['FBillNo']} of {order['FBillNo']}")
        self._bill(order, -_TAKEN_BACK, on)

    def void(self) -> None:
        """Finance voids a receivable: what it earned is not earned any more."""
        good = [doc for doc in self.kingdee.records("receivables") if doc.get("FCancelStatus") != "B"]
        if not good:
            return
        doc = self.rng.choice(good)
        self.kingdee.put("receivables", {"FID": doc["FID"], "FCancelStatus": "B"})
        self.made.append(f"kingdee receivables {doc['FBillNo']} void")

    # prices

    def price(self) -> None:
        """The ERP changes a price, to the fen."""
        doc = self.rng.choice(self.lists)
        line, amount = self.rng.choice(doc["FEntity"]), Decimal(self._next() * 131) / 100
        self._put_lines(doc, _with(doc["FEntity"], line, "FPrice", amount))
        self.said[text(doc["FNumber"]), text(line["FEntryID"])] = amount
        self.made.append(f"kingdee price_lists {doc['FNumber']} {line['FMaterialId']['FNumber']} at {amount}")

    def step(self) -> None:
        """The ERP adds a line for a larger quantity, or a smaller one: then that is what price books must show."""
        doc = self.rng.choice(self.lists)
        line, amount = self.rng.choice(doc["FEntity"]), Decimal(self._next() * 73) / 100
        more = {key: value for key, value in line.items() if key in _OF_A_LINE}
        more |= {"FFromQty": self.rng.choice([-1, 5, 100]), "FPrice": amount}
        self._put_lines(doc, [*({"FEntryID": row["FEntryID"]} for row in doc["FEntity"]), more])
        self.made.append(f"kingdee price_lists {doc['FNumber']} {line['FMaterialId']['FNumber']} from {more['FFromQty']} at {amount}")

    def line_off(self) -> None:
        """The ERP blocks a line, or takes the block away."""
        doc = self.rng.choice(self.lists)
        line = self.rng.choice(doc["FEntity"])
        off = "A" if line.get("FEntryForbidStatus") == "B" else "B"
        self._put_lines(doc, _with(doc["FEntity"], line, "FEntryForbidStatus", off))
        self.made.append(f"kingdee price_lists {doc['FNumber']} {line['FMaterialId']['FNumber']} {off}")

    def _put_lines(self, doc: Doc, rows: Sequence[Doc]) -> None:
        """Lines are known by what the ERP made of them, for the next edit sends all of them."""
        doc["FEntity"] = self.kingdee.put("price_lists", {"FID": doc["FID"], "FEntity": rows})["FEntity"]

    def hub_price_by_other(self) -> None:
        """The ERP changes a price of a list that was made in the hub."""
        mine = [doc for doc in self.kingdee.records("price_lists") if text(doc.get("F_HUB_KEY"))]
        if mine:
            doc = self.rng.choice(mine)
            rows = _with(doc["FEntity"], doc["FEntity"][0], "FPrice", Decimal(self._next()))
            self.kingdee.put("price_lists", {"FID": doc["FID"], "FEntity": rows})
            self.made.append(f"kingdee price_lists {doc['FNumber']}, which the hub made")

    def price_book_by_other(self) -> None:
        """The CRM changes what a product costs in a book, and the book with it."""
        if (book := self._priced_book()) is not None:
            row = {"id": self.rng.choice(book["Products"])["id"], "list_price": self._next()}
            self.zoho.put("price_books", {"id": book["id"], "Description": f"乱改{self._next()}", "Products": [row]})
            self.made.append(f"zoho price_books {book['id']} {row}")

    def unprice_by_other(self) -> None:
        """The CRM takes a product out of a book; no change time tells."""
        if (book := self._priced_book()) is not None:
            key = self.rng.choice(book["Products"])["id"]
            self.zoho.put("price_books", {"id": book["id"], "Products": [{"id": key, "_delete": None}]})
            self.made.append(f"zoho price_books {book['id']} without {key}")

    def _priced_book(self) -> Doc | None:
        books = [doc for doc in self.zoho.records("price_books") if doc["Products"] and text(doc.get("Hub_Key"))]
        return self.rng.choice(books) if books else None

    def name_list(self) -> None:
        """The ERP renames a price list."""
        doc, name = self.rng.choice(self.lists), f"价目 {self._next()}"
        self.kingdee.put("price_lists", {"FID": doc["FID"], "FName": name})
        self.said[text(doc["FNumber"]), ""] = name
        self.made.append(f"kingdee price_lists {doc['FNumber']} FName = {name}")

    def name_book_by_other(self) -> None:
        """The CRM renames a price book, which the ERP decides."""
        books = [doc for doc in self.zoho.records("price_books") if text(doc.get("ERP_Code"))]
        if books:
            self.edit("zoho", "price_books", "id", self.rng.choice(books), "Price_Book_Name", f"销售乱改{self._next()}", owner=False)


def _with(rows: Sequence[Doc], line: Doc, name: str, value: object) -> list[Doc]:
    """All lines, for a line that is not sent is deleted; of one of them a field is changed, the others stay as they are."""
    return [{"FEntryID": row["FEntryID"], **({name: value} if row is line else {})} for row in rows]
