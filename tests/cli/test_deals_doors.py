"""Whatever the API can do to leads, deals and what was found outside of fences, a command can."""

from __future__ import annotations

from tests.cli.conftest import Run
from tests.cli.running import answer

NAME = "苏州明基机电有限公司"


def test_a_lead_is_handed_in_once_listed_and_converted(selling: Run) -> None:
    told = (
        "deals",
        "hand-in",
        NAME,
        "--person",
        "李工",
        "--mobile",
        "13900001111",
        "--source",
        "fair",
        "--dealer",
        "C1",
        "--key",
        "card-7",
    )
    made, again = answer(selling(*told, "--json")), selling(*told)

    listed = answer(selling("deals", "leads", "--dealer", "C1", "--json"))
    bad = selling("deals", "leads", made["id"], "convert", "--amount", "12")
    wrong = selling("deals", "leads", made["id"], "convert", "--amount", "twelve", "--currency", "CNY")
    done = selling(
        "deals",
        "leads",
        made["id"],
        "convert",
        "--name",
        "一期",
        "--amount",
        "120000.50",
        "--currency",
        "CNY",
        "--close",
        "2026-12-31",
        "--json",
    )

    assert made["new"]
    assert (again.returncode, again.stdout) == (0, f"lead {made['id']} was handed in before\n")
    assert [(row["company_name"], row["person"], row["source"]) for row in listed if row["id"] == made["id"]] == [(NAME, "李工", "fair")]
    assert (bad.returncode, wrong.returncode) == (2, 2)
    assert done.returncode == 0, done.stdout
    deal = answer(done)["deal"]
    assert answer(selling("deals", "stages", deal, "--json"))["kind"] == "lead"
    assert "was converted before" in selling("deals", "leads", made["id"], "convert").stdout
    assert selling("deals", "hand-in", "  ").returncode == 2


def test_a_deal_is_moved_when_it_has_what_the_stage_needs(selling: Run) -> None:
    lead = answer(selling("deals", "hand-in", NAME, "--person", "李工", "--mobile", "13900001111", "--json"))["id"]
    deal = answer(selling("deals", "leads", lead, "convert", "--json"))["deal"]

    lacking = selling("deals", "move", deal, "报价/方案提交", "--json")
    moved = selling(
        "deals",
        "move",
        deal,
        "需求确认",
        "--set",
        "expected_amount=1000",
        "--set",
        "currency=CNY",
        "--set",
        "expected_close=2026-12-31",
        "--json",
    )
    unknown = selling("deals", "move", deal, "没有")
    typed = selling("deals", "move", deal, "需求确认", "--set", "currency")
    garbled = [selling("deals", "move", deal, "需求确认", "--set", said) for said in ("expected_amount=many", "colour=red")]

    assert lacking.returncode == 7, lacking.stdout
    assert (moved.returncode, answer(moved)["kind"]) == (0, "qualify"), moved.stdout
    assert unknown.returncode != 0
    assert typed.returncode == 2
    assert [(one.returncode, "Traceback" in one.stderr) for one in garbled] == [(2, False), (2, False)]


def test_work_on_a_registration_is_noted_and_lists_are_cut(selling: Run) -> None:
    made = answer(selling("deals", "register", "--dealer", "C1", "--name", NAME, "--line", "水泵", "--alias", "明基", "--json"))["id"]

    noted = selling("deals", "activity", made, "拜访客户, 提交报价")

    assert (noted.returncode, noted.stdout.split()[1]) == (0, "protected")
    assert "拜访客户" in selling("deals", "explain", made).stdout
    assert [row["id"] for row in answer(selling("deals", "list", "--line", "水泵", "--json"))] == [made]
    assert answer(selling("deals", "list", "--line", "阀门", "--json")) == []
    refused = answer(selling("deals", "register", "--dealer", "C2", "--name", NAME, "--line", "水泵", "--json"))["id"]
    assert [row["protected_until"] for row in answer(selling("deals", "list", "--json")) if row["id"] == refused] == [None]
    assert f"  {NAME} (水泵)  ←  苏州恒信机电有限公司" in selling("deals", "list", "--status", "protected").stdout.splitlines()
    assert answer(selling("deals", "list", "--ends-before", "2026-01-01", "--json")) == []
    assert [row["id"] for row in answer(selling("deals", "list", "--ends-before", "2999-01-01", "--json"))] == [made]


def test_what_was_found_outside_of_fences_is_listed_and_settled(selling: Run) -> None:
    assert selling("deals", "fences", "--add", "--dealer", "C1", "--region", "31", "--outside", "flag").returncode == 0
    waits = selling("deals", "register", "--dealer", "C1", "--name", "成都西部机电有限公司", "--city", "成都市", "--json")

    found = selling("deals", "hits", "--dealer", "C1", "--json")
    (hit,) = answer(found)
    settled = selling("deals", "hits", str(hit["id"]), "accepted", "--reason", "已与当地经销商协商")

    assert (waits.returncode, answer(waits)["reason"]) == (4, "area_to_check")
    assert (found.returncode, hit["subject"]) == (4, f"registration:{answer(waits)['id']}")
    assert settled.returncode == 0
    assert answer(selling("deals", "hits", "--json")) == []
    assert [row["state"] for row in answer(selling("deals", "hits", "--state", "all", "--json"))] == ["accepted"]
    assert selling("deals", "hits", "999", "accepted").returncode == 6


def test_pairs_that_are_kept_apart_are_listed(selling: Run) -> None:
    assert answer(selling("merges", "apart", "--json")) == []
