"""The tables of procrastinate, by which workers on PostgreSQL wake each other and take turns.

Its own package says what they are, and the dependency is held to the release (3.10) whose schema
this is: a later one that needs another schema gets a step of its own, which runs the migrations it
brings. SQLite is one machine and needs no queue. Nothing that matters is kept in these tables;
they may be emptied at any time.
"""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Build the queue, on PostgreSQL."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    # Many statements at once, with per cent signs that are no placeholders.
    schema = SchemaManager.get_schema()
    connection.exec_driver_sql(schema, execution_options={"no_parameters": True})
