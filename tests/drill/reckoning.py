"""Does it all add up? Everything sent against everything kept, everything announced against what
the other servers saw. Reads tables, pages and tallies; judges by plain arithmetic.

accepted  = counted + withdrawn + held + noted + refused with a reason (+ still open, with a reason)
announced = delivered + waiting + given up with a reason
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from fedi_letter.letter.effects import Verdict
from fedi_letter.store import tables
from fedi_letter.store.database import Connection
from fedi_letter.store.deliveries import DeliveryState
from tests.drill.hosts import Tally
from tests.drill.mail import Mail
from tests.drill.watch import Delays

SKIPPED = "skipped"
"""The title of what stands in a drill's place where it cannot be performed."""
_FEW = 5
_DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Receipt:
    """What the letter kept of one request."""

    activity_id: str | None
    verdict: str | None
    reason: str | None
    is_open: bool
    at_the_door: bool
    seconds: float | None
    """From arrival until it was settled."""
    waits_for: str | None
    """Why it was put off, while it is open."""


@dataclass(frozen=True)
class Line:
    """What the letter kept of one delivery."""

    activity_id: str
    kind: str
    inbox: str
    host: str
    state: str
    outcome: str | None
    attempts: int
    host_rests: bool
    due_at: datetime
    created_at: datetime
    settled_at: datetime | None


@dataclass
class Balance:
    """Rows to print, and everything that does not add up."""

    title: str
    rows: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def say(self, name: str, value: object) -> None:
        """Add a row."""
        self.rows.append((name, str(value)))

    def demand(self, is_so: bool, problem: str) -> None:
        """Add a problem unless it is so."""
        if not is_so:
            self.problems.append(problem)


def receipts(connection: Connection) -> list[Receipt]:
    """Answer every receipt on record."""
    kept = tables.receipts.c
    query = select(
        kept.activity_uri, kept.verdict, kept.reason, kept.state, kept.received_at,
        kept.settled_at, kept.trail,
    ).order_by(kept.id)  # fmt: skip
    return [
        Receipt(
            activity_id=row.activity_uri,
            verdict=row.verdict,
            reason=row.reason,
            is_open=row.settled_at is None,
            at_the_door=row.state == "refused" and row.settled_at == row.received_at,
            seconds=(row.settled_at - row.received_at).total_seconds() if row.settled_at else None,
            waits_for=_put_off(row.trail),
        )
        for row in connection.execute(query)
    ]


def _put_off(trail: str) -> str | None:
    """Answer the reason in the last entry of a receipt's trail that says it was put off."""
    steps = [json.loads(line) for line in trail.splitlines()]
    details = [str(detail) for _, step, detail in steps if step in ("postponed", "failed")]
    return details[-1].partition(":")[0] if details else None


