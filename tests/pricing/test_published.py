"""Worked examples that others published, with their answers; where each was read stands beside it. More stand on docs/pricing*.md."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pricing.documents import asked, document


def scale(method: str, *tiers: tuple[str | None, str, str]) -> dict[str, Any]:
    """Steps of (up to, price, flat fee)."""
    return {
        "method": method,
        "tiers": [{**({"up_to": bound} if bound else {}), "price": price, "flat": flat} for bound, price, flat in tiers],
    }


ATG = ("10", "20", "0"), ("20", "17", "0"), (None, "15", "0")
ZUPLO = ("1000", "0.10", "0"), ("10000", "0.05", "0"), (None, "0.01", "0")
LAGO = ("10000", "0.0010", "10"), ("50000", "0.0008", "10"), ("100000", "0.0006", "10"), (None, "0.0004", "10")
AUTUMN = ("1000", "0.01", "0"), ("10000", "0.008", "0"), (None, "0.005", "0")
LB = ("100", "4.00", "0"), ("200", "3.90", "0"), (None, "3.80", "0")

SCALES = {
    # docs.oracle.com, ATG Merchandising: bulk and tiered pricing of hammers
    "hammers, bulk, 7": (scale("volume", *ATG), "7", "140.00"),
    "hammers, bulk, 14": (scale("volume", *ATG), "14", "238.00"),
    "hammers, bulk, 23": (scale("volume", *ATG), "23", "345.00"),
    "hammers, tiered, 7": (scale("graduated", *ATG), "7", "140.00"),
    "hammers, tiered, 15": (scale("graduated", *ATG), "15", "285.00"),
    "hammers, tiered, 23": (scale("graduated", *ATG), "23", "415.00"),
    # zuplo.com, pricing models
    "calls, graduated": (scale("graduated", *ZUPLO), "15000", "600.00"),
    "calls, volume": (scale("volume", *ZUPLO), "15000", "150.00"),
    # getlago.com, volume charge model with a fixed fee
    "calls, volume with a fee": (scale("volume", *LAGO), "65000", "49.00"),
    # docs.useautumn.com, graduated pricing
    "calls, three slabs": (scale("slab", *AUTUMN), "15000", "107.00"),
    # michael.romaniello.co, graduated by the hundred pounds: 100 x 4.00 + 100 x 3.90 + 50 x 3.80
    "pounds": (scale("interval", *LB), "250", "980.00"),
}


@pytest.mark.parametrize(("table", "quantity", "net"), SCALES.values(), ids=SCALES)
def test_a_published_scale(table: dict[str, Any], quantity: str, net: str) -> None:
    books = [{"id": "std", "kind": "standard", "prices": [{"item": "A", "scale": table}]}]

    assert asked(document(books=books, ask={"lines": [{"item": "A", "quantity": quantity}]}))["net"] == net


def test_pounds_bought_before_count_on_the_scale() -> None:
    table = scale("interval", *LB) | {"accumulated": "year"}
    books = [{"id": "std", "kind": "standard", "prices": [{"item": "A", "scale": table}]}]
    ask = {"accumulated": {"year": "80"}, "lines": [{"item": "A", "quantity": "50"}]}

    assert asked(document(books=books, ask=ask))["net"] == "197.00"  # 20 x 4.00 + 30 x 3.90


STACKS: dict[str, tuple[list[dict[str, Any]], str]] = {
    # frappe/erpnext, pricing rule tests: 10 and 20 percent on the rate, or on what is left of it
    "added": ([{"percent": "10", "mode": "original"}, {"percent": "20", "mode": "original"}], "70.00"),
    "on the discounted rate": ([{"percent": "10"}, {"percent": "20"}], "72.00"),
    # learn.microsoft.com, retail discounts: two of 10 percent, the second as if the first did not exist, or of what is left
    "two of ten, compounded": ([{"percent": "10"}, {"percent": "10"}], "81.00"),
    "two of ten, of the original": ([{"percent": "10", "mode": "original"}, {"percent": "10", "mode": "original"}], "80.00"),
    # learn.microsoft.com, discount base amount: 30 of 100 is paid by another, 10 percent is of the other 70
    "ten percent of seventy": ([{"amount": "30", "order": "1"}, {"percent": "10", "order": "2"}], "63.00"),
}


@pytest.mark.parametrize(("rules", "net"), STACKS.values(), ids=STACKS)
def test_a_published_stack(rules: list[dict[str, Any]], net: str) -> None:
    adjustments = [{"id": f"r{at}", "rung": "promotion", **rule} for at, rule in enumerate(rules)]

    assert asked(document(adjustments=adjustments))["net"] == net


def test_point_and_range_breaks_of_sixteen() -> None:
    # johanlouwers.blogspot.com on Oracle price breaks: to 10 five percent, to 20 ten, to 50 fifteen; 16 pieces of 100
    tiers = [{"up_to": "10", "percent": "5"}, {"up_to": "20", "percent": "10"}, {"up_to": "50", "percent": "15"}]
    nets = [
        asked(
            document(
                adjustments=[{"id": "b", "rung": "volume", "scale": {"method": method, "tiers": tiers}}],
                ask={"lines": [{"item": "A", "quantity": "16"}]},
            )
        )["net"]
        for method in ("point", "range")
    ]

    assert nets == ["1440.00", "1490.00"]


def test_a_waterfall_of_list_customer_and_partner_price() -> None:
    # nebulaconsulting.co.uk on the CPQ price waterfall: 120, 30 off by hand, then 20 percent for the partner
    line = {"item": "A", "quantity": "1", "manual": {"amount": "30", "reason": "additional", "text": "t", "by": "b"}}
    books = [{"id": "list", "kind": "standard", "prices": [{"item": "A", "price": "120"}]}]
    partner = [{"id": "p", "rung": "partner", "percent": "20"}]

    told = asked(
        document(settings={"waterfall": ["manual", "partner", "distributor"]}, books=books, adjustments=partner, ask={"lines": [line]})
    )

    assert [step["after"] for step in told["lines"][0]["waterfall"]] == ["120", "90", "72", "72", "72"]


GIFTS = {
    # sapdatasheet.org, data element KNRRR: 3 for each 100, 280 ordered
    "proportional, cut down": ({"quantity": "3", "for_each": "100", "method": "proportional"}, "280", ["8"]),
    "unit reference": ({"quantity": "3", "for_each": "100"}, "280", ["6"]),
    "whole unit, not met": ({"quantity": "3", "for_each": "100", "method": "exact"}, "280", []),
    "whole unit, met": ({"quantity": "3", "for_each": "100", "method": "exact"}, "300", ["9"]),
    # sapsdconfiguration.blogspot.com: buy 100, get 20, 162 ordered
    "proportional, 162": ({"quantity": "20", "for_each": "100", "method": "proportional"}, "162", ["32"]),
    "unit reference, 162": ({"quantity": "20", "for_each": "100"}, "162", ["20"]),
    # blogs.sap.com, calculation types: 1 of 5, 128 ordered, 25.6 rounded up
    "proportional, rounded": (
        {"quantity": "1", "for_each": "5", "method": "proportional", "round": {"places": "0"}, "within": True}, "128", ["26"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("free", "quantity", "expected"), GIFTS.values(), ids=GIFTS)
def test_published_free_goods(free: dict[str, Any], quantity: str, expected: list[str]) -> None:
    gift = {"id": "g", "rung": "promotion", "free": free}
    told = asked(document(adjustments=[gift], ask={"lines": [{"item": "A", "quantity": quantity}]}))

    assert [one["quantity"] for one in told["free_goods"]] == expected


PRORATED = {
    # vendure, order-calculator/prorate.spec.ts: weights, what is shared, shares
    "neat": ("40 20 20", "3.00", "1.50 0.75 0.75"),
    "equal": ("10 10 10", "2.99", "1.00 1.00 0.99"),
    "not neat": ("43 14 23", "2.99", "1.61 0.52 0.86"),
    "many, not neat": ("10 20 10 30 50 20 10 40", "0.93", "0.05 0.10 0.05 0.15 0.24 0.10 0.05 0.19"),
    "one is nothing": ("10 0", "0.40", "0.40 0.00"),
    "all are nothing": ("0 0", "0.10", "0.05 0.05"),
}


@pytest.mark.parametrize(("prices", "amount", "shares"), PRORATED.values(), ids=PRORATED)
def test_a_published_share(prices: str, amount: str, shares: str) -> None:
    names = [f"I{at}" for at, _ in enumerate(prices.split())]
    told = asked(
        document(
            items=[{"id": name} for name in names],
            books=[
                {"id": "std", "kind": "standard", "prices": [{"item": i, "price": p} for i, p in zip(names, prices.split(), strict=True)]}
            ],
            adjustments=[{"id": "f", "rung": "freight", "scope": "order", "amount": amount, "surcharge": True}],
            ask={"lines": [{"item": name, "quantity": "1"} for name in names]},
        )
    )

    values = [next(s["value"] for s in line["waterfall"] if s["rule"] == "f") for line in told["lines"]]
    assert values == [f"{share} of {amount}" for share in shares.split()]


ZONES = [{"id": "zones", "kind": "excludes", "groups": ["99", "0"]}]
CONCURRENCY = {
    # learn.microsoft.com, Retail Discount Concurrency Control, differences with examples
    "pricing zone": ("ab c", False, ZONES, "72.00"),
    "compete within, compound across": ("ab c", True, [], "68.00"),
    "pricing zone, a best price": ("abd c", False, ZONES, "65.00"),
    "compete within, a best price": ("abd c", True, [], "55.25"),
}


@pytest.mark.parametrize(("offers", "compete", "exclusions", "net"), CONCURRENCY.values(), ids=CONCURRENCY)
def test_published_discount_concurrency(offers: str, *, compete: bool, exclusions: list[dict[str, Any]], net: str) -> None:
    first, last = offers.split()
    percents = {"a": "10", "b": "20", "c": "15", "d": "35"}
    alone = set("abcd") if compete else {"d"}
    rules = [
        {"id": name, "rung": "promotion", "group": group, "percent": percents[name], "mode": "best" if name in alone else "compound"}
        for group, names in (("99", first), ("0", last)) for name in names
    ]  # fmt: skip

    assert asked(document(adjustments=rules, exclusions=exclusions))["net"] == net
