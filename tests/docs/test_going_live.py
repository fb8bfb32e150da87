"""README's way from an empty hub to a live one, typed as it stands there: its own hub.yaml, its own commands, stand-ins for the systems."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from hub_cli.exits import Exit
from hub_cli.group import hub
from sandbox.world import SMALL, make_world
from tests.docs.pages import ROOT, examples
from tests.sync.stage import Pair, stand_ins, still

CONSOLE = {
    "erp_kingdee": {"server_url": "ServerUrl", "acct_id": "AcctId", "user_name": "UserName", "app_id": "AppId", "app_secret": "AppSecret"}
}
CONSOLE["crm_zoho"] = {name: name for name in ("accounts_url", "api_domain", "client_id", "client_secret", "refresh_token")}


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Kingdee and Zoho with a handful of records, in two organisations; the README's hub.yaml names one of them."""
    with still(), stand_ins(make_world(3, SMALL)) as both:
        yield both


@pytest.fixture
def config(pair: Pair, tmp_path: Path) -> Path:
    """README's hub.yaml, its addresses and credentials those of the stand-ins."""
    told: dict[str, Any] = next(yaml.safe_load(one.body) for one in examples(ROOT / "README.md") if one.info == "yaml")
    for name, system in told["systems"].items():
        credentials = pair.systems[name]["credentials"]
        system["allow_private_hosts"] = True
        for setting, console in CONSOLE[system["kind"]].items():
            (tmp_path / setting).write_text(str(credentials[console]), encoding="utf-8")
            system["settings"][setting] = {"file": setting}  # relative: beside hub.yaml, wherever the command is typed
    file = tmp_path / "hub.yaml"
    file.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")
    return file


def fill_in(file: Path) -> int:
    """What a clerk does: the other value in each row that lacks one. Returns how many."""
    book = load_workbook(file)
    assert book.active is not None
    filled = 0
    for row in book.active.iter_rows(min_row=2):
        theirs, ours = row[3].value, row[4].value
        if theirs and not ours:
            row[4].value = {"SL01_SYS": "0.13"}.get(str(theirs), str(theirs).lower())
        elif ours and not theirs:
            row[3].value = str(ours)[:20]
        filled += bool(theirs) != bool(ours)
    book.save(file)
    return filled


def test_the_readme_leads_from_an_empty_hub_to_a_live_one(config: Path, database: str, tmp_path: Path) -> None:
    values = str(tmp_path / "values.xlsx")

    def type_in(*words: str, comes_to: Exit = Exit.DONE) -> Result:
        environment = {"HUB_HOME": str(tmp_path / "home"), "HUB_SECRET_KEY": "a key for a test", "HUB_LOG": "error"}
        done = CliRunner(env=environment).invoke(hub, ["--config", str(config), "--database", database, *words])
        assert done.exit_code == comes_to, f"hub {' '.join(words)}\n{done.output}"
        return done

    def ask_the_clerk() -> None:
        for _ in range(3):  # what a filled-in code means must be said in the other system's words too
            type_in("values", "export", values)
            if not fill_in(Path(values)):
                break
            type_in("values", "import", values, comes_to=Exit.DIFFERS)
            type_in("values", "import", values, "--apply")
        type_in("values", "missing")

    type_in("check")
    type_in("sync", comes_to=Exit.SET_ASIDE)
    ask_the_clerk()
    type_in("quarantine", "list")
    type_in("cases", "list")
    for system in ("zoho", "kingdee"):
        flow = ("--entity", "party", "--system", system)
        plan = str(json.loads(type_in("plan", "make", *flow, "--json", comes_to=Exit.DIFFERS).stdout)["id"])
        type_in("plan", "show", plan)
        type_in("plan", "approve", plan)
        type_in("apply", plan, comes_to=Exit.REFUSED)
        type_in("mode", "write", *flow)
        type_in("apply", plan)
    ask_the_clerk()  # what only a created record needs is asked when it is created
    type_in("sync", "--until-quiet")

    type_in("diff")
    type_in("replay")
    type_in("reconcile")
