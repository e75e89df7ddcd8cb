"""Shortcuts through structured fields (RFC 8941) as nearly every server spells them.

Each takes the canonical spelling of one narrow shape and answers what http-sf would, or None, and
then http-sf is asked: parsing and serialising a signature with it costs more than the signature's
mathematics. A property in the tests holds the two against each other.

Knows no policy: what is read here is judged as if http-sf had read it.
"""

import binascii
import re

Parameters = dict[str, str | int]
InnerList = tuple[list[tuple[str, dict[str, str]]], Parameters]
"""What http-sf makes of a list of strings without parameters of their own."""

_KEY = r"[a-z*][a-z0-9_.*-]*"
_STRING = r'"[ !#-\[\]-~]*"'  # no escapes: those are rare, and http-sf's business
_INTEGER = r"(?:0|-?[1-9][0-9]{0,14})"
_PARAMETER = re.compile(rf";({_KEY})=(?:({_STRING})|({_INTEGER}))")
_LIST = re.compile(
    rf"({_KEY})=(\(({_STRING}(?: {_STRING})*)?\)((?:;{_KEY}=(?:{_STRING}|{_INTEGER}))*))"
)
_BYTES = re.compile(rf"({_KEY})=:([A-Za-z0-9+/]*={{0,2}}):")


def strings_of(line: str) -> tuple[str, InnerList, str] | None:
    """A dictionary of one member that is a list of strings: key, list, the list as spelt.

    >>> strings_of('sig1=("@method" "date");created=1')
    ('sig1', ([('@method', {}), ('date', {})], {'created': 1}), '("@method" "date");created=1')
    """
    found = _LIST.fullmatch(line)
    if found is None:
        return None
    label, spelt, strings, rest = found.groups()
    pairs = _PARAMETER.findall(rest)
    parameters: Parameters = {
        name: text[1:-1] if text else int(number) for name, text, number in pairs
    }
    if len(parameters) != len(pairs):
        return None
    items: list[tuple[str, dict[str, str]]] = []
    if strings:
        items = [(string, {}) for string in strings[1:-1].split('" "')]
    return label, (items, parameters), spelt


def bytes_of(line: str) -> tuple[str, bytes] | None:
    """A dictionary of one member that is a byte sequence: key and bytes.

    >>> bytes_of("sha-256=:AAAA:")
    ('sha-256', b'\\x00\\x00\\x00')
    """
    found = _BYTES.fullmatch(line)
    if found is None:
        return None
    try:
        return found[1], binascii.a2b_base64(found[2], strict_mode=True)
    except ValueError:
        return None
