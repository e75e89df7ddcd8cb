"""Where an HTTP/1.1 message ends: all that generator and peers need to know of the protocol."""

import re

HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close\r\n", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"


def end_of_message(data: bytes) -> int:
    """Answer how long the first message in `data` is, or 0 while it is not whole.

    A chunked one is taken to be the only one there.

    >>> end_of_message(b"HTTP/1.1 202 Accepted\\r\\ncontent-length: 2\\r\\n\\r\\nokHTTP")
    46
    """
    head = data.find(HEAD_END)
    if head < 0:
        return 0
    length = _LENGTH.search(data, 0, head)
    if length is not None:
        end = head + len(HEAD_END) + int(length[1])
        return end if len(data) >= end else 0
    if _CHUNKED.search(data, 0, head):
        return len(data) if data.endswith(_LAST_CHUNK) else 0
    return head + len(HEAD_END)


def asks_to_close(message: bytes) -> bool:
    """Whether its sender wants the connection closed after the answer (RFC 9112 §9.6).

    >>> asks_to_close(b"POST / HTTP/1.1\\r\\nConnection: close\\r\\n\\r\\n")
    True
    """
    return _CLOSE.search(message, 0, message.find(HEAD_END) + len(HEAD_END)) is not None
