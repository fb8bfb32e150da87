"""What is in scope of a flow: which records are created in a system, and in which organisation."""

from __future__ import annotations

from collections.abc import Callable

from sync.decide import Canonical
from sync.golive import is_older
from sync.hub import Cursor, Hub
from sync.streams import StreamState


def filter_for(hub: Hub, state: StreamState) -> Callable[[Canonical], bool]:
    """The test that a record must pass to be created in a system."""
    flow = state.flow
    tests: list[Callable[[Canonical], bool]] = []
    if flow.since is not None and flow.since_field:
        since, dated = flow.since.isoformat(), flow.since_field
        tests.append(lambda canonical: str(canonical.doc.get(dated) or "") >= since)
    elif state.decl.ladder is not None and (go_live := hub.config.go_live_of(state.entity)) is not None:
        tests.append(lambda canonical: not is_older(go_live, canonical.doc))  # to create it there would ask people to approve it
    if flow.create_needs:
        needed = tuple(flow.create_needs)
        tests.append(lambda canonical: all(canonical.number if name == "number" else canonical.doc.get(name) for name in needed))
    if flow.create_when:
        condition = hub.condition(flow.create_when)
        tests.append(lambda canonical: condition({**canonical.doc, "number": canonical.number}))
    if not tests:
        return lambda _canonical: True
    return lambda canonical: all(test(canonical) for test in tests)


def company_there(hub: Hub, db: Cursor, state: StreamState, canonical: Canonical, org: str) -> str:
    """Number of the company whose owners decide what may be written into a record in organisation `org`; empty where all have the same."""
    if not state.policy.by_company:
        return ""
    if state.policy.company_of_rows:
        return org or hub.config.default_company  # such a record carries one company's row: its organisation's
    company = canonical.doc.get("company")
    return hub.company_number(db, company) if company else ""


def company_numbers(db: Cursor) -> dict[str, str]:
    """Organisation numbers of our companies, by id."""
    db.execute("SELECT id::text AS id, number FROM companies")
    return {row["id"]: row["number"] for row in db}


def create_org(hub: Hub, db: Cursor, state: StreamState, canonical: Canonical) -> str:
    """Number of the organisation to create a record in; empty where the system has none."""
    if not state.decl.org:
        return ""
    if state.flow.create_in:
        return state.flow.create_in
    company = canonical.doc.get("company")
    return (hub.company_number(db, company) if company else "") or hub.config.default_company
