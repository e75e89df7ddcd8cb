"""What the letter's actor says of itself on other servers' profile pages; pure."""

from html import escape

from fedi_letter.activitypub.uris import Uris
from fedi_letter.letter.model import Policy, Way
from fedi_letter.web.views import Site
from fedi_letter.web.ways import PHRASE


def summary(uris: Uris, policy: Policy) -> str:
    """Two sentences as HTML: what this account is and how to sign.

    >>> summary(Uris("https://letter.example", "letter"), Policy()).count("<p>")
    1
    """
    acts = [
        *([f"reply “{PHRASE}”"] if {Way.REPLY, Way.MENTION} & policy.sign_by else []),
        *(["boost it"] if Way.BOOST in policy.sign_by else []),
    ]
    how = f" To sign the letter, {' or '.join(acts)}." if acts else ""
    return f"<p>This account is an open letter.{escape(how)} {_link(uris.page)}</p>"


def fields(site: Site) -> tuple[tuple[str, str], ...]:
    """The rows of the profile's table, each a label and HTML."""
    return (("Letter", _link(site.page)), ("Signatories", _link(site.roll)))


def _link(url: str) -> str:
    shown = escape(url.partition("://")[2].removesuffix("/"))
    return f'<a href="{escape(url)}">{shown}</a>'
