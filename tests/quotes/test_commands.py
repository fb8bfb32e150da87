"""`hub quotes` as a person and as a script: one session through the whole life of a quote, as docs/quotes.md tells it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from hub_cli.group import hub as command
from tests.pricing.test_papers import cells
from tests.quotes.shop import CONFIG, RULES, Shop

Run = Callable[..., Any]
PAGE = (Path(__file__).parents[2] / "docs" / "quotes.md").read_text(encoding="utf-8")
FILE = PAGE.split("```yaml quote\n")[1].split("```")[0]
"""The example of the page."""


@pytest.fixture
def run(shop: Shop, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command on the shop's database, as 李雷."""
    monkeypatch.setenv("HUB_USER", "李雷")
    config = tmp_path / "hub.yaml"
    config.write_text(yaml.safe_dump(CONFIG, allow_unicode=True), encoding="utf-8")
    assert shop.company

    def go(*words: Any, code: int = 0, plain: bool = False, user: str = "李雷") -> Any:
        monkeypatch.setenv("HUB_USER", user)
        given = ["--config", str(config), "--home", str(tmp_path / "home"), "--database", database, *map(str, words)]
        done = CliRunner().invoke(command, given if plain else [*given, "--json"])
        assert done.exit_code == code, done.output
        return done.output if plain else json.loads(done.output)

    return go


def test_the_session_of_the_page(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "泵站报价.yaml"
    file.write_text(FILE, encoding="utf-8")

    number = run("quotes", "new", file)["number"]
    asked = run("quotes", "submit", number, code=4)
    (question,) = run("approvals", code=4)
    run("approvals", question["id"], "approved", "--reason", "老客户", user="王经理")
    sent = run("quotes", "send", number)
    paper = run("quotes", "paper", number, tmp_path / "报价单.xlsx", "--lang", "en")
    accepted = run("quotes", "accept", number)
    again = run("quotes", "accept", number)
    listed = run("quotes", "list", "--state", "accepted")
    shown = run("quotes", "show", number, plain=True)

    assert (asked["authority"]["level"], asked["state"], sent["state"]) == (1, "submitted", "sent")
    assert cells(Path(paper["written"]).read_bytes())[0][0] == "Quotation"
    assert accepted["order_id"] == again["order_id"]
    assert (accepted["new"], again["new"]) == (True, False)
    assert [one["number"] for one in listed] == [number]
    assert "approve v1 -> approved  cli:王经理: 老客户" in shown
    assert "手工折扣 1000.00 on line 1" in shown
    assert "+08  draft v1 -> draft" in shown


def test_a_lost_quote_its_habits_and_its_history(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "q.yaml"
    file.write_text(yaml.safe_dump({"dealer": "D-EAST", "lines": [{"item": "PUMP-50", "quantity": "10", "manual": {
        "percent": "4", "reason": "competitor", "text": "对手报价低"}}]}), encoding="utf-8")  # fmt: skip
    number = run("quotes", "new", file)["number"]
    run("quotes", "submit", number)
    run("quotes", "send", number)

    waiting = run("quotes", "list", "--waiting", 0, code=3)
    lost = run("quotes", "lose", number, "--reason", "competitor", "--text", "低 8 %")
    (habit,) = run("quotes", "habits")
    (offered,) = run("quotes", "history", "PUMP-50")
    copied = run("quotes", "copy", number, "--dealer", "D-WEST")

    assert [one["number"] for one in waiting] == [number]
    assert (lost["state"], lost["lost_reason"]) == ("lost", "competitor")
    assert (habit["name"], habit["quotes"], habit["lost"], habit["discount"], habit["percent"]) == ("cli:李雷", 1, 1, "400", "4.00")
    assert (offered["outcome"], offered["reason"], offered["price"]) == ("lost", "competitor", "1084.8000")
    assert (copied["state"], copied["total"]) == ("draft", "10848.00")


def test_the_longest_waiting_are_named_however_many_were_sent_since(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "q.yaml"
    file.write_text(yaml.safe_dump({"dealer": "D-EAST", "lines": [{"item": "PUMP-50", "quantity": "1"}]}), encoding="utf-8")
    numbers = [run("quotes", "new", file)["number"] for _ in range(2)]
    for number in numbers:
        run("quotes", "submit", number)
        run("quotes", "send", number)

    waiting = run("quotes", "list", "--waiting", 0, "--limit", 1, code=3)

    assert [one["number"] for one in waiting] == numbers[:1]


def test_a_trace_is_priced_again_from_what_it_pins(run: Run, shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "q.yaml"
    file.write_text(FILE, encoding="utf-8")
    number = run("quotes", "new", file)["number"]
    shop.publish(RULES.replace('price: "1000"', 'price: "1100"'))

    told = run("quotes", "trace", number, "--replay")
    costs = run("quotes", "trace", number, "--costs")

    assert (told["replay"]["same"], "profit" in told) == (True, False)
    assert costs["profit"]["margin"]


def test_mistakes_are_told_with_their_line_and_exit_codes_can_be_trusted(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "q.yaml"
    file.write_text("dealer: D-EAST\nlinse: []\n", encoding="utf-8")

    wrong = run("quotes", "new", file, code=2)["error"]
    missing = run("quotes", "show", "QT-2099-000001", code=6)["error"]
    file.write_text("dealer: D-NOBODY\nlines: [{item: PUMP-50, quantity: 1}]\n", encoding="utf-8")
    nobody = run("quotes", "new", file, code=2)["error"]

    assert [one["where"].rpartition(":")[2] for one in wrong["errors"]][-1] == "2"
    assert "did you mean lines?" in str(wrong["errors"])
    assert missing["code"] == "quotes/not-found"
    assert (nobody["code"], nobody["next_step"]) == ("quotes/bad-offer", "give its number, hub key or id")
