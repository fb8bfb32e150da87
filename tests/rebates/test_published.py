"""Worked examples that others published, with their own figures and the place they stand at. Where a source errs, the strict answer."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from channel.rebates.claiming import Claim, claims
from channel.rebates.claims import Claimed
from channel.rebates.loading import load
from channel.rebates.programme import Programme
from tests.rebates.making import PLAIN, one, programme, row, table

YEAR = {"calendar": {"period": "year"}}
BY_QUANTITY = {"base": {"event": "invoice", "measure": "quantity", "tax": "exclusive", "net_of": ["return"]}, **YEAR}
UNITS = [{"from": "0", "to": "2", "per_unit": "10"}, {"from": "2", "to": "4", "per_unit": "20"}, {"from": "4", "per_unit": "30"}]
SECTIONS = [{"from": "0", "to": "100", "rate": "10 %"}, {"from": "100", "to": "300", "rate": "20 %"}, {"from": "300", "rate": "30 %"}]
INVOICE = [row("1", 300, product="v1"), row("2", 500, product="v2"), row("3", 1000, product="p1"), row("4", 2000, product="p2")]


def paid(rules: Programme, rows: list[dict[str, Any]]) -> str:
    return f"{one(rules, rows).payable:f}"


@pytest.mark.parametrize(
    ("back", "left"),
    [(0, "120.00"), (2, "60.00"), (3, "40.00")],
    ids=["three sales of 2", "a return of 2 takes 60", "a return of 3 takes 80"],
)
def test_netsuite_returns_take_the_highest_units_first(back: int, left: str) -> None:
    """docs.oracle.com, NetSuite, returns associated with volume rebates: units 1 to 2 at 10, 3 to 4 at 20, 5 to 8 at 30."""
    rules = programme(method="per_unit_marginal", boundary="above", tiers=UNITS, **BY_QUANTITY)
    rows = [row(str(at), quantity=2) for at in range(3)]
    rows += [row("r", kind="return", quantity=-back)] if back else []

    assert paid(rules, rows) == left


@pytest.mark.parametrize(
    ("method", "scope", "earned"),
    [
        # 100 x 10 % + 200 x 20 % + 3,500 x 30 %: the module asserts 1,120, counting the lower edges twice
        ("marginal", {}, "1100.00"),
        ("retroactive", {}, "1140.00"),
        ("marginal", {"products": ["p1"]}, "260.00"),
        ("retroactive", {"products": ["p1"]}, "300.00"),
    ],
)
def test_odoo_sections(method: str, scope: dict[str, Any], earned: str) -> None:
    """OCA/agreement, agreement_rebate: sections to 100, 300 and 6,000 on an invoice of 3,800, or on one product's 1,000."""
    assert paid(programme(method=method, tiers=SECTIONS, scope=scope, **YEAR), INVOICE) == earned


def test_slabs_of_whole_units() -> None:
    """claimds.com, first rebate agreement: 0-1,000 units at 1 %, 1,001-5,000 at 1.5 %, 5,001 and more at 2 %; 10 each."""
    slabs = [{"from": "0", "to": "1000", "rate": "1.0%"}, {"from": "1000", "to": "5000", "rate": "1.5%"}, {"from": "5000", "rate": "2.0%"}]
    rules = programme(boundary="above", tiers=slabs, **BY_QUANTITY)
    found = {units: paid(rules, [row("1", units * 10, quantity=units)]) for units in (1000, 1001, 5000, 5001)}

    assert found == {1000: "100.00", 1001: "150.15", 5000: "750.00", 5001: "1000.20"}


@pytest.mark.parametrize(
    ("method", "tiers", "base", "earned"),
    [
        ("fixed", [{"from": "100000", "amount": "1000"}], 110_000, "1000.00"),
        ("fixed", [{"from": "100000", "amount": "1000"}], 90_000, "0.00"),
        ("increment", [{"from": "100000", "amount": "100", "step": "10000"}], 125_000, "200.00"),
        ("linear", [{"from": "100000", "amount": "1000"}, {"from": "200000", "amount": "3000"}], 150_000, "2000.00"),
        ("linear", [{"from": "100000", "amount": "1000"}, {"from": "200000", "amount": "3000"}], 250_000, "3000.00"),
        ("linear", [{"from": "100000", "rate": "1 %"}, {"from": "200000", "rate": "3 %"}], 150_000, "3000.00"),
    ],
)
def test_pricefx_types(method: str, tiers: list[dict[str, str]], base: int, earned: str) -> None:
    """pricefx.atlassian.net, rebate types: a single target, full increments, and the straight line between two targets."""
    assert paid(programme(method=method, tiers=tiers, **YEAR), [row("1", base)]) == earned


def test_a_rate_per_unit_on_the_straight_line() -> None:
    """Half way from 2 at 100 units to 4 at 200: 3 a unit."""
    tiers = [{"from": "100", "per_unit": "2"}, {"from": "200", "per_unit": "4"}]

    assert paid(programme(method="linear", tiers=tiers, **BY_QUANTITY), [row("1", 9, quantity=150)]) == "450.00"


