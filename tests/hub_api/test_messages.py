"""Messages over the API: who reads whose."""

from __future__ import annotations

import pytest

from channel.notices.messages import FINANCE, MANAGER, Message
from sync import notices
from tests.hub_api.conftest import Fresh


@pytest.mark.promise(13)
def test_what_is_for_finance_is_read_by_finance_and_it_only(fresh: Fresh) -> None:
    """A tag that stands on a margin is told to finance; a salesperson's key without prices:cost read it in the list of all messages."""
    facts = {"zh": "毛利率 3.1 % （限 5 %）", "en": "margin rate 3.1 % (limit 5 %)"}
    with fresh.hub.transaction() as db:
        secret = notices.post(db, Message("risk_tag_raised", FINANCE, "tag:1/margin", facts))
        plain = notices.post(db, Message("risk_tag_raised", MANAGER, "tag:1/late", {"zh": "逾期", "en": "late"}))

    seen = {
        role: [
            {one["id"] for one in fresh.api.get(role, path).json()["items"]} & {secret, plain} for path in ("/v1/messages", "/v1/notices")
        ]
        for role in ("it", "finance", "sales")
    }

    assert seen == {"it": [{secret, plain}] * 2, "finance": [{secret, plain}] * 2, "sales": [{plain}] * 2}
    assert fresh.api.get("sales", f"/v1/notices/{secret}").status_code == 404
    assert fresh.api("sales", "POST", f"/v1/messages/{secret}/read").status_code == 404
    assert fresh.api.get("sales", "/v1/messages", params={"audience": FINANCE}).json()["items"] == []
    assert secret not in fresh.api.get("sales", "/v1/changes").text
    assert fresh.api("finance", "POST", f"/v1/messages/{secret}/read").json()["state"] == "read"
