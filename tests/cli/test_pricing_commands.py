"""`hub price` on the ledger: rules published, a cart and an order checked, special prices asked for and decided, troubles told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub_cli.group import hub as command
from tests.pricing.stocked import Stocked, connected, price_list, stock

CONFIG = """
companies: [{number: "100", name: 华东销售公司, default: true}]
systems: {}
flows: {}
"""
RULES = "adjustments:\n  - {id: SPRING, rung: promotion, percent: 2%}\n"


class Hub:
    """The command over a stocked ledger."""

    def __init__(self, database: str, folder: Path) -> None:
        self.folder = folder
        (folder / "hub.yaml").write_text(CONFIG, encoding="utf-8")
        self.environment = {"HUB_CONFIG": str(folder / "hub.yaml"), "HUB_DATABASE_URL": database}
        with connected(database) as db:
            self.made: Stocked = stock(db)

    def __call__(self, *words: str, code: int = 0) -> Any:
        """One command; its JSON."""
        done = CliRunner().invoke(command, [*words, "--json"], env=self.environment)
        assert done.exit_code == code, done.output
        return json.loads(done.output)


@pytest.fixture
def hub(database: str, tmp_path: Path) -> Hub:
    return Hub(database, tmp_path)


def test_rules_are_checked_published_listed_and_priced_with(hub: Hub) -> None:
    file = hub.folder / "main.yaml"
    file.write_text(RULES, encoding="utf-8")

    checked = hub("price", "publish", str(file), "--dry-run")
    none = hub("price", "rules")
    published = hub("price", "publish", str(file), "--reason", "2026")
    told = hub("price", "cart", "M001=10", "--dealer", "D-EAST", "--date", "2026-03-15")
    text = hub("price", "rules", "main", "--text")

    assert checked["documents"][0]["version"] == published["documents"][0]["version"] == 1
    assert none == []
    assert (told["status"], told["net"]) == ("priced", "8820.00")
    assert "profit" not in told
    assert "profit" in hub("price", "cart", "M001=10", "--dealer", "D-EAST", "--date", "2026-03-15", "--costs")
    assert text["text"] == RULES
    file.write_text(RULES.replace("promotion", "nowhere"), encoding="utf-8")
    refused = hub("price", "publish", str(file), code=2)
    assert "main.yaml:2" in json.dumps(refused)
    assert len(hub("price", "rules")) == 1


def test_an_answer_is_given_again_by_its_snapshot(hub: Hub) -> None:
    cart = ("price", "cart", "M001=10", "--dealer", "D-EAST", "--date", "2026-03-15")
    first = hub(*cart)
    file = hub.folder / "main.yaml"
    file.write_text(RULES, encoding="utf-8")
    hub("price", "publish", str(file))

    again, now = hub(*cart, "--snapshot", first["snapshot"]), hub(*cart)

    assert again == first
    assert now["net"] != first["net"]
    assert hub("price", "check-order", *cart[2:])["snapshot"] == now["snapshot"]
    hub(*cart, "--snapshot", "9." + "0" * 32, code=6)
    dayless = CliRunner().invoke(command, [*cart[:5], "--snapshot", first["snapshot"]], env=hub.environment)
    assert (dayless.exit_code, "--date" in dayless.output) == (2, True)


def test_an_order_is_checked_and_what_makes_no_price_is_told(hub: Hub) -> None:
    fine = hub("price", "check-order", "M001=1", "--dealer", "D-EAST", "--date", "2026-03-15")
    state = hub("price", "state")
    unknown = hub("price", "cart", "M404=1", "--dealer", "D-EAST", code=2)

    assert fine["ok"]
    assert (state["prices"], state["lists"], state["troubles"]) == (4, 2, [])
    assert "M404" in json.dumps(unknown)


def test_a_special_price_is_asked_for_approved_and_ended(hub: Hub) -> None:
    asked = hub("price", "special", "--dealer", "D-EAST", "--project", str(hub.made.project), "--item", "M001=700@30", "--reason", "竞争")
    approved = hub("price", "special", asked["id"], "--approve")
    told = hub("price", "cart", "M001=10", "--dealer", "D-EAST", "--project", str(hub.made.project), "--date", "2026-03-15")
    ended = hub("price", "special", asked["id"], "--end", "丢单")
    twice = hub("price", "special", asked["id"], "--approve", code=7)

    assert (asked["state"], approved["state"], ended["state"]) == ("asked", "approved", "ended")
    assert told["lines"][0]["price_kind"] == "deal"
    assert twice["error"]["code"] == "pricing/special-state"
    assert [row["id"] for row in hub("price", "special")] == [asked["id"]]


def test_a_special_price_may_have_a_ceiling_of_money_and_a_company(hub: Hub) -> None:
    wanted = ("price", "special", "--dealer", "D-EAST", "--project", str(hub.made.project), "--item", "M001=700")

    asked = hub(*wanted, "--ceiling-amount", "7000", "--company", "100")
    shown = CliRunner().invoke(command, ["price", "special", asked["id"]], env=hub.environment).output

    assert (asked["ceiling_amount"], asked["company"]) == ("7000", "100")
    assert "0 of 7000 CNY used in all" in shown


TYPED = {
    "a quantity with an exponent": ("cart", "M001=1e5"),
    "a quantity that is none": ("cart", "M001=NaN"),
    "a currency that is none": ("cart", "M001=1", "--currency", "RMB元"),
    "a year in the past": ("cart", "M001=1", "--date", "0203-01-05"),
    "a price that is none": ("special", "--dealer", "D-EAST", "--project", "P", "--item", "M001=NaN"),
    "a ceiling that is none": ("special", "--dealer", "D-EAST", "--project", "P", "--item", "M001=7@x"),
    "an amount that is none": ("special", "--dealer", "D-EAST", "--project", "P", "--item", "M001=7", "--ceiling-amount", "-1"),
}


@pytest.mark.parametrize("words", TYPED.values(), ids=TYPED)
def test_what_is_typed_wrong_is_told_as_wrong_usage(words: tuple[str, ...], tmp_path: Path) -> None:
    environment = {"HUB_CONFIG": str(tmp_path / "none.yaml"), "HUB_DATABASE_URL": ""}
    (tmp_path / "none.yaml").write_text(CONFIG, encoding="utf-8")
    done = CliRunner().invoke(command, ["price", *words], env=environment)

    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output


def test_a_list_that_makes_no_price_is_told_by_its_number(hub: Hub, database: str) -> None:
    with connected(database) as db:
        price_list(db, "XSJMB0008", "门店价", None, {"M001": (hub.made.pump, "950")}, currency="")
    done = CliRunner().invoke(command, ["price", "state"], env=hub.environment)

    assert done.exit_code == 3
    assert "\nXSJMB0008: " in done.output


def test_the_hourly_run_keeps_a_version_and_tells_nobody_of_the_first(hub: Hub) -> None:
    first = hub("price", "announce")
    again = hub("price", "announce")

    assert (first["status"], again["status"]) == ("done", "done")
    assert again["counts"].get("dealers_told", 0) == 0
