"""Rows into PostgreSQL by the page: COPY with text that is escaped once, and arrays for set-based changes.

JSON stays the bytes that the encoder wrote, up to the socket: a page of Chinese text as `str` is twice as wide, and encoded once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
from psycopg.rows import tuple_row

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_ENCODE = _ENCODER.encode
_SORTED = msgspec.json.Encoder(decimal_format="number", order="sorted")
_DECODE = msgspec.json.Decoder(float_hook=Decimal).decode
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
NULL = "\\N"


def json_text(value: Any) -> str:
    """JSON text; `Decimal` as a number with all its digits."""
    return _ENCODE(value).decode()


def sorted_json(value: Any) -> bytes:
    """JSON bytes with sorted keys: equal values give equal bytes."""
    return _SORTED.encode(value)


def sorted_lines(values: Sequence[Any]) -> bytes:
    """The same for many values at once: one a line, each line ended."""
    return _SORTED.encode_lines(values) if values else b""


def from_json(text: str | bytes) -> Any:
    """The value of a JSON text; numbers with a fraction as `Decimal`, never float."""
    return _DECODE(text)


JSON_ARRAY = "string_to_array(%s, E'\\x1f', E'\\x1e')"
"""SQL for a text array that :func:`joined_json` made: a control character never stands in JSON text, so nothing needs escaping."""


def array_text(values: Sequence[str]) -> str:
    """Texts as one parameter for `%s::text[]` (or `uuid[]`): a tenth of the price of a list, whose elements are escaped one by one."""
    body = '","'.join(values)
    if "\\" in body or body.count('"') != 2 * max(len(values) - 1, 0):
        body = '","'.join([value.replace("\\", "\\\\").replace('"', '\\"') for value in values])
    return f'{{"{body}"}}' if values else "{}"


def joined_json(values: Iterable[Any]) -> str:
    """JSON texts of values as one parameter for :data:`JSON_ARRAY`; None stays NULL."""
    return "\x1f".join("\x1e" if value is None else _ENCODE(value).decode() for value in values)


def joined_texts(texts: Iterable[str | None]) -> str:
    """The same for texts that are JSON, numbers or identifiers already."""
    return "\x1f".join("\x1e" if text is None else text for text in texts)


def fetch(db: psycopg.Cursor[Any], query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All rows of a query as tuples, in the cursor's transaction: half the price of rows by name."""
    with db.connection.cursor(row_factory=tuple_row) as rows:
        return rows.execute(query, parameters).fetchall()


def copy_json(value: Any) -> str:
    """JSON text, escaped for COPY."""
    return _ENCODE(value).decode().replace("\\", "\\\\")


def copy_text(value: str | None) -> str:
    """Free text, escaped for COPY; None is NULL."""
    if value is None:
        return NULL
    return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPES)


def text_column(values: Sequence[str | None]) -> Sequence[str]:
    """Free texts, escaped for COPY; None is NULL."""
    try:
        page = "".join(values)  # type: ignore[arg-type]  # a None is what is asked for
    except TypeError:
        return [copy_text(value) for value in values]
    if "\\" in page or "\n" in page or "\t" in page or "\r" in page:
        return [copy_text(value) for value in values]
    return values  # type: ignore[return-value]  # there is no None among them


def copy_columns(db: psycopg.Cursor[Any], table: str, columns: Mapping[str, Iterable[str]]) -> None:
    """Append rows given by the column, each escaped already. A column that never ends (`itertools.repeat`) is as long as the others."""
    lines = "\n".join(map("\t".join, zip(*columns.values(), strict=False)))
    if lines:
        _copy(db, table, columns, lines + "\n")


def copy_lines(db: psycopg.Cursor[Any], table: str, columns: Iterable[str], lines: Iterable[str]) -> None:
    """Append rows whose fields are escaped already and joined by tabs, without line ends."""
    body = "\n".join(lines)
    if body:
        _copy(db, table, columns, body + "\n")


def _copy(db: psycopg.Cursor[Any], table: str, columns: Iterable[str], body: str | bytes) -> None:
    with db.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:  # names from our own tables
        copy.write(body)
