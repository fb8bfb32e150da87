"""The stand-in's clock and its words for time: ISO 8601 with the organisation's offset, whole seconds, never `Z`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

ZONE = timezone(timedelta(hours=8))
"""Zone of the organisation and of its users (Asia/Shanghai has had no summer time since 1991)."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def text_of(moment: datetime) -> str:
    """A moment as records carry it. Texts of this form compare as the moments do."""
    return moment.astimezone(ZONE).isoformat(timespec="seconds")


def parse_moment(text: object) -> datetime | None:
    """An aware moment, or None when `text` is not one (no offset, no such day)."""
    if not isinstance(text, str) or _MOMENT.fullmatch(text.replace(" ", "+")) is None:
        return None
    try:
        return datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None


def is_date(text: object) -> bool:
    """True for the text of a day that exists, YYYY-MM-DD."""
    if not isinstance(text, str) or _DATE.fullmatch(text) is None:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


class Clock:
    """Now; tests move it forward with `shift_s`."""

    def __init__(self) -> None:
        self.shift_s = 0.0

    def now(self) -> datetime:
        """The present moment, aware."""
        return datetime.now(UTC) + timedelta(seconds=self.shift_s)

    def time(self) -> float:
        """The present moment in seconds since 1970."""
        return self.now().timestamp()

    def text(self, back_s: float = 0.0) -> str:
        """The present moment, or one `back_s` seconds ago, as records carry it."""
        return text_of(self.now() - timedelta(seconds=back_s))
