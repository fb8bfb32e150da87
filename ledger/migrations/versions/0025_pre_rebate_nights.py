"""A family of rebate programmes knows with which fact it was begun: what came after that and after its statement stands by itself.

Runs before the code that needs it (`pre`). What is kept of families is made anew by the next night, once.
"""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Kept sums are made anew."""
    op.execute("DELETE FROM rebate_family")
    op.execute("ALTER TABLE rebate_family ADD COLUMN begun_to bigint NOT NULL DEFAULT 0 CHECK (begun_to >= 0)")


def downgrade() -> None:
    """The code before makes its own sums."""
    op.execute("DELETE FROM rebate_family")
    op.execute("ALTER TABLE rebate_family DROP COLUMN begun_to")
