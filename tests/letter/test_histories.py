"""What holds after any history of one person's acts, in any order."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedi_letter.letter.effects import Enrol
from fedi_letter.letter.intents import (
    AccountDeleted,
    BlockedUs,
    Boosted,
    Followed,
    Intent,
    Moved,
    PostDeleted,
    Posted,
    ProfileChanged,
    Quoted,
    Reacted,
    Relation,
    Reported,
    Undid,
)
from fedi_letter.letter.model import (
    ActorUri,
    Admission,
    EndorsementState,
    PlainReplies,
    Policy,
    SignatoryState,
    Visibility,
    Way,
)
from tests.letter.roll import LETTER, NOON, UPDATE, Roll, boost, edit, post, undo

NAMES = st.sampled_from("123")
WORDS = ["I sign", "I sign. Gladly!", "I do not sign", "Lovely", "withdraw", "keep", "I sign?"]
AUDIENCES = [Visibility.PUBLIC, Visibility.UNLISTED, Visibility.DIRECT]
TEXTS = st.sampled_from(WORDS)
VISIBILITIES = st.sampled_from(AUDIENCES)


def timed_edit(name: str, words: int, audience: int) -> Posted:
    """An edit whose time tells it from every other edit of the post, as honest servers' do."""
    minute = 1 + words * len(AUDIENCES) + audience
    return edit(name, WORDS[words], minute, visibility=AUDIENCES[audience])


POSTS = st.builds(post, NAMES, TEXTS, relation=st.sampled_from(Relation), visibility=VISIBILITIES)
EDITS = st.builds(timed_edit, NAMES, st.integers(0, len(WORDS) - 1), st.integers(0, 2))
BOOSTS = st.builds(
    boost,
    NAMES,
    visibility=VISIBILITIES,
    published=st.none() | st.integers(-9, 9).map(lambda m: NOON + timedelta(minutes=m)),
)
UNDOS = st.builds(undo, NAMES, embedded=st.booleans())
DELETIONS = st.builds(PostDeleted, NAMES.map(lambda name: f"https://far.example/posts/{name}"))
SOCIAL: st.SearchStrategy[Intent] = st.sampled_from(
    [
        Reacted("https://far.example/likes/1", LETTER, None),
        Quoted("https://far.example/quotes/1", UPDATE, "https://far.example/posts/1"),
        BlockedUs(),
        ProfileChanged(),
        Reported("", (LETTER,)),
        Moved(ActorUri("https://new.example/users/alice")),
        Undid("https://far.example/likes/1", None, LETTER, reaction=True),
        boost("update", target_uri=UPDATE, about_letter=False),
    ]
)
FOLLOWS: st.SearchStrategy[Intent] = st.sampled_from(
    [
        Followed("https://far.example/follows/1", "{}"),
        Undid("https://far.example/follows/1", None, None, follow=True),
    ]
)
ONCE: st.SearchStrategy[Intent] = st.one_of(POSTS, EDITS, BOOSTS, UNDOS, DELETIONS, SOCIAL)
ANY: st.SearchStrategy[Intent] = st.one_of(ONCE, FOLLOWS, st.just(AccountDeleted()))
POLICIES = st.builds(
    Policy,
    sign_by=st.sampled_from([frozenset(Way), frozenset((Way.REPLY,)), frozenset((Way.BOOST,))]),
    plain_replies=st.sampled_from(PlainReplies),
    admission=st.sampled_from(Admission),
)
OPEN = Policy()


@given(st.lists(ANY, max_size=12), POLICIES)
@settings(max_examples=200, deadline=None)
def test_a_person_is_listed_exactly_while_something_public_stands(
    history: list[Intent], policy: Policy
) -> None:
    roll = Roll(policy=policy)
    for intent in history:
        roll.send(intent)
        standing = [a for a in roll.standing.endorsements if a.state is EndorsementState.STANDING]
        assert roll.listed is bool(standing)
        assert all(act.visibility.is_public for act in standing)


@given(st.lists(ONCE, min_size=1, max_size=10), st.data(), POLICIES)
@settings(max_examples=200, deadline=None)
def test_delivering_an_act_again_changes_nothing(
    history: list[Intent], data: st.DataObject, policy: Policy
) -> None:
    roll = Roll(policy=policy)
    roll.send(*history)
    again = data.draw(st.sampled_from(history))
    before = roll.standing
    roll.send(again)
    assert roll.standing.signatory is before.signatory
    assert roll.standing.endorsements == before.endorsements


@given(st.lists(ANY, max_size=10), POLICIES)
@settings(max_examples=100, deadline=None)
def test_a_history_that_ends_in_the_word_leaves_nobody_listed(
    history: list[Intent], policy: Policy
) -> None:
    roll = Roll(policy=policy)
    roll.send(*history, post("word", "Please withdraw my signature"))
    assert not roll.listed
    assert EndorsementState.STANDING not in roll.states


@given(st.lists(ANY, max_size=10), POLICIES)
@settings(max_examples=100, deadline=None)
def test_a_deleted_account_is_never_listed_again(history: list[Intent], policy: Policy) -> None:
    roll = Roll(policy=policy)
    roll.send(AccountDeleted(), *history)
    assert not roll.listed


@given(st.lists(ANY, max_size=10), POLICIES)
@settings(max_examples=100, deadline=None)
def test_a_removed_person_never_enrols_themselves(history: list[Intent], policy: Policy) -> None:
    roll = Roll()
    roll.send(post("first"))
    roll.remove()
    roll.policy = policy
    for intent in history:
        decision = roll.send(intent)
        assert not any(isinstance(effect, Enrol) for effect in decision.effects)
        assert roll.standing.signatory is SignatoryState.REMOVED


@given(st.lists(st.one_of(POSTS, EDITS, BOOSTS, UNDOS, DELETIONS), max_size=10))
@settings(max_examples=100, deadline=None)
def test_what_is_not_public_never_enrols(history: list[Intent]) -> None:
    roll = Roll(policy=Policy(plain_replies=PlainReplies.SIGN))
    for intent in history:
        roll.send(_hidden(intent))
        assert roll.enrolled == 0
    assert roll.tallies == set()


def _hidden(intent: Intent) -> Intent:
    if isinstance(intent, Posted | Boosted):
        return replace(intent, visibility=Visibility.FOLLOWERS)
    return intent


@given(st.permutations([boost("1"), boost("2"), undo("1", embedded=False), undo("2")]))
@settings(max_examples=24, deadline=None)
def test_boosts_and_their_undos_leave_nobody_listed_in_any_order(order: list[Intent]) -> None:
    roll = Roll()
    roll.send(*order)
    assert not roll.listed


@given(st.permutations([post("1"), edit("1", "I sign gladly", 1), edit("1", "Farewell", 2)]))
@settings(max_examples=6, deadline=None)
def test_the_newest_edit_decides_in_any_order(order: list[Intent]) -> None:
    roll = Roll()
    roll.send(*order)
    assert roll.states == [EndorsementState.HELD]
    assert not roll.listed


@pytest.mark.parametrize("policy", [OPEN, Policy(plain_replies=PlainReplies.SIGN)])
@given(order=st.permutations([post("1"), boost("1"), undo("1"), post("2", "So true")]))
@settings(max_examples=24, deadline=None)
def test_a_reply_outlives_an_undone_boost_in_any_order(policy: Policy, order: list[Intent]) -> None:
    roll = Roll(policy=policy)
    roll.send(*order)
    assert roll.listed
