"""The dialects simulated servers speak: those of microblogs, those of publishers, and one to come.

A table of values and nothing else.
"""

from collections.abc import Mapping
from dataclasses import replace

from fedi_letter.demo.addressing import hollo, usual
from fedi_letter.demo.dialect import Dialect, QuoteForm, Reading
from fedi_letter.demo.microblogs import (
    GOTOSOCIAL,
    MASTODON,
    MISSKEY,
    PLEROMA,
    TAKAHE,
    USUAL_IDS,
)
from fedi_letter.demo.signing import Scheme, Style
from fedi_letter.demo.verifying import Strictness

WORDPRESS = Dialect(
    name="wordpress",
    software="wordpress",
    version="6.8.3-activitypub-9.3.0",
    ids=USUAL_IDS
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
    ids=USUAL_IDS
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
    ids=USUAL_IDS
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
    ids=USUAL_IDS
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
