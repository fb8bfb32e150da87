"""Facts as Parquet by month: what is new each time, whole or not at all, and the same money when it is read again."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

duckdb = pytest.importorskip("duckdb")

from channel.rebates import fact_queries, service  # noqa: E402
from channel.rebates.calculating import calculate  # noqa: E402
from channel.rebates.errors import BadFacts  # noqa: E402
from channel.rebates.exported import parts_of  # noqa: E402
from channel.rebates.facts import COLUMNS, Table  # noqa: E402
from channel.rebates.loading import load  # noqa: E402
from channel.rebates.programme import Programme  # noqa: E402
from hub_cli import rebates_bulk  # noqa: E402
from hub_cli.rebates import rebates as command  # noqa: E402
from sync import rebate_export, rebates  # noqa: E402
from tests.rebates.money import AS_OF, PROGRAMME, more_of_the_first_line  # noqa: E402
from tests.sync.stage import BOSS, Stage  # noqa: E402


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


def exported(folder: Path) -> list[tuple[Any, ...]]:
    parts = [str(part) for part in parts_of(folder)]
    found: list[tuple[Any, ...]] = (
        duckdb.connect().execute(f"SELECT id, revision, amount FROM read_parquet({parts}, union_by_name = true) ORDER BY ALL").fetchall()
    )
    return found


def on_ledger(stage: Stage) -> list[tuple[Any, ...]]:
    return [
        (row["id"], row["revision"], row["amount"]) for row in stage.rows("SELECT id, revision, amount FROM rebate_fact ORDER BY 1, 2, 3")
    ]


@pytest.fixture
def facts(stage: Stage) -> Stage:
    with stage.hub.transaction() as db:
        service.publish(db.connection, PROGRAMME.format(version=1, rate="2 %"), by=BOSS)
    rebates.accrue(stage.hub, AS_OF)
    return stage


def test_each_time_what_is_new_is_added_and_nothing_else(facts: Stage, tmp_path: Path) -> None:
    first = rebate_export.export(facts.hub, tmp_path / "out")
    files = {part: part.stat().st_mtime_ns for part in parts_of(tmp_path / "out")}
    again = rebate_export.export(facts.hub, tmp_path / "out")
    more_of_the_first_line(facts, 3)
    rebates.accrue(facts.hub, AS_OF)
    third = rebate_export.export(facts.hub, tmp_path / "out")

    assert exported(tmp_path / "out") == on_ledger(facts)
    assert first.counts["facts"] == len(on_ledger(facts)) - third.counts["facts"]
    assert (again.counts, third.counts["parts"] >= 1) == ({}, True)
    assert {part: part.stat().st_mtime_ns for part in files} == files
    assert manifest(tmp_path / "out")["facts"] == len(on_ledger(facts))


def test_an_export_that_was_cut_off_is_simply_repeated(facts: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebate_export, "_replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        rebate_export.export(facts.hub, tmp_path)
    with pytest.raises(BadFacts, match=r"no manifest\.json"):
        parts_of(tmp_path)
    monkeypatch.undo()
    (tmp_path / "2020-01").mkdir(exist_ok=True)
    left = tmp_path / "2020-01" / "facts-000000000000-000000000009.parquet"
    left.write_bytes(b"half")

    rebate_export.export(facts.hub, tmp_path)

    assert exported(tmp_path) == on_ledger(facts)
    assert not left.exists()


def test_many_parts_of_a_month_become_one(facts: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebate_export, "PARTS", 1)
    rebate_export.export(facts.hub, tmp_path)
    more_of_the_first_line(facts, 3)
    rebates.accrue(facts.hub, AS_OF)

    rebate_export.export(facts.hub, tmp_path)

    assert exported(tmp_path) == on_ledger(facts)
    assert all(len(month["parts"]) == 1 for month in manifest(tmp_path)["months"].values())


@pytest.mark.parametrize("many", [10**9, 1])
def test_a_calculation_on_the_folder_gives_what_the_ledger_gives(
    facts: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    more_of_the_first_line(facts, 3)
    rebates.accrue(facts.hub, AS_OF)
    rebate_export.export(facts.hub, tmp_path / "out")
    monkeypatch.setattr(rebates_bulk, "MANY", many)
    file = tmp_path / "programme.yaml"
    file.write_text(PROGRAMME.format(version=1, rate="2 %"), encoding="utf-8")

    done = CliRunner().invoke(
        command,
        ["calculate", "--programme", str(file), "--facts", str(tmp_path / "out"), "--as-of", str(AS_OF), "--out", str(tmp_path / "r.json")],
    )

    assert done.exit_code == 0, done.output
    rules = load(file.read_text(encoding="utf-8")).programme
    assert isinstance(rules, Programme)
    with facts.hub.pool.connection() as db:
        table = Table(tuple(fact_queries.facts(db, date(2020, 1, 1), date(2027, 1, 1))), COLUMNS)
    expected = {(one.dealer, one.span.name): format(one.earned, "f") for one in calculate([rules], table, as_of=AS_OF).results}
    told = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert {(row["dealer"], row["period"]["name"]): row["earned"] for row in told["results"]} == expected


@pytest.mark.parametrize("many", [10**9, 1])
def test_a_fact_without_a_currency_counts_in_an_export_as_on_the_ledger_and_is_refused_in_a_file(
    facts: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(rebates_bulk, "MANY", many)
    with facts.hub.transaction() as db:
        db.execute(
            "INSERT INTO rebate_fact (date, id, revision, kind, dealer, amount, order_date) SELECT date, 'no currency', 1, kind, dealer, "
            "1000, order_date FROM rebate_fact WHERE kind = 'sale' AND order_date IS NOT NULL ORDER BY id LIMIT 1"
        )
    rebates.accrue(facts.hub, AS_OF, full=True)
    rebate_export.export(facts.hub, tmp_path / "out")
    file, one = tmp_path / "programme.yaml", tmp_path / "one.parquet"
    file.write_text(PROGRAMME.format(version=1, rate="2 %"), encoding="utf-8")
    duckdb.execute(f"COPY (SELECT * FROM read_parquet({[str(part) for part in parts_of(tmp_path / 'out')]})) TO '{one}' (FORMAT parquet)")

    def earned(place: Path) -> Any:
        words = ["calculate", "--programme", str(file), "--facts", str(place), "--as-of", str(AS_OF), "--json"]
        return json.loads(CliRunner().invoke(command, words).output)

    whole = facts.rows("SELECT reference, sum(amount) AS amount FROM rebate_entry WHERE account = 'accrued' GROUP BY 1")
    told = {f"orders-2026|{row['dealer']}||{row['period']['name']}": Decimal(row["earned"]) for row in earned(tmp_path / "out")["results"]}
    assert {unit: amount for unit, amount in told.items() if amount} == {row["reference"]: row["amount"] for row in whole}
    assert {flaw["code"] for flaw in earned(one)["error"]["errors"]} <= {"bad_currency", "wrong_currency"}


def test_a_folder_of_something_else_is_left_alone(facts: Stage, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")

    with pytest.raises(BadFacts, match="not one of `hub rebates export`"):
        rebate_export.export(facts.hub, folder)
    assert [path.name for path in folder.iterdir()] == ["manifest.json"]
