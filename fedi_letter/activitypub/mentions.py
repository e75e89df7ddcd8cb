"""Our own name in somebody's text: found and taken out, so that their words are left.

Knows nothing of HTML; the text is plain already.
"""

import re
from functools import lru_cache

from fedi_letter.activitypub.uris import Uris


def without_mention(text: str, uris: Uris) -> str:
    """Answer the text without `@letter` and `@letter@host`; white space folded, lines kept.

    >>> without_mention("@letter  I sign", Uris("https://letter.example", "letter"))
    'I sign'
    >>> without_mention("@letter@other.example hi", Uris("https://letter.example", "letter"))
    '@letter@other.example hi'
    """
    without = _mention_of(uris).sub(" ", text)
    return "\n".join(" ".join(line.split()) for line in without.split("\n")).strip()


@lru_cache(maxsize=16)
def _mention_of(uris: Uris) -> re.Pattern[str]:
    """Match our name, but neither a longer one nor the same one at another host.

    A colon or comma right after it was part of addressing us.
    """
    name, host = re.escape(uris.username), re.escape(uris.host)
    return re.compile(
        rf"(?<![\w@/.])@{name}(?:@{host}(?!\w|:\d|[.-]\w)|(?![\w@]|[.-]\w))[:,]?", re.IGNORECASE
    )
