"""Conditions of mapping files, in CEL (cel.dev): typed, without side effects, always ending.

A condition sees structures (`record`, `line`, `doc`) and may ask for their fields by name: `doc.tax_included && line.free == false`,
or `record["FSaleOrgId.FNumber"] == "100"` for a name with a dot. A field that is absent or null is not there: `has(doc.status)`
tells, and a comparison with it does not hold. Answers are remembered by the values asked for: a case seen before costs a look-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

_REMEMBERED = 4096


class BadCondition(ValueError):
    """An expression that is not CEL, or asks for what a condition does not see."""


class Condition:
    """An expression over structures of given names. Called with one mapping per name, in their order.

    Raises: BadCondition when made from something else than CEL; ValueError when it compares what cannot be compared.
    """

    __slots__ = ("_known", "_names", "_program", "asked", "text")

    def __init__(self, text: str, names: tuple[str, ...]) -> None:
        celpy = _celpy()
        try:
            tree = _environment().compile(text)
            self._program = _environment().program(tree)
        except celpy.CELParseError as wrong:
            raise BadCondition(f"{text!r} is not a CEL expression: {str(wrong).splitlines()[0]}") from wrong
        self.text = text
        self.asked = _asked(tree, names)
        """The (structure, field) pairs it depends on."""
        self._names = names
        self._known: dict[tuple[Any, ...], bool] = {}

    def __call__(self, *structures: Mapping[str, Any]) -> bool:
        """Whether it holds."""
        values = tuple([structures[self._names.index(name)].get(field) for name, field in self.asked])
        try:
            known = self._known.get(values)
        except TypeError:  # A list or structure cannot be remembered by.
            return self._decide(values)
        if known is None:
            known = self._decide(values)
            if len(self._known) < _REMEMBERED:
                self._known[values] = known
        return known

    def _decide(self, values: tuple[Any, ...]) -> bool:
        celpy = _celpy()
        seen: dict[str, dict[str, Any]] = {name: {} for name in self._names}
        for (name, field), value in zip(self.asked, values, strict=True):
            if value is not None:
                # allow: float, CEL has no decimals and only conditions ever see the double
                seen[name][field] = float(value) if isinstance(value, Decimal) else value
        try:
            return bool(self._program.evaluate({name: celpy.json_to_cel(fields) for name, fields in seen.items()}))
        except celpy.CELEvalError as wrong:
            if KeyError in wrong.args:
                return False
            raise ValueError(f"condition {self.text!r} cannot be decided: {wrong.args[0]}") from wrong


@cache
def _celpy() -> Any:
    # The parser takes half a second to import, and most files have no condition.
    import celpy  # noqa: PLC0415  as said
    from celpy import adapter, evaluation  # noqa: PLC0415  as said

    class Parts:
        CELParseError = celpy.celparser.CELParseError
        CELEvalError = evaluation.CELEvalError
        Environment = celpy.Environment
        json_to_cel = staticmethod(adapter.json_to_cel)

    return Parts


@cache
def _environment() -> Any:
    return _celpy().Environment()


def _asked(tree: Any, names: tuple[str, ...]) -> list[tuple[str, str]]:
    found: dict[tuple[str, str], None] = {}
    accounted = 0
    for node in _nodes(tree):
        if node.data == "member_dot":
            name, field = _identifier(node.children[0]), str(node.children[1])
        elif node.data == "member_index":
            name, field = _identifier(node.children[0]), _literal(node.children[1])
        else:
            continue
        if name in names and field:
            found[name, field] = None
            accounted += 1
    mentioned = [str(node.children[0]) for node in _nodes(tree) if node.data == "ident"]
    for name in mentioned:
        if name not in names:
            raise BadCondition(f"{name!r} is not known here; a condition here sees {', '.join(names)}")
    if len(mentioned) > accounted:
        raise BadCondition("a structure can only be asked for a field of a fixed name, like doc.status")
    return list(found)


def _nodes(tree: Any) -> list[Any]:
    below = [node for child in tree.children if hasattr(child, "children") for node in _nodes(child)]
    return [tree, *below]


def _identifier(node: Any) -> str:
    while hasattr(node, "children") and len(node.children) == 1:
        if node.data == "ident":
            return str(node.children[0])
        node = node.children[0]
    return ""


def _literal(node: Any) -> str:
    while hasattr(node, "children") and len(node.children) == 1:
        node = node.children[0]
    text = str(node)
    return text[1:-1] if getattr(node, "type", "") == "STRING_LIT" and text[:1] in "\"'" else ""
