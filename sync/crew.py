"""Side by side: what does not wait for each other is worked on by several processes, as many as hub.yaml's `workers` says.

This process is one of them; the others are started when there is enough to do, and end with it. Which of them does what changes nothing:
each holds the leases of what it works on, and commits by the page. A worker that dies fails the run; what it had not committed is done
again by the next one.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any

from sync.errors import SyncError

if TYPE_CHECKING:
    from sync.hub import Hub

_HEAD_BYTES = 8


class WorkerFailed(SyncError):
    """A worker process died, or met something that it had no answer to."""

    code = "sync/worker-failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work: `task(hub, *arguments)`. The task stands in a module, so that every process finds it."""

    name: str
    task: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    after: frozenset[str] = frozenset()
    """Names of jobs that must have ended before."""


@dataclass
class Crew:
    """The processes that work for one open hub, this one among them."""

    hub: Hub
    size: int
    prepare: Callable[[], None] | None = None
    """What each worker process does first, such as setting up its log."""
    _others: list[_Other] = field(default_factory=list)

    def muster(self) -> None:
        """Start the worker processes now, while there is nothing to do yet; otherwise they start with the first work for them."""
        while len(self._others) < self.size - 1:
            self._others.append(_Other(self.hub, self.prepare))

    def work(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, Any]]:
        """Do jobs, those that stand first preferred, and give each with its result as it ends.

        The first failure is raised, when what had begun has ended. Raises: WorkerFailed for the failure of another process.
        """
        self.muster()
        done: set[str] = set()
        names = {job.name for job in jobs}
        waiting = list(jobs)
        busy: dict[Future[Any], tuple[Job, _Other | None]] = {}
        free: list[_Other | None] = [*self._others, None]
        failure: BaseException | None = None
        with ThreadPoolExecutor(max(self.size, 1), thread_name_prefix="crew") as threads:
            while busy or (waiting and failure is None):
                ready = [job for job in waiting if not job.after & (names - done)] if failure is None else []
                for job in ready[: len(free)]:
                    waiting.remove(job)
                    place = free.pop()
                    doing = threads.submit(job.task, self.hub, *job.arguments) if place is None else threads.submit(place.do, job)
                    busy[doing] = (job, place)
                ended, _ = wait(busy, return_when=FIRST_COMPLETED)
                for doing in ended:
                    job, place = busy.pop(doing)
                    free.append(place)
                    if (wrong := doing.exception()) is not None:
                        failure = failure or wrong
                        continue
                    done.add(job.name)
                    yield job, doing.result()
        if failure is not None:
            raise failure

    def dismiss(self) -> None:
        """End the worker processes."""
        for other in self._others:
            other.end()
        self._others.clear()


def environment() -> dict[str, str]:
    """What a Python of ours needs to find the modules that this one found."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


class _Other:
    """A worker process. It ends when the pipe to it does, so it outlives nobody, not even a parent that was killed."""

    def __init__(self, hub: Hub, prepare: Callable[[], None] | None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sync.crew"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
        )
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101, PT018  asked for above
        self._to, self._from = self._process.stdin, self._process.stdout
        _put(self._to, (prepare, hub.config, hub.database_url))

    def do(self, job: Job) -> Any:
        """Do a job there. Raises: WorkerFailed."""
        try:
            _put(self._to, (job.task, job.arguments))
            went_well, answer = _get(self._from)
        except (OSError, EOFError) as lost:
            what = f"the worker process {self._process.pid} ended while it did {job.name}"
            raise WorkerFailed(what, next_step="look at its log above, then run it again") from lost
        if not went_well:
            raise WorkerFailed(f"{job.name}: {answer}", next_step="mend what it says, then run it again")
        return answer

    def end(self) -> None:
        """Close the pipe and wait for its end."""
        self._to.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._from.close()


def _put(pipe: IO[bytes], message: Any) -> None:
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    pipe.write(len(body).to_bytes(_HEAD_BYTES, "big") + body)
    pipe.flush()


def _get(pipe: IO[bytes]) -> Any:
    head = pipe.read(_HEAD_BYTES)
    if len(head) < _HEAD_BYTES:
        raise EOFError
    body = pipe.read(int.from_bytes(head, "big"))
    return pickle.loads(body)  # noqa: S301  from our own process, over a pipe that nobody else holds


def _serve(commands: IO[bytes], answers: IO[bytes]) -> None:
    """The life of a worker process: one hub, one job after another, until the pipe ends."""
    from sync.hub import Hub  # noqa: PLC0415  the hub knows its crew

    wanted: SimpleQueue[Any] = SimpleQueue()

    def listen() -> None:
        try:
            while True:
                wanted.put(_get(commands))
        except EOFError:
            if busy.is_set():
                os._exit(1)  # whoever asked for it is gone: what is not committed is done again by others
            wanted.put(None)

    busy = threading.Event()
    prepare, config, url = _get(commands)
    if prepare is not None:
        prepare()
    threading.Thread(target=listen, name="listen", daemon=True).start()
    with Hub.open(config, url) as hub:
        hub.crew.size = 1  # a worker has none of its own
        hub.streams  # noqa: B018  compiled while nobody waits yet
        while (job := wanted.get()) is not None:
            busy.set()
            task, arguments = job
            try:
                answer = (True, task(hub, *arguments))
            except Exception as wrong:  # noqa: BLE001  the edge of a job: told to whoever asked
                answer = (False, f"{type(wrong).__name__}: {wrong}")
            busy.clear()
            _put(answers, answer)


def main() -> int:
    """A worker process: commands on standard input, answers on standard output; whatever else is printed goes to standard error."""
    commands, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    from sync.crew import _serve as serve  # noqa: PLC0415  by its real name, as pickled jobs know it

    try:
        serve(commands, answers)
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
