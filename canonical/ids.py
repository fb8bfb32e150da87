"""Identifiers: UUIDv7 for rows, and the short hub key that travels into other systems.

A hub key has 16 characters of Crockford's base32 (no I, L, O, U): `H`, 14 characters of a random number, one check character. It fits
SAP's 20 characters, survives upper-casing and being read out on the phone, and one mistyped or two swapped neighbouring characters are
noticed.
"""

from __future__ import annotations

import secrets
import struct
from functools import cache
from uuid import UUID

import uuid_utils

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16

_VALUE = {char: index for index, char in enumerate(ALPHABET)}
_PAIRS = [a + b for a in ALPHABET for b in ALPHABET]


def _double(x: int) -> int:
    """Multiply by the generator of GF(32), polynomial x^5 + x^2 + 1."""
    return (x << 1) ^ 0b100101 if x & 16 else x << 1


_FOURFOLD = [_double(_double(x)) for x in range(32)]
_PAIR_VALUE = [_double(pair >> 5) ^ (pair & 31) for pair in range(1024)]
_START = _VALUE["H"]
_LAST = [ALPHABET[_double(total)] for total in range(32)]


def _check(body: str) -> str:
    # A polynomial over GF(32) tells every single wrong character and every swap of neighbours.
    total = 0
    for char in body:
        total = _double(total) ^ _VALUE[char]
    return ALPHABET[_double(total)]


def new_id() -> UUID:
    """A fresh UUIDv7: unique, and in the order of creation."""
    return UUID(int=uuid_utils.uuid7().int)


def new_id_text() -> str:
    """A fresh UUIDv7 as text, the form that bulk loading uses."""
    return str(uuid_utils.uuid7())


def new_hub_key() -> str:
    """A fresh hub key from 70 random bits."""
    return _hub_key(secrets.randbits(70))  # allow: world, a key is made of chance


def new_hub_keys(count: int) -> list[str]:
    """The same for a page of records: chance is asked once, and a pair's part in the check character is looked up."""
    size = 14 * count
    chance = int.from_bytes(secrets.token_bytes(size), "big")  # allow: world, as above
    ten_bits_each = (chance & int.from_bytes(b"\x03\xff" * (7 * count), "big")).to_bytes(size, "big")
    p, last, (wa, wb, wc, wd, we, wf, wg) = _PAIRS, _LAST, _weights()
    return [
        f"H{p[a]}{p[b]}{p[c]}{p[d]}{p[e]}{p[f]}{p[g]}{last[wa[a] ^ wb[b] ^ wc[c] ^ wd[d] ^ we[e] ^ wf[f] ^ wg[g]]}"
        for a, b, c, d, e, f, g in struct.iter_unpack("!7H", ten_bits_each)
    ]


@cache
def _weights() -> list[list[int]]:
    """For each of a key's seven pairs, by its value: what it adds to the polynomial. The first brings the leading letter's part along."""
    weights = [_PAIR_VALUE]
    for _ in range(6):
        weights.insert(0, [_FOURFOLD[value] for value in weights[0]])
    letter = _START
    for _ in range(7):
        letter = _FOURFOLD[letter]
    weights[0] = [value ^ letter for value in weights[0]]
    return weights


def _hub_key(bits: int) -> str:
    pairs = (
        bits >> 60,
        (bits >> 50) & 1023,
        (bits >> 40) & 1023,
        (bits >> 30) & 1023,
        (bits >> 20) & 1023,
        (bits >> 10) & 1023,
        bits & 1023,
    )
    total = _START
    for pair in pairs:
        total = _FOURFOLD[total] ^ _PAIR_VALUE[pair]
    return "H" + "".join([_PAIRS[pair] for pair in pairs]) + ALPHABET[_double(total)]


def is_hub_key(text: str) -> bool:
    """True for a well-formed hub key, check character included."""
    return len(text) == LENGTH and text[0] == "H" and all(char in _VALUE for char in text) and _check(text[:-1]) == text[-1]
