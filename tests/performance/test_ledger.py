"""Months on the ledger: figures from the documents, kept as they stood, reckoned again only for a reason."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from channel.performance import loads, service
from channel.performance.errors import BadFacts, Refused
from hub_cli.performance_text import explained
from sync import performance
from tests.performance.making import row as fact
from tests.performance.making import written
from tests.performance.trade import NOW, Trade

OCTOBER = date(2026, 10, 31)
TODAY = date(2026, 11, 6)
PEERS = ["grade", "region"]
RISK = {
    "tag": "payment_risk", "kind": "risk", "name": {"zh": "风险客户", "en": "At risk"}, "when": "any", "clean": "2", "stay": "2",
    "conditions": [{"kpi": "overdue_share", "above": "10 %", "clear": "8 %", "periods": "2"}],
}  # fmt: skip


def publish(trade: Trade, **changes: Any) -> None:
    with trade.writing() as db:
        service.publish(db.connection, written(**{"peers": PEERS, **changes}), by="王芳", reason="2026 年度")


def keep(trade: Trade, month: date = OCTOBER, **said: Any) -> service.Kept:
    kept = performance.keep(trade.hub, "health", month, **{"today": TODAY, "by": "王芳", **said})
    assert kept is not None
    return kept


def shown(trade: Trade, month: date | None = None, **said: Any) -> dict[str, Any]:
    with trade.writing() as db:
        return service.shown(db.connection, "health", month, **said)


def figure(told: dict[str, Any], dealer: str, kpi: str) -> dict[str, Any]:
    """A dealer's figure on a board."""
    (row,) = [one for one in told["results"] if one["dealer"] == dealer]
    (found,) = [one for one in (*row["kpis"], *row["figures"]) if one["kpi"] == kpi]
    return dict(found)


def load(trade: Trade, *facts: dict[str, str]) -> int:
    columns = list(dict.fromkeys(["id", "kind", "dealer", "date", *(name for one in facts for name in one)]))
    with trade.writing() as db:
        return loads.load_facts(db.connection, columns, [(at, one) for at, one in enumerate(facts, 2)], by="王芳")


def test_a_margin_is_unknown_until_finance_has_told_what_the_newest_sales_cost(trade: Trade) -> None:
    """No document of the ledger tells a cost: without one a margin is neither 0 nor all of what was sold."""
    publish(trade)
    keep(trade)
    without = [figure(shown(trade), "D1", kpi) for kpi in ("margin_amount", "margin_rate", "margin_share")]
    load(trade, fact("C-04", "cost", "10000", date="2026-04-30"))
    keep(trade, reason="4 月成本")
    of_april = figure(shown(trade), "D1", "margin_amount")
    load(trade, fact("C-05", "cost", "31000", date="2026-05-31"))
    keep(trade, reason="5 月成本")

    told = [figure(shown(trade), "D1", kpi) for kpi in ("margin_amount", "margin_rate", "margin_share")]

    assert [(one["value"], one["note"]) for one in [*without, of_april]] == [(None, "unknown")] * 4, "it was sold in May"
    assert [(one["value"], one["note"]) for one in told] == [("19000", None), ("0.316667", None), (None, "unknown")], told
    assert "毛利贡献额 margin_amount (unknown)" in explained({**shown(trade, revision=1), "evidence": {}})


def test_the_figures_of_a_month_come_from_the_documents(trade: Trade) -> None:
    trade.invoice("D1", "AR26-OPEN", "10000", "2026-09-01", due="2026-10-01")
    trade.project("D1", datetime(2026, 3, 1, tzinfo=UTC))
    trade.project("D1", datetime(2026, 4, 1, tzinfo=UTC), status="released")
    publish(trade, target="none")
    keep(trade)

    told = shown(trade)

    # 60,000 in May and 10,000 in September of a target of 120,000; with tax 67,800 paid after 26 days, and 11,300 open since 1 October.
    assert [figure(told, "D1", "target_completion")[side] for side in ("numerator", "denominator")] == ["70000", "120000"]
    assert figure(told, "D1", "days_to_pay")["value"] == "26"
    assert [figure(told, "D1", "collection_rate")[side] for side in ("numerator", "denominator")] == ["67800", "79100"]
    assert [figure(told, "D1", "overdue_share")[side] for side in ("numerator", "denominator")] == ["11300", "11300"]
    assert figure(told, "D1", "new_projects")["value"] == "1"
    assert figure(told, "D6", "target_completion")["value"] == "1"
    assert told["groups"][0]["ranked"] == 6
    with trade.writing() as db:
        proofs = service.evidence(db.connection, told, service.known_at(db.connection, told))
    assert [proofs[one]["document"] for one in figure(told, "D1", "overdue_share")["facts"]] == ["AR26-OPEN"]


