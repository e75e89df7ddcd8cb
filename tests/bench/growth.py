"""(G) What a request and a delivery cost as signatories and followers grow."""

import contextlib
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

from tests.bench import crowds, inbox, pages, seed
from tests.bench.bench import PEOPLE, Bench
from tests.bench.fanout import TEXT, send
from tests.bench.letter import Letter
from tests.bench.processes import free_port
from tests.bench.report import Figure

AT_MOST = 1.2
POSTS = 500
"""How many activities each slice of the inbox takes."""
HOSTS = 500
FIRST, LAST = 100, 1_000
"""Which deliveries are timed; those before are the start, those after are in `memory`."""
BEGINS_WITHIN_SECONDS = 120.0
JUDGING_SECONDS = 2.0
POLL_SECONDS = 0.02
OPEN = "SELECT count(*) FROM receipts WHERE settled_at IS NULL"
HTML = {"Accept": "text/html"}

Costs = dict[str, list[float]]


def run(bench: Bench) -> None:
    """Measure and report."""
    _by_signatories(bench)
    _by_followers(bench)


def _by_signatories(bench: Bench) -> None:
    sizes = bench.plan.signatories
    posts = bench.writers.cavage(bench.plan.slices * POSTS + PEOPLE)
    measures: dict[str, Callable[[], float]] = {}
    with contextlib.ExitStack() as stack:
        letters = {
            size: stack.enter_context(crowds.crowded(bench, size).copied(bench.unused()))
            for size in sizes
        }
        with contextlib.ExitStack() as serving:
            for size, letter in letters.items():
                port = free_port()
                web = serving.enter_context(letter.web(bench.cores.ours, port=port))
                serving.callback(bench.weigh, "web", f"{size:,} signatories", web)
                inbox.ask(bench, posts[:PEOPLE], port=port, seconds=60)
                measures |= _measures(bench, letter, size, port, posts[PEOPLE:])
            costs = bench.sliced(measures)
        with bench.peers():
            judged = bench.interleaved(
                {
                    f"judging an activity {size}": partial(_judging_us, bench, letter, size)
                    for size, letter in letters.items()
                }
            )
    for name in ("page", "roll page", "inbox"):
        _report(bench, name, "signatories", sizes, costs)
    _report(bench, "judging an activity", "signatories", sizes, judged)


def _measures(
    bench: Bench, letter: Letter, size: int, port: int, posts: Sequence[bytes]
) -> dict[str, Callable[[], float]]:
    host = {"Host": f"127.0.0.1:{letter.port}", **HTML}
    page = pages.request("/", host)
    roll = pages.request(f"/signatories?after={size // 2}", host)
    slices = iter([posts[at : at + POSTS] for at in range(0, len(posts), POSTS)])
    return {
        f"page {size}": lambda: 1e6 / pages.rate(bench, port, page, 200),
        f"roll page {size}": lambda: 1e6 / pages.rate(bench, port, roll, 200),
        f"inbox {size}": lambda: 1e6 / inbox.ask(bench, next(slices), port=port, seconds=30).rate,
    }


def _judging_us(bench: Bench, letter: Letter, size: int) -> float:
    """How long a worker takes for each of the activities that wait, once it has begun.

    From the end of one batch to the end of another: what a batch did is seen when it is committed.
    """
    ends: list[tuple[float, int]] = []
    # a copy each time, or a fast machine has judged them all before the last
    with letter.copied(bench.unused()) as copy, copy.worker(bench.cores.ours) as worker:
        least = copy.ask(OPEN)

        def is_enough() -> bool:
            nonlocal least
            left = copy.ask(OPEN)
            if left < least:
                ends.append((time.perf_counter(), left))
                least = left
            return left == 0 or (len(ends) > 1 and ends[-1][0] - ends[0][0] > JUDGING_SECONDS)

        worker.wait_for(
            is_enough, seconds=BEGINS_WITHIN_SECONDS, what="judgements", poll_seconds=POLL_SECONDS
        )
        bench.weigh("worker", f"judging, {size:,} signatories", worker)
    assert len(ends) > 1, "too few activities waited"
    (began, before), (ended, after) = ends[0], ends[-1]
    return (ended - began) / (before - after) * 1e6


def _by_followers(bench: Bench) -> None:
    sizes = bench.plan.followers
    with contextlib.ExitStack() as stack:
        peers = stack.enter_context(bench.peers())
        letters = {}
        for size in sizes:
            letters[size] = stack.enter_context(bench.letter.copied(bench.unused()))
            seed.follow(letters[size], seed.inboxes(size, hosts=HOSTS, port=bench.peers_port))
            letters[size].run("post", TEXT)

        def cost(size: int) -> float:
            what = f"{size:,} followers, the first {LAST:,}"
            count = min(LAST, size)
            cores = (bench.cores.ours,)
            tally = send(bench, letters[size], peers, cores=cores, count=count, what=what)
            return 1e6 / tally.rate(FIRST, count)

        costs = bench.interleaved({f"delivery {size}": partial(cost, size) for size in sizes})
    _report(bench, "delivery", "followers", sizes, costs)


def _report(bench: Bench, name: str, of: str, sizes: Sequence[int], costs: Costs) -> None:
    least = sizes[0]
    base = costs[f"{name} {least}"]
    for size in sizes[1:]:
        what, bound_is = f"{name} with {size:,} {of}", f"µs with {least:,}"
        figures = costs[f"{name} {size}"]
        bench.report.add(
            Figure("G", what, figures, "µs", base, bound_is, target=AT_MOST, most=True)
        )
    bench.report.say(f"G: {name} with {least:,} {of} costs {median(base):,.0f} µs")
