"""Merges over the API: listed with their edges, taken back, and kept apart ever after."""

from __future__ import annotations

from tests.hub_api.conftest import Fresh

LEFT = {"system": "kingdee", "stream": "customers", "key": "200001"}
RIGHT = {"system": "zoho", "stream": "accounts", "key": "5001"}


def merged(fresh: Fresh) -> dict[str, str]:
    """Two parties of two systems, linked by a person; the surviving id."""
    with fresh.hub.transaction() as db:
        for party, one in ((fresh.world.city, LEFT), (fresh.world.rival, RIGHT)):
            db.execute(
                "INSERT INTO link (stream_id, key, number, entity_id, how) SELECT id, %s, %s, %s, 'new' FROM stream "
                "WHERE system = %s AND entity = 'party'",
                [one["key"], one["key"], party, one["system"]],
            )
    answer: dict[str, str] = fresh.api("it", "POST", "/v1/links/accept", json={"left": LEFT, "right": RIGHT}).json()
    return answer


def test_a_merge_is_listed_with_its_pair_and_taken_back_for_good(fresh: Fresh) -> None:
    kept = merged(fresh)["entity_id"]

    merge = fresh.api.get("sales", "/v1/merges", params={"entity_id": kept}).json()["items"][0]
    undone = fresh.api("it", "POST", f"/v1/merges/{merge['id']}/undo", json={"reason": "两家公司"})
    twice = fresh.api("it", "POST", f"/v1/merges/{merge['id']}/undo", json={})
    apart = fresh.api.get("sales", "/v1/merges/apart", params={"entity_id": kept}).json()["items"]

    assert (merge["entity"], merge["keep_id"], merge["undone_at"]) == ("party", kept, None)
    assert merge["drop_id"] in {str(fresh.world.city), str(fresh.world.rival)} - {kept}
    assert undone.status_code == 200
    assert {undone.json()["keep"], undone.json()["back"]} == {str(fresh.world.city), str(fresh.world.rival)}
    assert (twice.status_code, twice.json()["code"]) == (409, "sync/wrong-state")
    assert {apart[0]["left_id"], apart[0]["right_id"]} == {str(fresh.world.city), str(fresh.world.rival)}
    assert fresh.api.get("it", f"/v1/merges/{merge['id']}").json()["undone_by"] == "api:it"
    assert fresh.api.get("it", "/v1/merges", params={"undone": "false"}).json()["items"] == []
    assert fresh.api.get("sales", f"/v1/parties/{merge['drop_id']}").json()["retired"] is False


def test_evidence_is_left_out_where_a_role_may_not_see_every_field(fresh: Fresh) -> None:
    kept = merged(fresh)["entity_id"]
    with fresh.hub.transaction() as db:
        db.execute(
            "INSERT INTO merge_event (kind, entity, keep_id, drop_id, by, cause, edges) VALUES ('merge', 'contact', %s, %s, 'x', 'x', %s)",
            [kept, fresh.world.agent, '[{"left": "a", "right": "b", "bits": 3, "evidence": [["mobile", "13800000000"]]}]'],
        )

    seen = {
        role: fresh.api.get(role, "/v1/merges", params={"entity": "contact"}).json()["items"][0]["edges"][0] for role in ("it", "finance")
    }

    assert seen["it"]["evidence"] == [["mobile", "13800000000"]]
    assert set(seen["finance"]) == {"left", "right", "bits"}
