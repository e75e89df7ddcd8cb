"""The pages of a simulated server: WebFinger, NodeInfo, actors, keys, posts, collections, inboxes.

The only Starlette here. One catch-all route, because dialects differ in their paths.
"""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from fedi_letter.demo.accounts import Account
from fedi_letter.demo.server import PeerServer
from fedi_letter.demo.shapes import CONTEXT, Note, collection, note_document, tombstone
from fedi_letter.demo.verifying import NotProven, Seen
from fedi_letter.demo.wire import ACTIVITY_JSON, PUBLIC, Document, header, origin_of

_WANTS = ("application/activity+json", "application/ld+json")


def site(server: PeerServer) -> Starlette:
    """The ASGI application of that server."""
    visit = _Visit(server)
    return Starlette(
        routes=[
            Route("/.well-known/webfinger", visit.webfinger),
            Route("/.well-known/nodeinfo", visit.nodeinfo_links),
            Route("/nodeinfo/2.0", visit.nodeinfo),
            Route("/{path:path}", visit.anything, methods=["GET", "POST"]),
        ]
    )


class _Visit:
    """One server's answers."""

    def __init__(self, server: PeerServer) -> None:
        self._server = server

    async def webfinger(self, request: Request) -> Response:
        """RFC 7033 for `acct:` and for actor ids."""
        if self._server.trouble:
            return self._ailing()
        resource = request.query_params.get("resource", "")
        for account in self._server.everybody:
            subject = f"acct:{account.user}@{self._server.host}"
            if resource in (subject, account.uri, account.profile) and not account.gone:
                links = [
                    {"rel": "self", "type": ACTIVITY_JSON, "href": account.uri},
                    {"rel": "http://webfinger.net/rel/profile-page", "href": account.profile},
                ]
                found = {"subject": subject, "aliases": [account.uri], "links": links}
                return JSONResponse(found, media_type="application/jrd+json")
        return Response(status_code=404)

    async def nodeinfo_links(self, request: Request) -> Response:
        """The NodeInfo index (FEP-f1d5)."""
        rel = "http://nodeinfo.diaspora.software/ns/schema/2.0"
        href = f"{self._server.origin}/nodeinfo/2.0"
        return JSONResponse({"links": [{"rel": rel, "href": href}]})

    async def nodeinfo(self, request: Request) -> Response:
        """NodeInfo 2.0."""
        dialect = self._server.dialect
        return JSONResponse(
            {
                "version": "2.0",
                "software": {"name": dialect.software, "version": dialect.version},
                "protocols": ["activitypub"],
                "services": {"inbound": [], "outbound": []},
                "openRegistrations": False,
                "usage": {"users": {"total": len(self._server.accounts)}, "localPosts": 0},
                "metadata": {},
            }
        )

    async def anything(self, request: Request) -> Response:
        """Every path whose form the dialect decides."""
        seen = await self._seen(request)
        if request.method == "POST":
            return await self._post(seen)
        self._server.fetched.append(seen.url)
        if self._server.trouble:
            return self._ailing()
        return await self._get(seen)

    async def _seen(self, request: Request) -> Seen:
        """The request as signed: raw target under our public origin, headers in order."""
        scope: Any = request.scope
        query = scope["query_string"].decode("latin-1")
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").split("?")[0]
        url = self._server.origin + path + (f"?{query}" if query else "")
        headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"])
        return Seen(request.method, url, headers, await request.body())

    def _ailing(self) -> Response:
        trouble = self._server.trouble or self._server.inbox_trouble
        headers = dict(trouble.headers) if trouble else {}
        return Response(status_code=trouble.status if trouble else 500, headers=headers)

    async def _post(self, seen: Seen) -> Response:
        inboxes = {account.inbox for account in self._server.everybody if not account.gone}
        if self._server.trouble or self._server.inbox_trouble:
            return self._ailing()
        if seen.url not in inboxes | {self._server.shared_inbox}:
            return Response(status_code=404)
        return Response(status_code=await self._server.receive(seen))

    async def _get(self, seen: Seen) -> Response:
        for account in self._server.everybody:
            if seen.url == account.key_id and not account.gone:
                return _document(account.stub())
        if seen.url in self._server.redirects:
            return RedirectResponse(self._server.redirects[seen.url])
        if seen.url in self._server.vanished:
            return Response(status_code=410)
        return await self._get_known(seen)

    async def _get_known(self, seen: Seen) -> Response:
        reader = None
        note = self._server.note(seen.url)
        private = note is not None and not _is_public(note)
        if private or (self._server.dialect.locked and _wants_activity(seen)):
            try:
                reader, _ = await self._server.owner_of(seen)
            except NotProven:
                return Response(status_code=404 if private else 401)
        for account in self._server.everybody:
            if seen.url.split("?page=")[0] in _places(account):
                return self._of_account(account, seen)
        if note:
            return self._of_note(note, seen, reader)
        boost = self._server.boosts.get(seen.url)
        return _document(boost) if boost else Response(status_code=404)

    def _of_account(self, account: Account, seen: Seen) -> Response:
        if account.gone:
            return Response(status_code=410)
        if seen.url in (account.uri, account.profile):
            if not _wants_activity(seen):
                return _page(account.name, account.uri)
            return _document(self._server.document(account))
        items = {
            account.followers_uri: list(account.followers),
            account.following_uri: sorted(account.following),
            account.outbox: [n.create_uri for n in account.notes.values() if _is_public(n)],
        }
        uri = seen.url.split("?page=")[0]
        return _document(collection(uri, items.get(uri, [])))

    def _of_note(self, note: Note, seen: Seen, reader: str | None) -> Response:
        if note.gone:
            gone = {"@context": CONTEXT, **tombstone(note.uri)}
            return JSONResponse(gone, status_code=410, media_type=ACTIVITY_JSON)
        if not _is_public(note) and not _may_read(note, reader):
            return Response(status_code=404)
        if not _wants_activity(seen):
            return _page(note.text, note.uri)
        document = {"@context": CONTEXT, **note_document(self._server.dialect, note)}
        if seen.url == note.create_uri:
            document = {
                "@context": CONTEXT, "id": note.create_uri, "type": "Create",
                "actor": note.actor, "to": note.to, "cc": note.cc, "object": document,
            }  # fmt: skip
        return _document(document)


def _places(account: Account) -> tuple[str, ...]:
    return (
        account.uri,
        account.profile,
        account.outbox,
        account.followers_uri,
        account.following_uri,
    )


def _is_public(note: Note) -> bool:
    return bool({PUBLIC, "as:Public"} & {*note.to, *note.cc})


def _may_read(note: Note, reader: str | None) -> bool:
    """Whether the reader's server is one of those a private post was sent to."""
    return reader is not None and origin_of(reader) in map(origin_of, (*note.to, *note.cc))


def _wants_activity(seen: Seen) -> bool:
    accept = header(seen.headers, "accept") or ""
    return any(media_type in accept for media_type in _WANTS)


def _document(document: Document) -> Response:
    return JSONResponse(document, media_type=ACTIVITY_JSON, headers={"vary": "accept"})


def _page(title: str, uri: str) -> Response:
    link = f'<{uri}>; rel="alternate"; type="{ACTIVITY_JSON}"'
    page = f"<!doctype html><title>{len(title)} characters</title>"
    return HTMLResponse(page, headers={"link": link, "vary": "accept"})
