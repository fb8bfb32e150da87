"""Prices of price books: read by the page and only where something changed, written row by row, removed, refused one by one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Change, Outcome, Page, Receipt, Window
from connectors.crm_zoho.answers import Listing
from connectors.crm_zoho.connector import ZohoSession
from connectors.crm_zoho.prices import REMEMBERED, Recent
from tests.connectors.crm_zoho.stand_in import StandIn, stand_in

PRODUCTS = [str(572576700002000000 + n) for n in range(7)]
OLD = "2026-01-05T08:00:00+08:00"


def stocked(sandbox: StandIn, count: int = len(PRODUCTS)) -> list[str]:
    """Products to price."""
    keys = [str(572576700002000000 + n) for n in range(count)]
    sandbox.load(products=[{"id": key, "Product_Name": f"断路器 {key}", "Created_Time": OLD, "Modified_Time": OLD} for key in keys])
    return keys


def booked(sandbox: StandIn, number: int = 1, prices: Mapping[str, Any] | None = None) -> str:
    """A price book of long ago."""
    key = str(572576700003000000 + number)
    rows = [{"id": product, "list_price": price} for product, price in (prices or {}).items()]
    record = {"id": key, "Price_Book_Name": f"代理价 {number}", "Created_Time": OLD, "Modified_Time": OLD, "Products": rows}
    sandbox.load(price_books=[record])
    return key


def read(session: ZohoSession, cursor: Any = None) -> tuple[dict[str, dict[str, Any]], Any]:
    """What an increment gives: prices by product by book, and the cursor past it."""
    found: dict[str, dict[str, Any]] = {}
    for page in session.read("price_books", cursor):
        found |= prices_of(page)
        cursor = page.cursor or cursor
    return found, cursor


def prices_of(page: Page) -> dict[str, dict[str, Any]]:
    return {record.key: {row["id"]: row["list_price"] for row in record.payload["Products"]} for record in page.records}


def save(key: str | None, *rows: dict[str, Any], **fields: Any) -> Change:
    return Change("c", "save", "HUB0001", key, fields={**fields, "Products": list(rows)})


def written(session: ZohoSession, change: Change) -> Receipt:
    (receipt,) = session.write("price_books", [change])
    return receipt


def asked(sandbox: StandIn, path: str = "/Products") -> list[dict[str, Any]]:
    return [entry for entry in sandbox.log() if "Price_Books/5" in entry["path"] and entry["path"].endswith(path)]


@pytest.mark.parametrize("page_size", [1, 2, 3, 200])
def test_a_book_is_read_whole_whatever_its_pages(sandbox: StandIn, page_size: int) -> None:
    wanted = {key: 10 + n for n, key in enumerate(stocked(sandbox))}
    book = booked(sandbox, prices=wanted)

    assert read(sandbox.session(page_size=page_size))[0] == {book: wanted}


def test_a_book_of_thousands_is_read_by_tokens(sandbox: StandIn) -> None:
    book = booked(sandbox, prices=dict.fromkeys(stocked(sandbox, 2300), Decimal("1.25")))

    assert len(read(sandbox.session())[0][book]) == 2300
    assert not [entry for entry in sandbox.log() if entry["status"] >= 400]


def test_a_row_that_goes_while_its_pages_are_read_takes_no_other_along(sandbox: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = dict.fromkeys(stocked(sandbox), 5)
    book = booked(sandbox, prices=wanted)
    session = sandbox.session(page_size=2)
    client, first = session._client, type(session._client).related
    calls: list[int] = []

    def watched(*given: Any, **more: Any) -> Listing:
        calls.append(1)
        if len(calls) == 2:
            sandbox.put("price_books", id=book, Products=[{"id": PRODUCTS[0], "_delete": None}])
        return first(client, *given, **more)

    monkeypatch.setattr(client, "related", watched)

    assert read(session)[0] == {book: {key: 5 for key in wanted if key != PRODUCTS[0]}}


def test_idle_increments_ask_for_no_price_once_the_overlap_has_passed(sandbox: StandIn) -> None:
    now = [1_800_000_000.0]
    stocked(sandbox)
    booked(sandbox, prices={PRODUCTS[0]: 1})
    session = sandbox.session(overlap_s=300)
    session._transport.clock = lambda: now[0]
    _, cursor = read(session)
    reads = [len(asked(sandbox))]
    for later in (60, 301, 600):
        now[0] = 1_800_000_000.0 + later
        _, cursor = read(session, cursor)
        reads.append(len(asked(sandbox)))

    assert reads == [1, 2, 2, 2]


def test_a_book_that_shows_a_change_is_read_again_at_once(sandbox: StandIn) -> None:
    stocked(sandbox)
    book = booked(sandbox, prices={PRODUCTS[0]: 1})
    session = sandbox.session(overlap_s=0)
    cursor = read(session)[1] | {"prices": {book: [OLD, 0]}}

    sandbox.put("price_books", id=book, Products=[{"id": PRODUCTS[1], "list_price": 2}])
    unseen, cursor = read(session, cursor)
    sandbox.put("price_books", id=book, Description="改")
    seen, _ = read(session, cursor)

    assert (unseen, seen) == ({}, {book: {PRODUCTS[0]: 1, PRODUCTS[1]: 2}})


def test_a_price_that_moves_no_time_is_seen_by_a_listing_and_by_increments_that_look_at_all_books(sandbox: StandIn) -> None:
    stocked(sandbox)
    books = [booked(sandbox, number, {PRODUCTS[0]: number}) for number in (1, 2)]
    every = sandbox.session(overlap_s=0, book_prices="always")
    cursor = read(every)[1] | {"prices": {book: [OLD, 0] for book in books}}

    sandbox.put("price_books", id=books[1], Products=[{"id": PRODUCTS[0], "list_price": 9}])

    assert read(every, cursor)[0] == {books[0]: {PRODUCTS[0]: 1}, books[1]: {PRODUCTS[0]: 9}}
    listed = [prices_of(page) for page in sandbox.session().read("price_books", None, Window(by="all"))]
    assert listed == [{books[0]: {PRODUCTS[0]: 1}, books[1]: {PRODUCTS[0]: 9}}]


def test_a_price_that_moves_its_book_is_seen_by_an_increment() -> None:
    with stand_in(prices_move_books=True) as sandbox:
        stocked(sandbox)
        book = booked(sandbox, prices={PRODUCTS[0]: 1})
        _, cursor = read(sandbox.session())

        sandbox.put("price_books", id=book, Products=[{"id": PRODUCTS[0], "list_price": 2}])

        assert read(sandbox.session(), cursor)[0] == {book: {PRODUCTS[0]: 2}}


def test_a_book_deleted_between_list_and_prices_is_left_to_the_deletions(sandbox: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    stocked(sandbox)
    book = booked(sandbox, prices={PRODUCTS[0]: 1})
    session = sandbox.session()
    client, first = session._client, type(session._client).related

    def watched(*given: Any, **more: Any) -> Listing:
        sandbox.drop("price_books", book)
        return first(client, *given, **more)

    monkeypatch.setattr(client, "related", watched)
    pages = list(session.read("price_books", None))

    assert [(record.key, record.deleted) for page in pages for record in page.records] == [(book, True)]


def test_an_organisation_without_the_relation_has_books_without_prices(sandbox: StandIn) -> None:
    booked(sandbox)
    session = sandbox.session(fields={"price_books": {"Products": ""}})

    assert all("Products" not in record.payload for page in session.read("price_books", None) for record in page.records)
    assert written(session, save(None, {"id": PRODUCTS[0], "list_price": 1}, Price_Book_Name="x")).outcome is Outcome.REJECTED


def test_other_names_of_the_list_and_of_the_price_are_refused_by_the_stand_in_and_told(sandbox: StandIn) -> None:
    stocked(sandbox)
    booked(sandbox, prices={PRODUCTS[0]: 1})
    session = sandbox.session(fields={"price_books": {"Products.list_price": "Preis"}})

    (page, *_) = session.read("price_books", None)

    assert [refused.why for refused in page.refused] == ["1 of its Products have no id or no Preis"]


# writing


def test_only_what_a_change_names_is_written_and_what_it_removes_goes(sandbox: StandIn) -> None:
    stocked(sandbox)
    book = booked(sandbox, prices=dict.fromkeys(PRODUCTS[:3], 1))

    receipt = written(
        sandbox.session(), save(book, {"id": PRODUCTS[0], "list_price": Decimal("2.5")}, {"id": PRODUCTS[1], "_delete": None})
    )

    assert receipt.outcome is Outcome.WRITTEN
    assert receipt.record is not None
    assert prices_of(Page([receipt.record], None)) == {book: {PRODUCTS[0]: Decimal("2.5"), PRODUCTS[2]: 1}}
    assert [entry["operation"] for entry in sandbox.log() if entry.get("keys")] == ["relate", "delink"]  # the book itself was not touched


@pytest.mark.promise(5)
@pytest.mark.parametrize("effect", ["drop_before", "drop_after"])
def test_a_price_without_an_answer_is_uncertain_and_may_be_sent_again(sandbox: StandIn, effect: str) -> None:
    stocked(sandbox)
    book = booked(sandbox)
    change = save(book, {"id": PRODUCTS[0], "list_price": 3}, {"id": PRODUCTS[1], "_delete": None})
    sandbox.fault(effect, method="PUT")

    first, second = written(sandbox.session(), change), written(sandbox.session(), change)

    assert (first.outcome, second.outcome) == (Outcome.UNCERTAIN, Outcome.WRITTEN)
    assert sandbox.records("price_books")[0]["Products"] == [{"id": PRODUCTS[0], "list_price": 3}]


def test_a_price_that_is_refused_names_its_product_and_lets_the_others_through(sandbox: StandIn) -> None:
    stocked(sandbox)
    book = booked(sandbox)
    rows = [{"id": PRODUCTS[0], "list_price": 1}, {"id": "572576700009999999", "list_price": 1}, {"id": PRODUCTS[1], "list_price": 2}]

    receipt = written(sandbox.session(), save(book, *rows, Description="新"))

    assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "INVALID_DATA")
    assert receipt.why.startswith("product 572576700009999999: ")
    assert receipt.why.endswith("; 2 prices were written, 1 not")
    assert receipt.record is not None
    assert prices_of(Page([receipt.record], None)) == {book: {PRODUCTS[0]: 1, PRODUCTS[1]: 2}}
    assert receipt.record.payload["Description"] == "新"


def test_a_book_is_created_whatever_becomes_of_its_prices(sandbox: StandIn) -> None:
    stocked(sandbox)
    sandbox.fault("status", value=500, method="PUT", times=9)

    receipt = written(sandbox.session(), save(None, {"id": PRODUCTS[0], "list_price": 1}, Price_Book_Name="工程价"))

    assert receipt.outcome is Outcome.WRITTEN
    assert receipt.why
    assert receipt.record is not None
    assert receipt.record.payload["Products"] == []
    assert len(sandbox.records("price_books")) == 1


def test_three_hundred_prices_go_out_by_the_hundred(sandbox: StandIn) -> None:
    keys = stocked(sandbox, 300)

    receipt = written(sandbox.session(), save(None, *({"id": key, "list_price": 7} for key in keys), Price_Book_Name="标准价"))

    assert receipt.outcome is Outcome.WRITTEN
    assert len(sandbox.records("price_books")[0]["Products"]) == 300
    assert sum(entry["operation"] == "relate" for entry in sandbox.log()) == 3


def test_when_zoho_takes_no_price_now_no_other_book_is_tried(sandbox: StandIn) -> None:
    stocked(sandbox)
    row = {"id": PRODUCTS[0], "list_price": 1}
    changes = [Change(f"c{n}", "save", f"HUB{n:04}", booked(sandbox, n), fields={"Products": [row]}) for n in (1, 2)]
    sandbox.fault("status", value=429, method="PUT", times=9)

    receipts = sandbox.session().write("price_books", changes)

    assert [receipt.outcome for receipt in receipts] == [Outcome.RETRY] * 2
    assert sum(entry["method"] == "PUT" for entry in sandbox.log()) == 1


# what an increment remembers


def rows(*stamps: str) -> Listing:
    return Listing([{"id": str(n), "Modified_Time": stamp} for n, stamp in enumerate(stamps)])


def test_the_cursor_keeps_only_books_that_will_be_listed_again() -> None:
    recent = Recent.of(None, 1000, 300)
    recent.unread(rows("2026-01-01T08:00:00+08:00", "2026-01-01T00:10:00+00:00"))

    assert recent.kept("2026-01-01T08:05:00+08:00") == {"1": ["2026-01-01T00:10:00+00:00", 1000]}
    many = Recent.of(None, 1000, 300)
    many.unread(rows(*["2026-01-01T08:00:00+08:00"] * (REMEMBERED + 5)))
    assert len(many.kept("")) == REMEMBERED


@pytest.mark.parametrize("kept", [None, {}, {"0": ["2026-01-01T08:00:00+08:00", 900]}])
def test_what_the_cursor_does_not_hold_or_has_changed_is_read(kept: Any) -> None:
    recent = Recent.of(kept, 1000, 50)

    assert [row["id"] for row in recent.unread(rows("2026-01-01T08:00:00+08:00", "2026-01-01T08:00:00+08:00")).rows] == (
        ["1"] if kept else ["0", "1"]
    )
    assert [row["id"] for row in Recent.of(recent.kept(""), 1010, 50).unread(rows("2026-01-01T08:00:01+08:00")).rows] == ["0"]
