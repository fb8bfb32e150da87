"""Reading hub.yaml: the file is checked whole when it is loaded; a mistake is reported with file, line and the fix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from canonical.nesting import too_deep
from sync.config import HubConfig
from sync.config_settings import BY_REFERENCE, anchored, plain_secrets
from sync.errors import BadConfig

DEEPEST = 40
"""Levels of nesting that the file may have; what it says needs eight."""


def line_of(node: yaml.Node | None, path: tuple[Any, ...]) -> int:
    """The line on which a place of the document stands, counted from 1; of the nearest place above it when it is not there."""
    line = 1
    for place, step in enumerate(path):
        if node is None:
            break
        line = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            names = (str(step), ".".join(map(str, path[place:])))  # `lines.quantity` is one key
            for key, value in node.value:
                if key.value in names:
                    line, node = key.start_mark.line + 1, value if key.value == names[0] else None
                    break
            else:
                return line
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            return line
    return line


_FIXES: Mapping[str, str] = {
    "extra_forbidden": "take it out, or correct its spelling",
    "missing": "add it",
    "literal_error": "use one of the values named",
    "string_type": "write it in quotes",
}


def _explain(problem: Mapping[str, Any], root: yaml.Node | None, path: Path) -> str:
    location = tuple(problem["loc"])
    text = str(problem["msg"]).removeprefix("Value error, ")
    if not location:
        words = text.split(":", 1)[0].split(".")
        location = tuple(words) if len(words) > 1 else ()
    fix = _FIXES.get(problem["type"], "")
    shown = ".".join(str(step) for step in problem["loc"])
    return f"{path}:{line_of(root, location)}: {shown + ': ' if shown else ''}{text}" + (f" ({fix})" if fix else "")


def _parsed(text: str, path: Path) -> tuple[yaml.Node | None, Any]:
    """The document as nodes with their lines, and as plain values. Raises: BadConfig for what is no YAML, or says a key twice."""
    try:
        if (deep := too_deep(text, DEEPEST)) is not None:
            raise BadConfig("nested too deeply", where=f"{path}:{deep}", next_step=f"mend the YAML there: {DEEPEST} levels are allowed")
        root, raw = yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark
        line = min(mark.line + 1, len(text.splitlines())) if mark else 1  # libyaml's end of a text is beyond its last line
        raise BadConfig(str(wrong.problem), where=f"{path}:{line}", next_step="mend the YAML there") from wrong
    except yaml.YAMLError as wrong:
        raise BadConfig(f"no YAML: {wrong}", where=str(path), next_step="take that character out") from wrong
    if again := next(_repeated(root), None):
        line = again.start_mark.line + 1
        raise BadConfig(f"key {again.value!r} stands twice", where=f"{path}:{line}", next_step="keep one of the two")
    return root, raw


def _repeated(root: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """Keys that stand twice in one mapping: YAML would take the later one without a word."""
    waiting, seen = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))  # an alias stands for the node that it names
        if isinstance(node, yaml.MappingNode):
            told = set[tuple[str, str]]()
            for key, value in node.value:
                waiting.append(value)
                if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in told:
                    yield key
                told.add((key.tag, str(key.value)))
        else:
            waiting += node.value


def load(path: Path) -> HubConfig:
    """Read and check hub.yaml. Its relative paths start where it stands, wherever the command is typed.

    Raises: BadConfig naming file, line and fix for each mistake; a secret that stands in the file is one.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as wrong:
        raise BadConfig("no such file", where=str(path), next_step="name it with --config or HUB_CONFIG") from wrong
    except UnicodeDecodeError as wrong:
        raise BadConfig(f"not UTF-8 at byte {wrong.start}", where=str(path), next_step="save the file as UTF-8") from wrong
    root, raw = _parsed(text, path)
    if not isinstance(raw, dict):
        raise BadConfig("the file is not a mapping of sections", where=f"{path}:1", next_step="start it with systems:, flows:")
    try:
        config = HubConfig.model_validate(anchored(raw, path.parent.resolve()))
    except ValidationError as wrong:
        lines = [_explain(problem, root, path) for problem in wrong.errors(include_input=False)]
        raise BadConfig("; ".join(lines), next_step="mend these lines and run `hub check` again") from wrong
    told = plain_secrets({name: (system.kind, system.settings) for name, system in config.systems.items()})
    if lines := [f"{path}:{line_of(root, place)}: {'.'.join(place)}: {what} ({BY_REFERENCE})" for place, what in told]:
        raise BadConfig("; ".join(lines), next_step="mend these lines, and change secrets that others may have read")
    return config
