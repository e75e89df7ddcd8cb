"""In which ways one kind of server differs from another.

Types only; the values are in `dialects`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fedi_letter.demo.addressing import Addressing, usual
from fedi_letter.demo.signing import Scheme, Style
from fedi_letter.demo.verifying import Strictness
from fedi_letter.demo.wire import ACTIVITY_JSON, LD_JSON


class DeleteForm(StrEnum):
    """What stands in the `object` of a Delete."""

    STRING = "string"
    TOMBSTONE = "tombstone"
    NOTE = "note"


class VoteForm(StrEnum):
    """How a poll vote is written: a bare Note, an array of them, or Pleroma's Answer."""

    NOTE = "note"
    ARRAY = "array"
    ANSWER = "answer"


class QuoteForm(StrEnum):
    """How a post says that it quotes another."""

    REQUEST = "request"
    MISSKEY = "misskey"
    LINK = "link"
    URL = "url"


class Reading(StrEnum):
    """What readers of a server see of an Article (interop A8)."""

    FULL = "full"
    LINK = "link"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Dialect:
    """Everything in which one kind of server differs from the others."""

    name: str
    software: str
    version: str
    ids: Mapping[str, str]
    """Templates; see `server.PeerServer.mint` for the fields they may use."""
    serial: str = "snowflake"
    """How the server numbers things: snowflake, ulid, or uuid."""
    style: Style = field(default_factory=Style)
    knocks: tuple[Scheme, ...] = (Scheme.CAVAGE,)
    """The schemes tried, in order, while the answer is a 4xx."""
    strictness: Strictness = field(default_factory=Strictness)
    content_type: str = ACTIVITY_JSON
    accept: str = f"{ACTIVITY_JSON}, {LD_JSON}"
    compact: bool = False
    """Whether arrays of one become their member, and empty ones vanish."""
    fractions: bool = False
    """Whether its times have milliseconds."""
    dated: tuple[str, ...] = ("Create", "Announce")
    """The kinds of activity that say when they were published."""
    addresses: Addressing = usual
    addresses_boost: Addressing = usual
    addresses_acts: bool = False
    """Whether a Follow or a Like says in `to` whom it is for."""
    follows_shared: bool = False
    """Whether a Follow too goes to the shared inbox."""
    sends_shared: bool = True
    """Whether it posts to a shared inbox where one is offered."""
    offers_shared: bool = True
    deletes: DeleteForm = DeleteForm.TOMBSTONE
    undoes_by_id: bool = False
    boost_reaches_author: bool = True
    undone_boost_reaches_author: bool = True
    flags_as_instance: bool = False
    can_flag: bool = True
    signs_gets_as_instance: bool = True
    locked: bool = False
    """Whether actors and posts are served to signed requests only."""
    states_language: bool = True
    votes: VoteForm = VoteForm.NOTE
    quotes: QuoteForm = QuoteForm.URL
    reads_articles: Reading = Reading.FULL
    max_post_bytes: int | None = None
    names_page: bool = False
    """Whether replies and boosts name our page's URL rather than the object's id."""
    likes_with: str | None = None
