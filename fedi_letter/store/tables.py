"""Every table, in one place; the migrations must build exactly this (a test compares them).

Laws held here:

1. People are keyed on their actor id, never on a handle or a note id.
2. What a stranger sent is kept raw (`receipts`) and what we published is kept as the exact bytes
   (`outbox`, `publications`, `translations.source`).
3. Public signature numbers are unique for ever: they come from `letters.next_number`, which only
   grows.
4. Every change of a state leaves a row in `ledger` with its reason and who made it.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime on every database; SQLite keeps it naive and we put the zone back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive datetime and store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime given to the database; make it aware")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Answer an aware UTC datetime."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite only numbers rows by itself for INTEGER PRIMARY KEY.
Id = BigInteger().with_variant(Integer, "sqlite")


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

outbox = Table(  # every activity we sent, byte for byte
    "outbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("letter_id", Id, nullable=False),
    Column("activity_uri", Text, nullable=False, unique=True),
    Column("type", String(40), nullable=False),
    Column("object_uri", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index(None, "letter_id", "public", "id"),
    Index(None, "object_uri"),
)

actors = Table(
    "actors",
    metadata,
    Column("uri", Text, primary_key=True),
    Column("host", Text, nullable=False),  # with the port when not the scheme's default
    Column("handle", Text, nullable=False),  # @name@host
    Column("nature", String(20), nullable=False),  # letter.model.Nature
    Column("name", Text, nullable=False, server_default=""),
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
    Index(None, "host"),
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

keys = Table(  # public keys of others; a rotated key is replaced here and stays in key_history
    "keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("material", Text, nullable=False),  # PEM
    Column("fetched_at", Instant, nullable=False),
    Column("refetched_at", Instant),  # the last time a failed verification made us look again
    Index(None, "owner"),
)

key_history = Table(
    "key_history",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("material", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("fetched_at", Instant, nullable=False),
    UniqueConstraint("key_id", "sha256"),
)

key_misses = Table(  # key ids that gave no usable key; asked again only after `until`
    "key_misses",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("reason", String(60), nullable=False),
    Column("until", Instant, nullable=False),
    Index(None, "until"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("received_at", Instant, nullable=False),
    Column("target", Text, nullable=False),  # raw path and query
    Column("headers", Text, nullable=False),  # JSON list of [name, value], in order
    Column("body", LargeBinary, nullable=False),
    Column("scheme", String(20)),  # cavage | rfc9421
    Column("key_id", Text),
    Column("key_host", Text),
    Column("activity_type", String(60)),
    Column("activity_uri", Text),
    Column("actor_uri", Text),
    Column("object_uri", Text),
    Column("state", String(20), nullable=False),  # pending | waiting | done | refused
    Column("verified_by", String(64)),  # sha256 of the key material, once verified
    Column("verdict", String(20)),  # letter.effects.Verdict once done
    Column("reason", String(60)),
    Column("detail", Text),
    Column("trail", Text, nullable=False),  # JSON list of [instant, step, detail]
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("settled_at", Instant),
    Index(None, "state", "due_at"),
    Index(None, "activity_uri"),
    Index(None, "object_uri"),
    Index(None, "actor_uri"),
)

seen = Table(
    "seen",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("receipt_id", Id, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Index(None, "seen_at"),
)

markers = Table(
    "markers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("actor_uri", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    UniqueConstraint("actor_uri", "uri", "kind"),
    Index(None, "expires_at"),
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
    Column("keep", Boolean, nullable=False),
    Column("reviewed_by", Text),
    Column("reviewed_at", Instant),
    Column("next_check_at", Instant),
    Column("missing_since", Instant),
    Column("checks", Integer, nullable=False, server_default="0"),
    Index(None, "letter_id", "person_uri"),
    Index(None, "actor_uri"),
    Index(None, "activity_uri"),
    Index(None, "post_uri"),
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
    UniqueConstraint("letter_id", "person_uri"),
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

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("outbox_id", Id, nullable=False),
    Column("inbox", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("object_uri", Text, nullable=False),
    Column("state", String(20), nullable=False),  # waiting | delivered | given-up
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("last_status", Integer),
    Column("last_outcome", String(60)),
    Column("created_at", Instant, nullable=False),
    Column("settled_at", Instant),
    UniqueConstraint("outbox_id", "inbox"),
    Index(None, "state", "due_at"),
    Index(None, "host", "object_uri", "state", "outbox_id"),
)

origins = Table(  # what we learnt of each server we deliver to
    "origins",
    metadata,
    Column("host", Text, primary_key=True),
    Column("signature_scheme", String(20)),
    Column("scheme_learnt_at", Instant),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("first_failure_at", Instant),
    Column("held_until", Instant),
    Column("failing_days", Integer, nullable=False, server_default="0"),
    Column("last_failing_at", Instant),
    Column("dead_since", Instant),
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
