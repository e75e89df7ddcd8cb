"""Trip (a), last part: in one transaction judgements become decisions, and decisions rows.

What follows from a receipt is written together with the fact that it is done, so it happens once,
or after a crash, again from the start. One transaction settles many receipts, and touches the
letter's own row last (see `journal`): everybody who signs anywhere waits for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fedi_letter.letter.decide import decide
from fedi_letter.letter.effects import (
    AddFollower,
    CarryOver,
    Decision,
    DropFollower,
    Enrol,
    Forget,
    Tally,
    Verdict,
)
from fedi_letter.letter.intents import AccountDeleted, Intent, Moved, PostDeleted, Undid
from fedi_letter.letter.model import Reason, Standing
from fedi_letter.services.apply import apply
from fedi_letter.services.context import Context
from fedi_letter.services.judge import Judged, Judgement, Postponed, Settled
from fedi_letter.services.scene import Scene
from fedi_letter.store import actors, letters, marks, origins, receipts, signatories
from fedi_letter.store.actors import ActorRecord
from fedi_letter.store.database import Connection
from fedi_letter.store.journal import Journal
from fedi_letter.store.receipts import Ending, Receipt, ReceiptState

Outcome = tuple[Judgement, Verdict | None, str]


@dataclass(frozen=True)
class Done:
    """What a transaction settled, and the hosts it forgave; told when it is committed."""

    decided: list[Outcome] = field(default_factory=list)
    revived: list[str] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    """The receipts whose senders are sent an answer."""


def settle_all(connection: Connection, context: Context, judgements: Sequence[Judgement]) -> Done:
    """Settle receipts in the order of their arrival; all of them, or none when it raises.

    One that is settled already is left out: its lease was over, or whoever settled it was
    interrupted before they heard so.
    """
    desk = _Desk(connection, context)
    still_open = receipts.still_open(connection, [one.receipt.id for one in judgements])
    ordered = sorted(
        (judgement for judgement in judgements if judgement.receipt.id in still_open),
        key=lambda judgement: judgement.receipt.id,
    )
    judged = [judgement for judgement in ordered if isinstance(judgement, Judged)]
    desk.invite(judged)
    # whoever speaks to us can be spoken to again, whatever it is about
    proved = [one.receipt for one in ordered if isinstance(one, Judged) or one.receipt.verified_by]
    spoke = {receipt.key_host for receipt in proved if receipt.key_host}
    revived = origins.hear(connection, spoke, context.clock())
    done = Done([desk.settle(judgement) for judgement in ordered], revived, desk.answered)
    desk.close()
    return done


class _Desk:
    """Settles judgements one after the other inside one transaction."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._connection = connection
        self._context = context
        self._now = context.clock()
        self._journal = Journal(connection, context.letter_id, self._now)
        self._actors: dict[str, ActorRecord] = {}
        self._persons: dict[str, str] = {}
        self._standings: dict[str, Standing] = {}
        self._new: set[str] = set()
        self._endings: list[Ending] = []
        self.answered: list[int] = []
        letter = letters.letter(connection, context.letter_id)
        assert letter is not None  # noqa: S101 - remembered before anything else runs
        self._is_frozen = letter.retracted_at is not None
        self._revisions = tuple(letters.revisions(connection, context.letter_id))

    def invite(self, judged: Sequence[Judged]) -> None:
        """Load everything on record about everybody in the batch, in a few questions."""
        if not judged:
            return
        connection, uris = self._connection, {one.actor_uri for one in judged}
        profiles = [profile for one in judged for profile in one.profiles]
        self._journal.changed(actors.put_actors(connection, profiles, self._now))
        self._actors |= actors.actors(connection, uris)
        self._persons = actors.person_of(connection, uris)
        self._standings = signatories.standings(
            connection, self._context.letter_id, set(self._persons.values())
        )
        # after the standings: their rows are locked, so whoever else holds the same act has ended
        digests = {one.digest: one.receipt.id for one in reversed(judged) if one.digest}
        self._new = set(marks.remember_seen(connection, digests, self._now))

    def close(self) -> None:
        """Put on record what was decided, and every receipt as settled."""
        receipts.settle_all(self._connection, self._endings, self._now)
        self._journal.write()

    def settle(self, judgement: Judgement) -> Outcome:
        match judgement:
            case Postponed():
                receipts.postpone(
                    self._connection,
                    judgement.receipt.id,
                    judgement.due_at,
                    (self._now, "postponed", f"{judgement.reason}: {judgement.detail or ''}"),
                )
                return judgement, None, judgement.reason
            case Settled():
                self._close(
                    judgement.receipt, judgement.verdict, judgement.reason, judgement.detail
                )
                return judgement, judgement.verdict, judgement.reason
            case Judged():
                receipt = judgement.receipt
                if judgement.is_proved_late and receipt.verified_by is not None:
                    receipts.verified(self._connection, receipt.id, receipt.verified_by)
                decision = self._decide(judgement)
                steps = [*judgement.steps, f"decided: {decision.verdict} ({decision.reason})"]
                self._close(receipt, decision.verdict, str(decision.reason), None, steps)
                return judgement, decision.verdict, str(decision.reason)

    def _decide(self, judged: Judged) -> Decision:
        receipt, now = judged.receipt, self._now
        if judged.digest is not None:
            if judged.digest not in self._new:
                return Decision(Verdict.NOTED, Reason.DUPLICATE)
            self._new.discard(judged.digest)  # once: the same act may be in the batch twice
        person = self._persons[judged.actor_uri]
        decision = self._decide_for(person, judged)
        if decision.effects:
            scene = Scene(
                context=self._context,
                letter_id=self._context.letter_id,
                actor_uri=judged.actor_uri,
                person_uri=person,
                made_by="sender",
                at=now,
                received_at=receipt.received_at,
                receipt=receipt,
                actor=self._actors.get(judged.actor_uri),
                revisions=self._revisions,
            )
            apply(self._journal, scene, decision.effects)
            self._outdate(judged.actor_uri, decision)
            if any(isinstance(effect, AddFollower | Tally) for effect in decision.effects):
                self.answered.append(receipt.id)  # a Follow; perhaps a quote, counted with likes
        return decision

    def _decide_for(self, person: str, judged: Judged) -> Decision:
        if self._is_frozen and _may_be_a_cascade(judged.intent):
            return Decision(Verdict.NOTED, Reason.LETTER_DELETED)
        if person != judged.actor_uri:
            moved_on = _said_from_the_old_house(judged.intent)
            if moved_on is not None:
                return moved_on
        decision = decide(
            self._standing(person),
            judged.intent,
            self._context.policy,
            self._context.phrasebook,
            judged.receipt.received_at,
        )
        if self._is_frozen and any(isinstance(effect, Enrol) for effect in decision.effects):
            return Decision(Verdict.NOTED, Reason.LETTER_DELETED)
        return decision

    def _outdate(self, actor_uri: str, decision: Decision) -> None:
        """Forget what was loaded and is no longer so."""
        self._standings.pop(self._persons[actor_uri], None)
        if any(isinstance(effect, Forget) for effect in decision.effects):
            self._actors |= actors.actors(self._connection, {actor_uri})
        if any(isinstance(effect, CarryOver) for effect in decision.effects):
            self._standings.clear()
            self._persons |= actors.person_of(self._connection, set(self._persons))

    def _standing(self, person: str) -> Standing:
        if person not in self._standings:
            self._journal.write()  # what this batch decided about them is part of it
            self._standings |= signatories.standings(
                self._connection, self._context.letter_id, {person}
            )
        return self._standings[person]

    def _close(
        self,
        receipt: Receipt,
        verdict: Verdict,
        reason: str,
        detail: str | None,
        steps: Sequence[str] = (),
    ) -> None:
        refused = verdict is Verdict.REFUSED
        state = ReceiptState.REFUSED if refused else ReceiptState.DONE
        trail = tuple((self._now, "judged", step) for step in steps)
        self._endings.append(Ending(receipt.id, state, verdict, reason, detail, trail))


def _said_from_the_old_house(intent: Intent) -> Decision | None:
    """What an account may still say of itself after it moved; None where it speaks for the person.

    Closing it takes nobody off the roll, and moving on from it cannot take along what the new
    account did since: the new account has not agreed to that.
    """
    match intent:
        case AccountDeleted():
            gone = (DropFollower(Reason.ACCOUNT_DELETED), Forget())
            return Decision(Verdict.NOTED, Reason.MOVED, gone)
        case Moved():
            return Decision(Verdict.NOTED, Reason.MOVED)
        case _:
            return None


def _may_be_a_cascade(intent: Intent) -> bool:
    """Some servers delete every reply to a deleted post and tell us so (interop B12).

    After the authors took the letter down, only a person's own word withdraws a name: the frozen
    roll must not melt away because of our own Delete. An edit is their own word too.
    """
    match intent:
        case PostDeleted():
            return True
        case Undid():
            return not (intent.follow or intent.block)
        case _:
            return False
