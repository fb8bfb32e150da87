"""Quotes: versions, reasons, approvals and what became of them.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
