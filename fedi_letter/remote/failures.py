"""What stood between us and a good answer, as one enum, and the one error that carries it.

It must not know how answers are fetched.
"""

from datetime import timedelta
from enum import StrEnum


class FetchProblem(StrEnum):
    """What stood between us and a good answer."""

    GONE = "gone"
    NOT_FOUND = "not-found"
    TOMBSTONE = "tombstone"
    FORBIDDEN = "forbidden"
    REFUSED = "refused"
    RATE_LIMITED = "rate-limited"
    SERVER_ERROR = "server-error"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    BLOCKED_ADDRESS = "blocked-address"
    WRONG_TYPE = "wrong-type"
    TOO_LARGE = "too-large"
    MALFORMED = "malformed"
    WRONG_ID = "wrong-id"
    REDIRECTED = "redirected"
    FOREIGN_REDIRECT = "foreign-redirect"
    TOO_MANY_REDIRECTS = "too-many-redirects"


_TRANSIENT = frozenset(
    {
        FetchProblem.RATE_LIMITED,
        FetchProblem.SERVER_ERROR,
        FetchProblem.UNREACHABLE,
        FetchProblem.TIMEOUT,
    }
)
_OF_STATUS = {
    401: FetchProblem.FORBIDDEN,
    403: FetchProblem.FORBIDDEN,
    404: FetchProblem.NOT_FOUND,
    408: FetchProblem.SERVER_ERROR,
    410: FetchProblem.GONE,
    425: FetchProblem.SERVER_ERROR,
    429: FetchProblem.RATE_LIMITED,
}


def problem_of(status: int) -> FetchProblem | None:
    """Answer what an HTTP status means for us; None for every 2xx.

    >>> problem_of(202), problem_of(410), problem_of(502)
    (None, <FetchProblem.GONE: 'gone'>, <FetchProblem.SERVER_ERROR: 'server-error'>)
    """
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return FetchProblem.REDIRECTED
    return _OF_STATUS.get(
        status, FetchProblem.SERVER_ERROR if status >= 500 else FetchProblem.REFUSED
    )


class FetchFailed(Exception):
    """No usable document came; `status` is the HTTP status if there was an answer at all."""

    def __init__(
        self,
        problem: FetchProblem,
        status: int | None = None,
        detail: str = "",
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(f"{problem}: {detail}" if detail else str(problem))
        self.problem = problem
        self.status = status
        self.detail = detail
        self.retry_after = retry_after

    @property
    def is_transient(self) -> bool:
        """Whether asking again later can help."""
        return self.problem in _TRANSIENT

    @property
    def is_gone(self) -> bool:
        """Whether the origin says, in so many words, that it deleted this; a 404 does not."""
        return self.problem in (FetchProblem.GONE, FetchProblem.TOMBSTONE)
