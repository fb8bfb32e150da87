"""docs/mapping.md: its examples run, and it names every word that a file may use."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mappings import errors
from mappings.compiler import OURS, load
from mappings.functions import FUNCTIONS
from mappings.keys import NORMALISERS
from mappings.model import Target, ValueRow, Values
from mappings.parser import HEADER, OPTIONS, SET_WORDS

PAGE = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text(encoding="utf-8")


def block(mark: str) -> str:
    """The fenced block whose fence line ends with this mark."""
    found = re.search(rf"^```\w+ {re.escape(mark)}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found, f"docs/mapping.md has no block {mark}"
    return found[1]


def test_the_example_reads_and_writes_as_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "orders.yaml").write_text(block("example=order"), encoding="utf-8")
    mapping = load(tmp_path, "acme", "orders")
    record: dict[str, Any] = json.loads(block("example=record"), parse_float=Decimal)
    refs = {cite: f"‹{' '.join(cite)}›" for cite in mapping.cites(record)}
    values = Values([ValueRow("salesperson", "王磊", "S001")])

    read = mapping.read(record, refs, values)
    needed = mapping.needs(read.fields, read.sets)
    links = {need: Target(need[1].strip("‹›").split()[-1], need[1].strip("‹›").split()[-1]) for need in needed}
    written = mapping.write(read.fields, read.sets, links, values, lines={"lines": {"r1": "r1"}})

    assert {**read.fields, **read.sets} == json.loads(block("example=canonical"))
    assert written == json.loads(block("example=payload"), parse_float=Decimal)
    assert read.identity == [("erp_number", "A-17")]


def test_the_overlay_of_the_page_lies_over_ours(tmp_path: Path) -> None:
    (tmp_path / "erp_kingdee").mkdir()
    (tmp_path / "erp_kingdee" / "customers.yaml").write_text(block("overlay=erp_kingdee/customers"), encoding="utf-8")

    mapping = load([OURS, tmp_path], "erp_kingdee", "customers")

    assert (mapping.writes["F_OWN_TEL"], mapping.writes["F_OWN_RATING"]) == ("phone", "custom.rating")
    assert mapping.writes["F_OWN_LIMIT"] == "companies.credit_limit"


def test_the_mistake_of_the_page_is_told_as_it_says(tmp_path: Path) -> None:
    text, told = block("mistake").split("---\n")
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "customers.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(errors.BadFile) as wrong:
        load(tmp_path, "acme", "customers")

    assert str(wrong.value).removeprefix(f"{tmp_path}/acme/") == told.strip()


def test_every_word_of_a_file_is_on_the_page() -> None:
    words = {*HEADER, *OPTIONS, *SET_WORDS, *FUNCTIONS, *NORMALISERS}

    assert sorted(word for word in words if f"`{word}`" not in PAGE) == []


def test_every_error_code_is_on_the_page() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.MappingError)]

    assert sorted({kind.code for kind in kinds if f"`{kind.code}`" not in PAGE}) == []
