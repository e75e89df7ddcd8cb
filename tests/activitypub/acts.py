"""Alice, a person on another server, and what she does: shared by the tests of interpreting."""

from typing import Any

from fedi_letter.activitypub.interpret import (
    Interpretation,
    Ours,
    interpret,
)
from fedi_letter.activitypub.reading import read_activity
from fedi_letter.activitypub.uris import Uris
from fedi_letter.letter.intents import (
    Posted,
)

URIS = Uris("https://letter.example", "letter")
CREATED = "https://letter.example/activities/01CREATE"
OURS = Ours(URIS, frozenset((URIS.letter, URIS.page, CREATED)))
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
ALICE = "https://far.example/users/alice"
MALLORY = "https://evil.example/mallory"
NOTE = "https://far.example/notes/1"
UPDATE = URIS.update("01UPDATE")
ELSEWHERE = "https://third.example/notes/9"


def note(**properties: Any) -> dict[str, Any]:
    """A public reply of alice's to the letter, with `properties` in place of its own."""
    return {
        "id": NOTE,
        "type": "Note",
        "attributedTo": ALICE,
        "inReplyTo": URIS.letter,
        "content": "<p>I sign</p>",
        "to": [PUBLIC],
        "cc": [f"{ALICE}/followers"],
        **properties,
    }


def act(type_: str, object_: Any, **properties: Any) -> Interpretation:
    """What an activity of alice's means to us."""
    activity = {"id": f"{ALICE}#1", "type": type_, "actor": ALICE, "object": object_}
    return interpret(read_activity({**activity, **properties}), OURS)


def posted(answer: Interpretation) -> Posted:
    """The answer, which must be a post."""
    assert isinstance(answer, Posted)
    return answer
