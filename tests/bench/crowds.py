"""Letters prepared once for several scenarios: that know who writes to them, and that many signed.

Each is made by being used, as it would be; only the roll is seeded. They are to be copied.
"""

from tests.bench import seed
from tests.bench.bench import PEOPLE, Bench
from tests.bench.generator import drive
from tests.bench.letter import Letter

LEARNING_SECONDS = 120.0
LEARNING_PER_SECOND = 100.0


def taught(bench: Bench, base: Letter) -> Letter:
    """Answer a copy of `base` that has learnt the key of everybody who will write to it."""
    return bench.kept(f"taught {base.database_url}", lambda: _taught(bench, base))


def crowded(bench: Bench, signatories: int) -> Letter:
    """Answer a letter on SQLite that knows its writers and has so many others on its roll."""
    return bench.kept(f"crowded {signatories}", lambda: _crowded(bench, signatories))


def _taught(bench: Bench, base: Letter) -> Letter:
    copy = base.copy(bench.unused())
    greetings = bench.writers.cavage(PEOPLE)
    with bench.peers(), copy.web(bench.cores.ours):
        drive(
            bench.port,
            iter(greetings),
            core=bench.cores.theirs,
            seconds=LEARNING_SECONDS,
            per_second=LEARNING_PER_SECOND,
        )
    known = copy.ask("SELECT count(*) FROM keys")
    assert known == PEOPLE, f"only {known} of {PEOPLE} keys were learnt"
    return copy


def _crowded(bench: Bench, signatories: int) -> Letter:
    copy = taught(bench, bench.letter).copy(bench.unused())
    seed.sign(copy, signatories)
    return copy
