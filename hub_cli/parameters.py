"""What is typed behind an option and is more than a word: days, moments, amounts. What is none fails with what to write."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import click


class Amount(click.ParamType[Decimal]):
    """A plain decimal number, such as 1250.50."""

    name = "AMOUNT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """The amount, as it was written. Fails for anything else: NaN, an exponent, separators."""
        from canonical.values import BadValue
        from channel.rebates.values import exact

        try:
            return exact(value)
        except BadValue as wrong:
            self.fail(str(wrong), param, ctx)


class Day(click.ParamType[date]):
    """A business day, YYYY-MM-DD."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day. Fails for anything else."""
        from canonical.values import BadValue
        from channel.rebates.values import day

        try:
            return day(value)
        except BadValue as wrong:
            self.fail(str(wrong), param, ctx)


class Moment(click.ParamType[datetime]):
    """A time, ISO 8601; without a zone Asia/Shanghai; a mere day is its end."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The time. Fails for anything else."""
        from channel.rebates.facts import moment_of

        try:
            return value if isinstance(value, datetime) else moment_of(value)
        except ValueError:
            self.fail(f"{value!r} is no time; write 2026-01-31 or 2026-01-31T18:00:00+08:00", param, ctx)
