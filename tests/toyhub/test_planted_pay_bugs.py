"""A second memo, a lost memo, a price that differs by a fen: each is caught by the oracle where the correct toy passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest

from sandbox.core.server import Server
from sandbox.serve import load, make
from sandbox.world import SMALL, make_world
from tests.oracle import Door
from tests.oracle.prices import Books, compare_price_lists
from tests.oracle.rebates import Paid, judge_memos
from tests.toyhub.payer import PAY_BUGS, PayBug, ToyPayer

PAYOUTS = (
    Paid("RP-2026-000001", "CUST00001", Decimal("0.13"), Decimal("1130.00"), Decimal("130.00")),
    Paid("RP-2026-000002", "CUST00002", Decimal("0.06"), Decimal("10.61"), Decimal("0.60")),
)


@dataclass(slots=True)
class Stage:
    """An ERP, and a toy that pays into it."""

    kingdee: Door
    toy: ToyPayer

    def audit(self) -> None:
        """Finance audits what was booked."""
        for doc in self.kingdee.records("other_receivables"):
            self.kingdee.put("other_receivables", {"FID": doc["FID"], "FDocumentStatus": "C"})

    def troubles(self) -> list[str]:
        """What the oracle has against it."""
        self.audit()
        lists = [doc for doc in self.kingdee.records("price_lists") if doc["FForbidStatus"] == "A"]
        found = judge_memos(self.kingdee.records("other_receivables"), PAYOUTS)
        found += compare_price_lists(lists, Books([], {}), self.toy.prices, {}, units={}, today="2026-11-21", made={})
        return sorted({one.what for one in found if one.stream != "price_books"})


Staged = Callable[[tuple[PayBug, ...]], Stage]


@pytest.fixture
def staged() -> Iterator[Staged]:
    world = make_world(1, SMALL)
    vendor = make("kingdee")
    load(vendor, world.data)
    with Server(vendor) as server:
        yield lambda bugs: Stage(Door(server.url), ToyPayer(server.vendor.credentials(server.url), bugs))


def the_answer_is_lost(stage: Stage) -> None:
    """The ERP has booked it; nobody hears of it."""
    stage.kingdee.fault(match={"path": ".Save"}, effect="drop_after", times=1)
    stage.toy.cycle(PAYOUTS)
    stage.toy.cycle(PAYOUTS)


def the_call_is_lost(stage: Stage) -> None:
    """The ERP never hears of it."""
    stage.kingdee.fault(match={"path": ".Save"}, effect="drop_before", times=1)
    stage.toy.cycle(PAYOUTS)
    stage.toy.cycle(PAYOUTS)


def a_price_that_binary_numbers_miss(stage: Stage) -> None:
    """8.20 and 4.35 have no binary form: times a hundred it falls short, and the fen is cut off."""
    doc = stage.kingdee.records("price_lists")[0]
    missed = next(amount for amount in (Decimal(fen) / 100 for fen in range(101, 5_000)) if int(float(amount) * 100) != amount * 100)
    rows = [{"FEntryID": doc["FEntity"][0]["FEntryID"], "FPrice": missed}]
    stage.kingdee.put("price_lists", {"FID": doc["FID"], "FEntity": rows})
    stage.toy.cycle(PAYOUTS)


SCENARIOS: dict[PayBug, tuple[Callable[[Stage], None], str]] = {
    "memo saved again without a look": (the_answer_is_lost, "two memos of one payout"),
    "memo noted before it is saved": (the_call_is_lost, "lost memo"),
    "prices in binary": (a_price_that_binary_numbers_miss, "differs"),
}
"""What happens, and what the oracle says of the bug."""


@pytest.mark.parametrize("bug", PAY_BUGS)
def test_the_correct_toy_passes_the_scenario(staged: Staged, bug: PayBug) -> None:
    stage = staged(())
    SCENARIOS[bug][0](stage)

    assert stage.troubles() == []


@pytest.mark.parametrize("bug", PAY_BUGS)
def test_the_oracle_catches_the_planted_bug(staged: Staged, bug: PayBug) -> None:
    stage = staged((bug,))
    happens, shows_as = SCENARIOS[bug]
    happens(stage)

    assert stage.troubles() == [shows_as]
