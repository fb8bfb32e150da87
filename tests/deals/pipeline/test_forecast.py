"""The forecast: exact sums, the same total however it is cut."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channel.deals.errors import PipelineNotFound
from channel.deals.forecast import BY, Expected, forecast
from channel.deals.pipeline import GROUPS, KINDS, LOST
from sync import deal_pipeline
from sync.hub import Hub
from tests.deals.upkeep.test_looking_after import add_deal

amounts = st.decimals(0, 10**9, places=2)
deals = st.builds(
    Expected,
    st.text("0123456789", min_size=1, max_size=6),
    st.sampled_from((*KINDS, LOST)),
    st.decimals(0, 1, places=3),
    st.sampled_from(["CNY", "USD", "JPY", "KWD"]),
    amounts,
    st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2027, 12, 31))),
    st.sampled_from(["", "east", "west"]),
    st.sampled_from(["", "c1", "c2"]),
    st.sampled_from(["水泵", "阀门"]),
)


@given(st.lists(deals, max_size=30), st.lists(st.sampled_from(sorted(BY)), max_size=3, unique=True))
def test_law_every_cut_has_the_same_total_for_each_currency(some: list[Expected], by: list[str]) -> None:
    whole = {cell.key[0]: cell for cell in forecast(some, ())}
    parts = forecast(some, by)

    for currency, total in whole.items():
        cells = [cell for cell in parts if cell.key[0] == currency]
        assert sum(cell.deals for cell in cells) == total.deals
        assert sum(cell.amount for cell in cells) == total.amount
        assert sum(cell.weighted for cell in cells) == total.weighted
        assert all(cell.weighted <= cell.amount + Decimal(cell.deals) for cell in cells)
    assert {cell.key[0] for cell in parts} == set(whole)


@given(st.lists(deals, max_size=20), deals)
def test_law_one_more_deal_adds_what_it_is_worth_and_nothing_else(some: list[Expected], new: Expected) -> None:
    every = frozenset(GROUPS.values())
    before = {cell.key: cell.weighted for cell in forecast(some, ("month",), every)}
    after = {cell.key: cell.weighted for cell in forecast([*some, new], ("month",), every)}
    moved = {key: after[key] - before.get(key, Decimal(0)) for key in after if after[key] != before.get(key, Decimal(0))}

    assert moved in ({}, {(new.currency, f"{new.close:%Y-%m}" if new.close else ""): new.weighted})


def test_each_deal_rounds_half_up_to_its_currencys_unit() -> None:
    def of(currency: str) -> Decimal:
        return Expected("d", "lead", Decimal("0.5"), currency, Decimal("1.01"), None).weighted

    assert [of(currency) for currency in ("CNY", "JPY", "KWD")] == [Decimal("0.51"), Decimal(1), Decimal("0.505")]


def test_what_is_lost_or_delivered_is_not_to_come_and_nonsense_is_refused() -> None:
    some = [Expected("d", kind, Decimal(1), "CNY", Decimal(1), None) for kind in ("lead", "won", "deliver", "paid", "review", "lost")]

    assert [cell.deals for cell in forecast(some, ())] == [2]
    assert [(cell.key[1], cell.deals) for cell in forecast(some, ("group",), {"delivery", "after", "lost"})] == [
        ("after", 1), ("delivery", 2), ("lost", 1),
    ]  # fmt: skip
    with pytest.raises(PipelineNotFound, match="colour"):
        forecast(some, ("colour",))


def test_the_ledgers_deals_are_forecast_with_their_own_chance_or_their_stages(hub: Hub, db: psycopg.Connection[Any], east: Any) -> None:
    usual = {"currency": "CNY", "expected_close": "2026-12-05", "dealer": str(east), "product_line": "水泵"}
    add_deal(db, **usual, stage="报价/方案提交", stage_kind="propose", expected_amount="1000.00")
    add_deal(db, **usual, stage="Negotiation/Review", stage_kind="negotiate", expected_amount="1000.00", probability="0.9")
    add_deal(db, **{**usual, "dealer": None}, stage="丢单", stage_kind="lost", expected_amount="5000.00")
    add_deal(db, **{**usual, "currency": "USD"}, stage="样品", stage_kind="won", expected_amount="10.00")

    cells = deal_pipeline.forecast_of(hub, ("month", "dealer"))

    assert [(cell.key, cell.deals, cell.amount, cell.weighted) for cell in cells] == [
        (("CNY", "2026-12", str(east)), 2, Decimal("2000.00"), Decimal("1200.00")),
        (("USD", "2026-12", str(east)), 1, Decimal("10.00"), Decimal("8.50")),
    ]
    stages = deal_pipeline.forecast_of(hub, ("stage",), groups=frozenset(GROUPS.values()))
    assert [(cell.key[1], cell.deals) for cell in stages] == [("丢单", 1), ("客户评审中", 1), ("报价/方案提交", 1), ("中标/选型确认", 1)]
