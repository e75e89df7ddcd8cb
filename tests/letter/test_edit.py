"""Edits: the post is read anew, and nobody is signed by an accident of order."""

from dataclasses import replace

import pytest

from fedi_letter.letter.effects import Verdict
from fedi_letter.letter.intents import PostDeleted, Relation
from fedi_letter.letter.model import (
    Admission,
    EndorsementState,
    PlainReplies,
    Policy,
    Reason,
    SignatoryState,
    Visibility,
)
from fedi_letter.letter.moderation import Move, decide_move
from tests.letter.roll import Roll, boost, edit, post, reasons

S = EndorsementState


def decided(text: str, move: Move, policy: Policy | None = None) -> Roll:
    """A roll with one reply that an admin has decided on."""
    roll = Roll(policy=policy or Policy())
    roll.send(post("1", text))
    roll.apply(decide_move(roll.standing, 1, move, roll.policy))
    roll.reviewed()
    return roll


def test_an_edit_of_an_unknown_post_is_a_new_post() -> None:
    roll = Roll()
    roll.send(edit("1", "I sign", 1))
    assert roll.listed
    assert roll.send(post("1", "I refuse to sign")).reason is Reason.DUPLICATE
    assert roll.listed


def test_an_edited_statement_still_signs() -> None:
    roll = Roll()
    roll.send(post("1"))
    decision = roll.send(edit("1", "I sign. With pride!", 1))
    assert decision.verdict is Verdict.NOTED
    assert roll.states == [S.STANDING]
    assert roll.enrolled == 1


def test_two_edits_under_one_id_both_count() -> None:
    roll = Roll()
    roll.send(post("1"), edit("1", "I do not sign", 1), edit("1", "I sign after all", 2))
    assert roll.listed
    assert roll.states == [S.STANDING]


def test_an_edit_to_a_refusal_withdraws() -> None:
    roll = Roll()
    roll.send(post("1"))
    decision = roll.send(edit("1", "I do not sign", 1))
    assert (decision.verdict, decision.reason) == (Verdict.WITHDRAWN, Reason.EDITED_TO_REFUSAL)
    assert roll.standing.signatory is SignatoryState.WITHDRAWN


def test_an_edit_that_both_signs_and_refuses_is_held() -> None:
    roll = Roll()
    roll.send(post("1"), edit("1", "I sign. Do not forget to sign!", 1))
    assert roll.states == [S.HELD]
    assert reasons(roll) == (Reason.EDITED, Reason.NEGATION)
    assert not roll.listed


def test_an_edit_that_loses_the_phrase_is_held() -> None:
    roll = Roll()
    roll.send(post("1"))
    decision = roll.send(edit("1", "Buy my book", 1))
    assert (decision.verdict, decision.reason) == (Verdict.HELD, Reason.EDITED)
    assert not roll.listed
    roll.send(edit("1", "I sign", 2))
    assert roll.listed


def test_an_edit_that_loses_the_phrase_still_signs_where_plain_replies_do() -> None:
    roll = Roll(policy=Policy(plain_replies=PlainReplies.SIGN))
    roll.send(post("1"), edit("1", "So true", 1))
    assert roll.listed


def test_a_mention_that_loses_the_phrase_is_held() -> None:
    roll = Roll(policy=Policy(plain_replies=PlainReplies.SIGN))
    roll.send(post("1", relation=Relation.MENTION))
    roll.send(edit("1", "So true", 1, relation=Relation.MENTION))
    assert roll.states == [S.HELD]


def test_another_act_keeps_the_person_on_the_roll() -> None:
    roll = Roll()
    roll.send(post("1"), boost("1"), edit("1", "I do not sign", 1))
    assert roll.listed
    assert roll.enrolled == 1


def test_an_older_edit_arriving_late_changes_nothing() -> None:
    roll = Roll()
    roll.send(post("1"), edit("1", "I sign gladly", 2))
    decision = roll.send(edit("1", "I do not sign", 1))
    assert (decision.reason, decision.effects) == (Reason.DUPLICATE, ())
    assert roll.listed


def test_an_older_edit_is_known_even_when_the_newer_one_changed_nothing() -> None:
    roll = Roll()
    roll.send(post("1"), edit("1", "I sign", 3), edit("1", "I do not sign", 2))
    assert roll.listed


def test_the_same_edit_delivered_twice_changes_nothing() -> None:
    for minute in (1, None):
        roll = Roll()
        roll.send(post("1"), edit("1", "I sign gladly", minute))
        assert roll.send(edit("1", "I sign gladly", minute)).effects == ()


def test_a_fresh_copy_fetched_again_is_read_as_an_edit() -> None:
    roll = Roll()
    roll.send(post("1"))
    roll.send(replace(edit("1", "I do not sign", 5), edited=False))
    assert not roll.listed


