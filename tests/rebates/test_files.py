"""The commands on files: CSV and Parquet say the same, outputs are whole, explain and simulate answer."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub_cli.group import hub
from tests.rebates.making import written

SALES = """\
id,kind,dealer,date,product,amount,recorded_at
1,sale,甲,2026-01-15,P1,800,2026-01-15
2,sale,甲,2026-02-15,P2,400.05,2026-02-15
3,return,甲,2026-03-01,P2,-100,2026-03-01
4,sale,乙,2026-01-20,P1,900,2026-01-20
5,sale,乙,2026-03-20,P1,300,2026-04-20
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "core.json").write_text(written(), encoding="utf-8")
    (tmp_path / "sales.csv").write_text("\ufeff" + SALES, encoding="utf-8")
    return tmp_path


def call(place: Path, *words: str) -> Any:
    answer = CliRunner().invoke(hub, ["rebates", *(f"{place}/{word}" if "." in word and not word[0].isdigit() else word for word in words)])
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.output) if "--json" in words else answer.output


CALCULATE = ("calculate", "--programme", "core.json", "--facts", "sales.csv", "--as-of", "2026-03-31")


def test_parquet_says_what_csv_says(place: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    types = {"date": "DATE", "amount": "DECIMAL(18,2)", "id": "INTEGER", "recorded_at": "DATE"}
    columns = ", ".join(f"'{name}': '{types.get(name, 'VARCHAR')}'" for name in SALES.splitlines()[0].split(","))
    duckdb.execute(
        f"COPY (SELECT * FROM read_csv('{place}/sales.csv', columns = {{{columns}}})) TO '{place}/sales.parquet' (FORMAT parquet)"
    )

    from_csv = call(place, *CALCULATE, "--json")
    from_parquet = call(place, *[word.replace("sales.csv", "sales.parquet") for word in CALCULATE], "--json")
    assert from_parquet["results"] == from_csv["results"]


def test_binary_floats_in_parquet_are_refused(place: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    duckdb.execute(
        f"COPY (SELECT '1' AS id, 'sale' AS kind, 'D' AS dealer, '2026-01-01' AS date, 0.1::DOUBLE AS amount) TO '{place}/f.parquet'"
    )
    answer = CliRunner().invoke(
        hub,
        ["rebates", "calculate", "--programme", f"{place}/core.json", "--facts", f"{place}/f.parquet", "--as-of", "2026-03-31", "--json"],
    )

    assert answer.exit_code == 2
    assert [flaw["code"] for flaw in json.loads(answer.output)["error"]["errors"]] == ["float"]


def test_every_kind_of_output_says_the_same(place: Path) -> None:
    told = call(place, *CALCULATE, "--out", "out.json", "--lines", "lines.csv", "--json")
    call(place, *CALCULATE, "--out", "out.csv", "--lines", "lines.jsonl")
    call(place, *CALCULATE, "--out", "out.parquet", "--lines", "lines.parquet")
    with (place / "out.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (place / "lines.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))

    assert json.loads((place / "out.json").read_text(encoding="utf-8")) == told
    assert [(one["dealer"], one["payable"]) for one in rows] == [("乙", "24.00"), ("甲", "22.00")]
    assert [json.loads(line)["share"] for line in (place / "lines.jsonl").read_text(encoding="utf-8").splitlines()] == [
        one["share"] or None for one in lines
    ]
    assert [one["share"] for one in lines] == ["16.00", "8.00", "-2.00", "18.00", "6.00"]


def test_knowledge_time_hides_what_was_recorded_later(place: Path) -> None:
    told = call(place, *CALCULATE, "--known-at", "2026-03-31", "--json")

    assert [(one["dealer"], one["base"]["amount"], one["payable"]) for one in told["results"]] == [
        ("乙", "900", "9.00"),
        ("甲", "1100.05", "22.00"),
    ]


def test_explain_says_why_a_line_does_not_count(place: Path) -> None:
    words = ("explain", *CALCULATE[1:5], "--as-of", "2026-01-31", "--dealer", "甲")
    told = call(place, *words, "--line", "2", "--json")

    assert [(one["counts"], one["reason"], one["reason_zh"]) for one in told["lines"]] == [
        (False, "after_cut_off", "晚于截止日（2026-02-15）。")
    ]
    assert "距下一档还差 200" in call(place, *words, "--language", "zh")
    assert "200 more reaches the next tier" in call(place, *words)


def test_explain_of_nobody_is_not_found(place: Path) -> None:
    words = [
        "rebates",
        "explain",
        "--programme",
        f"{place}/core.json",
        "--facts",
        f"{place}/sales.csv",
        "--as-of",
        "2026-03-31",
        "--dealer",
        "丙",
    ]

    assert CliRunner().invoke(hub, words).exit_code == 6


def test_simulate_compares_by_dealer_and_tells_who_moves(place: Path) -> None:
    tiers = [{"from": "0", "to": "1150", "rate": "1 %"}, {"from": "1150", "rate": "3 %"}]
    (place / "draft.json").write_text(written(version="2", tiers=tiers), encoding="utf-8")
    told = call(place, "simulate", "--current", "core.json", "--draft", "draft.json", *CALCULATE[3:], "--json")

    assert told["simulation"] is True
    assert [(one["dealer"], one["current"], one["draft"], one["difference"]) for one in told["dealers"]] == [
        ("乙", "24.00", "36.00", "12.00"),
        ("甲", "22.00", "11.00", "-11.00"),
    ]
    assert told["dealers"][1]["moves"] == "core 2026Q1: 2 → 1"
    assert told["dealers"][1]["to_next"] == {"core 2026Q1": "49.95"}
    assert told["totals"] == [{"currency": "CNY", "current": "46.00", "draft": "47.00", "difference": "1.00"}]


def test_the_dealers_view_needs_a_dealer(place: Path) -> None:
    words = [
        "rebates",
        "calculate",
        "--programme",
        f"{place}/core.json",
        "--facts",
        f"{place}/sales.csv",
        "--as-of",
        "2026-03-31",
        "--view",
        "dealer",
    ]

    assert CliRunner().invoke(hub, words).exit_code == 2
    told = call(place, *CALCULATE, "--view", "dealer", "--dealer", "甲", "--json")
    assert [one["dealer"] for one in told["results"]] == ["甲"]
    assert "facts" not in told


def test_a_dealers_file_decides_who_is_known(place: Path) -> None:
    (place / "dealers.csv").write_text("id,grade,parent\n甲,核心,\n乙,普通,甲\n", encoding="utf-8")
    (place / "core.json").write_text(written(participants={"grades": ["核心"]}), encoding="utf-8")
    told = call(place, *CALCULATE, "--dealers", "dealers.csv", "--json")

    assert [one["dealer"] for one in told["results"]] == ["甲"]
    (place / "dealers.csv").write_text("id\n甲\n", encoding="utf-8")
    words = ["rebates", *(f"{place}/{word}" if "." in word else word for word in CALCULATE), "--dealers", f"{place}/dealers.csv", "--json"]
    assert {flaw["line"] for flaw in json.loads(CliRunner().invoke(hub, words).output)["error"]["errors"]} == {5, 6}


# What people give ----------------------------------------------------------------------------------------------------------------

HEAD = "id,kind,dealer,date,quantity,amount\n"


def given(place: Path, raw: bytes, name: str = "given.csv", **terms: Any) -> Any:
    (place / name).write_bytes(raw)
    (place / "core.json").write_text(written(**terms), encoding="utf-8")
    words = ["rebates", "calculate", "--programme", f"{place}/core.json", "--facts", f"{place}/{name}", "--as-of", "2026-03-31", "--json"]
    return json.loads(CliRunner().invoke(hub, words).output)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param((HEAD + "1,sale,甲,2026-01-15,1,1200\n").encode("gb18030"), id="GB18030, as Excel on a Chinese Windows"),
        pytest.param((HEAD + "1,sale,甲,2026-01-15,1,1200\n").encode("utf-8-sig"), id="with a byte-order mark"),
        pytest.param((HEAD + "1,sale,甲,2026-01-15,1,1200\n").replace("\n", "\r\n").encode(), id="with Windows line ends"),
        pytest.param((HEAD + "1,sale, 甲 ,2026-01-15 00:00:00,1, 1200.00 \n\n").encode(), id="with blanks and midnights"),
        pytest.param((HEAD + "1,sale,甲,2026-01-15,2,1300\n2,return,甲,2026-01-16,-1,-100\n").encode(), id="with a return"),
    ],
)
def test_a_file_that_can_only_be_read_one_way_is_read(place: Path, raw: bytes) -> None:
    told = given(place, raw)

    assert [(one["dealer"], one["base"]["amount"], one["payable"]) for one in told["results"]] == [("甲", "1200", "24.00")]


