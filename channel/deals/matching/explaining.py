"""The sentence of each feature's level, in Chinese and in English. No value of anybody's record is in it, so a dealer may read it."""

from __future__ import annotations

_BRAND = {
    "same": ("字号相同", "the brand is the same"),
    "sound": ("字号同音", "the brand sounds the same"),
    "look": ("字号有一个形近字", "one character of the brand looks alike"),
    "swap": ("字号有两个字对调", "two characters of the brand are swapped"),
    "edit": ("字号差一个字", "one character of the brand differs"),
    "head": ("一方只写了字号的开头", "one gives only the beginning of the brand"),
    "longer": ("字号多或少一个字", "the brand has one character more or less"),
    "edit2": ("字号有较大差别", "the brand differs in a large part"),
    "far": ("字号不同", "the brand is another"),
    "missing": ("缺少可比的名称", "there is no name to compare"),
}
_TRADE = {
    "same": ("行业用语相同", "the trade is the same"),
    "sound": ("行业用语同音", "the trade sounds the same"),
    "near": ("行业用语只差一个字", "the trade differs in one character"),
    "short": ("一方的行业用语较短，但不矛盾", "one trade is a shorter form of the other"),
    "dropped": ("一方没有写行业", "one name says no trade"),
    "told": ("一方的全称里没有行业", "one full name has no trade in it"),
    "both_none": ("双方都没有写行业", "neither name says a trade"),
    "overlap": ("行业用语部分相同", "the trades share a part"),
    "english": ("行业用语是译名，无法严格比较", "the trade is translated and compares loosely"),
    "differ": ("行业用语不同", "the trade is another"),
    "missing": ("缺少可比的行业", "there is no trade to compare"),
}
_PLACE = {
    "same": ("相同", "is the same"),
    "within": ("互相包含", "lies within the other"),
    "city": ("在同一城市", "is in the same city"),
    "province": ("同省不同市", "is another city of the same province"),
    "differ": ("不同", "is another"),
    "missing": ("只有一方写明", "is given by one side only"),
    "both_missing": ("双方都没有写明", "is given by neither side"),
}

