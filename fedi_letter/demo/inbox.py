"""What a simulated server does with activities that arrive, once their sender is proven.

Keeps its people's timelines as their server would: Create shows, Update replaces, Delete removes.
"""

from collections.abc import Iterable
from typing import Any

from fedi_letter.demo.accounts import Account
from fedi_letter.demo.dialect import Dialect
from fedi_letter.demo.rendering import entry_of
from fedi_letter.demo.wire import Document


def ids(value: Any) -> list[str]:
    """The ids in a property that may be a string, an object, or a list of either.

    >>> ids([{"id": "https://a/1"}, "https://a/2"]), ids(None)
    (['https://a/1', 'https://a/2'], [])
    """
    values = value if isinstance(value, list) else [value]
    named = [item.get("id") if isinstance(item, dict) else item for item in values]
    return [item for item in named if isinstance(item, str)]


class Inbox:
    """The people of one server, as others' activities reach them."""

    def __init__(self, dialect: Dialect, accounts: dict[str, Account]) -> None:
        self._dialect = dialect
        self._accounts = accounts

    def apply(self, activity: Document) -> None:
        """Does what the activity says, for everybody here whom it concerns.

        The caller has proven that `activity["actor"]` sent it.
        """
        [actor] = ids(activity.get("actor"))
        kind = str(activity.get("type"))
        self._notify(activity)
        match kind:
            case "Create" | "Update":
                self._show(actor, kind, activity)
            case "Delete":
                self._remove(actor, ids(activity.get("object")))
            case "Accept" | "Reject":
                self._answer(actor, kind, ids(activity.get("object")))
            case "Undo":
                self._undo(actor, activity.get("object"))

    def _notify(self, activity: Document) -> None:
        named = {uri for key in ("to", "cc", "object") for uri in ids(activity.get(key))}
        for account in self._accounts.values():
            if account.uri in named or named & account.notes.keys():
                account.notifications.append(activity)

    def _show(self, actor: str, kind: str, activity: Document) -> None:
        post = activity.get("object")
        if not isinstance(post, dict) or ids(post.get("attributedTo")) != [actor]:
            return
        entry = entry_of(self._dialect, post)
        if entry is None or _backdated(self._dialect, post):
            return
        for reader in self._readers(actor):
            known = reader.timeline.get(entry.uri)
            if kind == "Create" and known:
                continue
            if known and (entry.updated or "") <= (known.updated or ""):
                continue
            reader.timeline[entry.uri] = entry

    def _remove(self, actor: str, uris: Iterable[str]) -> None:
        for account in self._accounts.values():
            for uri in uris:
                entry = account.timeline.get(uri)
                if entry and entry.author == actor:
                    del account.timeline[uri]
                if uri == actor:
                    self._forget(account, actor)

    def _forget(self, account: Account, actor: str) -> None:
        account.following.discard(actor)
        account.followers.pop(actor, None)
        kept = {uri: e for uri, e in account.timeline.items() if e.author != actor}
        account.timeline = kept

    def _answer(self, actor: str, kind: str, follows: Iterable[str]) -> None:
        for account in self._accounts.values():
            for follow in follows:
                if account.requested.get(follow) != actor:
                    continue
                if kind == "Accept":
                    account.following.add(actor)
                else:
                    account.following.discard(actor)
                    del account.requested[follow]

    def _undo(self, actor: str, undone: Any) -> None:
        if isinstance(undone, dict) and undone.get("type") == "Follow":
            for account in self._accounts.values():
                if account.uri in ids(undone.get("object")):
                    account.followers.pop(actor, None)

    def _readers(self, actor: str) -> list[Account]:
        return [account for account in self._accounts.values() if actor in account.following]


def _backdated(dialect: Dialect, post: Document) -> bool:
    """GoToSocial takes a post for malformed when it was updated before it was published."""
    updated, published = post.get("updated"), post.get("published")
    return bool(dialect.name == "gotosocial" and updated and published and updated < published)
