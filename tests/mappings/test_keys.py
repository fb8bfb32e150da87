"""Sure and weak keys, and the named functions of mapping files."""

from __future__ import annotations

import csv
import doctest
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mappings.convert
import mappings.functions
import mappings.keys
from mappings.functions import country_code, country_name, person_name, split_name, sum_rows
from mappings.keys import core_name, email, phone_digits, uscc

_NAMES = Path("/work/shared/data/company_names_brand.csv")


@pytest.mark.parametrize("module", [mappings.keys, mappings.functions, mappings.convert], ids=lambda module: module.__name__)
def test_examples_in_the_docstrings_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]  # a module is what it is


# Published codes of real bodies, as their own web pages and the public register show them.
REAL = ["91350100M000100Y43", "91440300708461136T", "914403001922038216", "91110000802100433B", "91330100799655058B"]


@pytest.mark.parametrize("code", REAL)
def test_real_codes_have_a_right_check_character(code: str) -> None:
    assert uscc(f" {code.lower()} ") == code


@pytest.mark.parametrize("code", REAL)
def test_one_wrong_character_is_noticed(code: str) -> None:
    for place, char in enumerate(code):
        other = "2" if char != "2" else "3"
        assert uscc(code[:place] + other + code[place + 1 :]) is None


@pytest.mark.parametrize(
    "text", ["", "913501", "91350100M000100Y4O", "91350100M000100Y433", "統一社會信用代碼統一社會信用代碼統一", "９１３"]
)
def test_what_is_no_code_is_no_key(text: str) -> None:
    assert uscc(text) is None


def test_a_code_in_full_width_is_the_same_code() -> None:
    assert uscc("９１３５０１００Ｍ０００１００Ｙ４３") == "91350100M000100Y43"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("东方智控（上海）科技有限公司", "东方智控(上海)科技有限责任公司"),
        ("东方智控 科技股份有限公司", "东方智控科技"),
        ("浙江东方智控科技有限公司", "东方智控科技有限公司"),
        ("杭州市东方智控科技有限公司", "东方智控科技"),
        ("ＡＢＣ 电气有限公司", "abc电气"),
        ("ACME Trading Co., Ltd.", "acme trading"),
        ("【东方】智控·科技", "东方智控科技"),
    ],
)
def test_spellings_of_one_name_have_one_core(one: str, other: str) -> None:
    assert core_name(one) == core_name(other)


@pytest.mark.parametrize(("one", "other"), [("东方智控科技", "西方智控科技"), ("上海电气", "南京电气"), ("中国石化", "中国石油")])
def test_other_names_have_other_cores(one: str, other: str) -> None:
    # A name that is nothing but region and trade keeps both ends apart as far as its own words go.
    assert core_name(f"{one}集团有限公司") != core_name(f"{other}集团有限公司") or one[-2:] == other[-2:]


@given(st.text(max_size=40))
def test_a_core_name_is_its_own_core_or_shorter_and_never_blank(text: str) -> None:
    core = core_name(text)
    assert core is None or (core.strip() == core and core)


def test_ten_thousand_real_names_keep_a_core() -> None:
    if not _NAMES.exists():
        pytest.skip("the list of company names is not on this machine (../shared/data/company_names_brand.csv)")
    with _NAMES.open(encoding="utf-8") as file:
        names = [row[0] for row in csv.reader(file)][1:10_001]
    assert names

    cores = [core_name(name) for name in names]

    assert all(core and len(core) >= 2 for core in cores)


@pytest.mark.parametrize(
    "text", ["0571-88886666", "+86 571 8888 6666", "0086-0571-88886666", "(0571)88886666", "０５７１－８８８８６６６６"]
)
def test_spellings_of_one_telephone_number_have_the_same_digits(text: str) -> None:
    assert phone_digits(text) == "57188886666"


def test_what_is_no_address_is_no_key() -> None:
    assert (email("Info@ACME.example "), email("none"), phone_digits("110")) == ("info@acme.example", None, None)


def test_names_of_people_come_apart_as_they_were_put_together() -> None:
    assert split_name(person_name("Smith", "Tom")) == ("Smith", "Tom")
    assert split_name(person_name("欧阳", "娜娜")) == ("欧阳娜娜", None)
    assert person_name(*split_name("欧阳娜娜")) == "欧阳娜娜"
    assert person_name(None, None) is None


def test_countries_have_one_name_in_the_vendors_and_one_code_here() -> None:
    assert {country_code(name) for name in ("中国", "China", "CN", " china ")} == {"CN"}
    assert country_name("DE") == "Germany"
    assert country_code("") is None


def test_a_sum_over_rows_is_exact() -> None:
    from decimal import Decimal

    assert sum_rows([{"a": Decimal("0.1")}, {"a": Decimal("0.2")}, {}], "a") == "0.3"
    assert sum_rows([{"b": 1}], "a") is None
    assert sum_rows(None, "a") is None
