"""What people write is read as they mean it, and never as a signature when in doubt."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedi_letter.files import shipped_phrases
from fedi_letter.letter.model import Way
from fedi_letter.letter.phrases import Phrasebook, ReadingKind

SENTENCES = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text("utf-8"))
NINE = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "ja")
EXPECTED = {
    "signs": {ReadingKind.SIGN},
    "refuses": {ReadingKind.REFUSAL},
    "holds": {ReadingKind.PLAIN},
    "withdraws": {ReadingKind.WITHDRAW},
    "keeps": {ReadingKind.KEEP},
    "neither": {ReadingKind.PLAIN, ReadingKind.REFUSAL},
}


def sentences(*kinds: str) -> Iterator[tuple[str, str, str]]:
    """Every sentence with its language and how it must be read."""
    for language, lists in SENTENCES.items():
        for kind, listed in lists.items():
            if not kinds or kind in kinds:
                yield from ((language, kind, sentence) for sentence in listed)


@pytest.mark.parametrize("kind", EXPECTED)
@pytest.mark.parametrize("language", SENTENCES)
def test_sentences_are_read_as_meant(language: str, kind: str) -> None:
    listed = SENTENCES[language].get(kind, [])
    read = {sentence: shipped_phrases().classify(sentence, language).kind for sentence in listed}
    assert {
        sentence: heard for sentence, heard in read.items() if heard not in EXPECTED[kind]
    } == {}


@pytest.mark.parametrize("declared", [None, "en", "de-AT", "zh-Hant", "tlh", ""])
def test_a_wrong_or_missing_language_changes_nothing(declared: str | None) -> None:
    misread = [
        (kind, sentence)
        for _, kind, sentence in sentences()
        if shipped_phrases().classify(sentence, declared).kind not in EXPECTED[kind]
    ]
    assert misread == []


@pytest.mark.parametrize("language", NINE)
def test_each_of_the_nine_languages_is_well_covered(language: str) -> None:
    assert len(SENTENCES[language]["signs"]) >= 8
    assert len(SENTENCES[language]["refuses"] + SENTENCES[language]["holds"]) >= 16


@pytest.mark.parametrize("language", shipped_phrases().languages)
@pytest.mark.parametrize("quotes", ["“{}”", '"{}"', "«{}»", "„{}“", "「{}」", "> {}", "~~{}~~"])
def test_a_quoted_phrase_is_not_a_signature(language: str, quotes: str) -> None:
    for sentence in SENTENCES[language]["signs"]:
        if not any(sign in sentence for sign in '“"#@\n'):
            quoted = quotes.format(sentence)
            assert shipped_phrases().classify(quoted, language).kind is not ReadingKind.SIGN, quoted


@pytest.mark.parametrize("language", shipped_phrases().languages)
def test_a_question_is_not_a_signature(language: str) -> None:
    ends = str.maketrans(dict.fromkeys("!.?。！？\n", ","))
    for sentence in SENTENCES[language]["signs"]:
        asked = sentence.translate(ends).rstrip(", ") + "?"
        assert shipped_phrases().classify(asked, language).kind is not ReadingKind.SIGN, asked


@pytest.mark.parametrize("language", shipped_phrases().languages)
def test_signing_and_refusing_in_one_message_is_not_a_signature(language: str) -> None:
    for refusal in SENTENCES[language]["refuses"]:
        for message in (f"I sign. {refusal}", f"{refusal}\nI sign!"):
            reading = shipped_phrases().classify(message, language)
            assert reading.kind is ReadingKind.REFUSAL, message
            assert reading.doubtful


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("I sign", ""),
        ("I sign!", ""),
        ("I sign. Artists deserve better.", "Artists deserve better."),
        ("I sign, because art matters!", "because art matters!"),
        ("Great letter! I sign.", "Great letter!"),
        ("As a teacher, I sign.", "As a teacher."),
        ("Signed, Jane Doe", "Jane Doe"),
        ("I love this and I sign!", "I love this!"),
        ("I sign this letter with pride.", "with pride."),
        ("I am not an artist but I sign", "I am not an artist"),
        ("Für Zoë unterschreibe ich, ÄRZTIN", "Für Zoë, ÄRZTIN"),
        ("賛同します。芸術は無料ではない。", "芸術は無料ではない。"),
        ("#ISign\nWe are many.", "We are many."),
        ("I sign ✊", "✊"),
        ("Enough.\n\nI sign.\n\nBerlin", "Enough.\n\nBerlin"),
    ],
)
def test_the_rest_of_the_reply_is_the_statement(text: str, statement: str) -> None:
    reading = shipped_phrases().classify(text, None)
    assert reading.kind is ReadingKind.SIGN
    assert reading.statement == statement


def test_the_phrase_and_its_language_are_told() -> None:
    reading = shipped_phrases().classify("Hola, Firmo.", "en")
    assert (reading.phrase, reading.language) == ("firmo", "es")


def test_spoken_of_signing_without_doing_it_is_doubtful() -> None:
    assert shipped_phrases().classify("I would sign if you fix it", "en").doubtful
    assert not shipped_phrases().classify("What a beautiful letter", "en").doubtful


@given(st.text(max_size=300), st.sampled_from([None, "en", "ja", "xx"]))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read(text: str, language: str | None) -> None:
    reading = shipped_phrases().classify(text, language)
    assert isinstance(reading.kind, ReadingKind)
    assert (reading.phrase is not None) == (reading.kind is ReadingKind.SIGN)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece",
    [
        "I sign. ",
        "I sign ",
        "not sign ",
        "“I sign”",
        "'",
        "~~",
        "@.",
        "#",
        "署名します",
        "I-",
        "1,",
    ],
)
def test_a_long_message_takes_no_more_than_its_share(piece: str) -> None:
    heavy = shipped_phrases().classify((piece * 10_000)[:10_000], None)
    assert isinstance(heavy.kind, ReadingKind)


@given(
    st.sampled_from([(lang, text) for lang, _, text in sentences("refuses")]),
    st.text(alphabet="ab .,!-🎨\n", max_size=20),
)
@settings(max_examples=150, deadline=None)
def test_nothing_written_behind_a_refusal_makes_it_a_signature(
    refusal: tuple[str, str], behind: str
) -> None:
    language, text = refusal
    assert shipped_phrases().classify(f"{text} {behind}", language).kind is not ReadingKind.SIGN


@pytest.mark.parametrize("language", shipped_phrases().languages)
@pytest.mark.parametrize("ways", [{Way.REPLY, Way.BOOST}, {Way.REPLY}, {Way.BOOST}, set()])
def test_the_instructions_sign_when_followed(language: str, ways: set[Way]) -> None:
    told = shipped_phrases().signing_instructions(language, frozenset(ways), version=7)
    short = shipped_phrases().signing_instructions(
        language, frozenset(ways), version=7, compact=True
    )
    assert "7" in told
    assert "<" not in told
    assert "{" not in told
    assert len(short) < len(told) or not ways
    if Way.REPLY in ways:
        quoted = _quoted(told)
        assert shipped_phrases().classify(quoted[0], language).kind is ReadingKind.SIGN
        assert shipped_phrases().classify(quoted[-1], language).kind is ReadingKind.WITHDRAW
        assert shipped_phrases().classify(told, language).kind is not ReadingKind.SIGN


def _quoted(text: str) -> list[str]:
    """What stands in quotation marks, of whatever country."""
    same = str.maketrans(dict.fromkeys("“”„«»「」", '"'))
    return [part.strip() for part in text.translate(same).split('"')[1::2]]


def test_instructions_in_an_unknown_language_are_english() -> None:
    ways = frozenset((Way.REPLY, Way.BOOST))
    told = shipped_phrases().signing_instructions("tlh", ways, version=3, compact=True)
    assert told == (
        "Reply “I sign” or boost to sign. "
        "Delete or undo it to take it back, or reply “withdraw”. Version 3."
    )


@pytest.mark.parametrize("broken", ["", "[de]\nsign = []\n[de.instructions]\n", "[en]\nsign = []"])
def test_a_phrase_book_without_english_is_refused(broken: str) -> None:
    with pytest.raises(KeyError):
        Phrasebook.parse(broken)


def test_a_misspelt_list_in_the_phrase_book_is_refused() -> None:
    with pytest.raises(TypeError, match="sing"):
        Phrasebook.parse("[en]\nsing = ['I sign']\n[en.instructions]\n")
