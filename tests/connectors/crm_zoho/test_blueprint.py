"""A blueprint is walked only along transitions that lead to the target; what it asks for and what it refuses is told."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.base import Change, Outcome, Receipt
from connectors.crm_zoho.fields import STAGES
from tests.connectors.crm_zoho.scripted import DROP, Asked, Zoho, done, failed

Ways = dict[str, list[dict[str, Any]]]


def way(name: str, to: str, **more: Any) -> dict[str, Any]:
    return {"id": f"{name}-id", "name": name, "next_field_value": to, "criteria_matched": True, "fields": [], **more}


class Deal:
    """A deal in a blueprint, with the transitions that its user sees."""

    def __init__(self, stage: str, ways: Ways, refusal: tuple[int, Any] | None = None) -> None:
        self.stage, self.ways, self.refusal = stage, ways, refusal
        self.taken: list[tuple[str, Any]] = []

    def __call__(self, asked: Asked) -> tuple[int, Any]:
        """Answers as the organisation would."""
        if asked.path.endswith("/actions/blueprint"):
            return self._process() if asked.method == "GET" else self._take(asked)
        if asked.path.endswith("/settings/fields"):
            return 200, {"fields": [{"api_name": "Stage", "pick_list_values": [{"actual_value": stage} for stage in STAGES]}]}
        if asked.method == "PUT":
            (record,) = asked.json()["data"]
            guarded = "Stage" in record
            return (400, {"data": [failed("RECORD_IN_BLUEPRINT", api_name="Stage")]}) if guarded else (200, {"data": [done("11")]})
        return 204, None

    def _process(self) -> tuple[int, Any]:
        process = {"api_name": "Stage", "field_value": self.stage}
        return 200, {"blueprint": {"process_info": process, "transitions": self.ways.get(self.stage, [])}}

    def _take(self, asked: Asked) -> tuple[int, Any]:
        if self.refusal:
            return self.refusal
        (step,) = asked.json()["blueprint"]
        chosen = next(row for row in self.ways[self.stage] if row["id"] == step["transition_id"])
        self.taken.append((chosen["name"], step["data"]))
        self.stage = chosen["next_field_value"]
        return 200, {"code": "SUCCESS", "details": {}, "message": "transition updated successfully", "status": "success"}


def move(server: Zoho, deal: Deal, target: str, **more: Any) -> Receipt:
    server.answer = deal
    (receipt,) = server.session().write("deals", [Change("c1", "save", "H1", "11", fields={"Stage": target, **more})])
    return receipt


def test_the_direct_way_is_taken_when_there_is_one(server: Zoho) -> None:
    deal = Deal("Qualification", {"Qualification": [way("报价", "Proposal/Price Quote"), way("跳过", "Closed Won")]})

    assert move(server, deal, "Closed Won").outcome is Outcome.WRITTEN
    assert [name for name, _ in deal.taken] == ["跳过"]


def test_several_hops_go_forward_and_never_through_a_closed_stage(server: Zoho) -> None:
    ways = {
        "Qualification": [way("丢单", "Closed Lost"), way("需求", "Needs Analysis"), way("赢单", "Closed Won", criteria_matched=False)],
        "Needs Analysis": [way("退回", "Qualification"), way("谈判", "Negotiation/Review")],
        "Negotiation/Review": [way("赢", "Closed Won"), way("输", "Closed Lost")],
    }
    deal = Deal("Qualification", ways)

    assert move(server, deal, "Closed Won").outcome is Outcome.WRITTEN
    assert [name for name, _ in deal.taken] == ["需求", "谈判", "赢"]


@pytest.mark.parametrize(
    ("ways", "target"),
    [
        ({}, "Closed Won"),
        ({"Needs Analysis": [way("退回", "Qualification")]}, "Closed Won"),
        ({"Needs Analysis": [way("丢单", "Closed Lost")]}, "Closed Won"),
        ({"Needs Analysis": [way("谈判", "Negotiation/Review")]}, "Qualification"),
        ({"Needs Analysis": [way("谈判", "Negotiation/Review")]}, "不在列表"),
    ],
    ids=["none-visible", "only-back", "only-lost", "target-behind", "unknown-target"],
)
def test_nothing_is_moved_where_no_way_leads_to_the_target(server: Zoho, ways: Ways, target: str) -> None:
    deal = Deal("Needs Analysis", ways)

    receipt = move(server, deal, target)

    assert receipt.outcome is Outcome.BLOCKED
    assert "Needs Analysis" in receipt.why
    assert not deal.taken


def test_what_a_transition_asks_for_is_given_from_the_change_or_named(server: Zoho) -> None:
    asked = way("谈判", "Closed Won", fields=[{"api_name": "Amount", "mandatory": True}, {"api_name": "Next_Step", "mandatory": False}])
    lacking, given = Deal("Needs Analysis", {"Needs Analysis": [asked]}), Deal("Needs Analysis", {"Needs Analysis": [asked]})

    blocked = move(server, lacking, "Closed Won")
    written = move(server, given, "Closed Won", Amount=100)

    assert (blocked.outcome, "Amount" in blocked.why) == (Outcome.BLOCKED, True)
    assert (written.outcome, given.taken) == (Outcome.WRITTEN, [("谈判", {"Amount": 100})])


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        ((400, failed("INVALID_DATA", "invalid transition")), Outcome.BLOCKED),
        ((400, failed("RECORD_NOT_IN_PROCESS", "record not in process")), Outcome.BLOCKED),
        ((500, failed("INTERNAL_ERROR")), Outcome.UNCERTAIN),
        ((DROP, None), Outcome.UNCERTAIN),
        ((429, failed("TOO_MANY_REQUESTS")), Outcome.RETRY),
    ],
    ids=["invalid", "left", "500", "cut", "429"],
)
def test_a_transition_that_fails_says_what_is_certain(server: Zoho, refusal: tuple[int, Any], outcome: Outcome) -> None:
    deal = Deal("Needs Analysis", {"Needs Analysis": [way("赢", "Closed Won")]}, refusal)

    assert move(server, deal, "Closed Won").outcome is outcome


def test_other_values_are_not_held_back_by_a_stage_that_is_reached_already(server: Zoho) -> None:
    deal = Deal("Closed Won", {})

    receipt = move(server, deal, "Closed Won", ERP_Order_No="XSDD000123")

    assert receipt.outcome is Outcome.WRITTEN
    assert server.called("/Deals", "PUT")[-1].json()["data"] == [{"ERP_Order_No": "XSDD000123", "id": "11"}]
