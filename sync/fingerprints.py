"""Fingerprints: 16 bytes that tell whether a record is the one that was read before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from ledger.bulk import sorted_lines


def fingerprint(payload: Mapping[str, Any], volatile: Sequence[str] = ()) -> bytes:
    """16 bytes that are equal for equal records, whatever the order of keys. Keys that flip without a change are left out."""
    return fingerprints([payload], volatile)[0]


def fingerprints(payloads: Sequence[Mapping[str, Any]], volatile: Sequence[str] = ()) -> list[bytes]:
    """The same for a page of records."""
    if volatile:
        prefixes = tuple(name[:-1] for name in volatile if name.endswith("*"))
        payloads = [
            {key: value for key, value in payload.items() if key not in volatile and not (prefixes and key.startswith(prefixes))}
            for payload in payloads
        ]
    return marks_of(sorted_lines(payloads).split(b"\n")[:-1])


def marks_of(texts: Sequence[bytes]) -> list[bytes]:
    """The same of payloads that are JSON text already."""
    return [blake2b(text, digest_size=16).digest() for text in texts]
