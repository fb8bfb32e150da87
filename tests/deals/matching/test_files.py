"""Files against files: the answer, its form, and what is said of a broken file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from benchmarks.matching_data import world
from channel.deals.matching import Claim
from channel.deals.matching.files import CUSTOMER_COLUMNS, QUERY_COLUMNS, BadFile, match_files
from tests.cli.running import answer, hub

FIELDS = {"name": "name", "uscc": "uscc", "phone": "phone", "contact": "contact", "city": "city", "addr": "address"}


def fields(claim: Claim) -> list[str]:
    """The columns that both files have."""
    return [getattr(claim, name) for name in FIELDS.values()]


def write(path: Path, head: tuple[str, ...], rows: list[list[str]], encoding: str = "utf-8") -> Path:
    """A CSV file."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([list(head), *rows])
    return path


def files(folder: Path) -> tuple[Path, Path]:
    """Customers and claims of a small world."""
    made = world(4, 600, 80)
    customers = write(folder / "customers.csv", CUSTOMER_COLUMNS, [[row.rid, row.source, *fields(row.claim)] for row in made.rows])
    return customers, write(folder / "queries.csv", QUERY_COLUMNS, [[query.qid, *fields(query.claim)] for query in made.queries])


def test_each_claim_has_a_line_in_the_order_of_the_claims(tmp_path: Path) -> None:
    customers, queries = files(tmp_path)
    told: list[tuple[str, int]] = []

    tally = match_files(customers, queries, tmp_path / "out.jsonl", lambda what, count: told.append((what, count)))
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]

    assert [line["qid"] for line in lines] == [f"Q{number + 1}" for number in range(80)]
    assert {"qid", "decision", "rid", "p", "candidates", "reasons"} <= lines[0].keys()
    assert all(line["decision"] in {"duplicate", "review", "new"} and len(line["candidates"]) <= 50 for line in lines)
    assert tally.duplicate + tally.review + tally.new == tally.queries == 80
    assert told[-1] == ("queries", 80)
    assert not list(tmp_path.glob("*.part"))


def test_the_command_needs_no_database_and_tells_its_figures(tmp_path: Path) -> None:
    customers, queries = files(tmp_path)
    done = hub(
        tmp_path, "deals", "match", "--customers", str(customers), "--queries", str(queries), "--out", str(tmp_path / "o.jsonl"), "--json"
    )

    assert done.returncode == 0, done.stderr
    assert answer(done)["queries"] == 80
    assert "queries" in done.stderr


def test_columns_may_be_missing_empty_or_in_another_order_and_excel_puts_a_mark_before(tmp_path: Path) -> None:
    customers = write(tmp_path / "c.csv", ("name", "rid"), [["深圳市琏升科技有限公司", "1"], ["", "2"]], encoding="utf-8-sig")
    queries = write(tmp_path / "q.csv", ("qid", "phone", "name"), [["a", "", "深圳琏升科技有限公司"], ["b", "", ""]])
    match_files(customers, queries, tmp_path / "o.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text("utf-8").splitlines()]

    assert (lines[0]["rid"], lines[1]["rid"]) == ("1", None)


def test_two_systems_may_use_one_id(tmp_path: Path) -> None:
    rows = [["1", "erp", "深圳市琏升科技有限公司"], ["1", "crm", "深圳琏升科技"], ["2", "crm", "广州市宏发机械有限公司"]]
    customers = write(tmp_path / "c.csv", ("rid", "source", "name"), rows)
    queries = write(tmp_path / "q.csv", ("qid", "name"), [["a", "深圳琏升科技公司"]])
    match_files(customers, queries, tmp_path / "o.jsonl")
    found = json.loads((tmp_path / "o.jsonl").read_text("utf-8"))

    assert (found["rid"], found["candidates"]) == ("1", ["1"])


BROKEN = {
    "no such column": ("rid,source,nom\n1,a,b\n", 1, "no column name"),
    "empty file": ("", 1, "empty"),
    "too few fields": ("rid,source,name\n1,a,深圳\n2,b\n", 3, "2 fields where the head has 3"),
    "an id twice": ("rid,name\n1,深圳\n1,广州\n", 3, "came before"),
    "no id": ("rid,name\n,深圳\n", 2, "no rid"),
    "a torn quote": ('rid,name\n1,"深圳\n2,广州\n', 3, "CSV"),
    "a name twice in the head": ("rid,name,name\n1,a,b\n", 1, "twice"),
}


@pytest.mark.parametrize(("text", "line", "what"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_told_with_file_and_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    broken = tmp_path / "customers.csv"
    broken.write_text(text, "utf-8")
    queries = write(tmp_path / "q.csv", QUERY_COLUMNS, [["a", "深圳琏升科技", "", "", "", "", ""]])

    with pytest.raises(BadFile, match=what) as told:
        match_files(broken, queries, tmp_path / "o.jsonl")
    assert told.value.where == f"{broken}:{line}"
    assert not (tmp_path / "o.jsonl").exists()


def test_files_that_excel_saved_on_chinese_windows_are_read_like_utf_8(tmp_path: Path) -> None:
    known = [["1", "erp", "深圳市琏升科技有限公司", "", "", "", "", ""], ["2", "crm", "杭州盈嵊商贸有限公司", "", "", "", "", ""]]
    asked = [["a", "深圳琏升科技", "", "", "", "深圳", ""], ["b", "喆㵘实业", "", "", "", "", ""]]
    for encoding in ("utf-8", "gb18030"):
        customers = write(tmp_path / f"c-{encoding}.csv", CUSTOMER_COLUMNS, known, encoding=encoding)
        queries = write(tmp_path / f"q-{encoding}.csv", QUERY_COLUMNS, asked, encoding=encoding)
        match_files(customers, queries, tmp_path / f"{encoding}.jsonl")

    assert (tmp_path / "gb18030.jsonl").read_bytes() == (tmp_path / "utf-8.jsonl").read_bytes()
    assert json.loads((tmp_path / "gb18030.jsonl").read_text("utf-8").splitlines()[0])["rid"] == "1"


def test_a_file_in_no_known_encoding_or_none_at_all_is_told(tmp_path: Path) -> None:
    queries = write(tmp_path / "q.csv", QUERY_COLUMNS, [["a", "深圳琏升科技", "", "", "", "", ""]])
    (tmp_path / "odd.csv").write_bytes(b"rid,name\n1,x\n2,\xff\xfe\n")
    done = hub(
        tmp_path,
        "deals",
        "match",
        "--customers",
        str(tmp_path / "odd.csv"),
        "--queries",
        str(queries),
        "--out",
        str(tmp_path / "o"),
        "--json",
    )

    assert done.returncode == 2
    assert answer(done)["error"]["code"] == "deals/bad-file"
    assert answer(done)["error"]["what"].endswith("neither UTF-8 (line 3) nor GB18030 (line 3)")
    with pytest.raises(BadFile, match="no such file"):
        match_files(tmp_path / "none.csv", queries, tmp_path / "o")
