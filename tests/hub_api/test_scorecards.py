"""Scorecards over the API: a dealer reads its own month, its place and its stock, and finds no trace of another's or of a margin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from hub_api import keys
from hub_api.main import create_app
from hub_api.settings import ApiSettings
from sync import performance
from sync.hub import Hub
from tests.hub_api.configured import CONFIG
from tests.hub_api.conftest import Api, note_problem
from tests.hub_api.test_markers import leaked
from tests.performance.making import LINE, written
from tests.performance.trade import NOW, Trade, filled

OCTOBER = {"month": "2026-10"}
COST = "48271.9365"
"""What D1's goods cost: its margin is 60,000 less this."""
MARGIN = "11728.0635"
RIVALS = ("宁波东钱湖传动", "绍兴鉴湖电气", "D2", "D6")
CARD = written(peers=["grade", "region"], target="none")
MARGIN_CARD = written(
    scorecard="margin", peers=["grade"], target="none",
    kpis=[{"kpi": "target_completion", "weight": "10", "curve": LINE},
          {"kpi": "margin_rate", "weight": "7", "curve": [{"at": "0", "points": "0"}, {"at": "77.31 %", "points": "100"}]}],
    tags=[{"tag": "thin", "kind": "risk", "name": "毛利过低", "when": "any", "clean": "1",
           "conditions": [{"kpi": "margin_rate", "below": "99 %"}]}],
)  # fmt: skip


@dataclass
class Scored:
    """A trade with its October, and the API over it; `dealer` is D1's key, `other_dealer` D2's."""

    trade: Trade
    api: Api

    def post(self, path: str, body: Any, role: str = "finance") -> Any:
        """A POST."""
        return self.api(role, "POST", f"/v1/scorecards{path}", json=body)

    def get(self, path: str, role: str = "dealer", **params: Any) -> Any:
        """A GET."""
        return self.api.get(role, f"/v1/scorecards{path}", params=params)


@contextmanager
def opened(database: str) -> Iterator[Scored]:
    """The trade over this database."""
    with Hub.open(CONFIG, database) as hub:
        assert hub.streams
        trade = filled(hub)
        with hub.transaction() as db:
            tokens = {role: keys.create(db, name=role, role=role, by="test").token for role in ("it", "finance", "sales")}
            for name, code in (("dealer", "D1"), ("other_dealer", "D2")):
                tokens[name] = keys.create(db, name=name, role="dealer", by="test", party=trade.dealers[code]).token
        with TestClient(create_app(hub, settings=ApiSettings(), on_problem=note_problem), raise_server_exceptions=True) as client:
            made = Scored(trade, Api(client, tokens))
            costs = [{"id": f"C{at}", "kind": "cost", "dealer": f"D{at}", "date": "2026-05-31", "amount": COST} for at in range(1, 7)]
            assert made.post("/facts", {"facts": costs, "as_of": "2026-10-31"}).status_code == 200
            for text in (CARD, MARGIN_CARD):
                assert made.post("/definitions", {"text": text, "reason": "2026"}).status_code == 200
            for name in ("health", "margin"):
                assert made.post(f"/{name}/months", OCTOBER).status_code == 200
            yield made


@pytest.fixture
def scored(database: str) -> Iterator[Scored]:
    with opened(database) as made:
        yield made


def test_a_dealer_reads_its_own_month_and_its_place_among_unnamed_others(scored: Scored) -> None:
    mine = str(scored.trade.dealers["D1"])

    (item,) = scored.get("", scorecard="health").json()["items"]
    told = scored.get(f"/health/dealers/{mine}").json()
    (group,) = scored.get("/health/ranking").json()["groups"]

    assert (item["dealer_id"], item["month"], item["place"], item["of"], item["score"]) == (mine, "2026-10", 6, 6, "0")
    assert "tags" not in item
    (row,) = told["results"]
    assert row["kpis"][0]["trace"]["zh"] == "目标完成率 50 %（60000 / 120000）：0 分，权重 10，贡献 0 分。"
    assert (group["ranked"], [one["dealer"] for one in group["rows"]]) == (6, ["D1"])
    assert len(group["quartiles"]) == 3


@pytest.mark.promise(13)
def test_no_margin_tag_or_other_dealer_is_in_any_answer_to_a_dealer(scored: Scored) -> None:
    mine, theirs = scored.trade.dealers["D1"], scored.trade.dealers["D2"]
    paths = ["", "/definitions", "/stock", *(f"/{name}/{rest}" for name in ("health", "margin", "none")
             for rest in ("ranking", f"dealers/{mine}", f"dealers/{theirs}", f"dealers/{uuid4()}"))]  # fmt: skip
    raw = b"".join(scored.get(path).content for path in paths)
    raw += (
        scored.get("", tag="thin").content + scored.get("", dealer=str(theirs)).content + scored.get("/stock", dealer=str(theirs)).content
    )
    raw += scored.api.get("dealer", "/v1/messages").content
    full = scored.get("", "finance").content + scored.get(f"/margin/dealers/{mine}", "finance").content

    secrets = [COST, MARGIN, "0.195468", "77.31", "margin_", "thin", "毛利", str(theirs), *RIVALS]
    assert [secret for secret in secrets if secret.encode() in raw] == []
    assert not any(leaked(raw, secret) for secret in (COST, MARGIN))
    assert [secret for secret in (MARGIN, "thin", "毛利", "宁波东钱湖传动") if secret.encode() not in full] == []


