"""(O) Signed POSTs sent per second against signing alone, and how soon a publication is queued."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench import certificates, seed, yardsticks
from tests.bench.bench import Bench, Deliveries, Peers
from tests.bench.letter import Letter
from tests.bench.people import loopback
from tests.bench.report import Figure

SIGN_SECONDS = 1.0
SENT_WITHIN_SECONDS = 180.0
POLL_SECONDS = 0.1
FEW_HOSTS, MANY_HOSTS, TLS_HOSTS = 8, 2_000, 500
LEDGER_AT_MOST_SECONDS = 0.3
TEXT = "The hearing is on Thursday. Come if you can, and bring the letter."


@dataclass(frozen=True)
class Shape:
    """To whom one update goes, and what is asked of one core and of two."""

    name: str
    hosts: int
    inboxes: int
    on_one: float
    on_two: float
    tls: bool = False


def shapes(bench: Bench) -> tuple[Shape, ...]:
    """Answer what is measured."""
    few, many, over_tls = bench.plan.deliveries, MANY_HOSTS, TLS_HOSTS
    return (
        Shape(f"{FEW_HOSTS} hosts", FEW_HOSTS, few, 0.75, 1.3),
        Shape(f"{MANY_HOSTS:,} hosts", MANY_HOSTS, many, 0.70, 1.2),
        Shape(f"{TLS_HOSTS} hosts with TLS", TLS_HOSTS, over_tls, 0.50, 0.7, tls=True),
    )


def written(bench: Bench, shape: Shape) -> Letter:
    """Answer a letter with an update waiting for all followers of this shape."""
    letter = bench.letter.copy(bench.unused())
    port = bench.tls_port if shape.tls else bench.peers_port
    seed.follow(letter, seed.inboxes(shape.inboxes, hosts=shape.hosts, port=port, tls=shape.tls))
    letter.run("post", TEXT)
    return letter


def send(
    bench: Bench, letter: Letter, peers: Peers, *, cores: Iterable[int], count: int, what: str
) -> Deliveries:
    """Have a worker on these cores send until so many deliveries have arrived."""
    peers.forget()
    with letter.copied(bench.unused()) as copy, copy.worker(*cores) as worker:
        worker.wait_for(
            lambda: peers.count >= count,
            seconds=SENT_WITHIN_SECONDS,
            what=f"{count} deliveries",
            poll_seconds=POLL_SECONDS,
        )
        bench.weigh("worker", what, worker)
        tally = peers.tally()
    assert tally.unsigned == 0, f"{tally.unsigned} deliveries were not signed"
    return tally


def run(bench: Bench) -> None:
    """Measure and report."""
    folder = bench.folder / "certificates"
    certificates.make(folder, (loopback(host, net=seed.TLS_NET) for host in range(TLS_HOSTS)))
    with bench.peers(folder) as peers:
        for shape in shapes(bench):
            _measure(bench, shape, peers, folder)
    _ledger(bench, "SQLite", bench.letter)
    _ledger(bench, "PostgreSQL", bench.letter_on_postgres)


def _measure(bench: Bench, shape: Shape, peers: Peers, folder: Path) -> None:
    letter = written(bench, shape)
    if shape.tls:
        letter = letter.trusting(folder / certificates.AUTHORITY)
    one, two = (bench.cores.ours,), bench.cores.both
    connections: list[int] = []
    shares: list[float] = []

    def rate(cores: Sequence[int]) -> float:
        what = f"{shape.name}, {len(cores)} core{'s' * (len(cores) > 1)}"
        used = peers.running.cpu_seconds
        tally = send(bench, letter, peers, cores=cores, count=shape.inboxes, what=what)
        assert tally.targets == shape.inboxes, "an inbox was left out"
        connections.append(tally.connections)
        shares.append((peers.running.cpu_seconds - used) / tally.seconds)
        return tally.rate()

    rates = bench.interleaved(
        {
            "sign": lambda: yardsticks.signatures_per_second(
                bench.keys, core=bench.cores.ours, seconds=SIGN_SECONDS
            ),
            "one": lambda: rate(one),
            "two": lambda: rate(two),
        }
    )
    sign = rates["sign"]
    add = bench.report.add
    add(Figure("O", f"{shape.name}, one core", rates["one"], "/s", sign, "signing", shape.on_one))
    add(Figure("O", f"{shape.name}, two cores", rates["two"], "/s", sign, "signing", shape.on_two))
    bench.report.say(
        f"O: {shape.name}: {shape.inboxes} deliveries over {max(connections)} connections; "
        f"the other servers used {median(shares):.0%} of their core"
    )
    letter.drop()


def _ledger(bench: Bench, name: str, base: Letter) -> None:
    """How much longer publishing takes with the followers than with none: whole commands."""
    count = bench.plan.ledger_inboxes
    with base.copied(bench.unused()) as alone, base.copied(bench.unused()) as followed:
        places = seed.inboxes(count, hosts=MANY_HOSTS, port=bench.peers_port)
        seed.follow(followed, places)
        times = bench.interleaved(
            {"alone": lambda: _seconds(alone), "followed": lambda: _seconds(followed)}
        )
    longer = [many - none for many, none in zip(times["followed"], times["alone"], strict=True)]
    bench.report.add(
        Figure(
            "O",
            f"publication to {count:,} inboxes, {name}, longer by",
            longer,
            "s",
            target=LEDGER_AT_MOST_SECONDS,
            most=True,
        )
    )


def _seconds(letter: Letter) -> float:
    began = time.perf_counter()
    letter.run("post", TEXT)
    return time.perf_counter() - began
