"""Numbers of documents (单据号) that a dealer signs or names: what the document says stands in its number.

A counter alone gives a number twice when the ledger is set back to an earlier state. With letters that are made of the content, another
document has another number, whatever the counter says, and the letters of one that was forgotten and made again are the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without I, L, O and U, which people misread."""
MARK: Final = 6


def letters(said: Iterable[str], count: int = MARK) -> str:
    """So many letters that are made of what is said: one in 32 to the power of `count` is another's by chance."""
    value, found = int.from_bytes(hashlib.sha256("\x1e".join(said).encode()).digest()), []
    for _ in range(count):
        value, place = divmod(value, len(_LETTERS))
        found.append(_LETTERS[place])
    return "".join(found)
