"""Names, codes and phones taken apart: the cases that people meet."""

from __future__ import annotations

import pytest

from channel.deals.matching import Claim, codes, contacts, keys_of, prepare
from channel.deals.matching.keys import PAIR_CITY, TAIL_AROUND
from channel.deals.matching.names import parse
from channel.deals.matching.text import clean, sound_of

PARTS = {
    # name: core, region, form, branch
    "深圳市蓝思科技有限公司": ("蓝思科技", "440300", "company", ""),
    "佛山市顺德区鸿源铝业制品有限公司": ("鸿源铝业制品", "440606", "company", ""),
    "华为（深圳）技术有限公司": ("华为技术", "440300", "company", ""),
    "環球國際航運青島有限公司": ("环球国际航运", "370200", "company", ""),
    "Ａ１（上海）電子股份有限公司": ("A一电子", "310000", "company", ""),
    "南阳市宛城区丽道商贸行": ("丽道", "411302", "small", ""),
    "福州市鼓楼区百文斋书店": ("百文斋书店", "350102", "", ""),
    "深圳市蓝思科技有限公司广州分公司": ("蓝思科技", "440300", "company", "广州分公司"),
    "深圳蓝思科技广州办事处": ("蓝思科技", "440300", "", "广州办事处"),
    "深圳市蓝思科技有限公司（老客户）": ("蓝思科技", "440300", "company", ""),
    "深圳市蓝思科技有限公司采购部": ("蓝思科技", "440300", "company", ""),
    "蓝思科技二期": ("蓝思科技", "", "", ""),
    "蓝·思　科-技 有限公司": ("蓝思科技", "", "company", ""),
    "蓝\u200b思科\u00ad技有限公司": ("蓝思科技", "", "company", ""),
    "金牛公司": ("金牛", "", "company", ""),
    "深圳市第3机床厂": ("第三机床", "440300", "small", ""),
    "深圳市琏升科技有线公司": ("琏升科技", "440300", "company", ""),
    "深圳福田策划公司": ("策划", "440304", "company", ""),
    "广西壮族自治区凭祥市红木家具有限公司": ("红木家具", "451481", "company", ""),
}


@pytest.mark.parametrize(("name", "parts"), PARTS.items(), ids=PARTS.keys())
def test_a_name_is_taken_apart(name: str, parts: tuple[str, str, str, str]) -> None:
    found = parse(name)

    assert (found.core, found.region, found.form, found.branch) == parts
    assert len(found.core) == len(found.sound)


@pytest.mark.parametrize(
    "spelled",
    [
        "Shenzhen Lansi Technology Co., Ltd.",
        "SHENZHEN LAN SI KEJI",
        "shenzhenshilansikejiyouxiangongsi",
        "LANSI科技",
        "兰斯科技",
        "藍思科技",
        "蓝思(深圳)科技",
    ],
)
def test_spellings_of_one_name_sound_the_same(spelled: str) -> None:
    assert parse(spelled).sound == parse("深圳市蓝思科技有限公司").sound


def test_a_county_that_may_be_the_brand_stays_as_a_second_reading() -> None:
    assert parse("昆山科技有限公司").spare == "昆山科技"


def test_a_former_name_in_a_bracket_is_an_alias() -> None:
    names = prepare(Claim(name="深圳市琏升科技有限公司（原深圳市宏图远景实业有限公司）")).names

    assert [name.core for name in names] == ["琏升科技", "宏图远景实业"]


def test_clean_text_is_short_whatever_comes() -> None:
    assert clean("（" * 9_000 + "深圳") != ""
    assert len(clean("ﷺ" * 9_000)) <= 160
    assert clean("　深圳市藍思·科技（集團）ＡＢＣ") == "深圳市蓝思科技(集团)ABC"
    assert sound_of("张蓝") == sound_of("脏南")


# GB 32100-2015, Annex; vectors of reference/deal-matching.md, section 2b
VALID = ["91350100M000100Y43", "91110000600037341L", "91110108551385082Q", "91330100716105852F", "91440300708461136T"]
INVALID = [
    "91350100M000100Y4A",
    "91110108551385028Q",
    "91350100M000100YI3",
    "91350100M000100Y",
    "9111000080210076XU",
    "91310000MA1FL0K28Q",
    "",
    "𝟗" * 18,
]


