"""A kept version priced again from what it pins: the same question, the same version of prices, the same facts about the buyer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from channel.pricing import quote_asking, quote_queries, service, snapshots
from channel.pricing.asking import Ask
from channel.pricing.errors import QuoteNotFound
from channel.pricing.queries import Connection
from channel.pricing.service import View


@dataclass(frozen=True, slots=True)
class Replayed:
    """What pricing a kept version again gives."""

    kept: str
    """Hash of the result as it was kept."""
    again: str
    price_version: int
    pinned: bool
    """False: the version was kept before the hub pinned the buyer; special prices, agreements and projects were those of now."""
    differs: tuple[str, ...]
    """Readers whose waterfall is not, word for word, what was kept."""

    @property
    def same(self) -> bool:
        """Every rule, rung and amount is what it was, and, where the buyer was pinned, every word of the waterfall."""
        return self.kept == self.again and not (self.pinned and self.differs)


def replay(db: Connection, quote: UUID, number: int) -> Replayed:
    """Price a version again, and write its waterfall down again; nothing that was changed, approved or used up since counts.

    The last prices that the approver saw stand beside the waterfall, and are not worked out again.
    Raises: QuoteNotFound; BadPricing when a product of it is gone.
    """
    kept = quote_queries.version(db, quote, number)
    if kept is None:
        raise QuoteNotFound(f"quote {quote} has no version {number}", next_step="look at the quote itself")
    ask = Ask.model_validate(kept.asked)
    pinned = snapshots.name_of(kept.price_version, kept.asker) if kept.asker is not None else ""
    priced, verdict, _ = service.priced(db, ask, view=View(role=ask.role), at_version=kept.price_version, snapshot=pinned)
    again = quote_queries.as_kept(quote_asking.answers(priced, verdict, ()))
    differs = tuple(reader for reader in quote_asking.READERS if _without_past(again[reader]) != _without_past(kept.answers[reader]))
    return Replayed(kept.hash, priced.hash, kept.price_version, bool(pinned), differs)


def _without_past(told: Mapping[str, Any]) -> Mapping[str, Any]:
    profit = told.get("profit")
    if profit is None:
        return told
    return {**told, "profit": {name: value for name, value in profit.items() if name != "last_prices"}}
