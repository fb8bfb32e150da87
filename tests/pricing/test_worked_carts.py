"""Whole carts with their answers: published ones, each with the place where it was read, and some that were reckoned by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pricing.documents import asked, document, missing


def prices(side: str = "excluded", **of: Any) -> dict[str, Any]:
    """Items with a price or a scale each, and one line of each."""
    rows = [{"item": item, **(said if isinstance(said, dict) else {"price": said})} for item, said in of.items()]
    return {"items": [{"id": item} for item in of], "books": [{"id": "std", "kind": "standard", "tax": side, "prices": rows}]}


def bought(**quantities: str) -> dict[str, Any]:
    """The question for so many of each."""
    return {"lines": [{"item": item, "quantity": quantity} for item, quantity in quantities.items()]}


def steps(method: str, *tiers: tuple[str, str, str]) -> dict[str, Any]:
    """Steps of (up to, price, flat fee); the last has no end."""
    made = [{**({"up_to": bound} if bound else {}), "price": price, "flat": flat} for bound, price, flat in tiers]
    return {"scale": {"method": method, "tiers": made}}


FEES = ("250", "0", "10"), ("500", "0", "20"), ("", "0", "30")
RATES = ("250", "1", "0"), ("500", "2", "0"), ("", "3", "0")
HANDLING = ("100", "0.15", "0"), ("250", "0.12", "0"), ("", "0.09", "0")
ORO = prices(A="1.0149", B="3.0209")
TENTH = {"id": "o", "rung": "promotion", "scope": "order", "percent": "10"}
FIRST_TWO = {"method": "range", "tiers": [{"up_to": "2", "percent": "20"}, {"percent": "0"}]}
TRADE = {"id": "trade", "rung": "agreement", "percent": "15"}
OVER_500 = {"id": "trade", "rung": "agreement", "percent": "10", "when": {"min_value": "500"}}
PROMPT = {"id": "prompt", "rung": "project", "percent": "2.5", "when": {"terms": "7 days"}}
ROOF = prices(panels="300", bricks="195.50", tiles="56.65")
SCREWS = prices(A="0.05")

CARTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # docs.oracle.com, banking charges, tier based amount: 1,000 counted; the slabs' fees or rates add up, or that of the last is for all
    "fees of slabs": ({**prices(A=steps("slab", *FEES)), "ask": bought(A="1000")}, {"net": "60.00"}),
    "a fee by number": ({**prices(A=steps("volume", *FEES)), "ask": bought(A="1000")}, {"net": "30.00"}),
    "rates of slabs": ({**prices(A=steps("slab", *RATES)), "ask": bought(A="1000")}, {"net": "2250.00"}),
    "a rate by number": ({**prices(A=steps("volume", *RATES)), "ask": bought(A="1000")}, {"net": "3000.00"}),
    # docs.flexprice.io, package size in a tier: 4,500 calls are five packages of 1,000 that are begun
    "packages that are begun": (
        {**prices(A={**steps("volume", ("10000", "1", "0"), ("", "0.6", "0")), "per": "1000", "begun": True}), "ask": bought(A="4500")},
        {"net": "5.00", "lines": [{"per": "1000", "unit_price_exact": False}]},
    ),
    # printiq.zohodesk.com, handling fees for 400: each up to its break, or all at the next one
    "each up to its break": ({**prices(A=steps("range", *HANDLING)), "ask": bought(A="400")}, {"net": "46.50"}),
    "all at one break": ({**prices(A=steps("point", *HANDLING)), "ask": bought(A="400")}, {"net": "36.00"}),
    # forum.manager.io, sales price by formula: 75 + 216 kg at 0.20; 150 at 0.10, and 50 at least
    "a fixed amount and a price per kg": (
        {**prices(A="0.20"), "adjustments": [{"id": "f", "rung": "freight", "amount": "75", "per": "line", "surcharge": True}],
         "ask": bought(A="216")},
        {"net": "118.20"},
    ),
    "a least amount of a line": (
        {**prices(A="0.10", B="0.10"), "adjustments": [{"id": "f", "rung": "freight", "at_least": "50"}], "ask": bought(A="150", B="600")},
        {"lines": [{"net": "50.00"}, {"net": "60.00"}]},
    ),
    # doc.oroinc.com, price calculation sample: the subtotal rounds as a whole; 10 % of it; 20 % of the first two of three
    "a subtotal that rounds first": ({**ORO, "settings": {"rounding": "total"}, "ask": bought(A="3", B="1")}, {"net": "6.07"}),
    "less 10 percent of it": (
        {**ORO, "settings": {"rounding": "total"}, "adjustments": [TENTH], "ask": bought(A="3", B="1")},
        {"net": "5.46"},  # 6.07 - 0.61
    ),
    "20 percent off two of three": (
        {**ORO, "adjustments": [{"id": "two", "rung": "promotion", "when": {"items": "A"}, "scale": FIRST_TWO}],
         "ask": bought(A="3", B="1")},
        {"lines": [{"net": "2.64"}, {"net": "3.02"}]},  # 3.0447 - 20 % of 2.0298
    ),
    # informi.co.uk, VAT on discounts: 300 less 15 %; and 600 less 10 % for more than 500, less 2.5 % when paid in seven days
    "a trade discount before tax": (
        {**prices(A="300"), "settings": {"tax_rate": "0.2"}, "adjustments": [TRADE], "ask": bought(A="1")},
        {"net": "255.00", "tax": "51.00", "gross": "306.00"},
    ),
    "trade and prompt payment": (
        {**prices(A="600"), "settings": {"tax_rate": "0.2"}, "adjustments": [OVER_500, PROMPT],
         "ask": {**bought(A="1"), "terms": "7 days"}},
        {"net": "526.50", "tax": "105.30", "gross": "631.80"},
    ),
    "trade, and paid later": (
        {**prices(A="600"), "settings": {"tax_rate": "0.2"}, "adjustments": [OVER_500, PROMPT], "ask": bought(A="1")},
        {"net": "540.00", "gross": "648.00"},
    ),
    # forums.aat.org.uk, an invoice of roofing: 1,934.15 less 2 % (38.68)
    "a trade discount of an invoice": (
        {**ROOF, "adjustments": [{**TENTH, "percent": "2"}], "ask": bought(panels="3", bricks="5", tiles="1")},
        {"net": "1895.47"},
    ),
    # pub.dev, kasseneck_api vatTotalCents: 12.00 with 20 % less 2.00 holds 1.67; three of 0.33 hold 0.16 as one rate
    "a voucher on a till's receipt": (
        {**prices("included", A="12"), "settings": {"tax_rate": "0.2"}, "adjustments": [{**TENTH, "percent": None, "amount": "2"}],
         "ask": bought(A="1")},
        {"gross": "10.00", "tax": "1.67"},
    ),
    "tax by rate, and not by line": (
        {**prices("included", A="0.33"), "settings": {"tax_rate": "0.2", "rounding": "total"},
         "ask": {"lines": [{"item": "A", "quantity": "1"}] * 3}},
        {"gross": "0.99", "tax": "0.16"},
    ),
    # help.hcl-software.com, rounding of product prices: 100 screws at 0.05 euros are 2.50 pounds at 2 euros a pound, and not 3.00
    "screws in pounds": (
        {**SCREWS, "books": [{**SCREWS["books"][0], "currency": "EUR"}], "fx": [{"from": "GBP", "to": "EUR", "rate": "2"}],
         "ask": {**bought(A="100"), "currency": "GBP"}},
        {"net": "2.50", "lines": [{"unit_price": "0.0250"}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("cart", "answer"), CARTS.values(), ids=CARTS)
def test_a_published_cart(cart: dict[str, Any], answer: dict[str, Any]) -> None:
    assert missing(answer, asked(document(**cart))) == []


DEALER = {"dealers": [{"id": "D", "grade": "核心"}], "registrations": [{"id": "P", "dealer": "D"}]}
SPECIAL = {"id": "T", "project": "P", "dealer": "D", "approver": "王总", "items": [{"item": "A", "price": "75", "ceiling": "100"}]}
FREIGHT = {"id": "f", "rung": "freight", "scope": "order", "surcharge": True}
BOTH_SIDES = [
    {"id": "std", "kind": "standard", "tax": "included", "prices": [{"item": "A", "price": "113"}]},
    {"id": "grade", "kind": "grade", "tax": "excluded", "prices": [{"item": "A", "grade": "核心", "price": "90"}]},
]

BY_HAND: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # 5 boxes of 12 are 60 of 100; 41 are more than the 40 left, 40 are not, and then nothing is left
    "a special price over lines in boxes and pieces": (
        {**DEALER, "items": [{"id": "A", "units": {"箱": "12"}}], "deal_prices": [SPECIAL],
         "ask": {"dealer": "D", "project": "P", "lines": [
             {"item": "A", "quantity": "5", "unit": "箱"}, *({"item": "A", "quantity": one} for one in ("41", "40", "1"))]}},
        {"lines": [{"price_kind": kind, "net": net} for kind, net in
                   (("deal", "4500.00"), ("standard", "4100.00"), ("deal", "3000.00"), ("standard", "100.00"))]},
    ),
    # the list says 113 with tax, which is 100 without: 5 % of that off the dealer's 90
    "a percent of a list on the other side of tax": (
        {**DEALER, "settings": {"tax_rate": "0.13"}, "books": BOTH_SIDES,
         "adjustments": [{"id": "p", "rung": "promotion", "percent": "5", "of": "list"}], "ask": {"dealer": "D"}},
        {"net": "85.00", "gross": "96.05", "lines": [{"list_price": "100", "discount_percent": "15.00"}]},
    ),
    # 100 with 13 % is 88.50 + 11.50; 109 with 9 % is 100.00 + 9.00
    "freight with a rate of its own beside prices with tax": (
        {"settings": {"tax_rate": "0.13", "tax": "included"},
         "adjustments": [{**FREIGHT, "amount": "109", "separate": True, "tax_rate": "0.09"}]},
        {"net": "188.50", "tax": "20.50", "gross": "209.00", "charges": [{"net": "100.00", "tax": "9.00"}]},
    ),
    # 2 x 0.3 + 4 x 0.1 = 1 m3 at 200: 120 and 80
    "freight by volume": (
        {**prices(A="10", B="90"), "items": [{"id": "A", "volume": "0.3"}, {"id": "B", "volume": "0.1"}],
         "adjustments": [{**FREIGHT, "amount": "200", "per": "volume", "share_by": "volume"}], "ask": bought(A="2", B="4")},
        {"net": "580.00", "lines": [{"net": "140.00"}, {"net": "440.00"}]},
    ),
    # 12.345 x 151.37 = 1,868.66265; 7 x 1,868.6627 = 13,080.6389; 10 % of 13,081 is 1,308.1
    "dollars in yen": (
        {"settings": {"currency": "JPY", "tax_rate": "0.1"}, "fx": [{"from": "USD", "to": "JPY", "rate": "151.37"}],
         "books": [{"id": "usd", "kind": "standard", "currency": "USD", "prices": [{"item": "A", "price": "12.345"}]}],
         "ask": bought(A="7")},
        {"net": "13081", "tax": "1308", "gross": "14389", "lines": [{"unit_price": "1868.6627"}]},
    ),
    # 7.5 % of 1,333 is 99.975: 100 yen, 75.02 and 24.98 of it
    "a discount of the order in yen": (
        {**prices(A="1000", B="333"), "settings": {"currency": "JPY"}, "adjustments": [{**TENTH, "percent": "7.5"}],
         "ask": bought(A="1", B="1")},
        {"net": "1233", "lines": [{"net": "925"}, {"net": "308"}]},
    ),
    # 3 x 100 x 20.55 + 30 x 20.55 = 6,781.5
    "the fee of a small order in yen": (
        {"items": [{"id": "A", "moq": "10", "small_order": "surcharge", "small_order_fee": "30"}],
         "fx": [{"from": "CNY", "to": "JPY", "rate": "20.55"}], "ask": {**bought(A="3"), "currency": "JPY"}},
        {"net": "6782"},
    ),
    # 3 x 0.335 = 1.005 with 13 %: 1.01, and 0.88938 of it without; 0.335 with 6 %: 0.34 and 0.31604
    "two rates of tax, each total first": (
        {**prices("included", A="0.335", B="0.335"), "items": [{"id": "A", "tax_rate": "0.13"}, {"id": "B", "tax_rate": "0.06"}],
         "settings": {"rounding": "total"}, "ask": {"lines": [{"item": one, "quantity": "1"} for one in "AABA"]}},
        {"net": "1.21", "tax": "0.14", "gross": "1.35", "lines": [{"net": one} for one in ("0.30", "0.30", "0.32", "0.29")]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("cart", "answer"), BY_HAND.values(), ids=BY_HAND)
def test_a_cart_reckoned_by_hand(cart: dict[str, Any], answer: dict[str, Any]) -> None:
    assert missing(answer, asked(document(**cart))) == []
