"""How a simulated server calls others: signed GETs, signed POSTs, the second knock.

Knows the dialect's signature habits; not what is in a body.
"""

from collections import Counter

from fedi_letter.demo.dialect import Dialect
from fedi_letter.demo.signing import Draft, Scheme, Signer, signed
from fedi_letter.demo.wire import Answer, Clock, Headers, Send, Sent, host_of


class Courier:
    """The outgoing side of one server."""

    def __init__(self, dialect: Dialect, origin: str, send: Send, clock: Clock) -> None:
        self._dialect = dialect
        self._send = send
        self._clock = clock
        self._agent = (
            "user-agent",
            f"{dialect.software}/{dialect.version} (+{origin}/)",
        )
        self._understood: dict[str, Scheme] = {}
        """The scheme that passed last, by host."""
        self.answers: Counter[tuple[str, int]] = Counter()
        """How often each host gave each status to a delivery; 0 is no answer."""

    async def post(self, url: str, body: bytes, signer: Signer) -> Sent:
        """Delivers, knocking again in the next scheme while the answer is a 4xx."""
        first = self._understood.get(host_of(url))
        knocks = sorted(self._dialect.knocks, key=lambda scheme: scheme is not first)
        for knock in knocks[:-1]:
            sent = await self._knock(url, body, signer, knock)
            if not 400 <= sent.status < 500:
                return sent
        return await self._knock(url, body, signer, knocks[-1])

    async def _knock(self, url: str, body: bytes, signer: Signer, scheme: Scheme) -> Sent:
        sent = await self.post_as(url, self.sign_post(url, body, signer, scheme), body)
        if sent.accepted:
            self._understood[host_of(url)] = scheme
        return sent

    def sign_post(self, url: str, body: bytes, signer: Signer, scheme: Scheme) -> Headers:
        """The headers of a delivery, signed now."""
        draft = Draft("POST", url, body, self._dialect.content_type, (self._agent,))
        return signed(draft, signer, self._dialect.style, scheme, self._clock())

    async def post_as(self, url: str, headers: Headers, body: bytes) -> Sent:
        """Sends exactly these bytes under exactly these headers; status 0 when nobody answers."""
        try:
            status, _, answer = await self._send("POST", url, headers, body)
        except OSError:
            status, answer = 0, b""
        self.answers[host_of(url), status] += 1
        return Sent(url, headers, body, status, answer)

    async def get(self, url: str, signer: Signer | None, accept: str | None = None) -> Answer:
        """One GET, signed unless `signer` is None; raises OSError when nobody answers."""
        extra = (("accept", accept or self._dialect.accept), self._agent)
        draft = Draft("GET", url, b"", None, extra)
        if signer is None:
            return await self._send("GET", url, (("host", host_of(url)), *extra), b"")
        scheme = self._dialect.knocks[-1] if len(self._dialect.knocks) == 1 else Scheme.CAVAGE
        headers = signed(draft, signer, self._dialect.style, scheme, self._clock())
        return await self._send("GET", url, headers, b"")
