"""The page of a programme's file is whole: every field, word and flaw stands on it, so that a programme is written from one page."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from channel.rebates.claims import Fund, PriceProtection, ShipAndDebit
from channel.rebates.facts import COLUMNS, KINDS
from channel.rebates.loading import CODES
from channel.rebates.programme import Programme
from channel.rebates.values import Name
from hub_cli.group import hub
from tests.docs.pages import PAGES, ROOT, links, name_of, text_of

FORMAT = "docs/rebates-programme.md"
FACTS = "docs/rebates-facts.md"
REBATES = ROOT / "channel" / "rebates"


def models(model: type[BaseModel], seen: set[type[BaseModel]] | None = None) -> set[type[BaseModel]]:
    """A model and every model that stands in it."""
    found = set() if seen is None else seen
    if model not in found:
        found.add(model)
        for field in model.model_fields.values():
            for part in _parts(field.annotation):
                if isinstance(part, type) and issubclass(part, BaseModel):
                    models(part, found)
    return found


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def written() -> set[str]:
    """What may be written in a programme of any type: names of fields, and their words."""
    every = {one for kind in (Programme, PriceProtection, ShipAndDebit, Fund) for one in models(kind)} - {Name}
    fields = [(name, field) for one in every for name, field in one.model_fields.items()]
    words = {part for _, field in fields for part in _parts(field.annotation) if isinstance(part, str)}
    return {field.alias or name for name, field in fields} | words


def codes(*files: str) -> set[str]:
    """The codes of flaws that modules tell."""
    found: set[str] = set()
    for file in files:
        for node in ast.walk(ast.parse((REBATES / file).read_text(encoding="utf-8"))):
            texts: list[ast.expr] = []
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Flaw", "Wrong", "_bad", "_flaw"):
                texts = node.args[1:2] if node.func.id == "_flaw" else node.args[:1]
            elif isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple) and file == "checking_gates.py":
                texts = node.value.elts[1:2]
            found |= {text.value for text in texts if isinstance(text, ast.Constant) and isinstance(text.value, str)}
    return found


def test_every_field_and_word_of_a_programme_is_on_its_page() -> None:
    told = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`\n]+`", text_of(FORMAT)))))

    assert len(written()) > 150
    assert sorted(written() - told) == []


def test_every_flaw_of_a_programme_is_on_its_page() -> None:
    told = text_of(FORMAT)
    every = codes("checking.py", "checking_gates.py", "loading.py", "reading.py", "service.py") | set(CODES.values()) | {"no_method_part"}

    assert len(every) > 40
    assert [code for code in sorted(every) if f"`{code}`" not in told] == []


def test_every_column_kind_and_flaw_of_facts_is_on_their_page() -> None:
    told = text_of(FACTS)

    assert [one for one in sorted(COLUMNS | KINDS | codes("facts.py")) if f"`{one}`" not in told] == []


def test_every_flaw_that_rebates_tell_is_on_one_of_their_pages() -> None:
    told = "".join(text_of(name_of(page)) for page in PAGES if page.name.startswith("rebates"))

    assert [code for code in sorted(codes(*(file.name for file in REBATES.glob("*.py")))) if f"`{code}`" not in told] == []


def test_every_field_of_an_answer_is_on_the_page(tmp_path: Path) -> None:
    table = text_of(FACTS).split("## The answer", 1)[1].split("## Millions", 1)[0]
    prose = re.sub(r"^```.*?^```$", "", table, flags=re.MULTILINE | re.DOTALL)
    told = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`]+`", prose))))
    for name in ("slabs.yaml", "facts.csv"):
        block = re.search(rf"^```\w+ {name}\n(.*?)^```$", text_of(FACTS), re.MULTILINE | re.DOTALL)
        assert block is not None
        (tmp_path / name).write_text(block[1], encoding="utf-8")
    words = ["rebates", "calculate", "--programme", "slabs.yaml", "--facts", "facts.csv", "--as-of", "2026-12-31", "--json", "--schedule"]
    answer = json.loads(CliRunner().invoke(hub, [str(tmp_path / one) if (tmp_path / one).is_file() else one for one in words]).stdout)

    assert answer["results"]
    assert sorted(({*answer} | {*answer["results"][0]}) - told) == []


@pytest.mark.parametrize("method", [word for part in _parts(Programme.model_fields["method"].annotation) for word in get_args(part)])
def test_every_method_leads_to_its_worked_example(method: str) -> None:
    row = next(line for line in text_of(FORMAT).splitlines() if line.startswith(f"| `{method}`") and "rebates-methods.md#" in line)

    assert len(re.findall(r"\(rebates-methods\.md#", row)) >= 1


def test_the_way_in_leads_to_every_page_of_rebates() -> None:
    pages = {name_of(page) for page in PAGES if page.name.startswith("rebates-")}

    assert pages - {f"docs/{target.partition('#')[0]}" for target in links(ROOT / Path("docs/rebates.md"))} == set()
