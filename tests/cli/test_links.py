"""`hub links`: accept, unlink, and bringing along the links of an older integration from a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest
from openpyxl import Workbook

from tests.cli.conftest import Run
from tests.cli.running import answer

COLUMNS = ["system", "stream", "key", "other_system", "other_stream", "other_key"]
GOOD = ["kingdee", "customers", "CUST0001", "zoho", "accounts", "5001"]


@pytest.fixture
def known(filled: Run, database: str) -> Run:
    """A customer and an account that stand for two parties."""
    with psycopg.connect(database) as connection:
        parties = [row[0] for row in connection.execute("SELECT id FROM parties ORDER BY id LIMIT 2")]
        for party, system, key, number in zip(parties, ("kingdee", "zoho"), ("200001", "5001"), ("CUST0001", "ACC-1"), strict=True):
            connection.execute(
                "INSERT INTO link (stream_id, key, number, entity_id, how) SELECT id, %s, %s, %s, 'new' FROM stream "
                "WHERE system = %s AND entity = 'party'",
                [key, number, party, system],
            )
    return filled


def write(file: Path, rows: Sequence[Sequence[str]]) -> Path:
    if file.suffix == ".xlsx":
        book = Workbook()
        assert book.active is not None
        for row in (COLUMNS, *rows):
            book.active.append(list(row))
        book.save(file)
    elif file.suffix == ".json":
        file.write_text(json.dumps([dict(zip(COLUMNS, row, strict=True)) for row in rows]), encoding="utf-8")
    else:
        file.write_bytes("\r\n".join(",".join(row) for row in (COLUMNS, *rows)).encode("gb18030"))
    return file


@pytest.mark.parametrize("name", ["known.csv", "known.xlsx", "known.json"])
def test_known_links_are_shown_then_linked(known: Run, tmp_path: Path, name: str) -> None:
    file = str(write(tmp_path / name, [GOOD, [*GOOD[:2], "200001", *GOOD[3:5], "ACC-1"]]))

    shown, done, again = known("links", "import", file, "--json"), known("links", "import", file, "--apply"), known("links", "import", file)

    assert (shown.returncode, answer(shown)) == (3, {"linked": 1, "same": 1, "cases": 0, "applied": False})
    assert (done.returncode, done.stdout) == (0, "1 linked, 1 were one already\n")
    assert (again.returncode, again.stdout) == (0, "0 to link, 2 were one already; nothing done yet: --apply\n")
    assert len({one["entity_id"] for one in answer(known("links", "--entity", "party", "--json"))}) == 1


@pytest.mark.parametrize(
    ("name", "rows"), [("known.csv", ["3", "4", "5"]), ("known.xlsx", ["3", "4", "5"]), ("known.json", ["2", "3", "4"])]
)
def test_every_wrong_row_is_named_by_its_place_in_the_file(known: Run, tmp_path: Path, name: str, rows: list[str]) -> None:
    wrong = [GOOD, [*GOOD[:5], "没有"], [*GOOD[:4], "nonsense", "1"], [*GOOD[:2], "", *GOOD[3:]]]
    file = str(write(tmp_path / name, wrong))

    told, in_words = known("links", "import", file, "--apply", "--json"), known("links", "import", file)

    assert (told.returncode, answer(told)["error"]["code"]) == (2, "sync/bad-link-rows")
    errors = answer(told)["error"]["errors"]
    assert [one["where"] for one in errors] == [f"row {row}" for row in rows]
    assert "没有" in errors[0]["what"]
    assert f"row {rows[2]}: key is empty (fill it in, as text)" in in_words.stderr
    assert len({one["entity_id"] for one in answer(known("links", "--entity", "party", "--json"))}) == 2


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("known.csv", b"system,stream\nkingdee,customers\n", "the first row is not system,stream,key"),
        ("known.json", b'[{"system": true}, {"colour": "red"}, 3]', "3 mistakes"),
        ("known.json", b'{"rows": []}', "holds no list"),
        ("known.json", b"[", "known.json:1"),
        ("known.xlsx", b"no workbook", "this is no .xlsx workbook"),
        ("known.txt", b"", "is none of .csv, .xlsx, .json"),
    ],
)
def test_a_file_that_is_no_table_of_links_is_told(known: Run, tmp_path: Path, name: str, content: bytes, what: str) -> None:
    (tmp_path / name).write_bytes(content)

    done = known("links", "import", str(tmp_path / name))

    assert done.returncode == 2
    assert what in done.stderr
    assert "Next: " in done.stderr


def test_two_records_are_linked_and_parted_again(known: Run) -> None:
    kept = answer(known("links", "accept", *GOOD, "--json"))["entity_id"]
    parted = answer(known("links", "unlink", "zoho", "accounts", "5001", "--json"))["entity_id"]

    assert kept != parted
    assert [one["key"] for one in answer(known("links", "--record", kept, "--json"))] == ["200001"]
    assert known("links", "unlink", "zoho", "accounts", "5001").returncode == 7
