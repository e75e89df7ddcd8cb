"""Followers, reactions, reports; and who may log in, and the chores."""

from datetime import timedelta

import pytest

from fedi_letter.letter.effects import ReactionKind
from fedi_letter.store import chores, followers, reactions, reports
from fedi_letter.store.database import Database
from fedi_letter.store.followers import FollowerState
from fedi_letter.store.reactions import Counts
from tests.store.given import ADA, BOB, DAY, LETTER, MINUTE, NOW

SHARED = "https://far.example/inbox"


def _follow(database: Database, letter_id: int, uri: str = ADA, number: int = 1) -> bool:
    return database.write_now(
        followers.add,
        letter_id,
        actor_uri=uri,
        follow_uri=f"{uri}#follow-{number}",
        inbox=f"{uri}/inbox",
        shared_inbox=SHARED if uri == ADA else None,
        host="far.example",
        now=NOW + number * MINUTE,
    )


def test_who_follows_twice_is_one_follower_with_the_newest_id(
    database: Database, letter_id: int
) -> None:
    assert _follow(database, letter_id)
    assert not _follow(database, letter_id, number=2)
    assert database.read_now(followers.total, letter_id) == 1
    ada = database.read_now(followers.by_actor, letter_id, ADA)
    assert ada is not None
    assert (ada.follow_uri, ada.since) == (f"{ADA}#follow-2", NOW + MINUTE)


def test_who_leaves_may_come_back(database: Database, letter_id: int) -> None:
    assert not database.write_now(followers.drop, letter_id, ADA, "unfollowed")
    _follow(database, letter_id)
    assert database.write_now(followers.drop, letter_id, ADA, "unfollowed")
    assert not database.write_now(followers.drop, letter_id, ADA, "unfollowed")
    ada = database.read_now(followers.by_actor, letter_id, ADA)
    assert ada is not None
    assert (ada.state, ada.reason) == (FollowerState.DROPPED, "unfollowed")
    assert database.read_now(followers.total, letter_id) == 0
    assert database.read_now(followers.page, letter_id, 0, 9) == []
    assert _follow(database, letter_id, number=3)
    ada = database.read_now(followers.by_actor, letter_id, ADA)
    assert ada is not None
    assert (ada.state, ada.reason, ada.since) == (FollowerState.LIVE, None, NOW + 3 * MINUTE)


def test_followers_are_paged(database: Database, letter_id: int) -> None:
    people = [f"https://far.example/users/{number}" for number in range(3)]
    for uri in people:
        _follow(database, letter_id, uri)
    first = database.read_now(followers.page, letter_id, 0, 2)
    rest = database.read_now(followers.page, letter_id, first[-1].id, 2)
    assert [each.actor_uri for each in first + rest] == people
    assert database.read_now(followers.by_actor, letter_id, BOB) is None


@pytest.mark.parametrize(
    ("inbox", "dropped"), [(f"{ADA}/inbox", 1), (f"{BOB}/inbox", 1), (SHARED, 1), ("no", 0)]
)
def test_a_dead_inbox_drops_those_reached_there(
    database: Database, letter_id: int, inbox: str, dropped: int
) -> None:
    for uri in (ADA, BOB):
        _follow(database, letter_id, uri)
    assert database.write_now(followers.drop_by_inbox, inbox, "gone") == dropped
    assert database.write_now(followers.drop_by_inbox, inbox, "gone") == 0
    assert database.read_now(followers.total, letter_id) == 2 - dropped


def test_a_failing_day_counts_once_and_a_delivery_forgets_them(
    database: Database, letter_id: int
) -> None:
    _follow(database, letter_id)

    def fail(hours: int) -> int:
        return database.write_now(followers.note_failing_day, SHARED, NOW + timedelta(hours=hours))

    assert [fail(hours) for hours in (0, 11, 12, 13, 36)] == [1, 1, 2, 2, 3]
    assert database.write_now(followers.note_failing_day, "no", NOW) == 0
    assert database.write_now(followers.note_delivered, [SHARED, "no"]) == 1
    assert database.write_now(followers.note_delivered, [SHARED]) == 0
    assert fail(37) == 1


