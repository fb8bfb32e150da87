"""Whatever is changed in a good file: it is priced, or refused with line and fix; never a crash, never half."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from channel.pricing import papers
from channel.pricing.compiled import Prices
from channel.pricing.errors import BadPricing, Mistake
from channel.pricing.views import answer
from hub_cli.answers import plain
from tests.docs.pages import ROOT, examples
from tests.pricing.documents import published

FILES = [
    yaml.load(one.body, Loader=yaml.BaseLoader)  # noqa: S506  text only
    for page in sorted((ROOT / "docs").glob("pricing*.md"))
    for one in examples(page)
    if one.info == "yaml price"
]
STRANGE: tuple[Any, ...] = (
    "", "0", "-1", "1e9", "abc", "true", None, [], {}, "9" * 24, "0.000000001", "2026-01-05", "含税", "10%", "A", "D", ["A", "A"],
    {"x": "y"}, "standard", "grade", "best", "range", "block", "value", "order", "USD", "-0", "1" * 30,
)  # fmt: skip
NAMES = ("scope", "mode", "percent", "over", "valid_to", "unit", "tax", "method", "accumulated", "per", "every", "most", "role")


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a document."""
    rows = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in rows:
        yield (*path, key)
        yield from paths(value, (*path, key))


def changed(document: Any, chance: random.Random) -> None:
    """One change somewhere: a strange value, something left out, doubled or put in."""
    *way, last = chance.choice(list(paths(document)))
    node = document
    for step in way:
        node = node[step]
    how = chance.random()
    if how < 0.6:
        node[last] = copy.deepcopy(chance.choice(STRANGE))
    elif how < 0.8 and isinstance(node, dict):
        del node[last]
    elif isinstance(node, list):
        node.append(copy.deepcopy(node[last]))
    else:
        node[chance.choice(NAMES)] = chance.choice(STRANGE)


def outcome(text: str) -> tuple[dict[str, Any] | None, tuple[Mistake, ...]]:
    """The answer of a file that asks something, or its mistakes."""
    try:
        rules = published(text)
        return (answer(Prices(rules), rules.ask) if rules.ask is not None else None), ()
    except BadPricing as refused:
        return None, refused.mistakes


@pytest.mark.parametrize("seed", range(8))
def test_a_changed_file_is_priced_or_refused_with_line_and_fix(seed: int) -> None:
    chance = random.Random(seed)
    outcomes = {"priced": 0, "refused": 0}
    for _ in range(150):
        document = copy.deepcopy(chance.choice(FILES))
        changed(document, chance)
        told, mistakes = outcome(json.dumps(document, ensure_ascii=False, indent=1))
        outcomes["refused" if mistakes else "priced"] += 1
        assert all(one.where.startswith(("prices.yaml:", "ask")) and one.what and one.next_step for one in mistakes)
        assert told is None or (json.dumps(plain(told)) and papers.rows(told, "zh"))

    assert min(outcomes.values()) > 5
