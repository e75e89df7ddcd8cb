"""Taking a signature back: by Undo, Delete, word or silence, in whatever order they arrive."""

from datetime import timedelta
from itertools import permutations

import pytest

from fedi_letter.letter.decide import decide_missing
from fedi_letter.letter.effects import DropFollower, Forget, Verdict
from fedi_letter.letter.intents import (
    AccountDeleted,
    Followed,
    Intent,
    PostDeleted,
    Relation,
    Undid,
)
from fedi_letter.letter.markers import marker_uris
from fedi_letter.letter.model import (
    EndorsementState,
    Person,
    Reason,
    SignatoryState,
    Standing,
    Visibility,
    Way,
)
from tests.letter.roll import ALICE, LETTER, NOON, Roll, boost, edit, post, reasons, undo

DELETED = PostDeleted("https://far.example/posts/1")
FOLLOW = Followed("https://far.example/follows/1", "{}")
UNFOLLOW = Undid(FOLLOW.activity_uri, None, None, follow=True)


@pytest.mark.parametrize("embedded", [True, False])
def test_an_undone_boost_is_withdrawn_however_it_is_named(embedded: bool) -> None:
    roll = Roll()
    decision = roll.send(boost("1"), undo("1", embedded=embedded))
    assert (decision.verdict, decision.reason) == (Verdict.WITHDRAWN, Reason.UNDONE_BY_SENDER)
    assert roll.standing.signatory is SignatoryState.WITHDRAWN
    assert roll.tallies == set()


@pytest.mark.parametrize("embedded", [True, False])
def test_a_boost_and_its_undo_leave_nothing_in_any_order(embedded: bool) -> None:
    acts: list[Intent] = [boost("1"), boost("1"), undo("1", embedded=embedded)]
    for order in permutations(acts):
        roll = Roll()
        roll.send(*order)
        assert not roll.listed


def test_an_undo_with_a_strange_id_is_understood_by_its_target() -> None:
    roll = Roll()
    roll.send(boost("1"), undo("other"))
    assert not roll.listed


def test_an_undo_of_a_boost_withdrawn_before_leaves_the_newer_one() -> None:
    roll = Roll()
    roll.send(boost("1"), undo("1"), boost("2"), undo("1"))
    assert roll.listed
    assert roll.tallies


def test_a_late_boost_that_was_undone_by_target_does_not_count() -> None:
    roll = Roll()
    roll.send(undo(None))
    late = roll.send(boost("1", published=NOON - timedelta(minutes=5)))
    assert (late.verdict, late.reason) == (Verdict.REFUSED, Reason.ALREADY_UNDONE)
    assert roll.send(boost(None)).reason is Reason.ALREADY_UNDONE
    roll.send(boost("2", published=NOON + timedelta(minutes=5)))
    assert roll.listed


def test_a_boost_without_an_id_can_be_repeated_after_an_undo() -> None:
    roll = Roll()
    first = boost(None, published=NOON)
    roll.send(first)
    assert roll.send(first).reason is Reason.DUPLICATE
    roll.send(undo(None))
    assert not roll.listed
    assert roll.send(first).reason is Reason.ALREADY_UNDONE
    roll.send(boost(None, published=NOON + timedelta(hours=1)))
    assert roll.listed


def test_reply_and_boost_stand_by_themselves() -> None:
    roll = Roll()
    roll.send(post("1"), boost("1"), undo("1"))
    assert roll.listed
    roll.send(DELETED)
    assert not roll.listed


@pytest.mark.parametrize("order", list(permutations([post("1"), DELETED, post("2")])))
def test_a_reply_deleted_and_written_anew_signs_in_any_order(order: tuple[object, ...]) -> None:
    roll = Roll()
    roll.send(*order)  # type: ignore[arg-type]  # permutations widens
    assert roll.listed
    roll.send(PostDeleted("https://far.example/posts/2"))
    assert not roll.listed


def test_a_deleted_post_never_comes_back() -> None:
    roll = Roll()
    roll.send(post("1"), DELETED)
    for late in (post("1"), post("1", "I sign again", edited=True)):
        decision = roll.send(late)
        assert (decision.verdict, decision.reason) == (Verdict.REFUSED, Reason.ALREADY_DELETED)
    assert not roll.listed


def test_an_undone_create_is_withdrawn() -> None:
    roll = Roll()
    create = Undid("https://far.example/activities/1", Way.REPLY, None)
    roll.send(post("1"), create)
    assert not roll.listed
    late = Roll()
    late.send(create)
    assert late.send(post("1")).reason is Reason.ALREADY_UNDONE


@pytest.mark.parametrize("visibility", Visibility)
@pytest.mark.parametrize("relation", Relation)
def test_a_word_withdraws_everything(visibility: Visibility, relation: Relation) -> None:
    roll = Roll()
    roll.send(post("1"), boost("1"), post("2", visibility=Visibility.DIRECT))
    word = post("3", "withdraw", visibility=visibility, relation=relation)
    decision = roll.send(word)
    assert (decision.verdict, decision.reason) == (Verdict.WITHDRAWN, Reason.WITHDRAWN_BY_WORD)
    assert set(roll.states) == {EndorsementState.WITHDRAWN}
    assert not roll.listed
    roll.send(post("4"))
    assert roll.send(word).reason is Reason.DUPLICATE
    assert roll.listed


