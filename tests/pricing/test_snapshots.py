"""An answer about a price can be given again exactly: its snapshot pins prices, rules, and what was known of who asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from channel.pricing import service, special_service
from channel.pricing.errors import BadPricing
from channel.pricing.service import NotFoundHere, View
from channel.pricing.special_service import SpecialItem, Wanted
from hub_cli.answers import plain
from sync import prices
from sync.hub import Hub
from tests.pricing.stocked import DAY, Db, Stocked, ask, price_list, reprice

SALES = View()


def told(db: Db, view: View = SALES, snapshot: str = "", **more: Any) -> tuple[str, dict[str, Any]]:
    """An answer as bytes would have it, and as a document."""
    lines = more.pop("lines", (("M001", 10), ("M002", 5)))
    found = service.price(db, ask(*lines, **more), view=view, snapshot=snapshot)
    return json.dumps(plain(found), ensure_ascii=False), found


def grant(db: Db, made: Stocked, price: str = "700") -> str:
    wanted = Wanted("D-EAST", str(made.project), (SpecialItem("M001", Decimal(price), Decimal(100)),))
    number = special_service.ask(db, wanted, by="sales", today=DAY)
    special_service.decide(db, number, "approved", by="王总")
    return number


def kinds(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(line["price_kind"], str(line["unit_price"])) for line in found["lines"]]


RULES = "adjustments:\n  - {id: SPRING, rung: promotion, percent: 2%}\nfx: [{from: USD, to: CNY, rate: 7.1}]\n"


def test_nothing_that_changes_afterwards_changes_an_answer_that_is_asked_again(db: Db, made: Stocked) -> None:
    own = price_list(db, "P-EAST", "东海协议价", None, {"M002": (made.valve, "40")}, audience="listed", parties=[str(made.east)])
    service.publish(db, "main", RULES, by="test")
    number = grant(db, made)
    first, found = told(db, project=str(made.project), currency="USD")
    assert kinds(found) == [("deal", "98.5915"), ("contract", "5.5211")]

    special_service.consume(db, number, "order:SO-1/1", Decimal(95), by="test")
    db.execute("UPDATE parties SET level = '普通', number = 'D-EAST-2', doc = (doc::jsonb || '{\"discount_rate\": \"0.05\"}')::json "
               "WHERE id = %s", [made.east])  # fmt: skip
    db.execute("UPDATE registration SET status = 'released' WHERE id = %s", [made.project])
    db.execute("UPDATE products SET number = 'M002-B', version = version + 1 WHERE id = %s", [made.valve])
    reprice(db, own, made.valve, price="39")
    reprice(db, made.lists["P-DLR"], made.pump, price="1")
    service.publish(db, "main", RULES.replace("2%", "9%").replace("7.1", "6"), by="test")
    special_service.decide(db, number, "ended", by="王总")

    service.forget()
    same: tuple[dict[str, Any], ...] = (
        {"dealer": "D-EAST", "project": str(made.project)},
        {"dealer": "", "project": ""},
        {"dealer": str(made.east)},
    )
    for again in same:
        assert told(db, snapshot=found["snapshot"], currency="USD", **again)[0] == first
    _, now = told(db, dealer="D-EAST-2", project=str(made.project), currency="USD", lines=(("M001", 10), ("M002-B", 5)))
    assert now["net"] != found["net"]
    assert now["snapshot"] != found["snapshot"]


def test_the_facts_are_kept_once_however_often_somebody_asks(db: Db, made: Stocked) -> None:
    names = {told(db)[1]["snapshot"] for _ in range(3)} | {told(db, lines=(("M002", 7),))[1]["snapshot"]}

    assert len(names) == 1
    assert db.execute("SELECT count(*) AS n FROM price_asker").fetchall() == [{"n": 1}]


@pytest.mark.parametrize("name", ["x", "1", "1.", ".ab", "999999.0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", "1.0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"])
def test_a_snapshot_that_nobody_took_is_not_found(db: Db, made: Stocked, name: str) -> None:
    told(db)

    with pytest.raises(NotFoundHere):
        told(db, snapshot=name)


def test_a_dealer_asks_with_its_own_snapshots_only_and_learns_nothing_from_another(db: Db, made: Stocked) -> None:
    ours = told(db)[1]["snapshot"]
    theirs = told(db, dealer="D-WEST")[1]["snapshot"]
    east = View(dealer=made.east)

    own, _ = told(db, east, dealer="")
    assert told(db, east, snapshot=ours, dealer="")[0].replace(ours, "") == own.replace(told(db, east, dealer="")[1]["snapshot"], "")
    wrong = []
    for name in (theirs, ours[:-1] + ("0" if ours[-1] != "0" else "1")):
        with pytest.raises(NotFoundHere) as refused:
            told(db, east, snapshot=name, dealer="")
        wrong.append(str(refused.value).replace(name, ""))
    assert wrong[0] == wrong[1], "another dealer's is as absent as one that nobody took"


def test_a_snapshot_answers_for_whom_it_was_taken(db: Db, made: Stocked) -> None:
    snapshot = told(db)[1]["snapshot"]

    with pytest.raises(BadPricing, match="the snapshot was taken for dealer 'D-EAST'"):
        told(db, snapshot=snapshot, dealer="D-WEST")


def test_a_special_price_counts_as_it_was_known_at_a_moment(db: Db, made: Stocked) -> None:
    def moment() -> datetime:
        at: datetime = db.execute("SELECT clock_timestamp() AS at").fetchall()[0]["at"]
        return at.astimezone(UTC)

    told(db)  # prices are there
    before = moment()
    number = grant(db, made)
    granted = moment()
    special_service.consume(db, number, "order:SO-1/1", Decimal(95), by="test")
    used = moment()
    special_service.decide(db, number, "ended", by="王总")

    found = [kinds(told(db, project=str(made.project), known_at=at, lines=(("M001", 10),))[1]) for at in (before, granted, used, moment())]

    assert found == [[("grade", "900.0000")], [("deal", "700.0000")], [("grade", "900.0000")], [("grade", "900.0000")]]


def test_a_list_follows_a_dealer_that_gets_another_number_at_once(db: Db, made: Stocked) -> None:
    price_list(db, "P-EAST", "东海协议价", None, {"M001": (made.pump, "800")}, audience="listed", parties=[str(made.east)])
    assert kinds(told(db, lines=(("M001", 1),))[1]) == [("contract", "800.0000")]

    db.execute("UPDATE parties SET number = 'D-EAST-2' WHERE id = %s", [made.east])

    assert kinds(told(db, dealer="D-EAST-2", lines=(("M001", 1),))[1]) == [("contract", "800.0000")]


def test_a_dealer_counts_as_its_history_knew_it_at_a_moment(db: Db, made: Stocked) -> None:
    service.publish(db, "main", "adjustments:\n  - {id: CORE, rung: promotion, percent: 10, when: {grades: 核心}}\n", by="test")
    db.commit()
    then = datetime.now(UTC)
    for version, changed in enumerate(({"level": ["核心", "普通"], "discount_rate": [None, "0.05"]}, {"level": ["普通", "潜在"]}), 2):
        db.execute(
            "INSERT INTO history (entity, entity_id, version, cause, changed) VALUES ('party', %s, %s, 'test', %s)",
            [made.east, version, json.dumps(changed)],
        )
    db.execute("UPDATE parties SET level = '潜在', doc = (doc::jsonb || '{\"discount_rate\": \"0.05\"}')::json WHERE id = %s", [made.east])

    known, now = told(db, known_at=then)[1], told(db)[1]

    assert [step["rule"] for step in known["lines"][0]["waterfall"][1:2]] == ["CORE"]
    assert [step["rule"] for step in now["lines"][0]["waterfall"][1:2]] == ["party/D-EAST"]
    assert (known["as_of_now"], "as_of_now" in now) == (["regions", "lists", "agreements", "projects"], False)
    assert "as_of_now" not in told(db, known_at=then, snapshot=known["snapshot"])[1]


def age(db: Db, days: int) -> None:
    """Everything that is kept was named so many days earlier."""
    with db.transaction():
        db.execute("SET LOCAL session_replication_role = replica")  # past the trigger, which lets no day become earlier
        db.execute("UPDATE price_asker SET named_on = named_on - %s::int", [days])
        db.execute("SET LOCAL session_replication_role = origin")


def test_a_snapshot_that_no_answer_names_for_long_is_forgotten(hub: Hub, made: Stocked, db: Db) -> None:
    db.commit()
    first = told(db)[1]["snapshot"]
    age(db, 401)
    again = told(db)[1]["snapshot"], told(db, dealer="D-WEST")[1]["snapshot"]
    age(db, 200)
    asked = told(db, dealer="D-WEST", snapshot=again[1])[1]["snapshot"]
    age(db, 201)
    db.commit()

    run = prices.look_after(hub)

    assert (first, asked, run.counts["snapshots_forgotten"]) == (*again, 1), "asking with one names it, and so does another answer"
    with pytest.raises(NotFoundHere):
        told(db, snapshot=first)
    assert told(db, dealer="D-WEST", snapshot=asked)
    assert prices.look_after(hub).counts.get("snapshots_forgotten", 0) == 0


def test_the_database_lets_nobody_change_facts_or_forget_them_early(db: Db, made: Stocked) -> None:
    told(db)
    for statement in ("UPDATE price_asker SET facts = '{}'", "UPDATE price_asker SET named_on = named_on - 1", "DELETE FROM price_asker"):
        with pytest.raises(psycopg.errors.RestrictViolation), db.transaction():
            db.execute(statement.encode())
    age(db, 30)
    with pytest.raises(psycopg.errors.RestrictViolation), db.transaction():
        db.execute("DELETE FROM price_asker")
    age(db, 1)
    assert db.execute("DELETE FROM price_asker").rowcount == 1
