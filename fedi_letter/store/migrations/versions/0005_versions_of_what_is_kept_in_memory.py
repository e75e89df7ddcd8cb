"""A number per thing that processes keep in memory (keys, blocks), which grows when it is changed.

Without it every process reads all blocks every other second, and goes on believing a key that
another process saw replaced.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Build the table, empty: what was never changed is at nought."""
    op.create_table(
        "versions",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_versions"),
    )
