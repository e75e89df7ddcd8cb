"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Callable like `datetime.now(UTC)`; always aware, never moves by itself."""

    def __init__(self, now: datetime = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)) -> None:
        """Start at `now`."""
        self.now = now

    def __call__(self) -> datetime:
        """Answer the present moment."""
        return self.now

    def advance(self, by: timedelta) -> datetime:
        """Move forward and answer the new moment; going back would be another kind of test."""
        if by < timedelta(0):
            raise ValueError("a clock moves forward only")
        self.now += by
        return self.now
