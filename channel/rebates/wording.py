"""The sentences of a trace, in Chinese and English. A code stands for what is said; the facts fill the sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Sentence = dict[str, Any]

RESULT: Final[Mapping[str, tuple[str, str]]] = {
    "base": ("{period}计入基数 {amount} {currency}（数量 {quantity}）。", "{period}: {amount} {currency} counts ({quantity} units)."),
    "tier": ("达到第 {tier} 档（自 {start} 起）。", "Tier {tier} is reached (from {start})."),
    "tier_rate": ("达到第 {tier} 档（自 {start} 起），比例 {rate}。", "Tier {tier} is reached (from {start}), at {rate}."),
    "no_tier": ("尚未达到任何一档。", "No tier is reached yet."),
    "to_next": ("距下一档还差 {gap}。", "{gap} more reaches the next tier."),
    "top": ("已是最高档。", "This is the highest tier."),
    "part": ("第 {tier} 档：{on} × {by} = {earned}。", "Tier {tier}: {on} × {by} = {earned}."),
    "baseline": ("同比基数 {baseline}，增长 {value}。", "Baseline {baseline}, growth {value}."),
    "no_baseline": ("没有可比基数。", "There is no baseline to compare with."),
    "target": ("目标 {target}，达成率 {value}。", "Target {target}, achievement {value}."),
    "no_target": ("没有下达目标。", "There is no target."),
    "mix": ("产品组合指标 {value}。", "The mix is at {value}."),
    "annualised": ("按已过月份推算全期为 {value}。", "The months so far make {value} over the whole period."),
    "lowered": ("政策 {programme} 已给 {amount}，从基数中扣除。", "{amount} given by programme {programme} is taken off the base."),
    "brought": ("上期负返利 {amount} 结转。", "A negative rebate of {amount} is brought forward."),
    "topped_up": ("补足到保底，增加 {amount}。", "Topped up to the agreed minimum by {amount}."),
    "gate_open": ("门槛「{gate}」满足（{value}）。", "The condition {gate} is met ({value})."),
    "gate_held": (
        "门槛「{gate}」未满足（{value}），{amount} 暂扣，满足后发放。",
        "The condition {gate} is not met ({value}): {amount} is held until it is.",
    ),
    "gate_share": ("门槛「{gate}」为 {value}，按 {share} 发放。", "The condition {gate} is at {value}: {share} is paid."),
    "gate_closed": ("门槛「{gate}」未满足（{value}），本期不发放。", "The condition {gate} is not met ({value}): nothing is paid."),
    "cap": ("超过封顶，减少 {amount}。", "Cut by {amount} at the cap."),
    "budget": ("超过预算，减少 {amount}。", "Cut by {amount} at the budget."),
    "beaten": ("政策 {programme} 更优，本政策不发放。", "Programme {programme} gives more; this one pays nothing."),
    "negative": ("净额为负，本期返利记为零。", "The base is negative: the rebate is zero."),
    "carried": ("净额为负，{amount} 结转下期。", "The rebate of {amount} is negative and carried to the next period."),
    "rounded": ("按 {places} 位小数四舍五入一次：{amount}。", "Rounded once, to {places} decimals: {amount}."),
    "rounded_other": ("按 {places} 位小数取整一次（{mode}）：{amount}。", "Rounded once, to {places} decimals ({mode}): {amount}."),
    "settled": ("已结算 {settled}，本次应付 {payable}。", "{settled} is settled already; {payable} is to be paid now."),
    "payable": ("应付 {payable}。", "{payable} is to be paid."),
    "handed_on": (
        "{period}按本店计入的 {base}，转付返利累计 {to_date}。",
        "{period}: {to_date} to date for {base} of your own.",
    ),
    "late": ("有 {count} 笔迟到单据，差额计入 {period}。", "{count} documents came late; the difference goes to {period}."),
    "goods": ("货返：{product} {quantity}。", "Goods: {quantity} of {product}."),
}

LINE: Final[Mapping[str, tuple[str, str]]] = {
    "counts": ("计入 {period}。", "Counts in {period}."),
    "kind": ("不是销售类单据（{saw}）。", "It is no sale ({saw})."),
    "void": ("已作废。", "It is void."),
    "event": ("业务环节不符（{saw}）。", "It is another business event ({saw})."),
    "not_net_of": ("本政策不扣减此类单据（{saw}）。", "The programme is not net of this kind ({saw})."),
    "not_happened": ("业务尚未发生（{saw}）。", "It has not happened yet ({saw})."),
    "after_cut_off": ("晚于截止日（{saw}）。", "It is after the cut-off ({saw})."),
    "validity": ("不在政策有效期内（{saw}）。", "It is outside the programme's validity ({saw})."),
    "dealer": ("该经销商不参与。", "The dealer does not take part."),
    "dealer_excluded": ("该经销商被排除。", "The dealer is excluded."),
    "membership": ("该日不在参与期内（{saw}）。", "The dealer did not take part on that day ({saw})."),
    "grade": ("经销商等级不符（{saw}）。", "The dealer's grade is another one ({saw})."),
    "dealer_region": ("经销商区域不符（{saw}）。", "The dealer's region is another one ({saw})."),
    "dealer_channel": ("经销商渠道不符（{saw}）。", "The dealer's channel is another one ({saw})."),
    "price_kind": ("该价格类型不计返利（{saw}）。", "Lines at this price earn nothing ({saw})."),
    "no_period": ("不属于任何考核周期（{saw}）。", "It is in no period ({saw})."),
    "invoice_not_paid": ("发票未付清（{saw}）。", "Its invoice is not paid in full ({saw})."),
    "counted_when_paid": ("按回款计入，见回款单。", "It counts when it is paid: see the payments."),
    "exclusive": ("已由政策 {saw} 给予返利，不再叠加。", "Programme {saw} gives for this line already."),
    "attribute": ("不在适用范围内。", "It is outside the scope."),
    "scope": ("不在适用范围内（{field}：{saw}）。", "It is outside the scope ({field}: {saw})."),
    "excluded": ("被排除（{field}：{saw}）。", "It is excluded ({field}: {saw})."),
}

GATES: Final[Mapping[str, tuple[str, str]]] = {
    "collection": ("回款率", "collection rate"),
    "target": ("目标达成率", "target achievement"),
    "minimum_amount": ("最低金额", "minimum amount"),
    "minimum_quantity": ("最低数量", "minimum quantity"),
    "overdue_amount": ("逾期金额", "overdue amount"),
    "overdue_share": ("逾期占比", "overdue share"),
    "complaints": ("有效投诉", "complaints"),
    "mix_share": ("产品占比", "product share"),
    "mix_amount": ("产品金额", "product amount"),
    "mix_quantity": ("产品数量", "product quantity"),
    "mix_count": ("品类数", "number of lines"),
    "measure": ("指标", "measure"),
}


CLAIMS: Final[Mapping[str, tuple[str, str]]] = {
    "": ("{quantity} × {per_unit} = {payable} {currency}，全额认可。", "{quantity} × {per_unit} = {payable} {currency}, allowed whole."),
    "ceiling": (
        "超过合同数量上限，只认可 {quantity}：{payable} {currency}。",
        "Beyond the contract's quantity: {quantity} allowed, {payable} {currency}.",
    ),
    "balance": ("费用余额不足，支付 {payable} {currency}。", "The fund has no more: {payable} {currency} is paid."),
    "budget": ("总预算不足，支付 {payable} {currency}。", "The budget has no more: {payable} {currency} is paid."),
    "claim_most": ("超过单笔上限，支付 {payable} {currency}。", "Above the most for one claim: {payable} {currency} is paid."),
    "requested": ("尚未批准。", "It is not approved yet."),
    "rejected": ("已驳回。", "It was rejected."),
    "no_drop": ("价格没有下降。", "The price did not fall."),
    "window": (
        "仅保护期限内采购的 {quantity}：{payable} {currency}。",
        "Only the {quantity} bought within the window: {payable} {currency}.",
    ),
    "no_contract": ("没有适用的合同价。", "No contract price applies."),
    "stock": (
        "调价日库存中尚未申报的只有 {quantity}：{payable} {currency}。",
        "Only {quantity} were in stock on the day of the price cut and not claimed yet: {payable} {currency}.",
    ),
    "agreed": ("超过事先批准的金额，支付 {payable} {currency}。", "Above what was agreed before: {payable} {currency} is paid."),
}


def claim_sentence(why: str, currency: str, quantity: str | None, per_unit: str | None, payable: object) -> Sentence:
    """What became of a claim."""
    return {**say(why, CLAIMS, quantity=quantity, per_unit=per_unit, payable=payable, currency=currency), "code": why or "allowed"}


def say(code: str, table: Mapping[str, tuple[str, str]] = RESULT, **facts: Any) -> Sentence:
    """A sentence in both languages. A fact that is a pair is (Chinese, English)."""
    zh, en = table[code]
    chinese = {name: value[0] if isinstance(value, tuple) else value for name, value in facts.items()}
    english = {name: value[1] if isinstance(value, tuple) else value for name, value in facts.items()}
    return {"code": code, "zh": zh.format_map(chinese), "en": en.format_map(english)}


def line_sentence(failed: str, saw: str, period: str) -> Sentence:
    """Why a line counts or not: the first filter that failed."""
    if not failed:
        return say("counts", LINE, period=period)
    if failed in LINE:
        return say(failed, LINE, saw=saw)
    if failed.startswith("excluded_"):
        return {**say("excluded", LINE, field=failed.removeprefix("excluded_"), saw=saw), "code": failed}
    return {**say("scope", LINE, field=failed, saw=saw or "-"), "code": failed}
