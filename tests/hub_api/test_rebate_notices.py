"""What a dealer hears of its rebates, through the API: each once, in both languages, own figures only."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from channel.funds.handing import of_document
from sync import funds, rebate_notices
from tests.hub_api.conftest import Fresh
from tests.hub_api.test_funds import MDF, expo, publish
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


def handed_in(fresh: Fresh) -> str:
    """A claim that came on the day after the fair, within its ten days; its number."""
    claim = funds.submit(fresh.hub, fresh.world.agent, of_document(expo()), by="test", on=date(2026, 11, 13))
    return str(claim["id"])


def test_money_of_a_fund_that_expires_is_told_a_month_and_a_week_before(fresh: Fresh) -> None:
    publish(fresh, MDF.replace("claim_days: 400", "claim_days: 10"))
    handed_in(fresh)

    for night in (date(2026, 12, 1), date(2026, 12, 20), date(2026, 12, 21), date(2027, 1, 5), date(2027, 1, 6)):
        rebate_notices.nightly(fresh.hub, night)

    told = heard(fresh, "fund_expiring")
    assert sorted((one["days"], one["available"], one["on"]) for one in told) == [(5, "4000", "2027-01-10"), (21, "4000", "2027-01-10")]


def live_from(fresh: Fresh, day: date) -> None:
    """The hub goes live on a day."""
    fresh.hub.config = fresh.hub.config.model_copy(update={"go_live": day})


def test_a_tier_that_falls_away_and_comes_again_is_told_once(fresh: Fresh) -> None:
    for tier in (
        {"number": 2, "from": "500000", "to": None},
        {"number": 1, "from": "100000", "to": "500000"},
        {"number": 2, "from": "500000"},
    ):
        result(fresh, fresh.world.agent, "u", tier=tier)
        rebate_notices.nightly(fresh.hub, NIGHT)

    assert [one["tier"] for one in heard(fresh, "rebate_tier_reached")] == [2]


@pytest.mark.promise(14)
def test_before_the_go_live_a_dealer_hears_nothing_and_then_only_of_tiers_reached_since(fresh: Fresh) -> None:
    live_from(fresh, date(2026, 3, 1))
    result(fresh, fresh.world.agent, "u", tier={"number": 1, "from": "100000", "to": "500000"}, target="300000", read="0.5")

    rebate_notices.nightly(fresh.hub, NIGHT)
    before = [heard(fresh, kind) for kind in ("rebate_tier_reached", "rebate_target_at_risk")]
    rebate_notices.nightly(fresh.hub, date(2026, 3, 1))
    first = [len(heard(fresh, kind)) for kind in ("rebate_tier_reached", "rebate_target_at_risk")]
    result(fresh, fresh.world.agent, "u", tier={"number": 2, "from": "500000", "to": None})
    rebate_notices.nightly(fresh.hub, date(2026, 3, 2))

    assert before == [[], []]
    assert first == [0, 1], "the tier was reached with what lies before; the target is at risk now"
    assert [one["tier"] for one in heard(fresh, "rebate_tier_reached")] == [2]


@pytest.mark.promise(14)
def test_a_hub_that_meets_a_tier_at_its_go_live_takes_it_for_what_was_before(fresh: Fresh) -> None:
    live_from(fresh, date(2026, 2, 1))
    result(fresh, fresh.world.agent, "u", tier={"number": 1, "from": "100000", "to": "500000"})
    later = {"name": "2026Q2", "from": "2026-02-01", "to": "2026-05-01"}
    result(fresh, fresh.world.agent, "new", tier={"number": 1, "from": "100000", "to": "500000"}, period=later)

    rebate_notices.nightly(fresh.hub, NIGHT)
    rebate_notices.nightly(fresh.hub, NIGHT)

    assert len(heard(fresh, "rebate_tier_reached")) == 1, "of the period that began after the go-live"


@pytest.mark.promise(14)
def test_before_the_go_live_nobody_hears_that_a_fund_expires_nor_what_became_of_a_claim(fresh: Fresh) -> None:
    live_from(fresh, date(2030, 1, 1))
    publish(fresh, MDF.replace("claim_days: 400", "claim_days: 10"))
    fresh.api("finance", "POST", f"/v1/claims/{handed_in(fresh)}/approve", json={})

    rebate_notices.nightly(fresh.hub, date(2027, 1, 5))
    before = fresh.api.get("dealer", "/v1/messages").json()["items"]
    live_from(fresh, date(2026, 1, 1))
    rebate_notices.nightly(fresh.hub, date(2027, 1, 5))

    assert before == []
    assert len(heard(fresh, "fund_expiring")) == 1
