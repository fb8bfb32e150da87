"""Events going out under the event faults."""

from __future__ import annotations

import pytest

from sandbox.core import Event, Events, Fault, Faults


@pytest.fixture
def sent() -> list[bytes]:
    return []


def events(faults: Faults, sent: list[bytes]) -> Events:
    def send(event: Event) -> int:
        sent.append(event.body)
        return 200

    return Events(faults, send)


def fire(out: Events, *bodies: str) -> None:
    for body in bodies:
        out.fire("Leads", Event("http://127.0.0.1:1/", body.encode()))
    out.wait()
    out.close()


def test_events_go_out_in_order(sent: list[bytes]) -> None:
    fire(events(Faults(), sent), "1", "2", "3")

    assert sent == [b"1", b"2", b"3"]


@pytest.mark.parametrize(
    ("effect", "expected"),
    [("lose_event", [b"2", b"3"]), ("duplicate_event", [b"1", b"1", b"2", b"3"]), ("reorder_events", [b"2", b"1", b"3"])],
)
def test_one_event_is_lost_doubled_or_overtaken(effect: str, expected: list[bytes], sent: list[bytes]) -> None:
    faults = Faults()
    faults.add(Fault(effect, times=1, stream="leads"))

    fire(events(faults, sent), "1", "2", "3")

    assert sent == expected


def test_an_event_held_back_with_nothing_behind_it_goes_out_when_released(sent: list[bytes]) -> None:
    faults = Faults()
    faults.add(Fault("reorder_events", times=1))
    out = events(faults, sent)
    out.fire("Leads", Event("http://127.0.0.1:1/", b"alone"))

    out.release()
    out.wait()
    out.close()

    assert sent == [b"alone"]


def test_a_receiver_that_is_away_loses_its_event_and_nothing_else() -> None:
    out = Events(Faults())

    fire(out, "gone")

    assert len(out.lost) == 1
