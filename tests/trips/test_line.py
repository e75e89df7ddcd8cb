"""The line of deliveries: everybody gets one turn, a host few at a time, one in trouble singly."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from fedi_letter.services.line import PER_HOST, SLOW_SECONDS, Line
from fedi_letter.store.deliveries import Delivery
from fedi_letter.store.origins import Origin
from tests.trips.seeds import BEGINNING

HOSTS = ("a.example", "b.example", "c.example")


def delivery(number: int, host: str, failures: int = 0) -> Delivery:
    """A delivery that is one of many."""
    return Delivery(
        id=number,
        outbox_id=1,
        activity_uri="https://letter.example/activities/1",
        type="Update",
        object_uri="https://letter.example/letters/letter",
        body=b"{}",
        inbox=f"https://{host}/users/{number}/inbox",
        host=host,
        attempts=0,
        origin=Origin(host, failures=failures),
    )


@given(
    st.lists(st.lists(st.sampled_from(HOSTS), max_size=20), max_size=4),
    st.sets(st.sampled_from(HOSTS)),
)
def test_everybody_gets_one_turn_and_no_host_more_than_it_bears(
    waves: list[list[str]], troubled: set[str]
) -> None:
    line, numbers = Line(low=10, most=1_000), iter(range(1_000))
    served: list[int] = []
    under_way: list[Delivery] = []
    expected = 0
    for wave in [*waves, []]:
        joining = [delivery(next(numbers), host, int(host in troubled)) for host in wave]
        line.join(joining, BEGINNING)
        expected += len(joining)
        while (claimed := line.take()) is not None:
            under_way.append(claimed.delivery)
            present = Counter(one.host for one in under_way)
            for host, count in present.items():
                assert count <= (1 if host in troubled else PER_HOST)
            if len(under_way) > 5:
                done = under_way.pop(0)
                served.append(done.id)
                line.leave(done.host)
        for done in under_way:
            served.append(done.id)
            line.leave(done.host)
        under_way.clear()
    while (claimed := line.take()) is not None:
        served.append(claimed.delivery.id)
        line.leave(claimed.delivery.host)
    assert sorted(served) == list(range(expected))
    assert line.is_empty


def test_who_goes_first_waits_for_nobody_but_those_who_have_begun() -> None:
    line = Line(low=10, most=100)
    line.join([delivery(number, HOSTS[number % 2]) for number in range(20)], BEGINNING)
    begun = [line.take() for _ in range(2 * PER_HOST)]
    line.join([delivery(90, "new.example"), delivery(91, HOSTS[0])], BEGINNING, goes_first=True)
    first = line.take()
    assert first is not None
    assert first.delivery.id == 90
    assert line.take() is None
    left = begun[0]
    assert left is not None
    line.leave(left.delivery.host)
    second = line.take()
    assert second is not None
    assert second.delivery.id == 91


def test_a_host_that_recovers_lets_several_go_again() -> None:
    line = Line(low=0, most=100)
    line.join([delivery(number, HOSTS[0], failures=2) for number in range(6)], BEGINNING)
    assert line.take() is not None
    assert line.take() is None
    line.learn(replace(line.origin(HOSTS[0]), failures=0))
    line.leave(HOSTS[0])
    assert [line.take() is not None for _ in range(PER_HOST + 1)] == [True] * PER_HOST + [False]


def test_the_line_runs_low_before_it_is_empty_but_not_when_too_many_wait() -> None:
    line = Line(low=2, most=6)
    line.join([delivery(number, HOSTS[number % 3]) for number in range(5)], BEGINNING)
    assert not line.runs_low.is_set()
    for _ in range(3):
        line.take()
    line.leave(HOSTS[0])
    assert line.runs_low.is_set()
    line.join([delivery(number, HOSTS[1]) for number in range(5, 15)], BEGINNING)
    assert not line.runs_low.is_set()
    assert len(line.dissolve()) == 12


def test_who_goes_first_keeps_the_order_of_coming() -> None:
    line = Line(low=10, most=100)
    line.join([delivery(number, "a.example") for number in range(PER_HOST)], BEGINNING)
    for number in (90, 91, 92):
        line.join([delivery(number, "a.example")], BEGINNING, goes_first=True)
    line.join([delivery(93, "b.example")], BEGINNING, goes_first=True)
    assert line.size == PER_HOST + 4
    taken = [claimed.delivery.id for claimed in iter(line.take, None)]
    assert taken == [93, *range(PER_HOST)]
    for _ in range(3):
        line.leave("a.example")
    assert [claimed.delivery.id for claimed in iter(line.take, None)] == [90, 91, 92]


def test_a_host_that_takes_its_time_has_one_turn_until_it_is_quick_again() -> None:
    line = Line(low=0, most=100)
    line.join([delivery(number, HOSTS[0]) for number in range(12)], BEGINNING)
    for seconds, left in ((SLOW_SECONDS + 1, 3), (SLOW_SECONDS + 1, 2), (SLOW_SECONDS + 1, 1)):
        line.take()
        line.took(HOSTS[0], seconds)
        line.leave(HOSTS[0])
        assert line.ready == left
    line.take()
    line.took(HOSTS[0], SLOW_SECONDS)
    line.leave(HOSTS[0])
    assert line.ready == PER_HOST
