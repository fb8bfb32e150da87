"""A stream that has room for a part of a set's rows decides what it shows, and nothing is lost that it cannot hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.config import HubConfig
from sync.decide import Row, Rows, Source
from sync.decide_sets import Part, explain_rows, merge_set
from sync.policy import EntityPolicy, compile_policy

ERP, CRM, HUB = 1, 2, 9
NUMBERS = count(1)
Lines = Mapping[str, Mapping[str, Any]]


def policy(**owners: list[str]) -> EntityPolicy:
    """Who decides price lists. `__` in a name stands for a dot."""
    flow = {
        "owners": {"default": ["erp", "hub"], **{name.replace("__", "."): systems for name, systems in owners.items()}},
        "systems": {"erp": {"stream": "price_lists", "mode": "write"}, "crm": {"stream": "price_books", "mode": "write"}},
    }
    systems = {"erp": {"kind": "erp_kingdee"}, "crm": {"kind": "crm_zoho"}}
    return compile_policy(HubConfig.model_validate({"systems": systems, "flows": {"price_list": flow}}), "price_list")


def part() -> Part:
    """Room for one line a product: that of the least quantity."""

    def pick(rows: Rows) -> Rows:
        best: dict[Any, Row] = {}
        for row in rows.values():
            held = best.get(row.doc.get("product"))
            if held is None or int(row.doc.get("from_quantity", 0)) < int(held.doc.get("from_quantity", 0)):
                best[row.doc.get("product")] = row
        return {row.id: row for row in best.values()}

    return Part(("product",), pick)


def source(stream: int, lines: Lines) -> Source:
    system = {ERP: "erp", CRM: "crm", HUB: "hub"}[stream]
    carried = {"lines": {key: key for key in lines}} if stream == HUB else {}
    return Source(system, stream, "1", {}, {"lines": {key: dict(values) for key, values in lines.items()}}, lines_carry=carried)


def merged(who: EntityPolicy, *sources: Source, current: Rows | None = None) -> Rows:
    return merge_set(who, "lines", list(sources), current or {}, lambda: f"new{next(NUMBERS)}", (), {CRM: part()})


def prices(rows: Rows) -> dict[tuple[Any, Any], Any]:
    return {(row.doc["product"], row.doc.get("from_quantity")): row.doc["price"] for row in rows.values()}


STEPS = {"10": {"product": "A", "from_quantity": "0", "price": "9"}, "11": {"product": "A", "from_quantity": "5", "price": "8"}}
SHOWN = {"a": {"product": "A", "price": "7"}}
CRM_FIRST = policy(default=["crm", "erp", "hub"])
CRM_PRICE = policy(lines__price=["crm", "erp"])


def test_what_the_erp_owns_is_not_touched_by_what_a_book_shows() -> None:
    assert prices(merged(policy(), source(ERP, STEPS), source(CRM, SHOWN))) == {("A", "0"): "9", ("A", "5"): "8"}


@pytest.mark.parametrize("who", [CRM_FIRST, CRM_PRICE], ids=["the whole list", "the price alone"])
def test_a_price_that_the_crm_owns_is_laid_over_the_line_that_it_shows(who: EntityPolicy) -> None:
    assert prices(merged(who, source(ERP, STEPS), source(CRM, SHOWN))) == {("A", "0"): "7", ("A", "5"): "8"}


@pytest.mark.promise(1)
def test_a_book_without_a_product_takes_nothing_from_a_list_that_another_holds_whole() -> None:
    """As after the crash of a worker that had created the book and not yet its prices."""
    before = merged(CRM_FIRST, source(HUB, STEPS))

    after = merged(CRM_FIRST, source(HUB, STEPS), source(CRM, {}), current=before)

    assert after == before


def test_a_book_that_nobody_else_speaks_of_decides_alone() -> None:
    before = merged(CRM_FIRST, source(CRM, {"a": SHOWN["a"], "b": {"product": "B", "price": "1"}}))

    after = merged(CRM_FIRST, source(CRM, {"b": {"product": "B", "price": "2"}}), current=before)

    assert prices(before) == {("A", None): "7", ("B", None): "1"}
    assert prices(after) == {("B", None): "2"}
    assert after.keys() <= before.keys()


def test_a_line_keeps_its_identity_when_the_erp_takes_a_list_over() -> None:
    alone = merged(CRM_FIRST, source(CRM, SHOWN))
    both = merged(CRM_FIRST, source(ERP, STEPS), source(CRM, SHOWN), current=alone)

    again = merged(CRM_FIRST, source(ERP, STEPS), source(CRM, SHOWN), current=both)

    assert prices(both) == {("A", "0"): "7", ("A", "5"): "8"}
    assert again == both


def test_what_is_left_in_a_book_of_a_line_that_it_cannot_hold_any_more_says_nothing() -> None:
    before = merged(CRM_FIRST, source(ERP, STEPS), source(CRM, SHOWN))
    nothing = Part(("product",), lambda _: {})
    ended = merge_set(CRM_FIRST, "lines", [source(ERP, STEPS), source(CRM, SHOWN)], before, lambda: "n", (), {CRM: nothing})

    assert prices(ended) == {("A", "0"): "9", ("A", "5"): "8"}


def test_why_a_price_is_what_it_is_names_the_crm_where_it_decides() -> None:
    sources = [source(ERP, STEPS), source(CRM, SHOWN)]
    rows = merged(CRM_PRICE, *sources)

    told = explain_rows(CRM_PRICE, "lines.price", sources, rows, {}, (), {CRM: part()})

    assert [(reason.value, reason.system, list(reason.losers)) for reason in told] == [("7", "crm", [("erp", "9")]), ("8", "erp", [])]


# laws


def lists() -> st.SearchStrategy[dict[str, dict[str, Any]]]:
    """Lines as the ERP has them."""
    row = st.fixed_dictionaries(
        {"product": st.sampled_from("ABC"), "price": st.sampled_from(["1", "2", "3"]), "from_quantity": st.sampled_from(["0", "5", "9"])}
    )
    return st.lists(row, max_size=6).map(lambda rows: {str(at): one for at, one in enumerate(rows)})


def books() -> st.SearchStrategy[dict[str, dict[str, Any]]]:
    """Prices as a book has them: one a product."""
    return st.dictionaries(st.sampled_from("ABCD"), st.sampled_from(["1", "4"])).map(
        lambda found: {product.lower(): {"product": product, "price": price} for product, price in found.items()}
    )


Who = st.sampled_from([policy(), CRM_FIRST, CRM_PRICE, policy(lines=["crm", "erp"]), policy(default=["hub", "erp"])])


@settings(deadline=None)
@given(Who, lists(), books())
def test_law_no_line_is_lost_that_a_stream_with_room_for_all_says(who: EntityPolicy, whole: Lines, shown: Lines) -> None:
    alone, both = merged(who, source(ERP, whole)), merged(who, source(ERP, whole), source(CRM, shown))

    places = [(row.doc["product"], row.doc.get("from_quantity")) for row in both.values()]
    for row in alone.values():
        assert (row.doc["product"], row.doc["from_quantity"]) in places
        places.remove((row.doc["product"], row.doc["from_quantity"]))
    added = {product for product, _ in places}
    assert added <= {values["product"] for values in shown.values()} - {row.doc["product"] for row in alone.values()}
    held = {row.id for row in part().pick(alone).values()}
    for one, other in zip(alone.values(), both.values(), strict=False):
        assert one.doc == other.doc or one.id in held


@settings(deadline=None)
@given(Who, lists(), books())
def test_law_merging_again_changes_nothing(who: EntityPolicy, whole: Lines, shown: Lines) -> None:
    sources: Callable[[], list[Source]] = lambda: [source(ERP, whole), source(CRM, shown)]  # noqa: E731  made anew: merging may use them up
    once = merged(who, *sources())

    assert merged(who, *sources(), current=once) == once


@settings(deadline=None)
@given(Who, lists(), books())
def test_law_what_a_book_shows_of_the_merged_list_is_what_it_holds_where_it_decides(who: EntityPolicy, whole: Lines, shown: Lines) -> None:
    both = merged(who, source(ERP, whole), source(CRM, shown))

    picked = {row.doc["product"]: row.doc["price"] for row in part().pick(both).values()}
    if who is CRM_FIRST:
        assert {key: picked.get(key) for key in picked if key in {v["product"] for v in shown.values()}} == {
            values["product"]: values["price"] for values in shown.values()
        }
