"""Eight dealers at one instant: rounds of a race over real connections, and the same claims one after another.

`python -m tests.deals.registration.racing URL --rounds 1000` plays it at length.
"""

from __future__ import annotations

import argparse
import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

import psycopg

from channel.deals.matching import Claim
from channel.deals.registrations import Registered
from channel.deals.service import register
from tests.deals.registration.helpers import add_dealer

DEALERS = 8
CITIES = ("上海", "深圳", "苏州", "宁波", "无锡", "东莞", "佛山", "成都", "重庆", "青岛", "大连", "厦门")
BRANDS = "华谊蓝思海天中控汇川三花盾安拓普均胜精锻双环恒立艾迪杰克弘亚科瑞博众"
TRADES = ("机械设备", "电子科技", "精密制造", "自动化工程", "环保材料", "泵业", "阀门", "新能源技术", "仪器仪表", "塑胶模具")
LIVE = ("submitted", "held", "protected", "converted")


def spellings(seed: int) -> list[Claim]:
    """One firm under eight spellings, as dealers write it."""
    chance = random.Random(seed)
    city, trade = chance.choice(CITIES), chance.choice(TRADES)
    brand = "".join(chance.sample(BRANDS, 3))
    phone = f"139{chance.randrange(10**8):08d}"
    return [
        Claim(name=f"{city}市{brand}{trade}有限公司", phone=phone, city=city),
        Claim(name=f"{brand}{trade}（{city}）有限公司", city=city),
        Claim(name=f"{city}{brand}{trade}", phone=phone),
        Claim(name=f"{brand}{trade}股份有限公司", city=f"{city}市"),
        Claim(name=f" {city}市 {brand}·{trade} 有限责任公司 ", phone=f"+86 {phone}"),
        Claim(name=f"{brand}{trade}", phone=phone, city=city),
        Claim(name=f"{city}市{brand}{trade}有限公司（二期）", city=city),
        Claim(name=f"{brand[0]}{brand[2]}{brand[1]}{trade}有限公司", phone=phone, city=city),
    ]


@dataclass
class Outcome:
    """What a round left behind."""

    answers: list[Registered]
    live: list[tuple[UUID, int, str]]
    """Registrations that hold something: id, customer, status."""

    @property
    def winners(self) -> int:
        """How many hold without a question being open."""
        return sum(status == "protected" for _, _, status in self.live)


@dataclass
class Report:
    """Rounds counted up."""

    rounds: int = 0
    extra_winners: int = 0
    extra_one_by_one: int = 0
    worse: list[int] = field(default_factory=list)
    """Rounds with more winners than any one-after-another run tried."""
    lost: int = 0
    deadlocks: int = 0
    """That the database ended and nobody saw. An error that a dealer would see ends the whole run."""


class Race:
    """Connections of eight dealers to one database."""

    def __init__(self, url: str) -> None:
        self.control = psycopg.connect(url, autocommit=True)
        self.dealers = [add_dealer(self.control, f"第{number}经销商有限公司") for number in range(DEALERS)]
        self.connections: list[psycopg.Connection[Any]] = [psycopg.connect(url, autocommit=True) for _ in range(DEALERS)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in (*self.connections, self.control):
            connection.close()

    def at_once(self, claims: Sequence[Claim]) -> Outcome:
        """All eight at one instant."""
        gate = threading.Barrier(DEALERS)

        def go(number: int) -> Registered:
            gate.wait()
            return register(self.connections[number], self.dealers[number], claims[number], idempotency_key=claims[number].name)

        with ThreadPoolExecutor(DEALERS) as pool:
            return self._left(list(pool.map(go, range(DEALERS))))

    def one_by_one(self, claims: Sequence[Claim], order: Sequence[int]) -> Outcome:
        """The same claims in some order."""
        answers = {
            number: register(self.connections[0], self.dealers[number], claims[number], idempotency_key=claims[number].name)
            for number in order
        }
        return self._left([answers[number] for number in range(DEALERS)])

    def _left(self, answers: list[Registered]) -> Outcome:
        rows = self.control.execute(
            "SELECT id, customer_id, status FROM registration WHERE status = ANY(%s) ORDER BY submitted_at, id", [list(LIVE)]
        ).fetchall()
        return Outcome(answers, rows)

    def clear(self) -> None:
        """Forget everything but the dealers."""
        self.control.execute(
            "TRUNCATE registration, registration_doubt, registration_event, decision_input, match_key, customer, check_quota CASCADE"
        )

    def play(self, rounds: int, seed: int = 20261121, orders: int = 3) -> Report:
        """Rounds at one instant, each compared with the order in which the clock says they came, and with others."""
        report = Report()
        chance = random.Random(seed)
        for number in range(rounds):
            claims = spellings(seed + number)
            self.clear()
            raced = self.at_once(claims)
            report.rounds += 1
            report.lost += self._lost(raced)
            came = sorted(range(DEALERS), key=lambda one: (raced.answers[one].submitted_at, one))
            most = 0
            for order in [came, *(chance.sample(range(DEALERS), DEALERS) for _ in range(orders))]:
                self.clear()
                most = max(most, self.one_by_one(claims, order).winners)
                if order is came:
                    report.extra_one_by_one += max(most - 1, 0)
                if raced.winners <= most:
                    break
            report.extra_winners += max(raced.winners - 1, 0)
            if raced.winners > most:
                report.worse.append(seed + number)
        found = self.control.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()
        report.deadlocks = found[0] if found else 0
        return report

    @staticmethod
    def _lost(raced: Outcome) -> int:
        """Answers that say `held` or `protected` without a row, and rounds that nobody won."""
        stored = {registration for registration, _, _ in raced.live}
        told = {answer.id for answer in raced.answers if answer.status in LIVE}
        return len(told ^ stored) + (not stored)


def main() -> None:
    """Play rounds and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--rounds", type=int, default=1000)
    asked = parser.parse_args()
    with Race(asked.url) as race:
        print(race.play(asked.rounds))  # noqa: T201  this is its output


if __name__ == "__main__":
    main()
