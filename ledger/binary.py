"""Rows into PostgreSQL by COPY in its binary form: nothing is escaped, and neither side looks at the bytes one by one.

Columns are made whole, as far as possible by one call each: that is what makes this cheap. A column is a tuple of parts that stand side by
side in each row: for a field its length, then its bytes. Source: PostgreSQL manual, COPY, Binary Format, and the `recv` functions of types.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain, repeat
from typing import Any
from uuid import UUID

import msgspec
import psycopg

Parts = tuple[Iterable[bytes], ...]
"""A column: what stands side by side in each row."""

_ENCODE_LINES = msgspec.json.Encoder(decimal_format="number").encode_lines
_LENGTH = struct.Struct("!i").pack
_COUNT = struct.Struct("!h").pack
_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_UUID = {36}
"""Length of an identifier's text."""
_FRAMED_UUID = struct.Struct("20s")
_FRAMED_INT = struct.Struct("!ii").pack
_PLAIN_NUMBER = struct.Struct("!ihhHhhhhh").pack
_DAY_ZERO = date(2000, 1, 1).toordinal()
_REMEMBERED = 16384


class _Made(dict[Any, bytes]):
    """What was made before of equal values; too much of it is forgotten together."""

    def __init__(self, make: Callable[[Any], bytes]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Any) -> bytes:
        if len(self) >= _REMEMBERED:
            self.clear()
        made = self[value] = self._make(value)
        return made


def _word(value: str) -> bytes:
    text = value.encode()
    return _LENGTH(len(text)) + text


def _day(value: str) -> bytes:
    return _FRAMED_INT(4, date.fromisoformat(value).toordinal() - _DAY_ZERO)


def _reference(value: str) -> bytes:
    return b"\0\0\0\x10" + UUID(value).bytes


_references = _Made(_reference).__getitem__
_lengths = _Made(_LENGTH).__getitem__
_words = _Made(_word).__getitem__
_days = _Made(_day).__getitem__
_integers = _Made(lambda value: _FRAMED_INT(4, value)).__getitem__


def raw(values: Sequence[bytes]) -> Parts:
    """Bytes as they are: `bytea`, and `text` or `json` in UTF-8."""
    return map(_lengths, map(len, values)), values


def documents(values: Sequence[Any]) -> Parts:
    """JSON of values, encoded by the page."""
    return raw(_ENCODE_LINES(values).split(b"\n")[:-1] if values else [])  # a line end within a text is escaped


def texts(values: Sequence[str]) -> Parts:
    """Texts. U+0000 among them is refused by the database, as ever."""
    if 4 * len(set(values)) < len(values):
        return (map(_words, values),)
    joined = "\0".join(values).encode().split(b"\0")
    return raw(joined if len(joined) == len(values) else [value.encode() for value in values])


def uuids(values: Sequence[str]) -> tuple[list[bytes]]:
    """Identifiers. Raises: ValueError for a text that is none."""
    if set(map(len, values)) != _UUID:
        return ([_reference(value) for value in values],)
    body = bytes.fromhex(("00000010" + "00000010".join(values)).replace("-", ""))
    return (list(chain.from_iterable(_FRAMED_UUID.iter_unpack(body))),)


def references(values: Iterable[str]) -> Parts:
    """Identifiers of which most came up before. Raises: ValueError for a text that is none."""
    return (map(_references, values),)


def integers(values: Iterable[int]) -> Parts:
    """Numbers of the type `integer`."""
    return (map(_integers, values),)


def days(values: Iterable[str]) -> Parts:
    """Days, given as `YYYY-MM-DD`. Raises: ValueError for a text that is none."""
    return (map(_days, values),)


def numbers(values: Sequence[str]) -> Parts:
    """Decimals of whatever length, given as text. Raises: ValueError or decimal.InvalidOperation for a text that is none."""
    few = 4 * len(set(values)) < len(values)
    return (map(_numbers, values),) if few else ([_number(value) for value in values],)


def _number(value: str) -> bytes:
    """The type `numeric`: digits to the base 10,000, the place of the first, the sign, and how many decimals are shown."""
    whole, _, fraction = value.partition(".")
    if len(whole) <= 12 and len(fraction) <= 4 and whole.isdecimal() and (fraction or "0").isdecimal():
        number = int(whole)  # zeros at either end are dropped there
        last = int(fraction.ljust(4, "0")) if fraction else 0
        return _PLAIN_NUMBER(16, 4, 2, 0, len(fraction), number // 100000000, number // 10000 % 10000, number % 10000, last)
    sign, digits, exponent = Decimal(value).as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{value} is no number")  # noqa: TRY004  it is a text that is wrong, not its type
    text = "".join(map(str, digits))
    text, shown = (text + "0" * exponent, 0) if exponent > 0 else (text, -exponent)
    whole, fraction = (text[:-shown], text[-shown:].zfill(shown)) if shown else (text, "")
    whole = whole.zfill(-(-len(whole) // 4) * 4)
    fraction += "0" * (-len(fraction) % 4)
    groups = [int((whole + fraction)[place : place + 4]) for place in range(0, len(whole) + len(fraction), 4)]
    head = (len(groups), len(whole) // 4 - 1, 0x4000 if sign else 0, shown)
    return struct.pack(f"!ihhHh{len(groups)}h", 8 + 2 * len(groups), *head, *groups)


_numbers = _Made(_number).__getitem__


def nullable(values: Sequence[Any], column: Callable[[Sequence[Any]], Parts]) -> Parts:
    """A column whose fields are NULL where the value is None."""
    present = [value for value in values if value is not None]
    if len(present) == len(values):
        return column(values)
    framed = map(b"".join, zip(*column(present), strict=False))
    return ([_NULL if value is None else next(framed) for value in values],)


def smallint(value: int) -> bytes:
    """A field of the type `smallint`."""
    return _COUNT(value)


def bigint(value: int) -> bytes:
    """A field of the type `bigint`."""
    return struct.pack("!q", value)


def copy_binary(db: psycopg.Cursor[Any], table: str, count: int, same: Mapping[str, bytes], columns: Mapping[str, Parts]) -> None:
    """Append `count` rows given by the column. `same`: fields that are equal in all rows, in binary form without their lengths."""
    if not count:
        return
    head = _COUNT(len(same) + len(columns)) + b"".join([_LENGTH(len(value)) + value for value in same.values()])
    body = b"".join(chain.from_iterable(zip(repeat(head, count), *chain.from_iterable(columns.values()), strict=False)))
    with db.copy(f"COPY {table} ({', '.join([*same, *columns])}) FROM STDIN (FORMAT BINARY)") as copy:  # names from our own tables
        copy.write(b"".join((_HEAD, body, _END)))
