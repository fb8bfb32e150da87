"""The pricing benchmark prices, and its rules can be published."""

from __future__ import annotations

from benchmarks import bars, pricing, pricing_http
from channel.pricing.asking import PricingFile
from channel.pricing.compiled import Prices
from channel.pricing.publishing import check
from channel.pricing.source import Table
from channel.pricing.views import answer


def test_its_rules_have_so_many_records_and_no_mistakes() -> None:
    rules = pricing.rules(items=50, dealers=20)

    check(PricingFile.model_validate(rules.model_dump()), Table(1), "benchmark")

    assert sum(len(book.prices) for book in rules.books) == 50 * 20


def test_every_kind_of_price_is_found_and_every_rung_is_there() -> None:
    prices = Prices(pricing.rules(items=50, dealers=20))

    lines = [line for ask in pricing.asks(60, 1, items=50, dealers=20) for line in answer(prices, ask)["lines"]]

    assert {line["price_kind"] for line in lines} == {"contract", "grade"}
    assert all([step["rung"] for step in line["waterfall"]][-3:] == ["freight", "net", "tax"] for line in lines)


def test_its_figures_have_limits() -> None:
    figures = pricing.run(items=50, dealers=20, calls=40)

    assert [figure.bar for figure in figures] == ["pricing.line_cpu_p99_ms", "pricing.cart_20_cpu_p99_ms"]
    assert all(figure.bar in bars.LIMITS for figure in figures)


def test_a_cart_is_priced_through_http_by_a_server_of_its_own() -> None:
    (figure,) = pricing_http.run(items=60, calls=10)

    assert figure.bar in bars.LIMITS
    assert figure.value > 0
