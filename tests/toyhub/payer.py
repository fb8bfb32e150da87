"""A toy that pays: it books a memo in the ERP for each payout and keeps the ERP's prices, with the classic bugs as switches.

Its memory survives a crash, as a database would.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from tests.oracle.prices import Price, price
from tests.oracle.rebates import Paid
from tests.toyhub.clients import Kingdee, Uncertain

PayBug = Literal["memo saved again without a look", "memo noted before it is saved", "prices in binary"]
PAY_BUGS: tuple[PayBug, ...] = ("memo saved again without a look", "memo noted before it is saved", "prices in binary")


class ToyPayer:
    """Pays what it is told to pay; reads the price lists."""

    def __init__(self, kingdee: Mapping[str, Any], bugs: Collection[PayBug] = ()) -> None:
        self.kingdee, self.bugs = Kingdee(kingdee), frozenset(bugs)
        self.booked: set[str] = set()
        self.prices: dict[str, Counter[Price]] = {}

    def cycle(self, payouts: Sequence[Paid]) -> None:
        """Book what is not booked, and read the prices; an unknown outcome is settled by the next cycle."""
        for payout in payouts:
            if payout.id not in self.booked:
                self._book(payout)
        self._read_prices()

    def _book(self, payout: Paid) -> None:
        if "memo saved again without a look" not in self.bugs and self._find(payout):
            self.booked.add(payout.id)
            return
        if "memo noted before it is saved" in self.bugs:
            self.booked.add(payout.id)
        try:
            self.kingdee.save("AR_OtherRecAble", _memo(payout))
        except Uncertain:
            return
        self.booked.add(payout.id)

    def _find(self, payout: Paid) -> bool:
        return bool(self.kingdee.since("AR_OtherRecAble", ["FID"], ["FBillNo"], f"F_HUB_PAYOUT = '{payout.id}'"))

    def _read_prices(self) -> None:
        rows = ("FEntity_FEntryID", "FMaterialId.FNumber", "FFromQty", "FToQty", "FPrice", "FDownPrice", "FEntryForbidStatus")
        for doc in self.kingdee.since("BD_SAL_PriceList", ["FID", "FNumber"], rows, "FForbidStatus = 'A'"):
            self.prices[doc["FNumber"]] = Counter(self._price(row) for row in doc["rows"])

    def _price(self, row: Mapping[str, Any]) -> Price:
        product, start, end = row["FMaterialId.FNumber"], row["FFromQty"], row["FToQty"]
        amount = Decimal(row["FPrice"])
        if "prices in binary" in self.bugs:
            amount = Decimal(int(float(amount) * 100)) / 100
        return price(product, start, end, amount, row["FDownPrice"], active=row["FEntryForbidStatus"] != "B")


def _memo(payout: Paid) -> dict[str, Any]:
    line = {
        "FCOSTID": {"FNumber": "FYXM20"}, "FEntryTaxRate": payout.tax_rate * 100, "FNOTAXAMOUNTFOR": payout.tax - payout.total,
        "FTAXAMOUNTFOR": -payout.tax, "FAMOUNTFOR_D": -payout.total,
    }  # fmt: skip
    return {
        "FBillTypeID": {"FNumber": "QTYSD01_SYS"}, "FDATE": "2026-11-21", "FENDDATE_H": "2026-11-21", "FCONTACTUNITTYPE": "BD_Customer",
        "FCONTACTUNIT": {"FNumber": payout.dealer}, "FCURRENCYID": {"FNumber": "PRE001"}, "FSETTLEORGID": {"FNumber": "100"},
        "F_HUB_PAYOUT": payout.id, "FDocumentStatus": "C", "FEntity": [line],
    }  # fmt: skip
