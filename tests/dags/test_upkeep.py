"""Daily upkeep: what must not run out or pile up, and what may be erased."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from canonical.values import SHANGHAI
from connectors.base import Finding
from connectors.errors import Unavailable
from sync import erasing, inspecting, notices, planning, upkeep
from sync.errors import NotFound
from tests.sync.stage import BOSS, Stage

NEXT_YEAR = datetime(2027, 11, 20, 12, tzinfo=UTC)


def partitions(stage: Stage) -> list[str]:
    return [
        row["name"]
        for row in stage.rows("SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'history'::regclass ORDER BY 1")
    ]


def test_partitions_are_laid_out_ahead_and_history_goes_into_them(stage: Stage) -> None:
    """Months begin at midnight in Shanghai: the last eight hours of a UTC month belong to the next one."""
    first = upkeep.keep(stage.hub, now=NEXT_YEAR)
    again = upkeep.keep(stage.hub, now=NEXT_YEAR)

    assert partitions(stage) == ["history_2027_11", "history_2027_12", "history_2028_01", "history_2028_02", "history_default"]
    assert (first.counts["partitions"], again.counts.get("partitions", 0)) == (4, 0)
    with stage.hub.transaction() as db:
        db.execute(
            "INSERT INTO history (entity, entity_id, version, cause, at) SELECT 'party', gen_random_uuid(), 1, 'test', at::timestamptz "
            "FROM unnest(ARRAY['2027-11-30T15:59:59Z', '2027-11-30T16:00:00Z', '2031-01-01T00:00:00Z']) AS at"
        )
    rows = stage.rows("SELECT tableoid::regclass::text AS name FROM history WHERE cause = 'test' ORDER BY at")
    assert [row["name"] for row in rows] == ["history_2027_11", "history_2027_12", "history_default"]


@pytest.mark.promise(12)
def test_history_in_a_partition_is_append_only_too(stage: Stage) -> None:
    import psycopg

    upkeep.keep(stage.hub, now=NEXT_YEAR)
    with stage.hub.transaction() as db:
        db.execute(
            "INSERT INTO history (entity, entity_id, version, cause, at) VALUES ('party', gen_random_uuid(), 1, 'test', '2027-12-24Z')"
        )

    for statement in (b"UPDATE history_2027_12 SET cause = 'other'", b"DELETE FROM history_2027_12", b"DELETE FROM history"):
        with pytest.raises(psycopg.errors.RestrictViolation), stage.hub.transaction() as db:
            db.execute(statement)


def test_a_month_whose_rows_stand_in_the_default_partition_stays_there(stage: Stage) -> None:
    stage.read()

    upkeep.keep(stage.hub)

    this_month = f"history_{datetime.now(SHANGHAI):%Y_%m}"
    assert this_month not in partitions(stage)
    assert len(partitions(stage)) == 1 + upkeep.MONTHS_AHEAD


def test_a_long_transaction_does_not_stop_the_rest_of_the_upkeep(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "LOCK_TIMEOUT", "100ms")
    stage.read()
    plan = planning.make_plan(stage.hub)
    with stage.hub.transaction() as db:
        db.execute("UPDATE plan SET expires_at = now() - interval '1 minute'")
    with stage.hub.transaction() as db:
        db.execute("INSERT INTO history (entity, entity_id, version, cause) VALUES ('party', gen_random_uuid(), 1, 'test')")

        result = upkeep.keep(stage.hub)

    assert result.status == "failed"
    assert "tried again tomorrow" in result.problems[0]
    assert result.counts["plans_expired"] == 1
    assert planning.get_plan(stage.hub, plan.id).state == "expired"


def test_only_plans_that_were_not_applied_in_time_are_closed(stage: Stage) -> None:
    stage.read()
    old, fresh = planning.make_plan(stage.hub), planning.make_plan(stage.hub)
    planning.approve(stage.hub, old.id, BOSS)
    with stage.hub.transaction() as db:
        db.execute("UPDATE plan SET expires_at = now() - interval '1 minute' WHERE id = %s", [old.id])

    result = upkeep.keep(stage.hub)

    assert result.counts["plans_expired"] == 1
    assert stage.rows("SELECT id, state FROM plan ORDER BY id") == [{"id": old.id, "state": "expired"}, {"id": fresh.id, "state": "open"}]


def test_what_is_over_is_swept_away_and_what_may_still_matter_stays(stage: Stage) -> None:
    now = datetime.now(UTC)
    with stage.hub.transaction() as db:
        for days, name in ((31, "old"), (1, "fresh")):
            at = now - timedelta(days=days)
            db.execute("INSERT INTO lease (name, token, holder, until) VALUES (%s, 1, 'x', %s)", [name, at])
            db.execute("INSERT INTO hint (stream_id, key, received_at) VALUES (1, %s, %s)", [name, at])
            db.execute("INSERT INTO budget (system, window_name, starts_at) VALUES (%s, 'day', %s)", [name, at - timedelta(days=days)])
            db.execute("INSERT INTO system_pause (system, until, why) VALUES (%s, %s, 'asked')", [name, at + timedelta(hours=2)])
            db.execute("INSERT INTO run (kind, started_at) VALUES (%s, %s)", [name, now - timedelta(hours=days)])

    result = upkeep.keep(stage.hub)

    assert {name: result.counts[name] for name in ("leases", "hints", "budgets", "pauses", "runs_closed")} == dict.fromkeys(
        ("leases", "hints", "budgets", "pauses", "runs_closed"), 1
    )
    assert [row["name"] for row in stage.rows("SELECT name FROM lease WHERE holder = 'x'")] == ["fresh"]
    assert stage.rows("SELECT kind, status FROM run WHERE kind IN ('old', 'fresh') ORDER BY id") == [
        {"kind": "old", "status": "failed"},
        {"kind": "fresh", "status": "running"},
    ]


class Watched:
    """A session with a notification channel, and what its renewal comes to."""

    def __init__(self, outcome: Sequence[Finding] | Exception) -> None:
        self.outcome = outcome

    def renew_watch(self) -> Sequence[Finding]:
        """As a connector's session does."""
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def close(self) -> None:
        """Nothing to close."""


