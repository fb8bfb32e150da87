"""Deals of the CRM as claims: registered once, decided in the hub, shown in the CRM; stages both ways."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from channel.deals import acting, policing
from channel.deals.policies import Policy
from ledger.bulk import from_json
from sync import cases, deal_pipeline, deals_upkeep, golden, merging, reviewing
from tests.sync.stage import BOSS, Pair, Stage, open_hub

FIRM = "杭州海康威视数字技术股份有限公司"
FIRM_MISHEARD = "杭州海康卫视数字技术股份有限公司"
FIRM_TURNED = "海康威视（杭州）数字技术有限公司"
STRANGER = "成都天府水泵制造有限公司"


@pytest.fixture
def crm(live: Stage) -> Crm:
    """The CRM of a live stage, with two dealers."""
    return Crm(live)


class Crm:
    """What people do in the CRM."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.east = self.account("上海东方工业设备有限公司", Account_Type="Distributor")
        self.west = self.account("武汉西部机电有限公司", Account_Type="Distributor")

    def account(self, name: str, **more: Any) -> dict[str, Any]:
        """A new account."""
        return self.stage.zoho.put("accounts", {"Account_Name": name, **more})

    def deal(self, dealer: dict[str, Any], customer: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A deal that a dealer enters."""
        fields = {"Deal_Name": f"{customer['Account_Name'][:10]}产线", "Stage": "Qualification", "Closing_Date": "2027-03-01"}
        refs = {"Dealer": {"id": dealer["id"]}, "Account_Name": {"id": customer["id"]}}
        return self.stage.zoho.put("deals", {**fields, **refs, **more})

    def change(self, deal: dict[str, Any], **fields: Any) -> None:
        """A salesperson's edit."""
        self.stage.zoho.put("deals", {"id": deal["id"], **fields})

    def shown(self, deal: dict[str, Any]) -> dict[str, Any]:
        """The deal as the CRM shows it now."""
        return next(doc for doc in self.stage.zoho.records("deals") if doc["id"] == deal["id"])

    def state(self, deal: dict[str, Any]) -> str:
        """Its protection."""
        return str(self.shown(deal).get("Protection_State") or "")

    def registration(self, deal: dict[str, Any]) -> UUID:
        """What it stands on."""
        found = self.stage.rows(
            "SELECT c.registration_id AS id FROM deal_claim AS c JOIN link AS l ON l.entity_id = c.deal_id WHERE l.key = %s", deal["id"]
        )
        return UUID(str(found[0]["id"]))

    def act(self, action: Any, deal: dict[str, Any], *more: Any, **named: Any) -> Any:
        """Something is done to its registration, as the API does it."""
        with self.stage.hub.transaction() as db:
            return action(db.connection, self.registration(deal), *more, **named)

    def deal_id(self, deal: dict[str, Any]) -> str:
        """The hub's id of it."""
        return str(self.stage.rows("SELECT entity_id::text AS id FROM link WHERE key = %s", deal["id"])[0]["id"])

    def count(self, table: str) -> int:
        """Rows of a table."""
        return int(self.stage.one(f"SELECT count(*) AS n FROM {table}"))


def test_a_deal_entered_by_a_dealer_is_registered_and_shows_its_protection(crm: Crm) -> None:
    deal = crm.deal(crm.east, crm.account(FIRM))

    crm.stage.sync()

    shown = crm.shown(deal)
    ends = crm.stage.rows("SELECT (upper(protected) - interval '1 microsecond') AS last FROM registration")[0]["last"]
    assert (shown["Protection_State"], shown["Refusal_Reason"], bool(shown["Deal_Conflict"])) == ("protected", None, False)
    assert shown["Protected_Until"] == (ends + timedelta(hours=8)).date().isoformat()
    assert crm.count("registration") == 1
    assert crm.stage.sync().counts.get("written", 0) == 0


def test_a_deals_size_counts_for_policies_by_size(crm: Crm) -> None:
    large = Policy(days=180, min_amount=Decimal(1_000_000), currency="CNY", approval="person")
    with crm.stage.hub.transaction() as db:
        policing.set_policy(db.connection, large, BOSS)
    crm.deal(crm.east, crm.account(STRANGER), Amount=1_200_000)
    crm.deal(crm.east, crm.account(FIRM), Amount=90_000)

    crm.stage.sync()

    found = crm.stage.rows("SELECT amount, currency, status, days FROM registration ORDER BY amount")
    assert [(row["amount"], row["currency"], row["status"], row["days"]) for row in found] == [
        (Decimal(90_000), "CNY", "protected", 90),
        (Decimal(1_200_000), "CNY", "submitted", 180),
    ]


@pytest.mark.parametrize("spelling", [FIRM, FIRM_TURNED, FIRM_MISHEARD])
def test_the_second_dealer_is_refused_in_words_that_do_not_name_the_first(crm: Crm, spelling: str) -> None:
    first = crm.deal(crm.east, crm.account(FIRM))
    crm.stage.sync()
    second = crm.deal(crm.west, crm.account(spelling))

    crm.stage.sync()

    shown = crm.shown(second)
    assert (crm.state(first), shown["Protection_State"], shown["Deal_Conflict"]) == ("protected", "rejected", True)
    assert shown["Refusal_Reason"]
    assert "东方" not in str(shown["Refusal_Reason"])
    assert not shown.get("Protected_Until")


def test_of_two_deals_read_together_the_one_entered_first_is_protected(crm: Crm) -> None:
    first = crm.deal(crm.west, crm.account(FIRM))
    second = crm.deal(crm.east, crm.account(FIRM_TURNED))
    crm.stage.zoho.put("deals", {"id": first["id"], "Next_Step": "拜访"})  # it is read after the other now

    crm.stage.sync()

    assert (crm.state(first), crm.state(second)) == ("protected", "rejected")


def test_a_deal_without_a_dealer_asks_for_nothing(crm: Crm) -> None:
    deal = crm.stage.zoho.put(
        "deals",
        {"Deal_Name": "自营", "Stage": "Qualification", "Closing_Date": "2027-03-01", "Account_Name": {"id": crm.account(FIRM)["id"]}},
    )

    crm.stage.sync()

    assert crm.state(deal) == ""
    assert crm.count("registration") == 0


def test_a_deal_entered_before_the_go_live_is_left_alone(small: Pair, database: str, tmp_path: Path) -> None:
    small.reset()
    with open_hub(small, database, tmp_path / "home", [("go_live: 2026-09-01", "go_live: 2099-01-01")]) as hub:
        crm = Crm(Stage(small, hub))
        deal = crm.deal(crm.east, crm.account(FIRM))
        crm.stage.write_mode()

        crm.stage.sync()

        assert crm.deal_id(deal)
        assert crm.count("registration_event") == 0


def test_in_mode_plan_nothing_is_registered_and_nothing_is_lost(stage: Stage) -> None:
    crm = Crm(stage)
    deal = crm.deal(crm.east, crm.account(FIRM))
    stage.read()
    assert crm.count("registration") == 0

    stage.write_mode()
    stage.sync()

    assert crm.state(deal) == "protected"


def test_what_becomes_of_the_registration_is_shown_at_the_next_delivery(crm: Crm) -> None:
    first, second = crm.deal(crm.east, crm.account(FIRM)), crm.deal(crm.east, crm.account(STRANGER))
    crm.stage.sync()

    crm.act(acting.release, first, BOSS, "不再跟进")
    crm.act(acting.take_back, second, BOSS, "长期没有进展")
    crm.stage.sync()

    assert (crm.state(first), crm.shown(first).get("Protected_Until")) == ("released", None)
    assert crm.state(second) == "taken_back"
    again = crm.deal(crm.west, crm.account(FIRM_TURNED))
    crm.stage.sync()
    assert crm.state(again) == "protected"


def test_a_refused_deal_is_judged_again_when_its_customer_becomes_free_the_earliest_entered_first(crm: Crm) -> None:
    first = crm.deal(crm.east, crm.account(FIRM))
    crm.stage.sync()
    north = crm.account("天津北方泵业有限公司", Account_Type="Distributor")
    second, third = crm.deal(crm.west, crm.account(FIRM_TURNED)), crm.deal(north, crm.account(FIRM_MISHEARD))
    crm.stage.zoho.put("deals", {"id": second["id"], "Next_Step": "拜访"})
    crm.stage.sync()
    refused = [crm.state(second), crm.state(third)]

    crm.act(acting.release, first, BOSS, "不再跟进")
    crm.stage.sync()

    assert refused == ["rejected", "rejected"]
    assert [crm.state(deal) for deal in (first, second, third)] == ["released", "protected", "rejected"]
    assert (crm.shown(second)["Refusal_Reason"], bool(crm.shown(second)["Deal_Conflict"])) == (None, False)
    assert crm.stage.sync().counts.get("claims", 0) == 0


def _doubtful(crm: Crm) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A held deal of the western dealer's, beside the protected one that it may mean; and the question about it."""
    first = crm.deal(crm.east, crm.account("上海华谊机械设备有限公司"))
    crm.stage.sync()
    second = crm.deal(crm.west, crm.account("上海华谊机械设备有限公司苏州分公司"))
    crm.stage.sync()
    assert crm.state(second) == "held"
    return first, second, crm.stage.rows("SELECT registration_id, customer_id FROM registration_doubt WHERE state = 'open'")[0]


@pytest.mark.promise(11)
def test_a_person_says_that_a_claim_means_the_held_customer_and_the_two_are_one_from_then_on(crm: Crm) -> None:
    first, second, doubt = _doubtful(crm)

    told = reviewing.decide(crm.stage.hub, doubt["registration_id"], doubt["customer_id"], "same", BOSS, "同一家")
    crm.stage.sync()
    refused = (crm.state(first), crm.state(second))
    crm.act(acting.release, first, BOSS, "不再跟进")
    crm.stage.sync()

    assert told.status == "rejected"
    assert refused == ("protected", "rejected")
    assert crm.count("merge_event") == 1
    assert (crm.state(first), crm.state(second)) == ("released", "protected")


@pytest.mark.promise(11)
def test_a_claim_that_is_held_by_now_and_means_another_held_customer_is_a_case(crm: Crm) -> None:
    first, second, doubt = _doubtful(crm)
    with crm.stage.hub.transaction() as db:  # as if the doubt had come up later: both protect already
        db.execute("UPDATE registration SET status = 'protected' WHERE id = %s", [doubt["registration_id"]])

    reviewing.decide(crm.stage.hub, doubt["registration_id"], doubt["customer_id"], "same", BOSS, "同一家")
    (asked,) = cases.list_cases(crm.stage.hub)
    cases.decide(crm.stage.hub, asked["id"], "same", BOSS, "同一家")
    crm.stage.sync()

    assert asked["kind"] == "two_protections"
    assert (crm.state(first), crm.state(second)) == ("protected", "taken_back")


def test_a_refused_deal_gets_its_customer_when_the_protection_runs_out_but_not_against_a_persons_word(crm: Crm) -> None:
    crm.deal(crm.east, crm.account(FIRM))
    crm.stage.sync()
    second, third = crm.deal(crm.west, crm.account(FIRM_TURNED)), crm.deal(crm.west, crm.account(FIRM_MISHEARD), Product_Line="水泵")
    crm.stage.sync()
    with crm.stage.hub.transaction() as db:
        acting.appeal(db.connection, crm.registration(third), _party_of(crm, crm.west), "我们先跟进的")
        acting.deny_appeal(db.connection, crm.registration(third), BOSS, "按先后")
        db.execute("UPDATE registration SET protected = tstzrange(lower(protected), clock_timestamp()) WHERE status = 'protected'")

    deals_upkeep.look_after(crm.stage.hub)
    crm.stage.sync()

    assert (crm.state(second), crm.state(third)) == ("protected", "rejected")


def _party_of(crm: Crm, account: dict[str, Any]) -> UUID:
    found: UUID = crm.stage.rows("SELECT entity_id AS id FROM link WHERE key = %s", account["id"])[0]["id"]
    return found


def test_a_transfer_is_shown_and_the_deal_follows_when_its_dealer_is_changed(crm: Crm) -> None:
    deal = crm.deal(crm.east, crm.account(FIRM))
    crm.stage.sync()
    west = crm.stage.rows("SELECT entity_id AS id FROM link WHERE key = %s", crm.west["id"])[0]["id"]

    crm.act(acting.transfer, deal, west, BOSS, "区域调整")
    crm.stage.sync()
    assert crm.state(deal) == "transferred"

    crm.change(deal, Dealer={"id": crm.west["id"]})
    crm.stage.sync()
    assert crm.state(deal) == "protected"
    assert crm.count("registration") == 2


def test_work_in_the_crm_is_a_sign_of_work_and_a_won_deal_stays_protected(crm: Crm) -> None:
    deal = crm.deal(crm.east, crm.account(FIRM))
    crm.stage.sync()
    before = crm.stage.one("SELECT active_at FROM registration")

    crm.change(deal, Stage="Proposal/Price Quote")
    crm.stage.sync()
    after = crm.stage.one("SELECT active_at FROM registration")
    crm.change(deal, Stage="Closed Won")
    crm.stage.sync()

    assert after > before
    assert crm.state(deal) == "converted"
    assert crm.shown(deal)["Protected_Until"]
    kinds = [row["kind"] for row in crm.stage.rows("SELECT kind FROM deal_stage WHERE deal_id = %s ORDER BY id", crm.deal_id(deal))]
    assert kinds == ["qualify", "propose", "won"]


def test_a_lost_deal_sets_the_customer_free_and_one_taken_up_again_is_registered_again(crm: Crm) -> None:
    deal = crm.deal(crm.east, crm.account(FIRM))
    crm.stage.sync()

    crm.change(deal, Stage="Closed Lost")
    crm.stage.sync()
    lost = crm.state(deal)
    crm.change(deal, Stage="Needs Analysis")
    crm.stage.sync()

    assert (lost, crm.state(deal)) == ("released", "protected")
    assert crm.count("registration") == 2


def test_two_deals_of_one_dealer_stand_on_one_registration_until_the_last_is_lost(crm: Crm) -> None:
    customer = crm.account(FIRM)
    first, second = crm.deal(crm.east, customer), crm.deal(crm.east, customer, Deal_Name="二期")
    crm.stage.sync()
    assert (crm.registration(first), crm.count("registration")) == (crm.registration(second), 1)

    crm.change(first, Stage="Closed Lost")
    crm.stage.sync()
    assert crm.state(second) == "protected"
    crm.change(second, Stage="Closed Lost")
    crm.stage.sync()

    assert crm.state(second) == "released"


def test_another_customer_on_the_deal_is_another_claim_and_the_first_is_given_up(crm: Crm) -> None:
    deal, other = crm.deal(crm.east, crm.account(FIRM)), crm.account(STRANGER)
    crm.stage.sync()

    crm.change(deal, Account_Name={"id": other["id"]})
    crm.stage.sync()

    assert crm.state(deal) == "protected"
    assert [row["status"] for row in crm.stage.rows("SELECT status FROM registration ORDER BY submitted_at")] == ["released", "protected"]


def test_a_blocked_dealer_is_told_so_and_the_rest_goes_on(crm: Crm) -> None:
    crm.stage.zoho.put("accounts", {"id": crm.west["id"], "Status_Code": "Blocked"})
    refused, fine = crm.deal(crm.west, crm.account(STRANGER)), crm.deal(crm.east, crm.account(FIRM))

    crm.stage.sync()

    assert (crm.state(refused), crm.state(fine)) == ("refused", "protected")
    assert "经销商" in crm.shown(refused)["Refusal_Reason"]


def test_nobody_in_the_crm_changes_what_the_hub_decided(crm: Crm) -> None:
    crm.deal(crm.east, crm.account(FIRM))
    crm.stage.sync()
    second = crm.deal(crm.west, crm.account(FIRM_TURNED))
    crm.stage.sync()

    crm.change(second, Protection_State="protected", Refusal_Reason="", Protected_Until="2030-01-01")
    crm.stage.sync()

    assert (crm.state(second), crm.shown(second)["Protected_Until"]) == ("rejected", None)


def test_a_stage_decided_in_the_hub_goes_to_the_crm_and_then_the_crm_decides_again(crm: Crm) -> None:
    deal = crm.deal(crm.east, crm.account(FIRM), Amount=Decimal(50000))
    crm.stage.sync()

    deal_pipeline.move(crm.stage.hub, crm.deal_id(deal), "报价/方案提交", BOSS, fields=_needs(crm, deal, "报价/方案提交"))
    crm.stage.sync()
    assert crm.shown(deal)["Stage"] == "Proposal/Price Quote"

    crm.change(deal, Stage="Negotiation/Review")
    crm.stage.sync()
    assert crm.shown(deal)["Stage"] == "Negotiation/Review"
    assert crm.stage.one("SELECT stage_kind FROM deals WHERE id = %s", crm.deal_id(deal)) == "negotiate"
    assert crm.count("conflict") == 0


def test_a_stage_goes_through_the_transitions_of_a_blueprint(crm: Crm) -> None:
    deal = crm.deal(crm.east, crm.account(FIRM), Pipeline="渠道项目", Amount=Decimal(50000))
    crm.stage.sync()

    deal_pipeline.move(crm.stage.hub, crm.deal_id(deal), "报价/方案提交", BOSS, fields=_needs(crm, deal, "报价/方案提交"))
    crm.stage.sync()

    assert crm.shown(deal)["Stage"] == "Proposal/Price Quote"
    assert [one for one in crm.stage.zoho.log() if one.get("operation") == "blueprint"]


def _needs(crm: Crm, deal: dict[str, Any], stage: str) -> dict[str, Any]:
    every = deal_pipeline.pipelines(crm.stage.hub)
    doc = from_json(crm.stage.one("SELECT doc::text AS doc FROM deals WHERE id = %s", crm.deal_id(deal)))
    target = every.of("", "").stage(stage)
    usual = {"product_line": "水泵", "contact": None, "currency": "CNY", "expected_amount": "50000", "expected_close": "2027-03-01"}
    assert target is not None
    return {name: usual[name] for name in target.needs if not doc.get(name)}


def test_customers_follow_the_parties_and_nothing_is_written_when_nothing_changed(crm: Crm) -> None:
    account = crm.account(FIRM)
    crm.stage.sync()
    crm.stage.zoho.put("accounts", {"id": account["id"], "Account_Name": STRANGER})
    crm.stage.sync()
    names = {row["name"] for row in crm.stage.rows("SELECT name FROM customer")}
    aliases = {row["name"] for row in crm.stage.rows("SELECT name FROM customer_alias")}
    marks = crm.stage.rows("SELECT sum(xmin::text::bigint) AS x, count(*) AS n FROM match_key")

    crm.stage.sync()

    assert STRANGER in names
    assert FIRM in aliases
    assert crm.count("party_due") == 0
    assert crm.count("customer") == crm.stage.one("SELECT count(*) AS n FROM parties WHERE NOT retired")
    assert crm.stage.rows("SELECT sum(xmin::text::bigint) AS x, count(*) AS n FROM match_key") == marks


def test_merging_and_un_merging_the_customers_leaves_each_dealer_what_was_decided(crm: Crm) -> None:
    one, other = crm.account(FIRM), crm.account(FIRM_TURNED)
    first, second = crm.deal(crm.east, one), crm.deal(crm.west, other)
    crm.stage.sync()
    parties = [str(row["id"]) for row in crm.stage.rows("SELECT entity_id AS id FROM link WHERE key IN (%s, %s)", one["id"], other["id"])]

    joined = golden.join(crm.stage.hub, "party", *parties, by=BOSS, cause="同一家客户")
    crm.stage.sync()
    merged = [crm.state(first), crm.state(second)]
    assert joined.merge_id is not None
    merging.unmerge(crm.stage.hub, joined.merge_id, BOSS, "两家公司")
    crm.stage.sync()

    assert merged == ["protected", "rejected"]
    assert crm.state(first) == "protected"
    assert crm.state(second) in ("protected", "rejected")  # told apart, the second may be judged anew, as another firm
    assert crm.count("deal_due") == 0
