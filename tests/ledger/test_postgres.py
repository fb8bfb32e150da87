"""The launcher: one server shared, several at once, restarted after a kill, always stopped, as root and as an ordinary user."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger import postgres
from ledger.launcher import shutdown
from ledger.launcher.binaries import account

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def home() -> Iterator[Path]:
    """A place for a server that its account can reach (pytest's own tmp_path is private to us)."""
    directory = Path(tempfile.mkdtemp(prefix="hub-test-pg-"))
    directory.chmod(0o711)
    yield directory / "postgres"
    postgres.stop(directory / "postgres")
    shutil.rmtree(directory, ignore_errors=True)


def one(url: str, question: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(question).fetchone()
        return row[0] if row else None


def script(body: str, home: Path, how: str = "fast=True") -> list[str]:
    """A Python process that starts the server of `home` as `server`, then runs `body`."""
    text = f"""
import sys, os, time
from pathlib import Path
from ledger import postgres
server = postgres.start(Path({str(home)!r}), {how})
{body}
"""
    return [sys.executable, "-c", text]


def wait_until_gone(home: Path, patience_s: float = 60) -> list[int]:
    deadline = time.monotonic() + patience_s
    while (left := shutdown.processes(postgres.usable_home(home) / "data")) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def test_a_server_starts_answers_and_leaves_no_process(home: Path) -> None:
    with postgres.start(home) as server:
        postgres.ensure(server.url)
        encoding = one(server.url, "SELECT pg_encoding_to_char(encoding) || ' ' || datctype FROM pg_database WHERE datname = 'hub'")
        durable = one(server.url, "SHOW fsync")
        found = shutdown.processes(home / "data")

    assert encoding == "UTF8 C.UTF-8"
    assert durable == "on"
    assert found
    assert shutdown.processes(home / "data") == []


def test_the_data_directory_is_private_and_the_password_is_asked(home: Path) -> None:
    with postgres.start(home, fast=True) as server:
        modes = [stat.S_IMODE((home / name).stat().st_mode) for name in ("data", "password")]
        wrong = server.url.replace(f":{(home / 'password').read_text()}@", ":wrong@")

        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(wrong)

    assert modes == [0o700, 0o600]


def test_data_and_port_survive_a_stop(home: Path) -> None:
    with postgres.start(home, fast=True) as server:
        postgres.ensure(server.url)
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE 客户 AS SELECT '上海华谊' AS 名称")
        first_port = server.port
    with postgres.start(home, fast=True) as server:
        kept = one(server.url, "SELECT 名称 FROM 客户")

    assert kept == "上海华谊"
    assert server.port == first_port


def test_several_servers_run_at_once(home: Path) -> None:
    with postgres.start(home.with_name("east"), fast=True) as east, postgres.start(home.with_name("west"), fast=True) as west:
        assert east.port != west.port
        assert one(east.url_of("postgres"), "SELECT 1") == one(west.url_of("postgres"), "SELECT 1") == 1


def test_two_processes_share_a_server_and_the_last_one_stops_it(home: Path) -> None:
    with postgres.start(home, fast=True) as server:
        other = subprocess.Popen(
            script("print(server.port, flush=True); sys.stdin.read()", home), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY
        )
        assert other.stdout is not None
        others_port = int(other.stdout.readline())

    assert others_port == server.port
    assert one(server.url_of("postgres"), "SELECT 1") == 1, "the first one out must not stop it"
    other.communicate(timeout=60)
    assert wait_until_gone(home) == []


def test_a_killed_parent_leaves_no_server_behind(home: Path) -> None:
    parent = subprocess.Popen(script("print('up', flush=True); time.sleep(300)", home), stdout=subprocess.PIPE, cwd=REPOSITORY)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"up\n"
    assert shutdown.processes(home / "data")

    parent.kill()
    parent.wait()

    assert wait_until_gone(home) == []


def test_a_parent_killed_while_the_server_starts_leaves_none_behind(home: Path) -> None:
    parent = subprocess.Popen(script("time.sleep(300)", home), cwd=REPOSITORY)
    deadline = time.monotonic() + 60
    while not shutdown.processes(home / "data.new") and time.monotonic() < deadline:
        time.sleep(0.01)

    parent.kill()
    parent.wait()
    with postgres.start(home, fast=True) as server:
        answer = one(server.url_of("postgres"), "SELECT 1")

    assert answer == 1
    assert wait_until_gone(home) == []


def test_committed_rows_survive_a_kill_of_the_server_and_it_starts_again_at_once(home: Path) -> None:
    first = postgres.start(home)
    postgres.ensure(first.url)
    with psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    busy = psycopg.connect(first.url)
    pid = postgres.status(home).pid
    assert pid is not None

    os.kill(pid, signal.SIGKILL)
    begun = time.monotonic()
    with postgres.start(home) as again:
        took_s = time.monotonic() - begun
        kept = one(again.url, "SELECT n FROM kept")
    first.stop()
    busy.close()

    assert kept == 7
    assert took_s < 60
    assert wait_until_gone(home) == []


def test_a_process_id_that_belongs_to_another_program_does_not_keep_it_from_starting(home: Path) -> None:
    with postgres.start(home, fast=True):
        pid_file = (home / "data" / "postmaster.pid").read_text()
    stale = home / "data" / "postmaster.pid"
    stale.write_text("\n".join([str(os.getpid()), *pid_file.splitlines()[1:]]) + "\n")  # as after a container was restarted
    os.chown(stale, account().uid, account().gid)

    with postgres.start(home, fast=True) as server:
        assert one(server.url_of("postgres"), "SELECT 1") == 1


def test_a_kept_server_outlives_its_starter_until_it_is_stopped(home: Path) -> None:
    subprocess.run(script("pass", home, "fast=True, keep=True"), check=True, cwd=REPOSITORY, timeout=120)
    with postgres.start(home, fast=True) as user:
        answer = one(user.url_of("postgres"), "SELECT 1")

    assert answer == 1
    assert postgres.status(home).running, "a user that leaves does not stop a kept server"
    assert postgres.stop(home)
    assert wait_until_gone(home) == []
    assert not postgres.stop(home), "nothing is running any more"


def test_a_removed_server_is_stopped_and_its_data_is_gone(home: Path) -> None:
    postgres.start(home, fast=True, keep=True)

    postgres.remove(home)

    assert not home.exists()
    assert shutdown.processes(home / "data") == []


def test_a_temporary_server_leaves_no_file(home: Path) -> None:
    with postgres.temporary() as server:
        place = server.home

    assert not place.exists()


ORDINARY_USER = """
import os, sys
sys.path[:0] = {path!r}
from pathlib import Path
from ledger import postgres
with postgres.start(Path({home!r})) as server:
    postgres.ensure(server.url)
    import psycopg
    with psycopg.connect(server.url) as connection:
        print(os.geteuid(), connection.execute("SELECT current_setting('server_version_num')::int").fetchone()[0])
print(postgres.status(Path({home!r})).running)
"""


def test_an_ordinary_user_starts_and_stops_it(home: Path) -> None:
    """As root this runs again as `nobody`, with copies of what lies in private folders; otherwise we are that user already."""
    if os.geteuid() != 0:
        with postgres.start(home, fast=True) as server:
            assert one(server.url_of("postgres"), "SELECT 1") == 1
        return
    nobody = pwd.getpwnam("nobody")
    home.parent.chmod(0o777)
    private = home.parent / "code"
    _copy_for_everyone(private)

    python = private / "python" / "bin" / Path(sys.executable).resolve().name
    asked = ORDINARY_USER.format(path=[str(private), str(private / "packages")], home=str(home))
    environment = {"PATH": os.defpath, "HOME": "/nonexistent", "LD_LIBRARY_PATH": str(private / "python" / "lib")}
    ran = subprocess.run(
        [str(python), "-c", asked],
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split()[0] == str(nobody.pw_uid)
    assert ran.stdout.split()[-1] == "False"


def _copy_for_everyone(target: Path) -> None:
    """Python, our launcher and psycopg where every account can read them: the interpreter itself may lie in root's home."""
    source = Path(psycopg.__file__).parents[1]
    python = Path(sys.base_prefix)
    left_out = shutil.ignore_patterns("site-packages", "test", "tests", "__pycache__", "idlelib", "ensurepip", "share", "*.a", "tkinter")
    shutil.copytree(python, target / "python", ignore=left_out, symlinks=True)
    for name in ("psycopg", "psycopg_binary", "psycopg_binary.libs", "typing_extensions.py"):
        if (source / name).is_dir():
            shutil.copytree(source / name, target / "packages" / name)
        elif (source / name).exists():
            shutil.copy(source / name, target / "packages" / name)
    for name in ("ledger/__init__.py", "ledger/postgres.py"):
        (target / name).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / name, target / name)
    shutil.copytree(REPOSITORY / "ledger" / "launcher", target / "ledger" / "launcher")
    target.chmod(0o755)


def test_from_a_private_folder_programs_and_data_move_where_the_server_s_account_can_reach_them(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clone in /root: its venv and its .hub are closed to the account that the server must run as."""
    private, public = home.parent / "root", home.parent / "public"
    private.mkdir(mode=0o700)
    public.mkdir(mode=0o755)
    found = postgres.find()
    shutil.copytree(found.directory.parent, private / "pg", symlinks=False, ignore=shutil.ignore_patterns("pgxs", "bitcode"))
    monkeypatch.setenv("HUB_POSTGRES_BIN", str(private / "pg" / "bin"))
    for module in ("binaries", "cluster"):
        monkeypatch.setattr(f"ledger.launcher.{module}.SYSTEM_HOME", public)

    copied = postgres.find()
    moved = postgres.usable_home(private / ".hub" / "postgres")

    if os.geteuid() == 0:
        assert copied.directory == public / f"postgres-{found.version}" / "bin"
        assert moved.parent == public
        assert moved == postgres.usable_home(private / ".hub" / "postgres"), "always the same place"
    else:
        assert copied.directory == private / "pg" / "bin"
        assert moved == private / ".hub" / "postgres"
