"""docs/api.md names every problem, scope, metric and setting that there is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from hub_api import deals_problems, metrics, problems
from hub_api.permissions import Role, Scope
from hub_api.settings import ApiSettings
from sync.hub import Hub

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def every_problem() -> list[type[problems.Problem]]:
    """Every kind of problem that there is."""
    found = {**vars(problems), **vars(deals_problems)}.values()
    return [one for one in found if isinstance(one, type) and issubclass(one, problems.Problem)]


def test_the_page_names_every_problem_scope_role_and_setting() -> None:
    kinds = every_problem()
    names = [*(kind.code for kind in kinds), *Scope, *Role, *(f"HUB_API_{field.name.upper()}" for field in dataclasses.fields(ApiSettings))]

    assert [name for name in names if f"`{name}`" not in PAGE] == []
    assert [f"| `{kind.code}` | {kind().status} |" for kind in kinds if f"`{kind.code}`" not in PAGE] == []


def test_the_page_tells_the_status_of_every_problem() -> None:
    kinds = every_problem()
    table = [row.split("|") for row in PAGE.splitlines() if row.startswith("| `")]
    rows = {code.strip().strip("`"): cells[2].strip() for cells in table for code in cells[1].split(",")}

    assert {kind.code: rows.get(kind.code) for kind in kinds} == {kind.code: str(kind().status) for kind in kinds}


def test_the_page_names_every_metric_and_no_other(hub: Hub) -> None:
    with hub.transaction() as db:
        names = {metric.name + ("_total" if metric.type == "counter" else "") for metric in metrics.figures(db)}

    assert names == {row.split("`")[1] for row in PAGE.splitlines() if row.startswith("| `hub_")}
