"""(M) How much memory web and worker hold, at the largest sizes and in all scenarios before."""

from collections.abc import Sequence

from tests.bench import crowds, inbox, pages, seed
from tests.bench.bench import Bench
from tests.bench.fanout import POLL_SECONDS, TEXT
from tests.bench.processes import Running
from tests.bench.report import Figure

WEB_AT_MOST_MB, WORKER_AT_MOST_MB = 150.0, 200.0
FLAT = 1.1
HOSTS = 2_000
TENTHS = 10
DRAINED_WITHIN_SECONDS = 300.0
KIB_PER_MB = 1_000_000 / 1024


def run(bench: Bench) -> None:
    """Measure and report."""
    web = _web(bench, bench.plan.signatories[-1])
    worker = _worker(bench, bench.plan.followers[-1])
    for role, most in (("web", WEB_AT_MOST_MB), ("worker", WORKER_AT_MOST_MB)):
        weighed = [one for one in bench.weighed if one.role == role]
        for one in weighed:
            bench.report.say(
                f"M: {role}: {one.what}: {_mb(one.now):.0f} MB, {_mb(one.most):.0f} at most"
            )
        largest = max(weighed, key=lambda one: one.most)
        what = f"{role}, most in any scenario"
        bench.report.add(Figure("M", what, [_mb(largest.most)], "MB", target=most, most=True))
    _flat(bench, "web, after a second load like the first", web)
    _flat(bench, "worker, at the end of a fan-out like at its start", worker)


def _flat(bench: Bench, what: str, sizes: Sequence[int]) -> None:
    first, last = [_mb(sizes[0])], [_mb(sizes[-1])]
    bench.report.add(Figure("M", what, last, "MB", first, "MB first", FLAT, most=True))


def _web(bench: Bench, signatories: int) -> list[int]:
    """Answer what it holds after each of two equal loads of pages and signatures."""
    host = {"Host": f"127.0.0.1:{bench.port}", "Accept": "text/html"}
    step = max(signatories // 20, 1)
    asked = [pages.request(f"/signatories?after={step * n}", host) for n in range(20)]
    posts = bench.writers.cavage(2 * bench.plan.deliveries)
    sizes = []
    crowd = crowds.crowded(bench, signatories)
    with (
        bench.peers(),
        crowd.copied(bench.unused()) as letter,
        letter.web(bench.cores.ours) as web,
    ):
        for half in (posts[::2], posts[1::2]):
            for one in (*asked, pages.request("/", host)):
                inbox.ask(bench, [one] * 50, port=bench.port)
            inbox.ask(bench, half, port=bench.port, seconds=30)
            sizes.append(web.memory_kib["VmRSS"])
        bench.weigh("web", f"{signatories:,} signatories, {len(posts):,} activities", web)
    return sizes


def _worker(bench: Bench, followers: int) -> list[int]:
    """Answer what it holds at each tenth of a whole fan-out, from the second on."""
    sizes: list[int] = []
    with bench.peers() as peers, bench.letter.copied(bench.unused()) as letter:
        seed.follow(letter, seed.inboxes(followers, hosts=HOSTS, port=bench.peers_port))
        letter.run("post", TEXT)

        def is_done(worker: Running) -> bool:
            count = peers.count
            if count >= (len(sizes) + 1) * followers // TENTHS:
                sizes.append(worker.memory_kib["VmRSS"])
            return count >= followers

        with letter.worker(bench.cores.ours) as worker:
            worker.wait_for(
                lambda: is_done(worker),
                seconds=DRAINED_WITHIN_SECONDS,
                what=f"{followers} deliveries",
                poll_seconds=POLL_SECONDS,
            )
            sizes.append(worker.memory_kib["VmRSS"])
            bench.weigh("worker", f"{followers:,} followers", worker)
        tally = peers.tally()
    tenth = followers // TENTHS
    first, last = tally.rate(0, tenth), tally.rate(followers - tenth)
    bench.report.say(
        f"M: {followers:,} deliveries: {first:,.0f}/s in the first tenth, {last:,.0f}/s in the last"
    )
    return sizes[1:]


def _mb(kib: int) -> float:
    return kib / KIB_PER_MB
