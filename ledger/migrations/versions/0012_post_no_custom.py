"""A tenant's own fields stand in `doc` as `custom.NAME`; the column beside it was never filled and goes.

Runs after the code that needs it no more is out (`post`): code before it reads the column.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from ledger.tables import TABLES

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop it where it is. What somebody put there by hand goes into `doc`, where nothing of the same name stands."""
    roots = [table.name for table in TABLES.values()]
    found = op.get_bind().execute(
        text("SELECT table_name FROM information_schema.columns WHERE column_name = 'custom' AND table_schema = current_schema()")
    )
    for name in sorted({row.table_name for row in found} & set(roots)):
        op.execute(
            f"UPDATE {name} SET doc = ((SELECT jsonb_object_agg('custom.' || own.key, own.value) FROM jsonb_each(custom::jsonb) AS own) "
            "|| doc::jsonb)::json WHERE json_typeof(custom) = 'object' AND custom::jsonb <> '{}'"
        )
        op.execute(f"ALTER TABLE {name} DROP COLUMN custom")


def downgrade() -> None:
    """Give the column back, empty, as it always was."""
    for table in TABLES.values():
        op.execute(f"ALTER TABLE {table.name} ADD COLUMN custom json")
