"""Registrations over the API: one customer, one protected dealer; what people do with registrations; rules; messages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from tests.hub_api.conftest import Fresh

HUAYI = {"name": "上海华谊机械设备有限公司", "uscc": "91310000132200944J", "phone": "021-58881234", "city": "上海市", "project": "二号线"}
HUAYI_AGAIN = {"name": "华谊机械设备（上海）有限公司", "uscc": "91310000132200944J", "city": "上海"}
LANSI = {"name": "深圳市蓝思电子科技有限公司", "phone": "13800138000", "city": "深圳市"}
UNSURE = {"name": "上海华谊机械设备有限公司苏州分公司"}
"""A branch of the first one: a person says whether it is the same customer."""


def register(fresh: Fresh, role: str, claim: dict[str, Any], **more: Any) -> Any:
    """A registration by a dealer's own key."""
    return fresh.api(role, "POST", "/v1/deals", json={**claim, **more.pop("body", {})}, **more)


def do(fresh: Fresh, role: str, registration: str, what: str, body: dict[str, Any] | None = None) -> Any:
    """An action on a registration."""
    return fresh.api(role, "POST", f"/v1/deals/registrations/{registration}/{what}", json=body or {})


def test_the_first_is_protected_and_the_second_refused_with_a_record_that_he_may_appeal(fresh: Fresh) -> None:
    free = fresh.api("dealer", "POST", "/v1/deals/check", json=HUAYI)
    mine = register(fresh, "dealer", HUAYI, body={"amount": "1200000.00", "currency": "CNY"})
    taken = fresh.api("other_dealer", "POST", "/v1/deals/check", json=HUAYI_AGAIN)
    theirs = register(fresh, "other_dealer", HUAYI_AGAIN)
    again = register(fresh, "dealer", HUAYI_AGAIN)

    assert (free.json()["free"], taken.json()["free"]) == ("yes", "no")
    assert (mine.status_code, mine.json()["status"], mine.json()["reason"]) == (201, "protected", "free")
    assert mine.headers["Location"] == f"/v1/deals/registrations/{mine.json()['id']}"
    assert (theirs.status_code, theirs.json()["code"]) == (409, "deals/refused")
    assert theirs.headers["Content-Type"] == "application/problem+json"
    assert theirs.json()["registration"]["reason"] == "protected"
    assert theirs.json()["registration"]["message"]["zh"]
    assert (again.status_code, again.json()["id"], again.json()["repeated"]) == (200, mine.json()["id"], True)
    appealed = do(fresh, "other_dealer", theirs.json()["registration"]["id"], "appeal", {"cause": "我们先报的"})
    assert (appealed.status_code, appealed.json()["status"]) == (200, "appealed")


def test_a_repeated_request_gives_the_first_answer_also_for_a_refusal(fresh: Fresh) -> None:
    headers = {"Idempotency-Key": "order-7"}
    mine = register(fresh, "dealer", HUAYI)
    first, second = (register(fresh, "other_dealer", HUAYI_AGAIN, headers=headers) for _ in range(2))

    assert mine.status_code == 201
    assert first.status_code == second.status_code == 409
    assert first.content == second.content
    assert second.headers["Idempotency-Replayed"] == "true"
    assert register(fresh, "other_dealer", LANSI, headers=headers).json()["code"] == "api/idempotency-key-reused"
    assert len(fresh.rows("SELECT 1 FROM registration")) == 2


def test_the_key_is_remembered_when_the_answer_is_no_longer_kept(fresh: Fresh) -> None:
    headers = {"Idempotency-Key": "order-8"}
    first = register(fresh, "dealer", HUAYI, headers=headers)
    with fresh.hub.transaction() as db:
        db.execute("DELETE FROM idempotent_request")

    second = register(fresh, "dealer", HUAYI, headers=headers)
    other = register(fresh, "dealer", LANSI, headers={"Idempotency-Key": "order-8"})

    assert (second.status_code, second.json()["id"]) == (200, first.json()["id"])
    assert (other.status_code, other.json()["code"]) == (409, "api/idempotency-key-reused")


