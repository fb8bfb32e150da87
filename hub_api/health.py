"""Is the process alive, and can it answer: for load balancers and people."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from hub_api.deps import EngineDep
from hub_api.problems import Unavailable, problems
from hub_api.views import answer

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    """A short word."""

    status: str


def _says(word: str, text: str) -> dict[int | str, dict[str, object]]:
    return {200: {"model": Health, "description": text, "content": {"application/json": {"example": {"status": word}}}}}


@router.get("/live", operation_id="live", responses=_says("alive", "The process runs."), response_class=Response)
def live() -> Response:
    """The process runs; says nothing of the database."""
    return answer({"status": "alive"})


@router.get(
    "/ready", operation_id="ready", responses=_says("ready", "Requests will be answered.") | problems(keyed=False), response_class=Response
)
def ready(engine: EngineDep) -> Response:
    """The database answers and has the schema that this code needs; 503 with Retry-After otherwise."""
    from ledger.migrate import newest  # noqa: PLC0415  Alembic is slow to load, and only needed here

    with engine.reading() as db:
        db.execute("SELECT version_num FROM alembic_version")
        row = db.fetchone()
    if row is None or row["version_num"] != newest():
        raise Unavailable("The database has another schema than this code: run `hub db migrate`.", retry_after_s=30)
    return answer({"status": "ready"})
