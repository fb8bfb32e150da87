"""Each planted bug is caught by the oracle in a scenario that the correct toy hub passes."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from sandbox.core.server import Server
from sandbox.serve import load, make
from sandbox.world import SMALL, World, make_world
from tests.oracle import Door, Edit, Verdict, extravagance, judge, writes
from tests.toyhub.clients import Doc
from tests.toyhub.hub import BUGS, Bug, Crash, ToyHub

TINY = dataclasses.replace(SMALL, deals=0, pending_quotes=0)
NEVER = "9999-12-31"
"""No shipment or receipt is expected in Zoho: the toy does not carry them."""


@dataclass(slots=True)
class Stage:
    """Two servers with a tiny world, a toy hub between them, and what the users did."""

    world: World
    kingdee: Door
    zoho: Door
    hub: ToyHub
    edits: list[Edit] = field(default_factory=list)
    extravagant: list[str] = field(default_factory=list)

    def edit(self, system: str, stream: str, doc: Doc, name: str, value: object) -> Doc:
        """An owner's edit, noted in the journal."""
        door = self.kingdee if system == "kingdee" else self.zoho
        key = next(key for key in ("id", "FCUSTID", "FID") if key in doc)
        stored = door.put(stream, {key: doc[key], name: value})
        self.edits.append(Edit(system, stream, str(doc[key]), name, value))
        return stored

    def verdict(self) -> Verdict:
        """The oracle's, of now."""
        return judge(self.kingdee.url, self.zoho.url, self.world.truth, since=NEVER, edits=self.edits)

    def troubles(self) -> dict[str, list[str]]:
        """Everything that the oracle has against the hub, by kind."""
        found = self.verdict()
        kinds = {kind: [str(one) for one in getattr(found, kind)] for kind in ("drift", "duplicates", "lost")}
        return {kind: some for kind, some in {**kinds, "extravagant": self.extravagant}.items() if some}


@pytest.fixture
def servers() -> Iterator[tuple[World, Server, Server]]:
    world = make_world(1, TINY)
    kept = ("organizations", "departments", "employees", "customers", "products", "price_lists", "sales_orders", "receipts")
    kingdee, zoho = make("kingdee"), make("zoho")
    load(kingdee, {name: world.data["kingdee"][name] for name in kept})
    load(zoho, world.data["zoho"])
    with Server(kingdee) as first, Server(zoho) as second:
        yield world, first, second


Staged = Callable[[tuple[Bug, ...]], Stage]


@pytest.fixture
def staged(servers: tuple[World, Server, Server]) -> Staged:
    world, kingdee, zoho = servers

    def make_stage(bugs: tuple[Bug, ...]) -> Stage:
        hub = ToyHub(kingdee.vendor.credentials(kingdee.url), zoho.vendor.credentials(zoho.url), world.value_maps, bugs)
        return Stage(world, Door(kingdee.url), Door(zoho.url), hub)

    return make_stage


def settle(stage: Stage, cycles: int = 4) -> None:
    for _ in range(cycles):
        stage.hub.cycle()


def created_behind_a_broken_line(stage: Stage) -> None:
    """The server commits a new order and an account, and the answer is lost."""
    stage.zoho.fault(match={"method": "POST", "path": "/crm/v8/Accounts"}, effect="drop_after", times=1)
    stage.zoho.fault(match={"method": "POST", "path": "/crm/v8/Sales_Orders"}, effect="drop_after", times=1)
    settle(stage)


def two_edits_in_one_second(stage: Stage) -> None:
    """The second edit bears the same time as the first, which the hub has already read."""
    settle(stage)
    account = stage.zoho.records("accounts")[0]
    for n in range(20):
        first = stage.edit("zoho", "accounts", account, "Phone", f"021-10000{n:03d}")
        stage.hub.cycle()
        second = stage.edit("zoho", "accounts", account, "Phone", f"021-20000{n:03d}")
        if first["Modified_Time"] == second["Modified_Time"]:
            break
    else:
        pytest.fail("no two edits fell into one second")
    settle(stage, 2)


def killed_between_reading_and_committing(stage: Stage) -> None:
    """The process dies when a page has come and is not yet stored."""
    settle(stage)
    first, second = [doc for doc in stage.kingdee.records("customers") if doc["FUseOrgId"]["FNumber"] == "100"]
    stage.edit("kingdee", "customers", first, "FName", "杭州新名机电设备有限公司")
    time.sleep(0.02)  # the ERP's clock has milliseconds; the lost edit must be the older one
    stage.edit("kingdee", "customers", second, "FName", "杭州后改机电设备有限公司")
    stage.hub.crash_after_reading = "customers"
    with contextlib.suppress(Crash):
        stage.hub.cycle()
    settle(stage, 2)


