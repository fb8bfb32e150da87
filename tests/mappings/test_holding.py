"""Which rows a stream has room for: one for each place, of those that stand, in the unit it means; and the laws of it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.compiler import OURS, load
from mappings.errors import BadFile
from mappings.holding import Holding
from mappings.model import Target, Values
from mappings.trial import try_record

TODAY = "2026-11-22"
BOOKS = load(OURS, "crm_zoho", "price_books")
FACTS = {("p1", "base_unit"): "pcs", ("p2", "base_unit"): "box"}
Row = dict[str, Any]


def holding() -> Holding:
    """What a price book has room for."""
    found = BOOKS.sets["lines"].holds
    assert found is not None
    return found


def pick(rows: Mapping[str, Row], today: str = TODAY) -> list[str]:
    """The names of the rows that a book shows."""
    return list(holding().pick(rows, lambda row: row, today, FACTS))


def line(product: str | None = "p1", price: str | None = "10", **more: Any) -> Row:
    return {"product": product, "price": price, **more}


@pytest.mark.parametrize(
    ("rows", "held"),
    [
        pytest.param(
            {"a": line(from_quantity="10"), "b": line(from_quantity="0"), "c": line(from_quantity="9.5")}, ["b"], id="the least step"
        ),
        pytest.param({"a": line(from_quantity="9"), "b": line(from_quantity="10")}, ["a"], id="numbers, not texts"),
        pytest.param({"a": line(from_quantity="1"), "b": line()}, ["b"], id="no quantity is any"),
        pytest.param({"a": line(), "b": line("p2")}, ["a", "b"], id="one for each product"),
        pytest.param({"a": line(unit="box"), "b": line(unit="pcs", from_quantity="5")}, ["b"], id="in the base unit"),
        pytest.param({"a": line("p3", unit="箱")}, ["a"], id="no base unit known"),
        pytest.param({"a": line(unit="")}, ["a"], id="no unit said"),
        pytest.param({"a": line(status="blocked"), "b": line(status="active", from_quantity="5")}, ["b"], id="not blocked"),
        pytest.param({"a": line(valid_from=TODAY), "b": line("p2", valid_to=TODAY)}, ["a", "b"], id="first and last day stand"),
        pytest.param({"a": line(valid_from="2026-11-23"), "b": line("p2", valid_to="2026-11-21")}, [], id="not begun and ended"),
        pytest.param(
            {"a": line(valid_from="2026-01-01"), "b": line(valid_from="2026-11-01"), "c": line()}, ["b"], id="the latest that stands"
        ),
        pytest.param({"a": line(price="1"), "b": line(price="2")}, [], id="none of two that contradict each other"),
        pytest.param({"a": line(price="1"), "b": line(price="1")}, ["a"], id="the first of two that agree"),
        pytest.param(
            {"a": line(price="1"), "b": line(price="2"), "c": line(price="3", from_quantity="-1")}, ["c"], id="a lesser one decides"
        ),
        pytest.param({"a": line(price=None), "b": line(price=""), "c": line(None)}, [], id="without price or product"),
        pytest.param({"a": line(price="0")}, ["a"], id="nought is a price"),
    ],
)
def test_what_a_price_book_has_room_for(rows: Mapping[str, Row], held: list[str]) -> None:
    assert pick(rows) == held


def test_what_stands_turns_with_the_day() -> None:
    rows = {"old": line(valid_to="2026-12-31"), "new": line(price="11", valid_from="2027-01-01")}

    assert (pick(rows, "2026-12-31"), pick(rows, "2027-01-01")) == (["old"], ["new"])


def rows_of_a_list() -> st.SearchStrategy[dict[str, Row]]:
    """Lines of a price list, at random."""
    day = st.sampled_from([None, "2026-11-01", TODAY, "2026-12-01"])
    row = st.fixed_dictionaries(
        {"product": st.sampled_from(["p1", "p2", "p3", None]), "price": st.sampled_from(["1", "2.5", "0", None])},
        optional={
            "from_quantity": st.sampled_from(["0", "5", "10", None]), "unit": st.sampled_from(["pcs", "box", "", None]),
            "valid_from": day, "valid_to": day, "status": st.sampled_from(["active", "blocked", None]), "floor_price": st.just("0.5"),
        },
    )  # fmt: skip
    return st.lists(row, max_size=8).map(lambda rows: {f"r{at}": one for at, one in enumerate(rows)})


@settings(deadline=None)
@given(rows_of_a_list())
def test_law_a_book_holds_one_row_a_product_and_holding_again_changes_nothing(rows: dict[str, Row]) -> None:
    held = holding().pick(rows, lambda row: row, TODAY, FACTS)

    products = [row["product"] for row in held.values()]
    assert len(set(products)) == len(products)
    assert holding().pick(held, lambda row: row, TODAY, FACTS) == held
    assert list(held) == [name for name in rows if name in held]


@settings(deadline=None)
@given(rows_of_a_list())
def test_law_put_get_of_what_a_book_holds(rows: dict[str, Row]) -> None:
    held = holding().pick(rows, lambda row: row, TODAY, FACTS)
    targets = {("products", row["product"]): Target(f"77{row['product'][1]}") for row in held.values()}

    written = BOOKS.write({}, {"lines": held}, targets, Values(), create=False)
    back = BOOKS.read(written, {("products", target.key): key for (_, key), target in targets.items()}, Values())

    assert [(row["product"], Decimal(row["price"])) for row in back.sets["lines"].values()] == [
        (row["product"], Decimal(row["price"])) for row in held.values()
    ]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("holds: {least: from_quantity}", "does not say for what it holds one row"),
        ("holds: {one_for: product, standing: valid_from}", "needs the first and the last day"),
        ("holds: {one_for: product, same: {unit: product.weight}}", "no field of what a row points to"),
        ("holds: {one_for: product, same: {units: product.base_unit}}", "rows have no field 'units'"),
        ("holds: {one_for: product, when: line.state == 'x'}", "rows have no field 'state'"),
        ("holds: {one_for: produkt}", "produkt"),
        ("key_of: price", "no reference that the row's key is read from"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, said: str, why: str) -> None:
    (tmp_path / "acme").mkdir()
    head = f"entity: price_list\nsets:\n  lines:\n    field: P\n    key: id\n    {said}\n"
    lines = f"{head}    fields:\n      product: {{field: id, stream: products}}\n      price: X\n"
    (tmp_path / "acme" / "books.yaml").write_text(lines, encoding="utf-8")

    with pytest.raises(BadFile, match=r"books\.yaml:6") as wrong:
        load(tmp_path, "acme", "books")
    assert why in str(wrong.value)


def test_a_trial_shows_what_a_price_book_would_hold_of_a_list() -> None:
    rows = [
        {"FEntryID": at, "FMaterialId": 7, "FUnitID.FNumber": "Pcs", "FFromQty": step, "FPrice": price, "FEntryForbidStatus": "A"}
        for at, (step, price) in enumerate(((10, 8), (0, 9)), 1)
    ]
    lists = load(OURS, "erp_kingdee", "price_lists")

    trial = try_record(lists, {"FID": 1, "FNumber": "XSJMB0001", "FEntity": rows}, others=[BOOKS])

    assert [len(one.payload["FEntity"]) for one in trial.outgoing if one.payload and "FEntity" in one.payload] == [2]
    assert [one.payload["Products"] for one in trial.outgoing if one.payload and "Products" in one.payload] == [
        [{"id": "‹products 7›", "list_price": Decimal(9)}]
    ]
