"""What every endpoint is given: the context, the door to the inbox, templates, finished bytes."""

from dataclasses import dataclass, field
from functools import partial

from fedi_letter.services.context import Context
from fedi_letter.store.letters import Revision
from fedi_letter.web import lookups
from fedi_letter.web.cache import Cache, Shared
from fedi_letter.web.inbox import Accepting
from fedi_letter.web.lookups import Edition
from fedi_letter.web.responses import Finished
from fedi_letter.web.templates import Templates
from fedi_letter.web.views import Head, Site

REVISIONS_KEPT = 32


@dataclass(frozen=True)
class Web:
    """One letter's site; made once at start by `web`."""

    context: Context
    intake: Accepting
    templates: Templates
    site: Site
    edition: Shared[Edition]
    """What the cached bytes depend on, asked once for all who ask at the same time."""
    pages: Cache[Finished] = field(default_factory=Cache)
    revisions: Cache[Revision] = field(default_factory=lambda: Cache(REVISIONS_KEPT))

    @property
    def profile_path(self) -> str:
        """The path of the human page behind the handle."""
        return self.context.uris.profile.removeprefix(self.context.uris.origin)

    def render(self, template: str, head: Head, here: str = "", **values: object) -> bytes:
        """A page; `here` names the entry of the menu that is the present one."""
        shown = {"site": self.site, "head": head, "here": here, **values}
        return self.templates.render(template, shown)


def web(context: Context, intake: Accepting, templates: Templates) -> Web:
    """The site of the context's letter."""
    ask = partial(context.database.read, lookups.edition, context.letter_id, context.uris)
    return Web(
        context=context,
        intake=intake,
        templates=templates,
        site=Site.of(context.uris),
        edition=Shared(ask),
    )
