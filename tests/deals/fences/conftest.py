"""A database with dealers in it."""

from __future__ import annotations

from tests.deals.registration.conftest import db, east, west

__all__ = ["db", "east", "west"]
