"""Programmes and statements over the API: a dealer reads and signs its own, and finds no trace of another's."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

import openpyxl
from psycopg.types.json import Jsonb

from tests.hub_api.conftest import Fresh
from tests.hub_api.world import RIVAL

PROGRAMME = """
programme: pumps-2026
version: 1
name: 水泵年度返利
currency: CNY
valid: {from: 2026-01-01, to: 2027-01-01}
participants: {dealers: [CUST-RIVAL-SECRET, A]}
base: {event: invoice, measure: amount, tax: exclusive, net_of: [returns]}
calendar: {period: quarter}
method: retroactive
boundary: at_least
tiers: [{from: 0, rate: 2 %}]
"""


def state(fresh: Fresh, number: str, dealer: UUID, mark: str = "") -> str:
    doc = {"payable": "10.00", "currency": "CNY", "note": mark}
    with fresh.hub.transaction() as db:
        db.execute(
            "INSERT INTO rebate_statement (id, programme, version, dealer, dealer_id, period, doc, issued_by) "
            "VALUES (%s, 'pumps-2026', 1, %s, %s, '2026Q1', %s, 'test')",
            [number, mark or "A", dealer, Jsonb(doc)],
        )
    return number


def publish(fresh: Fresh, role: str = "finance", text: str = PROGRAMME) -> Any:
    return fresh.api(role, "POST", "/v1/programmes", json={"text": text, "reason": "2026"})


def test_a_programme_is_published_once_and_read_by_those_who_take_part(fresh: Fresh) -> None:
    first = publish(fresh)
    changed = publish(fresh, text=PROGRAMME.replace("2 %", "3 %"))
    unclear = publish(fresh, text=PROGRAMME.replace("method: retroactive\n", ""))
    unseen = fresh.api.get("dealer", "/v1/programmes").json()["items"]
    state(fresh, "RS-2026-000001", fresh.world.agent)

    mine = fresh.api.get("dealer", "/v1/programmes").json()["items"]

    assert first.status_code == 200
    assert (changed.status_code, changed.json()["code"]) == (409, "rebates/version-taken")
    assert (unclear.status_code, unclear.json()["code"]) == (409, "rebates/bad-programme")
    assert "name the method" in unclear.json()["detail"]
    assert unseen == []
    assert [one["programme"] for one in mine] == ["pumps-2026"]
    assert "CUST-RIVAL-SECRET" not in str(mine)
    assert set(mine[0]) == {"programme", "version", "hash", "published_at", "terms"}
    assert fresh.api.get("finance", "/v1/programmes/pumps-2026").json()["terms"]["participants"]["dealers"] == ["CUST-RIVAL-SECRET", "A"]


def test_a_dealer_signs_its_own_statement_and_never_sees_another_ones(fresh: Fresh) -> None:
    mine, below = state(fresh, "RS-2026-000001", fresh.world.agent), state(fresh, "RS-2026-000002", fresh.world.city)
    theirs = state(fresh, "RS-2026-000003", fresh.world.rival, RIVAL)

    seen = fresh.api.get("dealer", "/v1/statements")
    signed = fresh.api("dealer", "POST", f"/v1/statements/{mine}/sign")
    twice = fresh.api("dealer", "POST", f"/v1/statements/{mine}/sign")
    disputed = fresh.api("dealer", "POST", f"/v1/statements/{below}/dispute", json={"reason": "数量不对"})
    resolved = fresh.api("finance", "POST", f"/v1/statements/{below}/resolve", json={"answer": "已更正"})
    foreign = fresh.api("dealer", "POST", f"/v1/statements/{theirs}/sign")
    missing = fresh.api("dealer", "POST", "/v1/statements/RS-2026-999999/sign")

    assert sorted(one["id"] for one in seen.json()["items"]) == [mine, below]
    assert RIVAL not in seen.text
    assert (signed.status_code, signed.json()["state"]) == (200, "signed")
    assert (twice.status_code, twice.json()["code"]) == (409, "rebates/wrong-state")
    assert (disputed.json()["state"], resolved.json()["state"]) == ("disputed", "resolved")
    assert (foreign.status_code, foreign.json()["code"], foreign.json()["detail"]) == (
        missing.status_code, missing.json()["code"], missing.json()["detail"],
    )  # fmt: skip
    assert foreign.status_code == 404
    assert fresh.api.get("it", f"/v1/statements/{theirs}").json()["state"] == "issued"


def test_a_statement_is_paper_in_both_languages_and_only_its_own_dealer_gets_it(fresh: Fresh) -> None:
    publish(fresh)
    mine, theirs = state(fresh, "RS-2026-000001", fresh.world.agent), state(fresh, "RS-2026-000002", fresh.world.rival, RIVAL)

    papers = {
        (lang, kind): fresh.api.get("dealer", f"/v1/statements/{mine}/paper.{kind}", params={"lang": lang})
        for lang in ("zh", "en")
        for kind in ("pdf", "xlsx")
    }
    foreign = fresh.api.get("dealer", f"/v1/statements/{theirs}/paper.pdf")

    assert {one.status_code for one in papers.values()} == {200}
    assert papers["zh", "pdf"].content.startswith(b"%PDF")
    assert papers["zh", "pdf"].content != papers["en", "pdf"].content
    cells = [
        [cell for cell in row if cell is not None]
        for row in openpyxl.load_workbook(io.BytesIO(papers["zh", "xlsx"].content)).worksheets[0].iter_rows(values_only=True)
    ]
    assert ["返利对账单"] in cells
    assert ["本次应付", 10] in cells
    assert "CUST-RIVAL-SECRET" not in str(cells)
    assert foreign.status_code == 404


def test_a_draft_is_tried_beside_what_is_published_and_nothing_is_stored(fresh: Fresh) -> None:
    publish(fresh)
    with fresh.hub.transaction() as db:
        db.execute("SELECT rebate_fact_month('2026-02-01')")
        db.execute(
            "INSERT INTO rebate_fact (date, id, revision, kind, dealer, currency, amount, invoice_date) "
            "VALUES ('2026-02-03', 'f1', 1, 'sale', 'A', 'CNY', 1000, '2026-02-03')"
        )
    draft = {"text": PROGRAMME.replace("version: 1", "version: 2").replace("2 %", "3 %"), "as_of": "2026-03-31"}

    told = fresh.api("finance", "POST", "/v1/programmes/pumps-2026/simulate", json=draft)
    other = fresh.api("finance", "POST", "/v1/programmes/fans-2026/simulate", json=draft)

    ever = fresh.api("finance", "POST", "/v1/programmes/pumps-2026/simulate", json=draft | {"as_of": "9999-12-31"})

    assert told.status_code == 200, told.text
    assert [(one["dealer"], one["current"], one["draft"]) for one in told.json()["dealers"]] == [("A", "20.00", "30.00")]
    assert ever.json()["dealers"] == told.json()["dealers"]
    assert (other.status_code, other.json()["code"]) == (409, "rebates/bad-programme")
    assert [row["version"] for row in fresh.rows("SELECT version FROM programme_version")] == [1]
    assert fresh.api("dealer", "POST", "/v1/programmes/pumps-2026/simulate", json=draft).status_code == 403
