"""Deals: customers with match keys, registrations under an exclusion constraint, their events, policies and fences.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002c"
branch_labels = None
depends_on = None

TABLES = (
    "fence_hit, fence, deal_policy, check_quota, claim_check, decision_input, registration_event, registration_doubt, registration, "
    "customers_apart, hot_key, match_key, match_state, customer_alias, customer"
)


def upgrade() -> None:
    """Create them."""
    script = Path(__file__).with_name("0003_pre_deals.sql").read_text(encoding="utf-8")
    # The driver's own cursor: SQLAlchemy would read a % in a comment as a placeholder.
    op.get_bind().connection.cursor().execute(script)


def downgrade() -> None:
    """Drop them; registrations and their history are lost."""
    op.execute(f"DROP TABLE {TABLES}")
    op.execute("DROP FUNCTION line_range(text)")
