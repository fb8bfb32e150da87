"""Programmes that two people could read in two ways, and facts that cannot be: refused whole, with line and fix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from channel.rebates.addressing import refuse_unaddressed
from channel.rebates.errors import BadFacts, BadProgramme
from channel.rebates.loading import load, load_all
from hub_cli.group import hub
from tests.rebates.making import PLAIN, programme, row, run, table, written

OVERLAPPING = """calendar:
 period: custom
 periods: [
  {name: a, from: 2026-01-01, to: 2026-03-01},
  {name: b, from: 2026-02-01, to: 2026-09-01}]"""
ONE_DAY_LOST = """calendar:
 period: custom
 periods: [
  {name: a, from: 2026-01-01, to: 2026-03-31},
  {name: b, from: 2026-04-01, to: 2027-01-01}]"""
GATE = "boundary: at_least\ngates: [{kind: collection, "
GOOD = """\
programme: core
version: 1
name: {zh: 核心, en: Core}
currency: CNY
valid: {from: 2026-01-01, to: 2027-01-01}
participants: all
base: {event: invoice, measure: amount, tax: exclusive, net_of: [return]}
calendar: {period: quarter}
method: retroactive
boundary: at_least
tiers:
  - {from: 0, to: 1000, rate: 1 %}
  - {from: 1000, rate: 2 %}
