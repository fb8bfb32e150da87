"""Deals and leads that begin in the hub go to the CRM, with the customer and the person they name; then the CRM decides again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from channel.deals import acting, service
from channel.deals.matching import Claim
from sync import cases, lead_converting, modes, registering
from tests.sync.stage import BOSS, Stage
from tests.sync.test_deals import FIRM, FIRM_TURNED, STRANGER, Crm

NEW = Claim(
    name="苏州明基机电设备有限公司", uscc="91330100716105852F", phone="0512-66668888", contact="李工", city="苏州市",
    address="工业园区星湖街1号", project="二号线改造", product_line="水泵",
)  # fmt: skip


@pytest.fixture
def crm(live: Stage) -> Crm:
    """The CRM of a live stage, whose two dealers the hub knows."""
    made = Crm(live)
    live.sync()
    return made


def party_of(crm: Crm, account: dict[str, Any]) -> UUID:
    """The hub's id of an account."""
    return UUID(crm.stage.rows("SELECT entity_id::text AS id FROM link WHERE key = %s", account["id"])[0]["id"])


def converted(crm: Crm, claim: Claim = NEW, **more: Any) -> str:
    """A registration of the eastern dealer's that became a deal."""
    with crm.stage.hub.pool.connection() as db:
        made = service.register(db, party_of(crm, crm.east), claim, **more)
    return registering.to_deal(crm.stage.hub, made.id, BOSS)


def in_crm(crm: Crm, stream: str, **wanted: Any) -> list[dict[str, Any]]:
    """Records of the CRM that say this."""
    return [doc for doc in crm.stage.zoho.records(stream) if all(doc.get(name) == value for name, value in wanted.items())]


@pytest.mark.promise(5)
def test_a_deal_made_of_a_registration_is_created_in_the_crm_once_with_customer_person_and_protection(crm: Crm) -> None:
    deal = converted(crm)
    again = crm.count("deals")

    crm.stage.sync()

    (account,) = in_crm(crm, "accounts", Account_Name=NEW.name)
    (person,) = in_crm(crm, "contacts", Last_Name="李工")
    (shown,) = in_crm(crm, "deals", Deal_Name="二号线改造")
    assert (account["USCC"], account["Phone"]) == (NEW.uscc, NEW.phone)
    assert (shown["Account_Name"]["id"], shown["Dealer"]["id"], shown["Contact_Name"]["id"]) == (
        account["id"], crm.east["id"], person["id"]
    )  # fmt: skip
    assert (shown["Stage"], shown["Protection_State"]) == ("Qualification", "converted")
    assert shown["Protected_Until"]
    assert crm.deal_id(shown) == deal
    assert crm.count("registration") == 1, "the deal stands on the registration it was made of"
    assert crm.count("customer") == crm.stage.one("SELECT count(*) AS n FROM parties WHERE NOT retired"), "one customer a party"
    assert crm.count("deals") == again
    assert crm.stage.sync().counts.get("written", 0) == 0


def test_the_crm_then_decides_about_the_deals_stage(crm: Crm) -> None:
    deal = converted(crm)
    crm.stage.sync()
    (shown,) = in_crm(crm, "deals", Deal_Name="二号线改造")

    crm.change(shown, Stage="Proposal/Price Quote", Amount=80000)
    crm.stage.sync()

    assert crm.shown(shown)["Stage"] == "Proposal/Price Quote"
    assert crm.stage.one("SELECT stage_kind FROM deals WHERE id = %s", deal) == "propose"
    assert crm.count("conflict") == 0


def test_in_mode_plan_nothing_is_created_in_the_crm(crm: Crm) -> None:
    modes.set_mode(crm.stage.hub, "plan", BOSS, entity="deal", system="zoho")

    converted(crm)
    crm.stage.sync()
    before = in_crm(crm, "deals", Deal_Name="二号线改造")
    modes.set_mode(crm.stage.hub, "write", BOSS, entity="deal", system="zoho")
    crm.stage.sync()

    (shown,) = in_crm(crm, "deals", Deal_Name="二号线改造")
    crm.change(shown, Stage="Needs Analysis")
    crm.stage.sync()

    assert before == []
    assert crm.shown(shown)["Stage"] == "Needs Analysis"
    assert crm.count("deal_decided") == 0


def test_a_customer_that_has_come_into_the_crm_meanwhile_is_used(crm: Crm) -> None:
    with crm.stage.hub.pool.connection() as db:
        made = service.register(db, party_of(crm, crm.east), NEW)
    account = crm.account(NEW.name, USCC=NEW.uscc)
    crm.stage.sync()

    deal = registering.to_deal(crm.stage.hub, made.id, BOSS)

    assert crm.stage.one("SELECT customer_id FROM deals WHERE id = %s", deal) == party_of(crm, account)
    with crm.stage.hub.pool.connection() as db:
        assert acting.found(db, made.id).customer_id == crm.stage.one("SELECT id FROM customer WHERE party_id = %s", party_of(crm, account))


