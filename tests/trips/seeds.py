"""Puts people on record without their servers, where a story needs many or needs them just so."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from fedi_letter.letter.effects import ReactionKind
from fedi_letter.letter.model import EndorsementState, Nature, Visibility, Way
from fedi_letter.store import actors, endorsements, letters, reactions, signatories
from fedi_letter.store.actors import ActorRecord
from fedi_letter.store.endorsements import NewEndorsement, PostText
from fedi_letter.store.signatories import Enrolment
from tests.world import World

BEGINNING = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Seed:
    """Somebody who did something about the letter; `listed` puts them on the roll."""

    user: str
    name: str = ""
    statement: str = ""
    way: Way = Way.REPLY
    state: EndorsementState = EndorsementState.STANDING
    visibility: Visibility = Visibility.PUBLIC
    indexable: bool = True
    listed: bool = True

    @property
    def uri(self) -> str:
        """The id of their actor."""
        return f"https://far.example/users/{self.user}"

    @property
    def handle(self) -> str:
        """As the roll shows it."""
        return f"@{self.user}@far.example"

    @property
    def post(self) -> str:
        """The id of their post."""
        return f"https://far.example/posts/{self.user}"


def crowd(count: int) -> list[Seed]:
    """So many people who replied, each with a statement of their own."""
    return [Seed(f"person{n}", f"Person {n}", f"statement {n}") for n in range(1, count + 1)]


async def planted(world: World, *seeds: Seed) -> None:
    """Put these people on record, a minute apart, in this order."""
    context = world.house.context
    await context.database.write(plant, context.letter_id, list(seeds))


def plant(connection: Connection, letter_id: int, seeds: list[Seed]) -> None:
    """The same in the caller's transaction."""
    revision = letters.current_revision(connection, letter_id)
    assert revision is not None
    for minute, seed in enumerate(seeds):
        at = BEGINNING + timedelta(minutes=minute)
        actors.put_actors(connection, [_actor(seed)], at)
        endorsements.record(connection, [_endorsement(seed, letter_id, revision.id, at)])
        if seed.way is Way.BOOST and seed.visibility.is_public:
            _tally(connection, letter_id, seed, at)
        if seed.listed:
            place = Enrolment(seed.uri, revision.id, b"salt", at)
            signatories.enrol(connection, letter_id, [place], at)


def _tally(connection: Connection, letter_id: int, seed: Seed, at: datetime) -> None:
    reactions.tally(
        connection,
        letter_id,
        actor_uri=seed.uri,
        kind=ReactionKind.SHARE,
        object_uri="https://letter.example/letters/letter",
        activity_uri=f"{seed.post}/activity",
        content=None,
        now=at,
    )


def _actor(seed: Seed) -> ActorRecord:
    return ActorRecord(
        uri=seed.uri,
        host="far.example",
        handle=seed.handle,
        nature=Nature.PERSON,
        name=seed.name,
        url=f"https://far.example/@{seed.user}",
        inbox=f"{seed.uri}/inbox",
        shared_inbox=None,
        followers_uri=None,
        suspended=False,
        indexable=seed.indexable,
        hides_public=False,
        hides_unlisted=False,
        published_at=None,
        document=b"{}",
    )


def _endorsement(seed: Seed, letter_id: int, revision_id: int, at: datetime) -> NewEndorsement:
    wrote = seed.way is not Way.BOOST
    post = PostText(
        visibility=seed.visibility,
        statement=seed.statement,
        text=f"I sign. {seed.statement}",
        html=f"<p>I sign. {seed.statement}</p>" if wrote else "",
        language="en",
        url=seed.post,
    )
    return NewEndorsement(
        letter_id=letter_id,
        actor_uri=seed.uri,
        person_uri=seed.uri,
        way=seed.way,
        state=seed.state,
        reasons=(),
        activity_uri=f"{seed.post}/activity",
        post_uri=seed.post if wrote else None,
        target_uri="https://letter.example/letters/letter",
        post=post,
        received_at=at,
        revision_id=revision_id,
        receipt_id=1,
    )
