"""What several streams of one system say alike is one line for the person who reads it; nothing is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub_cli.answers import of_run, told_once
from sync import cycle
from sync.hub import Hub
from sync.runs import RunResult
from tests.sync.conftest import quiet_log, small  # noqa: F401  the stand-ins
from tests.sync.stage import Pair, Stage, open_hub

REFUSED = "kingdee: 10.0.0.9: the connection was refused. Next: check the address and that this machine reaches it"


def test_one_cause_is_one_line_that_names_all_its_streams() -> None:
    said = [f"kingdee.{name}: {REFUSED}" for name in ("customers", "products")]

    assert told_once([*said, "3 of 4 stay in quarantine; `hub quarantine list` says why"]) == [
        f"{REFUSED} (2 streams of kingdee: customers, products)",
        "3 of 4 stay in quarantine; `hub quarantine list` says why",
    ]
    assert told_once([said[0], "zoho.deals: zoho: answered 500"]) == [said[0], "zoho.deals: zoho: answered 500"]
    assert told_once(["upkeep: busy"]) == ["upkeep: busy"]
    assert of_run(RunResult("increment", "failed", problems=said)).data["problems"] == said, "--json leaves nothing out"


@pytest.mark.promise(7)
def test_a_wrong_secret_of_kingdee_is_told_as_such_and_the_other_system_goes_on(
    small: Pair,  # noqa: F811  the fixture
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HUB_SECRET_KEY", "a key for a test")
    small.reset()
    same = [("DEMO_KINGDEE_APP_SECRET}", "DEMO_KINGDEE_APP_SECRET}")]  # a file of its own, with secrets in files
    with open_hub(small, database, tmp_path / "home", same) as right:
        path = right.config_path
    (tmp_path / "home" / "secrets" / "DEMO_KINGDEE_APP_SECRET").write_text("not the secret", encoding="utf-8")
    with Hub.open(path, database) as hub:
        stage = Stage(small, hub)

        told = of_run(cycle.increment(hub, "kingdee"))
        other = cycle.increment(hub, "zoho")

        assert isinstance(told.text, str)
        problems = [line for line in told.text.splitlines() if "!" in line]
        assert len(problems) == 1
        assert "the sign-in was refused" in problems[0]
        assert "app_secret" in problems[0]
        assert "lacks a right" not in problems[0]
        assert stage.one("SELECT count(*) FROM observed") > 0
        assert other.status != "failed", "what waits for Kingdee's records may wait"
        assert other.counts["read"] > 5
