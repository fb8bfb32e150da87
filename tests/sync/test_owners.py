"""One owner per field: who wins, what is recorded, and how it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync import conflicts, inspecting
from sync.config_file import load
from sync.errors import BadConfig
from sync.hub import Hub
from tests.sync.stage import Pair, Stage, configuration, open_hub


def party(stage: Stage) -> str:
    return str(inspecting.find_record(stage.hub, "party", "CUST00001"))


@pytest.mark.promise(4)
def test_the_owner_of_each_field_wins_and_the_other_side_is_repaired(live: Stage) -> None:
    customer = live.customer()
    account = live.account_of(customer)
    live.edit("kingdee", "customers", customer, "FName", "烟台新名电力设备有限公司")
    live.zoho.put("accounts", {"id": account["id"], "Account_Name": "销售乱改的名字"})
    live.edit("zoho", "accounts", account, "Phone", "0535-1112222")
    live.kingdee.put("customers", {"FCUSTID": customer["FCUSTID"], "FTEL": "0535-9998888"})

    live.sync()

    verdict = live.verdict()
    assert verdict.ok, verdict.summary()
    assert live.account_of(customer)["Account_Name"] == "烟台新名电力设备有限公司"
    assert live.customer()["FTEL"] == "0535-1112222"


@pytest.mark.promise(4)
@pytest.mark.parametrize(
    ("system", "field", "path", "owner"),
    [("zoho", "name", "Account_Name", "kingdee"), ("kingdee", "phone", "FTEL", "zoho")],
)
def test_a_non_owners_edit_is_a_conflict_on_record_with_both_values_and_the_reason(
    live: Stage, system: str, field: str, path: str, owner: str
) -> None:
    customer = live.customer()
    doc = live.account_of(customer) if system == "zoho" else customer
    ours = doc[path]
    stream, key = ("accounts", "id") if system == "zoho" else ("customers", "FCUSTID")
    live.door(system).put(stream, {key: doc[key], path: "0571-1234567" if field == "phone" else "乱改"})

    live.sync()

    found = inspecting.conflicts(live.hub, system=system)
    assert [(one["field"], one["theirs"], one["ours"], one["state"]) for one in found] == [
        (field, "0571-1234567" if field == "phone" else "乱改", ours, "repaired")
    ]
    assert found[0]["rule"] == f"{field} is owned by {owner}"
    again = next(doc for doc in live.door(system).records(stream) if doc[key] == (customer if system == "kingdee" else doc)[key])
    assert again[path] == ours


@pytest.mark.promise(4)
def test_why_tells_value_winner_rule_and_losers(live: Stage) -> None:
    account = live.account_of(live.customer())
    live.edit("zoho", "accounts", account, "Email_Address", "new@hz00001.example")
    live.read()
    reasons = {reason.field: reason for reason in inspecting.why(live.hub, "party", inspecting.find_record(live.hub, "party", "CUST00001"))}

    assert (reasons["email"].value, reasons["email"].winner_system, reasons["email"].rule) == ("new@hz00001.example", "zoho", "owner")
    assert reasons["name"].winner_system == "kingdee"
    assert reasons["email"].since is not None
    assert any(system == "kingdee" for system, _ in reasons["email"].losers)


@pytest.mark.promise(4)
def test_a_conflict_may_be_left_by_policy(small: Pair, database: str, tmp_path: Path) -> None:
    small.reset()
    changed = [("zoho: {stream: accounts, create: true}", "zoho: {stream: accounts, create: true, on_conflict: leave}")]
    with open_hub(small, database, tmp_path / "home", changed) as hub:
        live = Stage(small, hub)
        live.go_live()
        account = live.account_of(live.customer())
        live.zoho.put("accounts", {"id": account["id"], "Account_Name": "销售的叫法"})

        live.sync()

        assert live.account_of(live.customer())["Account_Name"] == "销售的叫法"
        assert [one["state"] for one in inspecting.conflicts(hub, system="zoho")] == ["left"]
        assert inspecting.status(hub).drift == 0


@pytest.mark.promise(4)
@pytest.mark.parametrize("how", ["leave", "repair"])
def test_a_person_settles_a_conflict(small: Pair, database: str, tmp_path: Path, how: str) -> None:
    small.reset()
    changed = [("zoho: {stream: accounts, create: true}", "zoho: {stream: accounts, create: true, on_conflict: leave}")]
    with open_hub(small, database, tmp_path / "home", changed) as hub:
        live = Stage(small, hub)
        live.go_live()
        account = live.account_of(live.customer())
        live.zoho.put("accounts", {"id": account["id"], "Account_Name": "销售的叫法"})
        live.sync()

        conflicts.settle(hub, inspecting.conflicts(hub, system="zoho")[0]["id"], how, "boss")
        live.sync()

        assert live.account_of(live.customer())["Account_Name"] == ("销售的叫法" if how == "leave" else account["Account_Name"])
        assert [one["state"] for one in inspecting.conflicts(hub, system="zoho")] == ["accepted" if how == "leave" else "repaired"]


@pytest.mark.promise(4)
def test_a_value_that_the_owner_empties_is_emptied_everywhere(live: Stage) -> None:
    account = live.account_of(live.customer())
    live.edit("zoho", "accounts", account, "Email_Address", "a@b.example")
    live.sync()
    assert live.customer()["F_HUB_EMAIL"] == "a@b.example"

    live.edit("zoho", "accounts", account, "Email_Address", None)
    live.sync()

    assert live.customer()["F_HUB_EMAIL"] == ""


@pytest.mark.promise(4)
def test_the_most_recent_rule_is_refused_where_no_change_time_can_be_trusted(small: Pair, database: str, tmp_path: Path) -> None:
    """Kingdee's organisations tell no change time at all."""
    changed = [("  company:\n    owners: {default: kingdee}", "  company:\n    owners: {default: kingdee}\n    rules: {name: most_recent}")]
    path = configuration(tmp_path / "home", small.systems, changed)

    with Hub.open(path, database) as hub, pytest.raises(BadConfig, match="change time"):
        assert hub.streams


@pytest.mark.promise(4)
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("      phone: [zoho, kingdee, hub]", "      phone: [salesforce]", "salesforce"),
        ("      phone: [zoho, kingdee, hub]", "      fax: [zoho]", "fax"),
        ("      phone: [zoho, kingdee, hub]", "      phone: []", "phone"),
        ("  department:\n    owners: {default: kingdee}", "  department:\n    owners: {name: kingdee}", "default owner"),
    ],
)
def test_a_mistake_about_owners_is_told_with_file_and_line(small: Pair, tmp_path: Path, old: str, new: str, said: str) -> None:
    path = configuration(tmp_path / "home", small.systems, [(old, new)])

    with pytest.raises(BadConfig, match=said) as wrong:
        load(path)
    assert f"{path}:" in str(wrong.value)
