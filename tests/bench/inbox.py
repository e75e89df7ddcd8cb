"""(I) Verified and durable signed POSTs per second on one core, and what bounds them."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.bench import crowds, yardsticks
from tests.bench.bench import PEOPLE, Bench
from tests.bench.generator import Outcome, drive
from tests.bench.letter import Letter
from tests.bench.report import Figure

WARM_UP_SECONDS = 60.0
VERIFY_SECONDS = 1.0
HALF = 0.5


@dataclass
class Taken:
    """What the letter answered, and whether its table agrees."""

    outcome: Outcome
    rows_missing: int
    core_share: float


@dataclass
class _Found:
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    core_shares: list[float] = field(default_factory=list)
    missing: int = 0
    other_answers: int = 0

    def note(self, taken: Taken) -> float:
        self.p50.append(taken.outcome.percentile_ms(50))
        self.p99.append(taken.outcome.percentile_ms(99))
        return self.count(taken)

    def count(self, taken: Taken) -> float:
        outcome = taken.outcome
        self.shares.append(outcome.cpu_share)
        self.core_shares.append(taken.core_share)
        self.missing += abs(taken.rows_missing)
        self.other_answers += outcome.lost + outcome.statuses.total() - outcome.statuses[202]
        return outcome.rate_of(202)


def ask(
    bench: Bench, posts: Sequence[bytes], *, port: int, seconds: float | None = None
) -> Outcome:
    """Send these to whoever listens at a port."""
    within = seconds or bench.plan.seconds
    return drive(port, iter(posts), core=bench.cores.theirs, seconds=within)


def take(bench: Bench, letter: Letter, posts: Sequence[bytes], what: str) -> Taken:
    """Have a fresh copy of this letter take these posts, after one from everybody to warm it up."""
    with letter.copied(bench.unused()) as copy, copy.web(bench.cores.ours) as web:
        ask(bench, posts[:PEOPLE], port=bench.port, seconds=WARM_UP_SECONDS)
        before = copy.ask("SELECT count(*) FROM receipts")
        used = web.cpu_seconds
        outcome = ask(bench, posts[PEOPLE:], port=bench.port)
        used = web.cpu_seconds - used
        bench.weigh("web", what, web)
        rows = copy.ask("SELECT count(*) FROM receipts") - before
    return Taken(outcome, outcome.statuses[202] - rows, used / outcome.elapsed)


def all_taken(outcome: Outcome) -> float:
    """Answer the rate of a server that must have answered 202 to everything."""
    assert set(outcome.statuses) == {202}, outcome.statuses
    return outcome.rate


def run(bench: Bench) -> None:
    """Measure and report."""
    cavage = bench.writers.cavage(bench.plan.inbox_posts)
    rfc9421 = bench.writers.rfc9421(bench.plan.inbox_posts)
    on_sqlite = crowds.taught(bench, bench.letter)
    on_postgres = crowds.taught(bench, bench.letter_on_postgres)
    ring = str(bench.keys.folder)
    checking = ("verifying", "--keys", ring, "--origin", bench.letter.origin)
    found = _Found()
    with bench.yardstick("bare") as bare, bench.yardstick(*checking) as verifying:
        ask(bench, cavage[:PEOPLE], port=verifying)
        rates = bench.interleaved(
            {
                "verify": lambda: yardsticks.verifications_per_second(
                    bench.keys, core=bench.cores.ours, seconds=VERIFY_SECONDS
                ),
                "bare": lambda: all_taken(ask(bench, cavage, port=bare)),
                "verifying": lambda: all_taken(ask(bench, cavage, port=verifying)),
                "sqlite": lambda: found.note(take(bench, on_sqlite, cavage, "inbox, SQLite")),
                "rfc9421": lambda: found.count(take(bench, on_sqlite, rfc9421, "inbox, RFC 9421")),
                "postgresql": lambda: found.count(
                    take(bench, on_postgres, cavage, "inbox, PostgreSQL")
                ),
            }
        )
    _report(bench, rates, found)
    _latency_below_the_peak(bench, on_sqlite, cavage, median(rates["sqlite"]) * HALF)
    _prove_the_generator(bench, cavage, rates, found)


def _report(bench: Bench, rates: dict[str, list[float]], found: _Found) -> None:
    pairs = zip(rates["verify"], rates["bare"], strict=True)
    bound = [1 / (1 / verify + 1 / bare) for verify, bare in pairs]
    add = bench.report.add
    add(Figure("I", "RSA-2048 verify alone, one core", rates["verify"], "/s"))
    add(Figure("I", "bare ASGI endpoint", rates["bare"], "/s"))
    add(Figure("I", "endpoint that only verifies", rates["verifying"], "/s", bound, "bound"))
    add(Figure("I", "cavage, SQLite", rates["sqlite"], "/s", bound, "bound", 0.42))
    add(Figure("I", "RFC 9421, SQLite", rates["rfc9421"], "/s", rates["sqlite"], "cavage", 0.6))
    add(
        Figure(
            "I",
            "cavage, PostgreSQL",
            rates["postgresql"],
            "/s",
            rates["verifying"],
            "only verifying",
            0.70,
        )
    )
    add(Figure("I", "p99, cavage, SQLite", found.p99, "ms", found.p50, "ms p50", 4.0, most=True))
    missing = [float(found.missing)]
    add(Figure("I", "answered 202 and not in the table", missing, "rows", target=0, most=True))
    bench.report.say(
        f"I: the letter's server had {median(found.core_shares):.0%} of its core; "
        "well below 100% means that something else ran there, or that it waited for the disk"
    )
    if found.other_answers:
        bench.report.say(f"I: {found.other_answers} requests were answered otherwise than 202")


def _latency_below_the_peak(
    bench: Bench, letter: Letter, posts: Sequence[bytes], rate: float
) -> None:
    with letter.copied(bench.unused()) as copy, copy.web(bench.cores.ours):
        ask(bench, posts[:PEOPLE], port=bench.port, seconds=WARM_UP_SECONDS)
        outcome = drive(
            bench.port,
            iter(posts[PEOPLE:]),
            core=bench.cores.theirs,
            seconds=bench.plan.seconds,
            per_second=rate,
        )
    p50, p99 = outcome.percentile_ms(50), outcome.percentile_ms(99)
    bench.report.say(f"I: at half the rate p50 is {p50:.1f} ms and p99 {p99:.1f} ms")


def _prove_the_generator(
    bench: Bench, posts: Sequence[bytes], rates: dict[str, list[float]], found: _Found
) -> None:
    with bench.peers(core=bench.cores.ours) as sink:
        endless = itertools.cycle(posts)
        outcome = drive(sink.port, endless, core=bench.cores.theirs, seconds=bench.plan.seconds)
    most = max(median(rates[name]) for name in ("sqlite", "rfc9421", "postgresql"))
    bench.report.say(
        f"I: generator can do {outcome.rate:,.0f}/s against constant bytes, the letter asked for "
        f"{most:,.0f}/s and took {median(found.shares):.0%} of the generator's core; "
        f"the bare endpoint asked for {median(rates['bare']):,.0f}/s"
    )
