"""(P) Letter page, object and actor from a warm server against the same bytes from a bare one."""

import contextlib
import http.client
import itertools
from collections.abc import Mapping
from functools import partial

import msgspec

from tests.bench import crowds
from tests.bench.bench import SLICE_SECONDS, Bench
from tests.bench.generator import drive
from tests.bench.report import Figure
from tests.bench.yardsticks import Page

SIGNATORIES = 1_000
TARGET = 0.85
ACTIVITY = "application/activity+json"
PLACES = {
    "letter page": ("/", "text/html"),
    "letter object": ("/letters/letter", ACTIVITY),
    "actor": ("/actors/letter", ACTIVITY),
}


def look(port: int, path: str, headers: Mapping[str, str]) -> Page:
    """Answer what a server gives, without the Date that uvicorn adds by itself."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        body = answer.read()
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() != "date"]
    return Page(answer.status, kept, body)


def request(path: str, headers: Mapping[str, str]) -> bytes:
    """Answer a GET as finished bytes."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()


def rate(bench: Bench, port: int, asked: bytes, status: int) -> float:
    """Answer how many of these a second a server gives in one slice, all with this status."""
    core = bench.cores.theirs
    outcome = drive(port, itertools.repeat(asked), core=core, seconds=SLICE_SECONDS)
    assert set(outcome.statuses) == {status}, outcome.statuses
    return outcome.rate


def run(bench: Bench) -> None:
    """Measure and report."""
    crowd = crowds.crowded(bench, SIGNATORIES)
    with crowd.copied(bench.unused()) as letter, letter.web(bench.cores.ours) as web:
        for name, (path, accept) in PLACES.items():
            _measure(bench, name, path, accept)
        bench.weigh("web", "pages", web)


def _measure(bench: Bench, name: str, path: str, accept: str) -> None:
    headers = {"Host": f"127.0.0.1:{bench.port}", "Accept": accept}
    page = look(bench.port, path, headers)
    assert page.status == 200, page
    etag = next((value for key, value in page.headers if key.lower() == "etag"), "")
    asked = request(path, headers)
    unchanged = request(path, {**headers, "If-None-Match": etag})
    file = bench.unused()
    file.write_bytes(msgspec.msgpack.encode(page))
    with bench.yardstick("replay", "--page", str(file)) as bare:
        for port in (bare, bench.port):
            rate(bench, port, asked, 200)  # to warm both up
        rates = bench.sliced(
            {
                "bare": partial(rate, bench, bare, asked, 200),
                "ours": partial(rate, bench, bench.port, asked, 200),
                "unchanged": partial(rate, bench, bench.port, unchanged, 304),
            }
        )
    what, add = f"{name}, {len(page.body):,} bytes", bench.report.add
    add(Figure("P", what, rates["ours"], "/s", rates["bare"], "bare", TARGET))
    add(Figure("P", f"{name}, 304", rates["unchanged"], "/s", rates["ours"], "200", 1.0))
