"""The indexes of receipts by the ids they speak of hold only what is settled.

Ids are as good as random, so each of the three cost a page of the log for every request that
knocked; who asks for an id by hand can look through what is still open.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMNS = ("activity_uri", "object_uri", "actor_uri")
SETTLED = sa.text("settled_at IS NOT NULL")


def upgrade() -> None:
    """Build them anew."""
    for column in COLUMNS:
        name = f"ix_receipts_{column}"
        op.drop_index(name, "receipts")
        op.create_index(name, "receipts", [column], sqlite_where=SETTLED, postgresql_where=SETTLED)