def test_our_people_name_the_dealer_and_a_dealer_names_nobody_else(fresh: Fresh) -> None:
    named = register(fresh, "sales", HUAYI, body={"dealer": str(fresh.world.rival)})
    nobody = register(fresh, "sales", LANSI)
    unknown = register(fresh, "sales", LANSI, body={"dealer": str(uuid4())})
    anothers = register(fresh, "dealer", LANSI, body={"dealer": str(fresh.world.rival)})
    none = register(fresh, "dealer", LANSI, body={"dealer": str(uuid4())})

    assert named.status_code == 201
    assert [one.json()["code"] for one in (nobody, unknown)] == ["deals/unknown-dealer"] * 2
    assert anothers.status_code == none.status_code == 403
    assert anothers.content == none.content
    assert fresh.api.get("other_dealer", "/v1/deals/registrations").json()["items"][0]["id"] == named.json()["id"]


def test_how_much_may_be_asked_is_limited_and_the_answer_says_how_long(fresh: Fresh) -> None:
    with fresh.hub.transaction() as db:
        db.execute(
            "INSERT INTO check_quota (dealer_id, kind, starts_at, used) VALUES (%s, 'check_hour', date_trunc('hour', now(), "
            "'Asia/Shanghai'), 60)",
            [fresh.world.agent],
        )

    answer = fresh.api("dealer", "POST", "/v1/deals/check", json=HUAYI)

    assert (answer.status_code, answer.json()["code"]) == (429, "deals/too-many-checks")
    assert 0 < int(answer.headers["Retry-After"]) <= 3600
    assert fresh.api("other_dealer", "POST", "/v1/deals/check", json=HUAYI).status_code == 200


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        ({"name": ""}, "deals/bad-claim"),
        ({"name": "！？…"}, "deals/bad-claim"),
        ({"name": "公" * 5000}, "api/invalid-payload"),
        ({"name": "华谊\x00机械"}, "api/invalid-payload"),
        ({"name": "华谊", "amount": "12", "currency": None}, "api/invalid-payload"),
        ({"name": "华谊", "amount": "-1", "currency": "CNY"}, "api/invalid-payload"),
        ({"name": "华谊", "colour": "red"}, "api/invalid-payload"),
    ],
)
def test_a_claim_that_says_nothing_is_told_so(fresh: Fresh, claim: dict[str, Any], code: str) -> None:
    answer = register(fresh, "dealer", claim)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize("name", ["🏭🔥", "'; DROP TABLE registration; --", "%_%", "13800138000"])
def test_odd_names_get_a_clear_answer(fresh: Fresh, name: str) -> None:
    answer = register(fresh, "dealer", {"name": name})

    assert answer.status_code in {200, 201, 409, 422}
    assert len(fresh.rows("SELECT 1 FROM registration")) == (answer.status_code != 422)


def test_our_people_see_why_it_was_decided_so(fresh: Fresh) -> None:
    mine = register(fresh, "dealer", HUAYI).json()["id"]
    theirs = register(fresh, "other_dealer", HUAYI_AGAIN).json()["registration"]["id"]

    seen = fresh.api.get("sales", f"/v1/deals/registrations/{theirs}").json()

    decision = seen["decision"]
    assert (decision["outcome"], decision["verdict"], decision["met"]) == ("rejected", "duplicate", mine)
    assert decision["replayed"] == "same"
    assert decision["customer_name"] == HUAYI["name"]
    code = next(one for one in decision["features"] if one["feature"] == "code")
    assert code["found"] == "same"
    assert code["zh"]
    assert code["en"]
    assert [one["action"] for one in seen["events"]] == ["register"]
    assert seen["events"][0]["actor"] == f"dealer:{fresh.world.rival}"


