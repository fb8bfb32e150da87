"""Laws of the compiled book: what is taken over from an earlier one equals what is compiled anew; an earlier version answers as it did."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channel.pricing import service
from channel.pricing.errors import BadPricing
from channel.pricing.service import View
from tests.pricing.stocked import Db, ask, reprice, stock

RULES = "adjustments:\n  - {id: AG, rung: agreement, percent: PERCENT, when: {lines: pumps}}\n"
STEP = st.one_of(
    st.tuples(st.just("price"), st.sampled_from(["P-STD", "P-DLR"]), st.sampled_from(["pump", "valve"]), st.integers(1, 2000)),
    st.tuples(st.just("list"), st.sampled_from(["P-STD", "P-DLR"]), st.sampled_from(["active", "blocked"]), st.just(0)),
    st.tuples(st.just("item"), st.just("pump"), st.sampled_from(["active", "blocked"]), st.just(0)),
    st.tuples(st.just("rules"), st.just(""), st.just(""), st.integers(1, 30)),
)


def do(db: Db, made: Any, step: tuple[str, str, str, int]) -> None:
    """One change, as the engine or a person makes it."""
    what, which, value, number = step
    if what == "price":
        reprice(db, made.lists[which], getattr(made, value), price=str(number))
    elif what == "list":
        db.execute("UPDATE price_lists SET status = %s, version = version + 1 WHERE id = %s", [value, made.lists[which]])
    elif what == "item":
        db.execute("UPDATE products SET status = %s, version = version + 1 WHERE id = %s", [value, made.pump])
    else:
        service.publish(db, "main", RULES.replace("PERCENT", str(number)), by="law")


def told(db: Db, version: int | None = None) -> list[Any]:
    """What dealers and others pay, as of a version."""
    found: list[Any] = []
    for dealer in ("D-EAST", ""):
        for item in ("M001", "M002"):
            try:
                found.append(service.price(db, ask((item, 3), dealer=dealer, company="100"), view=View(), at_version=version))
            except BadPricing as refused:
                found.append([one.what for one in refused.mistakes])
    return [{name: value for name, value in one.items() if name != "version"} if isinstance(one, dict) else one for one in found]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=1, max_size=6))
def test_law_incremental_equals_anew_and_the_past_stays_as_it_was(db: Db, steps: list[tuple[str, str, str, int]]) -> None:
    with db.transaction(force_rollback=True):
        service.forget()
        made = stock(db)
        seen = [(service.book(db).version, told(db))]
        for step in steps:
            do(db, made, step)
            seen.append((service.book(db).version, told(db)))
        service.forget()

        assert told(db) == seen[-1][1]
        for version, then in seen:
            assert told(db, version) == then
    service.forget()
