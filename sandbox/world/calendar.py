"""Working days of the world's three years, as texts that documents carry."""

from __future__ import annotations

from datetime import date, timedelta


class Days:
    """The working days up to and including `today`, oldest first; positions in it are how the world reckons time.

    Time: business days of Asia/Shanghai; stamps carry no zone, as Kingdee writes them.
    """

    def __init__(self, today: date, years: int = 3) -> None:
        first = today.replace(day=1, year=today.year - years)
        every = [first + timedelta(days=n) for n in range((today - first).days + 1)]
        self.dates = [day for day in every if day.weekday() < 5]
        self.texts = [day.isoformat() for day in self.dates]
        self.midnights = [f"{text}T00:00:00" for text in self.texts]
        self.last = len(self.texts) - 1

    def clamp(self, position: int) -> int:
        """The position, or today's when it lies in the future."""
        return min(position, self.last)

    def stamp(self, position: int, second: int) -> str:
        """A time on that day's office hours; `second` is any whole number."""
        minute, second = divmod(second % 32_400, 60)
        return f"{self.texts[min(position, self.last)]}T{8 + minute // 60:02d}:{minute % 60:02d}:{second:02d}"


def zoned(stamp: str) -> str:
    """A stamp of Asia/Shanghai as Zoho writes it, with the offset."""
    return f"{stamp}+08:00"
