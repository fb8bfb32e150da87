"""What a command writes appears whole and together, or what was there before stays: also when it is killed, or the disk refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hub_cli.answers import CommandFailed
from hub_cli.rebates_outputs import Output, Paper, Ready, write

OLD = "of a run before"
WRITER = """
import sys, time
from pathlib import Path
from hub_cli.rebates_outputs import Output, write

def rows():
    for at in range(50_000):
        yield {"id": str(at), "amount": "1.00"}
    print("half", flush=True)
    time.sleep(60)

write(Output(Path(sys.argv[1]), rows(), ("id", "amount")))
"""


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.json", "out.parquet"])
def test_a_process_that_is_killed_while_it_writes_leaves_the_old_file_whole(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(OLD, encoding="utf-8")
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / name)], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"half\n"
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()

    assert (tmp_path / name).read_text(encoding="utf-8") == OLD
    write(Output(tmp_path / name, [{"id": "1", "amount": "2.00"}], ("id", "amount")))
    assert (tmp_path / name).read_bytes() != OLD.encode()


def taking(place: Path) -> Iterator[Mapping[str, Any]]:
    """Rows, while somebody makes a folder with something in it where they are to go."""
    yield {"id": "1"}
    place.mkdir()
    (place / "mine.txt").write_text("keep me", encoding="utf-8")


def whole(tmp_path: Path, name: str) -> Ready:
    """A folder of lines that was made whole elsewhere on the disk."""
    made = tmp_path / "beside" / "parts"
    made.mkdir(parents=True)
    (made / "part-000.parquet").write_text("new", encoding="utf-8")
    return Ready(made, tmp_path / name)


def standing(folder: Path) -> dict[str, str]:
    """Every file below a folder, and what it says."""
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("before", [None, OLD], ids=["nothing before", "over an old file"])
def test_when_the_second_file_cannot_take_its_place_the_first_is_taken_back(before: str | None, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    if before is not None:
        (place / "out.csv").write_text(before, encoding="utf-8")
    there = standing(place)

    with pytest.raises(CommandFailed, match=r"lines\.csv: Is a directory"):
        write(Output(place / "out.csv", [{"id": "1"}], ("id",)), Output(place / "lines.csv", taking(place / "lines.csv"), ("id",)))

    assert standing(place) == {**there, "lines.csv/mine.txt": "keep me"}


@pytest.mark.parametrize("before", ["nothing", "a folder", "a file"])
def test_a_folder_of_lines_is_taken_back_as_a_file_is(before: str, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    if before == "a folder":
        (place / "lines").mkdir()
        (place / "lines" / "part-007.parquet").write_text(OLD, encoding="utf-8")
    elif before == "a file":
        (place / "lines").write_text(OLD, encoding="utf-8")
    there = standing(place)

    with pytest.raises(CommandFailed, match="Is a directory"):
        write(whole(tmp_path, "place/lines"), Output(place / "out.csv", taking(place / "out.csv"), ("id",)))

    assert standing(place) == {**there, "out.csv/mine.txt": "keep me"}


@pytest.mark.parametrize("before", ["nothing", "a folder", "a file"])
def test_results_and_lines_replace_those_of_a_run_before(before: str, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "out.csv").write_text(OLD, encoding="utf-8")
    if before == "a folder":
        (place / "lines").mkdir()
        (place / "lines" / "part-007.parquet").write_text(OLD, encoding="utf-8")
    elif before == "a file":
        (place / "lines").write_text(OLD, encoding="utf-8")

    write(Output(place / "out.csv", [{"id": "1"}], ("id",)), whole(tmp_path, "place/lines"))

    assert standing(place) == {"lines/part-000.parquet": "new", "out.csv": "id\n1\n"}


def test_a_paper_that_cannot_be_written_leaves_the_other_one_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "statement.pdf").write_text(OLD, encoding="utf-8")

    with pytest.raises(CommandFailed, match=r"nowhere/statement\.xlsx: No such file or directory"):
        write(Paper(tmp_path / "statement.pdf", b"%PDF"), Paper(tmp_path / "nowhere" / "statement.xlsx", b"PK"))
    assert standing(tmp_path) == {"statement.pdf": OLD}

    write(Paper(tmp_path / "statement.pdf", b"%PDF"))
    assert standing(tmp_path) == {"statement.pdf": "%PDF"}
