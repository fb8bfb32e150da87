"""A merge and its un-merge over the API, of records that two systems really hold: what nobody edited is what it was, byte for byte."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from hub_api import keys
from hub_api.main import create_app
from hub_api.settings import ApiSettings
from tests.sync.conftest import *  # noqa: F403  the stage's fixtures
from tests.sync.stage import Stage
from tests.sync.test_merging import _as_stored as as_stored


def merged(live: Stage, client: TestClient, headers: dict[str, str]) -> tuple[list[str], int]:
    """Two customers of the ERP are said to be one; their ids and the merge."""
    rows = live.rows(
        "SELECT DISTINCT ON (l.entity_id) s.name AS stream, l.key, l.entity_id::text AS id "
        "FROM link l JOIN stream s ON s.id = l.stream_id JOIN parties p ON p.id = l.entity_id "
        "WHERE s.system = 'kingdee' AND s.entity = 'party' AND NOT p.retired ORDER BY l.entity_id, l.key LIMIT 2"
    )
    left, right = ({"system": "kingdee", "stream": row["stream"], "key": row["key"]} for row in rows)
    told = client.post("/v1/links/accept", json={"left": left, "right": right}, headers=headers)
    assert told.status_code == 200, told.json()
    (merge,) = client.get("/v1/merges?undone=false", headers=headers).json()["items"]
    return [row["id"] for row in rows], merge["id"]


def copies(live: Stage) -> dict[str, list[str]]:
    """The ERP's customers behind each party: one in every organisation that deals with it, any of which may decide a field."""
    rows = live.rows(
        "SELECT l.entity_id::text AS id, array_agg(l.key) AS keys FROM link l JOIN stream s ON s.id = l.stream_id "
        "WHERE s.system = 'kingdee' AND s.entity = 'party' GROUP BY l.entity_id"
    )
    return {row["id"]: row["keys"] for row in rows}


def without_codes(live: Stage) -> None:
    """Two valid codes would never be joined: the systems know none."""
    for customer in live.kingdee.records("customers"):
        live.kingdee.put("customers", {"FCUSTID": customer["FCUSTID"], "FSOCIALCRECODE": "", "FTAXREGISTERCODE": ""})
    for account in live.zoho.records("accounts"):
        live.zoho.put("accounts", {"id": account["id"], "USCC": None})
    live.sync()


def key(live: Stage) -> dict[str, str]:
    with live.hub.transaction() as db:
        return {"Authorization": f"Bearer {keys.create(db, name='it', role='it', by='test').token}"}


def undone(client: TestClient, headers: dict[str, str], merge: int) -> dict[str, Any]:
    told = client.post(f"/v1/merges/{merge}/undo", json={"reason": "两家公司"}, headers=headers)
    assert told.status_code == 200, told.json()
    answer: dict[str, Any] = told.json()
    return answer


def test_what_nobody_edited_is_restored_byte_for_byte(live: Stage) -> None:
    without_codes(live)
    headers = key(live)
    with TestClient(create_app(live.hub, settings=ApiSettings())) as client:
        before = as_stored(live)
        parties, merge = merged(live, client, headers)
        between = as_stored(live)

        told = undone(client, headers, merge)

    assert between != before
    assert as_stored(live) == before
    assert set(parties) <= set(told["restored"])
    assert told["edited"] == told["judged"] == told["to_check"] == []


def test_what_somebody_edited_since_is_listed_with_its_fields(live: Stage) -> None:
    without_codes(live)
    headers = key(live)
    with TestClient(create_app(live.hub, settings=ApiSettings())) as client:
        before = copies(live)
        parties, merge = merged(live, client, headers)
        for number in before[parties[0]]:
            live.kingdee.put("customers", {"FCUSTID": number, "FADDRESS": "新区新路1号"})
        live.read()

        told = undone(client, headers, merge)

    (edited,) = [one for one in told["edited"] if one["entity"] == "party"]
    assert edited["id"] == parties[0]
    assert "address" in edited["fields"]
