"""Records of one firm come together, whatever their order; others do not, whatever they share."""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random

import pytest

from channel.parties.errors import BadRecords
from channel.parties.resolving import resolve, resolve_file
from tests.parties.population import COLUMNS, Population, populate
from tests.parties.scoring import read_clusters, score

# Valid codes of GB 32100-2015, from reference/deal-matching.md 2b.
LANSI, OTHER = "91440300708461136T", "91330100716105852F"


def _together(*records: tuple[str, ...]) -> list[list[str]]:
    return resolve([(f"r{number}", *record, *[""] * (6 - len(record))) for number, record in enumerate(records)]).clusters


@pytest.fixture(scope="module")
def town() -> Population:
    """About 5,200 firms, 8,000 records."""
    return populate(20_261_121, 8_000)


def test_clusters_of_a_fresh_population_are_right(town: Population, tmp_path: Path) -> None:
    town.write(tmp_path / "records.csv")

    summary = resolve_file(tmp_path / "records.csv", tmp_path / "clusters.csv")
    found = read_clusters(tmp_path / "clusters.csv")
    reached = score(town.truth, found)

    assert summary.records == len(found) == 8_000
    assert reached.precision >= 0.98
    assert reached.f1 >= 0.97


def test_the_order_of_rows_does_not_matter(town: Population, tmp_path: Path) -> None:
    rows = town.rows[:3_000]
    Population(rows, {}).write(tmp_path / "one.csv")
    mixed = list(rows)
    Random(3).shuffle(mixed)
    Population(mixed, {}).write(tmp_path / "two.csv")

    resolve_file(tmp_path / "one.csv", tmp_path / "one.out", workers=1)
    resolve_file(tmp_path / "two.csv", tmp_path / "two.out", workers=2)

    assert (tmp_path / "one.out").read_bytes() == (tmp_path / "two.out").read_bytes()


def test_a_file_that_excel_saved_on_chinese_windows_is_read_like_one_in_utf_8(town: Population, tmp_path: Path) -> None:
    Population(town.rows[:600], {}).write(tmp_path / "plain.csv")
    (tmp_path / "excel.csv").write_bytes((tmp_path / "plain.csv").read_text("utf-8").encode("gb18030"))

    resolve_file(tmp_path / "plain.csv", tmp_path / "plain.out", workers=1)
    resolve_file(tmp_path / "excel.csv", tmp_path / "excel.out", workers=1)

    assert (tmp_path / "excel.out").read_bytes() == (tmp_path / "plain.out").read_bytes()


def test_a_homophone_a_missing_form_and_traditional_writing_are_one_firm() -> None:
    phone = "0755-26781234"
    clusters = _together(
        ("深圳市蓝思科技有限公司", LANSI, phone, "", "深圳"),
        ("兰思科技（深圳）", "", "0755-26781234转801", "", ""),
        ("深圳藍思科技", LANSI, "", "", "深圳市"),
    )

    assert clusters == [["r0", "r1", "r2"]]


def test_two_valid_codes_are_two_firms_whatever_they_share() -> None:
    same = ("深圳市蓝思科技有限公司", "{}", "13800138000", "王建国", "深圳", "深圳市南山区科技园路12号")

    assert _together((same[0], LANSI, *same[2:]), (same[0], OTHER, *same[2:])) == []


def test_a_branch_is_not_its_parent() -> None:
    assert (
        _together(
            ("深圳市蓝思科技有限公司", "", "13800138000", "王建国", "深圳", "深圳市南山区科技园路12号"),
            ("深圳市蓝思科技有限公司苏州分公司", "", "13800138000", "王建国", "苏州", ""),
        )
        == []
    )


def test_sisters_of_one_brand_stay_apart() -> None:
    assert (
        _together(
            ("上海恒泰电子科技有限公司", "", "021-55667788", "", "上海"),
            ("广州恒泰餐饮管理有限公司", "", "020-81234567", "", "广州"),
            ("成都恒泰物流有限公司", "", "", "", "成都"),
        )
        == []
    )


def test_pairs_that_a_person_told_apart_stay_apart_and_are_not_asked_again() -> None:
    records = [
        ("a", "深圳市蓝思科技有限公司", "", "13800138000", "", "深圳", ""),
        ("b", "深圳蓝思科技有限公司", "", "13800138000", "", "深圳", ""),
    ]
    assert resolve(records).clusters == [["a", "b"]]

    found = resolve(records, apart=[("b", "a")])

    assert found.clusters == []
    assert found.doubts == []


def test_what_is_neither_sure_nor_unlikely_is_a_doubt() -> None:
    found = resolve([("a", "深圳市蓝思科技有限公司", "", "13800138000", "", "深圳", ""), ("b", "蓝思", "", "13900139000", "", "", "")])

    assert found.clusters == []
    assert [(doubt.left, doubt.right) for doubt in found.doubts] == [("a", "b")]
    assert 0.1 < found.doubts[0].probability < 0.62


def test_odd_records_are_answered(tmp_path: Path) -> None:
    odd = ["", "公司", "😀😀", "····", "13800138000", "'; DROP TABLE raw; --", "%_%", "\u200b", "长" * 5_000, "A" * 5_000, "(((", "分公司"]
    with (tmp_path / "odd.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([f"r{number:02}", "x", name, name, name, name, name, name] for number, name in enumerate(odd))

    summary = resolve_file(tmp_path / "odd.csv", tmp_path / "out.csv")

    assert summary.records == len(odd)
    assert list(read_clusters(tmp_path / "out.csv")) == [f"r{number:02}" for number in range(len(odd))]


def test_no_records_give_an_empty_answer(tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text(",".join(COLUMNS) + "\n", encoding="utf-8")

    assert resolve_file(tmp_path / "none.csv", tmp_path / "out.csv").records == 0
    assert (tmp_path / "out.csv").read_text() == "rid,cluster\n"
    assert resolve([]).clusters == []


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        (b"rid,name\na,x\nb\n", ":3", "1 fields where the first line has 2"),
        (b"rid,name\na,x\n ,y\n", ":3", "no rid"),
        (b'rid,name\na,x\nb,"y\n', ":3", "not CSV"),
        (b"rid,name\na,x\nb,\xff\xb6\n", ":3", "neither UTF-8"),
        (b"rid,name\na,x\nb,y\na,z\n", ":4", "line 2 already"),
        (b"id,name\na,x\n", ":1", "no column rid"),
        (b"", ":1", "no column rid"),
        (b"rid,name,name\na,x,y\n", ":1", "twice"),
    ],
    ids=["short_row", "no_rid", "open_quote", "no_text", "rid_twice", "no_column", "empty_file", "column_twice"],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_line(tmp_path: Path, text: bytes, where: str, what: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(text)

    with pytest.raises(BadRecords, match=what) as refused:
        resolve_file(path, tmp_path / "out.csv")

    assert refused.value.where == f"{path}{where}"
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.slow
@pytest.mark.timeout(1800)  # Spark plans the eighteen rules for minutes on a busy machine, whatever the number of records
def test_spark_scores_as_duckdb_does(town: Population, tmp_path: Path) -> None:
    Population(town.rows[:1_000], {}).write(tmp_path / "records.csv")

    resolve_file(tmp_path / "records.csv", tmp_path / "duckdb.csv")
    resolve_file(tmp_path / "records.csv", tmp_path / "spark.csv", engine="spark")

    assert (tmp_path / "spark.csv").read_bytes() == (tmp_path / "duckdb.csv").read_bytes()
