"""Hosts, and the patterns that sites name them by."""

import pytest

from core.kernel import Invalid
from core.sites.hosts import checked_pattern, host_of, patterns_of
from core.sites.model import is_covered


@pytest.mark.parametrize(
    ("said", "host"),
    [
        ("https://Shop.Example", "shop.example"),
        ("https://shop.example:443/", "shop.example"),
        ("http://shop.example:80/a?b#c", "shop.example"),
        ("https://shop.example:8443", "shop.example:8443"),
        ("shop.example.", "shop.example"),
        ("localhost:8080", "localhost:8080"),
        ("http://127.0.0.1:3000", "127.0.0.1:3000"),
        ("http://[::0001]:3000", "[::1]:3000"),
        ("https://bücher.example", "xn--bcher-kva.example"),
        ("https://STRASSE.example", "strasse.example"),
        ("https://straße.example", "xn--strae-oqa.example"),
        ("https://شبكة.example", "xn--ngbc5azd.example"),
    ],
)
def test_hosts_compare_without_case_default_port_or_alphabet(said, host):
    assert host_of(said) == host


@pytest.mark.parametrize(
    "said",
    [
        None,
        "",
        "null",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://user:pass@shop.example",
        "https://",
        "https://a b.example",
        "https://shop..example",
        "https://-.example",
        "https://shop.example:0",
        "https://shop.example:99999",
        "https://shop.example:x",
        "https://%73hop.example",
        "https://" + "a" * 64 + ".example",
        "https://" + "a." * 130 + "example",
        "https://[::1",
        "x" * 100_000,
    ],
)
def test_what_has_no_host_has_none(said):
    assert host_of(said) in {None, "null"}
    if said != "null":
        assert host_of(said) is None


@pytest.mark.parametrize(
    ("said", "pattern"),
    [
        (" Shop.Example ", "shop.example"),
        ("*.Shop.Example", "*.shop.example"),
        ("https://*.shop.example:443/", "*.shop.example"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
        ("*.shop.example:8443", "*.shop.example:8443"),
        ("http://localhost:8080", "localhost:8080"),
    ],
)
def test_patterns_are_kept_in_the_form_that_is_compared(said, pattern):
    assert checked_pattern(said) == pattern


@pytest.mark.parametrize(
    "said",
    [
        "",
        "*",
        "*.",
        "*.example",
        "*.*.example.com",
        "shop.*.example",
        "*shop.example",
        "*.127.0.0.1",
        "*.[::1]",
        "https://shop.example/path",
        "ftp://shop.example",
        "shop example",
        "null\u0000.example",
        "*.com:8080",
    ],
)
def test_what_is_no_pattern_is_refused(said):
    with pytest.raises(Invalid) as refusal:
        checked_pattern(said)
    assert refusal.value.facts["field"] == "hosts"


@pytest.mark.parametrize(
    ("host", "is_there"),
    [
        ("a.shop.example", True),
        ("a.b.shop.example", True),
        ("shop.example", False),
        ("evilshop.example", False),
        ("shop.example.evil.example", False),
        ("a.shop.example:8443", False),
    ],
)
def test_a_wildcard_ends_at_a_dot(host, is_there):
    assert is_covered(host, ["*.shop.example"]) is is_there


def test_the_nearest_pattern_comes_first():
    assert patterns_of("a.b.c.example:81") == [
        "a.b.c.example:81",
        "*.b.c.example:81",
        "*.c.example:81",
    ]
    assert patterns_of("localhost:8080") == ["localhost:8080"]
    assert patterns_of("127.0.0.1:8080") == ["127.0.0.1:8080"]
    assert patterns_of("*.b.example") == ["*.b.example"]
