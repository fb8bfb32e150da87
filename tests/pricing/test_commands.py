"""`hub price quote` and `hub price check` on a file alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from hub_cli.group import hub
from tests.pricing.documents import document


def run(*words: str) -> Result:
    return CliRunner().invoke(hub, ["price", *words], catch_exceptions=False)


def written(place: Path, text: str, name: str = "prices.yaml") -> str:
    (place / name).write_text(text, encoding="utf-8")
    return str(place / name)


def test_a_quote_is_a_table_of_rungs_for_people(tmp_path: Path) -> None:
    rules: list[dict[str, Any]] = [{"id": "SPRING", "name": "春季促销", "rung": "promotion", "percent": "10"}]

    done = run("quote", written(tmp_path, document(adjustments=rules)))

    assert done.exit_code == 0
    for told in ("SPRING v1", "春季促销", "percent_of_running", "-10%", "90", "not used: base deal", "net 90.00", "approval: auto"):
        assert told in done.output


def test_a_quote_is_one_json_document_for_scripts(tmp_path: Path) -> None:
    done = run("quote", written(tmp_path, document()), "--json")

    assert json.loads(done.output, parse_float=str)["gross"] == "100.00"


def test_what_has_no_price_is_exit_code_7(tmp_path: Path) -> None:
    text = document(items=[{"id": "A", "moq": "5"}])

    done, as_json = run("quote", written(tmp_path, text)), run("quote", written(tmp_path, text), "--json")

    assert (done.exit_code, as_json.exit_code) == (7, 7)
    assert "pricing/below-minimum" in done.output
    assert json.loads(as_json.output, parse_float=str)["status"] == "refused"


def test_mistakes_are_exit_code_2_with_line_and_fix(tmp_path: Path) -> None:
    file = written(tmp_path, document().replace("quantity: '1'", "quantity: '-1'"))

    done, as_json = run("quote", file), run("check", file, "--json")

    assert (done.exit_code, as_json.exit_code) == (2, 2)
    error = json.loads(as_json.output, parse_float=str)["error"]
    assert error["code"] == "pricing/bad-file"
    assert error["errors"][0]["where"].startswith(f"{file}:")
    assert "-1 is not above zero" in done.output


def test_a_file_can_be_checked_without_a_question(tmp_path: Path) -> None:
    text = document()
    done = run("check", written(tmp_path, text[: text.index("ask:")]))

    assert done.exit_code == 0
    assert "can be published: 1 items" in done.output
    assert run("quote", written(tmp_path, text[: text.index("ask:")])).exit_code == 2


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes("items: [{id: 泵}]\n".encode("gb18030"))

    missing, wrong = run("quote", str(tmp_path / "no.yaml")), run("quote", str(tmp_path / "x.yaml"))

    assert (missing.exit_code, wrong.exit_code) == (2, 2)
    assert "name a file that is there" in missing.output
    assert "x.yaml:1: it is not UTF-8" in wrong.output


def test_json_files_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    text = json.dumps({"items": [{"id": "A"}], "books": [{"id": "s", "kind": "标准价", "prices": [{"item": "A", "price": 1.10}]}],
                       "ask": {"date": "2026-01-05", "lines": [{"item": "A", "quantity": 3}]}})  # fmt: skip

    done = run("quote", written(tmp_path, "\ufeff" + text, "prices.json"), "--json")

    assert json.loads(done.output, parse_float=str)["net"] == "3.30"


def test_a_table_says_tax_range_lead_time_and_margin_in_words(tmp_path: Path) -> None:
    known = {
        "items": [{"id": "A", "cost": "60", "lead_time": {"days": "14", "source": "工厂计划"}}],
        "settings": {"tax": "含税", "tax_rate": "0.13"},
        "authority": [{"id": "own", "level": "0", "role": "management", "max_discount": "5"}],
        "ask": {"role": "management"},
    }
    shown = run("quote", written(tmp_path, document(**known))).output
    unknown = run("quote", written(tmp_path, document(ask={"role": "management"}))).output

    for told in (
        "1  A  1 pcs",
        "may be given from 95.0000 to 100.0000",
        "14 days (工厂计划)",
        "unit 100.0000 with tax",
        "margin 28.50 (32.20 %)",
    ):
        assert told in shown
    assert "cost and margin: not known" in unknown
