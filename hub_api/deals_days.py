"""Days in rules of deals: filters by day, and the day with which a rule ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from canonical.values import business_day
from hub_api.pages import Paged
from hub_api.shapes import DayText

Day = DayText | SkipJsonSchema[None]
_LAST: Final = date.max - timedelta(days=1)
"""A span of days ends where the next day begins, and the calendar has none after its last."""


class OnDay(Paged):
    """Rules of one day."""

    on: Day = Field(default=None, description="Only what holds on this day (Asia/Shanghai).")


class Lasting(BaseModel):
    """What every rule of deals says of itself."""

    valid_from: date | None = Field(description="Null: always did.")
    valid_to: date | None = Field(description="Null: without end.")
    note: str
    edited_by: str
    edited_at: datetime


class End(BaseModel):
    """The last day that it holds."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"last_day": "2026-12-31"}})

    last_day: Day = Field(default=None, description="Asia/Shanghai; today when left out.")


def day_of(text: str | None) -> date | None:
    """The day that a text names."""
    return date.fromisoformat(text) if text else None


def span(until: str | None, days: int) -> tuple[date, date]:
    """The first and the last of so many business days (Asia/Shanghai) up to `until`, or to today."""
    last = min(day_of(until) or business_day(datetime.now(UTC)), _LAST)
    return date.fromordinal(max(last.toordinal() - days + 1, 1)), last
