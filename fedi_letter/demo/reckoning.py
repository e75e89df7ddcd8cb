"""Does it all add up? Every request sent to the letter against every receipt the letter kept.

Compares what the other servers were answered with what is on record, and the roll with what the
play says it ought to be.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from fedi_letter.letter.effects import Verdict
from fedi_letter.store import progress, receipts
from fedi_letter.store.database import Connection
from fedi_letter.store.deliveries import DeliveryState
from fedi_letter.store.receipts import Receipt, ReceiptState

EVERY_RECEIPT = 1_000_000


@dataclass(frozen=True)
class Reckoning:
    """The balance: left what was sent and answered, right what the letter has on record."""

    sent: int
    accepted: int
    turned_away: int
    unanswered: int
    on_record: int
    judged: dict[str, int]
    refused_at_the_door: dict[str, int]
    refused_later: dict[str, int]
    still_open: int
    delivered: int
    waiting: int
    given_up: int
    missing_from_roll: frozenset[str]
    not_expected_on_roll: frozenset[str]

    @property
    def problems(self) -> list[str]:
        """Answer every line that does not add up; none when it balances."""
        found = []
        if self.sent != self.accepted + self.turned_away + self.unanswered:
            found.append("some requests were answered neither yes nor no")
        # Killed between the commit and the answer, a receipt is on record and was never answered.
        on_record = sum(self.judged.values()) + self.still_open
        if not self.accepted <= on_record <= self.accepted + self.unanswered:
            found.append("the requests answered 202 are not the receipts on record")
        if self.turned_away != sum(self.refused_at_the_door.values()):
            found.append("the requests turned away are not the refusals on record")
        if self.still_open:
            found.append("some receipts were never judged")
        if self.missing_from_roll:
            found.append(f"missing from the roll: {', '.join(sorted(self.missing_from_roll))}")
        if self.not_expected_on_roll:
            found.append(f"on the roll by mistake: {', '.join(sorted(self.not_expected_on_roll))}")
        return found


def reckon(
    connection: Connection,
    answers: Counter[int],
    *,
    roll: Iterable[str],
    expected: Iterable[str],
) -> Reckoning:
    """Answer the balance: `answers` counts every status the letter's server gave to a POST.

    `roll` and `expected` are handles.
    """
    kept = receipts.recent(connection, EVERY_RECEIPT)
    at_the_door = [one for one in kept if _is_at_the_door(one)]
    inside = [one for one in kept if not _is_at_the_door(one)]
    underway = progress.counts(connection)
    listed, wanted = frozenset(roll), frozenset(expected)
    return Reckoning(
        sent=sum(answers.values()),
        accepted=answers[202],
        turned_away=sum(count for status, count in answers.items() if 400 <= status < 500),
        unanswered=answers[0],
        on_record=len(kept),
        judged=dict(Counter(str(one.verdict) for one in inside if one.verdict is not None)),
        refused_at_the_door=dict(Counter(str(one.reason) for one in at_the_door)),
        refused_later=dict(
            Counter(str(one.reason) for one in inside if one.verdict is Verdict.REFUSED)
        ),
        still_open=sum(one.state.is_open for one in inside),
        delivered=underway[DeliveryState.DELIVERED],
        waiting=underway[DeliveryState.WAITING],
        given_up=underway[DeliveryState.GIVEN_UP],
        missing_from_roll=wanted - listed,
        not_expected_on_roll=listed - wanted,
    )


def _is_at_the_door(receipt: Receipt) -> bool:
    """Whether the peer was told no at once: such a receipt is settled the moment it arrives."""
    return receipt.state is ReceiptState.REFUSED and receipt.settled_at == receipt.received_at
