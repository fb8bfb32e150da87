"""What was sent may be erased: the values of a delivery attempt, and nothing else of it, by a session that says that it erases.

Runs before the code that needs it (`pre`).
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ONLY_FIELDS = """
CREATE FUNCTION refuse_change_but_erasing() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept delivery_attempt;
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('hub.erasing', true) = 'on' AND NEW.fields IS NULL THEN
        kept := OLD;
        kept.fields := NULL;
        IF kept::text = NEW::text THEN  -- rows with a json column have no equality
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""
_TRIGGER = "CREATE TRIGGER attempt_append_only BEFORE UPDATE OR DELETE ON delivery_attempt FOR EACH ROW EXECUTE FUNCTION "


def upgrade() -> None:
    """Let the values of an attempt be emptied."""
    op.execute(_ONLY_FIELDS)
    op.execute("DROP TRIGGER attempt_append_only ON delivery_attempt")
    op.execute(_TRIGGER + "refuse_change_but_erasing()")


def downgrade() -> None:
    """Refuse every change again."""
    op.execute("DROP TRIGGER attempt_append_only ON delivery_attempt")
    op.execute(_TRIGGER + "refuse_change()")
    op.execute("DROP FUNCTION refuse_change_but_erasing()")
