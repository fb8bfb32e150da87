"""In which encoding a file of text is written: UTF-8, or GB18030 as Excel on Chinese Windows saves it. Told by reading it, never guessed.

GB18030 takes almost any bytes for characters, so it is tried only where UTF-8 never had a chance: a file that was good UTF-8 until one
damaged byte is refused at that byte, and not read as other characters.
"""

from __future__ import annotations

import codecs
from pathlib import Path

UTF8, GB18030 = "utf-8-sig", "gb18030"
_BLOCK = 1 << 20
_MEANT = 8
"""So many characters of several bytes that are good UTF-8 are no accident."""


class Undecodable(ValueError):
    """The file is in neither encoding; `line` is the first that cannot be read."""

    def __init__(self, line: int, what: str) -> None:
        self.line, self.what = line, what
        super().__init__(f"line {line}: {what}")


def encoding_of(path: Path) -> str:
    """`utf-8-sig` or `gb18030`: the one in which the whole file can be read.

    Raises: Undecodable; OSError as the disk gives it.
    """
    place, meant = _unreadable(path, "utf-8")
    if place < 0:
        return UTF8
    line = _line(path, place)
    with path.open("rb") as file:
        head = file.read(3)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Undecodable(1, "UTF-16, which is not read")
    if head == codecs.BOM_UTF8 or meant >= _MEANT:
        raise Undecodable(line, "UTF-8 until here, and a byte that is not")
    other, _ = _unreadable(path, GB18030)
    if other < 0:
        return GB18030
    raise Undecodable(_line(path, other), f"neither UTF-8 (line {line}) nor GB18030 (line {_line(path, other)})")


def _unreadable(path: Path, encoding: str) -> tuple[int, int]:
    """The place of the first byte that cannot be read, -1 for none; and how many characters of several bytes stand before it."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    place = meant = 0
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            held = len(decoder.getstate()[0])
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as wrong:
                return place - held + wrong.start, meant + _several(wrong.object[: wrong.start].decode(encoding, "replace"))
            if not block:
                return -1, meant
            place += len(block)
            if meant < _MEANT:
                meant += _several(text)


def _several(text: str) -> int:
    return 0 if text.isascii() else sum(1 for char in text if char > "\x7f")


def _line(path: Path, place: int) -> int:
    """The line of a byte: in both encodings no character but the line's end has its byte."""
    line = 1
    with path.open("rb") as file:
        while place > 0 and (block := file.read(min(_BLOCK, place))):
            line += block.count(b"\n")
            place -= len(block)
    return line
