"""`hub deals` beyond registrations: pipelines, what deals are worth, leads, fences tried, goods, duplicates; `hub merges propose`."""

from __future__ import annotations

import time

import psycopg

from sync import notices
from sync.hub import Hub
from tests.cli.conftest import Run
from tests.cli.running import answer
from tests.deals.upkeep.test_looking_after import add_deal
from tests.hub_api.configured import CONFIG


def test_pipelines_are_listed_and_shown(filled: Run) -> None:
    every = answer(filled("deals", "pipelines", "--json"))
    one = filled("deals", "pipelines", "manufacturer")
    missing = filled("deals", "pipelines", "没有")

    assert [row["name"] for row in every if row["default"]] == ["manufacturer"]
    assert "线索登记  lead 0.05, stuck after 7 days" in one.stdout
    assert missing.returncode == 6
    assert "component_distributor" in missing.stderr


def test_forecast_stuck_and_stages_answer_for_one_dealer_or_all(filled: Run) -> None:
    every = answer(filled("deals", "forecast", "--by", "dealer", "--by", "month", "--json"))
    one = answer(filled("deals", "forecast", "--dealer", "C1", "--by", "stage", "--json"))
    stuck = filled("deals", "stuck", "--dealer", "C1", "--json")
    missing = filled("deals", "stages", "01931f5e-7c00-7000-8000-000000000000")

    assert sum(row["deals"] for row in every) >= sum(row["deals"] for row in one)
    assert all({"currency", "amount", "weighted", "stage"} <= set(row) for row in one)
    assert stuck.returncode == (3 if answer(stuck) else 0)
    assert missing.returncode == 6


def test_results_answer_for_a_span_of_days_and_name_the_dealers(filled: Run, database: str) -> None:
    with psycopg.connect(database) as db:
        [(dealer,)] = db.execute("SELECT id::text FROM parties WHERE number = 'C1'").fetchall()
        add_deal(db, stage="中标", stage_kind="won", won_on="2026-03-31", currency="CNY", contract_amount="900.50", dealer=dealer)
    every = answer(filled("deals", "results", "--by", "dealer", "--by", "year", "--from", "2020-01-01", "--costs", "--json"))
    none = filled("deals", "results", "--from", "2001-01-01", "--to", "2001-12-31")

    assert every
    assert all(
        {"currency", "dealer", "year", "won", "lost", "win_rate", "contract", "average_days_to_win", "margin"} <= set(row) for row in every
    )
    assert (none.returncode, none.stdout) == (0, "no deal was decided from 2001-01-01 to 2001-12-31\n")


def test_a_customer_gets_a_further_name_and_loses_it_again(filled: Run) -> None:
    filled("deals", "upkeep")
    given = filled("deals", "alias", "C1", "东方集团的俗名", "--json")
    wrong = filled("deals", "alias", "C1", "有限公司")
    gone = filled("deals", "alias", "C1", "东方集团的俗名", "--remove")
    nobody = filled("deals", "alias", "#99999999")
    quiet = filled("deals", "old-customers", "--quiet", "3650")

    assert "东方集团的俗名" in [one["name"] for one in answer(given)]
    assert (wrong.returncode, nobody.returncode) == (7, 6)
    assert gone.returncode == 0
    assert "东方集团的俗名" not in gone.stdout
    assert quiet.returncode in {0, 3}


def test_a_place_is_tried_against_the_fences(filled: Run) -> None:
    assert filled("deals", "fences", "--add", "--dealer", "C1", "--region", "31").returncode == 0

    inside = filled("deals", "fences", "--try", "--dealer", "C1", "--place", "上海市浦东新区", "--json")
    outside = filled("deals", "fences", "--try", "--dealer", "C1", "--region", "5101")
    alone = filled("deals", "fences", "--try")

    assert (inside.returncode, answer(inside)["effect"]) == (0, "allow")
    assert (outside.returncode, outside.stdout.split()[0]) == (3, "block")
    assert "不在贵司的授权范围内" in outside.stdout
    assert alone.returncode == 2


def test_a_serial_is_noted_once_and_nothing_is_suspicious_without_fences(filled: Run) -> None:
    first, again = (answer(filled("deals", "seen", "SN-1", "3101", "--at", "2026-11-20", "--json")) for _ in range(2))
    wrong = filled("deals", "seen", "SN-1", "Shanghai")
    report = filled("deals", "goods", "--from", "2026-11-01", "--to", "2026-11-30")

    assert (first["new"], again["new"]) == (True, False)
    assert wrong.returncode == 2
    assert (report.returncode, report.stdout) == (0, "nothing suspicious from 2026-11-01 to 2026-11-30\n")


def test_leads_are_listed_and_a_hub_that_may_not_make_deals_says_so(filled: Run) -> None:
    listed = answer(filled("deals", "leads", "--json"))
    mine = answer(filled("deals", "leads", "--dealer", "C1", "--json"))
    refused = filled("deals", "leads", listed[0]["id"], "convert", "--json")
    unclear = filled("deals", "leads", listed[0]["id"])

    assert 0 < len(mine) < len(listed)
    assert (refused.returncode, answer(refused)["error"]["code"]) == (7, "sync/not-allowed")
    assert unclear.returncode == 2
    assert filled("deals", "leads", "01931f5e-7c00-7000-8000-000000000000", "dealers").returncode == 6


def test_duplicates_and_golden_records_tell_what_people_are_asked(filled: Run) -> None:
    assert filled("deals", "rebuild").returncode == 0
    none = filled("deals", "duplicates")
    nobody = filled("deals", "duplicates", "1", "2", "same", "--json")
    proposed = filled("merges", "propose", "--json")
    again = filled("merges", "propose")
    shown = filled("merges", "proposal", str(answer(proposed)["run"]), "--json")
    begun = answer(filled("merges", "propose", "--background", "--json"))
    until = time.monotonic() + 120
    while (ended := answer(filled("merges", "proposal", "--json")))["status"] == "running" and time.monotonic() < until:
        time.sleep(0.5)

    assert (none.returncode, none.stdout) == (0, "no scan has found anything\n")
    assert (nobody.returncode, answer(nobody)["error"]["code"]) == (6, "sync/not-found")
    found = answer(proposed)["found"]
    assert proposed.returncode == (4 if found["cases"] else 0)
    assert found["parties"] >= 3
    assert again.returncode == 0
    assert "0 new cases" in again.stdout
    assert answer(shown) == answer(proposed)
    assert (begun["status"], ended["run"], ended["status"]) == ("running", begun["run"], "done")
    assert filled("merges", "proposal", "4711").returncode == 6


def test_hours_that_questions_waited_are_asked_for_with_their_days(filled: Run) -> None:
    told = filled("approvals", "--times", "--from", "2001-01-01", "--to", "2001-12-31")
    alone = filled("approvals", "--from", "2001-01-01")

    assert (told.returncode, told.stdout) == (0, "nothing was asked from 2001-01-01 to 2001-12-31\n")
    assert alone.returncode == 2


def test_what_went_wrong_is_told_to_it_with_its_facts(filled: Run, database: str) -> None:
    with Hub.open(CONFIG, database) as hub:
        notices.alert(
            hub, "task_failed", audience="it", about="dag:hub_kingdee_increment/read_customers", facts={"why": "no right to read"}
        )

    told = filled("notices", "--audience", "it").stdout
    nobody = filled("notices", "--audience", "role:nobody").stdout

    assert "task_failed" in told
    assert "dag:hub_kingdee_increment/read_customers: why no right to read" in told
    assert nobody == "no notices for role:nobody\n"
