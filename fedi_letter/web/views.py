"""What a page shows, as plain values; templates receive these and nothing else.

Everything a stranger wrote arrives here as text, already plain; only `html` of the letter, its
revisions and the authors' updates is markup, sanitised when it was published.
"""

from dataclasses import dataclass
from datetime import datetime

from fedi_letter.activitypub.uris import Uris

RIGHT_TO_LEFT = frozenset(
    ("ar", "arc", "ckb", "dv", "fa", "he", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi")
)

NAMES_OF_LANGUAGES: dict[str, str] = {
    "ar": "العربية",
    "bg": "Български",
    "ca": "Català",
    "cs": "Čeština",
    "da": "Dansk",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "en": "English",
    "eo": "Esperanto",
    "es": "Español",
    "et": "Eesti",
    "eu": "Euskara",
    "fa": "فارسی",
    "fi": "Suomi",
    "fr": "Français",
    "ga": "Gaeilge",
    "gl": "Galego",
    "he": "עברית",
    "hi": "हिन्दी",
    "hr": "Hrvatski",
    "hu": "Magyar",
    "id": "Bahasa Indonesia",
    "is": "Íslenska",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "lt": "Lietuvių",
    "lv": "Latviešu",
    "nb": "Norsk bokmål",
    "nl": "Nederlands",
    "pl": "Polski",
    "pt": "Português",
    "ro": "Română",
    "ru": "Русский",
    "sk": "Slovenčina",
    "sl": "Slovenščina",
    "sq": "Shqip",
    "sr": "Српски",
    "sv": "Svenska",
    "tr": "Türkçe",
    "uk": "Українська",
    "vi": "Tiếng Việt",
    "zh": "中文",
}


def direction_of(language: str) -> str:
    """`rtl` or `ltr`, by the language's script.

    >>> direction_of("ar-EG"), direction_of("ku-Arab"), direction_of("en")
    ('rtl', 'rtl', 'ltr')
    """
    tag = language.lower()
    primary = tag.split("-")[0]
    arabic_or_hebrew = "-arab" in tag or "-hebr" in tag
    return "rtl" if arabic_or_hebrew or primary in RIGHT_TO_LEFT else "ltr"


def language_name(language: str) -> str:
    """The language as its own readers call it, else its tag.

    >>> language_name("pt-BR"), language_name("de"), language_name("tlh")
    ('Português (BR)', 'Deutsch', 'tlh')
    """
    primary, _, rest = language.partition("-")
    name = NAMES_OF_LANGUAGES.get(primary.lower())
    if name is None:
        return language
    return f"{name} ({rest})" if rest else name


@dataclass(frozen=True)
class Site:
    """The addresses every page links to, all absolute but those of our own pages."""

    handle: str
    letter: str
    page: str
    profile: str
    roll: str
    roll_json: str
    roll_csv: str
    feed: str

    @classmethod
    def of(cls, uris: Uris) -> "Site":
        """The addresses of the letter's own site."""
        return cls(
            handle=uris.handle,
            letter=uris.letter,
            page=uris.page,
            profile=uris.profile,
            roll=f"{uris.origin}/signatories",
            roll_json=f"{uris.origin}/signatories.json",
            roll_csv=f"{uris.origin}/signatories.csv",
            feed=f"{uris.origin}/feed.atom",
        )


@dataclass(frozen=True)
class Head:
    """What stands in a page's head; `document` is the id of the ActivityPub document it shows."""

    title: str
    description: str
    url: str
    kind: str = "website"
    document: str | None = None
    hidden_from_search: bool = False


@dataclass(frozen=True)
class LanguageLink:
    """One language of a text and where it is."""

    code: str
    name: str
    url: str


@dataclass(frozen=True)
class RevisionLink:
    """One version in the list of versions; `number` counts spelling corrections too."""

    number: int
    version: int
    is_typo: bool
    note: str
    published_at: datetime
    url: str


@dataclass(frozen=True)
class UpdateLine:
    """One update in a list: where it is and how it begins."""

    url: str
    text: str
    published_at: datetime


@dataclass(frozen=True)
class CommentLine:
    """A reply an admin let stand as conversation; never counted."""

    name: str
    handle: str
    text: str
    language: str | None
    url: str | None
    at: datetime


@dataclass(frozen=True)
class SignatoryLine:
    """One line of the roll."""

    number: int
    name: str
    handle: str
    profile: str
    how: str
    statement: str
    language: str | None
    signed_at: datetime
    version: int
    url: str | None


@dataclass(frozen=True)
class TextView:
    """The letter, or an earlier revision of it, in one language."""

    title: str
    html: str
    language: str
    direction: str
    languages: tuple[LanguageLink, ...]
    version: int
    is_typo: bool
    note: str
    published_at: datetime
    sha256: str
    text_sha256: str
    is_latest: bool


@dataclass(frozen=True)
class LetterView:
    """The letter's page but for the text: who signed, what was said, what changed."""

    first_published_at: datetime
    total: int
    likes: int
    names: tuple[str, ...]
    revisions: tuple[RevisionLink, ...]
    updates: tuple[UpdateLine, ...]
    comments: tuple[CommentLine, ...]


@dataclass(frozen=True)
class RollView:
    """One page of the roll."""

    letter_title: str
    total: int
    query: str
    entries: tuple[SignatoryLine, ...]
    page_size: int
    first: str | None
    next: str | None


@dataclass(frozen=True)
class UpdateView:
    """One update; `html` was sanitised when it was published."""

    html: str
    published_at: datetime
    updated_at: datetime

    @property
    def is_edited(self) -> bool:
        """Whether the text changed after it went out."""
        return self.updated_at > self.published_at


@dataclass(frozen=True)
class ProfileView:
    """The page behind the handle."""

    title: str
    total: int
    followers: int
    updates: tuple[UpdateLine, ...]
