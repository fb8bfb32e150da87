"""What a dealer learns of others through deals: nothing. Markers stand in all that others did, and are looked for in every byte he gets."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog

from tests.hub_api.conftest import Fresh
from tests.hub_api.test_deals import HUAYI, HUAYI_AGAIN, LANSI, UNSURE, do, register
from tests.hub_api.test_markers import leaked
from tests.hub_api.world import RIVAL

PLANTED = {
    "contact": "MK-CONTACT-5a17",
    "project": "MK-PROJECT-77b0",
    "address": "MK-STREET-09cd路8号",
    "cause": "MK-WHY-REG-3e3e",
    "policy note": "MK-POLICY-61fa",
    "fence note": "MK-FENCE-8d2c",
    "review": "MK-REVIEW-42e1",
}
"""What others wrote; RIVAL stands in the other dealer's name."""
PHONE = "13577778888"
ACTIONS: dict[str, dict[str, Any]] = {
    "appeal": {"cause": "x"},
    "extend": {"evidence": ["x"]},
    "release": {},
    "activity": {"what": "x"},
    "convert": {},
}


@dataclass
class Staged:
    """What happened before the dealer looks."""

    hidden: dict[str, str] = field(default_factory=dict)
    theirs: list[str] = field(default_factory=list)
    answers: list[tuple[str, bytes]] = field(default_factory=list)

    def keep(self, what: str, answer: Any) -> Any:
        """Remember what the dealer was answered."""
        self.answers.append((what, answer.content + str(answer.headers).encode()))
        return answer


def stage(fresh: Fresh) -> Staged:
    """The rival holds customers, our people hold others, fences and policies stand; then the dealer meets each of them."""
    seen = Staged()
    secret = {"contact": PLANTED["contact"], "project": PLANTED["project"], "address": PLANTED["address"]}
    fresh.api("it", "POST", "/v1/deals/policies", json={"days": 77, "product_line": "阀门", "note": PLANTED["policy note"]})
    rival = str(fresh.world.rival)
    area = {"dealer": rival, "region": "51", "exclusive": True, "note": PLANTED["fence note"]}
    for fence in (area, {"dealer": rival}):  # who has a fence sells inside of his fences only: the second one is everywhere
        fresh.api("it", "POST", "/v1/deals/fences", json=fence)
    held = register(fresh, "other_dealer", {**HUAYI, **secret, "phone": PHONE}).json()
    seen.theirs.append(held["id"])
    direct = register(fresh, "other_dealer", {**LANSI, **secret}).json()
    number = fresh.api.get("it", f"/v1/deals/registrations/{direct['id']}").json()["customer"]
    do(fresh, "other_dealer", direct["id"], "release", {"cause": PLANTED["cause"]})
    ours = fresh.api("it", "POST", "/v1/deals/direct", json={"customer": number, "cause": PLANTED["cause"]}).json()
    seen.theirs += [direct["id"], ours["id"]]

    for claim in (HUAYI_AGAIN, UNSURE, LANSI, {"name": "成都天府阀门制造有限公司", "region": "5101"}):
        seen.keep(f"check {claim['name']}", fresh.api("dealer", "POST", "/v1/deals/check", json=claim))
        seen.keep(f"register {claim['name']}", register(fresh, "dealer", claim))
    _handed_around(fresh, seen)
    _compared(fresh)
    seen.hidden = {**PLANTED, "rival": RIVAL, "rival's party": rival, "phone": PHONE}
    seen.hidden |= {f"their registration {number}": one for number, one in enumerate(seen.theirs)}
    return seen


def _handed_around(fresh: Fresh, seen: Staged) -> None:
    """A customer goes from the rival to the dealer and back; another is taken back because the rival's appeal was granted."""
    given = register(fresh, "other_dealer", {"name": "武汉长江泵业有限公司", "product_line": "阀门"}).json()["id"]
    seen.theirs.append(given)
    mine = do(fresh, "sales", given, "transfer", {"to": str(fresh.world.agent), "cause": PLANTED["cause"]}).json()["id"]
    back = do(fresh, "sales", mine, "transfer", {"to": str(fresh.world.rival), "cause": PLANTED["cause"]}).json()["id"]
    seen.theirs.append(back)
    firm = {"name": "西安秦川传动有限公司", "uscc": "91110000100006921R"}
    lost = seen.keep("register what is lost", register(fresh, "dealer", firm)).json()["id"]
    refused = register(fresh, "other_dealer", {**firm, "project": PLANTED["project"]}).json()["registration"]["id"]
    seen.theirs.append(refused)
    do(fresh, "other_dealer", refused, "appeal", {"cause": PLANTED["cause"]})
    granted = do(fresh, "sales", refused, "decide-appeal", {"answer": "grant", "end_holder": True, "cause": PLANTED["cause"]})
    assert granted.json()["status"] == "protected"
    after = seen.keep("what was lost", fresh.api.get("dealer", f"/v1/deals/registrations/{lost}")).json()
    assert (after["status"], after["reason"]) == ("taken_back", "by_person")


