"""Two at one instant, and a process that dies in the middle: one order, one use of a special price, no gap in the authority."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import pytest

from channel.deals import service as deals
from channel.deals.matching import Claim
from channel.pricing import quote_replaying, special_service
from channel.pricing.quote_queries import Offer
from channel.pricing.quote_service import Submitted
from channel.pricing.special_service import OverCeiling, SpecialItem
from sync import cycle, hub_records, quotes
from tests.quotes.shop import Shop, wanted

T = TypeVar("T")
SPECIAL = "700"


def together(*works: Callable[[], T]) -> list[T | Exception]:
    """Do all of it at one instant; results or errors in their order."""
    barrier = threading.Barrier(len(works))
    found: list[Any] = [None] * len(works)

    def run(at: int) -> None:
        barrier.wait()
        try:
            found[at] = works[at]()
        except Exception as error:  # noqa: BLE001  the test looks at it
            found[at] = error

    threads = [threading.Thread(target=run, args=[at]) for at in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def sent(shop: Shop, *lines: Any, **more: Any) -> Offer:
    offer = quotes.draft(shop.hub, wanted(*lines, **more), shop.seller)
    quotes.submit(shop.hub, offer.number, shop.seller)
    return quotes.send(shop.hub, offer.number, shop.seller)


@pytest.mark.promise(5)
def test_two_acceptances_at_one_instant_are_one_order(shop: Shop) -> None:
    offer = sent(shop)

    told = together(*[lambda: quotes.accept(shop.hub, offer.number, shop.seller)] * 4)

    assert [type(one) for one in told] == [quotes.Accepted] * 4
    assert sorted(one.new for one in told if isinstance(one, quotes.Accepted)) == [False, False, False, True]
    assert shop.one("SELECT count(*) AS n FROM orders") == 1
    assert shop.one("SELECT count(*) AS n FROM quote_event WHERE action = 'accept'") == 1


def test_two_halves_submitted_at_one_instant_need_what_the_whole_needs(shop: Shop) -> None:
    halves = [quotes.draft(shop.hub, wanted(("PUMP-50", "60", "4")), shop.seller) for _ in range(2)]

    told = together(*[lambda number=one.number: quotes.submit(shop.hub, number, shop.seller) for one in halves])

    assert sorted(one.verdict.level for one in told if isinstance(one, Submitted)) == [0, 1]


def test_accepting_and_losing_at_one_instant_is_one_of_the_two(shop: Shop) -> None:
    offer = sent(shop)

    told = together(
        lambda: quotes.accept(shop.hub, offer.number, shop.seller).offer.state,
        lambda: quotes.lose(shop.hub, offer.number, shop.seller, "price").state,
    )

    (state,) = [one for one in told if isinstance(one, str)]
    assert shop.one("SELECT state FROM quote_offer") == state
    assert shop.one("SELECT count(*) AS n FROM orders") == (1 if state == "accepted" else 0)


ACCEPT = """
import sys
from sync import quotes
from tests.quotes.shop import Shop, open_shop
with open_shop(sys.argv[1]) as hub:
    print("open", flush=True)
    quotes.accept(hub, sys.argv[2], Shop(hub).seller)
"""


@pytest.mark.promise(5)
def test_a_process_killed_between_acceptance_and_order_has_done_neither(shop: Shop, database: str) -> None:
    """The order's insert waits for a lock that we hold: the process is killed there, with the acceptance written and not committed."""
    offer = sent(shop)
    with psycopg.connect(database, autocommit=True) as db:
        db.execute(
            "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $$"
        )
        db.execute("CREATE TRIGGER held AFTER INSERT ON orders FOR EACH STATEMENT EXECUTE FUNCTION hold()")
        db.execute("SELECT pg_advisory_lock(4711)")
        worker = subprocess.Popen([sys.executable, "-c", ACCEPT, database, offer.number], stdout=subprocess.PIPE, text=True, env=os.environ)
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted"
        _until(lambda: db.execute(waiting).fetchone() == (1,))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        db.execute("SELECT pg_advisory_unlock(4711)")
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"
        _until(lambda: db.execute(waiting).fetchone() == (0,) and db.execute(others).fetchone() == (0,))
        db.execute("DROP TRIGGER held ON orders")

    assert shop.one("SELECT state FROM quote_offer") == "sent"
    assert shop.one("SELECT count(*) AS n FROM orders") == 0
    assert shop.one("SELECT stage FROM quotes") == "delivered"
    assert quotes.accept(shop.hub, offer.number, shop.seller).new
    assert shop.one("SELECT count(*) AS n FROM orders") == 1


