"""Whom to tell what when something happens to a registration or a deal, and which questions go to people. Pure.

A dealer reads his own claim and what became of it, nothing about anybody else: of a refusal because somebody holds the customer he learns
that, never who; what a person wrote down is shown to him only where that person spoke to him (a refusal, an appeal, a taking back).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from canonical.values import business_day
from channel.deals.fences import INSIDE, SENTENCES
from channel.notices.messages import MANAGER, Answered, Consequence, Message, Moot, Question, to_party


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a registration, with what the registration says now."""

    event_id: int
    registration_id: UUID
    action: str
    after: str
    actor: str
    cause: str
    at: datetime
    dealer_id: UUID | None
    customer: str
    """As the dealer named it."""
    product_line: str = ""
    reason: str = ""
    """Code of why it is so."""
    ends: datetime | None = None
    days: int | None = None
    """Of a reminder: days before the end."""
    submitted_at: datetime | None = None


REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "protected": ("该客户已有有效报备, 正在保护期内", "the customer is registered already and protected"),
    "direct_customer": ("该客户是厂家直供客户", "the customer is one of our own"),
    "outside_area": SENTENCES["outside_own_area"],
    "by_person": ("渠道经理未予通过", "the channel manager did not agree"),
    "appeal_denied": ("申诉未获通过, 原结果维持不变", "the appeal was not granted; the refusal stands"),
}
"""What a dealer is told about a refusal, by its code."""

_SAID_TO_THE_DEALER: Final = frozenset({"by_person", "appeal_denied", "appeal_granted"})
_ENDED: Final = frozenset({"released", "transferred", "expired", "taken_back", "rejected"})


def consequences(one: Happened) -> list[Consequence]:
    """What follows from an event: messages and questions, and which open questions it answers; in this order."""
    about = f"registration:{one.registration_id}"
    found: list[Consequence] = []
    if one.action in _DECIDES:
        found.append(Answered(about, _DECIDES[one.action], one.actor, one.cause))
    elif one.after in _ENDED and one.action != "register":
        found.append(Answered(about, "withdrawn", one.actor, one.cause))
    if (question := _question(one, about)) is not None:
        found.append(question)
    if one.action in ("remind", "extend") or one.after in _ENDED:
        found.append(Moot("deal_expiring", about))
    if one.dealer_id is not None and (told := _to_dealer(one)) is not None:
        kind, zh, en = told
        found.append(Message(kind, to_party(one.dealer_id), about, _facts(one, zh, en)))
    if one.action == "register" and one.reason == "outside_area":
        found.append(Message("deal_outside_area", MANAGER, about, _outside(one)))
    return found


def _outside(one: Happened) -> dict[str, Any]:
    zh, en = INSIDE["outside_own_area"]
    return {
        "zh": f"“{one.customer}”的报备: {zh}", "en": f"The registration of {one.customer}: {en}",
        "dealer": str(one.dealer_id), "customer": one.customer,
    }  # fmt: skip


def merged(customer: str) -> tuple[str, str]:
    """What the dealer is told whose protection stays when two customers are one firm; not that somebody held the other one."""
    return (
        f"“{customer}”的多条客户记录经核实为同一家公司, 已合并; 贵司的保护不变",
        f"Several records of {customer} are one firm and were joined; your protection stays as it is",
    )


_DECIDES: Final[dict[str, Literal["approved", "rejected"]]] = {
    "approve": "approved", "clear": "approved", "clear_for_approval": "approved", "grant_appeal": "approved", "judge_again": "approved",
    "reject": "rejected", "deny_appeal": "rejected",
}  # fmt: skip


def _question(one: Happened, about: str) -> Question | None:
    kind = {"submitted": "deal_registration", "held": "deal_conflict", "appealed": "deal_appeal"}.get(one.after)
    if kind is None or one.action not in ("register", "clear_for_approval", "appeal", "judge_again", "restore"):
        return None
    if one.reason == "area_to_check" and kind == "deal_registration":
        kind = "deal_outside_area"
    words = {
        "deal_registration": "报备审批", "deal_conflict": "疑似撞单, 请判定是否为同一客户", "deal_appeal": "报备申诉",
        "deal_outside_area": "报备超出或无法确认授权范围",
    }  # fmt: skip
    facts = {
        "dealer": str(one.dealer_id),
        "customer": one.customer,
        "product_line": one.product_line,
        "reason": one.reason,
        "cause": one.cause,
    }
    return Question(kind, f"{words[kind]}: {one.customer}", about, f"dealer:{one.dealer_id}", facts)