def nothing_happens(stage: Stage) -> None:
    """After everything is in step, another cycle must write nothing. The CRM trims and cuts what it is given."""
    stage.edit("kingdee", "customers", stage.kingdee.records("customers")[0], "FName", "杭州空格机电设备有限公司  ")
    stage.edits.clear()
    settle(stage)
    marks = stage.kingdee.mark(), stage.zoho.mark()
    settle(stage, 2)
    late = writes(stage.kingdee.log(marks[0])) + writes(stage.zoho.log(marks[1]))
    stage.extravagant = [f"{line['operation']} of {line['stream']} {line['keys']} for no change" for line in late]


def pay(stage: Stage, amount: str) -> None:
    order = stage.kingdee.records("sales_orders")[-1]
    old = stage.kingdee.records("receipts")[0]
    row = {**old["FRECEIVEBILLENTRY"][0], "FSALEORDERNO": order["FBillNo"], "FRECTOTALAMOUNTFOR": Decimal(amount), "FHANDLINGCHARGEFOR": 0}
    row.pop("FEntryID")
    doc = {**old, "FRECEIVEBILLENTRY": [row]}
    for key in ("FID", "FBillNo", "FModifyDate", "FCreateDate"):
        doc.pop(key)
    stage.kingdee.put("receipts", doc)


def paid_so_far(stage: Stage) -> Decimal:
    """What the CRM shows as paid for the order that `pay` pays."""
    bill = stage.kingdee.records("sales_orders")[-1]["FBillNo"]
    return next(Decimal(doc["Paid_Amount"] or 0) for doc in stage.zoho.records("sales_orders") if doc["ERP_Order_No"] == bill)


def an_amount_that_binary_numbers_miss(stage: Stage) -> None:
    """4.35 has no binary form: times a hundred it is 434.99999999999994, and the fen is cut off."""
    settle(stage)
    paid = paid_so_far(stage)
    amounts = (Decimal(fen) / 100 for fen in range(101, 5_000_000))
    missed = next(amount for amount in amounts if int(float(paid + amount) * 100) != (paid + amount) * 100)
    pay(stage, str(missed))
    settle(stage, 2)


def two_payments_while_the_crm_fails(stage: Stage) -> None:
    """Two wishes for one record wait at once; the older must not be the last to arrive."""
    settle(stage)
    stage.zoho.fault(match={"method": "PUT", "path": "/crm/v8/Sales_Orders"}, effect="status", value=500, times=1)
    pay(stage, "10.00")
    stage.hub.cycle()
    pay(stage, "20.00")
    settle(stage, 2)


def changed_while_the_outcome_was_unknown(stage: Stage) -> None:
    """A new order is committed in the CRM, its answer is lost, and it is paid before the hub looks again."""
    stage.hub.cycle()
    stage.zoho.fault(match={"method": "POST", "path": "/crm/v8/Sales_Orders"}, effect="drop_after", times=3)
    stage.hub.cycle()
    stage.zoho.calm()
    pay(stage, "7.00")
    settle(stage, 2)


SCENARIOS: dict[Bug, Callable[[Stage], None]] = {
    "no look-up before create": created_behind_a_broken_line,
    "exclusive cursor": two_edits_in_one_second,
    "cursor before data": killed_between_reading_and_committing,
    "echo by un-normalised text": nothing_happens,
    "float money": an_amount_that_binary_numbers_miss,
    "reordered deliveries": two_payments_while_the_crm_fails,
    "look-up not merged": changed_while_the_outcome_was_unknown,
}


SHOWS_AS: dict[Bug, str] = {
    "no look-up before create": "duplicates",
    "exclusive cursor": "lost",
    "cursor before data": "lost",
    "echo by un-normalised text": "extravagant",
    "float money": "drift",
    "reordered deliveries": "drift",
    "look-up not merged": "drift",
}
"""What the oracle says of each."""


@pytest.mark.parametrize("bug", BUGS)
def test_the_correct_toy_hub_passes_the_scenario(staged: Staged, bug: Bug) -> None:
    stage = staged(())
    SCENARIOS[bug](stage)

    assert stage.troubles() == {}


@pytest.mark.parametrize("bug", BUGS)
def test_the_oracle_catches_the_planted_bug(staged: Staged, bug: Bug) -> None:
    stage = staged((bug,))
    SCENARIOS[bug](stage)

    assert SHOWS_AS[bug] in stage.troubles()


def test_without_faults_each_changed_record_is_written_once(staged: Staged) -> None:
    stage = staged(())
    settle(stage)
    marks = stage.kingdee.mark(), stage.zoho.mark()
    account = stage.zoho.records("accounts")[0]
    stage.edit("zoho", "accounts", account, "Phone", "021-55556666")
    stage.edit("kingdee", "customers", stage.kingdee.records("customers")[0], "FName", "杭州一次机电设备有限公司")
    settle(stage, 3)

    assert extravagance(stage.kingdee.log(marks[0])) == []
    assert extravagance(stage.zoho.log(marks[1])) == []
    assert writes(stage.kingdee.log(marks[0]))
    assert stage.troubles() == {}
