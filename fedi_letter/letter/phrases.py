"""The phrases by which people sign, refuse, withdraw and keep, in many languages at once.

The words are data (`phrases.toml`); which of them count where is the business of `judge`.
Knows nothing of who wrote a text or whether they may sign.

What casts doubt is believed in the likeliest language only, since "se" or "no" mean different
things next door; a refusal counts in whichever language it is heard.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache

from fedi_letter.letter.judge import Hearing, Occurrence, Sense
from fedi_letter.letter.lexicon import Lexicon, Terms, lexicon
from fedi_letter.letter.model import Way
from fedi_letter.letter.words import Passage, read

FALLBACK = "en"
SHORT_CHARACTERS, SHORT_REMEMBERED = 200, 1_000
"""Most people sign in the words they were told; reading them anew costs half a millisecond."""
_IN_DOUBT = (Sense.DOUBTFUL, Sense.NEGATED)
_SAME_LANGUAGE = {"nb": "no", "nn": "no"}


class ReadingKind(StrEnum):
    """What a message says about the letter."""

    SIGN = "sign"
    REFUSAL = "refusal"
    PLAIN = "plain"
    WITHDRAW = "withdraw"
    KEEP = "keep"


@dataclass(frozen=True)
class Reading:
    """A message as understood.

    `phrase` is spelled as in the phrase book; `statement` is the rest in the writer's own hand.
    `doubtful` says that signing is spoken of without being done or refused clearly: such a
    message is for a human, whatever the letter's policy on plain replies.
    """

    kind: ReadingKind
    phrase: str | None
    statement: str
    language: str | None
    doubtful: bool = False


@dataclass(frozen=True)
class Phrasebook:
    """Every language's lexicon; `lexicons` is never empty and holds `FALLBACK`."""

    lexicons: Mapping[str, Lexicon]

    @classmethod
    def parse(cls, toml_text: str) -> "Phrasebook":
        """Answer the phrase book written in `toml_text`.

        Raises `tomllib.TOMLDecodeError` for malformed text, `KeyError` when English or a
        language's instructions are missing, `TypeError` for an unknown key.
        """
        tables = tomllib.loads(toml_text)
        lexicons = {language: lexicon(language, table) for language, table in tables.items()}
        lexicons[FALLBACK]
        return cls(lexicons)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages the phrase book speaks."""
        return tuple(self.lexicons)

    @cached_property
    def _fused(self) -> Mapping[str, tuple[str, ...]]:
        fused: dict[str, tuple[str, ...]] = {}
        for spoken in self.lexicons.values():
            for terms in (spoken.sign, spoken.alone, spoken.refusals, spoken.withdraw, spoken.keep):
                for words in terms.sequences():
                    fused.setdefault("".join(words).replace("'", "").replace("-", ""), words)
        return fused

    def primary(self, language: str | None) -> str | None:
        """Answer the phrase book's name of a BCP 47 language tag, `None` when it has none."""
        primary = re.split("[-_]", language or "", maxsplit=1)[0].casefold()
        primary = _SAME_LANGUAGE.get(primary, primary)
        return primary if primary in self.lexicons else None

    def classify(self, text: str, language: str | None) -> Reading:
        """Answer what a message says; `language` is what its server declared, if anything."""
        is_short = len(text) <= SHORT_CHARACTERS
        return (self._remembered if is_short else self._classify)(text, language)

    @cached_property
    def _remembered(self) -> Callable[[str, str | None], Reading]:
        return lru_cache(SHORT_REMEMBERED)(self._classify)

    def _classify(self, text: str, language: str | None) -> Reading:
        passage = read(text, self._fused)
        declared = self.primary(language)
        said = frozenset(word.folded for word in passage.words)
        spoken = (self.lexicons[language] for language in self._order(declared))
        hearings = [Hearing(passage, known) for known in spoken if known.concerns(said)]
        heard = _Heard(passage, hearings, declared)
        return heard.refusal() or heard.signature() or heard.command() or heard.plain()

    def _order(self, declared: str | None) -> Iterator[str]:
        if declared is not None:
            yield declared
        yield from (spoken for spoken in self.lexicons if spoken != declared)

    def signing_instructions(
        self,
        language: str | None,
        ways: frozenset[Way],
        *,
        version: int,
        compact: bool = False,
    ) -> str:
        """Answer, as plain text, how to sign and how to take it back, for readers of `language`.

        The long form also says what is shown of the person, before they sign.
        """
        told = self.lexicons[self.primary(language) or FALLBACK].instructions
        replies = bool(ways & {Way.REPLY, Way.MENTION})
        sentences = []
        if replies and Way.BOOST in ways:
            sentences.append(told["reply_or_boost"])
        elif replies:
            sentences.append(told["reply"])
        elif Way.BOOST in ways:
            sentences.append(told["boost"])
        if sentences:
            sentences.append(told["undo"])
            if not compact:
                sentences.append(told["shown"])
        sentences.append(told["version"].replace("{version}", str(version)))
        return told.get("between", " ").join(sentences)


