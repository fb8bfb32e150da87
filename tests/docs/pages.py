"""How the tests read a page: its text, links, headings and examples."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    {*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "connectors" / "QUALITY.md"},
)

_FENCE = re.compile(r"^ *```(?P<info>[^\n`]*)\n(?P<body>.*?)^ *```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"`[^`\n]*`")


@dataclass(frozen=True, slots=True)
class Example:
    """A fenced block of a page."""

    page: str
    info: str
    """What stands behind the opening fence: `yaml check=flow`."""
    body: str
    line: int

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def name_of(page: Path) -> str:
    """A page as people name it: docs/operations.md."""
    return page.relative_to(ROOT).as_posix()


def text_of(name: str) -> str:
    """A page's text by its name."""
    return (ROOT / name).read_text(encoding="utf-8")


def examples(page: Path) -> Iterator[Example]:
    """Every fenced block of a page."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        yield Example(name_of(page), found["info"].strip(), found["body"], text.count("\n", 0, found.start()) + 1)


def links(page: Path) -> Iterator[str]:
    """The target of every link, but those that stand in code."""
    prose = _CODE.sub("", _FENCE.sub("", page.read_text(encoding="utf-8")))
    for found in _LINK.finditer(prose):
        yield found["target"]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    prose = _FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#{1,6} +(.+?) *$", prose, re.MULTILINE)
    return {
        "".join(char for char in heading.lower().replace("`", "").replace(" ", "-") if char.isalnum() or char in "-_")
        for heading in headings
    }


def typed_commands(page: Path) -> Iterator[tuple[str, str]]:
    """(where, command) of every `hub …` or `make …` that a page tells a person to type, in code blocks and in code within a line."""
    text = page.read_text(encoding="utf-8")
    told = [(example.line, example.body) for example in examples(page) if example.info in ("", "console", "bash", "sh", "shell")]
    told += [(text.count("\n", 0, found.start()) + 1, found[0].strip("`")) for found in _CODE.finditer(_FENCE.sub(_blank, text))]
    for line, body in told:
        for one in body.splitlines():
            command = one.partition("#")[0].strip().removeprefix("$ ").removeprefix(".venv/bin/")
            if command.startswith(("hub ", "make ")):
                yield f"{name_of(page)}:{line}", command


def _blank(found: re.Match[str]) -> str:
    """As many lines, with nothing in them."""
    return "\n" * found[0].count("\n")