def test_sales_sees_every_dealer_but_no_margin_nor_what_tells_it(scored: Scored) -> None:
    mine = scored.trade.dealers["D1"]

    raw = b"".join(scored.get(path, "sales").content for path in ("", "/margin/ranking", f"/margin/dealers/{mine}"))
    items = {one["dealer"]: one for one in scored.get("", "sales", scorecard="margin").json()["items"]}

    assert len(items) == 6
    assert "score" not in items["D1"]
    assert [secret for secret in (COST, MARGIN, "0.195468", '"margin_') if secret.encode() in raw] == []
    assert [len(scored.get("", role, tag="thin").json()["items"]) for role in ("sales", "finance")] == [0, 6]


def test_another_dealers_month_is_as_absent_as_one_that_never_was(scored: Scored) -> None:
    theirs = scored.get(f"/health/dealers/{scored.trade.dealers['D2']}")
    never = scored.get(f"/health/dealers/{uuid4()}")
    nothing = scored.get(f"/none/dealers/{scored.trade.dealers['D1']}")

    assert (theirs.status_code, theirs.json()["code"]) == (404, "performance/not-found")
    assert theirs.content == never.content == nothing.content


def test_a_month_is_reckoned_again_for_a_reason_and_explained_with_its_documents(scored: Scored) -> None:
    mine = scored.trade.dealers["D1"]
    scored.trade.invoice("D1", "AR26-OPEN", "10000", "2026-09-01", due="2026-10-01")

    refused = scored.post("/health/months", OCTOBER)
    again = scored.post("/health/months", OCTOBER | {"reason": "9 月发票补录"})
    running = scored.post("/health/months", {"month": "2099-01"})
    told = scored.get(f"/health/dealers/{mine}", month="2026-10").json()
    before = scored.get(f"/health/dealers/{mine}", month="2026-10", revision=1).json()

    assert (refused.status_code, refused.json()["code"]) == (409, "performance/no-reason")
    assert (again.status_code, again.json()["revision"]) == (200, 2)
    assert (running.status_code, running.json()["code"]) == (409, "performance/not-over")
    (overdue,) = [one for one in told["results"][0]["figures"] if one["kpi"] == "overdue_share"]
    assert [told["evidence"][fact]["document"] for fact in overdue["facts"]] == ["AR26-OPEN"]
    assert (told["revision"], before["revision"], before["evidence"]) == (2, 1, {})


def test_bad_scorecards_and_rows_are_refused_whole_with_their_fix(scored: Scored) -> None:
    unclear = scored.post("/definitions", {"text": written(version="2", kpis=[]), "reason": ""})
    changed = scored.post("/definitions", {"text": written(target="even"), "reason": ""})
    good = {"id": "TS-1", "kind": "complaint", "dealer": "D1", "date": "2026-10-12", "status": "valid"}
    bad = scored.post("/facts", {"facts": [good, good | {"id": "TS-2", "status": "maybe"}], "as_of": "2026-10-31"})
    foreign = scored.post("/facts", {"facts": [good | {"dealer": "D99"}], "as_of": "2026-10-31"})

    assert (unclear.status_code, unclear.json()["code"]) == (409, "performance/bad-scorecard")
    assert (changed.status_code, changed.json()["code"]) == (409, "performance/version-taken")
    assert [(one.status_code, one.json()["code"]) for one in (bad, foreign)] == [(409, "performance/bad-facts")] * 2
    assert "valid, invalid, open" in bad.json()["detail"]
    assert scored.trade.rows("SELECT id FROM performance_fact WHERE kind = 'complaint'") == []


def test_a_tag_by_hand_needs_a_dealer_a_reason_and_an_end(scored: Scored) -> None:
    given = {"dealer": str(scored.trade.dealers["D1"]), "tag": "watch", "reason": "诉讼中", "owner": "王芳"}
    given |= {"from": "2026-10-01", "to": "2027-02-01"}
    back: dict[str, Any] = {"end": True}

    answers = [scored.post("/tags", given | more) for more in ({}, {}, back, back, {"dealer": str(uuid4())}, {"to": "2026-10-01"})]

    assert [one.json().get("changed") for one in answers[:4]] == [True, False, True, False]
    assert [one.status_code for one in answers[4:]] == [404, 409]


def test_a_dealer_reads_its_own_stock_advice_and_our_people_the_transfers(scored: Scored) -> None:
    plain = {"product": "P1", "lead_days": 14, "cover_days": 30, "date": "2026-11-05"}
    stock = [
        plain | {"dealer": "D1", "quantity": "10", "region": "330100"},
        plain | {"dealer": "D2", "quantity": "900", "region": "330102"},
    ]
    sold = [{"dealer": code, "product": "P1", "date": "2026-09-01", "quantity": "180"} for code in ("D1", "D2")]
    loaded = scored.post("/facts", {"stock": stock, "sellout": sold, "as_of": "2026-11-05"})
    performance.stock(scored.trade.hub, now=NOW)

    own = scored.get("/stock").json()
    ours = scored.get("/stock", "sales").json()
    theirs = scored.get("/stock", "other_dealer").json()

    assert loaded.json() == {"facts": 0, "stock": 2, "sellout": 2}
    assert [(one["product"], one["warning"], one["restock"]) for one in own["advice"]] == [
        ("P1", True, "0")
    ]  # 29 from D2 reach until goods would come
    assert "transfers" not in own
    assert "D2" not in str(own)
    assert [(one["from"], one["to"]) for one in ours["transfers"]] == [("D2", "D1")]
    assert theirs["advice"] == []
