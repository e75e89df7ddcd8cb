"""The traffic: keys, receipts, markers, the outbox and its deliveries.

A frozen copy of these tables as they were at this step. It never imports the package: later
changes of the code must not change what this step builds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Instant = sa.DateTime(timezone=True)
OPEN = sa.text("settled_at IS NULL")


def upgrade() -> None:
    """Build every table and index."""
    metadata.create_all(op.get_bind(), checkfirst=False)


sa.Table(
    "keys",
    metadata,
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("material", sa.Text, nullable=False),
    sa.Column("fetched_at", Instant, nullable=False),
    sa.Column("refetched_at", Instant),
    sa.Index(None, "owner"),
)

sa.Table(
    "key_history",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("key_id", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("material", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("fetched_at", Instant, nullable=False),
    sa.UniqueConstraint("key_id", "sha256"),
)

sa.Table(
    "key_misses",
    metadata,
    sa.Column("key_id", sa.Text, primary_key=True),
    sa.Column("reason", sa.String(60), nullable=False),
    sa.Column("until", Instant, nullable=False),
    sa.Index(None, "until"),
)

sa.Table(
    "receipts",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("headers", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("scheme", sa.String(20)),
    sa.Column("key_id", sa.Text),
    sa.Column("key_host", sa.Text),
    sa.Column("activity_type", sa.String(60)),
    sa.Column("activity_uri", sa.Text),
    sa.Column("actor_uri", sa.Text),
    sa.Column("object_uri", sa.Text),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("verified_by", sa.String(64)),
    sa.Column("verdict", sa.String(20)),
    sa.Column("reason", sa.String(60)),
    sa.Column("detail", sa.Text),
    sa.Column("trail", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("lease_until", Instant),
    sa.Column("settled_at", Instant),
    sa.Index("ix_receipts_open", "due_at", "id", sqlite_where=OPEN, postgresql_where=OPEN),
    sa.Index(None, "activity_uri"),
    sa.Index(None, "object_uri"),
    sa.Index(None, "actor_uri"),
)

sa.Table(
    "seen",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("receipt_id", Id, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Index(None, "seen_at"),
)

sa.Table(
    "markers",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("actor_uri", sa.Text, nullable=False),
    sa.Column("uri", sa.Text, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.UniqueConstraint("actor_uri", "uri", "kind"),
    sa.Index(None, "expires_at"),
)

sa.Table(
    "outbox",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("letter_id", Id, nullable=False),
    sa.Column("activity_uri", sa.Text, nullable=False, unique=True),
    sa.Column("type", sa.String(40), nullable=False),
    sa.Column("object_uri", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("public", sa.Boolean, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Index(None, "letter_id", "public", "id"),
    sa.Index(None, "object_uri"),
)

sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("outbox_id", Id, nullable=False),
    sa.Column("inbox", sa.Text, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("object_uri", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("lease_until", Instant),
    sa.Column("last_status", sa.Integer),
    sa.Column("last_outcome", sa.String(60)),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("settled_at", Instant),
    sa.UniqueConstraint("outbox_id", "inbox"),
    sa.Index("ix_deliveries_open", "due_at", "id", sqlite_where=OPEN, postgresql_where=OPEN),
    sa.Index(
        "ix_deliveries_order",
        "host",
        "object_uri",
        "outbox_id",
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    ),
)

sa.Table(
    "origins",
    metadata,
    sa.Column("host", sa.Text, primary_key=True),
    sa.Column("signature_scheme", sa.String(20)),
    sa.Column("scheme_learnt_at", Instant),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("first_failure_at", Instant),
    sa.Column("held_until", Instant),
    sa.Column("failing_days", sa.Integer, nullable=False, server_default="0"),
    sa.Column("last_failing_at", Instant),
    sa.Column("dead_since", Instant),
)
