"""Addresses that strangers name: what may be called, and every known way to write what may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.providers.public_addresses import checked_address, is_public
from core.kernel import Invalid


def strict(url):
    return checked_address(url, allows_private=False)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://shop.example", "https://shop.example/"),
        ("HTTPS://Shop.Example/Hook", "https://shop.example/Hook"),
        ("https://shop.example:443/", "https://shop.example/"),
        ("https://shop.example:8443/a?b=c%20d", "https://shop.example:8443/a?b=c%20d"),
        ("https://shop.example./", "https://shop.example/"),
        ("https://shop.example?x=1", "https://shop.example/?x=1"),
        ("https://münchen.example/", "https://xn--mnchen-3ya.example/"),
        ("https://例え.jp/", "https://xn--r8jz45g.jp/"),
        ("https://shop。example/", "https://shop.example/"),
        ("https://93.184.215.14/", "https://93.184.215.14/"),
        ("https://[2606:2800:21F::1]:8443/", "https://[2606:2800:21f::1]:8443/"),
        ("https://shop.example:1024/", "https://shop.example:1024/"),
    ],
)
def test_a_good_address_has_one_form(url, normal):
    assert strict(url) == normal
    assert strict(normal) == normal


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://127.0.0.1:8443/",
        "https://0.0.0.0/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::127.0.0.1]/",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fc00::1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b:1::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001::1]/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://www.localhost/",
        "https://printer.local/",
        "https://metadata.google.internal/",
        "https://router/",
        # Other notations of 127.0.0.1, which some resolvers understand
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://127.1/",
        "https://127.0.0.1./",
        "https://127.0.0.0x1/",
        "https://0/",
        "https://１２７.０.０.１/",
        "https://①②⑦.0.0.1/",
        "https://127。0。0。1/",
        "https://1.2.3.4.5/",
        "https://256.256.256.256/",
        "https://shop.example.0x/",
    ],
)
def test_what_is_not_on_the_internet_is_refused_however_it_is_written(url):
    with pytest.raises(Invalid) as refusal:
        strict(url)
    assert refusal.value.facts["field"] == "url"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "//shop.example/",
        "http://shop.example/",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "gopher://shop.example/",
        "javascript:alert(1)",
        "https:shop.example",
        "https:///hook",
        "https://",
        "https://:443/",
        "https://user@shop.example/",
        "https://user:word@shop.example/",
        "https://shop.example@127.0.0.1/",
        "https://@shop.example/",
        "https://shop.example#@127.0.0.1/",
        "https://shop.example/#fragment",
        "https://shop.example#",
        "https://shop.example\\@127.0.0.1/",
        "https://shop.example\t/",
        "https://shop.example/\r\nX-Header: 1",
        " https://shop.example/",
        "https://shop example/",
        "https://shop.example/a b",
        "https://shop.example/ü",
        "https://shop.example:0/",
        "https://shop.example:22/",
        "https://shop.example:80/",
        "https://shop.example:1023/",
        "https://shop.example:65536/",
        "https://shop.example:port/",
        "https://shop.example:-1/",
        "https://[shop.example]/",
        "https://[::1/",
        "https://a..example/",
        "https://-a.example/",
        "https://shop_.example/",
        "https://%73hop.example/",
        "https://shop.example%00.other/",
        "https://xn--a.example/",
        f"https://{'a' * 64}.example/",
        f"https://shop.example/{'a' * 2_000}",
        "https://shop.example/\x00",
        "https://shop.example/\ud800",
    ],
)
def test_what_is_no_plain_https_address_is_refused(url):
    with pytest.raises(Invalid):
        strict(url)


@pytest.mark.parametrize(
    "url", ["http://localhost:8080/hook", "http://127.0.0.1/", "https://router:22/", "http://[::1]:9/"]
)
def test_development_may_call_its_own_machine(url):
    assert checked_address(url, allows_private=True).startswith(url.partition("/hook")[0])


def test_even_development_has_no_odd_addresses():
    for url in ("ftp://localhost/", "http://user@localhost/", "http://0x7f000001/", "http://localhost:0/"):
        with pytest.raises(Invalid):
            checked_address(url, allows_private=True)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "93.184.215.14",
        "172.32.0.1",
        "192.0.1.1",
        "2606:4700::1111",
        "2a00:1450:4001::5e",
    ],
)
def test_public_addresses(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255"),
        *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1"),
        *("192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1"),
        *("239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::ffff:8.8.8.8", "::8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b::8.8.8.8", "100::1"),
        *("64:ff9b:1::1", "2001::1", "2001:2::1", "2001:10::1", "2001:db8::1", "2002:808:808::1"),
        *("3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1"),
        *("2606:4700::1111%eth0", "", "shop.example", "1.1.1", "01.1.1.1", "1.1.1.1 ", "0x1.1.1.1"),
    ],
)
def test_addresses_that_are_not_public(address):
    assert not is_public(address)


@given(st.one_of(st.text(), st.from_regex(r"https://[^/]{0,30}/.{0,20}")))
def test_whatever_is_named_is_refused_or_has_one_form(url):
    try:
        normal = strict(url)
    except Invalid:
        return
    assert strict(normal) == normal
    assert normal.isascii()
