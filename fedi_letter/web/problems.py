"""What can go wrong for a visitor, as one closed list with one table of status codes.

Knows nothing of how a problem is shown: `web.responses` writes it as JSON or as a page.
"""

from enum import StrEnum


class Problem(StrEnum):
    """A kind of failure, in the words of the title shown to the visitor."""

    MALFORMED = "The request is malformed"
    SIGNATURE_REFUSED = "The signature was refused"
    FORBIDDEN = "This is not allowed"
    NOT_FOUND = "There is nothing here"
    METHOD_NOT_ALLOWED = "That method does not work here"
    TIMED_OUT = "The request took too long to arrive"
    GONE = "This was taken back"
    TOO_LARGE = "The request is too large"
    UNSUPPORTED_TYPE = "That media type is not understood here"
    UNPROCESSABLE = "The request cannot be followed"
    TOO_MANY = "Too many requests"
    BROKEN = "Something broke on our side"
    UNAVAILABLE = "The letter is out of reach for a moment"


STATUS: dict[Problem, int] = {
    Problem.MALFORMED: 400,
    Problem.SIGNATURE_REFUSED: 401,
    Problem.FORBIDDEN: 403,
    Problem.NOT_FOUND: 404,
    Problem.METHOD_NOT_ALLOWED: 405,
    Problem.TIMED_OUT: 408,
    Problem.GONE: 410,
    Problem.TOO_LARGE: 413,
    Problem.UNSUPPORTED_TYPE: 415,
    Problem.UNPROCESSABLE: 422,
    Problem.TOO_MANY: 429,
    Problem.BROKEN: 500,
    Problem.UNAVAILABLE: 503,
}
"""The one table from a problem to the status it is answered with."""

BY_STATUS: dict[int, Problem] = {status: problem for problem, status in STATUS.items()}


class Refused(Exception):
    """An answer that is not what was asked for; the message is shown, so it holds no secret."""

    def __init__(
        self, problem: Problem, detail: str | None = None, *, headers: dict[str, str] | None = None
    ) -> None:
        """`detail` is one sentence for the visitor; `headers` go out with the answer."""
        super().__init__(detail or problem.value)
        self.problem = problem
        self.detail = detail
        self.headers = headers or {}


def nothing_here() -> Refused:
    """The one answer for what is missing and for what is private (interop F16, T60)."""
    return Refused(Problem.NOT_FOUND)


def unpublished() -> Refused:
    """What is asked for will exist: never 404, which other servers remember (law 8)."""
    return Refused(
        Problem.UNAVAILABLE, "the letter is not published yet", headers={"Retry-After": "120"}
    )
