"""What a dealer is told about a registration of his own: a sentence in Chinese and in English for each status and reason.

None of them says anything of anybody else. A reason that would is told as a more general one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from channel.deals.fences import SENTENCES as _OUTSIDE

TOLD_AS: Final[Mapping[str, str]] = {"appeal_of_another": "by_person", "merged": "by_person"}
"""Reasons that tell of another dealer, and what their own dealer reads instead."""

_REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "free": ("登记成功，客户已受保护", "It is registered and protected"),
    "granted": ("审批通过，客户已受保护", "It was approved and is protected"),
    "restored": ("保护已恢复", "Its protection was restored"),
    "imported": ("已从原有登记导入，客户受保护", "It was taken over from earlier records and is protected"),
    "appeal_granted": ("申诉成立，客户已受保护", "The appeal was granted: it is protected"),
    "approval": ("等待审批", "It waits for approval"),
    "doubtful": ("需要人工核对客户身份，登记时间已保留", "A person compares it with customers that we know; its place in time is kept"),
    "area_to_check": _OUTSIDE["place_unknown"],
    "outside_area": _OUTSIDE["outside_own_area"],
    "protected": ("该客户已有有效报备，正在保护期内", "The customer is registered already and protected"),
    "direct_customer": ("该客户由厂家直接服务", "This customer is served by the manufacturer itself"),
    "by_person": ("由渠道经理决定", "The channel manager decided so"),
    "appeal_denied": ("申诉未成立", "The appeal was not granted"),
    "released": ("已释放", "It was given up"),
    "transferred": ("已转移", "It was transferred"),
    "already_yours": ("贵司已登记该客户", "It is registered for you already"),
    "": ("", ""),
}
_STATUSES: Final[Mapping[str, tuple[str, str]]] = {
    "appealed": ("申诉处理中", "The appeal is being looked at"),
    "converted": ("已转为商机，保护期内继续受保护", "It became a deal and stays protected until its end"),
    "expired": ("保护期已满", "The protection has run out"),
    "taken_back": ("已收回", "It was taken back"),
    "released": ("已释放", "It was given up"),
    "transferred": ("已转移", "It was transferred"),
}

DEALER_EVENTS: Final = frozenset(
    {
        "register", "receive", "import", "registered_again", "clear", "clear_for_approval", "approve", "reject", "appeal", "grant_appeal",
        "deny_appeal", "extend", "release", "transfer", "expire", "take_back", "convert", "note_activity", "remind",
        "judge_again", "restore",
    }
)  # fmt: skip
"""Events that a dealer sees of his own registration. Comparisons with other customers are not among them."""


def told_reason(reason: str) -> str:
    """The reason's code as its own dealer may read it."""
    return TOLD_AS.get(reason, reason)


def sentence(status: str, reason: str) -> tuple[str, str]:
    """What it means for the dealer, in Chinese and in English.

    >>> sentence("rejected", "protected")[1]
    'The customer is registered already and protected'
    >>> sentence("taken_back", "appeal_of_another") == sentence("taken_back", "by_person")
    True
    """
    if status in _STATUSES:
        return _STATUSES[status]
    return _REASONS.get(told_reason(reason), _REASONS["by_person"])