def test_a_word_of_withdrawal_from_nobody_is_noted() -> None:
    roll = Roll()
    decision = roll.send(post("1", "withdraw"))
    assert (decision.verdict, decision.reason) == (Verdict.NOTED, Reason.NOTHING_TO_WITHDRAW)
    assert roll.states == []


@pytest.mark.parametrize(
    "person", [Person(ALICE, blocked=True), Person(ALICE, suspended=True)], ids=["blocked", "gone"]
)
def test_whoever_is_unwelcome_can_still_withdraw(person: Person) -> None:
    for taken_back in (DELETED, post("2", "withdraw"), AccountDeleted()):
        roll = Roll()
        roll.send(post("1"))
        roll.standing = Standing(person, roll.standing.signatory, roll.standing.endorsements)
        roll.send(taken_back)
        assert not roll.listed


def test_a_word_that_found_nothing_does_not_find_a_later_signature() -> None:
    roll = Roll()
    roll.send(post("1", "withdraw"), post("2"), post("1", "withdraw"))
    assert roll.listed


def test_an_undo_heard_before_does_not_reach_a_newer_boost() -> None:
    roll = Roll()
    roll.send(undo("1"), boost("2"), undo("1"))
    assert roll.listed


def test_what_is_kept_outlives_its_post() -> None:
    roll = Roll()
    roll.send(post("1"))
    assert roll.send(post("2", "keep", visibility=Visibility.DIRECT)).reason is Reason.KEPT
    decision = roll.send(DELETED)
    assert (decision.verdict, decision.reason) == (Verdict.NOTED, Reason.KEPT)
    assert roll.listed
    roll.send(post("3", "withdraw"))
    assert not roll.listed


def test_a_late_copy_of_a_kept_and_deleted_post_does_not_bring_its_words_back() -> None:
    roll = Roll()
    roll.send(post("1"), edit("1", "I sign. Platypus.", 1), post("2", "keep"), DELETED)
    gone = roll.standing
    for late in (edit("1", "I sign. Platypus.", 1), edit("1", "I sign. Echidna.", 2), post("1")):
        assert roll.send(late).reason in (Reason.ALREADY_DELETED, Reason.DUPLICATE)
        assert roll.standing == gone
    assert roll.listed


def test_keeping_is_of_what_there_is_and_no_more() -> None:
    roll = Roll()
    assert roll.send(post("0", "keep")).reason is Reason.NOTHING_TO_WITHDRAW
    keep = post("2", "keep")
    roll.send(post("1"), keep, post("3"), keep)
    assert [act.keep for act in roll.standing.endorsements] == [True, False]


def test_a_deleted_account_leaves_nothing() -> None:
    roll = Roll()
    roll.send(FOLLOW, post("1"), boost("1"), post("2", "keep"))
    decision = roll.send(AccountDeleted())
    assert {Forget, DropFollower} <= {type(effect) for effect in decision.effects}
    assert not roll.listed
    for late in (post("9"), boost("9"), FOLLOW):
        assert roll.send(late).reason is Reason.ALREADY_DELETED
    assert not roll.standing.follows


def test_deleting_what_was_rejected_does_not_forget_the_no() -> None:
    roll = Roll()
    roll.send(post("1"))
    roll.remove()
    roll.send(post("2"), PostDeleted("https://far.example/posts/2"))
    assert roll.states == [EndorsementState.STANDING, EndorsementState.REJECTED]
    assert roll.standing.signatory is SignatoryState.REMOVED


def test_a_post_missing_once_stays_and_twice_over_a_day_goes() -> None:
    roll = Roll()
    roll.send(post("1"))
    assert decide_missing(roll.standing, 1, None, NOON).effects == ()
    soon = decide_missing(roll.standing, 1, NOON, NOON + timedelta(hours=23))
    assert (soon.verdict, soon.effects) == (Verdict.NOTED, ())
    decision = decide_missing(roll.standing, 1, NOON, NOON + timedelta(hours=24))
    assert (decision.verdict, decision.reason) == (Verdict.WITHDRAWN, Reason.GONE_AT_ORIGIN)
    roll.apply(decision)
    assert not roll.listed
    assert decide_missing(roll.standing, 1, NOON, NOON + timedelta(days=3)).effects == ()


def test_a_missing_post_that_was_kept_stays() -> None:
    roll = Roll()
    roll.send(post("1"), post("2", "keep"))
    decision = decide_missing(roll.standing, 1, NOON, NOON + timedelta(days=30))
    assert (decision.reason, decision.effects) == (Reason.KEPT, ())


def test_the_markers_that_matter_for_an_act_are_named() -> None:
    assert marker_uris(boost("1"), ALICE) == (
        "https://far.example/boosts/1",
        ALICE,
        f"boost:{LETTER}",
    )
    assert DELETED.post_uri in marker_uris(post("1"), ALICE)


def test_the_reason_of_a_withdrawal_is_kept() -> None:
    roll = Roll()
    roll.send(boost("1"), undo("1"))
    assert reasons(roll) == (Reason.UNDONE_BY_SENDER,)
    assert roll.send(boost("1")).reason is Reason.ALREADY_UNDONE
