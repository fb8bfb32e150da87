"""Secrets and private data stay where they belong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from structlog.testing import capture_logs

from sync import cycle, inspecting
from tests.sync.stage import Stage


def secrets_of(stage: Stage) -> list[str]:
    found = []
    for system in stage.pair.systems.values():
        credentials: dict[str, Any] = system["credentials"]
        found += [
            str(value)
            for name, value in credentials.items()
            if name.lower() in ("appsecret", "password", "client_secret", "refresh_token") and value
        ]
    return found


@pytest.mark.promise(13)
def test_no_secret_and_no_payload_stands_in_logs_errors_or_the_database(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    marker = "MK-91370000"
    stage.zoho.put("accounts", {"Account_Name": f"{marker} 有限公司", "Phone": marker})
    stage.zoho.fault(match={"path": "/crm/v8/Contacts"}, effect="status", value={"status": 500, "body": f"oops {marker}"})
    stage.zoho.fault(match={"path": "/crm/v8/Leads"}, effect="garbage")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(10))
    with capture_logs() as logs:
        stage.read()
        stage.zoho.calm()
        stage.go_live()
    told = json.dumps(logs, default=str, ensure_ascii=False) + capfd.readouterr().out
    told += json.dumps(inspecting.runs(stage.hub, limit=100), default=str, ensure_ascii=False)
    with psycopg.connect(stage.hub.database_url) as connection:
        tables = ("run", "delivery_attempt", "delivery_receipt", "quarantine", "shared_token", "conflict", "history")
        stored = " ".join(
            str(connection.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t".encode()).fetchone()) for table in tables
        )

    assert len(secrets_of(stage)) >= 3
    for secret in secrets_of(stage):
        assert secret not in told
        assert secret not in stored
    assert marker not in told
    assert len(logs) > 50


@pytest.mark.promise(13)
def test_a_token_in_the_database_cannot_be_read_without_the_key(live: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    from sync.tokens import DatabaseTokenStore

    name = live.one("SELECT name FROM shared_token WHERE name LIKE 'zoho:%%' LIMIT 1").partition(":")[2]
    known = DatabaseTokenStore(live.hub, "zoho").read(name)
    monkeypatch.setenv("HUB_SECRET_KEY", "another key")

    assert known is not None
    assert known[0].encode() not in bytes(live.one("SELECT secret FROM shared_token WHERE name = %s", f"zoho:{name}"))
    assert DatabaseTokenStore(live.hub, "zoho").read(name) is None


@pytest.mark.promise(13)
def test_a_wrong_password_is_told_without_telling_it_and_is_not_tried_again(stage: Stage, tmp_path: Path) -> None:
    from sync.hub import Hub

    assert stage.hub.config_path is not None
    secret = stage.hub.config_path.parent / "secrets" / "DEMO_ZOHO_REFRESH_TOKEN"
    kept = secret.read_text()
    secret.write_text("WRONG-TOKEN-7391")
    with stage.hub.transaction() as db:
        db.execute("DELETE FROM shared_token")
    with Hub.open(stage.hub.config_path, stage.hub.database_url) as hub:
        result = cycle.increment(hub, "zoho")
    secret.write_text(kept)

    assert result.status == "failed"
    assert "WRONG-TOKEN-7391" not in " ".join(result.problems)
    assert len([line for line in stage.zoho.log() if "oauth" in line["path"]]) <= 3
    assert cycle.increment(stage.hub, "zoho", ["products"]).status == "done"
