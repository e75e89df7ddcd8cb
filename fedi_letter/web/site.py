"""What every endpoint is given: the context, the door to the inbox, templates, finished bytes."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from starlette.requests import Request

from fedi_letter.services.context import Context
from fedi_letter.store.letters import Revision
from fedi_letter.store.roll import roll_total
from fedi_letter.web import lookups
from fedi_letter.web.cache import Cache
from fedi_letter.web.codings import choose_coding
from fedi_letter.web.freshness import Fresh, Pace
from fedi_letter.web.inbox import Accepting
from fedi_letter.web.kept import Kept, RawHeaders
from fedi_letter.web.lookups import Edition, Tallies
from fedi_letter.web.metrics import Metrics
from fedi_letter.web.responses import Finished, security_headers
from fedi_letter.web.templates import Templates
from fedi_letter.web.views import Head, Site

REVISIONS_KEPT = 32
TOTALS_KEPT = 8
EDITIONS_KEPT = 2
PAGES_KEPT_BYTES = 8_000_000
"""All pages of a letter in every language and coding many times over, and a part of its roll."""

LONG_READS_AT_ONCE = 2
"""A search or an export reads the whole roll: many of them must leave connections to the pages."""

Make = Callable[[], Coroutine[Any, Any, Finished]]


@dataclass(frozen=True)
class Web:
    """One letter's site; made once at start by `web`."""

    context: Context
    intake: Accepting
    templates: Templates
    site: Site
    metrics: Metrics
    edition: Fresh[Edition]
    """What the finished answers depend on; every request sees one that is young enough."""
    security: RawHeaders
    """What every answer carries."""
    pages: Cache[Kept] = field(
        default_factory=lambda: Cache(PAGES_KEPT_BYTES, lambda kept: kept.weight)
    )
    revisions: Cache[Revision] = field(default_factory=lambda: Cache(REVISIONS_KEPT))
    totals: Cache[int] = field(default_factory=lambda: Cache(TOTALS_KEPT))
    long_reads: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(LONG_READS_AT_ONCE)
    )

    @property
    def profile_path(self) -> str:
        """The path of the human page behind the handle."""
        return self.context.uris.profile.removeprefix(self.context.uris.origin)

    def render(self, template: str, head: Head, here: str = "", **values: object) -> bytes:
        """A page; `here` names the entry of the menu that is the present one."""
        shown = {"site": self.site, "head": head, "here": here, **values}
        return self.templates.render(template, shown)

    async def total(self, edition: Edition) -> int:
        """How many are on the roll; counted once for each of its versions."""
        count = partial(self.context.database.read, roll_total, self.context.letter_id)
        return await self.totals.get(edition.stamp.roll_version, count)

    async def finished(
        self,
        request: Request,
        name: Hashable,
        make: Make,
        *,
        edition: Edition | None,
        hot: bool = True,
    ) -> Kept:
        """The answer called `name`, made once in an edition and once more for each coding of it.

        `edition` is None for what never changes while we run. What is not `hot` is asked for by
        few, and comes by way of the router each time.
        """
        plain = await self.pages.get((name, edition), partial(self._keep, make))
        coding = choose_coding(", ".join(request.headers.getlist("accept-encoding")))
        kept = plain
        if coding is not None and plain.is_compressible:
            pack = partial(asyncio.to_thread, plain.compressed, coding)
            kept = await self.pages.get((name, edition, coding), pack)
        # the same by value, yet `front` tells editions apart by identity
        kept.edition, kept.hot = edition, hot
        return kept

    async def _keep(self, make: Make) -> Kept:
        return Kept(await make(), self.security)


def web(
    context: Context,
    intake: Accepting,
    templates: Templates,
    pace: Pace | None = None,
    *,
    metrics_token: str | None = None,
) -> Web:
    """The site of the context's letter; `pace` says how soon a change must be seen.

    Without a token only this machine sees the metrics.
    """
    pace = pace or Pace()
    count = partial(context.database.read, lookups.tallies, context.letter_id)
    tallies = Fresh(count, context.clock, pace.tallies)
    editions: Cache[Edition] = Cache(EDITIONS_KEPT)
    return Web(
        context=context,
        intake=intake,
        templates=templates,
        site=Site.of(context.uris),
        metrics=Metrics(context, metrics_token),
        edition=Fresh(partial(_edition, context, tallies, editions), context.clock, pace.edition),
        security=security_headers(secure=context.uris.origin.startswith("https:")),
    )


async def _edition(context: Context, tallies: Fresh[Tallies], editions: Cache[Edition]) -> Edition:
    """The edition of now, read whole only when its stamp or the tallies are others than before."""
    read, letter_id = context.database.read, context.letter_id
    counted = await tallies.ask()
    stamped = await read(lookups.stamp, letter_id)
    make = partial(read, lookups.edition, letter_id, context.uris, stamped, counted)
    return await editions.get((stamped, counted), make)
