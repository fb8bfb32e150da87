"""Customers follow the parties; their keys follow names and versions; merges can be undone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest

from channel.deals import acting, matching
from channel.deals.customers import aliases
from channel.deals.customers import service as customers
from channel.deals.customers.queries import of_party, state
from channel.deals.errors import AliasNotFound, AliasRefused, CustomerNotFound, KeysOutdated, ProtectionsOverlap
from channel.deals.matching import Claim
from channel.deals.service import check, register
from tests.deals.registration.helpers import HUAYI, HUAYI_AGAIN, LANSI, YADU, add_party, change_party, count

Db = psycopg.Connection[Any]


def keys_are_those_of_the_names(db: Db) -> bool:
    """True when the stored keys are exactly what the stored prepared texts give."""
    stored: dict[int, set[int]] = {}
    for key, customer in db.execute("SELECT key, customer_id FROM match_key").fetchall():
        stored.setdefault(customer, set()).add(key)
    wanted = {
        customer: set(matching.keys_of(matching.load_prepared(text)))
        for customer, text in db.execute("SELECT id, prepared FROM customer").fetchall()
    }
    return stored == {customer: keys for customer, keys in wanted.items() if keys}


def test_parties_of_all_systems_become_customers(db: Db, east: UUID, west: UUID) -> None:
    party = add_party(db, HUAYI.name, uscc=HUAYI.uscc, city="上海市", short_name="华谊机械", english_name="Huayi Machinery Co., Ltd.")
    add_party(db, "我们自己的公司", internal=True)

    done = customers.refresh(db)

    assert done.added == 3, "two dealers and the customer; our own company is nobody's customer"
    assert keys_are_those_of_the_names(db)
    made = register(db, east, HUAYI_AGAIN)
    assert acting.found(db, made.id).customer_id == of_party(db, party)


def test_a_refresh_takes_over_what_has_changed_and_nothing_else(db: Db) -> None:
    party = add_party(db, "宁波旧名塑机有限公司", uscc="91330200144045629B")
    add_party(db, YADU.name)
    customers.refresh(db)
    change_party(db, party, name="宁波海天新材料股份有限公司")

    changed = customers.refresh(db)
    again = customers.refresh(db)

    assert (changed.added, changed.changed) == (0, 1)
    assert (again.added, again.changed) == (0, 0)
    assert keys_are_those_of_the_names(db)


def test_a_former_name_is_never_lost(db: Db, east: UUID, west: UUID) -> None:
    party = add_party(db, "深圳市旧时光学仪器有限公司", city="深圳市", phone="0755-26781234")
    customers.refresh(db)
    change_party(db, party, name="深圳市未来光电股份有限公司")
    customers.refresh(db)
    made = register(db, east, Claim(name="深圳市未来光电股份有限公司", phone="0755-26781234", city="深圳市"))
    assert acting.found(db, made.id).customer_id == of_party(db, party)

    former = register(db, west, Claim(name="深圳市旧时光学仪器有限公司", phone="0755-26781234", city="深圳市"))

    assert former.status == "rejected"


def test_a_contact_of_the_party_gives_its_phone(db: Db) -> None:
    party = add_party(db, "无锡双良节能系统有限公司", city="无锡市")
    db.execute(
        "INSERT INTO contacts (id, hub_key, doc, party_id) VALUES (gen_random_uuid(), 'HCONTACT', %s, %s)",
        ['{"name": "陈经理", "mobile": "13705101234"}', party],
    )
    customers.refresh(db)

    row = db.execute("SELECT prepared FROM customer WHERE party_id = %s", [party]).fetchone()
    assert row is not None
    assert matching.load_prepared(row[0]).phones


def test_another_version_of_the_matcher_needs_a_rebuild_and_gets_it(db: Db, east: UUID) -> None:
    add_party(db, HUAYI.name, uscc=HUAYI.uscc, city="上海市")
    customers.refresh(db)
    made = register(db, east, LANSI)
    db.execute("UPDATE match_state SET version = '2001.1'")
    db.execute("UPDATE match_key SET key = key + 1")
    with pytest.raises(KeysOutdated):
        customers.refresh(db)
    with pytest.raises(KeysOutdated):
        check(db, east, LANSI)

    with db.transaction():
        assert customers.rebuild(db) == 3

    found = state(db)
    assert found is not None
    assert (found.version, found.customers) == (matching.VERSION, 3)
    assert keys_are_those_of_the_names(db)
    assert register(db, east, LANSI).id == made.id


def test_common_keys_are_counted(db: Db) -> None:
    for number in range(matching.CAP + 6):
        add_party(db, f"广州市同名贸易有限公司第{number}部", phone="020-88886666")

    done = customers.refresh(db)

    assert done.hot > 0
    assert count(db, "SELECT max(customers) FROM hot_key") == matching.CAP + 6


def test_merged_customers_answer_as_one_and_come_apart_again(db: Db, east: UUID, west: UUID) -> None:
    keep_party, lose_party = add_party(db, HUAYI.name, city="上海市"), add_party(db, "苏州光远精密模具有限公司", phone="0512-66668888")
    customers.refresh(db)
    keep, lose = of_party(db, keep_party), of_party(db, lose_party)
    assert keep is not None
    assert lose is not None
    claim = Claim(name="苏州光远精密模具有限公司", phone="0512-66668888")
    made = register(db, east, claim)
    before = db.execute("SELECT key FROM match_key WHERE customer_id = %s ORDER BY key", [lose]).fetchall()

    customers.merge(db, keep, lose)

    assert acting.found(db, made.id).customer_id == keep
    assert of_party(db, lose_party) == keep
    assert keys_are_those_of_the_names(db)
    assert register(db, west, claim).status == "rejected"

    assert made.id in customers.split(db, lose)

    assert acting.found(db, made.id).customer_id == lose
    assert db.execute("SELECT key FROM match_key WHERE customer_id = %s ORDER BY key", [lose]).fetchall() == before
    assert keys_are_those_of_the_names(db)
    with pytest.raises(CustomerNotFound):
        customers.split(db, lose)


def test_a_merge_that_would_give_two_holders_is_refused_whole(db: Db, east: UUID, west: UUID) -> None:
    first, second = register(db, east, HUAYI), register(db, west, YADU)
    keep, lose = (acting.found(db, one.id).customer_id for one in (first, second))

    with pytest.raises(ProtectionsOverlap), db.transaction():
        customers.merge(db, keep, lose)

    assert acting.found(db, second.id).customer_id == lose
    assert keys_are_those_of_the_names(db)


def test_a_protection_that_is_over_does_not_stand_in_the_way_of_a_merge(db: Db, east: UUID, west: UUID) -> None:
    first, second = register(db, east, HUAYI), register(db, west, YADU)
    keep, lose = (acting.found(db, one.id).customer_id for one in (first, second))
    db.execute(
        "UPDATE registration SET protected = tstzrange(lower(protected) - interval '1 day', clock_timestamp()) WHERE id = %s", [first.id]
    )

    with db.transaction():
        assert customers.merge(db, keep, lose) == [second.id]

    assert [acting.found(db, one.id).status for one in (first, second)] == ["expired", "protected"]


def test_parties_marked_as_direct_are_protected_set_based(db: Db, east: UUID, west: UUID) -> None:
    add_party(db, HUAYI.name, uscc=HUAYI.uscc, city="上海市", roles=["end_customer", "direct_customer"])
    add_party(db, YADU.name, phone=YADU.phone, city="北京市", channel_type="direct")
    customers.refresh(db)
    held = register(db, east, YADU)

    made, in_the_way = customers.protect_direct(db)
    again, _ = customers.protect_direct(db)

    assert (len(made), in_the_way, again) == (1, [held.id], [])
    refused = register(db, west, HUAYI_AGAIN)
    assert (refused.status, refused.reason) == ("rejected", "direct_customer")
    assert register(db, west, replace(HUAYI_AGAIN, product_line="阀门")).reason == "direct_customer"


def test_a_name_given_by_a_person_finds_the_customer_until_it_is_taken_back(db: Db, east: UUID, west: UUID) -> None:
    made = register(db, east, Claim(name="中国第一汽车股份有限公司", city="长春市", phone="0431-85900000"))
    customer = acting.found(db, made.id).customer_id
    before = check(db, west, Claim(name="一汽集团", city="长春市")).free

    aliases.give(db, customer, " 一汽集团 ", "person:steward")
    given = check(db, west, Claim(name="一汽集团", city="长春市")).free
    names = [(one["name"], one["kind"], one["given_by"]) for one in aliases.of(db, customer)]
    aliases.withdraw(db, customer, "一汽集团")

    assert (before, given, check(db, west, Claim(name="一汽集团", city="长春市")).free) == ("yes", "maybe", "yes")
    assert names == [("一汽集团", "given", "person:steward")]
    with pytest.raises(AliasNotFound):
        aliases.withdraw(db, customer, "一汽集团")
    with pytest.raises(AliasRefused):
        aliases.give(db, customer, "有限公司", "person:steward")
    with pytest.raises(CustomerNotFound):
        aliases.give(db, 10**9, "谁家", "person:steward")
