"""The paper of a kept version: what a customer may read of it, with names instead of numbers, the same bytes each time."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Literal

from channel.paper import Language, installed_font
from channel.pricing import papers, quote_queries
from channel.pricing.queries import Connection
from channel.pricing.quote_queries import Kept, Offer

Format = Literal["pdf", "xlsx"]
_NUMBERS: Final = papers.NUMBERS


def paper(db: Connection, offer: Offer, kept: Kept, format: Format, lang: Language = "zh") -> bytes:  # noqa: A002  the trade's word
    """A version as PDF or Excel. It is made of the dealer's own view, in which no cost, margin or rule about others stands."""
    told = _told(db, offer, kept)
    if format == "pdf":
        return papers.pdf(told, lang, number=offer.number, font=installed_font())
    return papers.xlsx(told, lang, number=offer.number)


def _told(db: Connection, offer: Offer, kept: Kept) -> dict[str, Any]:
    shown = kept.answers["dealer"]
    names = quote_queries.names(db, [one for one in (offer.dealer_id, offer.customer_id) if one])
    deal = quote_queries.record(db, "deal", str(offer.deal_id)) if offer.deal_id else None
    return {
        **{name: shown[name] for name in ("hash", "date", "currency")},
        "version": str(kept.number), "valid_to": str(kept.valid_to),
        "dealer": names.get(offer.dealer_id, "") if offer.dealer_id else "",
        "customer": names.get(offer.customer_id, "") if offer.customer_id else "",
        "project": deal["doc"].get("name", "") if deal else "",
        **{name: Decimal(shown[name]) for name in ("net", "tax", "gross")},
        "lines": [_decimals(one) for one in shown["lines"]],
        "charges": [_decimals(one) for one in shown["charges"]],
        "free_goods": [_decimals(one) for one in shown["free_goods"]],
    }  # fmt: skip


def _decimals(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: Decimal(value) if name in _NUMBERS and value is not None else value for name, value in row.items()}
