"""Accounts that block the letter, so that nothing is sent to them though they stay on the roll."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; whoever blocked the letter before is known by the receipts alone."""
    op.add_column(
        "actors", sa.Column("blocks_us", sa.Boolean, nullable=False, server_default=sa.false())
    )
