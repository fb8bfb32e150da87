"""What differs between tenants, and what no source settles: each is a switch here, with the choice that seemed most likely."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Settings:
    """Switches of one stand-in."""

    account: str = "5f8a1c2e9b7d43"
    """AcctId, the data centre."""
    account_name: str = "渠道演示账套"
    user: str = "hub"
    password: str = "Hub@2026"
    app_id: str = "220001_MTI2MGM1Pj9qPDk/OT04KHMiKnd0IXMr"
    """Well-formed, as the official SDK demands."""
    app_secret: str = "5b1fe2d2c3a94f0f9a0c"
    language: int = 2052
    org: str = "100"
    verify_api_signature: bool = True
    """Check `X-Api-Signature`. Which of the two a private server checks is unverified: both, until told otherwise."""
    verify_kd_signature: bool = True
    """Check `X-Kd-Signature`."""
    clock_skew_s: int = 900
    """How far a signed call's timestamp may be from the server's clock. Unverified."""
    session_s: float = 1200.0
    """Life of a session after its last use. Unverified."""
    max_limit: int = 10_000
    """Longest page of a query; longer ones are cut silently. Unverified: older servers stop at 2,000."""
    default_limit: int = 2_000
    manual_numbers: bool = True
    """False: the coding rule overrides a FBillNo given by the caller."""
    edit_audited_base_data: bool = True
    """Audited customers and materials may be saved. Unverified."""
    copies_audited: bool = True
    """A copy made by Allocate is audited at once. Unverified."""
    close_when_shipped: bool = True
    """An order closes by itself when all its lines are shipped."""
    unaudit_clears_approve_date: bool = True
    stamps_ms: bool = True
    """Change times carry milliseconds."""
    modify_moves_on: frozenset[str] = field(
        default_factory=lambda: frozenset(
            {"save", "draft", "forbid", "enable", "cancel", "uncancel", "billclose", "billunclose", "close", "unclose"}
        )
    )
    """Operations that move FModifyDate. Audit, UnAudit, Submit and write-backs by other documents do not. Unverified per form."""
    move_stock: bool = True
    """Approved shipments and returns move STK_Inventory."""
    visible_orgs: frozenset[str] = frozenset()
    """Numbers of the organisations whose rows queries show; empty shows all. A data permission silently narrows results."""
    workflow_forms: frozenset[str] = frozenset()
    """Forms under a workflow: plain Audit is refused, WorkflowAudit closes."""
    async_polls: int = 1
    """How often QueryAsyncResult still says `running` before it is complete."""
