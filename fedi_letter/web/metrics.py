"""What Prometheus asks: counts of this process, and how the letter is, for those who may know.

1. Whoever may not see it gets what a missing page gets, whatever the method.
2. Without a token only this machine may ask, and only directly: what came through a proxy on this
   machine comes from loopback too, but names the proxy's client, or us by our public name.
3. Labels are closed lists of ours; no host, no person, no id.
4. Counters are those of this process since it started; gauges are the database's, asked once a
   second at most, however many scrape.
"""

import hmac
import ipaddress
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from fedi_letter.letter.effects import Verdict
from fedi_letter.services.context import Context
from fedi_letter.services.tally import Counted, Tally
from fedi_letter.store.database import DatabaseUnavailable
from fedi_letter.store.vitals import Vitals, vitals
from fedi_letter.web.problems import Refused, nothing_here
from fedi_letter.web.responses import SecurityHeaders, answer, as_refusal, problem, security_headers

PATH = "/metrics"
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FRESH_FOR = timedelta(seconds=1)
BY_A_PROXY = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
HERE = frozenset(("localhost", "127.0.0.1", "[::1]"))
SINCE_START = "by this process since it started"


class Metrics:
    """The endpoint; an ASGI application, so that every method comes to it."""

    def __init__(self, context: Context, token: str | None) -> None:
        """`token` is what a scraper must show; without one it must be on this machine."""
        self._context = context
        self._token = token
        self._readings = _Readings(context.tally)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self._readings)
        ProcessCollector(registry=self._registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a scrape.

        Raises:
            Refused: not-found, for everybody who may not see it.
        """
        request = Request(scope)
        if not may_see(request, self._token):
            raise nothing_here()
        if request.method not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        await self._look()
        body = generate_latest(self._registry)
        headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"}
        await Response(body, headers=headers)(scope, receive, send)

    async def _look(self) -> None:
        """Ask the database, unless it was asked within the last second."""
        now, readings = self._context.clock(), self._readings
        # `abs`: a clock that was set back must not keep the old numbers for an hour.
        if readings.taken_at is not None and abs(now - readings.taken_at) < FRESH_FOR:
            return
        readings.taken_at = now
        try:
            read = self._context.database.read
            readings.vitals = await read(vitals, self._context.letter_id, now)
        except DatabaseUnavailable:
            readings.vitals = None  # the counters of the process are all the more wanted now


def metrics_alone(context: Context, token: str | None) -> ASGIApp:
    """The metrics of a process that serves nothing else; everything else is not there."""

    async def tell(request: Request, error: Exception) -> Response:
        return answer(request, problem(as_refusal(error)))

    app = Starlette(
        routes=[Route(PATH, Metrics(context, token))],
        exception_handlers={Refused: tell, HTTPException: tell, Exception: tell},
    )
    return SecurityHeaders(app, security_headers(secure=False))


def may_see(request: Request, token: str | None) -> bool:
    """Whether the request shows the token or, where none is set, comes from this machine."""
    if token is not None:
        shown = request.headers.get("authorization", "").encode("latin-1")
        return hmac.compare_digest(shown, f"Bearer {token}".encode())
    if request.client is None or not _is_loopback(request.client.host):
        return False
    if any(name in request.headers for name in BY_A_PROXY):
        return False
    return _without_port(request.headers.get("host", "")) in HERE


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


@dataclass(eq=False)
class _Readings:
    """A collector in the sense of prometheus_client: what was counted and last seen."""

    tally: Tally
    vitals: Vitals | None = None
    taken_at: datetime | None = None

    def collect(self) -> Iterator[Metric]:
        """Answer every metric but those of the process itself."""
        yield _counter(
            "arrivals",
            f"POSTs to an inbox answered {SINCE_START}, by status and reason.",
            ("status", "reason"),
            self.tally.counts(Counted.ARRIVALS),
        )
        yield _counter(
            "verdicts",
            f"Receipts judged {SINCE_START}, by verdict and reason.",
            ("verdict", "reason"),
            self.tally.counts(Counted.VERDICTS),
        )
        yield _counter(
            "refusals",
            f"Activities refused {SINCE_START}: at the door, or when judged; by reason.",
            ("at", "reason"),
            self._refusals(),
        )
        yield _counter(
            "delivery_attempts",
            f"Deliveries tried or given up {SINCE_START}, by the state they are in since and why.",
            ("state", "outcome"),
            self.tally.counts(Counted.DELIVERIES),
        )
        yield _counter(
            "host_changes",
            f"Servers seen to rest, answer again, die or revive {SINCE_START}.",
            ("change",),
            self.tally.counts(Counted.HOSTS),
        )
        yield _gauge(
            "database_up", "Whether the database answered.", float(self.vitals is not None)
        )
        if self.vitals is not None and self.taken_at is not None:
            yield from _gauges(self.vitals, self.taken_at)

    def _refusals(self) -> dict[tuple[str, ...], int]:
        refused: Counter[tuple[str, ...]] = Counter()
        for (status, reason), count in self.tally.counts(Counted.ARRIVALS).items():
            if status.startswith("4"):
                refused["door", reason] += count
        for (verdict, reason), count in self.tally.counts(Counted.VERDICTS).items():
            if verdict == Verdict.REFUSED:
                refused["judgement", reason] += count
        return refused


def _gauges(seen: Vitals, now: datetime) -> Iterator[Metric]:
    spool, waiting = seen.spool, seen.deliveries
    yield _gauge_by(
        "spool_receipts",
        "Receipts not settled yet: pending, or waiting for a key or another try.",
        "state",
        {"pending": spool.pending, "waiting": spool.waiting},
    )
    age = _seconds_since(spool.oldest_pending_at, now)
    yield _gauge("spool_age_seconds", "Age of the oldest pending receipt.", age)
    yield _gauge_by(
        "deliveries_open",
        "Deliveries still to come: due, waiting for a retry, or held while their server rests.",
        "wait",
        {"due": waiting.due, "retrying": waiting.retrying, "held": waiting.held},
    )
    lag = _seconds_since(waiting.oldest_due_at, now)
    yield _gauge("fanout_lag_seconds", "For how long the oldest due delivery has been due.", lag)
    yield _gauge_by(
        "deliveries_given_up",
        "Deliveries on record that were given up, by reason.",
        "reason",
        seen.given_up,
    )
    yield _gauge_by(
        "hosts",
        "Servers that rest after failures, and those left alone until they speak to us.",
        "state",
        {"resting": seen.hosts_resting, "dead": seen.hosts_dead},
    )
    yield _gauge("signatories", "People on the public roll.", seen.signatories)
    yield _gauge("followers", "Accounts that follow the letter.", seen.followers)
    yield _gauge("held_for_review", "Acts that wait for an admin.", seen.held_for_review)


def _seconds_since(instant: datetime | None, now: datetime) -> float:
    return 0.0 if instant is None else max((now - instant).total_seconds(), 0.0)


def _counter(
    name: str, said: str, labels: tuple[str, ...], counts: dict[tuple[str, ...], int]
) -> Metric:
    family = CounterMetricFamily(f"fedi_letter_{name}", said, labels=labels)
    for values, count in sorted(counts.items()):
        family.add_metric(values, count)
    return family


def _gauge(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(f"fedi_letter_{name}", said, value=value)


def _gauge_by(name: str, said: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(f"fedi_letter_{name}", said, labels=(label,))
    for value, count in sorted(values.items()):
        family.add_metric((value,), count)
    return family
