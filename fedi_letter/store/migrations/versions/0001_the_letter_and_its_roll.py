"""The first schema: the letter, its people and its roll.

A frozen copy of these tables as they were at this step. It never imports the package: later
changes of the code must not change what this step builds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
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


def upgrade() -> None:
    """Build every table and index."""
    metadata.create_all(op.get_bind(), checkfirst=False)


sa.Table(
    "letters",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("slug", sa.String(100), nullable=False, unique=True),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("username", sa.String(100), nullable=False),
    sa.Column("actor_uri", sa.Text, nullable=False),
    sa.Column("object_uri", sa.Text, nullable=False),
    sa.Column("page_url", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("published_at", Instant),
    sa.Column("retracted_at", Instant),
    sa.Column("roll_version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("next_number", sa.BigInteger, nullable=False, server_default="1"),
)

sa.Table(
    "letter_targets",
    metadata,
    sa.Column("uri", sa.Text, primary_key=True),
    sa.Column("letter_id", Id, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Index(None, "letter_id"),
)

sa.Table(
    "revisions",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("letter_id", Id, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("note", sa.Text),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("published_at", Instant, nullable=False),
    sa.UniqueConstraint("letter_id", "number"),
)

sa.Table(
    "translations",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("revision_id", Id, nullable=False),
    sa.Column("language", sa.String(35), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("source", sa.LargeBinary, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("html", sa.Text, nullable=False),
    sa.UniqueConstraint("revision_id", "language"),
)

sa.Table(
    "publications",
    metadata,
    sa.Column("uri", sa.Text, primary_key=True),
    sa.Column("letter_id", Id, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("type", sa.String(20), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("text", sa.Text),
    sa.Column("html", sa.Text),
    sa.Column("revision_id", Id),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("published_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("deleted_at", Instant),
    sa.Index(None, "letter_id", "kind", "published_at"),
)

sa.Table(
    "actors",
    metadata,
    sa.Column("uri", sa.Text, primary_key=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("handle", sa.Text, nullable=False),
    sa.Column("nature", sa.String(20), nullable=False),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("search", sa.Text, nullable=False, server_default=""),
    sa.Column("url", sa.Text),
    sa.Column("inbox", sa.Text),
    sa.Column("shared_inbox", sa.Text),
    sa.Column("followers_uri", sa.Text),
    sa.Column("moved_to", sa.Text),
    sa.Column("suspended", sa.Boolean, nullable=False),
    sa.Column("indexable", sa.Boolean, nullable=False),
    sa.Column("hides_public", sa.Boolean, nullable=False),
    sa.Column("hides_unlisted", sa.Boolean, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("published_at", Instant),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("fetched_at", Instant, nullable=False),
    sa.Column("first_seen_at", Instant, nullable=False),
    sa.Index(None, "inbox"),
    sa.Index(None, "shared_inbox"),
    sa.Index(None, "host"),
    sa.Index(
        "ix_actors_suspended",
        "uri",
        sqlite_where=sa.text("suspended = 1"),
        postgresql_where=sa.text("suspended"),
    ),
)

sa.Table(
    "actor_documents",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("actor_uri", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("fetched_at", Instant, nullable=False),
    sa.UniqueConstraint("actor_uri", "sha256"),
)

sa.Table(
    "endorsements",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("letter_id", Id, nullable=False),
    sa.Column("actor_uri", sa.Text, nullable=False),
    sa.Column("person_uri", sa.Text, nullable=False),
    sa.Column("way", sa.String(20), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("reasons", sa.Text, nullable=False),
    sa.Column("activity_uri", sa.Text),
    sa.Column("post_uri", sa.Text),
    sa.Column("url", sa.Text),
    sa.Column("target_uri", sa.Text, nullable=False),
    sa.Column("visibility", sa.String(20), nullable=False),
    sa.Column("phrase", sa.Text),
    sa.Column("language", sa.String(35)),
    sa.Column("statement", sa.Text, nullable=False, server_default=""),
    sa.Column("text", sa.Text, nullable=False, server_default=""),
    sa.Column("html", sa.Text, nullable=False, server_default=""),
    sa.Column("text_sha256", sa.String(64), nullable=False, server_default=""),
    sa.Column("published_at", Instant),
    sa.Column("updated_at", Instant),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("revision_id", Id, nullable=False),
    sa.Column("receipt_id", Id, nullable=False),
    sa.Column("key_sha256", sa.String(64)),
    sa.Column("actor_document_id", Id),
    sa.Column("post_gone", sa.Boolean, nullable=False),
    sa.Column("keep", sa.Boolean, nullable=False),
    sa.Column("reviewed_by", sa.Text),
    sa.Column("reviewed_at", Instant),
    sa.Column("next_check_at", Instant),
    sa.Column("missing_since", Instant),
    sa.Column("checks", sa.Integer, nullable=False, server_default="0"),
    sa.Index(None, "letter_id", "person_uri", "state"),
    sa.Index(None, "actor_uri"),
    sa.Index(None, "activity_uri"),
    sa.Index(None, "post_uri"),
    sa.Index(None, "url"),
    sa.Index(None, "letter_id", "state", "id"),
    sa.Index(None, "next_check_at"),
)

sa.Table(
    "signatories",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("letter_id", Id, nullable=False),
    sa.Column("person_uri", sa.Text, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("signed_at", Instant, nullable=False),
    sa.Column("revision_id", Id, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.UniqueConstraint("person_uri", "letter_id"),
    sa.UniqueConstraint("letter_id", "number"),
    sa.Index(None, "letter_id", "state", "number"),
)

sa.Table(
    "ledger",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("letter_id", Id, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("person_uri", sa.Text, nullable=False),
    sa.Column("endorsement_id", Id),
    sa.Column("number", sa.BigInteger),
    sa.Column("subject", sa.String(20), nullable=False),
    sa.Column("before", sa.String(20)),
    sa.Column("after", sa.String(20), nullable=False),
    sa.Column("reason", sa.String(60), nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("receipt_id", Id),
    sa.Column("action_id", Id),
    sa.Index(None, "letter_id", "id"),
    sa.Index(None, "person_uri"),
    sa.Index(None, "action_id"),
    sa.Index(None, "receipt_id"),
)

sa.Table(
    "actions",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("letter_id", Id, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("undone_by", Id),
)

sa.Table(
    "followers",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("letter_id", Id, nullable=False),
    sa.Column("actor_uri", sa.Text, nullable=False),
    sa.Column("follow_uri", sa.Text),
    sa.Column("inbox", sa.Text, nullable=False),
    sa.Column("shared_inbox", sa.Text),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("reason", sa.String(60)),
    sa.Column("since", Instant, nullable=False),
    sa.Column("failing_days", sa.Integer, nullable=False, server_default="0"),
    sa.Column("last_failing_at", Instant),
    sa.UniqueConstraint("letter_id", "actor_uri"),
    sa.Index(None, "letter_id", "state", "id"),
    sa.Index(None, "inbox"),
    sa.Index(None, "shared_inbox"),
)

sa.Table(
    "reactions",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("letter_id", Id, nullable=False),
    sa.Column("actor_uri", sa.Text, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("object_uri", sa.Text, nullable=False),
    sa.Column("activity_uri", sa.Text),
    sa.Column("content", sa.Text),
    sa.Column("received_at", Instant, nullable=False),
    sa.UniqueConstraint("actor_uri", "kind", "object_uri"),
    sa.Index(None, "object_uri", "kind"),
    sa.Index(None, "activity_uri"),
)

sa.Table(
    "reports",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("letter_id", Id, nullable=False),
    sa.Column("actor_uri", sa.Text, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("objects", sa.Text, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("receipt_id", Id, nullable=False),
)

sa.Table(
    "blocks",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("subject", sa.Text, nullable=False, unique=True),
    sa.Column("reason", sa.Text),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)

sa.Table(
    "chores",
    metadata,
    sa.Column("name", sa.String(60), primary_key=True),
    sa.Column("begun_at", Instant, nullable=False),
)
