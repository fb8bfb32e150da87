"""Programme files as data with the line of every value: YAML or JSON, numbers exactly as written, nothing twice, nothing clever.

YAML's own reader turns 0.1 into a binary float and keeps the last of two equal keys. Both change money without a word, so numbers
are read as text here and a key that stands twice is refused. Anchors and tags are refused too: a programme is to be read, not run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from canonical.nesting import LOADER, too_deep
from channel.rebates.errors import BadProgramme, Flaw

Path = tuple[str | int, ...]
MAX_CHARACTERS = 2_000_000
MAX_DEPTH = 30


@dataclass(frozen=True, slots=True)
class Source:
    """What a file says, and where it says it."""

    data: Any
    lines: dict[Path, int]
    file: str = ""

    def line(self, path: Path) -> int | None:
        """The line of a value; of the closest part around it where the value itself is absent."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return None


def read(text: str | bytes, file: str = "") -> Source:
    """The data of a YAML or JSON text. Raises: BadProgramme."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as wrong:
            raise _bad(
                "encoding", "the file is not UTF-8", "save it as UTF-8 (a Chinese Windows editor may have saved GBK)", None, file
            ) from wrong
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_CHARACTERS:
        raise _bad("too_large", f"{len(text)} characters", f"keep a programme below {MAX_CHARACTERS}", None, file)
    try:
        deep = too_deep(text, MAX_DEPTH)
        node = yaml.compose(text, Loader=LOADER) if deep is None else None  # JSON is YAML
    except yaml.MarkedYAMLError as wrong:
        line = wrong.problem_mark.line + 1 if wrong.problem_mark else None
        raise _bad("syntax", wrong.problem or "unreadable", "correct the YAML", line, file) from wrong
    except yaml.YAMLError as wrong:
        raise _bad("syntax", "a character that YAML does not allow", "save the file as plain UTF-8 text", None, file) from wrong
    if deep is not None:
        raise _bad("too_deep", f"more than {MAX_DEPTH} levels", "write it flatter", deep, file)
    if node is None:
        raise _bad("empty", "nothing is written", "write a programme", 1, file)
    lines: dict[Path, int] = {}
    return Source(_value(node, (), lines, set(), file), lines, file)


def _bad(code: str, what: str, fix: str, line: int | None, file: str, where: str = "file") -> BadProgramme:
    return BadProgramme([Flaw(code, where, what, fix, line, file)])


def _value(node: yaml.Node, path: Path, lines: dict[Path, int], seen: set[int], file: str) -> Any:
    line = node.start_mark.line + 1
    lines[path] = line
    if id(node) in seen:
        raise _bad("alias", "an anchor is used again", "write the value out", line, file, dotted(path))
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines, seen, file)
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*path, at), lines, seen, file) for at, child in enumerate(node.value)]
    return _scalar(node, path, file)


def _mapping(node: yaml.MappingNode, path: Path, lines: dict[Path, int], seen: set[int], file: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, child in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise _bad("syntax", "a field without a name", "write field: value", key_node.start_mark.line + 1, file, dotted(path))
        key = str(key_node.value)
        if key in found:
            raise _bad("twice", f"{key} stands twice", "keep one", key_node.start_mark.line + 1, file, dotted((*path, key)))
        if key == "<<":
            raise _bad("merge_key", "a merge key", "write the values out", key_node.start_mark.line + 1, file, dotted(path))
        found[key] = _value(child, (*path, key), lines, seen, file)
        lines[(*path, key)] = key_node.start_mark.line + 1
    return found


def _scalar(node: yaml.Node, path: Path, file: str) -> Any:
    text, tag = str(node.value), node.tag.rpartition(":")[2]
    match tag:
        case "null":
            return None
        case "bool":
            if text.lower() in ("true", "false"):
                return text.lower() == "true"
            return text  # yes, no, on, off are words here
        case "int" | "float" | "str" | "timestamp":
            return text  # the field knows whether 007 is a number or a dealer
    raise _bad("tag", f"the tag {node.tag}", "write plain values", node.start_mark.line + 1, file, dotted(path))


def dotted(path: Path) -> str:
    """A path as a person reads it: `tiers[1].from`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "programme"
