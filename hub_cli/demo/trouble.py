"""`hub demo break`: trouble in a running stand-in, of the kinds that real systems make."""

from __future__ import annotations

import json
from pathlib import Path

from hub_cli.answers import CommandFailed
from hub_cli.demo.doors import Door


def make_trouble(home: Path, system: str) -> str:
    """Make trouble in a stand-in of `hub up`; says what was done and how to look at it and mend it."""
    place = home / "up.json"
    if not place.exists():
        raise CommandFailed("nothing is running here", "start it with `make up`", code="demo/not-up")
    door = Door(json.loads(place.read_text(encoding="utf-8"))["systems"][system]["url"])
    written = {"method": "POST", "path": "Save"} if system == "kingdee" else {"method": "PUT", "path": "Accounts"}
    door.trouble("drop_after", times=1, **written)
    door.trouble("status", times=2, value=500)
    if system == "kingdee":
        customer = door.records("customers")[0]
        door.put("customers", {"FCUSTID": customer["FCUSTID"], "FTEL": "000-改错了"})
        edited = f"customer {customer['FNumber']}: the phone, which Zoho owns"
    else:
        account = door.records("accounts")[0]
        door.put("accounts", {"id": account["id"], "Billing_Street": "(改错了的地址)"})
        edited = f"account {account['Account_Name']}: the address, which Kingdee owns"
    return (
        f"{system}: the next write is committed and its answer lost, the next two calls answer 500, and somebody edited {edited}.\n"
        "Look:  hub sync --until-quiet   hub status   hub conflicts list --state all   hub deliveries --outcome uncertain\n"
        "Mend:  nothing to do; the next `hub sync --until-quiet` repairs it. `hub why party NUMBER` tells who won.\n"
        "(Only flows in mode `write` are repaired; in mode `plan` the difference is held: `hub diff`.)"
    )
