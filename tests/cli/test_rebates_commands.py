"""`hub rebates`, `hub funds` and `hub claims` on the ledger, as a person and a script use them: load, settle, papers, account, claims."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from sync.hub import Hub
from tests.cli.conftest import Run
from tests.cli.running import answer
from tests.hub_api.configured import CONFIG
from tests.hub_api.test_funds import MDF
from tests.hub_api.test_pass_through import PASS
from tests.pricing.test_papers import text_of

SOLD = """\
id,kind,dealer,date,customer,product,amount,currency
1,sell_out,C1,2026-01-10,C2,P1,10000,CNY
2,sell_out,C1,2026-01-11,C3,P1,20000,CNY
"""


def told(run: Run, *words: str, code: int = 0) -> Any:
    """What a command answers a script."""
    done = run(*words, "--json")
    assert done.returncode == code, (words, done.stdout, done.stderr)
    return answer(done)


@pytest.fixture
def settled(filled: Run, tmp_path: Path) -> Run:
    """A programme with pass-through, published, its facts loaded, settled for the first quarter."""
    (tmp_path / "pass.yaml").write_text(PASS, encoding="utf-8")
    (tmp_path / "sold.csv").write_text(SOLD, encoding="utf-8")
    told(filled, "rebates", "publish", str(tmp_path / "pass.yaml"))
    assert told(filled, "rebates", "load", str(tmp_path / "sold.csv")) == {"facts": 2}
    assert told(filled, "rebates", "load", str(tmp_path / "sold.csv")) == {"facts": 0}
    done = told(filled, "rebates", "settle", "--as-of", "2026-03-31")
    assert (len(done["statements"]), len(done["handed_on"])) == (1, 2)
    return filled


def test_a_statement_is_shown_written_as_paper_and_signed(settled: Run, tmp_path: Path) -> None:
    rows = told(settled, "rebates", "statements", "--dealer", "C1")
    number = rows[0]["id"]
    pdf, xlsx = tmp_path / "s.pdf", tmp_path / "s.xlsx"
    shown = settled("rebates", "statements", number, "--pdf", str(pdf), "--xlsx", str(xlsx), "--language", "en")
    signed = told(settled, "rebates", "statements", number, "--sign")
    twice = told(settled, "rebates", "statements", number, "--dispute", "数量不对", code=7)
    missing = told(settled, "rebates", "statements", "RS-0000-000000", code=6)

    assert "应付 payable 300.00 CNY" in shown.stdout
    assert pdf.read_bytes().startswith(b"%PDF")
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx.read_bytes())).worksheets[0]
    cells = [[cell for cell in row if cell is not None] for row in sheet.iter_rows(values_only=True)]
    assert ["Payable now", 300] in cells
    assert ["C2", 80] in cells
    assert signed["state"] == "signed"
    assert (twice["error"]["code"], missing["error"]["code"]) == ("rebates/wrong-state", "rebates/not-found")
    english = text_of(pdf.read_bytes())
    assert "Rebate statement" in english or number in english


def test_the_account_is_read_frozen_for_an_order_used_and_its_movements_name_them(settled: Run, database: str) -> None:
    with Hub.open(CONFIG, database) as hub, hub.transaction() as db:
        db.execute("SELECT o.number FROM orders AS o JOIN parties AS p ON p.id = o.party_id WHERE p.number = 'C1'")
        order = (db.fetchone() or {})["number"]
    on = ("rebates", "account", "C1", "--programme", "pass-2026", "--order", order)

    before = told(settled, "rebates", "account", "C1")
    told(settled, *on, "--freeze", "100")
    no_line = told(settled, *on, "--use", "40", "--line", "XSDD-1/1", code=1)
    after = told(settled, *on, "--use", "40", "--line", f"{order}/1", "--rest", "release")
    moved = told(settled, "rebates", "account", "C1", "--movements")
    too_much = told(settled, *on, "--freeze", "1000000", code=7)
    unnamed = settled("rebates", "account", "C1", "--freeze", "1")

    assert {row["account"]: row["amount"] for row in before} == {"available": "300.00"}
    assert {row["account"]: row["amount"] for row in after} == {"available": "260.00", "used": "40"}
    assert [(row["cause"], row["account"], row["line"]) for row in moved if row["order_id"]][-1] == ("freeze", "available", "")
    assert (no_line["error"]["code"], "1, 2" in str(no_line)) == ("rebates/account-state", True)
    assert ("use", "used", "1") in {(row["cause"], row["account"], row["line"]) for row in moved}
    assert too_much["error"]["code"] == "rebates/not-enough"
    assert unnamed.returncode == 2


def test_a_claim_is_submitted_approved_and_shown_and_the_fund_tells_each_movement(filled: Run, tmp_path: Path) -> None:
    (tmp_path / "mdf.yaml").write_text(MDF, encoding="utf-8")
    told(filled, "rebates", "publish", str(tmp_path / "mdf.yaml"))
    claim = {"programme": "mdf-2026", "on": "2026-11-12", "activity": "苏州泵业展会", "amount": "12000"}
    proof = {"evidence": [{"kind": "invoice", "reference": "25312000000012345678"}]}
    (tmp_path / "claim.json").write_text(json.dumps(claim | proof), encoding="utf-8")
    (tmp_path / "bare.json").write_text(json.dumps(claim | {"activity": "路演"}), encoding="utf-8")

    made = told(filled, "claims", "submit", str(tmp_path / "claim.json"), "--dealer", "C1")
    again = told(filled, "claims", "submit", str(tmp_path / "claim.json"), "--dealer", "C1", code=7)
    bare = told(filled, "claims", "submit", str(tmp_path / "bare.json"), "--dealer", "C1", code=2)
    told(filled, "claims", "approve", made["id"], "--amount", "5000", "--note", "场地费不含")
    shown = told(filled, "claims", "show", made["id"])
    granted = told(filled, "funds", "grant", "mdf-2026", "C1", "500", "--on", "2026-11-01", "--reason", "新品上市支持")
    funds = told(filled, "funds", "list", "--dealer", "C1")
    entries = told(filled, "funds", "entries", "mdf-2026", "C1")
    cut = told(filled, "claims", "cut", "LP1", "--on", "2026-11-05", "--old", "500", "--new", "450")

    assert (made["worth"], made["state"]) == ("6000.00", "submitted")
    assert (again["error"]["code"], bare["error"]["code"]) == ("funds/already-claimed", "funds/incomplete")
    assert (shown["state"], shown["allowed"], [one["what"] for one in shown["events"]]) == ("approved", "5000", ["submitted", "approved"])
    assert Decimal(granted["available"]) == 5500
    [quarter] = [row for row in funds if row["period"] == "2026Q4"]
    assert [Decimal(quarter[name]) for name in ("available", "frozen", "used")] == [Decimal(5500), Decimal(0), Decimal(5000)]
    assert {one["cause"] for one in entries} == {"fill", "freeze", "free", "use", "grant"}
    assert [one["product"] for one in told(filled, "claims", "cuts")] == ["LP1"]
    assert cut
