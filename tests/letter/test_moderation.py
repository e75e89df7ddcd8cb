"""An admin's moves: decided once, never on top of each other, and always reversible."""

from dataclasses import replace

import pytest

from fedi_letter.letter.effects import Enrol, Strike, Verdict
from fedi_letter.letter.intents import PostDeleted
from fedi_letter.letter.model import (
    Admission,
    EndorsementState,
    PlainReplies,
    Policy,
    Reason,
    SignatoryState,
    Visibility,
)
from fedi_letter.letter.moderation import (
    EndorsementChange,
    Move,
    MoveReason,
    MoveRefused,
    SignatoryChange,
    decide_move,
    decide_remove,
    decide_restore,
    revert,
)
from tests.letter.roll import Roll, boost, post

S = EndorsementState
LISTED, WITHDRAWN, REMOVED = SignatoryState.LISTED, SignatoryState.WITHDRAWN, SignatoryState.REMOVED


def held(text: str = "With you!", policy: Policy | None = None) -> Roll:
    """A roll with one held reply."""
    roll = Roll(policy=policy or Policy())
    roll.send(post("1", text))
    assert roll.states == [S.HELD]
    return roll


def move(roll: Roll, step: Move, identifier: int = 1) -> None:
    """Let an admin make a move."""
    roll.apply(decide_move(roll.standing, identifier, step, roll.policy))


def refusal(roll: Roll, step: Move, identifier: int = 1) -> MoveReason:
    """The reason why an admin cannot make a move."""
    with pytest.raises(MoveRefused) as refused:
        decide_move(roll.standing, identifier, step, roll.policy)
    return refused.value.reason


def test_accepting_enrols() -> None:
    roll = held()
    decision = decide_move(roll.standing, 1, Move.ACCEPT, roll.policy)
    assert (decision.verdict, decision.reason) == (Verdict.COUNTED, Reason.ACCEPTED_BY_ADMIN)
    roll.apply(decision)
    assert roll.listed


@pytest.mark.parametrize(("step", "state"), [(Move.COMMENT, S.COMMENT), (Move.REJECT, S.REJECTED)])
def test_the_other_moves_do_not(step: Move, state: EndorsementState) -> None:
    roll = held()
    move(roll, step)
    assert roll.states == [state]
    assert not roll.listed


@pytest.mark.parametrize("first", Move)
@pytest.mark.parametrize("second", Move)
def test_the_second_admin_is_told(first: Move, second: Move) -> None:
    roll = held()
    move(roll, first)
    assert refusal(roll, second) is MoveReason.ALREADY_DECIDED


@pytest.mark.parametrize("step", Move)
def test_what_was_withdrawn_meanwhile_is_not_decided(step: Move) -> None:
    roll = held()
    roll.send(PostDeleted("https://far.example/posts/1"))
    assert refusal(roll, step) is MoveReason.WITHDRAWN
    assert refusal(roll, step, 99) is MoveReason.NOT_FOUND


def test_what_is_not_public_can_only_be_dismissed() -> None:
    roll = Roll()
    roll.send(post("1", visibility=Visibility.DIRECT))
    assert refusal(roll, Move.ACCEPT) is MoveReason.NOT_PUBLIC
    assert refusal(roll, Move.COMMENT) is MoveReason.NOT_PUBLIC
    move(roll, Move.REJECT)
    assert roll.states == [S.REJECTED]


def test_a_plain_reply_that_is_conversation_cannot_be_made_a_signature() -> None:
    policy = Policy(plain_replies=PlainReplies.COMMENT)
    roll = held(policy=policy)
    assert refusal(roll, Move.ACCEPT) is MoveReason.PLAIN_REPLIES_DO_NOT_SIGN
    clear = Roll(policy=replace(policy, admission=Admission.HOLD))
    clear.send(post("1"))
    move(clear, Move.ACCEPT)
    assert clear.listed


def test_a_boost_is_not_a_comment() -> None:
    roll = Roll(policy=Policy(admission=Admission.HOLD))
    roll.send(boost("1"))
    assert refusal(roll, Move.COMMENT) is MoveReason.NOT_A_POST


def test_a_removed_person_is_not_accepted_by_oversight() -> None:
    roll = Roll()
    roll.send(post("1"), post("2", "With you!"))
    roll.remove()
    assert refusal(roll, Move.ACCEPT, 2) is MoveReason.REMOVED