def test_the_run_catches_up_what_was_missed_and_a_second_run_does_nothing(trade: Trade) -> None:
    publish(trade)

    first = performance.monthly(trade.hub, now=NOW)
    again = performance.monthly(trade.hub, now=NOW)
    next_month = performance.monthly(trade.hub, now=NOW + timedelta(days=30))

    assert (first.counts["months"], again.counts, next_month.counts["months"]) == (10, {}, 1)
    months = trade.rows("SELECT as_of, revision, previous_id IS NULL AS first FROM scorecard_month ORDER BY id")
    assert [one["as_of"].month for one in months] == list(range(1, 12))
    assert {one["revision"] for one in months} == {1}
    assert [one["first"] for one in months] == [True, *[False] * 10]


def test_only_the_newest_month_is_told_each_dealer_its_own(trade: Trade) -> None:
    publish(trade)
    performance.monthly(trade.hub, now=NOW)

    found = trade.notices("scorecard_ready")

    assert sorted(one["audience"] for one in found) == sorted(f"party:{dealer}" for dealer in trade.dealers.values())
    (mine,) = [one["facts"] for one in found if one["audience"] == f"party:{trade.dealers['D5']}"]
    assert mine["month"] == "2026-10"
    assert mine["zh"] == "经销商健康分 2026 年 10 月绩效已出：第 2 名，同组共 6 家，得分 88.06"
    assert not any(name in str(mine) for name in ("绍兴", "杭州", "D6", "margin"))


def test_what_was_kept_stays_and_a_month_is_reckoned_again_for_a_reason_only(trade: Trade) -> None:
    publish(trade, target="none")
    keep(trade)
    before = shown(trade)
    trade.invoice("D1", "AR26-LATE", "60000", "2026-10-20")

    with pytest.raises(service.NoReason):
        keep(trade)
    again = keep(trade, reason="10 月发票补录")

    assert again.revision == 2
    assert figure(shown(trade, OCTOBER), "D1", "target_completion")["value"] == "1"
    assert figure(shown(trade, OCTOBER), "D1", "target_completion")["numerator"] == "120000"
    assert shown(trade, OCTOBER, revision=1) == before
    assert [one["audience"] for one in trade.notices("scorecard_corrected")]  # only whom it concerns is told again
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"), trade.writing() as db:
        db.execute("UPDATE scorecard_result SET score = 100")


def test_a_month_can_be_reckoned_with_what_was_known_then(trade: Trade) -> None:
    publish(trade, target="none")
    keep(trade)
    first = shown(trade)
    trade.invoice("D1", "AR26-LATE", "60000", "2026-10-20")
    known = datetime.fromisoformat(first["known_at"])

    keep(trade, reason="核对", known_at=known)

    again = shown(trade)
    assert (again["revision"], again["facts_hash"]) == (2, first["facts_hash"])
    assert [one["score"] for one in again["results"]] == [one["score"] for one in first["results"]]


def test_a_tag_comes_after_two_months_with_its_evidence_and_goes_after_two_clean_ones(trade: Trade) -> None:
    publish(trade, tags=[RISK])
    trade.invoice("D2", "AR26-OPEN", "50000", "2026-05-20", due="2026-06-20")
    performance.monthly(trade.hub, now=datetime(2026, 7, 6, tzinfo=UTC))
    early = trade.notices("risk_tag_raised")
    performance.monthly(trade.hub, now=datetime(2026, 8, 6, tzinfo=UTC))

    (raised,) = trade.notices("risk_tag_raised")

    assert early == []
    assert (raised["audience"], raised["facts"]["dealer"]) == ("role:channel_manager", str(trade.dealers["D2"]))
    assert raised["facts"]["zh"] == "“宁波东钱湖传动”被标记为风险客户：逾期占比 100.00 %（限 10.00 %）"
    (proof,) = raised["facts"]["evidence"]
    assert (proof["kpi"], proof["limit"], len(proof["facts"])) == ("overdue_share", "0.1", 1)
    with trade.writing() as db:
        db.execute("UPDATE receivables SET retired = true WHERE number = 'AR26-OPEN'")
        db.execute("UPDATE receivables SET changed_at = clock_timestamp()")
    performance.monthly(trade.hub, now=datetime(2026, 10, 6, tzinfo=UTC))
    assert trade.notices("risk_tag_raised") == []  # it owes nothing any more: clean for two months
    on = trade.rows("SELECT m.as_of, t.since, t.new FROM scorecard_tag AS t JOIN scorecard_month AS m ON m.id = t.month_id ORDER BY 1")
    assert [(one["as_of"].month, one["since"].month, one["new"]) for one in on] == [(7, 7, True), (8, 7, False)]


