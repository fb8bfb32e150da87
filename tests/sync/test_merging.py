"""A merge moves links and can be taken back: every record that was not edited since is what it was, byte for byte."""

from __future__ import annotations

import pytest

from sync import cases, golden, merging
from sync.errors import WrongState
from tests.sync.stage import BOSS, Stage

TABLES = ("parties", "party_companies", "orders", "order_lines", "quotes", "deals", "contacts", "receivables", "shipments", "receipts")


def _as_stored(stage: Stage) -> dict[str, dict[str, tuple[str, ...]]]:
    """Every record's bytes, without version and time of change."""
    kept = {}
    for table in TABLES:
        names = {
            row["column_name"] for row in stage.rows("SELECT column_name FROM information_schema.columns WHERE table_name = %s", table)
        }
        if not names:
            continue
        columns = ", ".join(f"{name}::text" for name in sorted(names - {"version", "changed_at", "id"}))
        key = "parent_id::text || id::text" if table in ("party_companies", "order_lines") else "id::text"
        kept[table] = {row["key"]: tuple(row.values()) for row in stage.rows(f"SELECT {key} AS key, {columns} FROM {table}")}
    return kept


def _two(stage: Stage) -> tuple[str, str]:
    keep, drop = sorted(row["id"] for row in stage.rows("SELECT id::text AS id FROM parties WHERE NOT retired ORDER BY id LIMIT 2"))
    return keep, drop


def _merged(stage: Stage) -> tuple[str, str, int]:
    keep, drop = _two(stage)
    edges = [{"left": keep, "right": drop, "bits": 9.5, "evidence": ["same phone"]}]
    with stage.hub.transaction() as db:
        number = merging.merge(stage.hub, db, "party", keep, drop, "a test", by=BOSS, edges=edges)
    return keep, drop, number


def _linked(stage: Stage, party: str) -> set[tuple[int, str, str]]:
    return {
        (row["stream_id"], row["key"], row["role"])
        for row in stage.rows("SELECT stream_id, key, role FROM link WHERE entity_id = %s", party)
    }


@pytest.mark.promise(12)
def test_a_merge_is_an_event_with_its_edges_and_moves_only_links(live: Stage) -> None:
    observed = live.rows("SELECT stream_id, key, payload::text, version FROM observed ORDER BY 1, 2")
    keep, drop, number = _merged(live)

    told = merging.list_merges(live.hub)

    assert [(one["id"], one["keep_id"], one["drop_id"], one["by"]) for one in told] == [(number, keep, drop, BOSS)]
    assert told[0]["edges"][0]["evidence"] == ["same phone"]
    assert live.rows("SELECT stream_id, key, payload::text, version FROM observed ORDER BY 1, 2") == observed
    assert not _linked(live, drop)
    assert live.one("SELECT retired FROM parties WHERE id = %s", drop)
    assert live.one("SELECT count(*) FROM orders WHERE party_id = %s", drop) == 0


@pytest.mark.promise(12)
def test_an_unmerge_restores_every_record_byte_for_byte(live: Stage) -> None:
    before, (keep, drop) = _as_stored(live), _two(live)
    links = _linked(live, keep), _linked(live, drop)
    *_, number = _merged(live)
    assert _as_stored(live) != before

    undone = merging.unmerge(live.hub, number, BOSS, "two firms")

    assert _as_stored(live) == before
    assert (_linked(live, keep), _linked(live, drop)) == links
    assert undone.edited == []
    assert {keep, drop} <= set(undone.restored)


def test_an_unmerge_after_the_merge_went_everywhere_brings_all_systems_back(live: Stage) -> None:
    before = _as_stored(live)
    *_, number = _merged(live)
    live.sync()

    merging.unmerge(live.hub, number, BOSS)
    live.sync()

    now = _as_stored(live)
    assert {table: rows for table, rows in now.items() if table in ("parties", "orders", "order_lines")} == {
        table: rows for table, rows in before.items() if table in ("parties", "orders", "order_lines")
    }
    assert live.one("SELECT count(*) FROM desired WHERE state NOT IN ('in_sync', 'left')") == 0


def test_what_was_edited_since_is_computed_from_its_own_sources_and_listed(live: Stage) -> None:
    keep, drop, number = _merged(live)
    record = live.rows("SELECT key FROM link l JOIN stream s ON s.id = l.stream_id WHERE l.entity_id = %s AND s.system = 'kingdee'", keep)
    edited = next(doc for doc in live.kingdee.records("customers") if str(doc["FCUSTID"]) in {row["key"] for row in record})
    live.kingdee.put("customers", {"FCUSTID": edited["FCUSTID"], "FADDRESS": "新区新路1号"})
    live.read()

    undone = merging.unmerge(live.hub, number, BOSS)

    changed = {one["id"]: one["fields"] for one in undone.edited}
    assert len(changed) == 1
    assert "address" in next(iter(changed.values()))
    assert next(iter(changed)) in (keep, drop)


def test_what_was_unmerged_is_kept_apart_for_ever(live: Stage) -> None:
    keep, drop, number = _merged(live)
    merging.unmerge(live.hub, number, BOSS)

    with pytest.raises(WrongState, match="told these two apart"):
        golden.join(live.hub, "party", keep, drop, by="rule:golden", cause="again")
    with pytest.raises(WrongState, match="was undone"):
        merging.unmerge(live.hub, number, BOSS)
    assert cases.list_cases(live.hub) == []


def test_two_valid_codes_are_never_joined(live: Stage) -> None:
    keep, drop = _two(live)
    with live.hub.transaction() as db:  # the valid codes of reference/deal-matching.md 2b
        db.execute("UPDATE parties SET uscc = '91440300708461136T' WHERE id = %s", [keep])
        db.execute("UPDATE parties SET uscc = '91330100716105852F' WHERE id = %s", [drop])

    with pytest.raises(WrongState, match="differ"):
        golden.join(live.hub, "party", keep, drop, by="rule:golden", cause="alike")


