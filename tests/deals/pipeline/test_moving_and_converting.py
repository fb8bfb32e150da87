"""Deals moved through the hub, their stage history, and leads that become customers and deals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from canonical.ids import new_hub_key, new_id
from channel.deals import acting, duplicates, fencing, queries
from channel.deals.errors import LeadNotConvertible, MoveRefused
from channel.deals.fences import Fence
from channel.deals.matching import Claim
from channel.deals.service import register
from ledger.bulk import json_text
from sync import deal_pipeline, deals_upkeep, lead_converting
from sync.errors import BadConfig, NotAllowed, NotFound, Stale
from sync.hub import Hub
from tests.deals.registration.helpers import HUAYI, add_party
from tests.deals.upkeep.conftest import CONFIG
from tests.deals.upkeep.test_looking_after import add_deal

Db = psycopg.Connection[Any]


def add_lead(db: Db, **fields: Any) -> str:
    lead = str(new_id())
    db.execute(
        "INSERT INTO leads (id, hub_key, doc, company_name, status, dealer_id) VALUES (%s, %s, %s, %s, %s, %s)",
        [lead, new_hub_key(), json_text(fields), fields.get("company_name"), fields.get("status", "new"), fields.get("dealer")],
    )
    return lead


LEAD = {
    "company_name": "苏州明基机电设备有限公司", "person": "李工", "mobile": "13900001111", "source": "fair", "salesperson": "S07",
    "product_line": "水泵", "received_at": "2026-10-01T02:00:00Z", "first_talk_at": "2026-10-08T06:30:00Z", "status": "working",
}  # fmt: skip


def doc(db: Db, table: str, number: str) -> dict[str, Any]:
    row = db.execute(f"SELECT doc::jsonb FROM {table} WHERE id = %s", [number]).fetchone()
    assert row is not None
    found: dict[str, Any] = row[0]
    return found


def test_a_deal_moves_by_rule_and_its_history_says_when(hub: Hub, db: Db, east: UUID) -> None:
    deal = add_deal(db, name="一期", stage="线索登记", stage_kind="lead")

    with pytest.raises(MoveRefused):
        deal_pipeline.move(hub, deal, "需求确认", "王经理")
    deal_pipeline.move(hub, deal, "Needs Analysis", "王经理", fields={"customer": str(east)})
    deal_pipeline.move(hub, deal, "线索登记", "王经理", reason="客户改期")
    with pytest.raises(Stale):
        deal_pipeline.move(hub, deal, "需求确认", "王经理", expected=1)
    with pytest.raises(NotFound):
        deal_pipeline.move(hub, str(UUID(int=4)), "需求确认", "王经理")

    stays = deal_pipeline.stage_history(hub, deal)
    assert [(stay.stage, stay.kind) for stay in stays] == [("线索登记", "lead"), ("需求确认", "qualify"), ("线索登记", "lead")]
    assert [stay.left_at for stay in stays[:2]] == [stays[1].entered_at, stays[2].entered_at]
    assert stays[2].left_at is None
    causes = db.execute("SELECT cause FROM history WHERE entity = 'deal' ORDER BY seq").fetchall()
    assert causes[-1] == ("edit by 王经理: 客户改期",)
    assert doc(db, "deals", deal)["next_action"] == "call"


def test_a_change_of_anything_but_the_stage_is_no_new_stay(hub: Hub, db: Db) -> None:
    deal = add_deal(db, name="一期", stage="线索登记", stage_kind="lead")

    db.execute('UPDATE deals SET doc = (doc::jsonb || \'{"name": "二期"}\')::json, version = version + 1')

    assert len(deal_pipeline.stage_history(hub, deal)) == 1


def test_a_move_is_work_on_the_registration_it_came_from(hub: Hub, db: Db, east: UUID) -> None:
    made = register(db, east, HUAYI)
    deal = add_deal(db, name="一期", stage="线索登记", stage_kind="lead", customer=str(east))
    acting.convert(db, made.id, UUID(deal), f"dealer:{east}")
    db.execute("UPDATE registration SET active_at = active_at - interval '50 days'")

    deal_pipeline.move(hub, deal, "需求确认", "王经理")

    registration = queries.registration(db, made.id)
    assert registration is not None
    assert registration.active_at > made.submitted_at - timedelta(days=1)


def test_pipelines_of_the_tenant_are_checked_when_they_are_used(make_hub: Callable[..., Hub], tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: x\nstages:\n  - {name: A, kind: nothing}\n", encoding="utf-8")

    with pytest.raises(BadConfig, match=r"wrong\.yaml:3: there is no kind 'nothing'"):
        deal_pipeline.pipelines(make_hub(deals={"pipelines": [str(wrong)]}))


def test_a_lead_becomes_customer_contact_and_deal_once_with_source_owner_and_first_talk(hub: Hub, db: Db, east: UUID) -> None:
    lead = add_lead(db, **LEAD, dealer=str(east))

    made = lead_converting.convert(hub, lead, "王经理", deal={"expected_amount": "200000", "currency": "CNY"})
    again = lead_converting.convert(hub, lead, "王经理")

    assert made.new_party
    assert again == replace(made, repeated=True)
    deal = doc(db, "deals", made.deal)
    assert (deal["source"], deal["salesperson"], deal["first_talk_at"]) == ("fair", "S07", "2026-10-08T06:30:00Z")
    assert (deal["customer"], deal["contact"], deal["dealer"]) == (made.party, made.contact, str(east))
    assert (deal["stage"], deal["stage_kind"], deal["expected_amount"]) == ("线索登记", "lead", "200000")
    assert doc(db, "parties", made.party)["name"] == LEAD["company_name"]
    assert made.contact is not None
    assert doc(db, "contacts", made.contact)["mobile"] == LEAD["mobile"]
    converted = doc(db, "leads", lead)
    assert (converted["status"], converted["converted_party"], converted["converted_deal"]) == ("converted", made.party, made.deal)
    assert db.execute("SELECT count(*) FROM deals").fetchone() == (1,)


def test_a_lead_of_a_customer_that_is_known_makes_no_second_one(hub: Hub, db: Db) -> None:
    party = add_party(db, "苏州明基机电设备有限公司", phone="13900001111", city="苏州市")
    deals_upkeep.look_after(hub)

    made = lead_converting.convert(hub, add_lead(db, **LEAD), "王经理")

    assert (made.party, made.new_party) == (str(party), False)


def test_a_lead_that_may_mean_somebody_waits_for_a_person(hub: Hub, db: Db) -> None:
    party = add_party(db, "苏州明基机电设备有限公司", city="苏州市", phone="0512-66668888")
    deals_upkeep.look_after(hub)
    near = [
        "明基",
        "明基机电",
        "苏州明基",
        "苏州明积机电设备有限公司",
        "苏州名机机电有限公司",
        "苏州明基机电工程有限公司",
        "上海明基机电设备有限公司",
    ]
    doubtful = next(name for name in near if duplicates.who(db, Claim(name=name)).verdict == "review")
    lead = add_lead(db, company_name=doubtful, status="working")

    with pytest.raises(LeadNotConvertible, match="明基机电设备"):
        lead_converting.convert(hub, lead, "王经理")

    assert lead_converting.convert(hub, lead, "王经理", party=str(party)).party == str(party)
    assert lead_converting.convert(hub, add_lead(db, company_name=doubtful), "王经理", new_party=True).new_party


def test_a_lost_or_nameless_lead_and_a_hub_that_may_not_make_deals_are_refused(make_hub: Callable[..., Hub], hub: Hub, db: Db) -> None:
    with pytest.raises(LeadNotConvertible, match="lost"):
        lead_converting.convert(hub, add_lead(db, **{**LEAD, "status": "lost"}), "王经理")
    with pytest.raises(LeadNotConvertible, match="names no company"):
        lead_converting.convert(hub, add_lead(db, person="李工"), "王经理")
    flows = {**CONFIG["flows"], "deal": {"owners": {"default": "zoho"}, "systems": {"zoho": {"stream": "deals"}}}}
    with pytest.raises(NotAllowed, match="may not make a deal"):
        lead_converting.convert(make_hub(flows=flows), add_lead(db, **LEAD), "王经理")
    with pytest.raises(NotFound):
        lead_converting.convert(hub, str(UUID(int=3)), "王经理")


def test_a_lead_is_given_to_the_dealer_of_its_place(hub: Hub, db: Db, east: UUID, west: UUID) -> None:
    fencing.add(db, Fence(0, east, region="3205"), "person:channel")
    fencing.add(db, Fence(0, west, region="51"), "person:channel")
    lead = add_lead(db, **LEAD)

    (best,) = lead_converting.suggest_dealers(hub, lead)
    lead_converting.assign(hub, lead, "王经理", dealer=str(best.dealer_id))

    assert best.dealer_id == east
    assert doc(db, "leads", lead)["dealer"] == str(east)
