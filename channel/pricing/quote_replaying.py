"""A kept version priced again from what it pins: the same question to the same version of prices."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from channel.pricing import quote_queries, service
from channel.pricing.asking import Ask
from channel.pricing.errors import QuoteNotFound
from channel.pricing.quote_queries import Connection
from channel.pricing.service import View


@dataclass(frozen=True, slots=True)
class Replayed:
    """What pricing a kept version again gives."""

    kept: str
    """Hash of the result as it was kept."""
    again: str
    price_version: int

    @property
    def same(self) -> bool:
        """Every rule, rung and amount is what it was."""
        return self.kept == self.again


def replay(db: Connection, quote: UUID, number: int) -> Replayed:
    """Price a version again. Special prices, agreements and projects count as they stand now: a difference tells that one has changed.

    Raises: QuoteNotFound; BadPricing when a name of it is gone.
    """
    kept = quote_queries.version(db, quote, number)
    if kept is None:
        raise QuoteNotFound(f"quote {quote} has no version {number}", next_step="look at the quote itself")
    ask = Ask.model_validate(kept.asked)
    priced, _, _ = service.priced(db, ask, view=View(role=ask.role), at_version=kept.price_version)
    return Replayed(kept.hash, priced.hash, kept.price_version)
