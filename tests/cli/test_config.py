"""hub.yaml as a person writes it: secrets stand elsewhere, paths start where the file stands, and every mistake is told with its line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from click.testing import CliRunner

from hub_cli.group import hub

SYSTEMS = """\
systems:
  kingdee:
    kind: erp_kingdee
    settings:
      server_url: https://erp.example/k3cloud/
      acct_id: "1"
      user_name: hub
      app_id: "220001_x"
      app_secret: {file: secrets/app_secret}
  zoho:
    kind: crm_zoho
    settings:
      client_id: "1000.x"
      client_secret: {env: ZOHO_CLIENT_SECRET}
      refresh_token: {env: ZOHO_REFRESH_TOKEN}
"""
FLOWS = """\
flows:
  party:
    owners: {default: [kingdee, zoho, hub], phone: [zoho, kingdee]}
    systems:
      kingdee: {stream: customers, mode: read}
      zoho: {stream: accounts}
"""


def check(file: Path, *options: str) -> CompletedProcess[str]:
    """`hub check --offline` over a file."""
    done = CliRunner().invoke(hub, ["--home", str(file.parent / "home"), "--config", str(file), "check", "--offline", *options])
    return CompletedProcess([], done.exit_code, done.stdout, done.stderr)


def written(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "hub.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.promise(13)
@pytest.mark.parametrize(
    ("there", "instead", "line"),
    [
        ("app_secret: {file: secrets/app_secret}", "app_secret: MK-PLAIN-77aa", 9),
        ("app_secret: {file: secrets/app_secret}", "AppSecret: MK-PLAIN-77aa", 9),
        ("client_secret: {env: ZOHO_CLIENT_SECRET}", "client_secret: [MK-PLAIN-77aa]", 14),
        ("server_url: https://erp", "server_url: https://hub:MK-PLAIN-77aa@erp", 5),
    ],
)
def test_a_secret_in_the_file_itself_is_refused_with_its_line_and_never_shown(tmp_path: Path, there: str, instead: str, line: int) -> None:
    file = written(tmp_path, (SYSTEMS + FLOWS).replace(there, instead))

    done = check(file)

    assert done.returncode == 2
    assert f"{file}:{line}: systems." in done.stderr
    assert "{env: NAME}, {file: PATH} or {airflow_connection: ID}" in done.stderr
    assert "MK-PLAIN-77aa" not in done.stdout + done.stderr


def test_relative_paths_start_where_the_file_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "配置"
    file = written(folder, SYSTEMS + FLOWS + "mappings: [ours]\n")
    (folder / "secrets").mkdir()
    (folder / "secrets" / "app_secret").write_text("s3cret\n", encoding="utf-8")
    (folder / "ours" / "erp_kingdee").mkdir(parents=True)
    (folder / "ours" / "erp_kingdee" / "customers.yaml").write_text("nonsense: true\n", encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()

    for place in (tmp_path / "elsewhere", folder):
        monkeypatch.chdir(place)
        done = check(Path(os.path.relpath(file)))
        assert done.returncode == 2
        assert str(folder / "ours" / "erp_kingdee" / "customers.yaml") in done.stderr, "the overlay beside the file was read"


def test_a_file_without_mistakes_needs_no_secret_and_no_database(tmp_path: Path) -> None:
    done = check(written(tmp_path, SYSTEMS + FLOWS))

    assert (done.returncode, done.stderr) == (0, "")
    assert "2 systems, 1 flows, 2 streams with their mappings, no mistake found" in done.stdout
    assert not (tmp_path / "home").exists()


def test_an_owner_in_second_place_that_can_never_decide_is_a_remark(tmp_path: Path) -> None:
    done = check(written(tmp_path, SYSTEMS + FLOWS.replace("phone: [zoho, kingdee]", "industry: [zoho, kingdee]")))

    assert done.returncode == 0
    assert f"{tmp_path / 'hub.yaml'}:18: flows.party.owners.industry: kingdee stands there without effect" in done.stdout


STOCK = """stream: accounts}
  stock_level:
    owners: {default: kingdee}
    systems:
      kingdee: {stream: stock_levels, create: true}"""
MISTAKES = {
    "kind": ("kind: crm_zoho", "kind: crm_zohoo", 11, "no connector of kind 'crm_zohoo' is installed"),
    "a setting's name": ("user_name: hub", "user_nam: hub", 7, "Extra inputs"),
    "a stream in the settings": ('client_id: "1000.x"', "client_id: x\n      fields: {acounts: {A: B}}", 12, "no stream 'acounts'"),
    "a field in the settings": ('client_id: "1000.x"', "client_id: x\n      fields: {accounts: {Fon: B}}", 12, "'Fon'"),
    "two places of a secret": ("{env: ZOHO_CLIENT_SECRET}", "{env: A, file: B}", 14, "name exactly one of env, file, airflow_connection"),
    "stream": ("stream: customers", "stream: custmers", 20, "has no stream 'custmers' (customers?)"),
    "stream of another kind": ("stream: customers", "stream: products", 20, "the mapping of products is for product, not for party"),
    "state": ("mode: read}", "goal: D}", 20, "has no state 'D' (use one of A, B, C)"),
    "needed field": ("mode: read}", "create_needs: [usc]}", 20, "party has no field 'usc' (uscc?)"),
    "condition": ("mode: read}", "create_when: 'record.colour == 1'}", 20, "party has no field 'colour'"),
    "no condition": ("mode: read}", "create_when: 'record.'}", 20, "is not a CEL expression"),
    "start without a field": ("mode: read}", "since: 2026-01-01}", 20, "name the date field in since_field"),
    "first owner": ("phone: [zoho, kingdee]", "industry: kingdee", 18, "does not read industry (take kingdee out, or add a rule"),
    "owned field": ("phone: [zoho, kingdee]", "colour: kingdee", 18, "party has no such field"),
    "created where nothing can be": ("stream: accounts}", STOCK, 25, "records of stock_levels cannot be created there"),
}  # fmt: skip


@pytest.mark.parametrize(("there", "instead", "line", "told"), MISTAKES.values(), ids=MISTAKES)
def test_each_mistake_is_told_with_its_line_and_the_fix(tmp_path: Path, there: str, instead: str, line: int, told: str) -> None:
    text = SYSTEMS + FLOWS
    assert there in text
    file = written(tmp_path, text.replace(there, instead, 1))

    done = check(file)

    assert done.returncode == 2
    lines = [one.strip().removeprefix("sync/bad-config: ") for one in done.stderr.splitlines() if told in one]
    assert [one for one in lines if one.startswith(f"{file}:{line}:")], done.stderr


def test_all_mistakes_are_told_at_once_for_scripts_too(tmp_path: Path) -> None:
    text = (SYSTEMS + FLOWS).replace("stream: customers", "stream: custmers").replace("user_name: hub", "user_nam: hub")
    file = written(tmp_path, text)

    errors = json.loads(check(file, "--json").stdout)["error"]["errors"]

    assert [one["where"] for one in errors] == [f"{file}:5", f"{file}:7", f"{file}:20"]
    assert all(one["next_step"] for one in errors)


def test_a_mistake_in_a_mapping_is_told_with_the_mapping_s_own_line(tmp_path: Path) -> None:
    file = written(tmp_path, SYSTEMS + FLOWS + "mappings: [ours]\n")
    overlay = tmp_path / "ours" / "crm_zoho" / "accounts.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text("entity: party\nfields:\n  colour: {path: Colour}\n", encoding="utf-8")

    done = check(file)

    assert done.returncode == 2
    assert f"{overlay}:3" in done.stderr
