"""Each decision and reminder is told once, to whom it concerns, without a trace of anybody else; questions are answered."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from channel.deals import acting, fencing, queries
from channel.deals.errors import StillHeld
from channel.deals.fences import Fence
from channel.deals.service import register
from sync import answering, deal_notices, notices
from sync.errors import NotFound, WrongState
from sync.hub import Hub
from tests.deals.registration.helpers import HUAYI, HUAYI_AGAIN, LANSI, LANSI_AGAIN, UNSURE, YADU, add_policy
from tests.deals.upkeep.conftest import kinds, messages, today

Db = psycopg.Connection[Any]
BOSS = "person:渠道经理"


def test_a_registration_and_a_refusal_are_told_once_and_the_refusal_names_nobody(hub: Hub, db: Db, east: UUID, west: UUID) -> None:
    first = register(db, east, HUAYI)
    register(db, west, HUAYI_AGAIN)

    told = deal_notices.tell(hub)
    again = deal_notices.tell(hub)

    assert told == {"deal_registered": 1, "deal_refused": 1}
    assert again == {}
    (mine,) = messages(db, audience=f"party:{east}")
    (refused,) = messages(db, audience=f"party:{west}")
    assert first.protected_until is not None
    assert mine["facts"]["until"] == (first.protected_until - timedelta(hours=1)).date().isoformat()
    assert mine["facts"]["zh"].startswith("“上海华谊机械设备有限公司”报备成功")
    assert "已有有效报备" in refused["facts"]["zh"]
    assert "registered already" in refused["facts"]["en"]
    assert str(east) not in str(refused)
    assert str(first.id) not in str(refused)
    assert "上海东方" not in str(refused)


def test_a_notice_that_was_not_committed_is_told_by_the_next_run(hub: Hub, db: Db, east: UUID) -> None:
    register(db, east, HUAYI)
    with suppress(RuntimeError), hub.transaction() as cursor:
        assert deal_notices.tell_page(hub, cursor, {}) == 1
        raise RuntimeError("killed before the commit")

    assert messages(db) == []
    assert deal_notices.tell(hub) == {"deal_registered": 1}


def test_what_waits_for_approval_is_asked_and_answered(hub: Hub, db: Db, east: UUID, west: UUID) -> None:
    add_policy(db, product_line="水泵", approval="person")
    for dealer, claim in ((east, HUAYI), (west, YADU)):
        register(db, dealer, replace(claim, product_line="水泵"))
    deal_notices.tell(hub)
    one, other = notices.open_approvals(hub, kinds=["deal_registration"])

    approved = answering.answer(hub, one["id"], "approved", BOSS, "项目属实")
    rejected = answering.answer(hub, other["id"], "rejected", BOSS, "项目不真实")

    assert (approved["decision"], approved["decided_by"], rejected["decision"]) == ("approved", BOSS, "rejected")
    assert kinds(db, east) == ["deal_waiting", "deal_registered"]
    assert kinds(db, west) == ["deal_waiting", "deal_refused"]
    assert "项目不真实" in messages(db, "deal_refused")[0]["facts"]["zh"]
    assert notices.open_approvals(hub) == []
    with pytest.raises(WrongState, match="approved already"):
        answering.answer(hub, one["id"], "rejected", BOSS)
    with pytest.raises(NotFound):
        answering.answer(hub, str(UUID(int=7)), "approved", BOSS)
    history = db.execute("SELECT cause FROM history WHERE entity = 'approval' ORDER BY seq").fetchall()
    assert history == [(f"decided by {BOSS}",)] * 2


def test_a_question_that_was_decided_elsewhere_is_closed(hub: Hub, db: Db, east: UUID) -> None:
    add_policy(db, product_line="水泵", approval="person")
    waiting = register(db, east, replace(HUAYI, product_line="水泵"))
    deal_notices.tell(hub)

    acting.approve(db, waiting.id, BOSS, "电话确认")
    deal_notices.tell(hub)

    assert notices.open_approvals(hub) == []
    (decided,) = db.execute("SELECT doc->>'decision', doc->>'decided_by', doc->>'reason' FROM approvals").fetchall()
    assert decided == ("approved", BOSS, "电话确认")


@pytest.mark.parametrize(
    ("decision", "status", "last"), [("approved", "protected", "deal_registered"), ("rejected", "rejected", "deal_refused")]
)
def test_a_conflict_is_a_question_whose_answer_frees_or_refuses_the_later_claim(
    hub: Hub, db: Db, east: UUID, west: UUID, decision: Any, status: str, last: str
) -> None:
    register(db, east, LANSI)
    held = register(db, west, LANSI_AGAIN, rules=UNSURE)
    deal_notices.tell(hub)
    (question,) = notices.open_approvals(hub, kinds=["deal_conflict"])

    answering.answer(hub, question["id"], decision, BOSS, "东方已报备的同一客户")

    registration = queries.registration(db, held.id)
    assert registration is not None
    assert registration.status == status
    assert kinds(db, west) == ["deal_waiting", last]
    assert "东方" not in str(messages(db, audience=f"party:{west}")), "what the reviewer wrote may name the holder"


def test_an_appeal_is_a_question_and_granting_it_says_what_becomes_of_the_holder(hub: Hub, db: Db, east: UUID, west: UUID) -> None:
    held = register(db, east, HUAYI)
    refused = register(db, west, HUAYI_AGAIN)
    acting.appeal(db, refused.id, west, "我方 2025 年起跟进")
    deal_notices.tell(hub)
    (question,) = notices.open_approvals(hub, kinds=["deal_appeal"])

    with pytest.raises(StillHeld):
        answering.answer(hub, question["id"], "approved", BOSS)
    assert len(notices.open_approvals(hub)) == 1
    answering.answer(hub, question["id"], "approved", BOSS, how="end_holder")

    assert question["facts"]["cause"] == "我方 2025 年起跟进"
    assert kinds(db, west)[-1] == "deal_registered"
    assert kinds(db, east) == ["deal_registered", "deal_taken_back"]
    assert str(west) not in str(messages(db, audience=f"party:{east}"))
    ended = queries.registration(db, held.id)
    assert ended is not None
    assert ended.status == "taken_back"


def test_a_claim_outside_of_the_area_is_a_question_and_its_hit_is_settled(hub: Hub, db: Db, east: UUID) -> None:
    fencing.add(db, Fence(0, east, region="51", outside="flag"), BOSS)
    register(db, east, HUAYI)
    deal_notices.tell(hub)
    (question,) = notices.open_approvals(hub, kinds=["deal_outside_area"])

    answering.answer(hub, question["id"], "approved", BOSS, "本次同意")

    assert db.execute("SELECT state, decided_by FROM fence_hit").fetchall() == [("accepted", BOSS)]
    assert kinds(db, east) == ["deal_waiting", "deal_registered"]


def test_a_refusal_outside_of_the_area_is_told_to_our_own_people_too(hub: Hub, db: Db, east: UUID, west: UUID) -> None:
    fencing.add(db, Fence(0, east, region="31", exclusive=True), BOSS)
    register(db, west, HUAYI)

    deal_notices.tell(hub)

    (refused,) = messages(db, audience=f"party:{west}")
    assert "授权范围" in refused["facts"]["zh"]
    assert str(east) not in str(refused)
    assert [doc["kind"] for doc in messages(db, audience="role:channel_manager")] == ["deal_outside_area"]


def test_what_happened_before_the_go_live_raises_nothing(make_hub: Callable[..., Hub], db: Db, east: UUID, west: UUID) -> None:
    register(db, east, HUAYI)
    register(db, west, LANSI)
    hub = make_hub(go_live=(today(db) + timedelta(days=1)).isoformat())

    assert deal_notices.tell(hub) == {"before_go_live": 2}
    assert messages(db) == []


def test_a_registration_that_was_imported_is_as_old_as_it_says(make_hub: Callable[..., Hub], db: Db, east: UUID) -> None:
    made = register(db, east, HUAYI)
    db.execute("UPDATE registration SET submitted_at = submitted_at - interval '30 days' WHERE id = %s", [made.id])
    hub = make_hub(go_live=today(db).isoformat())

    assert deal_notices.tell(hub) == {"before_go_live": 1}


def test_a_dealer_reads_and_marks_his_own_notices_only(hub: Hub, db: Db, east: UUID, west: UUID) -> None:
    register(db, east, HUAYI)
    deal_notices.tell(hub)
    (mine,) = notices.notices_for(hub, f"party:{east}", state="open")

    assert notices.notices_for(hub, f"party:{west}") == []
    with pytest.raises(NotFound):
        notices.mark(hub, mine["id"], "read", audience=f"party:{west}")
    notices.mark(hub, mine["id"], "read", audience=f"party:{east}")
    assert notices.notices_for(hub, f"party:{east}", state="open") == []
