"""How hosts are treated: few fetches at once, pauses after trouble, a second knock (B4, T56)."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from fedi_letter.httpsig.keys import PrivateKey
from fedi_letter.httpsig.verify import Scheme
from fedi_letter.remote.client import Client, FetchFailed, FetchProblem
from fedi_letter.remote.manners import (
    FETCHES_AT_ONCE,
    LONGEST_PAUSE,
    USELESS_ANSWERS,
    Dialects,
    Pauses,
    Turns,
)
from tests.clock import Clock
from tests.internet import Internet, Scope, Seen
from tests.remote.pages import Site, json_page, note

NOTE = "https://far.example/notes/1"


async def failure(client: Client, url: str = NOTE) -> FetchFailed:
    """Answer how fetching this url fails."""
    with pytest.raises(FetchFailed) as caught:
        await client.get_document(url)
    return caught.value


def is_rfc9421(seen: Seen) -> bool:
    """Whether the request was signed by RFC 9421."""
    return seen.value("signature-input") is not None


class Picky:
    """A server that understands one scheme only, like GoToSocial."""

    def __init__(self, scheme: Scheme, refusal: int = 401) -> None:
        """Refuse everything not signed by `scheme` with the status `refusal`."""
        self.scheme = scheme
        self._refusal = refusal
        self._site = Site({"/notes/1": json_page(note(NOTE))})

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer one request (ASGI)."""
        names = {name for name, _ in scope["headers"]}
        came = Scheme.RFC9421 if b"signature-input" in names else Scheme.CAVAGE
        if came is self.scheme:
            await self._site(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": self._refusal, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("refusal", [400, 401])
async def test_a_server_that_knows_only_rfc_9421_is_knocked_at_twice_and_then_remembered(
    client: Client, internet: Internet, refusal: int
) -> None:
    internet.serve("far.example", Picky(Scheme.RFC9421, refusal))
    await client.get_document(NOTE)
    assert [is_rfc9421(seen) for seen in internet.requests] == [False, True]
    await client.get_document(NOTE)
    assert [is_rfc9421(seen) for seen in internet.requests] == [False, True, True]


async def test_a_server_that_goes_back_to_cavage_is_understood_again(
    client: Client, internet: Internet
) -> None:
    server = Picky(Scheme.RFC9421)
    internet.serve("far.example", server)
    await client.get_document(NOTE)
    server.scheme = Scheme.CAVAGE
    await client.get_document(NOTE)
    await client.get_document(NOTE)
    assert [is_rfc9421(seen) for seen in internet.requests[2:]] == [True, False, False]


async def test_a_server_that_refuses_both_schemes_is_asked_twice_and_no_more(
    client: Client, internet: Internet
) -> None:
    internet.answer("far.example", 401)
    assert (await failure(client)).problem is FetchProblem.FORBIDDEN
    assert len(internet.requests) == 2


async def test_a_403_is_an_answer_and_no_reason_to_knock_again(
    client: Client, internet: Internet
) -> None:
    internet.answer("far.example", 403)
    assert (await failure(client)).problem is FetchProblem.FORBIDDEN
    assert len(internet.requests) == 1


def test_a_dialect_is_forgotten_after_thirty_days(clock: Clock) -> None:
    dialects = Dialects()
    dialects.understood("https://far.example", Scheme.RFC9421, clock())
    later = clock.advance(timedelta(days=29))
    assert dialects.scheme("https://far.example", later) is Scheme.RFC9421
    later = clock.advance(timedelta(days=1))
    assert dialects.scheme("https://far.example", later) is Scheme.CAVAGE


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (Internet.time_out, FetchProblem.TIMEOUT),
        (Internet.refuse, FetchProblem.UNREACHABLE),
        (Internet.hang_up, FetchProblem.UNREACHABLE),
    ],
)
async def test_a_host_that_does_not_answer_is_left_alone_for_a_while(
    client: Client, internet: Internet, clock: Clock, trouble: Any, expected: FetchProblem
) -> None:
    trouble(internet, "far.example")
    first = await failure(client)
    assert first.problem is expected
    assert first.is_transient
    second = await failure(client)
    assert second.is_transient
    assert second.retry_after == timedelta(seconds=5)
    assert len(internet.requests) == 1
    internet.serve("far.example", Site({"/notes/1": json_page(note(NOTE))}))
    clock.advance(timedelta(seconds=5))
    assert (await client.get_document(NOTE)).document["id"] == NOTE


async def test_one_paused_host_does_not_pause_its_neighbours(
    client: Client, internet: Internet
) -> None:
    url = "https://near.example/notes/1"
    internet.time_out("far.example")
    internet.serve("near.example", Site({"/notes/1": json_page(note(url))}))
    await failure(client)
    assert (await client.get_document(url)).url == url


async def test_a_host_that_asks_for_peace_gets_it(
    client: Client, internet: Internet, clock: Clock
) -> None:
    internet.answer("far.example", 429, headers=(("Retry-After", "90"),))
    await failure(client)
    clock.advance(timedelta(seconds=89))
    assert (await failure(client)).retry_after == timedelta(seconds=1)
    assert len(internet.requests) == 1
    clock.advance(timedelta(seconds=1))
    await failure(client)
    assert len(internet.requests) == 2


