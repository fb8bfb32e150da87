"""Everything that a person can type, set, match or watch stands on a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from connectors.registry import IN_TREE
from connectors.registry import load as load_connector
from hub_api.settings import ApiSettings
from hub_cli.exits import Exit
from sync.config import BudgetConfig, Company, DealsConfig, Flow, FlowSystem, HubConfig, SecretRef, SystemConfig
from tests.docs.commands import commands, options
from tests.docs.pages import ROOT, text_of

ROOMS = ("canonical", "channel", "connectors", "dags", "hub_api", "hub_cli", "ledger", "mappings", "sandbox", "sync")
SECTIONS: tuple[type[BaseModel], ...] = (HubConfig, Company, DealsConfig, SystemConfig, BudgetConfig, Flow, FlowSystem, SecretRef)


def sources(*rooms: str) -> Iterator[tuple[Path, str]]:
    """Our own code."""
    for room in rooms or ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path, path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("path", "command"), [pytest.param(path, command, id=path) for _, path, command in commands()])
def test_every_command_and_option_is_on_the_page(path: str, command: click.Command) -> None:
    page = text_of("docs/commands.md")
    rows = [line for line in page.splitlines() if re.match(rf"\| `{re.escape(path)}[ `]", line)]

    assert rows, f"{path} is not on docs/commands.md; write it anew: python -m tests.docs.commands"
    missing = [name for name, _ in options(command) if not any(f"`{name.split()[0]}" in row for row in rows)]
    assert missing == [], "python -m tests.docs.commands"


def test_every_exit_code_is_on_the_page() -> None:
    page = text_of("docs/operations.md")

    assert [code.name for code in Exit if not re.search(rf"^\| {code.value} \|", page, re.MULTILINE)] == []


ERROR_CODE = re.compile(r"""(?:\bcode\b\s*(?::\s*[\w\[\].]+\s*)?=|code=|-> str:\s+return)\s*["']([a-z_]+/[a-z-]+)["']""")


def error_codes(*rooms: str) -> set[str]:
    """Every stable code that an error of these rooms carries."""
    return {code for _, text in sources(*rooms) for code in ERROR_CODE.findall(text)}


def test_error_codes_are_found_where_they_are_made() -> None:
    assert {"sync/bad-config", "mappings/missing-value", "connectors/uncertain", "postgres/start-failed", "cli/failed"} <= error_codes()
    assert {"deals/move-refused", "parties/engine-missing"} <= error_codes("channel")


def test_every_error_code_is_on_a_page() -> None:
    pages = text_of("docs/operations.md") + text_of("connectors/QUALITY.md")
    told_by_the_api = error_codes("hub_api")

    assert sorted(code for code in error_codes() - told_by_the_api if f"`{code}`" not in pages) == []


def test_every_problem_of_the_api_is_on_its_page() -> None:
    page = text_of("docs/api.md") + text_of("docs/operations.md")

    assert sorted(code for code in error_codes("hub_api") if code not in page) == []


def table_row(key: str) -> re.Pattern[str]:
    """A row of a table whose first cell names the key, alone or beside others."""
    return re.compile(rf"^\| [^|]*`{re.escape(key)}`[^|]*\| *([^|]*)\|", re.MULTILINE)


@pytest.mark.parametrize("model", SECTIONS, ids=lambda model: model.__name__)
def test_every_key_of_hub_yaml_is_on_the_page_with_its_default(model: type[BaseModel]) -> None:
    page = text_of("docs/configuration.md")
    wrong = []
    for name, field in model.model_fields.items():
        defaults = [found.strip() for found in table_row(name).findall(page)]
        if not defaults:
            wrong.append(f"{name} is missing")
        elif model is not SecretRef and not any(_shows(told, field) for told in defaults):
            wrong.append(f"{name}: the page says {defaults}")

    assert wrong == []


def _shows(told: str, field: FieldInfo) -> bool:
    if field.is_required():
        return "required" in told
    default = field.get_default(call_default_factory=True)
    if default is None or default is PydanticUndefined or isinstance(default, BaseModel):
        return "none" in told
    shown = {True: "true", False: "false"}.get(default) if isinstance(default, bool) else None
    if shown is None:
        shown = {"": '""', (): "[]"}.get(default) if isinstance(default, str | tuple) else None
    if shown is None:
        shown = {list: "[]", dict: "{}"}.get(type(default)) if not default and isinstance(default, list | dict) else None
    return f"`{shown or f'{default:g}' if isinstance(default, float) else shown or default}`" in told


@pytest.mark.parametrize("model", SECTIONS, ids=lambda model: model.__name__)
def test_every_key_of_hub_yaml_says_what_it_is(model: type[BaseModel]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description and (model, name) != (HubConfig, "")] == []


@pytest.mark.parametrize("kind", list(IN_TREE))
def test_every_setting_of_a_connector_is_on_its_page(kind: str) -> None:
    page = text_of(f"docs/connectors/{kind}.md")
    names = {name: _written(name, field) for name, field in load_connector(kind).settings.model_fields.items()}

    assert [name for name, ways in names.items() if not any(f"`{way}`" in page for way in ways)] == []


def _written(name: str, field: FieldInfo) -> list[str]:
    choices = field.validation_alias.choices if isinstance(field.validation_alias, AliasChoices) else [name]
    return [str(one) for one in choices]


def test_every_environment_variable_is_on_a_page() -> None:
    named = {found for _, text in sources() for found in re.findall(r"""["'](HUB_[A-Z_]+[A-Z])["']""", text)} - {"HUB_API"}
    named |= {f"HUB_API_{name.upper()}" for name in ApiSettings.__dataclass_fields__}
    pages = text_of("docs/configuration.md") + text_of("docs/operations.md")

    assert sorted(name for name in named if name not in pages and not name.startswith(("HUB_KEY", "HUB_LINE", "HUB_QUOTE"))) == []


METRIC = re.compile(r"""MetricFamily\(\s*["'](hub_[a-z_]+)["']""")


def test_every_metric_is_on_the_page() -> None:
    found = {name for _, text in sources() for name in METRIC.findall(text)}

    assert "hub_pairs" in found
    assert sorted(name for name in found if f"`{name}`" not in text_of("docs/operations.md")) == []


def test_the_six_states_and_their_reasons_are_on_the_page() -> None:
    page = text_of("docs/operations.md")
    reasons = {found for _, text in sources("sync") for found in re.findall(r"""Verdict\(\s*["']\w+["'],\s*["'](\w+)["']""", text)}

    assert "open_case" in reasons
    assert sorted(reason for reason in reasons if f"`{reason}`" not in page) == []


def test_every_quality_rule_of_a_connector_is_explained() -> None:
    page = text_of("connectors/QUALITY.md")
    rules = re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)

    assert len(rules) >= 30
    assert [rule for rule in rules if rules.count(rule) > 1] == []


def test_every_entity_is_in_the_data_dictionary() -> None:
    from canonical.models import MODELS

    page = text_of("docs/data-model.md")

    assert [name for name in MODELS if f"In hub.yaml: `{name}`" not in page] == []


def test_news_are_named_so_that_a_release_can_gather_them() -> None:
    kinds = {"added", "changed", "fixed", "removed", "security"}
    files = list((ROOT / "changes").iterdir())

    assert files
    assert [file.name for file in files if not re.fullmatch(rf"[a-z0-9-]+\.({'|'.join(kinds)})\.md", file.name)] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda page: page.stem)
def test_a_decision_tells_status_context_decision_costs_alternatives_and_proof(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}-[a-z0-9-]+", page.stem)
    assert [part for part in ("Status", "Context", "Decision", "Costs", "Instead of", "Held by") if f"**{part}**" not in text] == []
    assert text.count("\n") < 60, "one page"
