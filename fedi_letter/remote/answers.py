"""What an answer means: how long to wait, where it points, which document it holds, and whose.

Pure; every value is a stranger's. Odd headers read as nothing; a body that is not the document
asked for is a `FetchFailed`. It must not know how the answer came.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from fedi_letter.activitypub.reading import Malformed, read_json
from fedi_letter.activitypub.vocabulary import ACTIVITY_JSON, ACTIVITYSTREAMS, JRD_JSON
from fedi_letter.httpsig.dates import read_http_date
from fedi_letter.remote.failures import FetchFailed, FetchProblem, problem_of
from fedi_letter.remote.transport import WireResponse

LONGEST_RETRY_AFTER = timedelta(hours=24)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def retry_after(response: WireResponse, now: datetime) -> timedelta | None:
    """Answer how long the host asks us to stay away: 0 to 24 h, or None (RFC 9110 §10.2.3)."""
    value = (response.value("retry-after") or "").strip()
    if not value:
        return None
    asked = _seconds(value) if value.isdecimal() else _until(value, now)
    if asked is None:
        return None
    return max(timedelta(0), min(asked, LONGEST_RETRY_AFTER))


def redirect(response: WireResponse) -> str | None:
    """Answer where a redirect points, as written; None for every other answer (RFC 9110 §15.4)."""
    return response.value("location") if response.status in _REDIRECTS else None


def dated(response: WireResponse) -> datetime | None:
    """Answer what the other side's clock said (RFC 9110 §6.6.1); None where it said nothing."""
    try:
        return read_http_date(response.value("date") or "")
    except ValueError:
        return None


def is_activity_type(content_type: str) -> bool:
    """Whether a body of this type may be read as ActivityStreams (AP §3.2, T50).

    `ld+json` needs the profile: files that somebody uploaded are served under wider types, and one
    of them could pose as a document of its host.

    >>> is_activity_type("application/activity+json; charset=utf-8")
    True
    >>> is_activity_type("application/ld+json"), is_activity_type("application/json")
    (False, False)
    """
    kind, _, parameters = content_type.partition(";")
    kind = kind.strip().lower()
    return kind == ACTIVITY_JSON or (
        kind == "application/ld+json" and ACTIVITYSTREAMS in _profiles(parameters)
    )


def is_jrd_type(content_type: str) -> bool:
    """Whether a body of this type may be read as a JRD (RFC 7033 §10.2, and what servers send)."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind in (JRD_JSON, "application/json")


def document_in(
    response: WireResponse, is_wanted_type: Callable[[str], bool], now: datetime
) -> dict[str, Any]:
    """Answer the JSON object in a 2xx answer of the wanted type; raises FetchFailed."""
    problem = problem_of(response.status)
    if problem is not None:
        raise FetchFailed(problem, response.status, "", retry_after(response, now))
    content_type = response.value("content-type") or ""
    if not is_wanted_type(content_type):
        raise FetchFailed(FetchProblem.WRONG_TYPE, response.status, content_type[:100])
    if response.is_cut:
        raise FetchFailed(FetchProblem.TOO_LARGE, response.status)
    try:
        return read_json(response.body)
    except Malformed as malformed:
        raise FetchFailed(FetchProblem.MALFORMED, response.status, str(malformed)) from malformed


def refuse_impostor(document: Mapping[str, Any], url: str, *, same_id: bool) -> None:
    """Raise FetchFailed when the document from `url` is of another id, or is that id's Tombstone.

    Only the id's own url can declare it deleted (FEP-fe34, T49).
    """
    is_own = is_same_uri(document.get("id"), url)
    if same_id and not is_own:
        named = str(document.get("id"))[:200]
        raise FetchFailed(FetchProblem.WRONG_ID, 200, f"{url} answered with {named}")
    if is_own and document.get("type") == "Tombstone":
        raise FetchFailed(FetchProblem.TOMBSTONE, 200, url)


def is_same_uri(identifier: object, url: str) -> bool:
    """Whether `identifier` names the document at `url`: fragments and one last slash aside (C12).

    >>> is_same_uri("https://far.example/ada#main-key", "https://far.example/ada")
    True
    >>> is_same_uri("https://far.example/bob", "https://far.example/ada")
    False
    """
    return isinstance(identifier, str) and _bare(identifier) == _bare(url)


def without_fragment(uri: str) -> str:
    """Answer what is asked for when this uri is fetched; unlike urllib's, this never raises.

    >>> without_fragment("https://far.example/ada#main-key")
    'https://far.example/ada'
    """
    return uri.partition("#")[0]


def _bare(uri: str) -> str:
    return without_fragment(uri).removesuffix("/")


def _profiles(parameters: str) -> list[str]:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.strip().lower() == "profile":
            return value.strip().strip('"').split()
    return []


def _seconds(value: str) -> timedelta:
    # Cut before int(): a number of a million digits is a stranger's idea of work for us.
    return timedelta(seconds=int(value)) if len(value) <= 9 else LONGEST_RETRY_AFTER


def _until(value: str, now: datetime) -> timedelta | None:
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):  # or a year that no clock will show
        return None
