"""Which addresses and urls are refused (T47, T53, T54)."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedi_letter.activitypub.uris import origin_of
from fedi_letter.httpsig.address import address_of
from fedi_letter.remote.guard import GuardReason, refuse_address, refuse_url

FORBIDDEN_NETWORKS = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "::/96",
    "::ffff:0:0/96",
    "::ffff:0:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/32",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
)


@pytest.mark.parametrize("network", FORBIDDEN_NETWORKS)
def test_a_network_that_is_not_public_is_refused_from_its_first_address_to_its_last(
    network: str,
) -> None:
    whole = ipaddress.ip_network(network)
    for address in (whole[0], whole[whole.num_addresses // 2], whole[-1]):
        assert refuse_address(address) is not None, address


@given(st.sampled_from(FORBIDDEN_NETWORKS).flatmap(lambda net: st.ip_addresses(network=net)))
def test_any_address_of_those_networks_is_refused(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    assert refuse_address(str(address)) is not None


@given(st.ip_addresses(v=4))
def test_no_way_to_carry_an_ipv4_address_in_an_ipv6_one_is_let_through(
    inner: ipaddress.IPv4Address,
) -> None:
    number = int(inner)
    carriers = (
        number,
        (0xFFFF << 32) | number,
        (0x64FF9B << 96) | number,
        (0x2002 << 112) | (number << 80) | 1,
        (0x20010000 << 96) | (number ^ 0xFFFFFFFF),
    )
    for carrier in carriers:
        assert refuse_address(ipaddress.IPv6Address(carrier)) is not None


@given(st.ip_addresses())
def test_what_is_let_through_is_global_by_the_standard_library_too(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if refuse_address(address) is None:
        assert address.is_global
        assert not address.is_multicast


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.215.14", "172.32.0.1", "2606:4700:4700::1111", "2a01:4f8::2"]
)
def test_a_public_address_is_let_through(address: str) -> None:
    assert refuse_address(address) is None


@pytest.mark.parametrize("text", ["", "far.example", "1.2.3", "127.1", "fe80::1%eth0", "::1%lo"])
def test_what_is_no_plain_public_address_is_refused(text: str) -> None:
    assert refuse_address(text) is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://far.example/users/ada",
        "https://far.example:8443/inbox?page=1",
        "https://xn--mnchen-3ya.example/",
        "https://1.1.1.1/actor",
        "https://[2606:4700:4700::1111]/actor",
    ],
)
def test_a_plain_public_https_url_is_let_through(url: str) -> None:
    assert refuse_url(url, allow_private=False) is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://far.example/", GuardReason.NOT_HTTPS),
        ("https://127.0.0.1/", GuardReason.LOOPBACK),
        ("https://127.0.0.1:8443/", GuardReason.LOOPBACK),
        ("https://[::1]/", GuardReason.LOOPBACK),
        ("https://[::ffff:127.0.0.1]/", GuardReason.EMBEDS_IPV4),
        ("https://[::ffff:7f00:1]/", GuardReason.EMBEDS_IPV4),
        ("https://192.168.1.1/", GuardReason.PRIVATE),
        ("https://169.254.169.254/latest", GuardReason.LINK_LOCAL),
        ("https://localhost/", GuardReason.LOCAL_NAME),
        ("https://LOCALHOST:443/", GuardReason.LOCAL_NAME),
        ("https://intranet/", GuardReason.LOCAL_NAME),
        ("https://printer.local/", GuardReason.LOCAL_NAME),
        ("https://metadata.google.internal/", GuardReason.LOCAL_NAME),
        ("https://127.1/", GuardReason.ODD_URL),
        ("https://2130706433/", GuardReason.ODD_URL),
        ("https://0x7f.0.0.1/", GuardReason.ODD_URL),
        ("https://0177.0.0.1/", GuardReason.ODD_URL),
        ("https://ada@far.example/", GuardReason.ODD_URL),
        ("https://far.example./", GuardReason.ODD_URL),
        ("https://ex%61mple.org/", GuardReason.ODD_URL),
        ("https://exаmple.org/", GuardReason.ODD_URL),
        ("https://far.example\\@evil.example/", GuardReason.ODD_URL),
        ("https://far.example/a b", GuardReason.ODD_URL),
        ("https://far.example/\r\nHost: evil.example", GuardReason.ODD_URL),
        ("https://far.example/x\n", GuardReason.ODD_URL),
        ("https:///far.example/", GuardReason.ODD_URL),
        ("https://far.example:0/", GuardReason.ODD_URL),
        ("https://far.example:99999/", GuardReason.ODD_URL),
        ("https://far.example/" + "x" * 2048, GuardReason.ODD_URL),
        ("file:///etc/passwd", GuardReason.ODD_URL),
        ("ftp://far.example/", GuardReason.ODD_URL),
        ("data:application/json,{}", GuardReason.ODD_URL),
        ("javascript:alert(1)", GuardReason.ODD_URL),
        ("//far.example/", GuardReason.ODD_URL),
        ("", GuardReason.ODD_URL),
    ],
)
def test_any_other_url_is_refused(url: str, reason: GuardReason) -> None:
    assert refuse_url(url, allow_private=False) is reason


def test_a_laboratory_may_call_its_own_machine_but_no_odd_url() -> None:
    assert refuse_url("http://127.0.0.1:4001/actor", allow_private=True) is None
    assert refuse_url("http://localhost:8000/", allow_private=True) is None
    assert refuse_url("https://gts.test/", allow_private=True) is None
    assert refuse_url("http://ada@127.0.0.1/", allow_private=True) is GuardReason.ODD_URL
    assert refuse_url("file:///etc/passwd", allow_private=True) is GuardReason.ODD_URL


_ODD_PIECES = st.text(alphabet="htps:/.@%#?[]\\ 017fxab-_\n\té~", max_size=24)


@given(_ODD_PIECES.map("https://".__add__) | _ODD_PIECES | st.text(max_size=30))
def test_whatever_is_let_through_has_an_origin_and_can_be_signed_as_it_stands(url: str) -> None:
    if refuse_url(url, allow_private=True) is None:
        address = address_of(url)
        assert f"{address.scheme}://{address.authority}" == origin_of(url)
