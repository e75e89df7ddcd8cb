"""Drill 3: the disk on which the database lies is full for a while; only root can rehearse it."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.drill.manners import Manner
from tests.drill.reckoning import SKIPPED, Balance
from tests.drill.scene import Scene, Setting, scene

SIGNERS, HOSTS = 400, 40
PER_SECOND = 40.0
FULL_SECONDS = 6.0
MEGABYTES = {"sqlite": 24, "postgresql": 160}
SETTLES_WITHIN_SECONDS = 240.0
_CHUNK = bytes(4_096)


async def fulldisk(setting: Setting) -> list[Balance]:
    """Perform it; answer the balances."""
    if os.geteuid() != 0:
        skipped = Balance(SKIPPED)
        skipped.say("reason", "a small disk can be mounted by root alone")
        return [skipped]
    with _small_disk(MEGABYTES[setting.database]) as disk:
        async with scene(setting, [Manner.PROMPT] * HOSTS, folder=disk) as here:
            return await _perform(here, disk)


async def _perform(here: Scene, disk: Path) -> list[Balance]:
    signers = [here.person(n % HOSTS, f"signer{n}") for n in range(here.setting.share(SIGNERS))]
    half = len(signers) // 2
    await here.mail.wave([here.crowd.reply(one) for one in signers[:half]], PER_SECOND)
    stopper = disk / "stopper"
    await asyncio.to_thread(_fill, stopper)
    later = asyncio.create_task(
        here.mail.wave([here.crowd.reply(one) for one in signers[half:]], PER_SECOND)
    )
    await asyncio.sleep(FULL_SECONDS)
    while_full = here.mail.totals()
    stopper.unlink()
    trouble = Balance("while the disk was full")
    await asyncio.to_thread(_revive_database, here, trouble)
    await later
    await here.kill_one_of_each()
    await here.settled(SETTLES_WITHIN_SECONDS)
    coming, going = await here.reckon()
    roll = await here.roll()
    coming.say("on the public roll", f"{len(roll)} of {len(signers)} expected")
    coming.demand(sorted(roll) == sorted(one.uri for one in signers), "the roll is not theirs")
    trouble.say("requests: 503 / no answer", f"{while_full[503]} / {while_full[0]}")
    waits = here.mail.retry_after
    trouble.say("Retry-After of the 503s", ", ".join(f"{s}: {n}" for s, n in waits.items()))
    trouble.demand(while_full[503] > 0, "nobody was answered 503: was the disk full?")
    trouble.demand(not waits["none"], "a 503 without Retry-After")
    going.say("killed", ", ".join(here.machine.kills))
    for note in here.notes:
        going.say("note", note)
    return [trouble, coming, going]


@contextlib.contextmanager
def _small_disk(megabytes: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="letter-disk-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs under an account of its own
        size = f"size={megabytes}m"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def _fill(stopper: Path) -> None:
    """Leave not a byte free."""
    with stopper.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for _ in range(shutil.disk_usage(stopper.parent).free // len(_CHUNK) + 100):
            file.write(_CHUNK)


def _revive_database(here: Scene, trouble: Balance) -> None:
    """Start PostgreSQL again if it gave up, as whoever made room would."""
    if here.server is None:
        return
    try:
        here.server.run("pg_ctl", "-D", here.server.cluster, "status")
        trouble.say("PostgreSQL", "went on by itself")
    except subprocess.CalledProcessError:
        here.server.start()
        trouble.say("PostgreSQL", "had stopped for want of room and was started again")
