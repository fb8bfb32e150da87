"""Value maps as they hold on a day: read again when somebody edits them, and when the day changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from canonical.values import business_day
from sync import valuing
from sync.config import HubConfig
from sync.hub import Hub
from tests.deals.upkeep.conftest import CONFIG


@pytest.fixture
def hub(database: str) -> Iterator[Hub]:
    """A hub that stays open over midnight, as the API does."""
    with Hub.open(HubConfig.model_validate(CONFIG), database) as opened:
        yield opened


def _told(hub: Hub) -> str:
    with hub.transaction() as db:
        return hub.values(db, "kingdee").table_in("warehouse", "")["CK001"]


def _passed(hub: Hub, days: int) -> None:
    """So many days pass, as far as the rows can tell; nobody edits anything."""
    with hub.transaction() as db:
        db.execute("UPDATE value_map SET valid_from = valid_from - %(days)s::int, valid_to = valid_to - %(days)s::int", {"days": days})
    edits, day = hub._values["kingdee"][0]
    hub._values["kingdee"] = ((edits, day - timedelta(days=days)), hub._values["kingdee"][1])


def test_a_value_that_begins_today_holds_today_in_a_hub_that_was_open_before(hub: Hub) -> None:
    today = business_day(datetime.now(UTC))
    valuing.set_value(hub, "warehouse", "kingdee", "", "CK001", "main", "li", valid_from=today - timedelta(days=9), valid_to=today)
    valuing.set_value(hub, "warehouse", "kingdee", "", "CK001", "east", "li", valid_from=today + timedelta(days=1))

    before = _told(hub)
    _passed(hub, 1)

    assert (before, _told(hub)) == ("main", "east")
