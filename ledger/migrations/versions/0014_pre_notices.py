"""Notices and approvals of every room: what was told once is kept in one place.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
