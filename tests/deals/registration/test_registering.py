"""A dealer asks, registers, repeats himself: what he is told, and what is stored."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from channel.deals import queries, replaying, review_queries
from channel.deals.errors import BadClaim, KeyReused, KeysOutdated, TooManyChecks, UnknownDealer, WrongIsolation
from channel.deals.matching import Claim
from channel.deals.protection import window_end
from channel.deals.registrations import Answer, FenceQuestion, FenceVerdict, Registered
from channel.deals.service import Limits, Rules, check, register
from tests.deals.registration.helpers import HUAYI, HUAYI_AGAIN, LANSI, LANSI_AGAIN, UNSURE, YADU, add_dealer, add_policy, count, holders

Db = psycopg.Connection[Any]


def test_a_free_customer_is_protected_for_ninety_days(db: Db, east: UUID) -> None:
    assert check(db, east, HUAYI).free == "yes"

    made = register(db, east, HUAYI)

    assert (made.status, made.reason) == ("protected", "free")
    assert made.protected_until == window_end(made.submitted_at, 90)
    assert check(db, east, HUAYI_AGAIN) == Answer("no", yours=True, left_this_hour=58)


@pytest.mark.promise(11)
def test_the_second_dealer_is_refused_under_any_sure_spelling(db: Db, east: UUID, west: UUID) -> None:
    register(db, east, HUAYI)

    assert check(db, west, HUAYI_AGAIN).free == "no"
    refused = register(db, west, HUAYI_AGAIN)

    assert (refused.status, refused.reason, refused.protected_until) == ("rejected", "protected", None)
    assert holders(db) == 1


def test_a_doubtful_claim_waits_and_the_earlier_keeps_the_clock(db: Db, east: UUID, west: UUID) -> None:
    first = register(db, east, LANSI)

    assert check(db, west, LANSI_AGAIN, rules=UNSURE).free == "maybe"
    second = register(db, west, LANSI_AGAIN, rules=UNSURE)

    assert (second.status, second.reason, second.protected_until) == ("held", "doubtful", None)
    assert second.submitted_at > first.submitted_at
    assert check(db, east, LANSI).yours
    assert [doubt.registration_id for doubt in review_queries.doubts(db)] == [second.id]


def test_another_product_line_is_another_protection_and_no_line_is_every_line(db: Db, east: UUID, west: UUID) -> None:
    register(db, east, replace(HUAYI, product_line="水泵"))

    assert register(db, west, replace(HUAYI, product_line="水泵")).status == "rejected"
    assert register(db, west, HUAYI).status == "rejected"
    assert register(db, west, replace(HUAYI, product_line="阀门")).status == "protected"


def test_a_lost_answer_repeated_gives_the_same_registration(db: Db, east: UUID) -> None:
    first = register(db, east, HUAYI, idempotency_key="scan-1", amount=Decimal("120000.50"), currency="CNY")

    again = register(db, east, HUAYI, idempotency_key="scan-1", amount=Decimal("120000.50"), currency="CNY")

    assert (again.id, again.repeated, again.protected_until) == (first.id, True, first.protected_until)
    assert holders(db) == 1
    with pytest.raises(KeyReused):
        register(db, east, YADU, idempotency_key="scan-1")


def test_a_refusal_repeated_is_the_same_refusal(db: Db, east: UUID, west: UUID) -> None:
    register(db, east, HUAYI)

    first, again = (register(db, west, HUAYI, idempotency_key="scan-7") for _ in range(2))

    assert (again.id, again.status) == (first.id, "rejected")


def test_the_same_dealer_does_not_hold_one_customer_twice(db: Db, east: UUID) -> None:
    first = register(db, east, HUAYI)

    again = register(db, east, HUAYI_AGAIN)

    assert (again.id, again.repeated) == (first.id, True)
    assert [event.action for event in queries.events(db, first.id)] == ["register", "registered_again"]


def test_protection_ends_by_itself_without_any_job(db: Db, east: UUID, west: UUID) -> None:
    made = register(db, east, HUAYI)
    db.execute("UPDATE registration SET protected = tstzrange(lower(protected), clock_timestamp()) WHERE id = %s", [made.id])

    assert check(db, west, HUAYI).free == "yes"
    assert register(db, west, HUAYI).status == "protected"
    assert count(db, "SELECT count(*) FROM registration WHERE status = 'protected'") == 2, "no job has run"


def test_the_policy_decides_days_and_approval(db: Db, east: UUID, west: UUID) -> None:
    add_policy(db, product_line="水泵", days=120)
    add_policy(db, product_line="水泵", channel_type="city_agent", days=30, approval="person")

    first = register(db, east, replace(HUAYI, product_line="水泵"))
    second = register(db, west, replace(LANSI, product_line="水泵"))

    assert first.protected_until == window_end(first.submitted_at, 120)
    assert (second.status, second.reason, second.protected_until) == ("submitted", "approval", None)
    assert register(db, east, replace(LANSI, product_line="水泵")).status == "rejected", "what waits for approval holds its place"


def test_two_policies_cannot_say_two_things_about_one_case(db: Db) -> None:
    add_policy(db, product_line="水泵", days=120)

    with pytest.raises(psycopg.errors.ExclusionViolation):
        add_policy(db, product_line="水泵", days=60)


def test_a_fence_refuses_or_asks_a_person(db: Db, east: UUID) -> None:
    asked: list[FenceQuestion] = []

    def fences(question: FenceQuestion) -> FenceVerdict:
        asked.append(question)
        return FenceVerdict("block", "outside_area") if question.region.startswith("44") else FenceVerdict("flag", "border")

    rules = Rules(fences=fences)

    assert register(db, east, LANSI, region="440300", rules=rules).reason == "outside_area"
    assert register(db, east, HUAYI, region="310115", industry="C34", rules=rules).status == "submitted"
    assert (asked[1].region, asked[1].industry, asked[1].dealer_id) == ("310115", "C34", east)
    assert count(db, "SELECT count(*) FROM fence_hit") == 2


def test_an_answer_to_a_dealer_holds_no_trace_of_another(db: Db, east: UUID, west: UUID) -> None:
    first = register(db, east, replace(HUAYI, contact="王经理", project="二期扩建"), amount=Decimal(900_000), currency="CNY")
    other = register(db, west, LANSI)

    answers: list[Answer | Registered] = [
        check(db, west, HUAYI_AGAIN),
        register(db, west, HUAYI_AGAIN),
        register(db, east, LANSI_AGAIN, rules=UNSURE),
    ]

    foreign = {str(first.id), str(other.id), str(east), str(west), "王经理", "二期扩建", "900000"}
    moments = {first.protected_until, other.protected_until, first.submitted_at, other.submitted_at}
    for answer in answers:
        values = list(asdict(answer).values())
        assert not foreign & {str(value) for value in values}
        assert not moments & set(values)
    assert set(Answer.__slots__) == {"free", "yours", "left_this_hour"}
    assert set(Registered.__slots__) == {"id", "status", "reason", "submitted_at", "protected_until", "repeated"}


def test_probing_is_limited_per_dealer_and_counted_in_the_database(db: Db, database: str, east: UUID, west: UUID) -> None:
    rules = Rules(limits=Limits(checks_an_hour=3, checks_a_day=100))
    with psycopg.connect(database, autocommit=True) as elsewhere:
        left = [check(connection, east, HUAYI, rules=rules).left_this_hour for connection in (db, elsewhere, db)]
        with pytest.raises(TooManyChecks) as refused:
            check(elsewhere, east, HUAYI, rules=rules)

    assert left == [2, 1, 0]
    assert 0 < refused.value.retry_after_s <= 3600
    assert check(db, west, HUAYI, rules=rules).left_this_hour == 2, "another dealer's questions are his own"
    assert count(db, "SELECT used FROM check_quota WHERE dealer_id = %s AND kind = 'check_day'", east) == 3, (
        "a refused question is not counted"
    )


def test_refused_registrations_are_probing_too(db: Db, east: UUID, west: UUID) -> None:
    rules = Rules(limits=Limits(refusals_a_day=2))
    register(db, east, HUAYI)
    for _ in range(2):
        register(db, west, HUAYI, rules=rules)

    with pytest.raises(TooManyChecks):
        register(db, west, HUAYI, rules=rules)

    assert register(db, west, YADU, rules=rules).status == "protected", "work goes on"
    assert count(db, "SELECT used FROM check_quota WHERE kind = 'refused_day'") == 2


def test_every_decision_is_kept_with_what_it_was_made_from_and_comes_out_the_same_again(db: Db, east: UUID, west: UUID) -> None:
    register(db, east, HUAYI)
    refused = register(db, west, HUAYI_AGAIN)

    (event,) = queries.events(db, refused.id)
    again = replaying.replay(db, refused.id)

    assert event.actor == f"dealer:{west}"
    assert event.decision is not None
    assert {"version", "keys", "thresholds", "candidates", "reasons", "ruling", "holds"} <= set(event.decision)
    assert event.decision["keys_met"]
    assert set(event.decision["keys_met"]) <= set(event.decision["keys"])
    assert again.same
    assert again.verdict == event.decision["verdict"] == "duplicate"


def test_the_history_of_decisions_holds_nothing_personal(db: Db, east: UUID, west: UUID) -> None:
    claim = replace(HUAYI, contact="欧阳修竹", phone="13811112222", address="浦东新区张江路88号")
    register(db, east, claim)
    register(db, west, claim)

    stored = "".join(str(row[0]) for row in db.execute("SELECT to_json(registration_event)::text FROM registration_event"))

    for personal in ("欧阳修竹", "13811112222", "张江路"):
        assert personal not in stored


def test_events_cannot_be_changed_or_removed(db: Db, east: UUID) -> None:
    register(db, east, HUAYI)

    for statement in ("UPDATE registration_event SET actor = 'x'", "DELETE FROM registration_event"):
        with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
            db.execute(statement)


@pytest.mark.parametrize(
    "claim",
    [
        Claim(),
        Claim(name=""),
        Claim(name="   "),
        Claim(name="？！……"),
        Claim(name="😀"),
        Claim(name="x" * 5000),
        Claim(name="华" * 400),
        Claim(name="13800138000"),
        Claim(name="'; DROP TABLE customer; --"),
        Claim(name="100%_\\%"),
        Claim(name="a\x00b\ud800"),
        Claim(uscc="91310000132200944X"),
        Claim(phone="转转转"),
    ],
    ids=["nothing", "empty", "blank", "marks", "emoji", "5000", "400", "phone as name", "sql", "like", "nul", "bad code", "no phone"],
)
def test_odd_claims_get_a_clear_answer(db: Db, east: UUID, claim: Claim) -> None:
    register(db, east, HUAYI)

    for call in (check, register):
        with suppress(BadClaim):  # its text says what to give; anything else fails the test
            assert call(db, east, claim) is not None

    assert count(db, "SELECT count(*) FROM customer") <= 2


@pytest.mark.parametrize("name", ["有限公司", "（有限责任公司）", "公司", "集团", "无", "n/a", "test"])
def test_nobody_holds_a_word_that_every_firm_has(db: Db, east: UUID, name: str) -> None:
    with pytest.raises(BadClaim, match="names no company"):
        register(db, east, Claim(name=name, city="苏州市"))

    assert register(db, east, Claim(name=name, phone="0512-66668888")).status == "protected", "the phone says who is meant"


def test_a_code_that_fails_its_check_goes_to_a_person(db: Db, east: UUID) -> None:
    made = register(db, east, Claim(name="宁波海天塑机有限公司", uscc="91350100M000100Y4A"))

    assert made.status == "submitted"


@pytest.mark.parametrize(("amount", "currency"), [(Decimal(-1), "CNY"), (Decimal(1), ""), (Decimal(1), "cny"), (Decimal("NaN"), "CNY")])
def test_a_size_of_a_deal_is_exact_and_has_a_currency(db: Db, east: UUID, amount: Decimal, currency: str) -> None:
    with pytest.raises(BadClaim):
        register(db, east, HUAYI, amount=amount, currency=currency)


def test_only_an_active_dealer_registers(db: Db) -> None:
    blocked = add_dealer(db, "停用经销商有限公司", status="blocked")

    for dealer in (blocked, UUID(int=5)):
        with pytest.raises(UnknownDealer):
            register(db, dealer, HUAYI)
        with pytest.raises(UnknownDealer):
            check(db, dealer, HUAYI)


def test_a_transaction_that_would_not_see_others_is_refused(db: Db, east: UUID) -> None:
    db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

    with pytest.raises(WrongIsolation, match="repeatable read"):
        register(db, east, HUAYI)


def test_keys_of_another_version_are_not_decided_by(db: Db, east: UUID) -> None:
    register(db, east, HUAYI)
    db.execute("UPDATE match_state SET version = 'of long ago'")

    with pytest.raises(KeysOutdated, match="of long ago"):
        register(db, east, YADU)
