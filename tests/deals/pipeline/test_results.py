"""Results of decided deals: the same totals however they are cut, and what the ledger says of each deal."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hub_api.deals_pipelines
import hub_api.deals_results
import hub_cli.deals_pipelines
import hub_cli.deals_results
from canonical.ids import new_hub_key, new_id
from channel.deals import forecast
from channel.deals.errors import PipelineNotFound
from channel.deals.results import BY, Cell, Days, Decided, results
from ledger.bulk import json_text
from sync.deal_results import results_of
from sync.hub import Hub
from tests.deals.upkeep.test_looking_after import add_deal, to_stage

Db = psycopg.Connection[Any]
YEAR: dict[str, Any] = {"start": date(2026, 1, 1), "end": date(2026, 12, 31)}
amounts = st.none() | st.decimals(0, 10**9, places=2)
days = st.dates(date(2025, 1, 1), date(2026, 12, 31))
decided = st.builds(
    Decided,
    st.text("0123456789", min_size=1, max_size=6),
    days,
    st.booleans(),
    st.sampled_from(["CNY", "USD"]),
    *[amounts] * 6,
    st.none() | days,
    st.none() | days,
    st.fixed_dictionaries({}, optional={"dealer": st.sampled_from(["east", "west"]), "industry": st.sampled_from(["机床", "船舶"])}),
)


@given(st.lists(decided, max_size=30), st.lists(st.sampled_from(BY), max_size=3, unique=True))
def test_law_every_cut_has_the_same_totals_for_each_currency(some: list[Decided], by: list[str]) -> None:
    whole, parts = {cell.key[0]: cell for cell in results(some, ())}, results(some, by)

    for currency, total in whole.items():
        cells = [cell for cell in parts if cell.key[0] == currency]
        for name in ("won", "lost", "expected", "quoted", "contract", "ordered", "lost_amount", "costed", "net", "cost"):
            assert sum(getattr(cell, name) for cell in cells) == getattr(total, name)
        assert sum(cell.to_win.deals for cell in cells) == total.to_win.deals
    assert {cell.key[0] for cell in parts} == set(whole)


def test_a_rate_of_nothing_is_no_rate_and_a_margin_is_of_those_that_tell_their_cost() -> None:
    day = date(2026, 6, 30)
    lost = Decided("d1", day, False, "CNY", Decimal(5))
    told = Decided("d2", day, True, "CNY", net=Decimal(300), cost=Decimal(200))
    untold = Decided("d3", day, True, "CNY", net=Decimal(1000))

    [both] = results([told, untold, lost], ("quarter",))
    [none] = results([lost])

    assert (both.key, both.won, both.lost, both.win_rate) == (("CNY", "2026-Q2"), 2, 1, Decimal("0.6667"))
    assert (both.costed, both.margin, both.margin_rate) == (1, Decimal(100), Decimal("0.3333"))
    assert (none.win_rate, none.margin, none.margin_rate, none.to_win) == (Decimal(0), None, None, Days(0, None, None))


def test_days_are_told_on_average_and_in_the_middle_and_a_slip_of_the_pen_took_none() -> None:
    def took(days: int) -> Decided:
        return Decided("d", date.fromordinal(740_000 + days), True, "CNY", began=date.fromordinal(740_000))

    [cell] = results([took(1), took(2), took(10), took(-3)], ())

    assert cell.to_win == Days(4, Decimal("3.3"), Decimal("1.5"))


def test_nobody_asks_by_what_there_is_not() -> None:
    with pytest.raises(PipelineNotFound, match="weather"):
        results([], ("weather",))


def test_the_ledger_follows_a_deal_from_its_first_contact_to_its_order(hub: Hub, db: Db, east: UUID) -> None:
    factory = str(add_party(db, "苏州恒力液压有限公司", province="320000", industry="工程机械"))
    usual = {"currency": "CNY", "dealer": str(east), "customer": factory, "product_line": "水泵", "salesperson": "S07"}
    won = add_deal(
        db, **usual, stage="中标", stage_kind="won", expected_amount="1000.00", contract_amount="900.00", won_on="2026-03-31",
        first_talk_at="2026-02-28T16:30:00+00:00",
    )  # fmt: skip
    add_deal(db, **usual, stage="丢单", stage_kind="lost", expected_amount="500.00", close_reason="price")
    add_deal(db, **usual, stage="需求确认", stage_kind="qualify", expected_amount="77.00")
    add_quote(db, won, "950.00", "accepted")
    add_quote(db, won, "999.00", "delivered")
    add_order(db, won, "800.00")
    add_order(db, won, "100.00", status="void")
    db.execute("UPDATE deal_stage SET entered_at = '2026-06-01T00:00:00+08:00'")

    by_customer = results_of(hub, ("industry", "region"), **YEAR)
    by_person = results_of(hub, ("salesperson", "month"), **YEAR)

    assert [(cell.key, cell.won, cell.lost) for cell in by_customer] == [(("CNY", "工程机械", "320000"), 1, 1)]
    [march, june] = by_person
    assert (march.key, june.key) == (("CNY", "S07", "2026-03"), ("CNY", "S07", "2026-06"))
    assert money(march) == ("1000.00", "950.00", "900.00", "800.00", "0")
    assert money(june) == ("0", "0", "0", "0", "500.00")
    assert march.to_win == Days(1, Decimal("30.0"), Decimal("30.0"))  # 1 March in Shanghai to 31 March
    assert march.to_delivery == Days(0, None, None)

    to_stage(db, won, "批量导入", "deliver")
    [cell] = results_of(hub, (), start=date(2026, 3, 31), end=date(2026, 3, 31))
    assert cell.to_delivery.deals == 1


def test_a_deal_of_which_nobody_said_the_day_is_won_when_the_hub_first_saw_it_won(hub: Hub, db: Db, east: UUID, west: UUID) -> None:
    deal = add_deal(db, stage="样品", stage_kind="propose", currency="CNY", dealer=str(east))
    db.execute("UPDATE deal_stage SET entered_at = '2026-04-01T00:00:00+08:00'")
    to_stage(db, deal, "中标", "won")
    db.execute("UPDATE deal_stage SET entered_at = '2026-05-11T00:00:00+08:00' WHERE kind = 'won'")
    db.execute("UPDATE deal_stage SET left_at = '2026-05-11T00:00:00+08:00' WHERE kind = 'propose'")

    mine, theirs = (results_of(hub, ("month",), **YEAR, parties=[str(one)]) for one in (east, west))

    assert [(cell.key, cell.won, cell.to_win.average) for cell in mine] == [(("CNY", "2026-05"), 1, Decimal("40.0"))]
    assert theirs == []


def test_every_door_asks_for_results_and_forecasts_by_the_same_words() -> None:
    assert hub_cli.deals_results.BY == get_args(hub_api.deals_results.By) == BY
    assert hub_cli.deals_pipelines.BY == get_args(hub_api.deals_pipelines.By) == tuple(forecast.BY)


def money(cell: Cell) -> tuple[str, ...]:
    return tuple(str(getattr(cell, name)) for name in ("expected", "quoted", "contract", "ordered", "lost_amount"))


def add_party(db: Db, name: str, *, province: str, industry: str) -> UUID:
    party = new_id()
    db.execute(
        "INSERT INTO parties (id, hub_key, doc, name, province) VALUES (%s, %s, %s, %s, %s)",
        [party, new_hub_key(), json_text({"name": name, "province": province, "industry": industry}), name, province],
    )
    return party


def add_quote(db: Db, deal: str, total: str, stage: str) -> None:
    db.execute(
        "INSERT INTO quotes (id, hub_key, doc, deal_id, stage, currency, total) VALUES (%s, %s, '{}', %s, %s, 'CNY', %s)",
        [new_id(), new_hub_key(), deal, stage, total],
    )


def add_order(db: Db, deal: str, total: str, status: str = "open") -> None:
    db.execute(
        "INSERT INTO orders (id, hub_key, doc, deal_id, status, currency, total) VALUES (%s, %s, '{}', %s, %s, 'CNY', %s)",
        [new_id(), new_hub_key(), deal, status, total],
    )
