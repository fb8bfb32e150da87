"""Rows into PostgreSQL by the page: COPY with text that is escaped once, and arrays for set-based changes."""

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


def sorted_jsons(values: Sequence[Any]) -> list[bytes]:
    """The same for many values at once."""
    return _SORTED.encode_lines(values).split(b"\n")[:-1] if values else []


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


def copy_bytes(value: bytes | None) -> str:
    """Bytes, escaped for COPY; None is NULL."""
    return NULL if value is None else "\\\\x" + value.hex()


def text_column(values: Iterable[str | None]) -> list[str]:
    """Free texts, escaped for COPY; None is NULL."""
    return [
        NULL if value is None else value if value.isprintable() and "\\" not in value else value.translate(_ESCAPES) for value in values
    ]


def json_column(values: Sequence[Any]) -> list[str]:
    """JSON texts of values, escaped for COPY; None is the JSON value null."""
    return _ENCODER.encode_lines(values).decode().replace("\\", "\\\\").split("\n")[:-1] if values else []


def copy_columns(db: psycopg.Cursor[Any], table: str, columns: Mapping[str, Iterable[str]]) -> None:
    """Append rows given by the column, each field escaped already.

    A column that never ends (`itertools.repeat`) is as long as the others.
    """
    copy_lines(db, table, list(columns), map("\t".join, zip(*columns.values(), strict=False)))


def copy_lines(db: psycopg.Cursor[Any], table: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    """Append rows whose fields are escaped already and joined by tabs, without line ends."""
    body = "\n".join(lines)
    if not body:
        return
    with db.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:  # names from our own tables
        copy.write(body + "\n")
