"""The mappings that come with the hub name only fields that the connector declares, and write only those that it can write."""

from __future__ import annotations

from pathlib import Path

import pytest

import mappings
from connectors.erp_kingdee.streams import FORMS
from mappings.compiler import load

FILES = Path(mappings.__file__).parent


@pytest.mark.parametrize("stream", [name for name, form in FORMS.items() if form.writable])
def test_a_mapping_writes_only_what_the_connector_can_write(stream: str) -> None:
    form = FORMS[stream]
    written = load(FILES, "erp_kingdee", stream).writes
    able = {path for path, field in form.by_path.items() if field.writable} | {form.entity, f"{form.entity}.{form.entry}"}

    assert sorted(path for path in written if path not in able) == []
