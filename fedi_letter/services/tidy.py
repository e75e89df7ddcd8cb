"""Forgets what has been kept long enough, in small bites so that no request waits for it."""

from datetime import timedelta

from fedi_letter.services.context import Context
from fedi_letter.store import keys, marks, receipts

BITE = 1_000
SEEN_KEPT = timedelta(days=30)
"""At least as long as any signature is accepted, so that no old request counts twice."""


async def tidy(context: Context) -> int:
    """Take one bite of everything that expires; answers how many rows went."""
    now = context.clock()
    write = context.database.write
    gone = await write(receipts.purge, now, BITE)
    gone += await write(marks.purge_seen, now - SEEN_KEPT)
    gone += await write(marks.purge_markers, now)
    gone += await write(keys.purge_misses, now)
    return gone
