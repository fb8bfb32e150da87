"""API keys: made, used, run out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from hub_api import keys
from hub_api.keys import BadKey
from hub_api.permissions import Role, Scope
from sync.hub import Hub
from tests.hub_api.conftest import Api
from tests.hub_api.world import World


def test_the_secret_is_nowhere_in_the_database(hub: Hub, api: Api) -> None:
    secret = api.tokens["it"].rpartition("_")[2] if "_" not in api.tokens["it"][17:] else api.tokens["it"][17:]
    with hub.transaction() as db:
        db.execute("SELECT string_agg(k::text, '') AS dump FROM api_key k")
        row = db.fetchone()

    assert row is not None
    assert secret not in row["dump"]
    assert secret.encode().hex() not in row["dump"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"role": "boss"}, "boss"),
        ({"role": "it", "scopes": ["records:destroy"]}, "destroy"),
        ({"role": "sales", "scopes": ["plans:apply"]}, "plans:apply"),
        ({"role": "dealer"}, "party"),
        ({"role": "it", "party": uuid4()}, "party"),
        ({"role": "it", "name": "  "}, "name"),
        ({"role": "it", "expires_at": datetime(2030, 1, 1)}, "zone"),  # noqa: DTZ001
    ],
)
def test_a_key_that_makes_no_sense_is_refused_with_the_reason(hub: Hub, more: dict[str, object], why: str) -> None:
    with hub.transaction() as db, pytest.raises(BadKey, match=why):
        keys.create(db, **{"name": "x", "by": "test", **more})  # type: ignore[arg-type]


def test_a_key_runs_out_at_its_time_and_a_revoked_one_at_once(hub: Hub, api: Api) -> None:
    with hub.transaction() as db:
        made = keys.create(
            db, name="soon", role=Role.IT, by="test", expires_at=datetime.now(UTC) + timedelta(hours=1), scopes=[Scope.RECORDS_READ]
        )
    api.tokens["soon"] = made.token

    assert api.get("soon", "/v1/me").json()["scopes"] == ["records:read"]
    with hub.transaction() as db:
        db.execute("UPDATE api_key SET expires_at = now() WHERE id = %s", [made.id])
    assert api.get("soon", "/v1/me").json()["code"] == "keys/expired"
    with hub.transaction() as db:
        db.execute("UPDATE api_key SET expires_at = NULL WHERE id = %s", [made.id])
        assert keys.revoke(db, made.id)
        assert not keys.revoke(db, made.id)
    assert api.get("soon", "/v1/me").json()["code"] == "keys/expired"


def test_a_wrong_secret_and_an_unknown_id_are_answered_alike(api: Api) -> None:
    right = api.tokens["it"]
    wrong = api(None, "GET", "/v1/me", headers={"Authorization": f"Bearer {right[:17]}{'A' * 43}"})
    unknown = api(None, "GET", "/v1/me", headers={"Authorization": f"Bearer hub_{'a' * 12}_{'A' * 43}"})
    expired = api(None, "GET", "/v1/me", headers={"Authorization": f"Bearer {api.tokens['expired'][:17]}{'A' * 43}"})

    assert wrong.content == unknown.content == expired.content


def test_a_key_remembers_when_it_was_last_used(hub: Hub, api: Api) -> None:
    api.get("it", "/v1/me")
    with hub.transaction() as db:
        used = {row["name"]: row["last_used_at"] for row in keys.listing(db)}

    assert used["it"] is not None
    assert (datetime.now(UTC) - used["it"]).total_seconds() < 3600


def test_a_dealer_is_told_whose_key_it_is(api: Api, world: World) -> None:
    assert api.get("dealer", "/v1/me").json()["party"] == str(world.agent)
