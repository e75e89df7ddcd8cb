"""What the reader asked for: page or document, which language, which number; pure.

Whether an `Accept` header wants ActivityPub is `activitypub.discovery`'s to say; this module only
adds what browsers say.
"""

import re
from collections.abc import Sequence

from fedi_letter.web.problems import Problem, Refused

_RANGE = re.compile(r"\s*([^\s;,]+)\s*((?:;[^,]*)?)")
_QUALITY = re.compile(r";\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*(?:;|$)", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,15}")
_RANGES_AT_MOST = 50


def ranges(header: str) -> list[tuple[str, float]]:
    """The ranges of an `Accept` or `Accept-Language` header with their weight (RFC 9110 §12.4.2).

    Anything malformed counts as absent: a strange header must never cost a reader the page.

    >>> ranges("de-CH, en;q=0.5,;;,*;q=0")
    [('de-ch', 1.0), ('en', 0.5), ('*', 0.0)]
    """
    found = []
    for part in header.split(",")[:_RANGES_AT_MOST]:
        match = _RANGE.match(part)
        if match is None:
            continue
        weight = _QUALITY.search(match[2])
        found.append((match[1].lower(), float(weight[1]) if weight else 1.0))
    return found


def wants_page(accept: str) -> bool:
    """Whether a person is looking: `text/html` is named and not refused.

    >>> wants_page("text/html,application/xhtml+xml,*/*;q=0.8"), wants_page("*/*"), wants_page("")
    (True, False, False)
    """
    return any(
        name in ("text/html", "application/xhtml+xml") and q > 0 for name, q in ranges(accept)
    )


def choose_language(available: Sequence[str], asked: str | None, header: str) -> str:
    """Which of `available` (in the letter's own order, never empty) to show.

    `asked` (`?lang=`) wins when it exists; then `Accept-Language` by lookup (RFC 4647 §3.4); then
    the first.

    >>> choose_language(["en", "pt-BR", "de"], None, "fr, pt-br;q=0.9, en;q=0.1")
    'pt-BR'
    >>> choose_language(["en", "de"], "de", "en"), choose_language(["en", "de"], "xx", "")
    ('de', 'en')
    >>> choose_language(["en", "pt"], None, "pt-PT")
    'pt'
    """
    by_name = {language.lower(): language for language in available}
    if asked and asked.lower() in by_name:
        return by_name[asked.lower()]
    # sorted is stable: among equal weights the reader's own order stands
    for name, quality in sorted(ranges(header), key=lambda item: -item[1]):
        if quality > 0:
            for tag in _shorter_and_shorter(name):
                if tag in by_name:
                    return by_name[tag]
    return available[0]


def _shorter_and_shorter(tag: str) -> list[str]:
    """`zh-hant-tw`, `zh-hant`, `zh`."""
    parts = tag.split("-")
    return ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]


def number(text: str | None, *, name: str, default: int, least: int = 0, most: int = 10**15) -> int:
    """A whole number from the query string, `default` when absent.

    Raises:
        Refused: malformed (400) when it is not a plain number between `least` and `most`.

    >>> number("12", name="page", default=0), number(None, name="page", default=7)
    (12, 7)
    """
    if text is None:
        return default
    if _NUMBER.fullmatch(text) is None or not least <= int(text) <= most:
        raise Refused(Problem.MALFORMED, f"{name} must be a number from {least} to {most}")
    return int(text)
