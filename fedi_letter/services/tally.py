"""What happened in this process since it started, counted; and the log lines that tell of it.

1. A count belongs to one process: several have several, and whoever adds them up asks all.
2. Labels are reasons of ours, a closed list; should one ever come from outside, the two-hundredth
   is the last that gets a count of its own.
3. A line is one decision: `key=value`, quoted where a value could be taken for something else. It
   holds no body, key, cookie or address, and no id of what is not known to be public.
4. Everything here runs on the event loop's thread, so it needs no lock.
"""

import json
import logging
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

log = logging.getLogger(__name__)

LABELS_AT_MOST = 200
LONGEST_VALUE = 500
OTHER = "other"
_NEEDS_QUOTES = frozenset(' "=\\')


class Counted(StrEnum):
    """What is counted, with the labels it is counted by."""

    ARRIVALS = "arrivals"  # status, reason
    VERDICTS = "verdicts"  # verdict, reason
    DELIVERIES = "deliveries"  # state, outcome
    HOSTS = "hosts"  # change


@dataclass
class Tally:
    """The counts of one process."""

    _counts: dict[Counted, Counter[tuple[str, ...]]] = field(
        default_factory=lambda: {each: Counter() for each in Counted}
    )
    _turned_away: int = 0

    def count(self, what: Counted, *labels: object, by: int = 1) -> None:
        """Count one more, or `by` more."""
        counts = self._counts[what]
        key = tuple(str(label) for label in labels)
        if key not in counts and len(counts) >= LABELS_AT_MOST:
            key = (OTHER,) * len(key)
        counts[key] += by

    def counts(self, what: Counted) -> dict[tuple[str, ...], int]:
        """Answer what was counted since the start, by its labels."""
        return dict(self._counts[what])

    def answered(self, status: int, reason: str | None, host: str | None = None) -> None:
        """Note how an arrival at the inbox was answered; only a refusal is worth a line.

        What is told off for overload is counted one by one and told once, when it begins and when
        it ends: a flood must not become a flood of lines.
        """
        self.count(Counted.ARRIVALS, status, reason or "accepted")
        if status == 503:
            if not self._turned_away:
                log.warning("%s", line("overload", state="began", reason=reason))
            self._turned_away += 1
            return
        if self._turned_away:
            log.warning("%s", line("overload", state="ended", turned_away=self._turned_away))
            self._turned_away = 0
        if status >= 400:
            log.info("%s", line("refused", status=status, reason=reason, host=host))

    def given_up_unsent(self, outcome: str, count: int) -> None:
        """Note what was given up without another try, with the recipient or the whole server."""
        self.count(Counted.DELIVERIES, "given-up", outcome, by=count)
        log.info("%s", line("given-up-unsent", outcome=outcome, deliveries=count))

    def host_changed(self, change: str, host: str, **more: object) -> None:
        """Note that a server rests, answers again, is given up, or has spoken to us again."""
        self.count(Counted.HOSTS, change)
        log.info("%s", line("host", change=change, host=host, **more))


def line(event: str, **values: object) -> str:
    """Answer one line of the log.

    >>> line("refused", status=401, reason="stale", said='a "b"', host=None)
    'event=refused status=401 reason=stale said="a \\\\"b\\\\"" host=-'
    """
    pairs = (f"{name}={_written(value)}" for name, value in values.items())
    return " ".join((f"event={event}", *pairs))


def _written(value: object) -> str:
    if value is None:
        return "-"
    text = str(value)[:LONGEST_VALUE]
    is_plain = text.isprintable() and _NEEDS_QUOTES.isdisjoint(text)
    return text if text and is_plain else json.dumps(text)
