"""No route that a dealer's key opens is left out: each belongs to a room whose world is full of markers, and none of them comes back.

Answers, headers, errors, papers and logs are scanned. A route without a room fails here by name: write its room in tests/hub_api/rooms.py.
"""

from __future__ import annotations

from collections import Counter
from io import StringIO

import pytest

from channel import paper
from tests.hub_api.rooms import ROOMS
from tests.hub_api.spec import KEYED
from tests.hub_api.test_deals_privacy import log
from tests.hub_api.test_markers import leaked

__all__ = ["log"]  # the fixture: everything that is logged
FOR_DEALERS = {route.id for route in KEYED if "dealer" in route.roles()}


def test_every_route_that_a_dealers_key_opens_belongs_to_one_room() -> None:
    owned = Counter(operation for room in ROOMS.values() for operation in room.operations)

    assert sorted(FOR_DEALERS - set(owned)) == [], "write their room in tests/hub_api/rooms.py"
    assert sorted(set(owned) - FOR_DEALERS) == []
    assert [operation for operation, times in owned.items() if times > 1] == []


@pytest.mark.promise(13)
@pytest.mark.parametrize("name", ROOMS)
def test_a_dealer_finds_no_marker_in_answers_errors_papers_or_logs(
    name: str, database: str, log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "INSTALLED", ())  # the reader's own font: the text of a paper can be read here
    room = ROOMS[name]
    with room.stage(database) as staged:
        told = log.getvalue()
        room.walk(staged)
        logged = log.getvalue()[len(told) :].encode()
        heard, markers = staged.api.heard, staged.markers

    assert markers
    found = [(operation, status, marker) for operation, status, raw in heard for marker, text in markers.items() if leaked(raw, text)]
    assert found == []
    assert [marker for marker, text in markers.items() if leaked(logged, text)] == []
    answered = {operation for operation, status, _ in heard if 200 <= status < 300}
    assert sorted(room.operations - answered - ABSENT) == [], "asked, and never answered well"
    assert room.operations <= {operation for operation, _, _ in heard}


ABSENT = {route.id for route in KEYED if route.entity in {"department", "employee", "approval", "notice"}}
"""Kinds of record of which a dealer sees none."""


@pytest.mark.parametrize("name", ROOMS)
def test_our_own_people_read_every_marker(name: str, database: str) -> None:
    room = ROOMS[name]
    with room.stage(database) as staged:
        raw = room.ours(staged)

    assert [marker for marker, text in staged.markers.items() if not leaked(raw, text)] == []
