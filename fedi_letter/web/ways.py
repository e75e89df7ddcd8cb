"""How to sign and how to leave, in plain words, following the authors' policy; pure."""

from dataclasses import dataclass

from fedi_letter.letter.model import Admission, PlainReplies, Policy, Way

PHRASE = "I sign"
WORD = "I withdraw"
"""As the English of these pages says them; the phrase book knows them in every language."""


@dataclass(frozen=True)
class Rule:
    """One act of a reader and what it means here."""

    act: str
    meaning: str


@dataclass(frozen=True)
class Ways:
    """What a page says about signing; `local` says it in the letter's language, not in English."""

    by_reply: bool
    by_boost: bool
    reviewed: bool
    phrase: str
    withdraw: str
    rules: tuple[Rule, ...]
    local: str
    language: str


def ways(policy: Policy, *, local: str, language: str) -> Ways:
    """The instructions under `policy`."""
    by_reply = bool({Way.REPLY, Way.MENTION} & policy.sign_by)
    by_boost = Way.BOOST in policy.sign_by
    return Ways(
        by_reply=by_reply,
        by_boost=by_boost,
        reviewed=policy.admission is Admission.HOLD,
        phrase=PHRASE,
        withdraw=_withdraw(by_reply=by_reply, by_boost=by_boost),
        rules=_rules(policy, by_reply=by_reply, by_boost=by_boost),
        local="" if language.partition("-")[0] == "en" else local,
        language=language,
    )


def _withdraw(*, by_reply: bool, by_boost: bool) -> str:
    acts = [
        *(["delete your reply"] if by_reply else []),
        *(["undo your boost"] if by_boost else []),
        f"reply “{WORD}”",
    ]
    joined = ", ".join(acts[:-1]) + " or " + acts[-1]
    return joined[0].upper() + joined[1:] + "."


def _rules(policy: Policy, *, by_reply: bool, by_boost: bool) -> tuple[Rule, ...]:
    counted = "Waits for review" if policy.admission is Admission.HOLD else "Signs"
    plain = {
        PlainReplies.HOLD: "Waits for a person to read it",
        PlainReplies.SIGN: counted,
        PlainReplies.COMMENT: "Shown as conversation after review, never counted",
    }[policy.plain_replies]
    return (
        Rule(
            f"Reply or mention in public, saying “{PHRASE}”",
            counted if by_reply else "Does not sign this letter",
        ),
        Rule("Reply in public without these words", plain if by_reply else "Never counted"),
        Rule("Boost the letter", counted if by_boost else "Does not sign this letter"),
        Rule("Reply or boost for followers only, or in private", "Never shown, never counted"),
        Rule("Like the letter, follow it, or boost an update", "Does not sign"),
        Rule("Boost it from a bot, a group or an organisation", "Does not sign"),
        Rule("Edit your reply", "Read anew; a refusal takes your name off the roll"),
        Rule(
            f"Delete the reply, undo the boost, or reply “{WORD}”", "Takes your name off the roll"
        ),
        Rule("Both reply and boost", "One signature; it stands as long as either does"),
    )
