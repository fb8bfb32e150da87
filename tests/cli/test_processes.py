"""Children are always stopped: with their own children, after a kill of any of them, and after a kill of ourselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hub_cli.processes import Children, Mark, marked, members, standing_in, stop_marked
from tests.cli.running import REPOSITORY, alive, kill, until

FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
print(child.pid, flush=True)
time.sleep(300)
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(0, flush=True); time.sleep(300)"


def start(children: Children, name: str = "server", code: str = FAMILY, cwd: Path | None = None) -> tuple[int, int]:
    """A server that has a child of its own; gives both process ids."""
    server = children.start(name, [sys.executable, "-c", code], pipe=True, cwd=cwd)
    assert server.stdout is not None
    return server.pid, int(server.stdout.readline())


def test_a_server_is_stopped_with_its_own_children(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        server, child = start(children)

    assert not alive(server)
    assert not alive(child)
    assert marked(tmp_path) == []


def test_a_server_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    children = Children(tmp_path)
    server, _ = start(children, code=STUBBORN)

    assert children.stop(patience_s=0.3) == []
    assert not alive(server)


def test_the_children_of_a_killed_server_are_stopped_too(tmp_path: Path) -> None:
    children = Children(tmp_path)
    server, child = start(children)
    kill(server)

    assert until(lambda: not alive(server))
    assert alive(child), "the case would prove nothing"
    assert children.stop() == []
    assert not alive(child)


def test_servers_end_when_their_starter_is_killed(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
from hub_cli.processes import Children
children = Children(Path({str(tmp_path)!r}))
server = children.start("server", [sys.executable, "-c", {FAMILY!r}], pipe=True)
print(server.pid, int(server.stdout.readline()), flush=True)
time.sleep(300)
"""
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=REPOSITORY)
    assert starter.stdout is not None
    server, child = map(int, starter.stdout.readline().split())
    assert alive(server)
    assert alive(child)

    starter.kill()
    starter.communicate()

    assert until(lambda: not alive(server) and not alive(child))
    assert until(lambda: marked(tmp_path) == [])


def test_servers_that_stay_are_found_by_another_process(tmp_path: Path) -> None:
    children = Children(tmp_path, stay=True)
    server, child = start(children)

    assert [mark.name for mark in marked(tmp_path)] == ["server"]
    assert stop_marked(tmp_path, reap=children._reap) == []
    assert not alive(server)
    assert not alive(child)


def test_an_id_that_belongs_to_another_process_by_now_is_left_alone(tmp_path: Path) -> None:
    with Children(tmp_path / "other") as others:
        stranger, _ = start(others)
        stale = Mark("server", stranger, Mark.of("server", stranger).began - 1)

        assert not stale.alive
        assert stale.everyone() == []
        assert alive(stranger)


def test_processes_are_found_by_where_they_stand(tmp_path: Path) -> None:
    with Children(tmp_path / "run") as children:
        place = tmp_path / "home"
        place.mkdir()
        server, child = start(children, cwd=place)

        assert sorted(standing_in(place)) == sorted([server, child])
        assert sorted(members(server)) == sorted([server, child])


def test_stopping_one_set_of_servers_leaves_another_in_the_same_directory(tmp_path: Path) -> None:
    first, second = Children(tmp_path), Children(tmp_path)
    one, _ = start(first, "one")
    two, _ = start(second, "two")

    first.stop()

    assert not alive(one)
    assert alive(two)
    assert second.stop() == []
    assert not alive(two)
