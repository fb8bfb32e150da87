"""From a registration to a deal of the pipeline and through its stages, over the API: nobody types anything twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from fastapi.testclient import TestClient

from hub_api.main import create_app
from hub_api.settings import ApiSettings
from sync import deal_pipeline, registering
from sync.config import HubConfig
from sync.deal_pipeline import pipelines
from sync.hub import Hub
from tests.deals.upkeep.conftest import CONFIG
from tests.hub_api.conftest import Api, Fresh, make_tokens, note_problem
from tests.hub_api.test_deals import HUAYI, do, register
from tests.hub_api.world import fill


@pytest.fixture
def selling(database: str) -> Iterator[Fresh]:
    """The API over a hub that may decide deals."""
    with Hub.open(HubConfig.model_validate({**CONFIG, "companies": [{"number": "100", "name": "东", "default": True}]}), database) as hub:
        assert hub.streams
        with hub.transaction() as db:
            world = fill(db)
        with TestClient(create_app(hub, settings=ApiSettings(), on_problem=note_problem), raise_server_exceptions=True) as client:
            yield Fresh(hub, world, Api(client, make_tokens(hub, world)))


def move(fresh: Fresh, role: str, deal: str, stage: str, **more: Any) -> Any:
    """A move of a deal."""
    return fresh.api(role, "POST", f"/v1/deals/{deal}/move", json={"stage": stage, **more})


def test_a_registration_becomes_a_deal_with_what_it_holds_and_once(selling: Fresh) -> None:
    made = register(selling, "dealer", HUAYI, body={"amount": "1200000.50", "currency": "CNY"}).json()["id"]

    first, again = (do(selling, "dealer", made, "convert") for _ in range(2))
    deal = selling.api.get("it", f"/v1/deals/{first.json()['deal']}").json()

    assert (first.status_code, first.json()["status"]) == (200, "converted")
    assert again.json()["deal"] == first.json()["deal"]
    assert (deal["name"], deal["dealer"], deal["expected_amount"], deal["currency"]) == (
        HUAYI["project"], str(selling.world.agent), "1200000.5", "CNY"
    )  # fmt: skip
    assert deal["stage"]
    assert deal["stage_kind"]
    assert selling.api.get("dealer", f"/v1/deals/{first.json()['deal']}").status_code == 200
    assert selling.api.get("other_dealer", f"/v1/deals/{first.json()['deal']}").status_code == 404


def test_a_deal_goes_through_its_stages_one_by_one_with_what_each_needs(selling: Fresh) -> None:
    made = register(selling, "dealer", HUAYI).json()["id"]
    deal = do(selling, "sales", made, "convert").json()["deal"]
    stages = _stages(selling)

    over = move(selling, "sales", deal, stages[2])
    unknown = move(selling, "sales", deal, "没有这个阶段")
    given = {"expected_amount": "1200000", "currency": "CNY", "expected_close": "2027-03-01", "customer": str(selling.world.city)}
    forward = move(selling, "sales", deal, stages[1], fields=given)
    back = move(selling, "sales", deal, stages[0])

    assert (over.status_code, over.json()["code"]) == (409, "deals/move-refused")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "deals/pipeline-not-found")
    assert (forward.status_code, forward.json().get("stage")) == (200, stages[1]), forward.json()
    assert (back.status_code, back.json()["code"]) == (409, "deals/move-refused")
    assert move(selling, "sales", deal, stages[0], reason="预算推迟").json()["stage"] == stages[0]


def test_who_may_not_write_a_deal_moves_none(selling: Fresh) -> None:
    deal = str(selling.world.mine["deal"])
    stage = _stages(selling)[0]

    assert move(selling, "finance", deal, stage).json()["code"] == "keys/scope-missing"
    assert move(selling, "dealer", deal, stage).json()["code"] == "keys/scope-missing"
    assert move(selling, "sales", "01931f5e-7c00-7000-8000-000000000000", stage).status_code == 404


def _stages(fresh: Fresh) -> list[str]:
    every = pipelines(fresh.hub)
    return [one.name for one in every.every[every.default].stages]


def test_a_transfer_takes_the_deal_along(selling: Fresh) -> None:
    made = register(selling, "dealer", HUAYI).json()["id"]
    deal = do(selling, "dealer", made, "convert").json()["deal"]
    seen = [selling.api.get(role, f"/v1/deals/{deal}").status_code for role in ("dealer", "other_dealer")]

    moved = do(selling, "sales", made, "transfer", {"to": str(selling.world.rival), "cause": "调整"}).json()

    assert seen == [200, 404]
    assert (moved["dealer"], moved["deal"], moved["status"]) == (str(selling.world.rival), deal, "converted")
    assert [selling.api.get(role, f"/v1/deals/{deal}").status_code for role in ("dealer", "other_dealer")] == [404, 200]


FALL = """
CREATE FUNCTION fall_over() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the database fell over'; END $$;
CREATE TRIGGER fall_over BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION fall_over();
"""


def _registered_and_converted(selling: Fresh) -> tuple[str, str]:
    made = register(selling, "dealer", HUAYI).json()["id"]
    return made, do(selling, "dealer", made, "convert").json()["deal"]


def test_a_transfer_that_cannot_take_the_deal_along_is_none(selling: Fresh) -> None:
    """Else the registration would be the new dealer's, and the deal of the same customer the old one's."""
    made, _ = _registered_and_converted(selling)
    with selling.hub.transaction() as db:
        db.execute(FALL.format(table="deals").encode())

    with pytest.raises(psycopg.errors.RaiseException):
        registering.transfer(selling.hub, UUID(made), selling.world.rival, "li", "调整")

    kept = selling.api.get("sales", f"/v1/deals/registrations/{made}").json()
    assert (kept["status"], kept["dealer"]) == ("converted", str(selling.world.agent))
    assert [one["id"] for one in selling.api.get("sales", "/v1/deals/registrations").json()["items"]] == [made]


def test_a_move_that_cannot_be_noted_as_work_is_none(selling: Fresh) -> None:
    """Else its registration would lie idle, and be taken back, while its deal goes on."""
    _, deal = _registered_and_converted(selling)
    before = selling.api.get("it", f"/v1/deals/{deal}").json()
    with selling.hub.transaction() as db:
        db.execute(FALL.format(table="registration").encode())

    needs = {"expected_amount": "1200000", "currency": "CNY", "expected_close": "2027-03-01", "customer": str(selling.world.city)}
    with pytest.raises(psycopg.errors.RaiseException):
        deal_pipeline.move(selling.hub, deal, _stages(selling)[1], "li", fields=needs)

    assert selling.api.get("it", f"/v1/deals/{deal}").json() == before
