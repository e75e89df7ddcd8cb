"""An index of the deliveries that were given up, by activity and reason.

They are few, but every report counts them: without it, by reading every delivery of every activity
it shows, a million rows where twenty updates went to fifty thousand inboxes each.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

GIVEN_UP = sa.text("state = 'given-up'")


def upgrade() -> None:
    """Build the index."""
    op.create_index(
        "ix_deliveries_given_up",
        "deliveries",
        ["outbox_id", "last_outcome"],
        sqlite_where=GIVEN_UP,
        postgresql_where=GIVEN_UP,
    )
