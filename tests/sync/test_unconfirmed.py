"""What was written and never read back: the worker died in between, and the system kept its old value without a word."""

from __future__ import annotations

import pytest

from sync import cycle, inspecting, reconciling
from tests.sync.stage import Stage


def forgotten(stage: Stage, system: str, age: str = "1 second") -> None:
    """What the ledger shows when a worker noted `written` and died: in_sync, to be read back; the record there is still the old one."""
    with stage.hub.transaction() as db:
        db.execute(
            "UPDATE desired d SET state = 'in_sync', reason = 'unconfirmed', differs = NULL, due_at = NULL, "
            "changed_at = now() - %s::interval FROM stream s WHERE s.id = d.stream_id AND s.system = %s AND d.state = 'due'",
            [age, system],
        )
        assert db.rowcount == (2 if system == "kingdee" else 1)  # the ERP has a copy for each organisation


@pytest.fixture
def phoned(live: Stage) -> Stage:
    """The CRM's phone was changed and has been read; the ERP is to get it."""
    live.edit("zoho", "accounts", live.account_of(live.customer()), "Phone", "0535-7776666")
    cycle.increment(live.hub, "zoho")
    return live


@pytest.mark.promise(1)
def test_the_next_delivery_reads_it_back_and_writes_it_again(phoned: Stage) -> None:
    forgotten(phoned, "kingdee")
    cycle.increment(phoned.hub, "kingdee")
    before = inspecting.status(phoned.hub).drift

    first = cycle.deliver(phoned.hub, "kingdee")

    assert before == 0, "its record looks unchanged, so a reading alone cannot tell"
    assert first.counts["confirmed"] == 2
    assert phoned.customer()["FTEL"] == "0535-7776666"
    assert "confirmed" not in cycle.deliver(phoned.hub, "kingdee").counts


@pytest.mark.promise(1)
def test_a_round_that_has_nothing_else_to_do_comes_to_it_too(phoned: Stage) -> None:
    forgotten(phoned, "kingdee", "2 minutes")

    assert cycle.due_systems(phoned.hub) == ["kingdee"]
    phoned.sync()
    assert phoned.customer()["FTEL"] == "0535-7776666"
    assert cycle.due_systems(phoned.hub) == []


@pytest.mark.promise(1)
def test_a_reconciliation_finds_it(phoned: Stage) -> None:
    forgotten(phoned, "kingdee")

    found = reconciling.reconcile(phoned.hub, "kingdee", ["customers"])

    assert found.drift == 2
    assert found.fields == {"kingdee.customers.FTEL": 2}
    assert phoned.customer()["FTEL"] != "0535-7776666", "a reconciliation writes nothing"
    phoned.sync()
    assert phoned.customer()["FTEL"] == "0535-7776666"


@pytest.mark.promise(1)
def test_a_system_whose_writes_are_not_read_back_is_asked_when_no_echo_came(live: Stage) -> None:
    customer = live.customer()
    live.edit("kingdee", "customers", customer, "FADDRESS", "海港路8号")
    cycle.increment(live.hub, "kingdee")
    forgotten(live, "zoho", "1 minute")
    early = cycle.deliver(live.hub, "zoho")
    with live.hub.transaction() as db:
        db.execute("UPDATE desired SET changed_at = now() - interval '1 hour' WHERE reason = 'unconfirmed'")

    late = cycle.deliver(live.hub, "zoho")

    assert ("confirmed" in early.counts, late.counts["confirmed"]) == (False, 1)
    assert live.account_of(customer)["Billing_Street"] == "海港路8号"


@pytest.mark.promise(8)
def test_a_record_that_is_gone_meanwhile_is_asked_for_once(phoned: Stage) -> None:
    forgotten(phoned, "kingdee")
    phoned.kingdee.delete("customers", str(phoned.customer()["FCUSTID"]))

    cycle.deliver(phoned.hub, "kingdee")
    mark = phoned.kingdee.mark()
    cycle.deliver(phoned.hub, "kingdee")

    assert phoned.kingdee.log(mark) == []
