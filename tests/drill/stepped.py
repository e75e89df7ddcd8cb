"""`serve` with a wrong clock: the time of the machine plus what a file says, in seconds.

The real application over real sockets, composed as `serve` composes it; what `serve` adds are its
options and signals. The clock is the one that every process is given when it is opened.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from fedi_letter.app import asgi, ensure_published, open_house
from fedi_letter.settings import load_settings
from fedi_letter.store.database import upgrade


class SteppedClock:
    """Callable like `datetime.now(UTC)`; off by as many seconds as the file says at that moment."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self) -> datetime:
        """Answer the time that this process believes in."""
        return datetime.now(UTC) + timedelta(seconds=float(self._file.read_text() or 0))


async def serve(port: int, clock: SteppedClock) -> None:
    """Serve the letter and do its work until ended."""
    settings = load_settings()
    upgrade(settings.database_url)
    async with open_house(settings, clock=clock) as house:
        await ensure_published(house, settings)
        application = asgi(house, with_worker=True)
        config = uvicorn.Config(
            application, interface="asgi3", port=port, lifespan="on", log_level="warning"
        )
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[2]), SteppedClock(Path(sys.argv[1]))))
