"""Who did what: append-only, one row per version, personal values by reference; and edits through the hub itself."""

from __future__ import annotations

import psycopg
import pytest

from sync import hub_records, inspecting
from sync.errors import NotAllowed, NotFound
from tests.sync.stage import Stage


@pytest.mark.promise(12)
@pytest.mark.parametrize("statement", ["UPDATE history SET cause = 'nobody'", "DELETE FROM history", "UPDATE history SET changed = NULL"])
def test_history_cannot_be_rewritten(live: Stage, statement: str) -> None:
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"), live.hub.transaction() as db:
        db.execute(statement.encode())


@pytest.mark.promise(12)
def test_each_changed_version_has_one_row_with_its_fields_and_its_cause(live: Stage) -> None:
    customer = live.customer()
    party = inspecting.find_record(live.hub, "party", "CUST00001")
    before = inspecting.record(live.hub, "party", party).version
    live.edit("kingdee", "customers", customer, "FNumber", customer["FNumber"])
    live.edit("kingdee", "customers", customer, "FName", "历史里的新名有限公司")
    live.sync()

    rows = inspecting.history(live.hub, "party", party)
    versions = [row["version"] for row in rows]
    assert versions == sorted(set(versions), reverse=True)
    assert versions[0] == before + 1
    assert rows[0]["changed"]["name"] == [customer["FName"], "历史里的新名有限公司"]
    assert rows[0]["cause"] == "read"
    assert rows[0]["run_id"]
    assert live.one("SELECT count(*) FROM (SELECT entity_id, version FROM history GROUP BY 1, 2 HAVING count(*) > 1) twice") == 0


@pytest.mark.promise(12, 13)
def test_personal_values_stand_in_history_by_reference_and_can_be_erased(live: Stage) -> None:
    contact = live.zoho.records("contacts")[0]
    live.edit("zoho", "contacts", contact, "Mobile", "13712345678")
    live.sync()
    record = inspecting.find_record(live.hub, "contact", contact["id"])
    told = inspecting.history(live.hub, "contact", record)[0]["changed"]["mobile"]
    raw = live.one("SELECT string_agg(changed::text, ' ') FROM history WHERE entity = 'contact'")
    live.one("WITH gone AS (UPDATE personal_value SET value = NULL WHERE entity_id = %s RETURNING 1) SELECT count(*) FROM gone", record)

    erased = inspecting.history(live.hub, "contact", record)[0]["changed"]["mobile"]

    assert told[1] == "13712345678"
    assert "13712345678" not in raw
    assert erased == [None, None]


@pytest.mark.promise(12)
def test_what_can_be_recomputed_from_observed_is_not_stored_twice(live: Stage) -> None:
    assert live.one("SELECT count(*) FROM history WHERE version = 1 AND changed IS NOT NULL") == 0
    assert live.one("SELECT count(*) FROM history WHERE version = 1") > 0


@pytest.mark.promise(4, 12)
def test_an_edit_through_the_hub_is_a_record_of_the_hub_and_yields_to_the_owner(live: Stage) -> None:
    account = live.account_of(live.customer())
    party = inspecting.find_record(live.hub, "party", "CUST00001")
    version = hub_records.edit(live.hub, "party", str(party), {"email": "hub@channel.example"}, "operator")
    live.sync()
    while_empty = inspecting.why(live.hub, "party", party, "email")[0]

    live.edit("zoho", "accounts", account, "Email_Address", "owner@hz.example")
    live.sync()

    assert version >= 1
    assert (while_empty.winner_system, inspecting.why(live.hub, "party", party, "email")[0].winner_system) == ("zoho", "zoho")
    assert inspecting.why(live.hub, "party", party, "email")[0].value == "owner@hz.example"


@pytest.mark.promise(4)
def test_the_hub_refuses_an_edit_of_a_field_that_it_may_not_decide(live: Stage) -> None:
    order = str(inspecting.find_record(live.hub, "order", "XSDD000001"))

    with pytest.raises(NotAllowed):
        hub_records.edit(live.hub, "order", order, {"shipped_quantity": "3"}, "operator")
    with pytest.raises(NotFound):
        hub_records.edit(live.hub, "order", order, {"colour": "red"}, "operator")
