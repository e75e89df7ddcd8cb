"""The play: who is in it, what each of them does, and what ought to become of it.

Data only; `stage` performs it. It supposes the settings a letter starts with: replies and boosts
sign, a reply without a signing phrase is held, a clear one counts at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Fate(StrEnum):
    """What ought to become of an act, as an outsider can see it."""

    COUNTED = "counted"
    """The person is on the roll."""
    HELD = "held"
    """In the queue of the letter's authors; the person is not on the roll by it."""
    WITHDRAWN = "withdrawn"
    """The person is off the roll."""
    MOVED = "moved"
    """The signature is now that of the person's new account."""
    NOTED = "noted"
    """Taken in; the roll stays as it is."""
    REFUSED = "refused"
    """Taken in and not counted, for good."""
    TURNED_AWAY = "turned away"
    """Answered 401 at the door: nobody's word."""
    UNHEARD = "unheard"
    """The sender's server tells its followers and not us."""


@dataclass(frozen=True)
class Deed:
    """Stands for the deed of an earlier step, by its label."""

    label: str


@dataclass(frozen=True)
class Actor:
    """Stands for a person's actor id."""

    who: str


@dataclass(frozen=True)
class Fellow:
    """Stands for another person of the same server."""

    who: str


class Place(StrEnum):
    """Stands for one of the letter's addresses."""

    PAGE = "page"
    ACTOR = "actor"
    INBOX = "inbox"


@dataclass(frozen=True)
class Step:
    """One act: `who` (user@server, the server by its name in `SERVERS`) does `verb`."""

    who: str
    verb: str
    args: tuple[Any, ...]
    fate: Fate
    why: str
    """One line for the onlooker: what is special about it."""
    named: Mapping[str, Any] = field(default_factory=dict)
    label: str | None = None
    reason: str | None = None
    """The letter's own reason code, where one is expected."""


SERVERS: Mapping[str, str] = {
    "masto": "mastodon",
    "gts": "gotosocial",
    "key": "misskey",
    "pleroma": "pleroma",
    "takahe": "takahe",
    "blog": "wordpress",
    "hollo": "hollo",
    "ghost": "ghost",
    "evil": "mastodon",
}
"""Each server's name in the play, and its dialect."""

BOTS: frozenset[str] = frozenset(("mirror@masto",))
"""Accounts that say themselves that they are machines."""

_PAGE, _ACTOR, _INBOX = Place.PAGE, Place.ACTOR, Place.INBOX


def _reply(who: str, text: str, fate: Fate, why: str, language: str = "en", **more: Any) -> Step:
    label = more.pop("label", None)
    reason = more.pop("reason", None)
    named = {"language": language, **more}
    return Step(who, "reply", (_PAGE, text), fate, why, named, label, reason)


def _boost(who: str, fate: Fate, why: str, **more: Any) -> Step:
    label, reason = more.pop("label", None), more.pop("reason", None)
    return Step(who, "boost", (_PAGE,), fate, why, more, label, reason)


def _on(who: str, verb: str, label: str, *args: Any, fate: Fate, why: str, **more: Any) -> Step:
    reason = more.pop("reason", None)
    return Step(who, verb, (Deed(label), *args), fate, why, more, reason=reason)


def _follow(who: str) -> Step:
    return Step(who, "follow", (_ACTOR,), Fate.NOTED, "wants the updates", reason="followed")


FOLLOWING: Sequence[Step] = tuple(
    _follow(who)
    for who in ("amira@masto", "bo@gts", "chie@key", "dora@pleroma", "eli@takahe", "finn@blog",
                "gil@hollo", "hana@ghost")
)  # fmt: skip