def test_notification_channels_are_renewed_whatever_the_system(stage: Stage) -> None:
    """Zoho's session has a channel, Kingdee's has none; the engine asks for what a session can do, never for a connector."""
    result = upkeep.keep(stage.hub)

    assert result.status == "done", result.problems
    assert isinstance(stage.hub.session("zoho"), upkeep.Watching)
    assert not isinstance(stage.hub.session("kingdee"), upkeep.Watching)


def test_a_broken_channel_is_a_notice_until_it_works(stage: Stage) -> None:
    sessions = stage.hub._sessions  # the hub's own place for open sessions
    sessions["kingdee"] = Watched([Finding("notifications", False, "no channel tells of quotes", "name a notify_url")])  # type: ignore[assignment]
    broken = upkeep.keep(stage.hub)
    told = notices.notices_for(stage.hub, "it", state="open")
    sessions["kingdee"] = Watched([Finding("notifications", True, "until tomorrow")])  # type: ignore[assignment]
    mended = upkeep.keep(stage.hub)

    assert broken.counts["channels_broken"] == 1
    assert [(one["about"], one["facts"]["notifications"]) for one in told] == [
        ("system:kingdee", "no channel tells of quotes. name a notify_url")
    ]
    assert mended.status == "done"
    assert notices.notices_for(stage.hub, "it", state="open") == []


def test_a_system_that_does_not_answer_is_told_and_stops_no_other_part(stage: Stage) -> None:
    stage.hub._sessions["kingdee"] = Watched(Unavailable("kingdee", "no answer"))  # type: ignore[assignment]

    result = upkeep.keep(stage.hub, now=NEXT_YEAR)

    assert result.status == "failed"
    assert "kingdee: its notification channel was not renewed" in result.problems[0]
    assert result.counts["partitions"] == 4


@pytest.mark.promise(12)
def test_personal_values_are_erased_and_the_history_stays_whole(stage: Stage) -> None:
    stage.read()
    contact = stage.zoho.records("contacts")[0]
    stage.zoho.put("contacts", {"id": contact["id"], "Mobile": "13800001111"})
    stage.zoho.put("contacts", {"id": contact["id"], "Mobile": "13900002222"})
    stage.read()
    entity_id = inspecting.find_record(stage.hub, "contact", contact["id"])
    before = inspecting.history(stage.hub, "contact", entity_id)
    assert "13900002222" in str(before)

    erased = erasing.erase_personal(stage.hub, "contact", entity_id, "privacy officer")
    again = erasing.erase_personal(stage.hub, "contact", entity_id, "privacy officer")

    after = inspecting.history(stage.hub, "contact", entity_id)
    assert (erased > 0, again) == (True, 0)
    assert "13900002222" not in str(after)
    assert [one["cause"] for one in after if one["cause"].startswith("erase")] == ["erase:privacy officer"]
    assert [(one["version"], one["cause"]) for one in after if not one["cause"].startswith("erase")] == [
        (one["version"], one["cause"]) for one in before
    ]
    kept = stage.one("SELECT string_agg(changed::text, '') FROM history WHERE entity_id = %s", entity_id)
    assert "13900002222" not in kept


def test_a_record_that_is_not_there_cannot_be_erased(stage: Stage) -> None:
    with pytest.raises(NotFound, match="there is no contact"):
        erasing.erase_personal(stage.hub, "contact", UUID(int=1), "privacy officer")
