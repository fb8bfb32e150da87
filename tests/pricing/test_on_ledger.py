"""Prices from the ledger's lists and the hub's published rules: which price, whose, since when, and what is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from channel.pricing import service
from channel.pricing.asking import AskLine
from channel.pricing.errors import BadPricing
from channel.pricing.service import View
from tests.pricing.stocked import Db, Stocked, ask, price_list, reprice

SALES = View()


def unit(db: Db, **more: object) -> str:
    told = service.price(db, ask(**more), view=SALES)
    return str(told["lines"][0].get("unit_price", told["lines"][0].get("refusal")))


def test_a_dealer_pays_the_dealers_list_and_others_the_standard_one(db: Db, made: Stocked) -> None:
    told = service.price(db, ask(("M001", 2), ("M002", 10)), view=SALES)

    assert [line["price_kind"] for line in told["lines"]] == ["grade", "grade"]
    assert [str(line["unit_price"]) for line in told["lines"]] == ["900.0000", "45.0000"]
    assert str(told["gross"]) == "2542.50"
    assert told["lines"][0]["waterfall"][0]["rule"] == "P-DLR/M001"
    assert unit(db, dealer="", company="100") == "1000.0000"
    assert unit(db, dealer=str(made.east)) == "900.0000", "a dealer has a number, a hub key and an id"


def test_a_new_price_is_a_new_version_and_the_old_one_can_still_be_asked(db: Db, made: Stocked) -> None:
    before = service.price(db, ask(), view=SALES)
    assert service.book(db).version == before["version"], "nothing was written, so nothing is new"
    reprice(db, made.lists["P-DLR"], made.pump, price="880")

    now = service.price(db, ask(), view=SALES)
    then = service.price(db, ask(), view=SALES, at_version=before["version"])

    assert now["version"] > before["version"]
    assert (str(now["net"]), str(then["net"])) == ("880.00", "900.00")
    assert then == before


def test_only_what_changed_is_read_again_and_it_equals_what_is_compiled_anew(db: Db, made: Stocked) -> None:
    first = service.book(db)
    reprice(db, made.lists["P-DLR"], made.pump, price="870")
    second = service.book(db)

    assert second.lists[made.lists["P-STD"]] is first.lists[made.lists["P-STD"]], "an unchanged list is taken over"
    service.forget()
    anew = service.book(db)
    assert anew.size == second.size
    assert service.price(db, ask(), view=SALES)["hash"] == service.priced(db, ask(), view=SALES)[0].hash


def test_what_was_rolled_back_prices_nothing(db: Db, made: Stocked) -> None:
    db.commit()
    assert unit(db) == "900.0000"
    db.commit()
    reprice(db, made.lists["P-DLR"], made.pump, price="1")
    assert unit(db) == "1.0000"
    db.rollback()

    assert unit(db) == "900.0000"
    reprice(db, made.lists["P-STD"], made.pump, price="1001")
    assert unit(db) == "900.0000"
    assert unit(db, dealer="", company="100") == "1001.0000"


def test_steps_of_a_list_are_a_scale_and_lines_that_contradict_each_other_price_nothing(db: Db, made: Stocked) -> None:
    with db.cursor() as cursor:
        for low, high, price in (("0", "10", "95"), ("10", "0", "90")):
            cursor.execute(
                "INSERT INTO price_list_lines (parent_id, id, seq, doc, product_id, price) SELECT parent_id, gen_random_uuid(), 9, "
                "(doc::jsonb || jsonb_build_object('from_quantity', %s::text, 'to_quantity', %s::text, 'valid_from', '2026-02-01'))::json, "
                "product_id, %s FROM price_list_lines WHERE (parent_id, product_id) = (%s, %s) ORDER BY seq LIMIT 1",
                [low, high, price, made.lists["P-DLR"], made.pump],
            )
    reprice(db, made.lists["P-STD"], made.valve, price=None)

    told = service.price(db, ask(("M001", 9), ("M001", 10), ("M002", 1), dealer="D-EAST"), view=SALES)

    assert [str(line["unit_price"]) for line in told["lines"]] == ["95.0000", "90.0000", "45.0000"]
    assert "P-STD" in {one.list for one in service.book(db).troubles}


def test_steps_of_a_line_by_the_box_are_counted_in_boxes(db: Db, made: Stocked) -> None:
    own = price_list(db, "P-BOX", "合同价", None, {"M001": (made.pump, "9000")}, audience="listed", parties=[str(made.east)])
    reprice(db, own, made.pump, unit="box", to_quantity="10")
    db.execute(
        "INSERT INTO price_list_lines (parent_id, id, seq, doc, product_id, price) SELECT parent_id, gen_random_uuid(), 9, "
        """(doc::jsonb || '{"from_quantity": "10", "to_quantity": "0"}')::json, product_id, 8400 FROM price_list_lines """
        "WHERE parent_id = %s",
        [own],
    )
    lines = tuple(AskLine(item="M001", quantity=Decimal(quantity), unit="box") for quantity in (1, 10))

    told = service.price(db, ask().model_copy(update={"lines": lines}), view=SALES)

    assert [str(line["unit_price"]) for line in told["lines"]] == ["9000.0000", "8400.0000"]


def test_a_list_is_for_those_it_names_or_who_are_bound_to_it(db: Db, made: Stocked) -> None:
    own = price_list(db, "P-EAST", "东海协议价", None, {"M001": (made.pump, "800")}, audience="listed", parties=[str(made.east)])
    bound = price_list(db, "P-BOUND", "标准价 西", None, {"M001": (made.pump, "700")}, audience="listed")
    db.execute(
        "UPDATE party_companies SET doc = (doc::jsonb || jsonb_build_object('price_list', %s::text))::json WHERE parent_id = %s",
        [str(bound), made.west],
    )

    told = service.price(db, ask(), view=SALES)

    assert (told["lines"][0]["price_kind"], str(told["net"])) == ("contract", "800.00")
    assert unit(db, dealer="D-WEST", project="") == "900.0000", "a list of the dealers goes before the standard one"
    assert "P-EAST" not in str(service.price(db, ask(dealer="D-WEST"), view=SALES))
    assert own


RULES = """
items:
  - {id: M001, cost: 600.4321, moq: 2, multiple: 2}
