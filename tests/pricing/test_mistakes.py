"""A file with mistakes is refused whole: every one with its line and its fix, and nothing is priced."""

from __future__ import annotations

import json

import pytest

from channel.pricing.errors import BadPricing
from tests.pricing.documents import asked, document, published

GOOD = """\
items:
  - {id: A, line: pumps}
  - {id: B}
dealers:
  - {id: D, grade: G}
registrations:
  - {id: P, dealer: D}
books:
  - id: std
    kind: standard
    prices:
      - {item: A, price: 100}
      - {item: B, price: 50}
adjustments:
  - {id: one, rung: promotion, percent: 10}
ask:
  dealer: D
  date: 2026-01-05
  lines:
    - {item: A, quantity: 1}
"""

CASES = {
    "a negative quantity": ("quantity: 1}", "quantity: -3}", 20, "-3 is not above zero", "how many"),
    "a quantity of zero": ("quantity: 1}", "quantity: 0}", 20, "0 is not above zero", "how many"),
    "a quantity that is no number": ("quantity: 1}", "quantity: ten}", 20, "'ten' is no number", "digits"),
    "a thousands comma": ("price: 100}", "price: '1,000'}", 12, "is no number", "1234.50"),
    "a rate that is a percent without its sign": ("id: B}", "id: B, tax_rate: 13}", 3, "13 is no rate", "0.13 or 13%"),
    "more decimals than are kept": (
        "items:\n  - {id: A, l",
        "settings: {unit_places: 99}\nitems:\n  - {id: A, l",
        1,
        "99 decimals",
        "between",
    ),
    "an exponent": ("price: 100}", "price: 1e3}", 12, "is no number", "digits"),
    "a negative price": ("price: 100}", "price: -1}", 12, "-1 is negative", "0 or more"),
    "an unknown item": ("item: A, quantity", "item: Z, quantity", 20, "there is no item 'Z'", "items"),
    "an unknown item in a book": ("item: B, price", "item: Z, price", 13, "there is no item 'Z'", "items"),
    "an unknown dealer": ("dealer: D\n  date", "dealer: X\n  date", 17, "there is no dealer 'X'", "dealers"),
    "an unknown project": ("  dealer: D\n  date", "  dealer: D\n  project: Q\n  date", 18, "there is no project 'Q'", "registrations"),
    "a wrong currency": ("  date: 2026", "  currency: EUR\n  date: 2026", 18, "no price and no rate is in EUR", "CNY"),
    "a currency that is none": ("  date: 2026", "  currency: yuan\n  date: 2026", 18, "'yuan' is no code of ISO 4217", "such as CNY"),
    "a date in year 0203": ("date: 2026-01-05", "date: 0203-01-05", 18, "year 0203", "between 1990 and 2200"),
    "a date that is none": ("date: 2026-01-05", "date: 2026-02-30", 18, "in no calendar", "2026-01-31"),
    "a date written another way": ("date: 2026-01-05", "date: 05.01.2026", 18, "is no day", "2026-01-31"),
    "ids that stand twice": ("id: B}", "id: A}", 3, "A stands twice", "drop one"),
    "a key that stands twice": ("kind: standard", "kind: standard\n    kind: grade", 11, "'kind' stands twice", "line 10"),
    "an unknown name": ("percent: 10}", "procent: 10}", 15, "procent is no name", "did you mean percent?"),
    "an unknown rung": ("rung: promotion", "rung: gift", 15, "there is no rung 'gift'", "promotion"),
    "an unknown mode": ("percent: 10}", "percent: 10, mode: sum}", 15, "'sum' is none of the words", "exclusive"),
    "no effect": (", percent: 10}", "}", 15, "says no effect", "exactly one of percent"),
    "two effects": ("percent: 10}", "percent: 10, amount: 3}", 15, "says percent and amount", "exactly one"),
    "no price": (", price: 50}", "}", 13, "says no price", "exactly one of price"),
    "two prices for one day": ("item: B, price: 50", "item: A, price: 50", 13, "two prices of kind standard for item A", "end the older"),
    "a validity that ends first": (
        "percent: 10}",
        "percent: 10, valid_from: 2026-02-01, valid_to: 2026-01-01}",
        15,
        "ends on",
        "day after",
    ),
    "a cart without lines": ("  lines:\n    - {item: A, quantity: 1}\n", "  lines: []\n", 16, "the cart is empty", "at least one"),
    "a gap in a scale": (
        "price: 100}",
        "scale: {method: point, tiers: [{from: 1, to: 10, price: 9}, {from: 11, price: 8}]}}",
        12,
        "a gap between to: 10 and from: 11",
        "to: 11",
    ),
    "an overlap in a scale": (
        "price: 100}",
        "scale: {method: point, tiers: [{from: 1, to: 12, price: 9}, {from: 11, price: 8}]}}",
        12,
        "an overlap",
        "to is exclusive",
    ),
    "steps in no order": (
        "price: 100}",
        "scale: {method: point, tiers: [{from: 10, price: 9}, {from: 1, price: 8}]}}",
        12,
        "stand in no order",
        "low to high",
    ),
    "a range that does not begin at zero": (
        "price: 100}",
        "scale: {method: range, tiers: [{from: 1, price: 9}, {from: 11, price: 8}]}}",
        12,
        "begins at 1",
        "from: 0",
    ),
    "a scale without a method": ("price: 100}", "scale: {tiers: [{from: 1, price: 9}]}}", 12, "method is missing", "write method"),
    "a price that nobody looks for": ("item: B, price", "item: B, customer: C, price", 13, "never looked for", "[item]"),
    "a formula in a ring": (
        "item: B, price: 50",
        "item: B, formula: {base: standard, percent: 5}",
        13,
        "comes back to itself",
        "another base",
    ),
    "a formula over no kind": (
        "item: B, price: 50",
        "item: B, formula: {base: costs, percent: 5}",
        13,
        "no price kind 'costs'",
        "use cost",
    ),
    "a tie of two exclusive rules": (
        "percent: 10}",
        "percent: 10, mode: exclusive}\n  - {id: two, rung: promotion, percent: 5, mode: exclusive}",
        16,
        "nothing says which goes first",
        "order",
    ),
    "a tie of a percent and an amount": (
        "percent: 10}",
        "percent: 10}\n  - {id: two, rung: promotion, amount: 5}",
        16,
        "nothing says which goes first",
        "order",
    ),
    "a text where a list stands": (
        "  lines:\n    - {item: A, quantity: 1}\n",
        "  lines: A\n",
        19,
        "ask.lines is not a list",
        "write a list",
    ),
    "a currency by its nickname": ("  date: 2026", "  currency: RMB\n  date: 2026", 18, "'RMB' is no code of ISO 4217", "CNY"),
    "three capitals that are none": ("  date: 2026", "  currency: XYZ\n  date: 2026", 18, "'XYZ' is no code of ISO 4217", "such as CNY"),
    "a base unit that is twelve of itself": ("id: B}", "id: B, unit: 个, units: {个: 12}}", 3, "个 is the base unit of B", "out of units"),
    "margins the wrong way round": (
        "price: 50}",
        "formula: {base: cost, min_margin: 9, max_margin: 2}}",
        13,
        "highest margin is below",
        "above min_margin",
    ),
    "bounds that nothing meets": (
        "percent: 10}",
        "percent: 10, when: {min_quantity: 5, max_quantity: 5}}",
        15,
        "no quantity is at least 5 and below 5",
        "above min_quantity",
    ),
    "a tax of its own in the lines": (
        "percent: 10}",
        "percent: 10, tax_rate: 9%}",
        15,
        "what stands in the lines has their tax",
        "separate",
    ),
    "a count that no scale asks for": (
        "  date: 2026",
        "  accumulated: {year: 5}\n  date: 2026",
        18,
        "no scale counts 'year'",
        "accumulated: year",
    ),
    "broken YAML": ("  - {id: B}", "  - {id: B", 4, "expected", "mend the YAML"),
}
SECTIONS = {
    "an exclusion of no group": ("exclusions: [{id: X, kind: best, groups: [vip]}]", "in group 'vip'", "promotion"),
    "a rate to itself": ("fx: [{from: CNY, to: CNY, rate: 7}]", "from CNY to itself", "two currencies"),
    "a rung that stands twice": ("settings: {waterfall: [promotion, promotion]}", "promotion stands twice", "once"),
    "a rung that every ladder has": ("settings: {waterfall: [promotion, net]}", "the rung net", "once"),
    "days below nothing": ("settings: {split_days: -3}", "-3 is negative", "0 or more"),
    "a level below nothing": ("authority: [{id: x, level: -1, role: sales, max_discount: 5}]", "-1 is negative", "0 or more"),
    "a discount of more than everything": (
        "authority: [{id: x, level: 0, role: sales, max_discount: 150}]",
        "no part of a price",
        "0 to 100",
    ),
    "sizes that no deal has": (
        "authority: [{id: x, level: 0, max_discount: 5, deal_from: 9, deal_to: 5}]",
        "no deal is from 9",
        "above deal_from",
    ),
    "a special price of nothing": ("deal_prices: [{id: T, project: P, dealer: D, items: []}]", "names no item", "at least one"),
}
"""Written before the question, on the line where it begins."""
CASES |= {name: ("ask:\n", f"{section}\nask:\n", 16, what, fix) for name, (section, what, fix) in SECTIONS.items()}


