"""Text of any language as words, each knowing its clause, its sentence and whether it is quoted.

Knows nothing of what the words mean; `lexicon` and `judge` do.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from unicodedata import normalize

CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
# `\w` leaves out combining marks; these are those of the scripts our phrases are written in.
_MARKS = "\u0300-\u036f\u0483-\u0487\u064b-\u065f\u0670\u00ad\u200b-\u200d\u2060\ufeff"
_LETTER = rf"(?:(?![{CJK}])[^\W_]|[{_MARKS}])"
_APOSTROPHE = "'’ʼ‘`´′＇"

_TOKEN = re.compile(
    rf"""
    (?P<url>https?://\S+)
  | (?P<mention>@[\w.\-]*\w(?:@[\w.\-:]*\w)?)
  | (?P<hashtag>[#＃][\w{_MARKS}]+)
  | (?P<number>\d+(?:[.,]\d+)+)
  | (?P<host>[A-Za-z0-9]{{1,63}}(?:\.[a-z]{{2,63}})+)
  | (?P<cjk>[{CJK}])
  | (?P<word>(?![{_MARKS}]){_LETTER}+(?:[{_APOSTROPHE}\-‐‑]{_LETTER}+)*{_LETTER}*)
  | (?P<no>[❌🚫👎⛔🙅✖])
  | (?P<stop>[.!?…\n。！？．｡؟⁇⁈⁉‽]+)
  | (?P<pause>[,;:、，；：،؛()\[\]（）【】|/•·–—―\-]+)
    """,
    re.VERBOSE,
)
_QUOTED = re.compile(
    rf"""
    ["“”„‟«»‹›「」『』＂]  [^"“”„‟«»‹›「」『』＂\n]*  ["“”„‟«»‹›「」『』＂]
  | (?<!\w) [{_APOSTROPHE}‚]  [^{_APOSTROPHE}‚\n]{{1,200}}  [{_APOSTROPHE}] (?!\w)
  | ~~ [^\n]+? ~~
  | ^ [ \t]* [>＞] [^\n]*
    """,
    re.VERBOSE | re.MULTILINE,
)
_CAMEL = re.compile(r"[^\W\d_]?[^\W\d_A-ZÀ-ÖØ-Þ]+|[A-ZÀ-ÖØ-Þ]+(?![^\W\d_A-ZÀ-ÖØ-Þ])|\d+|[^\W_]")
_IGNORED = re.compile("[\u0307\u064b-\u0652\u0640\u00ad\u200b-\u200f\u2060\ufeff\ufe0e\ufe0f]")
_SAME = str.maketrans({**dict.fromkeys(_APOSTROPHE, "'"), "‐": "-", "‑": "-", "ı": "i"})
_QUESTION = frozenset("?？؟⁇⁈⁉‽")


class Word(NamedTuple):
    """One word, folded for comparison; `start` and `end` are its place in the passage's text."""

    folded: str
    start: int
    end: int
    sentence: int
    clause: int
    tag: int
    """The number of the hashtag of several words it belongs to; 0 for none."""
    quoted: bool


@dataclass(frozen=True)
class Passage:
    """A text and its words in order; `questions` are the sentences that ask."""

    text: str
    words: tuple[Word, ...]
    questions: frozenset[int]

    @cached_property
    def places(self) -> Mapping[str, Sequence[int]]:
        """Where each folded word stands: a message is looked through for hundreds of terms."""
        found: dict[str, list[int]] = {}
        for index, word in enumerate(self.words):
            found.setdefault(word.folded, []).append(index)
        return found


def fold(word: str) -> str:
    """Answer a word as compared: full-width, case, apostrophes and invisible signs made equal.

    >>> fold("Ｉ’M")
    "i'm"
    """
    if word.isascii():  # the same, in a quarter of the time
        return word.lower().replace("`", "'")
    folded = normalize("NFKC", normalize("NFKC", word).casefold())
    return _IGNORED.sub("", folded.translate(_SAME))


def without_accents(folded: str) -> str:
    """Answer a folded word as hurried people type it.

    >>> without_accents("não")
    'nao'
    """
    return re.sub("[\u0300-\u036f]", "", normalize("NFD", folded)).replace("ł", "l")


def words_of(text: str) -> tuple[str, ...]:
    """Answer the folded words of a short text.

    >>> words_of("署名!"), words_of("I'm in")
    (('署', '名'), ("i'm", 'in'))
    """
    return tuple(word.folded for word in read(text, {}).words)


class _Reader:
    """Walks over the tokens once and counts clauses and sentences."""

    def __init__(self, text: str, fused: Mapping[str, tuple[str, ...]]) -> None:
        self.text = text
        self.fused = fused
        self.quoted = bytearray(len(text))
        for match in _QUOTED.finditer(text):
            self.quoted[match.start() : match.end()] = b"\1" * (match.end() - match.start())
        self.words: list[Word] = []
        self.questions: set[int] = set()
        self.sentence = self.clause = self.tag = 0

    def read(self) -> Passage:
        for match in _TOKEN.finditer(self.text):
            self._take(str(match.lastgroup), match)
        return Passage(self.text, tuple(self.words), frozenset(self.questions))

    def _take(self, kind: str, match: re.Match[str]) -> None:
        if kind == "stop":
            if _QUESTION & set(match[0]):
                self.questions.add(self.sentence)
            self.sentence += 1
        if kind in ("stop", "pause"):
            self.clause += 1
        elif kind == "hashtag":
            self._take_hashtag(match)
        elif kind not in ("url", "mention"):
            self._add(match[0], match.start(), match.end(), 0)

    def _take_hashtag(self, match: re.Match[str]) -> None:
        name = match[0][1:]
        known = self.fused.get(fold(name))
        parts = known or tuple(_CAMEL.findall(name))
        tag = 0
        if len(parts) > 1:
            self.tag += 1
            tag = self.tag
        for part in parts:
            self._add(part, match.start(), match.end(), tag)

    def _add(self, raw: str, start: int, end: int, tag: int) -> None:
        folded = fold(raw)
        if not folded:
            return
        quoted = bool(self.quoted[start] and self.quoted[end - 1])
        self.words.append(Word(folded, start, end, self.sentence, self.clause, tag, quoted))


def read(text: str, fused: Mapping[str, tuple[str, ...]]) -> Passage:
    """Answer the words of a text.

    `fused` are hashtags written without capitals (`isign`) and the words they stand for.
    """
    return _Reader(normalize("NFC", text), fused).read()
