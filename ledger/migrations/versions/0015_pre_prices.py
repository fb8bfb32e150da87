"""Prices: lists and products as they were at each version, published rules, special project prices with what is used of them.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TABLES = (
    "special_price_event, special_price_use, special_price_item, special_price, price_rules, price_item_at, price_line_at, "
    "price_list_at, price_version, price_touch"
)


def upgrade() -> None:
    """Create them, empty; the first question about a price takes what lists and products say."""
    script = Path(__file__).with_name("0015_pre_prices.sql").read_text(encoding="utf-8")
    op.get_bind().connection.cursor().execute(script)


def downgrade() -> None:
    """Drop them; rules that were published and special prices are lost."""
    for table in ("price_lists", "products"):
        op.execute(f"DROP TRIGGER {table}_new ON {table}")
        op.execute(f"DROP TRIGGER {table}_moved ON {table}")
    op.execute(f"DROP TABLE {_TABLES}")
    op.execute("DROP SEQUENCE special_price_number")
    op.execute(
        "DROP FUNCTION note_price_touch(), pin_price_row(), sum_special_price_use(), pin_special_price_use(), pin_special_price(), "
        "pin_special_price_item()"
    )
