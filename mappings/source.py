"""Python source that is put together from rules, safely: only our own words, literals made by `repr`, and objects bound by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Source:
    """The body of one function in the making.

    Nothing from a file is ever pasted into it: texts and numbers go through `literal`, everything else through `bind`.
    """

    def __init__(self, name: str, arguments: str, known: dict[str, Any]) -> None:
        self._name = name
        self._lines = [f"def {name}({arguments}):"]
        self._depth = 1
        self._names: dict[str, Any] = dict(known)

    def add(self, *lines: str) -> None:
        """Append lines at the present depth."""
        self._lines += ["    " * self._depth + line for line in lines]

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Lines added inside stand under `head`."""
        self.add(head)
        self._depth += 1
        start = len(self._lines)
        yield
        if len(self._lines) == start:
            self.add("pass")
        self._depth -= 1

    @contextmanager
    def maybe(self, head: str) -> Iterator[None]:
        """As `block`, without any head when it is empty."""
        if head:
            with self.block(head):
                yield
        else:
            yield

    def literal(self, value: Any) -> str:
        """The value as an expression."""
        return repr(value) if value is None or type(value) in (str, int, bool) else self.bind(value)

    def bind(self, value: Any) -> str:
        """A name that stands for the object."""
        name = f"K{len(self._names)}"
        self._names[name] = value
        return name

    def function(self, where: str) -> Any:
        """The finished function."""
        tree = ast.parse("\n".join(self._lines))
        names = dict(self._names)
        exec(compile(tree, f"<mapping {where}>", "exec"), names)  # noqa: S102  # generated here, from nothing a file says
        return names[self._name]
