"""How much is measured: fully within a quarter of an hour, quickly within three minutes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Sizes of every scenario; `seconds` bounds each measured load."""

    repetitions: int
    slices: int
    seconds: float
    inbox_posts: int
    deliveries: int
    signatories: tuple[int, ...]
    followers: tuple[int, ...]
    ledger_inboxes: int = 50_000


FULL = Plan(
    repetitions=3,
    slices=11,
    seconds=4.0,
    inbox_posts=16_000,
    deliveries=4_000,
    signatories=(1_000, 10_000, 100_000),
    followers=(1_000, 10_000, 50_000),
)
QUICK = Plan(
    repetitions=1,
    slices=5,
    seconds=1.5,
    inbox_posts=5_000,
    deliveries=2_000,
    signatories=(1_000, 10_000),
    followers=(1_000, 10_000),
)
