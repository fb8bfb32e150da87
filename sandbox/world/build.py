"""Puts a world together from its seed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from random import Random

from sandbox.collector import without_collector
from sandbox.world import base_data
from sandbox.world.base_data import UNITS, PartySeed, Seller, number
from sandbox.world.calendar import Days
from sandbox.world.crm import TERMS_TEXT, Crm
from sandbox.world.documents import History, money
from sandbox.world.model import DEMO, Doc, Size, World

TODAY = date(2026, 11, 20)
"""The last day of the world's history; fixed, so that one seed is one world on every day it is made."""

UNKNOWN_SELLER = "1099_GW000002_1"
"""A salesperson of Kingdee that no value map knows."""

_LATE_ZOHO = "new.colleague"
_TERMS = {
    "SKTJ01_SYS": "cod",
    "SKTJ02_SYS": "net30",
    "SKTJ03_SYS": "net60",
    "SKTJ05_SYS": "prepaid",
}
_SETTLEMENTS = {
    "JSFS01_SYS": "cash",
    "JSFS04_SYS": "transfer",
    "JSFS06_SYS": "acceptance",
}


def make_world(seed: int = 7, size: Size = DEMO, today: date = TODAY) -> World:
    """A world; the same seed, size and day make the same world, record by record.

    Time: `today` is a business day of Asia/Shanghai; three years up to it are filled.
    """
    with without_collector():
        return _make(seed, size, today)


def _make(seed: int, size: Size, today: date) -> World:
    rng = Random(seed)
    days = Days(today)
    parties = base_data.parties(rng, size)
    own, lone = parties[: size.parties], parties[size.parties :]
    people = base_data.sellers(rng, size)
    seeds = base_data.products(rng, size)
    history = History(rng, days, own, [one for one in seeds if one.serial % 83], people)
    history.write(size.orders)
    _plant_unknown_seller(history, size)
    since = _first_of_month(today, months_back=2)
    bad = [_bad_receipt(history, days) for _ in range(size.bad_records)]

    crm = Crm(rng, days, size, people)
    linked, doubtful, spare = _shares(own, size)
    crm.linked_accounts(linked)
    crm.lone_accounts(lone)
    crm.doubtful_accounts(doubtful, spare)
    crm.contacts()
    crm.leads()
    product_ids = crm.products(seeds[: size.zoho_products])
    waiting = crm.pipeline(history.bills, seeds, product_ids)

    kingdee: dict[str, list[Doc]] = {
        "organizations": base_data.organisations(),
        "departments": base_data.departments(days),
        "employees": base_data.employees([*people, Seller("", UNKNOWN_SELLER, _LATE_ZOHO, "新同事")], days),
        "customers": base_data.customers(rng, own, people, days),
        "products": base_data.materials(seeds, days),
        "price_lists": base_data.price_lists(seeds, days),
        "stock_levels": base_data.stock(rng, seeds, days),
        **history.docs,
    }
    world = World(
        seed,
        size.name,
        {"kingdee": kingdee, "zoho": crm.docs},
        value_maps=value_maps(people),
    )
    world.truth = _truth(world, parties, crm, waiting, bad, since, days)
    return world


