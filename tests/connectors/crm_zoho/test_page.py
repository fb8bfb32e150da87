"""The page for the person who connects an organisation tells every setting, stream, custom field and error code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from connectors.crm_zoho import ZohoSettings, connector
from connectors.crm_zoho.errors import ERRORS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/connectors/crm_zoho.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ZohoSettings.model_fields)
def test_every_setting_is_told(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("code", ERRORS)
def test_every_error_code_is_told(code: str) -> None:
    assert re.search(rf"\b{code}\b", PAGE)


def test_every_stream_and_module_is_told() -> None:
    settings = ZohoSettings(client_id="1000.X", client_secret="a", refresh_token="b")
    for stream in connector.streams(settings):
        assert re.search(rf"^\| `{stream.name}` \| {stream.vendor_name}\b", PAGE, re.MULTILINE)


def test_the_example_of_the_page_is_a_valid_configuration() -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example
    given = yaml.safe_load(example[1])["systems"]["zoho"]

    settings = {name: "x" if isinstance(value, dict) and set(value) == {"env"} else value for name, value in given["settings"].items()}
    assert given["kind"] == connector.kind
    assert len(connector.streams(ZohoSettings(**settings))) == 11


def test_every_rule_that_no_test_proves_has_a_reason() -> None:
    rules = yaml.safe_load((ROOT / "connectors/crm_zoho/quality.yaml").read_text(encoding="utf-8"))["rules"]

    assert {rule["status"] for rule in rules.values()} <= {"done", "todo", "exempt"}
    assert all(len(rule["reason"]) > 20 for rule in rules.values())
