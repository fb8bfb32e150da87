"""Who cites whom is found for many records at once; merging many costs what merging one does, apart from the records themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from ledger.tables import TABLES
from sync import golden, linking, upkeep
from sync.citing import Citations
from sync.hub import Cursor, Hub
from tests.sync.stage import BOSS, Stage


def _accounts(stage: Stage, how_many: int) -> list[dict[str, Any]]:
    """Accounts that are like no customer, each with a deal, read in."""
    made = []
    for place in range(how_many):
        account = stage.zoho.put(
            "accounts", {"Account_Name": f"第{place}号{chr(0x5000 + 97 * place)}商行", "Phone": f"0591-100{place:04d}"}
        )
        stage.zoho.put(
            "deals",
            {
                "Deal_Name": f"项目 {place}",
                "Stage": "Qualification",
                "Account_Name": {"id": account["id"]},
                "Dealer": {"id": account["id"]},
            },
        )
        made.append(account)
    stage.read()
    return made


def _row(stage: Stage, left: dict[str, Any], right: dict[str, Any]) -> dict[str, str]:
    told = ("zoho", "accounts", str(left["id"]), "zoho", "accounts", str(right["id"]))
    return dict(zip(linking.IMPORT_COLUMNS, told, strict=True))


def _found_in_text(stage: Stage, entity: str, cited: str) -> list[str]:
    """The same by brute force: its id stands somewhere in the text of the record or of a row of it."""
    table = TABLES[entity]
    ids = {
        row["id"] for row in stage.rows(f"SELECT id::text AS id FROM {table.name} WHERE doc::text LIKE %s AND NOT retired", f"%{cited}%")
    }
    for child in table.sets.values():
        ids |= {row["id"] for row in stage.rows(f"SELECT parent_id::text AS id FROM {child.name} WHERE doc::text LIKE %s", f"%{cited}%")}
    return sorted(ids)


def test_everything_that_names_a_record_is_found_and_nothing_else(live: Stage) -> None:
    hub = live.hub
    cited_by = {}
    for name in hub.policies:
        ids = [row["id"] for row in live.rows(f"SELECT id::text AS id FROM {TABLES[name].name}")]
        with hub.transaction() as db:
            at_once = Citations(hub, db, name, ids)
            one_by_one = {cited: Citations(hub, db, name, [cited]).of(cited) for cited in ids[:6]}
        for cited in ids:
            cited_by[cited] = {entity: _found_in_text(live, entity, cited) for entity in hub.policies}
            assert at_once.of(cited) == cited_by[cited]
            assert one_by_one.get(cited, cited_by[cited]) == cited_by[cited]

    assert len([ids for found in cited_by.values() for ids in found.values() if ids]) > 20, (
        "hardly anything cites anything: nothing was shown"
    )


def test_an_import_looks_through_the_tables_once_however_many_pairs_it_has(live: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = _accounts(live, 12)
    looks: list[str] = []
    ask = Citations.__init__

    def counted(self: Citations, hub: Hub, db: Cursor, name: str, ids: Iterable[str]) -> None:
        looks.append(name)
        ask(self, hub, db, name, ids)

    monkeypatch.setattr(Citations, "__init__", counted)

    done = linking.import_links(live.hub, [_row(live, accounts[place], accounts[place + 1]) for place in range(0, 12, 2)], BOSS)

    assert done["linked"] == 6
    assert looks == ["party"]


def test_what_cites_a_record_follows_it_through_several_merges_of_one_import(live: Stage) -> None:
    accounts = _accounts(live, 4)
    chain = [_row(live, accounts[2], accounts[3]), _row(live, accounts[1], accounts[2]), _row(live, accounts[0], accounts[3])]

    linking.import_links(live.hub, chain, BOSS)

    standing = live.rows("SELECT DISTINCT entity_id::text AS id FROM link WHERE key = ANY(%s)", [str(doc["id"]) for doc in accounts])
    assert len(standing) == 1
    named = live.rows("SELECT customer_id::text AS customer, doc->>'dealer' AS dealer FROM deals WHERE doc->>'name' LIKE '项目%%'")
    assert [(row["customer"], row["dealer"]) for row in named] == [(standing[0]["id"], standing[0]["id"])] * 4


def test_what_was_read_while_its_party_was_merged_is_computed_anew(live: Stage) -> None:
    accounts = _accounts(live, 2)
    one, other = (live.one("SELECT entity_id::text FROM link WHERE key = %s", str(account["id"])) for account in accounts)
    with live.hub.transaction() as db:
        before = Citations(live.hub, db, "party", [])  # as if its deal had been read after it was asked who cites it
    golden.join(live.hub, "party", one, other, by=BOSS, cause="a test", citations=before)
    assert live.one("SELECT count(*) FROM deals WHERE customer_id = %s", max(one, other)) == 1

    done = upkeep.keep(live.hub)

    assert done.counts["citations_moved"] == 1
    assert live.one("SELECT count(*) FROM deals WHERE customer_id = %s", max(one, other)) == 0
    assert live.one("SELECT count(*) FROM deals WHERE customer_id = %s", min(one, other)) == 2
