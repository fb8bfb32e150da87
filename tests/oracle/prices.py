"""Price lists: every system that holds one says the same, line by line and to the fen. Kingdee decides; the others must follow."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

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
    valid_from: str
    valid_to: str
    active: bool


def of_kingdee(doc: Doc) -> tuple[PriceList, Counter[Price]]:
    """A list of the ERP with its lines."""
    head = PriceList(
        text(doc.get("FNumber")),
        text(doc.get("FName")),
        CURRENCIES[ref(doc, "FCurrencyId")],
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


def judge_price_lists(
    kingdee_url: str, zoho_url: str, ledger: Mapping[str, Counter[Price]], said: Mapping[tuple[str, str], object]
) -> list[Finding]:
    """What is wrong with the price lists. `ledger`: number of a list -> its lines as the hub's ledger says.

    `said`: (number, line of the ERP or empty for the name) -> what the ERP's users said last, which must still stand there.
    """
    return compare_price_lists(Door(kingdee_url).records("price_lists"), Door(zoho_url).records("price_books"), ledger, said)


def compare_price_lists(
    owners: Sequence[Doc], books: Sequence[Doc], ledger: Mapping[str, Counter[Price]], said: Mapping[tuple[str, str], object]
) -> list[Finding]:
    """The same for records at hand."""
    wrong = _overwritten(owners, said)
    shown: defaultdict[str, list[Doc]] = defaultdict(list)
    for book in books:
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
        wrong += [one for book in found for one in _head(head, book)]
    for code, strangers in shown.items():
        wrong += [
            Finding("made for no list", "zoho", "price_books", code, found=text(one["id"])) for one in strangers if text(one.get("Hub_Key"))
        ]
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