def _until(done: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


# Special prices ------------------------------------------------------------------------------------------------------------------


def special(shop: Shop, ceiling: str = "100") -> tuple[str, str]:
    """A deal with a live registration and an approved special price for its pumps: the deal and the price's number."""
    cycle.derive(shop.hub)
    won = {"name": "三号泵站", "stage": "won", "stage_kind": "won", "currency": "CNY"}
    deal = shop.put("deal", "deal/special", {**won, "dealer": shop.east, "customer": shop.mill, "company": shop.company})
    with shop.hub.transaction() as db:
        made = deals.register(db.connection, UUID(shop.east), Claim(name="无锡第三自来水厂"), party_id=UUID(shop.mill))
        db.execute("UPDATE registration SET deal_id = %s, status = 'converted' WHERE id = %s", [deal, made.id])
        asked = special_service.Wanted("D-EAST", deal, (SpecialItem("PUMP-50", Decimal(SPECIAL), Decimal(ceiling)),))
        number = special_service.ask(db.connection, asked, by="sales", today=shop.today)
        special_service.decide(db.connection, number, "approved", by="王总")
    return deal, number


def consumed(shop: Shop, number: str) -> Decimal:
    return Decimal(shop.one("SELECT consumed FROM special_price_item WHERE special_id = %s", number))


def test_a_special_price_is_used_up_by_acceptance_and_given_back_when_the_order_is_void(shop: Shop) -> None:
    deal, number = special(shop)
    offer = sent(shop, ("PUMP-50", "60"), deal=deal)
    before = consumed(shop, number)

    accepted = quotes.accept(shop.hub, offer.number, shop.seller)
    used = consumed(shop, number)
    assert accepted.order is not None
    with shop.hub.transaction() as db:
        fields = dict(shop.rows("SELECT doc FROM orders")[0]["doc"]) | {"status": "void"}
        hub_records.put(shop.hub, db, "order", f"quote/{offer.id}/1", fields, {}, cause="voided in the ERP")
    cycle.derive(shop.hub)

    assert offer.total == Decimal("47460.00")
    assert [before, used, consumed(shop, number)] == [0, 60, 0]
    assert shop.one("SELECT state FROM quote_offer") == "voided"
    assert shop.one("SELECT stage FROM quotes") == "rejected"


def test_two_quotes_that_together_want_more_than_the_special_price_has_left_cannot_both_be_accepted(shop: Shop) -> None:
    deal, number = special(shop)
    offers = [sent(shop, ("PUMP-50", "60"), deal=deal) for _ in range(2)]

    told = together(*[lambda name=one.number: quotes.accept(shop.hub, name, shop.seller) for one in offers])

    assert sorted(type(one).__name__ for one in told) == sorted([quotes.Accepted.__name__, OverCeiling.__name__])
    assert consumed(shop, number) == 60
    assert sorted(row["state"] for row in shop.rows("SELECT state FROM quote_offer")) == ["accepted", "sent"]
    assert shop.one("SELECT count(*) AS n FROM orders") == 1


def test_an_earlier_special_price_does_not_stand_in_the_way_of_the_next_quote(shop: Shop) -> None:
    deal, _ = special(shop)
    sent(shop, ("PUMP-50", "60"), deal=deal)
    more = quotes.draft(shop.hub, wanted(("VALVE-80", "10"), deal=deal), shop.seller)

    assert quotes.submit(shop.hub, more.number, shop.seller).verdict.result == "auto"


def test_a_version_is_priced_again_as_it_was_whatever_became_of_the_buyer_and_his_special_price(shop: Shop) -> None:
    deal, number = special(shop)
    offer = quotes.draft(shop.hub, wanted(("PUMP-50", "60"), deal=deal), shop.seller)
    with shop.hub.transaction() as db:
        special_service.consume(db.connection, number, "order:SO-9/1", Decimal(100), by="test")
        db.execute("UPDATE parties SET level = 'other', number = 'D-EAST-2' WHERE id = %s", [shop.east])
        db.execute("UPDATE registration SET status = 'released'")

    with shop.hub.transaction() as db:
        told = quote_replaying.replay(db.connection, offer.id, 1)

    assert (told.same, told.pinned, told.differs) == (True, True, ())
    assert shop.one("SELECT lines->0->>'special' FROM quote_version") == number