@dataclass(frozen=True)
class _Heard:
    """One message heard in every language."""

    passage: Passage
    hearings: list[Hearing]
    declared: str | None

    @cached_property
    def _believed(self) -> list[Hearing]:
        """The languages that know a phrase in it and most of its other words."""
        holding = [hearing for hearing in self.hearings if hearing.occurrences]
        best = max(map(self._likelihood, holding), default=0)
        return [hearing for hearing in holding if self._likelihood(hearing) == best]

    def _likelihood(self, hearing: Hearing) -> int:
        return hearing.familiarity + (hearing.lexicon.language == self.declared)

    @cached_property
    def _clear(self) -> dict[tuple[int, int], tuple[Occurrence, Hearing]]:
        """The phrases that are clear in every believed language that knows them."""
        found: dict[tuple[int, int], tuple[Occurrence, Hearing]] = {}
        for hearing in self._believed:
            for spoken in hearing.occurrences:
                if spoken.sense is Sense.CLEAR:
                    found.setdefault((spoken.start, spoken.end), (spoken, hearing))
        return {span: entry for span, entry in found.items() if span not in self._doubted}

    @cached_property
    def _doubted(self) -> frozenset[tuple[int, int]]:
        return frozenset(
            (spoken.start, spoken.end)
            for hearing in self._believed
            for spoken in hearing.occurrences
            if spoken.sense in _IN_DOUBT
        )

    def refusal(self) -> Reading | None:
        """A refusal in any language; doubtful when a clear signature stands beside it."""
        for hearing in self.hearings:
            if hearing.refuses and not self._commanded(hearing):
                language = hearing.lexicon.language
                return Reading(
                    ReadingKind.REFUSAL, None, self._whole, language, doubtful=self._also_signs
                )
        return None

    @cached_property
    def _also_signs(self) -> bool:
        """Whether any phrase is clear to somebody and in doubt to nobody."""
        spoken = [found for hearing in self.hearings for found in hearing.occurrences]
        clear = {(found.start, found.end) for found in spoken if found.sense is Sense.CLEAR}
        return bool(
            clear - {(found.start, found.end) for found in spoken if found.sense in _IN_DOUBT}
        )

    def signature(self) -> Reading | None:
        """A signature: at least one clear phrase and none in doubt."""
        if not self._clear or self._doubted or self._asks_to_withdraw:
            return None
        spans = sorted(self._clear)
        first, hearing = self._clear[spans[0]]
        statement = self._beside(spans)
        return Reading(ReadingKind.SIGN, first.phrase, statement, hearing.lexicon.language)

    def command(self) -> Reading | None:
        """A word of command that is the message; a withdrawal is looked for first."""
        if self._clear:
            return None
        for kind in (ReadingKind.WITHDRAW, ReadingKind.KEEP):
            for hearing in self.hearings:
                if hearing.commands(_terms(hearing.lexicon, kind)):
                    return Reading(kind, None, self._whole, hearing.lexicon.language)
        return None

    def plain(self) -> Reading:
        """Anything else."""
        doubtful = any(hearing.speaks_of_signing for hearing in self.hearings)
        return Reading(ReadingKind.PLAIN, None, self._whole, self.declared, doubtful)

    def _commanded(self, hearing: Hearing) -> bool:
        """Whether what sounds like a refusal is a withdrawal ("I no longer sign")."""
        return hearing.commands(hearing.lexicon.withdraw)

    @cached_property
    def _asks_to_withdraw(self) -> bool:
        return any(
            len(_run(hearing.lexicon.withdraw, self.passage, index)) > 1
            for hearing in self.hearings
            for index in hearing.lexicon.withdraw.may_begin(self.passage)
        )

    @property
    def _whole(self) -> str:
        return self.passage.text.strip()

    def _beside(self, spans: Iterable[tuple[int, int]]) -> str:
        """The text without the phrases and the small words that hang on them."""
        text, words = self.passage.text, self.passage.words
        kept, position = "", 0
        for start, end in spans:
            first = max(self._past_leads(start), position)
            kept = _joined(kept, text[position:first])
            position = words[self._past_fillers(end) - 1].end
        return _joined(kept, text[position:]).strip()

    @cached_property
    def _signing(self) -> list[Hearing]:
        """The languages the clear phrases are in."""
        spoken = {hearing.lexicon.language for _, hearing in self._clear.values()}
        return [hearing for hearing in self.hearings if hearing.lexicon.language in spoken]

    @cached_property
    def _joining(self) -> frozenset[int]:
        """The words that only lead to a phrase."""
        return frozenset().union(*(hearing.leads | hearing.buts for hearing in self._signing))

    @cached_property
    def _hanging(self) -> frozenset[int]:
        """The words that only hang on a phrase."""
        listed = (hearing.lexicon.fillers.covered(self.passage) for hearing in self._signing)
        return frozenset().union(*listed)

    def _past_leads(self, start: int) -> int:
        """Where the small words before a phrase begin, as a place in the text."""
        words = self.passage.words
        clause = words[start].clause
        while start and start - 1 in self._joining and words[start - 1].clause == clause:
            start -= 1
        return words[start].start

    def _past_fillers(self, end: int) -> int:
        words = self.passage.words
        clause = words[end - 1].clause
        while end < len(words) and words[end].clause == clause:
            if end not in self._hanging:
                break
            end += 1
        return end


def _terms(spoken: Lexicon, kind: ReadingKind) -> Terms:
    return spoken.withdraw if kind is ReadingKind.WITHDRAW else spoken.keep


def _run(terms: Terms, passage: Passage, index: int) -> range:
    found = terms.at(passage, index)
    return range(index, found[0]) if found else range(0)


_PAUSES = " \t\n\r,;:–—-|/•·&+*_~、，：；"
_STOPS = ".!?…。！？．"


def _joined(left: str, right: str) -> str:
    """Two pieces of a text from between which a phrase was cut, without its punctuation."""
    begun = left.rstrip(" \t")
    if not begun or begun[-1] in _STOPS + "\n":
        return left + right.lstrip(_PAUSES + _STOPS)
    follows = right.lstrip(" \t")
    if not follows or follows[0] in _PAUSES + _STOPS:
        return begun.rstrip(_PAUSES) + follows
    return begun + " " + follows