@pytest.mark.parametrize("code", VALID)
def test_codes_that_keep_the_check_rule(code: str) -> None:
    assert codes.valid(code)
    assert prepare(Claim(uscc=f" {code[:8].lower()} {code[8:]}　")).code_valid


@pytest.mark.parametrize("code", INVALID)
def test_codes_that_do_not(code: str) -> None:
    assert not codes.valid(code)


def test_every_single_mistake_and_every_swap_of_neighbours_is_caught() -> None:
    code = VALID[0]
    for place in range(18):
        for other in codes.SYMBOLS:
            assert other == code[place] or not codes.valid(code[:place] + other + code[place + 1 :])
        if place < 17 and code[place] != code[place + 1]:
            assert not codes.valid(code[:place] + code[place + 1] + code[place] + code[place + 2 :])


def test_a_mistaken_code_meets_the_right_one_by_a_key() -> None:
    for wrong in ("9135O100M000100Y43", "91350100M000100Y34", "9135010OMOOO1OOY43", "91350100M000l00Y43"):
        assert set(keys_of(prepare(Claim(uscc=wrong)))) & set(keys_of(prepare(Claim(uscc="91350100M000100Y43"))))


PHONES = {
    "+86 138-0013-8000": "13800138000",
    "008613800138000": "13800138000",
    "１３８００１３８０００": "13800138000",
    "0755-26781234转801": "075526781234",
    "(0755)26781234-801": "075526781234",
    "0755 2678 1234 ext. 12": "075526781234",
    "86-755-26781234": "075526781234",
    "400-820-8820": "4008208820",
    "26781234": "26781234",
}


@pytest.mark.parametrize(("raw", "number"), PHONES.items(), ids=PHONES.keys())
def test_phones_lose_country_marks_and_extension(raw: str, number: str) -> None:
    assert contacts.phones(raw) == (number,)


def test_a_field_may_hold_several_phones_or_none() -> None:
    assert contacts.phones("13800138000/0755-26781234") == ("13800138000", "075526781234")
    assert contacts.phones("请联系张总") == ()


def test_a_phone_in_the_name_field_is_a_phone() -> None:
    one = prepare(Claim(name="138 0013 8000"))

    assert one.phones == ("13800138000",)
    assert "name_is_phone" in one.problems
    assert one.names == ()


@pytest.mark.parametrize(
    ("latin", "chinese", "region"),
    [
        ("Nanchang Mei Sheng Industrial Inc", "梅胜实业", "360100"),  # 省 only behind a place
        ("Xian Xian Trading Limited", "现贸易", "610100"),
        ("LINDE TRADING", "林德贸易", ""),  # sounds like 宁德
        ("Donggu|an Yacheng Technology", "雅诚科技", "441900"),
        ("Wuhanyuanxins、hipinyouxiangongsi", "远信食品", "420100"),
        ("SHENZHEN LANSI TECHNOLOGY CO LTD", "蓝思科技", "440300"),
    ],
)
def test_a_latin_name_keeps_its_brand_whatever_it_sounds_like_and_wherever_a_mark_cuts_it(latin: str, chinese: str, region: str) -> None:
    found = parse(latin)

    assert (found.sound, found.region) == (sound_of(chinese), region)


@pytest.mark.parametrize(
    ("claimed", "registered"),
    [
        ("天津市青赢云科技有限公司", "天津市赢云电子科技有限公司"),  # a sound too many in front, the trade cut short
        ("甘肃锐恒电子科技有限公司", "临夏锐仁电子科技有限公司"),  # a wrong one, and only the province
        ("内蒙古雅兴物流经营部", "呼和浩特雅冬物流经营部"),
    ],
)
def test_a_wrong_or_added_sound_still_meets_where_the_place_agrees(claimed: str, registered: str) -> None:
    kinds = {one & 31 for one in set(keys_of(prepare(Claim(name=claimed)))) & set(keys_of(prepare(Claim(name=registered))))}

    assert kinds & {PAIR_CITY, TAIL_AROUND}
