"""What the words of one language mean for a letter: data from `phrases.toml`, made searchable.

Knows nothing of messages; `judge` reads those.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

from fedi_letter.letter.words import CJK, Passage, without_accents, words_of


class Terms:
    """A set of terms of one or more words, found in a passage by whole words."""

    def __init__(self, terms: Iterable[str], *, accents_optional: bool) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for term in terms:
            self._add(words_of(term), term)
            if accents_optional:
                self._add(tuple(map(without_accents, words_of(term))), term)
        for same_start in self._by_first.values():
            same_start.sort(key=lambda entry: -len(entry[0]))

    def _add(self, words: tuple[str, ...], term: str) -> None:
        entry = (words, term)
        same_start = self._by_first.setdefault(words[0], [])
        if entry not in same_start:
            same_start.append(entry)

    def at(self, passage: Passage, index: int) -> tuple[int, str] | None:
        """Answer the end and the spelling of the longest term at `index`, within one clause."""
        words = passage.words
        for term, spelling in self._by_first.get(words[index].folded, ()):
            found = words[index : index + len(term)]
            same_clause = found[-1].clause == found[0].clause and found[-1].tag == found[0].tag
            if same_clause and tuple(word.folded for word in found) == term:
                return index + len(term), spelling
        return None

    def covered(self, passage: Passage) -> frozenset[int]:
        """Answer the indices of every word that belongs to one of the terms."""
        found: set[int] = set()
        for index in self.may_begin(passage):
            if match := self.at(passage, index):
                found.update(range(index, match[0]))
        return frozenset(found)

    def may_begin(self, passage: Passage) -> Iterator[int]:
        """Answer, in no order, every index at which `at` may find something."""
        places = passage.places
        return chain.from_iterable(places[word] for word in self._by_first.keys() & places.keys())

    @property
    def beginnings(self) -> Iterable[str]:
        """The first words of the terms."""
        return self._by_first

    def sequences(self) -> Iterable[tuple[str, ...]]:
        """Answer every term as its folded words."""
        return (term for same_start in self._by_first.values() for term, _ in same_start)


@dataclass(frozen=True)
class Lexicon:
    """One language.

    Signing terms want their accents (`firmó` is not `firmo`); what casts doubt does without them,
    since a missed "nao" would turn a refusal into a signature.
    """

    language: str
    sign: Terms
    """A clear signature wherever nothing in its sentence speaks against it."""
    alone: Terms
    """A signature when its clause holds nothing else of weight ("Signed!")."""
    verbs: Terms
    """Forms that speak of signing without doing it."""
    refusals: Terms
    negations: Terms
    conditions: Terms
    """Cast doubt on their whole sentence ("if", "maybe")."""
    doubts: Terms
    """Cast doubt on what follows them in their clause ("should", "that")."""
    asides: Terms
    """Open a part of the sentence that no longer governs the phrase ("because")."""
    buts: Terms
    leads: Terms
    """May stand before a phrase ("gladly", "and")."""
    openers: Terms
    """May begin a clause in which a phrase comes later ("as a teacher I sign")."""
    not_before: Terms
    """May not follow a phrase ("I sign off")."""
    jests: Terms
    """Cast doubt on the whole message ("just kidding")."""
    reports: Terms
    """Announce the words of another ("he said: ...")."""
    withdraw: Terms
    keep: Terms
    fillers: Terms
    instructions: Mapping[str, str]
    free_prefix: bool = False
    """Whether the verb stands last, so that anything may precede it."""
    reach_before: int = 6
    reach_after: int = 2

    @cached_property
    def _about_signing(self) -> frozenset[str]:
        about = (self.sign, self.alone, self.verbs, self.refusals, self.withdraw, self.keep)
        return frozenset(word for terms in about for word in terms.beginnings)

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Every word this language's lists know, to guess what language a message is in."""
        listed = (terms for terms in vars(self).values() if isinstance(terms, Terms))
        return frozenset(word for terms in listed for term in terms.sequences() for word in term)

    def concerns(self, words: frozenset[str]) -> bool:
        """Whether any of these folded words could begin something this language says of signing."""
        return not self._about_signing.isdisjoint(words)


_EXACT = ("sign", "alone")
_LOOSE = (
    *("verbs", "refusals", "negations", "conditions", "doubts", "asides", "buts"),
    *("leads", "openers", "not_before", "jests", "reports", "withdraw", "keep", "fillers"),
)
_EVERYWHERE = ("❌", "🚫", "👎", "⛔", "🙅", "✖")


def lexicon(language: str, table: Mapping[str, Any]) -> Lexicon:
    """Answer one language's table of `phrases.toml` in searchable form.

    A missing list is an empty one; a key of unknown name is a mistake and raises `TypeError`.
    """
    known: dict[str, Any] = dict(table)
    for name in (*_EXACT, *_LOOSE):
        listed = list(known.get(name, []))
        if name == "negations":
            listed.extend(_EVERYWHERE)
        known[name] = Terms(listed, accents_optional=name in _LOOSE)
    return Lexicon(language=language, instructions=known.pop("instructions"), **known)


def is_spaced(word: str) -> bool:
    """Whether words of this script are set apart by spaces.

    >>> is_spaced("sign"), is_spaced("署")
    (True, False)
    """
    first = ord(word[0])
    return not any(low <= first <= high for low, high in _CJK_RANGES)


_CJK_RANGES = tuple((ord(CJK[i]), ord(CJK[i + 2])) for i in range(0, len(CJK), 3))
