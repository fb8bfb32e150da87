"""The related list of price books and products, as the official OpenAPI file describes it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.crm_zoho.conftest import READER, Zoho

FIELDS = {"fields": "Product_Name,list_price"}


@pytest.fixture
def products(zoho: Zoho) -> list[str]:
    """Three products."""
    made = zoho.call("POST", "/crm/v8/Products", {"data": [{"Product_Name": f"断路器{n}", "Unit_Price": 100 + n} for n in range(3)]})
    return [entry["details"]["id"] for entry in made.json()["data"]]


@pytest.fixture
def book(zoho: Zoho) -> str:
    """A price book without prices."""
    made = zoho.call("POST", "/crm/v8/Price_Books", {"data": [{"Price_Book_Name": "代理价"}]})
    return str(made.json()["data"][0]["details"]["id"])


def relate(zoho: Zoho, book: str, *rows: dict[str, Any]) -> Any:
    """The answer to prices sent."""
    return zoho.call("PUT", f"/crm/v8/Price_Books/{book}/Products", {"data": list(rows)})


def held(zoho: Zoho, book: str, **params: str) -> dict[str, Any]:
    """The book's prices by product."""
    answer = zoho.call("GET", f"/crm/v8/Price_Books/{book}/Products", params={**FIELDS, **params})
    return {} if answer.status_code == 204 else {row["id"]: row["list_price"] for row in READER.decode(answer.content)["data"]}


def test_a_price_is_added_changed_and_removed_and_the_product_stays(zoho: Zoho, book: str, products: list[str]) -> None:
    first = relate(zoho, book, {"id": products[0], "list_price": Decimal("12.5")}, {"id": products[1], "list_price": 7})
    relate(zoho, book, {"id": products[0], "list_price": Decimal("12.55555")})
    gone = zoho.call("DELETE", f"/crm/v8/Price_Books/{book}/Products", params={"ids": products[1]})

    assert (first.status_code, gone.status_code) == (200, 200)
    assert held(zoho, book) == {products[0]: Decimal("12.5556")}
    assert zoho.call("GET", f"/crm/v8/Products/{products[1]}").status_code == 200


def test_the_same_relation_shows_from_the_product(zoho: Zoho, book: str, products: list[str]) -> None:
    zoho.call("PUT", f"/crm/v8/Products/{products[2]}/Price_Books/{book}", {"data": [{"list_price": 3}]})

    answer = zoho.call("GET", f"/crm/v8/Products/{products[2]}/Price_Books", params={"fields": "Price_Book_Name,list_price"})

    assert [(row["id"], row["Price_Book_Name"], row["list_price"]) for row in answer.json()["data"]] == [(book, "代理价", 3)]
    assert held(zoho, book) == {products[2]: 3}


def test_each_record_is_answered_for_itself(zoho: Zoho, book: str, products: list[str]) -> None:
    answer = relate(zoho, book, {"id": products[0]}, {"id": "1", "list_price": 1}, {"id": products[1], "list_price": 1})

    assert answer.status_code == 207
    assert [(entry["code"], entry["details"].get("json_path")) for entry in answer.json()["data"]] == [
        ("MANDATORY_NOT_FOUND", "$.data[0].list_price"),
        ("INVALID_DATA", "$.data[1].id"),
        ("SUCCESS", None),
    ]


@pytest.mark.parametrize(
    ("method", "path", "params", "status", "code"),
    [
        ("GET", "Price_Books/{book}/Products", {}, 400, "REQUIRED_PARAM_MISSING"),
        ("GET", "Price_Books/1/Products", FIELDS, 400, "INVALID_DATA"),
        ("GET", "Price_Books/{book}/Accounts", FIELDS, 400, "INVALID_DATA"),
        ("GET", "Price_Books/{book}/Products", FIELDS | {"page": "11"}, 400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED"),
        ("DELETE", "Price_Books/{book}/Products", {}, 400, "REQUIRED_PARAM_MISSING"),
        ("DELETE", "Price_Books/{book}/Products", {"ids": ",".join(["1"] * 101)}, 400, "LIMIT_EXCEEDED"),
        ("POST", "Price_Books/{book}/Products", {}, 405, "INVALID_REQUEST_METHOD"),
    ],
)
def test_what_is_wrong_is_refused_as_a_whole(
    zoho: Zoho, book: str, method: str, path: str, params: dict[str, str], status: int, code: str
) -> None:
    answer = zoho.call(method, f"/crm/v8/{path.format(book=book)}", params=params)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_pages_follow_a_token_that_is_bound_to_the_book(zoho: Zoho, book: str, products: list[str]) -> None:
    relate(zoho, book, *({"id": key, "list_price": 1} for key in products))
    path, asked = f"/crm/v8/Price_Books/{book}/Products", {**FIELDS, "per_page": "2", "sort_order": "asc"}
    first = zoho.call("GET", path, params={**asked, "page": "1"}).json()

    second = zoho.call("GET", path, params={**asked, "page_token": first["info"]["next_page_token"]}).json()

    assert [row["id"] for row in (*first["data"], *second["data"])] == products
    assert (first["info"]["more_records"], second["info"]["more_records"]) == (True, False)


def test_a_deleted_product_is_in_no_book(zoho: Zoho, book: str, products: list[str]) -> None:
    relate(zoho, book, {"id": products[0], "list_price": 1}, {"id": products[1], "list_price": 2})

    zoho.call("DELETE", "/crm/v8/Products", params={"ids": products[0]})

    assert held(zoho, book) == {products[1]: 2}
    assert zoho.vendor.records("Price_Books", {})[0]["Products"] == [{"id": products[1], "list_price": 2}]


@pytest.mark.parametrize("moves", [False, True])
def test_whether_a_price_moves_its_book_is_a_switch(zoho: Zoho, book: str, products: list[str], moves: bool) -> None:  # noqa: FBT001  a case
    zoho.vendor.box.switches.prices_move_books = moves
    before = zoho.vendor.records("Price_Books", {})[0]["Modified_Time"]
    zoho.vendor.box.clock.shift_s = 60.0

    relate(zoho, book, {"id": products[0], "list_price": 1})
    by_api = zoho.vendor.records("Price_Books", {})[0]["Modified_Time"]
    zoho.vendor.put("Price_Books", {"id": book, "Products": [{"id": products[1], "list_price": 5}, {"id": products[0], "_delete": None}]})
    by_user = zoho.vendor.records("Price_Books", {})[0]

    assert (by_api > before, by_user["Modified_Time"] > before) == (moves, moves)
    assert by_user["Products"] == [{"id": products[1], "list_price": 5}]
