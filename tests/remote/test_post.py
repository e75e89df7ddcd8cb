"""Delivering once: what is sent, and what every answer becomes (B3, B4, B5, B8, T9, T10, T13)."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from fedi_letter.httpsig.keys import PrivateKey, PublicKey
from fedi_letter.httpsig.message import Message
from fedi_letter.httpsig.verify import Scheme, claim, verify
from fedi_letter.remote.client import Answer, Client, FetchProblem
from tests.clock import Clock
from tests.internet import Internet

INBOX = "https://far.example/inbox?shared=1"
BODY = b'{"type":"Update"}'


@pytest.mark.parametrize("scheme", list(Scheme))
async def test_a_delivery_is_signed_over_exactly_the_bytes_sent(
    client: Client,
    internet: Internet,
    clock: Clock,
    instance_key: PrivateKey,
    scheme: Scheme,
) -> None:
    internet.answer("far.example", 202)
    answer = await client.post(INBOX, BODY, key=instance_key, scheme=scheme)
    assert answer == Answer(202, None, None)
    (seen,) = internet.requests
    assert (seen.method, seen.url, seen.body) == ("POST", INBOX, BODY)
    assert seen.value("content-type") == "application/activity+json"
    assert seen.value("date") == format_datetime(clock(), usegmt=True)
    message = Message("POST", "/inbox?shared=1", seen.headers, seen.body)
    read = claim(message, origin="https://far.example", received_at=clock())
    key = PublicKey(read.key_id, "https://letter.example/", instance_key.public_pem)
    verify(read, message, key, origin="https://far.example")
    assert read.scheme is scheme


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (200, None),
        (201, None),
        (202, None),
        (204, None),
        (400, FetchProblem.REFUSED),
        (401, FetchProblem.FORBIDDEN),
        (403, FetchProblem.FORBIDDEN),
        (404, FetchProblem.NOT_FOUND),
        (410, FetchProblem.GONE),
        (413, FetchProblem.REFUSED),
        (429, FetchProblem.RATE_LIMITED),
        (502, FetchProblem.SERVER_ERROR),
    ],
)
async def test_every_status_is_reported_after_one_attempt(
    client: Client,
    internet: Internet,
    instance_key: PrivateKey,
    status: int,
    problem: FetchProblem | None,
) -> None:
    internet.answer("far.example", status)
    answer = await client.post(INBOX, BODY, key=instance_key, scheme=Scheme.CAVAGE)
    assert (answer.status, answer.problem) == (status, problem)
    assert len(internet.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_delivery_follows_no_redirect(
    client: Client, internet: Internet, instance_key: PrivateKey, status: int
) -> None:
    internet.answer("far.example", status, headers=(("Location", "https://far.example/other"),))
    answer = await client.post(INBOX, BODY, key=instance_key, scheme=Scheme.CAVAGE)
    assert (answer.status, answer.problem) == (status, FetchProblem.REDIRECTED)
    assert len(internet.requests) == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", timedelta(seconds=120)),
        ("Sun, 22 Nov 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Sun, 22 Nov 2026 12:05:00 -0000", timedelta(minutes=5)),
        ("Sun, 22 Nov 2026 11:00:00 GMT", timedelta(0)),
        ("9" * 5000, timedelta(hours=24)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(hours=24)),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Sat, 01 Jan 0001 00:00:00 +2359", timedelta(0)),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("soon", None),
        ("", None),
    ],
)
async def test_retry_after_is_read_as_seconds_or_as_a_date_and_capped_at_a_day(
    client: Client,
    internet: Internet,
    instance_key: PrivateKey,
    value: str,
    expected: timedelta | None,
) -> None:
    internet.answer("far.example", 503, headers=(("retry-after", value),))
    answer = await client.post(INBOX, BODY, key=instance_key, scheme=Scheme.CAVAGE)
    assert answer.retry_after == expected


async def test_trouble_of_the_network_is_an_answer_and_no_exception(
    client: Client, internet: Internet, instance_key: PrivateKey
) -> None:
    internet.time_out("slow.example")
    internet.refuse("closed.example")
    internet.hang_up("rude.example")
    internet.resolve("inside.example", "192.168.0.9")
    expected = {
        "https://slow.example/inbox": FetchProblem.TIMEOUT,
        "https://closed.example/inbox": FetchProblem.UNREACHABLE,
        "https://rude.example/inbox": FetchProblem.UNREACHABLE,
        "https://nowhere.example/inbox": FetchProblem.UNREACHABLE,
        "https://inside.example/inbox": FetchProblem.BLOCKED_ADDRESS,
        "https://127.0.0.1/inbox": FetchProblem.BLOCKED_ADDRESS,
        "http://far.example/inbox": FetchProblem.BLOCKED_ADDRESS,
        "https://far.example\r\n/inbox": FetchProblem.BLOCKED_ADDRESS,
        "": FetchProblem.BLOCKED_ADDRESS,
    }
    for inbox, problem in expected.items():
        answer = await client.post(inbox, BODY, key=instance_key, scheme=Scheme.CAVAGE)
        assert answer == Answer(None, None, problem), inbox


async def test_a_dead_inbox_does_not_stop_fetches_nor_later_deliveries(
    client: Client, internet: Internet, instance_key: PrivateKey
) -> None:
    internet.refuse("far.example")
    await client.post(INBOX, BODY, key=instance_key, scheme=Scheme.CAVAGE)
    internet.answer("far.example", 202)
    answer = await client.post(INBOX, BODY, key=instance_key, scheme=Scheme.CAVAGE)
    assert answer.problem is None
