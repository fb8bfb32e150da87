"""Sales and tiers drawn by chance, for properties that hold for all of them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.rebates.making import row

CENT = Fraction(1, 100)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CASH = st.decimals(min_value=0, max_value=20_000, places=2)
SALES = st.lists(
    st.tuples(CASH, st.sampled_from(["D1", "D2", "D3"]), st.sampled_from(["泵", "阀"]), st.integers(0, 364)), min_size=1, max_size=12
)
NONFALLING = ["retroactive", "marginal", "rolling", "total"]
METHODS = st.sampled_from(NONFALLING)


@st.composite
def ladders(draw: st.DrawFn) -> list[dict[str, str]]:
    """Tiers from low to high, with rates that never fall."""
    edges = sorted(draw(st.lists(st.integers(0, 15_000), min_size=1, max_size=5, unique=True)))
    rates = sorted(draw(st.lists(st.integers(0, 2_000), min_size=len(edges), max_size=len(edges))))
    return [{"from": str(edge), "rate": f"{Decimal(rate).scaleb(-2)} %"} for edge, rate in zip(edges, rates, strict=True)]


def rows_of(sales: list[tuple[Decimal, str, str, int]]) -> list[dict[str, Any]]:
    """Facts of drawn sales: each an amount, a dealer, a product line and a day of the year."""
    first = date(2026, 1, 1)
    return [
        row(f"S{at}", amount, dealer=dealer, product_line=line, date=first + timedelta(days=day))
        for at, (amount, dealer, line, day) in enumerate(sales)
    ]
