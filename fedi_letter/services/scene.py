"""Who acts on whose behalf, when, and on which evidence: what every effect is carried out with."""

from dataclasses import dataclass
from datetime import datetime

from fedi_letter.services.context import Context
from fedi_letter.store.actors import ActorRecord
from fedi_letter.store.letters import Revision
from fedi_letter.store.receipts import Receipt


class Overtaken(Exception):
    """Somebody else changed the state meanwhile; the transaction must start again."""


@dataclass(frozen=True)
class Scene:
    """One decision's surroundings; `made_by` is sender, sweep or admin:NAME."""

    context: Context
    letter_id: int
    actor_uri: str
    person_uri: str
    made_by: str
    at: datetime
    received_at: datetime
    receipt: Receipt | None = None
    actor: ActorRecord | None = None
    """Who sent the receipt, where they are on record."""
    action_id: int | None = None
    revisions: tuple[Revision, ...] = ()
    """Every revision, newest first, where a batch has read them for all its decisions."""