def test_removal_and_restoration() -> None:
    roll = Roll()
    roll.send(post("1"))
    removal = decide_remove(roll.standing)
    assert removal.effects == (Strike(REMOVED, Reason.REMOVED_BY_ADMIN),)
    roll.apply(removal)
    restoration = decide_restore(roll.standing)
    assert restoration.effects == (Enrol(Reason.RESTORED_BY_ADMIN, restored=True),)
    roll.apply(restoration)
    assert roll.listed


def test_a_person_with_nothing_left_is_restored_to_nothing() -> None:
    roll = Roll()
    roll.send(post("1"))
    roll.remove()
    roll.send(PostDeleted("https://far.example/posts/1"))
    roll.apply(decide_restore(roll.standing))
    assert roll.standing.signatory is WITHDRAWN
    roll.send(post("2"))
    assert roll.listed


def test_what_a_removed_person_did_meanwhile_does_not_speak_against_them() -> None:
    roll = Roll()
    roll.send(post("1"))
    roll.remove()
    roll.send(post("2"), PostDeleted("https://far.example/posts/1"))
    roll.apply(decide_restore(roll.standing))
    roll.send(post("3"))
    assert roll.listed


def test_only_who_is_there_can_be_removed_and_only_once() -> None:
    roll = Roll()
    with pytest.raises(MoveRefused) as nobody:
        decide_remove(roll.standing)
    assert nobody.value.reason is MoveReason.NOT_ON_THE_ROLL
    roll.send(post("1"))
    with pytest.raises(MoveRefused) as not_removed:
        decide_restore(roll.standing)
    assert not_removed.value.reason is MoveReason.NOT_REMOVED
    roll.remove()
    with pytest.raises(MoveRefused) as twice:
        decide_remove(roll.standing)
    assert twice.value.reason is MoveReason.ALREADY_DECIDED


@pytest.mark.parametrize(
    ("step", "state"),
    [(Move.ACCEPT, S.STANDING), (Move.COMMENT, S.COMMENT), (Move.REJECT, S.REJECTED)],
)
def test_every_move_can_be_undone_and_made_again(step: Move, state: EndorsementState) -> None:
    roll = held()
    before = roll.standing.signatory
    move(roll, step)
    place = SignatoryChange(before, LISTED) if step is Move.ACCEPT else None
    changes = [EndorsementChange(1, S.HELD, state)]
    roll.apply(revert(roll.standing, changes, place))
    assert roll.states == [S.HELD]
    assert not roll.listed
    with pytest.raises(MoveRefused) as again:
        revert(roll.standing, changes, place)
    assert again.value.reason is MoveReason.CHANGED_SINCE
    move(roll, Move.ACCEPT)
    assert roll.listed


def test_undoing_a_dismissal_keeps_it_private() -> None:
    roll = Roll()
    roll.send(post("1", visibility=Visibility.DIRECT))
    move(roll, Move.REJECT)
    roll.apply(revert(roll.standing, [EndorsementChange(1, S.PRIVATE, S.REJECTED)]))
    assert roll.states == [S.PRIVATE]


def test_undoing_an_acceptance_leaves_who_signed_otherwise() -> None:
    roll = held()
    move(roll, Move.ACCEPT)
    roll.send(boost("1"))
    change = EndorsementChange(1, S.HELD, S.STANDING)
    roll.apply(revert(roll.standing, [change], SignatoryChange(None, LISTED)))
    assert roll.listed


@pytest.mark.parametrize("withdrawn_meanwhile", [False, True])
def test_a_removal_can_be_undone(withdrawn_meanwhile: bool) -> None:
    roll = Roll()
    roll.send(post("1"))
    roll.remove()
    if withdrawn_meanwhile:
        roll.send(PostDeleted("https://far.example/posts/1"))
    roll.apply(revert(roll.standing, [], SignatoryChange(LISTED, REMOVED)))
    assert roll.listed is not withdrawn_meanwhile


def test_a_restoration_can_be_undone() -> None:
    roll = Roll()
    roll.send(post("1"))
    roll.remove()
    roll.apply(decide_restore(roll.standing))
    change = SignatoryChange(REMOVED, LISTED)
    roll.apply(revert(roll.standing, [], change))
    assert roll.standing.signatory is REMOVED
    with pytest.raises(MoveRefused) as again:
        revert(roll.standing, [], change)
    assert again.value.reason is MoveReason.CHANGED_SINCE
