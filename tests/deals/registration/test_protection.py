"""Windows, reminders, extension and the life cycle, as pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from canonical.values import SHANGHAI
from channel.deals.errors import NotExtendable, WrongStatus
from channel.deals.protection import ACTIONS, LIVE, Window, after, days_left, due_reminder, extended_end, window_end

START = datetime(2026, 11, 21, 10, 30, tzinfo=SHANGHAI)


def test_ninety_days_end_with_the_ninetieth_business_day() -> None:
    end = window_end(START, 90)

    assert end == datetime(2027, 2, 20, tzinfo=SHANGHAI)
    assert days_left(end, START) == 90
    assert days_left(end, end - timedelta(seconds=1)) == 0
    assert days_left(end, end) == -1


def test_the_business_day_is_that_of_shanghai() -> None:
    late_evening_in_london = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)  # 01:00 on the 22nd in Shanghai

    assert window_end(late_evening_in_london, 1) == datetime(2026, 11, 24, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("left", "given", "due"),
    [
        (15, None, None),
        (14, None, 14),
        (14, 14, None),
        (8, 14, None),
        (7, 14, 7),
        (5, None, 7),
        (1, 7, 1),
        (0, 7, 1),
        (0, 1, None),
        (-1, None, None),
    ],
)
def test_the_nearest_reminder_is_due_once(left: int, given: int | None, due: int | None) -> None:
    assert due_reminder(left, (14, 7, 1), given) == due


def extension(window: Window, now: datetime, evidence: tuple[str, ...] = ("拜访记录 2027-02-10",)) -> datetime:
    return extended_end(window, now, days=30, within_days=14, evidence=evidence)


def test_an_extension_adds_its_days_to_the_old_end() -> None:
    window = Window("protected", START, window_end(START, 90), extended=False)

    assert extension(window, window.ends - timedelta(days=3)) == window.ends + timedelta(days=30)


@pytest.mark.parametrize(
    ("extended", "before_end", "evidence", "why"),
    [
        (True, timedelta(days=3), ("报价单",), "once already"),
        (False, timedelta(days=20), ("报价单",), "days left"),
        (False, timedelta(days=-1), ("报价单",), "over"),
        (False, timedelta(days=3), (), "evidence"),
        (False, timedelta(days=3), ("  ",), "evidence"),
    ],
    ids=["twice", "too early", "too late", "no evidence", "blank evidence"],
)
def test_an_extension_is_refused_with_its_reason(*, extended: bool, before_end: timedelta, evidence: tuple[str, ...], why: str) -> None:
    window = Window("protected", START, window_end(START, 90), extended)

    with pytest.raises(NotExtendable, match=why):
        extension(window, window.ends - before_end, evidence)


def test_a_policy_without_extension_grants_none() -> None:
    window = Window("protected", START, window_end(START, 90), extended=False)

    with pytest.raises(NotExtendable, match="no extension"):
        extended_end(window, window.ends - timedelta(days=1), days=0, within_days=14, evidence=["报价单"])


ENDED = ("rejected", "appealed", "released", "transferred", "expired", "taken_back")


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_no_action_leads_out_of_an_ended_registration_but_an_appeal_or_an_unmerge(action: str) -> None:
    appeals = {("appeal", "rejected"), ("grant_appeal", "appealed"), ("deny_appeal", "appealed")}
    unmerge = {("judge_again", "rejected"), ("judge_again", "appealed"), ("restore", "taken_back")}
    for status in ENDED:
        if (action, status) in appeals | unmerge:
            continue
        with pytest.raises(WrongStatus, match=status.replace("_", " ")):
            after(action, status)


def test_every_status_that_an_action_leads_to_is_known() -> None:
    assert {becomes for _, becomes in ACTIONS.values() if becomes} <= {*LIVE, *ENDED}
