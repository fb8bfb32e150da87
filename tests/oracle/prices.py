"""Price lists: every system that holds one says the same, line by line and to the fen.

The ERP decides about its own lists and the hub about those it makes; price books show of each list what they have room for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.oracle.door import Door
from tests.oracle.evidence import lines
from tests.oracle.values import Doc, day, number, places, ref, text
from tests.oracle.verdict import Finding

CURRENCIES = {"PRE001": "CNY", "PRE007": "USD", "PRE006": "GBP"}


@dataclass(frozen=True, slots=True)
class Price:
    """One line of a price list: for a product from a quantity on (0: any) up to another (0: no end), tax included as its list says."""

    product: str
    from_quantity: Decimal
    to_quantity: Decimal
    price: Decimal
    floor: Decimal
    active: bool


@dataclass(frozen=True, slots=True)
class PriceList:
    """A price list, wherever it stands."""

    number: str
    name: str
    currency: str
    taxed: bool
    valid_from: str
    valid_to: str
    active: bool


def of_kingdee(doc: Doc) -> tuple[PriceList, Counter[Price]]:
    """A list of the ERP with its lines."""
    head = PriceList(
        text(doc.get("FNumber")),
        text(doc.get("FName")),
        CURRENCIES[ref(doc, "FCurrencyId")],
        doc.get("FIsIncludedTax") is not False,
        day(doc.get("FEffectiveDate")),
        day(doc.get("FExpiryDate")),
        doc.get("FForbidStatus") != "B",
    )
    return head, Counter(
        price(
            ref(row, "FMaterialId"), row.get("FFromQty"), row.get("FToQty"), row.get("FPrice"), row.get("FDownPrice"),
            active=row.get("FEntryForbidStatus") != "B",
        )
        for row in lines(doc, "FEntity", "SAL_PRICELISTENTRY")
    )  # fmt: skip


def price(product: str, start: object, end: object, amount: object, floor: object, *, active: bool = True) -> Price:
    """A line from what a system or the ledger holds."""
    return Price(product, number(start), number(end), places(amount, 4), places(floor, 4), active)


@dataclass(frozen=True, slots=True)
class Books:
    """The CRM's price books, and what tells its products: record id -> number in the ERP."""

    docs: Sequence[Doc]
    products: Mapping[str, str]

    def prices(self, book: Doc) -> Counter[tuple[str, Decimal]]:
        """What products cost in a book, by their number in the ERP."""
        rows = lines(book, "Products")
        return Counter((self.products.get(text(row["id"]), f"?{row['id']}"), places(row.get("list_price"), 4)) for row in rows)


def judge_price_lists(
    kingdee_url: str,
    zoho_url: str,
    ledger: Mapping[str, Counter[Price]],
    said: Mapping[tuple[str, str], object],
    made: Mapping[str, Counter[Price]] | None = None,
) -> list[Finding]:
    """What is wrong with the price lists. `ledger`: number of a list -> its lines as the hub's ledger says.

    `said`: (number, line of the ERP or empty for the name) -> what the ERP's users said last, which must still stand there.
    `made`: name -> lines of lists that were made in the hub.
    """
    kingdee, zoho = Door(kingdee_url), Door(zoho_url)
    products = {text(doc["id"]): text(doc.get("Product_Code")) for doc in zoho.records("products")}
    units = {text(doc["FNumber"]): ref(doc["SubHeadEntity"], "FBaseUnitId") for doc in kingdee.records("products")}
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat()
    books = Books(zoho.records("price_books"), products)
    return compare_price_lists(kingdee.records("price_lists"), books, ledger, said, units=units, today=today, made=made or {})


def compare_price_lists(
    owners: Sequence[Doc],
    books: Books,
    ledger: Mapping[str, Counter[Price]],
    said: Mapping[tuple[str, str], object],
    *,
    units: Mapping[str, str],
    today: str,
    made: Mapping[str, Counter[Price]],
) -> list[Finding]:
    """The same for records at hand. `units`: base unit of each product; `today`: YYYY-MM-DD."""
    wrong = [*_overwritten(owners, said), *_made(owners, made)]
    shown: defaultdict[str, list[Doc]] = defaultdict(list)
    for book in books.docs:
        shown[text(book.get("ERP_Code"))].append(book)
    for doc in owners:
        head, prices = of_kingdee(doc)
        wrong += _lines("hub", head.number, prices, ledger.get(head.number))
        found = shown.pop(head.number, [])
        if not found:
            wrong.append(Finding("missing", "zoho", "price_books", head.number, expected=head.name))
        if len(found) > 1:
            keys = ", ".join(text(book["id"]) for book in found)
            wrong.append(Finding("two of one price list", "zoho", "price_books", head.number, expected=keys))
        for book in found:
            wrong += _head(head, book)
            wrong += _prices(head.number, on_show(doc, units, today), books.prices(book))
    for code, strangers in shown.items():
        wrong += [
            Finding("made for no list", "zoho", "price_books", code, found=text(one["id"])) for one in strangers if text(one.get("Hub_Key"))
        ]
    return wrong