def _compared(fresh: Fresh) -> None:
    """Somebody looks at the dealer's doubtful claim, and then decides."""
    for asked in fresh.api.get("sales", "/v1/deals/review").json()["items"]:
        for answer in ("hold", "same"):
            body = {"registration": asked["registration"], "customer": asked["customer"], "answer": answer, "reason": PLANTED["review"]}
            assert fresh.api("sales", "POST", "/v1/deals/review/decide", json=body).status_code == 200


def crawl(fresh: Fresh, seen: Staged) -> Iterator[tuple[str, bytes]]:
    """All that the dealer was answered, and every address about deals that he can ask."""
    yield from seen.answers
    lists = ("registrations", "notices", "review", "direct", "policies", "fences", "fence-hits")
    own = [one["id"] for one in fresh.api.get("dealer", "/v1/deals/registrations").json()["items"]]
    assert len(own) >= 5
    for name in lists:
        for parameters in ({}, {"limit": 1}, {"status": "rejected"}, {"dealer": str(fresh.world.rival)}, {"customer": 1}):
            answer = fresh.api.get("dealer", f"/v1/deals/{name}", params=parameters)
            yield (
                f"{name} {parameters}",
                answer.content.replace(str(fresh.world.rival).encode(), b"") if "dealer" in parameters else answer.content,
            )
    for registration in (*own, *seen.theirs):
        answer = fresh.api.get("dealer", f"/v1/deals/registrations/{registration}")
        yield f"get {registration}", answer.content
        for action, body in ACTIONS.items():
            yield f"{action} {registration}", do(fresh, "dealer", registration, action, body).content
    yield "changes", fresh.api.get("dealer", "/v1/changes", params={"limit": 200}).content
    yield "notices afterwards", fresh.api.get("dealer", "/v1/messages", params={"limit": 200}).content


@pytest.fixture
def log() -> Iterator[StringIO]:
    """Everything that is logged, at every level, whatever other tests have set."""
    before, told = structlog.get_config(), StringIO()
    structlog.configure(
        processors=[structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.PrintLoggerFactory(told),
        cache_logger_on_first_use=False,
    )
    yield told
    structlog.configure(**before)


@pytest.mark.promise(13)
def test_a_dealer_gets_no_trace_of_others_in_answers_errors_or_logs(fresh: Fresh, log: StringIO) -> None:
    seen = stage(fresh)

    found = [(place, name) for place, raw in crawl(fresh, seen) for name, marker in seen.hidden.items() if leaked(raw, marker)]

    assert found == []
    logged = log.getvalue().encode()
    assert b"/v1/deals/registrations/{registration_id}" in logged
    assert [name for name, marker in seen.hidden.items() if leaked(logged, marker)] == []


def test_the_markers_can_be_found_where_they_may_be_read(fresh: Fresh) -> None:
    seen = stage(fresh)
    addresses = ["registrations?limit=200", "policies", "fences", "notices?limit=200", "review?state=same"]
    addresses += [f"registrations/{one}" for one in (*seen.theirs, *_own(fresh))]

    raw = b"".join(fresh.api.get("it", f"/v1/deals/{address}").content for address in addresses)

    assert [name for name, marker in seen.hidden.items() if not leaked(raw, marker)] == []


def _own(fresh: Fresh) -> list[str]:
    return [one["id"] for one in fresh.api.get("dealer", "/v1/deals/registrations").json()["items"]]


@pytest.mark.promise(13)
def test_anothers_registration_is_as_absent_as_one_that_never_was(fresh: Fresh) -> None:
    theirs = UUID(register(fresh, "other_dealer", HUAYI).json()["id"])

    for action, body in {"": None, **ACTIONS}.items():
        answers = []
        for one in (theirs, uuid4()):
            where = f"/v1/deals/registrations/{one}" + (f"/{action}" if action else "")
            answers.append(fresh.api("dealer", "POST", where, json=body) if action else fresh.api.get("dealer", where))

        assert [one.status_code for one in answers] == [404, 404], action
        assert answers[0].content == answers[1].content, action
    assert fresh.api.get("other_dealer", f"/v1/deals/registrations/{theirs}").json()["status"] == "protected"


def test_a_refusal_says_the_same_whoever_holds_the_customer(fresh: Fresh) -> None:
    """A dealer's refusals differ only in what he gave himself: neither who holds it nor how sure the matcher is can be read from them."""
    register(fresh, "other_dealer", HUAYI)
    fresh.api("it", "POST", "/v1/deals", json={**LANSI, "dealer": str(fresh.world.city)})

    first, second = (register(fresh, "dealer", claim).json() for claim in (HUAYI_AGAIN, LANSI))
    for one in (first, second):
        del one["registration"]["id"], one["registration"]["submitted_at"]

    assert first == second
    assert set(first["registration"]) == {"status", "reason", "message", "protected_until", "repeated"}