def lines(connection: Connection) -> list[Line]:
    """Answer every delivery on record."""
    kept, sent, servers = tables.deliveries.c, tables.outbox.c, tables.origins.c
    query = (
        select(
            sent.activity_uri, sent.type, kept.inbox, kept.host, kept.state, kept.last_outcome,
            kept.attempts, kept.due_at, kept.created_at, kept.settled_at, servers.held_until,
        )
        .join_from(tables.deliveries, tables.outbox, kept.outbox_id == sent.id)
        .join(tables.origins, kept.host == servers.host, isouter=True)
    )  # fmt: skip
    return [
        Line(
            row.activity_uri, row.type, row.inbox, row.host, row.state, row.last_outcome,
            row.attempts, row.held_until is not None, row.due_at, row.created_at, row.settled_at,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def inbound(kept: list[Receipt], mail: Mail) -> Balance:
    """Answer whether everything that was answered 202 was judged, once."""
    balance, answers = Balance("what came in"), mail.totals()
    inside = [one for one in kept if not one.at_the_door]
    copies = Counter(one.activity_id for one in inside)
    judged = Counter(one.verdict for one in inside if not one.is_open)
    waiting = [one for one in inside if one.is_open]
    balance.say("activities sent", len(mail.answers))
    balance.say("requests: 202 / 4xx / 503 / no answer", _statuses(answers))
    balance.say("from the first try to the 202", Delays.of(list(mail.took.values())))
    balance.say("on record", len(inside))
    for verdict in Verdict:
        balance.say(f"  {verdict}", judged[verdict])
    put_off = Counter(one.waits_for or "no reason" for one in waiting)
    balance.say("  still open, put off because", f"{len(waiting)}: {_counted(put_off)}")
    balance.demand(not put_off["no reason"], f"{put_off['no reason']} wait without a reason")
    balance.say("  of these duplicates", sum(one.reason == _DUPLICATE for one in inside))
    refused = Counter(one.reason for one in inside if one.verdict == Verdict.REFUSED)
    balance.say("  refused because", _counted(refused))
    judging = [one.seconds for one in inside if one.seconds is not None]
    balance.say("from arrival to verdict", Delays.of(judging))
    missing = [one for one in mail.accepted if not copies[one]]
    invented = [
        str(one)
        for one, times in copies.items()
        if times > mail.answers.get(str(one), Counter())[202] + _in_doubt(mail, str(one))
    ]
    balance.demand(not missing, f"answered 202 and not on record: {_some(missing)}")
    balance.demand(not invented, f"on record oftener than sent: {_some(invented)}")
    silent = [str(one.activity_id) for one in inside if not one.is_open and not one.reason]
    balance.demand(not silent, f"settled without a reason: {_some(silent)}")
    accepted = answers[202]
    doubt = sum(_in_doubt(mail, activity) for activity in mail.answers)
    explained = accepted <= len(inside) <= accepted + doubt
    balance.demand(explained, f"{accepted} answered 202, {len(inside)} on record, {doubt} in doubt")
    twice = _judged_twice(inside)
    balance.demand(not twice, f"counted or withdrawn twice: {_some(twice)}")
    return balance


def _in_doubt(mail: Mail, activity: str) -> int:
    """How often nobody can say whether it was stored: killed between the commit and the answer,
    or the commit succeeded and the database died before it could say so."""
    statuses = mail.answers.get(activity, Counter())
    return statuses[0] + statuses[503]


def _judged_twice(inside: list[Receipt]) -> list[str]:
    effective = (Verdict.COUNTED, Verdict.WITHDRAWN, Verdict.HELD)
    found = Counter(str(one.activity_id) for one in inside if one.verdict in effective)
    return [activity for activity, times in found.items() if times > 1]


def outbound(
    kept: list[Line],
    tally: Tally,
    announced: Mapping[str, int],
    class_of: Callable[[str], str] = lambda host: "all",
) -> Balance:
    """Answer whether what is on record of every delivery is what the servers saw.

    `announced` says of each public activity to how many inboxes it was to go.
    """
    balance = Balance("what went out")
    by_class: defaultdict[str, Counter[str]] = defaultdict(Counter)
    wrong: list[str] = []
    for line in kept:
        counted, taken = by_class[class_of(line.host)], tally.taken(line.inbox, line.activity_id)
        counted[line.state] += 1
        counted["arrived"] += bool(taken)
        counted["again"] += max(0, taken - 1)
        wrong += _untrue(line, taken)
        if line.state != DeliveryState.DELIVERED:
            counted[f"{line.state}: {_why(line)}"] += 1
    for name, counted in sorted(by_class.items()):
        states = [f"{state} {counted[state]}" for state in DeliveryState]
        seen = f"seen by them {counted['arrived']} (+{counted['again']} again)"
        reasons = {key: n for key, n in counted.items() if ":" in key}
        balance.say(name, f"{', '.join(states)}; {seen}; {_counted(Counter(reasons))}")
    rows = Counter(line.activity_id for line in kept)
    for activity, inboxes in announced.items():
        told = f"{activity} was to go to {inboxes} inboxes, and {rows[activity]} are on record"
        balance.demand(rows[activity] == inboxes, told)
    strange = [f"{inbox} {activity}" for inbox, activity in tally.posts if activity not in rows]
    balance.demand(not strange, f"seen by a server and not on record: {_some(strange)}")
    changed = [activity for activity, bodies in tally.bodies.items() if bodies > 1]
    balance.demand(not changed, f"one id with several bodies: {_some(changed)}")
    balance.demand(not wrong, f"{len(wrong)} reports are untrue: {_some(wrong)}")
    return balance


def _untrue(line: Line, taken: int) -> list[str]:
    where = f"{line.kind} to {line.inbox}"
    if line.state == DeliveryState.DELIVERED and not taken:
        return [f"{where} is called delivered and never arrived"]
    if line.state != DeliveryState.DELIVERED and taken:
        return [f"{where} arrived and is called {line.state} ({line.outcome})"]
    if line.state != DeliveryState.DELIVERED and not line.outcome and not line.host_rests:
        return [f"{where} is {line.state} without a reason"]
    return []


def _why(line: Line) -> str:
    return line.outcome or ("host-rests" if line.host_rests else "no reason")


def _statuses(answers: Counter[int]) -> str:
    refused = sum(count for status, count in answers.items() if 400 <= status < 500)
    return f"{answers[202]} / {refused} / {answers[503]} / {answers[0]}"


def _counted(found: Mapping[str | None, int] | Mapping[str, int]) -> str:
    return ", ".join(f"{key} {count}" for key, count in sorted(found.items(), key=str)) or "-"


def _some(found: list[str]) -> str:
    more = f" and {len(found) - _FEW} more" if len(found) > _FEW else ""
    return "; ".join(sorted(found)[:_FEW]) + more