def on_show(doc: Doc, units: Mapping[str, str], today: str) -> Counter[tuple[str, Decimal]]:
    """What a price book must show of the ERP's list: a product once, at the price of the least quantity in its own unit that holds today.

    Of two with the same least quantity the later one counts; where two begin on one day and differ, no price is shown.
    """
    ladders: defaultdict[str, list[tuple[Decimal, list[int], Decimal]]] = defaultdict(list)
    for row in lines(doc, "FEntity", "SAL_PRICELISTENTRY"):
        product, first, last = ref(row, "FMaterialId"), day(row.get("FEntryEffectiveDate")), day(row.get("FEntryExpiryDate"))
        holds = row.get("FEntryForbidStatus") != "B" and (not first or first <= today) and (not last or today <= last)
        if holds and ref(row, "FUnitID") in ("", units.get(product, "")):
            newest_first = [-int(part) for part in first.split("-")] if first else [0]
            ladders[product].append((number(row.get("FFromQty")), newest_first, places(row.get("FPrice"), 4)))
    first_steps = {product: {step[2] for step in steps if step[:2] == min(steps)[:2]} for product, steps in ladders.items()}
    return Counter((product, amounts.pop()) for product, amounts in first_steps.items() if len(amounts) == 1)


def _prices(code: str, wanted: Counter[tuple[str, Decimal]], found: Counter[tuple[str, Decimal]]) -> list[Finding]:
    def words(bag: Counter[tuple[str, Decimal]]) -> str:
        return "; ".join(f"{product} at {amount:f}" for product, amount in sorted(bag.elements()))[:300]

    if wanted == found:
        return []
    return [Finding("differs", "zoho", "price_books", code, "Products", words(wanted - found), words(found - wanted))]


def _made(owners: Sequence[Doc], made: Mapping[str, Counter[Price]]) -> list[Finding]:
    """Lists that were made in the hub stand in the ERP once each, audited, with the hub's lines."""
    wrong = []
    for name, wanted in made.items():
        found = [doc for doc in owners if text(doc.get("FName")) == name]
        if len(found) != 1:
            what = "two of one price list" if found else "missing"
            wrong.append(Finding(what, "kingdee", "price_lists", name, expected=text(len(found))))
        for doc in found:
            wrong += _lines("kingdee", name, wanted, of_kingdee(doc)[1])
            if doc.get("FDocumentStatus") != "C":
                wrong.append(Finding("differs", "kingdee", "price_lists", name, "FDocumentStatus", "C", text(doc.get("FDocumentStatus"))))
    return wrong


def _overwritten(owners: Sequence[Doc], said: Mapping[tuple[str, str], object]) -> list[Finding]:
    now: dict[tuple[str, str], object] = {}
    for doc in owners:
        now[text(doc.get("FNumber")), ""] = text(doc.get("FName"))
        for row in lines(doc, "FEntity", "SAL_PRICELISTENTRY"):
            now[text(doc.get("FNumber")), text(row.get("FEntryID"))] = number(row.get("FPrice"))
    return [
        Finding(
            "overwritten", "kingdee", "price_lists", " ".join(where), "FPrice" if where[1] else "FName", text(value), text(now.get(where))
        )
        for where, value in said.items()
        if now.get(where) != value
    ]


def _head(head: PriceList, book: Doc) -> list[Finding]:
    expected = (
        ("Price_Book_Name", head.name, text(book.get("Price_Book_Name"))),
        ("Tax_Side", "含税" if head.taxed else "不含税", text(book.get("Tax_Side"))),
        ("Currency_Code", head.currency, text(book.get("Currency_Code"))),
        ("Valid_From", head.valid_from, day(book.get("Valid_From"))),
        ("Valid_To", head.valid_to, day(book.get("Valid_To"))),
        ("Active", head.active, bool(book.get("Active"))),
    )
    return [
        Finding("differs", "zoho", "price_books", head.number, name, text(want), text(have))
        for name, want, have in expected
        if want != have
    ]


def _lines(system: str, code: str, wanted: Counter[Price], found: Counter[Price] | None) -> list[Finding]:
    """Lines are compared as a bag: two lines of one product are two."""
    if found is None:
        return [Finding("missing", system, "price_lists", code)]
    if wanted == found:
        return []
    return [Finding("differs", system, "price_lists", code, "lines", _words(wanted - found), _words(found - wanted))]


def _words(bag: Counter[Price]) -> str:
    said = (
        f"{one.product} from {one.from_quantity:f} at {one.price:f} floor {one.floor:f} {'' if one.active else 'off'}"
        for one in bag.elements()
    )
    return "; ".join(said)[:300]
