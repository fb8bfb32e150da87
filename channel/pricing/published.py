"""Pricing rules as they are published on a ledger: a pricing file without a question, beside price lists that come from other systems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from channel.pricing.asking import PricingFile
from channel.pricing.found import Found
from channel.pricing.model import Settings
from channel.pricing.parts import Strict
from channel.pricing.words import Kind, Text, Texts, described


class ListUse(Strict):
    """What a price list of another system is for: its price kind, and whose prices it holds."""

    list: Text = described("Number of the price list.")
    kind: Kind | None = described("Price kind; else as its own kind or its name says.", default=None)
    dealers: Texts = described("Only for these dealers.", default=())
    grades: Texts = described("Only for dealers of these grades.", default=())
    channels: Texts = described("Only for these channel types.", default=())
    use: bool = described("false: it makes no prices.", default=True)


class PublishedFile(PricingFile):
    """Rules of the hub's own: items and dealers only add to what the ledger knows of them."""

    lists: tuple[ListUse, ...] = described("What price lists of other systems are for.", default=())


SECTIONS: Final = ("items", "dealers", "books", "access", "adjustments", "exclusions", "fences", "authority", "fx", "lists")
ELSEWHERE: Final = {
    "ask": ("a published document asks nothing", "leave `ask` out; ask with POST /v1/price"),
    "registrations": ("projects are registered as deals", "leave `registrations` out; register the deal"),
    "deal_prices": ("special prices are granted one by one", "leave `deal_prices` out; use `hub price special` or POST /v1/special-prices"),
}
"""Sections of a file that a ledger keeps elsewhere: what is wrong, and the fix."""
OUR_ROLES: Final = ("dealer", "portal")
"""Roles that may never see a cost, whatever a document says."""


def alone(file: PublishedFile) -> Found:
    """What keeps a document from being published, whatever the others say."""
    for name, (what, fix) in ELSEWHERE.items():
        if getattr(file, name):
            yield (name,), what, fix
    if not set(OUR_ROLES) <= set(file.settings.dealer_roles):
        yield ("settings", "dealer_roles"), "dealers' keys would be no dealers any more", f"name {' and '.join(OUR_ROLES)} among them"
    if set(file.settings.dealer_roles) & set(file.settings.cost_roles):
        yield ("settings", "cost_roles"), "a role of dealers would see costs", "take it out"
    seen: set[str] = set()
    for at, one in enumerate(file.lists):
        if one.list in seen:
            yield ("lists", at), f"list {one.list} stands twice", "keep one"
        seen.add(one.list)


def merged(files: Sequence[PublishedFile]) -> PublishedFile:
    """All documents as one file. Settings are those of the one document that has any."""
    said = [file.settings for file in files if "settings" in file.model_fields_set]
    parts = {name: tuple(one for file in files for one in getattr(file, name)) for name in SECTIONS}
    return PublishedFile().model_copy(update={**parts, "settings": said[-1] if said else Settings()})


def offsets(others: PublishedFile) -> dict[str, int]:
    """How many entries of each section stand before those of a document that is merged last."""
    return {name: len(getattr(others, name)) for name in SECTIONS}
