"""YAML with the line of every word, so that a mistake can be shown where it is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from canonical.nesting import LOADER, too_deep
from mappings.errors import BadFile
from mappings.rules import Place

DEEPEST = 40
"""Levels of nesting that a file may have; a mapping needs six."""


@dataclass(frozen=True, slots=True)
class Loc:
    """A piece of YAML: scalar, list of pieces, or dict of pieces by plain key."""

    value: Any
    place: Place
    name: str = ""
    """Dotted path inside the file, for messages."""

    def wrong(self, why: str, fix: str) -> BadFile:
        """The error that shows this place."""
        return BadFile(self.place.file, self.place.line, self.name, why, fix)

    def get(self, key: Any) -> Loc | None:
        """The piece under a key; None where it is absent or null."""
        found: Loc | None = self.mapping().get(key)
        return None if found is None or found.value is None else found

    def mapping(self) -> dict[Any, Loc]:
        """This piece as a dict. Raises: BadFile."""
        if isinstance(self.value, dict):
            return self.value
        raise self.wrong("expected names with values under it", "Write `name: value` lines, indented below it")

    def items(self) -> Iterator[Loc]:
        """This piece as a list; a single word counts as a list of one. Raises: BadFile."""
        yield from self.value if isinstance(self.value, list) else [self]

    def text(self) -> str:
        """This piece as text. Raises: BadFile."""
        if isinstance(self.value, str) and self.value:
            return self.value
        raise self.wrong(f"expected a text, found {self.value!r}", "Write the text, in quotes if it is true, null or a number")

    def texts(self) -> tuple[str, ...]:
        """This piece as one or several texts."""
        return tuple(item.text() for item in self.items())

    def flag(self) -> bool:
        """This piece as true or false."""
        if isinstance(self.value, bool):
            return self.value
        raise self.wrong(f"expected true or false, found {self.value!r}", "Write true or false")

    def choice(self, options: Iterable[str]) -> str:
        """This piece as one of some words."""
        word = "null" if self.value is None else self.text()
        names = tuple(options)
        if word in names:
            return word
        raise self.wrong(f"{word!r} is not known here", suggestion(word, names))

    def known(self, options: Iterable[str]) -> None:
        """Raise BadFile for a key that is none of these."""
        names = tuple(options)
        for key, piece in self.mapping().items():
            if key not in names:
                raise piece.wrong(f"{key!r} is not known here", suggestion(str(key), names))

    def plain(self) -> Any:
        """This piece as plain Python."""
        if isinstance(self.value, dict):
            return {key: piece.plain() for key, piece in self.value.items()}
        if isinstance(self.value, list):
            return [piece.plain() for piece in self.value]
        return self.value


def suggestion(word: str, options: Iterable[str]) -> str:
    """What to write instead of a word that is not known."""
    names = sorted(options)
    near = difflib.get_close_matches(word, names, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(names)}"


def _root(text: str, file: str) -> yaml.Node | None:
    try:
        deep = too_deep(text, DEEPEST)
        root: yaml.Node | None = yaml.compose(text, Loader=LOADER) if deep is None else None
    except yaml.YAMLError:
        return yaml.compose(text, Loader=yaml.SafeLoader)  # tells the place of a mistake better
    if deep is not None:
        raise BadFile(file, deep, "", "nested too deeply", "A mapping needs no more than six levels")
    return root


def parse(path: Path) -> Loc:
    """A YAML file as located pieces. Raises: BadFile for what is no YAML, no UTF-8, or says a name twice."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise BadFile(str(path), 1, "", f"byte {wrong.start} is not UTF-8", "Save the file as UTF-8") from wrong
    try:
        node = _root(text, str(path))
        return _piece(node, str(path), "") if node is not None else Loc({}, Place(str(path), 1))
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        line = mark.line + 1 if mark else 1
        raise BadFile(
            str(path), line, "", f"not valid YAML: {wrong.problem}", "Check indentation, colons and quotes of this line"
        ) from wrong
    except yaml.YAMLError as wrong:
        raise BadFile(str(path), 1, "", f"not valid YAML: {wrong}", "Check for characters that YAML does not allow") from wrong


_SCALARS = yaml.SafeLoader("")


def _piece(node: yaml.Node, file: str, name: str) -> Loc:
    place = Place(file, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        pieces: dict[Any, Loc] = {}
        for key_node, value_node in node.value:
            key = _scalar(key_node, file, name)
            inner = f"{name}.{key}" if name else str(key)
            line = Place(file, key_node.start_mark.line + 1)
            if key in pieces:
                raise BadFile(file, line.line, inner, "said twice", "Keep one of the two")
            # A value that begins below its name is shown where the name stands.
            pieces[key] = replace(_piece(value_node, file, inner), place=line)
        return Loc(pieces, place, name)
    if isinstance(node, yaml.SequenceNode):
        return Loc([_piece(item, file, name) for item in node.value], place, name)
    return Loc(_scalar(node, file, name), place, name)


def _scalar(node: yaml.Node, file: str, name: str) -> Any:
    if not isinstance(node, yaml.ScalarNode):
        raise BadFile(file, node.start_mark.line + 1, name, "a name cannot be a list or structure", "Use a plain word before the colon")
    if node.tag == "tag:yaml.org,2002:float":
        return node.value  # Numbers with a fraction stay exact text.
    try:
        return _SCALARS.construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError) as wrong:
        raise BadFile(file, node.start_mark.line + 1, name, f"{node.value!r} is no plain value", "Put it in quotes") from wrong


_LAYERED = ("fields", "constants", "parameters")


def overlay(base: Loc, over: Loc) -> Loc:
    """One file over another: names of ours stay unless the other says them again; `name: null` drops one."""
    merged = dict(base.mapping())
    for key, piece in over.mapping().items():
        ours = merged.get(key)
        if key in _LAYERED and ours is not None and isinstance(ours.value, dict) and isinstance(piece.value, dict):
            merged[key] = _layer(ours, piece)
        elif key == "sets" and ours is not None and isinstance(ours.value, dict):
            sets = dict(ours.value)
            for name, child in piece.mapping().items():
                sets[name] = overlay(sets[name], child) if name in sets and isinstance(child.value, dict) else child
            merged[key] = Loc({name: child for name, child in sets.items() if child.value is not None}, piece.place, piece.name)
        else:
            merged[key] = piece
    return Loc(merged, over.place, over.name)


def _layer(ours: Loc, theirs: Loc) -> Loc:
    merged = {**ours.value, **theirs.value}
    return Loc({key: piece for key, piece in merged.items() if piece.value is not None}, theirs.place, theirs.name)
