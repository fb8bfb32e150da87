"""The spine: observed, canonical, desired, and everything that keeps them honest.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

from ledger.tables import create_statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INDEXES = [
    "CREATE INDEX orders_party ON orders (party_id)",
    "CREATE INDEX orders_quote ON orders (quote_id) WHERE quote_id IS NOT NULL",
    "CREATE INDEX orders_deal ON orders (deal_id) WHERE deal_id IS NOT NULL",
    "CREATE INDEX quotes_deal ON quotes (deal_id)",
    "CREATE INDEX contacts_party ON contacts (party_id)",
    *(f"CREATE INDEX {name}_lines_order ON {name}_lines (order_id)" for name in ("shipment", "return", "receivable", "receipt", "refund")),
    "CREATE INDEX parties_name ON parties USING gin (name gin_trgm_ops)",
]


def upgrade() -> None:
    """Create everything."""
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    script = Path(__file__).with_name("0001_spine.sql").read_text(encoding="utf-8")
    # The driver's own cursor: SQLAlchemy would read the % of a trigger's message as a placeholder.
    driver = op.get_bind().connection.cursor()
    driver.execute(script)
    for statement in [*create_statements(), *INDEXES]:
        driver.execute(statement)


def downgrade() -> None:
    """There is no way back to nothing."""
    raise RuntimeError("the first migration cannot be undone; drop the database instead")
