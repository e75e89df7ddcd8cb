"""A person's record in memory, and what the effects of decisions do to it."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from fedi_letter.files import shipped_phrases
from fedi_letter.letter.decide import decide
from fedi_letter.letter.effects import (
    AddFollower,
    Decision,
    DropFollower,
    Effect,
    Enrol,
    Keep,
    Record,
    Remember,
    Revise,
    Strike,
    Tally,
    Turn,
    Unsay,
    Untally,
)
from fedi_letter.letter.intents import (
    Boosted,
    Intent,
    Posted,
    Relation,
    Undid,
)
from fedi_letter.letter.model import (
    ActorUri,
    Endorsement,
    EndorsementState,
    Person,
    Policy,
    Reason,
    SignatoryState,
    Standing,
    Visibility,
    Way,
    text_sha256,
)
from fedi_letter.letter.moderation import decide_remove

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LETTER = "https://letter.example/letters/letter"
UPDATE = "https://letter.example/updates/1"
ALICE = ActorUri("https://far.example/users/alice")


def post(name: str, text: str = "I sign", **changed: object) -> Posted:
    """A public reply to the letter; `changed` are other fields."""
    usual = Posted(
        activity_uri=f"https://far.example/activities/{name}",
        post_uri=f"https://far.example/posts/{name}",
        relation=Relation.REPLY_TO_LETTER,
        target_uri=LETTER,
        visibility=Visibility.PUBLIC,
        text=text,
        html=f"<p>{text}</p>",
        language="en",
        url=None,
        published=None,
        updated=None,
        edited=False,
    )
    return replace(usual, **changed)  # type: ignore[arg-type]  # names are checked by replace


def edit(name: str, text: str, minute: int | None = None, **changed: object) -> Posted:
    """An edit of the post `name`, `minute` minutes after noon."""
    updated = None if minute is None else NOON + timedelta(minutes=minute)
    activity = f"https://far.example/posts/{name}#update"
    return post(name, text, activity_uri=activity, edited=True, updated=updated, **changed)


def boost(name: str | None, **changed: object) -> Boosted:
    """A public boost of the letter."""
    usual = Boosted(
        activity_uri=None if name is None else f"https://far.example/boosts/{name}",
        target_uri=LETTER,
        about_letter=True,
        visibility=Visibility.PUBLIC,
        published=None,
    )
    return replace(usual, **changed)  # type: ignore[arg-type]  # names are checked by replace


def undo(name: str | None, *, embedded: bool = True) -> Undid:
    """An Undo of a boost, with the boost embedded or as a bare id."""
    return Undid(
        activity_uri=None if name is None else f"https://far.example/boosts/{name}",
        way=Way.BOOST if embedded else None,
        target_uri=LETTER if embedded else None,
    )


@dataclass
class Roll:
    """One person's record; `send` decides on an intent and carries the effects out."""

    standing: Standing = field(default_factory=lambda: Standing(Person(ALICE)))
    policy: Policy = field(default_factory=Policy)
    now: datetime = NOON
    enrolled: int = 0
    tallies: set[tuple[object, str]] = field(default_factory=set)

    def send(self, *intents: Intent) -> Decision:
        """Decide on these in turn, a second apart; answers the last decision."""
        return [self._send(intent) for intent in intents][-1]

    def _send(self, intent: Intent) -> Decision:
        self.now += timedelta(seconds=1)
        decision = decide(self.standing, intent, self.policy, shipped_phrases(), self.now)
        self.apply(decision)
        return decision

    def apply(self, decision: Decision) -> None:
        """Carry out what was decided."""
        for effect in decision.effects:
            self._apply(effect)

    @property
    def listed(self) -> bool:
        """Whether the person is on the roll."""
        return self.standing.signatory is SignatoryState.LISTED

    @property
    def states(self) -> list[EndorsementState]:
        """The states of what is on record, oldest first."""
        return [endorsement.state for endorsement in self.standing.endorsements]

    def _apply(self, effect: Effect) -> None:
        match effect:
            case Record():
                acts = (*self.standing.endorsements, self._recorded(effect))
                self.standing = replace(self.standing, endorsements=acts)
            case Revise():
                self._revise(effect)
            case Turn():
                self._change(effect.endorsement_id, effect.before, state=effect.after)
                self._change(effect.endorsement_id, effect.after, reasons=(effect.reason,))
            case Keep() | Unsay():
                change = {"keep": True} if isinstance(effect, Keep) else {"text_sha256": ""}
                for identifier in effect.endorsement_ids:
                    self._change(identifier, None, **change)
            case Remember():
                markers = {*self.standing.markers, effect.marker}
                ordered = tuple(sorted(markers, key=lambda m: (m.received_at, m.uri)))
                self.standing = replace(self.standing, markers=ordered)
            case _:
                self._apply_to_person(effect)

    def _apply_to_person(self, effect: Effect) -> None:
        match effect:
            case Enrol():
                assert self.standing.signatory is not SignatoryState.LISTED
                self.standing = replace(self.standing, signatory=SignatoryState.LISTED)
                self.enrolled += 1
            case Strike():
                self.standing = replace(self.standing, signatory=effect.state)
            case AddFollower():
                self.standing = replace(
                    self.standing, follows=True, follow_uri=effect.source.activity_uri
                )
            case DropFollower():
                self.standing = replace(self.standing, follows=False, follow_uri=None)
            case Tally():
                self.tallies.add((effect.kind, effect.source.target_uri))
            case Untally():
                self.tallies.discard((effect.kind, str(effect.target_uri)))
            case _:
                pass

    def _recorded(self, effect: Record) -> Endorsement:
        source = effect.source
        written = source if isinstance(source, Posted) else None
        return Endorsement(
            id=len(self.standing.endorsements) + 1,
            way=effect.way,
            state=effect.state,
            visibility=source.visibility,
            target_uri=source.target_uri,
            activity_uri=source.activity_uri,
            post_uri=None if written is None else written.post_uri,
            received_at=self.now,
            text_sha256="" if written is None else text_sha256(written.text),
            updated_at=None if written is None else written.updated,
            reasons=effect.reasons,
        )

    def _revise(self, effect: Revise) -> None:
        self._change(
            effect.endorsement_id,
            None,
            state=effect.state,
            visibility=effect.source.visibility,
            text_sha256=text_sha256(effect.source.text),
            updated_at=effect.source.updated,
            reasons=effect.reasons,
        )

    def _change(self, identifier: int, before: EndorsementState | None, **changed: object) -> None:
        """Compare and set, as the store does."""
        acts = list(self.standing.endorsements)
        act = acts[identifier - 1]
        assert before is None or act.state is before
        acts[identifier - 1] = replace(act, **changed)  # type: ignore[arg-type]  # names checked
        self.standing = replace(self.standing, endorsements=tuple(acts))

    def reviewed(self, identifier: int = 1) -> None:
        """Mark an endorsement as decided by an admin, as the store does beside a Turn."""
        self._change(identifier, None, reviewed=True)

    def remove(self) -> None:
        """Let an admin remove the person."""
        self.apply(decide_remove(self.standing))


def reasons(roll: Roll, identifier: int = 1) -> tuple[Reason, ...]:
    """Why an endorsement is in its state."""
    return roll.standing.endorsements[identifier - 1].reasons
