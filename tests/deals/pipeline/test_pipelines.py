"""Pipelines as data: what ships, what a file may say, and the order of stages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.models import entity
from canonical.values import SHANGHAI
from channel.deals.errors import BadPipeline, MoveRefused, PipelineNotFound
from channel.deals.pipeline import GROUPS, KINDS, LOST, InStage, Pipeline, decide, due_action, load, missing, presets, rank, read, stuck

DAY = date(2026, 11, 21)
MANUFACTURER, COMPONENTS = presets()["manufacturer"], presets()["component_distributor"]
COMPLETE: dict[str, Any] = {
    "customer": "a", "contact": "b", "expected_amount": "100", "contract_amount": "90", "currency": "CNY", "expected_close": "2026-12-01",
    "won_on": "2026-11-20", "product_line": "IGBT", "usage": "逆变器", "competitors": ["英飞凌"], "competitor_prices": "8-10 元",
    "selection_progress": "送样", "mass_production_on": "2027-03-01", "annual_usage": "100000", "close_reason": "price",
}  # fmt: skip
OWN = """
name: small
title: {zh: 小流程, en: Small}
stages:
  - {name: 接触, kind: lead, probability: "0.1", stuck_days: 3}
  - {name: 成交, kind: won, probability: "0.9", needs: [expected_amount]}
lost:
  - {name: 失败, kind: lost}
