"""Increments lose nothing: not when rows move, not when a second is full, not when a record is deleted while it is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Cursor, Page, Record, Window
from connectors.crm_zoho.connector import ZohoSession
from connectors.errors import Garbled, SchemaChanged
from tests.connectors.crm_zoho.scripted import Asked, Zoho, listed, row, save
from tests.connectors.crm_zoho.stand_in import StandIn, accounts, stand_in

SECOND = "2026-01-05T10:00:00+08:00"


def read(session: ZohoSession, stream: str = "accounts", cursor: Cursor | None = None, window: Window | None = None) -> list[Page]:
    return list(session.read(stream, cursor, window))


def alive(pages: list[Page]) -> list[str]:
    return [record.key for page in pages for record in page.records if not record.deleted]


def ids(loaded: list[dict[str, Any]]) -> set[str]:
    return {record["id"] for record in loaded}


@pytest.mark.promise(1)
@pytest.mark.parametrize("route", ["list", "coql"])
def test_a_first_load_reads_everything_and_leaves_a_cursor_of_the_vendors_own_times(sandbox: StandIn, route: str) -> None:
    loaded = accounts(950)
    sandbox.load(accounts=loaded)

    pages = read(sandbox.session(read_route=route))

    assert set(alive(pages)) == ids(loaded)
    assert pages[-1].cursor == {"at": loaded[-1]["Modified_Time"], "deleted": ""}


@pytest.mark.promise(1)
def test_the_cursor_of_each_page_is_a_place_to_start_again_from(sandbox: StandIn) -> None:
    loaded = accounts(700)
    sandbox.load(accounts=loaded)
    session = sandbox.session(overlap_s=0)
    for stop in range(1, 4):
        first = session.read("accounts", None)
        seen = [next(first) for _ in range(stop)]

        rest = read(sandbox.session(overlap_s=0), cursor=seen[-1].cursor)

        assert set(alive(seen)) | set(alive(rest)) == ids(loaded)


@pytest.mark.promise(2)
@pytest.mark.parametrize("route", ["list", "coql"])
def test_two_and_a_half_pages_of_one_time_are_read_whole(sandbox: StandIn, route: str) -> None:
    before, full, later = (
        accounts(150),
        accounts(500, stamp=SECOND, first=1000),
        accounts(120, stamp="2026-01-05T10:00:01+08:00", first=2000),
    )
    sandbox.load(accounts=[*before, *full, *later])
    session = sandbox.session(read_route=route)

    pages = read(session)
    again = read(session, cursor={"at": SECOND, "deleted": ""})

    assert set(alive(pages)) == ids(before) | ids(full) | ids(later)
    assert ids(full) | ids(later) <= set(alive(again))


@pytest.mark.promise(2)
def test_a_server_that_reads_the_time_as_at_or_after_is_read_whole_as_well(server: Zoho) -> None:
    rows = [row(str(1000 + n), Modified_Time=SECOND) for n in range(450)]
    rows += [row(str(5000 + n), Modified_Time="2026-01-05T10:00:01+08:00") for n in range(30)]

    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.path.endswith("/deleted"):
            return 204, None
        if asked.path.endswith("/coql"):
            after = asked.json()["select_query"].rsplit("id > '", 1)[1].split("'")[0]
            found = [{"id": each["id"]} for each in rows if each["Modified_Time"] == SECOND and int(each["id"]) > int(after)]
            return 200, {"data": found, "info": {"more_records": False}}
        if "ids" in asked.query:
            return listed(asked, *[each for each in rows if each["id"] in asked.query["ids"].split(",")])
        since = asked.headers.get("if-modified-since", "")
        found = [each for each in rows if each["Modified_Time"] >= since]
        return listed(asked, *found[:200], more=len(found) > 200)

    server.answer = answer

    assert set(alive(read(server.session(), "leads"))) == {each["id"] for each in rows}


@pytest.mark.promise(1)
@pytest.mark.parametrize("route", ["list", "coql"])
def test_rows_that_are_changed_or_deleted_between_two_pages_push_no_other_row_out(sandbox: StandIn, route: str) -> None:
    loaded = accounts(1000 if route == "list" else 4500)
    sandbox.load(accounts=loaded)
    session = sandbox.session(read_route=route)
    seen: list[Page] = []
    for number, page in enumerate(session.read("accounts", None)):
        seen.append(page)
        if number < 2:
            sandbox.put("accounts", id=loaded[number]["id"], Phone=f"0571-{number:08}")
            sandbox.drop("accounts", loaded[100 + number]["id"])

    found = {record.key: record for page in seen for record in page.records}
    untouched = ids(loaded) - {loaded[number]["id"] for number in range(2)} - {loaded[100 + number]["id"] for number in range(2)}
    assert untouched <= set(alive(seen))
    assert all(found[loaded[number]["id"]].payload["Phone"] == f"0571-{number:08}" for number in range(2))
    assert all(found[loaded[100 + number]["id"]].deleted for number in range(2))


@pytest.mark.promise(2)
def test_a_late_row_inside_the_overlap_is_read_and_the_cursor_never_goes_back(sandbox: StandIn) -> None:
    sandbox.load(accounts=accounts(3, stamp="2026-01-05T10:10:00+08:00"))
    session = sandbox.session(overlap_s=300)
    cursor = read(session)[-1].cursor
    sandbox.load(accounts=accounts(1, stamp="2026-01-05T10:06:00+08:00", first=50))

    pages = read(session, cursor=cursor)

    assert "572576700001000050" in alive(pages)
    assert pages[-1].cursor == cursor


def test_an_increment_with_nothing_new_keeps_the_cursor(sandbox: StandIn) -> None:
    sandbox.load(accounts=accounts(2))
    session = sandbox.session(overlap_s=0)
    cursor = read(session)[-1].cursor

    assert read(session, cursor=cursor)[-1].cursor == cursor


def test_an_empty_module_has_a_cursor_too(sandbox: StandIn) -> None:
    pages = read(sandbox.session(), "leads")

    assert alive(pages) == []
    assert pages[-1].cursor == {"at": "", "deleted": ""}


@pytest.mark.promise(8)
def test_deletions_since_the_first_load_are_told_and_older_ones_are_not(sandbox: StandIn) -> None:
    loaded = accounts(4)
    sandbox.load(accounts=loaded)
    for record in loaded[:1]:  # before the first load
        sandbox.drop("accounts", record["id"])
        sandbox.vendor.box.clock.shift_s += 10
    session = sandbox.session(overlap_s=0)

    first = read(session)
    sandbox.drop("accounts", loaded[1]["id"])
    second = read(session, cursor=first[-1].cursor)

    assert set(alive(first)) == ids(loaded[1:])
    deleted = [record for page in second for record in page.records if record.deleted]
    assert {record.key: record.payload for record in deleted if record.key != loaded[0]["id"]} == {loaded[1]["id"]: {}}
    sandbox.vendor.box.clock.shift_s += 10
    sandbox.drop("accounts", loaded[2]["id"])
    third = read(session, cursor=second[-1].cursor)
    assert {record.key for page in third for record in page.records if record.deleted} - {loaded[1]["id"]} == {loaded[2]["id"]}
    assert all(not record.deleted for page in first for record in page.records)


@pytest.mark.promise(2)
@pytest.mark.parametrize("route", ["list", "coql"])
def test_the_boundary_is_read_again_even_without_an_overlap(sandbox: StandIn, route: str) -> None:
    sandbox.load(accounts=accounts(1, stamp=SECOND))
    session = sandbox.session(overlap_s=0, read_route=route)
    cursor = read(session)[-1].cursor
    sandbox.load(accounts=accounts(1, stamp=SECOND, first=2))

    assert len(alive(read(session, cursor=cursor))) == 2


def test_get_gives_the_living_marks_the_deleted_and_leaves_out_the_unknown(sandbox: StandIn) -> None:
    loaded = accounts(3)
    sandbox.load(accounts=loaded)
    sandbox.drop("accounts", loaded[1]["id"])

    found = sandbox.session().get("accounts", [loaded[2]["id"], loaded[1]["id"], "999999999999999999", "kein Schlüssel", loaded[0]["id"]])

    assert [(record.key, record.deleted) for record in found] == [
        (loaded[2]["id"], False),
        (loaded[1]["id"], True),
        (loaded[0]["id"], False),
    ]


def test_payloads_hold_no_dollar_keys_and_no_float(sandbox: StandIn) -> None:
    order = an_order(sandbox, sandbox.session())

    assert not [key for key in order.payload if key.startswith("$")]
    assert not [key for line in order.payload["Ordered_Items"] for key in line if key.startswith("$")]
    assert not any(isinstance(value, float) for line in order.payload["Ordered_Items"] for value in line.values())
    assert order.payload["Grand_Total"] == Decimal("226.00")


@pytest.mark.parametrize("make", [lambda: stand_in(list_subforms=True), lambda: stand_in(list_subforms=False)], ids=["list", "single"])
def test_lines_are_read_whether_or_not_the_list_call_gives_them(make: Callable[[], Any]) -> None:
    with make() as sandbox:
        session = sandbox.session()
        order = an_order(sandbox, session)

        (found,) = [record for page in read(session, "sales_orders") for record in page.records]

        assert [line["Quantity"] for line in found.payload["Ordered_Items"]] == [2]
        assert found.payload == order.payload


@pytest.mark.promise(1)
@pytest.mark.parametrize("told", ["rows", "null", "absent"])
def test_null_for_lines_is_believed_only_from_a_list_that_tells_lines(server: Zoho, told: str) -> None:
    """Six invoices, the fourth of them with a line; the list tells it, or says null for every one, or leaves the lines out."""
    keys = [str(number) for number in range(11, 17)]

    def answer(asked: Asked) -> tuple[int, Any]:
        key = asked.path.rsplit("/", 1)[1]
        if key in keys:
            return 200, {"data": [row(key, Invoiced_Items=[{"id": "5"}] if key == "14" else None)]}
        if key != "Invoices":
            return 204, None
        status, body = listed(asked, *[row(key, Invoiced_Items=[{"id": "5"}] if told == "rows" and key == "14" else None) for key in keys])
        for each in body["data"]:
            if told == "absent":
                each.pop("Invoiced_Items")
        return status, body

    server.answer = answer

    found = {record.key: record.payload["Invoiced_Items"] for page in read(server.session(), "invoices") for record in page.records}

    singles = [call.path for call in server.calls if call.path.rsplit("/", 1)[1] in keys]
    if told == "rows":
        assert (found, singles) == ({key: [{"id": "5"}] if key == "14" else [] for key in keys}, [])
    elif told == "absent":
        assert found == {key: [{"id": "5"}] if key == "14" else [] for key in keys}
        assert len(singles) == 6
    else:
        assert len(singles) == 3  # after three without lines the list is believed; lines_route: record is for those who know better


def test_one_record_that_has_lines_where_the_list_says_null_ends_the_trust(server: Zoho) -> None:
    keys = [str(number) for number in range(11, 17)]

    def answer(asked: Asked) -> tuple[int, Any]:
        key = asked.path.rsplit("/", 1)[1]
        if key in keys:
            return 200, {"data": [row(key, Invoiced_Items=[{"id": "5"}] if key in ("12", "16") else None)]}
        return listed(asked, *[row(key, Invoiced_Items=None) for key in keys]) if key == "Invoices" else (204, None)

    server.answer = answer

    found = {record.key: record.payload["Invoiced_Items"] for page in read(server.session(), "invoices") for record in page.records}

    assert found == {key: [{"id": "5"}] if key in ("12", "16") else [] for key in keys}


def test_lines_that_are_absent_are_never_taken_for_an_order_without_lines(server: Zoho) -> None:
    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.path.endswith("/Sales_Orders/11"):
            return 200, {"data": [row("11", Subject="订单")]}  # the single record does not tell its lines either
        return listed(asked, row("11", Subject="订单", Ordered_Items=None)) if asked.path.endswith("/Sales_Orders") else (204, None)

    server.answer = answer

    pages = read(server.session(), "sales_orders")

    assert alive(pages) == []
    assert [(refused.key, "Ordered_Items" in refused.why) for page in pages for refused in page.refused] == [("11", True)]


@pytest.mark.promise(7)
def test_a_record_that_cannot_be_understood_is_set_aside_and_the_page_goes_on(server: Zoho) -> None:
    bad_text = row("12", Company="x")
    rows = [row("11"), {**row("13"), "id": None}, bad_text, row("14")]

    def answer(asked: Asked) -> tuple[int, Any]:
        if not asked.path.endswith("/Leads"):
            return 204, None
        status, body = listed(asked, *rows)
        return status, json.dumps(body).replace('"x"', '"\\ud83d kaputt"').encode()

    server.answer = answer

    pages = read(server.session(), "leads")

    assert alive(pages) == ["11", "14"]
    assert sorted(refused.key for page in pages for refused in page.refused) == ["", "12"]


def test_a_list_in_another_order_is_refused_because_the_cursor_depends_on_it(server: Zoho) -> None:
    server.answer = lambda asked: listed(asked, row("1", Modified_Time="2026-01-06T10:00:00+08:00"), row("2"))

    with pytest.raises(Garbled, match="order"):
        read(server.session(), "leads", {"at": SECOND, "deleted": ""})


@pytest.mark.promise(8)
@pytest.mark.parametrize("ids_", [["12", "11"], ["11", "11"], ["11", ""], ["11", "x"], []], ids=["order", "twice", "none", "text", "empty"])
def test_a_listing_that_may_have_gaps_is_refused_because_deletes_are_concluded_from_it(server: Zoho, ids_: list[str]) -> None:
    server.answer = lambda asked: (200, {"data": [{"id": key} for key in ids_], "info": {"more_records": True}})

    with pytest.raises(Garbled, match="cannot be complete"):
        list(server.session().keys("leads", Window(by="all")))


def test_a_field_that_is_gone_is_named_and_nothing_is_blanked(server: Zoho) -> None:
    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.path.endswith("/settings/fields"):
            return 200, {"fields": [{"api_name": "Company"}]}
        status, body = listed(asked, row("1"))
        for each in body["data"]:
            each.pop("Email")
        return status, body

    server.answer = answer

    for _ in range(2):
        with pytest.raises(SchemaChanged, match="Leads has no field Email"):
            server.session().get("leads", ["1"])


def test_a_field_that_is_hidden_from_the_user_is_absent_and_not_null(server: Zoho) -> None:
    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.path.endswith("/settings/fields"):
            return 200, {"fields": [{"api_name": "Email"}]}
        status, body = listed(asked, row("1"))
        for each in body["data"]:
            each.pop("Email")
        return status, body

    server.answer = answer

    (record,) = server.session().get("leads", ["1"])

    assert "Email" not in record.payload
    assert record.payload["Company"] is None


@pytest.mark.parametrize("route", ["list", "coql"])
def test_windows_and_complete_listings_hold_exactly_what_falls_into_them(sandbox: StandIn, route: str) -> None:
    january, february = accounts(230, stamp="2026-01-31T23:59:59+08:00"), accounts(40, stamp="2026-02-01T00:00:00+08:00", first=500)
    sandbox.load(accounts=[*january, *february])
    session = sandbox.session(read_route=route)
    start, end = datetime(2025, 12, 31, 16, tzinfo=UTC), datetime(2026, 1, 31, 16, tzinfo=UTC)  # January in Shanghai
    window = Window(start, end, by="modified")

    pages = read(session, window=window)
    listing = [key for page in session.keys("accounts", window) for key in page]

    assert set(alive(pages)) == ids(january)
    assert {page.cursor for page in pages} == {None}
    assert set(listing) == {("", key) for key in ids(january)}
    assert len(listing) == 230
    assert {key for page in session.keys("accounts", Window(by="all")) for _, key in page} == ids(january) | ids(february)
    assert list(session.keys("accounts", Window(by="all", org="100"))) == []


def test_a_window_by_business_date_takes_the_days_of_the_time_zone_of_the_settings(sandbox: StandIn) -> None:
    keys = {}
    for day in ("2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01"):
        keys[day] = sandbox.put("shipments", Name=f"出库 {day}", Shipped_On=day)["id"]
    window = Window(datetime(2025, 12, 31, 16, tzinfo=UTC), datetime(2026, 1, 31, 16, tzinfo=UTC), by="dated")

    assert set(alive(read(sandbox.session(), "shipments", window=window))) == {keys["2026-01-01"], keys["2026-01-31"]}


@pytest.mark.promise(5)
@pytest.mark.parametrize("text", ["HUB-1", "O'Brien", "a\\'b", "a,b(c)", "金蝶-𠮷"])
@pytest.mark.parametrize("route", ["coql", "search"])
def test_find_gives_exactly_the_record_that_carries_the_hub_key(sandbox: StandIn, text: str, route: str) -> None:
    key = sandbox.put("accounts", Account_Name="甲", Hub_Key=text)["id"]
    sandbox.put("accounts", Account_Name="乙", Hub_Key="OTHER")

    found = sandbox.session(find_route=route).find("accounts", [text, "' or id > '0", "NOT-THERE"])

    assert {hub_key: record.key for hub_key, record in found.items()} == {text: key}


@pytest.mark.promise(5)
@pytest.mark.parametrize("route", ["coql", "search"])
def test_a_record_that_find_does_not_see_yet_is_still_not_created_twice(sandbox: StandIn, route: str) -> None:
    session = sandbox.session(find_route=route)
    sandbox.fault("index_lag", value=60, path="/Accounts/upsert")
    (first,) = session.write("accounts", [save(1)])

    missed = session.find("accounts", ["HUB0001"])
    (second,) = session.write("accounts", [save(1)])

    assert missed == {}
    assert second.key == first.key
    assert len(sandbox.records("accounts")) == 1


def an_order(sandbox: StandIn, session: ZohoSession) -> Record:
    """An order with one line, as the system holds it."""
    account = sandbox.put("accounts", Account_Name="杭州远航电子有限公司")
    product = sandbox.put("products", Product_Name="工业交换机", Product_Code="M001")
    order = sandbox.put(
        "sales_orders",
        Subject="XSDD000123",
        Account_Name={"id": account["id"]},
        Ordered_Items=[{"Product_Name": {"id": product["id"]}, "Quantity": 2, "List_Price": 113, "Hub_Line": "L1"}],
    )
    (record,) = session.get("sales_orders", [order["id"]])
    return record
