"""`hub performance` on the ledger: publish, load, run, show, explain, rank, stock and tags, as a person and as a script use them."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml
from click.testing import CliRunner

from hub_cli.group import hub
from sync.hub import Hub
from tests.cli.conftest import Run
from tests.cli.running import answer
from tests.hub_api.configured import CONFIG
from tests.performance.making import LINE, written
from tests.performance.trade import Trade, filled

KPIS = [
    {"kpi": "target_completion", "weight": "70", "curve": LINE},
    {"kpi": "overdue_share", "weight": "30", "curve": [{"at": "0", "points": "100"}, {"at": "20 %", "points": "0"}]},
]
TAG = {
    "tag": "payment_risk", "kind": "risk", "name": {"zh": "风险客户", "en": "At risk"}, "when": "any", "clean": "3",
    "conditions": [{"kpi": "overdue_share", "above": "10 %", "clear": "8 %"}],
}  # fmt: skip
CARD = written(peers=["grade", "region"], kpis=KPIS, tags=[TAG], unranked_above="50 %", target="none")


@pytest.fixture
def typed(database: str, tmp_path: Path) -> Run:
    """`hub ARGUMENTS` over a small trade."""
    document = CONFIG.model_dump(mode="json", exclude_defaults=True)
    secrets = {"app_secret": "SECRET", "client_secret": "SECRET", "refresh_token": "SECRET"}
    for system in document["systems"].values():
        system["settings"] = {name: {"env": secrets[name]} if name in secrets else value for name, value in system["settings"].items()}
    file = tmp_path / "hub.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    (tmp_path / "card.json").write_text(CARD, encoding="utf-8")
    with Hub.open(CONFIG, database) as opened:
        assert opened.streams
        trade: Trade = filled(opened)
        trade.invoice("D2", "AR26-OPEN", "9000", "2026-08-20", due="2026-09-20")

    def run(*arguments: str) -> CompletedProcess[str]:
        told = {"HUB_HOME": str(tmp_path), "HUB_CONFIG": str(file), "HUB_DATABASE_URL": database, "SECRET": "x"}
        words = [str(tmp_path / word) if word.endswith((".csv", "card.json")) else word for word in arguments]
        done = CliRunner().invoke(hub, ["performance", *words], env=told)
        return CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)

    return run


def said(typed: Run, *words: str) -> str:
    """What a command prints, when it came out well."""
    done = typed(*words)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def test_a_scorecard_is_published_months_are_kept_and_shown_with_a_bar_a_score(typed: Run) -> None:
    nothing = said(typed, "scorecards")
    said(typed, "publish", "card.json", "--reason", "2026 年度")
    first = answer(typed("run", "--json"))["counts"]
    again = answer(typed("run", "--json"))["counts"]
    board, ranked, trend = said(typed, "show"), said(typed, "rank"), said(typed, "trend", "D2")

    assert "hub performance publish FILE" in nothing
    assert first["results"] == 6 * first["months"]
    assert again == {}
    assert "绍兴鉴湖电气" in board
    assert "payment_risk" in board
    lines = ranked.splitlines()
    assert lines[3] == "core · 浙江   quartiles 22.70 / 40.00 / 60.00"
    assert "████████████████  100.00 %" in lines[5]
    assert [line.split()[4] for line in lines[5:]] == ["D6", "D5", "D4", "D3", "D2", "D1"]
    assert trend.splitlines()[0].startswith("D2 宁波东钱湖传动  ")
    assert "目标完成率" in trend.splitlines()[1]


def test_a_dealers_place_is_explained_down_to_its_documents(typed: Run) -> None:
    said(typed, "publish", "card.json")
    said(typed, "run", "--month", "2026-10")

    text = said(typed, "explain", "D2")
    one = said(typed, "explain", "D2", "--kpi", "overdue_share")
    told = answer(typed("explain", "D2", "--json"))
    missing = typed("explain", "D9", "--json")

    assert "逾期占比 100 %（10170 / 10170）：0 分，权重 30，贡献 0 分。" in text
    assert "AR26-OPEN  2026-08-20  due 2026-09-20  10170" in text
    assert "overdue share 100 % (10170 / 10170)" in one
    assert "现金回款率" not in one
    assert [fact["document"] for fact in told["evidence"].values()] == ["AR26-OPEN"]
    assert missing.returncode == 6


def test_a_month_is_reckoned_again_for_a_reason_only(typed: Run) -> None:
    said(typed, "publish", "card.json")
    said(typed, "run", "--month", "2026-10")

    refused = typed("run", "--month", "2026-10", "--json")
    again = answer(typed("run", "--month", "2026-10", "--reason", "补录", "--json"))
    running = typed("run", "--month", "2099-01", "--json")
    wrong = typed("run", "--month", "2026-13")

    assert (refused.returncode, answer(refused)["error"]["code"]) == (2, "performance/no-reason")
    assert again["revision"] == 2
    assert (running.returncode, answer(running)["error"]["code"]) == (7, "performance/not-over")
    assert wrong.returncode == 2
    assert "revision 2: 补录" in said(typed, "show")


def test_what_no_system_tells_is_loaded_all_files_or_none(typed: Run, tmp_path: Path) -> None:
    good = "id,kind,dealer,date,status\nTS-1,complaint,D2,2026-09-12,valid\n"
    (tmp_path / "facts.csv").write_text(good, encoding="utf-8")
    (tmp_path / "stock.csv").write_text("dealer,product,quantity,lead_days,cover_days\nD9,P1,10,14,30\n", encoding="utf-8")

    refused = typed("load", "--facts", "facts.csv", "--stock", "stock.csv", "--json")
    loaded = answer(typed("load", "--facts", "facts.csv", "--json"))
    again = answer(typed("load", "--facts", "facts.csv", "--json"))

    assert (refused.returncode, answer(refused)["error"]["code"]) == (2, "performance/bad-facts")
    assert (loaded["changed"], again["changed"]) == ({"facts": 1}, {"facts": 0})


def test_stock_on_the_ledger_tells_who_runs_dry_and_who_could_help(typed: Run, tmp_path: Path) -> None:
    stock = (
        "dealer,product,quantity,lead_days,cover_days,region,date\nD1,P1,10,14,30,330100,2026-11-01\nD2,P1,900,14,30,330102,2026-11-01\n"
    )
    (tmp_path / "stock.csv").write_text(stock, encoding="utf-8")
    (tmp_path / "sold.csv").write_text("dealer,product,date,quantity\nD1,P1,2026-08-04,180\nD2,P1,2026-08-04,90\n", encoding="utf-8")
    nothing = said(typed, "stock", "--as-of", "2026-11-01")
    said(typed, "load", "--stock", "stock.csv", "--sellout", "sold.csv", "--as-of", "2026-11-01")

    told = answer(typed("stock", "--as-of", "2026-11-01", "--json"))
    text = said(typed, "stock", "--as-of", "2026-11-01", "--dealer", "D1")
    half = typed("stock", "--stock", "stock.csv")

    # 180 in 90 days are 2 a day; 10 last 5 days of the 14 that goods need: 18 are missing, and D2 has them to spare.
    assert nothing == "0 counts looked at: nothing to do\n"
    assert [(one["dealer"], one["pace"], one["cover_days"], one["warning"], one["from_others"]) for one in told["advice"]] == [
        ("D1", "2", "5", True, 18)
    ]
    assert "transfer 18 of P1 from D2 to D1" in text
    assert half.returncode == 2


def test_a_tag_by_hand_is_shown_until_it_is_taken_back(typed: Run) -> None:
    said(typed, "publish", "card.json")
    said(typed, "tag", "D1", "watch", "--reason", "诉讼中", "--owner", "王芳", "--from", "2026-10-01", "--to", "2027-01-01")
    said(typed, "run", "--month", "2026-10")
    shown = said(typed, "explain", "D1")
    back = said(typed, "tag", "D1", "watch", "--end")
    said(typed, "run", "--month", "2026-10", "--reason", "诉讼结束")
    endless = typed("tag", "D1", "watch", "--reason", "诉讼中", "--owner", "王芳")

    assert "tag watch, by hand: 诉讼中 (王芳, until 2027-01-01)" in shown
    assert back == "watch is taken back\n"
    assert "watch" not in said(typed, "explain", "D1")
    assert "逾期占比 100.00 % (limit 10.00 %)" in said(typed, "tags")
    assert endless.returncode == 2