@pytest.mark.parametrize("visibility", [Visibility.FOLLOWERS, Visibility.DIRECT])
def test_narrowing_the_audience_unpublishes_at_once(visibility: Visibility) -> None:
    roll = Roll()
    roll.send(post("1"))
    decision = roll.send(edit("1", "I sign", 1, visibility=visibility))
    assert decision.reason is Reason.AUDIENCE_NARROWED
    assert roll.states == [S.PRIVATE]
    assert not roll.listed


def test_a_comment_is_unpublished_too() -> None:
    roll = decided("Nice", Move.COMMENT)
    roll.send(edit("1", "Nice", 1, visibility=Visibility.DIRECT))
    assert roll.states == [S.PRIVATE]
    roll.send(edit("1", "Nice", 2))
    assert roll.states == [S.HELD]


def test_an_unreadable_edit_does_not_hide_that_the_audience_is_narrower() -> None:
    roll = Roll()
    roll.send(post("1"), edit("1", "keep", 1, visibility=Visibility.DIRECT))
    assert roll.states == [S.PRIVATE]


def test_widening_the_audience_signs() -> None:
    roll = Roll()
    roll.send(post("1", visibility=Visibility.DIRECT))
    roll.send(edit("1", "I sign", 1, visibility=Visibility.DIRECT))
    assert roll.states == [S.PRIVATE]
    roll.send(edit("1", "I sign", 2))
    assert roll.listed


def test_a_private_post_edited_to_a_refusal_stays_private() -> None:
    roll = Roll()
    roll.send(post("1", visibility=Visibility.DIRECT))
    roll.send(edit("1", "I do not sign", 1, visibility=Visibility.DIRECT))
    assert roll.states == [S.PRIVATE]


def test_a_comment_cannot_be_turned_into_a_signature_unseen() -> None:
    roll = decided("Nice", Move.COMMENT)
    decision = roll.send(edit("1", "I sign", 1))
    assert decision.reason is Reason.EDITED_AFTER_REVIEW
    roll.send(edit("1", "I sign!", 2))
    assert roll.states == [S.HELD]
    assert not roll.listed


def test_a_reply_an_admin_accepted_is_looked_at_again_when_it_changes() -> None:
    roll = decided("With you!", Move.ACCEPT)
    assert roll.listed
    roll.send(edit("1", "Buy my book", 1))
    assert reasons(roll) == (Reason.EDITED_AFTER_REVIEW, Reason.PLAIN_REPLY)
    assert not roll.listed


def test_an_accepted_signature_may_change_its_words_where_nobody_is_asked() -> None:
    roll = decided("With you!", Move.ACCEPT)
    roll.send(edit("1", "I sign. With you!", 1))
    assert roll.listed


def test_where_everything_is_held_changed_words_are_held() -> None:
    roll = decided("I sign", Move.ACCEPT, Policy(admission=Admission.HOLD))
    roll.send(edit("1", "I sign. Buy my book", 1))
    assert roll.states == [S.HELD]


def test_rejected_stays_rejected() -> None:
    roll = decided("Buy my book", Move.REJECT)
    roll.send(edit("1", "I sign", 1))
    assert roll.states == [S.REJECTED]


def test_an_edit_into_the_word_withdraws_everything_for_good() -> None:
    roll = Roll()
    roll.send(post("1"), boost("1"))
    decision = roll.send(edit("1", "withdraw", 1))
    assert decision.reason is Reason.WITHDRAWN_BY_WORD
    assert roll.states == [S.WITHDRAWN] * 2
    assert roll.send(edit("1", "I sign", 2)).reason is Reason.DUPLICATE
    assert not roll.listed


def test_a_deleted_post_is_not_edited_back() -> None:
    roll = Roll()
    roll.send(post("1"), PostDeleted("https://far.example/posts/1"))
    roll.standing = replace(roll.standing, markers=())
    assert roll.send(edit("1", "I sign", 9)).reason is Reason.ALREADY_DELETED
    assert not roll.listed


def test_a_removed_person_does_not_gain_by_editing() -> None:
    roll = Roll()
    roll.send(post("1"), post("2", "Nice"))
    roll.remove()
    roll.send(edit("2", "I sign", 1))
    assert roll.states == [S.STANDING, S.HELD]
    assert roll.standing.signatory is SignatoryState.REMOVED


def test_a_blocked_person_can_edit_down_and_not_up() -> None:
    roll = Roll()
    roll.send(post("1"), post("2", "Nice"))
    person = replace(roll.standing.person, blocked=True)
    roll.standing = replace(roll.standing, person=person)
    assert roll.send(edit("2", "I sign", 1)).reason is not Reason.CLEAR_PHRASE
    assert roll.states == [S.STANDING, S.HELD]
    roll.send(edit("1", "I do not sign", 1))
    assert roll.states == [S.WITHDRAWN, S.HELD]
    assert not roll.listed
