"""Withdrawals that arrive before what they withdraw (interop C5), and words not obeyed twice.

A marker cancels the act whose activity or post it names, for as long as it is remembered: ids of
activities and posts are not used twice, so time does not matter. Two exceptions:

- `boost:TARGET` is left by an Undo that told only what had been boosted. It cancels boosts of that
  target whose own time (`published`) is not after the arrival of the Undo, and boosts that tell
  neither their time nor their id. A later boost counts.
- A Follow is cancelled only for `FOLLOW_OVERTAKEN` after the marker: some servers use the same id
  for every Follow of one person by another, and must be able to follow again.
"""

from datetime import datetime, timedelta

from fedi_letter.letter.effects import Remember
from fedi_letter.letter.intents import Boosted, Followed, Intent, Posted, Quoted, Reacted
from fedi_letter.letter.model import Marker, MarkerKind, Reason, Standing, text_sha256

FOLLOW_OVERTAKEN = timedelta(minutes=10)


def undone(uri: str, now: datetime) -> Remember:
    """Answer the effect that cancels the activity `uri`."""
    return Remember(Marker(uri, MarkerKind.UNDONE, now))


def deleted(uri: str, now: datetime) -> Remember:
    """Answer the effect that cancels the post (or, by the actor's own id, the account) `uri`."""
    return Remember(Marker(uri, MarkerKind.DELETED, now))


def obeyed(post: Posted, now: datetime) -> Remember:
    """Answer the effect by which a redelivered word of command is known."""
    return Remember(Marker(word_uri(post), MarkerKind.OBEYED, now))


def boost_uri(target_uri: str) -> str:
    """Answer the name under which an Undo of a boost without an id is remembered."""
    return f"boost:{target_uri}"


def word_uri(post: Posted) -> str:
    """Answer the name of a post in exactly this wording."""
    return f"word:{text_sha256(post.text)[:32]}:{post.post_uri}"


def marker_uris(intent: Intent, person_uri: str) -> tuple[str, ...]:
    """Answer the `uri` of every marker that could matter for `intent`."""
    named = [getattr(intent, "activity_uri", None), getattr(intent, "post_uri", None), person_uri]
    if isinstance(intent, Boosted):
        named.append(boost_uri(intent.target_uri))
    if isinstance(intent, Posted):
        named.append(word_uri(intent))
    return tuple(uri for uri in named if uri is not None)


def cancelled(standing: Standing, intent: Intent, now: datetime) -> Reason | None:
    """Answer why an act does not count because it was taken back before, `None` if it was not."""
    if not isinstance(intent, Posted | Boosted | Followed | Reacted | Quoted):
        return None
    post_uri = getattr(intent, "post_uri", None)
    named = {intent.activity_uri, post_uri} - {None}
    for marker in standing.markers:
        if marker.kind is MarkerKind.DELETED and marker.uri in named | {standing.person.uri}:
            return Reason.ALREADY_DELETED
        if marker.kind is MarkerKind.UNDONE and _undoes(marker, intent, named, now):
            return Reason.ALREADY_UNDONE
        if marker.kind is MarkerKind.OBEYED and _is_repeated(marker, intent):
            return Reason.DUPLICATE
    return None


def _undoes(marker: Marker, intent: Intent, named: set[str | None], now: datetime) -> bool:
    if isinstance(intent, Followed):
        return marker.uri in named and now - marker.received_at <= FOLLOW_OVERTAKEN
    if isinstance(intent, Boosted) and marker.uri == boost_uri(intent.target_uri):
        if intent.published is None:
            return intent.activity_uri is None
        return intent.published <= marker.received_at
    return marker.uri in named


def _is_repeated(marker: Marker, intent: Intent) -> bool:
    return isinstance(intent, Posted) and marker.uri == word_uri(intent)