@pytest.mark.parametrize(("spent", "earned"), [(6_000, "300.00"), (8_000, "400.00"), (20_000, "1500.00")])
def test_phocas_percentage_brackets(spent: int, earned: str) -> None:
    """docs.phocassoftware.com, calculation methods: 5 % to 10,000 and 10 % to 50,000."""
    tiers = [{"from": "0", "rate": "5 %"}, {"from": "10000", "to": "50000", "rate": "10 %"}]

    assert paid(programme(method="marginal", tiers=tiers, above_top="cap", **YEAR), [row("1", spent)]) == earned


def test_phocas_retrospective_growth() -> None:
    """A vendor page prints 127,850.96 as 20 % of 740,044.18; it is 148,008.84."""
    growth = {"tier_on": "percent", "pays_on": "whole", "bands": "retroactive", "baseline": "given"}
    rules = programme(method="growth", growth=growth, tiers=[{"from": "0 %", "rate": "10 %"}, {"from": "5 %", "rate": "20 %"}], **YEAR)

    assert paid(rules, [row("1", "740044.18"), row("b", 621_238, kind="baseline")]) == "148008.84"


def test_a_quarterly_rebate_on_what_is_paid_to_date_less_what_was_paid() -> None:
    """7abk.cn, 返利的公式: each quarter pays the rate reached on all paid since January, less the quarters before."""
    tiers = [{"from": "0", "rate": "1 %"}, {"from": "1000000", "rate": "2 %"}, {"from": "3000000", "rate": "3 %"}]
    rules = programme(tiers=tiers, base={"event": "payment", "measure": "amount", "tax": "exclusive", "net_of": []}, **YEAR)
    sales = [row(f"s{month}", 800_000, document=f"I{month}", date=f"2026-{month:02}-05") for month in (1, 4, 7, 10)]
    paid_in = [row(f"p{month}", 800_000, kind="payment", applies_to=f"I{month}", date=f"2026-{month + 1:02}-01") for month in (1, 4, 7, 10)]
    settled: list[dict[str, Any]] = []
    found = []
    for month, last in ((3, 31), (6, 30), (9, 30), (12, 31)):
        result = one(rules, [*sales, *paid_in, *settled], as_of=date(2026, month, last))
        found.append(f"{result.payable:f}")
        settled.append(row(f"x{month}", result.payable, kind="settlement", programme="core", period="2026", date=f"2026-{month:02}-28"))

    assert found == ["8000.00", "24000.00", "16000.00", "48000.00"]


def test_a_basket_pays_only_if_every_product_reaches_its_own_threshold() -> None:
    """claimds.com, the basket basis."""
    gates = [
        {"kind": "mix_quantity", "focus": {"products": [name]}, "at_least": least, "otherwise": "zero"}
        for name, least in (("A", "100"), ("B", "50"))
    ]
    rules = programme(tiers=[{"from": "0", "rate": "2 %"}], gates=gates, **YEAR)
    full = [row("1", 1000, quantity=100, product="A"), row("2", 500, quantity=50, product="B")]

    assert paid(rules, full) == "30.00"
    assert paid(rules, [full[0], row("2", 490, quantity=49, product="B")]) == "0.00"


@pytest.mark.parametrize(
    ("said", "contract", "payable"),
    [
        ({"formula": "difference"}, "18", "200.00"),
        ({"formula": "per_unit", "amount": "1.5"}, "", "150.00"),
        ({"formula": "rate", "rate": "10 %"}, "", "200.00"),
    ],
    ids=["down to 18", "down by 1.5", "down by 10 %"],
)
def test_sap_ship_and_debit_of_100_at_20(said: dict[str, str], contract: str, payable: str) -> None:
    """help.sap.com, distributor reseller management: down to a price, down by an amount, down by a rate."""
    kept = {name: PLAIN[name] for name in ("programme", "version", "name", "currency", "valid", "participants")}
    rules = load(json.dumps({"type": "ship_and_debit", **kept, **said})).programme
    assert isinstance(rules, Claimed)
    facts = table([row("k", kind="claim", quantity=100, cost_price=20, contract_price=contract)])
    found: list[Claim] = claims(rules, facts, as_of=date(2026, 12, 31))[0]

    assert [f"{claim.payable:f}" for claim in found] == [payable]


# What no published example holds apart ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bought", "per", "free"), [(250, "100", 4), (99, "100", 0), (250, None, 2)])
def test_free_goods_for_each_full_hundred_or_once(bought: int, per: str | None, free: int) -> None:
    goods = {"product": "FREE", "quantity": "2", "unit_value": "35", **({"per": per} if per else {})}
    rules = programme(method="fixed", tiers=[{"from": "1", "goods": goods}], settlement={"ways": ["goods"]}, **BY_QUANTITY)
    result = one(rules, [row("1", quantity=bought)])

    assert (result.cell.earned.goods, result.earned) == (Fraction(free), Decimal(free * 35))


def test_rolling_by_the_unit_goes_on_beyond_the_last_tier() -> None:
    """5 units: 2 at 10, 4 at 20 and all 5 at 30."""
    assert paid(programme(method="rolling", boundary="above", tiers=UNITS, **BY_QUANTITY), [row("1", 9, quantity=5)]) == "250.00"


@pytest.mark.parametrize(("negative", "rated"), [("zero", 0), ("allowed", -10)])
def test_a_base_below_zero_is_rated_only_where_that_is_allowed(negative: str, rated: int) -> None:
    rules = programme(tiers=[{"from": "0", "rate": "1 %"}], settlement={"negative": negative}, **YEAR)

    assert one(rules, [row("1", -1000, kind="return")]).cell.rated == rated