def _first_of_month(today: date, months_back: int) -> str:
    month = today.year * 12 + today.month - 1 - months_back
    return date(month // 12, month % 12 + 1, 1).isoformat()


def _shares(own: list[PartySeed], size: Size) -> tuple[list[PartySeed], list[PartySeed], list[PartySeed]]:
    """Who is linked, who is doubtful, and whose keys are borrowed by doubtful ones; nobody is two of these."""
    linked = own[: size.zoho_linked]
    doubtful = own[size.zoho_linked : size.zoho_linked + size.doubtful]
    spare = own[size.zoho_linked + size.doubtful : size.zoho_linked + 2 * size.doubtful]
    return linked, doubtful, spare


def _plant_unknown_seller(history: History, size: Size) -> None:
    linked = {party.customer_number for party in history.parties[: size.zoho_linked]}
    wanted = size.unknown_seller_orders
    for doc in reversed(history.docs["sales_orders"]):
        if wanted and doc["FCustId"]["FNumber"] in linked and doc["FDocumentStatus"] == "C":
            doc["FSalerId"] = number(UNKNOWN_SELLER)
            wanted -= 1


def _bad_receipt(history: History, days: Days) -> Doc:
    """An advance whose amount someone typed with thirty digits; gives what mends it."""
    doc = history.receive(history.bills[0], days.last - 3, 880_000)
    line = doc["FRECEIVEBILLENTRY"][0]
    line.update(FSALEORDERNO="", FPURPOSEID=number("SFKYT02_SYS"))
    mended = {
        "FID": doc["FID"],
        "FRECEIVEBILLENTRY": [{"FEntryID": line["FEntryID"], "FRECTOTALAMOUNTFOR": "8800.00"}],
    }
    line["FRECTOTALAMOUNTFOR"] = Decimal("123456789012345678901234567890.12")
    return {
        "system": "kingdee",
        "stream": "receipts",
        "key": str(doc["FID"]),
        "number": doc["FBillNo"],
        "field": "FRECEIVEBILLENTRY.FRECTOTALAMOUNTFOR",
        "good": str(money(880_000)),
        "mend": mended,
    }


def value_maps(people: list[Seller]) -> list[dict[str, str]]:
    """The rows that a clerk fills before going live."""
    rows = []

    def add(name: str, kind: str, vendor: str, canonical: str) -> None:
        rows.append(
            {
                "map": name,
                "system_kind": kind,
                "vendor_value": vendor,
                "canonical_value": canonical,
                "company": "",
            }
        )

    for seller in people:
        add("salesperson", "erp_kingdee", seller.kingdee, seller.canonical)
        add("salesperson", "crm_zoho", seller.zoho, seller.canonical)
    for kingdee, canonical, zoho in UNITS:
        add("unit", "erp_kingdee", kingdee, canonical)
        add("unit", "crm_zoho", zoho, canonical)
    for kingdee, canonical in _TERMS.items():
        add("payment_terms", "erp_kingdee", kingdee, canonical)
        add("payment_terms", "crm_zoho", TERMS_TEXT[kingdee], canonical)
    for kingdee, canonical in _SETTLEMENTS.items():
        add("settlement_method", "erp_kingdee", kingdee, canonical)
    for houses in base_data.WAREHOUSES.values():
        for house in houses:
            add("warehouse", "erp_kingdee", house, house)
    for kingdee, canonical in (("PRE001", "CNY"), ("PRE007", "USD"), ("PRE006", "GBP")):
        add("currency", "erp_kingdee", kingdee, canonical)
        add("currency", "crm_zoho", canonical, canonical)
    for kingdee, canonical in (("SL01_SYS", "0.13"), ("SL04_SYS", "0")):
        add("tax_rate", "erp_kingdee", kingdee, canonical)
    return rows


def _truth(
    world: World,
    parties: list[PartySeed],
    crm: Crm,
    waiting: list[Doc],
    bad: list[Doc],
    since: str,
    days: Days,
) -> Doc:
    orders = world.data["kingdee"]["sales_orders"]
    return {
        "parties": {
            party.seed_id: {
                "name": party.name.full,
                "number": party.customer_number,
                "uscc": party.uscc,
                "kingdee": {org: str(key) for org, key in party.customer_ids.items()},
                "zoho": crm.truth_zoho.get(party.seed_id, []),
            }
            for party in parties
        },
        "doubtful": crm.doubtful,
        "bad_records": bad,
        "unknown_seller": {
            "code": UNKNOWN_SELLER,
            "orders": [doc["FBillNo"] for doc in orders if doc["FSalerId"]["FNumber"] == UNKNOWN_SELLER],
        },
        "late_value": [
            {
                "map": "salesperson",
                "system_kind": kind,
                "vendor_value": code,
                "canonical_value": "S099",
                "company": "",
            }
            for kind, code in (
                ("erp_kingdee", UNKNOWN_SELLER),
                ("crm_zoho", _LATE_ZOHO),
            )
        ],
        "value_maps": world.value_maps,
        "since": since,
        "today": days.texts[days.last],
        "backfill_month": days.texts[max(0, days.last - 200)][:7],
        "story": waiting,
        "counts": world.counts(),
    }
