"""Signing: who may, by which acts, and what is held for a human."""

from dataclasses import replace

import pytest

from fedi_letter.letter.effects import Record, Tally, Verdict
from fedi_letter.letter.intents import Relation
from fedi_letter.letter.model import (
    Admission,
    EndorsementState,
    Nature,
    Person,
    PlainReplies,
    Policy,
    Reason,
    Standing,
    Visibility,
    Way,
)
from fedi_letter.letter.moderation import Move, decide_move
from tests.letter.roll import ALICE, UPDATE, Roll, boost, post, reasons, undo

REPLY_ONLY = Policy(sign_by=frozenset((Way.REPLY,)))
BOOST_ONLY = Policy(sign_by=frozenset((Way.BOOST,)))


def test_a_clear_reply_signs() -> None:
    roll = Roll()
    decision = roll.send(post("1", "I sign. Artists deserve better."))
    assert (decision.verdict, decision.reason) == (Verdict.COUNTED, Reason.CLEAR_PHRASE)
    record = decision.effects[0]
    assert isinstance(record, Record)
    assert (record.phrase, record.statement) == ("I sign", "Artists deserve better.")
    assert roll.listed


def test_a_boost_signs_and_is_tallied() -> None:
    roll = Roll()
    decision = roll.send(boost("1"))
    assert (decision.verdict, decision.reason) == (Verdict.COUNTED, Reason.BOOSTED)
    assert roll.listed
    assert len(roll.tallies) == 1


def test_an_unlisted_reply_signs() -> None:
    roll = Roll()
    roll.send(post("1", visibility=Visibility.UNLISTED))
    assert roll.listed


def test_a_mention_signs_with_the_phrase_only() -> None:
    roll = Roll()
    plain = roll.send(post("1", "What do you think?", relation=Relation.MENTION))
    assert plain.reason is Reason.MENTION_WITHOUT_PHRASE
    assert plain.effects == ()
    roll.send(post("2", relation=Relation.MENTION))
    assert roll.standing.endorsements[0].way is Way.MENTION
    assert roll.listed


@pytest.mark.parametrize(
    ("relation", "reason"),
    [
        (Relation.NESTED, Reason.NESTED_REPLY),
        (Relation.REPLY_TO_UPDATE, Reason.REPLY_TO_UPDATE),
    ],
)
def test_other_replies_do_not_sign(relation: Relation, reason: Reason) -> None:
    roll = Roll(policy=Policy(plain_replies=PlainReplies.SIGN))
    decision = roll.send(post("1", "Lovely", relation=relation))
    assert (decision.verdict, decision.reason, decision.effects) == (Verdict.NOTED, reason, ())


def test_a_phrase_deep_in_a_thread_does_not_sign() -> None:
    roll = Roll()
    assert roll.send(post("1", relation=Relation.NESTED)).reason is Reason.NESTED_REPLY
    assert roll.states == []


def test_a_phrase_under_an_update_is_held() -> None:
    roll = Roll()
    decision = roll.send(post("1", relation=Relation.REPLY_TO_UPDATE))
    assert (decision.verdict, decision.reason) == (Verdict.HELD, Reason.REPLY_TO_UPDATE)
    assert not roll.listed


def test_a_vote_never_signs() -> None:
    roll = Roll(policy=Policy(plain_replies=PlainReplies.SIGN))
    assert roll.send(post("1", is_vote=True)).reason is Reason.POLL_VOTE
    assert roll.states == []


@pytest.mark.parametrize(
    ("plain_replies", "state", "reason"),
    [
        (PlainReplies.HOLD, EndorsementState.HELD, Reason.PLAIN_REPLY),
        (PlainReplies.COMMENT, EndorsementState.HELD, Reason.PLAIN_REPLY),
        (PlainReplies.SIGN, EndorsementState.STANDING, Reason.PLAIN_REPLY_SIGNS),
    ],
)
def test_the_policy_says_what_a_plain_reply_is(
    plain_replies: PlainReplies, state: EndorsementState, reason: Reason
) -> None:
    roll = Roll(policy=Policy(plain_replies=plain_replies))
    decision = roll.send(post("1", "Thank you for writing this"))
    assert (roll.states, decision.reason) == ([state], reason)
    assert roll.listed is (state is EndorsementState.STANDING)


@pytest.mark.parametrize("plain_replies", PlainReplies)
def test_a_refusal_never_signs(plain_replies: PlainReplies) -> None:
    roll = Roll(policy=Policy(plain_replies=plain_replies))
    decision = roll.send(post("1", "I will not sign this"))
    assert (decision.verdict, decision.reason) == (Verdict.HELD, Reason.NEGATION)
    assert not roll.listed


def test_doubt_never_signs_even_where_plain_replies_do() -> None:
    roll = Roll(policy=Policy(plain_replies=PlainReplies.SIGN))
    roll.send(post("1", "I would sign if you fixed paragraph two"))
    assert roll.states == [EndorsementState.HELD]


@pytest.mark.parametrize("intent", [post("1"), boost("1")])
def test_a_letter_may_hold_everything(intent: object) -> None:
    roll = Roll(policy=Policy(admission=Admission.HOLD))
    decision = roll.send(intent)  # type: ignore[arg-type]  # pytest widens the parameters
    assert (decision.verdict, decision.reason) == (Verdict.HELD, Reason.ADMISSION_HELD)
    assert not roll.listed


