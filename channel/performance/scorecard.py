"""A scorecard as data: figures, each with a curve of points and a weight; floors, deductions, peer groups and tags.

A curve maps a figure to 0..100: straight lines between its points, level beyond both ends.
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from canonical.values import BadValue
from channel.performance.definitions import DEFINITIONS
from channel.rebates.values import Code, Currency, Name, Number, Rate, Share, Span, Strict

MOST: Final = Decimal(100)


def _figure(value: Any) -> str:
    if not isinstance(value, str) or value not in DEFINITIONS:
        raise BadValue(f"{str(value)[:40]!r} is no figure; known are {', '.join(DEFINITIONS)}")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise BadValue(f"{str(value)[:40]!r} is no whole number")


Figure = Annotated[str, BeforeValidator(_figure)]
Whole = Annotated[int, BeforeValidator(_whole)]
Points = Annotated[Number, Field(ge=0, le=MOST)]
Version = Annotated[Whole, Field(ge=1), PlainSerializer(str, return_type=str)]


class Point(Strict):
    """A figure at this value gets these points. `90 %` and `0.9` are the same."""

    at: Rate
    points: Points


class Scored(Strict):
    """One figure of a scorecard."""

    kpi: Figure
    weight: Annotated[Number, Field(gt=0)]
    curve: Annotated[tuple[Point, ...], Field(min_length=2)]
    zero_below: Rate | None = None
    """Floor: below it the figure gets no points, whatever the curve says."""
    zero_above: Rate | None = None


class Deduction(Strict):
    """Points taken off the score: so many for each unit of a figure."""

    name: Name
    kpi: Figure
    each: Annotated[Rate, Field(gt=0)]
    points: Annotated[Number, Field(gt=0, le=MOST)]
    most: Points = MOST
    beyond: Rate = Decimal(0)
    """Only what goes beyond this is counted."""


class Condition(Strict):
    """When a tag's condition is in, and when it is clear again. Between the two limits nothing changes."""

    kpi: Figure
    above: Rate | None = None
    below: Rate | None = None
    above_peer: Share | None = None
    """Above this percentile of the peer group: `90 %`."""
    clear: Rate | None = None
    """Out limit; absent: the in limit. Of `above_peer` a percentile too."""
    periods: Annotated[Whole, Field(ge=1, le=60)] = 1
    """So many cut-offs in a row."""


class TagRule(Strict):
    """A tag that dealers get and lose by rule."""

    tag: Code
    kind: Literal["risk", "growth"]
    name: Name
    when: Literal["any", "all"]
    conditions: Annotated[tuple[Condition, ...], Field(min_length=1)]
    clean: Annotated[Whole, Field(ge=1, le=60)]
    """So many clean cut-offs in a row until it goes."""
    stay: Annotated[Whole, Field(ge=0, le=60)] = 0
    """It stays for at least so many cut-offs."""
    expires: Annotated[Whole, Field(ge=1, le=60)] = 12
    """Months after which its evidence must be looked at again."""


class Scorecard(Strict):
    """A published scorecard never changes; a change is the next version."""

    scorecard: Code
    version: Version
    name: Name
    note: Name | None = None
    currency: Currency
    valid: Span
    period: Literal["month", "quarter", "half", "year"]
    fiscal_start: Annotated[Whole, Field(ge=1, le=12)] = 1
    sales: Literal["invoice", "delivery", "order"] = "invoice"
    """Which documents make a sale, where the facts are the ledger's."""
    target: Literal["even", "last_year", "none"] = "even"
    """How a target is spread over its days: see docs/performance.md."""
    peers: tuple[Literal["grade", "region", "product_line"], ...] = ("grade", "region", "product_line")
    region_digits: Annotated[Whole, Field(ge=1, le=12)] = 2
    """So many first digits of a region (GB/T 2260) make one: 2 is a province."""
    unranked_above: Share = Decimal("0.3")
    """More than this share of the weight without a value: not ranked."""
    kpis: Annotated[tuple[Scored, ...], Field(min_length=1)]
    deductions: tuple[Deduction, ...] = ()
    tags: tuple[TagRule, ...] = ()

    @property
    def hash(self) -> str:
        """A hash of what the scorecard says, without the way it is written."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    @property
    def management(self) -> bool:
        """True when a figure behind the score is for management only; then the score is too."""
        return any(DEFINITIONS[code].management for code in self.figures)

    @property
    def figures(self) -> tuple[str, ...]:
        """The figures that the score is made of."""
        return tuple(dict.fromkeys([*(one.kpi for one in self.kpis), *(one.kpi for one in self.deductions)]))
