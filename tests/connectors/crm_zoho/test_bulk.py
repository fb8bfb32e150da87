"""First loads by bulk read: the same records as by the list, except for the names of lookups."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from connectors.errors import Garbled, Unavailable
from tests.connectors.crm_zoho.scripted import Asked, Zoho
from tests.connectors.crm_zoho.stand_in import StandIn, accounts


def test_a_bulk_load_gives_the_records_that_the_list_gives(sandbox: StandIn) -> None:
    loaded = accounts(1200)
    sandbox.load(accounts=loaded)
    sandbox.put("accounts", Account_Name='"引号", 逗号\n换行', Credit_Limit=12.5, Dealer_Level="核心", Description="𠮷野家")

    by_list = {r.key: r.payload for page in sandbox.session().read("accounts", None) for r in page.records}
    pages = list(sandbox.session(first_load="bulk").read("accounts", None))

    by_bulk = {r.key: r.payload for page in pages for r in page.records}
    assert set(by_bulk) == set(by_list)
    for key, payload in by_bulk.items():
        told = {name: value for name, value in by_list[key].items() if name not in ("Owner", "Tag")}
        assert {name: payload[name] for name in told} == told
        assert payload["Owner"]["id"] == by_list[key]["Owner"]["id"]
    assert [page.cursor for page in pages[:-1]] == [None] * (len(pages) - 1)
    assert pages[-1].cursor == {"at": max(p["Modified_Time"] for p in by_list.values()), "deleted": ""}


def archive(text: bytes, name: str = "Leads.csv") -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as opened:
        opened.writestr(name, text)
    return held.getvalue()


def job(result: bytes, states: list[str]) -> Any:
    """A bulk read job that goes through some states and then gives a file."""

    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.method == "POST":
            return 201, {"data": [{"status": "success", "code": "ADDED_SUCCESSFULLY", "details": {"id": "7"}}]}
        if asked.path.endswith("/result"):
            return 200, result
        if asked.path.endswith("/7"):
            state = states.pop(0) if len(states) > 1 else states[0]
            return 200, {"data": [{"id": "7", "state": state, "result": {"more_records": False, "page": 1}}]}
        return 204, None

    return answer


def test_a_job_is_polled_until_it_is_completed(server: Zoho) -> None:
    text = b"\xef\xbb\xbfId,Created_Time,Modified_Time,Hub_Key,Company,Owner\n11,,2026-01-05T10:00:00+08:00,,\xe8\xbf\x9c\xe8\x88\xaa,5\n"
    server.answer = job(archive(text), ["ADDED", "QUEUED", "IN PROGRESS", "COMPLETED"])
    session = server.session(first_load="bulk", fields={"leads": dict.fromkeys(ABSENT, "")})

    records = [record for page in session.read("leads", None) for record in page.records]

    assert [(r.key, r.payload["Company"], r.payload["Owner"]) for r in records] == [("11", "远航", {"id": "5"})]


ABSENT = ("Last_Name", "First_Name", "Email", "Mobile", "Lead_Source", "Lead_Status", "Industry", "Description")


def test_a_job_that_fails_says_what_to_do(server: Zoho) -> None:
    server.answer = job(b"", ["QUEUED", "FAILURE"])

    with pytest.raises(Unavailable, match="first_load: list"):
        list(server.session(first_load="bulk").read("leads", None))


@pytest.mark.parametrize(
    "result",
    [b"no zip", archive(b"Company\nx\n"), archive(b"Id,Company\n1\n"), archive("公司".encode("gbk"))],
    ids=["no-zip", "no-id", "ragged", "gbk"],
)
def test_a_file_that_is_not_understood_is_refused_as_a_whole(server: Zoho, result: bytes) -> None:
    server.answer = job(result, ["COMPLETED"])

    with pytest.raises(Garbled):
        list(server.session(first_load="bulk").read("leads", None))
