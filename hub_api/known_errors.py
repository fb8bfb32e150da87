"""Which problem an error of the rules, the engine, a connector or the database becomes: that of its code, else that of its kind."""

from __future__ import annotations

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout

from hub_api.problems import (
    BadLinkRows,
    Forbidden,
    ForgedCallback,
    InvalidPayload,
    NotAllowedHere,
    NotFound,
    Problem,
    Stale,
    SystemAway,
    TookTooLong,
    Unavailable,
    WrongState,
)

_BY_CODE: dict[str, type[Problem]] = {
    "sync/not-found": NotFound,
    "sync/busy": WrongState,
    "sync/overtaken": WrongState,
    "sync/wrong-state": WrongState,
    "sync/plan-expired": WrongState,
    "sync/stale": Stale,
    "sync/not-allowed": NotAllowedHere,
    "sync/bad-value-row": WrongState,
    "sync/bad-link-rows": BadLinkRows,
}


def know(*kinds: type[Problem]) -> None:
    """Let errors with these codes become these problems; a room's own problems stand beside its routes."""
    _BY_CODE.update({kind.code: kind for kind in kinds})


_BY_KIND: dict[str, type[Problem]] = {
    "invalid": InvalidPayload,
    "not_found": NotFound,
    "forbidden": Forbidden,
    "conflict": WrongState,
    "gone": WrongState,
}


def problem_of(error: BaseException) -> Problem:
    """The problem that an error of any room becomes. Anything unknown is our own failure, and says nothing of its cause."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, psycopg.errors.QueryCanceled):
        return TookTooLong()
    if isinstance(error, (psycopg.OperationalError, PoolTimeout, PoolClosed)):
        return Unavailable()
    code = str(getattr(error, "code", ""))
    if code == "connectors/forged":
        return ForgedCallback()
    if code.startswith("connectors/"):
        return SystemAway()
    if code == "sync/bad-config":
        return Unavailable("The hub's configuration cannot be used; the log says why.", retry_after_s=60)
    found = _BY_CODE.get(code) or _BY_KIND.get(str(getattr(error, "kind", "")))
    if found is None:
        return Problem()
    told = [
        {"where": one["where"], "what": one["what"] + (f" ({one['next_step']})" if one.get("next_step") else "")}
        for one in getattr(error, "errors", ())
    ]
    problem = found() if found.says_no_more else found(str(error)[:1000], errors=told)
    problem.code = code or found.code
    problem.retry_after_s = getattr(error, "retry_after_s", None) or problem.retry_after_s
    return problem