@pytest.mark.parametrize(
    ("raw", "code", "says"),
    [
        ("编号,类型,经销商,日期,金额\n", "missing_column", "rename the column 经销商 to dealer"),
        ("ID,Kind,Dealer,Date,Amount\n", "missing_column", "rename the column ID to id"),
        ("id;kind;dealer;date;amount\n", "separator", "save it with commas"),
        ("id\tkind\tdealer\tdate\tamount\n", "separator", "save it with commas"),
        (HEAD + "1,sale,甲,2026-01-15T23:30:00+08:00,1,100\n", "bad_date", "but a moment; write the business day (Asia/Shanghai)"),
        (HEAD + "1,sale,甲,2026/1/15,1,100\n", "bad_date", "write YYYY-MM-DD"),
        (HEAD + '1,sale,甲,2026-01-15,1,"1,234.50"\n', "bad_number", "no separators"),
        (HEAD + "1,sale,甲,2026-01-15,1,¥100\n", "bad_number", "no plain decimal number"),
        (HEAD + "1,sale,甲,2026-01-15,-1,-100\n", "negative", "kind return or credit"),
        (HEAD + "1,return,甲,2026-01-15,1,100\n", "positive", "negative figures"),
        (HEAD + "1,Sale,甲,2026-01-15,1,100\n", "unknown_kind", "did you mean sale?"),
        (HEAD.replace("quantity", "currency") + "1,sale,甲,2026-01-15,RMB,100\n", "bad_currency", "write CNY"),
    ],
)
def test_what_could_be_read_two_ways_is_refused_with_what_to_write(place: Path, raw: str, code: str, says: str) -> None:
    flaws = given(place, raw.encode())["error"]["errors"]

    assert code in {flaw["code"] for flaw in flaws}
    assert [flaw for flaw in flaws if says in f"{flaw['what']} {flaw['next_step']}"]


