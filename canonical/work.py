"""Decisions to take and messages to give, as records."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from canonical.base import Aggregate
from canonical.values import Moment


class Approval(Aggregate):
    """A question that somebody with the right must answer."""

    entity: ClassVar[str] = "approval"
    title: ClassVar[str] = "审批 Approval"

    kind: str = Field(default="", description="What is asked, e.g. plan, special_price.")
    subject: str = Field(default="", description="What it is about, in words.")
    about: str = Field(default="", description="Entity and id it is about: `order:0190…`.")
    asked_by: str = Field(default="", description="Who asks.")
    asked_at: Moment | None = Field(default=None, description="When.")
    decision: str = Field(default="open", description="open, approved, rejected, withdrawn.")
    decided_by: str = Field(default="", description="Who decided.")
    decided_at: Moment | None = Field(default=None, description="When.")
    reason: str = Field(default="", description="Why so.")
    facts: dict[str, Any] = Field(default_factory=dict, description="Facts the approver sees.")


class Notice(Aggregate):
    """A message for somebody, carried by whatever channel is connected."""

    entity: ClassVar[str] = "notice"
    title: ClassVar[str] = "通知 Notice"

    kind: str = Field(default="", description="What happened, e.g. order_shipped.")
    audience: str = Field(default="", description="Who should know: role, party or person.")
    about: str = Field(default="", description="Entity and id it is about.")
    facts: dict[str, Any] = Field(default_factory=dict, description="Facts the text is made from, in either language.")
    raised_at: Moment | None = Field(default=None, description="When.")
    state: str = Field(default="open", description="open, sent, read, withdrawn.")
