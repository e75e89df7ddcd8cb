"""An index of the followers whose inbox has refused us of late.

They are few, and every delivery that arrives asks whether it arrived at one of them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FAILING = sa.text("failing_days > 0")


def upgrade() -> None:
    """Build the index."""
    op.create_index(
        "ix_followers_failing",
        "followers",
        ["inbox", "shared_inbox"],
        sqlite_where=FAILING,
        postgresql_where=FAILING,
    )