@pytest.mark.promise(11)
def test_one_that_another_dealer_holds_under_another_spelling_is_a_case(crm: Crm) -> None:
    with crm.stage.hub.pool.connection() as db:
        made = service.register(db, party_of(crm, crm.east), NEW)
        customer = acting.found(db, made.id).customer_id
    account = crm.account(NEW.name, USCC=NEW.uscc)
    crm.stage.sync()
    with crm.stage.hub.transaction() as db:  # somebody registered the account itself before the two were known to be one
        db.execute(
            "INSERT INTO registration (id, customer_id, claimed_as, dealer_id, protected, status, submitted_at, days, claim, active_at) "
            "SELECT gen_random_uuid(), id, id, %s, tstzrange(now(), now() + interval '60 days'), 'protected', now(), 90, '{}', now() "
            "FROM customer WHERE party_id = %s AND id <> %s",
            [party_of(crm, crm.west), party_of(crm, account), customer],
        )

    registering.to_deal(crm.stage.hub, made.id, BOSS)
    crm.stage.sync()

    (asked,) = cases.list_cases(crm.stage.hub)
    assert asked["kind"] == "two_protections"
    assert in_crm(crm, "deals", Deal_Name="二号线改造") == [], "nothing is made for a customer that may be another"


def test_a_refused_claim_is_no_deal(crm: Crm) -> None:
    crm.deal(crm.east, crm.account(FIRM))
    crm.stage.sync()
    with crm.stage.hub.pool.connection() as db:
        made = service.register(db, party_of(crm, crm.west), Claim(name=FIRM_TURNED))

    with pytest.raises(Exception, match="convert is not possible"):
        registering.to_deal(crm.stage.hub, made.id, BOSS)


def test_a_lead_converted_in_the_hub_is_customer_contact_and_deal_in_the_crm_and_the_lead_says_so(crm: Crm) -> None:
    lead = crm.stage.zoho.put("leads", {"Company": STRANGER, "Last_Name": "王工", "Mobile": "13900001111", "Lead_Status": "Contacted"})
    crm.stage.sync()

    made = lead_converting.convert(crm.stage.hub, crm.deal_id(lead), BOSS, deal={"expected_amount": "200000", "currency": "CNY"})
    crm.stage.sync()

    (account,) = in_crm(crm, "accounts", Account_Name=STRANGER)
    (shown,) = in_crm(crm, "deals", Amount=200000)
    (person,) = in_crm(crm, "contacts", Last_Name="王工")
    assert crm.deal_id(shown) == made.deal
    assert (shown["Account_Name"]["id"], shown["Contact_Name"]["id"]) == (account["id"], person["id"])
    assert in_crm(crm, "leads", id=lead["id"])[0]["Lead_Status"] == "Converted"
    assert crm.stage.sync().counts.get("written", 0) == 0


def test_a_lead_handed_in_through_the_hub_is_created_in_the_crm_once_and_the_crm_says_how_it_goes(crm: Crm) -> None:
    fields = {
        "company_name": STRANGER, "person": "王工", "mobile": "13900001111", "interest": "泵站", "source": "dealer", "status": "new",
        "dealer": str(party_of(crm, crm.east)),
    }  # fmt: skip
    lead, new = lead_converting.hand_in(crm.stage.hub, fields, BOSS, "form-17")
    assert lead_converting.hand_in(crm.stage.hub, fields, BOSS, "form-17") == (lead, False)
    assert new

    crm.stage.sync()

    (shown,) = in_crm(crm, "leads", Company=STRANGER)
    assert (shown["Last_Name"], shown["Mobile"], shown["Lead_Source"], shown["Description"]) == ("王工", "13900001111", "Partner", "泵站")
    assert crm.deal_id(shown) == lead
    crm.stage.zoho.put("leads", {"id": shown["id"], "Lead_Status": "Attempted to Contact"})
    crm.stage.sync()
    assert crm.stage.one("SELECT status FROM leads WHERE id = %s", lead) == "working"
    assert in_crm(crm, "leads", id=shown["id"])[0]["Lead_Status"] == "Attempted to Contact"
    lead_converting.convert(crm.stage.hub, lead, BOSS)
    crm.stage.sync()
    assert in_crm(crm, "leads", id=shown["id"])[0]["Lead_Status"] == "Converted"
