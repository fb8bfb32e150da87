"""An organisation of Zoho without fields that the mapping writes: records are created and kept without them, and nothing drifts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sync.stage import Pair, Stage, open_hub

ZOHO = "    kind: crm_zoho\n    allow_private_hosts: true\n    settings:\n"
LACKING = '      fields: {accounts: {Credit_Limit: "", Salesperson_Code: ""}, sales_orders: {Net_Amount: ""}}\n'


@pytest.fixture
def lacking(small: Pair, database: str, tmp_path: Path) -> Iterator[Stage]:
    small.reset()
    with open_hub(small, database, tmp_path / "home", [(ZOHO, ZOHO + LACKING)]) as hub:
        yield Stage(small, hub)


def test_what_the_organisation_has_not_is_not_written_and_the_rest_goes_live(lacking: Stage) -> None:
    lacking.go_live()

    created = [one for one in lacking.zoho.records("accounts") if one.get("Hub_Key")]
    orders = [one for one in lacking.zoho.records("sales_orders") if one.get("Hub_Key")]
    assert created
    assert orders
    assert all(one.get("Credit_Limit") is None and one["ERP_Code"] for one in created)
    assert all(one.get("Net_Amount") is None and one["Total_Amount"] for one in orders)
    assert lacking.rows("SELECT state, reason, detail FROM desired WHERE state NOT IN ('in_sync', 'left')") == []
    assert lacking.rows("SELECT code, why FROM delivery_receipt WHERE outcome NOT IN ('written', 'unchanged')") == []
