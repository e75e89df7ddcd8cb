"""The dialects simulated servers speak: ids, signatures, forms of activities, strictness.

A table of values and nothing else. What is marked *seen* was recorded from real servers
(`tests/vectors/`); the rest follows the projects' sources and documentation.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from fedi_letter.demo.addressing import (
    gotosocial_boost,
    hollo,
    pleroma_boost,
    takahe,
    takahe_boost,
    usual,
)
from fedi_letter.demo.dialect import DeleteForm, Dialect, QuoteForm, Reading, VoteForm
from fedi_letter.demo.signing import Scheme, Style
from fedi_letter.demo.verifying import Strictness
from fedi_letter.demo.wire import LD_JSON

_USUAL_IDS = {
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
    ids=_USUAL_IDS,
    style=Style(by_bovine=True),
    flags_as_instance=True,
    quotes=QuoteForm.REQUEST,
    reads_articles=Reading.LINK,
)

GOTOSOCIAL = Dialect(
    name="gotosocial",
    software="gotosocial",
    version="0.20.0",
    ids=_USUAL_IDS
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
    ids=_USUAL_IDS
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
    ids=_USUAL_IDS
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
    ids=_USUAL_IDS
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

WORDPRESS = Dialect(
    name="wordpress",
    software="wordpress",
    version="6.8.3-activitypub-9.3.0",
    ids=_USUAL_IDS
    | {
        "instance": "{origin}/wp-json/activitypub/1.0/application",
        "actor": "{origin}/?author={number}",
        "profile": "{origin}/author/{user}/",
        "inbox": "{origin}/wp-json/activitypub/1.0/actors/{number}/inbox",
        "outbox": "{origin}/wp-json/activitypub/1.0/actors/{number}/outbox",
        "followers": "{origin}/wp-json/activitypub/1.0/actors/{number}/followers",
        "following": "{origin}/wp-json/activitypub/1.0/actors/{number}/following",
        "shared_inbox": "{origin}/wp-json/activitypub/1.0/inbox",
        "note": "{origin}/?c={serial}",
        "page": "{origin}/letters/#comment-{serial}",
        "create": "{note}#activity-create-{epoch}",
        "update": "{note}#activity-update-{epoch}",
        "delete": "{note}#activity-delete-{epoch}",
        "announce": "{actor}#activity-announce-{serial}",
        "like": "{actor}#activity-like-{serial}",
        "follow": "{actor}#follow-{serial}",
        "undo": "{actor}#activity-undo-{serial}",
    },
    knocks=(Scheme.RFC9421, Scheme.CAVAGE),
    style=Style(
        covers_post=("(request-target)", "host", "date", "digest"),
        components=("@method", "@target-uri", "@authority"),
        label="wp",
    ),
)

HOLLO = Dialect(
    name="hollo",
    software="hollo",
    version="0.10.0",
    ids=_USUAL_IDS
    | {
        "instance": "{origin}/@{host}",
        "actor": "{origin}/@{user}",
        "profile": "{origin}/@{user}",
        "note": "{actor}/{serial}",
        "page": "{actor}/{serial}",
        "create": "{note}#create",
        "update": "{note}#update-{stamp}",
        "delete": "{note}#delete-{stamp}",
        "announce": "{actor}/{serial}#activity",
        "like": "{actor}#likes/{stamp}",
        "follow": "{actor}#follows/{uuid}",
        "undo": "{actor}#un{undoing}s/{uuid}",
        "flag": "{origin}/reports/{serial}",
    },
    serial="uuid",
    style=Style(
        covers_post=("(request-target)", "content-type", "date", "digest", "host"),
        covers_get=("(request-target)", "accept", "date", "host", "user-agent"),
        components=("@method", "@target-uri", "@authority", "host", "date"),
    ),
    knocks=(Scheme.CAVAGE, Scheme.RFC9421),
    compact=True,
    fractions=True,
    dated=("Create", "Update", "Announce"),
    addresses=hollo,
    sends_shared=False,
    boost_reaches_author=False,
    undone_boost_reaches_author=False,
    quotes=QuoteForm.LINK,
    signs_gets_as_instance=False,
)

GHOST = replace(
    HOLLO,
    name="ghost",
    software="ghost",
    version="6.0.0",
    ids=_USUAL_IDS
    | {
        "instance": "{origin}/.ghost/activitypub/users/instance",
        "actor": "{origin}/.ghost/activitypub/users/{user}",
        "profile": "{origin}/author/{user}/",
        "inbox": "{origin}/.ghost/activitypub/inbox/{user}",
        "outbox": "{origin}/.ghost/activitypub/outbox/{user}",
        "followers": "{origin}/.ghost/activitypub/followers/{user}",
        "following": "{origin}/.ghost/activitypub/following/{user}",
        "shared_inbox": "{origin}/.ghost/activitypub/inbox",
        "note": "{origin}/.ghost/activitypub/note/{serial}",
        "page": "{origin}/.ghost/activitypub/note/{serial}",
        "create": "{origin}/.ghost/activitypub/create/{uuid}",
        "update": "{origin}/.ghost/activitypub/update/{uuid}",
        "delete": "{origin}/.ghost/activitypub/delete/{uuid}",
        "announce": "{origin}/.ghost/activitypub/announce/{uuid}",
        "like": "{origin}/.ghost/activitypub/like/{uuid}",
        "follow": "{origin}/.ghost/activitypub/follow/{uuid}",
        "undo": "{origin}/.ghost/activitypub/undo/{uuid}",
    },
    knocks=(Scheme.RFC9421, Scheme.CAVAGE),
    addresses=usual,
    boost_reaches_author=True,
    undone_boost_reaches_author=True,
)

PIXELFED = Dialect(
    name="pixelfed",
    software="pixelfed",
    version="0.12.6",
    ids=_USUAL_IDS
    | {
        "note": "{origin}/p/{user}/{serial}",
        "page": "{origin}/p/{user}/{serial}",
        "announce": "{origin}/p/{user}/{serial}/activity",
    },
    strictness=Strictness(schemes=frozenset((Scheme.CAVAGE,))),
    boost_reaches_author=False,
    undone_boost_reaches_author=False,
    states_language=False,
    reads_articles=Reading.NOTHING,
    names_page=True,
)

NOVEL = replace(
    MASTODON,
    name="novel",
    software="novel",
    version="1.0",
    knocks=(Scheme.RFC9421,),
    strictness=Strictness(schemes=frozenset((Scheme.RFC9421,))),
)
"""A server of tomorrow: RFC 9421 only, both ways, so that a second knock is needed."""

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        MASTODON,
        GOTOSOCIAL,
        MISSKEY,
        PLEROMA,
        TAKAHE,
        WORDPRESS,
        HOLLO,
        GHOST,
        PIXELFED,
        NOVEL,
    )
}
