"""Millions of lines in sets: the same to the fen as the calculation line by line, whatever the method, the returns and the revisions."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

duckdb = pytest.importorskip("duckdb")

from channel.rebates.bulk import Bulk, NeedsLines  # noqa: E402
from channel.rebates.calculating import calculate  # noqa: E402
from channel.rebates.errors import BadFacts  # noqa: E402
from channel.rebates.facts import COLUMNS, Fact, Table  # noqa: E402
from channel.rebates.loading import load  # noqa: E402
from channel.rebates.programme import Programme  # noqa: E402
from hub_cli import rebates_bulk  # noqa: E402
from hub_cli.rebates import rebates  # noqa: E402

AS_OF = date(2026, 11, 20)
SHAPES = {
    "retroactive": "{from: 0, rate: 1 %}, {from: 3000, rate: 2.5 %}, {from: 9000, rate: 4 %}",
    "marginal": "{from: 1000, rate: 1.25 %}, {from: 3000, rate: 2.5 %}, {from: 9000, rate: 4 %}",
    "rolling": "{from: 0, to: 1000, rate: 10 %}, {from: 1000, to: 2500, rate: 25 %}, {from: 2500, rate: 30 %}",
    "total": "{from: 0, rate: 1 %}, {from: 3000, rate: 2 %}",
    "fixed": "{from: 1000, amount: 33.33}, {from: 5000, amount: 100}",
    "fixed_each": "{from: 1000, amount: 33.33}, {from: 5000, amount: 100}",
}


def programme(method: str = "retroactive", *, scope: str = "{}", by: str = "[dealer, product_line]", more: str = "") -> Programme:
    text = f"""