PIECES: dict[str, Any] = {
    "base": {"event": "invoice", "measure": "quantity", "tax": "exclusive", "net_of": ["return"]}, "method": "per_unit",
    "tiers": [{"from": "0", "per_unit": "5"}],
}  # fmt: skip


def test_two_units_are_not_added_up_where_no_unit_is_named(place: Path) -> None:
    rows = "id,kind,dealer,date,quantity,unit\n1,sale,甲,2026-01-15,10,件\n2,sale,甲,2026-01-16,3,箱\n"
    mixed = given(place, rows.encode(), **PIECES)
    base = {**PIECES["base"], "unit": "件", "units": {"箱": "12"}}
    told = given(place, rows.encode(), **{**PIECES, "base": base})

    assert [(flaw["code"], flaw["line"], flaw["next_step"]) for flaw in mixed["error"]["errors"]] == [
        ("wrong_unit", 3, "add base.unit: 件 and base.units: {箱: how many 件 it is}")
    ]
    assert [(one["base"]["quantity"], one["payable"]) for one in told["results"]] == [("46", "230.00")]


@pytest.mark.parametrize(
    ("day", "amount", "found"),
    [
        ("DATE '2026-01-15'", "1200.1234567890::DECIMAL(38,10)", "24.00"),
        ("TIMESTAMP '2026-01-15 00:00:00'", "1200::INTEGER", "24.00"),
        ("'2026-01-15'", "'1200.00'", "24.00"),
        ("TIMESTAMP '2026-01-15 12:30:00'", "1200", "bad_date"),
        ("TIMESTAMPTZ '2026-03-31 16:30:00+00'", "1200", "bad_date"),
        ("DATE '2026-01-15'", "1200::DOUBLE", "float"),
        ("DATE '2026-01-15'", "NULL::DECIMAL(18,2)", "missing"),
    ],
)
def test_types_of_parquet_are_read_exactly_or_refused(place: Path, day: str, amount: str, found: str) -> None:
    duckdb = pytest.importorskip("duckdb")
    target = place / "typed.parquet"
    duckdb.execute(
        f"COPY (SELECT '1' AS id, 'sale' AS kind, '甲' AS dealer, {day} AS date, {amount} AS amount) TO '{target}' (FORMAT parquet)"
    )
    told = given(place, target.read_bytes(), "typed.parquet")

    assert [one["payable"] for one in told.get("results", [])] + [flaw["code"] for flaw in told.get("error", {}).get("errors", [])] == [
        found
    ]


# What is written -----------------------------------------------------------------------------------------------------------------


def refused(place: Path, *words: str) -> str:
    answer = CliRunner().invoke(hub, ["rebates", *(f"{place}/{word}" if word in ("core.json", "sales.csv") else word for word in words)])
    assert answer.exit_code in (1, 2), answer.output
    return answer.output


def test_what_cannot_be_written_is_refused_before_anything_is_calculated(place: Path) -> None:
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    (place / "folder").mkdir()

    assert "is a directory" in refused(place, *CALCULATE, "--out", f"{place}/folder")
    assert "there is no folder" in refused(place, *CALCULATE, "--out", f"{place}/nowhere/out.json")
    assert "it is no file" in refused(place, *CALCULATE, "--out", "/dev/null")
    assert ".xlsx is none of .json" in refused(place, *CALCULATE, "--out", f"{place}/out.xlsx")
    assert "File name too long" in refused(place, *CALCULATE, "--out", f"{place}/{'n' * 300}.json")
    assert "the command reads it" in refused(place, *CALCULATE, "--out", f"{place}/sales.csv")
    assert "it is --out already" in refused(place, *CALCULATE, "--out", f"{place}/out.csv", "--lines", f"{place}/out.csv")
    (place / "folder").rmdir()
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before


def test_one_file_that_cannot_be_written_leaves_none(place: Path) -> None:
    """/proc is a folder in which no file can be made, whoever asks."""
    told = refused(place, *CALCULATE, "--out", f"{place}/out.json", "--lines", "/proc/lines.csv", "--json")

    assert json.loads(told)["error"]["code"] == "rebates/cannot-write"
    assert not list(place.glob("*out*"))
    assert not list(place.glob(".*"))


def test_a_link_stays_a_link(place: Path) -> None:
    (place / "real.json").write_text("{}", encoding="utf-8")
    (place / "link.json").symlink_to(place / "real.json")
    call(place, *CALCULATE, "--out", "link.json")

    assert (place / "link.json").is_symlink()
    assert json.loads((place / "real.json").read_text(encoding="utf-8"))["results"]