@pytest.mark.parametrize("visibility", [Visibility.FOLLOWERS, Visibility.DIRECT])
def test_what_is_not_public_is_kept_apart(visibility: Visibility) -> None:
    roll = Roll()
    decision = roll.send(post("1", visibility=visibility))
    assert (decision.verdict, decision.reason) == (Verdict.HELD, Reason.NOT_PUBLIC)
    roll.send(boost("1", visibility=visibility))
    assert roll.states == [EndorsementState.PRIVATE] * 2
    assert not roll.listed
    assert roll.tallies == set()


def test_a_boost_that_does_not_sign_is_still_tallied() -> None:
    roll = Roll(policy=REPLY_ONLY)
    decision = roll.send(boost("1"))
    assert (decision.verdict, decision.reason) == (Verdict.NOTED, Reason.WAY_NOT_ACCEPTED)
    assert roll.tallies
    assert roll.states == []


def test_a_reply_does_not_sign_where_only_boosts_do() -> None:
    roll = Roll(policy=BOOST_ONLY)
    assert roll.send(post("1")).reason is Reason.WAY_NOT_ACCEPTED
    assert roll.states == []


def test_where_only_boosts_sign_replies_can_still_be_conversation() -> None:
    roll = Roll(policy=replace(BOOST_ONLY, plain_replies=PlainReplies.COMMENT))
    roll.send(post("1", "Well said"))
    assert roll.states == [EndorsementState.HELD]
    decision = decide_move(roll.standing, 1, Move.COMMENT, roll.policy)
    roll.apply(decision)
    assert roll.states == [EndorsementState.COMMENT]
    assert not roll.listed


def test_a_boost_of_an_update_is_a_tally() -> None:
    roll = Roll()
    decision = roll.send(boost("1", target_uri=UPDATE, about_letter=False))
    assert decision.reason is Reason.TALLY_ONLY
    assert [type(effect) for effect in decision.effects] == [Tally]


@pytest.mark.parametrize("nature", [Nature.BOT, Nature.GROUP, Nature.ORGANISATION])
def test_only_people_sign(nature: Nature) -> None:
    roll = Roll(Standing(Person(ALICE, nature=nature)))
    assert roll.send(post("1")).reason is Reason.NOT_A_PERSON
    decision = roll.send(boost("1"))
    assert (decision.verdict, decision.reason) == (Verdict.REFUSED, Reason.NOT_A_PERSON)
    assert roll.states == []
    assert roll.tallies


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (Person(ALICE, blocked=True), Reason.BLOCKED),
        (Person(ALICE, suspended=True), Reason.SUSPENDED),
    ],
)
def test_the_unwelcome_do_not_sign(person: Person, reason: Reason) -> None:
    roll = Roll(Standing(person))
    for intent in (post("1"), boost("1")):
        decision = roll.send(intent)
        assert (decision.verdict, decision.reason) == (Verdict.REFUSED, reason)
        assert decision.effects == ()


def test_whoever_was_rejected_before_waits_for_a_human() -> None:
    roll = Roll()
    roll.send(post("1", "Lovely letter"))
    roll.apply(decide_move(roll.standing, 1, Move.REJECT, roll.policy))
    assert roll.send(post("2")).reason is Reason.PREVIOUSLY_REJECTED
    assert roll.send(boost("1")).reason is Reason.PREVIOUSLY_REJECTED
    assert not roll.listed


def test_a_removed_person_cannot_come_back() -> None:
    roll = Roll()
    roll.send(post("1"))
    roll.remove()
    for intent in (boost("1"), undo("1"), post("2"), boost("2")):
        roll.send(intent)
    decision = roll.send(post("3"))
    assert (decision.verdict, decision.reason) == (Verdict.REFUSED, Reason.REMOVED_BY_ADMIN)
    assert EndorsementState.REJECTED in roll.states
    assert Reason.CLEAR_PHRASE in reasons(roll, len(roll.states))
    assert not roll.listed


def test_the_same_boost_counts_once() -> None:
    roll = Roll()
    roll.send(boost("1"))
    for _ in range(5):
        decision = roll.send(boost("1"))
        assert (decision.reason, decision.effects) == (Reason.DUPLICATE, ())
    assert roll.enrolled == 1


def test_a_second_boost_changes_nothing_but_can_be_undone_by_its_id() -> None:
    roll = Roll()
    decision = roll.send(boost("1"), boost("2"))
    assert decision.reason is Reason.DUPLICATE
    roll.send(undo("1", embedded=False))
    assert roll.listed
    assert roll.tallies
    roll.send(undo("2", embedded=False))
    assert not roll.listed
    assert roll.tallies == set()


def test_undoing_without_an_id_undoes_every_boost() -> None:
    roll = Roll()
    roll.send(boost("1"), boost("2"), undo(None))
    assert not roll.listed


def test_a_second_boost_is_not_asked_about_again() -> None:
    roll = Roll(policy=Policy(admission=Admission.HOLD))
    roll.send(boost("1"))
    roll.apply(decide_move(roll.standing, 1, Move.ACCEPT, roll.policy))
    roll.send(boost("2"))
    assert roll.states == [EndorsementState.STANDING] * 2
