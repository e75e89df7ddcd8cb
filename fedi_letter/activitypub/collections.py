"""Collections as ActivityPub documents: counted, paged, or with their first page inside.

Members are ids as strings: Mastodon skips embedded members of types it does not expect
(interop A7, D1). Must not know what the members are.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fedi_letter.activitypub.vocabulary import ACTIVITYSTREAMS

PAGE_SIZE: Final = 500
"""Members on the first page of replies; Mastodon looks no further once it has five."""

Document = dict[str, Any]


def ordered_collection(uri: str, total: int, *, first: str | None = None) -> Document:
    """Answer an OrderedCollection that tells its size and, unless it hides them, its members.

    `first` is the URI of its first page; without it servers say that the network is hidden.
    """
    paged = {"first": first} if first is not None else {}
    return _head(uri, "OrderedCollection") | {"totalItems": total} | paged


def ordered_items(uri: str, items: Sequence[str]) -> Document:
    """Answer a short OrderedCollection whole, such as what is pinned."""
    listed = {"totalItems": len(items), "orderedItems": list(items)}
    return _head(uri, "OrderedCollection") | listed


def ordered_collection_page(
    uri: str,
    number: int,
    items: Sequence[str | Mapping[str, Any]],
    *,
    total: int,
    following: int | None,
) -> Document:
    """Answer one page of an OrderedCollection; `following` is the number of the next, if any."""
    page = collection_page(uri, number, items, following=following, ordered=True)
    return {"@context": ACTIVITYSTREAMS} | page | {"totalItems": total}


def collection(
    uri: str, total: int, items: Sequence[str], *, following: int | None = None
) -> Document:
    """Answer a Collection with its first page inside (interop D1); `items` are that page's ids."""
    return _head(uri, "Collection") | {
        "totalItems": total,
        "first": collection_page(uri, 1, items, following=following, ordered=False),
    }


def standalone_page(
    uri: str, number: int, items: Sequence[str], *, following: int | None
) -> Document:
    """Answer one page of a Collection as a document of its own."""
    page = collection_page(uri, number, items, following=following, ordered=False)
    return {"@context": ACTIVITYSTREAMS} | page


def embedded_collection(uri: str, total: int) -> Document:
    """Answer a Collection that only counts, as it stands inside an object (interop D2)."""
    return {"id": uri, "type": "Collection", "totalItems": total}


def collection_page(
    uri: str,
    number: int,
    items: Sequence[str | Mapping[str, Any]],
    *,
    following: int | None,
    ordered: bool,
) -> Document:
    """Answer one page as it stands inside its collection."""
    onward = {"next": page_uri(uri, following)} if following is not None else {}
    return {
        "id": page_uri(uri, number),
        "type": "OrderedCollectionPage" if ordered else "CollectionPage",
        "partOf": uri,
        **onward,
        "orderedItems" if ordered else "items": list(items),
    }


def page_uri(uri: str, number: int) -> str:
    """Answer the URI of the n-th page, counted from 1.

    >>> page_uri("https://letter.example/letters/letter/replies", 2)
    'https://letter.example/letters/letter/replies?page=2'
    """
    return f"{uri}?page={number}"


def _head(uri: str, type_: str) -> Document:
    """Answer the head of a collection served by itself."""
    return {"@context": ACTIVITYSTREAMS, "id": uri, "type": type_}