SENTENCES: dict[str, dict[str, tuple[str, str]]] = {
    "brand": _BRAND,
    "trade": _TRADE,
    "name": {
        f"{brand}/{trade}": (f"合起来看：{one[0]}，{other[0]}", f"taken together: {one[1]}, and {other[1]}")
        for brand, one in _BRAND.items()
        for trade, other in _TRADE.items()
    }
    | {"missing": ("缺少可比的名称", "there is no name to compare")},
    "rarity": {
        **{
            f"{step}{more}": (f"字号的独特程度为 {step}（0 常见，5 罕见）{long}", f"the brand's rarity is {step} of 5{english}")
            for step in range(6)
            for more, long, english in (("", "", ""), ("+", "，三字或更长", ", with three characters or more"))
        },
        "latin": ("字号用拼音写成，独特程度不明", "the brand is written in pinyin, so its rarity is not known"),
        "none": ("字号不同，不计独特程度", "the brand is another, so its rarity does not count"),
    },
    "region": {level: (f"名称中的地区{zh}", f"the place in the name {en}") for level, (zh, en) in _PLACE.items()},
    "city": {level: (f"所在城市或地址的地区{zh}", f"the city or the address's place {en}") for level, (zh, en) in _PLACE.items()},
    "form": {
        "same": ("组织形式相同", "the legal form is of the same kind"),
        "group": ("一方是集团", "one of them is a group"),
        "differ": ("组织形式不同", "the legal form is of another kind"),
        "missing": ("一方没有写组织形式", "one name says no legal form"),
    },
    "branch": {
        "none": ("双方都不是分支机构", "neither is a branch"),
        "same": ("同一分支机构", "both name the same branch"),
        "of": ("一方是另一方的分支机构", "one is a branch of the other"),
        "sibling": ("同一公司的不同分支机构", "they are two branches of one firm"),
    },
    "code": {
        "same": ("统一社会信用代码相同且有效：同一法人", "the credit code is valid and the same: one legal person"),
        "same_wrong": ("信用代码相同，但校验不通过", "the credit code is the same, though it fails its check"),
        "organisation": ("组织机构代码部分相同", "the organisation part of the code is the same"),
        "typo": ("信用代码校验不通过，改正一处即相同", "the credit code fails its check and is one mistake away"),
        "near": ("信用代码校验不通过，相差两处或只有一部分", "the credit code fails its check and is close, or only a part"),
        "differ": ("两个有效的信用代码不同：两个法人", "two valid credit codes differ: two legal persons"),
        "differ_wrong": ("信用代码不同，其中有校验不通过的", "the credit codes differ, and one fails its check"),
        "missing": ("缺少可比的信用代码", "there is no credit code to compare"),
    },
    "phone": {
        "same": ("电话相同，别家没有用", "the phone is the same, and nobody else has it"),
        "same_2": ("电话相同，两家在用", "the phone is the same, and two firms have it"),
        "same_few": ("电话相同，但有几家在用", "the phone is the same, but a few firms have it"),
        "same_many": ("电话相同，但很多家在用（可能是代理记账机构）", "the phone is the same, but many firms have it (perhaps an agency)"),
        "tail": ("电话相同，一方缺少区号", "the phone is the same but for the area code"),
        "typo": ("电话只差一位", "the phone differs in one digit"),
        "differ": ("电话不同", "the phone is another"),
        "missing": ("缺少可比的电话", "there is no phone to compare"),
    },
    "contact": {
        "same": ("联系人相同", "the contact is the same"),
        "sound": ("联系人同音", "the contact's name sounds the same"),
        "surname": ("联系人姓氏相同", "the contact has the same surname"),
        "near": ("联系人姓名只差一个字", "the contact's name differs in one character"),
        "differ": ("联系人不同", "the contact is another"),
        "missing": ("缺少可比的联系人", "there is no contact to compare"),
    },
    "address": {
        "same": ("路名和门牌相同", "street and numbers are the same"),
        "number": ("路名和门牌号相同，楼层房间不同", "street and house number are the same, the room is another"),
        "street": ("路名相同，门牌不同或缺少", "the street is the same, the number differs or is missing"),
        "numbers": ("门牌和房间号相同，路名不同", "the numbers are the same, the street is another"),
        "differ": ("地址不同", "the address is another"),
        "missing": ("缺少可比的地址", "there is no address to compare"),
    },
    "base": {"all": ("起点：两家公司本来就是同一家的可能", "to begin with: how likely two firms are one at all")},
    "caution": {
        "no_name": ("没有名称可比，由人判断", "there is no name to compare; a person decides"),
        "other_name": (
            "字号不同，其他栏目相同：可能改过名，由人判断",
            "the brand is another but other fields agree: perhaps renamed; a person decides",
        ),
        "no_trade": (
            "一方没有行业，也没有其他相同之处：同一字号可能是兄弟公司",
            "no trade is given and nothing else agrees: sisters of one brand look so too",
        ),
        "other_trade": (
            "行业不同：可能是同一字号的另一家公司，由人判断",
            "the trade is another: perhaps a sister of the same brand; a person decides",
        ),
        "other_place": (
            "名称中的地区不同：可能是同一字号的另一家公司，由人判断",
            "the place is another: perhaps a sister of the same brand; a person decides",
        ),
    },
    "problem": {
        "name_empty": ("名称为空或没有文字", "the name is empty or has no letters"),
        "name_cut": ("名称过长，只比较了前 160 个字符", "the name is too long; its first 160 characters were compared"),
        "name_is_phone": ("名称栏里是电话号码，已按电话处理", "the name field holds a phone number; it was taken as the phone"),
        "code_wrong": ("统一社会信用代码校验不通过，请核对", "the credit code fails its check; please verify it"),
        "code_short": ("统一社会信用代码不是 18 位，请核对", "the credit code does not have 18 characters; please verify it"),
        "nothing": ("没有可比的内容，请补充名称、代码或电话", "there is nothing to compare; please give a name, a code or a phone"),
    },
}
"""Feature, level: the sentence in Chinese and in English."""


def sentence(feature: str, level: str) -> tuple[str, str]:
    """What a level of a feature means, in Chinese and in English."""
    return SENTENCES[feature][level]
