"""(F) Fedify from npm with its PostgreSQL queue, doing (I) and (O) on the same machine in turn."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench import crowds, fanout, inbox, seed
from tests.bench.bench import PEOPLE, Bench, Peers
from tests.bench.processes import Running, free_port, running
from tests.bench.report import Figure

SOURCES = Path(__file__).parent / "fedify"
INSTALL_SECONDS = 300
STARTS_WITHIN_SECONDS = 60.0
SENT_WITHIN_SECONDS = 120.0
IN_TARGET, OUT_TARGET = 12.0, 4.0
OUT_SHARE = 4
"""One in so many of the deliveries is enough of the slower one."""


class NotInstalled(Exception):
    """Fedify cannot be had here; the message says why."""


def installed() -> Path:
    """Answer the folder where Fedify is, installed once for all runs; raises NotInstalled."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotInstalled("there is no node or npm on PATH")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "fedi-letter-bench" / "fedify"
    folder.mkdir(parents=True, exist_ok=True)
    for source in SOURCES.iterdir():
        shutil.copy(source, folder)
    if not (folder / "node_modules" / "@fedify" / "fedify").exists():
        # its PostgreSQL queue may be of an older version, whose interface is the same
        command = ["npm", "install", "--no-audit", "--no-fund", "--legacy-peer-deps"]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
        if done.returncode != 0:
            raise NotInstalled(f"npm install failed: {done.stderr.strip()[-300:]}")
    return folder


def run(bench: Bench) -> None:
    """Measure and report, or say why not."""
    try:
        folder = installed()
    except (NotInstalled, subprocess.TimeoutExpired) as problem:
        bench.report.say(f"F: left out: {problem}")
        return
    bench.report.say(f"F: {_versions(folder)}")
    fedify = Fedify(bench, folder)
    _inbox(bench, fedify)
    _fanout(bench, fedify)


@dataclass(frozen=True)
class Fedify:
    """Runs one of the two roles of `server.mjs` on a fresh database."""

    bench: Bench
    folder: Path

    @contextlib.contextmanager
    def running(self, role: str, port: int, *arguments: str, word: str) -> Iterator[Running]:
        """Run it on the measured core until the block ends; it has said the word."""
        postgres, name = self.bench.postgres, f"fedify_{self.bench.unused().name}"
        postgres.copy("template0", name)
        command = ["node", str(self.folder / "server.mjs"), role, str(port)]
        command += [str(postgres.folder), name, *arguments]
        try:
            with running("fedify", command, folder=self.bench.folder) as process:
                process.pin(self.bench.cores.ours)
                process.wait_for(
                    lambda: process.says(word), seconds=STARTS_WITHIN_SECONDS, what=word
                )
                yield process
        finally:
            postgres.drop(name)


def _inbox(bench: Bench, fedify: Fedify) -> None:
    posts = bench.writers.cavage(bench.plan.inbox_posts)
    letter = crowds.taught(bench, bench.letter)

    def theirs() -> float:
        with bench.peers(), fedify.running("inbox", bench.port, word="ready"):
            greetings = posts[:PEOPLE]
            inbox.ask(bench, greetings, port=bench.port, seconds=STARTS_WITHIN_SECONDS)
            outcome = inbox.ask(bench, posts[PEOPLE:], port=bench.port)
        return inbox.all_taken(outcome)

    def ours() -> float:
        return inbox.all_taken(inbox.take(bench, letter, posts, "inbox beside Fedify").outcome)

    rates = bench.interleaved({"theirs": theirs, "ours": ours})
    what, theirs_is = "cavage, SQLite, beside Fedify", "Fedify"
    bench.report.add(Figure("F", what, rates["ours"], "/s", rates["theirs"], theirs_is, IN_TARGET))


def _fanout(bench: Bench, fedify: Fedify) -> None:
    shape = fanout.shapes(bench)[0]
    count = shape.inboxes // OUT_SHARE
    letter = fanout.written(bench, shape)
    places = seed.inboxes(count, hosts=shape.hosts, port=bench.peers_port)
    file = bench.unused()
    file.write_text("\n".join(inbox for inbox, _ in places))

    def theirs(peers: Peers) -> float:
        peers.forget()
        with fedify.running("fanout", free_port(), str(file), word="queued") as node:
            node.wait_for(
                lambda: peers.count >= count,
                seconds=SENT_WITHIN_SECONDS,
                what=f"{count} deliveries",
                poll_seconds=fanout.POLL_SECONDS,
            )
            return peers.tally().rate()

    def ours(peers: Peers) -> float:
        cores, what = (bench.cores.ours,), "fan-out beside Fedify"
        tally = fanout.send(bench, letter, peers, cores=cores, count=shape.inboxes, what=what)
        return tally.rate()

    with bench.peers() as peers:
        rates = bench.interleaved({"theirs": lambda: theirs(peers), "ours": lambda: ours(peers)})
    what = f"{shape.name}, one core, beside Fedify"
    bench.report.add(Figure("F", what, rates["ours"], "/s", rates["theirs"], "Fedify", OUT_TARGET))


def _versions(folder: Path) -> str:
    modules = folder / "node_modules"
    found = [f"node {_told('node', '--version')}"]
    for name in ("@fedify/fedify", "@fedify/postgres"):
        told = json.loads((modules / name / "package.json").read_text())
        found.append(f"{name} {told['version']}")
    return ", ".join(found)


def _told(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