def test_a_later_merge_of_the_same_record_is_undone_first(live: Stage) -> None:
    keep, _, first = _merged(live)
    live.zoho.put("accounts", {"Account_Name": "另外一家有限公司", "Phone": "020-88997766"})
    live.read()
    _without_code(live, keep)
    third = live.one("SELECT id::text FROM parties WHERE doc->>'name' = '另外一家有限公司'")
    joined = golden.join(live.hub, "party", keep, third, by=BOSS, cause="the same too")

    with pytest.raises(WrongState, match=f"merge {joined.merge_id} came later"):
        merging.unmerge(live.hub, first, BOSS)


def _without_code(stage: Stage, party: str) -> None:
    with stage.hub.transaction() as db:
        db.execute("UPDATE parties SET uscc = NULL WHERE id = %s", [party])


def _register(stage: Stage, party: str, dealer: str, day: str) -> None:
    with stage.hub.transaction() as db:
        db.execute("SELECT id FROM customer WHERE party_id = %s", [party])
        customer = (db.fetchone() or {})["id"]
        db.execute(
            "INSERT INTO registration (id, customer_id, claimed_as, dealer_id, protected, status, submitted_at, days, claim, active_at) "
            "VALUES (gen_random_uuid(), %s, %s, %s, tstzrange(now() - interval '1 day', now() + interval '60 days'), 'protected', %s, 90, "
            "'{}', now())",
            [customer, customer, dealer, day],
        )


def test_two_protections_become_a_case_and_the_earlier_one_stays(live: Stage) -> None:
    keep, drop = _two(live)
    _register(live, keep, "00000000-0000-7000-8000-0000000000a1", "2026-11-02")
    _register(live, drop, "00000000-0000-7000-8000-0000000000a2", "2026-11-01")
    _without_code(live, drop)

    joined = golden.join(live.hub, "party", keep, drop, by=BOSS, cause="alike")
    asked = cases.list_cases(live.hub)
    assert joined.merge_id is None
    assert [(one["id"], one["kind"]) for one in asked] == [(joined.case_id, golden.TWO_PROTECTIONS)]
    assert live.one("SELECT count(*) FROM merge_event") == 0

    cases.decide(live.hub, asked[0]["id"], "same", BOSS, "one firm")

    standing = live.rows("SELECT dealer_id::text AS dealer, status, customer_id FROM registration ORDER BY submitted_at")
    assert [(row["dealer"][-2:], row["status"]) for row in standing] == [("a2", "protected"), ("a1", "taken_back")]
    assert standing[0]["customer_id"] == live.one("SELECT id FROM customer WHERE party_id = %s", keep)
    told = [row["doc"] for row in live.rows("SELECT doc FROM notices WHERE kind = 'protections_merged'")]
    assert [one["audience"][-2:] for one in told] == ["a2"], "the other one is told by the event of his registration"
    assert "贵司的保护不变" in told[0]["facts"]["zh"]
    assert "your protection stays as it is" in told[0]["facts"]["en"]


def test_a_batch_asks_people_about_likely_pairs_once(stage: Stage) -> None:
    stage.go_live()
    with stage.hub.transaction() as db:
        db.execute("SELECT id::text AS id, doc FROM parties WHERE NOT retired ORDER BY id LIMIT 1")
        name = (db.fetchone() or {})["doc"]["name"]
    stage.zoho.put("accounts", {"Account_Name": f"{name} ", "Phone": "0591-7654321", "Billing_City": ""})
    stage.read()

    first = golden.propose(stage.hub)
    again = golden.propose(stage.hub)

    assert first.parties >= 3
    assert first.merged == 0
    assert first.cases + first.known >= 1
    assert again.cases == 0
    assert len(cases.list_cases(stage.hub)) == first.cases + first.known


def test_a_batch_that_finds_too_much_asks_the_likeliest_and_lets_the_others_wait(live: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    keep, drop = _two(live)
    with live.hub.transaction() as db:
        db.execute("UPDATE parties SET (doc, uscc) = (SELECT doc, uscc FROM parties WHERE id = %s) WHERE id = %s", [keep, drop])
        db.execute("DELETE FROM review_case")
    monkeypatch.setattr(golden, "QUESTIONS", 0)
    full = golden.propose(live.hub)
    monkeypatch.setattr(golden, "QUESTIONS", 1)
    free = golden.propose(live.hub)

    assert (full.cases, full.waiting) == (0, 1), "what is in an open case is held: no run may hold the whole channel"
    assert (free.cases, free.waiting) == (1, 0), "asked when there is room"


def test_policy_joins_what_is_sure_and_never_over_a_pair_told_apart(live: Stage) -> None:
    keep, drop = _two(live)
    with live.hub.transaction() as db:  # one firm twice, with one valid code: what two systems without a common key would have left
        db.execute("UPDATE parties SET (doc, uscc) = (SELECT doc, uscc FROM parties WHERE id = %s) WHERE id = %s", [keep, drop])

    assert golden.propose(live.hub, merge_sure=False).merged == 0
    first = golden.propose(live.hub, merge_sure=True)
    merge = merging.list_merges(live.hub)[0]
    merging.unmerge(live.hub, merge["id"], BOSS)
    again = golden.propose(live.hub, merge_sure=True)

    assert first.merged == 1
    assert (merge["keep_id"], merge["drop_id"], merge["by"]) == (keep, drop, "rule:golden")
    assert merge["edges"][0]["bits"] >= golden.SURE_BITS
    assert again.merged == again.cases == 0
