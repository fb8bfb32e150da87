"""Links that an older integration knows, brought along through the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hub_api.conftest import Fresh


def linked(fresh: Fresh) -> None:
    """A customer and an account of the agent, and an account of the city agent: three records, two parties."""
    with fresh.hub.transaction() as db:
        for party, system, stream, key, number in (
            (fresh.world.agent, "kingdee", "customers", "200001", "CUST0001"),
            (fresh.world.city, "zoho", "accounts", "5001", "ACC-1"),
            (fresh.world.rival, "zoho", "accounts", "5002", "ACC-2"),
            (fresh.world.rival, "kingdee", "customers", "200002", "CUST0002"),
            (fresh.world.agent, "kingdee", "customers", "200003", "CUST0002"),
        ):
            db.execute(
                "INSERT INTO link (stream_id, key, number, entity_id, how, role) VALUES (%s, %s, %s, %s, 'new', %s)",
                [fresh.hub.streams[system, stream].id, key, number, party, "alias" if key == "200003" else "primary"],
            )


def pair(left: str, right: str, *, right_stream: str = "accounts") -> dict[str, Any]:
    return {
        "left": {"system": "kingdee", "stream": "customers", "key": left},
        "right": {"system": "zoho", "stream": right_stream, "key": right},
    }


def parties(fresh: Fresh) -> dict[str, str]:
    return {row["key"]: str(row["entity_id"]) for row in fresh.rows("SELECT key, entity_id FROM link WHERE key <= '6'")}


@pytest.mark.promise(14)
def test_known_links_are_shown_first_then_linked_and_repeated_without_effect(fresh: Fresh) -> None:
    linked(fresh)
    before = parties(fresh)
    body = {"rows": [pair("CUST0001", "5001"), pair("200001", "ACC-1")]}

    dry = fresh.api("it", "POST", "/v1/links/import", json={**body, "dry_run": True})
    after_dry = parties(fresh)
    headers = {"Idempotency-Key": "links-1"}
    done = fresh.api("it", "POST", "/v1/links/import", json=body, headers=headers)
    repeated = fresh.api("it", "POST", "/v1/links/import", json=body, headers=headers)
    again = fresh.api("it", "POST", "/v1/links/import", json=body)

    assert (dry.json(), after_dry) == ({"linked": 1, "same": 1, "cases": 0, "applied": False}, before)
    assert (done.status_code, done.json()) == (200, {"linked": 1, "same": 1, "cases": 0, "applied": True})
    assert (repeated.content, repeated.headers["Idempotency-Replayed"]) == (done.content, "true")
    assert again.json() == {"linked": 0, "same": 2, "cases": 0, "applied": True}
    assert parties(fresh)["200001"] == parties(fresh)["5001"]


@pytest.mark.promise(14)
def test_every_row_that_cannot_be_linked_is_named_and_none_is_linked(fresh: Fresh) -> None:
    linked(fresh)
    before = parties(fresh)
    rows = [
        pair("CUST0001", "5001"),
        pair("200099", "5001"),
        pair("CUST0002", "5001"),
        pair("CUST0001", "SO1", right_stream="sales_orders"),
        pair("CUST0001", "1", right_stream="nonsense"),
        pair(" ", "5001"),
    ]

    answers = [fresh.api("it", "POST", "/v1/links/import", json={"rows": rows, "dry_run": dry}) for dry in (True, False)]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (409, "sync/bad-link-rows")
        told = {one["where"]: one["what"] for one in answer.json()["errors"]}
        assert set(told) == {"row 2", "row 3", "row 4", "row 5", "row 6"}
        assert "no linked record '200099'" in told["row 2"]
        assert "several records of the number" in told["row 3"]
        assert "holds party" in told["row 4"]
        assert "no stream zoho.nonsense" in told["row 5"]
        assert "key is empty" in told["row 6"]
    assert parties(fresh) == before
    assert fresh.api("sales", "POST", "/v1/links/import", json={"rows": rows}).status_code == 403
