"""Replaying: what the systems said is mapped, merged and judged again from what is stored, after hub.yaml or a mapping was changed.

Reading leaves what did not change alone, so a changed owner, scope or mapping is asked of records only when they change. This asks it of
all of them at once. No system is called and nothing is written into one: what follows is due, or waits for a plan.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.bulk import fetch
from sync import deriving, leases, parked
from sync.errors import Busy
from sync.hub import Cursor, Hub
from sync.judging import judge_records
from sync.reading import hub_mode
from sync.runs import Run, RunResult, running
from sync.streams import StreamState

PAGE = 500


def replay(hub: Hub, system: str | None = None, streams: Sequence[str] | None = None) -> RunResult:
    """Take every stored record in again and judge every pair anew; of all systems, or of one and some of its streams.

    Safe to stop and to repeat. A stream that another worker reads is left out, and named.
    """
    states = [state for name in ([system] if system else hub.systems()) for state in hub.streams_of(name, streams)]
    with running(hub, "replay", system or "", ",".join(streams or ())) as run:
        states = [state for state in states if hub_mode(hub, state) != "off"]
        for state in states:
            _replay_stream(hub, state, run)
        for name in dict.fromkeys(state.entity for state in states):
            run.count("judged", judge_records(hub, name))
        run.result.add(deriving.derive(hub))
    return run.result


def _replay_stream(hub: Hub, state: StreamState, run: Run) -> None:
    last, aside = "", 0

    def page(db: Cursor) -> tuple[list[str], int]:
        leases.confirm(db, lease)
        query = "SELECT key FROM observed WHERE stream_id = %s AND key > %s AND NOT deleted ORDER BY key LIMIT %s"
        keys = [key for (key,) in fetch(db, query, [state.id, last, PAGE])]
        return keys, parked.replay(hub, db, state, keys, run.id) if keys else 0

    try:
        with leases.held(hub, f"read:{state.label}") as lease:
            while True:
                keys, through = hub.settle(page)
                if not keys:
                    break
                last, aside = keys[-1], aside + len(keys) - through
                run.count("replayed", through)
    except Busy as taken:
        run.problem(f"{state.label}: {taken}", "busy")
    if aside:
        run.count("set_aside", aside)
        run.problem(f"{state.label}: {aside} records are set aside. Next: `hub quarantine list`", "set_aside")