def test_the_list_is_paged_filtered_and_a_dealers_own(fresh: Fresh) -> None:
    ids = [register(fresh, "dealer", {"name": f"{place}恒昌阀门制造有限公司"}).json()["id"] for place in ("南京", "武汉", "成都")]
    register(fresh, "other_dealer", LANSI)

    first = fresh.api.get("dealer", "/v1/deals/registrations", params={"limit": 2}).json()
    rest = fresh.api.get("dealer", "/v1/deals/registrations", params={"limit": 2, "after": first["next"]}).json()

    assert [one["id"] for one in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None
    assert len(fresh.api.get("it", "/v1/deals/registrations").json()["items"]) == 4
    ours = fresh.api.get("it", "/v1/deals/registrations", params={"dealer": str(fresh.world.rival), "status": "protected"}).json()
    assert [one["dealer_name"] for one in ours["items"]] == [fresh.rows("SELECT name FROM parties WHERE number = 'C3'")[0]["name"]]
    for hidden in ({"dealer": str(fresh.world.rival)}, {"customer": 1}):
        assert fresh.api.get("dealer", "/v1/deals/registrations", params=hidden).json()["code"] == "records/field-not-allowed"


def test_finance_reads_no_way_to_reach_a_person(fresh: Fresh) -> None:
    made = register(fresh, "dealer", {**HUAYI, "contact": "李明"}).json()["id"]

    claims = {role: fresh.api.get(role, f"/v1/deals/registrations/{made}").json()["claim"] for role in ("dealer", "sales", "finance")}

    assert claims["dealer"] == claims["sales"] == {**HUAYI, "contact": "李明"}
    assert set(claims["finance"]) == {"name", "uscc", "city", "project"}


def test_a_registration_lives_its_life(fresh: Fresh) -> None:
    made = register(fresh, "dealer", HUAYI).json()["id"]

    early = do(fresh, "dealer", made, "extend", {"evidence": ["拜访"]})
    worked = do(fresh, "dealer", made, "activity", {"what": "提交样品"})
    moved = do(fresh, "sales", made, "transfer", {"to": str(fresh.world.rival), "cause": "调整"})
    gone = do(fresh, "dealer", made, "release")
    taken = do(fresh, "sales", moved.json()["id"], "take-back", {"cause": "窜货"})

    assert (early.status_code, early.json()["code"]) == (409, "deals/not-extendable")
    assert worked.status_code == 200
    assert (moved.status_code, moved.json()["dealer"], moved.json()["previous"]) == (200, str(fresh.world.rival), made)
    assert (gone.status_code, gone.json()["code"]) == (409, "deals/wrong-status")
    assert taken.json()["status"] == "taken_back"
    assert fresh.api("dealer", "POST", "/v1/deals/check", json=HUAYI).json()["free"] == "yes"
    audit = fresh.rows("SELECT action, phase FROM api_audit WHERE target = %s ORDER BY id", f"registration:{made}")
    assert ("registration.transfer", "done") in [(one["action"], one["phase"]) for one in audit]
    assert ("registration.release", "refused") in [(one["action"], one["phase"]) for one in audit]


def test_what_a_policy_leaves_to_people_waits_and_is_approved_or_refused(fresh: Fresh) -> None:
    policy = fresh.api("it", "POST", "/v1/deals/policies", json={"product_line": "水泵", "approval": "person", "days": 30})
    first = register(fresh, "dealer", HUAYI, body={"product_line": "水泵"}).json()
    second = register(fresh, "dealer", LANSI, body={"product_line": "水泵"}).json()

    approved, refused = do(fresh, "sales", first["id"], "approve"), do(fresh, "sales", second["id"], "reject", {"cause": "资料不全"})

    assert policy.status_code == 201
    assert (first["status"], first["reason"], first["protected_until"]) == ("submitted", "approval", None)
    assert (approved.json()["status"], approved.json()["days"]) == ("protected", 30)
    assert refused.json()["status"] == "rejected"


def test_an_approval_in_the_ledger_is_answered_and_the_dealer_is_told(fresh: Fresh) -> None:
    fresh.api("it", "POST", "/v1/deals/policies", json={"product_line": "水泵", "approval": "person"})
    made = register(fresh, "dealer", HUAYI, body={"product_line": "水泵"}).json()["id"]
    asked = [one for one in fresh.api.get("sales", "/v1/approvals").json()["items"] if one.get("about") == f"registration:{made}"]

    done = fresh.api("sales", "POST", f"/v1/approvals/{asked[0]['id']}/answer", json={"decision": "approved"})
    twice = fresh.api("sales", "POST", f"/v1/approvals/{asked[0]['id']}/answer", json={"decision": "rejected"})

    assert (done.status_code, done.json()["decision"]) == (200, "approved")
    assert (twice.status_code, twice.json()["code"]) == (409, "sync/wrong-state")
    assert fresh.api.get("dealer", f"/v1/deals/registrations/{made}").json()["status"] == "protected"
    told = fresh.api.get("dealer", "/v1/messages").json()["items"]
    assert [one["kind"] for one in told] == ["deal_registered", "deal_waiting"]
    assert fresh.api.get("other_dealer", "/v1/messages").json()["items"] == []
    assert fresh.api("other_dealer", "POST", f"/v1/messages/{told[0]['id']}/read").status_code == 404
    assert fresh.api("dealer", "POST", f"/v1/messages/{told[0]['id']}/read").json()["state"] == "read"


def doubtful(fresh: Fresh) -> dict[str, Any]:
    """A claim that waits because it may mean a customer that another holds."""
    assert register(fresh, "dealer", HUAYI).status_code == 201
    made = register(fresh, "other_dealer", UNSURE).json()
    assert made["status"] == "held", made
    answer: dict[str, Any] = made
    return answer


@pytest.mark.parametrize(("answer", "status"), [("same", "rejected"), ("different", "protected"), ("hold", "held")])
def test_a_person_compares_and_decides(fresh: Fresh, answer: str, status: str) -> None:
    held = doubtful(fresh)
    asked = fresh.api.get("sales", "/v1/deals/review", params={"waits": "true"}).json()["items"]
    body = {"registration": held["id"], "customer": asked[0]["customer"], "answer": answer, "reason": "查了执照"}

    done = fresh.api("sales", "POST", "/v1/deals/review/decide", json=body)
    left = fresh.api.get("sales", "/v1/deals/review").json()["items"]

    assert (asked[0]["registration"], asked[0]["customer_name"]) == (held["id"], HUAYI["name"])
    assert asked[0]["reasons"]
    assert (done.status_code, done.json()["status"]) == (200, status)
    assert [(one["decided_by"], one["reason"]) for one in left] == ([("api:sales", "查了执照")] if answer == "hold" else [])


def test_an_appeal_is_granted_for_another_firm(fresh: Fresh) -> None:
    register(fresh, "dealer", HUAYI)
    refused = register(fresh, "other_dealer", HUAYI_AGAIN).json()["registration"]["id"]
    do(fresh, "other_dealer", refused, "appeal", {"cause": "代码写错了"})

    held = do(fresh, "sales", refused, "decide-appeal", {"answer": "grant"})
    granted = do(fresh, "sales", refused, "decide-appeal", {"answer": "grant", "other_firm": True})

    assert (held.status_code, held.json()["code"]) == (409, "deals/still-held")
    assert (granted.status_code, granted.json()["status"]) == (200, "protected")


def test_a_customer_of_our_own_is_protected_without_end(fresh: Fresh) -> None:
    made = register(fresh, "dealer", HUAYI).json()["id"]
    customer = fresh.api.get("sales", f"/v1/deals/registrations/{made}").json()["customer"]

    held = fresh.api("sales", "POST", "/v1/deals/direct", json={"customer": customer})
    do(fresh, "dealer", made, "release")
    ours = fresh.api("sales", "POST", "/v1/deals/direct", json={"customer": customer, "cause": "总部直供"})
    listed = fresh.api.get("sales", "/v1/deals/direct").json()["items"]

    assert (held.status_code, held.json()["code"]) == (409, "deals/still-held")
    assert (ours.status_code, ours.json()["protected_until"], ours.json()["decision"]) == (201, None, None)
    assert [one["id"] for one in listed] == [ours.json()["id"]]
    assert register(fresh, "dealer", HUAYI).json()["registration"]["reason"] == "direct_customer"
    assert fresh.api.get("dealer", f"/v1/deals/registrations/{ours.json()['id']}").status_code == 404
    assert fresh.api("sales", "POST", "/v1/deals/direct", json={"party": str(uuid4())}).status_code == 404


def test_a_fence_refuses_and_names_what_it_contradicts(fresh: Fresh) -> None:
    area = {"region": "31", "exclusive": True}
    first = fresh.api("it", "POST", "/v1/deals/fences", json={"dealer": str(fresh.world.rival), **area})
    second = fresh.api("it", "POST", "/v1/deals/fences", json={"dealer": str(fresh.world.agent), **area})

    ended = fresh.api("it", "POST", f"/v1/deals/fences/{second.json()['id']}/end", json={"last_day": "2020-01-01"})
    outside = register(fresh, "dealer", HUAYI, body={"region": "310115"})

    assert first.status_code == second.status_code == 201
    assert second.json()["contradicts"] == [first.json()["id"]]
    assert ended.status_code == 200
    assert (outside.status_code, outside.json()["registration"]["reason"]) == (409, "outside_area")
    hits = fresh.api.get("sales", "/v1/deals/fence-hits").json()["items"]
    assert [one["subject"] for one in hits] == [f"registration:{outside.json()['registration']['id']}"]
    settled = fresh.api("sales", "POST", f"/v1/deals/fence-hits/{hits[0]['id']}/settle", json={"answer": "refused"})
    assert settled.json()["state"] == "refused"


def test_a_policy_ends_the_one_before_and_is_corrected_on_its_first_day(fresh: Fresh) -> None:
    later = fresh.api("it", "POST", "/v1/deals/policies", json={"days": 60, "valid_from": "2099-01-01"}).json()
    corrected = fresh.api("it", "POST", "/v1/deals/policies", json={"days": 61, "valid_from": "2099-01-01"}).json()
    before = fresh.api("it", "POST", "/v1/deals/policies", json={"days": 10})
    bad = fresh.api("it", "POST", "/v1/deals/policies", json={"days": 10, "valid_from": "2099-02-01", "valid_to": "2099-01-01"})

    everyone = fresh.api.get("it", "/v1/deals/policies").json()["items"]

    assert later["id"] == corrected["id"]
    assert [(one["days"], one["valid_from"], one["valid_to"]) for one in everyone] == [
        (61, "2099-01-01", None), (90, None, "2098-12-31")
    ]  # fmt: skip
    assert (before.status_code, before.json()["code"]) == (409, "deals/policy-overlaps")
    assert (bad.status_code, bad.json()["code"]) == (409, "deals/ends-before-it-begins")
    assert fresh.api("it", "POST", f"/v1/deals/policies/{later['id']}/end", json={}).status_code == 200


def test_an_existing_deal_is_what_a_registration_became(fresh: Fresh) -> None:
    made = register(fresh, "dealer", HUAYI).json()["id"]
    deals = {name: str(where["deal"]) for name, where in (("mine", fresh.world.mine), ("theirs", fresh.world.theirs))}

    foreign, missing = (do(fresh, "dealer", made, "convert", {"deal": deal}) for deal in (deals["theirs"], deals["theirs"]))
    ours = do(fresh, "sales", made, "convert", {"deal": deals["theirs"]})
    nobody = do(fresh, "dealer", made, "convert")  # hub.yaml of these tests has no flow of deals
    done = do(fresh, "dealer", made, "convert", {"deal": deals["mine"]})

    assert foreign.status_code == missing.status_code == 404
    assert (ours.status_code, ours.json()["code"]) == (409, "sync/wrong-state")
    assert (nobody.status_code, nobody.json()["code"]) == (409, "sync/not-allowed")
    assert (done.json()["status"], done.json()["deal"]) == ("converted", deals["mine"])


def test_a_fixed_address_is_no_record(fresh: Fresh) -> None:
    for method, address in (("GET", "check"), ("PATCH", "registrations"), ("PATCH", "review"), ("GET", "review/decide"), ("PUT", "")):
        answer = fresh.api("it", method, f"/v1/deals/{address}".rstrip("/"))

        assert (answer.status_code, answer.json()["code"]) == (405, "api/method-not-allowed"), address


def test_outdated_keys_are_our_own_outage(fresh: Fresh) -> None:
    register(fresh, "dealer", HUAYI)
    with fresh.hub.transaction() as db:
        db.execute("UPDATE match_state SET version = 'older'")

    answer = fresh.api("dealer", "POST", "/v1/deals/check", json=LANSI)

    assert (answer.status_code, answer.json()["code"]) == (503, "deals/keys-outdated")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.promise(11)
def test_two_requests_for_one_protection_at_one_instant_give_one_201_and_409s(fresh: Fresh) -> None:
    claims = [HUAYI, HUAYI_AGAIN, {**HUAYI_AGAIN, "name": "上海华谊机械设备"}, {**HUAYI, "name": "上海市华谊机械设备有限公司"}]
    barrier = Barrier(len(claims))

    def ask(number: int) -> Any:
        barrier.wait()
        return register(fresh, ("dealer", "other_dealer")[number % 2], claims[number])

    with ThreadPoolExecutor(len(claims)) as pool:
        answers = list(pool.map(ask, range(len(claims))))

    assert sorted(one.status_code for one in answers) == [200, 201, 409, 409]
    assert len(fresh.rows("SELECT 1 FROM registration WHERE status = 'protected'")) == 1
