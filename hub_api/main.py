"""The application: `create_app(hub)` for tests and embedding, `app` for uvicorn (`uvicorn hub_api.main:app`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from hub_api import (
    answers,
    cases,
    changes,
    conflicts,
    deals,
    deals_customers,
    deals_fences,
    deals_goods,
    deals_leads,
    deals_moves,
    deals_pipelines,
    deals_policies,
    deals_results,
    deals_review,
    deliveries,
    documentation,
    drift,
    duplicates,
    entities,
    funds,
    health,
    hooks,
    links,
    merges,
    metrics,
    plans,
    prices,
    quarantine,
    quotes,
    rebate_accounts,
    rebate_facts,
    rebates,
    records,
    runs,
    scorecards,
    scorecards_work,
    systems,
    values,
)
from hub_api.deps import Engine
from hub_api.gate import Gate
from hub_api.problems import BadParameters, InvalidPayload, MethodNotAllowed, NotFound, Problem, RecordNotFound, Unreadable
from hub_api.settings import ApiSettings

if TYPE_CHECKING:
    from sync.hub import Hub

ROUTERS = (
    health.router,
    metrics.router,
    hooks.router,
    systems.router,
    entities.router,
    changes.router,
    links.router,
    merges.router,
    deliveries.router,
    conflicts.router,
    cases.router,
    quarantine.router,
    plans.router,
    runs.router,
    drift.router,
    values.router,
    deals.router,
    deals_moves.router,
    answers.router,
    deals_review.router,
    deals_policies.router,
    deals_fences.router,
    deals_goods.router,
    deals_customers.router,
    deals_pipelines.router,
    deals_results.router,
    deals_leads.router,
    duplicates.router,
    rebates.programmes,
    rebates.statements,
    rebate_accounts.router,
    rebate_facts.router,
    funds.funds,
    funds.claims,
    funds.cuts,
    quotes.router,
    prices.price,
    prices.rules,
    prices.specials,
    scorecards.router,
    scorecards_work.router,
    records.router,
)
"""Fixed addresses first, then those of the entities."""


def create_app(
    hub: Hub | None = None,
    *,
    settings: ApiSettings | None = None,
    opener: Callable[[], Hub] | None = None,
    on_problem: Callable[[Any, Problem], None] | None = None,
) -> FastAPI:
    """The API over an open hub, or over one that `opener` opens at the first need.

    `on_problem` is told of every problem that is answered; tests compare them with what the routes declare.
    """
    settings = settings or ApiSettings.from_environment()
    engine = Engine(settings, hub, opener)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        engine.close()

    app = FastAPI(
        title="Channel Hub",
        version="1",
        summary="Partners, orders and payments as one truth over every connected system.",
        description=documentation.INTRODUCTION,
        docs_url="/docs" if settings.docs else None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.engine = engine
    for router in ROUTERS:
        # The routes themselves, not `include_router`: that would build each of them a second time.
        app.router.routes.extend(router.routes)
    app.add_middleware(Gate, engine=engine, on_problem=on_problem)
    app.add_exception_handler(HTTPException, _refused_by_framework)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.openapi = lambda: documentation.openapi(app)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


def _open_hub() -> Hub:
    from sync.hub import Hub  # noqa: PLC0415  opening needs the whole engine; the process must start without

    return Hub.open()


def _refused_by_framework(request: Request, error: Exception) -> Any:
    """What the framework itself refuses, in our words."""
    status = getattr(error, "status_code", 500)
    if status == 405:
        raise MethodNotAllowed(allow=", ".join(_allowed(request))) from None
    kind = {404: NotFound, 400: Unreadable}.get(status, Problem)
    raise kind from None


def _allowed(request: Request) -> list[str]:
    """Methods of the first address that matches: a fixed one, before the address of a record that would match it too."""
    matching = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted(
        {
            method
            for route in matching
            if route.path == matching[0].path and getattr(route, "include_in_schema", True)
            for method in route.methods or ()
        }
    )


def _not_valid(_request: Request, error: Exception) -> Any:
    """Parameters and payloads of the wrong shape. An id that cannot exist is not found. No value that came is repeated."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    places = {str(one["loc"][0]) for one in found}
    if any(one["type"] == "json_invalid" for one in found):
        raise Unreadable
    if "path" in places:
        raise RecordNotFound
    errors = [{"where": ".".join(str(part)[:60] for part in one["loc"])[:200], "what": str(one["msg"])[:200]} for one in found[:20]]
    raise (BadParameters if places - {"body"} else InvalidPayload)(errors=errors)


def __getattr__(name: str) -> FastAPI:
    """`app`, made when a server asks for it, not when a test imports this module."""
    if name != "app":
        raise AttributeError(name)
    return create_app(opener=_open_hub)