def _to_dealer(one: Happened) -> tuple[str, str, str] | None:
    name, until = one.customer or "-", last_day(one.ends)
    said = f": {one.cause}" if one.cause and one.reason in _SAID_TO_THE_DEALER else ""
    key = f"{one.action}_{one.after}" if one.action in ("register", "judge_again", "restore") else one.action
    if key in ("register_rejected", "reject", "deny_appeal"):
        zh, en = REFUSALS.get(one.reason, REFUSALS["by_person"])
        kind = "deal_appeal_denied" if key == "deny_appeal" else "deal_refused"
        return kind, f"“{name}”的报备未通过: {zh}{said}", f"{name} could not be registered: {en}{said}"
    if key == "take_back":
        zh, en = _taken(one)
        return "deal_taken_back", f"“{name}”的保护已被收回: {zh}", f"{name} was taken back: {en}"
    if key == "remind":
        return (
            "deal_expiring",
            f"“{name}”的保护将于 {until} 到期, 剩余 {one.days} 天内, 请跟进或申请延期",
            f"The protection of {name} ends with {until}, {one.days} days or less from now; work on it or ask for an extension",
        )
    texts = {
        "register_protected": (
            "deal_registered",
            f"“{name}”报备成功, 保护至 {until}",
            f"{name} is registered for you and protected until {until}",
        ),
        "register_submitted": ("deal_waiting", f"“{name}”的报备正在审批", f"Your registration of {name} waits for approval"),
        "register_held": ("deal_waiting", f"“{name}”的报备正在核对, 请等待结果", f"Your registration of {name} is being looked at"),
        "judge_again_protected": (
            "deal_registered",
            f"“{name}”的报备经重新核对已通过, 保护至 {until}",
            f"Your registration of {name} was looked at again: it is protected until {until}",
        ),
        "judge_again_submitted": (
            "deal_waiting",
            f"“{name}”的报备经重新核对, 正在审批",
            f"Your registration of {name} was looked at again and waits for approval",
        ),
        "judge_again_held": (
            "deal_waiting",
            f"“{name}”的报备正在重新核对, 请等待结果",
            f"Your registration of {name} is being looked at again",
        ),
        "restore_protected": (
            "deal_registered",
            f"“{name}”的保护已恢复, 保护至 {until}",
            f"{name} is yours again and protected until {until}",
        ),
        "restore_converted": (
            "deal_registered",
            f"“{name}”的保护已恢复, 保护至 {until}",
            f"{name} is yours again and protected until {until}",
        ),
        "restore_submitted": ("deal_waiting", f"“{name}”的报备正在审批", f"Your registration of {name} waits for approval"),
        "restore_held": ("deal_waiting", f"“{name}”的报备正在核对, 请等待结果", f"Your registration of {name} is being looked at"),
        "approve": ("deal_registered", f"“{name}”的报备已批准, 保护至 {until}", f"{name} was approved and is protected until {until}"),
        "clear": ("deal_registered", f"“{name}”报备成功, 保护至 {until}", f"{name} is registered for you and protected until {until}"),
        "grant_appeal": (
            "deal_registered",
            f"“{name}”的申诉通过, 保护至 {until}",
            f"Your appeal was granted: {name} is protected until {until}",
        ),
        "extend": ("deal_extended", f"“{name}”的保护已延长至 {until}", f"The protection of {name} now lasts until {until}"),
        "expire": ("deal_expired", f"“{name}”的保护已到期", f"The protection of {name} is over"),
        "transfer": ("deal_transferred", f"“{name}”已不再由贵司负责", f"{name} is no longer yours"),
        "receive": ("deal_registered", f"“{name}”已转由贵司负责, 保护至 {until}", f"{name} is now yours and protected until {until}"),
    }
    return texts.get(key)


def _taken(one: Happened) -> tuple[str, str]:
    if one.actor == "rule:inactivity":
        return "长期没有跟进", "there was no activity for too long"
    if one.reason == "by_person" and one.cause:
        return one.cause, one.cause
    return "渠道经理的决定", "the channel manager decided so"


def last_day(ends: datetime | None) -> str:
    """The last protected day (Asia/Shanghai) of a range that ends there."""
    return business_day(ends - timedelta(microseconds=1)).isoformat() if ends else ""


def _facts(one: Happened, zh: str, en: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"zh": zh, "en": en, "customer": one.customer, "product_line": one.product_line, "status": one.after}
    if one.after == "rejected":
        facts["reason"] = one.reason
    if one.after in ("protected", "converted"):
        facts["until"] = last_day(one.ends)
    if one.days is not None:
        facts["days"] = one.days
    return {name: value for name, value in facts.items() if value != ""}


def is_old(one: Happened, go_live: date | None) -> bool:
    """True for what happened before the go-live: it raises nothing. Of a registration counts when it was made, not when it was imported."""
    if go_live is None:
        return False
    at = min(one.at, one.submitted_at) if one.action == "register" and one.submitted_at else one.at
    return business_day(at) < go_live


def late(kind: str, customer: str, days: int) -> tuple[str, str]:
    """What our own people are told about a question that waits for too long."""
    zh = {"held_late": "疑似撞单", "approval_late": "报备审批", "appeal_late": "报备申诉"}[kind]
    en = {"held_late": "a doubtful claim", "approval_late": "an approval", "appeal_late": "an appeal"}[kind]
    return f"{zh}“{customer}”已等待 {days} 天", f"{en} ({customer}) has been waiting for {days} days"