def test_a_target_that_was_loaded_goes_before_the_agreements_and_the_years(trade: Trade) -> None:
    publish(trade, target="none")
    keep(trade)
    year = figure(shown(trade), "D1", "target_completion")["denominator"]
    with trade.writing() as db:
        from tests.hub_api.world import make

        doc = {
            "party": str(trade.dealers["D1"]),
            "valid_from": "2026-01-01",
            "valid_to": "2026-12-31",
            "currency": "CNY",
            "target": "150000",
        }
        make(db, "agreement", doc | {"status": "active"}, number="XY-1")
    keep(trade, reason="协议")
    agreed = figure(shown(trade), "D1", "target_completion")["denominator"]
    load(trade, fact("T1", "target", "90000", date="2026-01-01", to="2027-01-01"))
    keep(trade, reason="目标调整")

    assert (year, agreed, figure(shown(trade), "D1", "target_completion")["denominator"]) == ("120000", "150000", "90000")


def test_a_target_for_days_of_another_one_that_was_loaded_is_refused_and_may_correct_that_one(trade: Trade) -> None:
    load(trade, fact("T1", "target", "90000", date="2026-01-01", to="2027-01-01"))

    with pytest.raises(BadFacts, match="T2: D1 has T1 for some of these days already"):
        load(trade, fact("T2", "target", "30000", date="2026-10-01", to="2027-01-01"))
    assert load(trade, fact("T1", "target", "60000", date="2026-01-01", to="2026-10-01")) == 1
    assert load(trade, fact("T2", "target", "30000", date="2026-10-01", to="2027-01-01")) == 1
    assert load(trade, fact("T3", "target", "30000", dealer="D2", date="2026-10-01", to="2027-01-01")) == 1


def test_what_no_system_tells_is_loaded_once_corrected_by_its_id_and_never_beside_the_documents(trade: Trade) -> None:
    publish(trade)
    complaint = fact("TS-1", "complaint", status="open", response_hours="4")

    assert [load(trade, complaint), load(trade, complaint), load(trade, complaint | {"status": "valid"})] == [1, 0, 1]
    keep(trade)
    assert figure(shown(trade), "D1", "complaints_per_1000")["facts"] == ["loaded:TS-1"]
    for rows, code in (
        ([fact("S", "sale", 5)], "from_documents"),
        ([fact("T", "complaint", status="valid", dealer="D99")], "unknown_dealer"),
    ):
        with pytest.raises(Refused) as refused:
            load(trade, *rows)
        assert [flaw.code for flaw in refused.value.flaws] == [code]


def test_sales_in_another_currency_are_told_and_counted_nowhere(trade: Trade) -> None:
    trade.invoice("D1", "AR26-USD", "1000", "2026-05-20", currency="USD")
    publish(trade, target="none")
    keep(trade)

    told = shown(trade)

    assert told["left_out"] == {"USD": "1000"}
    assert figure(told, "D1", "target_completion")["numerator"] == "60000"


def test_a_dealer_with_two_product_lines_has_a_place_for_each(trade: Trade) -> None:
    trade.dealer("D7", "台州椒江泵业", target="100000", product_lines=["泵", "阀"])
    trade.invoice("D7", "AR26-P", "30000", "2026-05-15", line="泵")
    trade.invoice("D7", "AR26-V", "20000", "2026-05-15", line="阀")
    publish(trade, peers=["product_line"], target="none")
    keep(trade)

    rows = {one["product_line"]: one for one in shown(trade, dealer_id=trade.dealers["D7"])["results"]}

    assert {line: one["kpis"][0]["numerator"] for line, one in rows.items()} == {"泵": "30000", "阀": "20000"}
    assert {line: one["group"] for line, one in rows.items()} == {"泵": {"product_line": "泵"}, "阀": {"product_line": "阀"}}


@pytest.mark.parametrize("month", [date(2026, 11, 30), date(2026, 10, 15)])
def test_a_month_that_is_not_over_is_not_kept(trade: Trade, month: date) -> None:
    publish(trade)

    with pytest.raises(service.NotOver):
        keep(trade, month)


def test_what_is_published_never_changes_and_the_version_in_force_is_used(trade: Trade) -> None:
    publish(trade, valid={"from": "2026-01-01", "to": "2026-07-01"})
    publish(trade, valid={"from": "2026-01-01", "to": "2026-07-01"})
    with pytest.raises(service.VersionTaken):
        publish(trade, valid={"from": "2026-02-01"})
    publish(trade, version="2", valid={"from": "2026-07-01"})
    performance.monthly(trade.hub, now=NOW)

    used = trade.rows("SELECT version, count(*) AS months FROM scorecard_month GROUP BY 1 ORDER BY 1")
    assert [(one["version"], one["months"]) for one in used] == [(1, 6), (2, 4)]
