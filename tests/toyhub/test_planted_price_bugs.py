"""A step shown in place of the price, a price that stays, a price that was never sent: each is caught where the correct toy passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from sandbox.core.server import Server
from sandbox.serve import load, make
from sandbox.world import SMALL, make_world
from tests.oracle import Door
from tests.oracle.prices import judge_price_lists
from tests.oracle.values import Doc
from tests.toyhub.pricer import PRICE_BUGS, PriceBug, ToyPricer


@dataclass(slots=True)
class Stage:
    """An ERP and a CRM, and a toy between them."""

    kingdee: Door
    zoho: Door
    toy: ToyPricer

    def rows(self, *more: Doc) -> None:
        """The lines of the first price list as they are, with others behind them."""
        doc = self.kingdee.records("price_lists")[0]
        kept = [{"FEntryID": row["FEntryID"]} for row in doc["FEntity"]]
        self.kingdee.put("price_lists", {"FID": doc["FID"], "FEntity": [*kept, *more]})

    def troubles(self) -> list[str]:
        """What the oracle has against it."""
        return sorted({one.what for one in judge_price_lists(self.kingdee.url, self.zoho.url, self.toy.ledger, {})})


Staged = Callable[[tuple[PriceBug, ...]], Stage]


@pytest.fixture
def staged() -> Iterator[Staged]:
    world = make_world(1, SMALL)
    vendors = [make("kingdee"), make("zoho")]
    for vendor in vendors:
        load(vendor, world.data)
    with ExitStack() as stack:
        servers = [stack.enter_context(Server(vendor)) for vendor in vendors]
        kingdee, zoho = (server.vendor.credentials(server.url) for server in servers)
        codes = {doc["Product_Code"] for doc in Door(servers[1].url).records("products")}
        for number in {doc["FNumber"] for doc in Door(servers[0].url).records("products")} - codes:
            Door(servers[1].url).put("products", {"Product_Name": number, "Product_Code": number})
        yield lambda bugs: Stage(Door(servers[0].url), Door(servers[1].url), ToyPricer(kingdee, zoho, bugs))


def a_step_is_added(stage: Stage) -> None:
    """Ten pieces cost less; a book has room for one price, that of one piece."""
    first = stage.kingdee.records("price_lists")[0]["FEntity"][0]
    more = {key: value for key, value in first.items() if key not in ("FEntryID", "FSeq")} | {"FFromQty": 10, "FPrice": 1}
    stage.rows(more)
    stage.toy.cycle()


def a_line_goes(stage: Stage) -> None:
    """The ERP blocks a line after it was shown."""
    stage.toy.cycle()
    doc = stage.kingdee.records("price_lists")[0]
    rows = [{"FEntryID": row["FEntryID"], **({"FEntryForbidStatus": "B"} if at == 0 else {})} for at, row in enumerate(doc["FEntity"])]
    stage.kingdee.put("price_lists", {"FID": doc["FID"], "FEntity": rows})
    stage.toy.cycle()


def the_call_is_lost(stage: Stage) -> None:
    """The CRM never hears of the prices."""
    stage.zoho.fault(match={"path": "/Products", "method": "PUT"}, effect="drop_before", times=1)
    stage.toy.cycle()
    stage.toy.cycle()


SCENARIOS: dict[PriceBug, Callable[[Stage], None]] = {
    "the last step goes to the book": a_step_is_added,
    "what went stays in the book": a_line_goes,
    "prices noted before they are sent": the_call_is_lost,
}
"""What happens."""


@pytest.mark.parametrize("bug", PRICE_BUGS)
def test_the_correct_toy_passes_the_scenario(staged: Staged, bug: PriceBug) -> None:
    stage = staged(())
    SCENARIOS[bug](stage)

    assert stage.troubles() == []


@pytest.mark.parametrize("bug", PRICE_BUGS)
def test_the_oracle_catches_the_planted_bug(staged: Staged, bug: PriceBug) -> None:
    stage = staged((bug,))
    SCENARIOS[bug](stage)

    assert stage.troubles() == ["differs"]
