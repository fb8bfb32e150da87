"""A population of firms and what several systems wrote down about them: the material for resolving, with its truth.

Shares no table and no code with the hub: words, homophones, look-alikes and codes are this file's own. Everything follows from the seed.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.parties.words import (
    CITIES,
    DISTRICTS,
    ELSEWHERE,
    FORMS,
    GIVEN,
    LOOKALIKE,
    PROVINCE_OF,
    ROADS,
    SAME_TRADE,
    SOUNDS,
    SURNAMES,
    TRADES,
    TRADITIONAL,
)

CODE_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
COLUMNS = ("rid", "source", "name", "uscc", "phone", "contact", "city", "addr")
READING = {char: sound for sound, chars in SOUNDS.items() for char in chars}
CHARS = [char for chars in SOUNDS.values() for char in chars]
LEVEL_ONE = [bytes((high, low)).decode("gb2312") for high in range(0xB0, 0xD7) for low in range(0xA1, 0xFF)]
"""The 3,666 commonest characters, in the order of their sounds: neighbours mostly sound alike."""
PLACE_OF = {char: place for place, char in enumerate(LEVEL_ONE)}
FULL_WIDTH = {ord(plain): ord(plain) + 0xFEE0 for plain in "()0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
NOTES = ("采购部", "二期", "(老客户)", "（已合作）", "-项目部", " 财务", "(新)", "总部", "（勿扰）")
MARKS = "·.-_ *、"


@dataclass(frozen=True, slots=True)
class Level:
    """How badly a name is treated: the chance of no change at all, and how many changes otherwise."""

    untouched: float
    changes: tuple[int, ...]
    rough: float
    """Share of changes that lose something (brand alone, a wrong character) and not only its form."""


LEVELS = {"light": Level(0.45, (1, 1, 2), 0.05), "dealer": Level(0.15, (1, 1, 2, 2), 0.15), "game": Level(0.0, (1, 2, 2, 3), 0.35)}


@dataclass(frozen=True, slots=True)
class System:
    """A source: how it treats names, and how often each field is filled."""

    name: str
    levels: tuple[tuple[str, float], ...]
    uscc: float
    phone: float
    contact: float
    city: float
    addr: float


SYSTEMS = (
    System("erp", (("light", 0.92), ("dealer", 0.08)), 0.85, 0.7, 0.5, 0.85, 0.75),
    System("crm", (("light", 0.64), ("dealer", 0.32), ("game", 0.04)), 0.4, 0.75, 0.7, 0.75, 0.5),
    System("fxiaoke", (("light", 0.6), ("dealer", 0.35), ("game", 0.05)), 0.35, 0.8, 0.75, 0.7, 0.45),
    System("excel", (("light", 0.45), ("dealer", 0.46), ("game", 0.09)), 0.12, 0.65, 0.5, 0.6, 0.3),
)
COPIES = ((1, 0.64), (2, 0.225), (3, 0.09), (4, 0.035), (5, 0.01))


@dataclass(slots=True)
class Firm:
    """The truth about one firm."""

    id: int
    region: str
    brand: str
    trade: str
    form: str
    shape: int
    city: str
    district: str
    uscc: str
    phones: list[str]
    contacts: list[str]
    addr: str
    branch: str = ""

    @property
    def name(self) -> str:
        """The registered name."""
        whole = _shaped(self.shape, self.region, self.brand, self.trade, self.form)
        return whole + self.branch


@dataclass(slots=True)
class Population:
    """Rows in the order of COLUMNS, and the firm behind each rid."""

    rows: list[tuple[str, ...]] = field(default_factory=list)
    truth: dict[str, int] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """The rows as the CSV that `hub deals resolve` reads."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(self.rows)

    def write_truth(self, path: Path) -> None:
        """rid,firm."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("rid", "firm"))
            writer.writerows(self.truth.items())


def _shaped(shape: int, region: str, brand: str, trade: str, form: str) -> str:
    if shape == 1:
        return f"{brand}（{region}）{trade}{form}" if region else f"{brand}{trade}{form}"
    if shape == 2:
        return f"{brand}{trade}（{region}）{form}" if region else f"{brand}{trade}{form}"
    return f"{region}{brand}{trade}{form}"


# Codes ----------------------------------------------------------------------------------------------------------------------


def code(random: Random, division: str) -> str:
    """A valid 统一社会信用代码 of GB 32100-2015, its organisation code of GB 11714 included."""
    body = "".join(random.choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=2)) + f"{random.randrange(10**6):06d}"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    left = 11 - sum(int(sign, 36) * weight for sign, weight in zip(body, weights, strict=True)) % 11
    part = "91" + division + body + ("X" if left == 10 else "0" if left == 11 else str(left))
    total = sum(CODE_SIGNS.index(sign) * pow(3, place, 31) for place, sign in enumerate(part))
    return part + CODE_SIGNS[(31 - total % 31) % 31]


# Firms ----------------------------------------------------------------------------------------------------------------------


class Maker:
    """Makes firms and the records of them."""

    def __init__(self, seed: int, brands: Sequence[str] = ()) -> None:
        self.random = Random(seed)
        self.brands = brands
        self.next_id = 0
        self.agencies: list[str] = []
        self.divisions = {city: f"{11 + place % 54:02d}{place % 90 + 1:02d}00" for place, city in enumerate(CITIES)}

    def brand(self) -> str:
        """A name of two to four characters; some are far more common than others."""
        if self.brands and self.random.random() < 0.9:
            return self.random.choice(self.brands)
        length = self.random.choices((2, 3, 4), (0.7, 0.22, 0.08))[0]
        return "".join(self.char() for _ in range(length))

    def char(self) -> str:
        """A character of a brand: two in three from those that firms like best."""
        if self.random.random() < 0.65:
            return CHARS[int(len(CHARS) * self.random.random() ** 1.2)]
        return self.random.choice(LEVEL_ONE)

    def mobile(self) -> str:
        """A mobile number."""
        return self.random.choice(("13", "15", "17", "18", "19")) + f"{self.random.randrange(10**9):09d}"

    def landline(self, city: str) -> str:
        """A number of the city."""
        zone = f"0{20 + CITIES.index(city) * 7 % 980}" if CITIES.index(city) > 9 else f"0{20 + CITIES.index(city)}"
        return f"{zone}-{self.random.randrange(2, 9)}{self.random.randrange(10**7):07d}"

    def phone(self, city: str) -> str:
        """A firm's number; one in fifteen gives its book-keeping agency's."""
        if self.random.random() < 0.065:
            if not self.agencies or self.random.random() < 0.04:
                self.agencies.append(self.mobile())
            return self.agencies[-1 - int(min(len(self.agencies), 40) * self.random.random())]
        return self.mobile() if self.random.random() < 0.6 else self.landline(city)

    def person(self) -> str:
        """Somebody's name."""
        given = "".join(self.random.choices(GIVEN, k=self.random.choice((1, 2, 2))))
        return self.random.choice(SURNAMES) + given

    def firm(self, brand: str = "", like: Firm | None = None) -> Firm:
        """A firm of its own, or a sister of another one."""
        random = self.random
        city = random.choice(CITIES) if like is None or random.random() < 0.6 else like.city
        trade = random.choice(TRADES) if like is None or random.random() < 0.6 else like.trade
        if like is not None and (city, trade) == (like.city, like.trade):
            trade = random.choice(TRADES)
        district = random.choice(DISTRICTS.get(city, ELSEWHERE))
        kind = random.random()
        if kind < 0.14 and like is None:
            form, region, shape = (
                random.choice(("经营部", "商行", "厂", "店", "加工厂", "门市部")),
                city + random.choice(("市", "")) + district,
                0,
            )
        else:
            form = random.choices(FORMS, (0.72, 0.1, 0.08, 0.06, 0.04))[0]
            shape = random.choices((0, 1, 2), (0.8, 0.11, 0.09))[0]
            region = random.choices((city + "市", city, PROVINCE_OF[city], ""), (0.4, 0.32, 0.14, 0.14))[0]
            if shape:
                region = region.removesuffix("市")
        contacts = [self.person()]
        phones = [self.phone(city)]
        if like is not None and random.random() < 0.25:
            phones = list(like.phones)
        if like is not None and random.random() < 0.25:
            contacts = list(like.contacts)
        if random.random() < 0.35:
            phones.append(self.mobile() if random.random() < 0.5 else self.landline(city))
        if random.random() < 0.3:
            contacts.append(self.person())
        addr = f"{district}{random.choice(ROADS)}{random.choice(('路', '路', '大道', '街', '东路', '中路'))}{random.randrange(1, 900)}号"
        if random.random() < 0.5:
            addr += f"{random.randrange(1, 30)}栋{random.randrange(1, 30)}{random.randrange(1, 12):02d}室"
        if like is not None and like.city == city and random.random() < 0.4:
            addr = like.addr
        self.next_id += 1
        return Firm(
            self.next_id,
            region,
            brand or self.brand(),
            trade,
            form,
            shape,
            city,
            district,
            code(random, self.divisions[city]),
            phones,
            contacts,
            addr,
        )

    def family(self) -> list[Firm]:
        """A firm alone, sisters of one brand, or a firm with its branches."""
        first = self.firm()
        chance = self.random.random()
        if chance < 0.035:
            return [first, *(self.firm(first.brand, first) for _ in range(self.random.choice((1, 1, 1, 2, 3, 5))))]
        if chance < 0.05:
            return [first, *(self.branch_of(first) for _ in range(self.random.choice((1, 1, 2, 4))))]
        return [first]

    def branch_of(self, parent: Firm) -> Firm:
        """A branch: its parent's name in front, its own code and place."""
        branch = self.firm(parent.brand, parent)
        branch.region, branch.trade, branch.form, branch.shape = parent.region, parent.trade, parent.form, parent.shape
        branch.branch = f"{branch.city}分公司"
        if branch.city == parent.city:
            branch.branch = f"{branch.district.removesuffix('区')}分公司"
        return branch

    # Records

    def record(self, firm: Firm, system: System) -> tuple[str, ...]:
        """What a system wrote down about a firm: name, uscc, phone, contact, city, addr."""
        random = self.random
        level = LEVELS[random.choices([name for name, _ in system.levels], [share for _, share in system.levels])[0]]
        name = self.spoilt(firm, level)
        uscc = phone = contact = city = addr = ""
        if random.random() < system.uscc:
            uscc = self.typed_code(firm.uscc)
        if random.random() < system.phone:
            phone = self.typed_phone(firm.phones[0] if random.random() < 0.8 else random.choice(firm.phones))
        if random.random() < system.contact:
            contact = self.typed_person(firm.contacts[0] if random.random() < 0.75 else random.choice(firm.contacts))
        if random.random() < system.city:
            city = firm.city + random.choice(("市", "市", ""))
            if random.random() < 0.04:
                city = firm.district if random.random() < 0.5 else PROVINCE_OF[firm.city]
            elif random.random() < 0.015:
                city = random.choice(CITIES)
        if random.random() < system.addr:
            addr = self.typed_addr(firm)
        return name, uscc, phone, contact, city, addr

    def typed_code(self, uscc: str) -> str:
        """The code as it was typed."""
        random = self.random
        chance = random.random()
        if chance < 0.035:
            place = random.randrange(18)
            return uscc[:place] + random.choice("0123456789ABCDEFGHIJKLMNOPQ") + uscc[place + 1 :]
        if chance < 0.045:
            place = random.randrange(17)
            return uscc[:place] + uscc[place + 1] + uscc[place] + uscc[place + 2 :]
        if chance < 0.06:
            return uscc.lower()
        if chance < 0.07:
            return f"{uscc[8:16]}-{uscc[16]}"
        if chance < 0.08:
            return f" {uscc[:8]} {uscc[8:]}"
        return uscc

    def typed_phone(self, phone: str) -> str:
        """The phone as it was typed; sometimes another one."""
        random = self.random
        chance = random.random()
        if chance < 0.08:
            return self.mobile()  # another one, of somebody who has left
        if chance < 0.1:
            place = random.randrange(4, len(phone))
            return phone[:place] + str(random.randrange(10)) + phone[place + 1 :]
        if chance < 0.22:
            return "+86 " + phone
        if chance < 0.28:
            return f"{phone[:3]} {phone[3:7]} {phone[7:]}"
        if chance < 0.34 and "-" in phone:
            return f"{phone}{random.choice(('转', '-', ' ext '))}{random.randrange(100, 9999)}"
        if chance < 0.37:
            return phone.translate(FULL_WIDTH)
        return phone

    def typed_person(self, person: str) -> str:
        """The contact as it was typed; sometimes another one."""
        chance = self.random.random()
        if chance < 0.12:
            return person[0] + self.random.choice(("总", "经理", "先生", "女士", "工"))
        if chance < 0.18:
            return person + self.random.choice(("经理", "(采购)", "总"))
        if chance < 0.25:
            return self.person()
        return person

    def typed_addr(self, firm: Firm) -> str:
        """The address as it was typed; sometimes an older one."""
        random = self.random
        addr = firm.addr
        chance = random.random()
        if chance < 0.07:
            return f"{firm.city}市{random.choice(ROADS)}路{random.randrange(1, 900)}号"  # it has moved
        if chance < 0.3:
            addr = addr.split("号")[0] + "号"
        if chance < 0.15:
            addr = addr.replace(firm.district, "")
        front = random.choices(("", firm.city + "市", f"{PROVINCE_OF[firm.city]}省{firm.city}市", firm.city), (0.3, 0.4, 0.2, 0.1))[0]
        return front + addr

    # Names

    def spoilt(self, firm: Firm, level: Level) -> str:
        """The name as somebody typed it."""
        random = self.random
        if random.random() < 0.003:
            return ""
        if random.random() < level.untouched:
            return firm.name
        parts: list[Any] = [firm.region, firm.brand, firm.trade, firm.form, firm.shape, firm.branch]
        for _ in range(random.choice(level.changes)):
            (self._rough if random.random() < level.rough else self._mild)(parts)
        text = _shaped(parts[4], parts[0], parts[1], parts[2], parts[3]) + parts[5]
        return self._surface(text)

    def _mild(self, parts: list[Any]) -> None:
        random = self.random
        chance = random.random()
        if chance < 0.28:
            parts[3] = random.choice(("", "公司", "有限公司", "有限责任公司", "")) if "公司" in parts[3] else parts[3]
        elif chance < 0.46:
            region = parts[0].removesuffix("市")
            parts[0] = "" if random.random() < 0.55 or not region else region + random.choice(("", "市"))
            if parts[4] and parts[0]:
                parts[4] = random.choice((0, 1, 2))
        elif chance < 0.56 and parts[0]:
            parts[4] = random.choice((0, 1, 2))
        elif chance < 0.7:
            parts[1] = self._homophone(parts[1])
        elif chance < 0.82:
            parts[2] = SAME_TRADE.get(parts[2], parts[2][:2])
        elif chance < 0.87:
            parts[5] += random.choice(NOTES)
        elif chance < 0.93:
            place = random.randrange(len(parts[1]))
            parts[1] = parts[1][:place] + LOOKALIKE.get(parts[1][place], parts[1][place]) + parts[1][place + 1 :]
        else:
            parts[2] = self._homophone(parts[2])

    def _homophone(self, text: str) -> str:
        place = self.random.randrange(len(text)) if text else 0
        if not text:
            return text
        if text[place] in READING:
            other = self.random.choice(SOUNDS[READING[text[place]]])
        elif text[place] in PLACE_OF:
            other = LEVEL_ONE[max(PLACE_OF[text[place]] - 1, 0)]
        else:
            return text
        return text[:place] + other + text[place + 1 :]

    def _rough(self, parts: list[Any]) -> None:
        random = self.random
        chance = random.random()
        brand = parts[1]
        place = random.randrange(len(brand)) if brand else 0
        if chance < 0.3:
            parts[2] = "" if random.random() < 0.6 else parts[2][:2]
            parts[3] = "" if random.random() < 0.5 else parts[3]
        elif chance < 0.4:
            parts[0] = parts[2] = parts[3] = ""
        elif chance < 0.55:
            parts[1] = brand[:place] + self.char() + brand[place + 1 :]
        elif chance < 0.63:
            parts[1] = brand[:place] + brand[place] * 2 + brand[place + 1 :] if brand else brand
        elif chance < 0.72 and len(brand) > 2:
            parts[1] = brand[:place] + brand[place + 1 :]
        elif chance < 0.8 and len(brand) > 1:
            place = min(place, len(brand) - 2)
            parts[1] = brand[:place] + brand[place + 1] + brand[place] + brand[place + 2 :]
        elif chance < 0.88 and len(parts[2]) > 2:
            place = random.randrange(len(parts[2]))
            parts[2] = parts[2][:place] + parts[2][place + 1 :]
        elif chance < 0.94:
            sounds = [READING.get(char, "") for char in brand]
            if all(sounds):
                parts[1] = "".join(sounds).upper() if random.random() < 0.5 else "".join(sounds).title()
        else:
            parts[1] = brand + random.choice(("集团", "实业"))

    def _surface(self, text: str) -> str:
        random = self.random
        chance = random.random()
        if chance < 0.06:
            return "".join(TRADITIONAL.get(char, char) for char in text)
        if chance < 0.12:
            return text.replace("（", "(").replace("）", ")")
        if chance < 0.15:
            return text.translate(FULL_WIDTH)
        if chance < 0.22 and len(text) > 2:
            place = random.randrange(1, len(text))
            return text[:place] + random.choice(MARKS) + text[place:]
        if chance < 0.24:
            return " ".join(text)
        return text


def populate(seed: int, records: int, brands: Sequence[str] = ()) -> Population:
    """About 0.65 firms a record; rows in random order."""
    maker = Maker(seed, brands)
    random = maker.random
    found: list[tuple[int, str, tuple[str, ...]]] = []
    while len(found) < records:
        for firm in maker.family():
            copies = random.choices([number for number, _ in COPIES], [share for _, share in COPIES])[0]
            for _ in range(copies):
                system = random.choices(SYSTEMS, (0.34, 0.28, 0.22, 0.16))[0]
                found.append((firm.id, system.name, maker.record(firm, system)))
    del found[records:]
    random.shuffle(found)
    made = Population()
    for number, (firm_id, system_name, values) in enumerate(found):
        rid = f"{system_name}-{number:07d}"
        made.rows.append((rid, system_name, *values))
        made.truth[rid] = firm_id
    return made


def real_brands(data: Path) -> list[str]:
    """Real brand words where they lie; an empty list elsewhere."""
    file = data / "brand_words.txt"
    if not file.exists():
        return []
    return [word for word in file.read_text(encoding="utf-8").split() if 2 <= len(word) <= 4 and word.isalpha() and not word.isascii()]