def test_the_file_without_mistakes_is_priced() -> None:
    assert asked(GOOD)["net"] == "90.00"


@pytest.mark.parametrize(("old", "new", "line", "what", "fix"), CASES.values(), ids=CASES)
def test_a_mistake_is_told_with_its_line_and_its_fix(old: str, new: str, line: int, what: str, fix: str) -> None:
    assert GOOD.count(old) == 1, "the case changes one place"

    with pytest.raises(BadPricing) as refused:
        asked(GOOD.replace(old, new))

    first = refused.value.mistakes[0]
    assert first.where == f"prices.yaml:{line}"
    assert what in first.what
    assert fix.replace("`", "") in first.next_step.replace("`", "")


def test_all_mistakes_are_told_at_once() -> None:
    text = (
        GOOD.replace("quantity: 1}", "quantity: -1}")
        .replace("date: 2026-01-05", "date: 0203-01-05")
        .replace("percent: 10}", "procent: 10}")
    )

    with pytest.raises(BadPricing) as refused:
        asked(text)

    assert len(refused.value.errors) == 3
    assert {one.where for one in refused.value.mistakes} == {"prices.yaml:15", "prices.yaml:18", "prices.yaml:20"}


def test_json_mistakes_have_lines_too() -> None:
    text = (
        '{\n "items": [{"id": "A"}],\n "books": [\n  {"id": "std", "kind": "standard",\n   "prices": [{"item": "A",\n     "price": -1}]}]}'
    )

    with pytest.raises(BadPricing, match=r"prices\.json:6: .*-1 is negative"):
        published(text, "prices.json")


