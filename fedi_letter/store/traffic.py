"""The tables of what comes in and goes out: keys, receipts, markers, outbox, deliveries.

A receipt or delivery is open while `settled_at` is null; the indexes the workers claim by hold open
rows alone, so that a year of finished ones costs a claim nothing.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from fedi_letter.store.columns import Id, Instant, metadata

_OPEN = text("settled_at IS NULL")
_SETTLED = text("settled_at IS NOT NULL")
_GIVEN_UP = text("state = 'given-up'")

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
    Column("trail", Text, nullable=False),  # JSON lines, one [instant, step, detail] each
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("settled_at", Instant),  # null while the receipt is open
    Index("ix_receipts_open", "due_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index(
        "ix_receipts_open_hosts",
        "key_host",
        "due_at",
        "id",
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    ),
    # Only what is settled: an index by random ids costs a page each, and whoever knocks must not
    # wait for three of them.
    *(
        Index(None, column, sqlite_where=_SETTLED, postgresql_where=_SETTLED)
        for column in ("activity_uri", "object_uri", "actor_uri")
    ),
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
    Column("settled_at", Instant),  # null while the delivery is open
    UniqueConstraint("outbox_id", "inbox"),
    Index("ix_deliveries_open", "due_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index(
        "ix_deliveries_given_up",
        "outbox_id",
        "last_outcome",
        sqlite_where=_GIVEN_UP,
        postgresql_where=_GIVEN_UP,
    ),
    Index(
        "ix_deliveries_order",
        "host",
        "object_uri",
        "outbox_id",
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    ),
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
