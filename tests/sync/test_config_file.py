"""hub.yaml as people mistype it: each mistake is told with its line and what to do, and none ends the process."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.config_file import load
from sync.errors import BadConfig

WRONG = {
    "a key that stands twice": ("systems: {}\nflows: {}\nsystems: {}\n", "hub.yaml:3: key 'systems' stands twice"),
    "one deep inside": ("systems: {}\nflows:\n  party:\n    owners: {name: hub, name: hub}\n", "hub.yaml:4: key 'name' stands twice"),
    "brackets without end": ("a: " + "[" * 100_000, "hub.yaml:1: nested too deeply"),
    "a control character": ("systems: {}\nflows: {}  # \a\n", "characters are not allowed"),
    "a list in place of sections": ("- systems\n", "not a mapping of sections"),
    "an open bracket": ("systems: {\n", "mend the YAML there"),
    "nothing": ("", "not a mapping of sections"),
}


@pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_told_with_its_line_and_what_to_do(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "hub.yaml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(BadConfig) as refused:
        load(file)

    assert told in str(refused.value)


def test_what_is_said_once_may_be_meant_in_several_places(tmp_path: Path) -> None:
    file = tmp_path / "hub.yaml"
    file.write_text("systems: {}\nflows:\n  party: &own {owners: {default: hub}, systems: {}}\n  product: *own\n", encoding="utf-8")

    assert list(load(file).flows) == ["party", "product"]
