"""What a dealer hears of its rebates, through the API: each once, in both languages, own figures only."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from sync import rebate_notices
from tests.hub_api.conftest import Fresh
from tests.hub_api.test_funds import MDF, expo, publish, submit
from tests.hub_api.world import RIVAL

NIGHT = date(2026, 2, 28)


def result(fresh: Fresh, dealer: UUID, unit: str, **doc: Any) -> None:
    """A result as a night keeps it."""
    told = {
        "name": {"zh": "水泵年度返利", "en": "Pumps 2026"}, "period": {"name": "2026Q1", "from": "2026-01-01", "to": "2026-04-01"},
        "group": None, "tier": None, "target": None, "read": None, "to_next": None, "accrued": "7391.4687",
    } | doc  # fmt: skip
    with fresh.hub.transaction() as db:
        db.execute(
            "INSERT INTO rebate_calculation (purpose, programmes, hashes, as_of, known_at, facts_hash, engine, by) "
            "VALUES ('accrual', '{}', '{}', %s, now(), '', '1', 'test') RETURNING id",
            [NIGHT],
        )
        row = db.fetchone()
        assert row is not None
        db.execute(
            "INSERT INTO rebate_result "
            "(calculation_id, unit, programme, version, dealer, dealer_id, period, currency, earned, payable, doc) "
            "VALUES (%s, %s, 'pumps-2026', 1, 'C1', %s, '2026Q1', 'CNY', 0, 0, %s)",
            [row["id"], unit, dealer, Jsonb(told)],
        )


def heard(fresh: Fresh, kind: str) -> list[dict[str, Any]]:
    items = fresh.api.get("dealer", "/v1/messages", params={"kind": kind}).json()["items"]
    return [one["facts"] for one in items]


def test_a_tier_is_told_once_and_the_next_one_again(fresh: Fresh) -> None:
    result(fresh, fresh.world.agent, "u", tier={"number": 1, "from": "100000", "to": "500000"}, to_next="277654.33")
    rebate_notices.nightly(fresh.hub, NIGHT)
    rebate_notices.nightly(fresh.hub, NIGHT)
    first = heard(fresh, "rebate_tier_reached")
    result(fresh, fresh.world.agent, "u", tier={"number": 2, "from": "500000", "to": None})
    result(fresh, fresh.world.rival, "r", name={"zh": RIVAL, "en": RIVAL}, tier={"number": 2, "from": "500000", "to": None})

    rebate_notices.nightly(fresh.hub, NIGHT)

    assert [one["zh"] for one in first] == ["恭喜, 水泵年度返利 2026Q1 已达成第 1 档, 距下一档还差 277654.33"]
    assert first[0]["en"] == "You have reached tier 1 of Pumps 2026 in 2026Q1; 277654.33 to the next"
    assert {one["tier"] for one in heard(fresh, "rebate_tier_reached")} == {1, 2}
    raw = fresh.api.get("dealer", "/v1/messages").text
    assert (RIVAL in raw, "7391.4687" in raw) == (False, False)


def test_a_target_is_at_risk_when_its_pace_is_less_than_four_fifths(fresh: Fresh) -> None:
    result(fresh, fresh.world.agent, "slow", target="300000", read="0.5")  # 59 of 90 days: 65.6 % have passed, 50 % / 65.6 % = 76.3 %
    result(fresh, fresh.world.agent, "fine", target="300000", read="0.53")
    result(fresh, fresh.world.agent, "group", target="300000", read="0.1", group="C9")

    rebate_notices.nightly(fresh.hub, NIGHT)
    rebate_notices.nightly(fresh.hub, NIGHT)

    told = heard(fresh, "rebate_target_at_risk")
    assert [(one["reached"], one["elapsed"], one["pace"]) for one in told] == [("50 %", "65.6 %", "76.3 %")]
    assert told[0]["zh"] == "水泵年度返利 2026Q1: 时间已过 65.6 %, 目标 300000 完成 50 %, 按此进度预计 76.3 %"


def test_money_of_a_fund_that_expires_is_told_a_month_and_a_week_before(fresh: Fresh) -> None:
    publish(fresh, MDF.replace("claim_days: 400", "claim_days: 10"))
    submit(fresh, expo())

    for night in (date(2026, 12, 1), date(2026, 12, 20), date(2026, 12, 21), date(2027, 1, 5), date(2027, 1, 6)):
        rebate_notices.nightly(fresh.hub, night)

    told = heard(fresh, "fund_expiring")
    assert sorted((one["days"], one["available"], one["on"]) for one in told) == [(5, "4000", "2027-01-10"), (21, "4000", "2027-01-10")]