adjustments:
  - {id: AG-1, rung: agreement, percent: 3%, when: {dealers: D-EAST, lines: pumps}}
authority:
  - {id: own, level: 0, role: sales, max_discount: 15}
"""


def test_published_rules_lie_over_the_lists(db: Db, made: Stocked) -> None:
    first = service.publish(db, "main", RULES, by="test", reason="2026")
    again = service.publish(db, "main", RULES, by="test")

    told = service.price(db, ask(("M001", 2)), view=View(costs=True))

    assert (first.version, again) == (1, first)
    assert str(told["net"]) == "1746.00"
    assert str(told["profit"]["cost"]) == "1200.86"
    assert "profit" not in service.price(db, ask(("M001", 2)), view=SALES)
    assert service.price(db, ask(("M001", 1)), view=SALES)["lines"][0]["refusal"]["code"] == "pricing/below-minimum"
    assert [one["version"] for one in service.documents(db, "main")] == [1]


TWICE = """books:
  - id: b
    kind: 标准价
    prices:
      - {item: M001, price: 1, company: '100'}
      - {item: M001, price: 2}
"""


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("adjustments:\n  - {id: X, rung: promotion, percent: 1, when: {items: M999}}", 2, "no item 'M999'"),
        ("adjustments:\n  - {id: X, rung: promotion, percent: 1, when: {dealers: NOBODY}}", 2, "no dealer 'NOBODY'"),
        ("items:\n  - {id: M999, cost: 1}", 2, "the ledger has no item 'M999'"),
        (TWICE, 6, "P-STD says"),
        ("lists:\n  - {list: NONE, kind: 代理价}", 2, "no price list 'NONE'"),
        ("deal_prices:\n  - {id: T, project: P, dealer: D-EAST, items: [{item: M001, price: 1}]}", 1, "one by one"),
        ("adjustments:\n  - {id: AG-1, rung: promotion, percent: 1}", 2, "stands twice"),
        ("settings: {cost_roles: [dealer]}", 1, "would see costs"),
    ],
)  # fmt: skip
def test_what_is_ambiguous_or_unknown_is_refused_with_its_line(db: Db, made: Stocked, text: str, line: int, what: str) -> None:
    service.publish(db, "main", RULES, by="test")

    with pytest.raises(BadPricing) as refused:
        service.publish(db, "more", text, by="test")

    assert [(one.where, what in one.what) for one in refused.value.mistakes] == [(f"more.yaml:{line}", True)], refused.value.mistakes
    assert len(service.documents(db)) == 1, "nothing half-written"


def test_what_was_published_is_never_said_differently(db: Db, made: Stocked) -> None:
    service.publish(db, "main", RULES, by="test", version=1)

    with pytest.raises(service.VersionTaken):
        service.publish(db, "main", RULES.replace("3%", "4%"), by="test", version=1)
    second = service.publish(db, "main", RULES.replace("3%", "4%"), by="test")

    assert second.version == 2
    assert str(service.price(db, ask(("M001", 2)), view=SALES)["net"]) == "1728.00"
    assert service.check(db, "main", RULES).version == 3
    assert len(service.documents(db, "main")) == 2


def test_a_dealers_key_asks_for_itself_and_learns_nothing_of_others(db: Db, made: Stocked) -> None:
    service.publish(db, "main", RULES, by="test")
    own = service.price(db, ask(("M001", 2), dealer=""), view=View(dealer=made.east, costs=True))

    told = []
    for other in ("D-WEST", "D-NOBODY"):
        with pytest.raises(BadPricing) as refused:
            service.price(db, ask(dealer=other), view=View(dealer=made.east))
        told.append([(one.where, one.what) for one in refused.value.mistakes])

    assert own["dealer"] == "D-EAST"
    assert told[0] == told[1], "whether there is such a dealer cannot be found out"
    for hidden in ("profit", "600.4321", "611.77", "max_discount", "own"):
        assert hidden not in str(own)


ORDER = """
access:
  - version: "2"
    order: [{kind: project, keys: [[item]], needs_registration: true}, {kind: standard, keys: [[item]]}]
lists: [{list: P-DLR, use: false}]
"""


def test_a_live_registration_opens_the_project_price(db: Db, made: Stocked) -> None:
    price_list(db, "P-PRJ", "工程价 100", None, {"M001": (made.pump, "760")})
    service.publish(db, "order", ORDER, by="test")

    assert unit(db, project=str(made.project)) == "760.0000"
    assert unit(db) == "1000.0000"
    assert unit(db, dealer="D-WEST", project=str(made.project)) == "1000.0000", "another dealer's project opens nothing"
    assert unit(db, project=str(made.project), date="2027-02-01") == "1000.0000"
    assert service.price(db, ask(("M001", 1)), view=SALES)["net"] == Decimal("1000.00")


def test_a_dealer_cannot_find_out_what_another_has_registered(db: Db, made: Stocked) -> None:
    told = [
        service.price(db, ask(dealer="", project=project), view=View(dealer=made.west))
        for project in (str(made.project), "01931f5e-7c00-7000-8000-00000000000a")
    ]

    for one in told:
        del one["project"], one["hash"], one["snapshot"]  # made of the words that were asked
    assert told[0] == told[1]
    assert "another dealer" in str(service.price(db, ask(dealer="D-WEST", project=str(made.project)), view=SALES))