"""


def test_both_published_stage_lists_ship() -> None:
    """Source: stage names as two users of channel systems published them (docs/deals-pipeline.md)."""
    assert [stage.name for stage in MANUFACTURER.stages] == [
        "线索登记", "需求确认", "报价/方案提交", "客户评审中", "中标/选型确认", "合同签署", "发货/安装调试", "回款完成",
    ]  # fmt: skip
    assert [stage.name for stage in COMPONENTS.stages] == [
        "初步接触", "需求确认", "方案制定与技术沟通", "报价与商务条款谈判", "小批量试单/样品", "批量导入与持续供货", "项目复盘与二次挖掘",
    ]  # fmt: skip


@pytest.mark.parametrize("pipeline", [MANUFACTURER, COMPONENTS], ids=lambda one: one.name)
def test_what_ships_is_sound(pipeline: Pipeline) -> None:
    fields = entity("deal").fields
    ranks = [rank(stage.kind) for stage in pipeline.stages]

    assert ranks == sorted(ranks)
    assert all(field in fields for stage in (*pipeline.stages, *pipeline.lost) for field in stage.needs)
    assert [stage.probability for stage in pipeline.stages] == sorted(stage.probability for stage in pipeline.stages)
    assert pipeline.lost
    assert set(KINDS) | {LOST} == set(GROUPS)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("kind: lead", "kind: leed", r"small\.yaml:5: there is no kind 'leed'"),
        ("kind: won", "kind: lost", r"small\.yaml:6: 成交: stages of kind lost stand under lost:"),
        ("name: 成交", "name: 接触", r"small\.yaml:6: '接触' names two stages"),
        ('probability: "0.9"', 'probability: "90"', r"small\.yaml:6: probability is a fraction"),
        ('probability: "0.9"', "probability: lots", r"small\.yaml:6: probability is a fraction"),
        ("stuck_days: 3", "stuck_days: -3", r"small\.yaml:5: stuck_days is a whole number"),
        ("[expected_amount]", "[amount]", r"small\.yaml:6: a deal has no field 'amount'"),
        ("[expected_amount]", "expected_amount", r"small\.yaml:6: needs is not a list"),
        ("stuck_days", "stuckdays", r"small\.yaml:5: a stage knows no 'stuckdays'"),
        ("name: small\n", "", r"small\.yaml:2: name is missing"),
        ("stages:", "steps:", r"small\.yaml:4: the file knows no 'steps'"),
        ("title: {", "title: [", r"small\.yaml:3: "),
        ("kind: won", "kind: won, next_action: {what: dance, in_days: 2}", r"small\.yaml:6: there is no action 'dance'"),
        ("kind: lead", "kind: paid", r"small\.yaml:6: 成交: kind won comes after a later one"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_and_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "small.yaml"
    assert old in OWN
    path.write_text(OWN.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(BadPipeline, match=told):
        load([path], "manufacturer")


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    with pytest.raises(BadPipeline) as told:
        read(OWN.replace("kind: lead", "kind: leed").replace("[expected_amount]", "[amount]"), "small.yaml")

    assert str(told.value).count("small.yaml:") == 2


def test_a_tenants_file_lies_beside_ours_or_replaces_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(OWN.replace("name: small", "name: manufacturer"), encoding="utf-8")

    assert load([path], "manufacturer").every["manufacturer"].zh == "小流程"
    assert set(load([], "manufacturer").every) == {"manufacturer", "component_distributor"}
    with pytest.raises(PipelineNotFound, match="there is no pipeline 'mine'"):
        load([], "mine")
    with pytest.raises(BadPipeline, match="cannot be read"):
        load([tmp_path / "absent.yaml"], "manufacturer")


def test_a_deals_pipeline_is_told_by_itself_else_by_its_stage_else_by_default() -> None:
    every = load([], "manufacturer")

    assert every.of("component_distributor", "").name == "component_distributor"
    assert every.of("", "小批量试单/样品").name == "component_distributor"
    assert every.of("", "需求确认").name == "manufacturer"
    assert every.of("", "从未听说").name == "manufacturer"
    stage = MANUFACTURER.stage("Negotiation/Review")
    assert stage is not None
    assert stage.name == "客户评审中"


def test_no_stage_is_passed_over_and_what_is_missing_is_told_whole() -> None:
    deal = {"stage": "线索登记", "stage_kind": "lead"}

    with pytest.raises(MoveRefused, match="需求确认 may not be passed over"):
        decide(MANUFACTURER, deal, "报价/方案提交", DAY)
    with pytest.raises(MoveRefused, match="需求确认 needs customer"):
        decide(MANUFACTURER, deal, "需求确认", DAY)
    with pytest.raises(MoveRefused, match="already"):
        decide(MANUFACTURER, deal, "线索登记", DAY)
    with pytest.raises(PipelineNotFound):
        decide(MANUFACTURER, deal, "成交", DAY)
    with pytest.raises(MoveRefused, match="a deal begins in 线索登记"):
        decide(MANUFACTURER, {}, "需求确认", DAY, given={"customer": "a"})
    made = decide(MANUFACTURER, deal, "需求确认", DAY, given={"customer": "a"})
    assert made.changes == {
        "customer": "a", "pipeline": "manufacturer", "stage": "需求确认", "stage_kind": "qualify", "probability": "0.15",
        "next_action": "visit", "next_action_on": "2026-11-28",
    }  # fmt: skip


def test_back_needs_a_reason_and_lost_needs_one_of_the_codes() -> None:
    deal = {**COMPLETE, "stage": "客户评审中", "stage_kind": "negotiate"}

    with pytest.raises(MoveRefused, match="needs a reason"):
        decide(MANUFACTURER, deal, "需求确认", DAY)
    assert decide(MANUFACTURER, deal, "需求确认", DAY, reason="客户换型").stage.kind == "qualify"
    with pytest.raises(MoveRefused, match="there is no reason 'bad luck'"):
        decide(MANUFACTURER, deal, "丢单", DAY, given={"close_reason": "bad luck"})
    lost = decide(MANUFACTURER, deal, "Closed Lost", DAY, given={"close_reason": "no_budget"})
    assert (lost.stage.name, lost.changes["stage_kind"]) == ("丢单", "lost")
    again, been = {**deal, **lost.changes}, ["线索登记", "需求确认", "报价/方案提交", "客户评审中", "丢单"]
    with pytest.raises(MoveRefused, match="needs a reason"):
        decide(MANUFACTURER, again, "客户评审中", DAY, been=been)
    assert decide(MANUFACTURER, again, "客户评审中", DAY, reason="客户重启", been=been).stage.kind == "negotiate"
    with pytest.raises(MoveRefused, match="合同签署 may not be passed over"):
        decide(MANUFACTURER, again, "发货/安装调试", DAY, reason="客户重启", been=[*been, "中标/选型确认"])


def test_the_day_of_winning_is_today_when_nobody_says_another() -> None:
    deal = {**COMPLETE, "stage": "客户评审中", "stage_kind": "negotiate"}
    del deal["won_on"]

    assert decide(MANUFACTURER, deal, "中标/选型确认", DAY).changes["won_on"] == "2026-11-21"


@given(st.sampled_from([MANUFACTURER, COMPONENTS]), st.lists(st.integers(0, 8), max_size=20), st.sets(st.sampled_from(sorted(COMPLETE))))
def test_law_whatever_is_asked_a_deal_goes_through_every_stage_and_holds_what_it_needs(
    pipeline: Pipeline, wishes: list[int], absent: set[str]
) -> None:
    deal = {name: value for name, value in COMPLETE.items() if name not in absent}
    visited = [-1]
    been: list[str] = []
    for wish in wishes:
        stages = (*pipeline.stages, *pipeline.lost)
        target = stages[wish % len(stages)]
        try:
            made = decide(pipeline, deal, target.name, DAY, reason="r", been=been)
        except MoveRefused:
            continue
        deal |= made.changes
        been.append(made.stage.name)
        assert missing(made.stage, deal) == ()
        if target.kind != LOST:
            place = pipeline.stages.index(target)
            assert place <= max(visited) + 1, "a stage was passed over"
            visited.append(place)


@given(st.integers(0, 60), st.integers(0, 23))
def test_law_stuck_begins_the_day_after_the_allowed_days(days: int, hour: int) -> None:
    entered = datetime(2026, 9, 1, hour, 30, tzinfo=SHANGHAI)
    one = InStage("d", entered, {"stage": "线索登记", "stage_kind": "lead"})

    found = stuck(load([], "manufacturer"), one, entered.date() + timedelta(days=days))

    assert (found is not None and found.over) == (days > 7)


def test_a_stage_without_an_end_and_a_lost_deal_are_never_stuck() -> None:
    every = load([], "manufacturer")
    long_ago = datetime(2020, 1, 1, tzinfo=SHANGHAI)

    assert stuck(every, InStage("d", long_ago, {"stage": "回款完成", "stage_kind": "paid"}), DAY) is None
    assert stuck(every, InStage("d", long_ago, {"stage": "丢单", "stage_kind": "lost"}), DAY) is None
    by_kind = stuck(every, InStage("d", long_ago, {"stage": "某系统的阶段", "stage_kind": "lead"}), DAY)
    assert by_kind is not None
    assert by_kind.stage.name == "线索登记"


def test_an_action_is_due_on_its_day_and_after() -> None:
    deal = {"next_action": "call", "next_action_on": "2026-11-21"}

    assert due_action(deal, DAY) == DAY
    assert due_action(deal, DAY - timedelta(days=1)) is None
    assert due_action({**deal, "next_action": ""}, DAY) is None
    assert replace(MANUFACTURER.stages[0]).next_action is not None