programme: bulk
version: 1
name: 批量
currency: CNY
valid: {{from: 2026-01-01, to: 2027-01-01}}
participants: all
scope: {scope}
base: {{event: invoice, measure: amount, tax: exclusive, net_of: [returns, credits]}}
calendar: {{period: quarter}}
grouping: {{by: {by}}}
method: {method}
boundary: at_least
tiers: [{SHAPES[method]}]
{more}
"""
    found = load(text).programme
    assert isinstance(found, Programme)
    return found


def made(seed: int, lines: int = 400) -> list[Fact]:
    """Sales with returns, some corrected afterwards; few dealers, so that each has many lines."""
    rng = random.Random(seed)
    facts: list[Fact] = []
    for at in range(lines):
        back = rng.random() < 0.2
        fen = rng.randint(1, 90_000)
        amount = Decimal(-fen if back else fen).scaleb(-2)
        for revision in range(1, 2 + (rng.random() < 0.1)):
            facts.append(
                Fact(
                    f"L{at:05}",
                    "return" if back else "sale",
                    f"经销商{rng.randint(1, 4)}" if revision == 1 else facts[-1].dealer,
                    date(2026, rng.randint(1, 12), rng.randint(1, 28)),
                    revision,
                    amount=amount * revision,
                    quantity=Decimal(-1 if back else 1),
                    currency="CNY",
                    product_line=rng.choice(["泵", "阀"]),
                    region=rng.choice(["3101", "3201", "4403"]),
                )
            )
    return facts


def stored(facts: list[Fact], path: Path) -> Path:
    """The facts as a Parquet file."""
    db = duckdb.connect()
    db.execute(
        "CREATE TABLE f (id VARCHAR, kind VARCHAR, dealer VARCHAR, date DATE, revision INTEGER, amount DECIMAL(18, 2), currency VARCHAR, "
        "product_line VARCHAR, region VARCHAR)"
    )
    rows = [(f.id, f.kind, f.dealer, f.date, f.revision, f.amount, f.currency, f.product_line, f.region) for f in facts]
    db.executemany("INSERT INTO f VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    db.execute(f"COPY f TO '{path}' (FORMAT parquet)")
    return path


@pytest.mark.parametrize("method", SHAPES)
@pytest.mark.parametrize(("seed", "zeros"), [(1, 0), (2, 0), (3, 6)], ids=["yuan", "yuan again", "millions, whose products need 128 bits"])
def test_sums_and_shares_are_those_of_the_calculation_line_by_line(method: str, seed: int, zeros: int, tmp_path: Path) -> None:
    facts = [replace(fact, amount=fact.amount.scaleb(zeros)) for fact in made(seed) if fact.amount is not None]
    wanted = programme(method, scope="{regions: [31, 32], exclude: {product_lines: [无]}}")
    exact = calculate([wanted], Table(tuple(facts), COLUMNS - {"invoice_date"}), as_of=AS_OF)
    engine = Bulk(stored(facts, tmp_path / "facts.parquet"))

    engine.rate(wanted, AS_OF)
    cells = {(cell.dealer, cell.scope, cell.period): cell for cell in engine.cells()}
    written = engine.share_out(wanted, tmp_path / "lines", batches=2)

    expected = {(one.dealer, tuple(one.scope.values()), one.span.name): one for one in exact.results}
    assert {key: cell.earned for key, cell in cells.items()} == {key: one.earned for key, one in expected.items()}
    assert {key: cell.tier for key, cell in cells.items()} == {
        key: 0 if one.cell.earned.tier is None else one.cell.earned.tier + 1 for key, one in expected.items()
    }
    shares = {share.line.fact.id: share.entitled for one in exact.results for share in one.shares}
    found: dict[str, Any] = dict(engine.db.execute(f"SELECT id, rebate FROM read_parquet('{tmp_path}/lines/*.parquet')").fetchall())
    assert written == len(found)
    assert {key: part for key, part in found.items() if part} == {key: part for key, part in shares.items() if part}


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_late_lines_and_corrections_give_what_all_lines_give(seed: int, tmp_path: Path) -> None:
    facts = made(seed)
    wanted = programme("marginal")
    late = {fact.id for fact in facts[-60:]}
    first = [fact for fact in facts if fact.id not in late and fact.revision == 1]
    kept, whole = Bulk(stored(first, tmp_path / "first.parquet")), Bulk(stored(facts, tmp_path / "all.parquet"))
    more = stored([fact for fact in facts if fact.id in late or fact.revision > 1], tmp_path / "late.parquet")
    kept.rate(wanted, AS_OF)
    whole.rate(wanted, AS_OF)

    touched = kept.add(wanted, more)

    def of(engine: Bulk) -> dict[Any, Any]:
        return {(cell.dealer, cell.scope, cell.period): (cell.base, cell.lines, cell.tier, cell.earned) for cell in engine.cells()}

    assert 0 < touched <= len(of(whole))
    assert of(kept) == of(whole)
    assert kept.share_out(wanted, tmp_path / "kept") == whole.share_out(wanted, tmp_path / "whole")
    query = "SELECT id, rebate FROM read_parquet('{}/*.parquet') ORDER BY id"
    assert kept.db.execute(query.format(tmp_path / "kept")).fetchall() == whole.db.execute(query.format(tmp_path / "whole")).fetchall()


def test_a_wrong_late_line_leaves_the_sums_as_they_were(tmp_path: Path) -> None:
    kept = Bulk(stored(made(1, 50), tmp_path / "facts.parquet"))
    kept.rate(programme(), AS_OF)
    before = list(kept.cells())
    bad = [Fact("BAD", "sale", "经销商1", date(2026, 3, 1), amount=Decimal(-1), currency="CNY", product_line="泵")]

    with pytest.raises(BadFacts, match="bad.parquet:1: amount"):
        kept.add(programme(), stored(bad, tmp_path / "bad.parquet"))

    assert list(kept.cells()) == before


def test_what_needs_more_than_sums_is_named(tmp_path: Path) -> None:
    engine = Bulk(stored(made(1, 10), tmp_path / "facts.parquet"))

    with pytest.raises(NeedsLines, match="has bounds"):
        engine.rate(programme(more="limits: {cap: {amount: 100}}"), AS_OF)


def test_bad_lines_are_refused_by_name(tmp_path: Path) -> None:
    facts = made(1, 10)
    facts.append(Fact("BAD", "sale", "经销商1", date(2026, 3, 1), amount=Decimal(-1), currency="CNY", product_line="泵"))
    engine = Bulk(stored(facts, tmp_path / "facts.parquet"))

    with pytest.raises(BadFacts, match="facts.parquet:1[0-9]: amount: a sale of -1.00"):
        engine.rate(programme(), AS_OF)


def of(identity: str, **changes: Any) -> Fact:
    return Fact(
        **{
            "id": identity,
            "kind": "sale",
            "dealer": "经销商1",
            "date": date(2026, 3, 1),
            "amount": Decimal(1),
            "currency": "CNY",
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (of("BAD", date=date(203, 3, 1)), "date: 0203-03-01 is not between 2000-01-01 and 2100-01-01"),
        (of("BAD", kind="sell"), "kind: 'sell' is no kind of fact"),
        (of("BAD", dealer=""), "dealer: the dealer is empty"),
        (of("L00001", amount=Decimal(7)), "L00001 (revision 1 says something else on line|is there twice)"),
        (of("BAD", currency="USD"), "BAD: USD, but programme bulk@1 is in CNY"),
    ],
    ids=["year", "kind", "dealer", "twice", "currency"],
)
def test_what_cannot_be_is_refused_in_the_first_file_and_in_a_late_one(bad: Fact, said: str, tmp_path: Path) -> None:
    facts = made(1, 10)
    whole, kept = Bulk(stored([*facts, bad], tmp_path / "all.parquet")), Bulk(stored(facts, tmp_path / "facts.parquet"))
    kept.rate(programme(), AS_OF)
    before = list(kept.cells())

    with pytest.raises(BadFacts, match=said):
        whole.rate(programme(), AS_OF)
    with pytest.raises(BadFacts, match=said):
        kept.add(programme(), stored([bad], tmp_path / "late.parquet"))
    assert list(kept.cells()) == before


def asked(rules: Programme, folder: Path, *more: str) -> list[str]:
    """The words that calculate a programme on the facts of a folder."""
    said = rules.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    (folder / "rules.json").write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    return ["calculate", "--programme", f"{folder}/rules.json", "--facts", f"{folder}/facts.parquet", "--as-of", str(AS_OF), *more]


def test_the_command_sums_many_lines_of_a_parquet_file_in_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(made(5, 60), tmp_path / "facts.parquet")

    def run(name: str, *more: str) -> list[dict[str, str]]:
        out = tmp_path / name
        done = CliRunner().invoke(rebates, asked(programme(), tmp_path, "--out", str(out), *more))
        assert done.exit_code == 0, done.output
        return list(csv.DictReader(out.open(encoding="utf-8")))

    exact = run("exact.csv")
    monkeypatch.setattr(rebates_bulk, "MANY", 1)
    bulk = run("bulk.csv", "--lines", str(tmp_path / "lines.csv"))

    columns = ("dealer", "scope", "period", "period_from", "period_to", "base_amount", "read", "tier", "earned", "payable", "accrued")
    assert [[row[name] for name in columns] for row in bulk] == [[row[name] for name in columns] for row in exact]
    shares = list(csv.DictReader((tmp_path / "lines.csv").open(encoding="utf-8")))
    assert sum(Decimal(row["rebate"]) for row in shares) == sum(Decimal(row["payable"]) for row in bulk)


# The same file, in sets and line by line ----------------------------------------------------------------------------------------

PLAIN = {"id": "'1'", "kind": "'sale'", "dealer": "'A'", "date": "DATE '2026-02-01'", "amount": "1234.565::DECIMAL(18,3)"}
UNUSUAL: dict[str, dict[str, str]] = {
    "whole numbers": {"amount": "1234"}, "wide whole numbers": {"amount": "123456789012::BIGINT"}, "text": {"amount": "'1234.56'"},
    "blanks around a number": {"amount": "' 1234.5 '"}, "an exponent": {"amount": "'1e5'"}, "thousands": {"amount": "'1,000'"},
    "no number": {"amount": "'NaN'"}, "a binary float": {"amount": "1234.5::DOUBLE"}, "finer": {"amount": "1234.00505::DECIMAL(18,5)"},
    "fine zeros": {"amount": "1234.0050000000::DECIMAL(38,10)"}, "huge": {"amount": "99999999999999.9999::DECIMAL(18,4)"},
    "vast": {"amount": "999999999999999999999999.99::DECIMAL(38,2)"}, "below zero": {"amount": "-5.00::DECIMAL(18,2)"},
    "a return above zero": {"kind": "'return'"}, "no amount": {"amount": "NULL::DECIMAL(18,2)"},
    "no amount, but a quantity": {"amount": "NULL::DECIMAL(18,2)", "quantity": "5"},
    "midnight": {"date": "TIMESTAMP '2026-02-01 00:00:00'"}, "noon": {"date": "TIMESTAMP '2026-02-01 12:00:00'"},
    "a zone": {"date": "TIMESTAMPTZ '2026-02-01 00:00:00+00'"}, "a day as text": {"date": "'2026-02-01'"},
    "a compact day": {"date": "'20260201'"}, "no such day": {"date": "'2026-02-30'"}, "a slashed day": {"date": "'2026/02/01'"},
    "a day as a number": {"date": "20260201"}, "the year 0203": {"date": "DATE '0203-02-01'"}, "no day": {"date": "NULL::DATE"},
    "another day": {"date": "NULL::DATE", "invoice_date": "DATE '2026-02-03'"}, "a far due date": {"due_date": "DATE '0203-01-01'"},
    "an unknown kind": {"kind": "'Sale'"}, "blanks around a kind": {"kind": "' sale '"}, "blanks around a dealer": {"dealer": "' A '"},
    "a dealer of blanks": {"dealer": "'  '"}, "an ideographic blank": {"dealer": "'A　'"}, "a numbered dealer": {"dealer": "7"},
    "no dealer": {"dealer": "NULL::VARCHAR"}, "a numbered id": {"id": "7"},
    "a uuid": {"id": "'0b3c5f1e-0000-4000-8000-0000000000aa'::UUID"},
    "an id of blanks": {"id": "'  '"}, "a negative quantity": {"quantity": "-1"}, "no such quantity": {"quantity": "'x'"},
    "RMB": {"currency": "'RMB'"}, "XYZ": {"currency": "'XYZ'"},
    "no currency": {"currency": "NULL::VARCHAR"}, "dollars": {"currency": "'USD'"},
    "small letters": {"currency": "'cny'"}, "tax that does not add up": {"tax": "1.00::DECIMAL(18,2)", "gross": "5.00::DECIMAL(18,2)"},
    "a tax rate of 13": {"tax_rate": "13"}, "a tax rate in percent": {"tax_rate": "'13 %'"}, "a tax rate in words": {"tax_rate": "'13'"},
    "revision 0": {"revision": "0"}, "no revision": {"revision": "NULL::INTEGER"}, "a revision as text": {"revision": "'1'"},
    "a payment of no document": {"kind": "'payment'"}, "a payment": {"kind": "'payment'", "applies_to": "'I1'"},
    "a settlement": {"kind": "'settlement'", "programme": "'bulk'", "amount": "5"}, "a nameless settlement": {"kind": "'settlement'"},
    "a target of a period that is none": {"kind": "'target'", "period": "'2026-Q1'"}, "a negative price": {"cost_price": "-1"},
    "recorded on a day": {"recorded_at": "DATE '2026-02-15'"}, "recorded at a time": {"recorded_at": "TIMESTAMP '2026-02-15 20:30:00'"},
    "recorded in a zone": {"recorded_at": "TIMESTAMPTZ '2026-02-15 12:30:00+00'"}, "recorded in text": {"recorded_at": "'2026-02-15'"},
    "recorded later": {"recorded_at": "TIMESTAMP '2026-02-15 23:30:00'"}, "never recorded": {"recorded_at": "NULL::TIMESTAMP"},
    "recorded in 1960": {"recorded_at": "TIMESTAMP '1960-02-15 20:30:00'"}, "no time": {"recorded_at": "'soon'"},
    "void": {"status": "'void'"}, "of another event": {"event": "'order'"}, "capitals": {'"Dealer"': "'A'"},
}  # fmt: skip


@pytest.mark.parametrize("tax", ["exclusive", "inclusive"])
@pytest.mark.parametrize("said", UNUSUAL.values(), ids=UNUSUAL)
def test_a_file_is_read_or_refused_alike_in_sets_and_line_by_line(
    said: dict[str, str], tax: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, rules = tmp_path / "facts.parquet", tmp_path / "rules.json"
    wanted = programme("marginal", by="[dealer]").model_dump(mode="json", by_alias=True, exclude_defaults=True)
    wanted["base"]["tax"] = tax
    rules.write_text(json.dumps(wanted, ensure_ascii=False), encoding="utf-8")
    row = {**PLAIN, **({"gross": "1395.06::DECIMAL(18,2)"} if tax == "inclusive" and "amount" not in said else {}), **said}
    duckdb.execute(f"COPY (SELECT {', '.join(f'{value} AS {name}' for name, value in row.items())}) TO '{file}' (FORMAT parquet)")
    words = ["calculate", "--programme", str(rules), "--facts", str(file), "--as-of", "2026-11-20", "--known-at", "2026-02-15T21:00:00"]

    def told() -> Any:
        answer = json.loads(CliRunner().invoke(rebates, [*words, "--json"]).output)
        if "error" in answer:
            assert answer["error"]["code"] == "rebates/bad-facts", answer
            return [(flaw["code"], flaw["line"], flaw["field"], flaw["what"], flaw["next_step"]) for flaw in answer["error"]["errors"]]
        return [(one["dealer"], one["period"], one["base"]["amount"], one["earned"], one["payable"]) for one in answer["results"]]

    line_by_line = told()
    monkeypatch.setattr(rebates_bulk, "MANY", 0)
    assert told() == line_by_line


def test_rows_that_stand_twice_are_taken_once_if_they_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebates_bulk, "MANY", 0)
    words = asked(programme(by="[dealer]"), tmp_path, "--json")
    facts = [of("L1"), of("L2", amount=Decimal(5))]
    stored([*facts, facts[0]], tmp_path / "facts.parquet")
    same = json.loads(CliRunner().invoke(rebates, words).output)
    stored([*facts, of("L1", amount=Decimal(2))], tmp_path / "facts.parquet")
    other = json.loads(CliRunner().invoke(rebates, words).output)

    assert [one["base"]["amount"] for one in same["results"]] == ["6"]
    assert [(flaw["code"], flaw["line"]) for flaw in other["error"]["errors"]] == [("duplicate_id", 3)]


def test_lines_in_a_folder_replace_what_a_run_before_left_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebates_bulk, "MANY", 0)
    stored(made(3, 40), tmp_path / "facts.parquet")
    words = asked(programme(), tmp_path, "--json", "--lines", f"{tmp_path}/lines")
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "part-999.parquet").write_text("of a run before", encoding="utf-8")

    assert CliRunner().invoke(rebates, words).exit_code == 0
    names = {path.name for path in (tmp_path / "lines").iterdir()}
    assert "part-000.parquet" in names
    assert "part-999.parquet" not in names
    (tmp_path / "lines" / "mine.txt").write_text("keep me", encoding="utf-8")
    assert CliRunner().invoke(rebates, words).exit_code == 2
    assert (tmp_path / "lines" / "mine.txt").exists()
    assert not list(tmp_path.glob(".*"))


def test_results_that_cannot_be_written_leave_no_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """/proc is a folder in which no file can be made, whoever asks."""
    monkeypatch.setattr(rebates_bulk, "MANY", 0)
    stored(made(3, 40), tmp_path / "facts.parquet")
    (tmp_path / "lines.csv").write_text("of a run before", encoding="utf-8")

    answer = CliRunner().invoke(
        rebates, asked(programme(), tmp_path, "--json", "--lines", f"{tmp_path}/lines.csv", "--out", "/proc/out.csv")
    )
    assert json.loads(answer.output)["error"]["code"] == "rebates/cannot-write"
    assert (tmp_path / "lines.csv").read_text(encoding="utf-8") == "of a run before"
    assert {path.name for path in tmp_path.iterdir()} == {"facts.parquet", "rules.json", "lines.csv"}


FULL_DISK = """
import resource, sys
from hub_cli import rebates_bulk
from hub_cli.rebates import rebates
rebates_bulk.MANY = 0
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
rebates(sys.argv[1:])
"""


@pytest.mark.parametrize("lines", ["lines.csv", "lines.parquet", "lines"])
def test_a_disk_that_takes_no_more_is_told_as_such_and_nothing_is_left(lines: str, tmp_path: Path) -> None:
    select = (
        "SELECT 'L' || i AS id, 'sale' AS kind, 'D' || i % 7 AS dealer, DATE '2026-02-01' AS date, '泵' AS product_line, "
        "(hash(i) % 99991)::DECIMAL(18, 2) AS amount FROM range(20000) AS t (i)"
    )
    duckdb.execute(f"COPY ({select}) TO '{tmp_path}/facts.parquet' (FORMAT parquet)")
    (tmp_path / "out.csv").write_text("of a run before", encoding="utf-8")
    words = asked(programme(), tmp_path, "--json", "--out", f"{tmp_path}/out.csv", "--lines", f"{tmp_path}/{lines}")
    answer = subprocess.run(
        [sys.executable, "-c", FULL_DISK, *words], capture_output=True, check=False, env={**os.environ, "PYTHONPATH": "."}, text=True
    )

    told = json.loads(answer.stdout)["error"]
    assert (told["code"], told["what"]) == ("rebates/cannot-write", f"{tmp_path}/{lines}: File too large")
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "of a run before"
    assert {path.name for path in tmp_path.iterdir()} == {"facts.parquet", "rules.json", "out.csv"}
