"""`hub map try` on the record of a customer, with systems of hub.yaml that lack fields and without any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub_cli.group import hub
from tests.mappings import samples

SYSTEM = """
  {name}:
    kind: crm_zoho
    settings:
      api_domain: https://www.zohoapis.com.cn
      accounts_url: https://accounts.zoho.com.cn
      client_id: x
      client_secret: {{env: SECRET}}
      refresh_token: {{env: SECRET}}
      org_id: "1"{fields}
"""
LACKS = '\n      fields: {accounts: {Credit_Limit: "", Phone: ""}, sales_orders: {Net_Amount: ""}}'


def tried(folder: Path, systems: str) -> dict[str, Any]:
    """What the command shows of a Kingdee customer where these systems are connected."""
    (folder / "hub.yaml").write_text(f"systems:{systems}\nflows: {{}}\n" if systems else "systems: {}\nflows: {}\n", encoding="utf-8")
    (folder / "customer.json").write_text(json.dumps(samples.customer(), default=str), encoding="utf-8")
    done = CliRunner().invoke(
        hub,
        ["map", "try", "erp_kingdee/customers", str(folder / "customer.json"), "--json"],
        env={"HUB_HOME": str(folder), "HUB_CONFIG": str(folder / "hub.yaml")},
    )
    assert done.exit_code == 0, done.output
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_record_is_shown_as_every_kind_of_system_should_hold_it(tmp_path: Path) -> None:
    told = tried(tmp_path, "")

    assert list(told["desired"]) == ["crm_zoho/accounts", "erp_kingdee/customers"]
    assert "Credit_Limit" in told["desired"]["crm_zoho/accounts"]
    assert told["left_out"] == {}


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside one that has them"])
def test_fields_that_a_system_lacks_are_left_out_and_named(tmp_path: Path, *, beside: bool) -> None:
    told = tried(tmp_path, SYSTEM.format(name="zoho_east", fields=LACKS) + (SYSTEM.format(name="zoho", fields="") if beside else ""))

    shown = told["desired"]["crm_zoho/accounts in zoho_east"]
    assert told["left_out"] == {"zoho_east.accounts": ["Credit_Limit", "Phone"]}
    assert {"Credit_Limit", "Phone"}.isdisjoint(shown)
    assert shown["Account_Name"]
    assert ("crm_zoho/accounts" in told["desired"]) is beside
