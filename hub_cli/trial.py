"""The configuration of a trial: the demo's hub.yaml with the stand-ins' addresses and credentials, secrets in private files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.world import World

TEMPLATE = Path(__file__).parent / "demo" / "hub.yaml"

CREDENTIALS: Mapping[str, Mapping[str, str]] = {
    "kingdee": {
        "DEMO_KINGDEE_URL": "ServerUrl",
        "DEMO_KINGDEE_ACCT_ID": "AcctId",
        "DEMO_KINGDEE_USER": "UserName",
        "DEMO_KINGDEE_APP_ID": "AppId",
        "DEMO_KINGDEE_APP_SECRET": "AppSecret",
    },
    "zoho": {
        "DEMO_ZOHO_URL": "api_domain",
        "DEMO_ZOHO_ACCOUNTS_URL": "accounts_url",
        "DEMO_ZOHO_CLIENT_ID": "client_id",
        "DEMO_ZOHO_CLIENT_SECRET": "client_secret",
        "DEMO_ZOHO_REFRESH_TOKEN": "refresh_token",
    },
}
"""By stand-in: the name in the template and the name in the vendor's console."""


def secrets_of(systems: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What the template's `{env: NAME}` stand for, from what `hub sandbox serve` prints for each system."""
    return {
        name: str(systems[system]["credentials"][console])
        for system, names in CREDENTIALS.items()
        if system in systems
        for name, console in names.items()
    }


def value_rows(world: World) -> list[dict[str, Any]]:
    """A world's value maps as rows for `sync.valuing.apply_rows`."""
    names = {"erp_kingdee": "kingdee", "crm_zoho": "zoho"}
    return [
        {
            "name": row["map"],
            "system": names[row["system_kind"]],
            "company": row.get("company", ""),
            "vendor_value": row["vendor_value"],
            "canonical_value": row["canonical_value"],
        }
        for row in world.value_maps
    ]


def write_trial(home: Path, systems: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write HOME/hub.yaml and its secrets; gives the file. A hub.yaml that is there stays, only the secrets are written anew."""
    folder = home / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, secret in secrets_of(systems).items():
        file = folder / name
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(secret)
    target = home / "hub.yaml"
    if not target.exists():
        text = re.sub(r"\{env: (DEMO_\w+)\}", lambda found: f"{{file: {folder / found[1]}}}", TEMPLATE.read_text(encoding="utf-8"))
        target.write_text(text, encoding="utf-8")
    return target
