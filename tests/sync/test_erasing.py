"""Personal values are erased wherever the hub kept them: a planted marker is found in no table afterwards, and what happened stays told."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from ledger.bulk import json_text
from sync import erasing, inspecting, linking, upkeep
from tests.sync.stage import BOSS, Stage

MARKER = "13987651234"
"""A phone number that stands in no world."""


def tables_with(stage: Stage, text: str) -> set[str]:
    """Every table of which a row holds the text, in whatever column, also as bytes."""
    found = set()
    with stage.hub.transaction() as db:
        db.execute("SELECT c.relname AS name FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace")
        for name in [row["name"] for row in db]:
            query = sql.SQL("SELECT EXISTS (SELECT 1 FROM {} t WHERE t::text LIKE ANY(%s)) AS there").format(sql.Identifier(name))
            db.execute(query, [[f"%{text}%", f"%{text.encode().hex()}%"]])
            if (db.fetchone() or {})["there"]:
                found.add(name)
    return found


def contacts_with_marker(stage: Stage) -> tuple[str, str]:
    """Two contacts whose number was the marker, then linked as one: keys of both."""
    first = stage.zoho.records("contacts")[0]
    twin = stage.zoho.put("contacts", {"Last_Name": "王建国", "Mobile": MARKER, "Email": f"w{MARKER}@hz.example"})
    stage.zoho.put("contacts", {"id": first["id"], "Mobile": MARKER})
    stage.read()
    linking.accept(stage.hub, ("zoho", "contacts", first["id"]), ("zoho", "contacts", twin["id"]), BOSS)
    stage.read()
    return first["id"], twin["id"]


def plant(stage: Stage, key: str, record: str) -> None:
    """What a flow that writes contacts would have left behind."""
    told = json_text({"Mobile": MARKER})
    with stage.hub.transaction() as db:
        stream = stage.hub.streams["zoho", "contacts"].id
        db.execute(
            "INSERT INTO delivery_attempt (id, stream_id, entity_id, hub_key, step, fields) "
            "VALUES (gen_random_uuid(), %s, %s, 'K', 'save', %s)",
            [stream, record, told],
        )
        db.execute(
            "INSERT INTO quarantine (stream_id, key, cause, why, raw, payload, state) VALUES (%s, %s, 'field', %s, %s, %s, 'released')",
            [stream, key, f"Mobile: {MARKER} is too long", told, told],
        )
        db.execute("INSERT INTO plan (kind, expires_at) VALUES ('repair', now()) RETURNING id")
        plan = (db.fetchone() or {})["id"]
        db.execute(
            "INSERT INTO plan_row (plan_id, stream_id, entity_id, action, changes, canonical_version) VALUES (%s, %s, %s, 'update', %s, 1)",
            [plan, stream, record, told],
        )
        db.execute(
            "INSERT INTO conflict (entity, entity_id, field, stream_id, key, ours, theirs, rule, state) "
            "VALUES ('contact', %s, 'mobile', %s, %s, %s, '\"1\"', 'owner', 'repaired')",
            [record, stream, key, json_text(MARKER)],
        )
        db.execute(
            "INSERT INTO review_case (kind, entity, left_id, right_id, evidence, state) "
            "VALUES ('same_record', 'contact', %s, gen_random_uuid(), %s, 'different')",
            [record, f'[["phone", "{MARKER}"]]'],
        )
        db.execute(
            "INSERT INTO desired (stream_id, entity_id, state, canonical_version, accepted) VALUES (%s, %s, 'in_sync', 1, %s) "
            "ON CONFLICT (stream_id, entity_id, org) DO UPDATE SET accepted = excluded.accepted",
            [stream, record, json_text({"Mobile": [MARKER, MARKER]})],
        )
        db.execute(
            "INSERT INTO idempotent_request (key_id, idempotency_key, fingerprint, status, body) VALUES ('k', 'edit-1', '\\x00', 200, %s)",
            [json_text({"id": record, "mobile": MARKER}).encode()],
        )


PLANTED = {
    "delivery_attempt", "quarantine", "plan_row", "conflict", "review_case", "desired", "idempotent_request", "observed",
    "contacts", "identity_key", "personal_value",
}  # fmt: skip


@pytest.mark.promise(12, 13)
def test_a_planted_marker_stands_in_no_table_after_its_owner_emptied_it_and_it_was_erased(stage: Stage) -> None:
    stage.read()
    first, twin = contacts_with_marker(stage)
    record = str(inspecting.find_record(stage.hub, "contact", first))
    plant(stage, first, record)
    before = tables_with(stage, MARKER)

    for key in (first, twin):
        stage.zoho.put("contacts", {"id": key, "Mobile": "", "Email": ""})
    stage.read()
    emptied = tables_with(stage, MARKER)
    erased = erasing.erase_personal(stage.hub, "contact", inspecting.find_record(stage.hub, "contact", first), "privacy officer")
    after = tables_with(stage, MARKER)

    assert before >= PLANTED, "a scan that does not see what was planted proves nothing"
    assert "personal_value" in emptied
    assert erased > 0
    assert after == set()
    causes = [one["cause"] for one in inspecting.history(stage.hub, "contact", inspecting.find_record(stage.hub, "contact", first))]
    assert "erase:privacy officer" in causes
    assert stage.one("SELECT count(*) FROM delivery_attempt WHERE entity_id = %s", record) == 1, "that something was sent stays told"


@pytest.mark.promise(12)
def test_of_an_attempt_only_the_values_can_go_and_only_by_erasing(stage: Stage) -> None:
    stage.read()
    record = str(inspecting.find_record(stage.hub, "contact", stage.zoho.records("contacts")[0]["id"]))
    plant(stage, "x", record)

    def change(setting: str, statement: str) -> None:
        with stage.hub.transaction() as db:
            db.execute(f"SET LOCAL hub.erasing = '{setting}'".encode())
            db.execute(statement.encode())

    for setting, statement in (
        ("off", "UPDATE delivery_attempt SET fields = NULL"),
        ("on", "UPDATE delivery_attempt SET fields = '{}'"),
        ("on", "UPDATE delivery_attempt SET fields = NULL, step = 'audit'"),
        ("on", "UPDATE delivery_attempt SET fields = NULL, key = 'another'"),
        ("on", "DELETE FROM delivery_attempt"),
    ):
        with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
            change(setting, statement)


def test_payloads_set_aside_and_rows_of_plans_are_emptied_when_they_were_closed_long_ago(stage: Stage) -> None:
    stage.read()
    record = str(inspecting.find_record(stage.hub, "contact", stage.zoho.records("contacts")[0]["id"]))
    plant(stage, "young", record)
    with stage.hub.transaction() as db:
        db.execute("UPDATE idempotent_request SET idempotency_key = 'first'")
        db.execute("DELETE FROM review_case")
    plant(stage, "old", record)
    with stage.hub.transaction() as db:
        db.execute("UPDATE quarantine SET last_at = now() - interval '91 days' WHERE key = 'old'")
        db.execute("UPDATE plan SET state = 'applied', decided_at = now() - interval '91 days' WHERE id = (SELECT max(id) FROM plan)")

    figures = upkeep.keep(stage.hub).counts

    assert (figures["quarantine_payloads"], figures["plan_changes"]) == (1, 1)
    assert [row["key"] for row in stage.rows("SELECT key FROM quarantine WHERE raw IS NOT NULL")] == ["young"]
    assert stage.one("SELECT count(*) FROM plan_row WHERE changes IS NOT NULL") == 1
