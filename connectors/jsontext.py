"""JSON as vendors send it and as they want it: exact numbers, one encoding, nothing silently wrong."""

from __future__ import annotations

import codecs
import decimal
import re
from decimal import Decimal
from typing import Any

import msgspec

from connectors.errors import Garbled

_EXACT = decimal.Context(
    prec=60,
    Emax=40,
    Emin=-40,
    traps=[decimal.Inexact, decimal.Overflow, decimal.Underflow, decimal.InvalidOperation],
)
"""A number beyond this (1e999, 70 digits) is no quantity and no amount; it is refused, never rounded, never infinite."""

_decoder = msgspec.json.Decoder(float_hook=_EXACT.create_decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
NUL = "\x00"


def parse_json(system: str, body: bytes, charset: str = "") -> Any:
    """The value of a JSON text, with `Decimal` for every number that has a fraction or an exponent, `int` for the others.

    `charset` is the encoding that the answer declares, if any; else strict UTF-8, with or without a byte order mark.
    A lone surrogate escape becomes U+0000: neither can be stored, so the record that holds it is refused by itself (see `has_nul`)
    and does not take its page along.
    Raises: Garbled for HTML, NaN, Infinity, a cut text, deep nesting, a number beyond any use, another encoding.
    """
    text = _as_utf8(system, body, charset)
    try:
        return _decoder.decode(text)
    except decimal.DecimalException:
        raise Garbled(system, "the answer holds a number beyond 60 digits or 10^40") from None
    except RecursionError:
        raise Garbled(system, "the answer is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise Garbled(system, f"the answer is not UTF-8{_looks_like(text)} (byte {error.start})") from None
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        if b"\\ud" in text.lower():
            mended = _ESCAPE.sub(_Surrogates(), text)
            if mended != text:
                return parse_json(system, mended)
        raise Garbled(system, _why_not_json(text, str(error))) from None


def dump_json(value: Any) -> bytes:
    """JSON text in UTF-8; a `Decimal` is written as a number, digit for digit.

    Raises: ValueError for NaN or an infinity, TypeError for what JSON does not have.
    """
    body = _encoder.encode(value)
    if b"NaN" in body or b"Infinity" in body:
        _refuse_non_finite(value)
    return body


def has_nul(value: Any) -> bool:
    """True when a text inside the value holds U+0000, which no PostgreSQL text can hold."""
    if isinstance(value, str):
        return NUL in value
    if isinstance(value, dict):
        return any(has_nul(key) or has_nul(inner) for key, inner in value.items())
    return isinstance(value, list | tuple) and any(has_nul(inner) for inner in value)


class _Surrogates:
    """Replaces `\\udXXX` escapes that are not one half of a pair by `\\u0000`; keeps everything else as it is."""

    def __init__(self) -> None:
        self._end = -1

    def __call__(self, match: re.Match[bytes]) -> bytes:
        digits = match.group(1)
        if digits is None or digits[:1].lower() != b"d" or digits[1:2].lower() < b"8" or match.start() == self._end:
            return match.group(0)
        if digits[1:2].lower() in b"89ab" and re.match(rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}", match.string[match.end() : match.end() + 6]):
            self._end = match.end()
            return match.group(0)
        return b"\\u0000"


def _as_utf8(system: str, body: bytes, charset: str) -> bytes:
    if body.startswith(codecs.BOM_UTF8):
        return body[3:]
    if body.startswith(_UTF16):
        raise Garbled(system, "the answer is UTF-16, not UTF-8")
    if charset.lower().replace("_", "-") not in ("", "utf-8", "utf8", "us-ascii", "iso-8859-1"):
        try:
            return body.decode(charset, "strict").encode()
        except LookupError:
            raise Garbled(system, f"the answer declares the unknown encoding {charset[:40]!r}") from None
        except UnicodeError:
            raise Garbled(system, f"the answer is not in the encoding it declares, {charset[:40]}") from None
    return body


def _looks_like(text: bytes) -> str:
    try:
        text.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return "; it looks like GBK"


def _why_not_json(text: bytes, detail: str) -> str:
    head = text[:512].lstrip()
    if not head:
        return "the answer is empty where JSON is due"
    if head.startswith(b"<"):
        return "the answer is an HTML or XML page where JSON is due"
    if "truncated" in detail:
        return f"the answer is cut off after {len(text)} bytes"
    if "out of range" in detail:
        return "the answer holds an integer of more digits than any use"
    return f"the answer is not JSON: {detail.removeprefix('JSON is malformed: ')[:80]}"


def _refuse_non_finite(value: Any) -> None:
    if isinstance(value, Decimal | float) and not Decimal(value).is_finite():
        raise ValueError("NaN or an infinity cannot be written as JSON")
    if isinstance(value, dict):
        for inner in value.values():
            _refuse_non_finite(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_non_finite(inner)