@pytest.mark.parametrize(
    "text", ['{"a": 1', '{"a" 1}', '{"a": 1,}', '{"items": [1 2]}', "{'a': 1}", '{"a": 1} x', "[", "[]", "", "true", "{}x", "\x00"]
)
def test_what_is_no_document_is_refused_with_a_line(text: str) -> None:
    with pytest.raises(BadPricing) as refused:
        published(text)

    assert refused.value.mistakes[0].where.startswith("prices.yaml:")


def test_brackets_without_end_are_refused_and_end_no_process() -> None:
    """The YAML library builds its tree by calling itself: 100,000 brackets ended the process without a word."""
    with pytest.raises(BadPricing) as refused:
        published("books: " + "[" * 100_000, "rules.yaml")

    assert [(one.where, one.what) for one in refused.value.mistakes] == [("rules.yaml:1", "it is nested too deep")]


def test_numbers_are_never_floats() -> None:
    price = "12345678901234567.89"
    books = [{"id": "std", "kind": "standard", "prices": [{"item": "A", "price": price}]}]
    as_json = json.dumps({"items": [{"id": "A"}], "books": books, "ask": {"date": "2026-01-05", "lines": [{"item": "A", "quantity": "1"}]}})

    assert asked(as_json.replace(f'"{price}"', price))["net"] == price
    assert asked(document(books=books))["net"] == price


def test_an_id_keeps_its_leading_zeros_and_its_no() -> None:
    text = (
        GOOD.replace("id: B}", "id: no}").replace("item: B,", "item: no,").replace("id: D,", "id: 007,").replace("dealer: D", "dealer: 007")
    )

    assert asked(text)["dealer"] == "007"


def test_an_aliased_list_of_yaml_is_read_once_for_each() -> None:
    text = GOOD.replace("- {item: A, price: 100}", "- &a {item: A, price: 100}")

    assert asked(text)["net"] == "90.00"
