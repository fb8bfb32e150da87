"""The entry point of the DAG and the command: everything that is due, once, however often it runs."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from canonical.ids import new_hub_key, new_id
from canonical.values import SHANGHAI
from channel.deals import acting, duplicates, queries, review_queries
from channel.deals.matching import Claim
from channel.deals.service import register
from ledger.bulk import json_text
from sync import deals_upkeep, notices
from sync.hub import Hub
from tests.deals.registration.helpers import HUAYI, LANSI, LANSI_AGAIN, UNSURE, YADU, add_party, add_policy, shift
from tests.deals.upkeep.conftest import kinds, messages, today

Db = psycopg.Connection[Any]


def add_deal(db: Db, **fields: Any) -> str:
    """A canonical deal, as merging would have stored it."""
    deal = str(new_id())
    typed = {name: fields.get(name) for name in ("stage_kind", "currency", "expected_amount", "expected_close")}
    db.execute(
        "INSERT INTO deals (id, hub_key, doc, stage_kind, currency, expected_amount, expected_close, dealer_id, customer_id) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [deal, new_hub_key(), json_text(fields), *typed.values(), fields.get("dealer"), fields.get("customer")],
    )
    return deal


def to_stage(db: Db, deal: str, stage: str, kind: str) -> None:
    """What a merge does when somebody moved the deal in another system."""
    said = json_text({"stage": stage, "stage_kind": kind})
    db.execute("UPDATE deals SET doc = (doc::jsonb || %s::jsonb)::json, stage_kind = %s WHERE id = %s", [said, kind, deal])


def in_stage_since(db: Db, deal: str, days: int) -> None:
    """Let a deal have come to its stage so many days earlier."""
    db.execute("UPDATE deal_stage SET entered_at = entered_at - make_interval(days => %s) WHERE deal_id = %s", [days, deal])


def test_reminders_come_at_fourteen_seven_and_one_day_and_each_once(hub: Hub, db: Db, east: UUID) -> None:
    made = register(db, east, HUAYI)
    assert made.protected_until is not None
    told = []
    for left in (20, 14, 13, 7, 7, 2, 1, 0):
        deals_upkeep.look_after(hub, now=made.protected_until - timedelta(days=left + 1) + timedelta(hours=12))
        told.append(kinds(db, east).count("deal_expiring"))

    assert told == [0, 1, 1, 2, 2, 2, 3, 3]
    reminders = messages(db, "deal_expiring")
    assert [one["facts"]["days"] for one in reminders] == [14, 7, 1]
    assert [one["state"] for one in reminders] == ["withdrawn", "withdrawn", "open"], "a nearer one replaces what nobody carried yet"


def test_expiry_tells_the_dealer_and_lets_in_who_waited(hub: Hub, db: Db, east: UUID, west: UUID) -> None:
    made = register(db, east, LANSI)
    waiting = register(db, west, LANSI_AGAIN, rules=UNSURE)
    shift(db, made.id, 91)

    first = deals_upkeep.look_after(hub)
    again = deals_upkeep.look_after(hub)

    assert (first.status, first.counts["expired"]) == ("done", 1)
    assert "expired" not in again.counts
    assert kinds(db, east) == ["deal_registered", "deal_expired"]
    assert kinds(db, west) == ["deal_waiting", "deal_registered"]
    cleared = queries.registration(db, waiting.id)
    assert cleared is not None
    assert cleared.status == "protected"
    assert notices.open_approvals(hub) == []


def test_an_idle_registration_is_pulled_back_by_policy_and_the_dealer_is_told_why(hub: Hub, db: Db, east: UUID, west: UUID) -> None:
    add_policy(db, product_line="水泵", inactive_days=30)
    idle = register(db, east, replace(HUAYI, product_line="水泵"))
    busy = register(db, west, replace(YADU, product_line="水泵"))
    shift(db, idle.id, 40)
    shift(db, busy.id, 40)
    acting.note_activity(db, busy.id, "拜访客户", f"dealer:{west}")

    done = deals_upkeep.look_after(hub)

    assert done.counts["pulled_back"] == 1
    (told,) = messages(db, "deal_taken_back")
    assert (told["audience"], "长期没有跟进" in told["facts"]["zh"]) == (f"party:{east}", True)
    assert "deal_taken_back" not in kinds(db, west)


def test_a_question_that_waits_too_long_is_told_to_our_own_people_once(hub: Hub, db: Db, east: UUID, west: UUID) -> None:
    register(db, east, LANSI)
    held = register(db, west, LANSI_AGAIN, rules=UNSURE)
    db.execute("UPDATE registration SET submitted_at = submitted_at - interval '5 days' WHERE id = %s", [held.id])

    for _ in range(2):
        deals_upkeep.look_after(hub)

    (late,) = messages(db, "deal_decision_late")
    assert (late["audience"], late["facts"]["days"]) == ("role:channel_manager", 5)


def test_a_stuck_deal_is_told_to_its_owner_and_its_dealer_once_for_each_stay(hub: Hub, db: Db, east: UUID) -> None:
    deal = add_deal(db, name="二期泵房", stage="需求确认", stage_kind="qualify", customer=str(east), dealer=str(east), salesperson="S01")
    at = datetime.combine(today(db), datetime.min.time(), SHANGHAI) + timedelta(hours=12)
    in_stage_since(db, deal, 14)
    deals_upkeep.look_after(hub, now=at)
    before = kinds(db, east)
    in_stage_since(db, deal, 1)

    for _ in range(2):
        deals_upkeep.look_after(hub, now=at)

    assert before == []
    stuck = messages(db, "deal_stuck")
    assert [(one["audience"], one["facts"]["days"]) for one in stuck] == [("employee:S01", 15), (f"party:{east}", 15)]
    assert stuck[0]["facts"]["zh"] == "“二期泵房”在阶段“需求确认”已停留 15 天"
    to_stage(db, deal, "线索登记", "lead")
    to_stage(db, deal, "需求确认", "qualify")
    db.execute("UPDATE deal_stage SET entered_at = entered_at - interval '15 days' WHERE deal_id = %s AND left_at IS NULL", [deal])
    deals_upkeep.look_after(hub, now=at)
    assert len(messages(db, "deal_stuck")) == 4, "it came back and stood still again"


def test_what_stood_still_before_the_go_live_is_quiet_until_it_moves(make_hub: Callable[..., Hub], db: Db, east: UUID) -> None:
    deal = add_deal(
        db, name="老项目", stage="需求确认", stage_kind="qualify", dealer=str(east), next_action="call", next_action_on="2020-01-01"
    )
    in_stage_since(db, deal, 100)
    hub = make_hub(go_live=(today(db) - timedelta(days=50)).isoformat())

    deals_upkeep.look_after(hub)

    assert messages(db) == []


def test_a_deal_that_another_system_moved_past_the_rules_is_told_with_what_it_lacks(hub: Hub, db: Db, east: UUID) -> None:
    add_deal(db, name="跳阶段项目", stage="合同签署", stage_kind="contract", dealer=str(east))

    deals_upkeep.look_after(hub)

    told = messages(db, "deal_incomplete")
    assert {one["audience"] for one in told} == {f"party:{east}", "role:channel_manager"}
    assert told[0]["facts"]["fields"] == ["contract_amount", "won_on"]


def test_an_action_that_is_due_is_told_once_for_its_day(hub: Hub, db: Db, east: UUID) -> None:
    day = today(db)
    add_deal(db, name="A", stage="线索登记", stage_kind="lead", dealer=str(east), next_action="visit", next_action_on=day.isoformat())
    add_deal(db, name="B", stage="线索登记", stage_kind="lead", next_action="visit", next_action_on=(day + timedelta(days=1)).isoformat())

    for _ in range(2):
        deals_upkeep.look_after(hub)

    told = messages(db, "deal_action_due", f"party:{east}")
    assert [one["facts"]["zh"] for one in told] == [f"“A”的下一步“上门拜访”应于 {day} 完成"]
    assert len(messages(db, "deal_action_due")) == 2


def night(db: Db, days: int = 0) -> datetime:
    return datetime.combine(today(db) + timedelta(days=days), datetime.min.time(), SHANGHAI) + timedelta(hours=2)


def test_the_nightly_scan_reports_customers_that_are_there_twice(hub: Hub, db: Db) -> None:
    add_party(db, "苏州明基机电设备有限公司", uscc="913205007035240355", city="苏州市")
    add_party(db, "苏州市明基机电设备有限公司", uscc="913205007035240355", city="苏州市")
    add_party(db, "成都西岭特种阀门有限公司", uscc="91510100201958223R", city="成都市")

    early = deals_upkeep.look_after(hub, now=night(db) - timedelta(hours=2))
    first = deals_upkeep.look_after(hub, now=night(db))
    same_night = deals_upkeep.look_after(hub, now=night(db) + timedelta(hours=1))
    next_night = deals_upkeep.look_after(hub, now=night(db, 1))

    assert "scan_compared" not in early.counts
    assert (first.counts["scan_customers"], first.counts["scan_duplicates"], first.counts["scan_new"]) == (3, 1, 1)
    assert "scan_compared" not in same_night.counts
    assert (next_night.counts["scan_duplicates"], next_night.counts.get("scan_new", 0)) == (1, 0)
    assert len(messages(db, "duplicates_found")) == 1
    (pair,) = duplicates.list_pairs(db)
    assert {pair.low_name, pair.high_name} == {"苏州明基机电设备有限公司", "苏州市明基机电设备有限公司"}
    assert pair.verdict == "duplicate"
    assert pair.reasons


def test_pairs_that_a_person_told_apart_are_not_reported(hub: Hub, db: Db) -> None:
    for name in ("深圳市蓝思电子科技有限公司", "深圳市兰思电子科技有限公司"):
        add_party(db, name, city="深圳市")
    deals_upkeep.look_after(hub, now=night(db))
    (pair,) = duplicates.list_pairs(db)
    review_queries.keep_apart(db, pair.low, pair.high, "person:a", "两家公司")

    second = deals_upkeep.look_after(hub, now=night(db, 1))

    assert duplicates.list_pairs(db) == []
    assert second.counts.get("scan_duplicates", 0) + second.counts.get("scan_doubtful", 0) == 0


def test_a_lead_or_a_claim_means_a_party_that_came_since(hub: Hub, db: Db) -> None:
    party = add_party(db, "苏州明基机电设备有限公司", uscc="913205007035240355", city="苏州市")
    deals_upkeep.look_after(hub)

    assert duplicates.who(db, Claim(name="明基机电设备(苏州)有限公司", uscc="913205007035240355")).party_id == party
    assert duplicates.who(db, Claim(name="大庆油田物资公司")).verdict == "new"
    assert duplicates.who(db, Claim()).verdict == "new"


def _look_after(database: str, config: Any) -> None:
    with Hub.open(config, database) as hub:
        deals_upkeep.look_after(hub)


@pytest.mark.parametrize("after_ms", [5, 40, 120, 300])
def test_a_run_that_is_killed_is_made_up_for_and_tells_nothing_twice(hub: Hub, db: Db, east: UUID, west: UUID, after_ms: int) -> None:
    made = [
        register(db, dealer, replace(claim, product_line=line)) for dealer, claim in ((east, HUAYI), (west, YADU)) for line in ("泵", "阀")
    ]
    for one in made[:2]:
        shift(db, one.id, 91)
    for one in made[2:]:
        shift(db, one.id, 80)
    killed = multiprocessing.get_context("fork").Process(target=_look_after, args=(hub.database_url, hub.config))
    killed.start()
    time.sleep(after_ms / 1000)
    assert killed.pid is not None
    os.kill(killed.pid, signal.SIGKILL)
    killed.join()

    others = [multiprocessing.get_context("fork").Process(target=_look_after, args=(hub.database_url, hub.config)) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join()

    assert [other.exitcode for other in others] == [0, 0]
    assert sorted(kinds(db, east)) == ["deal_expired"] * 2 + ["deal_registered"] * 2
    assert sorted(kinds(db, west)) == ["deal_expiring"] * 2 + ["deal_registered"] * 2
    assert db.execute("SELECT count(*) FROM deal_untold").fetchone() == (0,)
