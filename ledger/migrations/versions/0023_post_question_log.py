"""Deals: no log of the questions that dealers asked. Counters keep the limits; nobody read the log, and each check paid a statement for it.

Runs after the code that needs it no more is out (`post`): code before it writes the rows.
"""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop it."""
    op.execute("DROP TABLE claim_check")


def downgrade() -> None:
    """Give it back, empty: code before this writes it and reads nothing from it."""
    op.execute(
        "CREATE TABLE claim_check (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, dealer_id uuid NOT NULL, "
        "at timestamptz NOT NULL DEFAULT clock_timestamp(), claim_hash bytea NOT NULL, "
        "answer text NOT NULL CHECK (answer IN ('yes', 'no', 'maybe')))"
    )
    op.execute("CREATE INDEX claim_check_dealer ON claim_check (dealer_id, at)")
