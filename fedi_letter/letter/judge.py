"""Whether a phrase found in a message is meant: the grammar, one language at a time.

Laws:

1. When in doubt, doubt: a human looks. Nothing here turns doubt into a signature.
2. A negation must govern the phrase: stand in its clause, near it. Elsewhere it is about
   something else ("I do not hesitate: I sign").
3. A word put in quotation marks is mentioned, not said.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from fedi_letter.letter.lexicon import Lexicon, Terms, is_spaced
from fedi_letter.letter.words import Passage, Word

CLAUSE_WORDS = 60
"""Words further than this from a phrase do not govern it; also keeps long messages cheap."""
COMMAND_WORDS = 12
"""A message longer than this is never a command."""


class Sense(StrEnum):
    """What one occurrence of a phrase amounts to."""

    CLEAR = "clear"
    DOUBTFUL = "doubtful"
    QUOTED = "quoted"
    NEGATED = "negated"


@dataclass(frozen=True)
class Occurrence:
    """A phrase between two words of the passage, and what it amounts to."""

    start: int
    end: int
    sense: Sense
    phrase: str


@dataclass(frozen=True)
class Hearing:
    """A passage heard in one language."""

    passage: Passage
    lexicon: Lexicon

    @cached_property
    def negations(self) -> frozenset[int]:
        """The words that negate."""
        return self.lexicon.negations.covered(self.passage)

    @cached_property
    def asides(self) -> frozenset[int]:
        """The words after which another thought begins."""
        return self.lexicon.asides.covered(self.passage)

    @cached_property
    def buts(self) -> frozenset[int]:
        """The words that turn from one thought to its opposite."""
        return self.lexicon.buts.covered(self.passage)

    @cached_property
    def light(self) -> frozenset[int]:
        """The words that may stand beside a bare phrase without changing it."""
        fillers = self.lexicon.fillers.covered(self.passage)
        return self.leads | self.openers | fillers

    @cached_property
    def leads(self) -> frozenset[int]:
        """The words that may stand before a phrase."""
        return self.lexicon.leads.covered(self.passage)

    @cached_property
    def openers(self) -> frozenset[int]:
        """The words that may begin a clause in which the phrase comes later."""
        return self.lexicon.openers.covered(self.passage)

    @cached_property
    def familiarity(self) -> int:
        """How many words of the message this language's lists know."""
        return sum(word.folded in self.lexicon.vocabulary for word in self.words)

    @cached_property
    def doubts(self) -> frozenset[int]:
        """The words that cast doubt on what follows them."""
        return self.lexicon.doubts.covered(self.passage) - self.openers

    @cached_property
    def conditions(self) -> tuple[int, ...]:
        """The words that cast doubt on their sentence, in order."""
        return tuple(sorted(self.lexicon.conditions.covered(self.passage) - self.openers))

    @cached_property
    def reports(self) -> tuple[int, ...]:
        """The words that announce another's words, in order."""
        return tuple(sorted(self.lexicon.reports.covered(self.passage)))

    @cached_property
    def clauses(self) -> dict[int, range]:
        """The words of each clause."""
        found: dict[int, range] = {}
        for index, word in enumerate(self.words):
            begun = found.get(word.clause, range(index, index))
            found[word.clause] = range(begun.start, index + 1)
        return found

    @cached_property
    def occurrences(self) -> tuple[Occurrence, ...]:
        """Every signing phrase and what it amounts to, in order."""
        return tuple(self._find())

    @cached_property
    def refuses(self) -> bool:
        """Whether somewhere the person says that they do not sign."""
        if any(found.sense is Sense.NEGATED for found in self.occurrences):
            return True
        if any(not self.words[i].quoted for i in self.lexicon.refusals.covered(self.passage)):
            return True
        return any(
            self._negation(index, index + 1) is Sense.NEGATED
            for index in self.lexicon.verbs.covered(self.passage)
            if not self.words[index].quoted
        )

    @cached_property
    def speaks_of_signing(self) -> bool:
        """Whether signing is spoken of at all."""
        spoken = self.lexicon.verbs.covered(self.passage) or self.occurrences
        return bool(spoken or self.lexicon.alone.covered(self.passage))

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of the passage."""
        return self.passage.words

    def _find(self) -> Iterable[Occurrence]:
        sign, alone, reached = self.lexicon.sign, self.lexicon.alone, 0
        for index in sorted({*sign.may_begin(self.passage), *alone.may_begin(self.passage)}):
            if index < reached:
                continue
            found = sign.at(self.passage, index) or self._bare(index)
            if found is not None:
                reached, phrase = found
                yield Occurrence(index, reached, self._sense(index, reached), phrase)

    def _bare(self, index: int) -> tuple[int, str] | None:
        found = self.lexicon.alone.at(self.passage, index)
        if found is None:
            return None
        beside = [*self._before(index), *self._after(found[0])]
        return found if self.light.issuperset(beside) else None

    def _sense(self, start: int, end: int) -> Sense:
        if any(word.quoted for word in self.words[start:end]):
            return Sense.QUOTED
        governed = self._negation(start, end)
        if governed is not None:
            return governed
        doubts = (
            self.words[start].sentence in self.passage.questions
            or self._jests
            or self._is_conditional(start, end)
            or not self._may_precede(start)
            or self._follows_badly(end)
            or self._in_sentence_before(self.reports, start)
            or self._is_taken_back(start)
        )
        return Sense.DOUBTFUL if doubts else Sense.CLEAR

    def _near(self, indices: range, index: int) -> Iterable[int]:
        """Those of `indices` that lie in the clause of `index`, without other hashtags."""
        word = self.words[index]
        for other in indices[:CLAUSE_WORDS]:
            if self.words[other].clause != word.clause:
                return
            if self.words[other].tag in (0, word.tag):
                yield other

    def _before(self, start: int) -> list[int]:
        """The words before the phrase in its clause, nearest first, back to a "but"."""
        found = []
        for other in self._near(range(start - 1, -1, -1), start):
            if other in self.buts:
                break
            found.append(other)
        return found

    def _after(self, end: int) -> list[int]:
        found = []
        for other in self._near(range(end, len(self.words)), end - 1):
            if other in self.asides:
                break
            found.append(other)
        return found

    def _negation(self, start: int, end: int) -> Sense | None:
        before, after = self._before(start), self._after(end)
        near = {*before[: self.lexicon.reach_before], *after[: self.lexicon.reach_after]}
        if near & self.negations:
            return Sense.NEGATED
        return Sense.DOUBTFUL if self.negations.intersection(before + after) else None

    @cached_property
    def _jests(self) -> bool:
        return bool(self.lexicon.jests.covered(self.passage))

    def _in_sentence_before(self, indices: tuple[int, ...], start: int) -> bool:
        place = bisect_left(indices, start)
        return place > 0 and self._same_sentence(indices[place - 1], start)

    def _same_sentence(self, one: int, other: int) -> bool:
        return self.words[one].sentence == self.words[other].sentence

    def _is_conditional(self, start: int, end: int) -> bool:
        if self._in_sentence_before(self.conditions, start):
            return True
        place = bisect_left(self.conditions, end)
        if place == len(self.conditions) or not self._same_sentence(self.conditions[place], start):
            return False
        return self.asides.isdisjoint(range(end, self.conditions[place]))

    def _may_precede(self, start: int) -> bool:
        before = self._before(start)
        if self.doubts.intersection(before):
            return False
        if not before or self.lexicon.free_prefix or self.words[start].tag:
            return True
        return before[-1] in self.light or before[0] in self.light - self.openers

    def _follows_badly(self, end: int) -> bool:
        after = self._after(end)
        return any(self.lexicon.not_before.at(self.passage, index) for index in after[:3])

    def _is_taken_back(self, start: int) -> bool:
        """Whether a neighbouring clause only negates ("I sign. Not."), or a "but not" follows."""
        clause = self.clauses[self.words[start].clause]
        if any(side and self.negations.issuperset(side) for side in self._beside(clause)):
            return True
        turned = clause.stop < len(self.words) and clause.stop in self.buts
        return turned and bool(self.negations.intersection(range(clause.stop, clause.stop + 3)))

    def _beside(self, clause: range) -> Iterable[range]:
        """The clauses before and after."""
        for index in (clause.start - 1, clause.stop):
            if 0 <= index < len(self.words):
                yield self.clauses[self.words[index].clause][:CLAUSE_WORDS]

    def commands(self, terms: Terms) -> bool:
        """Whether the message is one of these commands and little else ("Please withdraw")."""
        words = self.words
        spaced = sum(1 if is_spaced(word.folded) else 0.5 for word in words)
        if not words or spaced > COMMAND_WORDS:
            return False
        start = next((i for i in range(len(words)) if terms.at(self.passage, i)), None)
        if start is None or words[start].quoted:
            return False
        if words[start].sentence in self.passage.questions:
            return False
        found = terms.at(self.passage, start)
        end = found[0] if found else start
        beside = [*range(start), *self._after(end)]
        return self.light.issuperset(beside) and not self.negations.intersection(beside)
