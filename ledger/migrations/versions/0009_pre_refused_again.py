"""A refused deal is looked at again when its customer becomes free.

Runs before the code that needs it (`pre`). Old code looks at such a deal, finds nothing changed, and leaves it.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_DUE = "INSERT INTO deal_due (deal_id) SELECT deal_id FROM deal_claim WHERE registration_id = NEW.id;"
_REFUSED = """
    IF OLD.status IN ('submitted', 'held', 'protected', 'converted')
        AND NEW.status NOT IN ('submitted', 'held', 'protected', 'converted') THEN
        INSERT INTO deal_due (deal_id, entered_at)
        SELECT c.deal_id, coalesce(d.doc->>'entered_at', '') FROM registration AS r
        JOIN deal_claim AS c ON c.registration_id = r.id AND NOT c.lost JOIN deals AS d ON d.id = c.deal_id
        WHERE r.customer_id = NEW.customer_id AND r.status = 'rejected' AND r.reason IN ('protected', 'direct_customer')
        AND r.lines && NEW.lines AND r.dealer_id IS DISTINCT FROM NEW.dealer_id;
    END IF;
"""
_FUNCTION = "CREATE OR REPLACE FUNCTION note_deal_due() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"


def upgrade() -> None:
    """Who ends a protection notes the deals that were refused for its sake, in the same transaction."""
    op.get_bind().connection.cursor().execute(_FUNCTION.format(body=_DUE + _REFUSED))


def downgrade() -> None:
    """As it was."""
    op.get_bind().connection.cursor().execute(_FUNCTION.format(body=_DUE))
