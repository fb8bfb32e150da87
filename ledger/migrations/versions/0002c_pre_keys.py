"""Vendors' keys are compared byte by byte, so that one look at an index tells that a page lies beyond all known records.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from alembic import op

revision = "0002c"
down_revision = "0002b"
branch_labels = None
depends_on = None

_COLUMNS = {
    "observed": ("key",),
    "link": ("key", "number"),
    "identity_key": ("key",),
    "quarantine": ("key",),
    "hint": ("key",),
}


def upgrade() -> None:
    """The collation "C": the order of Unicode's code points, the same in every database, and the cheapest. Indexes are made anew."""
    _collate("C")


def downgrade() -> None:
    """The database's own collation."""
    _collate("default")


def _collate(name: str) -> None:
    for table, columns in _COLUMNS.items():
        changes = ", ".join(f'ALTER {column} TYPE text COLLATE "{name}"' for column in columns)
        op.execute(f"ALTER TABLE {table} {changes}")
