"""An index of the open receipts by the server that sent them.

A worker must find the receipts of others behind a hundred thousand of one server without reading
those.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OPEN = sa.text("settled_at IS NULL")


def upgrade() -> None:
    """Build the index."""
    op.create_index(
        "ix_receipts_open_hosts",
        "receipts",
        ["key_host", "due_at", "id"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
