"""`hub sandbox serve`: one JSON document with what a client needs, until SIGTERM, and no process left."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from hub_cli.quick_http import call, free_ports
from tests.cli.running import REPOSITORY, alive, environment, hub, until


def serve(home: Path, *arguments: str) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    command = [sys.executable, "-m", "hub_cli.main", "sandbox", "serve", *arguments]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=REPOSITORY, env=environment(home))
    assert server.stdout is not None
    return server, json.loads(server.stdout.readline())


def test_both_stand_ins_tell_urls_and_credentials_and_end_with_sigterm(tmp_path: Path) -> None:
    server, systems = serve(tmp_path)
    try:
        answered = [call("GET", f"{systems[name]['control']}/log") for name in ("kingdee", "zoho")]
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(timeout=60)

    assert answered == [[], []]
    assert {"ServerUrl", "AcctId", "UserName", "AppId", "AppSecret"} <= set(systems["kingdee"]["credentials"])
    assert {"client_id", "client_secret", "refresh_token", "api_domain", "accounts_url"} <= set(systems["zoho"]["credentials"])
    assert code == 0
    assert not any(alive(one["pid"]) for one in systems.values())


def test_ports_follow_the_base_and_a_kill_leaves_no_stand_in(tmp_path: Path) -> None:
    base = next(port for port in free_ports(20) if port < 65000)
    server, systems = serve(tmp_path, "crm_zoho", "--port-base", str(base), "--seed", "3")

    server.kill()
    server.communicate()

    assert systems["zoho"]["url"].endswith(f":{base}")
    assert list(systems) == ["zoho"]
    assert until(lambda: not alive(systems["zoho"]["pid"]))


def test_a_system_that_there_is_not_is_a_usage_error(tmp_path: Path) -> None:
    done = hub(tmp_path, "sandbox", "serve", "sap")

    assert done.returncode == 2
    assert "there are kingdee, zoho" in done.stderr
