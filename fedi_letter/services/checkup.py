"""Findings about the queues, the clock and the disk: what is measured, judged by plain rules.

Whoever asks has measured (but for `free_bytes`), so every rule can be tried with any number.
"""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from fedi_letter.store.headway import Waiting
from fedi_letter.store.vitals import Housing, Spool

LATE = timedelta(minutes=10)
"""What is due for longer shows that no worker is running, or that it cannot keep up."""
ACTIVE = timedelta(minutes=5)
"""A worker begins some chore every minute."""
CLOCKS_AGREE = timedelta(seconds=30)
SCARCE_BYTES, FEW_BYTES = 200 * 2**20, 2 * 2**30
START_A_WORKER = "start fedi-letter worker (serve runs one by itself)"
NOBODY_WORKS = f"no worker is running, or it cannot keep up: {START_A_WORKER}"


class Grade(StrEnum):
    """How a check came out."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One check: what was looked at, how it is, and what to do when it is not good."""

    check: str
    grade: Grade
    found: str
    fix: str = ""


def inbox(spool: Spool, now: datetime) -> Finding:
    """Whether what arrives is judged in time."""
    if not spool.pending or spool.oldest_pending_at is None:
        return Finding("inbox", Grade.GOOD, "nothing waits to be judged")
    age = now - spool.oldest_pending_at
    found = f"{spool.pending} wait to be judged, the oldest for {_told(age)}"
    if age < LATE:
        return Finding("inbox", Grade.GOOD, found)
    return Finding("inbox", Grade.BAD, found, NOBODY_WORKS)


def keys(spool: Spool, now: datetime) -> Finding:
    """Whether receipts wait for keys, or other words of their senders' servers."""
    if not spool.waiting or spool.oldest_waiting_at is None:
        return Finding("keys", Grade.GOOD, "nothing waits for a key")
    age = now - spool.oldest_waiting_at
    return Finding(
        "keys",
        Grade.WARNING,
        f"{spool.waiting} wait for a key or another word of a server, the oldest for {_told(age)}",
        "nothing to do if it is few servers: they are asked for a day; if it is all of them, this "
        "machine cannot reach the others: look at its DNS and firewall",
    )


def outgoing(next_due: datetime | None, waiting: Waiting, now: datetime) -> Finding:
    """Whether what is due goes out in time; what a resting server waits for is not late."""
    if not waiting.total:
        return Finding("deliveries", Grade.GOOD, "nothing waits to be sent")
    found = (
        f"{waiting.due} are due, {waiting.retrying} wait for a retry, "
        f"{waiting.held} are held while their server rests"
    )
    if next_due is None or now - next_due < LATE:
        return Finding("deliveries", Grade.GOOD, found)
    found += f"; the oldest has been due for {_told(now - next_due)}"
    return Finding("deliveries", Grade.BAD, found, NOBODY_WORKS)


def worker(last_active_at: datetime | None, now: datetime) -> Finding:
    """Whether a worker has been about lately."""
    if last_active_at is None:
        return Finding("worker", Grade.BAD, "no worker has ever run", START_A_WORKER)
    idle = now - last_active_at
    if idle < ACTIVE:
        return Finding("worker", Grade.GOOD, "a worker was active within the last minutes")
    found = f"no worker has been active for {_told(idle)}"
    return Finding("worker", Grade.BAD, found, START_A_WORKER)


def clock(whose: str, theirs: datetime | None, now: datetime) -> Finding:
    """Whether another clock agrees with ours: signatures are refused where they do not."""
    check = f"clock of the {whose}"
    if theirs is None:
        return Finding(check, Grade.GOOD, "it tells no time of its own")
    apart = abs(now - theirs)
    found = f"it differs from this machine's by {round(apart.total_seconds())} s"
    if apart <= CLOCKS_AGREE:
        return Finding(check, Grade.GOOD, found)
    return Finding(check, Grade.BAD, found, "set both by NTP: timedatectl set-ntp true")


def disk(free: int | None) -> Finding:
    """Whether the volume of the database's file has room; None where it is not on this machine."""
    if free is None:
        return Finding("disk", Grade.GOOD, "the database is not a file of this machine")
    found = f"{free // 2**20:,} MB are free for the database"
    if free >= FEW_BYTES:
        return Finding("disk", Grade.GOOD, found)
    grade = Grade.WARNING if free >= SCARCE_BYTES else Grade.BAD
    fix = "make room, or move the database to a larger volume: a full disk turns arrivals away"
    return Finding("disk", grade, found, fix)


def journal(housing: Housing) -> Finding:
    """Whether the database's file is written ahead, so that reading does not wait for writing."""
    if housing.journal_mode is None:
        return Finding("journal", Grade.GOOD, "PostgreSQL keeps its own")
    found = f"the journal mode is {housing.journal_mode}"
    if housing.journal_mode == "wal":
        return Finding("journal", Grade.GOOD, found)
    return Finding(
        "journal",
        Grade.BAD,
        f"{found}, not wal",
        "put the file on a local disk: network file systems cannot do it",
    )


def free_bytes(housing: Housing) -> int | None:
    """Answer the room on the volume of the database's file; None where there is none."""
    return None if housing.file is None else shutil.disk_usage(Path(housing.file).parent).free


def _told(age: timedelta) -> str:
    minutes = max(age // timedelta(minutes=1), 0)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
