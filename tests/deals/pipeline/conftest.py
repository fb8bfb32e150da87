"""A hub whose systems never answer."""

from __future__ import annotations

from tests.deals.upkeep.conftest import db, east, hub, make_hub, west

__all__ = ["db", "east", "hub", "make_hub", "west"]
