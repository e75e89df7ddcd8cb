"""Every table; the migrations must build exactly this (a test compares them).

Those of the traffic are defined in `traffic` and reached from here like the others.

Laws held here:

1. People are keyed on their actor id, never on a handle or a note id.
2. What a stranger sent is kept raw (`receipts`) and what we published is kept as the exact bytes
   (`outbox`, `publications`, `translations.source`).
3. Public signature numbers are unique for ever: they come from `letters.next_number`, which only
   grows.
4. Every change of a state leaves a row in `ledger` with its reason and who made it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from fedi_letter.store.columns import Id, Instant, metadata
from fedi_letter.store.traffic import (
    deliveries,
    key_history,
    key_misses,
    keys,
    markers,
    origins,
    outbox,
    receipts,
    seen,
)

__all__ = [
    "actions",
    "actor_documents",
    "actors",
    "blocks",
    "chores",
    "deliveries",
    "endorsements",
    "followers",
    "key_history",
    "key_misses",
    "keys",
    "ledger",
    "letter_targets",
    "letters",
    "markers",
    "metadata",
    "origins",
    "outbox",
    "publications",
    "reactions",
    "receipts",
    "reports",
    "revisions",
    "seen",
    "signatories",
    "translations",
    "versions",
]

letters = Table(
    "letters",
    metadata,
    Column("id", Id, primary_key=True),
    Column("slug", String(100), nullable=False, unique=True),
    Column("origin", Text, nullable=False),
    Column("username", String(100), nullable=False),
    Column("actor_uri", Text, nullable=False),
    Column("object_uri", Text, nullable=False),
    Column("page_url", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("published_at", Instant),
    Column("retracted_at", Instant),  # from then on the roll is frozen against cascading deletes
    Column("roll_version", BigInteger, nullable=False, server_default="0"),
    Column("next_number", BigInteger, nullable=False, server_default="1"),
)

letter_targets = Table(
    "letter_targets",
    metadata,
    Column("uri", Text, primary_key=True),
    Column("letter_id", Id, nullable=False),
    Column("kind", String(20), nullable=False),  # object | page | create | companion
    Index(None, "letter_id"),
)

revisions = Table(
    "revisions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("letter_id", Id, nullable=False),
    Column("number", Integer, nullable=False),  # every publication, typo fixes too
    Column("version", Integer, nullable=False),  # what readers are told
    Column("kind", String(20), nullable=False),  # revision | typo
    Column("note", Text),
    Column("sha256", String(64), nullable=False),
    Column("published_at", Instant, nullable=False),
    UniqueConstraint("letter_id", "number"),
)

translations = Table(
    "translations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("revision_id", Id, nullable=False),
    Column("language", String(35), nullable=False),
    Column("position", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("source", LargeBinary, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("html", Text, nullable=False),
    UniqueConstraint("revision_id", "language"),
)

publications = Table(  # every object we serve, with the bytes as last published
    "publications",
    metadata,
    Column("uri", Text, primary_key=True),
    Column("letter_id", Id, nullable=False),
    Column("kind", String(20), nullable=False),  # letter | update
    Column("type", String(20), nullable=False),  # Article | Note
    Column("state", String(20), nullable=False),  # live | deleted
    Column("text", Text),
    Column("html", Text),
    Column("revision_id", Id),
    Column("body", LargeBinary, nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("deleted_at", Instant),
    Index(None, "letter_id", "kind", "published_at"),
)

actors = Table(
    "actors",
    metadata,
    Column("uri", Text, primary_key=True),
    Column("host", Text, nullable=False),  # with the port when not the scheme's default
    Column("handle", Text, nullable=False),  # @name@host
    Column("nature", String(20), nullable=False),  # letter.model.Nature
    Column("name", Text, nullable=False, server_default=""),
    Column("search", Text, nullable=False, server_default=""),  # handle and name, case-folded
    Column("url", Text),
    Column("inbox", Text),
    Column("shared_inbox", Text),
    Column("followers_uri", Text),
    Column("moved_to", Text),  # verified by alsoKnownAs
    Column("suspended", Boolean, nullable=False),
    Column("indexable", Boolean, nullable=False),
    Column("hides_public", Boolean, nullable=False),
    Column("hides_unlisted", Boolean, nullable=False),
    Column("state", String(20), nullable=False),  # live | gone
    Column("published_at", Instant),
    Column("document", LargeBinary, nullable=False),
    Column("fetched_at", Instant, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("blocks_us", Boolean, nullable=False, server_default=false()),  # nothing goes there
    Index(None, "inbox"),
    Index(None, "shared_inbox"),
    Index(None, "host"),
    Index(
        "ix_actors_suspended",
        "uri",
        sqlite_where=text("suspended = 1"),
        postgresql_where=text("suspended"),
    ),
)

actor_documents = Table(  # the actor as fetched when they signed: evidence, never overwritten
    "actor_documents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("actor_uri", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("fetched_at", Instant, nullable=False),
    UniqueConstraint("actor_uri", "sha256"),
)

endorsements = Table(
    "endorsements",
    metadata,
    Column("id", Id, primary_key=True),
    Column("letter_id", Id, nullable=False),
    Column("actor_uri", Text, nullable=False),  # who acted
    Column("person_uri", Text, nullable=False),  # whose it is since an account moved
    Column("way", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("reasons", Text, nullable=False),  # JSON list of letter.model.Reason
    Column("activity_uri", Text),
    Column("post_uri", Text),
    Column("url", Text),
    Column("target_uri", Text, nullable=False),
    Column("visibility", String(20), nullable=False),
    Column("phrase", Text),
    Column("language", String(35)),
    Column("statement", Text, nullable=False, server_default=""),
    Column("text", Text, nullable=False, server_default=""),
    Column("html", Text, nullable=False, server_default=""),
    Column("text_sha256", String(64), nullable=False, server_default=""),
    Column("published_at", Instant),
    Column("updated_at", Instant),
    Column("received_at", Instant, nullable=False),
    Column("revision_id", Id, nullable=False),
    Column("receipt_id", Id, nullable=False),
    Column("key_sha256", String(64)),
    Column("actor_document_id", Id),
    Column("post_gone", Boolean, nullable=False),  # deleted, though the signature was kept
    Column("keep", Boolean, nullable=False),
    Column("reviewed_by", Text),
    Column("reviewed_at", Instant),
    Column("next_check_at", Instant),
    Column("missing_since", Instant),
    Column("checks", Integer, nullable=False, server_default="0"),
    Index(None, "letter_id", "person_uri", "state"),
    Index(None, "actor_uri"),
    Index(None, "activity_uri"),
    Index(None, "post_uri"),
    Index(None, "url"),
    Index(None, "letter_id", "state", "id"),
    Index(None, "next_check_at"),
)

signatories = Table(
    "signatories",
    metadata,
    Column("id", Id, primary_key=True),
    Column("letter_id", Id, nullable=False),
    Column("person_uri", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("state", String(20), nullable=False),
    Column("signed_at", Instant, nullable=False),
    Column("revision_id", Id, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("person_uri", "letter_id"),  # first the person: asked for by it alone too
    UniqueConstraint("letter_id", "number"),
    Index(None, "letter_id", "state", "number"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", Id, primary_key=True),
    Column("letter_id", Id, nullable=False),
    Column("at", Instant, nullable=False),
    Column("person_uri", Text, nullable=False),
    Column("endorsement_id", Id),
    Column("number", BigInteger),
    Column("subject", String(20), nullable=False),  # endorsement | signatory
    Column("before", String(20)),
    Column("after", String(20), nullable=False),
    Column("reason", String(60), nullable=False),
    Column("made_by", Text, nullable=False),  # sender | policy | sweep | admin:NAME
    Column("receipt_id", Id),
    Column("action_id", Id),
    Index(None, "letter_id", "id"),
    Index(None, "person_uri"),
    Index(None, "action_id"),
    Index(None, "receipt_id"),
)

actions = Table(  # what an admin did, in one stroke, and can undo in one
    "actions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("letter_id", Id, nullable=False),
    Column("at", Instant, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("reason", Text),
    Column("undone_by", Id),
)

followers = Table(
    "followers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("letter_id", Id, nullable=False),
    Column("actor_uri", Text, nullable=False),
    Column("follow_uri", Text),
    Column("inbox", Text, nullable=False),
    Column("shared_inbox", Text),
    Column("host", Text, nullable=False),
    Column("state", String(20), nullable=False),  # live | dropped
    Column("reason", String(60)),
    Column("since", Instant, nullable=False),
    Column("failing_days", Integer, nullable=False, server_default="0"),
    Column("last_failing_at", Instant),
    UniqueConstraint("letter_id", "actor_uri"),
    Index(None, "letter_id", "state", "id"),
    Index(None, "inbox"),
    Index(None, "shared_inbox"),
    Index(
        "ix_followers_failing",
        "inbox",
        "shared_inbox",
        sqlite_where=text("failing_days > 0"),
        postgresql_where=text("failing_days > 0"),
    ),
)

reactions = Table(
    "reactions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("letter_id", Id, nullable=False),
    Column("actor_uri", Text, nullable=False),
    Column("kind", String(20), nullable=False),  # like | share | quote
    Column("object_uri", Text, nullable=False),
    Column("activity_uri", Text),
    Column("content", Text),
    Column("received_at", Instant, nullable=False),
    UniqueConstraint("actor_uri", "kind", "object_uri"),
    Index(None, "object_uri", "kind"),
    Index(None, "activity_uri"),
)

reports = Table(
    "reports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("letter_id", Id, nullable=False),
    Column("actor_uri", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("objects", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("receipt_id", Id, nullable=False),
)

blocks = Table(
    "blocks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(20), nullable=False),  # domain | actor
    Column("subject", Text, nullable=False, unique=True),
    Column("reason", Text),
    Column("made_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)


chores = Table(  # what is done now and then, by one process at a time
    "chores",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("begun_at", Instant, nullable=False),
)

versions = Table(  # grows when something was changed that processes keep in memory
    "versions",
    metadata,
    Column("name", String(60), primary_key=True),  # keys | blocks
    Column("version", BigInteger, nullable=False),
)
