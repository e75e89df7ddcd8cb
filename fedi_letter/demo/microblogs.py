"""The dialects of microblogs: Mastodon, GoToSocial, Misskey, Pleroma, Takahe.

A table of values and nothing else; all dialects together are in `dialects`. What is marked *seen*
was recorded from real servers (`tests/vectors/`), the rest follows the projects' sources.
"""

from datetime import timedelta

from fedi_letter.demo.addressing import gotosocial_boost, pleroma_boost, takahe, takahe_boost
from fedi_letter.demo.dialect import DeleteForm, Dialect, QuoteForm, Reading, VoteForm
from fedi_letter.demo.signing import Scheme, Style
from fedi_letter.demo.verifying import Strictness
from fedi_letter.demo.wire import LD_JSON

USUAL_IDS = {
    "instance": "{origin}/actor",
    "actor": "{origin}/users/{user}",
    "profile": "{origin}/@{user}",
    "key": "{actor}#main-key",
    "inbox": "{actor}/inbox",
    "outbox": "{actor}/outbox",
    "followers": "{actor}/followers",
    "following": "{actor}/following",
    "shared_inbox": "{origin}/inbox",
    "note": "{actor}/statuses/{serial}",
    "page": "{origin}/@{user}/{serial}",
    "create": "{note}/activity",
    "update": "{note}#updates/{epoch}",
    "delete": "{note}#delete",
    "announce": "{actor}/statuses/{serial}/activity",
    "like": "{actor}#likes/{serial}",
    "follow": "{origin}/{uuid}",
    "undo": "{actor}#{undoing}s/{serial}/undo",
    "flag": "{origin}/{uuid}",
    "block": "{origin}/{uuid}",
    "move": "{actor}#moves/{serial}",
    "quoterequest": "{actor}/quote_requests/{uuid}",
    "profile_update": "{actor}#updates/{epoch}",
    "farewell": "{actor}#delete",
    "accept": "{actor}#accepts/follows/{serial}",
}

MASTODON = Dialect(
    name="mastodon",
    software="mastodon",
    version="4.6.2",
    ids=USUAL_IDS,
    style=Style(by_bovine=True),
    flags_as_instance=True,
    quotes=QuoteForm.REQUEST,
    reads_articles=Reading.LINK,
)

GOTOSOCIAL = Dialect(
    name="gotosocial",
    software="gotosocial",
    version="0.20.0",
    ids=USUAL_IDS
    | {
        "instance": "{origin}/users/{host}",
        "key": "{actor}/main-key",
        "page": "{origin}/@{user}/statuses/{serial}",
        "create": "{note}/activity#Create",
        "update": "{note}/activity#Update",
        "delete": "{origin}/{serial}",
        "announce": "{actor}/statuses/{serial}",
        "like": "{actor}/liked/{serial}",
        "follow": "{actor}/follow/{serial}",
        "undo": "{origin}/{serial}",
        "flag": "{origin}/reports/{serial}",
        "block": "{actor}/blocks/{serial}",
        "accept": "{actor}/accepts/{serial}",
    },
    serial="ulid",
    style=Style(
        covers_post=("(request-target)", "host", "date", "digest"),
        covers_get=("(request-target)", "host", "date"),
        algorithm="hs2019",
    ),
    strictness=Strictness(schemes=frozenset((Scheme.CAVAGE,))),
    content_type=LD_JSON,
    compact=True,
    dated=("Create", "Update", "Announce"),
    addresses_boost=gotosocial_boost,
    addresses_acts=True,
    follows_shared=True,
    offers_shared=False,
    deletes=DeleteForm.STRING,
    flags_as_instance=True,
    signs_gets_as_instance=False,
    locked=True,
    votes=VoteForm.ARRAY,
)

MISSKEY = Dialect(
    name="misskey",
    software="sharkey",
    version="2025.4.4",
    ids=USUAL_IDS
    | {
        "actor": "{origin}/users/{number}",
        "note": "{origin}/notes/{serial}",
        "page": "{origin}/notes/{serial}",
        "announce": "{origin}/notes/{serial}/activity",
        "like": "{origin}/likes/{serial}",
        "follow": "{origin}/follows/{serial}",
        "undo": "{undone}/undo",
        "delete": "{origin}/{uuid}",
        "update": "{origin}/{uuid}",
        "flag": "{origin}/{uuid}",
    },
    style=Style(covers_post=("(request-target)", "date", "host", "digest")),
    strictness=Strictness(schemes=frozenset((Scheme.CAVAGE,))),
    flags_as_instance=True,
    states_language=False,
    quotes=QuoteForm.MISSKEY,
    max_post_bytes=64 * 1024,
    likes_with="❤",
)

PLEROMA = Dialect(
    name="pleroma",
    software="pleroma",
    version="2.9.1",
    ids=USUAL_IDS
    | {
        "instance": "{origin}/internal/fetch",
        "profile": "{origin}/{user}",
        "note": "{origin}/objects/{serial}",
        "page": "{origin}/notice/{serial}",
        "create": "{origin}/activities/{uuid}",
        "update": "{origin}/activities/{uuid}",
        "delete": "{origin}/activities/{uuid}",
        "announce": "{origin}/activities/{uuid}",
        "like": "{origin}/activities/{uuid}",
        "follow": "{origin}/activities/{uuid}",
        "undo": "{origin}/activities/{uuid}",
        "flag": "{origin}/activities/{uuid}",
        "block": "{origin}/activities/{uuid}",
    },
    serial="uuid",
    style=Style(covers_post=("(request-target)", "content-length", "date", "digest", "host")),
    strictness=Strictness(schemes=frozenset((Scheme.CAVAGE,))),
    addresses_boost=pleroma_boost,
    addresses_acts=True,
    deletes=DeleteForm.STRING,
    undoes_by_id=True,
    votes=VoteForm.ANSWER,
)

TAKAHE = Dialect(
    name="takahe",
    software="takahe",
    version="0.11.0",
    ids=USUAL_IDS
    | {
        "instance": "{origin}/actor/",
        "actor": "{origin}/@{user}@{host}/",
        "profile": "{origin}/@{user}/",
        "inbox": "{actor}inbox/",
        "outbox": "{actor}outbox/",
        "followers": "{actor}followers/",
        "following": "{actor}following/",
        "note": "{actor}posts/{serial}/",
        "page": "{origin}/@{user}/posts/{serial}/",
        "create": "{note}#create",
        "update": "{note}#update",
        "announce": "{actor}#boost/{serial}",
        "like": "{actor}#like/{serial}",
        "follow": "{actor}follow/{serial}/",
        "undo": "{undone}#undo",
        "block": "{actor}block/{serial}/",
    },
    style=Style(algorithm_last=True),
    # this head processed unsigned and garbage-signed Follows (2026-11-22): it judges nobody
    strictness=Strictness(
        schemes=frozenset((Scheme.CAVAGE,)),
        needs_algorithm=True,
        window=timedelta(seconds=60),
        refuses=False,
    ),
    compact=True,
    fractions=True,
    dated=("Announce", "Like"),
    addresses=takahe,
    addresses_boost=takahe_boost,
    undone_boost_reaches_author=False,
    deletes=DeleteForm.NOTE,
    can_flag=False,
    states_language=False,
    reads_articles=Reading.NOTHING,
    max_post_bytes=50 * 1024,
)