SIGNING: Sequence[Step] = (
    _reply("amira@masto", "I sign.", Fate.COUNTED, "the plainest of signatures", label="amira"),
    _reply("bo@gts", "Ich unterschreibe.", Fate.COUNTED, "in German", "de", label="bo"),
    _reply("chie@key", "署名します。", Fate.COUNTED, "in Japanese", "ja", label="chie"),
    _reply("dora@pleroma", "Je signe.", Fate.COUNTED, "in French", "fr", label="dora"),
    _reply("eli@takahe", "I sign.", Fate.COUNTED, "Public is spelled as:Public", label="eli"),
    _reply("finn@blog", "Firmo.", Fate.COUNTED, "in Spanish, signed by RFC 9421", "es"),
    _reply("gil@hollo", "Ik teken.", Fate.COUNTED, "in Dutch", "nl", label="gil"),
    _reply("hana@ghost", "Podpisuję.", Fate.COUNTED, "in Polish", "pl"),
    _reply("ines@masto", "Eu assino.", Fate.COUNTED, "in Portuguese", "pt", label="ines"),
    _reply("jun@masto", "I sign.", Fate.COUNTED, "without a mention", mention=False),
    _reply("kai@gts", "I sign.", Fate.COUNTED, "quietly: unlisted", visibility="unlisted"),
    _boost("lea@masto", Fate.COUNTED, "by a boost", label="lea", reason="boosted"),
    _boost("max@gts", Fate.COUNTED, "by a boost that names Public in cc", label="max"),
    _boost("nadia@key", Fate.COUNTED, "by a renote", label="nadia"),
    _boost("omar@pleroma", Fate.COUNTED, "by a boost, everybody in to", label="omar"),
    _boost("pia@takahe", Fate.COUNTED, "by a boost whose id is a fragment", label="pia"),
    _boost("quinn@hollo", Fate.UNHEARD, "a boost that Hollo tells only followers"),
    _reply("quinn@hollo", "I sign.", Fate.COUNTED, "and so a reply as well"),
    _reply("ravi@masto", "I sign.", Fate.COUNTED, "by a reply", label="ravi reply"),
    _boost("ravi@masto", Fate.COUNTED, "and by a boost: still one signature", label="ravi boost"),
)  # fmt: skip

NOT_SIGNING: Sequence[Step] = (
    _reply("sam@masto", "What should we do?", Fate.HELD, "a question", reason="plain-reply"),
    _reply("tess@gts", "I will not sign.", Fate.HELD, "a refusal", reason="negation"),
    _reply("uma@pleroma", "Wonderful words!", Fate.HELD, "praise is no signature", label="uma"),
    _reply("vera@masto", "I sign.", Fate.HELD, "in private: for the authors' eyes",
           visibility="direct", reason="not-public"),
    _boost("wim@masto", Fate.HELD, "a boost for followers only", visibility="followers",
           reason="not-public"),
    _reply("mirror@masto", "I sign.", Fate.REFUSED, "a bot", reason="not-a-person"),
    Step("xena@key", "like", (_PAGE,), Fate.NOTED, "a heart is a number"),
    Step("yuri@pleroma", "like", (_PAGE, "🔥"), Fate.NOTED, "so is a fire"),
    Step("zoe@masto", "quote", (_PAGE, "Look at this"), Fate.NOTED, "quoting is not signing"),
    Step("zoe@masto", "vote", (_PAGE, "I sign."), Fate.NOTED, "a vote in no poll",
         reason="poll-vote"),
    Step("sam@masto", "flag", (_PAGE, "too long"), Fate.NOTED, "a report, for the authors"),
)  # fmt: skip

