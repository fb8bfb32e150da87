"""What a page says is so: examples load, links lead somewhere, commands exist, generated pages are fresh."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click
import pytest
import yaml
from pydantic import BaseModel

from connectors.registry import load as load_connector
from hub_cli.group import hub
from hub_cli.main import VERBS
from sync import schema_export
from sync.config import BudgetConfig, Flow, HubConfig
from sync.config_file import load
from tests.docs.pages import PAGES, ROOT, Example, anchors, examples, links, name_of, typed_commands

CONFIGURATIONS = [
    one for page in PAGES for one in examples(page) if one.info == "yaml" and re.search(r"^(flows|systems):", one.body, re.MULTILINE)
]
PARTS = [one for page in PAGES for one in examples(page) if one.info.startswith("yaml check=")]
SECTIONS: dict[str, type[BaseModel]] = {"flow": Flow, "budget": BudgetConfig}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for target in links(page):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        there = (page.parent / path).resolve() if path else page
        missing = not there.exists()
        if missing or (anchor and there.suffix == ".md" and there.exists() and anchor not in anchors(there)):
            dead.append(target)

    assert dead == []


@pytest.mark.parametrize("example", CONFIGURATIONS, ids=str)
def test_an_example_of_hub_yaml_loads(example: Example, tmp_path: Path) -> None:
    file = tmp_path / "hub.yaml"
    whole = yaml.safe_load(example.body)
    file.write_text(example.body if "flows" in whole else yaml.safe_dump(whole | {"flows": {}}), encoding="utf-8")

    config = load(file)

    assert config.systems
    for name, system in config.systems.items():
        settings = load_connector(system.kind).settings
        given = {key: _stand_in(key, value) for key, value in system.settings.items()}
        assert settings.model_validate(given), name


def _stand_in(key: str, value: Any) -> Any:
    """A plausible value where the file names where a secret stands."""
    if isinstance(value, dict) and set(value) <= {"env", "file", "airflow_connection", "part"}:
        return "220001_" + "x" * 32 if key == "app_id" else "secret"
    return value


def test_there_are_examples_of_hub_yaml_in_both_readmes_and_on_the_page() -> None:
    assert {"README.md", "README.zh-CN.md", "docs/configuration.md"} <= {one.page for one in CONFIGURATIONS}


@pytest.mark.parametrize("example", PARTS, ids=str)
def test_an_example_of_a_section_loads(example: Example) -> None:
    section = SECTIONS[example.info.partition("check=")[2]]

    assert section.model_validate(yaml.safe_load(example.body))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    wrong = []
    for place, typed in typed_commands(page):
        if typed.startswith("make "):
            words = [word for word in typed.split()[1:] if "=" not in word and re.fullmatch(r"[a-z-]+", word)]
            wrong += [f"{place}: {typed}" for word in words[:1] if word not in targets]
        elif why := _unknown(typed):
            wrong.append(f"{place}: {typed}: {why}")

    assert wrong == []


def _unknown(typed: str) -> str:
    """Why a `hub …` line cannot be typed; empty when it can. `…`, SYSTEM and the like stand for values."""
    try:
        words = shlex.split(typed.replace("…", " "))[1:]
    except ValueError:
        return "cannot be read"
    words = [word for word in words if word.strip("[]")]
    while words and words[0] in ("--home", "--config", "--database"):
        words = words[2:]
    if not words or words[0].startswith("-") or words[0].isupper():
        return ""
    verb, rest = words[0], words[1:]
    if not any(verb in verbs for verbs in VERBS.values()):
        return f"there is no verb {verb}"
    command = hub.get_command(click.Context(hub), verb)
    if isinstance(command, click.Group) and rest and not rest[0].startswith(("-", "[")) and not rest[0].isupper():
        if rest[0] not in command.commands:
            return f"{verb} has no {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    assert command is not None
    known = {name for one in command.params for name in one.opts} | {"--help", "--json"}
    strangers = [word for word in rest if word.startswith("--") and word.split("=")[0].strip("[]") not in known]
    return f"no option {', '.join(strangers)}" if strangers else ""


@pytest.mark.parametrize(
    ("path", "text"), list(schema_export.texts().items()), ids=lambda part: part.name if isinstance(part, Path) else ""
)
def test_a_generated_page_is_fresh(path: Path, text: str) -> None:
    assert path.read_text(encoding="utf-8") == text, "write it anew: python -m sync.schema_export"


# The schema, with the eyes of an editor ------------------------------------------------------------------------------------


def problems(config: dict[str, Any]) -> list[str]:
    """What an editor would underline."""
    jsonschema = pytest.importorskip("jsonschema")
    as_json = json.loads(json.dumps(config, default=str))
    schema = json.loads(schema_export.SCHEMA_FILE.read_text(encoding="utf-8"))
    return [error.json_path for error in jsonschema.Draft202012Validator(schema).iter_errors(as_json)]


def the_demo() -> dict[str, Any]:
    """The demo's hub.yaml."""
    raw: dict[str, Any] = yaml.safe_load((ROOT / "hub_cli" / "demo" / "hub.yaml").read_text(encoding="utf-8"))
    return raw


def test_the_schema_accepts_what_the_hub_accepts() -> None:
    assert problems(the_demo()) == []
    assert HubConfig.model_validate(the_demo())


@pytest.mark.parametrize("example", CONFIGURATIONS, ids=str)
def test_the_schema_accepts_the_examples(example: Example) -> None:
    assert problems({"flows": {}} | yaml.safe_load(example.body)) == []


def test_the_schema_points_at_mistakes() -> None:
    config = the_demo()
    config["flows"]["party"]["owners"]["nmae"] = "zoho"
    config["flows"]["order"]["systems"]["zoho"]["mode"] = "on"
    config["flows"]["ordre"] = config["flows"].pop("deal")
    config["systems"]["zoho"]["settings"]["refresh_tokn"] = {"env": "X"}
    config["systems"]["kingdee"]["settings"]["app_secret"] = "written into the file"

    found = problems(config)

    for place in (
        "$.flows.party.owners",
        "$.flows.order.systems.zoho.mode",
        "$.flows",
        "$.systems.zoho.settings",
        "$.systems.kingdee.settings.app_secret",
    ):
        assert place in found
