"""What a person does meets a page that is being read: PostgreSQL breaks one of the two off, and that one is done again, whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sync import cases, hub_records, linking, merging, planning, quarantining, replaying, valuing
from sync.identifying import open_case
from tests.sync.stage import BOSS, Stage
from tests.sync.test_set_aside import bad_receipt, copy_of

GIVE_WAY = """
CREATE SEQUENCE given_way;
CREATE FUNCTION give_way() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('given_way') = 1 THEN
        RAISE EXCEPTION 'deadlock detected' USING ERRCODE = 'deadlock_detected';
    END IF;
    RETURN NULL;
END $$;
"""
"""The first statement that changes the table is broken off as in a deadlock; a sequence does not roll back, so the next one is not."""


def broken_off_once(stage: Stage, table: str) -> None:
    with stage.hub.transaction() as db:
        db.execute(GIVE_WAY)
        db.execute(f"CREATE TRIGGER give_way AFTER INSERT OR UPDATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION give_way()".encode())


def _two_accounts(stage: Stage) -> list[dict[str, Any]]:
    made = [stage.zoho.put("accounts", {"Account_Name": name, "Phone": phone}) for name, phone in (("甲一商行", "1"), ("乙二贸易", "2"))]
    stage.read()
    return made


def _row(made: list[dict[str, Any]]) -> dict[str, str]:
    told = [word for account in made for word in ("zoho", "accounts", str(account["id"]))]
    return dict(zip(linking.IMPORT_COLUMNS, told, strict=True))


def _replay(stage: Stage) -> Callable[[], Any]:
    bad_receipt(stage)
    stage.sync()
    return lambda: quarantining.replay(stage.hub, by=BOSS)


def _mend(stage: Stage) -> Callable[[], Any]:
    bad_receipt(stage)
    stage.sync()
    entry = quarantining.show(stage.hub, quarantining.list_quarantine(stage.hub)[0]["id"])
    entry["payload"]["FRECEIVEBILLENTRY"][0]["FRECTOTALAMOUNTFOR"] = "55.66"
    return lambda: quarantining.mend(stage.hub, entry["id"], entry["payload"], BOSS)


def _value(stage: Stage) -> Callable[[], Any]:
    late = stage.world.truth["late_value"][0]
    pattern = stage.kingdee.records("sales_orders")[0]
    stage.kingdee.put("sales_orders", copy_of(pattern, "FSaleOrderEntry", FSalerId={"FNumber": late["vendor_value"]}))
    stage.sync()
    return lambda: valuing.set_value(stage.hub, late["map"], "kingdee", "", late["vendor_value"], late["canonical_value"], BOSS)


def _import(stage: Stage) -> Callable[[], Any]:
    made = _two_accounts(stage)
    return lambda: linking.import_links(stage.hub, [_row(made)], BOSS)


def _accept(stage: Stage) -> Callable[[], Any]:
    row = list(_row(_two_accounts(stage)).values())
    return lambda: linking.accept(stage.hub, (row[0], row[1], row[2]), (row[3], row[4], row[5]), BOSS)


def _unlink(stage: Stage) -> Callable[[], Any]:
    account = stage.account_of(stage.customer())
    return lambda: linking.unlink(stage.hub, "zoho", "accounts", str(account["id"]), BOSS)


def _unmerge(stage: Stage) -> Callable[[], Any]:
    _import(stage)()
    number = merging.list_merges(stage.hub)[0]["id"]
    return lambda: merging.unmerge(stage.hub, number, BOSS)


def _decide(stage: Stage) -> Callable[[], Any]:
    ids = [stage.one("SELECT entity_id::text FROM link WHERE key = %s", str(account["id"])) for account in _two_accounts(stage)]
    with stage.hub.transaction() as db:
        open_case(db, "party", min(ids), max(ids), "they look alike")
    case = cases.list_cases(stage.hub)[0]["id"]
    return lambda: cases.decide(stage.hub, case, "same", BOSS)


def _edit(stage: Stage) -> Callable[[], Any]:
    contact = stage.one("SELECT id::text FROM contacts LIMIT 1")
    return lambda: hub_records.edit(stage.hub, "contact", contact, {"role": "purchasing"}, BOSS)


def _apply(stage: Stage) -> Callable[[], Any]:
    with stage.hub.transaction() as db:
        db.execute("UPDATE desired SET state = 'held', reason = 'plan' WHERE state = 'in_sync'")
    plan = planning.make_plan(stage.hub)
    planning.approve(stage.hub, plan.id, BOSS)
    return lambda: planning.apply(stage.hub, plan.id, deliver_now=False)


def _rejudge(stage: Stage) -> Callable[[], Any]:
    with stage.hub.transaction() as db:
        db.execute("UPDATE desired SET state = 'due', reason = '' WHERE state = 'in_sync'")
    return lambda: replaying.replay(stage.hub)


@pytest.mark.parametrize(
    ("prepare", "table"),
    [
        pytest.param(_replay, "quarantine", id="quarantine replay"),
        pytest.param(_mend, "receipts", id="quarantine mend"),
        pytest.param(_value, "orders", id="values set"),
        pytest.param(_import, "parties", id="links import"),
        pytest.param(_accept, "parties", id="links accept"),
        pytest.param(_unlink, "parties", id="links unlink"),
        pytest.param(_unmerge, "parties", id="merges undo"),
        pytest.param(_decide, "parties", id="cases decide"),
        pytest.param(_edit, "contacts", id="an edit through the hub"),
        pytest.param(_apply, "desired", id="plan apply"),
        pytest.param(_rejudge, "desired", id="replay"),
    ],
)
def test_what_a_person_does_is_done_again_when_it_gave_way(live: Stage, prepare: Callable[[Stage], Callable[[], Any]], table: str) -> None:
    do = prepare(live)
    broken_off_once(live, table)

    do()

    assert live.one("SELECT last_value FROM given_way") > 1, "nothing was broken off: this shows nothing"
    live.sync()
    assert live.rows("SELECT 1 FROM desired WHERE state = 'in_flight'") == []
