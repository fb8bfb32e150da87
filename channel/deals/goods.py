"""Goods and fences (防窜货): orders and shipments that go where their dealer may not sell. Pure.

A fence is asked once for each product line of a document; the strictest answer is the document's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from channel.deals.fences import INSIDE, Fence, Place, division, judge
from channel.deals.matching import VERSION, Claim, prepare
from channel.deals.registrations import FenceVerdict

READER: Final = VERSION
"""Version of what reads addresses."""


@dataclass(frozen=True, slots=True)
class Goods:
    """An order or a shipment as a fence sees it. `region` empty: not known where it goes."""

    subject: str
    version: int
    dealer_id: UUID
    on: date | None
    region: str
    lines: tuple[str, ...]
    """Product lines, each once."""
    number: str = ""


@dataclass(frozen=True)
class Book:
    """Fences by who they concern, so that a page of documents is judged without looking at all of them."""

    own: Mapping[UUID, Sequence[Fence]]
    exclusive: Sequence[Fence]
    above: Mapping[UUID, tuple[UUID, ...]] = field(default_factory=dict)
    fingerprint: bytes = b""

    @classmethod
    def of(cls, fences: Iterable[Fence], above: Mapping[UUID, tuple[UUID, ...]]) -> Book:
        """The book of these fences; `above`: by dealer, the dealers above him, nearest first."""
        own: dict[UUID, list[Fence]] = {}
        every = sorted(fences, key=lambda fence: fence.id)
        for fence in every:
            own.setdefault(fence.dealer_id, []).append(fence)
        text = repr((READER, every, sorted(above.items())))
        return cls(own, [fence for fence in every if fence.exclusive], above, sha256(text.encode()).digest())

    def judge(self, place: Place) -> FenceVerdict:
        """The verdict of all fences of the book."""
        mine = [fence for dealer in (place.dealer_id, *place.above) for fence in self.own.get(dealer, ())]
        return judge(place, [*mine, *(fence for fence in self.exclusive if fence not in mine)])


def assess(goods: Goods, book: Book) -> FenceVerdict:
    """Whether the document may be: the strictest verdict over its product lines. What nobody knows is not held against it."""
    above = book.above.get(goods.dealer_id, ())
    verdicts = [book.judge(Place(goods.dealer_id, goods.region, "", line, goods.on, above, doubt="trust")) for line in goods.lines or ("",)]
    strictness = {"allow": 0, "flag": 1, "block": 2}
    return max(verdicts, key=lambda verdict: strictness[verdict.effect])


@lru_cache(maxsize=65_536)
def place_of_address(address: str) -> str:
    """The division that an address names, as a GB/T 2260 prefix; empty when it names none.

    >>> place_of_address("江苏省苏州市工业园区星湖街328号"), place_of_address("老地方")
    ('3205', '')
    """
    return division(prepare(Claim(address=address)).place)


def address_hash(address: str) -> bytes:
    """What an address is known by where its place is kept: the address is personal."""
    return sha256(address.encode()).digest()


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Goods that may have gone where they should not. For our own people.

    `kind`: address (shipped to a place beyond the fence), serial_twice (one serial shipped to two dealers), serial_elsewhere (a serial seen
    where its dealer may not sell).
    """

    kind: str
    subject: str
    number: str
    on: date | None
    dealer_id: UUID
    dealer: str
    region: str
    code: str = ""
    serials: tuple[str, ...] = ()
    product_lines: tuple[str, ...] = ()
    state: str = "open"
    facts: Mapping[str, Any] = field(default_factory=dict)

    def sentence(self) -> tuple[str, str]:
        """In Chinese and English."""
        zh, en = INSIDE.get(self.code, ("", ""))
        if self.kind == "serial_twice":
            return (
                f"序列号 {', '.join(self.serials)} 发给了不止一家经销商",
                f"serial {', '.join(self.serials)} was shipped to more than one dealer",
            )
        if self.kind == "serial_elsewhere":
            where = f"在 {self.region} 被发现"
            return f"序列号 {', '.join(self.serials)} {where}, {zh}", f"serial {', '.join(self.serials)} was seen in {self.region}, {en}"
        return f"单据 {self.number} 发往 {self.region}, {zh}", f"document {self.number} went to {self.region}, {en}"