async def test_a_thousand_invented_ids_cost_few_fetches(client: Client, internet: Internet) -> None:
    internet.answer("far.example", 404)
    for number in range(1000):
        await failure(client, f"https://far.example/users/{number}")
    assert len(internet.requests) == USELESS_ANSWERS


async def test_missing_documents_among_good_ones_pause_nobody(
    client: Client, internet: Internet
) -> None:
    internet.serve("far.example", Site({"/notes/1": json_page(note(NOTE))}))
    for _ in range(5):
        for number in range(USELESS_ANSWERS - 1):
            await failure(client, f"https://far.example/missing/{number}")
        await client.get_document(NOTE)
    assert len(internet.requests) == 5 * USELESS_ANSWERS


async def test_deleted_documents_pause_nobody(client: Client, internet: Internet) -> None:
    internet.answer("far.example", 410)
    for _ in range(3 * USELESS_ANSWERS):
        assert (await failure(client)).is_gone


def test_pauses_double_up_to_a_limit_and_one_success_forgives_all(clock: Clock) -> None:
    pauses = Pauses()
    lengths = []
    for _ in range(30):
        pauses.failed("https://far.example", clock())
        remaining = pauses.remaining("https://far.example", clock())
        assert remaining is not None
        lengths.append(remaining)
        clock.advance(remaining)
        assert pauses.remaining("https://far.example", clock()) is None
    seconds = [length.total_seconds() for length in lengths]
    assert seconds[:7] == [5, 10, 20, 40, 80, 160, 300]
    assert max(lengths) == LONGEST_PAUSE
    pauses.failed("https://far.example", clock())
    pauses.succeeded("https://far.example")
    assert pauses.remaining("https://far.example", clock()) is None
    pauses.failed("https://far.example", clock())
    assert pauses.remaining("https://far.example", clock()) == timedelta(seconds=5)


def test_memories_of_hosts_are_bounded_because_strangers_choose_the_hosts(clock: Clock) -> None:
    pauses, dialects = Pauses(), Dialects()
    for number in range(10_000):
        pauses.failed(f"https://{number}.example", clock())
        dialects.understood(f"https://{number}.example", Scheme.RFC9421, clock())
    assert pauses.remaining("https://0.example", clock()) is None
    assert pauses.remaining("https://9999.example", clock()) is not None
    assert dialects.scheme("https://0.example", clock()) is Scheme.CAVAGE
    assert dialects.scheme("https://9999.example", clock()) is Scheme.RFC9421


class Slow:
    """A server that counts how many ask at once, and answers when it is told to."""

    def __init__(self) -> None:
        """Nobody asks yet."""
        self.present = 0
        self.most = 0
        self.may_answer = asyncio.Event()
        self.is_full = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer one request (ASGI)."""
        self.present += 1
        self.most = max(self.most, self.present)
        if self.present == FETCHES_AT_ONCE:
            self.is_full.set()
        await self.may_answer.wait()
        self.present -= 1
        page = json_page(note("https://far.example" + scope["path"]))
        await Site({scope["path"]: page})(scope, receive, send)


async def test_one_host_is_asked_by_two_at_once_and_the_others_wait(
    client: Client, internet: Internet
) -> None:
    server = Slow()
    internet.serve("far.example", server)
    fetches = [
        asyncio.create_task(client.get_document(f"https://far.example/notes/{number}"))
        for number in range(12)
    ]
    await server.is_full.wait()
    server.may_answer.set()
    assert len(await asyncio.gather(*fetches)) == 12
    assert server.most == FETCHES_AT_ONCE


async def test_who_waited_behind_a_failure_does_not_repeat_it(
    client: Client, internet: Internet
) -> None:
    internet.time_out("far.example")
    results = await asyncio.gather(
        *(client.get_document(NOTE) for _ in range(50)), return_exceptions=True
    )
    assert all(isinstance(result, FetchFailed) and result.is_transient for result in results)
    assert len(internet.requests) <= FETCHES_AT_ONCE


async def test_a_queue_is_gone_when_the_last_has_left_it() -> None:
    turns = Turns()
    async with turns.turn("https://far.example"), turns.turn("https://far.example"):
        assert len(turns) == 1
    assert len(turns) == 0


async def test_a_host_that_hangs_costs_no_more_than_the_deadline(
    internet: Internet, clock: Clock, instance_key: PrivateKey
) -> None:
    internet.hang("far.example")
    client = Client(
        internet,
        key=instance_key,
        user_agent="fedi-letter/test",
        clock=clock,
        allow_private=False,
        get_deadline=timedelta(milliseconds=400),
        post_deadline=timedelta(milliseconds=400),
    )
    results = await asyncio.gather(
        *(client.get_document(NOTE) for _ in range(5)), return_exceptions=True
    )
    assert all(isinstance(result, FetchFailed) and result.is_transient for result in results)
    assert len(internet.requests) == FETCHES_AT_ONCE
    answer = await client.post(
        "https://far.example/inbox", b"{}", key=instance_key, scheme=Scheme.CAVAGE
    )
    assert (answer.status, answer.problem) == (None, FetchProblem.TIMEOUT)
    await client.close()
