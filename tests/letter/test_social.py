"""Following, liking, quoting, moving, blocking, reporting: heard, counted, never a signature."""

import pytest

from fedi_letter.letter.effects import CarryOver, Contact, Verdict
from fedi_letter.letter.intents import (
    BlockedUs,
    Followed,
    Moved,
    PostDeleted,
    ProfileChanged,
    Quoted,
    Reacted,
    Reported,
    Undid,
)
from fedi_letter.letter.markers import FOLLOW_OVERTAKEN
from fedi_letter.letter.model import ActorUri, Person, Reason, Standing
from tests.letter.roll import ALICE, LETTER, UPDATE, Roll, post

DELETED = PostDeleted("https://far.example/posts/1")
FOLLOW = Followed("https://far.example/follows/1", "{}")
UNFOLLOW = Undid(FOLLOW.activity_uri, None, None, follow=True)


def test_following_never_signs_and_ends_with_an_undo_of_any_shape() -> None:
    for shape in (UNFOLLOW, Undid(FOLLOW.activity_uri, None, None)):
        roll = Roll()
        assert roll.send(FOLLOW).reason is Reason.FOLLOWED
        assert roll.send(FOLLOW).effects
        assert roll.standing.follows
        assert roll.send(shape).reason is Reason.UNFOLLOWED
        assert not roll.standing.follows
        assert not roll.listed


def test_a_follow_overtaken_by_its_undo_does_not_stay_but_a_later_one_does() -> None:
    roll = Roll()
    roll.send(UNFOLLOW)
    assert roll.send(FOLLOW).reason is Reason.ALREADY_UNDONE
    roll.now += FOLLOW_OVERTAKEN
    assert roll.send(FOLLOW).reason is Reason.FOLLOWED


def test_a_like_is_a_number() -> None:
    roll = Roll()
    like = Reacted("https://far.example/likes/1", LETTER, None)
    roll.send(like)
    assert roll.tallies
    unlike = Undid(like.activity_uri, None, LETTER, reaction=True)
    roll.send(unlike)
    assert roll.tallies == set()
    assert roll.send(like).reason is Reason.ALREADY_UNDONE
    assert roll.states == []


def test_a_quote_is_a_number_until_deleted() -> None:
    roll = Roll()
    quote = Quoted("https://far.example/quotes/1", UPDATE, DELETED.post_uri)
    assert roll.send(quote).reason is Reason.QUOTED
    roll.send(DELETED)
    assert roll.send(quote).reason is Reason.ALREADY_DELETED


def test_a_move_takes_everything_along() -> None:
    roll = Roll()
    roll.send(post("1"))
    there = ActorUri("https://new.example/users/alice")
    assert roll.send(Moved(there)).effects == (CarryOver(there),)
    assert roll.send(Moved(ALICE)).effects == ()
    blocked = Roll(Standing(Person(ALICE, blocked=True)))
    assert blocked.send(Moved(there)).reason is Reason.BLOCKED


def test_blocking_us_ends_the_contact_and_not_the_signature() -> None:
    roll = Roll()
    roll.send(post("1"), FOLLOW, BlockedUs())
    assert roll.listed
    assert not roll.standing.follows
    assert roll.send(BlockedUs()).effects == (Contact(wanted=False),)
    unblocked = Undid("https://far.example/blocks/1", None, None, block=True)
    assert roll.send(unblocked).effects == (Contact(wanted=True),)


def test_reports_and_profiles_change_nothing() -> None:
    roll = Roll()
    roll.send(post("1"))
    before = roll.standing
    assert roll.send(Reported("spam", (LETTER,))).reason is Reason.REPORTED
    assert roll.send(ProfileChanged()).reason is Reason.PROFILE_REFRESHED
    assert roll.standing == before


@pytest.mark.parametrize("intent", [FOLLOW, Reacted(None, LETTER, None), Reported("", ())])
def test_the_blocked_have_no_say(intent: object) -> None:
    roll = Roll(Standing(Person(ALICE, blocked=True)))
    decision = roll.send(intent)  # type: ignore[arg-type]  # pytest widens the parameters
    assert (decision.verdict, decision.reason, decision.effects) == (
        Verdict.REFUSED,
        Reason.BLOCKED,
        (),
    )
