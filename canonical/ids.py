"""Identifiers: UUIDv7 for rows, and the short hub key that travels into other systems.

A hub key has 16 characters of Crockford's base32 (no I, L, O, U): `H`, 14 characters of a random number, one check character. It fits
SAP's 20 characters, survives upper-casing and being read out on the phone, and one mistyped or two swapped neighbouring characters are
noticed.
"""

from __future__ import annotations

import secrets
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
    """The same for a page of records: chance is asked once."""
    chance = secrets.token_bytes(9 * count)  # allow: world, as above
    return [_hub_key(int.from_bytes(chance[place : place + 9], "big") >> 2) for place in range(0, 9 * count, 9)]


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
