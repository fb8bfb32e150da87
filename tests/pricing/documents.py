"""Files of the tests: made of text, loaded, published and asked as the command does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from channel.pricing.asking import PricingFile
from channel.pricing.compiled import Prices
from channel.pricing.loading import load
from channel.pricing.publishing import check
from channel.pricing.views import answer
from hub_cli.answers import plain


def published(text: str, file: str = "prices.yaml") -> PricingFile:
    """A file, read and checked."""
    rules, tree = load(text, file)
    check(rules, tree, file)
    return rules


def asked(text: str) -> dict[str, Any]:
    """The answer to a file's question, as its JSON."""
    rules = published(text)
    assert rules.ask is not None
    told: dict[str, Any] = plain(answer(Prices(rules), rules.ask))
    return told


def document(**parts: Any) -> str:
    """A small file with one item A at 100, and what is given besides; `ask` may be given in part."""
    made: dict[str, Any] = {
        "items": [{"id": "A"}],
        "books": [{"id": "std", "kind": "standard", "prices": [{"item": "A", "price": "100"}]}],
        **parts,
    }
    made["ask"] = {"date": "2026-01-05", "lines": [{"item": "A", "quantity": "1"}], **parts.get("ask", {})}
    return yaml.safe_dump(made, allow_unicode=True, sort_keys=False)


def missing(expected: Any, told: Any, path: str = "answer") -> list[str]:
    """Where an answer does not hold what is expected of it; names that are not expected are free."""
    if isinstance(expected, Mapping):
        if not isinstance(told, Mapping):
            return [f"{path} is {told!r}"]
        return [one for name, part in expected.items() for one in missing(part, told.get(name, "nothing"), f"{path}.{name}")]
    if isinstance(expected, list):
        if not isinstance(told, list) or len(told) != len(expected):
            return [f"{path} is {told!r}"]
        return [one for at, part in enumerate(expected) for one in missing(part, told[at], f"{path}[{at}]")]
    return [] if expected == told else [f"{path}: expected {expected!r}, got {told!r}"]


TEN = {"percent": "10"}
TWENTY = {"percent": "20"}


def rule(id: str, mode: str = "compound", **more: Any) -> dict[str, Any]:  # noqa: A002  the file's own word
    """An adjustment at the rung of promotions, where nothing else is said."""
    return {"id": id, "rung": "promotion", "mode": mode, **more}


def net(*rules: dict[str, Any], **parts: Any) -> str:
    """What the small document costs with these adjustments."""
    found: str = asked(document(adjustments=list(rules), **parts))["net"]
    return found


def unused(*rules: dict[str, Any], **parts: Any) -> dict[str, str]:
    """Which of these adjustments the first line does not use, and why."""
    rows = asked(document(adjustments=list(rules), **parts))["lines"][0]["not_used"]
    return {one["rule"]: one["reason"] for one in rows if one["rung"] != "base"}