CHANGING: Sequence[Step] = (
    _on("amira@masto", "edit", "amira", "I sign. For my daughters.", fate=Fate.COUNTED,
        why="adds a statement"),
    _on("bo@gts", "edit", "bo", "Ich unterschreibe nicht.", fate=Fate.WITHDRAWN,
        why="edits the yes into a no"),
    _on("uma@pleroma", "edit", "uma", "Wonderful words! I sign.", fate=Fate.COUNTED,
        why="edits praise into a signature"),
    _on("chie@key", "delete", "chie", fate=Fate.WITHDRAWN, why="a Tombstone"),
    _on("dora@pleroma", "delete", "dora", fate=Fate.WITHDRAWN, why="a bare string"),
    _on("eli@takahe", "delete", "eli", fate=Fate.WITHDRAWN, why="the whole note comes along"),
    _on("lea@masto", "unboost", "lea", fate=Fate.WITHDRAWN, why="the boost is embedded"),
    _on("omar@pleroma", "unboost", "omar", fate=Fate.WITHDRAWN, why="only the boost's id"),
    _on("ravi@masto", "unboost", "ravi boost", fate=Fate.COUNTED, why="the reply still stands"),
    _on("pia@takahe", "unboost", "pia", fate=Fate.UNHEARD, why="Takahe tells only followers"),
    Step("pia@takahe", "mention", (_ACTOR, "withdraw"), Fate.WITHDRAWN, "so a private word",
         {"visibility": "direct"}),
    Step("gil@hollo", "mention", (_ACTOR, "keep"), Fate.NOTED, "posts delete themselves here",
         {"visibility": "direct"}, reason="kept"),
    _on("gil@hollo", "delete", "gil", fate=Fate.COUNTED, why="deleted, and kept as asked"),
    _on("ines@masto", "edit", "ines", fate=Fate.HELD, why="narrows the audience",
        visibility="followers", reason="audience-narrowed"),
    Step("jun@masto", "rename", ("Jun the Second",), Fate.NOTED, "a new name on the roll"),
    Step("kai@gts", "rotate_key", (), Fate.NOTED, "a new key, unannounced"),
    Step("kai@gts", "boost", (_PAGE,), Fate.NOTED, "signed with it: one refetch"),
    Step("max@gts", "delete_account", (), Fate.WITHDRAWN, "leaves for good"),
    Step("hana@ghost", "move_to", (Fellow("hanna@ghost"),), Fate.MOVED, "has a new account"),
    Step("nadia@key", "block", (_ACTOR,), Fate.NOTED, "no contact; the signature stays"),
)  # fmt: skip

MISBEHAVING: Sequence[Step] = (
    Step("mallory@evil", "forge", (Actor("sam@masto"), _PAGE), Fate.REFUSED,
         "in Sam's name, by Mallory's key"),
    Step("mallory@evil", "forge_key_id", (Fellow("victim@evil"), _PAGE), Fate.TURNED_AWAY,
         "under another's key id"),
    Step("mallory@evil", "unsigned", (_PAGE,), Fate.TURNED_AWAY, "not signed at all"),
    Step("mallory@evil", "digest_unsigned", (_PAGE,), Fate.TURNED_AWAY, "any body would fit"),
    Step("mallory@evil", "host_unsigned", (_PAGE,), Fate.TURNED_AWAY, "any server would do"),
    Step("mallory@evil", "stale", (_PAGE, {"seconds": 50_000}), Fate.TURNED_AWAY, "hours old"),
    Step("mallory@evil", "duplicate_parameters", (_PAGE,), Fate.TURNED_AWAY, "two keys at once"),
    Step("mallory@evil", "delete_storm", (_INBOX, 20), Fate.NOTED, "strangers vanish; so what"),
    Step("mallory@evil", "flood", (_PAGE, 5, "Cheap watches!"), Fate.HELD, "five at once"),
)  # fmt: skip

SCRIPT: Sequence[Step] = (*FOLLOWING, *SIGNING, *NOT_SIGNING, *CHANGING, *MISBEHAVING)


def expected_roll(steps: Sequence[Step] = SCRIPT) -> frozenset[str]:
    """Who (user@server) ought to be on the roll once these steps are done."""
    roll: set[str] = set()
    for step in steps:
        if step.fate is Fate.COUNTED:
            roll.add(step.who)
        if step.fate is Fate.WITHDRAWN or step.reason == "audience-narrowed":
            roll.discard(step.who)
        if step.fate is Fate.MOVED and step.who in roll:
            roll.remove(step.who)
            roll |= {to.who for to in step.args if isinstance(to, Fellow)}
    return frozenset(roll)
