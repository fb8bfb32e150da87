"""Days in rules of deals: filters by day, and the day with which a rule ends."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from hub_api.pages import Paged
from hub_api.shapes import DayText

Day = DayText | SkipJsonSchema[None]


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
