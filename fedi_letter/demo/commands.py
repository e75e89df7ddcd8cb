"""What may be asked of simulated people, as JSON: the words of the line protocol.

One command is `{"do": VERB, "person": "user@host", "args": [...], "named": {...}}`. A deed is
answered with a number; where a verb takes an earlier deed or its post, `{"deed": N}` stands for it.
Knows no pipes and no sockets; see `process` and `child` for those.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from fedi_letter.demo.directory import NotFound
from fedi_letter.demo.misdeeds import Mallory
from fedi_letter.demo.presence import CannotDo, Deed
from fedi_letter.demo.server import PeerServer, Trouble
from fedi_letter.demo.wire import Sent

DEEDS = frozenset(
    (
        "follow", "unfollow", "block", "unblock", "flag", "rename", "suspend", "rotate_key",
        "move_to", "delete_account", "reply", "mention", "post", "quote", "vote", "edit",
        "delete", "boost", "unboost", "like", "unlike",
    )
)  # fmt: skip
MISDEEDS = frozenset(
    (
        "again", "forge", "forge_key_id", "forge_ownership", "forge_by_redirect", "undo_of",
        "delete_of", "replay", "alter", "unsigned", "stale", "digest_unsigned",
        "host_unsigned", "duplicate_parameters", "delete_storm", "flood",
    )
)  # fmt: skip
_WANT_NOTE = frozenset(("edit", "delete"))
_REFUSALS = (NotFound, CannotDo, LookupError, TypeError, ValueError, OSError)


class Commands:
    """The servers of one process, obeying commands."""

    def __init__(self, servers: Mapping[str, PeerServer]) -> None:
        """`servers` by host; may grow while in use."""
        self._servers = servers
        self._deeds: list[Deed] = []

    async def obey(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """`{"answer": …}`, or `{"error": …, "kind": …}` when it could not be done."""
        try:
            return {"answer": await self._obey(command)}
        except _REFUSALS as problem:
            return {"error": str(problem), "kind": type(problem).__name__}

    async def _obey(self, command: Mapping[str, Any]) -> Any:
        verb = command["do"]
        of_servers: dict[str, Callable[[], Any]] = {
            "received": lambda: self._received(command["host"]),
            "answers": lambda: self._answers(command["host"]),
            "trouble": lambda: self._trouble(command["host"], command.get("status")),
        }
        if verb in of_servers:
            return of_servers[verb]()
        person = self._person(command["person"], command)
        match verb:
            case "open":
                return person.uri
            case "timeline":
                return [asdict(entry) for entry in person.timeline.values()]
            case "notifications":
                return list(person.notifications)
            case "who":
                following, followers = person.account.following, person.account.followers
                found = {"uri": person.uri, "handle": person.handle, "inbox": person.account.inbox}
                return found | {"following": sorted(following), "followers": sorted(followers)}
        if verb not in DEEDS | MISDEEDS:
            raise ValueError(f"nobody can {verb}")
        args = [self._argument(verb, arg) for arg in command.get("args", ())]
        named = {k: self._argument(verb, arg) for k, arg in command.get("named", {}).items()}
        return self._told(await getattr(person, verb)(*args, **named))

    def _person(self, handle: str, command: Mapping[str, Any]) -> Mallory:
        """The person of that handle; a name and a kind count when the account is opened."""
        user, host = handle.lstrip("@").split("@")
        if host not in self._servers:
            raise LookupError(f"there is no server {host} here")
        kind = command.get("kind") or "Person"
        return Mallory(self._servers[host], user, name=command.get("name"), kind=kind)

    def _argument(self, verb: str, value: Any) -> Any:
        match value:
            case {"deed": int(number)}:
                deed = self._deeds[number]
                return deed.note if verb in _WANT_NOTE else deed
            case {"person": str(handle)}:
                return self._person(handle, {})
            case {"seconds": int(seconds)}:
                return timedelta(seconds=seconds)
        return value

    def _told(self, result: Any) -> Any:
        """A deed as JSON, kept under its number."""
        match result:
            case Deed():
                self._deeds.append(result)
                return {
                    "deed": len(self._deeds) - 1,
                    "activity": result.activity,
                    "post": result.note.uri if result.note else None,
                    "status": result.status,
                    "sent": [self._told(sent) for sent in result.sent],
                }
            case Sent():
                return {"url": result.url, "status": result.status}
            case None:
                return None
        several: Sequence[Any] = result
        return [self._told(one) for one in several]

    def _received(self, host: str) -> list[dict[str, Any]]:
        return [
            {
                "path": received.path,
                "status": received.status,
                "scheme": received.scheme,
                "problem": received.problem,
                "activity": received.activity,
            }
            for received in self._servers[host].received
        ]

    def _answers(self, host: str) -> list[list[int]]:
        """How often `host` gave each status to a delivery of any server here."""
        total: Counter[int] = Counter()
        for server in self._servers.values():
            for (asked, status), count in server.courier.answers.items():
                total[status] += count if asked == host else 0
        return [[status, count] for status, count in sorted(total.items()) if count]

    def _trouble(self, host: str, status: int | None) -> None:
        self._servers[host].inbox_trouble = Trouble(status) if status else None