"""


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("method: retroactive\n", "", "no_method", 1),
        ("base: {event: invoice, measure: amount, tax: exclusive, net_of: [return]}\n", "", "no_base", 1),
        (", net_of: [return]", "", "missing", 7),
        ("tax: exclusive, ", "", "missing", 7),
        ("boundary: at_least\n", "", "no_boundary", 1),
        ("participants: all\n", "participants: {exclude: [D9]}\n", "no_participants", 6),
        ("valid: {from: 2026-01-01, to: 2027-01-01}", "valid: {from: 2026-01-01}", "no_validity", 5),
        ("2026-01-01, to", "0203-01-01, to", "bad_date", 5),
        ("2026-01-01, to: 2027-01-01", "2027-01-01, to: 2027-01-01", "bad_date", 5),
        ("2026-01-01, to", "2026-13-01, to", "bad_date", 5),
        ("from: 1000, rate", "from: 1500, rate", "gap", 13),
        ("from: 1000, rate", "from: 500, rate", "overlap", 13),
        ("from: 1000, rate: 2 %", "from: 1000, rate: 0.5 %", "falling_rate", 13),
        ("rate: 2 %", "rate: 2", "bad_rate", 13),
        ("rate: 2 %", "rate: 2 %, amount: 5", "tier_gives", 13),
        ("rate: 2 %", "name: x", "tier_gives", 13),
        ("rate: 2 %", "per_unit: 3", "tier_gives", 11),
        ("from: 1000, rate", "from: 1000, to: 2000, rate", "open_top", 13),
        ("method: retroactive", "method: per_unit", "method_and_tiers", 12),
        ("method: retroactive", "method: retroactiv", "unknown_word", 9),
        ("method: retroactive", "methode: retroactive", "unknown_field", 9),
        ("currency: CNY", "currency: RMB!", "bad_value", 4),
        ("currency: CNY", "currency: XYZ", "bad_value", 4),
        ("rate: 2 %", "rate: 1e-2", "bad_value", 13),
        ("rate: 2 %", "rate: .inf", "bad_value", 13),
        ("currency: CNY\n", "currency: CNY\ncurrency: USD\n", "twice", 5),
        ("name: {zh: 核心, en: Core}", "name: &a {zh: 核心, en: Core}\nnote: *a", "alias", 3),
        ("version: 1", "version: !!python/object:os.system 1", "tag", 2),
        ("calendar: {period: quarter}", "calendar: {period: custom}", "no_periods", 8),
        ("calendar: {period: quarter}", "calendar: {period: quarter, settle: year}", "settle_too_long", 8),
        (
            "calendar: {period: quarter}",
            OVERLAPPING,
            "overlap",
            12,
        ),
        ("boundary: at_least", "boundary: at_least\ngates: [{kind: collection, otherwise: hold}]", "no_condition", 11),
        ("boundary: at_least", "boundary: at_least\ngates: [{kind: collection, at_least: 90 %}]", "no_outcome", 11),
        ("boundary: at_least", "boundary: at_least\nlimits: {floor: 10, cap: {amount: 5}}", "contradiction", 11),
        ("method: retroactive", "method: growth", "no_method_part", 1),
        ("to: 2027-01-01", "to: 2026-12-31", "last_day", 5),
        ("calendar: {period: quarter}", ONE_DAY_LOST, "gap", 11),
        ("calendar: {period: quarter}", ONE_DAY_LOST, "last_day", 11),
        ("rate: 1 %}", "rate: -1 %}", "bad_rate", 12),
        ("boundary: at_least", f"{GATE}scale: [{{from: 0, to: 50 %, share: 0}}, {{from: 60 %, share: 1}}]}}]", "gap", 11),
        ("boundary: at_least", f"{GATE}scale: [{{from: 50 %, share: 1}}]}}]", "gap", 11),
        ("boundary: at_least", f"{GATE}scale: [{{from: 0, to: 1, share: 1}}]}}]", "open_top", 11),
        ("boundary: at_least", f"{GATE}scale: [{{from: 0, to: 0, share: 0}}, {{from: 0, share: 1}}]}}]", "empty_tier", 11),
        ("boundary: at_least", f"{GATE}at_least: 90, otherwise: zero}}]", "bad_rate", 11),
        ("boundary: at_least", f"{GATE}at_least: -1, otherwise: zero}}]".replace("collection", "complaints"), "bad_value", 11),
        ("boundary: at_least", f"{GATE}at_least: 90, otherwise: zero}}]".replace("collection", "target"), "bad_rate", 11),
        ("boundary: at_least", "boundary: at_least\n? [a]\n: 1", "syntax", 11),
        ("boundary: at_least", "boundary: at_least\nnote: " + "[" * 60 + "]" * 60, "too_deep", 11),
        ("programme: core", "programme: [", "syntax", 3),
    ],
)
def test_a_programme_that_is_not_clear_is_refused_with_line_and_fix(old: str, new: str, code: str, line: int) -> None:
    assert old in GOOD
    with pytest.raises(BadProgramme) as refused:
        load(GOOD.replace(old, new), "core.yaml")

    found = {(flaw.code, flaw.line) for flaw in refused.value.flaws}
    assert (code, line) in found
    assert all(flaw.fix and flaw.file == "core.yaml" for flaw in refused.value.flaws)


def test_the_good_one_is_taken_and_a_bom_with_it() -> None:
    assert load(b"\xef\xbb\xbf" + GOOD.encode(), "core.yaml").programme.programme == "core"


def test_a_programme_in_gbk_is_refused_with_the_fix() -> None:
    with pytest.raises(BadProgramme, match="UTF-8"):
        load(GOOD.encode("gbk"), "core.yaml")


def test_a_misspelt_field_is_told_the_right_one() -> None:
    with pytest.raises(BadProgramme, match="did you mean boundary"):
        load(GOOD.replace("boundary: at_least", "boundry: at_least"))


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ({}, {"programme": "b"}, "no_stacking"),
        ({"stacking": {"order": "1", "base": "gross"}}, {"programme": "b"}, "no_stacking"),
        ({"stacking": {"order": "1", "base": "gross"}}, {"programme": "b", "stacking": {"order": "1", "base": "gross"}}, "no_stacking"),
        ({}, {"version": "2"}, "two_versions"),
    ],
)
def test_programmes_that_touch_the_same_lines_need_an_order(first: dict[str, Any], second: dict[str, Any], code: str) -> None:
    with pytest.raises(BadProgramme) as refused:
        load_all([(written(**first), "a.json"), (written(**second), "b.json")])

    assert {flaw.code for flaw in refused.value.flaws} == {code}


@pytest.mark.parametrize(
    "apart",
    [
        {"participants": ["D9"]},
        {"scope": {"product_lines": ["阀"]}},
        {"scope": {"exclude": {"product_lines": ["泵"]}}},
        {"valid": {"from": "2027-01-01", "to": "2028-01-01"}},
        {"base": {**PLAIN["base"], "event": "sell_out"}},
    ],
)
def test_programmes_that_cannot_touch_need_none(apart: dict[str, Any]) -> None:
    first = {"participants": ["D1"], "scope": {"product_lines": ["泵"]}}

    assert len(load_all([(written(**first), "a.json"), (written(programme="b", **apart), "b.json")])) == 2


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"kind": "sold"}, "unknown_kind"),
        ({"amount": "-1"}, "negative"),
        ({"quantity": "-1"}, "negative"),
        ({"kind": "return"}, "positive"),
        ({"date": "0203-01-01"}, "bad_date"),
        ({"date": "2026-02-30"}, "bad_date"),
        ({"date": ""}, "missing"),
        ({"dealer": ""}, "missing"),
        ({"id": ""}, "missing"),
        ({"amount": "1e5"}, "bad_number"),
        ({"amount": "NaN"}, "bad_number"),
        ({"amount": "1,000"}, "bad_number"),
        ({"amount": "１００"}, "bad_number"),
        ({"amount": ""}, "missing"),
        ({"currency": "rmb"}, "bad_currency"),
        ({"currency": "XYZ"}, "bad_currency"),
        ({"currency": ""}, "bad_currency"),
        ({"revision": "0"}, "bad_revision"),
        ({"recorded_at": "yesterday"}, "bad_time"),
        ({"recorded_at": "0203-01-01"}, "bad_time"),
        ({"tax": "13", "gross": "114"}, "tax"),
        ({"kind": "payment", "amount": ""}, "missing"),
    ],
)
def test_a_fact_that_cannot_be_is_refused_with_its_line(said: dict[str, str], code: str) -> None:
    good = row("1", 100, currency="CNY")
    with pytest.raises(BadFacts) as refused:
        table([good, {**good, "id": "2", **said}])

    assert [(flaw.code, flaw.line) for flaw in refused.value.flaws] == [(code, 3)]
    assert refused.value.flaws[0].fix


def test_every_flaw_is_told_not_only_the_first() -> None:
    with pytest.raises(BadFacts) as refused:
        table([row("1", "x"), row("2", 5), row("3", 5, date="0203-01-01")])

    assert [flaw.line for flaw in refused.value.flaws] == [2, 4]


def test_the_same_revision_twice_is_taken_once_unless_it_says_something_else() -> None:
    assert len(table([row("1", 5), row("1", 5)]).facts) == 1
    with pytest.raises(BadFacts, match="duplicate_id"):
        table([row("1", 5), row("1", 6)])
    assert len(table([row("1", 5), row("1", 6, revision=2)]).facts) == 2


def test_an_unknown_dealer_is_refused_if_the_dealers_are_known() -> None:
    with pytest.raises(BadFacts, match="unknown_dealer"):
        table([row("1", 5, dealer="D7")], dealers=["D1"])


@pytest.mark.parametrize(
    ("said", "changes", "code"),
    [
        ({"currency": "USD"}, {}, "wrong_currency"),
        ({"currency": "USD"}, {"fx": {"date": "event", "rates": [{"currency": "USD", "rate": "7", "from": "2026-06-01"}]}}, "no_rate"),
        ({"unit": "箱"}, {"base": {**PLAIN["base"], "unit": "件"}}, "wrong_unit"),
        ({}, {"base": {**PLAIN["base"], "tax": "inclusive"}}, "missing_side"),
    ],
)
def test_a_line_that_cannot_be_brought_into_the_programmes_terms_is_refused(
    said: dict[str, str], changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(BadFacts) as refused:
        run(programme(**changes), [row("1", 100, **said)])

    assert [(flaw.code, flaw.line) for flaw in refused.value.flaws] == [(code, 2)]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"id,kind,dealer,date,amount\n1,sale,D\xff,2026-01-01,5\n", "encoding"),
        ("id,kind,dealer,date,amount\n1,sale,D1,2026-01-01,5\n".encode("utf-16"), "encoding"),
        (b'id,kind,dealer,date,amount\n1,sale,"D1,2026-01-01,5\n', "quotes"),
        (b"id,kind,dealer,date,amount\n1,sale,D1,2026-01-01\n", "cells"),
        (b"id,kind,date,amount\n1,sale,2026-01-01,5\n", "missing_column"),
        (b"", "empty"),
    ],
)
def test_a_broken_file_leaves_nothing_half_written(raw: bytes, code: str, tmp_path: Path) -> None:
    (tmp_path / "core.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "facts.csv").write_bytes(raw)
    out = tmp_path / "out.json"
    words = ["rebates", "calculate", "--programme", f"{tmp_path}/core.yaml", "--facts", f"{tmp_path}/facts.csv", "--as-of", "2026-12-31"]
    answer = CliRunner().invoke(hub, [*words, "--out", str(out), "--lines", f"{tmp_path}/lines.csv", "--json"])

    assert answer.exit_code == 2
    assert code in {flaw["code"] for flaw in json.loads(answer.output)["error"]["errors"]}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["core.yaml", "facts.csv"]


def test_brackets_without_end_are_refused_and_end_no_process() -> None:
    """The YAML library builds its tree by calling itself: 100,000 brackets ended the process without a word."""
    with pytest.raises(BadProgramme) as refused:
        load("[" * 100_000)

    assert [(flaw.code, flaw.line) for flaw in refused.value.flaws] == [("too_deep", 1)]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("method: retroactive", "method: stepped", "did you mean marginal?"),
        ("method: retroactive", "method: Retrospective", "did you mean retroactive?"),
        ("boundary: at_least", "boundary: inclusive", "did you mean at_least?"),
        ("{period: quarter}", "{period: week}", "did you mean custom with periods"),
        ("participants: all", "participants: D1", "write all, or a list"),
        ("calendar: {period: quarter}", "calendar: quarter", "write {period: year}"),
        ("boundary: at_least", "boundary: at_least\nlimits: {cap: 500}", "write {amount: 500}"),
        ("from: 1000, rate", "from: 1,000, rate", "without a comma for thousands"),
        ("from: 1000, rate", "from: 1001, rate", "boundary: above and the first from: 0"),
        ("rate: 2 %", "amount: 5, step: 10", "write rate"),
        ("method: retroactive", "method: increment", "what each full step gives"),
    ],
)
def test_a_refusal_says_what_was_probably_meant(old: str, new: str, says: str) -> None:
    with pytest.raises(BadProgramme) as refused:
        load(GOOD.replace(old, new))

    assert [flaw for flaw in refused.value.flaws if says in flaw.fix], [flaw.fix for flaw in refused.value.flaws]


@pytest.mark.parametrize(
    ("said", "code", "column"),
    [
        ({"amount": "100", "tax_rate": "13"}, "bad_rate", "tax_rate"),
        ({"amount": "100", "tax": "-13"}, "tax", "tax"),
        ({"kind": "claim", "quantity": "-10"}, "negative", "quantity"),
        ({"kind": "target", "amount": "-1"}, "negative", "amount"),
        ({"kind": "price_change", "product": "P", "old_price": "-5", "new_price": "-6"}, "negative", "old_price"),
        ({"kind": "settlement", "amount": "30"}, "missing", "programme"),
        ({"kind": "payment", "amount": "30"}, "missing", "applies_to"),
        ({"amount": "1", "recorded_at": "1960-01-01"}, "bad_time", "recorded_at"),
        ({"amount": "1", "date": "2026-W01-1"}, "bad_date", "date"),
    ],
)
def test_a_figure_that_would_count_wrong_without_a_word_is_refused(said: dict[str, str], code: str, column: str) -> None:
    with pytest.raises(BadFacts) as refused:
        table([row("1", **said)])

    assert [(flaw.code, flaw.where, flaw.line) for flaw in refused.value.flaws] == [(code, column, 2)]


FITTING = [("core", "2026Q1"), ("other", "any"), ("", "2026-01")]


@pytest.mark.parametrize(("named", "period"), [*FITTING, ("core", "2026-Q1"), ("core", "2026-01"), ("", "Q1")])
def test_a_period_that_no_calendar_has_is_refused(named: str, period: str) -> None:
    """Left out in silence, a settlement would be paid twice."""
    rules, facts = programme(), table([row("t", 5, kind="target", programme=named, period=period)]).facts
    if (named, period) in FITTING:
        refuse_unaddressed(facts, [rules])
        return
    with pytest.raises(BadFacts) as found:
        refuse_unaddressed(facts, [rules], "facts.csv")

    assert [(flaw.code, flaw.line, flaw.fix.startswith("write 2026Q1, 2026Q2")) for flaw in found.value.flaws] == [
        ("unknown_period", 2, True)
    ]


@pytest.mark.parametrize(("bands", "gives"), [("marginal", "rate: 1 %"), ("per_unit_marginal", "per_unit: 10")])
def test_whole_units_from_the_first_one_on_are_not_left_a_unit_short(bands: str, gives: str) -> None:
    """Slabs "1 to 2, 3 to 4" of whole units: the part above 1 leaves the first unit out."""
    head = GOOD[: GOOD.index("tiers:")].replace("measure: amount", "measure: quantity").replace("retroactive", bands)
    text = f"{head}tiers: [{{from: 1, {gives}}}]\n"
    with pytest.raises(BadProgramme) as refused:
        load(text)

    assert [(flaw.code, flaw.line, flaw.fix) for flaw in refused.value.flaws] == [("first_unit", 11, "from: 0")]
    load(text.replace("from: 1", "from: 0"))
