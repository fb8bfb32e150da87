"""A claim, normalised once: what keys, scores and the database's `prepared` column are made from."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from channel.deals.matching import codes, contacts, regions, text
from channel.deals.matching.names import parse
from channel.deals.matching.parts import Name

VERSION = "2026.11.3"
"""Of normaliser, keys and weights together; stored with every key, prepared record and decision. A change of any of them is a new one."""

_DIGIT = re.compile("[0-9]")
_FORMER = re.compile(r"[(（](?:原名|曾用名|前身为|前身|原)[:：]?([^()（）]{4,60})[)）]")
ALIASES = 8
"""Aliases of one record that count."""


class StaleVersion(ValueError):
    """A prepared text was made by another version; it must be prepared anew from its source."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(f"prepared by version {found!r}, this is {VERSION!r}: prepare the record again (the upkeep job does)")


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody says about a customer; any field may be empty."""

    name: str = ""
    uscc: str = ""
    phone: str = ""
    contact: str = ""
    city: str = ""
    address: str = ""
    project: str = ""
    product_line: str = ""
    aliases: tuple[str, ...] = ()
    """Short, former and English names."""


class Prepared(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A claim in comparable form.

    A look-up reads fifty at once; nothing in them can form a circle, so the garbage collector need not watch them (half of the cost).
    """

    version: str
    names: tuple[Name, ...] = ()
    """The name, then its aliases; only those with a core."""
    code: str = ""
    code_valid: bool = False
    mended: tuple[str, ...] = ()
    """Valid codes that a wrong one may stand for."""
    phones: tuple[str, ...] = ()
    contact: str = ""
    contact_sound: str = ""
    city: str = ""
    """Code of the division in the city field; "" if none."""
    place: str = ""
    """Code of the division at the head of the address."""
    street: str = ""
    numbers: str = ""
    product_line: str = ""
    problems: tuple[str, ...] = ()
    """What was odd: name_empty, name_cut, name_is_phone, code_wrong, code_short, nothing."""

    def dump(self) -> str:
        """One line of text that :func:`load_prepared` reads back."""
        return _ENCODER.encode(self).decode()


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Prepared)
_LIST_DECODER = msgspec.json.Decoder(list[Prepared])


def load_prepared(dumped: str) -> Prepared:
    """What :meth:`Prepared.dump` wrote.

    Raises: StaleVersion if another version of the normaliser made it; ValueError if it is no such text.
    """
    try:
        made = _DECODER.decode(dumped)
    except msgspec.DecodeError as error:
        raise ValueError(f"not a prepared claim: {error}") from error
    if made.version != VERSION:
        raise StaleVersion(made.version)
    return made


def load_all(dumped: str) -> list[Prepared]:
    """What :meth:`Prepared.dump` wrote, several of them joined by commas. Raises: as :func:`load_prepared`."""
    try:
        made = _LIST_DECODER.decode(f"[{dumped}]")
    except msgspec.DecodeError as error:
        raise ValueError(f"not prepared claims: {error}") from error
    for one in made:
        if one.version != VERSION:
            raise StaleVersion(one.version)
    return made


def prepare(claim: Claim) -> Prepared:
    """The claim normalised. Deterministic; never fails, whatever the text is: `problems` says what was odd."""
    problems: list[str] = []
    numbers = contacts.phones(claim.phone)
    names = []
    name = parse(claim.name)
    if len(claim.name) > text.LONGEST:
        problems.append("name_cut")
    if _is_phone(name.text):
        problems.append("name_is_phone")
        numbers = tuple(dict.fromkeys((*numbers, *contacts.phones(claim.name))))[:4]
    elif name.core:
        names.append(name)
    else:
        problems.append("name_empty")
    aliases = (*claim.aliases[:ALIASES], *_FORMER.findall(claim.name[: text.LONGEST])[:1])
    names += [alias for alias in map(parse, aliases) if alias.core and alias.text != name.text]
    code = codes.normalise(claim.uscc)
    good = codes.valid(code)
    mended: tuple[str, ...] = ()
    if code and not good:
        mended = codes.mended(code)
        problems.append("code_wrong" if len(code) == 18 else "code_short")
    person = contacts.contact(claim.contact)
    place, street, digits = contacts.address(claim.address)
    city = regions.lookup(text.clean(claim.city, 40)) if claim.city else ""
    if not (names or numbers or code or street):
        problems.append("nothing")
    return Prepared(
        VERSION, tuple(names), code, good, mended, numbers, person, text.sound_of(person), city, place, street, digits,
        text.clean(claim.product_line, 40), tuple(problems),
    )  # fmt: skip


def _is_phone(cleaned: str) -> bool:
    digits = len(_DIGIT.findall(cleaned))
    return digits >= 7 and digits >= len(cleaned.replace(" ", "")) - 2
