"""Rebates: kept sums for the nightly accrual, and how far facts were exported.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