def _tally(
    database: Database, letter_id: int, actor: str, kind: ReactionKind, uri: str = LETTER
) -> bool:
    return database.write_now(
        reactions.tally,
        letter_id,
        actor_uri=actor,
        kind=kind,
        object_uri=uri,
        activity_uri=f"{actor}#{kind}",
        content=None,
        now=NOW,
    )


def test_reactions_are_tallied_once_per_person_under_all_ids(
    database: Database, letter_id: int
) -> None:
    page = "https://letter.example/"
    assert _tally(database, letter_id, ADA, ReactionKind.LIKE)
    assert not _tally(database, letter_id, ADA, ReactionKind.LIKE)
    assert _tally(database, letter_id, ADA, ReactionKind.LIKE, page)
    assert _tally(database, letter_id, BOB, ReactionKind.LIKE)
    assert _tally(database, letter_id, BOB, ReactionKind.SHARE)
    assert _tally(database, letter_id, BOB, ReactionKind.QUOTE)
    assert database.read_now(reactions.counts, [LETTER, page]) == Counts(2, 1, 1)
    assert database.read_now(reactions.counts, ["https://nowhere"]) == Counts()


def test_every_coming_and_going_of_a_reaction_leaves_another_mark(
    database: Database, letter_id: int
) -> None:
    marks = [database.read_now(reactions.mark)]
    for actor in (ADA, BOB):
        _tally(database, letter_id, actor, ReactionKind.LIKE)
        marks.append(database.read_now(reactions.mark))
    database.write_now(reactions.untally, ADA, activity_uri=f"{ADA}#like")
    marks.append(database.read_now(reactions.mark))
    assert len(set(marks)) == len(marks)


def test_a_reaction_is_taken_back_by_its_own_person_alone(
    database: Database, letter_id: int
) -> None:
    for actor in (ADA, BOB):
        for kind in ReactionKind:
            _tally(database, letter_id, actor, kind)
    like = f"{ADA}#like"
    assert database.write_now(reactions.untally, BOB, activity_uri=like) == 0
    assert database.read_now(reactions.has_reacted, ADA, activity_uri=like, object_uri=None)
    assert database.write_now(reactions.untally, ADA, activity_uri=like) == 1
    assert not database.read_now(reactions.has_reacted, ADA, activity_uri=like, object_uri=None)
    share = ReactionKind.SHARE
    assert database.write_now(reactions.untally, ADA, kind=share, object_uri=LETTER) == 1
    assert database.write_now(reactions.untally, ADA) == 0
    assert database.write_now(reactions.untally, ADA, object_uri=LETTER) == 1
    assert database.read_now(reactions.counts, [LETTER]) == Counts(1, 1, 1)
    assert database.write_now(reactions.forget, BOB) == 3


def test_an_unknown_activity_falls_back_on_its_object(database: Database, letter_id: int) -> None:
    _tally(database, letter_id, ADA, ReactionKind.LIKE)
    taken = database.write_now(
        reactions.untally, ADA, activity_uri="https://other", object_uri=LETTER
    )
    assert taken == 1


def test_reports_are_kept_for_admins(database: Database, letter_id: int) -> None:
    for number in range(3):
        database.write_now(
            reports.file,
            letter_id,
            actor_uri=ADA,
            comment=f"report {number}",
            objects=[LETTER, "https://letter.example/ü"],
            receipt_id=number,
            now=NOW,
        )
    newest = database.read_now(reports.reports, letter_id, 2)
    assert [each.comment for each in newest] == ["report 2", "report 1"]
    assert newest[0].objects == (LETTER, "https://letter.example/ü")
    rest = database.read_now(reports.reports, letter_id, 2, newest[-1].id)
    assert [each.comment for each in rest] == ["report 0"]


def test_a_chore_is_begun_by_one_process_at_a_time(database: Database) -> None:
    def begin(minutes: int) -> bool:
        return database.write_now(chores.begin, "sweep", 10 * MINUTE, NOW + minutes * MINUTE)

    assert [begin(minutes) for minutes in (0, 1, 9, 10, 11)] == [True, False, False, True, False]
    assert database.write_now(chores.begin, "digest", DAY, NOW)
